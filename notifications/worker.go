package notifications

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
)

const (
	leaseFor    = 5 * time.Minute // how long a claimed message is ours
	sendTimeout = 2 * time.Minute // a mail is only begun with more than this left of its lease, so that a slow mail server cannot outlive it
	claimBatch  = 20
	senders     = 4 // messages written at once
)

// Settings of the worker.
type Settings struct {
	From      mail.Address
	ReplyTo   mail.Address // zero: replies go to From
	SurveyURL string       // where survey links point, without a trailing slash
	PublicURL string       // the public page that told letters point at
	StaffURL  string       // where staff sign in, without a trailing slash
	Owner     string       // names this process in leases
}

// Service queues what is due and sends what is queued.
type Service struct {
	outbox  Outbox
	survey  *survey.Service
	loop    *loop.Service
	readers Readers
	letters *Letters
	sender  Sender
	set     Settings
	now     func() time.Time
	log     *slog.Logger

	// Observe, if set, is told of each message that was settled: kind and state.
	Observe func(kind Kind, state State)
}

// NewService puts the worker together.
func NewService(outbox Outbox, sv *survey.Service, lp *loop.Service, readers Readers, letters *Letters, sender Sender, set Settings, now func() time.Time, log *slog.Logger) *Service {
	set.SurveyURL, set.StaffURL = strings.TrimSuffix(set.SurveyURL, "/"), strings.TrimSuffix(set.StaffURL, "/")
	return &Service{outbox: outbox, survey: sv, loop: lp, readers: readers, letters: letters, sender: sender, set: set, now: func() time.Time { return now().UTC().Truncate(time.Millisecond) }, log: log}
}

// QueueDue puts the invitations and reminders that fell due in the outbox: step 4.
func (s *Service) QueueDue(ctx context.Context) (int, error) {
	return s.survey.Due(ctx, 200, s.put)
}

func (s *Service) put(ctx context.Context, e survey.Errand) error {
	return s.outbox.PutMessage(ctx, Message{
		ID: e.ID, Kind: Kind(e.Kind), Case: e.Case, Stage: e.Stage, Round: e.Round, MailID: e.ID,
		State: Pending, DueAt: e.DueAt, CreatedAt: s.now(), ChangedAt: s.now(),
	})
}

// QueueTold puts the letters to those who asked to be told in the outbox: step 14.
func (s *Service) QueueTold(ctx context.Context) (int, error) {
	return s.loop.Tell(ctx, func(ctx context.Context, t loop.Telling) error {
		return s.outbox.PutMessage(ctx, Message{
			ID: t.ID, Kind: KindTold, Ref: t.Ref, MailID: t.ID, State: Pending, DueAt: t.DueAt, CreatedAt: s.now(), ChangedAt: s.now(),
		})
	})
}

// Deliver claims what is due in the outbox and sends it: step 5. It gives how
// many messages were claimed. A message that cannot be sent now is put back; one
// that fails does not stop the others; the first fault of ours is returned.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	now := s.now()
	messages, err := s.outbox.ClaimMessages(ctx, s.set.Owner, now, now.Add(leaseFor), claimBatch)
	if err != nil {
		return 0, fmt.Errorf("claim messages: %w", err)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		slots = make(chan struct{}, senders)
	)
	for _, m := range messages {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			if err := s.deliver(ctx, m); err != nil {
				mu.Lock()
				first = errors.Join(first, err)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return len(messages), first
}

func (s *Service) deliver(ctx context.Context, m Message) error {
	if !s.now().Add(sendTimeout).Before(m.LeaseUntil) {
		// The messages before it took too long: another worker may have it before we are done.
		return s.settle(ctx, &m, func(m *Message) { m.State, m.Attempts = Pending, m.Attempts-1 })
	}
	letter, err := s.write(ctx, &m)
	var notDue *survey.NotDue
	switch {
	case errors.As(err, &notDue) && !notDue.Until.IsZero():
		// Waiting for safe hours is no fault of the mail system: the next stretch of tries counts afresh.
		return s.settle(ctx, &m, func(m *Message) { m.State, m.DueAt, m.TriedAt = Pending, notDue.Until, time.Time{} })
	case errors.As(err, &notDue) && notDue.Reason == survey.AlreadySent:
		return s.settle(ctx, &m, func(m *Message) { m.State, m.SentAt = Sent, s.now() })
	case errors.As(err, &notDue):
		return s.settle(ctx, &m, func(m *Message) { m.State, m.Reason = Dropped, string(notDue.Reason) })
	case err != nil:
		return errors.Join(fmt.Errorf("write message %s: %w", m.ID, err), s.retry(ctx, &m, "unwritten", false))
	}
	envelope, err := s.letters.Compose(s.set.From, letter)
	if err != nil {
		// The address cannot be written to; the letters' own words were tried at the start.
		s.log.Warn("mail not composed", "message", m.ID, "kind", m.Kind)
		return s.end(ctx, &m, survey.Rejected, Failed, "address")
	}
	sendCtx, cancel := context.WithTimeout(ctx, sendTimeout)
	err = s.sender.Send(sendCtx, envelope)
	cancel()
	var se *SendError
	switch {
	case err == nil:
		return s.end(ctx, &m, survey.Delivered, Sent, "")
	case errors.As(err, &se) && se.Permanent:
		s.log.Warn("mail refused for good", "message", m.ID, "kind", m.Kind, "stage", se.Stage, "code", se.Code)
		return s.end(ctx, &m, survey.Rejected, Failed, fmt.Sprintf("%s %d", se.Stage, se.Code))
	case errors.As(err, &se) && se.Config:
		s.log.Error("mail settings are at fault", "message", m.ID, "stage", se.Stage, "code", se.Code)
		return s.retry(ctx, &m, "settings", se.Uncertain)
	default:
		s.log.Warn("mail not taken", "message", m.ID, "attempt", m.Attempts, "error", err)
		return s.retry(ctx, &m, "temporary", se != nil && se.Uncertain)
	}
}

// write asks once more whether the message is due and makes its letter. The
// link exists from here on, and only in the letter.
func (s *Service) write(ctx context.Context, m *Message) (Letter, error) {
	l := Letter{Kind: m.Kind, MailID: m.MailID, Date: s.now(), ReplyTo: s.set.ReplyTo}
	switch m.Kind {
	case KindTold:
		t, err := s.loop.ClaimTelling(ctx, m.Ref)
		if err != nil {
			return Letter{}, err
		}
		l.To, l.Language, l.Data.Link = t.Address, t.Language, s.set.PublicURL
		return l, nil
	case KindDigest:
		address, err := s.claimDigest(ctx, m.Ref)
		if err != nil {
			return Letter{}, err
		}
		l.To, l.Language = address, FallbackLanguage
		l.Data = LetterData{Link: s.set.StaffURL + "/figures", StopLink: s.set.StaffURL + "/account"}
		return l, nil
	}
	t, err := s.survey.Claim(ctx, m.errand())
	if err != nil {
		return Letter{}, err
	}
	link := s.set.SurveyURL + "/f/" + t.Token
	l.To, l.Language = t.Address, t.Language
	l.Data = LetterData{Link: link, StopLink: link + "/stop", NotForMeLink: link + "/not-me", Days: max(1, t.Days)}
	return l, nil
}

func (m *Message) errand() survey.Errand {
	return survey.Errand{ID: m.ID, Kind: survey.MailKind(m.Kind), Case: m.Case, Stage: m.Stage, Round: m.Round, DueAt: m.DueAt}
}

// end settles a message for good: first where it matters to the person (the
// invitation), then in the outbox. A crash in between is mended by the next claim,
// which finds the invitation settled.
func (s *Service) end(ctx context.Context, m *Message, d survey.Delivery, state State, reason string) error {
	ctx = context.WithoutCancel(ctx) // what has been sent must be written down, also while shutting down
	var err error
	switch {
	case d == survey.GivenUp && (m.Kind == KindTold || m.Kind == KindDigest): // a mail system that was away says nothing of the address
	case m.Kind == KindTold:
		err = s.loop.SettledTelling(ctx, m.Ref, d == survey.Delivered)
	case m.Kind == KindDigest:
		err = s.settledDigest(ctx, m, d == survey.Delivered)
	default:
		err = s.survey.Settled(ctx, m.errand(), d)
	}
	if err != nil {
		return fmt.Errorf("settle message %s: %w", m.ID, err)
	}
	return s.settle(ctx, m, func(m *Message) {
		m.State, m.Reason = state, reason
		if state == Sent {
			m.SentAt = s.now()
		}
	})
}

// retry puts a message back for later, or gives it up when its time is over.
// A mail that may have been taken all the same is counted.
func (s *Service) retry(ctx context.Context, m *Message, reason string, uncertain bool) error {
	now := s.now()
	tried := m.TriedAt
	if tried.IsZero() {
		tried = now
	}
	if now.Sub(tried) > GiveUpAfter {
		s.log.Error("mail given up", "message", m.ID, "kind", m.Kind, "attempts", m.Attempts)
		return s.end(ctx, m, survey.GivenUp, Failed, reason)
	}
	return s.settle(context.WithoutCancel(ctx), m, func(m *Message) {
		m.State, m.Reason, m.TriedAt, m.DueAt = Pending, reason, tried, Backoff(m.Attempts, now, m.ID)
		if uncertain {
			m.Unsure++
		}
	})
}

// settle writes what became of a message, unless its lease passed to somebody else meanwhile.
func (s *Service) settle(ctx context.Context, m *Message, set func(*Message)) error {
	ctx = context.WithoutCancel(ctx)
	done, err := s.outbox.UpdateMessage(ctx, m.ID, m.Fence, func(m *Message) error {
		set(m)
		m.Owner, m.LeaseUntil, m.ChangedAt = "", time.Time{}, s.now()
		return nil
	})
	if fault.Is(err, fault.Conflict) {
		s.log.Warn("a message outlived its lease", "message", m.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("settle message %s: %w", m.ID, err)
	}
	if s.Observe != nil {
		s.Observe(done.Kind, done.State)
	}
	return nil
}

// The kinds of bounce that a mail system reports.
const (
	BouncePermanent = "permanent"
	BounceTransient = "transient"
)

// Bounce records that a mail which was sent came back, known by the left part
// of its Message-Id or the whole of it. A transient one is only counted.
// fault.NotFound when the mail is not ours, fault.Invalid for another kind.
func (s *Service) Bounce(ctx context.Context, messageID, kind string, at time.Time) error {
	mailID, _, _ := strings.Cut(strings.Trim(strings.TrimSpace(messageID), "<>"), "@")
	if kind != BouncePermanent && kind != BounceTransient {
		return fault.Fields("the bounce has faults", fault.Field{Field: "kind", Message: "want permanent or transient"})
	}
	m, err := s.outbox.MessageByMailID(ctx, mailID)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "no mail of ours has this message_id")
	}
	if err != nil {
		return fmt.Errorf("look a message up: %w", err)
	}
	s.log.Info("bounce", "message", m.ID, "kind", kind, "at", at)
	if kind == BounceTransient || m.State == Bounced {
		return nil
	}
	switch m.Kind {
	case KindTold:
		err = s.loop.SettledTelling(ctx, m.Ref, false)
	case KindDigest:
		err = s.settledDigest(ctx, &m, false)
	default:
		err = s.survey.Bounced(ctx, m.errand())
	}
	if err != nil {
		return fmt.Errorf("record a bounce: %w", err)
	}
	_, err = s.outbox.UpdateMessage(ctx, m.ID, m.Fence, func(m *Message) error {
		m.State, m.Reason, m.ChangedAt = Bounced, kind, s.now()
		return nil
	})
	if err != nil {
		return fmt.Errorf("record a bounce: %w", err)
	}
	return nil
}

// Backlog counts what waits in the outbox.
func (s *Service) Backlog(ctx context.Context) (Backlog, error) {
	b, err := s.outbox.OutboxBacklog(ctx)
	if err != nil {
		return Backlog{}, fmt.Errorf("count the outbox: %w", err)
	}
	return b, nil
}
