package figures

// Dispositions counts what became of the people who were to be asked.
type Dispositions struct {
	Complete   int // I: the questionnaire was finished
	Partial    int // P: at least one core item was answered
	Refusal    int // R: said no, or took back their consent
	NonContact int // NC: no answer, or the message could not be delivered
	Other      int // O: any other reason not to have answered
	Unknown    int // UH+UO: not known whether they were eligible
	NotSafe    int // never asked: it was not safe to. A rate of its own
	Ineligible int // never to be asked
}

// Base is the denominator of the response rates: everyone but those who were
// ineligible or whom it was not safe to ask.
func (d Dispositions) Base() int {
	return d.Complete + d.Partial + d.Refusal + d.NonContact + d.Other + d.Unknown
}

// RR1 is AAPOR's response rate 1, the lowest of the family, 0 to 1: complete
// answers over everyone who may have been eligible. ok is false on an empty base.
//
// Source: The American Association for Public Opinion Research, "Standard
// Definitions: Final Dispositions of Case Codes and Outcome Rates for Surveys",
// 10th edition (2023): RR1 = I / ((I+P) + (R+NC+O) + (UH+UO)).
func (d Dispositions) RR1() (rate float64, ok bool) { return ratio(d.Complete, d.Base()) }

// RR2 is AAPOR's response rate 2: as RR1, with partial answers above the line.
func (d Dispositions) RR2() (rate float64, ok bool) { return ratio(d.Complete+d.Partial, d.Base()) }

// NotSafeRate is the share of those otherwise eligible whom it was not safe to ask.
func (d Dispositions) NotSafeRate() (rate float64, ok bool) {
	return ratio(d.NotSafe, d.Base()+d.NotSafe)
}

func ratio(x, n int) (float64, bool) {
	if n <= 0 {
		return 0, false
	}
	return float64(x) / float64(n), true
}

// Answer is what is known of a kept response by its id, for those who read words
// beside the figures. Case numbers the person within this panel alone.
type Answer struct {
	Case       int32
	Month      string // it was submitted in, as 2026-03
	Mode       string
	Complete   bool
	Force, BCU string
}

// Answer finds a kept response; ok is false where there is none, or none any more.
func (p *Panel) Answer(id string) (a Answer, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	r, c := &p.responses, &p.cases
	i, ok := r.rows[p.hash(id)]
	if !ok || r.flags[i]&flagLive == 0 || r.month[i] < 0 {
		return Answer{}, false
	}
	at := c.areas[c.area[r.caseRow[i]]]
	return Answer{Case: r.caseRow[i], Month: monthKey(int(r.month[i])), Mode: modes()[r.mode[i]], Complete: r.flags[i]&flagComplete != 0,
		Force: c.forces.names[at.force], BCU: c.bcus.names[at.bcu]}, true
}
