package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/internal/access"
	"victimvoice/internal/app"
	"victimvoice/internal/seal"
	"victimvoice/notifications"
)

// letterbox keeps to whom mails went.
type letterbox struct {
	mu sync.Mutex
	to []string
}

func (l *letterbox) Send(_ context.Context, e notifications.Envelope) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = append(l.to, strings.TrimSuffix(e.To, "@example.org"))
	return nil
}

// TestDigestOfTwoReplicas: two processes on one store queue and send at the same
// time; whoever asked for a digest and may read figures gets one mail, nobody else any.
func TestDigestOfTwoReplicas(t *testing.T) {
	onBothStores(t, "digest", func(t *testing.T, store app.Store, _ string) {
		text, err := seal.NewKeyset()
		if err != nil {
			t.Fatal(err)
		}
		keys, err := seal.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
		at := func(v time.Time) { mu.Lock(); defer mu.Unlock(); now = v }
		box := &letterbox{}
		var mailrooms []*notifications.Service
		var rooms *app.Rooms
		for _, owner := range []string{"one", "two"} {
			if rooms, err = app.Furnish(store, keys, clock, slog.New(slog.NewTextHandler(io.Discard, nil)), quickPasswords()); err != nil {
				t.Fatal(err)
			}
			m, err := rooms.Mailroom(box, mail.Address{Name: "Feedback", Address: "feedback@example.org"}, mail.Address{}, "https://feedback.example.org", "https://voice.example.org", owner)
			if err != nil {
				t.Fatal(err)
			}
			mailrooms = append(mailrooms, m)
		}
		ids := map[string]string{}
		add := func(name string, role access.Role, often access.Digest) {
			t.Helper()
			u, _, err := rooms.Access.AddUser(t.Context(), access.Operator(), access.NewUser{Email: name + "@example.org", Name: "Synthetic Person", Roles: []access.Role{role}, Password: "correct battery staple horse"})
			if err != nil {
				t.Fatal(err)
			}
			ids[name] = u.ID
			if often != access.DigestOff {
				if err := rooms.Access.ChooseDigest(t.Context(), u.ID, often); err != nil {
					t.Fatal(err)
				}
			}
		}
		add("monthly", access.Commissioner, access.DigestMonthly)
		add("quarterly", access.Analyst, access.DigestQuarterly)
		add("silent", access.Commissioner, access.DigestOff)
		add("gone", access.Commissioner, access.DigestMonthly)
		add("moved", access.Analyst, access.DigestMonthly)
		add("advocate", access.Advocate, access.DigestOff)
		if err := rooms.Access.Disable(t.Context(), access.Operator(), ids["gone"]); err != nil {
			t.Fatal(err)
		}
		if _, err := rooms.Access.EditUser(t.Context(), access.Operator(), ids["moved"], access.Edit{Roles: []access.Role{access.Advocate}}); err != nil {
			t.Fatal(err)
		}
		for _, month := range []struct{ at, want string }{
			{"2026-04-01T07:00:00Z", "monthly quarterly"}, {"2026-05-01T07:00:00Z", "monthly"},
		} {
			v, err := time.Parse(time.RFC3339, month.at)
			if err != nil {
				t.Fatal(err)
			}
			at(v)
			box.to = nil
			var wg sync.WaitGroup
			for _, m := range mailrooms {
				wg.Go(func() {
					for range 3 {
						if err := m.QueueDigests(t.Context()); err != nil {
							t.Error(err)
						}
						if _, err := m.Deliver(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			slices.Sort(box.to)
			if got := strings.Join(box.to, " "); got != month.want {
				t.Errorf("%s: mails to %q, want %q", month.at, got, month.want)
			}
		}
	})
}
