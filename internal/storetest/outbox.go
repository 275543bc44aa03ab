package storetest

import (
	"fmt"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/notifications"
)

func messageID(m notifications.Message) string { return m.ID }

func outbox(t *testing.T, s Store) {
	ctx := t.Context()
	until := t0.Add(5 * time.Minute)
	for _, m := range []notifications.Message{
		{ID: "b", MailID: "mail-b", State: notifications.Pending, DueAt: t0, CreatedAt: t0},
		{ID: "a", MailID: "mail-a", State: notifications.Pending, DueAt: t0, CreatedAt: t0},
		{ID: "early", State: notifications.Pending, DueAt: t0.Add(-time.Hour), CreatedAt: t0},
		{ID: "later", State: notifications.Pending, DueAt: t0.Add(time.Millisecond), CreatedAt: t0},
		{ID: "failed", State: notifications.Failed, DueAt: t0.Add(-time.Hour)},
		{ID: "sent", State: notifications.Sent, DueAt: t0.Add(-time.Hour)},
		{ID: "dropped", State: notifications.Dropped, DueAt: t0.Add(-time.Hour)},
	} {
		ok(t, s.PutMessage(ctx, m))
	}
	// Putting it again is nothing, whatever has become of the first.
	ok(t, s.PutMessage(ctx, notifications.Message{ID: "b", Kind: notifications.KindReminder, State: notifications.Pending}))
	b, err := s.Message(ctx, "b")
	if must(t, b, err); b.Kind != "" || b.Version != 1 || b.MailID != "mail-b" {
		t.Errorf("put again: %+v", b)
	}
	got, err := s.MessageByMailID(ctx, "mail-a")
	if must(t, got, err); got.ID != "a" {
		t.Errorf("by mail id: %+v", got)
	}
	backlog, err := s.OutboxBacklog(ctx)
	equal(t, "backlog", must(t, backlog, err), notifications.Backlog{Pending: 4, Failed: 1, Oldest: t0.Add(-time.Hour)})

	none, err := s.ClaimMessages(ctx, "w1", t0, until, 0)
	same(t, "claims of none", idsOf(must(t, none, err), messageID), nil)
	first, err := s.ClaimMessages(ctx, "w1", t0, until, 2)
	same(t, "the first two", idsOf(must(t, first, err), messageID), []string{"early", "a"})
	want := notifications.Message{
		ID: "a", Version: 2, MailID: "mail-a", State: notifications.Sending, DueAt: t0, CreatedAt: t0,
		Owner: "w1", LeaseUntil: until, Fence: 1, Attempts: 1, ChangedAt: t0,
	}
	equal(t, "as claimed", first[1], want)
	stored, err := s.Message(ctx, "a")
	equal(t, "as stored", must(t, stored, err), want)
	second, err := s.ClaimMessages(ctx, "w2", t0, until, 10)
	same(t, "the rest", idsOf(must(t, second, err), messageID), []string{"b"})
	backlog, err = s.OutboxBacklog(ctx)
	equal(t, "backlog with claims", must(t, backlog, err), notifications.Backlog{Pending: 1, Sending: 3, Failed: 1, Oldest: t0.Add(time.Millisecond)})

	// A lease holds until its end; then the work comes back, and nobody knows whether it was mailed.
	held, err := s.ClaimMessages(ctx, "w3", until.Add(-time.Millisecond), until.Add(time.Hour), 10)
	same(t, "while leases hold", idsOf(must(t, held, err), messageID), []string{"later"})
	settle := func(id string, fence int64, state notifications.State) error {
		_, err := s.UpdateMessage(ctx, id, fence, func(m *notifications.Message) error { m.State = state; m.SentAt = t0; return nil })
		return err
	}
	ok(t, settle("early", 1, notifications.Sent))
	back, err := s.ClaimMessages(ctx, "w3", until, until.Add(time.Hour), 10)
	same(t, "leases that ran out", idsOf(must(t, back, err), messageID), []string{"a", "b"})
	for _, m := range back {
		if m.Unsure != 1 || m.Fence != 2 || m.Attempts != 2 || m.Owner != "w3" || !m.LeaseUntil.Equal(until.Add(time.Hour)) {
			t.Errorf("claimed again: %+v", m)
		}
	}

	// Who lost the lease may not settle; who holds it may, once the fence is right.
	wantKind(t, settle("a", 1, notifications.Sent), fault.Conflict, "a stale settle")
	wantKind(t, settle("a", 3, notifications.Sent), fault.Conflict, "a settle from the future")
	wantKind(t, settle("unknown", 1, notifications.Sent), fault.Conflict, "a settle of what is not there")
	a, err := s.Message(ctx, "a")
	if must(t, a, err); a.State != notifications.Sending || a.Owner != "w3" {
		t.Errorf("after a stale settle: %+v", a)
	}
	ok(t, settle("a", 2, notifications.Sent))
	// A retry moves it on, to be claimed when that is due.
	_, err = s.UpdateMessage(ctx, "b", 2, func(m *notifications.Message) error {
		m.State, m.DueAt, m.Owner, m.LeaseUntil = notifications.Pending, until.Add(24*time.Hour), "", time.Time{}
		return nil
	})
	ok(t, err)
	again, err := s.ClaimMessages(ctx, "w4", until.Add(23*time.Hour), until.Add(25*time.Hour), 10)
	same(t, "before the retry", idsOf(must(t, again, err), messageID), []string{"later"})
	again, err = s.ClaimMessages(ctx, "w4", until.Add(24*time.Hour), until.Add(25*time.Hour), 10)
	if must(t, again, err); len(again) != 1 || again[0].ID != "b" || again[0].Unsure != 1 || again[0].Fence != 3 {
		t.Errorf("the retry: %+v", again)
	}
}

func claimRace(t *testing.T, s Store) {
	ctx := t.Context()
	const claimers, messages = 50, 100
	for i := range messages {
		ok(t, s.PutMessage(ctx, notifications.Message{
			ID: fmt.Sprintf("%03d", i), State: notifications.Pending, DueAt: t0.Add(-time.Duration(i%3) * time.Second),
		}))
	}
	claimed := gather(t, claimers, func(i int) (all []notifications.Message, err error) {
		for {
			got, err := s.ClaimMessages(ctx, fmt.Sprint("w", i), t0, t0.Add(time.Minute), 1+i%4)
			if err != nil || len(got) == 0 {
				return all, err
			}
			all = append(all, got...)
		}
	})
	times := make(map[string]int)
	for _, m := range claimed {
		times[m.ID]++
		if m.Fence != 1 || m.Attempts != 1 || m.Unsure != 0 {
			t.Errorf("%+v", m)
		}
	}
	if len(claimed) != messages || len(times) != messages {
		t.Errorf("%d claims of %d messages, want %d of each once", len(claimed), len(times), messages)
	}
	for _, m := range claimed {
		stored, err := s.Message(ctx, m.ID)
		equal(t, "stored claim", must(t, stored, err), m)
	}
}

func leaseRace(t *testing.T, s Store) {
	ctx := t.Context()
	const messages = 12
	for i := range messages {
		ok(t, s.PutMessage(ctx, notifications.Message{ID: fmt.Sprintf("%02d", i), State: notifications.Pending, DueAt: t0}))
	}
	// Round after round everybody dies with the claims in hand.
	for round := range 3 {
		now := t0.Add(time.Duration(round) * time.Minute)
		claimed := gather(t, 12, func(i int) ([]notifications.Message, error) {
			return s.ClaimMessages(ctx, fmt.Sprint("w", i), now, now.Add(time.Minute), 3)
		})
		fences := make(map[string]int64)
		for _, m := range claimed {
			if fences[m.ID] != 0 {
				t.Errorf("round %d: %s was claimed twice", round, m.ID)
			}
			fences[m.ID] = m.Fence
			if m.Fence != int64(round+1) || m.Unsure != round {
				t.Errorf("round %d: %+v", round, m)
			}
		}
		if len(fences) != messages {
			t.Errorf("round %d: %d claimed, want %d", round, len(fences), messages)
		}
	}
}
