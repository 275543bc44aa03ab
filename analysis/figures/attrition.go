package figures

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AttritionQuery asks what became of cases, and what was said before.
type AttritionQuery struct {
	Force string // empty: all forces together
	AsAt  time.Time
}

// MinNamedReason is the least number of cases of which a police-recorded reason is
// named; rarer ones, which may be in words of somebody's own, are counted together.
const MinNamedReason = 10

// Attrition says what became of the cases that were reported long enough ago, when, and
// what people had said before. All its counts are of one group of cases, so that they
// add up and can be withheld together.
type Attrition struct {
	AsAt       time.Time
	Cases      int    // reported at least WithdrawalDays before AsAt
	From, To   string // the months of their reports
	Withdrew   Cell
	NFA        Cell // closed with no further action, without a withdrawal
	Ended      Cell // ended otherwise
	Open       Cell // nothing recorded as at AsAt: not yet an outcome
	Bands      []AttritionBand
	Reasons    []ReasonCell // for withdrawing, as police record them, the most frequent first
	Signals    []SignalPair // what people had said before
	ReasonNote string       // why no reason is given
	None       string       // why nothing is given at all; empty: it is
}

// Cell is a count of cases with its share and interval. A withheld one gives nothing.
type Cell struct {
	Count            int
	Share, Low, High *float64 // percent of the cases that it is out of
	Suppressed       bool
}

// AttritionBand is a span of days since the report.
type AttritionBand struct {
	ID, Title     string
	Withdrew, NFA Cell
	// By counts all cases that withdrew, or were closed, by the band's end; withheld
	// where a band up to there is, and empty of the last, which has no end.
	WithdrewBy, NFABy Cell
	// DeepDive is the Deep Dive's share of its 169 withdrawals that fell in the band.
	DeepDive float64
}

// ReasonCell is one police-recorded reason and how many withdrawals carry it.
type ReasonCell struct {
	Code string // empty: none is recorded; other: the rarer ones together
	Cell
}

// OtherReasons stands for police-recorded reasons that are too rare to be named.
const OtherReasons = "other reasons"

// SignalPair sets what was said by those to whom an outcome came beside what was said
// by the others. Both are given or neither.
type SignalPair struct {
	Outcome, ID, Title string
	With, Without      Cell
	WithBase           int // people of each group with a valid answer; 0 where withheld
	WithoutBase        int
	Difference         *Difference // points; nil where withheld
	Reason             string      // why it is withheld, or why there is none
}

// bands are the Deep Dive's, in calendar days from report to withdrawal, with its counts
// of 169 withdrawals (4 of which it gives no band).
var bands = []struct {
	id, title string
	before    int // days; the last has no end
	deepDive  int
}{
	{"next-day", "The same or the next day", 2, 30}, {"week", "Later in the first week", 7, 31}, {"fortnight", "In the second week", 14, 22},
	{"month", "From two to four weeks", 28, 33}, {"quarter", "From four weeks to three months", WithdrawalDays, 30}, {"later", "After three months, so far", 1 << 30, 19},
}

const deepDiveWithdrawals = 169

func bandOf(days int) int {
	for i, b := range bands {
		if days < b.before {
			return i
		}
	}
	return len(bands) - 1
}

// Attrition counts what became of cases by the Deep Dive's bands of time since the
// report, with what people had answered before it.
//
// Only cases reported at least WithdrawalDays before are counted, so that each had the
// time in which it could have withdrawn; those still open are shown as such, and never
// as if they had not withdrawn for good.
func (p *Panel) Attrition(ctx context.Context, q AttritionQuery) (Attrition, error) {
	if err := ctx.Err(); err != nil {
		return Attrition{}, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := Attrition{AsAt: q.AsAt}
	now, today := minuteOf(q.AsAt), dayOf(q.AsAt, p.zone)
	const groups = 4 // by fate
	var fates [groups]int
	left, nfa := make([]int, len(bands)), make([]int, len(bands))
	reasons := map[uint16]int{}
	low, high := int32(0), int32(0)
	for i := range p.cases.changed {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return Attrition{}, ctx.Err()
		}
		row := int32(i) // #nosec G115 -- row numbers are int32
		if !p.kept(row, now, q.Force) {
			continue
		}
		c := &p.cases.course[row]
		reported := p.day(c.reported)
		if today-reported < WithdrawalDays {
			continue
		}
		if low == 0 || c.reported < low {
			low = c.reported
		}
		high = max(high, c.reported)
		fate, at := p.fateOf(row, now)
		fates[fate]++
		switch fate {
		case fateLeft:
			left[bandOf(p.day(at)-reported)]++
			reasons[c.reason]++
		case fateNFA:
			nfa[bandOf(p.day(at)-reported)]++
		}
	}
	total := fates[fateOpen] + fates[fateLeft] + fates[fateNFA] + fates[fateEnded]
	if total < SmallBase {
		out.None = fmt.Sprintf("Fewer than %d cases were reported three months ago or more. From %d on, this page says what became of them; those reported since have not had the time.", SmallBase, SmallBase)
		return out, nil
	}
	out.Cases = total
	out.From, out.To = monthKey(int(monthOf(time.Unix(epoch+60*int64(low), 0), p.zone))), monthKey(int(monthOf(time.Unix(epoch+60*int64(high), 0), p.zone)))
	out.lay(fates[:], left, nfa)
	out.reasons(reasons, p.cases.reasons.names)
	for _, outcome := range []string{OutcomeWithdrew, OutcomeNFA} {
		out.Signals = append(out.Signals, p.signals(outcome, q)...)
	}
	return out, nil
}

// lay lays the counts out in cells: all cases over their fates, fates over their bands.
func (a *Attrition) lay(fates, left, nfa []int) {
	k := len(bands)
	counts := slices.Concat([]int{a.Cases}, fates, left, nfa)
	first := func(n int) []int32 {
		var out []int32
		for i := range n {
			out = append(out, int32(i)) // #nosec G115 -- a dozen
		}
		return out
	}
	shifted := func(by int) []int32 {
		out := first(k)
		for i := range out {
			out[i] += int32(by) // #nosec G115 -- a dozen
		}
		return out
	}
	hidden := withhold(counts, family{0, []int32{1, 2, 3, 4}}, family{1 + fateLeft, shifted(5)}, family{1 + fateNFA, shifted(5 + k)})
	cell := func(i int) Cell { return cellOf(counts[i], a.Cases, hidden[i]) }
	a.Open, a.Withdrew, a.NFA, a.Ended = cell(1+fateOpen), cell(1+fateLeft), cell(1+fateNFA), cell(1+fateEnded)
	by := [2]int{}
	known := [2]bool{true, true}
	for i, b := range bands {
		band := AttritionBand{ID: b.id, Title: b.title, Withdrew: cell(5 + i), NFA: cell(5 + k + i), DeepDive: 100 * float64(b.deepDive) / deepDiveWithdrawals}
		for n, c := range []*Cell{&band.Withdrew, &band.NFA} {
			known[n] = known[n] && !c.Suppressed
			by[n] += c.Count
			if i < k-1 {
				*[]*Cell{&band.WithdrewBy, &band.NFABy}[n] = cellOf(by[n], a.Cases, !known[n])
			}
		}
		a.Bands = append(a.Bands, band)
	}
}

// withhold says which counts are withheld: those of one to four, and as many more as
// keep a total from giving them away. The first is known and stays.
func withhold(counts []int, families ...family) []bool {
	n := &nest{base: make([]int32, len(counts)), hidden: make([]bool, len(counts)), fixed: make([]bool, len(counts))}
	for i, c := range counts {
		n.base[i], n.hidden[i] = int32(c), few(c) // #nosec G115 -- counts of rows
	}
	n.hidden[0], n.fixed[0] = false, true
	n.unsafe = func(cells ...int32) bool {
		sum := 0
		for _, c := range cells {
			sum += counts[c]
		}
		return few(sum)
	}
	for changed := true; changed; {
		changed = false
		for _, f := range families {
			changed = n.protect(f) || changed
		}
	}
	// Where a known total has one part alone that would have to be withheld, all are.
	for _, f := range families {
		hidden := 0
		var sum []int32
		for _, c := range f.children {
			if n.hidden[c] && n.base[c] > 0 {
				hidden++
				sum = append(sum, c)
			}
		}
		if n.fixed[f.parent] && hidden > 0 && (hidden == 1 || n.unsafe(sum...)) {
			for i := range n.hidden {
				n.hidden[i] = i > 0
			}
		}
	}
	return n.hidden
}

func cellOf(count, base int, hidden bool) Cell {
	if hidden || base <= 0 {
		return Cell{Suppressed: true}
	}
	share, iv := 100*float64(count)/float64(base), Wilson(count, base)
	return Cell{Count: count, Share: &share, Low: &iv.Low, High: &iv.High}
}

// reasons lays out why people withdrew, as police record it, out of those who did.
func (a *Attrition) reasons(by map[uint16]int, names []string) {
	if a.Withdrew.Suppressed || a.Withdrew.Count < MinBase {
		a.ReasonNote = "Too few people have withdrawn for their reasons to be given."
		return
	}
	type line struct {
		code  string
		count int
	}
	var lines []line
	other, none := line{code: OtherReasons}, line{}
	for number, n := range by {
		switch name := names[number]; {
		case name == "":
			none.count = n
		case n < MinNamedReason:
			other.count += n
		default:
			lines = append(lines, line{name, n})
		}
	}
	slices.SortFunc(lines, func(x, y line) int {
		if x.count != y.count {
			return y.count - x.count
		}
		return strings.Compare(x.code, y.code)
	})
	lines = append(lines, other, none)
	counts := []int{a.Withdrew.Count}
	var children []int32
	for i, l := range lines {
		counts, children = append(counts, l.count), append(children, int32(i+1)) // #nosec G115 -- as many as there are reasons
	}
	hidden := withhold(counts, family{0, children})
	for i, l := range lines {
		if l.count > 0 {
			a.Reasons = append(a.Reasons, ReasonCell{Code: l.code, Cell: cellOf(l.count, a.Withdrew.Count, hidden[i+1])})
		}
	}
}

// signals sets what was said at the report stage, before the outcome, by those to whom
// it came beside what was said by the others.
func (p *Panel) signals(outcome string, q AttritionQuery) []SignalPair {
	rows := p.histories(outcome, q.Force, q.AsAt)
	all := p.factors()
	var out []SignalPair
	for _, id := range []string{"core.confidence", "core.informed", "advice.harmful"} {
		i := slices.IndexFunc(all, func(f factor) bool { return f.id == id })
		if i < 0 {
			continue
		}
		var n, said [2]int // without the outcome, with it
		for k := range rows {
			v := all[i].read(&rows[k])
			if v < 0 {
				continue
			}
			group := 0
			if rows[k].outcome {
				group = 1
			}
			n[group]++
			said[group] += int(v)
		}
		s := SignalPair{Outcome: outcome, ID: id, Title: all[i].title, With: Cell{Suppressed: true}, Without: Cell{Suppressed: true}}
		switch {
		case n[0] == 0 && n[1] == 0:
			s.Reason = ReasonNone
		case n[0] < MinBase || n[1] < MinBase, Primary(said[1], n[1]) != "", Primary(said[0], n[0]) != "":
			s.Reason = ReasonWithheld
		}
		if s.Reason == "" {
			s.With, s.Without = cellOf(said[1], n[1], false), cellOf(said[0], n[0], false)
			s.WithBase, s.WithoutBase = n[1], n[0]
			if d, ok := Newcombe(said[1], n[1], said[0], n[0]); ok {
				s.Difference = &d
			}
		}
		out = append(out, s)
	}
	return out
}
