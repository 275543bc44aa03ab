package workspace

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

// caseData is the data of one case's page.
type caseData struct {
	page.Work
	Ref, Path string
	Facts     []fact
	Blocked   string
	Alerts    []alertLine
	Timeline  []askLine
	Answer    *answerForm // nil: nothing can be answered now
	Card      cardForm
	MayWrite  writing
	Word      agreedWord
	Answers   []answers
	Unshared  []answers // kept, and not the advocate's to read
}

// fact is one line of a description list.
type fact struct{ Name, Value string }

// askLine is one invitation of a case.
type askLine struct {
	Stage, Survey, When string
	States              []string
	AnswerHref          string
	CardHref            string
}

// answerForm begins an answer on a person's behalf.
type answerForm struct {
	Survey, Mode, How, At page.Field
}

// writing is what the page says and offers about mail to the person.
type writing struct {
	Stopped   bool // an advocate said that it is not safe
	Again     bool // they asked for no more mail, or said that they are somebody else
	StoppedOn string
	Confirm   page.Field
}

// answers is one set of answers that may be read.
type answers struct {
	ID, Survey, Mode, On string
	Lines                []fact
	MayVoid              bool
}

func (s *Pages) caseFile(c *gin.Context, v visitor) error {
	data, err := s.caseData(c, v)
	if err != nil {
		return err
	}
	if data.Answer != nil {
		data.Answer.Survey.Value = c.Query("survey")
	}
	data.Card.Survey.Value = c.Query("card")
	return s.show(c, http.StatusOK, "case", data)
}

// caseAgain is the data of a case's page that shows a refused form once more, with
// the status to show it by.
func (s *Pages) caseAgain(c *gin.Context, v visitor, refused error) (caseData, int, error) {
	data, err := s.caseData(c, v)
	if err != nil {
		return data, 0, err
	}
	status, err := retry(&data.Work, refused)
	return data, status, err
}

func (s *Pages) caseData(c *gin.Context, v visitor) (caseData, error) {
	ctx, id := c.Request.Context(), c.Param("id")
	view, err := s.Survey.CaseFor(ctx, v.actor(), v.AdvocateKey, id)
	if err != nil {
		return caseData{}, err
	}
	f, err := s.frame(c, v, "Case "+view.Ref)
	if err != nil {
		return caseData{}, err
	}
	data := caseData{Work: f, Ref: view.Ref, Path: "/work/cases/" + view.ID, Facts: s.facts(&view), Blocked: s.blocked(&view)}
	alerts, err := v.waiting()
	if err != nil {
		return caseData{}, err
	}
	for i := range alerts {
		if alerts[i].Case == view.ID {
			data.Alerts = append(data.Alerts, s.alertLine(&alerts[i], v, view.Ref))
		}
	}
	data.Timeline, data.Answer = s.timeline(&view, data.Path)
	data.Card = s.cardForm(&view)
	data.MayWrite = writing{
		Stopped: !view.Flags.RiskAt.IsZero(), StoppedOn: s.date(view.Flags.RiskAt), Again: view.OptedOut || view.Flags.NotMe != "",
		Confirm: page.Field{Name: "confirm", Label: "Before you record this", Choices: []page.Choice{{Value: "yes", Label: "They told me themselves that they want mail again"}}},
	}
	data.Word = newAgreedWord(&view)
	data.Answers, err = s.answersOf(ctx, v, view.ID)
	if err != nil {
		return caseData{}, err
	}
	unshared, err := s.Survey.UnsharedFor(ctx, v.AdvocateKey, view.ID)
	for i := range unshared {
		data.Unshared = append(data.Unshared, s.answersLine(&unshared[i], v))
	}
	return data, err
}

// facts lists what is known of a case, never an address.
func (s *Pages) facts(v *survey.CaseView) []fact {
	f := &v.Facts
	out := []fact{{"Force", v.Force}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("Area", strings.Trim(f.Borough+", "+f.BCU, ", "))
	add("Offence", offenceWords[f.Offence])
	add("Domestic abuse", yesNo(f.DomesticAbuse))
	add("Adult", yesNo(f.Adult))
	add("Reported", s.date(f.ReportedAt))
	spell := f.Now()
	switch {
	case !spell.WithdrewAt.IsZero():
		add("Stands", "stepped back on "+s.date(spell.WithdrewAt))
	case !spell.ClosedAt.IsZero() && spell.NotifiedAt.IsZero():
		add("Stands", "closed on "+s.date(spell.ClosedAt)+"; nobody has recorded telling them")
	case !spell.ClosedAt.IsZero():
		add("Stands", "closed on "+s.date(spell.ClosedAt)+"; they were told on "+s.date(spell.NotifiedAt))
	case !f.ReportedAt.IsZero():
		add("Stands", "open")
	}
	add("Outcome", outcomeWords[f.Outcome])
	contact := f.Contact
	switch {
	case contact == nil || contact.Address == "":
		add("Email", "none recorded")
	case contact.Safe == nil || !*contact.Safe || contact.ConfirmedAt.IsZero():
		add("Email", "recorded, but not as safe to write to")
	default:
		add("Email", "recorded as safe on "+s.date(contact.ConfirmedAt))
		add("Safe times", s.safeTimes(contact))
	}
	if contact != nil && contact.Language != "" {
		add("Language", languageName(contact.Language))
	}
	return out
}

// languageName names a language in English: any that police record, not ours alone.
func languageName(code string) string {
	tag, err := language.Parse(code)
	if err != nil {
		return code
	}
	return display.English.Tags().Name(tag)
}

func (s *Pages) safeTimes(f *survey.ContactFacts) string {
	days := "any day"
	if len(f.Days) > 0 {
		var names []string
		for _, d := range f.Days {
			names = append(names, dayWords[d])
		}
		days = strings.Join(names, ", ")
	}
	from, to := f.From, f.To
	if from == "" {
		from = s.Survey.Policy().SafeFrom
	}
	if to == "" {
		to = s.Survey.Policy().SafeTo
	}
	return fmt.Sprintf("%s, %s to %s", days, from, to)
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "not recorded"
	case *b:
		return "yes"
	}
	return "no"
}

func surveyValue(v *survey.Invitation) string { return string(v.Stage) + ":" + strconv.Itoa(v.Round) }

func parseSurvey(value string) (survey.Stage, int, bool) {
	stage, n, ok := strings.Cut(value, ":")
	round, err := strconv.Atoi(n)
	return survey.Stage(stage), round, ok && err == nil
}

// timeline lists the invitations in the order they fall due, and the form for those that
// can be answered on the person's behalf.
func (s *Pages) timeline(v *survey.CaseView, path string) ([]askLine, *answerForm) {
	var lines []askLine
	var choices []page.Choice
	for i, inv := range v.Invites {
		l := askLine{Stage: string(inv.Stage), Survey: surveyWords(inv.Stage, inv.Round), When: s.date(inv.AnchorAt), States: s.states(v, &inv)}
		if s.answerable(v, &inv) {
			value := surveyValue(&inv)
			l.AnswerHref = address(path, "survey", value) + "#answer"
			choices = append(choices, page.Choice{Value: value, Label: l.Survey + ", due since " + s.date(inv.AnchorAt)})
		}
		if v.NoCard[i] == "" {
			l.CardHref = address(path, "card", surveyValue(&inv)) + "#card"
		}
		lines = append(lines, l)
	}
	if len(choices) == 0 {
		return lines, nil
	}
	form := &answerForm{
		Survey: page.Field{Name: "survey", Label: "Which survey", Choices: choices},
		Mode: page.Field{Name: "mode", Label: "Whose answer is it?", Choices: []page.Choice{
			{Value: string(survey.ModeRelayed), Label: "Theirs: I pass on their words", Hint: "They must have agreed. Record how and when below."},
			{Value: string(survey.ModeObserved), Label: "Mine: what I have seen as their advocate", Hint: "Kept apart from what people say themselves. Leave the rest empty."},
		}},
		How: page.Field{Name: "consent_how", Label: "How they agreed", Choices: []page.Choice{{Label: "Choose"}}},
		At:  page.Field{Name: "consent_at", Label: "The day they agreed", Type: "date"},
	}
	for _, how := range survey.ConsentWays() {
		form.How.Choices = append(form.How.Choices, page.Choice{Value: how, Label: consentWords[how]})
	}
	return lines, form
}

// answersOf puts the answers that the advocate may read into words.
func (s *Pages) answersOf(ctx context.Context, v visitor, caseID string) ([]answers, error) {
	rs, err := s.Survey.ResponsesFor(ctx, v.actor(), v.AdvocateKey, caseID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rs, func(a, b survey.Response) int { return b.SubmittedAt.Compare(a.SubmittedAt) })
	out := make([]answers, 0, len(rs))
	for i := range rs {
		r := &rs[i]
		lines, err := s.answerLines(r)
		if err != nil {
			return nil, err
		}
		line := s.answersLine(r, v)
		line.Lines = lines
		out = append(out, line)
	}
	return out, nil
}

// answersLine says of a response which survey it answers, who gave it and when.
func (s *Pages) answersLine(r *survey.Response, v visitor) answers {
	return answers{ID: r.ID, Survey: surveyWords(r.Stage, r.Round), Mode: modeWords[r.Mode], On: s.date(r.SubmittedAt), MayVoid: v.Can(access.ResponsesVoid)}
}

func (s *Pages) answerLines(r *survey.Response) ([]fact, error) {
	q, ok := s.Survey.Questionnaires().ByID(r.Questionnaire)
	if !ok {
		return nil, fmt.Errorf("questionnaire %s of a kept response is not among the published ones", r.Questionnaire)
	}
	given, err := q.Unpack(r.Packed)
	if err != nil {
		return nil, fmt.Errorf("read kept answers: %w", err)
	}
	words, err := s.Survey.Words(r)
	if err != nil {
		return nil, err
	}
	text := q.Text("en", r.Mode != survey.ModeSelf)
	var out []fact
	for i := range q.Items {
		it := &q.Items[i]
		title, _ := text.Item(it.ID)
		a := given[it.ID]
		switch {
		case words[it.ID] != "":
			out = append(out, fact{title, words[it.ID]})
		case a.Choice != "":
			out = append(out, fact{title, text.Option(it.ID, a.Choice)})
		case len(a.Choices) > 0:
			var labels []string
			for _, code := range a.Choices {
				labels = append(labels, text.Option(it.ID, code))
			}
			out = append(out, fact{title, strings.Join(labels, "; ")})
		case a.State == questionnaires.PreferNot:
			out = append(out, fact{title, "Would rather not say"})
		}
	}
	return out, nil
}

func (s *Pages) answerFor(c *gin.Context, v visitor) error {
	mode := survey.Mode(typed(c, "mode"))
	secret, err := s.beginFor(c, v, mode)
	if err == nil {
		s.OpenSurvey(c, secret)
		return page.See(c, "/f")
	}
	if k := fault.KindOf(err); k != fault.Invalid && k != fault.Conflict {
		return err
	}
	data, status, err := s.caseAgain(c, v, err)
	if err != nil {
		return err
	}
	if a := data.Answer; a != nil {
		for _, f := range []*page.Field{&a.Survey, &a.Mode, &a.How, &a.At} {
			f.Value, f.Error = typed(c, f.Name), page.ErrorOf(data.Problems, f.Name)
		}
	}
	return s.show(c, status, "case", data)
}

func (s *Pages) beginFor(c *gin.Context, v visitor, mode survey.Mode) (string, error) {
	stage, round, ok := parseSurvey(typed(c, "survey"))
	if !ok {
		return "", fault.Fields("the form has faults", fault.Field{Field: "survey", Message: "choose which survey to answer"})
	}
	var consent *survey.Consent
	if mode == survey.ModeRelayed {
		consent = &survey.Consent{How: typed(c, "consent_how")}
		if at, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(typed(c, "consent_at")), s.zone()); err == nil {
			consent.At = at.UTC()
		}
	}
	secret, _, err := s.Survey.BeginFor(c.Request.Context(), v.actor(), v.AdvocateKey, c.Param("id"), stage, round, mode, consent)
	return secret, err
}

func (s *Pages) writeAgain(c *gin.Context, v visitor) error {
	id := c.Param("id")
	if typed(c, "confirm") == "yes" {
		if err := s.Survey.WriteAgain(c.Request.Context(), v.actor(), v.AdvocateKey, id); err != nil {
			return err
		}
		return page.See(c, "/work/cases/"+id+"?done=write-again")
	}
	data, status, err := s.caseAgain(c, v, fault.Fields("the form has faults", fault.Field{Field: "confirm", Message: "tick that they told you themselves"}))
	if err != nil {
		return err
	}
	data.MayWrite.Confirm.Error = page.ErrorOf(data.Problems, "confirm")
	return s.show(c, status, "case", data)
}

func (s *Pages) stopWriting(c *gin.Context, v visitor) error {
	id := c.Param("id")
	stop, done := typed(c, "safe") != "yes", "stopped"
	if !stop {
		done = "safe-again"
	}
	if err := s.Survey.StopWriting(c.Request.Context(), v.actor(), v.AdvocateKey, id, stop); err != nil {
		return err
	}
	return page.See(c, "/work/cases/"+id+"?done="+done)
}

// voidAnswers empties answers that the advocate says the person did not give.
func (s *Pages) voidAnswers(c *gin.Context, v visitor) error {
	ctx, id, response := c.Request.Context(), c.Param("id"), typed(c, "response")
	rs, err := s.Survey.ResponsesFor(ctx, v.actor(), v.AdvocateKey, id)
	if err != nil {
		return err
	}
	unshared, err := s.Survey.UnsharedFor(ctx, v.AdvocateKey, id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(append(rs, unshared...), func(r survey.Response) bool { return r.ID == response }) {
		return fault.New(fault.NotFound, "There are no such answers in this case.")
	}
	r, err := s.Survey.VoidResponse(ctx, audit.Entry{Actor: v.ID, Role: v.actor().Role, Reason: "not the person's own"}, response)
	if err != nil {
		return err
	}
	if err := s.Loop.FollowUp(ctx, &r); err != nil {
		return err
	}
	return page.See(c, "/work/cases/"+id+"?done=voided")
}
