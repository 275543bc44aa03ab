// Package victim owns the survey as the person meets it: the opening page
// behind a mailed link, the questions, leaving quickly, the last page, and taking
// answers back. An advocate who answers on a person's behalf meets the same pages
// in the third person.
//
// The pages look like nothing in particular. Before the person has started,
// nothing on them, in their addresses or in their title tells what they are
// about; after they have left, no page shows again.
package victim

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"

	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

//go:embed all:templates locales
var files embed.FS

// NeutralSite is where leaving leads: a page that anyone might have open.
const NeutralSite = "https://www.bbc.co.uk/weather"

// Config is what the pages need to know beside the rooms.
type Config struct {
	Name   string // neutral name in titles and headers, such as Feedback
	Host   string // where the survey is reached, as a person would type it
	Secure bool   // reached over HTTPS: cookies say so
	Now    func() time.Time
	Log    *slog.Logger
}

// Pages serves the survey.
type Pages struct {
	survey *survey.Service
	loop   *loop.Service
	book   *page.Book
	words  *page.Words
	langs  []questionnaires.Language
	conf   Config
}

// New parses every page and text; a fault in one is a start-up failure.
func New(sv *survey.Service, lp *loop.Service, conf Config) (*Pages, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, fmt.Errorf("survey pages: %w", err)
	}
	book, err := page.NewBook(templates)
	if err != nil {
		return nil, fmt.Errorf("survey pages: %w", err)
	}
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		return nil, fmt.Errorf("survey pages: %w", err)
	}
	return &Pages{survey: sv, loop: lp, book: book, words: words, langs: sv.Questionnaires().LanguagesOffered(), conf: conf}, nil
}

// The rates at which one network may follow links and try receipt codes. Neither
// can be guessed (128 bits and more), so these bound the load alone, and are wide:
// a mobile operator puts thousands of people behind one address, and a mail
// scanner opens every link of a morning's mails.
var (
	linkRate = edge.Rate{PerSecond: 20, Burst: 300}
	codeRate = edge.Rate{PerSecond: 0.5, Burst: 30}
)

// networks is how many networks are remembered for that.
const networks = 20_000

// Register puts the pages under their addresses. Mails hold /f/…, so these never change.
func (s *Pages) Register(r gin.IRouter) {
	cards := s.takeCards()
	wide := edge.Limit(edge.NewLimiter(linkRate, networks, s.conf.Now), edge.Client)
	links := cards.guard(wide)
	codes := edge.Limit(edge.NewLimiter(codeRate, networks, s.conf.Now), edge.Client)
	r.GET("/f/:token", links, edge.Handle(s.door))
	r.HEAD("/f/:token", links, edge.Handle(s.door))
	r.POST("/f/:token", links, edge.Handle(s.begin))
	r.GET("/f/:token/stop", links, edge.Handle(s.askRefusal(false)))
	r.POST("/f/:token/stop", links, edge.Handle(s.refuse(false)))
	r.GET("/f/:token/not-me", links, edge.Handle(s.askRefusal(true)))
	r.POST("/f/:token/not-me", links, edge.Handle(s.refuse(true)))
	r.GET("/f", edge.Handle(s.sheet))
	r.POST("/f", edge.Handle(s.answer))
	r.POST("/f/stay", edge.Handle(s.stay))
	r.GET("/f/again", edge.Handle(s.askAgain))
	r.POST("/f/again", edge.Handle(s.startAgain))
	r.GET("/f/keep", edge.Handle(s.askKeep))
	r.POST("/f/keep", edge.Handle(s.keep))
	r.GET("/f/safety", edge.Handle(s.safety))
	r.GET("/f/stopped", edge.Handle(s.stopped))
	cards.register(r, wide)
	r.GET("/withdraw", edge.Handle(s.askWithdrawal))
	r.POST("/withdraw", codes, edge.Handle(s.withdraw))
	r.GET("/x", edge.Handle(s.leave))
	r.POST("/x", edge.Handle(s.leave))
}

// frame is what every page carries.
type frame struct {
	page.Voice
	Dir     string
	Name    string
	LeaveTo string // address of the quick way out; empty where there is nothing to leave
	Support bool   // show where help is: never before the person has started
	Proxy   bool   // an advocate answers on the person's behalf
	Mode    survey.Mode
	Minutes int // after which the session ends by itself; 0: there is none
	Tongues []tongue
	Form    string // id of the form that goes with a change of language; empty: it is a link
	Keep    string // what addresses end in, so that a chosen language goes along outside a session
}

// tongue is one of the languages that a page can be read in.
type tongue struct {
	Code, Name string
	Here       bool
}

func (s *Pages) frame(lang string) frame {
	v := s.words.In(lang)
	f := frame{Voice: v, Dir: "ltr", Name: s.conf.Name, LeaveTo: "/x"}
	for _, l := range s.langs {
		f.Tongues = append(f.Tongues, tongue{l.Code, l.Name, l.Code == v.Lang})
		if l.Code == v.Lang {
			f.Dir = l.Direction
		}
	}
	return f
}

// offered reports whether a language is one of ours.
func (s *Pages) offered(lang string) bool {
	return slices.ContainsFunc(s.langs, func(l questionnaires.Language) bool { return l.Code == lang })
}

// chosen is the parameter of a page outside a session that says in which
// language it was asked for; inside one the session knows.
const chosen = "l"

// before is the frame of a page shown outside a session: in the language that was
// chosen there, or that the link is for, or that the browser asks for.
func (s *Pages) before(c *gin.Context, lang string) frame {
	if l := c.Query(chosen); s.offered(l) {
		f := s.frame(l)
		f.Keep = "?" + chosen + "=" + l
		return f
	}
	if lang != "" {
		return s.frame(lang)
	}
	wanted, _, _ := language.ParseAcceptLanguage(c.GetHeader("Accept-Language")) // what cannot be read asks for nothing
	for _, tag := range wanted {
		if base, _ := tag.Base(); s.offered(base.String()) {
			return s.frame(base.String())
		}
	}
	return s.frame(page.FallbackLanguage)
}

func (s *Pages) during(st survey.Sitting) frame {
	f := s.frame(st.Language)
	f.Support, f.Mode, f.Proxy = !st.Locked, st.Mode, st.Mode != survey.ModeSelf
	f.Form, f.Minutes = mainForm, s.survey.Policy().SittingMinutes
	return f
}

// mainForm is the id of a page's own form inside a session.
const mainForm = "q"

// nothing is the one page for whatever opens nothing: unknown, used, expired and
// revoked links, sessions that were left or ran out. It never says which.
func (s *Pages) nothing(c *gin.Context) error {
	f := s.before(c, "")
	f.LeaveTo = ""
	return s.book.Show(c, http.StatusNotFound, "nothing", f)
}

func (s *Pages) orNothing(c *gin.Context, err error) error {
	if survey.IsClosed(err) {
		return s.nothing(c)
	}
	return err
}

type doorPage struct {
	frame
	Token string
	Begun bool
	Card  bool // it was handed over: there are no messages to stop
	Typed bool // its code was typed, and is in no address
}

// door is what a mailed link shows. It changes nothing, whoever asks and however often.
func (s *Pages) door(c *gin.Context) error { return s.opening(c, c.Param("token")) }

func (s *Pages) opening(c *gin.Context, token string) error {
	d, err := s.survey.Follow(c.Request.Context(), token)
	if err != nil {
		return s.orNothing(c, err)
	}
	p := doorPage{frame: s.before(c, s.wanted(c, d.Language)), Token: token, Begun: d.Begun, Card: d.Card}
	if p.Typed = c.Request.Method == http.MethodPost; p.Typed {
		p.Form = mainForm
	}
	return s.book.Show(c, http.StatusOK, "door", p)
}

// begin opens a session; from here on no address holds the token.
func (s *Pages) begin(c *gin.Context) error {
	how := c.PostForm("how")
	if how != "start" && how != "quick" {
		return fault.New(fault.Invalid, "This form is not complete. Go back and try again.")
	}
	secret, _, err := s.survey.Begin(c.Request.Context(), c.Param("token"), s.wanted(c, ""), how == "quick")
	if err != nil {
		return s.orNothing(c, err)
	}
	s.SetSession(c, secret)
	return page.See(c, "/f?"+started+"=1")
}

// started marks the one request in which the browser must bring the cookie that
// it has just been given. It leads on to the bare address, so that history never
// holds it where cookies are kept.
const started = "s"

func (s *Pages) cookie() string {
	if s.conf.Secure {
		return "__Host-f"
	}
	return "f"
}

// SetSession gives the browser a survey session: a cookie with a neutral name
// that ends with the browser.
func (s *Pages) SetSession(c *gin.Context, secret string) {
	http.SetCookie(c.Writer, &http.Cookie{Name: s.cookie(), Value: secret, Path: "/", HttpOnly: true, Secure: s.conf.Secure, SameSite: http.SameSiteStrictMode}) //nolint:gosec // G124: Secure is set where the survey is reached over HTTPS; a demo on this machine is not
}

func (s *Pages) dropSession(c *gin.Context) {
	http.SetCookie(c.Writer, &http.Cookie{Name: s.cookie(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.conf.Secure, SameSite: http.SameSiteStrictMode}) //nolint:gosec // G124: as above
}

func (s *Pages) secret(c *gin.Context) string {
	v, err := c.Cookie(s.cookie())
	if err != nil || len(v) != survey.TokenLength {
		return ""
	}
	return v
}

func (s *Pages) sitting(c *gin.Context) (survey.Sitting, error) {
	secret := s.secret(c)
	if secret == "" {
		return survey.Sitting{}, survey.ErrClosed
	}
	return s.survey.Sitting(c.Request.Context(), secret)
}

// leave ends the session on the server and in the browser and goes somewhere
// neutral: without script, by the script's location.replace, from any page.
func (s *Pages) leave(c *gin.Context) error {
	if ahead(c) {
		return page.See(c, NeutralSite) // nobody has left yet
	}
	to := NeutralSite
	if secret := s.secret(c); secret != "" {
		if st, err := s.survey.Sitting(c.Request.Context(), secret); err == nil && st.Mode != survey.ModeSelf {
			to = "/work"
		}
		if err := s.survey.Leave(c.Request.Context(), secret); err != nil {
			s.conf.Log.Error("leaving did not end the session", "error", err) // the person leaves all the same
		}
	}
	s.dropSession(c)
	return page.See(c, to)
}

// ahead reports whether the browser asks before the person has.
func ahead(c *gin.Context) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz"} {
		if strings.Contains(strings.ToLower(c.GetHeader(name)), "prefetch") {
			return true
		}
	}
	return false
}

type refusalPage struct {
	frame
	Token    string
	NotMe    bool
	Done     bool
	Sure     page.Field
	Problems []page.Problem
}

func (s *Pages) askRefusal(notMe bool) edge.HandlerFunc {
	return func(c *gin.Context) error {
		d, err := s.mailed(c)
		if err != nil {
			return s.orNothing(c, err)
		}
		return s.refusal(c, d, notMe, http.StatusOK, "")
	}
}

// refusal asks for a tick and a button: a program that sends the forms it finds
// as they stand refuses nothing.
func (s *Pages) refusal(c *gin.Context, d survey.Door, notMe bool, status int, problem string) error {
	p := refusalPage{frame: s.before(c, d.Language), Token: c.Param("token"), NotMe: notMe}
	label := "refusal-stop-button"
	if notMe {
		label = "refusal-not-me-button"
	}
	var err error
	if p.Sure, p.Problems, err = p.sure(label, problem); err != nil {
		return err
	}
	return s.book.Show(c, status, "refusal", p)
}

// sure is the tick that goes with a deed that cannot be undone by itself.
func (f frame) sure(label, problem string) (page.Field, []page.Problem, error) {
	field := page.Field{Name: "sure"}
	var err error
	if field.Label, err = f.Say(label); err != nil || problem == "" {
		return field, nil, err
	}
	said, err := f.Say(problem)
	if err != nil {
		return field, nil, err
	}
	return field, []page.Problem{{Field: field.Name, Message: said}}, f.blame(&field, said)
}

// blame puts an error on a field, with the word before it in the page's language.
func (f frame) blame(field *page.Field, message string) error {
	if message == "" {
		return nil
	}
	word, err := f.Say("error-word")
	if err != nil {
		return err
	}
	field.Error, field.ErrorWord = message, word
	return nil
}

func (s *Pages) refuse(notMe bool) edge.HandlerFunc {
	return func(c *gin.Context) error {
		d, err := s.mailed(c)
		if err != nil {
			return s.orNothing(c, err)
		}
		if c.PostForm("sure") != "yes" {
			return s.refusal(c, d, notMe, http.StatusUnprocessableEntity, "refusal-tick")
		}
		if err := s.survey.Refuse(c.Request.Context(), c.Param("token"), notMe); err != nil {
			return s.orNothing(c, err)
		}
		return s.book.Show(c, http.StatusOK, "refusal", refusalPage{frame: s.before(c, d.Language), NotMe: notMe, Done: true})
	}
}

type introPage struct {
	frame
	Quick bool
}

type questionPage struct {
	frame
	ID       string
	Set      string // the questionnaire's version: the page may be sent to a newer program
	Title    string
	Opening  string
	Number   int // from 1
	Of       int
	Fields   []page.Field
	Kinds    []questionnaires.Kind
	Problems []page.Problem
	Again    bool // visited before: earlier answers are kept, and shown where the return code was given
	Open     bool
	Back     int // page number to go back to; 0: none
	Stage    survey.Stage
}

type lastPage struct {
	frame
	Ticks    page.Field
	Opening  string
	Back     int
	Problems []page.Problem
}

type thanksPage struct {
	frame
	Code    string
	Where   string // where answers can be taken back
	Alerted bool
}

// fleeting is the status of a page that shows inside a session. Browsers show 203
// as they show 200, but Chromium keeps no page in memory for Back whose status is
// not 200. With 200 it does, in spite of no-store, and without script nothing would
// blank such a page: Back would show what was chosen, and after leaving the page
// itself. A test in a real browser holds this.
const fleeting = http.StatusNonAuthoritativeInfo

// sheet shows where the person is: the page about leaving before the first
// question, a question page, one about themselves, the last page, or the thanks.
func (s *Pages) sheet(c *gin.Context) error {
	if c.Query(started) != "" {
		if s.secret(c) == "" {
			return s.book.Show(c, http.StatusOK, "cookies", s.before(c, ""))
		}
		return page.See(c, "/f")
	}
	st, err := s.sitting(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	if st.Locked {
		return s.word(c, fleeting, st, "", nil)
	}
	sh, err := s.survey.Sheet(c.Request.Context(), st)
	if err != nil {
		return s.orNothing(c, err)
	}
	if sh.Over {
		if !sh.Sent { // sent by somebody else, or elsewhere: neither the code nor what it led to is for whoever looks here
			return s.nothing(c)
		}
		return s.thanks(c, st, sh)
	}
	n, explicit := pageNumber(c)
	if !explicit {
		if !sh.Begun {
			return s.book.Show(c, fleeting, "intro", introPage{frame: s.during(st), Quick: st.Quick})
		}
		if sh.Returned {
			return s.again(c, fleeting, st, sh, "", nil)
		}
		n = sh.Next()
	}
	n = min(max(n, 1), sh.Next())
	switch about := n - len(sh.Pages); {
	case about > len(sh.About.Pages):
		return s.last(c, fleeting, st, sh, nil, nil)
	case about > 0:
		return s.about(c, fleeting, st, sh, about, nil, nil)
	}
	return s.question(c, fleeting, st, sh, n, nil, nil)
}

func pageNumber(c *gin.Context) (int, bool) {
	n, err := strconv.Atoi(c.Query("p"))
	return n, err == nil
}

func (s *Pages) thanks(c *gin.Context, st survey.Sitting, sh survey.Sheet) error {
	f := s.during(st)
	f.Minutes = 0 // they show for a while and no longer, whatever is pressed
	return s.book.Show(c, fleeting, "thanks", thanksPage{frame: f, Code: s.survey.ReceiptCode(st), Where: s.conf.Host + "/withdraw", Alerted: sh.Alerted})
}

func (s *Pages) question(c *gin.Context, status int, st survey.Sitting, sh survey.Sheet, n int, typed map[string][]string, problems []page.Problem) error {
	p := sh.Pages[n-1]
	text := sh.Questionnaire.Text(st.Language, st.Mode != survey.ModeSelf)
	title, opening := text.Page(p.ID)
	q := questionPage{frame: s.during(st), ID: p.ID, Set: sh.Questionnaire.ID, Title: title, Opening: opening, Number: n, Of: len(sh.Pages), Problems: problems, Again: p.Met(sh.Answers), Back: n - 1, Stage: st.Stage, Open: st.Open}
	for i := range p.Items {
		it := &p.Items[i]
		values := typed[it.ID]
		if st.Open && typed == nil {
			values = given(sh.Answers[it.ID])
		}
		f, err := s.field(it, text, q.Voice, st, values)
		if err != nil {
			return err
		}
		if err := q.blame(&f, page.ErrorOf(problems, it.ID)); err != nil {
			return err
		}
		if len(p.Items) == 1 {
			f.Legend = "big"
		}
		q.Fields, q.Kinds = append(q.Fields, f), append(q.Kinds, it.Kind)
	}
	return s.book.Show(c, status, "question", q)
}

// preferNot is the value of "rather not say", which every closed single question has.
const preferNot = "-prefer-not"

func (s *Pages) field(it *questionnaires.Item, text *questionnaires.Text, v page.Voice, st survey.Sitting, typed []string) (page.Field, error) {
	title, hint := text.Item(it.ID)
	f := page.Field{Name: it.ID, Label: title, Hint: hint, Values: typed}
	if it.Kind == questionnaires.Words {
		f.Values, f.Max, f.Rows = nil, questionnaires.MaxText, 6
		if len(typed) > 0 {
			f.Value = typed[0]
		}
		return f, nil
	}
	hasPrefer := false
	for _, o := range shuffled(it, st.Response) {
		choice := page.Choice{Value: o.Code, Label: text.Option(it.ID, o.Code), Hint: text.OptionHint(it.ID, o.Code), Exclusive: o.Exclusive}
		if o.Group != "" {
			choice.Group = text.Group(o.Group)
		}
		choice.Apart = o.State != questionnaires.Answered || o.Exclusive
		hasPrefer = hasPrefer || o.State == questionnaires.PreferNot
		f.Choices = append(f.Choices, choice)
	}
	if it.Kind == questionnaires.Single && !hasPrefer {
		label, err := v.Say("prefer-not")
		if err != nil {
			return page.Field{}, err
		}
		f.Choices = append(f.Choices, page.Choice{Value: preferNot, Label: label, Apart: true})
	}
	return f, nil
}

// given is an earlier answer as its form would send it.
func given(a questionnaires.Answer) []string {
	switch {
	case a.Text != "":
		return []string{a.Text}
	case a.Choice != "":
		return []string{a.Choice}
	case a.State == questionnaires.PreferNot:
		return []string{preferNot}
	}
	return a.Choices
}

// answer takes a page of answers. What was typed is never lost: a fault shows
// the page again with it, and a session that has ended meanwhile says so.
func (s *Pages) answer(c *gin.Context) error {
	ctx := c.Request.Context()
	st, err := s.sitting(c)
	late := false
	if survey.IsClosed(err) && s.secret(c) != "" {
		st, err = s.survey.RunOut(ctx, s.secret(c))
		late = err == nil
	}
	if err != nil {
		return s.orNothing(c, err)
	}
	if err := c.Request.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, err, "The form could not be read. Go back and try again.")
	}
	form := c.Request.PostForm
	if s.offered(form.Get("lang")) {
		form.Set("do", "next") // in a session that ran out what was typed is saved, and no more
		if !late {
			if st, _, err = s.speak(c, st); err != nil {
				return s.orNothing(c, err)
			}
			form.Set("do", "speak")
		}
	}
	if st.Locked {
		return s.giveWord(c, st, form)
	}
	st.Shown = form.Get("set")
	sh, err := s.survey.Sheet(ctx, st)
	if err != nil {
		return s.orNothing(c, err)
	}
	if sh.Over {
		if late {
			return s.nothing(c)
		}
		return see(c, "/f") // sent already, from another tab: the thanks are there
	}
	if form.Has("about") {
		return s.answerAbout(c, st, sh, late)
	}
	switch do := form.Get("do"); {
	case late && (do == "begin" || do == "carry" || do == "code" || do == "send"):
		return see(c, "/f/stopped"+s.keepTongue(st)) // nothing was typed; the link leads on
	case do == "begin":
		return see(c, "/f?p=1")
	case do == "carry":
		return s.carryOn(c, st)
	case do == "code":
		return s.giveCode(c, st, sh, form.Get("word"))
	case do == "speak" && form.Get("at") != "":
		return s.reread(c, st, sh, form)
	case do == "send":
		return s.send(c, st, sh)
	case do == "stop" && form.Get("page") == "": // on the last page
		return s.stop(c, st)
	case do == "next", do == "stop", do == "keep", do == "speak":
	default:
		return fault.New(fault.Invalid, "This form is not complete. Go back and try again.")
	}
	n := 0
	for i := range sh.Pages {
		if sh.Pages[i].ID == form.Get("page") {
			n = i + 1
		}
	}
	if n == 0 {
		return fault.New(fault.Invalid, "This page is not part of your questions any more. Go back to the questions and carry on.")
	}
	if form.Get("do") == "speak" {
		return s.question(c, fleeting, st, sh, n, form, nil)
	}
	answers, err := readAnswers(sh.Pages[n-1], form)
	if err != nil {
		return err
	}
	if err := s.survey.Save(ctx, st, sh.Pages[n-1], answers); err != nil {
		var fields []fault.Field
		if fields = fault.FieldsOf(err); len(fields) > 0 {
			problems := s.explain(st, sh, fields)
			return s.question(c, http.StatusUnprocessableEntity, st, sh, n, form, problems)
		}
		if fault.Is(err, fault.Conflict) {
			return see(c, "/f")
		}
		return s.orNothing(c, err)
	}
	switch {
	case form.Get("do") == "stop":
		return s.stop(c, st)
	case form.Get("do") == "keep" && !late:
		return see(c, "/f/keep")
	case late:
		return see(c, "/f/stopped"+s.keepTongue(st)) // what was typed is kept; nothing is shown through a session that ran out
	}
	return see(c, "/f?p="+strconv.Itoa(n+1))
}

// see leads on to another page. The script that sends a form without leaving its
// page, so that nothing typed is lost where nothing answers, is told where to.
func see(c *gin.Context, to string) error {
	if c.GetHeader("Prefer") == "return=minimal" {
		c.Header("Location", to)
		c.Status(http.StatusNoContent)
		return nil
	}
	return page.See(c, to)
}

// stop ends a session in which all that was typed is kept.
func (s *Pages) stop(c *gin.Context, st survey.Sitting) error {
	if err := s.survey.Leave(c.Request.Context(), s.secret(c)); err != nil {
		return err
	}
	s.dropSession(c)
	if st.Mode != survey.ModeSelf {
		return see(c, "/work")
	}
	return see(c, "/f/stopped"+s.keepTongue(st))
}

// keepTongue lets the language of a session that is over go along.
func (s *Pages) keepTongue(st survey.Sitting) string { return "?" + chosen + "=" + st.Language }

// explain turns the questionnaire's messages into the person's language.
func (s *Pages) explain(st survey.Sitting, sh survey.Sheet, fields []fault.Field) []page.Problem {
	v := s.words.In(st.Language)
	var out []page.Problem
	for _, f := range fields {
		key := "error-answer"
		switch f.Message {
		case questionnaires.MsgTooLong:
			key = "error-too-long"
		case questionnaires.MsgExclusive:
			key = "error-exclusive"
		case questionnaires.MsgNotUTF8:
			key = "error-unreadable"
		}
		text, err := v.Say(key)
		if err != nil {
			text = f.Message
		}
		out = append(out, page.Problem{Field: f.Field, Message: text})
	}
	return out
}

// readAnswers reads a page's fields. A field that is not on the page is a form
// that was tampered with, and nothing of it is taken.
func readAnswers(p questionnaires.Page, form map[string][]string) (questionnaires.Answers, error) {
	answers := questionnaires.Answers{}
	known := map[string]bool{"page": true, "set": true, "do": true, "lang": true}
	for i := range p.Items {
		it := &p.Items[i]
		known[it.ID] = true
		values := form[it.ID]
		switch {
		case len(values) == 0:
		case it.Kind == questionnaires.Words:
			answers[it.ID] = it.Write(strings.Join(values, "\n"))
		case it.Kind == questionnaires.Single && len(values) == 1 && values[0] == preferNot:
			answers[it.ID] = questionnaires.Answer{State: questionnaires.PreferNot}
		default:
			answers[it.ID] = it.Choose(values...)
		}
	}
	for name := range form {
		if !known[name] {
			return nil, fault.New(fault.Invalid, "This form has something in it that is not on the page. Nothing of it was kept. Go back and try again.")
		}
	}
	return answers, nil
}

func (s *Pages) last(c *gin.Context, status int, st survey.Sitting, sh survey.Sheet, typed []string, problems []page.Problem) error {
	q := s.survey.Questionnaires().Ticks()
	text := q.Text(st.Language, st.Mode != survey.ModeSelf)
	it, ok := q.Item(questionnaires.TicksItem)
	if !ok {
		return errors.New("the permissions have no item")
	}
	title, hint := text.Item(it.ID)
	f := page.Field{Name: it.ID, Label: title, Hint: hint, Values: typed}
	for _, o := range it.Options {
		f.Choices = append(f.Choices, page.Choice{Value: o.Code, Label: text.Option(it.ID, o.Code), Hint: text.OptionHint(it.ID, o.Code)})
	}
	_, opening := text.Page(q.Pages[0].ID)
	return s.book.Show(c, status, "last", lastPage{frame: s.during(st), Ticks: f, Opening: opening, Back: len(sh.Pages) + len(sh.About.Pages), Problems: problems})
}

// send keeps the response and draws what follows from it at once: the alert is
// stored before the thanks are shown.
func (s *Pages) send(c *gin.Context, st survey.Sitting, sh survey.Sheet) error {
	ctx := c.Request.Context()
	if sh.Reach < len(sh.Pages) {
		return see(c, "/f?p="+strconv.Itoa(sh.Reach+1))
	}
	var ticks survey.Ticks
	for _, v := range c.PostFormArray(questionnaires.TicksItem) {
		switch v {
		case questionnaires.TickQuote:
			ticks.Quote = true
		case questionnaires.TickTold:
			ticks.Told = true
		case questionnaires.TickContact:
			ticks.Contact = true
		case questionnaires.TickShare:
			ticks.Share = true
		default:
			return fault.New(fault.Invalid, "This form has something in it that is not on the page. Nothing of it was kept. Go back and try again.")
		}
	}
	if st.Mode == survey.ModeObserved && ticks != (survey.Ticks{}) {
		return fault.New(fault.Invalid, "This form has something in it that is not on the page. Nothing of it was kept. Go back and try again.")
	}
	r, _, err := s.survey.Submit(ctx, st, ticks)
	if fault.Is(err, fault.Invalid) {
		text, err := s.words.In(st.Language).Say("error-nothing")
		if err != nil {
			return err
		}
		return s.last(c, http.StatusUnprocessableEntity, st, sh, c.PostFormArray(questionnaires.TicksItem), []page.Problem{{Message: text}})
	}
	if err != nil {
		return s.orNothing(c, err)
	}
	if err := s.loop.FollowUp(ctx, &r); err != nil {
		// The response is kept, with its hits on it, and the sweep will draw what follows.
		s.conf.Log.Error("a response was not followed up at once", "response", r.ID, "error", err)
		if len(r.Hits) > 0 {
			return err
		}
	}
	return see(c, "/f")
}

func (s *Pages) stopped(c *gin.Context) error {
	return s.book.Show(c, http.StatusOK, "stopped", s.before(c, ""))
}

func (s *Pages) safety(c *gin.Context) error {
	st, err := s.unlocked(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	return s.book.Show(c, fleeting, "safety", s.during(st))
}

type withdrawPage struct {
	frame
	Code     page.Field
	Problems []page.Problem
	Done     bool
}

func (s *Pages) askWithdrawal(c *gin.Context) error {
	return s.withdrawForm(c, http.StatusOK, "", nil)
}

func (s *Pages) withdrawForm(c *gin.Context, status int, typed string, problems []page.Problem) error {
	f := s.before(c, "")
	label, err := f.Say("withdraw-label")
	if err != nil {
		return err
	}
	hint, err := f.Say("withdraw-hint")
	if err != nil {
		return err
	}
	field := page.Field{Name: "code", Label: label, Hint: hint, Value: typed, Max: 60}
	if err := f.blame(&field, page.ErrorOf(problems, "code")); err != nil {
		return err
	}
	return s.book.Show(c, status, "withdraw", withdrawPage{frame: f, Code: field, Problems: problems})
}

// withdraw takes answers back by their receipt code. A code that is well formed
// but opens nothing gets the same page as one that did.
func (s *Pages) withdraw(c *gin.Context) error {
	ctx := c.Request.Context()
	typed := c.PostForm("code")
	r, err := s.survey.WithdrawAnswers(ctx, typed)
	switch {
	case fault.Is(err, fault.Invalid):
		text, sayErr := s.before(c, "").Say("error-code")
		if sayErr != nil {
			return sayErr
		}
		if len(typed) > 60 {
			typed = ""
		}
		return s.withdrawForm(c, http.StatusUnprocessableEntity, typed, []page.Problem{{Field: "code", Message: text}})
	case survey.IsClosed(err):
	case err != nil:
		return err
	default:
		if err := s.loop.FollowUp(ctx, &r); err != nil {
			s.conf.Log.Error("a withdrawn response was not followed up at once", "response", r.ID, "error", err)
		}
	}
	return s.book.Show(c, http.StatusOK, "withdraw", withdrawPage{frame: s.before(c, ""), Done: true})
}

type problemPage struct {
	frame
	Detail string
	Again  []typed // what was sent, to be sent again
	To     string  // and where to
}

// typed is one value of a form.
type typed struct{ Name, Value string }

// Owns reports whether an address is one of the survey's, so that an error there
// is shown as a survey page.
func Owns(path string) bool {
	return path == "/f" || path == "/x" || path == "/withdraw" || slices.Contains(cardPaths[:], path) || strings.HasPrefix(path, "/f/")
}

// Alone keeps an address that the survey has to itself to the survey's own pages:
// whoever shortens a link meets the neutral page, and not a place to sign in at
// with a telling name. It goes before all routes, where the two addresses differ.
func (s *Pages) Alone() gin.HandlerFunc {
	return func(c *gin.Context) {
		path := c.Request.URL.Path
		if s.Here(c) && !Owns(path) && !strings.HasPrefix(path, page.StaticPrefix) && path != "/healthz" && path != "/readyz" {
			edge.Handle(s.nothing)(c)
			c.Abort()
		}
	}
}

// Here reports whether a request came to the survey's address.
func (s *Pages) Here(c *gin.Context) bool { return strings.EqualFold(c.Request.Host, s.conf.Host) }

// Problem shows an error as a survey page: what may be shown of it, and the way
// back. An address that is none looks like a link that opens nothing. Where a part
// of ours is away, what was typed goes with the page, so that it can be sent again.
func (s *Pages) Problem(c *gin.Context, p edge.Problem) {
	if p.Status == http.StatusNotFound {
		if err := s.nothing(c); err == nil {
			return
		}
	}
	q := problemPage{frame: s.before(c, ""), Detail: p.Detail}
	passing := p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests
	if passing || q.Lang != page.FallbackLanguage { // the details are written in one language
		q.Detail = ""
	}
	q.To = "/f"
	if slices.Contains(cardPaths[:], c.Request.URL.Path) {
		q.To = cardPath
	}
	if passing && c.Request.Method == http.MethodPost && (c.Request.URL.Path == "/f" || q.To == cardPath) && c.Request.ParseForm() == nil {
		for _, name := range slices.Sorted(maps.Keys(c.Request.PostForm)) {
			for _, v := range c.Request.PostForm[name] {
				q.Again = append(q.Again, typed{name, v})
			}
		}
	}
	if err := s.book.Show(c, p.Status, "problem", q); err != nil {
		c.String(p.Status, "%s", p.Title)
	}
}
