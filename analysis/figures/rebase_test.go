package figures

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A re-based chart has limits of its own on either side, its counts stay as they
// were, no run leads across, other charts are untouched, and it can be undone.
func TestRebase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for m := range 30 {
		yes := 16 + []int{2, -1, 1, -2}[m%4]
		if m >= 14 {
			yes += 15
		}
		w.many("Ealing", "West", "stalking-2a", day(2024, time.Month(1+m), 5), yes, 50)
	}
	p := w.panel()
	q := Query{Measure: "core.informed", Stage: "report", By: []string{DimMonth}}
	before := ask(t, p, q)
	if len(before.Trend.Signals) == 0 || before.Trend.Breaks != nil {
		t.Fatalf("before: %+v", before.Trend)
	}
	series, err := p.Series(q)
	if err != nil || series != (Series{Measure: "core.informed", Mode: ModeSelf, Stage: "report"}) {
		t.Fatalf("%+v, %v", series, err)
	}
	p.SetRebases([]Rebase{{Series: series, From: "2025-03", Reason: "Every unit has a single point of contact now."}})
	after := ask(t, p, q)
	tr := after.Trend
	if len(tr.Breaks) != 1 || !tr.Breaks[0].Rebased || tr.Breaks[0].Period != "2025-03" || tr.Breaks[0].Words != "limits are drawn anew from March 2025 on: Every unit has a single point of contact now" {
		t.Fatalf("%+v", tr.Breaks)
	}
	if len(tr.Segments) != 2 || tr.Segments[0].Points != 14 || tr.Segments[1].Points != 16 || *tr.Segments[1].Centre-*tr.Segments[0].Centre < 20 {
		t.Fatalf("%+v", tr.Segments)
	}
	for i := range after.Points {
		a, b := after.Points[i], before.Points[i]
		if a.Numerator != b.Numerator || a.Base != b.Base || *a.Share != *b.Share || *a.Low != *b.Low {
			t.Errorf("%s changed from %+v to %+v", a.Period, b, a)
		}
	}
	// The limits of each part are those of its points alone.
	x, n := make([]int, 14), make([]int, 14)
	for i := range x {
		x[i], n[i] = after.Points[i].Numerator, after.Points[i].Base
	}
	if c, ok := Laney(x, n); !ok || *tr.Limits[3] != c.Limits[3] || *tr.Segments[0].Centre != c.Centre {
		t.Errorf("limits before the re-base: %+v", tr.Limits[3])
	}
	if slices.ContainsFunc(tr.Signals, func(s Sign) bool { return s.From < "2025-03" && s.To >= "2025-03" }) {
		t.Errorf("a signal runs across: %+v", tr.Signals)
	}
	if !strings.Contains(tr.Note, "on either side") {
		t.Errorf("note %q", tr.Note)
	}
	// By quarter the first whole quarter begins in April.
	byQuarter := q
	byQuarter.By = []string{DimQuarter}
	if tr := ask(t, p, byQuarter).Trend; len(tr.Breaks) != 1 || tr.Breaks[0].Period != "2025-Q2" || tr.Limits != nil || !strings.Contains(tr.Note, "between breaks") {
		t.Errorf("by quarter: %+v", tr)
	}
	for _, other := range []Query{
		{Measure: "core.informed", By: []string{DimMonth}},
		{Measure: "core.informed", Stage: "report", By: []string{DimMonth}, Filters: map[string]string{DimBCU: "West"}},
	} {
		if tr := ask(t, p, other).Trend; tr.Breaks != nil {
			t.Errorf("%+v is re-based too: %+v", other, tr.Breaks)
		}
	}
	// Before the first point, and after the last, there is nothing to draw anew.
	p.SetRebases([]Rebase{{Series: series, From: "2019-01"}, {Series: series, From: "2031-01"}, {Series: series, From: "2024-01"}})
	if tr := ask(t, p, q).Trend; tr.Breaks != nil || tr.Segments != nil {
		t.Errorf("%+v", tr)
	}
	p.SetRebases(nil)
	if again := ask(t, p, q); len(again.Trend.Signals) != len(before.Trend.Signals) || *again.Trend.Limits[3] != *before.Trend.Limits[3] {
		t.Error("a re-base that was taken back leaves something behind")
	}
}

// A version of a questionnaire that took the place of another is known by the month
// of its first kept answer; the first version of all is no event.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("Ealing", "West", "stalking-2a", day(2025, 1, 5), 5, 10)
	if got := w.panel().Versions("", ""); got != nil {
		t.Fatalf("%+v", got)
	}
	var second string
	for _, q := range w.set.All() {
		if q.ID != "report/1" && strings.HasPrefix(q.ID, "report/") {
			second = q.ID
		}
	}
	if second == "" {
		t.Skip("there is one version of the report's questions")
	}
	w.answer(w.oneCase("Ealing", "West", "stalking-2a"), second, ModeSelf, day(2025, 4, 5), map[string]string{"core.informed": "very-well"})
	p := w.panel()
	if got := p.Versions("report", ModeSelf); len(got) != 1 || got[0] != (VersionStart{second, "2025-04"}) {
		t.Errorf("%+v", got)
	}
	if got := p.Versions("closure", ""); got != nil {
		t.Errorf("%+v", got)
	}
}
