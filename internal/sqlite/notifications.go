package sqlite

import (
	"context"
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
	return s.messages.first(ctx, "WHERE mail_id <> '' AND mail_id = ? ORDER BY id", mailID)
}

// claimable finds pending messages that are due and sending ones whose lease ran
// out, each by its own index. The second is named, since sorting the few that ran
// out is better than walking all that are being sent in the order asked for.
const claimable = `SELECT body FROM (
	SELECT * FROM (SELECT due_at, id, body FROM messages WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, id LIMIT ?)
	UNION ALL
	SELECT * FROM (SELECT due_at, id, body FROM messages INDEXED BY messages_lease WHERE state = 'sending' AND lease_until <= ? ORDER BY due_at, id LIMIT ?)
) ORDER BY due_at, id LIMIT ?`

// ClaimMessages implements [notifications.Outbox]. The candidates are read and
// swapped on the writing connection, so that no claim is ever lost to another.
func (s *Store) ClaimMessages(ctx context.Context, owner string, now, until time.Time, limit int) ([]notifications.Message, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var claimed []notifications.Message
	err := s.write.do(ctx, func(w *writer) error {
		bodies, err := w.query(claimable, ms(now), limit, ms(now), limit, limit)
		if err != nil {
			return err
		}
		for _, old := range bodies {
			m, err := s.messages.decode(old)
			if err != nil {
				return err
			}
			version := m.Version
			if m.State == notifications.Sending {
				m.Unsure++
			}
			m.State, m.Owner, m.LeaseUntil, m.ChangedAt = notifications.Sending, owner, until, now
			m.Fence++
			m.Attempts++
			kept, args, err := s.messages.row(m, version+1)
			if err != nil {
				return err
			}
			n, err := w.exec(s.messages.replaceRow, append(args[1:], m.ID, version)...)
			if err != nil {
				return err
			}
			if n == 1 {
				claimed = append(claimed, kept)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fail(ctx, err, "claim messages")
	}
	return claimed, nil
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
func (s *Store) OutboxBacklog(ctx context.Context) (notifications.Backlog, error) {
	st, err := s.stmt(ctx, `SELECT
		(SELECT count(*) FROM messages WHERE state = 'pending'),
		(SELECT count(*) FROM messages WHERE state = 'sending'),
		(SELECT count(*) FROM messages WHERE state = 'failed'),
		(SELECT coalesce(min(due_at), ?) FROM messages WHERE state = 'pending')`)
	if err != nil {
		return notifications.Backlog{}, err
	}
	var b notifications.Backlog
	var oldest int64
	if err := st.QueryRowContext(ctx, ms(time.Time{})).Scan(&b.Pending, &b.Sending, &b.Failed, &oldest); err != nil {
		return notifications.Backlog{}, s.failRead(ctx, err, "count the outbox")
	}
	b.Oldest = time.UnixMilli(oldest).UTC()
	return b, nil
}
