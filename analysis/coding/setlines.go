package coding

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"victimvoice/internal/fault"
)

// taughtLine is one labelled line: labels as strings, or as a codebook's labels.
type taughtLine struct {
	ID     json.RawMessage   `json:"id"`
	Text   *string           `json:"text"`
	Labels []json.RawMessage `json:"labels"`
}

// ReadTaught reads labelled JSON lines: {"text", "labels"}, where a label is a
// string, or an object with code and polarity, which is read as code#polarity.
// A line that is otherwise is a [fault.Invalid] error that names it by number.
func ReadTaught(ctx context.Context, r io.Reader) ([]Taught, error) {
	var out []Taught
	err := eachLine(ctx, r, func(n int, line []byte) error {
		var in taughtLine
		if err := json.Unmarshal(line, &in); err != nil || in.Text == nil {
			return lineFault(n, `must be a JSON object {"text": "...", "labels": ["...", ...]}`)
		}
		t := Taught{Text: *in.Text}
		for _, raw := range in.Labels {
			var name string
			if err := json.Unmarshal(raw, &name); err != nil {
				var g givenLabel
				if err := json.Unmarshal(raw, &g); err != nil || g.Code == "" {
					return lineFault(n, "each label must be a string, or an object with code and polarity")
				}
				if name = g.Code; g.Polarity != "" {
					name += "#" + g.Polarity
				}
			}
			if strings.TrimSpace(name) == "" {
				return lineFault(n, "a label must not be empty")
			}
			if !slices.Contains(t.Labels, name) {
				t.Labels = append(t.Labels, name)
			}
		}
		out = append(out, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "the file holds no labelled line")
	}
	return out, nil
}

// CodeSetLines is [CodeLines] by a label set.
func CodeSetLines(ctx context.Context, ls *LabelSet, r io.Reader, w io.Writer) error {
	return codeLines(ctx, r, w, func(text string) any { return setReading{ls.Code(text)} })
}

type setReading struct {
	Labels []Label `json:"labels"`
}

// SetReport says how a label set does on labelled texts.
type SetReport struct {
	Texts int `json:"texts"`

	// Labels counts each label, or each category where labels have polarities.
	Labels  Score       `json:"labels"`   // micro
	Macro   float64     `json:"macro"`    // mean F1 of the labels that the file gives
	Macro10 float64     `json:"macro_10"` // of those that it gives ten times or more
	ByLabel []CodeScore `json:"by_label"`

	// With polarities: Pairs counts categories with their polarity. PolarityGiven is
	// over all categories that the file gives, whether or not they were found: the
	// share whose polarity is told rightly, the category being known.
	// PolarityFound is over those found.
	Pairs         *Score      `json:"pairs,omitempty"`
	PolarityGiven *float64    `json:"polarity_given,omitempty"`
	PolarityFound *float64    `json:"polarity_found,omitempty"`
	ByPolarity    []CodeScore `json:"by_polarity,omitempty"` // over the categories given

	Calibration float64 `json:"calibration_error"` // of the labels found, over ten bins
}

// EvaluateSet compares a label set with labelled texts. Labels that it was not
// taught count as missed.
func EvaluateSet(ls *LabelSet, texts []Taught) SetReport {
	r := SetReport{Texts: len(texts)}
	scores, sides := map[string]*Score{}, map[string]*Score{}
	of := func(m map[string]*Score, name string) *Score {
		if m[name] == nil {
			m[name] = &Score{}
		}
		return m[name]
	}
	var (
		pairs                 Score
		known, right, matched int
		rightMatched          int
		bins                  [10]struct{ sum, right float64 }
	)
	parted := len(ls.head.Polarities) > 0
	for _, t := range texts {
		found := ls.Code(t.Text)
		given := map[string][]string{}
		for _, l := range t.Labels {
			c := ls.category(l)
			_, p, _ := strings.Cut(l, "#")
			given[c] = append(given[c], p)
		}
		for c := range given {
			of(scores, c).Given++
		}
		for _, l := range found {
			s := of(scores, l.Code)
			s.Found++
			ok := given[l.Code] != nil
			if ok {
				s.Right++
			}
			if parted {
				pairs.Found++
				if ok {
					matched++
				}
				if ok = slices.Contains(given[l.Code], l.Polarity); ok {
					pairs.Right++
					rightMatched++
				}
			}
			b := &bins[min(int(l.Confidence*10), 9)]
			b.sum += l.Confidence
			if ok {
				b.right++
			}
		}
		if !parted {
			continue
		}
		for c, want := range given {
			pairs.Given += len(want)
			got := ls.SideOf(t.Text, c)
			for _, p := range want {
				known++
				of(sides, p).Given++
				if p == got {
					right++
					of(sides, p).Right++
				}
			}
			of(sides, got).Found++
		}
	}
	r.ByLabel = list(scores)
	var many, few float64
	for _, s := range r.ByLabel {
		r.Labels = sum(r.Labels, s.Score)
		if s.Given > 0 {
			few++
			r.Macro += s.F1
		}
		if s.Given >= 10 {
			many++
			r.Macro10 += s.F1
		}
	}
	r.Labels = r.Labels.rates()
	r.Macro /= max(few, 1)
	r.Macro10 /= max(many, 1)
	for _, b := range bins {
		r.Calibration += math.Abs(b.sum-b.right) / float64(max(r.Labels.Found, 1))
	}
	if parted {
		pairs = pairs.rates()
		a, b := share(right, known), share(rightMatched, matched)
		r.Pairs, r.PolarityGiven, r.PolarityFound, r.ByPolarity = &pairs, &a, &b, list(sides)
	}
	return r
}

func list(scores map[string]*Score) []CodeScore {
	var out []CodeScore
	for name, s := range scores {
		if name != "" {
			out = append(out, CodeScore{Code: name, Score: s.rates()})
		}
	}
	slices.SortFunc(out, func(a, b CodeScore) int {
		return cmp.Or(cmp.Compare(a.F1, b.F1), strings.Compare(a.Code, b.Code))
	})
	return out
}

// SideOf tells the likeliest polarity of a category in a text that is known to
// be about it; nothing where the label set does not know the category.
func (ls *LabelSet) SideOf(text, category string) string {
	i, ok := slices.BinarySearch(ls.head.Labels, category)
	tokens := setTokens(text)
	if !ok || len(tokens) == 0 || len(ls.head.Polarities) == 0 {
		return ""
	}
	k, _ := ls.side(tokens, ls.weights(tokens, textFeatures(tokens), i), i)
	return ls.head.Polarities[k]
}

// WriteText writes the report for people to read.
func (r SetReport) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	p := &printer{w: tw}
	p.printf("%d texts\n\n", r.Texts)
	p.printf("\tgiven\tfound\tright\tprecision\trecall\tF1\t\n")
	line := func(name string, s Score) {
		p.printf("%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t\n", name, s.Given, s.Found, s.Right, s.Precision, s.Recall, s.F1)
	}
	line("labels, micro", r.Labels)
	if r.Pairs != nil {
		line("labels and polarity, micro", *r.Pairs)
	}
	p.printf("\nmacro F1: %.3f; over labels given ten times or more: %.3f\n", r.Macro, r.Macro10)
	if r.PolarityGiven != nil {
		p.printf("polarity right, the categories being given: %.3f; on categories found: %.3f\n", *r.PolarityGiven, *r.PolarityFound)
	}
	p.printf("calibration error: %.3f\n\n\tgiven\tfound\tright\tprecision\trecall\tF1\t\n", r.Calibration)
	for _, s := range r.ByLabel {
		line(s.Code, s.Score)
	}
	for _, s := range r.ByPolarity {
		line("polarity "+s.Code, s.Score)
	}
	if p.err != nil {
		return p.err
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// codeLines reads {"id","text"} lines and writes the id with what code makes of
// the text.
func codeLines(ctx context.Context, r io.Reader, w io.Writer, code func(text string) any) error {
	out := bufio.NewWriter(w)
	err := eachLine(ctx, r, func(n int, line []byte) error {
		var item struct {
			ID   json.RawMessage `json:"id"`
			Text *string         `json:"text"`
		}
		if err := json.Unmarshal(line, &item); err != nil {
			return lineFault(n, `must be a JSON object {"id": "...", "text": "..."}`)
		}
		if !isID(item.ID) || item.Text == nil {
			return lineFault(n, needBoth)
		}
		return writeCoded(out, item.ID, code(*item.Text))
	})
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("write labels: %w", flushErr)
	}
	return err
}
