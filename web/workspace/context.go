package workspace

import (
	"fmt"

	"victimvoice/analysis/figures"
	"victimvoice/web/charts"
)

// contextWords are other surveys' figures that stand beside one of ours, each with
// the people it is of.
func contextWords(measure string) []string {
	var out []string
	for _, b := range figures.Benchmarks(measure) {
		words := b.Words()
		if b.Line {
			words += " The dotted line."
		}
		out = append(out, words)
	}
	return out
}

// contextLines are those of them that a chart may draw.
func contextLines(measure string) []charts.Line {
	var out []charts.Line
	for _, b := range figures.Benchmarks(measure) {
		if b.Line {
			out = append(out, charts.Line{Value: b.Value, Label: fmt.Sprintf("Other victims, %s:", b.Year)})
		}
	}
	return out
}
