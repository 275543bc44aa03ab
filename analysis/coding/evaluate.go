package coding

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"victimvoice/analysis/codebook"
)

// Score counts how labels found compare with labels given.
type Score struct {
	Given     int     `json:"given"` // labels in the file
	Found     int     `json:"found"` // labels of the coder
	Right     int     `json:"right"` // in both
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func (s Score) rates() Score {
	s.Precision, s.Recall, s.F1 = share(s.Right, s.Found), share(s.Right, s.Given), share(2*s.Right, s.Given+s.Found)
	return s
}

// CodeScore is the score of one theme, or of one theme in one polarity.
type CodeScore struct {
	Code     string `json:"code"`
	Polarity string `json:"polarity,omitempty"`
	Score
}

// Report says how the coder does on labelled comments.
type Report struct {
	Codebook string `json:"codebook"` // version
	Comments int    `json:"comments"`

	// Themes counts a code once a comment, whatever its polarity.
	Themes      Score       `json:"themes"`       // micro: over all labels
	ThemesMacro float64     `json:"themes_macro"` // mean F1 of the themes that the file gives
	ByTheme     []CodeScore `json:"by_theme"`

	// Labels counts each code and polarity.
	Labels      Score       `json:"labels"`
	LabelsMacro float64     `json:"labels_macro"`
	ByLabel     []CodeScore `json:"by_label"`

	// Polarity is over themes that both file and coder give to a comment: right
	// when the polarities, one or both, are the same.
	PolarityMatched int     `json:"polarity_matched"`
	PolarityRight   float64 `json:"polarity_right"`

	// Evidence is over labels in both that the file gives with evidence.
	EvidenceMatched int     `json:"evidence_matched"`
	EvidenceOverlap float64 `json:"evidence_overlap"`  // share with a byte in common
	EvidenceMeanIoU float64 `json:"evidence_mean_iou"` // bytes in both over bytes in either

	Uncodable      int `json:"uncodable"`       // comments with no label in the file
	UncodableAlone int `json:"uncodable_alone"` // of those, left without label
}

// example is one labelled line.
type example struct {
	ID     json.RawMessage `json:"id"`
	Text   *string         `json:"text"`
	Labels []givenLabel    `json:"labels"`
}

type givenLabel struct {
	Code     string `json:"code"`
	Polarity string `json:"polarity"`
	Evidence string `json:"evidence"`
	Start    *int   `json:"start"`
	End      *int   `json:"end"`
}

// Evaluate codes labelled JSON lines and compares. Evidence may be given by
// offsets, by its words alone, or not at all. Unknown codes and polarities, the
// same label twice, and offsets that do not hold the evidence are
// [fault.Invalid] errors naming the line.
func Evaluate(c *Coder, r io.Reader) (Report, error) {
	t := newTally(c.book)
	err := eachLine(context.Background(), r, func(n int, line []byte) error {
		var ex example
		if err := json.Unmarshal(line, &ex); err != nil {
			return lineFault(n, `must be a JSON object {"id": "...", "text": "...", "labels": [...]}`)
		}
		if !isID(ex.ID) || ex.Text == nil {
			return lineFault(n, needBoth)
		}
		given, err := c.given(n, *ex.Text, ex.Labels)
		if err != nil {
			return err
		}
		t.add(given, c.Code(*ex.Text))
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	return t.report(), nil
}

// given checks a line's labels and finds their evidence; End is 0 where none is
// given.
func (c *Coder) given(n int, text string, labels []givenLabel) ([]Label, error) {
	out := make([]Label, 0, len(labels))
	for _, g := range labels {
		if _, ok := c.book.Code(g.Code); !ok {
			return nil, lineFault(n, fmt.Sprintf("%q is not a code of codebook %s", g.Code, c.book.Version))
		}
		if !codebook.Polarity(g.Polarity).Valid() {
			return nil, lineFault(n, `polarity must be "positive" or "negative"`)
		}
		if slices.ContainsFunc(out, func(l Label) bool { return l.Code == g.Code && l.Polarity == g.Polarity }) {
			return nil, lineFault(n, fmt.Sprintf("%s %s is given twice", g.Code, g.Polarity))
		}
		l := Label{Code: g.Code, Polarity: g.Polarity, Evidence: g.Evidence}
		switch {
		case g.Start != nil && g.End != nil:
			l.Start, l.End = *g.Start, *g.End
			if l.Start < 0 || l.End < l.Start || l.End > len(text) || g.Evidence != "" && text[l.Start:l.End] != g.Evidence {
				return nil, lineFault(n, fmt.Sprintf("%s: start and end must hold the evidence, in bytes of the text", g.Code))
			}
		case g.Evidence != "":
			l.Start = strings.Index(text, g.Evidence)
			if l.Start < 0 {
				return nil, lineFault(n, fmt.Sprintf("%s: the evidence must be words of the text", g.Code))
			}
			l.End = l.Start + len(g.Evidence)
		}
		out = append(out, l)
	}
	return out, nil
}

// tally adds up comparisons.
type tally struct {
	book    *codebook.Codebook
	r       Report
	themes  map[string]*Score
	labels  map[[2]string]*Score
	right   int
	overlap int
	iou     float64
}

func newTally(book *codebook.Codebook) *tally {
	t := &tally{book: book, themes: map[string]*Score{}, labels: map[[2]string]*Score{}}
	t.r.Codebook = book.Version
	for _, id := range book.IDs() {
		t.themes[id] = &Score{}
		for _, p := range []codebook.Polarity{codebook.Positive, codebook.Negative} {
			t.labels[[2]string{id, string(p)}] = &Score{}
		}
	}
	return t
}

func (t *tally) add(given, found []Label) {
	t.r.Comments++
	if len(given) == 0 {
		t.r.Uncodable++
		if len(found) == 0 {
			t.r.UncodableAlone++
		}
	}
	givenThemes, foundThemes := polarities(given), polarities(found)
	for code, p := range givenThemes {
		t.themes[code].Given++
		if q, ok := foundThemes[code]; ok {
			t.themes[code].Right++
			t.r.PolarityMatched++
			if p == q {
				t.right++
			}
		}
	}
	for code := range foundThemes {
		t.themes[code].Found++
	}
	for _, f := range found {
		t.labels[[2]string{f.Code, f.Polarity}].Found++
	}
	for _, g := range given {
		s := t.labels[[2]string{g.Code, g.Polarity}]
		s.Given++
		i := slices.IndexFunc(found, func(f Label) bool { return f.Code == g.Code && f.Polarity == g.Polarity })
		if i < 0 {
			continue
		}
		s.Right++
		if g.End == g.Start {
			continue
		}
		t.r.EvidenceMatched++
		f := found[i]
		both := min(f.End, g.End) - max(f.Start, g.Start)
		if both > 0 {
			t.overlap++
			t.iou += float64(both) / float64(max(f.End, g.End)-min(f.Start, g.Start))
		}
	}
}

// polarities gives each code's polarities as bits.
func polarities(labels []Label) map[string]int {
	m := map[string]int{}
	for _, l := range labels {
		if l.Polarity == string(codebook.Positive) {
			m[l.Code] |= 1
		} else {
			m[l.Code] |= 2
		}
	}
	return m
}

func (t *tally) report() Report {
	r := t.r
	themesGiven, labelsGiven := 0, 0
	for _, id := range t.book.IDs() {
		s := t.themes[id].rates()
		r.ByTheme = append(r.ByTheme, CodeScore{Code: id, Score: s})
		r.Themes = sum(r.Themes, s)
		if s.Given > 0 {
			themesGiven++
			r.ThemesMacro += s.F1
		}
		for _, p := range []codebook.Polarity{codebook.Positive, codebook.Negative} {
			s := t.labels[[2]string{id, string(p)}].rates()
			r.ByLabel = append(r.ByLabel, CodeScore{Code: id, Polarity: string(p), Score: s})
			r.Labels = sum(r.Labels, s)
			if s.Given > 0 {
				labelsGiven++
				r.LabelsMacro += s.F1
			}
		}
	}
	r.Themes, r.Labels = r.Themes.rates(), r.Labels.rates()
	r.ThemesMacro /= float64(max(themesGiven, 1))
	r.LabelsMacro /= float64(max(labelsGiven, 1))
	r.PolarityRight = share(t.right, r.PolarityMatched)
	r.EvidenceOverlap = share(t.overlap, r.EvidenceMatched)
	r.EvidenceMeanIoU = t.iou / float64(max(r.EvidenceMatched, 1))
	return r
}

func sum(a, b Score) Score {
	return Score{Given: a.Given + b.Given, Found: a.Found + b.Found, Right: a.Right + b.Right}
}

// share is part of whole; 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// WriteText writes the report for people to read: the totals, then a line a
// theme, weakest first, leaving out those that neither file nor coder gave.
func (r Report) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	p := &printer{w: tw}
	p.printf("codebook %s, %d comments\n\n", r.Codebook, r.Comments)
	p.printf("\tgiven\tfound\tright\tprecision\trecall\tF1\tmacro F1\t\n")
	line := func(name string, s Score, macro string) {
		p.printf("%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%s\t\n", name, s.Given, s.Found, s.Right, s.Precision, s.Recall, s.F1, macro)
	}
	line("themes", r.Themes, fmt.Sprintf("%.3f", r.ThemesMacro))
	line("themes and polarity", r.Labels, fmt.Sprintf("%.3f", r.LabelsMacro))
	p.printf("\npolarity right on matched themes: %.3f of %d\n", r.PolarityRight, r.PolarityMatched)
	p.printf("evidence with any overlap: %.3f of %d; mean intersection over union: %.3f\n", r.EvidenceOverlap, r.EvidenceMatched, r.EvidenceMeanIoU)
	p.printf("uncodable comments left alone: %d of %d\n\n", r.UncodableAlone, r.Uncodable)
	p.printf("\tgiven\tfound\tright\tprecision\trecall\tF1\t\t\n")
	scores := append(slices.Clone(r.ByTheme), r.ByLabel...)
	slices.SortStableFunc(scores, func(a, b CodeScore) int {
		return cmp.Or(cmp.Compare(len(a.Polarity), len(b.Polarity)), cmp.Compare(a.F1, b.F1), strings.Compare(a.Code, b.Code))
	})
	for _, s := range scores {
		if s.Given+s.Found > 0 {
			line(strings.TrimSpace(s.Code+" "+s.Polarity), s.Score, "")
		}
	}
	if p.err != nil {
		return p.err
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// printer keeps the first error of a run of prints.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err != nil {
		return
	}
	if _, err := fmt.Fprintf(p.w, format, args...); err != nil {
		p.err = fmt.Errorf("write report: %w", err)
	}
}
