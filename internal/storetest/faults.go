package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

func isCancelled(err error) bool { return errors.Is(err, context.Canceled) }

// Calls is one call of every method of every port, for tests of what happens to
// all of them: when the context is over, when the store is gone.
func Calls(s Store) map[string]func(context.Context) error {
	a := s.Access()
	return map[string]func(context.Context) error{
		"InsertEvent": func(ctx context.Context) error { return s.InsertEvent(ctx, survey.EventRecord{ID: "x"}) },
		"Event":       func(ctx context.Context) error { _, err := s.Event(ctx, "x"); return err },
		"UpdateEvent": func(ctx context.Context) error {
			_, err := s.UpdateEvent(ctx, "x", nothing[survey.EventRecord])
			return err
		},
		"UnappliedEvents": func(ctx context.Context) error { _, err := s.UnappliedEvents(ctx, t0, 1); return err },
		"Case":            func(ctx context.Context) error { _, err := s.Case(ctx, "x"); return err },
		"CaseOf":          func(ctx context.Context) error { _, err := s.CaseOf(ctx, "x"); return err },
		"UpdateCase":      func(ctx context.Context) error { _, err := s.UpdateCase(ctx, "x", nothing[survey.Case]); return err },
		"DueCases":        func(ctx context.Context) error { _, err := s.DueCases(ctx, t0, 1); return err },
		"CasesOfAdvocate": func(ctx context.Context) error { return drain(s.CasesOfAdvocate(ctx, "x")) },
		"CasesChanged":    func(ctx context.Context) error { return drain(s.CasesChanged(ctx, t0)) },
		"Contact":         func(ctx context.Context) error { _, err := s.Contact(ctx, "x"); return err },
		"UpdateContact": func(ctx context.Context) error {
			_, err := s.UpdateContact(ctx, "x", nothing[survey.ContactCard])
			return err
		},
		"DeleteContact": func(ctx context.Context) error { return s.DeleteContact(ctx, "x") },
		"Refusal":       func(ctx context.Context) error { _, err := s.Refusal(ctx, "x"); return err },
		"UpdateRefusal": func(ctx context.Context) error {
			_, err := s.UpdateRefusal(ctx, "x", nothing[survey.Refusal])
			return err
		},
		"InsertLink":    func(ctx context.Context) error { return s.InsertLink(ctx, survey.Link{ID: "x"}) },
		"Link":          func(ctx context.Context) error { _, err := s.Link(ctx, "x"); return err },
		"PurgeLinks":    func(ctx context.Context) error { _, err := s.PurgeLinks(ctx, t0); return err },
		"InsertSitting": func(ctx context.Context) error { return s.InsertSitting(ctx, survey.Sitting{ID: "x"}) },
		"Sitting":       func(ctx context.Context) error { _, err := s.Sitting(ctx, "x"); return err },
		"UpdateSitting": func(ctx context.Context) error {
			_, err := s.UpdateSitting(ctx, "x", nothing[survey.Sitting])
			return err
		},
		"PurgeSittings":     func(ctx context.Context) error { _, err := s.PurgeSittings(ctx, t0); return err },
		"Response":          func(ctx context.Context) error { _, err := s.Response(ctx, "x"); return err },
		"ResponseByReceipt": func(ctx context.Context) error { _, err := s.ResponseByReceipt(ctx, "x"); return err },
		"UpdateResponse": func(ctx context.Context) error {
			_, err := s.UpdateResponse(ctx, "x", nothing[survey.Response])
			return err
		},
		"ResponsesToFollow": func(ctx context.Context) error { _, err := s.ResponsesToFollow(ctx, 1); return err },
		"ResponsesToCode":   func(ctx context.Context) error { _, err := s.ResponsesToCode(ctx, 1); return err },
		"DraftsToClose":     func(ctx context.Context) error { _, err := s.DraftsToClose(ctx, t0, 1); return err },
		"ResponsesChanged":  func(ctx context.Context) error { return drain(s.ResponsesChanged(ctx, t0)) },
		"ResponsesOf":       func(ctx context.Context) error { _, err := s.ResponsesOf(ctx, "x"); return err },

		"About":         func(ctx context.Context) error { _, err := s.About(ctx, "x"); return err },
		"UpdateAbout":   func(ctx context.Context) error { _, err := s.UpdateAbout(ctx, "x", nothing[survey.About]); return err },
		"AboutsChanged": func(ctx context.Context) error { return drain(s.AboutsChanged(ctx, t0)) },

		"Coding": func(ctx context.Context) error { _, err := s.Coding(ctx, "x"); return err },
		"UpdateCoding": func(ctx context.Context) error {
			_, err := s.UpdateCoding(ctx, "x", nothing[analysis.Coding])
			return err
		},
		"CodingsQueued":  func(ctx context.Context) error { _, err := s.CodingsQueued(ctx, "x", 1); return err },
		"CodingsLatest":  func(ctx context.Context) error { _, err := s.CodingsLatest(ctx, "x", 1); return err },
		"CodingsHeld":    func(ctx context.Context) error { _, err := s.CodingsHeld(ctx, "x", 1); return err },
		"CodingsOf":      func(ctx context.Context) error { _, err := s.CodingsOf(ctx, "x"); return err },
		"CodingsChanged": func(ctx context.Context) error { return drain(s.CodingsChanged(ctx, t0)) },

		"Quotation": func(ctx context.Context) error { _, err := s.Quotation(ctx, "x"); return err },
		"UpdateQuotation": func(ctx context.Context) error {
			_, err := s.UpdateQuotation(ctx, "x", nothing[analysis.Quotation])
			return err
		},
		"QuotationsIn": func(ctx context.Context) error {
			_, err := s.QuotationsIn(ctx, analysis.QuotationConfirmed)
			return err
		},

		"Draft": func(ctx context.Context) error { _, err := s.Draft(ctx, "x"); return err },
		"UpdateDraft": func(ctx context.Context) error {
			_, err := s.UpdateDraft(ctx, "x", nothing[analysis.DraftCode])
			return err
		},
		"DraftCodes": func(ctx context.Context) error { _, err := s.DraftCodes(ctx); return err },

		"AdviceRevision": func(ctx context.Context) error { _, err := s.AdviceRevision(ctx, "x"); return err },
		"UpdateAdviceRevision": func(ctx context.Context) error {
			_, err := s.UpdateAdviceRevision(ctx, "x", nothing[analysis.AdviceRevision])
			return err
		},
		"AdviceRevisions": func(ctx context.Context) error { _, err := s.AdviceRevisions(ctx); return err },
		"OpenTable":       func(ctx context.Context) error { _, err := s.OpenTable(ctx, "x"); return err },
		"UpdateOpenTable": func(ctx context.Context) error {
			_, err := s.UpdateOpenTable(ctx, "x", nothing[analysis.OpenTable])
			return err
		},
		"OpenTables": func(ctx context.Context) error { _, err := s.OpenTables(ctx); return err },

		"Mark":       func(ctx context.Context) error { _, err := s.Mark(ctx, "x"); return err },
		"UpdateMark": func(ctx context.Context) error { _, err := s.UpdateMark(ctx, "x", nothing[analysis.Mark]); return err },
		"Marks":      func(ctx context.Context) error { _, err := s.Marks(ctx); return err },

		"Alert":        func(ctx context.Context) error { _, err := s.Alert(ctx, "x"); return err },
		"UpdateAlert":  func(ctx context.Context) error { _, err := s.UpdateAlert(ctx, "x", nothing[loop.Alert]); return err },
		"Alerts":       func(ctx context.Context) error { _, err := s.Alerts(ctx, "x", false, nil, 1); return err },
		"Action":       func(ctx context.Context) error { _, err := s.Action(ctx, "x"); return err },
		"UpdateAction": func(ctx context.Context) error { _, err := s.UpdateAction(ctx, "x", nothing[loop.Action]); return err },
		"Actions":      func(ctx context.Context) error { _, err := s.Actions(ctx); return err },
		"UpdateSubscriber": func(ctx context.Context) error {
			_, err := s.UpdateSubscriber(ctx, "x", nothing[loop.Subscriber])
			return err
		},
		"Subscriber":       func(ctx context.Context) error { _, err := s.Subscriber(ctx, "x"); return err },
		"Subscribers":      func(ctx context.Context) error { return drain(s.Subscribers(ctx)) },
		"DeleteSubscriber": func(ctx context.Context) error { return s.DeleteSubscriber(ctx, "x") },
		"UpdatePublication": func(ctx context.Context) error {
			_, err := s.UpdatePublication(ctx, "x", nothing[loop.Publication])
			return err
		},
		"Publications": func(ctx context.Context) error { _, err := s.Publications(ctx); return err },

		"PutMessage":      func(ctx context.Context) error { return s.PutMessage(ctx, notifications.Message{ID: "x"}) },
		"Message":         func(ctx context.Context) error { _, err := s.Message(ctx, "x"); return err },
		"MessageByMailID": func(ctx context.Context) error { _, err := s.MessageByMailID(ctx, "x"); return err },
		"ClaimMessages": func(ctx context.Context) error {
			_, err := s.ClaimMessages(ctx, "w", t0, t0.Add(time.Minute), 1)
			return err
		},
		"UpdateMessage": func(ctx context.Context) error {
			_, err := s.UpdateMessage(ctx, "x", 0, nothing[notifications.Message])
			return err
		},
		"OutboxBacklog": func(ctx context.Context) error { _, err := s.OutboxBacklog(ctx); return err },

		"UpdateLease": func(ctx context.Context) error { _, err := s.UpdateLease(ctx, "x", nothing[work.Lease]); return err },
		"Leases":      func(ctx context.Context) error { _, err := s.Leases(ctx); return err },

		"LastEntry":           func(ctx context.Context) error { _, _, err := s.LastEntry(ctx); return err },
		"InsertEntries":       func(ctx context.Context) error { return s.InsertEntries(ctx, []audit.Entry{{Seq: 1}}) },
		"Entries":             func(ctx context.Context) error { _, err := s.Entries(ctx, 1, 1); return err },
		"DeleteEntriesBefore": func(ctx context.Context) error { return s.DeleteEntriesBefore(ctx, 1) },

		"User":           func(ctx context.Context) error { _, err := a.User(ctx, "x"); return err },
		"UserByEmailKey": func(ctx context.Context) error { _, err := a.UserByEmailKey(ctx, "x"); return err },
		"UpdateUser":     func(ctx context.Context) error { _, err := a.UpdateUser(ctx, "x", nothing[access.User]); return err },
		"Users":          func(ctx context.Context) error { _, err := a.Users(ctx); return err },
		"InsertSession":  func(ctx context.Context) error { return a.InsertSession(ctx, access.Session{ID: "x"}) },
		"Session":        func(ctx context.Context) error { _, err := a.Session(ctx, "x"); return err },
		"UpdateSession": func(ctx context.Context) error {
			_, err := a.UpdateSession(ctx, "x", nothing[access.Session])
			return err
		},
		"DeleteSession":    func(ctx context.Context) error { return a.DeleteSession(ctx, "x") },
		"DeleteSessionsOf": func(ctx context.Context) error { return a.DeleteSessionsOf(ctx, "x") },
		"PurgeSessions":    func(ctx context.Context) error { _, err := a.PurgeSessions(ctx, t0); return err },
		"APIKey":           func(ctx context.Context) error { _, err := a.APIKey(ctx, "x"); return err },
		"UpdateAPIKey": func(ctx context.Context) error {
			_, err := a.UpdateAPIKey(ctx, "x", nothing[access.APIKey])
			return err
		},
		"APIKeys":          func(ctx context.Context) error { _, err := a.APIKeys(ctx); return err },
		"staff InsertLink": func(ctx context.Context) error { return a.InsertLink(ctx, access.Link{ID: "x"}) },
		"staff Link":       func(ctx context.Context) error { _, err := a.Link(ctx, "x"); return err },
		"TakeLink":         func(ctx context.Context) error { _, err := a.TakeLink(ctx, "x"); return err },
		"DeleteLinksOf":    func(ctx context.Context) error { return a.DeleteLinksOf(ctx, "x") },
		"staff PurgeLinks": func(ctx context.Context) error { _, err := a.PurgeLinks(ctx, t0); return err },
		"UpdateThrottle": func(ctx context.Context) error {
			_, err := a.UpdateThrottle(ctx, "x", nothing[access.Throttle])
			return err
		},
		"PurgeThrottles": func(ctx context.Context) error { _, err := a.PurgeThrottles(ctx, t0); return err },
		"Ping":           s.Ping,
	}
}

func nothing[T any](*T) error { return nil }

// drain reads a stream to its end and gives its error.
func drain[T any](seq func(yield func(T, error) bool)) (last error) {
	for _, err := range seq {
		if err != nil {
			last = err
		}
	}
	return last
}

// cancelled makes every call with a context that is over: its own error comes
// out, and nothing is written.
func cancelled(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range Calls(s) {
		if err := call(ctx); !isCancelled(err) {
			t.Errorf("%s: %v, want the context's error", name, err)
		}
	}
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	if _, err := s.Case(late, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Case after the deadline: %v", err)
	}
	for name, read := range map[string]func() error{
		"case":    func() error { _, err := s.Case(t.Context(), "x"); return err },
		"event":   func() error { _, err := s.Event(t.Context(), "x"); return err },
		"message": func() error { _, err := s.Message(t.Context(), "x"); return err },
		"session": func() error { _, err := s.Session(t.Context(), "x"); return err },
	} {
		wantKind(t, read(), fault.NotFound, name+" after a cancelled write")
	}
}

// closed makes every call after Close.
func closed(t *testing.T, s Store) {
	ok(t, s.Close())
	ok(t, s.Close())
	for name, call := range Calls(s) {
		wantKind(t, call(t.Context()), fault.Unavailable, name)
	}
}
