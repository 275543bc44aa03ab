package workspace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/emerging"
	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/web/page"
)

// maxTerm is the longest term that an address may carry.
const maxTerm = 120

// newWordsData is the data of the page on what is new in people's words.
type newWordsData struct {
	page.Work
	Form   comparisonForm
	Scope  string // what is compared with what, and how many people are on either side
	Empty  string // why there are no terms
	Terms  []termLine
	Drafts []draftLine
	Mine   bool // the visitor may name terms
}

// comparisonForm is the form of a comparison; its values are the address.
type comparisonForm struct {
	Compare, From, To, BaseFrom, BaseTo, Area page.Field
}

func (f *comparisonForm) fields() []*page.Field {
	return []*page.Field{&f.Compare, &f.From, &f.To, &f.BaseFrom, &f.BaseTo, &f.Area}
}

// termLine is one term that stands out.
type termLine struct {
	Words, Also, Z, People, Others, Rate string
	Lines                                []emerging.Line
	Href                                 string // to name it
}

// draftLine is one draft code.
type draftLine struct {
	Href, Name, Meaning, From, State string
	History                          []draftStep
}

type draftStep struct{ On, Who, State, Name, Note string }

var draftWords = map[analysis.DraftState]string{analysis.DraftOpen: "Draft", analysis.DraftTakenUp: "Taken up", analysis.DraftDropped: "Dropped"}

// comparison reads a comparison from the address and holds it to the visitor's force.
// What the address does not say is the last three months against the year before them.
func (s *Pages) comparison(q url.Values, v visitor) analysis.Comparison {
	c := analysis.DefaultComparison(s.Now().In(s.zone()))
	c.Force, c.BCU = v.Force, strings.TrimSpace(q.Get(figures.DimBCU))
	for name, field := range map[string]*string{"compare": &c.Kind, "from": &c.From, "to": &c.To, "base_from": &c.BaseFrom, "base_to": &c.BaseTo} {
		if value := strings.TrimSpace(q.Get(name)); value != "" {
			*field = value
		}
	}
	return c
}

func comparisonQuery(c *analysis.Comparison) url.Values {
	q := url.Values{"compare": {c.Kind}, "from": {c.From}, "to": {c.To}}
	if c.Kind == analysis.CompareTime {
		q.Set("base_from", c.BaseFrom)
		q.Set("base_to", c.BaseTo)
	}
	if c.BCU != "" {
		q.Set(figures.DimBCU, c.BCU)
	}
	return q
}

func (s *Pages) comparisonForm(c *analysis.Comparison, v visitor) comparisonForm {
	area := s.filters(url.Values{figures.DimBCU: {c.BCU}}, v, "").Area
	month := func(name, label, value string) page.Field {
		return page.Field{Name: name, Label: label, Type: "month", Value: value}
	}
	return comparisonForm{
		Compare: page.Field{Name: "compare", Label: "Compare", Value: c.Kind, Choices: []page.Choice{
			{Value: analysis.CompareTime, Label: "With other months"}, {Value: analysis.CompareUncoded, Label: "Uncoded with coded"}}},
		From: month("from", "From (month)", c.From), To: month("to", "To", c.To),
		BaseFrom: month("base_from", "Compared with, from", c.BaseFrom), BaseTo: month("base_to", "Compared with, to", c.BaseTo), Area: area,
	}
}

// comparedWords says what a comparison compares.
func comparedWords(c *analysis.Comparison) string {
	span := func(from, to string) string {
		if from == to {
			return figures.PeriodWords(from)
		}
		return figures.PeriodWords(from) + " to " + figures.PeriodWords(to)
	}
	out := span(c.From, c.To) + " against " + span(c.BaseFrom, c.BaseTo)
	if c.Kind == analysis.CompareUncoded {
		out = "words that no code fits against coded words, " + span(c.From, c.To)
	}
	if c.BCU != "" {
		out += ", " + c.BCU
	}
	return out
}

// newWords shows which words and phrases stand out, and the codes drafted from them.
func (s *Pages) newWords(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "New words")
	if err != nil {
		return err
	}
	asked := s.comparison(c.Request.URL.Query(), v)
	data := newWordsData{Work: f, Form: s.comparisonForm(&asked, v), Mine: v.Can(access.CodingCorrect)}
	if data.Drafts, err = s.draftLines(c.Request.Context()); err != nil {
		return err
	}
	status := http.StatusOK
	err = s.fillTerms(c.Request.Context(), v, &asked, &data)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		if fault.Is(err, fault.TooLarge) {
			err = fault.New(fault.Invalid, "There are too many words to compare at once: choose fewer months or one area.")
		}
		var names []string
		for _, field := range data.Form.fields() {
			names = append(names, field.Name)
		}
		status, err = retry(&data.Work, err, names...)
		for _, field := range data.Form.fields() {
			field.Error = page.ErrorOf(data.Problems, field.Name)
		}
	}
	if err != nil {
		return err
	}
	return s.show(c, status, "new-words", data)
}

func (s *Pages) fillTerms(ctx context.Context, v visitor, asked *analysis.Comparison, data *newWordsData) error {
	found, err := s.Emerging.Terms(ctx, v.actor(), *asked)
	if err != nil {
		return err
	}
	what := sentenceStart(comparedWords(asked))
	if found.Few {
		data.Scope = what + "."
		data.Empty = "Fewer than ten people wrote something on one side of this comparison. So few could be told by their words, and nothing could be said with any confidence. Choose more months or all areas."
		return nil
	}
	data.Scope = fmt.Sprintf("%s: %s people against %s.", what, thousands(found.People), thousands(found.Others))
	if len(found.Terms) == 0 {
		data.Empty = "No word or phrase stands out. Each would have to be used by five people or more, and by so many more than in the comparison that chance alone is an unlikely explanation."
	}
	for i := range found.Terms {
		t := &found.Terms[i]
		q := comparisonQuery(asked)
		q.Set("term", t.Words)
		data.Terms = append(data.Terms, termLine{Words: t.Words, Also: strings.Join(t.Also, ", "), Z: fmt.Sprintf("%.1f", t.Z), Rate: rateWords(t.Q),
			People: thousands(t.People), Others: otherWords(t.Others), Lines: t.Lines, Href: "/new-words/draft?" + q.Encode()})
	}
	return nil
}

// otherWords is a count in the other group; a few people are not counted out.
func otherWords(n int) string {
	if n > 0 && n < figures.MinCell {
		return "under 5"
	}
	return thousands(n)
}

func rateWords(q float64) string {
	if q < .001 {
		return "under 0.1%"
	}
	return tenths(100 * q)
}

func (s *Pages) draftLines(ctx context.Context) ([]draftLine, error) {
	list, err := s.Emerging.Drafts(ctx)
	if err != nil {
		return nil, err
	}
	var out []draftLine
	for i := range list {
		d := &list[i]
		l := draftLine{Href: "/new-words/drafts/" + d.ID, Name: d.Name, Meaning: d.Meaning, From: "“" + d.Term + "”, " + d.Found, State: draftWords[d.State]}
		if l.History, err = s.draftHistory(ctx, d); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (s *Pages) draftHistory(ctx context.Context, d *analysis.DraftCode) ([]draftStep, error) {
	var out []draftStep
	for _, step := range slices.Backward(d.History) {
		name, err := s.nameOf(ctx, step.By)
		if err != nil {
			return nil, err
		}
		out = append(out, draftStep{On: s.moment(step.At), Who: name, State: draftWords[step.State], Name: step.Name, Note: step.Note})
	}
	return out, nil
}

// draftData is the data of the page that names a term or changes a draft code.
type draftData struct {
	page.Work
	Heading, From, Post, Back string
	Name, Meaning, Note       page.Field
	State                     page.Field // without a name: the draft is not made yet
	Version                   int64
	History                   []draftStep
}

func (d *draftData) fields() []*page.Field {
	return []*page.Field{&d.Name, &d.Meaning, &d.State, &d.Note}
}

func draftFields(d *analysis.DraftCode) (name, meaning, note page.Field) {
	return page.Field{Name: "name", Label: "Name of the code", Max: 80, Value: d.Name},
		page.Field{Name: "meaning", Label: "What is to be counted under it", Hint: "And what is not. Write it so that somebody else would code the same words.", Rows: 4, Max: 2000, Value: d.Meaning},
		page.Field{Name: "note", Label: "Note for the history", Rows: 2, Max: 2000}
}

// again puts what was typed back, with what is wrong.
func (d *draftData) again(c *gin.Context) {
	for _, field := range d.fields() {
		if field.Name != "" && c.Request.PostForm.Has(field.Name) {
			field.Value = typed(c, field.Name)
		}
		field.Error = page.ErrorOf(d.Problems, field.Name)
	}
}

func changeOf(c *gin.Context) analysis.DraftChange {
	return analysis.DraftChange{Name: typed(c, "name"), Meaning: typed(c, "meaning"), Note: typed(c, "note"), State: analysis.DraftState(typed(c, "state"))}
}

// nameTerm shows the form that makes a draft code of a term.
func (s *Pages) nameTerm(c *gin.Context, v visitor) error {
	data, _, _, err := s.nameData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "draft-code", data)
}

func (s *Pages) nameData(c *gin.Context, v visitor) (data draftData, term, found string, err error) {
	f, err := s.frame(c, v, "Draft a code")
	if err != nil {
		return data, "", "", err
	}
	q := c.Request.URL.Query()
	asked := s.comparison(q, v)
	term = strings.TrimSpace(q.Get("term"))
	if term == "" || len(term) > maxTerm {
		return data, "", "", fault.New(fault.NotFound, "There is no such term. “New words” lists those that stand out.")
	}
	found = comparedWords(&asked)
	back := comparisonQuery(&asked)
	data = draftData{Work: f, Heading: "Draft a code", From: "“" + term + "”, " + found, Back: "/new-words?" + back.Encode()}
	back.Set("term", term)
	data.Post = "/new-words/draft?" + back.Encode()
	data.Name, data.Meaning, data.Note = draftFields(&analysis.DraftCode{})
	return data, term, found, nil
}

func (s *Pages) keepTerm(c *gin.Context, v visitor) error {
	data, term, found, err := s.nameData(c, v)
	if err != nil {
		return err
	}
	_, cause := s.Emerging.Name(c.Request.Context(), v.actor(), term, found, changeOf(c))
	if cause == nil {
		return page.See(c, "/new-words?done=draft-kept")
	}
	return s.draftAgain(c, &data, cause)
}

// draftAgain shows a form again with what is wrong.
func (s *Pages) draftAgain(c *gin.Context, data *draftData, cause error) error {
	var names []string
	for _, field := range data.fields() {
		names = append(names, field.Name)
	}
	status, err := retry(&data.Work, cause, names...)
	if err != nil {
		return err
	}
	data.again(c)
	return s.show(c, status, "draft-code", data)
}

// draft shows one draft code with its history and the form that changes it.
func (s *Pages) draft(c *gin.Context, v visitor) error {
	data, err := s.draftData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "draft-code", data)
}

func (s *Pages) draftData(c *gin.Context, v visitor) (draftData, error) {
	ctx := c.Request.Context()
	d, err := s.Emerging.Draft(ctx, c.Param("id"))
	if fault.Is(err, fault.NotFound) {
		return draftData{}, fault.New(fault.NotFound, "There is no such draft code.")
	}
	if err != nil {
		return draftData{}, err
	}
	f, err := s.frame(c, v, d.Name)
	if err != nil {
		return draftData{}, err
	}
	data := draftData{Work: f, Heading: d.Name, From: "“" + d.Term + "”, " + d.Found, Post: "/new-words/drafts/" + d.ID, Back: "/new-words", Version: d.Version}
	data.Name, data.Meaning, data.Note = draftFields(&d)
	data.Note.Hint = "Needed when it is dropped: why."
	data.State = page.Field{Name: "state", Label: "How it stands", Value: string(d.State)}
	for _, state := range analysis.DraftStates() {
		data.State.Choices = append(data.State.Choices, page.Choice{Value: string(state), Label: draftWords[state]})
	}
	data.History, err = s.draftHistory(ctx, &d)
	return data, err
}

func (s *Pages) changeDraft(c *gin.Context, v visitor) error {
	data, err := s.draftData(c, v)
	if err != nil {
		return err
	}
	version, err := formVersion(c)
	if err != nil {
		return err
	}
	_, cause := s.Emerging.Change(c.Request.Context(), v.actor(), c.Param("id"), version, changeOf(c))
	if cause == nil {
		return page.See(c, "/new-words?done=draft-changed")
	}
	return s.draftAgain(c, &data, cause)
}
