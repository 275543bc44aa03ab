package synth_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/seal"
	"victimvoice/internal/synth"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

var end = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func world(cases int) *synth.World {
	return synth.New(synth.Options{Cases: cases, End: end, Seed: 7, Effects: synth.DefaultEffects(end)})
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %.3f, want %.3f ± %.3f", what, got, want, tolerance)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	dump := func(w *synth.World) string {
		var b strings.Builder
		for c := range w.Cases() {
			if err := json.NewEncoder(&b).Encode(c); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	a := dump(world(300))
	if a != dump(world(300)) {
		t.Error("the same options gave other cases")
	}
	if a != dump(world(500))[:len(a)] {
		t.Error("a case depends on how many there are")
	}
	other := synth.New(synth.Options{Cases: 300, End: end, Seed: 8})
	if a == dump(other) {
		t.Error("another seed gave the same cases")
	}
}

// TestShares compares the cases with the published shares that they are drawn
// by, on reports old enough to have run their course.
func TestShares(t *testing.T) {
	t.Parallel()
	var all, old, withdrew, sameDay, week, nfa, nfaMonth, charged, disengaged float64
	var abuse, adult, female, young, mid, a2, advocate, safe, english float64
	closures, told := 0.0, 0.0
	for c := range world(20000).Cases() {
		all++
		count := func(n *float64, yes bool) {
			if yes {
				*n++
			}
		}
		count(&abuse, c.Abuse)
		count(&adult, c.Adult)
		count(&female, c.Sex == "female")
		count(&young, c.AgeBand == "25-34")
		count(&mid, c.AgeBand == "35-44")
		count(&a2, c.Offence == "stalking-2a")
		count(&advocate, c.Advocate != "")
		count(&safe, c.Safe)
		count(&english, c.Language == "en")
		if c.ReportedAt.After(end.AddDate(-2, 0, 0)) {
			continue
		}
		old++
		count(&disengaged, !c.DisengagedAt.IsZero())
		if !c.WithdrewAt.IsZero() {
			withdrew++
			count(&sameDay, c.WithdrewAt.Sub(c.ReportedAt) < 48*time.Hour)
			count(&week, c.WithdrewAt.Sub(c.ReportedAt) < 7*24*time.Hour)
		} else {
			if strings.HasPrefix(c.Outcome, "nfa") {
				nfa++
				count(&nfaMonth, c.ClosedAt.Sub(c.ReportedAt) < 28*24*time.Hour)
			}
			count(&charged, c.Outcome == "charged" || c.Outcome == "convicted" || c.Outcome == "acquitted")
		}
		if !c.ClosedAt.IsZero() {
			closures++
			for _, a := range c.Events {
				if a.Event.Type == survey.ClosureNotified {
					told++
					break
				}
			}
		}
	}
	near(t, "withdrew", withdrew/old, 0.45, 0.02)
	near(t, "withdrew on the same or next day", sameDay/withdrew, 30.0/165, 0.02)
	near(t, "withdrew within a week", week/withdrew, 61.0/165, 0.02)
	near(t, "no further action", nfa/old, 0.41, 0.025)
	near(t, "of those within four weeks", nfaMonth/nfa, 0.42, 0.04)
	near(t, "charged", charged/old, 0.09, 0.015)
	near(t, "stopped responding", disengaged/old, 0.10, 0.015)
	near(t, "told of the closure", told/closures, 0.90, 0.02)
	near(t, "domestic abuse", abuse/all, 0.82, 0.01)
	near(t, "adults", adult/all, 0.96, 0.01)
	near(t, "female", female/all, 0.80, 0.01)
	near(t, "aged 25 to 34, of adults", young/adult, 0.35, 0.015)
	near(t, "aged 35 to 44, of adults", mid/adult, 0.27, 0.015)
	near(t, "section 2A", a2/all, 0.74, 0.015)
	near(t, "with an advocate", advocate/all, 0.40, 0.015)
	near(t, "with a safe address", safe/all, 0.70, 0.015)
	near(t, "in English", english/all, 0.87, 0.015)
}

func TestSeasonsAndGrowth(t *testing.T) {
	t.Parallel()
	var years [4]float64
	var summer, winter float64
	for c := range world(20000).Cases() {
		if c.ReportedAt.After(end) || c.ReportedAt.Before(end.AddDate(-4, 0, 0)) {
			t.Fatalf("case %d was reported at %v", c.Index, c.ReportedAt)
		}
		years[min(3, int(c.ReportedAt.Sub(end.AddDate(-4, 0, 0)).Hours()/24/365.25))]++
		switch c.ReportedAt.Month() {
		case time.June, time.July, time.August:
			summer++
		case time.December, time.January, time.February:
			winter++
		}
	}
	for i := range 3 {
		near(t, "growth", years[i+1]/years[i], 1.07, 0.08)
	}
	near(t, "summer over winter", summer/winter, (1.06*30+1.10*31+1.07*31)/(0.88*31+0.95*31+0.96*28.25), 0.08)
}

// TestEventsAreReceivable holds every event against the rules of intake at the
// time it arrives.
func TestEventsAreReceivable(t *testing.T) {
	t.Parallel()
	policy, err := survey.DefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	geo, err := survey.DefaultGeography()
	if err != nil {
		t.Fatal(err)
	}
	sets, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(keyset)
	if err != nil {
		t.Fatal(err)
	}
	sv := survey.NewService(survey.Parts{Keys: keys, Policy: policy, Geography: geo, Questionnaires: sets, Now: func() time.Time { return end }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	types, late := map[survey.EventType]int{}, 0
	for c := range world(6000).Cases() {
		seen := map[string]bool{}
		last := time.Time{}
		if len(c.Events) == 0 && c.ReportedAt.Before(end.AddDate(0, 0, -30)) {
			t.Fatalf("case %d has no event", c.Index)
		}
		for _, a := range c.Events {
			types[a.Event.Type]++
			if a.At.Before(last) || a.At.Before(a.Event.OccurredAt) || a.At.After(end) {
				t.Fatalf("case %d: %s arrives at %v", c.Index, a.Event.Type, a.At)
			}
			if a.At.Sub(a.Event.OccurredAt) > 48*time.Hour {
				late++
			}
			last = a.At
			if seen[a.Event.EventID] {
				t.Fatalf("case %d: event id %s stands twice", c.Index, a.Event.EventID)
			}
			seen[a.Event.EventID] = true
			e := a.Event
			if faults := sv.At(func() time.Time { return a.At }).Check(&e); len(faults) > 0 {
				t.Fatalf("case %d: %s: %v", c.Index, a.Event.Type, faults)
			}
			for _, address := range []string{e.Advocate, email(e.Contact)} {
				if address != "" && !strings.HasSuffix(address, "@example.org") {
					t.Fatalf("case %d: address %q", c.Index, address)
				}
			}
		}
		if a, ok := geo.Borough(c.Force, c.Borough); !ok || a.BCU != c.BCU {
			t.Fatalf("case %d: %s, %s is not in the geography", c.Index, c.Borough, c.BCU)
		}
	}
	for _, name := range survey.EventTypes() {
		if types[survey.EventType(name)] == 0 {
			t.Fatalf("no %s event among 6,000 cases", name)
		}
	}
	if late == 0 {
		t.Error("no event arrives late")
	}
}

func email(c *survey.Contact) string {
	if c == nil {
		return ""
	}
	return c.Email
}

func BenchmarkCases(b *testing.B) {
	w := world(1 << 30)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = w.Case(i)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cases/s")
}
