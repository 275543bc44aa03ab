package figures

import (
	"context"
	"math"
	"slices"
	"sort"

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// JourneyStep is one pair of stages that the same people are followed over.
type JourneyStep struct{ From, To string }

// JourneySteps are the pairs, in the order in which a case meets them.
func JourneySteps() []JourneyStep {
	s := stages()
	return []JourneyStep{{s[0], s[1]}, {s[1], s[2]}, {s[0], s[2]}}
}

// Journey follows people who answered themselves at both stages of a pair, over all
// time, in one area or everywhere.
type Journey struct {
	Area string // the command unit or force; empty: everywhere
	Rows []JourneyRow
}

// JourneyRow is one core question at one pair of stages. Of a withheld row only the
// reason is given.
type JourneyRow struct {
	Measure Measure
	Step    JourneyStep

	Base           int // people with a scored answer at both
	Up, Same, Down int // whose answer is better, the same and worse than before
	Suppressed     bool
	Reason         string // why there are no numbers
	Small          bool

	// The share of positive answers before and after among the same people, and how far
	// it moved, with the interval for pairs; nil where they are withheld by themselves.
	Before, After *Estimate
	Change        *Difference
	ShareReason   string
}

// pairs counts the people of one area at one pair of stages for one question.
type pairs struct {
	base, up, same, down        int
	both, gained, lost, neither int
	upWithin, downWithin        int    // moved, and stayed on one side
	rest                        [2]int // answers at the one stage of people who are not among the pairs: before, after
	restPositive                [2]int
}

func (c *pairs) add(o *pairs) {
	c.base, c.up, c.same, c.down = c.base+o.base, c.up+o.up, c.same+o.same, c.down+o.down
	c.both, c.gained, c.lost, c.neither = c.both+o.both, c.gained+o.gained, c.lost+o.lost, c.neither+o.neither
	c.upWithin, c.downWithin = c.upWithin+o.upWithin, c.downWithin+o.downWithin
	for k := range c.rest {
		c.rest[k], c.restPositive[k] = c.rest[k]+o.rest[k], c.restPositive[k]+o.restPositive[k]
	}
}

// checkMoves is the primary rule for who moved up, stayed and moved down.
func (c *pairs) checkMoves() string {
	for _, n := range []int{c.up, c.same, c.down} {
		if r := Primary(n, c.base); r != "" {
			return r
		}
	}
	return ""
}

// checkShares is the primary rule for the shares before and after. With the interval
// of their difference they give all four cells of who was and is positive; with the
// moves, who moved without changing sides; and with the stages' own figures, what
// those answered who are not among the pairs.
func (c *pairs) checkShares() string {
	if r := c.checkMoves(); r != "" {
		return r
	}
	for _, n := range []int{c.both + c.lost, c.both + c.gained} {
		if r := Primary(n, c.base); r != "" {
			return r
		}
	}
	for _, n := range []int{c.both, c.gained, c.lost, c.neither, c.upWithin, c.downWithin} {
		if few(n) {
			return ReasonFew
		}
	}
	for k := range c.rest {
		if Primary(c.restPositive[k], c.rest[k]) != "" {
			return ReasonLinked
		}
	}
	return ""
}

// journeyTable is one question at one pair of stages, over the tree of areas.
type journeyTable struct {
	measure Measure
	step    JourneyStep
	axis    axis
	cells   []pairs
	hidden  [2][]bool // moves, shares
}

// Journey follows the same people from stage to stage, in an area or everywhere:
// force and bcu name it, empty ones are everywhere. It has no periods and no
// attributes; an area that there is not has no rows with a base.
func (p *Panel) Journey(ctx context.Context, force, bcu string) (Journey, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	tables, err := p.journeyTables(ctx)
	if err != nil {
		return Journey{}, err
	}
	out := Journey{Area: force}
	if bcu != "" {
		out.Area = bcu
	}
	for _, t := range tables {
		row := JourneyRow{Measure: t.measure, Step: t.step, Reason: ReasonNone}
		var at []int
		for i, n := range t.axis.nodes {
			level := levelEverywhere
			switch {
			case bcu != "":
				level = levelBCU
			case force != "":
				level = levelForce
			}
			if n.level == level && (bcu == "" || n.bcu == bcu) && (force == "" || n.force == force || level == levelEverywhere) {
				at = append(at, i)
			}
		}
		if len(at) > 1 {
			return Journey{}, fault.Fields("this area is not clear", fault.Field{Field: DimBCU, Message: "is the name of units in more than one force: choose the force too"})
		}
		if len(at) == 1 {
			t.fill(&row, at[0])
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

func (t *journeyTable) fill(row *JourneyRow, at int) {
	c := &t.cells[at]
	switch {
	case c.base == 0:
		return
	case t.hidden[0][at]:
		row.Suppressed, row.Reason = true, ReasonWithheld
		return
	}
	row.Reason, row.Base, row.Up, row.Same, row.Down, row.Small = "", c.base, c.up, c.same, c.down, Small(c.base)
	if t.hidden[1][at] {
		row.ShareReason = ReasonWithheld
		return
	}
	estimate := func(x int) *Estimate {
		iv := Wilson(x, c.base)
		return &Estimate{100 * float64(x) / float64(c.base), iv.Low, iv.High}
	}
	row.Before, row.After = estimate(c.both+c.lost), estimate(c.both+c.gained)
	d := NewcombePaired(c.both, c.gained, c.lost, c.neither)
	row.Change = &d
}

// journeyTables counts and suppresses; the caller holds the read lock.
func (p *Panel) journeyTables(ctx context.Context) ([]*journeyTable, error) {
	latest, err := p.latestAnswers(ctx)
	if err != nil {
		return nil, err
	}
	var out []*journeyTable
	for _, m := range p.register() {
		c, ok := p.schema.byItem[m.ID]
		if !ok || !c.core || !c.scored || !c.share || c.multi {
			continue
		}
		main, err := p.table(ctx, &m, ModeSelf, "")
		if err != nil {
			return nil, err
		}
		for _, step := range JourneySteps() {
			if !slices.Contains(m.Stages, step.From) || !slices.Contains(m.Stages, step.To) {
				continue
			}
			t := &journeyTable{measure: m, step: step}
			p.countPairs(t, c, latest)
			t.addRest(main)
			t.suppress()
			out = append(out, t)
		}
	}
	// By pair of stages, then in the order of the questions.
	order := JourneySteps()
	sort.SliceStable(out, func(i, j int) bool { return slices.Index(order, out[i].step) < slices.Index(order, out[j].step) })
	return out, nil
}

// noAnswer stands where a person has not answered at a stage.
const noAnswer = int32(-1)

// latestAnswers gives each case's last complete answers by the person themselves, one
// row a stage.
func (p *Panel) latestAnswers(ctx context.Context) ([][4]int32, error) {
	out := make([][4]int32, len(p.cases.changed))
	for i := range out {
		out[i] = [4]int32{noAnswer, noAnswer, noAnswer, noAnswer}
	}
	r := &p.responses
	for i := range r.flags {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if r.flags[i]&(flagLive|flagComplete) != flagLive|flagComplete || r.mode[i] != 0 {
			continue
		}
		at := &out[r.caseRow[i]][r.stage[i]]
		if *at == noAnswer || r.round[i] > r.round[*at] || r.round[i] == r.round[*at] && r.changed[i] > r.changed[*at] {
			*at = int32(i) // #nosec G115 -- row numbers are int32
		}
	}
	return out, nil
}

// countPairs fills a table's cells, areas and their totals.
func (p *Panel) countPairs(t *journeyTable, c *column, latest [][4]int32) {
	var leaf []int32
	t.axis, leaf = p.areaAxis()
	t.cells = make([]pairs, len(t.axis.nodes))
	from, _ := stageNumber(t.step.From)
	to, _ := stageNumber(t.step.To)
	col := p.responses.singles[c.at]
	read := func(row int32) (v value, ok bool) {
		if row == noAnswer || int(col[row]) < valueBase {
			return value{}, false
		}
		v = c.values[int(col[row])-valueBase]
		return v, !math.IsNaN(v.score) && v.state == questionnaires.Answered
	}
	for i := range latest {
		before, ok := read(latest[i][from])
		if !ok {
			continue
		}
		after, ok := read(latest[i][to])
		if !ok {
			continue
		}
		t.cells[leaf[p.cases.area[i]]].count(before, after)
	}
	for i, n := range t.axis.nodes { // every node comes after its children
		if n.parent >= 0 {
			t.cells[n.parent].add(&t.cells[i])
		}
	}
}

func (c *pairs) count(before, after value) {
	c.base++
	switch {
	case after.score > before.score:
		c.up++
		if after.positive == before.positive {
			c.upWithin++
		}
	case after.score < before.score:
		c.down++
		if after.positive == before.positive {
			c.downWithin++
		}
	default:
		c.same++
	}
	switch {
	case before.positive && after.positive:
		c.both++
	case after.positive:
		c.gained++
	case before.positive:
		c.lost++
	default:
		c.neither++
	}
}

// addRest counts those at either stage who are not among the pairs, from the stages'
// own figures over all time.
func (t *journeyTable) addRest(main *table) {
	ever := len(main.axes[axisPeriod].nodes) - 1
	for k, stage := range []string{t.step.From, t.step.To} {
		n, _ := stageNumber(stage)
		for i := range t.cells {
			at := ever*main.stride[axisPeriod] + int(n)*main.stride[axisStage] + i*main.stride[axisArea]
			c := &t.cells[i]
			moved := c.lost
			if k == 1 {
				moved = c.gained
			}
			c.rest[k], c.restPositive[k] = int(main.base[at])-c.base, int(main.num[at])-c.both-moved
		}
	}
}

// suppress withholds moves, and shares, by themselves: shares wherever moves are.
func (t *journeyTable) suppress() {
	base := make([]int32, len(t.cells))
	for i := range t.cells {
		base[i] = int32(t.cells[i].base) // #nosec G115 -- counts of rows
	}
	for k, check := range []func(*pairs) string{(*pairs).checkMoves, (*pairs).checkShares} {
		hidden := make([]bool, len(base))
		for i := range base {
			if base[i] == 0 {
				continue
			}
			hidden[i] = check(&t.cells[i]) != "" || k == 1 && t.hidden[0][i]
		}
		n := nest{base: base, hidden: hidden, unsafe: func(cells ...int32) bool {
			var sum pairs
			for _, i := range cells {
				sum.add(&t.cells[i])
			}
			return check(&sum) != ""
		}}
		for changed := true; changed; {
			changed = false
			for parent, children := range t.axis.children {
				if len(children) > 0 && n.protect(family{int32(parent), children}) { // #nosec G115 -- nodes of an axis
					changed = true
				}
			}
		}
		t.hidden[k] = hidden
	}
}

// NewcombePaired gives how far a share moved among the same people, after minus
// before, with its 95% score interval in percentage points: both are positive at both
// times, gained after alone, lost before alone, neither at none.
//
// Source: method 10 of R. G. Newcombe, "Improved confidence intervals for the
// difference between binomial proportions based on paired data", Statistics in
// Medicine 17 (1998) 2635–2650.
func NewcombePaired(both, gained, lost, neither int) Difference {
	n := both + gained + lost + neither
	if n == 0 {
		return Difference{Interval: Interval{-100, 100}}
	}
	a, b, c, e := float64(both), float64(gained), float64(lost), float64(neither)
	after, before := 100*(a+b)/float64(n), 100*(a+c)/float64(n)
	wa, wb := Wilson(both+gained, n), Wilson(both+lost, n)
	var phi float64
	if margins := (a + b) * (c + e) * (a + c) * (b + e); margins > 0 {
		cross := a*e - b*c
		if cross > 0 {
			cross = max(cross-float64(n)/2, 0)
		}
		phi = cross / math.Sqrt(margins)
	}
	half := func(x, y float64) float64 { return math.Sqrt(max(x*x-2*phi*x*y+y*y, 0)) }
	d := Difference{Points: after - before}
	d.Low = d.Points - half(after-wa.Low, wb.High-before)
	d.High = d.Points + half(wa.High-after, before-wb.Low)
	return d
}
