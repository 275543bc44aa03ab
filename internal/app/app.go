// Package app puts the rooms together from a Config, runs them and stops them in
// order. It holds no rule of its own.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"strings"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/mongodb"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// Store is everything that either storage adapter keeps.
type Store interface {
	survey.Store
	analysis.Codings
	analysis.Drafts
	analysis.OpenTables
	analysis.CoderLogs
	analysis.CoderModels
	analysis.AdviceTables
	analysis.Marks
	loop.Store
	notifications.Outbox
	work.Leases
	audit.Store
	Access() access.Store
	Ping(ctx context.Context) error
	Close() error
}

// OpenStore opens the store that a setting names: sqlite:PATH or mongodb://….
func OpenStore(ctx context.Context, setting string) (Store, error) {
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok {
		s, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			return nil, fmt.Errorf("open the SQLite store: %w", err)
		}
		return s, nil
	}
	s, err := mongodb.Open(ctx, setting, mongodb.Options{})
	if err != nil {
		return nil, fmt.Errorf("open the MongoDB store: %w", err)
	}
	return s, nil
}

// Rooms are the services of one process over one store.
type Rooms struct {
	Store    Store
	Keys     *seal.Keys
	Audit    *audit.Log
	Access   *access.Service
	Survey   *survey.Service
	Coder    *coding.Coder
	Codebook *codebook.Codebook
	Analysis *analysis.Service
	Loop     *loop.Service
	Now      func() time.Time
	Log      *slog.Logger
}

// Furnish builds the rooms over a store.
func Furnish(store Store, keys *seal.Keys, now func() time.Time, log *slog.Logger, passwords access.Config) (*Rooms, error) {
	policy, err := survey.DefaultPolicy()
	if err != nil {
		return nil, fmt.Errorf("load the policy: %w", err)
	}
	geo, err := survey.DefaultGeography()
	if err != nil {
		return nil, fmt.Errorf("load the geography: %w", err)
	}
	sets, err := questionnaires.Load()
	if err != nil {
		return nil, fmt.Errorf("load the questionnaires: %w", err)
	}
	book, err := codebook.Load()
	if err != nil {
		return nil, fmt.Errorf("load the codebook: %w", err)
	}
	coder, err := coding.New(book)
	if err != nil {
		return nil, fmt.Errorf("make the coder: %w", err)
	}
	panel, err := figures.New(sets, themes(book))
	if err != nil {
		return nil, fmt.Errorf("make the panel: %w", err)
	}
	r := &Rooms{Store: store, Keys: keys, Coder: coder, Codebook: book, Now: now, Log: log}
	r.Audit = audit.New(store, now, keys.Subkey("audit"))
	r.Access = access.New(store.Access(), keys, r.Audit, now, passwords)
	r.Survey = survey.NewService(survey.Parts{Store: store, Keys: keys, Audit: r.Audit, Policy: policy, Geography: geo, Questionnaires: sets, Now: now, Log: log})
	r.Analysis = analysis.NewService(store, store, store, store, r.Survey, coder, book, panel, keys, r.Audit, now, log)
	r.Loop = loop.NewService(store, r.Survey, r.Analysis, keys, r.Audit, now, log)
	return r, nil
}

func themes(book *codebook.Codebook) []figures.Theme {
	var out []figures.Theme
	for _, c := range book.Codes {
		out = append(out, figures.Theme{Code: c.ID, Title: c.Title, Construct: string(c.Group)})
	}
	return out
}

// Mailroom builds the worker that queues and sends mail.
func (r *Rooms) Mailroom(sender notifications.Sender, from, replyTo mail.Address, surveyURL, baseURL, owner string) (*notifications.Service, error) {
	letters, err := notifications.LoadLetters()
	if err != nil {
		return nil, fmt.Errorf("load the letters: %w", err)
	}
	publicURL := baseURL + publicPath
	// What no letter could be sent with is a fault of the settings, to be known now and not letter by letter.
	if err := errors.Join(notifications.CheckFrom(from), notifications.CheckReplyTo(replyTo), notifications.CheckLink(surveyURL), notifications.CheckLink(publicURL)); err != nil {
		return nil, fmt.Errorf("mail settings: %w", err)
	}
	return notifications.NewService(r.Store, r.Survey, r.Loop, readers{r.Access}, letters, sender,
		notifications.Settings{From: from, ReplyTo: replyTo, SurveyURL: surveyURL, PublicURL: publicURL, StaffURL: baseURL, Owner: owner}, r.Now, r.Log), nil
}

// Tasks are the background steps, in the order of the story.
func (r *Rooms) Tasks(m *notifications.Service) []work.Task {
	return []work.Task{
		{Name: "mend-events", Every: time.Minute, Run: r.Survey.MendEvents},
		{Name: "due", Every: 10 * time.Second, Run: m.QueueDue},
		{Name: "outbox", Every: 2 * time.Second, Run: m.Deliver},
		{Name: "close-drafts", Every: 5 * time.Minute, Run: func(ctx context.Context) (int, error) { return r.Survey.CloseDrafts(ctx, 200) }},
		{Name: "follow-up", Every: 15 * time.Second, Run: r.Loop.Sweep},
		{Name: "coding", Every: 10 * time.Second, Run: r.Analysis.CodeWaiting},
		{Name: "tell", Every: 30 * time.Second, Run: m.QueueTold},
		{Name: "digest", Every: 5 * time.Minute, Run: func(ctx context.Context) (int, error) { return 0, m.QueueDigests(ctx) }},
		{Name: "purge", Every: time.Hour, Run: r.purge},
		r.panelTask(),
	}
}

// panelTask keeps this process's panel current.
func (r *Rooms) panelTask() work.Task {
	return work.Task{Name: "panel", Every: 5 * time.Second, Local: true, Run: func(ctx context.Context) (int, error) { return 0, r.Analysis.Refresh(ctx) }}
}

// purge removes what has no more use: links and survey sessions that ran out a
// day ago, and what access no longer needs.
func (r *Rooms) purge(ctx context.Context) (int, error) {
	before := r.Now().Add(-24 * time.Hour)
	_, err1 := r.Store.PurgeLinks(ctx, before)
	_, err2 := r.Store.PurgeSittings(ctx, before)
	_, err3 := r.Access.Purge(ctx)
	return 0, errors.Join(err1, err2, err3) // nothing left to do until the next hour
}

// processName names this process in leases.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d:%s", host, os.Getpid(), seal.NewToken()[:8])
}
