package figures

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/fault"
)

var asAt = day(2026, 11, 23)

// planted says how the log-odds of withdrawing are made up in a made-up world.
type planted struct {
	base   float64
	weight map[string]float64
}

// lives are people with random answers and facts who withdrew by what was planted.
func (w *world) lives(n int, seed uint64, truth planted) {
	r := rand.New(rand.NewPCG(seed, 9))
	pick := func(p float64, yes, no string) (string, float64) {
		if r.Float64() < p {
			return yes, 1
		}
		return no, 0
	}
	packed := map[string][]byte{}
	for i := range n {
		z := truth.base
		plant := func(id string, p float64, yes, no string) string {
			v, is := pick(p, yes, no)
			z += is * truth.weight[id]
			return v
		}
		answers := map[string]string{
			"core.confidence": plant("core.confidence", 0.5, "not-very", "fairly"),
			"core.informed":   plant("core.informed", 0.5, "not-very-well", "very-well"),
			"core.serious":    plant("core.serious", 0.4, "disagree", "agree"),
			"advice.codes":    plant("advice.harmful", 0.3, "block", "keep-diary"),
			"report.named":    plant("report.named", 0.4, "yes", "no"),
			"report.risk":     plant("report.risk", 0.3, "yes", "no"),
			"report.support":  plant("report.support", 0.6, "yes-wanted", "not-offered"),
		}
		key := fmt.Sprint(answers)
		if packed[key] == nil {
			packed[key] = pack(w.t, w.set, "report/1", answers)
		}
		c := CaseRow{Key: fmt.Sprintf("life-%d", i), ChangedAt: asAt, Force: "Metropolitan Police", Borough: "Ealing", BCU: "West", ReportedAt: asAt.AddDate(0, 0, -100-i%900),
			Offence: plant("offence.stalking-4a", 0.26, "stalking-4a", "stalking-2a"), AgeBand: plant("age.35-54", 0.4, "35-44", "18-24"), Sex: plant("sex.female", 0.8, "female", "male")}
		if _, abuse := pick(0.8, "", ""); abuse == 1 {
			c.DomesticAbuse = 1
			z += truth.weight["domestic_abuse"]
		}
		if r.Float64() < 1/(1+math.Exp(-z)) {
			c.WithdrewAt = c.ReportedAt.Add(time.Duration(5+r.IntN(80)) * 24 * time.Hour)
			c.Reason = []string{"not-willing", "no-cj-outcome-wanted"}[r.IntN(2)]
		}
		w.cases = append(w.cases, c)
		at := c.ReportedAt.Add(72 * time.Hour)
		w.responses = append(w.responses, ResponseRow{ID: fmt.Sprintf("life-answer-%d", i), CaseKey: c.Key, Stage: "report", Round: 1, Mode: ModeSelf, Questionnaire: "report/1", Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: packed[key]})
	}
}

func driversOf(t *testing.T, p *Panel, outcome string) Drivers {
	t.Helper()
	d, err := p.Drivers(context.Background(), DriversQuery{Outcome: outcome, AsAt: asAt})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What was planted is found with its sign and size, and nothing else stands out by more
// than the intervals' own rate.
func TestDriversFindWhatIsPlanted(t *testing.T) {
	truth := planted{base: -0.8, weight: map[string]float64{"core.informed": 0.9, "advice.harmful": 0.7, "offence.stalking-4a": 0.6, "age.35-54": -0.8}}
	w := newWorld(t)
	w.lives(6000, 3, truth)
	d := driversOf(t, w.panel(), OutcomeWithdrew)
	if d.None != "" || d.Base != 6000 || len(d.Warnings) > 0 {
		t.Fatalf("%+v", d)
	}
	for _, v := range d.Drivers {
		want := truth.weight[v.ID]
		got, half := math.Log(v.Ratio), math.Log(v.High/v.Low)/2
		if v.Why != "" || math.Abs(got-want) > 1.6*half { // eleven intervals at once: three errors
			t.Errorf("%s: log-odds %.2f (± %.2f) for %.2f planted; %s", v.ID, got, half, want, v.Why)
		}
		if want != 0 && (v.Low < 1) == (v.High > 1) {
			t.Errorf("%s: a planted effect of %.2f is not told from none: %.2f to %.2f", v.ID, want, v.Low, v.High)
		}
	}
}

// With nothing planted, about one interval in twenty leaves one out.
func TestDriversFindNothingWhereNothingIs(t *testing.T) {
	found, looked := 0, 0
	set := loadSet(t)
	for seed := range uint64(40) {
		w := &world{t: t, set: set}
		w.lives(500, 100+seed, planted{base: -0.3})
		for _, v := range driversOf(t, w.panel(), OutcomeWithdrew).Drivers {
			if v.Why != "" {
				t.Fatalf("%+v", v)
			}
			looked++
			if v.Low > 1 || v.High < 1 {
				found++
			}
		}
	}
	if rate := float64(found) / float64(looked); rate > 0.08 {
		t.Errorf("%.1f%% of %d intervals leave one out, though nothing is planted", 100*rate, looked)
	} else {
		t.Logf("%.1f%% of %d intervals leave one out", 100*rate, looked)
	}
}

// A group that is too small has no odds ratio and costs the others nothing.
func TestDriversWithholdSmallGroups(t *testing.T) {
	w := newWorld(t)
	w.lives(400, 5, planted{base: 0})
	for i := range w.cases {
		w.cases[i].Offence, w.cases[i].Sex = "stalking-2a", "female"
		if i < MinDriverGroup-1 {
			w.cases[i].Offence = "stalking-4a"
		}
		if i < 60 {
			w.cases[i].Sex, w.cases[i].WithdrewAt = "male", time.Time{}
		}
		if i%2 == 0 {
			w.cases[i].AgeBand = ""
		}
	}
	d := driversOf(t, w.panel(), OutcomeWithdrew)
	why := map[string]string{}
	for _, v := range d.Drivers {
		why[v.ID] = v.Why
		if v.Why != "" && (v.Ratio != 0 || v.Group != 0) {
			t.Errorf("%s is withheld and yet told: %+v", v.ID, v)
		}
	}
	if why["offence.stalking-4a"] != WhyGroup || why["sex.female"] != WhyCell || why["age.35-54"] != WhyUnknown || why["core.informed"] != "" {
		t.Errorf("%q", why)
	}
	if d.Base != 400 {
		t.Errorf("base %d", d.Base)
	}
}

func TestDriversOfFew(t *testing.T) {
	for _, n := range []int{0, 10, 99} {
		w := newWorld(t)
		w.lives(n, 1, planted{})
		for _, outcome := range []string{OutcomeWithdrew, OutcomeNFA, OutcomeLowConfidence} {
			d := driversOf(t, w.panel(), outcome)
			if d.None == "" || d.Base != 0 || d.Events != 0 {
				t.Errorf("%s of %d people: %+v", outcome, n, d)
			}
			if slices.ContainsFunc(d.Drivers, func(v Driver) bool { return v.Ratio != 0 || v.Group != 0 || v.Why != "" }) {
				t.Errorf("%s of %d people tells something: %+v", outcome, n, d.Drivers)
			}
		}
	}
	_, err := newPanel(t).Drivers(context.Background(), DriversQuery{Outcome: "happiness", AsAt: asAt})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("an outcome that is not known: %v", err)
	}
}

// Only answers that could come before the outcome count, and only cases that had time.
func TestHistories(t *testing.T) {
	w := newWorld(t)
	add := func(change func(*CaseRow, *ResponseRow)) {
		key := w.oneCase("Ealing", "West", "stalking-2a")
		c := &w.cases[len(w.cases)-1]
		c.ReportedAt = asAt.AddDate(0, 0, -200)
		change(c, w.answer(key, "report/1", ModeSelf, c.ReportedAt.Add(48*time.Hour), map[string]string{"core.confidence": "very"}))
	}
	add(func(c *CaseRow, _ *ResponseRow) { c.WithdrewAt = c.ReportedAt.AddDate(0, 0, 90) })                        // within
	add(func(c *CaseRow, _ *ResponseRow) { c.WithdrewAt = c.ReportedAt.AddDate(0, 0, 91) })                        // later: not within
	add(func(c *CaseRow, _ *ResponseRow) { c.WithdrewAt = c.ReportedAt.AddDate(0, 0, 1) })                         // before the answer: out
	add(func(c *CaseRow, _ *ResponseRow) { c.ReportedAt = asAt.AddDate(0, 0, -90) })                               // too lately: out
	add(func(c *CaseRow, _ *ResponseRow) { c.ReportedAt = time.Time{} })                                           // never reported: out
	add(func(_ *CaseRow, r *ResponseRow) { r.Mode = ModeRelayed })                                                 // an advocate: out
	add(func(_ *CaseRow, r *ResponseRow) { r.Disposition = "partial" })                                            // out
	add(func(c *CaseRow, _ *ResponseRow) { c.Force = "City of London Police" })                                    // in, of another force
	add(func(c *CaseRow, _ *ResponseRow) { c.Gone = true })                                                        // out
	add(func(c *CaseRow, _ *ResponseRow) { c.Outcome, c.ClosedAt = "nfa-other", c.ReportedAt.AddDate(0, 0, 100) }) // no withdrawal
	add(func(c *CaseRow, _ *ResponseRow) {
		c.Outcome, c.ClosedAt = "nfa-evidential", c.ReportedAt.AddDate(0, 0, 190)
	}) // NFA, but later
	count := func(outcome, force string) string {
		p, with, all := w.panel(), 0, 0
		for _, h := range p.histories(outcome, force, asAt) {
			all++
			if h.outcome {
				with++
			}
		}
		return fmt.Sprint(with, "/", all)
	}
	for ask, want := range map[string]string{"withdrew": "1/5", "withdrew,Metropolitan Police": "1/4", "nfa": "1/3", "low-confidence": "0/7"} {
		outcome, force, _ := strings.Cut(ask, ",")
		if got := count(outcome, force); strings.ReplaceAll(got, " ", "") != want {
			t.Errorf("%s: %s, want %s", ask, got, want)
		}
	}
}
