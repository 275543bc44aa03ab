package analysis

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/redact"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// The statuses of a coding.
const (
	StatusCoded         = "coded"
	StatusOtherLanguage = "other-language" // no codebook reads it: left for a person
	StatusGone          = "gone"
)

// overlap is how far behind the last reading the panel reads again, so that a
// change that another process stamped earlier but stored later is not missed.
// It is counted back from when that reading began, or from the newest change seen
// where that is earlier: a long reading passes a place minutes before it ends, and
// what was stored behind it meanwhile has an older stamp than its newest row.
const overlap = time.Minute

// Rows streams what figures are made of.
type Rows interface {
	AdviceRevisions(ctx context.Context) ([]AdviceRevision, error)
	AboutsChanged(ctx context.Context, since time.Time) iter.Seq2[survey.About, error]
	CasesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.Case, error]
	ResponsesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.ResponseRow, error]
	// Marks lists what stands on the time axis of charts; see the port of that name.
	Marks(ctx context.Context) ([]Mark, error)
}

// Service is the analysis room at work.
type Service struct {
	codings Codings
	coders  CoderLogs
	models  CoderModels
	rows    Rows
	survey  *survey.Service
	coder   *coding.Coder // as shipped; see Coder for the one in force
	book    *codebook.Codebook
	panel   *figures.Panel
	keys    *seal.Keys
	audit   *audit.Log
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex // one refresh at a time
	cursors [4]time.Time
	advised int // versions of the polarity table that the panel goes by

	last struct { // the learnt model that was asked for last
		sync.Mutex
		id    string
		coder *coding.Coder
	}
}

// NewService puts the room together.
func NewService(codings Codings, coders CoderLogs, models CoderModels, rows Rows, sv *survey.Service, coder *coding.Coder, book *codebook.Codebook, panel *figures.Panel, keys *seal.Keys, record *audit.Log, now func() time.Time, log *slog.Logger) *Service {
	return &Service{codings: codings, coders: coders, models: models, rows: rows, survey: sv, coder: coder, book: book, panel: panel, keys: keys, audit: record, now: func() time.Time { return now().UTC().Truncate(time.Millisecond) }, log: log}
}

// At gives the same service with another clock and the survey room at that clock.
func (s *Service) At(sv *survey.Service, now func() time.Time) *Service {
	return NewService(s.codings, s.coders, s.models, s.rows, sv, s.coder, s.book, s.panel, s.keys, s.audit, now, s.log)
}

// Codebook is the themes that texts are coded by.
func (s *Service) Codebook() *codebook.Codebook { return s.book }

// Panel is where every figure is made.
func (s *Service) Panel() *figures.Panel { return s.panel }

// CodeWaiting redacts and codes the words of responses that no coder has read:
// step 10. The coding is stored before the response is marked, so that a crash in
// between only codes the same words again. It gives how many responses.
func (s *Service) CodeWaiting(ctx context.Context) (int, error) {
	rs, err := s.survey.ToCode(ctx, 200)
	if err != nil || len(rs) == 0 {
		return 0, err
	}
	coder, err := s.Coder(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	var errs []error
	for i := range rs { // one that fails does not hold the others up
		if err := s.codeOf(ctx, coder, &rs[i]); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// Code redacts and codes the words of one response.
func (s *Service) Code(ctx context.Context, r *survey.Response) error {
	coder, err := s.Coder(ctx)
	if err != nil {
		return err
	}
	return s.codeOf(ctx, coder, r)
}

func (s *Service) codeOf(ctx context.Context, coder *coding.Coder, r *survey.Response) error {
	words, err := s.survey.Words(r)
	if err != nil {
		return fmt.Errorf("read the words of a response: %w", err)
	}
	for item, text := range words {
		if err := s.code(ctx, coder, r, item, text); err != nil {
			return err
		}
	}
	err = s.survey.Coded(ctx, r.ID)
	if survey.IsClosed(err) { // taken back while it was being coded
		return s.Forget(ctx, r.ID)
	}
	return err
}

func (s *Service) code(ctx context.Context, coder *coding.Coder, r *survey.Response, item, text string) error {
	id := r.ID + "/" + item
	redacted, _ := redact.Redact(text)
	sealed, err := s.keys.SealString(codingPurpose(id), redacted)
	if err != nil {
		return fmt.Errorf("seal a redacted text: %w", err)
	}
	m := codeText(coder, r.Language, redacted)
	now := s.now()
	_, err = s.codings.UpdateCoding(ctx, id, func(c *Coding) error {
		if c.Gone {
			return survey.ErrUnchanged
		}
		if c.ByPeople() {
			return survey.ErrUnchanged // a person has coded it: the machine does not undo that
		}
		*c = Coding{
			ID: c.ID, Version: c.Version, Response: r.ID, Item: item, Stage: r.Stage, Language: m.language, Codebook: coder.Version(),
			Text: sealed, Labels: m.labels, Unsure: m.unsure, Doubt: m.doubt, Status: m.status, Draw: c.Draw, Passed: c.Passed, CodedAt: now, ChangedAt: now,
		}
		s.place(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a coding: %w", err)
	}
	return nil
}

// machineReading is what the coder makes of a text.
type machineReading struct {
	status, language string
	labels, unsure   []Label
	doubt            int64
}

// codeText gives what a coder makes of a redacted text, and the status and language of
// that. What the text itself shows goes before how the pages were set: people answer
// in their own language on English pages, and in English on others.
func codeText(coder *coding.Coder, marked, redacted string) machineReading {
	m := machineReading{status: StatusCoded, language: marked, labels: []Label{}}
	english := marked == "" || marked == "en" || strings.HasPrefix(marked, "en-")
	told := coder.Language(redacted)
	if told != "" && (told != "en" || !english) {
		m.language = told
	}
	if told != "en" && (told != "" || !english) {
		m.status = StatusOtherLanguage
		return m
	}
	r := coder.Read(redacted)
	for _, l := range r.Labels {
		m.labels = append(m.labels, Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End, Confidence: l.Confidence})
	}
	for _, l := range r.Unsure {
		m.unsure = append(m.unsure, Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End, Confidence: l.Confidence})
	}
	m.doubt = int64(r.Doubt * RankParts)
	return m
}

func codingPurpose(id string) string { return seal.Purpose("coding", id) }

// Text opens the redacted text of a coding.
func (s *Service) Text(c *Coding) (string, error) {
	text, err := s.keys.OpenString(codingPurpose(c.ID), c.Text)
	if err != nil {
		return "", fmt.Errorf("open a redacted text: %w", err)
	}
	return text, nil
}

// CodingsOf gives how the words of a response were coded.
func (s *Service) CodingsOf(ctx context.Context, response string) ([]Coding, error) {
	cs, err := s.codings.CodingsOf(ctx, response)
	if err != nil {
		return nil, fmt.Errorf("list codings: %w", err)
	}
	return cs, nil
}

// Forget empties the codings of a removed response, and what was quoted of it, and
// leaves tombstones, so that figures lose them.
func (s *Service) Forget(ctx context.Context, response string) error {
	cs, err := s.codings.CodingsOf(ctx, response)
	if err != nil {
		return fmt.Errorf("list codings: %w", err)
	}
	now := s.now()
	for _, c := range cs {
		_, err := s.codings.UpdateCoding(ctx, c.ID, func(c *Coding) error {
			if c.Gone {
				return survey.ErrUnchanged
			}
			*c = Coding{ID: c.ID, Version: c.Version, Response: c.Response, Item: c.Item, Stage: c.Stage, Labels: []Label{}, Status: StatusGone, ChangedAt: now, Gone: true}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget a coding: %w", err)
		}
	}
	return s.unquote(ctx, response)
}

// Refresh brings the panel up to date with what was stored since the last
// time: step 11. The first one loads everything.
func (s *Service) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := func(i int) time.Time {
		if s.cursors[i].IsZero() {
			return time.Time{}
		}
		return s.cursors[i].Add(-overlap)
	}
	began := s.now()
	if err := s.refreshAdvice(ctx); err != nil {
		return err
	}
	keep := func(i int, t time.Time) {
		if t.After(began) {
			t = began
		}
		if t.After(s.cursors[i]) {
			s.cursors[i] = t
		}
	}
	t, err := s.panel.LoadCases(ctx, mapRows(s.rows.CasesChanged(ctx, since(0)), s.caseRow))
	if err != nil {
		return fmt.Errorf("load cases into the panel: %w", err)
	}
	keep(0, t)
	t, err = s.panel.LoadResponses(ctx, mapRows(s.rows.ResponsesChanged(ctx, since(1)), responseRow))
	if fault.Is(err, fault.Invalid) {
		s.log.Error("some kept answers cannot be read", "error", err) // the panel leaves them out and says so
	} else if err != nil {
		return fmt.Errorf("load responses into the panel: %w", err)
	}
	keep(1, t)
	t, err = s.panel.LoadThemes(ctx, mapRows(s.codings.CodingsChanged(ctx, since(2)), themeRow))
	if err != nil {
		return fmt.Errorf("load codings into the panel: %w", err)
	}
	keep(2, t)
	t, err = s.panel.LoadAbouts(ctx, mapRows(s.rows.AboutsChanged(ctx, since(3)), s.aboutRow))
	if fault.Is(err, fault.Invalid) {
		s.log.Error("what some people told about themselves cannot be read", "error", err) // the panel leaves it out
	} else if err != nil {
		return fmt.Errorf("load what people told about themselves into the panel: %w", err)
	}
	keep(3, t)
	return s.loadRebases(ctx)
}

func mapRows[A, B any](rows iter.Seq2[A, error], to func(*A) B) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for a, err := range rows {
			var b B
			if err == nil {
				b = to(&a)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// aboutRow opens what a person told about themselves. What cannot be opened the
// panel finds unreadable, like answers that cannot be unpacked.
func (s *Service) aboutRow(a *survey.About) figures.AboutRow {
	r := figures.AboutRow{Key: a.ID, Questionnaire: a.Questionnaire, ChangedAt: a.ChangedAt, Gone: a.State == survey.AboutGone}
	packed, err := s.survey.PackedAbout(a)
	if err != nil {
		s.log.Error("what a person told about themselves cannot be opened", "error", err)
	}
	r.Packed = packed
	return r
}

func (s *Service) caseRow(c *survey.Case) figures.CaseRow {
	f := &c.Facts
	r := figures.CaseRow{
		Key: c.Respondent, ChangedAt: c.ChangedAt, Force: c.Force, Borough: f.Borough, BCU: f.BCU, Offence: f.Offence, Outcome: f.Outcome,
		DomesticAbuse: -1, AgeBand: f.AgeBand, Sex: f.Sex, ReportedAt: f.ReportedAt, Gone: f.Merged,
		AboutKeys: s.survey.AboutKeys(c),
	}
	if f.DomesticAbuse != nil {
		r.DomesticAbuse = 0
		if *f.DomesticAbuse {
			r.DomesticAbuse = 1
		}
	}
	spell := f.Now()
	r.WithdrewAt, r.ClosedAt = spell.WithdrewAt, spell.ClosedAt
	if !spell.WithdrewAt.IsZero() {
		r.Reason = f.Reason
	}
	r.Asks = askRows(c)
	return r
}

// askRows gives what became of each invitation of a case.
func askRows(c *survey.Case) []figures.AskRow {
	var out []figures.AskRow
	for i := range c.Invites {
		v := &c.Invites[i]
		due := v.First.DueAt
		if due.IsZero() {
			due = v.AnchorAt
		}
		d, reason := disposition(v)
		asked := v.First.SentAt
		if asked.IsZero() {
			asked = v.CardAt
		}
		out = append(out, figures.AskRow{Stage: string(v.Stage), Round: v.Round, DueAt: due, SentAt: asked, Disposition: d, Reason: string(reason)})
	}
	return out
}

// disposition classes one invitation as response rates need it (AAPOR's classes, see figures).
func disposition(v *survey.Invitation) (figures.Disposition, survey.Reason) {
	for _, a := range v.Answered {
		if a.Mode == survey.ModeSelf {
			if a.Complete {
				return figures.Completed, ""
			}
			return figures.StartedPartial, ""
		}
	}
	asked := v.First.State == survey.MailSent || !v.CardAt.IsZero() // a card put into somebody's hand is delivered
	switch {
	case !v.TakenBack.IsZero():
		return figures.ConsentWithdrawn, ""
	case !v.RefusedAt.IsZero():
		return figures.Refused, ""
	case asked && v.Ended && !v.StartedAt.IsZero():
		return figures.Started, ""
	case asked && v.Ended:
		return figures.NoResponse, ""
	case asked:
		return figures.Pending, ""
	case v.First.State == survey.MailFailed:
		return figures.Undelivered, ""
	case v.First.State == survey.MailRefused:
		return refusedDisposition(v.First.Reason), v.First.Reason
	}
	return figures.Pending, v.First.Reason
}

func refusedDisposition(r survey.Reason) figures.Disposition {
	switch r {
	case survey.NotSafe, survey.OnHold:
		return figures.NotSafe
	case survey.NotAdult, survey.CaseMerged:
		return figures.Ineligible
	case survey.Superseded, survey.AlreadyAnswered:
		return figures.Superseded
	case survey.ReasonOptedOut:
		return figures.Refused
	case survey.TooLate:
		return figures.TooLate
	case survey.Undelivered:
		return figures.Undelivered
	case survey.ClosureNotNotified:
		return figures.Pending
	default: // no-contact, spacing
		return figures.OtherReason
	}
}

func responseRow(r *survey.ResponseRow) figures.ResponseRow {
	return figures.ResponseRow{
		ID: r.ID, CaseKey: r.Respondent, Stage: string(r.Stage), Round: r.Round, Mode: string(r.Mode), Questionnaire: r.Questionnaire,
		Disposition: string(r.State), Quick: r.Quick, SubmittedAt: r.SubmittedAt, ChangedAt: r.ChangedAt, Packed: r.Packed,
		Gone: r.State != survey.Complete && r.State != survey.Partial,
	}
}

func themeRow(c *Coding) figures.ThemeRow {
	r := figures.ThemeRow{
		ResponseID: c.Response, Item: c.Item, ChangedAt: c.ChangedAt, CodebookVersion: c.Codebook, Gone: c.Gone || c.Status != StatusCoded,
		Labels: themeLabels(c.Labels), Person: c.ByPeople(),
		Drawn: drawnBlind(c),
	}
	if r.Person {
		r.Machine = themeLabels(c.Coder())
	}
	return r
}

// drawnBlind reports whether a person coded a text that was drawn at random,
// without the coder's labels before them.
func drawnBlind(c *Coding) bool {
	return slices.ContainsFunc(c.History, func(r Reading) bool { return r.How == DrawnRandom && r.Blind })
}

// themeLabels gives themes without their evidence; never nil.
func themeLabels(labels []Label) []figures.ThemeLabel {
	out := make([]figures.ThemeLabel, 0, len(labels))
	for _, l := range labels {
		out = append(out, figures.ThemeLabel{Code: l.Code, Polarity: l.Polarity})
	}
	return out
}
