package survey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey/questionnaires"
)

// ErrClosed is what every link and session that opens nothing gives: unknown,
// used, expired or revoked alike, so that nobody can learn which.
var ErrClosed = fault.New(fault.NotFound, "this page is not available")

// Door is what a link opens.
type Door struct {
	Stage    Stage
	Round    int
	Language string
	Begun    bool // a draft with an answer in it is kept already
	Card     bool // it was handed over, not mailed: there are no messages to stop
	ClosesAt time.Time

	caseID   string
	response string
	address  string // pseudonym of the address that the link was mailed to
	locked   bool   // a word was agreed, and is asked for first
}

func (s *Service) responseID(respondent string, stage Stage, round int, mode Mode) string {
	return s.keys.Pseudonym("response", respondent, string(stage), strconv.Itoa(round), string(mode))
}

// Follow looks at what a link opens and changes nothing. Whatever the token,
// the same three reads are made; ErrClosed says no more than that.
func (s *Service) Follow(ctx context.Context, token string) (Door, error) {
	now := s.now()
	link, err := found(s.store.Link(ctx, s.linkID(token)))
	if err != nil {
		return Door{}, fmt.Errorf("look a link up: %w", err)
	}
	c, err := found(s.store.Case(ctx, link.Case))
	if err != nil {
		return Door{}, fmt.Errorf("look a case up: %w", err)
	}
	id := s.responseID(c.Respondent, link.Stage, link.Round, ModeSelf)
	r, err := found(s.store.Response(ctx, id))
	if err != nil {
		return Door{}, fmt.Errorf("look a response up: %w", err)
	}
	v := c.invitation(link.Stage, link.Round)
	if link.Version == 0 || c.Version == 0 || v == nil || !now.Before(link.ExpiresAt) || c.Facts.Merged || !v.RefusedAt.IsZero() ||
		(r.Version > 0 && r.State != Draft) || link.Address == "" && link.MintedAt.Before(v.CardAt) { // a later card took its place
		return Door{}, ErrClosed
	}
	d := Door{Stage: link.Stage, Round: link.Round, Language: "en", Card: link.Address == "", ClosesAt: link.ExpiresAt, caseID: c.ID, response: id, address: link.Address, locked: c.Word.Set()}
	d.Begun = r.Chosen && !d.locked // how far somebody has come is for whoever knows the word
	if c.Facts.Contact != nil && c.Facts.Contact.Language != "" {
		d.Language = c.Facts.Contact.Language
	}
	if link.Language != "" {
		d.Language = link.Language
	}
	if r.Language != "" {
		d.Language = r.Language
	}
	return d, nil
}

// found turns "there is none" into the zero value.
func found[T any](v T, err error) (T, error) {
	if fault.Is(err, fault.NotFound) {
		var none T
		return none, nil
	}
	return v, err
}

// Begin opens a survey session through a link and gives the secret for its
// cookie. Nothing counts as started yet: that is the first answered question.
func (s *Service) Begin(ctx context.Context, token, language string, quick bool) (string, Sitting, error) {
	d, err := s.Follow(ctx, token)
	if err != nil {
		return "", Sitting{}, err
	}
	if language == "" {
		language = d.Language
	}
	return s.sit(ctx, Sitting{Case: d.caseID, Response: d.response, Stage: d.Stage, Round: d.Round, Mode: ModeSelf, Language: language, Quick: quick, ClosesAt: d.ClosesAt, Locked: d.locked})
}

func (s *Service) sit(ctx context.Context, sitting Sitting) (string, Sitting, error) {
	now := s.now()
	secret := seal.NewToken()
	sitting.ID = s.sittingID(secret)
	sitting.StartedAt = now
	sitting.ExpiresAt = now.Add(time.Duration(s.policy.SittingMinutes) * time.Minute)
	if err := s.store.InsertSitting(ctx, sitting); err != nil {
		return "", Sitting{}, fmt.Errorf("open a survey session: %w", err)
	}
	return secret, sitting, nil
}

func (s *Service) sittingID(secret string) string { return s.keys.TokenHash("sitting", secret) }

// Sitting finds a survey session by its cookie's secret and keeps it alive.
// ErrClosed when it was left, has run out, or never was.
func (s *Service) Sitting(ctx context.Context, secret string) (Sitting, error) {
	now := s.now()
	st, err := s.store.Sitting(ctx, s.sittingID(secret))
	if fault.Is(err, fault.NotFound) {
		return Sitting{}, ErrClosed
	}
	if err != nil {
		return Sitting{}, fmt.Errorf("look a survey session up: %w", err)
	}
	if !st.EndedAt.IsZero() || !now.Before(st.ExpiresAt) {
		return Sitting{}, ErrClosed
	}
	life := time.Duration(s.policy.SittingMinutes) * time.Minute
	if st.Over || st.ExpiresAt.Sub(now) > life*3/4 {
		return st, nil // no reload shows the thanks for longer; or touched a moment ago: no write
	}
	st, err = s.store.UpdateSitting(ctx, st.ID, func(st *Sitting) error {
		if !st.EndedAt.IsZero() {
			return ErrClosed
		}
		if st.Over {
			return ErrUnchanged
		}
		st.ExpiresAt = now.Add(life)
		return nil
	})
	if err != nil {
		return Sitting{}, fmt.Errorf("keep a survey session: %w", err)
	}
	return st, nil
}

// RunOut finds a session that ran out and was neither left nor sent: what was
// typed in it meanwhile may still be saved, and nothing may be read through it.
// ErrClosed for any other.
func (s *Service) RunOut(ctx context.Context, secret string) (Sitting, error) {
	st, err := s.store.Sitting(ctx, s.sittingID(secret))
	if fault.Is(err, fault.NotFound) {
		return Sitting{}, ErrClosed
	}
	if err != nil {
		return Sitting{}, fmt.Errorf("look a survey session up: %w", err)
	}
	if !st.EndedAt.IsZero() || st.Over || st.Locked || s.now().Before(st.ExpiresAt) {
		return Sitting{}, ErrClosed
	}
	return st, nil
}

// Speak changes the language of a session.
func (s *Service) Speak(ctx context.Context, st Sitting, language string) (Sitting, error) {
	return s.tune(ctx, st, func(st *Sitting) { st.Language = language })
}

// Leave ends a session: nothing is shown or taken through it any more. An
// unknown secret is no fault, so that leaving always works.
func (s *Service) Leave(ctx context.Context, secret string) error {
	id := s.sittingID(secret)
	_, err := s.store.UpdateSitting(ctx, id, func(st *Sitting) error {
		if st.Version == 0 || !st.EndedAt.IsZero() {
			return ErrUnchanged
		}
		st.EndedAt = s.now()
		return nil
	})
	if err != nil {
		return fmt.Errorf("leave a survey session: %w", err)
	}
	return nil
}

// Sheet is the questionnaire as this person sees it now.
type Sheet struct {
	Questionnaire *questionnaires.Questionnaire
	Pages         []questionnaires.Page // by the route of the answers so far
	Reach         int                   // index of the next page not yet passed; len(Pages): all passed
	Begun         bool
	Over          bool // submitted
	Sent          bool // and by this very session: only there are the thanks and the receipt shown
	Alerted       bool // and something in it is shown to a person who will read it
	Returned      bool // something was answered before this session, and how to go on is not chosen yet
	Guarded       bool // a return code shows the earlier answers to whoever knows it
	Answers       questionnaires.Answers
	About         AboutSheet // once all pages are passed
}

// Sheet gives the questionnaire of a session with the answers so far. A draft
// keeps the version it was begun with. One that holds nothing but questions passed
// over in another session is nobody's beginning: a program may have sent its forms.
// ErrClosed while the agreed word has not been given.
func (s *Service) Sheet(ctx context.Context, st Sitting) (Sheet, error) {
	if st.Locked {
		return Sheet{}, ErrClosed
	}
	c, err := s.store.Case(ctx, st.Case)
	if err != nil {
		return Sheet{}, fmt.Errorf("read a case: %w", err)
	}
	r, err := found(s.store.Response(ctx, st.Response))
	if err != nil {
		return Sheet{}, fmt.Errorf("read a draft: %w", err)
	}
	q := s.toBegin(st)
	sh := Sheet{Answers: questionnaires.Answers{}}
	if r.Version > 0 && !beginsAgain(&r, st) {
		sh.Begun, sh.Over, sh.Alerted = true, r.State != Draft, len(r.Hits) > 0
		sh.Sent, sh.Guarded = sh.Over && r.SentBy == st.ID, r.Code.Set()
		sh.Returned = st.Mode == ModeSelf && !st.Resumed && r.SavedBy != st.ID
		var ok bool
		if q, ok = s.sets.ByID(r.Questionnaire); !ok {
			return Sheet{}, fmt.Errorf("questionnaire %s of a kept draft is not among the published ones", r.Questionnaire)
		}
		if r.State == Draft {
			if sh.Answers, err = s.openDraft(&r); err != nil {
				return Sheet{}, err
			}
		}
	}
	sh.Questionnaire = q
	sh.Pages = q.Route(sh.Answers, factsFor(&c, st.Round), st.Quick)
	sh.Reach = reach(sh.Pages, sh.Answers)
	if sh.Begun && sh.Reach == len(sh.Pages) {
		if sh.About, err = s.aboutSheet(ctx, &c, &r, st, sh.Answers); err != nil {
			return Sheet{}, err
		}
	}
	return sh, nil
}

// toBegin is the questionnaire that a session's draft begins with: the one whose
// page was shown, where that is a published one of this stage, or else today's. So
// an answer typed before an upgrade is kept as an answer to what was asked.
func (s *Service) toBegin(st Sitting) *questionnaires.Questionnaire {
	if q, ok := s.sets.ByID(st.Shown); ok && q.Stage == st.Stage {
		return q
	}
	return s.sets.Current(st.Stage)
}

// reach is the first page on the route that has not been passed yet.
func reach(pages []questionnaires.Page, a questionnaires.Answers) int {
	for i, p := range pages {
		if !p.Met(a) {
			return i
		}
	}
	return len(pages)
}

func factsFor(c *Case, round int) questionnaires.Facts {
	return questionnaires.Facts{Outcome: c.Facts.Outcome, Charged: c.Facts.Charged, Rounds: round}
}

func draftPurpose(id string) string { return seal.Purpose("draft", id) }
func wordsPurpose(id string) string { return seal.Purpose("words", id) }

func (s *Service) openDraft(r *Response) (questionnaires.Answers, error) {
	a := questionnaires.Answers{}
	if len(r.Draft) == 0 {
		return a, nil
	}
	b, err := s.keys.Open(draftPurpose(r.ID), r.Draft)
	if err != nil {
		return nil, fmt.Errorf("open a draft: %w", err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("decode a draft: %w", err)
	}
	return a, nil
}

func (s *Service) sealDraft(r *Response, a questionnaires.Answers) error {
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode a draft: %w", err)
	}
	r.Draft, err = s.keys.Seal(draftPurpose(r.ID), b)
	if err != nil {
		return fmt.Errorf("seal a draft: %w", err)
	}
	return nil
}

// Save keeps one page of answers in the draft: step 7. What becomes of questions
// without an answer, and of a list in parts, [questionnaires.Page.Keep] says; in a
// session that shows earlier answers an emptied question is emptied. Errors: fault.Invalid with the items at
// fault, fault.Conflict when the response was submitted already, ErrClosed when
// its time is over.
func (s *Service) Save(ctx context.Context, st Sitting, page questionnaires.Page, given questionnaires.Answers) error {
	now := s.now()
	if st.Locked || !now.Before(st.ClosesAt) {
		return ErrClosed
	}
	c, err := s.store.Case(ctx, st.Case)
	if err != nil {
		return fmt.Errorf("read a case: %w", err)
	}
	patch := questionnaires.Answers{}
	answered := false
	for _, it := range page.Items {
		if a, ok := given[it.ID]; ok && a.State != questionnaires.NotReached && a.State != questionnaires.Skipped {
			patch[it.ID] = a
			answered = answered || a.State == questionnaires.Answered
		}
	}
	r, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		if err := s.draftFor(r, &c, st, now); err != nil {
			return err
		}
		q, ok := s.sets.ByID(r.Questionnaire)
		if !ok {
			return fmt.Errorf("questionnaire %s is not among the published ones", r.Questionnaire)
		}
		a, err := s.openDraft(r)
		if err != nil {
			return err
		}
		before := a
		if st.Open {
			before = page.Clear(a)
		}
		kept := page.Keep(before, patch)
		if err := q.Check(kept); err != nil {
			return err
		}
		maps.Copy(a, kept)
		if answered && r.StartedAt.IsZero() {
			r.StartedAt = now
		}
		r.Chosen = r.Chosen || len(patch) > 0
		r.SavedAt, r.SavedBy = now, st.ID
		return s.sealDraft(r, a)
	})
	if err != nil {
		return fmt.Errorf("save a page: %w", err)
	}
	if v := c.invitation(st.Stage, st.Round); r.StartedAt.IsZero() || st.Mode != ModeSelf || v == nil || !v.StartedAt.IsZero() {
		return nil
	}
	_, err = s.store.UpdateCase(ctx, st.Case, func(c *Case) error {
		v := c.invitation(st.Stage, st.Round)
		if v == nil || !v.StartedAt.IsZero() {
			return ErrUnchanged
		}
		v.StartedAt = r.StartedAt
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark an invitation started: %w", err)
	}
	return nil
}

// draftFor makes a response document ready to be written in: a new one is set
// up, a draft is taken as it is, anything else is refused. An advocate, who has
// no link that ends, may begin again where a draft lapsed or answers were voided.
func (s *Service) draftFor(r *Response, c *Case, st Sitting, now time.Time) error {
	if r.Version > 0 && !beginsAgain(r, st) {
		if r.State != Draft {
			return errSent()
		}
		// Once on the full path, always: the quick one keeps its three questions
		// alone, and what was answered beyond them must not be lost.
		r.Language, r.Quick, r.ChangedAt = st.Language, st.Quick && r.Quick, now
		return nil
	}
	code := r.Code // chosen before the first answer
	s.begin(r, c, st, now)
	r.Code = code
	return nil
}

func errSent() error { return fault.New(fault.Conflict, "these answers were sent already") }

// begin makes an empty draft.
func (s *Service) begin(r *Response, c *Case, st Sitting, now time.Time) {
	*r = Response{
		ID: r.ID, Version: r.Version, Respondent: c.Respondent, Stage: st.Stage, Round: st.Round, Mode: st.Mode, Questionnaire: s.toBegin(st).ID,
		Language: st.Language, Quick: st.Quick, State: Draft, ClosesAt: st.ClosesAt, ChangedAt: now, Author: st.Author, Consent: st.Consent,
	}
}

// beginsAgain reports whether a session starts from nothing although there is a
// document: see draftFor, and Sheet for a draft in which nothing was chosen.
func beginsAgain(r *Response, st Sitting) bool {
	if r.State == Draft {
		return !r.Chosen && r.SavedAt.Before(st.StartedAt)
	}
	return st.Mode != ModeSelf && (r.State == Lapsed || r.State == Void) && st.StartedAt.After(r.ChangedAt)
}

// thanksLife is how long the thanks and the receipt code can be seen after the
// answers were sent: time to write the code down, and no more.
const thanksLife = 15 * time.Minute

// Submit keeps the response: step 8, one act on one document, with its
// alert-rule hits. It is idempotent: a second call, from another tab or after a
// crash, gives the same response and the same receipt code. What follows from it
// is done by whoever calls Follow-up, at once or by sweep. Errors: fault.Invalid
// when nothing was answered, ErrClosed when the time is over.
func (s *Service) Submit(ctx context.Context, st Sitting, ticks Ticks) (Response, string, error) {
	if st.Locked {
		return Response{}, "", ErrClosed
	}
	now := s.now()
	c, err := s.store.Case(ctx, st.Case)
	if err != nil {
		return Response{}, "", fmt.Errorf("read a case: %w", err)
	}
	code := s.receiptCode(st.Response)
	r, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		switch {
		case r.State == Complete:
			return ErrUnchanged
		case r.Version > 0 && (r.State != Draft || !now.Before(r.ClosesAt)):
			return ErrClosed
		case !r.Chosen:
			return fault.New(fault.Invalid, "there is nothing to send yet")
		}
		r.SentBy = st.ID
		return s.keep(r, &c, Complete, ticks, now)
	})
	if err != nil {
		return Response{}, "", fmt.Errorf("submit a response: %w", err)
	}
	if _, err := s.store.UpdateSitting(ctx, st.ID, func(st *Sitting) error {
		if st.Version == 0 || st.Over {
			return ErrUnchanged
		}
		st.Over, st.ExpiresAt = true, now.Add(thanksLife)
		return nil
	}); err != nil {
		return Response{}, "", fmt.Errorf("end a survey session: %w", err)
	}
	return r, code, nil
}

// ReceiptCode gives the code of a submitted session, for the last page shown again.
func (s *Service) ReceiptCode(st Sitting) string { return s.receiptCode(st.Response) }

const receiptGroups = 4

func (s *Service) receiptCode(responseID string) string {
	return s.keys.Code(receiptGroups, "receipt", responseID)
}

func (s *Service) receiptHash(code string) string { return s.keys.TokenHash("receipt", code) }

// keep turns a draft into a kept response: closed answers packed, words sealed apart.
func (s *Service) keep(r *Response, c *Case, state ResponseState, ticks Ticks, now time.Time) error {
	q, ok := s.sets.ByID(r.Questionnaire)
	if !ok {
		return fmt.Errorf("questionnaire %s is not among the published ones", r.Questionnaire)
	}
	a, err := s.openDraft(r)
	if err != nil {
		return err
	}
	if err := s.sealAbout(r, a); err != nil {
		return err
	}
	if state == Complete {
		a = q.Settle(a, factsFor(c, r.Round), r.Quick)
	}
	words := map[string]string{}
	for id, ans := range a {
		if ans.Text != "" {
			words[id] = ans.Text
		}
	}
	r.Words = nil
	if len(words) > 0 {
		b, err := json.Marshal(words)
		if err != nil {
			return fmt.Errorf("encode words: %w", err)
		}
		if r.Words, err = s.keys.Seal(wordsPurpose(r.ID), b); err != nil {
			return fmt.Errorf("seal words: %w", err)
		}
	}
	r.Packed = q.Pack(a)
	r.Hits = q.Hits(a, r.Language)
	r.State, r.Draft, r.SavedBy, r.Code, r.Ticks = state, nil, "", Secret{}, ticks
	r.Receipt = s.receiptHash(s.receiptCode(r.ID))
	r.SubmittedAt, r.ChangedAt = now, now
	r.FollowUp, r.Uncoded = true, len(words) > 0
	return nil
}

// Words opens the free text of a kept response, by item.
func (s *Service) Words(r *Response) (map[string]string, error) {
	if len(r.Words) == 0 {
		return nil, nil
	}
	b, err := s.keys.Open(wordsPurpose(r.ID), r.Words)
	if err != nil {
		return nil, fmt.Errorf("open words: %w", err)
	}
	var words map[string]string
	if err := json.Unmarshal(b, &words); err != nil {
		return nil, fmt.Errorf("decode words: %w", err)
	}
	return words, nil
}

// MayQuote reports whether words of a response may be published without a name: its
// writer ticked that they may, they are the person's own, be it through an advocate,
// and the answers have not been taken back.
func (s *Service) MayQuote(ctx context.Context, id string) (bool, error) {
	r, err := s.store.Response(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whether somebody may be quoted: %w", err)
	}
	return r.State == Complete && r.Ticks.Quote && r.Mode != ModeObserved, nil
}

// CloseDrafts ends the drafts whose time is over: kept as partial where at
// least one core item was answered, emptied otherwise. It gives how many.
func (s *Service) CloseDrafts(ctx context.Context, limit int) (int, error) {
	now := s.now()
	drafts, err := s.store.DraftsToClose(ctx, now, limit)
	if err != nil {
		return 0, fmt.Errorf("list drafts to close: %w", err)
	}
	n := 0
	var errs []error
	for i := range drafts { // one that fails does not hold the others up
		if err := s.closeDraft(ctx, &drafts[i], now); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

func (s *Service) closeDraft(ctx context.Context, draft *Response, now time.Time) error {
	c, err := s.store.CaseOf(ctx, draft.Respondent)
	if err != nil {
		return fmt.Errorf("find the case of a draft: %w", err)
	}
	_, err = s.store.UpdateResponse(ctx, draft.ID, func(r *Response) error {
		if r.State != Draft || now.Before(r.ClosesAt) {
			return ErrUnchanged
		}
		a, err := s.openDraft(r)
		if err != nil {
			return err
		}
		if s.coreAnswered(r, a) {
			return s.keep(r, &c, Partial, Ticks{}, now)
		}
		empty(r, Lapsed, now)
		return nil
	})
	if err != nil {
		return fmt.Errorf("close a draft: %w", err)
	}
	return nil
}

func (s *Service) coreAnswered(r *Response, a questionnaires.Answers) bool {
	q, ok := s.sets.ByID(r.Questionnaire)
	if !ok {
		return false
	}
	for i := range q.Items {
		if q.Items[i].Core && a[q.Items[i].ID].State == questionnaires.Answered {
			return true
		}
	}
	return false
}

// empty leaves a tombstone: the document stays so that figures lose it, with nothing in it.
func empty(r *Response, state ResponseState, now time.Time) {
	*r = Response{
		ID: r.ID, Version: r.Version, Respondent: r.Respondent, Stage: r.Stage, Round: r.Round, Mode: r.Mode,
		Questionnaire: r.Questionnaire, State: state, Receipt: r.Receipt, ChangedAt: now, FollowUp: true,
	}
}

// WithdrawAnswers empties a response by the receipt code that its writer holds
// and gives what is left of it, to be followed up.
// fault.Invalid when the code is not one of ours, ErrClosed when it opens
// nothing; both pages look the same.
func (s *Service) WithdrawAnswers(ctx context.Context, typed string) (Response, error) {
	code, err := seal.NormaliseCode(typed)
	if err != nil {
		return Response{}, fmt.Errorf("read a receipt code: %w", err)
	}
	r, err := s.store.ResponseByReceipt(ctx, s.receiptHash(code))
	if fault.Is(err, fault.NotFound) {
		return Response{}, ErrClosed
	}
	if err != nil {
		return Response{}, fmt.Errorf("look a receipt up: %w", err)
	}
	return s.remove(ctx, r.ID, Withdrawn, audit.Entry{Actor: "respondent", Role: "respondent", Action: "response.withdrawn"})
}

// VoidResponse empties a response that its victim or their advocate says is not theirs.
func (s *Service) VoidResponse(ctx context.Context, by audit.Entry, id string) (Response, error) {
	by.Action = "response.voided"
	return s.remove(ctx, id, Void, by)
}

func (s *Service) remove(ctx context.Context, id string, state ResponseState, by audit.Entry) (Response, error) {
	now := s.now()
	// The trace is laid before the deed, so that no removal goes unrecorded.
	by.Subject = "response:" + id
	if err := s.audit.Append(ctx, by); err != nil {
		return Response{}, fmt.Errorf("audit a removal: %w", err)
	}
	r, err := s.store.UpdateResponse(ctx, id, func(r *Response) error {
		switch r.State {
		case Complete, Partial:
			empty(r, state, now)
			return nil
		case Withdrawn, Void:
			return ErrUnchanged
		default:
			return ErrClosed
		}
	})
	if err != nil {
		return Response{}, fmt.Errorf("remove a response: %w", err)
	}
	return r, nil
}

// ToFollowUp lists kept or removed responses whose consequences are not all
// drawn yet: the sweep that mends what a crash left out.
func (s *Service) ToFollowUp(ctx context.Context, limit int) ([]Response, error) {
	rs, err := s.store.ResponsesToFollow(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list responses to follow up: %w", err)
	}
	return rs, nil
}

// MarkAnswered puts on the case that its invitation was answered (or that the
// answer was taken back), which ends reminders; it gives the case.
func (s *Service) MarkAnswered(ctx context.Context, r *Response) (Case, error) {
	c, err := s.store.CaseOf(ctx, r.Respondent)
	if err != nil {
		return Case{}, fmt.Errorf("find the case of a response: %w", err)
	}
	c, err = s.store.UpdateCase(ctx, c.ID, func(c *Case) error {
		v := c.invitation(r.Stage, r.Round)
		if v == nil {
			return ErrUnchanged
		}
		var kept []Answered
		for _, a := range v.Answered {
			if a.Mode != r.Mode {
				kept = append(kept, a)
			}
		}
		switch r.State {
		case Complete, Partial:
			kept = append(kept, Answered{Mode: r.Mode, Complete: r.State == Complete, At: r.SubmittedAt})
		case Withdrawn, Void:
			if r.State == Withdrawn && r.Mode != ModeObserved {
				v.TakenBack = r.ChangedAt // nobody is reminded of what they took back
			}
		}
		v.Answered = kept
		s.replan(c)
		return nil
	})
	if err != nil {
		return Case{}, fmt.Errorf("mark an invitation answered: %w", err)
	}
	return c, nil
}

// FollowedUp marks that everything that follows from a response is done, and
// gives it as it is now. Where it was removed in the meantime nothing is marked,
// and what follows from that is still to be done.
func (s *Service) FollowedUp(ctx context.Context, r *Response) (Response, error) {
	now, err := s.store.UpdateResponse(ctx, r.ID, func(now *Response) error {
		if !now.FollowUp || now.State != r.State {
			return ErrUnchanged
		}
		now.FollowUp, now.AboutForm, now.About = false, "", nil // kept apart by now
		return nil
	})
	if err != nil {
		return Response{}, fmt.Errorf("mark a response followed up: %w", err)
	}
	return now, nil
}

// ToCode lists responses whose words no coder has read yet.
func (s *Service) ToCode(ctx context.Context, limit int) ([]Response, error) {
	rs, err := s.store.ResponsesToCode(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list responses to code: %w", err)
	}
	return rs, nil
}

// Coded marks that the words of a response were read by the coder. ErrClosed
// when they were removed in the meantime: nothing made of them may be kept.
func (s *Service) Coded(ctx context.Context, id string) error {
	_, err := s.store.UpdateResponse(ctx, id, func(r *Response) error {
		if r.State != Complete && r.State != Partial {
			return ErrClosed
		}
		if !r.Uncoded {
			return ErrUnchanged
		}
		r.Uncoded = false
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark a response coded: %w", err)
	}
	return nil
}

// Refuse records what the reader of a link said of it: stop, for every mail to
// this address; or not me, for an address that is somebody else's. Either is
// kept at once and cannot be undone by a later import. The trace comes first,
// then the address, then the case, which closes the link: whatever a crash
// leaves out, the same button mends.
func (s *Service) Refuse(ctx context.Context, token string, notMe bool) error {
	now := s.now()
	d, err := s.Follow(ctx, token)
	if err != nil {
		return err
	}
	if d.Card { // it came by no address, and whoever finds a card must not silence its owner
		return ErrClosed
	}
	action := "contact.opted-out"
	if notMe {
		action = "contact.not-me"
	}
	if err := s.audit.Append(ctx, audit.Entry{Actor: "respondent", Role: "respondent", Action: action, Subject: "case:" + d.caseID}); err != nil {
		return fmt.Errorf("audit a refusal: %w", err)
	}
	if d.address != "" {
		if err := s.refuseAddress(ctx, d.address, now, notMe); err != nil {
			return err
		}
	}
	_, err = s.store.UpdateCase(ctx, d.caseID, func(c *Case) error {
		v := c.invitation(d.Stage, d.Round)
		if v == nil {
			return ErrClosed
		}
		v.RefusedAt = now
		if notMe && d.address != "" {
			c.Flags.NotMe = d.address
		} else {
			c.Flags.OptedOutAt = now
		}
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	return nil
}

// IsClosed reports whether an error is the one that opens nothing.
func IsClosed(err error) bool { return errors.Is(err, ErrClosed) }
