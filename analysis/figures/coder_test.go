package figures

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// negative and none are a coding of the tests' one theme.
var negative, none = []ThemeLabel{{"COM_UPDATES", "negative"}}, []ThemeLabel{}

// words adds a response whose one text the coder of a version coded, and gives the row.
func (w *world) words(coder string, at time.Time, labels []ThemeLabel) *ThemeRow {
	r := w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, at, map[string]string{"core.informed": "very-well"})
	w.themes = append(w.themes, ThemeRow{ResponseID: r.ID, Item: "open.well", ChangedAt: at, CodebookVersion: coder, Labels: labels})
	return &w.themes[len(w.themes)-1]
}

// drawn has a person code n texts drawn at random: what the coder had found, and what the person says.
func (w *world) drawn(coder string, at time.Time, n int, machine, person []ThemeLabel) {
	for range n {
		row := w.words(coder, at, person)
		row.Person, row.Machine, row.Drawn = true, machine, true
	}
}

// sample has 120 texts drawn in one month: the coder finds 30 of the 40 with the theme
// and sees it in 8 of the 80 without.
func (w *world) sample(coder string, at time.Time) {
	w.drawn(coder, at, 30, negative, negative)
	w.drawn(coder, at, 10, none, negative)
	w.drawn(coder, at, 8, negative, none)
	w.drawn(coder, at, 72, none, none)
}

// Counted and corrected share of a month stand beside each other, each by its own
// definition, and the sample of another month of the same coder serves.
func TestCorrectedBesideCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sample("1", day(2026, 1, 10))
	for i := range 200 {
		labels := none
		if i < 50 {
			labels = negative
		}
		w.words("1", day(2026, 3, 10), labels)
	}
	r := ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative", By: []string{DimMonth}})
	march := r.Points[len(r.Points)-1]
	if march.Numerator != 50 || *march.Share != 25 || march.Coder != "1" {
		t.Errorf("counted: %+v", march)
	}
	share, iv, ok := Corrected(50, 200, tallyOf(30, 40, 72, 80))
	if c := march.Corrected; !ok || c == nil || c.Share != share || c.Low != iv.Low || c.High != iv.High {
		t.Errorf("corrected: %+v, want %.2f %+v", c, share, iv)
	}
	if math.Abs(share-100*(.25-.1)/(.75-.1)) > 1e-9 {
		t.Errorf("%.3f: not what the arithmetic by hand gives", share)
	}
	// January: people's labels are counted (40 of 120), the coder's own are corrected (38 of 120).
	january := r.Points[0]
	share, _, _ = Corrected(38, 120, tallyOf(30, 40, 72, 80))
	if january.Numerator != 40 || january.Corrected == nil || january.Corrected.Share != share {
		t.Errorf("January: %+v %+v, want %.2f", january, january.Corrected, share)
	}
	if c := r.Coding; c == nil || c.Drawn != DrawnCounted || c.Note != NoteCorrected || len(c.Samples) != 1 || c.Samples[0].Drawn != 120 || *c.Samples[0].Sensitivity != 75 || *c.Samples[0].Specificity != 90 {
		t.Errorf("%+v", r.Coding)
	}
	if r := ask(t, w.panel(), Query{Measure: "core.informed"}); r.Coding != nil {
		t.Error("a question has no coder")
	}
}

// Texts that came to a person because they were doubtful, that only one of two texts
// was drawn, that the coder's own labels were not kept: none of them is in the sample.
func TestOnlyTheRandomStreamCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := day(2026, 1, 10)
	w.sample("1", at)
	for i := range 90 {
		row := w.words("1", at, negative)
		row.Person = true
		switch i % 3 {
		case 0:
			row.Machine = none // from the doubtful ones
		case 1:
			row.Drawn = true // what the coder said is not known
		default:
			row.Machine, row.Drawn = none, true
			other := *row
			other.Item, other.Person, other.Drawn, other.Machine, other.Labels = "open.better", false, false, nil, none
			w.themes = append(w.themes, other) // a second text that nobody has looked at
		}
	}
	r := ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative"})
	if s := r.Coding.Samples; len(s) != 1 || s[0].Drawn != 120 {
		t.Errorf("%+v", s)
	}
	// A second text that is coded too completes the pair.
	for i := range w.themes {
		if row := &w.themes[i]; row.Item == "open.better" {
			row.Person, row.Machine = true, negative
		}
	}
	r = ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative"})
	if s := r.Coding.Samples; s[0].Drawn != 150 {
		t.Errorf("%+v", s)
	}
}

// With too small a sample only the counted share is given, and it is said why.
func TestTooSmallASample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drawn("1", day(2026, 1, 10), 40, negative, negative)
	w.drawn("1", day(2026, 1, 10), 50, none, none)
	r := ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative", By: []string{DimMonth}})
	if p := r.Points[0]; p.Share == nil || p.Corrected != nil {
		t.Errorf("%+v", p)
	}
	if c := r.Coding; c.Note != NoteCounted || !strings.Contains(c.Samples[0].Lacks, "90 people drawn at random, and 100 are needed") || c.Samples[0].Sensitivity != nil {
		t.Errorf("%+v", c)
	}
}

// A withheld figure shows neither share nor coder; and where the coder itself found too
// few for a figure, the counted share goes too, since the corrected one would say so.
func TestCorrectedIsWithheldToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sample("1", day(2026, 1, 10))
	for range 9 {
		w.words("1", day(2026, 2, 10), negative) // a base of nine
	}
	for i := range 60 { // the coder found 2, a person 7 more: 9 of 60
		row := w.words("1", day(2026, 4, 10), none)
		switch {
		case i < 2:
			row.Labels = negative
		case i < 9:
			row.Person, row.Labels, row.Machine = true, negative, none
		}
	}
	for _, by := range []string{DimMonth, DimQuarter} {
		for _, p := range ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative", By: []string{by}}).Points {
			if p.Suppressed && (p.Corrected != nil || p.Coder != "" || p.Share != nil) {
				t.Errorf("%+v", p)
			}
			if text := mustJSON(t, p); p.Suppressed && (strings.Contains(text, "corrected") || strings.Contains(text, "coder")) {
				t.Errorf("a withheld point says %s", text)
			}
			if (p.Period == "2026-02" || p.Period == "2026-04") && !p.Suppressed {
				t.Errorf("%s is shown: %+v", p.Period, p)
			}
			if p.Period == "2026-04" && p.Reason != ReasonWithheld {
				t.Errorf("April: %s", p.Reason)
			}
		}
	}
}

// months has words coded in each month of a span, a third of them with the theme.
func (w *world) months(coder string, from time.Time, n int, rng *rand.Rand) {
	for m := range n {
		for range 60 {
			labels := none
			if rng.IntN(3) == 0 {
				labels = negative
			}
			w.words(coder, from.AddDate(0, m, 0), labels)
		}
	}
}

// Another version of the codebook breaks the trend: limits stand on either side by
// themselves and no run of seven leads across.
func TestBreak(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(3, 9))
	w.months("1", day(2023, 1, 10), 14, rng)
	w.months("2", day(2024, 3, 10), 13, rng)
	q := Query{Measure: "theme.COM_UPDATES.negative", By: []string{DimMonth}}
	r := ask(t, w.panel(), q)
	tr := r.Trend
	if len(tr.Breaks) != 1 || tr.Breaks[0].Period != "2024-03" || tr.Breaks[0].Words != "from March 2024 on, words were coded by version 2, before by 1" {
		t.Fatalf("%+v", tr.Breaks)
	}
	if len(tr.Segments) != 2 || tr.Segments[0].To != "2024-02" || tr.Segments[1].From != "2024-03" || tr.Segments[0].Points != 14 || tr.Segments[1].Points != 13 || tr.Segments[0].Centre == nil || tr.Segments[1].Centre == nil {
		t.Fatalf("%+v", tr.Segments)
	}
	whole := make([]int, 14)
	for i := range whole {
		whole[i] = r.Points[i].Numerator
	}
	c, _ := Laney(whole, slices.Repeat([]int{60}, 14))
	if *tr.Segments[0].Centre != c.Centre || *tr.Limits[0] != c.Limits[0] || *tr.Limits[20] == *tr.Limits[0] {
		t.Errorf("the limits before the break are not of those months alone: %v, want %v", *tr.Limits[0], c.Limits[0])
	}
	if want := 1 - (1-FalseAlarmRate(14))*(1-FalseAlarmRate(13)); math.Abs(tr.Chance()-want) > 1e-12 {
		t.Errorf("chance %f, want %f", tr.Chance(), want)
	}
	// Re-coding everything with the new version mends the trend.
	for i := range w.themes {
		w.themes[i].CodebookVersion = "2"
	}
	if tr := ask(t, w.panel(), q).Trend; tr.Breaks != nil || tr.Segments != nil || tr.Points != 27 || tr.Limits[0] == nil {
		t.Errorf("%+v", tr)
	}
}

// A period of several versions breaks the trend, lies outside every limit and is not corrected.
func TestMixedPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(5, 9))
	w.sample("1", day(2022, 12, 10))
	w.months("1", day(2023, 1, 10), 12, rng)
	w.months("2", day(2023, 12, 20), 4, rng) // December is of both
	r := ask(t, w.panel(), Query{Measure: "theme.COM_UPDATES.negative", By: []string{DimMonth}})
	tr := r.Trend
	if len(tr.Breaks) != 1 || tr.Breaks[0].Period != "2023-12" || !strings.Contains(tr.Breaks[0].Words, "more than one version") {
		t.Fatalf("%+v", tr.Breaks)
	}
	if at := slices.IndexFunc(r.Points, func(p Point) bool { return p.Period == "2023-12" }); r.Points[at].Coder != MixedCoders || r.Points[at].Corrected != nil || tr.Limits[at] != nil {
		t.Errorf("%+v %v", r.Points[at], tr.Limits[at])
	}
	if len(tr.Segments) != 2 || tr.Segments[0].Points != 12 || tr.Segments[0].Centre == nil || tr.Segments[1].Centre != nil || tr.Segments[1].From != "2024-01" {
		t.Errorf("%+v", tr.Segments)
	}
	if len(r.Coding.Samples) != 2 || r.Coding.Samples[0].Lacks != "" || r.Coding.Samples[1].Lacks == "" {
		t.Errorf("%+v", r.Coding.Samples)
	}
	for _, p := range r.Points[1:12] {
		if p.Coder == "1" && p.Corrected == nil && !p.Suppressed {
			t.Errorf("%s is not corrected", p.Period)
		}
	}
}

// A run that would make seven in a row across a break is no signal.
func TestNoRunAcrossABreak(t *testing.T) {
	t.Parallel()
	var points []Point
	for i := range 26 {
		p := Point{Period: monthKey(i), Numerator: 30, Base: 100, Coder: "1"}
		if i%2 == 0 {
			p.Numerator = 34
		}
		if i >= 9 && i < 17 { // eight in a row on the high side, the break in their middle
			p.Numerator = 36
		}
		if i >= 13 {
			p.Coder = "2"
		}
		share := float64(p.Numerator)
		p.Share = &share
		points = append(points, p)
	}
	m := &Measure{ID: "theme.X.any"}
	one := slices.Clone(points)
	for i := range one {
		one[i].Coder = "1"
	}
	shift := func(t *Trend) bool {
		return slices.ContainsFunc(t.Signals, func(s Sign) bool { return s.Rule == RuleShift })
	}
	if !shift(trendOf(m, one)) {
		t.Fatal("without a break the run is found")
	}
	tr := trendOf(m, points)
	if len(tr.Breaks) != 1 || shift(tr) {
		t.Errorf("%+v", tr.Signals)
	}
}
