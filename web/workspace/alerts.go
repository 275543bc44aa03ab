package workspace

import (
	"context"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/web/page"
)

// alertLine is one alert in a list.
type alertLine struct {
	Href, Ref, Stage, Why, When string
	Late                        bool
	Who                         string // who has taken it; empty: nobody
}

// alertsData is the data of the list of alerts.
type alertsData struct {
	page.Work
	Filters []filter
	Lines   []alertLine
	All     bool // every advocate's, as the victim-care team sees them
	Empty   string
}

// alertData is the data of one alert's page.
type alertData struct {
	page.Work
	Path, Ref, CaseHref, Survey, Force string
	Why                                []hit
	When                               string
	Late                               bool
	Raised                             string
	MayContact                         bool
	Words                              []fact // what they wrote, where they let the advocate read it
	State                              string // open, taken, closed
	Taker                              string // who has taken it; empty: nobody
	Mine                               bool
	Outcome, Note                      string // of a closed one
	ClosedOn                           string
	Form                               alertForm
}

// hit is one rule that an answer met, and the question it was met at.
type hit struct{ Rule, Question string }

type alertForm struct{ Outcome, Note page.Field }

func (s *Pages) alertLine(a *loop.Alert, v visitor, ref string) alertLine {
	l := alertLine{Href: "/work/alerts/" + a.ID, Ref: ref, Stage: stageWords[a.Stage]}
	if l.Ref == "" {
		l.Ref = "Alert raised " + s.moment(a.RaisedAt)
	}
	if len(a.Hits) == 0 {
		l.Why = "The answers were taken back"
	} else {
		l.Why = rule(a.Hits[0].Rule)
		if n := rules(a); n > 1 {
			l.Why += ", and " + plural(n-1, "other sign", "other signs")
		}
	}
	switch {
	case a.State == loop.AlertClosed:
		l.When = "Closed " + s.day(a.ClosedAt)
		if l.Who = alertOutcomeWords[a.Outcome]; l.Who == "" {
			l.Who = a.Outcome
		}
	default:
		l.When, l.Late = s.due(a.DueAt)
		if a.State == loop.AlertTaken {
			l.Who = "Taken by a colleague"
			if a.TakenBy == v.ID {
				l.Who = "Taken by you"
			}
		}
	}
	return l
}

// rules counts the different rules that an alert was raised by.
func rules(a *loop.Alert) int {
	var seen []string
	for _, h := range a.Hits {
		if !slices.Contains(seen, h.Rule) {
			seen = append(seen, h.Rule)
		}
	}
	return len(seen)
}

func (s *Pages) alerts(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Alerts")
	if err != nil {
		return err
	}
	waiting, err := v.waiting()
	if err != nil {
		return err
	}
	closed, err := s.alertsOf(ctx, v, loop.AlertClosed)
	if err != nil {
		return err
	}
	slices.SortFunc(closed, func(a, b loop.Alert) int { return b.ClosedAt.Compare(a.ClosedAt) })
	refs, err := s.references(ctx, v)
	if err != nil {
		return err
	}
	list := waiting
	data := alertsData{Work: f, All: v.Can(access.AlertsAll), Empty: "No alert waits. When an answer shows a danger sign, it is listed here at once, with the time by which somebody must have looked."}
	switch c.Query("show") {
	case "":
	case "closed":
		list, data.Empty = closed, "No alert has been closed yet."
	default:
		return fault.New(fault.NotFound, "There is no such list. The lists are: waiting and closed.")
	}
	data.Filters = []filter{
		{Href: "/work/alerts", Label: "Waiting", Count: len(waiting), Here: c.Query("show") == ""},
		{Href: "/work/alerts?show=closed", Label: "Closed", Count: len(closed), Here: c.Query("show") == "closed"},
	}
	for i := range list {
		data.Lines = append(data.Lines, s.alertLine(&list[i], v, refs[list[i].Case]))
	}
	return s.show(c, http.StatusOK, "alerts", data)
}

// references gives the police references of the visitor's own cases.
func (s *Pages) references(ctx context.Context, v visitor) (map[string]string, error) {
	refs := map[string]string{}
	if !v.Can(access.CasesOwn) {
		return refs, nil
	}
	cases, err := s.Survey.Caseload(ctx, v.actor(), v.AdvocateKey)
	if err != nil {
		return nil, err
	}
	for i := range cases {
		refs[cases[i].ID] = cases[i].Ref
	}
	return refs, nil
}

func (s *Pages) alert(c *gin.Context, v visitor) error {
	data, err := s.alertData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "alert", data)
}

// openAlert finds an alert that the visitor may settle.
func (s *Pages) openAlert(ctx context.Context, v visitor, id string) (loop.Alert, error) {
	a, err := s.Loop.Alert(ctx, v.viewer(), id)
	if err != nil {
		return loop.Alert{}, err
	}
	if !v.sees(a.Force) {
		return loop.Alert{}, fault.New(fault.NotFound, "There is no such alert among yours.")
	}
	return a, nil
}

func (s *Pages) alertData(c *gin.Context, v visitor) (alertData, error) {
	ctx := c.Request.Context()
	a, err := s.openAlert(ctx, v, c.Param("id"))
	if err != nil {
		return alertData{}, err
	}
	f, err := s.frame(c, v, "Alert")
	if err != nil {
		return alertData{}, err
	}
	data := alertData{Work: f, Path: "/work/alerts/" + a.ID, Survey: stageWords[a.Stage], Force: a.Force, Raised: s.moment(a.RaisedAt),
		MayContact: a.MayContact, State: string(a.State), Mine: a.TakenBy == v.ID}
	data.When, data.Late = s.due(a.DueAt)
	data.Why = s.why(&a)
	if err := s.whose(ctx, v, &a, &data); err != nil {
		return alertData{}, err
	}
	if a.TakenBy != "" {
		if data.Taker, err = s.nameOf(ctx, a.TakenBy); err != nil {
			return alertData{}, err
		}
	}
	if a.State == loop.AlertClosed {
		data.Outcome, data.ClosedOn = alertOutcomeWords[a.Outcome], s.moment(a.ClosedAt)
		if data.Note, err = s.Loop.Note(&a); err != nil {
			return alertData{}, err
		}
	}
	data.Form = alertForm{
		Outcome: page.Field{Name: "outcome", Label: "What came of it"},
		Note:    page.Field{Name: "note", Label: "Note", Hint: "What was done and what is to come. Leave names and addresses out.", Rows: 4, Max: 2000},
	}
	for _, o := range loop.AlertOutcomes() {
		data.Form.Outcome.Choices = append(data.Form.Outcome.Choices, page.Choice{Value: o, Label: alertOutcomeWords[o]})
	}
	return data, nil
}

// why says which rules were met and at which question, never what was written.
func (s *Pages) why(a *loop.Alert) []hit {
	q := s.Survey.Questionnaires().Current(a.Stage)
	var out []hit
	for _, h := range a.Hits {
		line := hit{Rule: rule(h.Rule)}
		if q != nil {
			line.Question, _ = q.Text("en", false).Item(h.Item)
		}
		out = append(out, line)
	}
	return out
}

// whose says whose alert it is, and what they wrote where they let their advocate
// read it. The victim-care team learns the reference of the case alone.
func (s *Pages) whose(ctx context.Context, v visitor, a *loop.Alert, data *alertData) error {
	view, err := s.Survey.CaseFor(ctx, v.actor(), a.Advocate, a.Case)
	if fault.Is(err, fault.NotFound) {
		return nil // the case has no advocate, or another one by now
	}
	if err != nil {
		return err
	}
	data.Ref, data.Title = view.Ref, "Alert, case "+view.Ref
	if a.Advocate != v.AdvocateKey || !v.Can(access.CasesOwn) {
		return nil
	}
	data.CaseHref = "/work/cases/" + a.Case
	rs, err := s.Survey.ResponsesFor(ctx, v.actor(), v.AdvocateKey, a.Case)
	if err != nil {
		return err
	}
	for i := range rs {
		if rs[i].ID != a.Response {
			continue
		}
		lines, err := s.answerLines(&rs[i])
		if err != nil {
			return err
		}
		data.Words = lines
	}
	return nil
}

// nameOf names a member of staff; one whose account is gone has no name.
func (s *Pages) nameOf(ctx context.Context, id string) (string, error) {
	u, err := s.Access.User(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return "somebody who is no longer here", nil
	}
	if err != nil {
		return "", err
	}
	p, err := s.Access.Profile(u)
	if err != nil {
		return "", err
	}
	return p.Name, nil
}

func (s *Pages) takeAlert(c *gin.Context, v visitor) error {
	ctx, id := c.Request.Context(), c.Param("id")
	if _, err := s.openAlert(ctx, v, id); err != nil {
		return err
	}
	if _, err := s.Loop.Take(ctx, v.viewer(), id); err != nil {
		return s.alertAgain(c, v, err)
	}
	return page.See(c, "/work/alerts/"+id+"?done=taken")
}

func (s *Pages) closeAlert(c *gin.Context, v visitor) error {
	ctx, id := c.Request.Context(), c.Param("id")
	if _, err := s.openAlert(ctx, v, id); err != nil {
		return err
	}
	if _, err := s.Loop.Close(ctx, v.viewer(), id, typed(c, "outcome"), typed(c, "note")); err != nil {
		return s.alertAgain(c, v, err)
	}
	return page.See(c, "/work/alerts/"+id+"?done=closed")
}

// alertAgain shows the alert as it stands now, with what was wrong and what was typed.
func (s *Pages) alertAgain(c *gin.Context, v visitor, cause error) error {
	if k := fault.KindOf(cause); k != fault.Invalid && k != fault.Conflict {
		return cause
	}
	data, err := s.alertData(c, v)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&data.Form.Outcome, &data.Form.Note} {
		f.Value, f.Error = typed(c, f.Name), page.ErrorOf(data.Problems, f.Name)
	}
	return s.show(c, status, "alert", data)
}
