package coding

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/corpus"
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

	// Calibration is the expected calibration error of the confidence of the labels
	// found, over ten bins: the mean gap between confidence and share right.
	Calibration float64 `json:"calibration_error"`
	Unsure      int     `json:"unsure"`       // labels set aside for a person
	UnsureRight int     `json:"unsure_right"` // of those, in the file

	// ByPart is over the comments of one length, or one voice or mark where the
	// file gives them.
	ByPart []Part `json:"by_part,omitempty"`
}

// Part is the score over some of the comments.
type Part struct {
	Part            string  `json:"part"`
	Comments        int     `json:"comments"`
	Themes          Score   `json:"themes"`
	Labels          Score   `json:"labels"`
	PolarityMatched int     `json:"polarity_matched"`
	PolarityRight   float64 `json:"polarity_right"`
}

// example is one labelled line.
type example struct {
	ID     json.RawMessage `json:"id"`
	Text   *string         `json:"text"`
	Labels []givenLabel    `json:"labels"`
	Voice  string          `json:"voice"`
	Marks  []string        `json:"marks"`
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
		t.add(given, c.Read(*ex.Text), parts(*ex.Text, ex.Voice, ex.Marks))
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	return t.report(), nil
}

// parts names the parts that a comment belongs to.
func parts(text, voice string, marks []string) []string {
	words := len(strings.Fields(text))
	length := "words: 121 and more"
	for _, b := range []struct {
		most int
		name string
	}{{8, "words: 1 to 8"}, {25, "words: 9 to 25"}, {60, "words: 26 to 60"}, {120, "words: 61 to 120"}} {
		if words <= b.most {
			length = b.name
			break
		}
	}
	out := []string{length}
	if voice != "" {
		out = append(out, "voice: "+voice)
	}
	for _, m := range marks {
		out = append(out, "mark: "+m)
	}
	return out
}

// Measure says how the coder does on comments of a corpus.
func Measure(c *Coder, comments []corpus.Comment) Report {
	t := newTally(c.book)
	t.corpus(c, comments)
	return t.report()
}

func (t *tally) corpus(c *Coder, comments []corpus.Comment) {
	for i := range comments {
		com := &comments[i]
		var given []Label
		for _, l := range com.Labels {
			given = append(given, Label{Code: l.Code, Polarity: l.Polarity, Evidence: l.Evidence, Start: l.Start, End: l.End})
		}
		var marks []string
		for _, m := range com.Marks {
			marks = append(marks, string(m))
		}
		t.add(given, c.Read(com.Text), parts(com.Text, string(com.Voice), marks))
	}
}

// CrossMeasure says how a model learnt from some of the comments does on the
// others, each part of them left out in turn. part names a comment's part; cases
// and examples are learnt from each time and never measured.
func CrossMeasure(book *codebook.Codebook, comments, cases, examples []corpus.Comment, part func(*corpus.Comment) string) (Report, error) {
	var names []string
	for i := range comments {
		if n := part(&comments[i]); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	t := newTally(book)
	for _, name := range names {
		var in, out []corpus.Comment
		for i := range comments {
			if part(&comments[i]) == name {
				out = append(out, comments[i])
			} else {
				in = append(in, comments[i])
			}
		}
		m, err := Learn(book, slices.Concat(in, cases), examples)
		if err != nil {
			return Report{}, err
		}
		c, err := NewPhrases(book)
		if err != nil {
			return Report{}, err
		}
		c.use(m)
		t.corpus(c, out)
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
	bins    [10]struct {
		n, right int
		sum      float64
	}
	parts map[string]*Part
}

func newTally(book *codebook.Codebook) *tally {
	t := &tally{book: book, themes: map[string]*Score{}, labels: map[[2]string]*Score{}, parts: map[string]*Part{}}
	t.r.Codebook = book.Version
	for _, id := range book.IDs() {
		t.themes[id] = &Score{}
		for _, p := range []codebook.Polarity{codebook.Positive, codebook.Negative} {
			t.labels[[2]string{id, string(p)}] = &Score{}
		}
	}
	return t
}

func (t *tally) add(given []Label, reading Reading, parts []string) {
	found := reading.Labels
	t.r.Comments++
	for _, p := range parts {
		t.part(p, given, found)
	}
	for _, u := range reading.Unsure {
		t.r.Unsure++
		if holds(given, u) {
			t.r.UnsureRight++
		}
	}
	for _, f := range found {
		b := &t.bins[min(int(f.Confidence*10), 9)]
		b.n++
		b.sum += f.Confidence
		if holds(given, f) {
			b.right++
		}
	}
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

func holds(given []Label, l Label) bool {
	return slices.ContainsFunc(given, func(g Label) bool { return g.Code == l.Code && g.Polarity == l.Polarity })
}

func (t *tally) part(name string, given, found []Label) {
	p := t.parts[name]
	if p == nil {
		p = &Part{Part: name}
		t.parts[name] = p
	}
	p.Comments++
	g, f := polarities(given), polarities(found)
	p.Themes.Given += len(g)
	p.Themes.Found += len(f)
	for code, sides := range g {
		if other, ok := f[code]; ok {
			p.Themes.Right++
			p.PolarityMatched++
			if sides == other {
				p.PolarityRight++ // a count, until it is made a share
			}
		}
	}
	p.Labels.Given += len(given)
	p.Labels.Found += len(found)
	for _, l := range found {
		if holds(given, l) {
			p.Labels.Right++
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
	for _, b := range t.bins {
		r.Calibration += math.Abs(b.sum-float64(b.right)) / float64(max(r.Labels.Found, 1))
	}
	for _, p := range t.parts {
		part := *p
		part.Themes, part.Labels = part.Themes.rates(), part.Labels.rates()
		part.PolarityRight /= float64(max(part.PolarityMatched, 1))
		r.ByPart = append(r.ByPart, part)
	}
	slices.SortFunc(r.ByPart, func(a, b Part) int { return cmp.Compare(partOrder(a.Part), partOrder(b.Part)) })
	return r
}

// partOrder puts lengths in the order of their numbers, before voices and marks.
func partOrder(name string) string {
	rest, ok := strings.CutPrefix(name, "words: ")
	if !ok {
		return map[bool]string{true: "m", false: "v"}[strings.HasPrefix(name, "mark")] + name
	}
	from, _, _ := strings.Cut(rest, " ")
	return fmt.Sprintf("a%04s", from)
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
	p.printf("uncodable comments left alone: %d of %d\n", r.UncodableAlone, r.Uncodable)
	p.printf("calibration error: %.3f; set aside as unsure: %d, of which in the file: %d\n\n", r.Calibration, r.Unsure, r.UnsureRight)
	p.printf("\tcomments\tthemes F1\tlabels F1\tpolarity\tof\t\n")
	for _, part := range r.ByPart {
		p.printf("%s\t%d\t%.3f\t%.3f\t%.3f\t%d\t\n", part.Part, part.Comments, part.Themes.F1, part.Labels.F1, part.PolarityRight, part.PolarityMatched)
	}
	p.printf("\n")
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
