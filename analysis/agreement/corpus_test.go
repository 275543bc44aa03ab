package agreement_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"victimvoice/analysis/agreement"
	"victimvoice/analysis/codebook"
)

var update = flag.Bool("update", false, "write the table anew")

const (
	corpus    = "../testdata/corpus"
	tableFile = "../../docs/agreement.md"
	seed      = 20261127
)

// readings reads the labels of every comment in files, by the comment's name.
func readings(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files at %s: %v", pattern, err)
	}
	out := map[string][]string{}
	for _, f := range files {
		data, err := os.ReadFile(f) //nolint:gosec // G304: a file of the tests
		if err != nil {
			t.Fatal(err)
		}
		name, below := "", false
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			switch rest, isName := strings.CutPrefix(line, "## "); {
			case isName:
				name, below, out[rest] = rest, false, []string{}
			case line == "---":
				below = true
			case below && line != "":
				part := strings.SplitN(line, " ", 3)
				if len(part) < 3 {
					t.Fatalf("%s, %s: %q is no label", f, name, line)
				}
				out[name] = append(out[name], agreement.Label(part[0], part[1]))
			}
		}
	}
	for name := range out {
		slices.Sort(out[name])
		out[name] = slices.Compact(out[name])
	}
	return out
}

// TestCorpus keeps the table of how well the corpus's two readings agree true.
func TestCorpus(t *testing.T) {
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	first, second := readings(t, "train/*.txt"), readings(t, "second/*.txt")
	for name, labels := range readings(t, "heldout/*.txt") {
		first[name] = labels
	}
	names := make([]string, 0, len(second))
	for name := range second {
		if _, ok := first[name]; !ok {
			t.Fatalf("%s has a second reading and no first", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) != 739 {
		t.Errorf("%d comments were read twice, want 739", len(names))
	}
	units := make([]agreement.Unit[[]string], len(names))
	same := 0
	for i, name := range names {
		units[i] = agreement.Unit[[]string]{first[name], second[name]}
		if slices.Equal(first[name], second[name]) {
			same++
		}
	}
	r := agreement.Of(units, book.IDs(), seed)
	if r.Sets.Alpha < .667 {
		t.Errorf("MASI alpha %.3f: under 0.667, labels are too doubtful to measure a coder by", r.Sets.Alpha)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# How well two readers agree

%d of the corpus's comments (`+"`analysis/testdata/corpus`"+`) were labelled twice, by readers who did not see each other's labels. A coder cannot be
shown to be more right than readers are like each other, so these figures bound what its scores can mean. The texts are synthetic and both readers
kept to the same written rules: expect people who code real comments to agree less.

Krippendorff's alpha: 1 is full agreement, 0 what chance gives. By custom, 0.80 and more is reliable, 0.667 to 0.80 allows tentative
conclusions, less does not. A code's alpha asks of each comment whether the code is there, and as positive, negative or both; the alpha of sets takes all
labels of a comment at once, with the MASI distance. Intervals are 95%%, from %d draws of the comments with replacement (seed %d).

**All labels at once: %s.** %d of %d comments (%.0f%%) were given the very same labels.

| Code | Alpha | 95%% interval | Times given, of %d readings |
|---|---|---|---|
`, len(names), agreement.Draws, seed, worded(r.Sets), same, len(names), 100*float64(same)/float64(len(names)), 2*len(names))
	for _, c := range r.Codes {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f to %.2f | %d |\n", c.ID, c.Alpha, c.Low, c.High, c.Given)
	}
	b.WriteString("\nKept true by `go test ./analysis/agreement -run TestCorpus`; `-update` writes it anew.\n")
	if *update {
		if err := os.WriteFile(tableFile, []byte(b.String()), 0o644); err != nil { //nolint:gosec // G306: a document
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("%s is not what the corpus gives; -update writes it anew:\n%s", tableFile, b.String())
	}
}

func worded(i agreement.Interval) string {
	if math.IsNaN(i.Alpha) {
		return "cannot be told"
	}
	return fmt.Sprintf("alpha %.2f (%.2f to %.2f)", i.Alpha, i.Low, i.High)
}
