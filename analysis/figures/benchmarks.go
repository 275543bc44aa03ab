package figures

import (
	_ "embed" // the benchmarks
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// Benchmark is another survey's figure that stands beside one of ours for context.
// Its population is never ours: it is a mark to see by, not a target.
type Benchmark struct {
	Measure    string  // ours, that it is context for
	Line       bool    // it asks nearly the same, the same way round, so that a chart may draw it
	Statement  string  // what the people did or said
	Value      float64 // percent of them
	Year       string
	Population string
	Source     string
	Note       string
}

//go:embed benchmarks.csv
var benchmarksFile string

// Benchmarks gives the context of a measure; nil where there is none.
func Benchmarks(measure string) []Benchmark {
	all, err := readBenchmarks(benchmarksFile)
	if err != nil {
		return nil // a test reads the file
	}
	var out []Benchmark
	for _, b := range all {
		if b.Measure == measure {
			out = append(out, b)
		}
	}
	return out
}

func readBenchmarks(text string) ([]Benchmark, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the benchmarks: %w", err)
	}
	var out []Benchmark
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[3], 64)
		if err != nil || v < 0 || v > 100 {
			return nil, fmt.Errorf("read the benchmarks: %q is not a share", r[3])
		}
		out = append(out, Benchmark{Measure: r[0], Line: r[1] == "yes", Statement: r[2], Value: v, Year: r[4], Population: r[5], Source: r[6], Note: r[7]})
	}
	return out, nil
}

// Words give a benchmark in a sentence, its population in it.
func (b *Benchmark) Words() string {
	out := fmt.Sprintf("%.0f%% of %s %s (%s, %s", b.Value, b.Population, b.Statement, b.Source, b.Year)
	if b.Note != "" {
		out += "; " + b.Note
	}
	return out + ")."
}
