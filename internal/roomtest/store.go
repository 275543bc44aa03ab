package roomtest

import (
	"context"
	"iter"
	"sync"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/sqlite"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// When says on which side of a port call a process dies.
type When bool

// The two sides: the call was never made, or it was made and nobody learned of it.
const (
	Before When = false
	After  When = true
)

// Store is the SQLite store with a hand on every port call: it counts them, can
// be made to fail one, and can die at one, as the process that calls it would.
type Store struct {
	*sqlite.Store

	mu    sync.Mutex
	calls []string
	dieAt int // of the calls since CrashAt, from 1; 0: never
	when  When
	dead  bool
	hook  func(call string) error
}

// CrashAt lets the process die at its nth port call from now (from 1); every call
// after it fails too, until Revive.
func (s *Store) CrashAt(n int, when When) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.dieAt, s.when, s.dead = nil, n, when, false
}

// Revive ends the crash and reports whether it came about.
func (s *Store) Revive() (crashed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	crashed, s.dead, s.dieAt, s.calls = s.dead, false, 0, nil
	return crashed
}

// Fail makes a call give fn's error, if it gives one, without being made. fn is
// told the name of the port method. Nil ends it.
func (s *Store) Fail(fn func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = fn
}

// Calls gives the names of the port calls since the last time it was asked.
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

func errDown() error { return fault.New(fault.Unavailable, "the store is away") }

// enter says whether a call is made, and whether its answer is lost.
func (s *Store) enter(name string) (lost bool, err error) {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		if err := hook(name); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, name)
	if s.dead {
		return false, errDown()
	}
	if s.dieAt > 0 && len(s.calls) == s.dieAt {
		s.dead = true
		if s.when == Before {
			return false, errDown()
		}
		return true, nil
	}
	return false, nil
}

func call[T any](s *Store, name string, do func() (T, error)) (T, error) {
	var none T
	lost, err := s.enter(name)
	if err != nil {
		return none, err
	}
	v, err := do()
	if lost {
		return none, errDown()
	}
	return v, err
}

func act(s *Store, name string, do func() error) error {
	_, err := call(s, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func stream[T any](s *Store, name string, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if _, err := s.enter(name); err != nil {
			var none T
			yield(none, err)
			return
		}
		rows(yield)
	}
}

// InsertEvent is the store's.
func (s *Store) InsertEvent(ctx context.Context, e survey.EventRecord) error {
	return act(s, "InsertEvent", func() error { return s.Store.InsertEvent(ctx, e) })
}

// Event is the store's.
func (s *Store) Event(ctx context.Context, id string) (survey.EventRecord, error) {
	return call(s, "Event", func() (survey.EventRecord, error) { return s.Store.Event(ctx, id) })
}

// UpdateEvent is the store's.
func (s *Store) UpdateEvent(ctx context.Context, id string, fn func(*survey.EventRecord) error) (survey.EventRecord, error) {
	return call(s, "UpdateEvent", func() (survey.EventRecord, error) { return s.Store.UpdateEvent(ctx, id, fn) })
}

// UnappliedEvents is the store's.
func (s *Store) UnappliedEvents(ctx context.Context, before time.Time, limit int) ([]survey.EventRecord, error) {
	return call(s, "UnappliedEvents", func() ([]survey.EventRecord, error) { return s.Store.UnappliedEvents(ctx, before, limit) })
}

// Case is the store's.
func (s *Store) Case(ctx context.Context, id string) (survey.Case, error) {
	return call(s, "Case", func() (survey.Case, error) { return s.Store.Case(ctx, id) })
}

// CaseOf is the store's.
func (s *Store) CaseOf(ctx context.Context, respondent string) (survey.Case, error) {
	return call(s, "CaseOf", func() (survey.Case, error) { return s.Store.CaseOf(ctx, respondent) })
}

// UpdateCase is the store's.
func (s *Store) UpdateCase(ctx context.Context, id string, fn func(*survey.Case) error) (survey.Case, error) {
	return call(s, "UpdateCase", func() (survey.Case, error) { return s.Store.UpdateCase(ctx, id, fn) })
}

// DueCases is the store's.
func (s *Store) DueCases(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return call(s, "DueCases", func() ([]string, error) { return s.Store.DueCases(ctx, now, limit) })
}

// CasesOfAdvocate is the store's.
func (s *Store) CasesOfAdvocate(ctx context.Context, advocate string) iter.Seq2[survey.Case, error] {
	return stream(s, "CasesOfAdvocate", s.Store.CasesOfAdvocate(ctx, advocate))
}

// CasesChanged is the store's.
func (s *Store) CasesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.Case, error] {
	return stream(s, "CasesChanged", s.Store.CasesChanged(ctx, since))
}

// Contact is the store's.
func (s *Store) Contact(ctx context.Context, id string) (survey.ContactCard, error) {
	return call(s, "Contact", func() (survey.ContactCard, error) { return s.Store.Contact(ctx, id) })
}

// UpdateContact is the store's.
func (s *Store) UpdateContact(ctx context.Context, id string, fn func(*survey.ContactCard) error) (survey.ContactCard, error) {
	return call(s, "UpdateContact", func() (survey.ContactCard, error) { return s.Store.UpdateContact(ctx, id, fn) })
}

// Refusal is the store's.
func (s *Store) Refusal(ctx context.Context, id string) (survey.Refusal, error) {
	return call(s, "Refusal", func() (survey.Refusal, error) { return s.Store.Refusal(ctx, id) })
}

// UpdateRefusal is the store's.
func (s *Store) UpdateRefusal(ctx context.Context, id string, fn func(*survey.Refusal) error) (survey.Refusal, error) {
	return call(s, "UpdateRefusal", func() (survey.Refusal, error) { return s.Store.UpdateRefusal(ctx, id, fn) })
}

// InsertLink is the store's.
func (s *Store) InsertLink(ctx context.Context, l survey.Link) error {
	return act(s, "InsertLink", func() error { return s.Store.InsertLink(ctx, l) })
}

// Link is the store's.
func (s *Store) Link(ctx context.Context, id string) (survey.Link, error) {
	return call(s, "Link", func() (survey.Link, error) { return s.Store.Link(ctx, id) })
}

// InsertSitting is the store's.
func (s *Store) InsertSitting(ctx context.Context, st survey.Sitting) error {
	return act(s, "InsertSitting", func() error { return s.Store.InsertSitting(ctx, st) })
}

// Sitting is the store's.
func (s *Store) Sitting(ctx context.Context, id string) (survey.Sitting, error) {
	return call(s, "Sitting", func() (survey.Sitting, error) { return s.Store.Sitting(ctx, id) })
}

// UpdateSitting is the store's.
func (s *Store) UpdateSitting(ctx context.Context, id string, fn func(*survey.Sitting) error) (survey.Sitting, error) {
	return call(s, "UpdateSitting", func() (survey.Sitting, error) { return s.Store.UpdateSitting(ctx, id, fn) })
}

// Response is the store's.
func (s *Store) Response(ctx context.Context, id string) (survey.Response, error) {
	return call(s, "Response", func() (survey.Response, error) { return s.Store.Response(ctx, id) })
}

// ResponseByReceipt is the store's.
func (s *Store) ResponseByReceipt(ctx context.Context, receipt string) (survey.Response, error) {
	return call(s, "ResponseByReceipt", func() (survey.Response, error) { return s.Store.ResponseByReceipt(ctx, receipt) })
}

// UpdateResponse is the store's.
func (s *Store) UpdateResponse(ctx context.Context, id string, fn func(*survey.Response) error) (survey.Response, error) {
	return call(s, "UpdateResponse", func() (survey.Response, error) { return s.Store.UpdateResponse(ctx, id, fn) })
}

// ResponsesToFollow is the store's.
func (s *Store) ResponsesToFollow(ctx context.Context, limit int) ([]survey.Response, error) {
	return call(s, "ResponsesToFollow", func() ([]survey.Response, error) { return s.Store.ResponsesToFollow(ctx, limit) })
}

// ResponsesToCode is the store's.
func (s *Store) ResponsesToCode(ctx context.Context, limit int) ([]survey.Response, error) {
	return call(s, "ResponsesToCode", func() ([]survey.Response, error) { return s.Store.ResponsesToCode(ctx, limit) })
}

// DraftsToClose is the store's.
func (s *Store) DraftsToClose(ctx context.Context, now time.Time, limit int) ([]survey.Response, error) {
	return call(s, "DraftsToClose", func() ([]survey.Response, error) { return s.Store.DraftsToClose(ctx, now, limit) })
}

// ResponsesChanged is the store's.
func (s *Store) ResponsesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.ResponseRow, error] {
	return stream(s, "ResponsesChanged", s.Store.ResponsesChanged(ctx, since))
}

// ResponsesOf is the store's.
func (s *Store) ResponsesOf(ctx context.Context, respondent string) ([]survey.Response, error) {
	return call(s, "ResponsesOf", func() ([]survey.Response, error) { return s.Store.ResponsesOf(ctx, respondent) })
}

// About is the store's.
func (s *Store) About(ctx context.Context, id string) (survey.About, error) {
	return call(s, "About", func() (survey.About, error) { return s.Store.About(ctx, id) })
}

// UpdateAbout is the store's.
func (s *Store) UpdateAbout(ctx context.Context, id string, fn func(*survey.About) error) (survey.About, error) {
	return call(s, "UpdateAbout", func() (survey.About, error) { return s.Store.UpdateAbout(ctx, id, fn) })
}

// AboutsChanged is the store's.
func (s *Store) AboutsChanged(ctx context.Context, since time.Time) iter.Seq2[survey.About, error] {
	return stream(s, "AboutsChanged", s.Store.AboutsChanged(ctx, since))
}

// Quotation is the store's.
func (s *Store) Quotation(ctx context.Context, id string) (analysis.Quotation, error) {
	return call(s, "Quotation", func() (analysis.Quotation, error) { return s.Store.Quotation(ctx, id) })
}

// UpdateQuotation is the store's.
func (s *Store) UpdateQuotation(ctx context.Context, id string, fn func(*analysis.Quotation) error) (analysis.Quotation, error) {
	return call(s, "UpdateQuotation", func() (analysis.Quotation, error) { return s.Store.UpdateQuotation(ctx, id, fn) })
}

// QuotationsIn is the store's.
func (s *Store) QuotationsIn(ctx context.Context, state analysis.QuotationState) ([]analysis.Quotation, error) {
	return call(s, "QuotationsIn", func() ([]analysis.Quotation, error) { return s.Store.QuotationsIn(ctx, state) })
}

// UpdateCoding is the store's.
func (s *Store) UpdateCoding(ctx context.Context, id string, fn func(*analysis.Coding) error) (analysis.Coding, error) {
	return call(s, "UpdateCoding", func() (analysis.Coding, error) { return s.Store.UpdateCoding(ctx, id, fn) })
}

// CodingsOf is the store's.
func (s *Store) CodingsOf(ctx context.Context, response string) ([]analysis.Coding, error) {
	return call(s, "CodingsOf", func() ([]analysis.Coding, error) { return s.Store.CodingsOf(ctx, response) })
}

// Coding is the store's.
func (s *Store) Coding(ctx context.Context, id string) (analysis.Coding, error) {
	return call(s, "Coding", func() (analysis.Coding, error) { return s.Store.Coding(ctx, id) })
}

// CodingsQueued is the store's.
func (s *Store) CodingsQueued(ctx context.Context, queue string, limit int) ([]analysis.Coding, error) {
	return call(s, "CodingsQueued", func() ([]analysis.Coding, error) { return s.Store.CodingsQueued(ctx, queue, limit) })
}

// CodingsLatest is the store's.
func (s *Store) CodingsLatest(ctx context.Context, queue string, limit int) ([]analysis.Coding, error) {
	return call(s, "CodingsLatest", func() ([]analysis.Coding, error) { return s.Store.CodingsLatest(ctx, queue, limit) })
}

// CodingsHeld is the store's.
func (s *Store) CodingsHeld(ctx context.Context, by string, limit int) ([]analysis.Coding, error) {
	return call(s, "CodingsHeld", func() ([]analysis.Coding, error) { return s.Store.CodingsHeld(ctx, by, limit) })
}

// CodingsChanged is the store's.
func (s *Store) CodingsChanged(ctx context.Context, since time.Time) iter.Seq2[analysis.Coding, error] {
	return stream(s, "CodingsChanged", s.Store.CodingsChanged(ctx, since))
}

// UpdateDraft is the store's.
func (s *Store) UpdateDraft(ctx context.Context, id string, fn func(*analysis.DraftCode) error) (analysis.DraftCode, error) {
	return call(s, "UpdateDraft", func() (analysis.DraftCode, error) { return s.Store.UpdateDraft(ctx, id, fn) })
}

// AdviceRevisions is the store's.
func (s *Store) AdviceRevisions(ctx context.Context) ([]analysis.AdviceRevision, error) {
	return call(s, "AdviceRevisions", func() ([]analysis.AdviceRevision, error) { return s.Store.AdviceRevisions(ctx) })
}

// UpdateAdviceRevision is the store's.
func (s *Store) UpdateAdviceRevision(ctx context.Context, id string, fn func(*analysis.AdviceRevision) error) (analysis.AdviceRevision, error) {
	return call(s, "UpdateAdviceRevision", func() (analysis.AdviceRevision, error) { return s.Store.UpdateAdviceRevision(ctx, id, fn) })
}

// CoderModel is the store's.
func (s *Store) CoderModel(ctx context.Context, id string) (analysis.CoderModel, error) {
	return call(s, "CoderModel", func() (analysis.CoderModel, error) { return s.Store.CoderModel(ctx, id) })
}

// UpdateCoderModel is the store's.
func (s *Store) UpdateCoderModel(ctx context.Context, id string, fn func(*analysis.CoderModel) error) (analysis.CoderModel, error) {
	return call(s, "UpdateCoderModel", func() (analysis.CoderModel, error) { return s.Store.UpdateCoderModel(ctx, id, fn) })
}

// CoderLog is the store's.
func (s *Store) CoderLog(ctx context.Context, id string) (analysis.CoderLog, error) {
	return call(s, "CoderLog", func() (analysis.CoderLog, error) { return s.Store.CoderLog(ctx, id) })
}

// UpdateCoderLog is the store's.
func (s *Store) UpdateCoderLog(ctx context.Context, id string, fn func(*analysis.CoderLog) error) (analysis.CoderLog, error) {
	return call(s, "UpdateCoderLog", func() (analysis.CoderLog, error) { return s.Store.UpdateCoderLog(ctx, id, fn) })
}

// Alert is the store's.
func (s *Store) Alert(ctx context.Context, id string) (loop.Alert, error) {
	return call(s, "Alert", func() (loop.Alert, error) { return s.Store.Alert(ctx, id) })
}

// UpdateAlert is the store's.
func (s *Store) UpdateAlert(ctx context.Context, id string, fn func(*loop.Alert) error) (loop.Alert, error) {
	return call(s, "UpdateAlert", func() (loop.Alert, error) { return s.Store.UpdateAlert(ctx, id, fn) })
}

// UpdateAction is the store's.
func (s *Store) UpdateAction(ctx context.Context, id string, fn func(*loop.Action) error) (loop.Action, error) {
	return call(s, "UpdateAction", func() (loop.Action, error) { return s.Store.UpdateAction(ctx, id, fn) })
}

// UpdateSubscriber is the store's.
func (s *Store) UpdateSubscriber(ctx context.Context, id string, fn func(*loop.Subscriber) error) (loop.Subscriber, error) {
	return call(s, "UpdateSubscriber", func() (loop.Subscriber, error) { return s.Store.UpdateSubscriber(ctx, id, fn) })
}

// Subscriber is the store's.
func (s *Store) Subscriber(ctx context.Context, id string) (loop.Subscriber, error) {
	return call(s, "Subscriber", func() (loop.Subscriber, error) { return s.Store.Subscriber(ctx, id) })
}

// Subscribers is the store's.
func (s *Store) Subscribers(ctx context.Context) iter.Seq2[loop.Subscriber, error] {
	return stream(s, "Subscribers", s.Store.Subscribers(ctx))
}

// Publications is the store's.
func (s *Store) Publications(ctx context.Context) ([]loop.Publication, error) {
	return call(s, "Publications", func() ([]loop.Publication, error) { return s.Store.Publications(ctx) })
}

// UpdatePublication is the store's.
func (s *Store) UpdatePublication(ctx context.Context, id string, fn func(*loop.Publication) error) (loop.Publication, error) {
	return call(s, "UpdatePublication", func() (loop.Publication, error) { return s.Store.UpdatePublication(ctx, id, fn) })
}

// PutMessage is the store's.
func (s *Store) PutMessage(ctx context.Context, m notifications.Message) error {
	return act(s, "PutMessage", func() error { return s.Store.PutMessage(ctx, m) })
}

// ClaimMessages is the store's.
func (s *Store) ClaimMessages(ctx context.Context, owner string, now, until time.Time, limit int) ([]notifications.Message, error) {
	return call(s, "ClaimMessages", func() ([]notifications.Message, error) { return s.Store.ClaimMessages(ctx, owner, now, until, limit) })
}

// UpdateMessage is the store's.
func (s *Store) UpdateMessage(ctx context.Context, id string, fence int64, fn func(*notifications.Message) error) (notifications.Message, error) {
	return call(s, "UpdateMessage", func() (notifications.Message, error) { return s.Store.UpdateMessage(ctx, id, fence, fn) })
}

// MessageByMailID is the store's.
func (s *Store) MessageByMailID(ctx context.Context, mailID string) (notifications.Message, error) {
	return call(s, "MessageByMailID", func() (notifications.Message, error) { return s.Store.MessageByMailID(ctx, mailID) })
}

// UpdateLease is the store's.
func (s *Store) UpdateLease(ctx context.Context, id string, fn func(*work.Lease) error) (work.Lease, error) {
	return call(s, "UpdateLease", func() (work.Lease, error) { return s.Store.UpdateLease(ctx, id, fn) })
}

// InsertEntries is the store's.
func (s *Store) InsertEntries(ctx context.Context, entries []audit.Entry) error {
	return act(s, "InsertEntries", func() error { return s.Store.InsertEntries(ctx, entries) })
}
