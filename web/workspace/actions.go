package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

// actionsData is the data of the list of actions.
type actionsData struct {
	page.Work
	Headline, Share string
	Groups          []actionGroup
	MayManage       bool
	MayPublish      bool
	Ready           int // done and not published
}

type actionGroup struct {
	ID, Title string
	Lines     []actionLine
}

type actionLine struct {
	Href, Title, Owner, Status, Due, Evidence, Step string
	Late                                            bool
}

func (s *Pages) actions(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Actions")
	if err != nil {
		return err
	}
	list, err := s.Loop.Actions(c.Request.Context())
	if err != nil {
		return err
	}
	data := actionsData{Work: f, MayManage: v.Can(access.ActionsManage), MayPublish: v.Can(access.ActionsPublish)}
	checked := 0
	groups := []actionGroup{{ID: "overdue", Title: "Overdue"}, {ID: "open", Title: "Under way"}, {ID: "done", Title: "Done, and still to be checked"}, {ID: "checked", Title: "Checked: did the figure move?"}, {ID: "none", Title: "No action, with the reason"}}
	for i := range list {
		a := &list[i]
		l := s.actionLine(a)
		if !data.MayManage {
			l.Step = "Open"
		}
		at := 1
		switch {
		case a.Status == loop.Checked:
			at, checked = 3, checked+1
		case a.Status == loop.Done:
			at = 2
		case a.Status == loop.NoAction:
			at = 4
		case l.Late:
			at = 0
		}
		groups[at].Lines = append(groups[at].Lines, l)
		if publishable(a) {
			data.Ready++
		}
	}
	for _, g := range groups {
		if len(g.Lines) > 0 {
			data.Groups = append(data.Groups, g)
		}
	}
	if len(list) > 0 {
		data.Share = percent(100 * float64(checked) / float64(len(list)))
		data.Headline = fmt.Sprintf("of concerns have an action that was checked against its figure (%d of %d)", checked, len(list))
	}
	return s.show(c, http.StatusOK, "actions", data)
}

func publishable(a *loop.Action) bool {
	return a.Published.IsZero() && (a.Status == loop.Done || a.Status == loop.Checked || a.Status == loop.NoAction)
}

func (s *Pages) actionLine(a *loop.Action) actionLine {
	l := actionLine{Href: "/actions/" + a.ID, Title: a.Title, Owner: a.Agency + ", " + a.Owner, Status: statusWords[a.Status], Evidence: evidenceWords(&a.Evidence), Late: a.Overdue(s.today())}
	switch {
	case a.Status == loop.Checked && a.Check != nil:
		l.Due, l.Step = verdictWords[a.Check.Verdict], "Open"
	case a.Status == loop.Done:
		l.Due, l.Step = "Done on "+dateWords(a.DoneOn), "Check the figure"
	case a.Status == loop.NoAction:
		l.Due, l.Step = a.Because, "Open"
	case l.Late:
		l.Due, l.Step = "Was due on "+dateWords(a.DueOn), "Bring up to date"
	default:
		l.Due, l.Step = "Due on "+dateWords(a.DueOn), "Bring up to date"
	}
	return l
}

func evidenceWords(e *loop.Evidence) string {
	out := strings.Replace(e.Label, "?, ", "? – ", 1) // a question, then where and when
	if e.Low == 0 && e.High == 0 {
		return fmt.Sprintf("%s: %s, base %s", out, whole(e.Share), thousands(e.Base))
	}
	return fmt.Sprintf("%s: %s (95%% interval %s–%s), base %s", out, percent(e.Share), whole(e.Low), percent(e.High), thousands(e.Base))
}

// actionForm are the fields of an action.
type actionForm struct {
	Title, YouSaid, Agency, Owner, DueOn, Status, WeDid, DoneOn, Because, Note page.Field
	Version                                                                    int64
}

func newActionForm(a *loop.Action) actionForm {
	f := actionForm{
		Title:   page.Field{Name: "title", Label: "What will be done", Max: 2000, Value: a.Title},
		YouSaid: page.Field{Name: "you_said", Label: "What people told us", Hint: "The concern in plain words. It is shown on the public page as “You said”.", Rows: 3, Max: 2000, Value: a.YouSaid},
		Agency:  page.Field{Name: "agency", Label: "Agency that owns it", Max: 2000, Value: a.Agency},
		Owner:   page.Field{Name: "owner", Label: "Person or post that owns it", Hint: "A post rather than a name. Never an officer who dealt with a case.", Max: 2000, Value: a.Owner},
		DueOn:   page.Field{Name: "due_on", Label: "Due on", Type: "date", Value: a.DueOn},
		Status:  page.Field{Name: "status", Label: "How it stands", Value: string(a.Status)},
		WeDid:   page.Field{Name: "we_did", Label: "What was done, when and where", Hint: "Needed once it is done. It is shown on the public page as “We did”.", Rows: 3, Max: 2000, Value: a.WeDid},
		DoneOn:  page.Field{Name: "done_on", Label: "Done on", Type: "date", Value: a.DoneOn},
		Because: page.Field{Name: "because", Label: "Why nothing will be done", Hint: "Needed for “No action”.", Rows: 2, Max: 2000, Value: a.Because},
		Note:    page.Field{Name: "note", Label: "Note for the history", Hint: "Not shown to the public.", Rows: 2, Max: 2000},
		Version: a.Version,
	}
	for _, status := range loop.ActionStatuses() {
		if status != loop.Checked || a.Status == loop.Checked {
			f.Status.Choices = append(f.Status.Choices, page.Choice{Value: string(status), Label: statusWords[status]})
		}
	}
	return f
}

func (f *actionForm) fields() []*page.Field {
	return []*page.Field{&f.Title, &f.YouSaid, &f.Agency, &f.Owner, &f.DueOn, &f.Status, &f.WeDid, &f.DoneOn, &f.Because, &f.Note}
}

func (f *actionForm) names() []string {
	var out []string
	for _, field := range f.fields() {
		out = append(out, field.Name)
	}
	return out
}

// again puts what was typed back, with what is wrong.
func (f *actionForm) again(c *gin.Context, found []page.Problem) {
	for _, field := range f.fields() {
		if c.Request.PostForm.Has(field.Name) {
			field.Value = typed(c, field.Name)
		}
		field.Error = page.ErrorOf(found, field.Name)
	}
}

func draftOf(c *gin.Context) loop.ActionDraft {
	return loop.ActionDraft{
		Title: typed(c, "title"), YouSaid: typed(c, "you_said"), WeDid: typed(c, "we_did"), Agency: typed(c, "agency"), Owner: typed(c, "owner"),
		DueOn: strings.TrimSpace(typed(c, "due_on")), Because: typed(c, "because"), DoneOn: strings.TrimSpace(typed(c, "done_on")),
		Status: loop.ActionStatus(typed(c, "status")), Note: typed(c, "note"),
	}
}

// newActionData is the data of the page that raises an action.
type newActionData struct {
	page.Work
	Heading  string
	Figure   string
	Href     string // of the figure
	Latest   latest
	Sentence string
	Form     actionForm
	Post     string
}

func (s *Pages) newActionData(c *gin.Context, v visitor, q url.Values) (newActionData, error) {
	f, err := s.frame(c, v, "Raise an action")
	if err != nil {
		return newActionData{}, err
	}
	r, _, err := s.series(c.Request.Context(), q)
	if err != nil {
		return newActionData{}, err
	}
	form := newActionForm(&loop.Action{Status: loop.Noted, DueOn: s.Now().In(s.zone()).AddDate(0, 3, 0).Format(time.DateOnly)})
	form.Status.Choices = slices.DeleteFunc(form.Status.Choices, func(c page.Choice) bool { return c.Value == string(loop.Done) })
	return newActionData{Work: f, Heading: "Raise an action", Figure: figureName(&r), Href: figureHref(r.Measure.ID, with(q, "measure", "")), Latest: s.latestOf(&r), Sentence: trendSentence(&r), Form: form,
		Post: "/actions/new?" + with(q, "by", strings.Join(r.By, ",")).Encode()}, nil
}

// figureName says which figure a query asks for.
func figureName(r *figures.Result) string {
	name := r.Measure.Title
	for stage, words := range stageWords {
		if r.Stage == string(stage) {
			name += " – " + strings.ToLower(words)
		}
	}
	return name
}

func (s *Pages) newAction(c *gin.Context, v visitor) error {
	q, err := query(c, v)
	if err != nil {
		return err
	}
	if q.Get("measure") == "" {
		return page.See(c, "/figures?done=choose-figure")
	}
	data, err := s.newActionData(c, v, q)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "new-action", data)
}

func (s *Pages) raiseAction(c *gin.Context, v visitor) error {
	q, err := query(c, v)
	if err != nil {
		return err
	}
	a, err := s.Loop.Raise(c.Request.Context(), v.actor(), draftOf(c), q)
	if err == nil {
		return page.See(c, "/actions/"+a.ID+"?done=raised")
	}
	cause := err
	if !fault.Is(cause, fault.Invalid) || q.Get("measure") == "" {
		return cause
	}
	data, err := s.newActionData(c, v, q)
	if err != nil {
		return errors.Join(cause, err) // the figure itself cannot be asked for
	}
	status, err := retry(&data.Work, cause, data.Form.names()...)
	if err != nil {
		return err
	}
	data.Form.again(c, data.Problems)
	return s.show(c, status, "new-action", data)
}

// actionData is the data of one action's page.
type actionData struct {
	page.Work
	Path, Heading, Status, Owner, Due string
	Late                              bool
	Evidence, EvidenceOn, FigureHref  string
	Wide, Slim                        template.HTML
	Flags                             []string
	Check                             []string
	CheckedOn                         string
	MayCheck, MayManage               bool
	Said                              []fact
	Published                         string
	History                           []actionStep
	Form                              actionForm
}

type actionStep struct{ On, Who, Status, Note string }

func (s *Pages) action(c *gin.Context, v visitor) error {
	data, err := s.actionData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "action", data)
}

func (s *Pages) actionData(c *gin.Context, v visitor) (actionData, error) {
	ctx := c.Request.Context()
	a, err := s.Loop.Action(ctx, c.Param("id"))
	if fault.Is(err, fault.NotFound) {
		return actionData{}, fault.New(fault.NotFound, "There is no such action.")
	}
	if err != nil {
		return actionData{}, err
	}
	f, err := s.frame(c, v, a.Title)
	if err != nil {
		return actionData{}, err
	}
	f.Style = s.chartStyle
	l := s.actionLine(&a)
	data := actionData{Work: f, Path: "/actions/" + a.ID, Heading: a.Title, Status: statusWords[a.Status], Owner: l.Owner, Due: dateWords(a.DueOn), Late: l.Late,
		Evidence: evidenceWords(&a.Evidence), EvidenceOn: s.date(a.Evidence.At), MayManage: v.Can(access.ActionsManage), Published: s.date(a.Published), Form: newActionForm(&a)}
	data.MayCheck = data.MayManage && (a.Status == loop.Done || a.Status == loop.Checked)
	for _, line := range []fact{{"You said", a.YouSaid}, {"We did", a.WeDid}, {"Done on", dateWords(a.DoneOn)}, {"No action, because", a.Because}} {
		if line.Value != "" {
			data.Said = append(data.Said, line)
		}
	}
	if a.Check != nil {
		data.Check, data.CheckedOn = s.checkWords(&a), s.date(a.Check.At)
	}
	for _, step := range slices.Backward(a.History) {
		name, err := s.nameOf(ctx, step.By)
		if err != nil {
			return actionData{}, err
		}
		data.History = append(data.History, actionStep{On: s.moment(step.At), Who: name, Status: statusWords[step.Status], Note: historyNote(step.Note)})
	}
	return data, s.chartAction(ctx, v, &a, &data)
}

// historyNote puts a note that the check itself wrote into words.
func historyNote(note string) string {
	if verdict, ok := strings.CutPrefix(note, "figure compared: "); ok {
		return "Figure compared before and after: " + strings.ToLower(verdictWords[verdict][:1]) + verdictWords[verdict][1:]
	}
	return note
}

// chartAction draws the action's figure with the day it was done marked on it. A
// figure that can no longer be asked for is left out; the evidence stands.
func (s *Pages) chartAction(ctx context.Context, v visitor, a *loop.Action, data *actionData) error {
	q, err := url.ParseQuery(a.Evidence.Query)
	if err != nil {
		return fmt.Errorf("read an action's query: %w", err)
	}
	if !v.Can(access.FiguresRead) {
		return nil
	}
	data.FigureHref = figureHref(a.Evidence.Measure, with(q, "measure", ""))
	r, err := s.Analysis.Figures(ctx, q)
	if fault.Is(err, fault.Invalid) || err == nil && r.Trend == nil {
		return nil
	}
	if err != nil {
		return err
	}
	var flags []charts.Flag
	if done, err := time.Parse(time.DateOnly, a.DoneOn); err == nil {
		flags = append(flags, charts.Flag{Period: periodOf(r.By, done), Text: "done on " + dateWords(a.DoneOn)})
	}
	data.Wide, data.Slim, data.Flags = s.both("action", r, flags...)
	return nil
}

// periodOf writes the period that a day lies in as a result split by these dimensions does.
func periodOf(by []string, day time.Time) string {
	switch {
	case slices.Contains(by, figures.DimMonth):
		return day.Format("2006-01")
	case slices.Contains(by, figures.DimQuarter):
		return fmt.Sprintf("%d-Q%d", day.Year(), (int(day.Month())+2)/3)
	}
	return day.Format("2006")
}

// checkWords says what the comparison found, and that it shows no cause.
func (s *Pages) checkWords(a *loop.Action) []string {
	k := a.Check
	switch k.Verdict {
	case loop.BaseTooLow, loop.NotSuitable, loop.CoderChanged:
		return []string{verdictWords[k.Verdict] + "."}
	}
	out := []string{
		verdictWords[k.Verdict] + ".",
		fmt.Sprintf("Before: %.0f%%. After: %.0f%%. Difference: %+.0f points, 95%% interval %+.0f to %+.0f.", k.Before, k.After, k.After-k.Before, k.Low, k.High),
	}
	if m, ok := s.Analysis.Panel().Measure(a.Evidence.Measure); ok && m.Better != "" {
		up := k.Verdict == loop.MovedUp
		switch {
		case k.Verdict == loop.NoChange:
		case up == (m.Better == figures.BetterHigher):
			out = append(out, "That is the direction of improvement.")
		default:
			out = append(out, "That is the direction of concern.")
		}
	}
	return append(out, "This compares whole periods on either side of the day. It does not show what caused a difference.")
}

func (s *Pages) changeAction(c *gin.Context, v visitor) error {
	version, err := strconv.ParseInt(typed(c, "version"), 10, 64)
	if err == nil {
		_, err = s.Loop.Change(c.Request.Context(), v.actor(), c.Param("id"), version, draftOf(c))
	} else {
		err = fault.New(fault.Invalid, "this form is not whole; look at the action again before you save")
	}
	if err == nil {
		return page.See(c, "/actions/"+c.Param("id")+"?done=changed")
	}
	return s.actionAgain(c, v, err)
}

func (s *Pages) checkAction(c *gin.Context, v visitor) error {
	if _, err := s.Loop.Check(c.Request.Context(), v.actor(), c.Param("id")); err != nil {
		return s.actionAgain(c, v, err)
	}
	return page.See(c, "/actions/"+c.Param("id")+"?done=checked")
}

func (s *Pages) actionAgain(c *gin.Context, v visitor, cause error) error {
	if k := fault.KindOf(cause); k != fault.Invalid && k != fault.Conflict {
		return cause
	}
	data, err := s.actionData(c, v)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause)
	if err != nil {
		return err
	}
	data.Form.again(c, data.Problems)
	return s.show(c, status, "action", data)
}

// publishData is the data of the page that chooses what to publish.
type publishData struct {
	page.Work
	Name, Actions page.Field
	Any           bool
}

func (s *Pages) publishData(c *gin.Context, v visitor) (publishData, error) {
	f, err := s.frame(c, v, "Publish")
	if err != nil {
		return publishData{}, err
	}
	list, err := s.Loop.Actions(c.Request.Context())
	if err != nil {
		return publishData{}, err
	}
	data := publishData{Work: f,
		Name:    page.Field{Name: "title", Label: "Title of this round", Hint: "Such as “What changed this autumn”.", Max: 200},
		Actions: page.Field{Name: "actions", Label: "What to publish"}}
	slices.SortStableFunc(list, func(a, b loop.Action) int { return cmp.Compare(b.DoneOn, a.DoneOn) })
	for i := range list {
		if a := &list[i]; publishable(a) {
			said := "You said: " + a.YouSaid + " We did: " + a.WeDid
			if a.Status == loop.NoAction {
				said = "You said: " + a.YouSaid + " We will not act, because: " + a.Because
			}
			data.Actions.Choices = append(data.Actions.Choices, page.Choice{Value: a.ID, Label: a.Title, Hint: said})
		}
	}
	data.Any = len(data.Actions.Choices) > 0
	return data, nil
}

func (s *Pages) choosePublication(c *gin.Context, v visitor) error {
	data, err := s.publishData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "publish", data)
}

func (s *Pages) publish(c *gin.Context, v visitor) error {
	chosen := c.Request.PostForm["actions"]
	_, err := s.Loop.Publish(c.Request.Context(), v.actor(), typed(c, "title"), chosen)
	if err == nil {
		return page.See(c, "/actions?done=published")
	}
	cause := err
	data, err := s.publishData(c, v)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause)
	if err != nil {
		return err
	}
	if !data.Any { // there is no form to point into
		data.Problems = []page.Problem{{Message: "There is nothing to publish."}}
	}
	data.Name.Value, data.Name.Error = typed(c, "title"), page.ErrorOf(data.Problems, "title")
	data.Actions.Values, data.Actions.Error = chosen, page.ErrorOf(data.Problems, "actions")
	return s.show(c, status, "publish", data)
}
