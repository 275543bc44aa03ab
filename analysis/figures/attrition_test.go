package figures

import (
	"context"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func attritionOf(t *testing.T, p *Panel, force string) Attrition {
	t.Helper()
	a, err := p.Attrition(context.Background(), AttritionQuery{Force: force, AsAt: asAt})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Days are those of London's calendar, and each band ends where the next begins.
func TestBands(t *testing.T) {
	p := newPanel(t)
	for days, want := range map[int]string{0: "next-day", 1: "next-day", 2: "week", 6: "week", 7: "fortnight", 13: "fortnight", 14: "month", 27: "month", 28: "quarter", 90: "quarter", 91: "later", 2000: "later"} {
		if got := bands[bandOf(days)].id; got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
	// Half past midnight in British summer time is still the day before in UTC.
	late, after := time.Date(2026, 6, 1, 22, 30, 0, 0, time.UTC), time.Date(2026, 6, 1, 23, 30, 0, 0, time.UTC)
	if p.day(minuteOf(after)) != p.day(minuteOf(late))+1 {
		t.Error("midnight in London begins no day")
	}
	// The clocks go back on 25 October: 25 hours, one day.
	if p.day(minuteOf(time.Date(2026, 10, 25, 23, 30, 0, 0, time.UTC))) != p.day(minuteOf(time.Date(2026, 10, 24, 23, 10, 0, 0, time.UTC))) {
		t.Error("the day on which clocks go back is not one")
	}
	for _, at := range []time.Time{{}, day(1999, 1, 1), day(9999, 1, 1)} {
		if m := minuteOf(at); m < 0 || at.Year() < 2000 && m != 0 {
			t.Errorf("%v: minute %d", at, m)
		}
	}
}

// What became of cases is counted in its band, and every case once.
func TestAttrition(t *testing.T) {
	w := newWorld(t)
	add := func(n, age int, change func(c *CaseRow)) {
		for range n {
			w.oneCase("Ealing", "West", "stalking-2a")
			c := &w.cases[len(w.cases)-1]
			c.ReportedAt = asAt.AddDate(0, 0, -age)
			if change != nil {
				change(c)
			}
		}
	}
	left := func(days int, reason string) func(*CaseRow) {
		return func(c *CaseRow) {
			c.WithdrewAt, c.Reason = c.ReportedAt.AddDate(0, 0, days), reason
			c.Outcome, c.ClosedAt = "nfa-other", c.WithdrewAt
		}
	}
	closed := func(days int, outcome string) func(*CaseRow) {
		return func(c *CaseRow) { c.Outcome, c.ClosedAt = outcome, c.ReportedAt.AddDate(0, 0, days) }
	}
	add(20, 200, left(1, "not-willing"))
	add(10, 200, left(6, "not-willing"))
	add(12, 200, left(95, "moved-away"))
	add(5, 200, left(30, "her sister wrote that"))
	add(3+5, 200, closed(20, "nfa-evidential"))
	add(30, 200, closed(100, "charged"))
	add(15, 91, nil)                                                                      // open
	add(50, 90, left(1, "not-willing"))                                                   // too lately to count
	add(7, 200, func(c *CaseRow) { closed(10, "nfa-other")(c); c.Gone = true })           // not kept
	add(7, 200, func(c *CaseRow) { left(1, "x")(c); c.ReportedAt = time.Time{} })         // never reported
	add(6, 200, func(c *CaseRow) { closed(10, "nfa-other")(c); c.Force = "Other Force" }) // another force
	a := attritionOf(t, w.panel(), "Metropolitan Police")
	if a.Cases != 100 || a.Withdrew.Count != 47 || a.NFA.Count != 8 || a.Ended.Count != 30 || a.Open.Count != 15 || a.None != "" {
		t.Fatalf("%+v", a)
	}
	for i, want := range []struct{ left, leftBy, nfa, nfaBy int }{{20, 20, 0, 0}, {10, 30, 0, 0}, {0, 30, 0, 0}, {0, 30, 8, 8}, {5, 35, 0, 8}, {12, 0, 0, 0}} {
		b := a.Bands[i]
		if b.Withdrew.Count != want.left || b.NFA.Count != want.nfa || b.WithdrewBy.Count != want.leftBy || b.NFABy.Count != want.nfaBy {
			t.Errorf("%s: %+v, want %+v", b.ID, b, want)
		}
	}
	if a.From != "2026-05" || a.To != "2026-08" {
		t.Errorf("from %s to %s", a.From, a.To)
	}
	// A reason in somebody's own words is not named.
	var reasons []string
	for _, r := range a.Reasons {
		reasons = append(reasons, r.Code)
	}
	if len(reasons) != 3 || reasons[0] != "not-willing" || reasons[1] != "moved-away" || reasons[2] != OtherReasons || a.Reasons[2].Count != 5 {
		t.Errorf("%+v", a.Reasons)
	}
	if all := attritionOf(t, w.panel(), ""); all.Cases != 106 || all.NFA.Count != 14 {
		t.Errorf("of all forces: %+v", all)
	}
}

func TestAttritionOfFew(t *testing.T) {
	for _, n := range []int{0, 10, SmallBase - 1} {
		w := newWorld(t)
		w.lives(n, 2, planted{})
		a := attritionOf(t, w.panel(), "")
		if a.None == "" || a.Cases != 0 || len(a.Bands) > 0 || len(a.Signals) > 0 || len(a.Reasons) > 0 {
			t.Errorf("%d cases: %+v", n, a)
		}
	}
}

// What was planted shows in what had been said before, with its sign and about its
// size; what was not planted does not.
func TestSignalsBefore(t *testing.T) {
	w := newWorld(t)
	w.lives(4000, 11, planted{base: -0.6, weight: map[string]float64{"core.informed": 0.8}})
	for _, s := range attritionOf(t, w.panel(), "").Signals {
		if s.Outcome != OutcomeWithdrew {
			continue
		}
		if s.Difference == nil {
			t.Fatalf("%+v", s)
		}
		want := 0.
		if s.ID == "core.informed" { // half of each; withdrawn: σ(0.2) against σ(−0.6) of them
			p1, p0 := 1/(1+math.Exp(-0.2)), 1/(1+math.Exp(0.6))
			want = 100 * (p1/(p1+p0) - (1-p1)/(2-p1-p0))
		}
		if d := s.Difference; want < d.Low-1 || want > d.High+1 || want > 0 && d.Low <= 0 {
			t.Errorf("%s: %.1f (%.1f to %.1f), planted %.1f", s.ID, d.Points, d.Low, d.High, want)
		}
	}
}

// With nothing planted, differences stand out at about their stated rate.
func TestSignalsBeforeFalseAlarms(t *testing.T) {
	found, looked := 0, 0
	set := loadSet(t)
	for seed := range uint64(60) {
		w := &world{t: t, set: set}
		w.lives(300, 500+seed, planted{base: -0.2})
		for _, s := range attritionOf(t, w.panel(), "").Signals {
			if s.Outcome == OutcomeWithdrew && s.Difference != nil {
				looked++
				if s.Difference.Apart() {
					found++
				}
			}
		}
	}
	t.Logf("%d of %d differences stand out", found, looked)
	if looked < 170 || float64(found) > 0.09*float64(looked) {
		t.Errorf("%d of %d differences stand out, though nothing is planted", found, looked)
	}
}

// Whatever the counts, no withheld one can be told from the others and the total.
func TestWithholdGivesNothingAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 8), rapid.IntRange(0, 200))
		left, nfa := rapid.SliceOfN(some, len(bands), len(bands)).Draw(t, "left"), rapid.SliceOfN(some, len(bands), len(bands)).Draw(t, "nfa")
		sum := func(list []int) (n int) {
			for _, v := range list {
				n += v
			}
			return n
		}
		fates := []int{some.Draw(t, "open"), sum(left), sum(nfa), some.Draw(t, "ended")}
		a := Attrition{Cases: sum(fates)}
		if a.Cases < SmallBase {
			t.Skip("nothing is given of so few")
		}
		a.lay(fates, left, nfa)
		total := []Cell{a.Open, a.Withdrew, a.NFA, a.Ended}
		check := func(what string, whole Cell, parts []Cell, counts []int) {
			hidden, n := 0, 0
			for i, c := range parts {
				if !c.Suppressed {
					if few(c.Count) {
						t.Fatalf("%s: a count of %d is given", what, c.Count)
					}
					continue
				}
				if c.Count != 0 || c.Share != nil || c.Low != nil {
					t.Fatalf("%s: a withheld cell gives %+v", what, c)
				}
				if counts[i] > 0 {
					hidden, n = hidden+1, n+counts[i]
				}
			}
			// Of a total that is given, what is left must be several cells and no few people.
			if !whole.Suppressed && hidden > 0 && (hidden == 1 || few(n)) {
				t.Fatalf("%s: %d cells with %d cases are withheld under a total of %d", what, hidden, n, whole.Count)
			}
			if whole.Suppressed && hidden == 0 && sum(counts) > 0 {
				t.Fatalf("%s: the parts of a withheld total add up to it", what)
			}
		}
		check("fates", Cell{Count: a.Cases}, total, fates)
		var l, n []Cell
		for _, b := range a.Bands {
			l, n = append(l, b.Withdrew), append(n, b.NFA)
		}
		check("withdrew", a.Withdrew, l, left)
		check("no further action", a.NFA, n, nfa)
	})
}
