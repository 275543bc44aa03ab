package notifications_test

import (
	"context"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/work"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// staff are readers in memory. Every call is one at which the process may die, as
// it may at a store's.
type staff struct {
	w       *roomtest.World
	mu      sync.Mutex
	readers map[string]notifications.Reader
}

func (s *staff) enter(ctx context.Context) error {
	_, err := s.w.Store.UpdateLease(ctx, "staff", func(*work.Lease) error { return nil })
	return err
}

func (s *staff) Readers(ctx context.Context) ([]notifications.Reader, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []notifications.Reader
	for _, r := range s.readers {
		list = append(list, r)
	}
	return list, nil
}

func (s *staff) Reader(ctx context.Context, id string) (notifications.Reader, string, error) {
	if err := s.enter(ctx); err != nil {
		return notifications.Reader{}, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.readers[id]
	if !ok {
		return r, "", fault.New(fault.NotFound, "no such reader")
	}
	return r, id + "@example.org", nil
}

func (s *staff) Mailed(ctx context.Context, id, issue string) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.change(id, func(r *notifications.Reader) { r.Sent = issue })
	return nil
}

func (s *staff) Stop(ctx context.Context, id string) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.drop(id)
	return nil
}

func (s *staff) drop(id string) { s.mu.Lock(); defer s.mu.Unlock(); delete(s.readers, id) }

func (s *staff) change(id string, fn func(*notifications.Reader)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.readers[id]; ok {
		fn(&r)
		s.readers[id] = r
	}
}

// choose makes somebody a reader now.
func (s *staff) choose(id string, every notifications.Every) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers == nil {
		s.readers = map[string]notifications.Reader{}
	}
	r := s.readers[id]
	r.ID, r.Every, r.Since = id, every, s.w.Clock.Now()
	s.readers[id] = r
}

func digester(w *roomtest.World, s *staff, p *post, owner string) *notifications.Service {
	w.TB.Helper()
	letters, err := notifications.LoadLetters()
	if err != nil {
		w.TB.Fatal(err)
	}
	return notifications.NewService(w.Store, w.Survey, w.Loop, s, letters, p, notifications.Settings{
		From: mail.Address{Name: "Feedback", Address: "feedback@example.org"}, SurveyURL: "https://feedback.example.org", PublicURL: "https://example.org/public", StaffURL: "https://example.org/", Owner: owner,
	}, w.Clock.Now, slog.New(slog.DiscardHandler))
}

// round queues and sends, and gives to whom the mails of it went.
func round(w *roomtest.World, n *notifications.Service, p *post) string {
	w.TB.Helper()
	before := p.count()
	if err := n.QueueDigests(w.TB.Context()); err != nil {
		w.TB.Fatal(err)
	}
	deliver(w, n)
	var to []string
	for _, e := range p.taken[before:] {
		to = append(to, strings.TrimSuffix(e.To, "@example.org"))
	}
	return strings.Join(to, " ")
}

func london(w *roomtest.World, at string) time.Time {
	w.TB.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", at, w.Survey.Policy().Location())
	if err != nil {
		w.TB.Fatal(err)
	}
	return v
}

// TestDigest walks a year: who is written to when, by the clock of London, over
// bank holidays, weekends and the change to summer time.
func TestDigest(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := &staff{w: w}
	n := digester(w, s, p, "a")
	s.choose("monthly", notifications.Monthly)
	s.choose("quarterly", notifications.Quarterly)
	for _, step := range []struct{ at, want string }{
		{"2026-03-02 10:00", ""}, // February's fell due two hours before anybody chose
		{"2026-03-31 23:59", ""},
		{"2026-04-01 07:59", ""}, // 06:59 UTC: the hour is of the zone
		{"2026-04-01 08:00", "monthly quarterly"},
		{"2026-04-01 08:05", ""},
		{"2026-05-01 08:00", "monthly"},
		{"2026-06-01 12:00", "monthly"},
		{"2026-07-01 08:00", "monthly quarterly"},
		{"2026-08-01 08:00", ""}, // a Saturday
		{"2026-08-03 08:00", "monthly"},
		{"2026-12-31 08:00", "monthly quarterly"}, // nobody was there from August on: the newest alone is sent
		{"2027-01-01 08:00", ""},                  // a bank holiday, then a weekend
		{"2027-01-04 07:59", ""},
		{"2027-01-04 08:00", "monthly quarterly"},
	} {
		w.Clock.Set(london(w, step.at))
		got := round(w, n, p)
		if got == "quarterly monthly" { // four are sent at once
			got = "monthly quarterly"
		}
		if got != step.want {
			t.Errorf("%s: mail to %q, want %q", step.at, got, step.want)
		}
	}
	for _, e := range p.taken {
		raw := string(e.Raw)
		if !strings.Contains(raw, "https://example.org/figures") || !strings.Contains(raw, "https://example.org/account") || !strings.HasPrefix(e.MessageID, "<digest-2026-") {
			t.Errorf("%s\n%s", e.MessageID, raw)
		}
	}
}

// TestDigestChanges: what is chosen, taken back or lost between queue and mail
// counts at the moment of sending.
func TestDigestChanges(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*staff)
		state  notifications.State
		reason survey.Reason
	}{
		"nothing":        {func(*staff) {}, notifications.Sent, ""},
		"no more":        {func(s *staff) { s.drop("r") }, notifications.Dropped, survey.ReasonOptedOut},
		"less often":     {func(s *staff) { s.choose("r", notifications.Quarterly) }, notifications.Dropped, survey.Superseded},
		"off and on":     {func(s *staff) { s.drop("r"); s.choose("r", notifications.Monthly) }, notifications.Dropped, survey.Superseded},
		"sent before":    {func(s *staff) { s.change("r", func(r *notifications.Reader) { r.Sent = "2026-04" }) }, notifications.Sent, ""},
		"a month passes": {func(s *staff) { s.w.Clock.Pass(35 * day) }, notifications.Dropped, survey.Superseded},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := roomtest.New(t), &post{}
			s := &staff{w: w}
			n := digester(w, s, p, "a")
			s.choose("r", notifications.Monthly)
			w.Clock.Set(london(w, "2026-05-01 09:00"))
			if err := n.QueueDigests(t.Context()); err != nil {
				t.Fatal(err)
			}
			test.change(s)
			deliver(w, n)
			m := message(w, "digest-2026-04-r")
			if m.State != test.state || m.Reason != string(test.reason) {
				t.Errorf("%s %q, want %s %q", m.State, m.Reason, test.state, test.reason)
			}
			if want := map[bool]int{true: 1}[name == "nothing"]; p.count() != want {
				t.Errorf("%d mails, want %d", p.count(), want)
			}
		})
	}
}

// TestDigestRefused: an address that refuses a digest, at once or by a bounce, gets
// no more; a mail server that is away for days costs one issue.
func TestDigestRefused(t *testing.T) {
	w, p := roomtest.New(t), &post{do: answer(permanent)}
	s := &staff{w: w}
	n := digester(w, s, p, "a")
	s.choose("a", notifications.Monthly)
	w.Clock.Set(london(w, "2026-05-01 09:00"))
	round(w, n, p)
	if len(s.readers) != 0 {
		t.Error("an address that refused mail is written to again")
	}
	s.choose("b", notifications.Monthly)
	p.do = answer(temporary)
	w.Clock.Set(london(w, "2026-06-01 09:00"))
	round(w, n, p)
	for tries := 0; message(w, "digest-2026-05-b").State == notifications.Pending && tries < 100; tries++ {
		w.Clock.Set(message(w, "digest-2026-05-b").DueAt)
		deliver(w, n)
	}
	if m := message(w, "digest-2026-05-b"); m.State != notifications.Failed || len(s.readers) != 1 {
		t.Errorf("after an outage: %s, %d readers", m.State, len(s.readers))
	}
	p.do = nil
	w.Clock.Set(london(w, "2026-07-01 09:00"))
	if got := round(w, n, p); got != "b" {
		t.Errorf("after an outage: mail to %q", got)
	}
	if err := n.Bounce(t.Context(), p.taken[0].MessageID, notifications.BouncePermanent, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if m := message(w, "digest-2026-06-b"); m.State != notifications.Bounced || len(s.readers) != 0 {
		t.Errorf("after a bounce: %s, %d readers", m.State, len(s.readers))
	}
	// What comes back late says nothing against what was chosen since.
	s.choose("c", notifications.Monthly)
	w.Clock.Set(london(w, "2026-08-03 09:00"))
	round(w, n, p)
	w.Clock.Pass(time.Hour)
	s.choose("c", notifications.Monthly)
	if err := n.Bounce(t.Context(), p.taken[len(p.taken)-1].MessageID, notifications.BouncePermanent, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if m := message(w, "digest-2026-07-c"); m.State != notifications.Bounced || len(s.readers) != 1 {
		t.Errorf("after a late bounce: %s, %d readers", m.State, len(s.readers))
	}
}

// TestDigestOneFault: a digest that cannot be queued does not hold up the others', and is queued the next time.
func TestDigestOneFault(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := &staff{w: w}
	n := digester(w, s, p, "a")
	for _, id := range []string{"a", "b", "c"} {
		s.choose(id, notifications.Quarterly)
	}
	w.Clock.Set(london(w, "2026-04-01 09:00"))
	calls := 0
	w.Store.Fail(func(call string) error {
		if call == "PutMessage" {
			if calls++; calls == 2 {
				return fault.New(fault.Unavailable, "away")
			}
		}
		return nil
	})
	roomtest.Want(t, n.QueueDigests(t.Context()), fault.Unavailable, "queue with a fault")
	deliver(w, n)
	if p.count() != 2 {
		t.Errorf("%d mails past a fault, want 2", p.count())
	}
	w.Store.Fail(nil)
	round(w, n, p)
	if p.count() != 3 {
		t.Errorf("%d mails, want 3", p.count())
	}
}

// TestDigestCrashes: one mail each, wherever the process dies; but for the one that
// was handed over and not written down, which is counted as unsure.
func TestDigestCrashes(t *testing.T) {
	posts, staffs := map[*roomtest.World]*post{}, map[*roomtest.World]*staff{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		posts[w], staffs[w] = &post{}, &staff{w: w}
		staffs[w].choose("r", notifications.Monthly)
		w.Clock.Set(london(w, "2026-05-01 09:00"))
	}, func(w *roomtest.World) error {
		n := digester(w, staffs[w], posts[w], "a")
		if err := n.QueueDigests(t.Context()); err != nil {
			return err
		}
		_, err := n.Deliver(t.Context())
		return err
	}, func(w *roomtest.World, crash string) {
		w.Clock.Pass(10 * time.Minute)
		n := digester(w, staffs[w], posts[w], "b")
		round(w, n, posts[w])
		sent := posts[w].count()
		m := message(w, "digest-2026-04-r")
		if m.State != notifications.Sent || sent < 1 || sent > 1+m.Unsure {
			t.Errorf("%s: %d mails, %+v", crash, sent, m)
		}
		if staffs[w].readers["r"].Sent != "2026-04" {
			t.Errorf("%s: the reader: %+v", crash, staffs[w].readers["r"])
		}
	})
}

// TestDigestRace: however many workers queue and send at once, one mail each.
func TestDigestRace(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := &staff{w: w}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		s.choose(id, notifications.Monthly)
	}
	w.Clock.Set(london(w, "2026-05-01 09:00"))
	var wg sync.WaitGroup
	for _, owner := range []string{"one", "two", "three"} {
		n := digester(w, s, p, owner)
		wg.Go(func() {
			for range 3 {
				if err := n.QueueDigests(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := n.Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	to := map[string]int{}
	for _, e := range p.taken {
		to[e.To]++
	}
	if len(to) != 5 || p.count() != 5 {
		t.Errorf("mails: %v", to)
	}
}
