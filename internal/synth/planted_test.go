package synth_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/synth"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

var update = flag.Bool("update", false, "write what simulations found into docs/methods.md")

// The worlds that charts are tried on, four years long.
const (
	triedWorlds = 12
	manyCases   = 9600 // about two hundred answers a month, sixteen a command unit
	fewCases    = 4800 // half of that, which is what London may hope for
)

// planted is one known truth, and the chart on which it should be seen.
type planted struct {
	what    string
	effect  synth.Effect
	few     bool // on half the answers
	held    bool // nearly every world must show it in time; of the others it is printed how many do
	measure string
	period  string
	up      bool // which way the measure goes
	within  int  // periods, the planted one included, that are time enough
}

func plans() []planted {
	from := func(y int, m time.Month) time.Time { return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC) }
	fall := synth.Effect{From: from(2025, time.October), BCU: "South", Item: "core.confidence", Shift: -0.8}
	great := synth.Effect{From: fall.From, BCU: "North West", Item: "core.confidence", Shift: -1.2}
	informed := synth.Effect{From: from(2025, time.June), Item: "core.informed", Shift: -0.4}
	advice := synth.Effect{From: from(2026, time.January), Item: synth.HarmfulAdvice, Shift: -0.5}
	return []planted{
		{"Confidence falls far in one command unit", great, false, true, "core.confidence", figures.DimQuarter, false, 4},
		{"Confidence falls in one command unit", fall, false, false, "core.confidence", figures.DimQuarter, false, 4},
		{"The same, on half the answers", fall, true, false, "core.confidence", figures.DimQuarter, false, 4},
		{"People are kept informed worse from a policy's date on", informed, false, true, "core.informed", figures.DimMonth, false, 6},
		{"The same, on half the answers", informed, true, true, "core.informed", figures.DimMonth, false, 6},
		{"Harmful advice rises", advice, false, true, "advice.harmful", figures.DimMonth, true, 6},
		{"The same, on half the answers", advice, true, true, "advice.harmful", figures.DimMonth, true, 6},
	}
}

// tried is one world's panels: of everybody who answers, and of every other case alone.
type tried struct{ all, half *figures.Panel }

func try(t *testing.T, cases, number int, effects ...synth.Effect) tried {
	t.Helper()
	w := synth.New(synth.Options{Cases: cases, End: end, Seed: 100 + uint64(number), Effects: effects}) // #nosec G115 -- a few worlds
	return answered(t, w)
}

// answered lays the large force's cases out, whose people all answer the report
// questionnaire two days after.
func answered(t *testing.T, w *synth.World) tried {
	t.Helper()
	set := sets(t)
	var panels [2]*figures.Panel
	for i := range panels {
		p, err := figures.New(set, nil)
		if err != nil {
			t.Fatal(err)
		}
		panels[i] = p
	}
	q := set.Current(survey.StageReport)
	for c := range w.Cases() {
		at := c.ReportedAt.Add(48 * time.Hour)
		if c.Force != synth.Force || at.After(end) {
			continue
		}
		a, _, quick := w.Answer(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, at)
		row := figures.ResponseRow{ID: c.Ref, CaseKey: c.Ref, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", Quick: quick, SubmittedAt: at, ChangedAt: at, Packed: q.Pack(a)}
		for _, p := range panels[:1+(c.Index+1)%2] {
			p.ApplyCases(figures.CaseRow{Key: c.Ref, ChangedAt: at, Force: c.Force, BCU: c.BCU, Borough: c.Borough, ReportedAt: c.ReportedAt})
			if err := p.ApplyResponses(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tried{panels[0], panels[1]}
}

// chart asks the panel for the control chart that a page shows; bcu empty: everywhere.
func chart(t *testing.T, p *figures.Panel, measure, period, bcu string, from, to time.Time) *figures.Trend {
	t.Helper()
	q := figures.Query{Measure: measure, By: []string{period}, Stage: "report", From: from, To: to, Filters: map[string]string{}}
	if bcu != "" {
		q.Filters[figures.DimBCU] = bcu
	}
	r, err := p.Figures(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if r.Trend == nil {
		t.Fatalf("%s by %s in %q has no chart", measure, period, bcu)
	}
	return r.Trend
}

// units are the command units of the large force.
func units() []string {
	return []string{"Central East", "Central North", "Central South", "Central West", "East", "North", "North East", "North West", "South", "South East", "South West", "West"}
}

// periodOf and after name a period and step on from one.
func periodOf(period string, at time.Time) string {
	if period == figures.DimQuarter {
		return fmt.Sprintf("%d-Q%d", at.Year(), (int(at.Month())+2)/3)
	}
	return at.Format("2006-01")
}

func after(period string, at time.Time, n int) time.Time {
	if period == figures.DimQuarter {
		n *= 3
	}
	return at.AddDate(0, n, 0)
}

// seen looks at a chart as it stood after each period from the planted one on, and
// gives how many periods it took until a signal named it: one that goes the planted
// way and reaches into the time since. Nought: never.
func (e planted) seen(t *testing.T, p *figures.Panel) int {
	t.Helper()
	for n := 1; !after(e.period, e.effect.From, n-1).After(end); n++ {
		trend := chart(t, p, e.measure, e.period, e.effect.BCU, time.Time{}, after(e.period, e.effect.From, n))
		for _, s := range trend.Signals {
			if s.Up == e.up && s.To >= periodOf(e.period, e.effect.From) {
				if want := map[bool]string{true: figures.MeansImprovement, false: figures.MeansConcern}[e.effect.Shift > 0]; s.Meaning != want {
					t.Errorf("%s: called %q", e.what, s.Meaning)
				}
				return n
			}
		}
	}
	return 0
}

// TestChartsFindWhatIsPlanted finds each planted effect on the chart of its place, by
// the panel call that every page makes, and says how long it took; where and when nothing is planted,
// no more charts signal than chance gives. What it found stands in docs/methods.md.
func TestChartsFindWhatIsPlanted(t *testing.T) {
	t.Parallel()
	var effects []synth.Effect
	for _, e := range plans() {
		if !e.few {
			effects = append(effects, e.effect)
		}
	}
	var worlds []tried
	for i := range triedWorlds {
		worlds = append(worlds, try(t, manyCases, i, effects...))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| Planted | Size | Chart | Answers a month | Seen within | In worlds, of %d | In half of them within |\n|---|---|---|---|---|---|---|\n", triedWorlds)
	for _, e := range plans() {
		var delays []int
		found, before, placed := 0, 0, 0
		for _, w := range worlds {
			p := w.all
			if e.few {
				p = w.half
			}
			if e.placed(t, p) {
				placed++
			}
			n := e.seen(t, p)
			if n == 0 {
				n = math.MaxInt
			}
			if delays = append(delays, n); n <= e.within {
				found++
			}
			// The day before it begins, a chart says so no more often than by chance.
			if slices.ContainsFunc(chart(t, p, e.measure, e.period, e.effect.BCU, time.Time{}, e.effect.From).Signals, func(s figures.Sign) bool {
				return s.Up == e.up && s.To >= periodOf(e.period, after(e.period, e.effect.From, -e.within))
			}) {
				before++
			}
		}
		slices.Sort(delays)
		t.Logf("%s: delays %v, signals in as long before: %d, begins at its place: %d", e.what, delays, before, placed)
		if enough := (triedWorlds*9 + 9) / 10; e.held && (found < enough || placed < enough) {
			t.Errorf("%s: seen within %d periods in %d worlds of %d, at its place in %d: %v", e.what, e.within, found, triedWorlds, placed, delays)
		}
		if before > triedWorlds/4 {
			t.Errorf("%s: %d worlds of %d show it before it begins", e.what, before, triedWorlds)
		}
		half := "–"
		if d := delays[triedWorlds/2-1]; d < math.MaxInt {
			half = strconv.Itoa(d)
		}
		place, answers := cmp.Or(e.effect.BCU, "everywhere"), 200
		if e.few {
			answers = 100
		}
		fmt.Fprintf(&b, "| %s | %.1f | %s, by %s | %d | %d %ss | %d | %s |\n", e.what, math.Abs(e.effect.Shift), place, e.period, answers, e.within, e.period, found, half)
	}
	// Confidence was planted in two units: the others' charts stay as quiet as any.
	var others []*figures.Trend
	for _, w := range worlds {
		for _, u := range units() {
			if u != "South" && u != "North West" {
				others = append(others, chart(t, w.all, "core.confidence", figures.DimQuarter, u, time.Time{}, time.Time{}))
			}
		}
	}
	signalling, expected := figures.ByChance(others...)
	t.Logf("elsewhere %d of %d charts signal, %.1f expected", signalling, len(others), expected)
	if math.Abs(float64(signalling)-expected) > 0.07*float64(len(others)) {
		t.Errorf("%d of %d charts of other units signal, where chance gives %.1f", signalling, len(others), expected)
	}
	printed(t, "planted", b.String())
}

// placed reports whether the whole chart, as it stands today, names the planted time: a
// signal that goes that way begins at it, or as much later as is time enough, or at most one period before.
func (e planted) placed(t *testing.T, p *figures.Panel) bool {
	t.Helper()
	low, high := periodOf(e.period, after(e.period, e.effect.From, -1)), periodOf(e.period, after(e.period, e.effect.From, e.within-1))
	trend := chart(t, p, e.measure, e.period, e.effect.BCU, time.Time{}, time.Time{})
	return slices.ContainsFunc(trend.Signals, func(s figures.Sign) bool { return s.Up == e.up && s.From >= low && s.From <= high })
}

// TestNothingPlantedStaysQuiet holds the charts of worlds in which nothing changes to
// the rate of false alarms that they state, and prints both in docs/methods.md.
func TestNothingPlantedStaysQuiet(t *testing.T) {
	t.Parallel()
	var panels []*figures.Panel
	for i := range triedWorlds {
		panels = append(panels, try(t, fewCases, i).all)
	}
	measures := []string{"core.confidence", "core.informed", "core.advice", "core.serious", "core.overall", "advice.harmful"}
	middle := time.Date(2024, time.December, 1, 0, 0, 0, 0, time.UTC)
	first, last := middle.AddDate(-2, 0, 0), time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	b.WriteString("| Charts | Number | Stated: signal by chance | Signalled |\n|---|---|---|---|\n")
	for _, row := range []struct {
		name, period string
		places       []string
		spans        [][2]time.Time
		within       float64
	}{
		{"Everywhere, by month over four years", figures.DimMonth, []string{""}, [][2]time.Time{{first, last}}, .15},
		{"Everywhere, by month over two years", figures.DimMonth, []string{""}, [][2]time.Time{{first, middle}, {middle, last}}, .08},
		{"A command unit, by quarter over four years", figures.DimQuarter, units(), [][2]time.Time{{first, last}}, .04},
	} {
		var trends []*figures.Trend
		for _, p := range panels {
			for _, m := range measures {
				for _, place := range row.places {
					for _, span := range row.spans {
						if trend := chart(t, p, m, row.period, place, span[0], span[1]); trend.Centre != nil {
							trends = append(trends, trend)
						}
					}
				}
			}
		}
		signalling, expected := figures.ByChance(trends...)
		n := float64(len(trends))
		got, stated := float64(signalling)/n, expected/n
		t.Logf("%s: %d charts, %.3f signal, %.3f stated", row.name, len(trends), got, stated)
		if n < 70 || math.Abs(got-stated) > row.within {
			t.Errorf("%s: %.3f of %.0f charts signal, stated %.3f", row.name, got, n, stated)
		}
		fmt.Fprintf(&b, "| %s | %d | %.1f%% | %.1f%% |\n", row.name, len(trends), 100*stated, 100*got)
	}
	printed(t, "quiet", b.String())
}

// printing keeps tests that run at once from writing over one another.
var printing sync.Mutex

// printed holds a part of docs/methods.md, between two marks, to what a test found.
func printed(t *testing.T, name, want string) {
	t.Helper()
	printing.Lock()
	defer printing.Unlock()
	const file = "../../docs/methods.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, last := "<!-- "+name+": written by a test -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(raw), begin)
	inside, after, ok2 := strings.Cut(rest, last)
	switch {
	case !ok || !ok2:
		t.Fatalf("docs/methods.md has no place for %s", name)
	case inside == want:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+want+last+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/methods.md says\n%s\nand the simulation found\n%s\nrun with -update", inside, want)
	}
}
