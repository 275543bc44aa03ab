package synth_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/synth"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

func sets(t testing.TB) *questionnaires.Set {
	t.Helper()
	s, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAnswersFit holds answers of every stage and mode against the questions.
func TestAnswersFit(t *testing.T) {
	t.Parallel()
	set, w := sets(t), world(1500)
	for c := range w.Cases() {
		told := w.About(c, set.About())
		if err := set.About().Check(told); err != nil {
			t.Fatalf("case %d: %v", c.Index, err)
		}
		if !reflect.DeepEqual(told, w.About(c, set.About())) {
			t.Fatalf("case %d: the same person told something else", c.Index)
		}
		for _, stage := range survey.Stages() {
			q := set.Current(stage)
			facts := questionnaires.Facts{Outcome: c.Outcome, Charged: c.Outcome == "charged", Rounds: 1 + c.Index%4}
			for _, mode := range []survey.Mode{survey.ModeSelf, survey.ModeRelayed} {
				a, ticks, quick := w.Answer(c, stage, facts.Rounds, mode, q, facts, c.ReportedAt.AddDate(0, 0, 3))
				if err := q.Check(a); err != nil {
					t.Fatalf("case %d, %s: %v", c.Index, stage, err)
				}
				if !reflect.DeepEqual(a, q.Settle(a, facts, quick)) {
					t.Fatalf("case %d, %s: the answers are not settled", c.Index, stage)
				}
				b, ticks2, quick2 := w.Answer(c, stage, facts.Rounds, mode, q, facts, c.ReportedAt.AddDate(0, 0, 3))
				if !reflect.DeepEqual(a, b) || ticks != ticks2 || quick != quick2 {
					t.Fatalf("case %d, %s: the same question gave another answer", c.Index, stage)
				}
			}
		}
	}
}

// TestAnswerShares looks at what comes out of many answers.
func TestAnswerShares(t *testing.T) {
	t.Parallel()
	set := sets(t)
	w := synth.New(synth.Options{Cases: 6000, End: end, Seed: 3})
	q := set.Current(survey.StageReport)
	table := set.Advice()
	type tally struct{ yes, n float64 }
	items := map[string]*tally{}
	var confident, both, quicks, written, all, harmed, asked float64
	var informed [2]tally
	skipped := 0
	for c := range w.Cases() {
		a, _, quick := w.Answer(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, c.ReportedAt)
		all++
		if quick {
			quicks++
		}
		words := false
		for i := range q.Items {
			it := &q.Items[i]
			ans, reached := a[it.ID]
			words = words || ans.Text != ""
			if reached && ans.State == questionnaires.Skipped {
				skipped++
			}
			if positive, valid := it.Share(ans); valid {
				if items[it.ID] == nil {
					items[it.ID] = &tally{}
				}
				items[it.ID].n++
				if positive {
					items[it.ID].yes++
				}
			}
		}
		if words {
			written++
		}
		if codes := a["advice.codes"]; codes.State == questionnaires.Answered {
			asked++
			if table.Harmful(codes.Choices) {
				harmed++
			}
		}
		conf, inf := a["core.confidence"], a["core.informed"]
		if conf.State == questionnaires.Answered && inf.State == questionnaires.Answered {
			k := 0
			if strings.HasPrefix(inf.Choice, "very-") || strings.HasPrefix(inf.Choice, "fairly-") {
				k = 1
			}
			informed[k].n++
			if conf.Choice == "very" || conf.Choice == "fairly" {
				informed[k].yes++
				confident++
				if k == 1 {
					both++
				}
			}
		}
	}
	for id, want := range map[string]float64{
		"core.confidence": 0.45, "core.informed": 0.46, "core.serious": 0.53, "core.overall": 0.50, "core.safer": 0.25, "report.named": 0.25, "report.risk": 0.15,
	} {
		near(t, "positive share of "+id, items[id].yes/items[id].n, want, 0.05)
	}
	near(t, "quick path", quicks/all, 0.18, 0.02)
	near(t, "answers with words", written/all, 0.82*0.35*0.96, 0.03)
	near(t, "harmful advice", harmed/asked, 0.36, 0.06)
	if gap := informed[1].yes/informed[1].n - informed[0].yes/informed[0].n; gap < 0.25 {
		t.Errorf("confidence of those kept informed is only %.2f above the others'", gap)
	}
	if skipped == 0 {
		t.Error("nobody skips a question")
	}
}

// TestEffectsAreThere finds each planted effect again: in the hidden answers with
// its exact size, and in the answers themselves with its sign.
func TestEffectsAreThere(t *testing.T) {
	t.Parallel()
	set := sets(t)
	q, table := set.Current(survey.StageReport), set.Advice()
	plain := synth.New(synth.Options{Cases: 9000, End: end, Seed: 5})
	planted := synth.New(synth.Options{Cases: 9000, End: end, Seed: 5, Effects: synth.DefaultEffects(end)})
	for _, e := range planted.Options().Effects {
		var sum, n float64
		var shares [2][2]float64 // without and with the effect: yes, n
		for c := range planted.Cases() {
			if e.BCU != "" && c.BCU != e.BCU {
				continue
			}
			diff := planted.Latent(c, survey.StageReport, 1, e.Item, c.ReportedAt) - plain.Latent(c, survey.StageReport, 1, e.Item, c.ReportedAt)
			if c.ReportedAt.Before(e.From) {
				if diff != 0 {
					t.Fatalf("%s moves before its time", e.Item)
				}
				continue
			}
			sum, n = sum+diff, n+1
			for k, w := range []*synth.World{plain, planted} {
				a, _, _ := w.Answer(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, c.ReportedAt)
				if e.Item == synth.HarmfulAdvice {
					if codes := a["advice.codes"]; codes.State == questionnaires.Answered {
						shares[k][1]++
						if !table.Harmful(codes.Choices) {
							shares[k][0]++
						}
					}
					continue
				}
				it, _ := q.Item(e.Item)
				if positive, valid := it.Share(a[e.Item]); valid {
					shares[k][1]++
					if positive {
						shares[k][0]++
					}
				}
			}
		}
		near(t, "latent shift of "+e.Item, sum/n, e.Shift, 1e-9)
		moved := shares[1][0]/shares[1][1] - shares[0][0]/shares[0][1]
		if moved*e.Shift <= 0 || math.Abs(moved) < 0.08 {
			t.Errorf("%s: a shift of %.1f moved the share by %.3f only, on %v answers", e.Item, e.Shift, moved, shares[0][1])
		}
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	w := world(12000)
	rate := map[survey.Stage]float64{}
	var english, other, en, ot, partial, answers, relayed, observed float64
	for c := range w.Cases() {
		for _, stage := range survey.Stages() {
			ok, delay, part := w.Responds(c, stage, 1)
			if delay < time.Minute || delay > 13*24*time.Hour {
				t.Fatalf("case %d answers after %v", c.Index, delay)
			}
			if ok {
				rate[stage]++
				answers++
				if part {
					partial++
				}
			}
			if stage == survey.StageReport {
				if c.Language == "en" {
					en++
					if ok {
						english++
					}
				} else {
					ot++
					if ok {
						other++
					}
				}
			}
		}
		switch mode, _, _ := w.OnBehalf(c, survey.StageReport, 1); mode {
		case survey.ModeRelayed:
			relayed++
		case survey.ModeObserved:
			observed++
		}
	}
	near(t, "answers at report", rate[survey.StageReport]/12000, 0.41, 0.04)
	if !slices.IsSortedFunc([]survey.Stage{survey.StageReport, survey.StageInvestigation, survey.StageClosure, survey.StageWithdrawn}, func(a, b survey.Stage) int { return int(rate[b] - rate[a]) }) {
		t.Errorf("answers do not fall by stage: %v", rate)
	}
	if other/ot > 0.85*english/en {
		t.Errorf("people of other languages answer at %.2f, English ones at %.2f", other/ot, english/en)
	}
	near(t, "in part", partial/answers, 0.09, 0.01)
	if relayed < 200 || observed < 200 {
		t.Errorf("%v relayed and %v observed of 12,000", relayed, observed)
	}
}
