package figures

import (
	"strings"
	"testing"
	"time"

	"victimvoice/survey/questionnaires"
)

// revised makes the next version of a table, with one polarity changed.
func revised(t *testing.T, a *questionnaires.Advice, code, polarity string) *questionnaires.Advice {
	t.Helper()
	e, _ := a.Entry(code)
	e.Polarity, e.SignedOff, e.Basis = polarity, "Head of practice", e.Basis+"; looked at again"
	next, err := a.Revise(e)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// Each answer is judged by the version of its own month; a version that changes what is
// harmful breaks the trend there, and no other does.
func TestAdviceInForce(t *testing.T) {
	w := newWorld(t)
	for month := range 30 {
		for i := range 40 {
			codes := "keep-diary"
			if i < 12 {
				codes = "block"
			}
			if i >= 32 && (month+i)%3 > 0 {
				codes = "ignore"
			}
			w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2024, time.Month(1+month), 3), map[string]string{"advice.codes": codes})
		}
	}
	p := w.panel()
	q := Query{Measure: "advice.harmful", By: []string{DimMonth}}
	before := ask(t, p, q)
	if len(before.Trend.Breaks) > 0 || before.Points[0].Polarity != "1" {
		t.Fatalf("%+v", before.Trend.Breaks)
	}
	first := w.set.Advice()
	second := revised(t, first, "keep-diary", questionnaires.Good) // another source: nothing else is harmful now
	third := revised(t, second, "block", questionnaires.Context)
	p.SetAdviceHistory(AdviceStep{Advice: first}, AdviceStep{day(2024, 6, 1), second}, AdviceStep{day(2025, 4, 1), third})
	after := ask(t, p, q)
	if len(after.Trend.Breaks) != 1 || after.Trend.Breaks[0].Period != "2025-04" || !strings.Contains(after.Trend.Breaks[0].Words, "judged by version 3 of the polarity table, before by 1") {
		t.Errorf("breaks %+v", after.Trend.Breaks)
	}
	for i, pt := range after.Points {
		want, name := before.Points[i].Numerator, "1"
		if pt.Period >= "2025-04" {
			want, name = want-12, "3"
		}
		if pt.Suppressed || pt.Numerator != want || pt.Polarity != name {
			t.Errorf("%s: %d by version %s, want %d by %s", pt.Period, pt.Numerator, pt.Polarity, want, name)
		}
	}
	if s := after.Trend.Segments; len(s) != 2 || s[0].Points != 15 || s[1].Points != 15 || s[0].Centre == nil || s[1].Centre == nil {
		t.Errorf("segments %+v", s)
	}
	if len(after.Trend.Signals) > 0 {
		t.Errorf("the change of the table signals: %+v", after.Trend.Signals)
	}
	if !strings.Contains(after.Measure.Source, "now version 3") {
		t.Errorf("source %q", after.Measure.Source)
	}
	// A year in which two versions judged is of neither.
	year := ask(t, p, Query{Measure: "advice.harmful", By: []string{DimYear}})
	for _, pt := range year.Points {
		if want := map[string]string{"2024": "1", "2025": MixedCoders, "2026": "3"}[pt.Period]; pt.Polarity != want {
			t.Errorf("%s was judged by %q, want %q", pt.Period, pt.Polarity, want)
		}
	}
	// Each code's own count is none of the table's business.
	if r := ask(t, p, Query{Measure: "advice.code.block", By: []string{DimMonth}}); len(r.Trend.Breaks) > 0 || r.Points[29].Numerator != 12 || r.Points[29].Polarity != "" {
		t.Errorf("%+v", r.Points[29])
	}
	// Of two versions that come into force in one month the later counts.
	p.SetAdviceHistory(AdviceStep{Advice: first}, AdviceStep{day(2025, 4, 1), third}, AdviceStep{day(2025, 4, 1), revised(t, third, "block", questionnaires.Harmful)})
	if r := ask(t, p, q); len(r.Trend.Breaks) > 0 || r.Points[29].Numerator != before.Points[29].Numerator {
		t.Errorf("%+v", r.Trend.Breaks)
	}
	p.SetAdviceHistory()
	if !strings.Contains(ask(t, p, q).Measure.Source, "now version 4") {
		t.Error("no step at all changes something")
	}
}

func TestNextMonth(t *testing.T) {
	p := newPanel(t)
	for at, want := range map[time.Time]time.Time{
		time.Date(2026, 6, 30, 22, 59, 0, 0, time.UTC): time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC), // still June in London
		time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC):  time.Date(2026, 7, 31, 23, 0, 0, 0, time.UTC),
		time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC): time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got := p.NextMonth(at); !got.Equal(want) {
			t.Errorf("after %v: %v, want %v", at, got, want)
		}
	}
}
