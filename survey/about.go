package survey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey/questionnaires"
)

// AboutState says what became of asking a person about themselves.
type AboutState string

// The states. AboutGone keeps the document as a tombstone with nothing in it, and
// the person is asked again.
const (
	AboutAnswered   AboutState = "answered" // something was chosen, be it "rather not say"
	AboutPassedOver AboutState = "passed-over"
	AboutGone       AboutState = "gone"
)

// About is what a person told about themselves, once, apart from any case and any
// answer: nothing in it, nor in a case or a response, leads from one to the other
// but the key.
type About struct {
	ID            string     `json:"id"` // pseudonym of the person, or of the case where no person is named, in a domain of its own
	Version       int64      `json:"version"`
	Given         string     `json:"given"`                   // pseudonym of the response in which it was asked, in a domain of its own
	Questionnaire string     `json:"questionnaire,omitempty"` // "about/1": the version that was answered
	State         AboutState `json:"state"`
	Sealed        []byte     `json:"sealed,omitempty"` // packed answers
	AskedAt       time.Time  `json:"asked_at,omitzero"`
	ChangedAt     time.Time  `json:"changed_at,omitzero"`
}

// AboutSheet is the questions about the person as they see them now: nothing
// where these are not asked of them, or were before.
type AboutSheet struct {
	Questionnaire *questionnaires.Questionnaire
	Pages         []questionnaires.Page
	Reach         int // index of the next page not yet passed; len(Pages): all passed
}

// Next is the number, from 1, of the next page not yet passed: of the
// questionnaire's pages, then of those about the person. One more than there are
// pages: all passed.
func (sh *Sheet) Next() int { return sh.Reach + sh.About.Reach + 1 }

// maxAboutOptions bounds what one page about the person offers, so that it is
// neither long to go through nor heavy on a slow line.
const maxAboutOptions = 14

// aboutPages are the pages of the questions about the person, each cut where it
// would be too long. A part keeps the id of its page.
func aboutPages(q *questionnaires.Questionnaire) []questionnaires.Page {
	var out []questionnaires.Page
	for _, p := range q.Pages {
		part, options := questionnaires.Page{ID: p.ID}, 0
		for _, it := range p.Items {
			if len(part.Items) > 0 && options+len(it.Options) > maxAboutOptions {
				out = append(out, part)
				part, options = questionnaires.Page{ID: p.ID}, 0
			}
			part.Items, options = append(part.Items, it), options+len(it.Options)
		}
		out = append(out, part)
	}
	return out
}

// asksAbout reports whether a session may be asked about the person at all: of
// the person alone, not on the quick path, which promised one minute, and not by
// a draft in which nothing was chosen, which may be a program's.
func asksAbout(r *Response, st Sitting) bool {
	return st.Mode == ModeSelf && !st.Quick && r.State == Draft && r.Chosen
}

// aboutSheet gives the questions about the person that follow a draft's. A draft
// keeps the version it was asked with, and goes on being asked; in another one
// the person is asked only when nothing is known of their having been.
func (s *Service) aboutSheet(ctx context.Context, c *Case, r *Response, st Sitting, a questionnaires.Answers) (AboutSheet, error) {
	if !asksAbout(r, st) {
		return AboutSheet{}, nil
	}
	if r.AboutForm == "" {
		for _, id := range s.AboutKeys(c) {
			known, err := found(s.store.About(ctx, id))
			if err != nil {
				return AboutSheet{}, fmt.Errorf("look up what a person told about themselves: %w", err)
			}
			if known.Version > 0 && known.State != AboutGone {
				return AboutSheet{}, nil
			}
		}
	}
	q, err := s.aboutForm(r)
	if err != nil {
		return AboutSheet{}, err
	}
	pages := aboutPages(q)
	return AboutSheet{Questionnaire: q, Pages: pages, Reach: reach(pages, a)}, nil
}

// aboutForm is the version with which a draft's person is asked.
func (s *Service) aboutForm(r *Response) (*questionnaires.Questionnaire, error) {
	id := cmp.Or(r.AboutForm, s.sets.About().ID)
	q, ok := s.sets.ByID(id)
	if !ok {
		return nil, fmt.Errorf("questionnaire %s is not among the published ones", id)
	}
	return q, nil
}

// SaveAbout keeps one page of what a person tells about themselves in the draft
// of their answers, by the rules of Save. It goes with that draft: kept when the
// answers are, gone when they lapse. Errors: fault.Invalid with the items at
// fault, or where this draft is not asked; fault.Conflict when the answers were
// sent already; ErrClosed when the time is over.
func (s *Service) SaveAbout(ctx context.Context, st Sitting, page questionnaires.Page, given questionnaires.Answers) error {
	now := s.now()
	if !now.Before(st.ClosesAt) {
		return ErrClosed
	}
	patch := questionnaires.Answers{}
	for _, it := range page.Items {
		if a, ok := given[it.ID]; ok && a.State != questionnaires.NotReached && a.State != questionnaires.Skipped {
			patch[it.ID] = a
		}
	}
	_, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		switch {
		case r.Version > 0 && r.State != Draft:
			return fault.New(fault.Conflict, "these answers were sent already")
		case !asksAbout(r, st):
			return fault.New(fault.Invalid, "this page is not part of these questions")
		}
		q, err := s.aboutForm(r)
		if err != nil {
			return err
		}
		if err := q.Check(patch); err != nil {
			return err
		}
		a, err := s.openDraft(r)
		if err != nil {
			return err
		}
		maps.Copy(a, patch)
		for _, it := range page.Items {
			if a[it.ID].State == questionnaires.NotReached {
				a[it.ID] = questionnaires.Answer{State: questionnaires.Skipped}
			}
		}
		r.AboutForm, r.SavedAt, r.SavedBy, r.ChangedAt = q.ID, now, st.ID, now
		return s.sealDraft(r, a)
	})
	if err != nil {
		return fmt.Errorf("save a page about the person: %w", err)
	}
	return nil
}

// sealAbout takes what a person told about themselves out of their draft's
// answers into a sealed part of the kept response, from which KeepAbout moves it.
func (s *Service) sealAbout(r *Response, a questionnaires.Answers) error {
	r.About = nil
	if r.AboutForm == "" {
		return nil
	}
	q, err := s.aboutForm(r)
	if err != nil {
		return err
	}
	if r.About, err = s.keys.Seal(aboutGivenPurpose(r.ID), q.Pack(a)); err != nil {
		return fmt.Errorf("seal what a person told about themselves: %w", err)
	}
	return nil
}

// KeepAbout moves what a person told about themselves from a kept response into
// a document of its own, which joins to nothing but by the key. What they told
// before stands, unless they had passed everything over. It is repeatable.
func (s *Service) KeepAbout(ctx context.Context, r *Response, c *Case) error {
	if len(r.About) == 0 {
		return nil
	}
	packed, err := s.keys.Open(aboutGivenPurpose(r.ID), r.About)
	if err != nil {
		return fmt.Errorf("open what a person told about themselves: %w", err)
	}
	state, err := s.aboutState(r.AboutForm, packed)
	if err != nil {
		return err
	}
	keys := s.AboutKeys(c)
	id := keys[0]
	for _, other := range keys[1:] { // told when the police had not yet named the person
		known, err := found(s.store.About(ctx, other))
		if err != nil {
			return fmt.Errorf("look up what a person told about themselves: %w", err)
		}
		if known.Version > 0 && known.State != AboutGone {
			id = other
		}
	}
	sealed, err := s.keys.Seal(aboutPurpose(id), packed)
	if err != nil {
		return fmt.Errorf("seal what a person told about themselves: %w", err)
	}
	given, now := s.aboutGiven(r.ID), s.now()
	_, err = s.store.UpdateAbout(ctx, id, func(a *About) error {
		switch {
		case a.State == AboutGone && a.Given == given: // taken back in the meantime
			return ErrUnchanged
		case a.State == AboutAnswered, a.State == AboutPassedOver && state == AboutPassedOver:
			return ErrUnchanged
		}
		*a = About{ID: a.ID, Version: a.Version, Given: given, Questionnaire: r.AboutForm, State: state, Sealed: sealed, AskedAt: r.SubmittedAt, ChangedAt: now}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what a person told about themselves: %w", err)
	}
	return nil
}

// aboutState says whether anything was chosen.
func (s *Service) aboutState(form string, packed []byte) (AboutState, error) {
	q, ok := s.sets.ByID(form)
	if !ok {
		return "", fmt.Errorf("questionnaire %s is not among the published ones", form)
	}
	state := AboutPassedOver
	if err := q.Each(packed, func(_ *questionnaires.Item, is questionnaires.State, _ int, _ uint64) {
		if is != questionnaires.Skipped {
			state = AboutAnswered
		}
	}); err != nil {
		return "", fmt.Errorf("read what a person told about themselves: %w", err)
	}
	return state, nil
}

// ForgetAbout empties what a person told about themselves in a response that was
// taken back or voided. A tombstone stays, also where nothing had been kept yet,
// so that whoever is still moving it there comes too late.
func (s *Service) ForgetAbout(ctx context.Context, r *Response, c *Case) error {
	if r.Mode != ModeSelf {
		return nil // of nobody else is it asked
	}
	given, now := s.aboutGiven(r.ID), s.now()
	for i, id := range s.everyAboutKey(c) {
		_, err := s.store.UpdateAbout(ctx, id, func(a *About) error {
			if a.Version == 0 && i > 0 || a.Version > 0 && (a.Given != given || a.State == AboutGone) {
				return ErrUnchanged
			}
			*a = About{ID: a.ID, Version: a.Version, Given: given, State: AboutGone, ChangedAt: now}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget what a person told about themselves: %w", err)
		}
	}
	return nil
}

// PackedAbout opens what a person told about themselves, as the questionnaire of
// that version packs it; nil of a tombstone.
func (s *Service) PackedAbout(a *About) ([]byte, error) {
	if len(a.Sealed) == 0 {
		return nil, nil
	}
	packed, err := s.keys.Open(aboutPurpose(a.ID), a.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open what a person told about themselves: %w", err)
	}
	return packed, nil
}

// AboutKeys are the ids under which what a case's person told about themselves
// stands: under the person whom the police system names, and under the case
// where that was told before they named anyone; the first that is kept counts.
func (s *Service) AboutKeys(c *Case) []string {
	own := s.keys.Pseudonym("about", "case", c.ID)
	if c.Facts.Person == "" {
		return []string{own}
	}
	return []string{s.aboutPerson(c.Facts.Person), own}
}

// everyAboutKey adds to AboutKeys those of persons that the police system has
// named and corrected since: what was told then has to be found when it is taken back.
func (s *Service) everyAboutKey(c *Case) []string {
	keys, persons := s.AboutKeys(c), []string{"", c.Facts.Person}
	for i := range c.Events {
		if p := c.Events[i].Person; !slices.Contains(persons, p) {
			keys, persons = append(keys, s.aboutPerson(p)), append(persons, p)
		}
	}
	return keys
}

func (s *Service) aboutPerson(person string) string {
	return s.keys.Pseudonym("about", "person", person)
}

func (s *Service) aboutGiven(responseID string) string {
	return s.keys.Pseudonym("about-given", responseID)
}

func aboutPurpose(id string) string      { return seal.Purpose("about", id) }
func aboutGivenPurpose(id string) string { return seal.Purpose("about-given", id) }
