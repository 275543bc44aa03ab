package notifications

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
)

// Every says how often somebody hears that there is something new to read.
type Every string

// How often. An issue of either is due at digestHour of the first working day
// after the month or the quarter that it is for.
const (
	Monthly   Every = "monthly"
	Quarterly Every = "quarterly"
)

// digestHour is the hour of the day, in the policy's zone, from which a digest
// may be sent: it is on the desk when the day begins.
const digestHour = 8

// Reader is one of the staff who asked for a digest.
type Reader struct {
	ID    string
	Every Every
	Since time.Time // when they chose; what fell due before is no business of theirs
	Sent  string    // the last issue that was mailed
}

// Readers is what this room has to know of staff. It gives none but those who
// may read figures now: somebody whose account is disabled or whose roles no
// longer have figures is not among them.
type Readers interface {
	Readers(ctx context.Context) ([]Reader, error)
	// Reader gives one reader and the address to write to; fault.NotFound when
	// there is none to write to any more.
	Reader(ctx context.Context, id string) (Reader, string, error)
	// Mailed keeps that an issue was sent.
	Mailed(ctx context.Context, id, issue string) error
	// Stop ends a reader's digest because the address takes no mail.
	Stop(ctx context.Context, id string) error
}

// issue is one digest: the period that ended and the instant from which its
// letters are due. Its name orders nothing; it only is the same everywhere.
type issue struct {
	name string
	due  time.Time
}

// latest is the newest issue that is due at an instant.
func latest(every Every, now time.Time, loc *time.Location) issue {
	local := now.In(loc)
	months := 1
	if every == Quarterly {
		months = 3
	}
	begin := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, loc)
	begin = begin.AddDate(0, -(int(begin.Month())-1)%months, 0)
	for {
		day := loop.NextWorkingDay(begin.AddDate(0, 0, -1), loc).In(loc)
		due := time.Date(day.Year(), day.Month(), day.Day(), digestHour, 0, 0, 0, loc).UTC()
		ended := begin.AddDate(0, -months, 0)
		if !due.After(now) {
			if every == Quarterly {
				return issue{fmt.Sprintf("%d-q%d", ended.Year(), (int(ended.Month())+2)/3), due}
			}
			return issue{ended.Format("2006-01"), due}
		}
		begin = ended
	}
}

// QueueDigests puts the newest digest of everybody who asked for one in the
// outbox. An issue that was missed for another is not made up for. Its ids are
// computed, so that doing it again, or in two processes at once, is doing it once.
func (s *Service) QueueDigests(ctx context.Context) error {
	readers, err := s.readers.Readers(ctx)
	if err != nil {
		return fmt.Errorf("list who wants a digest: %w", err)
	}
	var faults []error
	for _, r := range readers {
		i := latest(r.Every, s.now(), s.survey.Policy().Location())
		if r.Sent == i.name || r.Since.After(i.due) {
			continue
		}
		id := "digest-" + i.name + "-" + r.ID
		if err := s.outbox.PutMessage(ctx, Message{
			ID: id, Kind: KindDigest, Ref: i.name + "/" + r.ID, MailID: id, State: Pending, DueAt: i.due, CreatedAt: s.now(), ChangedAt: s.now(),
		}); err != nil {
			faults = append(faults, fmt.Errorf("queue a digest: %w", err)) // the others' come all the same
		}
	}
	return errors.Join(faults...)
}

// claimDigest asks at the moment of sending whether a digest is still due, and
// gives the address. A *survey.NotDue error says that it is not.
func (s *Service) claimDigest(ctx context.Context, ref string) (string, error) {
	name, id, _ := strings.Cut(ref, "/")
	r, address, err := s.readers.Reader(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return "", &survey.NotDue{Reason: survey.ReasonOptedOut}
	}
	if err != nil {
		return "", fmt.Errorf("find who wants a digest: %w", err)
	}
	if r.Sent == name { // a crash came between the letter and its settling in the outbox
		return "", &survey.NotDue{Reason: survey.AlreadySent}
	}
	// Whoever chose again since wants what they chose, and a letter that waited
	// for a month has nothing to say that the next doesn't.
	if i := latest(r.Every, s.now(), s.survey.Policy().Location()); i.name != name || r.Since.After(i.due) {
		return "", &survey.NotDue{Reason: survey.Superseded}
	}
	return address, nil
}

// settledDigest records what became of a digest. An address that refuses mail gets no more.
// What comes back of a letter that is older than their choice says nothing against it.
func (s *Service) settledDigest(ctx context.Context, m *Message, delivered bool) error {
	name, id, _ := strings.Cut(m.Ref, "/")
	var err error
	if delivered {
		err = s.readers.Mailed(ctx, id, name)
	} else {
		var r Reader
		r, _, err = s.readers.Reader(ctx, id)
		switch {
		case fault.Is(err, fault.NotFound):
			return nil // nobody to stop it for
		case err == nil && !r.Since.After(m.CreatedAt):
			err = s.readers.Stop(ctx, id)
		}
	}
	if err != nil {
		return fmt.Errorf("settle a digest: %w", err)
	}
	return nil
}
