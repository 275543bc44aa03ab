package figures

import "testing"

// A worked example published at statscalculators.com ("Survey response rate
// calculator"): 650 complete, 50 partial, 150 refused, 100 not contacted, 30 other,
// 20 of unknown eligibility: RR1 = 65%. RR2 adds the partials: 70%.
func TestResponseRates(t *testing.T) {
	t.Parallel()
	d := Dispositions{Complete: 650, Partial: 50, Refusal: 150, NonContact: 100, Other: 30, Unknown: 20, NotSafe: 250, Ineligible: 40}
	if r, ok := d.RR1(); !ok || r != .65 {
		t.Errorf("RR1 %.4f", r)
	}
	if r, ok := d.RR2(); !ok || r != .70 {
		t.Errorf("RR2 %.4f", r)
	}
	if r, ok := d.NotSafeRate(); !ok || r != .2 {
		t.Errorf("not safe %.4f", r)
	}
	if _, ok := (Dispositions{Ineligible: 9}).RR1(); ok {
		t.Error("a rate of nobody was given")
	}
}
