package figures

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// benchSize is how many responses the benchmarks hold: a million, or what
// VICTIMVOICE_BENCH_RESPONSES says (10000000 takes about 4 GB).
func benchSize(b *testing.B) int {
	if testing.Short() {
		b.Skip("a million responses: left out in short mode")
	}
	if v := os.Getenv("VICTIMVOICE_BENCH_RESPONSES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return 1_000_000
}

// fill loads n responses over four years, 32 boroughs in 12 units, half as many
// cases, a quarter of whose people have told about themselves.
func fill(b *testing.B, p *Panel, n int) {
	b.Helper()
	set := loadSet(b)
	rng := rand.New(rand.NewPCG(1, 2))
	forms := []string{"report/1", "investigation/1", "closure/1"}
	var packed [3][][]byte
	for f, form := range forms {
		for range 64 {
			answers := map[string]string{
				"core.informed":   []string{"very-well", "fairly-well", "not-very-well", "not-at-all-well"}[rng.IntN(4)],
				"core.confidence": []string{"very", "fairly", "not-very", "not-at-all"}[rng.IntN(4)],
				"core.overall":    []string{"very-satisfied", "neither", "very-dissatisfied"}[rng.IntN(3)],
			}
			if f < 2 {
				answers["advice.codes"] = []string{"block", "keep-diary", "none-of-these"}[rng.IntN(3)]
			}
			packed[f] = append(packed[f], pack(b, set, form, answers))
		}
	}
	var told [][]byte
	for _, religion := range []string{"none", "christian", "muslim", "hindu", "prefer-not"} {
		told = append(told, pack(b, set, "about/1", map[string]string{"about.religion": religion}))
	}
	abouts := make([]AboutRow, 0, batch)
	start := time.Date(2022, 11, 1, 12, 0, 0, 0, time.UTC)
	cases := make([]CaseRow, 0, batch)
	responses := make([]ResponseRow, 0, batch)
	for i := range n {
		at := start.Add(time.Duration(rng.Int64N(int64(4 * 365 * 24 * time.Hour))))
		if i%2 == 0 {
			borough := rng.IntN(32)
			cases = append(cases, CaseRow{Key: "case-" + strconv.Itoa(i/2), ChangedAt: at, Force: "Metropolitan Police", Borough: fmt.Sprintf("Borough %02d", borough), BCU: fmt.Sprintf("Unit %02d", borough%12),
				Offence: []string{"stalking-2a", "stalking-4a", "harassment"}[rng.IntN(3)], DomesticAbuse: int8(rng.IntN(2)), AboutKeys: []string{"person-" + strconv.Itoa(i/2), "own-" + strconv.Itoa(i/2)},
				Asks: []AskRow{{Stage: "report", Round: 1, DueAt: at, SentAt: at, Disposition: Completed}, {Stage: "closure", Round: 1, DueAt: at, SentAt: at, Disposition: NoResponse}}})
		}
		if i%8 == 0 {
			abouts = append(abouts, AboutRow{Key: "person-" + strconv.Itoa(i/2), Questionnaire: "about/1", ChangedAt: at, Packed: told[rng.IntN(len(told))]})
		}
		f := rng.IntN(3)
		responses = append(responses, ResponseRow{ID: "response-" + strconv.Itoa(i), CaseKey: "case-" + strconv.Itoa(i/2), Stage: forms[f][:len(forms[f])-2], Round: 1, Mode: ModeSelf, Questionnaire: forms[f],
			Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: packed[f][rng.IntN(64)]})
		if len(responses) == batch {
			flushRows(b, p, &cases, &responses, &abouts)
		}
	}
	flushRows(b, p, &cases, &responses, &abouts)
}

func flushRows(b *testing.B, p *Panel, cases *[]CaseRow, responses *[]ResponseRow, abouts *[]AboutRow) {
	p.ApplyCases(*cases...)
	if err := p.ApplyAbouts(*abouts...); err != nil {
		b.Fatal(err)
	}
	if err := p.ApplyResponses(*responses...); err != nil {
		b.Fatal(err)
	}
	*cases, *responses, *abouts = (*cases)[:0], (*responses)[:0], (*abouts)[:0]
}

func BenchmarkLoad(b *testing.B) {
	n := benchSize(b)
	for range b.N {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		p := newPanel(b)
		begin := time.Now()
		fill(b, p, n)
		took := time.Since(begin)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(n)/took.Seconds(), "responses/s")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/response")
		runtime.KeepAlive(p)
	}
}

func BenchmarkQuery(b *testing.B) {
	n := benchSize(b)
	p := newPanel(b)
	fill(b, p, n)
	ctx, set := context.Background(), loadSet(b)
	for _, q := range []Query{
		{Measure: "core.informed", By: []string{DimMonth}, Stage: "report"},
		{Measure: "index.communication", By: []string{DimQuarter, DimBCU}},
		{Measure: "advice.harmful", By: []string{DimYear, DimBorough, DimOffence}},
		{Measure: "core.informed", By: []string{DimQuarter, DimAboutReligion}},
		{Measure: "response.rr1", By: []string{DimMonth}},
	} {
		name := fmt.Sprintf("%s/by=%v", q.Measure, q.By)
		b.Run(name+"/first", func(b *testing.B) { // after a change: the columns are scanned and the table protected
			for range b.N {
				p.SetAdvice(set.Advice())
				if _, err := p.Figures(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/again", func(b *testing.B) {
			for range b.N {
				if _, err := p.Figures(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
