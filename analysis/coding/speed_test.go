package coding

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis/corpus"
)

var speed = flag.Bool("speed", false, "measure speed and write it into the model card")

const (
	speedBegin = "<!-- measured: go test ./analysis/coding -run TestSpeed -speed -->"
	speedEnd   = "<!-- end of speed -->"
)

// spoken gives comments of the corpus as they are, and texts of so many words made
// of them one after the other.
func spoken(tb testing.TB, words int) (texts, long []string) {
	tb.Helper()
	comments, err := corpus.Load(os.DirFS(trainDir))
	if err != nil {
		tb.Fatal(err)
	}
	var all []string
	for i := range comments {
		texts = append(texts, comments[i].Text)
		all = append(all, strings.Fields(comments[i].Text)...)
	}
	for len(all) >= words {
		long = append(long, strings.Join(all[:words], " "))
		all = all[words:]
	}
	return texts, long
}

// BenchmarkRead is all that is made of a comment: themes, polarities, evidence,
// what is unsure. One op is one comment of the training corpus.
func BenchmarkRead(b *testing.B) {
	c := newCoder(b)
	texts, _ := spoken(b, 200)
	for _, t := range texts {
		c.Read(t)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Read(texts[i%len(texts)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "comments/s")
}

// BenchmarkRead200Words is the same of texts of 200 words.
func BenchmarkRead200Words(b *testing.B) {
	c := newCoder(b)
	_, long := spoken(b, 200)
	for _, t := range long {
		c.Read(t)
	}
	b.ReportAllocs()
	took := make([]time.Duration, 0, 1<<16)
	i := 0
	for b.Loop() {
		began := time.Now()
		c.Read(long[i%len(long)])
		if i++; len(took) < cap(took) {
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// held is how many bytes the program holds once what is done with is gone.
func held() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools keep goes with the second
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestNoGrowthWithUse: however many words a coder meets that it never met, it holds
// no more than once its cache is full.
func TestNoGrowthWithUse(t *testing.T) {
	c := newPhrases(t)
	round := func(n int) {
		var b strings.Builder
		for i := range 1000 {
			b.Reset()
			for k := range 20 {
				fmt.Fprintf(&b, "w%xq%xz ", n*1000+i, k)
			}
			c.Read(b.String())
		}
	}
	for n := range 2 { // 40,000 words for 16,384 places
		round(n)
	}
	before := held()
	for n := range 6 {
		round(n + 2)
	}
	if grown := held() - before; grown > 1<<20 {
		t.Errorf("120,000 new words left %d bytes", grown)
	}
	runtime.KeepAlive(c)
}

// TestSpeed writes how fast it is into the model card, when it is asked to: no
// other test rests on how busy a machine is.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("measured with -speed only")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := newCoder(t)
	texts, long := spoken(t, 200)
	words := 0
	for _, text := range texts {
		words += len(strings.Fields(text))
		c.Read(text)
	}
	// Of each text the best of many readings: how busy the machine is doesn't count.
	times := func(texts []string) (each []time.Duration, sum time.Duration) {
		for _, text := range texts {
			best := time.Duration(1 << 62)
			for range 20 {
				began := time.Now()
				c.Read(text)
				best = min(best, time.Since(began))
			}
			each, sum = append(each, best), sum+best
		}
		slices.Sort(each)
		return each, sum
	}
	_, all := times(texts)
	took, _ := times(long)
	before := held()
	allocs := testing.AllocsPerRun(20, func() {
		for _, text := range texts {
			c.Read(text)
		}
	}) / float64(len(texts))
	grown := max(held()-before, 0)
	us := func(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
	mean := float64(words) / float64(len(texts))
	perSecond := float64(len(texts)) / all.Seconds()
	table := fmt.Sprintf(`%s

| speed, one core; themes, polarity, evidence, unsure marks | value | goal |
|---|---|---|
| comments of the training corpus, %.0f words on average | %.0f a second, %.0f words a second | 20,000 comments |
| a text of 200 words: half take at most; 99 of 100 | %s; %s | under 1 ms |
| allocations a comment, for its labels | %.1f | |
| bytes held more after reading all %d comments 20 times again | %d | none |

Measured on one %s/%s core with %s: of each text the best of twenty readings, so that what else the machine does counts for nothing; %d texts of 200 words.
A text read again is warm in the processor's caches: one after the other, as BenchmarkRead reads them, it takes longer.

%s`, speedBegin, mean, perSecond, perSecond*mean, us(took[len(took)/2]), us(took[len(took)*99/100]), allocs, len(texts), grown, runtime.GOOS, runtime.GOARCH, runtime.Version(), len(took), speedEnd)
	data, err := os.ReadFile(cardFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), speedBegin)
	_, tail, closed := strings.Cut(rest, speedEnd)
	if !ok || !closed {
		t.Fatalf("%s lacks the lines between which the table stands", cardFile)
	}
	if err := os.WriteFile(cardFile, []byte(head+table+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}
