package app

import (
	"context"

	"victimvoice/internal/access"
	"victimvoice/notifications"
)

// readers shows the staff who asked for a digest to the room that writes mail,
// which knows nothing else of staff.
type readers struct{ access *access.Service }

func reader(u access.User) notifications.Reader {
	r := notifications.Reader{ID: u.ID, Every: notifications.Monthly, Since: u.DigestSince, Sent: u.DigestSent}
	if u.Digest == access.DigestQuarterly {
		r.Every = notifications.Quarterly
	}
	return r
}

// Readers implements [notifications.Readers].
func (a readers) Readers(ctx context.Context) ([]notifications.Reader, error) {
	users, err := a.access.DigestReaders(ctx)
	list := make([]notifications.Reader, len(users))
	for i, u := range users {
		list[i] = reader(u)
	}
	return list, err
}

// Reader implements [notifications.Readers].
func (a readers) Reader(ctx context.Context, id string) (notifications.Reader, string, error) {
	u, address, err := a.access.DigestReader(ctx, id)
	return reader(u), address, err
}

// Mailed implements [notifications.Readers].
func (a readers) Mailed(ctx context.Context, id, issue string) error {
	return a.access.DigestSent(ctx, id, issue)
}

// Stop implements [notifications.Readers].
func (a readers) Stop(ctx context.Context, id string) error { return a.access.StopDigest(ctx, id) }
