package workspace

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/agreement"
	"victimvoice/analysis/codebook"
	"victimvoice/internal/fault"
	"victimvoice/web/page"
)

// latestTexts is how many of the texts that people read last are listed.
const latestTexts = 20

// codingData is the data of the page where coding begins.
type codingData struct {
	page.Work
	Left, LeftOther int // of the visitor's own
	Size            int // of a new batch
	Latest          []codedLine
	Waiting         int // quotations for the visitor to confirm
}

// codedLine is one text that people have coded, in a list: never its words.
type codedLine struct {
	Href, Survey, Who, When, Labels string

	Quotable bool // the person agreed to be quoted
}

// textData is the data of the page of one text.
type textData struct {
	page.Work
	Path, Question, Survey string
	Language               string
	Other                  bool // in a language that no codebook reads
	Blind, Held            bool
	Version                int64
	Left                   int // of the batch, this one among them
	Segments               []segment
	Rows                   []labelRow
	Unsure                 []string // what the coder left for a person to judge
	Now                    []string // what stands there after somebody else changed it
	Groups                 []codeGroup
	Form                   labelForm
	Added                  bool
	History                []readingLine
	Quote                  quoteOf // of a text that people have done with
}

// quoteOf says how a text stands towards being quoted.
type quoteOf struct{ Href, Label, Why string }

// labelRow is one label of the form.
type labelRow struct {
	Number             int
	Code, Title, Words string
	Start, End         int
	Polarity           string
}

type codeGroup struct {
	Name  string
	Codes []codebook.Code
}

// labelForm is the label about to be added.
type labelForm struct {
	Code            page.Field
	Polarity, Words page.Field
	Which           page.Field
}

// readingLine is one entry of a text's history.
type readingLine struct {
	Who, When, How  string
	Added, Takenout []string
	Same            bool
	Codebook        string
}

func textHref(id string) string {
	response, item, _ := strings.Cut(id, "/")
	return "/coding/texts/" + url.PathEscape(response) + "/" + url.PathEscape(item)
}

// mayCode refuses whoever is held to one force: texts are kept apart from cases,
// so that nobody can tell of which force one is.
func mayCode(v visitor) error {
	if v.Force != "" {
		return fault.New(fault.Denied, "Texts are kept without their force, so an account that is held to one force does not read them.")
	}
	return nil
}

func (s *Pages) coding(c *gin.Context, v visitor) error {
	if err := mayCode(v); err != nil {
		return err
	}
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Coding")
	if err != nil {
		return err
	}
	data := codingData{Work: f, Size: analysis.BatchSize}
	for _, other := range []bool{false, true} {
		held, err := s.Analysis.Held(ctx, v.actor(), other)
		if err != nil {
			return err
		}
		if other {
			data.LeftOther = len(held)
		} else {
			data.Left = len(held)
		}
	}
	latest, err := s.Analysis.Latest(ctx, latestTexts)
	if err != nil {
		return err
	}
	if data.Latest, err = s.codedLines(ctx, latest); err != nil {
		return err
	}
	proposed, err := s.Analysis.QuotationsIn(ctx, analysis.QuotationProposed)
	if err != nil {
		return err
	}
	for i := range proposed {
		if h := proposed[i].History; h[len(h)-1].By != v.ID {
			data.Waiting++
		}
	}
	return s.show(c, http.StatusOK, "coding", data)
}

func (s *Pages) codedLines(ctx context.Context, cs []analysis.Coding) ([]codedLine, error) {
	names := map[string]string{}
	var out []codedLine
	for i := range cs {
		if len(cs[i].History) == 0 {
			continue
		}
		last := cs[i].History[len(cs[i].History)-1]
		name, err := s.knownName(ctx, names, last.By)
		if err != nil {
			return nil, err
		}
		quotable, err := s.Survey.MayQuote(ctx, cs[i].Response)
		if err != nil {
			return nil, err
		}
		out = append(out, codedLine{Href: textHref(cs[i].ID), Survey: stageWords[cs[i].Stage], Who: name, When: s.moment(last.At), Labels: plural(len(cs[i].Labels), "label", "labels"), Quotable: quotable})
	}
	return out, nil
}

// knownName is nameOf, asked once for each person on a page.
func (s *Pages) knownName(ctx context.Context, names map[string]string, id string) (string, error) {
	if name, ok := names[id]; ok {
		return name, nil
	}
	name, err := s.nameOf(ctx, id)
	names[id] = name
	return name, err
}

// nextText goes to the visitor's next text, and draws new ones where none is left.
func (s *Pages) nextText(c *gin.Context, v visitor) error {
	if err := mayCode(v); err != nil {
		return err
	}
	batch, err := s.Analysis.Batch(c.Request.Context(), v.actor(), typed(c, "kind") == "language")
	if err != nil {
		return err
	}
	if len(batch) == 0 {
		return page.See(c, "/coding?done=no-texts")
	}
	return page.See(c, textHref(batch[0].ID))
}

func (s *Pages) text(c *gin.Context, v visitor) error {
	data, opened, err := s.textData(c, v)
	if err != nil {
		return err
	}
	s.lay(&data, opened.Text, opened.Labels)
	if !data.Blind && !data.Held {
		if data.Quote, err = s.quoteOf(c.Request.Context(), &opened); err != nil {
			return err
		}
	}
	return s.show(c, http.StatusOK, "text", data)
}

func (s *Pages) quoteOf(ctx context.Context, o *analysis.Opened) (quoteOf, error) {
	may, err := s.Analysis.QuotableText(ctx, &o.Coding)
	if err != nil {
		return quoteOf{}, err
	}
	switch q := &may.Quotation; {
	case may.Why == "":
		return quoteOf{Href: quoteHref(o.ID), Label: "Choose a quotation from this text"}, nil
	case q.State == analysis.QuotationProposed || q.State == analysis.QuotationConfirmed:
		return quoteOf{Href: quotationHref(q.ID), Label: "The quotation from these answers", Why: quotationStates[q.State] + "."}, nil
	}
	return quoteOf{Why: may.Why}, nil
}

// textData opens a text for the visitor, which is on record, and fills what does
// not depend on the form.
func (s *Pages) textData(c *gin.Context, v visitor) (textData, analysis.Opened, error) {
	if err := mayCode(v); err != nil {
		return textData{}, analysis.Opened{}, err
	}
	ctx := c.Request.Context()
	o, err := s.Analysis.Open(ctx, v.actor(), c.Param("id")+"/"+c.Param("item"))
	if err != nil {
		return textData{}, o, err
	}
	f, err := s.frame(c, v, "Code a text")
	if err != nil {
		return textData{}, o, err
	}
	f.Script = "coding.js"
	data := textData{Work: f, Path: textHref(o.ID), Survey: stageWords[o.Stage], Language: o.Language, Blind: o.Blind, Held: o.Draw.By == v.ID, Version: o.Version}
	data.Other = o.Language != "" && o.Language != "en" && !strings.HasPrefix(o.Language, "en-")
	if q := s.Survey.Questionnaires().Current(o.Stage); q != nil {
		data.Question, _ = q.Text("en", false).Item(o.Item)
	}
	if data.Held {
		held, err := s.Analysis.Held(ctx, v.actor(), o.Draw.How == analysis.DrawnLanguage)
		if err != nil {
			return textData{}, o, err
		}
		data.Left = len(held)
	}
	for _, g := range codebook.Groups() {
		group := codeGroup{Name: sentence(string(g))}
		group.Name = strings.TrimSuffix(group.Name, ".")
		for _, code := range s.Analysis.Codebook().Codes {
			if code.Group == g {
				group.Codes = append(group.Codes, code)
			}
		}
		data.Groups = append(data.Groups, group)
	}
	data.Form = labelForm{
		Code: page.Field{Name: "code", Label: "Theme"},
		Polarity: page.Field{Name: "polarity", Label: "As the person sees it", Choices: []page.Choice{
			{Value: string(codebook.Positive), Label: "Positive"}, {Value: string(codebook.Negative), Label: "Negative"}}},
		Words: page.Field{Name: "words", Label: "The words it rests on", Rows: 2, Hint: "Type or paste them from the text: the shortest stretch that would let a reader agree. With a mouse, select them in the text."},
		Which: page.Field{Name: "which", Label: "If they stand there several times: which", Hint: "1 is the first. Leave it empty where they stand there once."},
	}
	for _, l := range o.Unsure {
		data.Unsure = append(data.Unsure, s.labelWords(l)+": “"+o.Text[l.Start:l.End]+"”")
	}
	names := map[string]string{}
	for i := len(o.History) - 1; i >= 0; i-- {
		r := o.History[i]
		name, err := s.knownName(ctx, names, r.By)
		if err != nil {
			return textData{}, o, err
		}
		line := readingLine{Who: name, When: s.moment(r.At), How: readingWords[r.How], Codebook: r.Codebook}
		before := r.Before
		if r.Blind {
			before = nil // they began from nothing
		}
		line.Added, line.Takenout = s.missing(r.After, before), s.missing(before, r.After)
		line.Same = len(line.Added)+len(line.Takenout) == 0
		data.History = append(data.History, line)
	}
	return data, o, nil
}

// readingWords say how a text came to whoever coded it.
var readingWords = map[string]string{
	analysis.DrawnRandom: "drawn at random and coded afresh", analysis.DrawnThreshold: "drawn because the coder was unsure", analysis.DrawnNovel: "drawn because it was unlike others",
	analysis.DrawnSecond: "second reading, coded afresh", analysis.DrawnLanguage: "in another language", analysis.ByHand: "opened from the list",
}

// missing words the labels of a that are not in b.
func (s *Pages) missing(a, b []analysis.Label) []string {
	var out []string
	for _, l := range a {
		if !slices.ContainsFunc(b, func(o analysis.Label) bool {
			return o.Code == l.Code && o.Polarity == l.Polarity && o.Start == l.Start && o.End == l.End
		}) {
			out = append(out, s.labelWords(l))
		}
	}
	return out
}

func (s *Pages) labelWords(l analysis.Label) string { return s.codeTitle(l.Code) + ", " + l.Polarity }

func (s *Pages) codeTitle(id string) string {
	if code, ok := s.Analysis.Codebook().Code(id); ok {
		return code.Title
	}
	return id
}

// lay puts labels on the page: in the text and in the form.
func (s *Pages) lay(data *textData, text string, labels []analysis.Label) {
	labels = slices.Clone(labels)
	analysis.SortLabels(labels)
	data.Segments = segments(text, labels, s.codeTitle)
	for i, l := range labels {
		data.Rows = append(data.Rows, labelRow{Number: i + 1, Code: l.Code, Title: s.codeTitle(l.Code), Words: text[l.Start:l.End], Start: l.Start, End: l.End, Polarity: l.Polarity})
	}
}

// maxRows is how many labels a form may hold: each code in each polarity, and more.
const maxRows = 100

// codeText takes the form of a text: a label added to it, all of it saved, or the
// text passed over. Nothing is kept before it is saved; until then the form holds it.
func (s *Pages) codeText(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	id := c.Param("id") + "/" + c.Param("item")
	if typed(c, "do") == "skip" {
		if err := mayCode(v); err != nil {
			return err
		}
		other := typed(c, "other") == "yes"
		if err := s.Analysis.Pass(ctx, v.actor(), id); err != nil {
			return err
		}
		return s.onward(c, v, other, "passed")
	}
	data, o, err := s.textData(c, v)
	if err != nil {
		return err
	}
	labels := s.formLabels(c, o.Text)
	more, err := s.newLabel(c, &data, o.Text)
	if err == nil && more != nil {
		err = s.Analysis.CheckLabels(o.Text, append(slices.Clone(labels), *more))
		if err == nil {
			labels = append(labels, *more)
			s.blank(&data)
			data.Added = true
		}
	}
	version, _ := strconv.ParseInt(typed(c, "version"), 10, 64)
	if err == nil && typed(c, "do") == "save" {
		if _, err = s.Analysis.Correct(ctx, v.actor(), id, version, labels); err == nil {
			if !data.Held {
				return page.See(c, "/coding?done=coded-alone")
			}
			return s.onward(c, v, o.Draw.How == analysis.DrawnLanguage, "coded")
		}
	}
	status := http.StatusOK
	if err != nil {
		if fault.Is(err, fault.Conflict) && !o.Blind {
			for _, l := range o.Labels {
				data.Now = append(data.Now, s.labelWords(l))
			}
			if len(o.Labels) == 0 {
				data.Now = []string{"no label"}
			}
		}
		if status, err = retry(&data.Work, unnumbered(err)); err != nil {
			return err
		}
		data.Form.Code.Error = page.ErrorOf(data.Problems, "code")
		data.Form.Polarity.Error = page.ErrorOf(data.Problems, "polarity")
		data.Form.Words.Error = page.ErrorOf(data.Problems, "words")
		data.Form.Which.Error = page.ErrorOf(data.Problems, "which")
		if status != http.StatusConflict {
			data.Version = version
		}
	} else {
		data.Version = version
	}
	s.lay(&data, o.Text, labels)
	return s.show(c, status, "text", data)
}

// onward goes to the next text of the batch.
func (s *Pages) onward(c *gin.Context, v visitor, other bool, done string) error {
	held, err := s.Analysis.Held(c.Request.Context(), v.actor(), other)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return page.See(c, "/coding?done="+done+"-last")
	}
	return page.See(c, textHref(held[0].ID)+"?done="+done)
}

// unnumbered takes the fields off faults that name a label by its number, which no control bears.
func unnumbered(err error) error {
	fields := fault.FieldsOf(err)
	if !slices.ContainsFunc(fields, func(f fault.Field) bool { return strings.HasPrefix(f.Field, "labels[") }) {
		return err
	}
	out := make([]fault.Field, len(fields))
	for i, f := range fields {
		if out[i] = f; strings.HasPrefix(f.Field, "labels[") {
			out[i].Field = ""
		}
	}
	return fault.Fields(fault.MessageOf(err), out...)
}

// formLabels reads the labels that the form holds: those that are not ticked to be
// removed. What no page of ours has written is left out.
func (s *Pages) formLabels(c *gin.Context, text string) []analysis.Label {
	form := c.Request.PostForm
	labels := []analysis.Label{}
	for i, raw := range form["label"] {
		if i == maxRows || slices.Contains(form["remove"], strconv.Itoa(i+1)) {
			continue
		}
		part := strings.Split(raw, " ")
		if len(part) != 3 {
			continue
		}
		start, err1 := strconv.Atoi(part[1])
		end, err2 := strconv.Atoi(part[2])
		l := analysis.Label{Code: part[0], Polarity: form.Get(fmt.Sprint("polarity-", i+1)), Start: start, End: end}
		if err1 != nil || err2 != nil || start < 0 || start >= end || end > len(text) || !utf8.ValidString(text[start:end]) {
			continue
		}
		labels = append(labels, l)
	}
	return labels
}

// newLabel reads the label that is to be added; nil where none is begun. What is
// wrong with it is fault.Invalid, and what was typed stays in the form.
func (s *Pages) newLabel(c *gin.Context, data *textData, text string) (*analysis.Label, error) {
	f := &data.Form
	f.Code.Value, f.Polarity.Value, f.Words.Value, f.Which.Value = typed(c, "code"), typed(c, "polarity"), typed(c, "words"), strings.TrimSpace(typed(c, "which"))
	if f.Code.Value == "" && strings.TrimSpace(f.Words.Value) == "" && typed(c, "do") != "add" {
		return nil, nil
	}
	var faults []fault.Field
	wrong := func(field, format string, args ...any) {
		faults = append(faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if _, ok := s.Analysis.Codebook().Code(f.Code.Value); !ok {
		wrong("code", "Choose a theme.")
	}
	if !codebook.Polarity(f.Polarity.Value).Valid() {
		wrong("polarity", "Choose positive or negative.")
	}
	found := stretches(text, f.Words.Value)
	which := 1
	switch {
	case strings.TrimSpace(f.Words.Value) == "":
		wrong("words", "Give the words that it rests on.")
	case len(found) == 0:
		wrong("words", "These words do not stand in the text in this way. Copy them from it.")
	case len(found) > 1 || f.Which.Value != "":
		var err error
		if which, err = strconv.Atoi(f.Which.Value); err != nil || which < 1 || which > len(found) {
			which = 1
			if len(found) == 1 {
				wrong("which", "These words stand in the text once: leave this empty, or put 1.")
			} else {
				wrong("which", "These words stand in the text %d times. Say which you mean, 1 to %d, or give more words.", len(found), len(found))
			}
		}
	}
	if len(faults) > 0 {
		return nil, fault.Fields("the label cannot be added", faults...)
	}
	at := found[which-1]
	return &analysis.Label{Code: f.Code.Value, Polarity: f.Polarity.Value, Start: at.start, End: at.end}, nil
}

// blank empties the part of the form that adds a label.
func (s *Pages) blank(data *textData) {
	f := &data.Form
	f.Code.Value, f.Polarity.Value, f.Words.Value, f.Which.Value = "", "", "", ""
}

// agreementData is the data of the page on how well people agree.
type agreementData struct {
	page.Work
	Texts   int
	Sets    alphaLine
	Codes   []alphaLine
	Apart   []codedLine
	Percent int // of the random stream that is read twice
}

type alphaLine struct {
	Title, Alpha, Interval string
	Given                  int
}

// fewest is how many texts an alpha wants before it is shown.
const fewest = 10

func (s *Pages) agreement(c *gin.Context, v visitor) error {
	if err := mayCode(v); err != nil {
		return err
	}
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Agreement")
	if err != nil {
		return err
	}
	a, err := s.Analysis.Agreement(ctx)
	if err != nil {
		return err
	}
	data := agreementData{Work: f, Texts: a.Texts, Percent: int(math.Round(analysis.SecondShare * 100))}
	data.Sets = alphaOf("All labels of a text at once", a.Sets, 0)
	for _, code := range a.Codes {
		data.Codes = append(data.Codes, alphaOf(s.codeTitle(code.ID), code.Interval, code.Given))
	}
	if data.Apart, err = s.codedLines(ctx, a.Apart); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "agreement", data)
}

func alphaOf(title string, i agreement.Interval, given int) alphaLine {
	l := alphaLine{Title: title, Given: given, Alpha: "–", Interval: "cannot be told yet"}
	if i.Units >= fewest && !math.IsNaN(i.Alpha) {
		l.Alpha, l.Interval = fmt.Sprintf("%.2f", i.Alpha), fmt.Sprintf("%.2f to %.2f", i.Low, i.High)
	}
	return l
}
