package coding

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"victimvoice/analysis/corpus"
)

var update = flag.Bool("update", false, "write the model card's tables anew")

const (
	cardFile  = "../../docs/model-card.md"
	cardBegin = "<!-- measured: go test ./analysis/coding -run TestModelCard -update -->"
	cardEnd   = "<!-- end of what is measured -->"
	resamples = 400
)

// TestModelCard holds the card's tables to what the shipped model measures on
// the held-out comments.
func TestModelCard(t *testing.T) {
	comments, err := corpus.Load(os.DirFS(heldOutDir))
	if err != nil {
		t.Fatal(err)
	}
	if len(comments) == 0 {
		t.Skip("the held-out comments are not there")
	}
	c := newCoder(t)
	type pair struct {
		given   []Label
		reading Reading
		parts   []string
	}
	pairs := make([]pair, len(comments))
	for i := range comments {
		com := &comments[i]
		for _, l := range com.Labels {
			pairs[i].given = append(pairs[i].given, Label{Code: l.Code, Polarity: l.Polarity, Evidence: l.Evidence, Start: l.Start, End: l.End})
		}
		pairs[i].reading = c.Read(com.Text)
		var marks []string
		for _, m := range com.Marks {
			marks = append(marks, string(m))
		}
		pairs[i].parts = parts(com.Text, string(com.Voice), marks)
	}
	measure := func(pick func(i int) int) Report {
		tl := newTally(c.book)
		for i := range pairs {
			p := &pairs[pick(i)]
			tl.add(p.given, p.reading, p.parts)
		}
		return tl.report()
	}
	r := measure(func(i int) int { return i })
	rng := rand.New(rand.NewPCG(1, 2))
	draws := make([]Report, resamples)
	for i := range draws {
		draws[i] = measure(func(int) int { return rng.IntN(len(pairs)) })
	}
	interval := func(of func(*Report) float64) string {
		var v []float64
		for i := range draws {
			v = append(v, of(&draws[i]))
		}
		slices.Sort(v)
		return fmt.Sprintf("%.3f to %.3f", v[resamples/40], v[resamples-1-resamples/40])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Codebook %s, %d held-out comments, %d labels. Intervals are 95%%, from %d resamples of the comments.\n\n", r.Codebook, r.Comments, r.Labels.Given, resamples)
	b.WriteString("| measure | value | interval | goal |\n|---|---|---|---|\n")
	for _, m := range []struct {
		name, goal string
		of         func(*Report) float64
	}{
		{"themes, micro F1", ".80", func(r *Report) float64 { return r.Themes.F1 }},
		{"themes, macro F1", ".76", func(r *Report) float64 { return r.ThemesMacro }},
		{"theme and polarity, micro F1", ".76", func(r *Report) float64 { return r.Labels.F1 }},
		{"polarity on matched themes", ".93", func(r *Report) float64 { return r.PolarityRight }},
		{"the same where negation is involved", ".90", func(r *Report) float64 { return partOf(r, "mark: negation").PolarityRight }},
		{"evidence, any overlap", ".97", func(r *Report) float64 { return r.EvidenceOverlap }},
		{"evidence, mean intersection over union", ".55", func(r *Report) float64 { return r.EvidenceMeanIoU }},
		{"uncodable comments left alone", "1", func(r *Report) float64 { return share(r.UncodableAlone, r.Uncodable) }},
		{"calibration error", ".05 at most", func(r *Report) float64 { return r.Calibration }},
	} {
		fmt.Fprintf(&b, "| %s | %.3f | %s | %s |\n", m.name, m.of(&r), interval(m.of), m.goal)
	}
	b.WriteString("\n| comments | number | themes F1 | interval | theme and polarity F1 | polarity |\n|---|---|---|---|---|---|\n")
	for _, p := range r.ByPart {
		if p.Labels.Given > 0 {
			fmt.Fprintf(&b, "| %s | %d | %.3f | %s | %.3f | %.3f |\n", p.Part, p.Comments, p.Themes.F1, interval(func(r *Report) float64 { return partOf(r, p.Part).Themes.F1 }), p.Labels.F1, p.PolarityRight)
		}
	}
	b.WriteString("\n| theme | given | precision | recall | F1 | interval | positive F1 | negative F1 |\n|---|---|---|---|---|---|---|---|\n")
	for i, s := range r.ByTheme {
		fmt.Fprintf(&b, "| %s | %d | %.2f | %.2f | %.2f | %s | %.2f | %.2f |\n", s.Code, s.Given, s.Precision, s.Recall, s.F1,
			interval(func(r *Report) float64 { return r.ByTheme[i].F1 }), r.ByLabel[2*i].F1, r.ByLabel[2*i+1].F1)
	}
	data, err := os.ReadFile(cardFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), cardBegin+"\n")
	_, tail, closed := strings.Cut(rest, cardEnd)
	if !ok || !closed {
		t.Fatalf("%s lacks the lines between which the tables stand", cardFile)
	}
	want := head + cardBegin + "\n\n" + b.String() + "\n" + cardEnd + tail
	if *update {
		if err := os.WriteFile(cardFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Errorf("%s does not say what is measured; write it anew with -update", cardFile)
	}
}

func partOf(r *Report, name string) Part {
	for _, p := range r.ByPart {
		if p.Part == name {
			return p
		}
	}
	return Part{}
}
