package figures

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

func loadSet(t testing.TB) *questionnaires.Set {
	t.Helper()
	set, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var testThemes = []Theme{{"COM_UPDATES", "Being kept informed", "communication"}, {"RES_SERIOUS", "Taken seriously", "confidence"}}

func newPanel(t testing.TB) *Panel {
	t.Helper()
	p, err := New(loadSet(t), testThemes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }

// pack makes packed answers from item: option codes joined by "+".
func pack(t testing.TB, set *questionnaires.Set, form string, answers map[string]string) []byte {
	t.Helper()
	q, ok := set.ByID(form)
	if !ok {
		t.Fatalf("no questionnaire %s", form)
	}
	a := questionnaires.Answers{}
	for id, codes := range answers {
		it, ok := q.Item(id)
		if !ok {
			t.Fatalf("%s has no item %s", form, id)
		}
		if codes == "" {
			a[id] = it.Choose()
		} else {
			a[id] = it.Choose(strings.Split(codes, "+")...)
		}
	}
	if err := q.Check(a); err != nil {
		t.Fatal(err)
	}
	return q.Pack(a)
}

// world is rows to be applied, made up for one test.
type world struct {
	t         testing.TB
	set       *questionnaires.Set
	cases     []CaseRow
	responses []ResponseRow
	themes    []ThemeRow
	abouts    []AboutRow
}

func newWorld(t testing.TB) *world { return &world{t: t, set: loadSet(t)} }

func (w *world) oneCase(borough, bcu, offence string) string {
	key := fmt.Sprintf("case-%d", len(w.cases))
	w.cases = append(w.cases, CaseRow{Key: key, ChangedAt: day(2026, 1, 1), Force: "Metropolitan Police", Borough: borough, BCU: bcu, Offence: offence, DomesticAbuse: 1, AgeBand: "25-34", Sex: "female"})
	return key
}

func (w *world) answer(caseKey, form, mode string, at time.Time, answers map[string]string) *ResponseRow {
	stage, _, _ := strings.Cut(form, "/")
	w.responses = append(w.responses, ResponseRow{ID: fmt.Sprintf("response-%d", len(w.responses)), CaseKey: caseKey, Stage: stage, Round: 1, Mode: mode,
		Questionnaire: form, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: pack(w.t, w.set, form, answers)})
	return &w.responses[len(w.responses)-1]
}

// many answers core.informed n times, yes of them well, each on a case of its own.
func (w *world) many(borough, bcu, offence string, at time.Time, yes, n int) {
	for i := range n {
		answer := "very-well"
		if i >= yes {
			answer = "not-very-well"
		}
		w.answer(w.oneCase(borough, bcu, offence), "report/1", ModeSelf, at, map[string]string{"core.informed": answer})
	}
}

func (w *world) panel() *Panel {
	p, err := New(w.set, testThemes)
	if err != nil {
		w.t.Fatal(err)
	}
	p.ApplyCases(w.cases...)
	if err := p.ApplyResponses(w.responses...); err != nil {
		w.t.Fatal(err)
	}
	p.ApplyThemes(w.themes...)
	if err := p.ApplyAbouts(w.abouts...); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func ask(t testing.TB, p *Panel, q Query) Result {
	t.Helper()
	r, err := p.Figures(context.Background(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return r
}

// short writes points as "place n/base" lines, for tables by hand.
func short(r Result) []string {
	var out []string
	for _, pt := range r.Points {
		var k []string
		for _, d := range slices.Sorted(maps.Keys(pt.Key)) {
			k = append(k, pt.Key[d])
		}
		s := strings.Join(k, " ") + " "
		switch {
		case pt.Suppressed:
			s += "[c]"
		case pt.Share == nil:
			s += "-"
		case r.Measure.Averages():
			s += fmt.Sprintf("%.2f of %d", *pt.Share, pt.Base)
		default:
			s += fmt.Sprintf("%d/%d", pt.Numerator, pt.Base)
		}
		out = append(out, strings.TrimSpace(s))
	}
	return out
}

func want(t *testing.T, r Result, lines ...string) {
	t.Helper()
	if d := cmp.Diff(lines, short(r)); d != "" {
		t.Errorf("%s by %v (-want +got):\n%s", r.Measure.ID, r.By, d)
	}
}

func TestShareByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("Ealing", "West", "stalking-2a", day(2026, 3, 10), 18, 40)
	w.many("Ealing", "West", "stalking-2a", day(2026, 5, 10), 30, 40)
	w.many("Hackney", "Central East", "stalking-2a", day(2026, 3, 20), 20, 35)
	// None of these counts: no valid answer, an advocate's, and one that was not finished.
	key := w.oneCase("Ealing", "West", "stalking-2a")
	w.answer(key, "report/1", ModeSelf, day(2026, 3, 1), map[string]string{"core.informed": "", "core.overall": "very-satisfied"})
	w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeRelayed, day(2026, 3, 1), map[string]string{"core.informed": "very-well"})
	w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1), map[string]string{"core.informed": "very-well"}).Disposition = "partial"
	p := w.panel()

	r := ask(t, p, Query{Measure: "core.informed"})
	want(t, r, "68/115")
	pt := r.Points[0]
	iv := Wilson(68, 115)
	if *pt.Share != 100*68.0/115 || *pt.Low != iv.Low || *pt.High != iv.High || pt.Small || pt.Suppressed {
		t.Errorf("point %+v", pt)
	}
	if r.Mode != ModeSelf || r.Measure.Better != BetterHigher || !strings.Contains(r.Measure.Numerator, "Very well") {
		t.Errorf("definition %+v", r.Measure)
	}
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimMonth}}), "2026-03 38/75", "2026-04 -", "2026-05 30/40")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimQuarter, DimBorough}}), "Hackney 2026-Q1 20/35", "Hackney 2026-Q2 -", "Ealing 2026-Q1 18/40", "Ealing 2026-Q2 30/40")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimBCU}, From: day(2026, 3, 1).Truncate(24 * time.Hour), To: day(2026, 4, 1).Truncate(24 * time.Hour)}),
		"Central East 20/35", "West 18/40")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimYear}, Filters: map[string]string{DimBorough: "Hackney"}}), "2026 20/35")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimStage}}), "report 68/115")
	want(t, ask(t, p, Query{Measure: "core.informed", Stage: "closure"}))
	want(t, ask(t, p, Query{Measure: "core.informed", Mode: ModeRelayed}), "[c]")
}

func TestMonthsAreLondons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// 23:30 UTC on the last of June is half past midnight on the first of July in London.
	w.many("Ealing", "West", "stalking-2a", time.Date(2026, 6, 30, 23, 30, 0, 0, time.UTC), 20, 40)
	w.many("Ealing", "West", "stalking-2a", time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC), 15, 40)
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimMonth}}), "2026-06 15/40", "2026-07 20/40")
	june := func(z *time.Location) Query {
		return Query{Measure: "core.informed", From: time.Date(2026, 6, 1, 0, 0, 0, 0, z), To: time.Date(2026, 7, 1, 0, 0, 0, 0, z)}
	}
	want(t, ask(t, p, june(time.UTC)), "15/40")
	want(t, ask(t, p, june(p.zone)), "15/40")
}

func TestOwnAnswerWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 40 {
		key := w.oneCase("Ealing", "West", "stalking-2a")
		w.answer(key, "report/1", ModeRelayed, day(2026, 3, 1), map[string]string{"core.informed": "very-well"})
		if i < 8 {
			w.answer(key, "report/1", ModeSelf, day(2026, 3, 2), map[string]string{"core.informed": "not-at-all-well"})
		}
	}
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "core.informed", Mode: ModeRelayed}), "32/32")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimMode}}), "self [c]", "relayed 32/32")
	// The victim takes the answers back: the advocate's stands again.
	gone := w.responses[1]
	gone.Gone, gone.ChangedAt = true, day(2026, 4, 1)
	if err := p.ApplyResponses(gone); err != nil {
		t.Fatal(err)
	}
	want(t, ask(t, p, Query{Measure: "core.informed", Mode: ModeRelayed}), "33/33")
}

func TestIndexNeedsHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Communication at report has three scored questions: core.informed, report.contact, report.next.
	for range 30 {
		w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1),
			map[string]string{"core.informed": "very-well", "report.contact": "one", "report.next": "disagree"}) // (100+50+25)/3
		w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1),
			map[string]string{"core.informed": "not-at-all-well", "report.contact": "not-sure", "report.next": "agree"}) // (0+75)/2
		w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1),
			map[string]string{"core.informed": "very-well"}) // one of three: left out
	}
	r := ask(t, w.panel(), Query{Measure: "index.communication"})
	want(t, r, "47.92 of 60") // (58.333 + 37.5) / 2
	if pt := r.Points[0]; pt.Low == nil || !(*pt.Low < *pt.Share && *pt.Share < *pt.High) || pt.Numerator != 0 {
		t.Errorf("interval %+v", pt)
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 60 {
		codes := "none-of-these"
		switch {
		case i < 12:
			codes = "change-number+keep-diary"
		case i < 20:
			codes = "block"
		case i < 50:
			codes = "keep-diary+cctv-alarm-locks"
		}
		w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1), map[string]string{"advice.codes": codes, "advice.risk": []string{"yes", "no", "not-sure"}[i%3]})
	}
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "advice.harmful"}), "20/60")
	want(t, ask(t, p, Query{Measure: "advice.code.keep-diary"}), "42/60")
	r := ask(t, p, Query{Measure: "advice.worry"})
	want(t, r, "20/40")
	if r.Measure.Better != BetterLower {
		t.Error("worry is better low")
	}
	// The commissioner has "block" down as depending on the case: from then on it does not count.
	e, _ := w.set.Advice().Entry("block")
	e.Polarity, e.SignedOff = questionnaires.Context, "Head of practice"
	next, err := w.set.Advice().Revise(e)
	if err != nil {
		t.Fatal(err)
	}
	p.SetAdvice(next)
	want(t, ask(t, p, Query{Measure: "advice.harmful"}), "12/60")
}

func TestThemes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := day(2026, 3, 1)
	for i := range 60 {
		r := w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, at, map[string]string{"core.informed": "very-well"})
		if i >= 50 {
			continue // no words
		}
		var labels []ThemeLabel
		if i < 20 {
			labels = append(labels, ThemeLabel{"COM_UPDATES", "negative"})
		}
		if i >= 10 && i < 30 {
			labels = append(labels, ThemeLabel{"COM_UPDATES", "positive"}, ThemeLabel{"NO_SUCH_CODE", "positive"})
		}
		w.themes = append(w.themes, ThemeRow{ResponseID: r.ID, Item: "open.well", ChangedAt: at, Labels: labels}, ThemeRow{ResponseID: r.ID, Item: "open.better", ChangedAt: at})
	}
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "theme.COM_UPDATES.negative"}), "20/50")
	want(t, ask(t, p, Query{Measure: "theme.COM_UPDATES.positive"}), "20/50")
	want(t, ask(t, p, Query{Measure: "theme.COM_UPDATES.any"}), "30/50")
	// A person corrects one coding: nothing was said there after all.
	fixed := w.themes[0]
	fixed.Labels, fixed.ChangedAt = nil, at.Add(time.Hour)
	p.ApplyThemes(fixed)
	want(t, ask(t, p, Query{Measure: "theme.COM_UPDATES.negative"}), "19/50")
	p.ApplyThemes(w.themes[0])
	want(t, ask(t, p, Query{Measure: "theme.COM_UPDATES.negative"}), "19/50")
	if _, err := p.Figures(context.Background(), Query{Measure: "theme.NO_SUCH_CODE.any"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown theme: %v", err)
	}
}

func TestResponseRatesFromAskings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tally := []struct {
		d    Disposition
		sent bool
		n    int
	}{{Completed, true, 650}, {StartedPartial, true, 50}, {Refused, true, 150}, {NoResponse, true, 60}, {Undelivered, true, 30}, {Pending, true, 10},
		{OtherReason, false, 30}, {TooLate, false, 20}, {NotSafe, false, 250}, {Ineligible, false, 40}, {Pending, false, 70}}
	for _, k := range tally {
		for range k.n {
			w.oneCase("Ealing", "West", "stalking-2a")
			a := AskRow{Stage: "report", Round: 1, DueAt: day(2026, 3, 3), Disposition: k.d}
			if k.sent {
				a.SentAt = day(2026, 3, 4)
			}
			w.cases[len(w.cases)-1].Asks = []AskRow{a}
		}
	}
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "response.rr1", By: []string{DimMonth, DimStage}}), "2026-03 report 650/1000")
	want(t, ask(t, p, Query{Measure: "response.rr2"}), "700/1000")
	want(t, ask(t, p, Query{Measure: "response.not-safe"}), "250/1250")
	var strip []string
	for _, id := range []string{"eligible", "safe", "invited", "delivered", "started", "partial", "complete"} {
		strip = append(strip, short(ask(t, p, Query{Measure: "dissemination." + id}))...)
	}
	if d := cmp.Diff([]string{"1320/1360", "1070/1360", "950/1360", "920/1360", "700/1360", "700/1360", "650/1360"}, strip); d != "" {
		t.Error(d)
	}
	if _, err := p.Figures(context.Background(), Query{Measure: "response.rr1", Mode: ModeRelayed}); !fault.Is(err, fault.Invalid) {
		t.Errorf("askings by mode: %v", err)
	}
}

// A step of the strip fewer than five below the last one shown would give those few away.
func TestStripHidesFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 100 {
		w.oneCase("Ealing", "West", "stalking-2a")
		d := Completed
		switch {
		case i < 3:
			d = NotSafe // three people: not to be read off
		case i < 5:
			d = Undelivered // two more
		case i < 40:
			d = NoResponse
		}
		w.cases[i].Asks = []AskRow{{Stage: "report", Round: 1, DueAt: day(2026, 3, 3), SentAt: day(2026, 3, 4), Disposition: d}}
	}
	p := w.panel()
	got := map[string]string{}
	for _, id := range []string{"eligible", "safe", "invited", "delivered", "complete"} {
		got[id] = short(ask(t, p, Query{Measure: "dissemination." + id}))[0]
	}
	wantStrip := map[string]string{"eligible": "100/100", "safe": "[c]", "invited": "[c]", "delivered": "95/100", "complete": "60/100"}
	if d := cmp.Diff(wantStrip, got); d != "" {
		t.Error(d)
	}
}

func TestSuppressionInTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := day(2026, 3, 10)
	w.many("Ealing", "West", "stalking-2a", at, 20, 40)
	w.many("Hillingdon", "West", "stalking-2a", at, 15, 33)
	w.many("Hounslow", "West", "stalking-2a", at, 4, 9) // primary: base
	w.many("Hackney", "Central East", "stalking-2a", at, 30, 60)
	p := w.panel()
	r := ask(t, p, Query{Measure: "core.informed", By: []string{DimBorough}})
	// Hillingdon goes too: West less Ealing and Hillingdon would be Hounslow.
	want(t, r, "Hackney 30/60", "Ealing 20/40", "Hillingdon [c]", "Hounslow [c]")
	if r.Points[2].Reason != ReasonWithheld || r.Points[3].Reason != ReasonWithheld {
		t.Errorf("reasons: %q, %q", r.Points[2].Reason, r.Points[3].Reason)
	}
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimBCU}}), "Central East 30/60", "West 39/82")
	// Filters show a part of the same table: what is withheld stays withheld.
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimBorough}, Filters: map[string]string{DimBorough: "Hillingdon"}}), "Hillingdon [c]")
	// Asking for the only month there is changes nothing either.
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimMonth, DimBorough}}), "Hackney 2026-03 30/60", "Ealing 2026-03 20/40", "Hillingdon 2026-03 [c]", "Hounslow 2026-03 [c]")
}

func TestOffTheLattice(t *testing.T) {
	t.Parallel()
	p := newPanel(t)
	d := func(m time.Month, day int) time.Time { return time.Date(2026, m, day, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name  string
		q     Query
		field string
	}{
		{"unknown measure", Query{Measure: "core.happiness"}, "measure"},
		{"unknown dimension", Query{Measure: "core.informed", By: []string{"postcode"}}, "by"},
		{"two attributes", Query{Measure: "core.informed", By: []string{DimOffence, DimSex}}, DimSex},
		{"an attribute split, another filtered", Query{Measure: "core.informed", By: []string{DimAge}, Filters: map[string]string{DimOutcome: "charged"}}, DimOutcome},
		{"mode crossed with an attribute", Query{Measure: "core.informed", By: []string{DimAge}, Mode: ModeRelayed}, DimAge},
		{"by mode and an attribute", Query{Measure: "core.informed", By: []string{DimMode, DimAge}}, DimAge},
		{"two periods", Query{Measure: "core.informed", By: []string{DimMonth, DimYear}}, "by"},
		{"two areas", Query{Measure: "core.informed", By: []string{DimBCU, DimBorough}}, "by"},
		{"unknown stage", Query{Measure: "core.informed", Stage: "trial"}, "stage"},
		{"unknown mode", Query{Measure: "core.informed", Mode: "guessed"}, DimMode},
		{"unknown filter", Query{Measure: "core.informed", Filters: map[string]string{"name": "x"}}, "name"},
		{"two stages", Query{Measure: "core.informed", Stage: "report", Filters: map[string]string{DimStage: "closure"}}, DimStage},
		{"a window that is no period", Query{Measure: "core.informed", From: d(1, 1), To: d(3, 1)}, "from"},
		{"a window that starts inside a month", Query{Measure: "core.informed", From: d(1, 15), To: d(2, 15)}, "from"},
		{"a half-open window", Query{Measure: "core.informed", From: d(1, 1)}, "from"},
		{"backwards", Query{Measure: "core.informed", By: []string{DimMonth}, From: d(3, 1), To: d(1, 1)}, "to"},
	}
	for _, tt := range tests {
		_, err := p.Figures(context.Background(), tt.q)
		fields := fault.FieldsOf(err)
		if !fault.Is(err, fault.Invalid) || !slices.ContainsFunc(fields, func(f fault.Field) bool { return f.Field == tt.field }) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !strings.Contains(err.Error(), "at most one") {
			t.Errorf("%s: the error does not name what is allowed: %v", tt.name, err)
		}
	}
	for _, q := range []Query{
		{Measure: "core.informed", From: d(1, 1), To: d(2, 1)}, {Measure: "core.informed", From: d(1, 1), To: d(4, 1)},
		{Measure: "core.informed", From: d(1, 1), To: d(1, 1).AddDate(1, 0, 0)}, {Measure: "core.informed", By: []string{DimMonth}, From: d(1, 15)},
	} {
		if r, err := p.Figures(context.Background(), q); err != nil || len(r.Points) > 0 {
			t.Errorf("an empty panel: %+v, %v", r.Points, err)
		}
	}
}

func TestBadRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := *w.answer(w.oneCase("Ealing", "West", "stalking-2a"), "report/1", ModeSelf, day(2026, 3, 1), map[string]string{"core.informed": "very-well"})
	p := newPanel(t)
	for name, spoil := range map[string]func(*ResponseRow){
		"questionnaire": func(r *ResponseRow) { r.Questionnaire = "report/99" },
		"stage":         func(r *ResponseRow) { r.Stage = "trial" },
		"mode":          func(r *ResponseRow) { r.Mode = "guessed" },
		"time":          func(r *ResponseRow) { r.SubmittedAt = time.Time{} },
		"answers":       func(r *ResponseRow) { r.Packed = r.Packed[:3] },
	} {
		bad := good
		spoil(&bad)
		bad.ID = "bad-" + name
		if err := p.ApplyResponses(bad, good); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := p.Size().Responses; n != 1 {
		t.Errorf("%d responses are kept, want the good one", n)
	}
}

// randomWorld makes rows with every kind of dimension, ties and tombstones in it.
func randomWorld(t testing.TB, rng *rand.Rand, n int) *world {
	w := newWorld(t)
	boroughs := [][2]string{{"Ealing", "West"}, {"Hounslow", "West"}, {"Hackney", "Central East"}, {"Barnet", "North West"}}
	offences := []string{"stalking-2a", "stalking-4a", ""}
	forms := []string{"report/1", "investigation/1", "closure/1", "withdrawn/1"}
	dispositions := []Disposition{Completed, StartedPartial, NoResponse, NotSafe, Ineligible, Refused, Undelivered, Pending}
	for range n {
		b := boroughs[rng.IntN(len(boroughs))]
		key := w.oneCase(b[0], b[1], offences[rng.IntN(len(offences))])
		c := &w.cases[len(w.cases)-1]
		c.DomesticAbuse = int8(rng.IntN(3)) - 1
		at := day(2025, time.Month(9+rng.IntN(8)), 1+rng.IntN(28))
		c.Asks = []AskRow{{Stage: "report", Round: 1, DueAt: at, SentAt: at, Disposition: dispositions[rng.IntN(len(dispositions))]}}
		for k := range 1 + rng.IntN(2) {
			mode := ModeSelf
			if rng.IntN(8) == 0 {
				mode = ModeRelayed
			}
			form := forms[rng.IntN(len(forms))]
			r := w.answer(key, form, mode, at, map[string]string{"core.informed": []string{"very-well", "not-very-well", "fairly-well", ""}[rng.IntN(4)]})
			r.Round = 1 + k
			if rng.IntN(10) == 0 {
				r.Disposition = "partial"
			}
			w.themes = append(w.themes, ThemeRow{ResponseID: r.ID, Item: "open.well", ChangedAt: at, Labels: []ThemeLabel{{"COM_UPDATES", []string{"positive", "negative"}[rng.IntN(2)]}}})
		}
	}
	for i := range w.responses { // later versions and tombstones of some rows
		switch rng.IntN(12) {
		case 0:
			later := w.responses[i]
			later.ChangedAt, later.Disposition = later.ChangedAt.Add(time.Hour), "complete"
			w.responses = append(w.responses, later)
		case 1:
			gone := ResponseRow{ID: w.responses[i].ID, ChangedAt: w.responses[i].ChangedAt, Gone: true}
			w.responses = append(w.responses, gone)
			w.themes = append(w.themes, ThemeRow{ResponseID: gone.ID, Item: "open.well", ChangedAt: gone.ChangedAt, Gone: true})
		}
	}
	randomTold(w, rng)
	return w
}

var latticeQueries = []Query{
	{Measure: "core.informed"}, {Measure: "core.informed", By: []string{DimMonth}}, {Measure: "core.informed", By: []string{DimQuarter, DimStage, DimBorough}},
	{Measure: "core.informed", By: []string{DimBCU, DimOffence}}, {Measure: "core.informed", By: []string{DimMode, DimYear}},
	{Measure: "core.informed", By: []string{DimAbuse, DimStage}}, {Measure: "core.informed", By: []string{DimAboutEthnicity, DimQuarter}}, {Measure: "index.communication", By: []string{DimStage}},
	{Measure: "theme.COM_UPDATES.any", By: []string{DimMonth}}, {Measure: "theme.COM_UPDATES.negative", By: []string{DimQuestionnaire}},
	{Measure: "response.rr1", By: []string{DimQuarter}}, {Measure: "response.rr2", By: []string{DimBorough}}, {Measure: "dissemination.safe", By: []string{DimMonth}},
}

// Rows may come in any order, and twice: the figures are the same.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := randomWorld(t, rng, 150)
		plain := w.panel()
		shuffled := newPanel(t)
		type apply func()
		var acts []apply
		for range 2 {
			for _, r := range w.cases {
				acts = append(acts, func() { shuffled.ApplyCases(r) })
			}
			for _, r := range w.responses {
				acts = append(acts, func() {
					if err := shuffled.ApplyResponses(r); err != nil {
						t.Error(err)
					}
				})
			}
			for _, r := range w.themes {
				acts = append(acts, func() { shuffled.ApplyThemes(r) })
			}
			for _, r := range w.abouts {
				acts = append(acts, func() {
					if err := shuffled.ApplyAbouts(r); err != nil {
						t.Error(err)
					}
				})
			}
		}
		rng.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
		for _, act := range acts {
			act()
		}
		if plain.Size() != shuffled.Size() {
			t.Errorf("seed %d: %+v and %+v", seed, plain.Size(), shuffled.Size())
		}
		for _, q := range latticeQueries {
			a, b := ask(t, plain, q), ask(t, shuffled, q)
			a.Measure, b.Measure = Measure{ID: a.Measure.ID}, Measure{ID: b.Measure.ID}
			if d := cmp.Diff(mustJSON(t, a), mustJSON(t, b)); d != "" {
				t.Errorf("seed %d, %+v:\n%s", seed, q, d)
			}
		}
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Before suppression every total is the sum of its parts, along every axis; after it,
// no published total less its published parts leaves something that could not be published.
func TestTablesAddUpAndGiveNothingAway(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p := randomWorld(t, rng, []int{40, 150, 400, 900}[seed%4]).panel()
		for _, id := range []string{"core.informed", "index.communication", "theme.COM_UPDATES.any", "response.rr2", "dissemination.delivered"} {
			m, _ := p.measure(id)
			attrs := []string{"", DimOffence, DimAbuse, DimAboutEthnicity}
			if m.askings {
				attrs = attrs[:3]
			}
			for _, attr := range attrs {
				tb, err := p.table(context.Background(), &m, ModeSelf, attr)
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("seed %d %s by %q", seed, id, attr)
				checkTable(t, name, &m, tb)
				if attr != "" {
					margin, err := p.table(context.Background(), &m, ModeSelf, "")
					if err != nil {
						t.Fatal(err)
					}
					width := len(tb.axes[axisAttr].nodes)
					for i := range margin.base {
						if total := i*width + width - 1; margin.base[i] != tb.base[total] || margin.hidden[i] != tb.hidden[total] {
							t.Fatalf("%s: a total is shown in one table and withheld in another", name)
						}
					}
				}
			}
		}
	}
}

func checkTable(t *testing.T, name string, m *Measure, tb *table) {
	t.Helper()
	for i, h := range tb.hidden {
		if (m.check(tb.counts(int32(i))) != "") && !h {
			t.Fatalf("%s: a cell under the threshold is shown", name)
		}
		if h && tb.base[i] == 0 {
			t.Fatalf("%s: cell %d is withheld, and nobody is in it", name, i)
		}
	}
	for k := range tb.axes {
		stride := tb.stride[k]
		block := stride * len(tb.axes[k].nodes)
		for parent, children := range tb.axes[k].children {
			if len(children) == 0 {
				continue
			}
			for outer := 0; outer < len(tb.base); outer += block {
				for inner := range stride {
					total := int32(outer + inner + parent*stride)
					var cells, withheld []int32
					for _, c := range children {
						cell := int32(outer + inner + int(c)*stride)
						cells = append(cells, cell)
						if tb.hidden[cell] {
							withheld = append(withheld, cell)
						}
					}
					if a, b := tb.counts(cells...), tb.counts(total); a.num != b.num || a.base != b.base || !slices.Equal(a.links, b.links) {
						t.Fatalf("%s axis %d: parts %+v, total %+v", name, k, a, b)
					}
					switch {
					case tb.base[total] == 0:
					case tb.hidden[total] && len(withheld) == 0:
						t.Fatalf("%s axis %d: a withheld total is the sum of parts that are shown", name, k)
					case !tb.hidden[total] && len(withheld) == 1:
						t.Fatalf("%s axis %d: a withheld part is its total less the other parts", name, k)
					case !tb.hidden[total] && len(withheld) > 1 && m.check(tb.counts(withheld...)) != "":
						t.Fatalf("%s axis %d: the withheld parts together are too few", name, k)
					}
				}
			}
		}
	}
}

// What is withheld leaves no number behind, in the point or in its JSON.
func TestSuppressedPointsAreEmpty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := randomWorld(t, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3)), rapid.IntRange(1, 120).Draw(rt, "cases")).panel()
		q := rapid.SampledFrom(latticeQueries).Draw(rt, "query")
		for _, pt := range ask(t, p, q).Points {
			if !pt.Suppressed {
				if pt.Base > 0 && pt.Base < MinBase {
					rt.Fatalf("a base of %d is shown", pt.Base)
				}
				continue
			}
			if pt.Numerator != 0 || pt.Base != 0 || pt.Share != nil || pt.Low != nil || pt.High != nil || pt.Small || pt.Signal != "" || pt.Reason == "" {
				rt.Fatalf("a withheld point holds %+v", pt)
			}
			var fields map[string]any
			if err := json.Unmarshal([]byte(mustJSON(t, pt)), &fields); err != nil {
				rt.Fatal(err)
			}
			for k, v := range fields {
				if _, isNumber := v.(float64); isNumber {
					rt.Fatalf("%s of a withheld point is %v", k, v)
				}
			}
		}
	})
}

// A planted change is found, where it is, and said in words that claim no more than the rule.
func TestTrend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for m := range 24 {
		yes := 16 + []int{2, -1, 1, -2}[m%4]
		if m >= 16 {
			yes += 18
		}
		w.many("Ealing", "West", "stalking-2a", day(2024, time.Month(1+m), 5), yes, 50)
	}
	p := w.panel()
	r := ask(t, p, Query{Measure: "core.informed", By: []string{DimMonth}})
	if r.Trend == nil || r.Trend.Method != "p′" || r.Trend.Points != 24 || len(r.Trend.Limits) != 24 {
		t.Fatalf("trend %+v", r.Trend)
	}
	i := slices.IndexFunc(r.Trend.Signals, func(s Sign) bool { return s.Rule == RuleShift && s.Up })
	if i < 0 {
		t.Fatalf("the shift was not found: %+v", r.Trend.Signals)
	}
	s := r.Trend.Signals[i]
	if s.From != "2025-05" || s.To != "2025-12" || s.Meaning != MeansImprovement || !s.Strong {
		t.Errorf("signal %+v", s)
	}
	if s.Words != "8 points in a row above the centre line, May 2025 to December 2025 (rule b): in the direction of improvement, worth looking into." {
		t.Errorf("words: %s", s.Words)
	}
	if pt := r.Points[20]; !strings.Contains(pt.Signal, "b") || pt.Meaning != MeansImprovement {
		t.Errorf("point %+v", pt)
	}
	if !strings.Contains(r.Trend.Note, "by chance") {
		t.Errorf("note: %s", r.Trend.Note)
	}
	// Eleven points bear no limits, and split series have no trend of their own.
	to := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
	if r := ask(t, p, Query{Measure: "core.informed", By: []string{DimMonth}, To: to}); r.Trend == nil || r.Trend.Centre != nil || r.Trend.Limits != nil || !strings.Contains(r.Trend.Note, "has 11") {
		t.Errorf("eleven points: %+v", r.Trend)
	}
}

func TestSuggestPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for m := range 12 {
		w.many("Ealing", "West", "stalking-2a", day(2025, time.Month(1+m), 5), 5, 10)
		w.many("Hackney", "Central East", "stalking-2a", day(2025, time.Month(1+m), 5), 40, 80)
	}
	p := w.panel()
	for _, tt := range []struct {
		q    Query
		want string
	}{
		{Query{Measure: "core.informed"}, DimMonth},
		{Query{Measure: "core.informed", By: []string{DimMonth}, Filters: map[string]string{DimBorough: "Ealing"}}, DimQuarter},
		{Query{Measure: "core.informed", Stage: "closure"}, DimYear},
	} {
		s, err := p.SuggestPeriod(context.Background(), tt.q)
		if err != nil || s.Period != tt.want || s.Words == "" {
			t.Errorf("%+v: %+v, %v", tt.q, s, err)
		}
	}
}

func TestMeasuresAreDefined(t *testing.T) {
	t.Parallel()
	p := newPanel(t)
	seen := map[string]bool{}
	for _, m := range p.Measures() {
		if seen[m.ID] {
			t.Errorf("%s twice", m.ID)
		}
		seen[m.ID] = true
		if m.Title == "" || m.Numerator == "" || m.Base == "" || m.Exclusions == "" || m.Source == "" || len(m.Stages) == 0 || m.rows == nil || m.check == nil {
			t.Errorf("%s has an incomplete definition: %+v", m.ID, m)
		}
		if _, err := p.Figures(context.Background(), Query{Measure: m.ID, By: []string{DimMonth}}); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
	for _, id := range []string{"core.confidence", "core.informed", "core.advice", "core.serious", "core.safer", "core.overall", "index.confidence", "index.communication",
		"advice.harmful", "advice.worry", "advice.code.block", "report.named", "inv.chase", "close.reason", "wd.reasons.code.not-informed", "theme.COM_UPDATES.positive", "theme.RES_SERIOUS.any",
		"response.rr1", "response.rr2", "response.not-safe", "dissemination.invited"} {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

// A cursor hands over the rows of its overlap again: nothing is counted anew for that.
func TestTheSameRowsChangeNothing(t *testing.T) {
	t.Parallel()
	w := randomWorld(t, rand.New(rand.NewPCG(5, 5)), 60)
	p := w.panel()
	before := p.version
	p.ApplyCases(w.cases...)
	p.ApplyCases()
	p.ApplyThemes(w.themes...)
	if err := p.ApplyAbouts(w.abouts...); err != nil {
		t.Error(err)
	}
	if p.version != before {
		t.Error("cases, codings or what people told handed over again made the tables stale")
	}
	last := w.responses[len(w.responses)-1]
	if err := p.ApplyResponses(last); err != nil || p.version != before {
		t.Error("a response handed over again made the tables stale", err)
	}
	last.Quick, last.ChangedAt = !last.Quick, last.ChangedAt.Add(48*time.Hour)
	if last.Gone {
		last = w.responses[0]
		last.Quick, last.ChangedAt = true, last.ChangedAt.Add(48*time.Hour)
	}
	if err := p.ApplyResponses(last); err != nil || p.version == before {
		t.Error("a changed response did not", err)
	}
}

// Reading and writing at once: the race detector's test.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	w := randomWorld(t, rand.New(rand.NewPCG(9, 9)), 200)
	p := newPanel(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ApplyCases(w.cases...)
		for _, r := range w.responses {
			_ = p.ApplyResponses(r)
		}
		p.ApplyThemes(w.themes...)
		_ = p.ApplyAbouts(w.abouts...)
	}()
	for i := range 60 {
		ask(t, p, latticeQueries[i%len(latticeQueries)])
	}
	<-done
	if got, want := ask(t, p, latticeQueries[1]), ask(t, w.panel(), latticeQueries[1]); mustJSON(t, got.Points) != mustJSON(t, want.Points) {
		t.Error("the figures differ after concurrent use")
	}
}

func TestLoadStopsWithItsStream(t *testing.T) {
	t.Parallel()
	w := randomWorld(t, rand.New(rand.NewPCG(4, 4)), 700)
	p := newPanel(t)
	seq := func(yield func(CaseRow, error) bool) {
		for _, c := range w.cases {
			if !yield(c, nil) {
				return
			}
		}
	}
	latest, err := p.LoadCases(context.Background(), seq)
	if err != nil || !latest.Equal(day(2026, 1, 1)) || p.Size().Cases != len(w.cases) {
		t.Errorf("%v %v %+v", latest, err, p.Size())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newPanel(t).LoadCases(ctx, seq); err == nil {
		t.Error("a cancelled load went on")
	}
	if _, err := p.Figures(ctx, Query{Measure: "core.informed", By: []string{DimMonth}}); err == nil {
		t.Error("a cancelled query went on")
	}
}
