package figures

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"victimvoice/survey/questionnaires"
)

// AdviceStep is one version of the polarity table and the month from which it is in
// force; zero: from the beginning.
type AdviceStep struct {
	From   time.Time
	Advice *questionnaires.Advice
}

// SetAdviceHistory says which version of the polarity table was in force when. An
// answer is judged by the version of its own month, so that a new version changes no
// figure of the months before it. Of two versions of one month the later given counts.
// Without a step nothing changes.
func (p *Panel) SetAdviceHistory(steps ...AdviceStep) {
	if len(steps) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advices = slices.Clone(steps)
	slices.SortStableFunc(p.advices, func(a, b AdviceStep) int { return cmp.Compare(monthOf(a.From, p.zone), monthOf(b.From, p.zone)) })
	p.advice = p.advices[len(p.advices)-1].Advice
	p.version++
}

// judge is a run of months in which the same advice was classed as harmful.
type judge struct {
	from int16 // month since 2000; -1: from the beginning
	mask uint64
	name string // version of the table that began it
}

// judges are the runs, the earliest first.
type judges []judge

// judges says which codes counted as harmful when. Versions that agree in that are one,
// whatever else they say.
func (p *Panel) judges(c *column) judges {
	var out judges
	for _, step := range p.advices {
		j := judge{monthOf(step.From, p.zone), c.mask(func(v value) bool { return step.Advice.Polarity(v.code) == questionnaires.Harmful }), strconv.Itoa(step.Advice.Version)}
		if n := len(out); n > 0 && out[n-1].from == j.from {
			out = out[:n-1]
		}
		if n := len(out); n == 0 || out[n-1].mask != j.mask {
			out = append(out, j)
		}
	}
	out[0].from = -1 // the first there is judges all before it
	return out
}

// at is which of them judges a month.
func (js judges) at(month int16) int {
	for i := len(js) - 1; i > 0; i-- {
		if month >= js[i].from {
			return i
		}
	}
	return 0
}

// names are the versions by number, from 1 on, as a table numbers them.
func (js judges) names() []string {
	out := []string{""}
	for _, j := range js {
		out = append(out, j.name)
	}
	return out
}

// rows counts responses that name advice that was classed as harmful in their month.
func (js judges) rows(p *Panel, c *column) rowFunc {
	chosen, state, month := p.responses.multis[c.at], p.responses.states[c.at], p.responses.month
	return func(i int32) (uint16, float64) {
		switch {
		case state[i] != uint8(questionnaires.Answered):
			return 0, 0
		case chosen[i]&js[js.at(month[i])].mask != 0:
			return bitBase | bitNum, 0
		}
		return bitBase, 0
	}
}

// addJudge notes which version judged a response.
func (t *table) addJudge(at int, month int16, by judges) {
	n := uint16(by.at(month) + 1) // #nosec G115 -- as many as there are versions
	t.coder[0][at], t.coder[1][at] = leastCoder(t.coder[0][at], n), max(t.coder[1][at], n)
}

// judged says by which version of the polarity table a published figure was judged.
func (t *table) judged(at int) string {
	if t.coder[0][at] != t.coder[1][at] {
		return MixedCoders
	}
	return t.coders[t.coder[0][at]]
}

// NextMonth is the first instant, in London, of the month after a time's.
func (p *Panel) NextMonth(at time.Time) time.Time {
	l := at.In(p.zone)
	return time.Date(l.Year(), l.Month()+1, 1, 0, 0, 0, 0, p.zone).UTC()
}
