package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/web/page"
)

// quotationStates name the states of a quotation.
var quotationStates = map[analysis.QuotationState]string{
	analysis.QuotationProposed: "Waits to be confirmed", analysis.QuotationConfirmed: "Confirmed", analysis.QuotationDeclined: "Declined", analysis.QuotationTakenBack: "Taken back",
}

// quotationReasons name why a quotation is declined, by the check that it does not meet.
var quotationReasons = map[string]string{
	"names": "It could name somebody", "places": "It tells a place", "dates": "It tells a day, a time or an age", "references": "It holds a number to look up",
	"unique": "Only one person could have told it", "fair": "Alone it means something else, or belongs under another theme", analysis.ReasonOther: "Another reason",
}

// quotationsData is the data of the list of quotations.
type quotationsData struct {
	page.Work
	Groups []quotationGroup
}

type quotationGroup struct {
	Title, Note, None string
	Lines             []quotationLine
}

// quotationLine is one quotation in a list: never its words.
type quotationLine struct{ Href, Theme, Who, When, Step string }

func quotationHref(id string) string { return "/coding/quotations/" + url.PathEscape(id) }

func quoteHref(id string) string { return textHref(id) + "/quotation" }

// themeWords name a side of a theme.
func (s *Pages) themeWords(code, polarity string) string { return s.codeTitle(code) + ", " + polarity }

func (s *Pages) quotations(c *gin.Context, v visitor) error {
	if err := mayCode(v); err != nil {
		return err
	}
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Quotations")
	if err != nil {
		return err
	}
	data := quotationsData{Work: f}
	names := map[string]string{}
	for _, g := range []struct {
		states            []analysis.QuotationState
		title, note, none string
		most              int
	}{
		{[]analysis.QuotationState{analysis.QuotationProposed}, "Waiting for a second person", "Somebody other than who chose it reads it in its text and confirms or declines it.",
			"None waits. Open a text that people have coded, and choose a quotation from it there.", 0},
		{[]analysis.QuotationState{analysis.QuotationConfirmed}, "Confirmed", "Shown under their theme wherever its figure is, as long as the person agrees and the answers stand.", "None is confirmed yet.", 0},
		{[]analysis.QuotationState{analysis.QuotationDeclined, analysis.QuotationTakenBack}, "Declined or taken back", "The last twenty. Something else may be chosen of the same text.", "None.", latestTexts},
	} {
		group := quotationGroup{Title: g.title, Note: g.note, None: g.none}
		var all []analysis.Quotation
		for _, state := range g.states {
			qs, err := s.Analysis.QuotationsIn(ctx, state)
			if err != nil {
				return err
			}
			all = append(all, qs...)
		}
		slices.SortStableFunc(all, func(a, b analysis.Quotation) int { return b.ChangedAt.Compare(a.ChangedAt) })
		if g.most > 0 {
			all = all[:min(g.most, len(all))]
		}
		for i := range all {
			q := &all[i]
			last := q.History[len(q.History)-1]
			who, err := s.knownName(ctx, names, last.By)
			if err != nil {
				return err
			}
			line := quotationLine{Href: quotationHref(q.ID), Theme: s.themeWords(q.Code, q.Polarity), Who: quotationStates[q.State] + ", " + who, When: s.moment(last.At), Step: "Open"}
			if q.State == analysis.QuotationProposed {
				line.Who = "Chosen by " + who
				if last.By != v.ID {
					line.Step = "Read and decide"
				}
			}
			group.Lines = append(group.Lines, line)
		}
		data.Groups = append(data.Groups, group)
	}
	return s.show(c, http.StatusOK, "quotations", data)
}

// quoteData is the data of the page where a quotation is chosen.
type quoteData struct {
	page.Work
	Path, Back, Question, Survey string
	Segments                     []segment
	Theme, Words, Which          page.Field
}

// quoteText shows a text to choose a quotation from.
func (s *Pages) quoteText(c *gin.Context, v visitor) error {
	data, _, err := s.quoteData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "quote", data)
}

func (s *Pages) quoteData(c *gin.Context, v visitor) (quoteData, analysis.Opened, error) {
	text, o, err := s.textData(c, v)
	if err != nil {
		return quoteData{}, o, err
	}
	if o.Blind || text.Held {
		return quoteData{}, o, fault.New(fault.Conflict, "A person codes the text first.")
	}
	may, err := s.Analysis.QuotableText(c.Request.Context(), &o.Coding)
	if err != nil {
		return quoteData{}, o, err
	}
	if may.Why != "" {
		return quoteData{}, o, fault.New(fault.Conflict, "%s", may.Why)
	}
	text.Title, text.Script = "Choose a quotation", ""
	data := quoteData{Work: text.Work, Path: quoteHref(o.ID), Back: text.Path, Question: text.Question, Survey: text.Survey}
	labels := slices.Clone(o.Labels)
	analysis.SortLabels(labels)
	data.Segments = segments(o.Text, labels, s.codeTitle)
	data.Theme = page.Field{Name: "theme", Label: "The theme it stands under"}
	for _, l := range labels {
		data.Theme.Choices = append(data.Theme.Choices, page.Choice{Value: l.Code + " " + l.Polarity, Label: s.labelWords(l)})
	}
	if len(labels) > 1 {
		data.Theme.Choices = append([]page.Choice{{Label: "Choose a theme"}}, data.Theme.Choices...)
	}
	data.Words = page.Field{Name: "words", Label: "The words to quote", Rows: 3, Hint: "Copy them from the text: 12 to 280 characters, whole words, one stretch. As little as says it."}
	data.Which = page.Field{Name: "which", Label: "If they stand there several times: which", Hint: "1 is the first. Leave it empty where they stand there once."}
	return data, o, nil
}

// proposeQuotation takes the form of a quotation.
func (s *Pages) proposeQuotation(c *gin.Context, v visitor) error {
	data, o, err := s.quoteData(c, v)
	if err != nil {
		return err
	}
	data.Theme.Value, data.Words.Value, data.Which.Value = typed(c, "theme"), typed(c, "words"), strings.TrimSpace(typed(c, "which"))
	n, err := chosenWords(&data, o.Text)
	if err == nil {
		_, err = s.Analysis.Propose(c.Request.Context(), v.actor(), o.ID, n)
	}
	if err == nil {
		return page.See(c, "/coding/quotations?done=quotation-chosen")
	}
	status, err := retry(&data.Work, err)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&data.Theme, &data.Words, &data.Which} {
		f.Error = page.ErrorOf(data.Problems, f.Name)
	}
	return s.show(c, status, "quote", data)
}

// chosenWords finds in the text what was typed.
func chosenWords(data *quoteData, text string) (analysis.NewQuotation, error) {
	var n analysis.NewQuotation
	var faults []fault.Field
	n.Code, n.Polarity, _ = strings.Cut(data.Theme.Value, " ")
	if n.Polarity == "" {
		faults = append(faults, fault.Field{Field: "theme", Message: "Choose a theme."})
	}
	found := stretches(text, data.Words.Value)
	which := 1
	switch {
	case strings.TrimSpace(data.Words.Value) == "":
		faults = append(faults, fault.Field{Field: "words", Message: "Give the words to quote."})
	case len(found) == 0:
		faults = append(faults, fault.Field{Field: "words", Message: "These words do not stand in the text in this way. Copy them from it."})
	case len(found) > 1 || data.Which.Value != "":
		var err error
		if which, err = strconv.Atoi(data.Which.Value); err != nil || which < 1 || which > len(found) {
			faults = append(faults, fault.Field{Field: "which", Message: "Say which of the places you mean: 1 to " + decimal(len(found)) + "."})
		}
	}
	if len(faults) > 0 {
		return n, fault.Fields("the quotation cannot be kept", faults...)
	}
	n.Start, n.End = found[which-1].start, found[which-1].end
	return n, nil
}

// quotationData is the data of the page of one quotation.
type quotationData struct {
	page.Work
	Path, Theme, Survey, State string
	Words                      string
	Before, After              string // of the text, round the words
	Waits, Own, Shown          bool
	Why                        string
	Version                    int64
	Checks, Reason             page.Field
	History                    []quotationStep
}

type quotationStep struct{ When, Who, State, Reason string }

func (s *Pages) quotation(c *gin.Context, v visitor) error {
	data, err := s.quotationData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "quotation", data)
}

func (s *Pages) quotationData(c *gin.Context, v visitor) (quotationData, error) {
	if err := mayCode(v); err != nil {
		return quotationData{}, err
	}
	ctx := c.Request.Context()
	r, err := s.Analysis.Review(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return quotationData{}, err
	}
	f, err := s.frame(c, v, "A quotation")
	if err != nil {
		return quotationData{}, err
	}
	data := quotationData{Work: f, Path: quotationHref(r.ID), Theme: s.themeWords(r.Code, r.Polarity), Survey: stageWords[r.Stage], State: quotationStates[r.State], Why: r.Why, Version: r.Version,
		Words: r.Text[r.Start:r.End], Before: r.Text[:r.Start], After: r.Text[r.End:],
		Waits: r.State == analysis.QuotationProposed, Shown: r.State == analysis.QuotationConfirmed, Own: r.Own}
	data.Checks = page.Field{Name: "checks", Label: "I have read the words in their text, and found:"}
	data.Reason = page.Field{Name: "reason", Label: "Why", Choices: []page.Choice{{Label: "Choose a reason"}}}
	for _, check := range analysis.QuotationChecks() {
		data.Checks.Choices = append(data.Checks.Choices, page.Choice{Value: check.ID, Label: check.Words})
		data.Reason.Choices = append(data.Reason.Choices, page.Choice{Value: check.ID, Label: quotationReasons[check.ID]})
	}
	data.Reason.Choices = append(data.Reason.Choices, page.Choice{Value: analysis.ReasonOther, Label: quotationReasons[analysis.ReasonOther]})
	data.History, err = s.quotationHistory(ctx, r.History)
	return data, err
}

func (s *Pages) quotationHistory(ctx context.Context, steps []analysis.QuotationStep) ([]quotationStep, error) {
	names := map[string]string{}
	var out []quotationStep
	for _, step := range slices.Backward(steps) {
		who, err := s.knownName(ctx, names, step.By)
		if err != nil {
			return nil, err
		}
		line := quotationStep{When: s.moment(step.At), Who: who, State: quotationStates[step.State], Reason: quotationReasons[step.Reason]}
		if step.State == analysis.QuotationProposed {
			line.State = "Chosen"
		}
		out = append(out, line)
	}
	return out, nil
}

// settleQuotation confirms a quotation, or declines it or takes it back.
func (s *Pages) settleQuotation(c *gin.Context, v visitor) error {
	data, err := s.quotationData(c, v)
	if err != nil {
		return err
	}
	version, err := formVersion(c)
	if err != nil {
		return err
	}
	ctx, id, done := c.Request.Context(), c.Param("id"), "quotation-confirmed"
	if typed(c, "do") == "decline" {
		data.Reason.Value, done = typed(c, "reason"), "quotation-declined"
		_, err = s.Analysis.Decline(ctx, v.actor(), id, version, data.Reason.Value)
	} else {
		data.Checks.Values = c.Request.PostForm["checks"]
		_, err = s.Analysis.Confirm(ctx, v.actor(), id, version, data.Checks.Values)
	}
	if err == nil {
		return page.See(c, "/coding/quotations?done="+done)
	}
	status, err := retry(&data.Work, err)
	if err != nil {
		return err
	}
	data.Checks.Error, data.Reason.Error = page.ErrorOf(data.Problems, "checks"), page.ErrorOf(data.Problems, "reason")
	return s.show(c, status, "quotation", data)
}
