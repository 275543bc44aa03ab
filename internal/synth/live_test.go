package synth_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/figures"
	"victimvoice/internal/audit"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/internal/synth"
	"victimvoice/loop"
	"victimvoice/survey"
)

// rooms builds the services over a fresh SQLite file; volatile where the disk does not matter.
func rooms(t testing.TB, now time.Time, volatile bool) (synth.Services, *sqlite.Store) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{Volatile: volatile})
	must(err)
	t.Cleanup(func() { must(store.Close()) })
	keyset, err := seal.NewKeyset()
	must(err)
	keys, err := seal.Parse(keyset)
	must(err)
	policy, err := survey.DefaultPolicy()
	must(err)
	geo, err := survey.DefaultGeography()
	must(err)
	book, err := codebook.Load()
	must(err)
	coder, err := coding.New(book)
	must(err)
	set := sets(t)
	var themes []figures.Theme
	for _, c := range book.Codes {
		themes = append(themes, figures.Theme{Code: c.ID, Title: c.Title, Construct: string(c.Group)})
	}
	panel, err := figures.New(set, themes)
	must(err)
	clock := func() time.Time { return now }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	trail := audit.New(store, clock, keys.Subkey("audit"))
	sv := survey.NewService(survey.Parts{Store: store, Keys: keys, Audit: trail, Policy: policy, Geography: geo, Questionnaires: set, Now: clock, Log: log})
	an := analysis.NewService(store, store, store, store, sv, coder, book, panel, keys, trail, clock, log)
	return synth.Services{Survey: sv, Analysis: an, Loop: loop.NewService(store, sv, an, keys, trail, clock, log), Cases: store}, store
}

// TestLive lives through a small world and looks at what the store holds then,
// and at the actions raised from its figures.
func TestLive(t *testing.T) {
	t.Parallel()
	const cases = 300
	w := world(cases)
	parts, store := rooms(t, end, true)
	last := 0
	stats, err := synth.Live(t.Context(), w, parts, end, func(done, total int) {
		if done <= 0 || done > total || total != cases {
			t.Errorf("progress: %d of %d", done, total)
		}
		last = max(last, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(stats)
	if last < cases-50 {
		t.Errorf("progress ended at %d", last)
	}
	events := 0
	for c := range w.Cases() {
		events += len(c.Events)
	}
	if stats.Cases != cases || stats.Events != events {
		t.Errorf("%d cases and %d events of %d and %d", stats.Cases, stats.Events, cases, events)
	}
	cut := end.AddDate(0, 0, -10)
	kept, waiting, sent, answered := 0, 0, 0, 0
	for c, err := range store.CasesChanged(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept += len(c.Events)
		for _, v := range c.Invites {
			for _, m := range []survey.Mailing{v.First, v.Reminder} {
				switch m.State {
				case survey.MailPlanned:
					waiting++
					if m.DueAt.Before(cut) && c.ChangedAt.Before(cut) {
						t.Errorf("a %s mail due at %v was forgotten", v.Stage, m.DueAt)
					}
				case survey.MailQueued:
					t.Errorf("a %s mail stays queued", v.Stage)
				case survey.MailSent:
					sent++
					if m.SentAt.After(cut.Add(time.Minute)) {
						t.Errorf("a mail was written at %v, in the days left to the worker", m.SentAt)
					}
				}
			}
			if !v.ClosesAt.IsZero() && v.ClosesAt.Before(cut) && !v.Ended {
				t.Errorf("an invitation that closed at %v is open", v.ClosesAt)
			}
			answered += len(v.Answered)
			for _, a := range v.Answered {
				if a.At.Before(v.AnchorAt) || a.At.After(end) {
					t.Errorf("answered at %v an invitation of %v", a.At, v.AnchorAt)
				}
			}
		}
	}
	if kept != events {
		t.Errorf("the cases hold %d of %d events", kept, events)
	}
	if sent != stats.Invitations+stats.Reminders || waiting == 0 {
		t.Errorf("%d mails sent, counted %d; %d wait", sent, stats.Invitations+stats.Reminders, waiting)
	}
	rows := map[survey.ResponseState]int{}
	for r, err := range store.ResponsesChanged(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows[r.State]++
		if r.SubmittedAt.After(end) || r.ChangedAt.After(end) {
			t.Errorf("a response of the future: %v", r.SubmittedAt)
		}
	}
	if full, want := rows[survey.Complete]+rows[survey.Withdrawn], stats.Responses-stats.Partial+stats.Relayed+stats.Observed; full != want {
		t.Errorf("%d whole responses, counted %d", full, want)
	}
	if got := rows[survey.Complete] + rows[survey.Partial]; got != answered {
		t.Errorf("%d responses and %d marks on cases", got, answered)
	}
	if got := float64(stats.Responses) / float64(stats.Invitations); got < 0.25 || got > 0.45 {
		t.Errorf("%.2f of those invited answered", got)
	}
	if stats.Relayed == 0 || stats.Observed == 0 || stats.Partial == 0 || stats.Alerts == 0 || stats.Texts == 0 || stats.Told == 0 {
		t.Errorf("something does not occur: %+v", stats)
	}
	states := map[survey.AboutState]int{}
	for a, err := range store.AboutsChanged(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		states[a.State]++
	}
	if states[survey.AboutAnswered] == 0 || states[survey.AboutPassedOver] == 0 || states[survey.AboutAnswered] > stats.Told {
		t.Errorf("what people told about themselves: %v, counted %d", states, stats.Told)
	}
	for what, list := range map[string]func() ([]survey.Response, error){
		"followed up": func() ([]survey.Response, error) { return parts.Survey.ToFollowUp(t.Context(), 10) },
		"coded":       func() ([]survey.Response, error) { return parts.Survey.ToCode(t.Context(), 10) },
	} {
		if rs, err := list(); err != nil || len(rs) > 0 {
			t.Errorf("%d responses were not %s (%v)", len(rs), what, err)
		}
	}
	actionsOf(t, w, parts)
	marksOf(t, w, parts, store)
}

// marksOf puts the demonstration's marks on the time axis and looks at the charts.
func marksOf(t *testing.T, w *synth.World, parts synth.Services, store *sqlite.Store) {
	t.Helper()
	keyset, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(keyset)
	if err != nil {
		t.Fatal(err)
	}
	timeline := analysis.NewTimeline(parts.Analysis, store, audit.New(store, func() time.Time { return end }, keys.Subkey("audit")))
	if err := synth.Marks(t.Context(), w, timeline, parts.Analysis, "somebody"); err != nil {
		t.Fatal(err)
	}
	all, err := timeline.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[analysis.MarkKind]int{}
	for _, m := range all {
		kinds[m.Kind]++
		if m.By != "somebody" || m.On > end.Format(time.DateOnly) || m.Kind == analysis.MarkRebase && (m.Text == "" || m.Series.Measure != "core.informed") {
			t.Errorf("mark %+v", m)
		}
	}
	if kinds[analysis.MarkPolicy] != 2 || kinds[analysis.MarkNote] != 1 || kinds[analysis.MarkRebase] != 1 {
		t.Errorf("marks %v", kinds)
	}
	r, err := parts.Analysis.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "by": {"month"}})
	if err != nil || r.Trend == nil || len(r.Trend.Breaks) == 0 || !r.Trend.Breaks[0].Rebased {
		t.Errorf("the chart is not re-based: %+v, %v", r.Trend, err)
	}
}

// actionsOf raises the demonstration's actions over a history and looks at them.
func actionsOf(t *testing.T, w *synth.World, parts synth.Services) {
	t.Helper()
	if err := synth.Actions(t.Context(), w, parts, "somebody", end); err != nil {
		t.Fatal(err)
	}
	actions, err := parts.Loop.Actions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range actions {
		if a.CreatedAt.After(end) || a.Evidence.Base == 0 || a.Evidence.Label == "" || a.CreatedBy != "somebody" {
			t.Errorf("action %q: raised at %v from %+v", a.Title, a.CreatedAt, a.Evidence)
		}
		if a.Status == loop.Done && (a.DoneOn == "" || a.WeDid == "" || a.Published.IsZero()) {
			t.Errorf("action %q is done, but when, how or for whom is not said", a.Title)
		}
	}
	if len(actions) == 0 {
		t.Error("no action was raised")
	}
	rounds, err := parts.Loop.Published(t.Context())
	if err != nil || len(rounds) == 0 {
		t.Fatalf("%d publications, %v", len(rounds), err)
	}
	if n, err := parts.Loop.Tell(t.Context(), func(context.Context, loop.Telling) error { return nil }); n > 0 || err != nil {
		t.Errorf("%d letters of old news wait, %v", n, err)
	}
}

// TestLiveRepeats: the same world comes to the same end, however its lives were interleaved.
func TestLiveRepeats(t *testing.T) {
	t.Parallel()
	var stats [2]synth.Stats
	for i := range stats {
		parts, _ := rooms(t, end, true)
		var err error
		if stats[i], err = synth.Live(t.Context(), world(60), parts, end, nil); err != nil {
			t.Fatal(err)
		}
	}
	if stats[0] != stats[1] {
		t.Errorf("twice the same history came to %+v and %+v", stats[0], stats[1])
	}
}

// TestLiveStops gives up when it is told to, and says what it lacks.
func TestLiveStops(t *testing.T) {
	t.Parallel()
	parts, _ := rooms(t, end, true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := synth.Live(ctx, world(20), parts, end, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled history gave %v", err)
	}
	parts.Cases = nil
	if _, err := synth.Live(t.Context(), world(20), parts, end, nil); err == nil {
		t.Error("a history without the port of the cases began")
	}
}

func BenchmarkLive(b *testing.B) {
	const cases = 1000
	for b.Loop() {
		b.StopTimer()
		parts, _ := rooms(b, end, testing.Short())
		w := world(cases)
		b.StartTimer()
		stats, err := synth.Live(b.Context(), w, parts, end, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Log(stats)
	}
	b.ReportMetric(float64(cases*b.N)/b.Elapsed().Seconds(), "cases/s")
}
