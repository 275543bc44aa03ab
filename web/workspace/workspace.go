// Package workspace owns the pages of the people who work here: the advocate's
// desk, cases and alerts, the commissioner's figures and actions, the
// administrator's accounts, keys and record, and how all of them sign in.
//
// It decides nothing about cases, figures or actions: it asks the rooms, puts
// what they say into plain words, and prints it. Who may see a page is written in
// one table of routes; whose data it shows is the rooms' own check.
package workspace

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
	"victimvoice/web/charts"
	"victimvoice/web/page"
)

//go:embed all:templates
var files embed.FS

// Parts are what the pages are made of; all are needed.
type Parts struct {
	Access   *access.Service
	Survey   *survey.Service
	Analysis *analysis.Service
	Emerging *analysis.Emerging
	Advising *analysis.Advising
	Timeline *analysis.Timeline
	OpenData *analysis.OpenData
	Loop     *loop.Service
	Audit    *audit.Log

	// Backlog counts the mail that waits: the outbox's own count.
	Backlog func(context.Context) (notifications.Backlog, error)
	// Card puts a card into words, in its own language.
	Card func(survey.Card) (page.Card, error)
	// OpenSurvey gives the browser a survey session, so that /f goes on with it.
	OpenSurvey func(c *gin.Context, secret string)

	BaseURL string // begins the one-time links that an administrator hands out
	Secure  bool   // reached over HTTPS: cookies say so
	Now     func() time.Time
}

// Pages serves the workspace.
type Pages struct {
	Parts
	book       *page.Book
	chartStyle string // address of the charts' style sheet
}

// New parses every page; a fault in one is a start-up failure.
func New(p Parts) (*Pages, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, fmt.Errorf("workspace pages: %w", err)
	}
	book, err := page.NewBook(templates)
	if err != nil {
		return nil, fmt.Errorf("workspace pages: %w", err)
	}
	sum := sha256.Sum256([]byte(charts.Stylesheet()))
	p.BaseURL = strings.TrimSuffix(p.BaseURL, "/")
	return &Pages{Parts: p, book: book, chartStyle: chartPrefix + hex.EncodeToString(sum[:6]) + ".css"}, nil
}

const chartPrefix = "/figures/charts-"

// route is one page or form for somebody who is signed in.
type route struct {
	method, path string
	need         []access.Permission // any one of them opens it; none: whoever is signed in
	handle       func(*gin.Context, visitor) error
}

// routes is the whole of who may come where.
func (s *Pages) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	cases := []access.Permission{access.CasesOwn}
	answer := []access.Permission{access.AnswerForVictim}
	alerts := []access.Permission{access.AlertsOwn, access.AlertsAll}
	read := []access.Permission{access.FiguresRead}
	annotate := []access.Permission{access.FiguresAnnotate}
	export := []access.Permission{access.ExportFigures}
	words := []access.Permission{access.WordsRead, access.CodingCorrect}
	correct := []access.Permission{access.CodingCorrect}
	actions := []access.Permission{access.ActionsRead}
	manage := []access.Permission{access.ActionsManage}
	publish := []access.Permission{access.ActionsPublish}
	users := []access.Permission{access.UsersManage}
	keys := []access.Permission{access.APIKeysManage}
	record := []access.Permission{access.AuditRead}
	return []route{
		{get, "/account", nil, s.account},
		{post, "/account", nil, s.changePassword},
		{post, "/account/digest", read, s.chooseDigest},

		{get, "/work", cases, s.desk},
		{get, "/work/cases/:id", cases, s.caseFile},
		{post, "/work/cases/:id/answer", answer, s.answerFor},
		{post, "/work/cases/:id/card", cases, s.makeCard},
		{post, "/work/cases/:id/write-again", cases, s.writeAgain},
		{post, "/work/cases/:id/void", []access.Permission{access.ResponsesVoid}, s.voidAnswers},
		{post, "/work/cases/:id/stop-writing", cases, s.stopWriting},
		{post, "/work/cases/:id/word", cases, s.agreeWord},
		{get, "/work/alerts", alerts, s.alerts},
		{get, "/work/alerts/:id", alerts, s.alert},
		{post, "/work/alerts/:id/take", alerts, s.takeAlert},
		{post, "/work/alerts/:id/close", alerts, s.closeAlert},

		{get, "/figures", read, s.overview},
		{get, "/figures/measures", read, s.measures},
		{get, "/figures/report", read, s.report},
		{get, "/figures/take-away", export, s.takeAway},
		{get, "/figures/take-away/package", export, s.takeAwayPackage},
		{get, "/figures/open-data", read, s.openDataPage},
		{post, "/figures/open-data", []access.Permission{access.DataPublish}, s.publishOpenData},
		{get, "/figures/marks", read, s.marks},
		{post, "/figures/marks", annotate, s.addMark},
		{post, "/figures/marks/:id/take-back", annotate, s.takeMarkBack},
		{get, "/figures/:measure", read, s.figure},
		{get, "/figures/:measure/table", export, s.figureTable},
		{get, "/figures/:measure/chart", export, s.figureChart},
		{get, "/explore", read, s.explore},
		{get, "/explore/compare", read, s.compare},
		{get, "/explore/compare" + takePath, export, s.compare},
		{get, "/explore/areas", read, s.areas},
		{get, "/explore/areas" + takePath, export, s.areas},
		{get, "/explore/unheard", read, s.unheard},
		{get, "/explore/unheard" + takePath, export, s.unheard},
		{get, "/explore/journey", read, s.journey},
		{get, "/explore/journey" + takePath, export, s.journey},
		{get, "/advice", read, s.advicePage},
		{get, "/advice" + takePath, export, s.advicePage},
		{get, "/advice/table", read, s.adviceTable},
		{get, "/advice/table/:code", []access.Permission{access.AdviceManage}, s.adviceLine},
		{post, "/advice/table/:code", []access.Permission{access.AdviceManage}, s.reviseAdvice},
		{get, "/attrition", read, s.attrition},
		{get, "/attrition" + takePath, export, s.attrition},
		{get, "/drivers", read, s.drivers},
		{get, "/drivers" + takePath, export, s.drivers},

		{get, "/themes", read, s.themes},
		{get, "/themes" + takePath, export, s.themes},
		{get, "/themes/:code", read, s.theme},
		{get, "/themes/:code" + takePath, export, s.theme},

		{get, "/coding", correct, s.coding},
		{post, "/coding/next", correct, s.nextText},
		{get, "/coding/agreement", correct, s.agreement},
		{get, "/coding/texts/:id/:item", correct, s.text},
		{post, "/coding/texts/:id/:item", correct, s.codeText},

		{get, "/coding/texts/:id/:item/quotation", correct, s.quoteText},
		{post, "/coding/texts/:id/:item/quotation", correct, s.proposeQuotation},
		{get, "/coding/quotations", correct, s.quotations},
		{get, "/coding/quotations/:id", correct, s.quotation},
		{post, "/coding/quotations/:id", correct, s.settleQuotation},

		{get, "/new-words", words, s.newWords},
		{get, "/new-words/draft", correct, s.nameTerm},
		{post, "/new-words/draft", correct, s.keepTerm},
		{get, "/new-words/drafts/:id", correct, s.draft},
		{post, "/new-words/drafts/:id", correct, s.changeDraft},

		{get, "/actions", actions, s.actions},
		{get, "/actions/new", manage, s.newAction},
		{post, "/actions/new", manage, s.raiseAction},
		{get, "/actions/publish", publish, s.choosePublication},
		{post, "/actions/publish", publish, s.publish},
		{get, "/actions/:id", actions, s.action},
		{post, "/actions/:id", manage, s.changeAction},
		{post, "/actions/:id/check", manage, s.checkAction},

		{get, "/admin", users, s.admin},
		{get, "/admin/people", users, s.people},
		{post, "/admin/people", users, s.addPerson},
		{post, "/admin/people/:id/disable", users, s.disablePerson},
		{post, "/admin/people/:id/enable", users, s.enablePerson},
		{post, "/admin/people/:id/reset", users, s.resetPerson},
		{get, "/admin/keys", keys, s.keys},
		{post, "/admin/keys", keys, s.addKey},
		{post, "/admin/keys/:id/revoke", keys, s.revokeKey},
		{get, "/admin/record", record, s.record},
		{post, "/admin/record/verify", record, s.verifyRecord},
	}
}

// Register puts the pages under their addresses.
func (s *Pages) Register(r gin.IRouter) {
	r.GET("/", edge.Handle(s.front))
	r.GET("/signin", edge.Handle(s.signInPage))
	r.POST("/signin", edge.Handle(s.signIn))
	r.POST("/signout", edge.Handle(s.signOut))
	r.GET("/setup/:token", edge.Handle(s.setupPage))
	r.POST("/setup/:token", edge.Handle(s.setup))
	r.GET(s.chartStyle, edge.Handle(s.chartSheet))
	for _, rt := range s.routes() {
		r.Handle(rt.method, rt.path, edge.Handle(s.gate(rt)))
	}
}

// visitor is the member of staff behind a request.
type visitor struct {
	access.User
	profile access.Profile

	// waiting lists the alerts that the visitor may settle and nobody has, the
	// earliest due first: read once a request, since each reading is on record.
	waiting func() ([]loop.Alert, error)
}

// actor is the visitor as the survey and the loop record them.
func (v visitor) actor() survey.Actor { return survey.Actor{ID: v.ID, Role: v.Actor().RoleNames()} }

// viewer is the visitor as the loop shows alerts to them.
func (v visitor) viewer() loop.Viewer {
	out := loop.Viewer{Actor: v.actor(), All: v.Can(access.AlertsAll)}
	if v.Can(access.AlertsOwn) {
		out.Advocate = v.AdvocateKey
	}
	return out
}

// gate opens a route to those who may.
func (s *Pages) gate(rt route) edge.HandlerFunc {
	return func(c *gin.Context) error {
		v, err := s.visitor(c)
		if fault.Is(err, fault.Unauthorized) {
			return page.See(c, signInFor(c))
		}
		if err != nil {
			return err
		}
		if len(rt.need) > 0 && !slices.ContainsFunc(rt.need, v.Can) {
			return fault.New(fault.Denied, "This page is for another role than yours.")
		}
		if err := readForm(c); err != nil {
			return err
		}
		v.waiting = sync.OnceValues(func() ([]loop.Alert, error) {
			return s.alertsOf(c.Request.Context(), v, loop.AlertOpen, loop.AlertTaken)
		})
		return rt.handle(c, v)
	}
}

// readForm reads a posted form, so that one too large or malformed is refused and
// not taken for an empty one.
func readForm(c *gin.Context) error {
	if c.Request.Method != http.MethodPost {
		return nil
	}
	if err := c.Request.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, err, "This form could not be read. Go back and send it again.")
	}
	return nil
}

// typed is one value of the posted form, as it was typed.
func typed(c *gin.Context, name string) string { return c.Request.PostForm.Get(name) }

// formVersion gives the version of a document that a form was made from.
func formVersion(c *gin.Context) (int64, error) {
	version, err := strconv.ParseInt(typed(c, "version"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "This form could not be read. Go back and send it again.")
	}
	return version, nil
}

// frame begins a page's data.
func (s *Pages) frame(c *gin.Context, v visitor, title string) (page.Work, error) {
	f := page.Work{Title: title, Who: v.profile.Name + ", " + roleWords(v.Roles), Done: doneWords[c.Query("done")]}
	part := ""
	add := func(href, label string, count int) {
		f.Nav = append(f.Nav, page.Place{Href: href, Label: label, Count: count, Part: part})
		part = ""
	}
	if v.Can(access.UsersManage) {
		add("/admin", "Overview", 0)
		add("/admin/people", "People", 0)
		add("/admin/keys", "API keys", 0)
		add("/admin/record", "Record", 0)
	}
	if v.Can(access.CasesOwn) {
		add("/work", "My desk", 0)
	}
	if v.Can(access.AlertsOwn) || v.Can(access.AlertsAll) {
		waiting, err := v.waiting()
		if err != nil {
			return page.Work{}, err
		}
		add("/work/alerts", "Alerts", len(waiting))
	}
	if v.Can(access.FiguresRead) {
		part = "At a glance"
		add("/figures", "Figures", 0)
		add("/figures/report", "Quarterly report", 0)
		add("/figures/measures", "All measures", 0)
		part = "Look closer"
		add("/explore", "Explore", 0)
		add("/advice", "Advice", 0)
		add("/attrition", "Withdrawal and NFA", 0)
		add("/drivers", "What goes with it", 0)
	}
	many := v.Can(access.FiguresRead) // so many places that they come in parts
	if many {
		part = "In their words"
		add("/themes", "Themes", 0)
	}
	if v.Can(access.CodingCorrect) && v.Force == "" {
		add("/coding", "Coding", 0)
	}
	if v.Can(access.WordsRead) || v.Can(access.CodingCorrect) {
		add("/new-words", "New words", 0)
	}
	if many {
		part = "Do and tell"
	}
	if v.Can(access.ActionsRead) {
		add("/actions", "Actions", 0)
	}
	if v.Can(access.FiguresRead) {
		add("/figures/open-data", "Open data", 0)
	}
	if v.Can(access.ExportFigures) {
		add("/figures/take-away", "Take away", 0)
	}
	// The place that we are in is the one whose address is the longest that ours begins with.
	here := -1
	for i, p := range f.Nav {
		if (c.Request.URL.Path == p.Href || strings.HasPrefix(c.Request.URL.Path, p.Href+"/")) && (here < 0 || len(p.Href) > len(f.Nav[here].Href)) {
			here = i
		}
	}
	if here >= 0 {
		f.Nav[here].Here = true
	}
	return f, nil
}

// show prints a page.
func (s *Pages) show(c *gin.Context, status int, name string, data any) error {
	return s.book.Show(c, status, name, data)
}

// problemPage is the data of the page for an error.
type problemPage struct {
	page.Work
	Detail string
	Ref    string // names the occurrence, for whoever looks into it
}

// Problem writes an error as a page for people; it is for edge's Config.Page.
// It asks no store, since the store may be what is wrong.
func (s *Pages) Problem(c *gin.Context, p edge.Problem) {
	data := problemPage{Work: page.Work{Title: problemTitle(p.Status)}, Detail: sentence(p.Detail)}
	if p.Status >= http.StatusInternalServerError {
		data.Ref = strings.TrimPrefix(p.Instance, "urn:uuid:")
	}
	for _, f := range p.Errors {
		data.Problems = append(data.Problems, page.Problem{Message: sentence(strings.ReplaceAll(f.Field, "_", " ") + ": " + f.Message)})
	}
	if err := s.show(c, p.Status, "problem", data); err != nil {
		c.String(p.Status, "%s\n", data.Detail)
	}
}

func problemTitle(status int) string {
	switch status {
	case http.StatusForbidden:
		return "This page is not for you"
	case http.StatusNotFound:
		return "Page not found"
	case http.StatusConflict:
		return "This cannot be done now"
	case http.StatusTooManyRequests:
		return "Too many tries"
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		return "Something is not working"
	}
	return "This did not work"
}

// problems puts an error that a form can mend into words; other errors come back as they are.
func problems(err error) ([]page.Problem, int, error) {
	status := http.StatusUnprocessableEntity
	switch fault.KindOf(err) {
	case fault.Invalid:
	case fault.Conflict:
		status = http.StatusConflict
	default:
		return nil, 0, err
	}
	out := page.Problems(err)
	for i := range out {
		out[i].Message = sentence(out[i].Message)
	}
	return out, status, nil
}

// retry lists what a form can put right, for pages that show a form again. Where
// the form's controls are given, a fault elsewhere names its place and points nowhere.
func retry(f *page.Work, err error, controls ...string) (int, error) {
	found, status, err := problems(err)
	if err != nil {
		return 0, err
	}
	for i := range found {
		if p := &found[i]; len(controls) > 0 && p.Field != "" && !slices.Contains(controls, p.Field) {
			p.Field, p.Message = "", sentence(strings.ReplaceAll(p.Field, "_", " ")+": "+lowerFirst(p.Message))
		}
	}
	f.Problems = found
	f.Title = "Error: " + f.Title
	return status, nil
}

// chartSheet serves the charts' style sheet.
func (s *Pages) chartSheet(c *gin.Context) error {
	edge.Cacheable(c, 365*24*time.Hour)
	c.Data(http.StatusOK, "text/css; charset=utf-8", []byte(charts.Stylesheet()))
	return nil
}
