package mongodb

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/notifications"
)

var _ notifications.Outbox = (*Store)(nil)

// PutMessage implements [notifications.Outbox].
func (s *Store) PutMessage(ctx context.Context, m notifications.Message) error {
	err := s.messages.insert(ctx, m)
	if fault.Is(err, fault.Conflict) {
		return nil // put before
	}
	return err
}

// Message implements [notifications.Outbox].
func (s *Store) Message(ctx context.Context, id string) (notifications.Message, error) {
	return s.messages.get(ctx, id)
}

// MessageByMailID implements [notifications.Outbox].
func (s *Store) MessageByMailID(ctx context.Context, mailID string) (notifications.Message, error) {
	if mailID == "" {
		return notifications.Message{}, errNotFound(s.messages.noun)
	}
	return s.messages.first(ctx, where("mail_id", mailID), ascending("_id"))
}

// claimable reads messages that are pending and due or whose lease ran out,
// each by its own index, earliest due first.
func (s *Store) claimable(ctx context.Context, now time.Time, limit int) ([]notifications.Message, error) {
	order := ascending("due_at", "_id")
	pending, err := s.messages.list(ctx, where("state", notifications.Pending, "due_at", op("$lte", now)), order, limit)
	if err != nil {
		return nil, err
	}
	lapsed, err := s.messages.list(ctx, where("state", notifications.Sending, "lease_until", op("$lte", now)), order, limit)
	if err != nil {
		return nil, err
	}
	all := append(pending, lapsed...)
	slices.SortFunc(all, func(a, b notifications.Message) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(limit, len(all))], nil
}

// ClaimMessages implements [notifications.Outbox]. Each candidate is claimed by
// its own {_id, version}; those that another claimed first are passed over, and
// the candidates are read again while any claim was lost.
func (s *Store) ClaimMessages(ctx context.Context, owner string, now, until time.Time, limit int) ([]notifications.Message, error) {
	var claimed []notifications.Message
	for len(claimed) < limit {
		candidates, err := s.claimable(ctx, now, limit-len(claimed)+extraCandidates)
		if err != nil {
			return claimed, unlessClaimed(claimed, err)
		}
		// The earliest first. Who loses one is not alone on the list, and goes on from
		// a place of its own, lest all lose to each other message after message; who
		// loses several holds an old list.
		n := len(candidates)
		tried := make([]bool, n)
		lost, from := 0, 0
		for i := 0; i < n && lost < staleAfter && len(claimed) < limit; i++ {
			k := (from + i) % n
			if tried[k] {
				continue
			}
			tried[k] = true
			m, won, err := s.claim(ctx, candidates[k], owner, now, until)
			if err != nil {
				return claimed, unlessClaimed(claimed, err)
			}
			if won {
				claimed = append(claimed, m)
				continue
			}
			if lost++; lost == 1 {
				from, i = place(owner, n), -1
			}
		}
		if lost == 0 {
			break
		}
	}
	return claimed, nil
}

// claim swaps one candidate for its claimed self and reports whether it was still as read.
func (s *Store) claim(ctx context.Context, m notifications.Message, owner string, now, until time.Time) (notifications.Message, bool, error) {
	version := m.Version
	if m.State == notifications.Sending {
		m.Unsure++
	}
	m.State, m.Owner, m.LeaseUntil, m.ChangedAt = notifications.Sending, owner, until, now
	m.Fence++
	m.Attempts++
	raw, err := s.messages.encode(&m, version+1)
	if err != nil {
		return m, false, err
	}
	won, err := s.messages.write(ctx, m.ID, version, raw)
	if err != nil || !won {
		return m, false, err
	}
	m, err = s.messages.decode(raw)
	return m, err == nil, err
}

// place is where on a list of n an owner goes when it meets another.
func place(owner string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(owner))     // never fails
	return int(h.Sum32() % uint32(n)) //nolint:gosec // G115: the length of a short list
}

// unlessClaimed decides what a failure after the first claim means: what is claimed
// is claimed, so the caller gets it without an error and meets the failure in its
// next call.
func unlessClaimed(claimed []notifications.Message, err error) error {
	if len(claimed) > 0 {
		return nil
	}
	return err
}

// UpdateMessage implements [notifications.Outbox].
func (s *Store) UpdateMessage(ctx context.Context, id string, fence int64, fn func(*notifications.Message) error) (notifications.Message, error) {
	return s.messages.update(ctx, id, func(m *notifications.Message) error {
		if m.Fence != fence {
			return fault.New(fault.Conflict, "this message was claimed by another since")
		}
		return fn(m)
	})
}

// OutboxBacklog implements [notifications.Outbox].
func (s *Store) OutboxBacklog(ctx context.Context) (b notifications.Backlog, err error) {
	for state, n := range map[notifications.State]*int{
		notifications.Pending: &b.Pending, notifications.Sending: &b.Sending, notifications.Failed: &b.Failed,
	} {
		if *n, err = s.messages.count(ctx, where("state", state)); err != nil {
			return notifications.Backlog{}, err
		}
	}
	oldest, err := s.messages.list(ctx, where("state", notifications.Pending), ascending("due_at", "_id"), 1)
	if err != nil {
		return notifications.Backlog{}, err
	}
	if len(oldest) > 0 {
		b.Oldest = oldest[0].DueAt
	}
	return b, nil
}
