package synth_test

import (
	"context"
	"math"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/synth"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// outcomes lays a world's cases and report answers out for the panel, everybody
// answering two days after the report.
func outcomes(t *testing.T, w *synth.World) *figures.Panel {
	t.Helper()
	set := sets(t)
	p, err := figures.New(set, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := set.Current(survey.StageReport)
	end := w.Options().End
	happened := func(at time.Time) time.Time {
		if at.After(end) {
			return time.Time{}
		}
		return at
	}
	for c := range w.Cases() {
		row := figures.CaseRow{Key: c.Ref, ChangedAt: end, Force: c.Force, BCU: c.BCU, Borough: c.Borough, Offence: c.Offence, AgeBand: c.AgeBand, Sex: c.Sex,
			ReportedAt: c.ReportedAt, WithdrewAt: happened(c.WithdrewAt), ClosedAt: happened(c.ClosedAt)}
		if c.Abuse {
			row.DomesticAbuse = 1
		}
		if !row.ClosedAt.IsZero() {
			row.Outcome = c.Outcome
		}
		p.ApplyCases(row)
		at := c.ReportedAt.Add(48 * time.Hour)
		if at.After(end) {
			continue
		}
		a, _, quick := w.Answer(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, at)
		if err := p.ApplyResponses(figures.ResponseRow{ID: c.Ref, CaseKey: c.Ref, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", Quick: quick, SubmittedAt: at, ChangedAt: at, Packed: q.Pack(a)}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// The world plants who withdraws (see fate): the regression finds the factors planted,
// with their signs and about their sizes, and none where none is planted.
func TestDriversOfAWorld(t *testing.T) {
	t.Parallel()
	w := world(16000)
	p := outcomes(t, w)
	d, err := p.Drivers(context.Background(), figures.DriversQuery{Outcome: figures.OutcomeWithdrew, AsAt: w.Options().End})
	if err != nil || d.None != "" {
		t.Fatalf("%v, %s", err, d.None)
	}
	// Log-odds as fate plants them; a little nearer to nought, since an arrest, which
	// matters more, is not among the factors.
	for id, want := range map[string]float64{"offence.stalking-4a": 0.5, "domestic_abuse": 0.25, "age.35-54": -0.5, "sex.female": 0} {
		for _, v := range d.Drivers {
			if v.ID != id {
				continue
			}
			got, half := math.Log(v.Ratio), math.Log(v.High/v.Low)/2
			if math.Abs(got-0.93*want) > 1.5*half || math.Abs(want) >= 0.5 && (v.Low < 1) == (v.High > 1) {
				t.Errorf("%s: log-odds %.2f (± %.2f), planted %.2f; %s", id, got, half, want, v.Why)
			}
		}
	}
	// Those who will withdraw lean lower in what they answer, most of all in confidence.
	a, err := p.Attrition(context.Background(), figures.AttritionQuery{AsAt: w.Options().End})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range a.Signals {
		if s.Outcome != figures.OutcomeWithdrew || s.ID == "advice.harmful" {
			continue
		}
		if s.Difference == nil || s.Difference.Low <= 0 || s.Difference.Points < 5 || s.Difference.Points > 25 {
			t.Errorf("%s before withdrawing: %+v", s.ID, s.Difference)
		}
	}
	// 45% withdraw, in the Deep Dive's bands, and it is theirs that is found.
	if math.Abs(*a.Withdrew.Share-42) > 4 {
		t.Errorf("%.1f%% withdrew", *a.Withdrew.Share)
	}
	by := 0.
	for i, b := range a.Bands[:4] {
		by += b.DeepDive * 169 / 165 // four of its withdrawals have no band
		got := 100 * float64(b.WithdrewBy.Count) / float64(a.Withdrew.Count)
		// Within two days of 24 hours is not always the same or the next day: up to a quarter of these fall into the next band.
		if got > by+4 || got < by-10 {
			t.Errorf("%s: %.1f%% of withdrawals so far, planted %.1f%% (band %d)", b.ID, got, by, i)
		}
	}
}
