package notifications_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

const day = 24 * time.Hour

// post is a mail server that does as it is told.
type post struct {
	mu    sync.Mutex
	taken []notifications.Envelope
	do    func(ctx context.Context, e notifications.Envelope) error
}

func (p *post) Send(ctx context.Context, e notifications.Envelope) error {
	if p.do != nil {
		if err := p.do(ctx, e); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, e)
	return nil
}

func (p *post) count() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.taken) }

func answer(err error) func(context.Context, notifications.Envelope) error {
	return func(context.Context, notifications.Envelope) error { return err }
}

var (
	temporary = &notifications.SendError{Stage: "rcpt", Code: 451}
	permanent = &notifications.SendError{Stage: "rcpt", Code: 550, Enhanced: "5.1.1", Permanent: true}
	settings  = &notifications.SendError{Stage: "auth", Code: 535, Config: true}
)

func worker(w *roomtest.World, p *post, owner string) *notifications.Service {
	w.TB.Helper()
	letters, err := notifications.LoadLetters()
	if err != nil {
		w.TB.Fatal(err)
	}
	return notifications.NewService(w.Store, w.Survey, w.Loop, nil, letters, p, notifications.Settings{
		From: mail.Address{Name: "Feedback", Address: "feedback@example.org"}, ReplyTo: mail.Address{Address: "replies@example.org"}, SurveyURL: "https://feedback.example.org/", PublicURL: "https://example.org/public", Owner: owner,
	}, w.Clock.Now, slog.New(slog.DiscardHandler))
}

// queue makes n cases whose report mail is in the outbox.
func queue(w *roomtest.World, s *notifications.Service, n int, change ...func(*survey.Event)) {
	w.TB.Helper()
	for i := 1; i <= n; i++ {
		w.Receive(roomtest.Report(i, w.Clock.Now().Add(-time.Hour), change...))
	}
	w.Clock.Pass(day)
	if got, err := s.QueueDue(w.TB.Context()); err != nil || got != n {
		w.TB.Fatalf("%d queued, want %d, %v", got, n, err)
	}
}

func deliver(w *roomtest.World, s *notifications.Service) int {
	w.TB.Helper()
	n, err := s.Deliver(w.TB.Context())
	if err != nil {
		w.TB.Fatal(err)
	}
	return n
}

// message finds the one message in the outbox by the case's errand.
func message(w *roomtest.World, id string) notifications.Message {
	w.TB.Helper()
	m, err := w.Store.Message(w.TB.Context(), id)
	if err != nil {
		w.TB.Fatal(err)
	}
	return m
}

// only is the id of case 1's report mail: the same errand, asked for once more.
func only(w *roomtest.World, s *notifications.Service) string {
	w.TB.Helper()
	now := w.Clock.Now()
	ms, err := w.Store.ClaimMessages(w.TB.Context(), "peek", now.Add(1000*day), now, 1)
	if err != nil || len(ms) != 1 {
		w.TB.Fatalf("%d messages, %v", len(ms), err)
	}
	m := ms[0]
	if _, err := w.Store.UpdateMessage(w.TB.Context(), m.ID, m.Fence, func(m *notifications.Message) error {
		m.State, m.Owner, m.LeaseUntil, m.Attempts = notifications.Pending, "", time.Time{}, m.Attempts-1
		return nil
	}); err != nil {
		w.TB.Fatal(err)
	}
	return m.ID
}

func TestDeliver(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := worker(w, p, "a")
	queue(w, s, 1)
	if n, err := s.QueueDue(t.Context()); n != 0 || err != nil {
		t.Errorf("queued again: %d %v", n, err)
	}
	id := only(w, s)
	var seen []string
	s.Observe = func(k notifications.Kind, st notifications.State) { seen = append(seen, string(k)+" "+string(st)) }
	if n := deliver(w, s); n != 1 || p.count() != 1 {
		t.Fatalf("%d claimed, %d sent", n, p.count())
	}
	e := p.taken[0]
	if !strings.Contains(string(e.Raw), "\r\nReply-To: <replies@example.org>\r\n") {
		t.Errorf("replies go elsewhere:\n%s", e.Raw)
	}
	if e.To != roomtest.Address(1) || e.From != "feedback@example.org" || !strings.HasPrefix(e.MessageID, "<"+id+"@") {
		t.Errorf("the envelope: %s → %s %s", e.From, e.To, e.MessageID)
	}
	if m := message(w, id); m.State != notifications.Sent || !m.SentAt.Equal(w.Clock.Now()) || m.Owner != "" || m.Attempts != 1 || m.Unsure != 0 {
		t.Errorf("the message: %+v", m)
	}
	if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailSent {
		t.Errorf("the invitation: %+v", v.First)
	}
	if len(seen) != 1 || seen[0] != "invitation sent" {
		t.Errorf("observed: %v", seen)
	}
	if n := deliver(w, s); n != 0 || p.count() != 1 {
		t.Errorf("sent again: %d claimed, %d sent", n, p.count())
	}
	b, err := s.Backlog(t.Context())
	if err != nil || b.Pending+b.Sending+b.Failed != 0 {
		t.Errorf("backlog: %+v %v", b, err)
	}
}

// TestMailFaults: what each answer of the mail system leads to.
func TestMailFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		state  notifications.State
		reason string
		invite survey.MailState
		unsure int
	}{
		{"temporary", temporary, notifications.Pending, "temporary", survey.MailQueued, 0},
		{"an error of no known kind", errors.New("odd"), notifications.Pending, "temporary", survey.MailQueued, 0},
		{"taken perhaps", &notifications.SendError{Stage: "message", Uncertain: true}, notifications.Pending, "temporary", survey.MailQueued, 1},
		{"refused for good", permanent, notifications.Failed, "rcpt 550", survey.MailFailed, 0},
		{"our settings", settings, notifications.Pending, "settings", survey.MailQueued, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, p := roomtest.New(t), &post{do: answer(c.err)}
			s := worker(w, p, "a")
			queue(w, s, 1)
			id := only(w, s)
			now := w.Clock.Now()
			deliver(w, s)
			m := message(w, id)
			if m.State != c.state || m.Reason != c.reason || m.Unsure != c.unsure || m.Owner != "" || !m.LeaseUntil.IsZero() {
				t.Errorf("the message: %+v", m)
			}
			if v := w.Invite(1, survey.StageReport, 1); v.First.State != c.invite {
				t.Errorf("the invitation: %+v", v.First)
			}
			if c.state != notifications.Pending {
				if w.Case(1).Flags.Bounced == "" {
					t.Error("the address is not marked")
				}
				return
			}
			if want := notifications.Backoff(1, now, id); !m.DueAt.Equal(want.Truncate(time.Millisecond)) {
				t.Errorf("due again at %s, want %s", m.DueAt, want)
			}
			if n := deliver(w, s); n != 0 {
				t.Error("tried again at once")
			}
			p.do = nil
			w.Clock.Pass(time.Minute)
			if n := deliver(w, s); n != 1 || p.count() != 1 {
				t.Errorf("%d claimed, %d sent", n, p.count())
			}
			if m := message(w, id); m.State != notifications.Sent || m.Attempts != 2 {
				t.Errorf("at last: %+v", m)
			}
		})
	}
}

// TestGiveUp after two days of knocking, counted from the first try, and the address is not blamed.
func TestGiveUp(t *testing.T) {
	w, p := roomtest.New(t), &post{do: answer(temporary)}
	s := worker(w, p, "a")
	queue(w, s, 1)
	id := only(w, s)
	w.Clock.Pass(3 * day) // nobody was there to send it
	deliver(w, s)
	first := w.Clock.Now()
	if m := message(w, id); m.State != notifications.Pending {
		t.Fatalf("given up at its first try: %+v", m)
	}
	tries := 1
	for message(w, id).State == notifications.Pending {
		w.Clock.Set(message(w, id).DueAt)
		deliver(w, s)
		if tries++; tries > 100 {
			t.Fatal("never given up")
		}
	}
	if d := w.Clock.Now().Sub(first); d <= notifications.GiveUpAfter || d > notifications.GiveUpAfter+5*time.Hour {
		t.Errorf("given up %s after the first try", d)
	}
	if m := message(w, id); m.State != notifications.Failed || m.Reason != "temporary" || m.Attempts != tries {
		t.Errorf("%+v after %d tries", m, tries)
	}
	v := w.Invite(1, survey.StageReport, 1)
	if v.First.State != survey.MailFailed || w.Case(1).Flags.Bounced != "" {
		t.Errorf("the invitation: %+v; marked as bounced: %q", v.First, w.Case(1).Flags.Bounced)
	}
}

// TestNarrowSafeHours: a mail that waits from window to window is not given up at
// the first fault of a later one.
func TestNarrowSafeHours(t *testing.T) {
	w, p := roomtest.New(t), &post{do: answer(temporary)}
	s := worker(w, p, "a")
	// Tuesdays from ten to five past: the fault comes at the window's end.
	queue(w, s, 1, func(e *survey.Event) {
		e.Contact.SafeDays, e.Contact.SafeFrom, e.Contact.SafeTo = []string{"tue"}, "10:00", "10:05"
	})
	id := only(w, s)
	w.Clock.Pass(4*time.Minute + 30*time.Second)
	deliver(w, s)
	w.Clock.Pass(5 * time.Minute)
	deliver(w, s)
	next := roomtest.Start().Add(8 * day)
	if m := message(w, id); m.State != notifications.Pending || !m.DueAt.Equal(next) {
		t.Fatalf("want it to wait until %s, have %+v", next, m)
	}
	w.Clock.Set(next)
	deliver(w, s)
	if m := message(w, id); m.State != notifications.Pending || m.DueAt.Sub(next) > 5*time.Hour {
		t.Errorf("one fault in the second window: %+v", m)
	}
	if p.count() != 0 {
		t.Error("sent")
	}
}

func TestNotDueAnyMore(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := worker(w, p, "a")
	queue(w, s, 1)
	id := only(w, s)
	w.Receive(roomtest.Event(1, "hold", survey.HoldPlaced, w.Clock.Now()))
	deliver(w, s)
	if m := message(w, id); m.State != notifications.Dropped || m.Reason != "hold" || p.count() != 0 {
		t.Errorf("%+v, %d sent", m, p.count())
	}
	w.Clock.Pass(time.Minute)
	w.Receive(roomtest.Event(1, "lift", survey.HoldLifted, w.Clock.Now()))
	if n, err := s.QueueDue(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d queued afresh, %v", n, err)
	}
	deliver(w, s)
	if p.count() != 1 {
		t.Errorf("%d sent after the hold was lifted", p.count())
	}
}

// TestAddressThatCannotBeWritten: the letter cannot be composed, and that is the address's fault.
func TestAddressThatCannotBeWritten(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := worker(w, p, "a")
	long := strings.Repeat("l", 65) + "@example.org" // RFC 5321 allows 64
	w.Receive(roomtest.Report(1, w.Clock.Now().Add(-time.Hour), func(e *survey.Event) { e.Contact.Email = long }), roomtest.Report(2, w.Clock.Now().Add(-time.Hour)))
	w.Clock.Pass(day)
	if n, err := s.QueueDue(t.Context()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	deliver(w, s)
	v := w.Invite(1, survey.StageReport, 1)
	if v.First.State != survey.MailFailed || w.Case(1).Flags.Bounced == "" {
		t.Errorf("%+v", v.First)
	}
	if p.count() != 1 || p.taken[0].To != roomtest.Address(2) {
		t.Errorf("%d sent", p.count())
	}
}

// TestDeliverCrashes: at whichever port call the process dies, the next one ends
// the same; a second mail only where the first had left before it was written down, and then it is counted.
func TestDeliverCrashes(t *testing.T) {
	posts := map[*roomtest.World]*post{}
	ids := map[*roomtest.World]string{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		posts[w] = &post{}
		s := worker(w, posts[w], "a")
		queue(w, s, 1)
		ids[w] = only(w, s)
	}, func(w *roomtest.World) error {
		_, err := worker(w, posts[w], "a").Deliver(t.Context())
		return err
	}, func(w *roomtest.World, crash string) {
		p := posts[w]
		s := worker(w, p, "b")
		if n := deliver(w, s); n != 0 && message(w, ids[w]).Attempts != 1 {
			t.Errorf("%s: claimed before the lease ran out", crash)
		}
		w.Clock.Pass(10 * time.Minute)
		deliver(w, s)
		m := message(w, ids[w])
		if m.State != notifications.Sent {
			t.Errorf("%s: %+v", crash, m)
		}
		if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailSent {
			t.Errorf("%s: %+v", crash, v.First)
		}
		if n := p.count(); n < 1 || n > 2 || n == 2 && m.Unsure != 1 {
			t.Errorf("%s: %d mails, %d of them unsure", crash, n, m.Unsure)
		}
		if n := p.count(); n == 2 && strings.Contains(crash, "UpdateMessage") {
			t.Errorf("%s: mailed twice although the invitation was settled", crash)
		}
		if due, err := s.QueueDue(t.Context()); due != 0 || err != nil {
			t.Errorf("%s: queued again: %d %v", crash, due, err)
		}
	})
}

// TestTwoWorkers deliver many messages at once: each goes out once.
func TestTwoWorkers(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	a, b := worker(w, p, "a"), worker(w, p, "b")
	const n = 60
	queue(w, a, n)
	var wg sync.WaitGroup
	for _, s := range []*notifications.Service{a, b, a, b} {
		wg.Go(func() {
			for {
				got, err := s.Deliver(t.Context())
				if err != nil {
					t.Error(err)
				}
				if got == 0 || err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	to := map[string]int{}
	for _, e := range p.taken {
		to[e.To]++
	}
	if len(p.taken) != n || len(to) != n {
		t.Errorf("%d mails to %d people, want %d", len(p.taken), len(to), n)
	}
}

// TestLeaseRunsOut while the mail server thinks: a second worker takes the
// message over once the first has settled, and does not send it again; nor does the
// first settle what has passed to the second.
func TestLeaseRunsOut(t *testing.T) {
	w := roomtest.New(t)
	second := &post{}
	slow := &post{}
	a, b := worker(w, slow, "a"), worker(w, second, "b")
	queue(w, a, 1)
	id := only(w, a)
	slow.do = func(context.Context, notifications.Envelope) error {
		w.Clock.Pass(6 * time.Minute)
		slow.do = nil
		// It is claimed by another, which finds it due still: this is the one double that cannot be told.
		deliver(w, b)
		return nil
	}
	deliver(w, a)
	m := message(w, id)
	if m.State != notifications.Sent || m.Unsure != 1 || m.Fence < 2 {
		t.Errorf("%+v", m)
	}
	if slow.count()+second.count() != 2 {
		t.Errorf("%d and %d mails", slow.count(), second.count())
	}
	w.Clock.Pass(10 * time.Minute)
	if n := deliver(w, b); n != 0 {
		t.Error("claimed a third time")
	}
}

// TestSlowServerNeverOutlivesALease: with a mail server that hangs on every mail,
// no mail is begun so late that its lease could run out under it.
func TestSlowServerNeverOutlivesALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := roomtest.New(t)
		p := &post{}
		s := worker(w, p, "a")
		queue(w, s, 20)
		begin, base := time.Now(), w.Clock.Now()
		var mu sync.Mutex
		var late time.Duration
		hung := 0
		p.do = func(ctx context.Context, _ notifications.Envelope) error {
			<-ctx.Done()
			w.Clock.Set(base.Add(time.Since(begin)))
			mu.Lock()
			hung++
			late = max(late, time.Since(begin))
			mu.Unlock()
			return &notifications.SendError{Stage: "data", Err: ctx.Err()}
		}
		if _, err := s.Deliver(t.Context()); err != nil {
			t.Error(err)
		}
		if late > 5*time.Minute {
			t.Errorf("a mail was under way %s after its claim; the lease is 5 minutes", late)
		}
		if hung == 0 || hung == 20 {
			t.Errorf("%d of 20 mails were tried", hung)
		}
		b, err := s.Backlog(t.Context())
		if err != nil || b.Pending != 20 || b.Sending != 0 {
			t.Errorf("all are put back for later: %+v %v", b, err)
		}
	})
}

// TestStoppedWhileSending: the end of the process is no failure of the mail.
func TestStoppedWhileSending(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := worker(w, p, "a")
	queue(w, s, 1)
	id := only(w, s)
	ctx, stop := context.WithCancel(t.Context())
	p.do = func(ctx context.Context, _ notifications.Envelope) error {
		stop()
		<-ctx.Done()
		return &notifications.SendError{Stage: "dial", Err: ctx.Err()}
	}
	if _, err := s.Deliver(ctx); err != nil {
		t.Errorf("%v", err)
	}
	if m := message(w, id); m.State != notifications.Pending || m.Owner != "" {
		t.Errorf("%+v", m)
	}
	// And a mail that left just then is written down.
	ctx, stop = context.WithCancel(t.Context())
	p.do = func(context.Context, notifications.Envelope) error { stop(); return nil }
	w.Clock.Pass(time.Minute)
	if _, err := s.Deliver(ctx); err != nil {
		t.Errorf("%v", err)
	}
	if m := message(w, id); m.State != notifications.Sent {
		t.Errorf("%+v", m)
	}
}

func TestBounce(t *testing.T) {
	w, p := roomtest.New(t), &post{}
	s := worker(w, p, "a")
	queue(w, s, 1)
	deliver(w, s)
	id := p.taken[0].MessageID
	roomtest.Want(t, s.Bounce(t.Context(), id, "odd", w.Clock.Now()), fault.Invalid, "an unknown kind")
	roomtest.Want(t, s.Bounce(t.Context(), "<other@example.org>", notifications.BouncePermanent, w.Clock.Now()), fault.NotFound, "not ours")
	if err := s.Bounce(t.Context(), id, notifications.BounceTransient, w.Clock.Now()); err != nil {
		t.Error(err)
	}
	if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailSent {
		t.Errorf("a delay counts as a bounce: %+v", v.First)
	}
	for _, form := range []string{id, strings.Trim(id, "<>"), strings.Split(strings.Trim(id, "<>"), "@")[0]} {
		if err := s.Bounce(t.Context(), " "+form+" ", notifications.BouncePermanent, w.Clock.Now()); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
	if v := w.Invite(1, survey.StageReport, 1); v.First.State != survey.MailFailed || v.First.Reason != survey.Undelivered {
		t.Errorf("%+v", v.First)
	}
	w.Clock.Pass(90 * day)
	if n, err := s.QueueDue(t.Context()); n != 0 || err != nil {
		t.Errorf("more mail to an address that bounced: %d %v", n, err)
	}
}

func TestBounceCrashes(t *testing.T) {
	ids := map[*roomtest.World]string{}
	bounce := func(w *roomtest.World) error {
		return worker(w, &post{}, "a").Bounce(t.Context(), ids[w], notifications.BouncePermanent, w.Clock.Now())
	}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		p := &post{}
		s := worker(w, p, "a")
		queue(w, s, 1)
		deliver(w, s)
		ids[w] = p.taken[0].MessageID
	}, bounce, func(w *roomtest.World, crash string) {
		if err := bounce(w); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		m, err := w.Store.MessageByMailID(t.Context(), strings.Split(strings.Trim(ids[w], "<>"), "@")[0])
		if err != nil || m.State != notifications.Bounced || w.Case(1).Flags.Bounced == "" {
			t.Errorf("%s: %+v %v", crash, m, err)
		}
	})
}

// told is a world with one subscriber and one publication, and its letter in the outbox.
func told(t *testing.T, p *post) (*roomtest.World, *notifications.Service) {
	t.Helper()
	w := roomtest.New(t)
	subscribe(w, 1)
	publish(w)
	s := worker(w, p, "a")
	if n, err := s.QueueTold(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d queued, %v", n, err)
	}
	return w, s
}

func subscribe(w *roomtest.World, n int) {
	w.TB.Helper()
	st := w.Sit(w.Invited(n), true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(st, survey.Ticks{Told: true})
	if err := w.Loop.FollowUp(w.TB.Context(), &r); err != nil {
		w.TB.Fatal(err)
	}
}

func publish(w *roomtest.World) {
	w.TB.Helper()
	w.Clock.Pass(time.Minute)
	id := fmt.Sprintf("action-%d", w.Clock.Now().UnixNano())
	if _, err := w.Store.UpdateAction(w.TB.Context(), id, func(a *loop.Action) error {
		a.Title, a.Status, a.WeDid, a.DoneOn = "Ring back", loop.Done, "A desk opened.", "2026-03-01"
		return nil
	}); err != nil {
		w.TB.Fatal(err)
	}
	if _, err := w.Loop.Publish(w.TB.Context(), survey.Actor{ID: "chief"}, "Spring", []string{id}); err != nil {
		w.TB.Fatal(err)
	}
}

func TestToldMail(t *testing.T) {
	p := &post{}
	w, s := told(t, p)
	if n, err := s.QueueTold(t.Context()); n != 0 || err != nil {
		t.Errorf("queued again: %d %v", n, err)
	}
	deliver(w, s)
	if p.count() != 1 || p.taken[0].To != roomtest.Address(1) || !strings.Contains(string(p.taken[0].Raw), url.PathEscape("public")) {
		t.Fatalf("%d letters", p.count())
	}
	// The next publication is told as well; after opting out no more is.
	publish(w)
	if n, err := s.QueueTold(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	deliver(w, s)
	if p.count() != 2 {
		t.Errorf("%d letters after two publications", p.count())
	}
	w.Receive(roomtest.Event(1, "stop", survey.OptedOut, w.Clock.Now()))
	publish(w)
	if n, err := s.QueueTold(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	deliver(w, s)
	if p.count() != 2 {
		t.Errorf("%d letters: told after opting out", p.count())
	}
}

// TestToldFaults: a server of ours that is away for days does not end what the
// person asked for; an address that is refused does.
func TestToldFaults(t *testing.T) {
	p := &post{do: answer(temporary)}
	w, s := told(t, p)
	id := only(w, s)
	for tries := 0; message(w, id).State == notifications.Pending && tries < 100; tries++ {
		w.Clock.Set(message(w, id).DueAt)
		deliver(w, s)
	}
	if m := message(w, id); m.State != notifications.Failed {
		t.Fatalf("never given up: %+v", m)
	}
	p.do = nil
	publish(w)
	if n, err := s.QueueTold(t.Context()); n != 1 || err != nil {
		t.Errorf("after an outage: %d told, %v", n, err)
	}
	deliver(w, s)
	p.do = answer(permanent)
	publish(w)
	if n, err := s.QueueTold(t.Context()); n != 1 || err != nil {
		t.Errorf("%d told, %v", n, err)
	}
	deliver(w, s)
	publish(w)
	if n, err := s.QueueTold(t.Context()); n != 0 || err != nil {
		t.Errorf("told at an address that was refused: %d, %v", n, err)
	}
}

// TestToldCrashes: told once, also when the process dies after the letter left.
func TestToldCrashes(t *testing.T) {
	posts := map[*roomtest.World]*post{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		posts[w] = &post{}
		subscribe(w, 1)
		publish(w)
		if _, err := worker(w, posts[w], "a").QueueTold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}, func(w *roomtest.World) error {
		_, err := worker(w, posts[w], "a").Deliver(t.Context())
		return err
	}, func(w *roomtest.World, crash string) {
		w.Clock.Pass(10 * time.Minute)
		deliver(w, worker(w, posts[w], "b"))
		n := posts[w].count()
		if n < 1 || n > 2 || n == 2 && strings.Contains(crash, "UpdateMessage") {
			t.Errorf("%s: %d letters", crash, n)
		}
		if b, err := w.Store.OutboxBacklog(t.Context()); err != nil || b.Pending+b.Sending+b.Failed != 0 {
			t.Errorf("%s: %+v %v", crash, b, err)
		}
	})
}
