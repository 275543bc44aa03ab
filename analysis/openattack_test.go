package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/bounds"
	"victimvoice/survey/questionnaires"
)

// openPerson is one answer of a small population, some of which are taken back after
// a quarter was published.
type openPerson struct {
	month, stage, borough int // of 2026, from 0
	yes, takenBack        bool
}

var (
	openStages   = []string{"report", "closure"}
	openBoroughs = []string{"Ealing", "Hounslow", "Hackney"}
	openUnits    = []string{"West", "West", "Central East"}
)

const openForce = "Metropolitan Police"

// openCell is a cell of the lattice by name: empty parts are totals. The period is a
// month, a quarter, a year or all time; the area a level and a name.
type openCell struct{ period, stage, level, area string }

// leaves are the cell's parts, as bits by openLeaf.
func (c openCell) leaves() (out uint32) {
	for month := range 4 {
		for stage := range openStages {
			for borough := range openBoroughs {
				if c.holds(month, stage, borough) {
					out |= 1 << openLeaf(month, stage, borough)
				}
			}
		}
	}
	return out
}

func openLeaf(month, stage, borough int) int {
	return (month*len(openStages)+stage)*len(openBoroughs) + borough
}

const openLeaves = 4 * 2 * 3

// holds reports whether a leaf is part of the cell.
func (c openCell) holds(month, stage, borough int) bool {
	of := fmt.Sprintf("2026-%02d 2026-Q%d 2026", month+1, month/3+1)
	place := map[string]string{"": "", figures.DimForce: openForce, figures.DimBCU: openUnits[borough], figures.DimBorough: openBoroughs[borough]}[c.level]
	inPeriod := c.period == ""
	for p := range strings.FieldsSeq(of) {
		inPeriod = inPeriod || p == c.period
	}
	return inPeriod && (c.stage == "" || c.stage == openStages[stage]) && c.area == place
}

// openCells lists every cell of four months.
func openCells() (out []openCell) {
	for _, period := range []string{"", "2026", "2026-Q1", "2026-Q2", "2026-01", "2026-02", "2026-03", "2026-04"} {
		for _, stage := range append([]string{""}, openStages...) {
			for level, names := range map[string][]string{"": {""}, figures.DimForce: {openForce}, figures.DimBCU: {"West", "Central East"}, figures.DimBorough: openBoroughs} {
				for _, name := range names {
					out = append(out, openCell{period, stage, level, name})
				}
			}
		}
	}
	return out
}

// openRoom is a room whose panel holds the people's answers.
func openRoom(t *testing.T, people []openPerson, after bool) *Service {
	t.Helper()
	sets, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	panel, err := figures.New(sets, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range people {
		if after && p.takenBack {
			continue
		}
		at := time.Date(2026, time.Month(1+p.month), 10, 12, 0, 0, 0, time.UTC)
		key := fmt.Sprint(i)
		panel.ApplyCases(figures.CaseRow{Key: key, ChangedAt: at, Force: openForce, Borough: openBoroughs[p.borough], BCU: openUnits[p.borough], DomesticAbuse: -1})
		q, _ := sets.ByID(openStages[p.stage] + "/1")
		it, _ := q.Item("core.informed")
		word := "not-very-well"
		if p.yes {
			word = "very-well"
		}
		if err := panel.ApplyResponses(figures.ResponseRow{ID: key, CaseKey: key, Stage: openStages[p.stage], Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at,
			Packed: q.Pack(questionnaires.Answers{"core.informed": it.Choose(word)})}); err != nil {
			t.Fatal(err)
		}
	}
	return &Service{panel: panel, now: func() time.Time { return time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC) }}
}

// openAttack is what is known of both: the frozen tables, and the pages and files later.
type openAttack struct {
	known bounds.Known
	// Of each leaf: who says yes and who no, now and taken back since.
	now, gone [openLeaves][2]int
}

func (a *openAttack) sum(c openCell, frozen bool, sides ...int) bounds.Sum {
	s, leaves := bounds.Sum{}, c.leaves()
	for leaf := range a.now {
		if leaves>>leaf&1 == 0 {
			continue
		}
		for _, side := range sides {
			s[a.now[leaf][side]] = 1
			if frozen {
				s[a.gone[leaf][side]] = 1
			}
		}
	}
	return s
}

func newOpenAttack() *openAttack {
	a := &openAttack{}
	for leaf := range a.now {
		a.now[leaf] = [2]int{a.known.Number(), a.known.Number()}
		a.gone[leaf] = [2]int{a.known.Number(), a.known.Number()}
	}
	return a
}

// learnNow takes over what the pages, files and API say, after answers were taken back.
func (a *openAttack) learnNow(t *testing.T, room *Service) {
	t.Helper()
	told := map[openCell]figures.Point{}
	for _, period := range []string{"", "month", "quarter", "year"} {
		for _, stage := range []string{"", "stage"} {
			for _, level := range []string{"", figures.DimForce, figures.DimBCU, figures.DimBorough} {
				r, err := room.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "by": {period, stage, level}})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range r.Points {
					told[openCell{p.Period, p.Key["stage"], level, p.Key[level]}] = p
				}
			}
		}
	}
	for _, c := range openCells() {
		base, yes := a.sum(c, false, 0, 1), a.sum(c, false, 0)
		switch p := told[c]; {
		case p.Suppressed:
			a.known.Between(base, 1, math.Inf(1))
		case p.Share == nil:
			a.known.Equal(base, 0)
		default:
			a.known.Equal(base, float64(p.Base))
			a.known.Equal(yes, float64(p.Numerator))
		}
	}
}

// learnFrozen takes over what an open table says: each number between those that are
// rounded to it.
func (a *openAttack) learnFrozen(table OpenTable) (shown int) {
	for _, row := range table.Rows {
		if row.Measure != "core.informed" {
			continue
		}
		c := openCell{period: table.ID, stage: row.Stage}
		if row.Area != "" {
			c.level, c.area = figures.DimBCU, row.Area
		}
		base, yes := a.sum(c, true, 0, 1), a.sum(c, true, 0)
		switch row.Symbol {
		case SymbolWithheld:
			a.known.Between(base, 1, math.Inf(1))
		case SymbolNotAvailable:
			a.known.Equal(base, 0)
		default:
			shown++
			a.known.Between(base, float64(*row.Base)-2, float64(*row.Base)+2)
			a.known.Between(yes, float64(*row.Count)-2, float64(*row.Count)+2)
			share := float64(*row.Share)
			a.known.Between(yes.Plus(base, -(share-.5)/100), 0, math.Inf(1))
			a.known.Between(yes.Plus(base, -(share+.5)/100), math.Inf(-1), 0)
		}
	}
	return shown
}

// guarded are the numbers that nobody may work out, as of now and as of the freezing.
func (a *openAttack) guarded(people []openPerson) (sums []bounds.Sum, names []string) {
	for _, frozen := range []bool{false, true} {
		var leaves [openLeaves][2]int
		for _, p := range people {
			if frozen || !p.takenBack {
				side := 1
				if p.yes {
					side = 0
				}
				leaves[openLeaf(p.month, p.stage, p.borough)][side]++
			}
		}
		count := func(of uint32) (n [2]int) {
			for leaf, l := range leaves {
				if of>>leaf&1 == 1 {
					n[0], n[1] = n[0]+l[0], n[1]+l[1]
				}
			}
			return n
		}
		var none [2][]uint32 // cells of which 0% or 100% on thirty and more says that no one is there
		for _, c := range openCells() {
			if n := count(c.leaves()); n[0]+n[1] >= figures.SmallBase {
				for side := range n {
					if n[side] == 0 {
						none[side] = append(none[side], c.leaves())
					}
				}
			}
		}
		when := map[bool]string{false: "now", true: "when frozen"}[frozen]
		for _, c := range openCells() {
			of := c.leaves()
			n := count(of)
			base := n[0] + n[1]
			if figures.Primary(n[0], base) == "" {
				continue
			}
			if base < figures.MinBase {
				sums, names = append(sums, a.sum(c, frozen, 0, 1)), append(names, fmt.Sprintf("%+v %s: that %d answered", c, when, base))
			}
			for side := range n {
				said := slices.ContainsFunc(none[side], func(wide uint32) bool { return of&^wide == 0 })
				if n[side] < figures.MinCell && !said {
					sums, names = append(sums, a.sum(c, frozen, side)), append(names, fmt.Sprintf("%+v %s: %d of %d", c, when, n[side], base))
				}
			}
		}
	}
	return sums, names
}

func openPeople(rng *rand.Rand, n int) []openPerson {
	lean := .3 + .4*rng.Float64()
	people := make([]openPerson, n)
	for i := range people {
		people[i] = openPerson{rng.IntN(4), rng.IntN(2), min(rng.IntN(5)/2, 2), rng.Float64() < lean, rng.IntN(12) == 0}
	}
	return people
}

// The open tables, frozen and rounded, together with what pages, files and the API say
// after some have taken their answers back: solved for its bounds, no number under the
// threshold is determined, neither as it is now nor as it was when it was frozen.
func TestOpenTablesAndPagesDetermineNothing(t *testing.T) {
	t.Parallel()
	shown, attacked := 0, 0
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 71))
		people := openPeople(rng, 150+rng.IntN(200)*int(1+seed))
		a := newOpenAttack()
		before := NewOpenData(openRoom(t, people, false), nil, nil)
		for _, quarter := range []string{"2026-Q1", "2026-Q2"} {
			table, err := before.Draft(t.Context(), quarter)
			if err != nil {
				t.Fatal(err)
			}
			shown += a.learnFrozen(table)
		}
		a.learnNow(t, openRoom(t, people, true))
		sums, names := a.guarded(people)
		attacked += len(sums)
		r, err := a.known.Solve()
		if err != nil {
			t.Fatalf("seed %d: what is published contradicts itself: %v", seed, err)
		}
		for i, is := range r.Determined(sums) {
			if is {
				t.Errorf("seed %d: %s can be worked out", seed, names[i])
			}
		}
	}
	t.Logf("%d open figures shown, %d numbers attacked", shown, attacked)
	if shown == 0 || attacked == 0 {
		t.Errorf("%d shown, %d attacked: too few to tell", shown, attacked)
	}
}

// The attack works: were open tables not rounded, what was taken back since would be
// told by the difference.
func TestAttackBreaksOpenTablesThatAreNotRounded(t *testing.T) {
	t.Parallel()
	people := openPeople(rand.New(rand.NewPCG(1, 71)), 400)
	room := openRoom(t, people, false)
	exact := OpenTable{ID: "2026-Q1"}
	for _, by := range []string{"quarter,stage", "quarter,stage,bcu"} {
		r, err := room.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "by": {by}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Points {
			if p.Period == exact.ID && p.Share != nil {
				share := 0
				exact.Rows = append(exact.Rows, OpenRow{Measure: "core.informed", Stage: p.Key["stage"], Area: p.Key["bcu"], Count: &p.Numerator, Base: &p.Base, Share: &share})
			}
		}
	}
	count := func(rounded bool) (found int) {
		a := newOpenAttack()
		if rounded {
			table, err := NewOpenData(room, nil, nil).Draft(t.Context(), exact.ID)
			if err != nil {
				t.Fatal(err)
			}
			a.learnFrozen(table)
		} else {
			for _, row := range exact.Rows {
				c := openCell{period: exact.ID, stage: row.Stage}
				if row.Area != "" {
					c.level, c.area = figures.DimBCU, row.Area
				}
				a.known.Equal(a.sum(c, true, 0, 1), float64(*row.Base))
				a.known.Equal(a.sum(c, true, 0), float64(*row.Count))
			}
		}
		a.learnNow(t, openRoom(t, people, true))
		var gone []bounds.Sum
		for _, c := range openCells() {
			if c.period == exact.ID {
				for side := range 2 {
					gone = append(gone, a.sum(c, true, side).Plus(a.sum(c, false, side), -1))
				}
			}
		}
		r, err := a.known.Solve()
		if err != nil {
			t.Fatal(err)
		}
		for _, is := range r.Determined(gone) {
			if is {
				found++
			}
		}
		return found
	}
	if exact, rounded := count(false), count(true); exact == 0 || rounded > 0 {
		t.Errorf("%d numbers taken back are told by exact tables, %d by rounded ones", exact, rounded)
	}
}
