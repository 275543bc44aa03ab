package workspace

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/edge"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
	"victimvoice/web/public"
	"victimvoice/web/victim"
)

// present is the Monday on which the tests take place, at four in the afternoon.
var present = time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)

const (
	force    = "Metropolitan Police"
	password = "correct horse battery staple"
)

// world is the whole workspace over real services and an empty store of its own.
type world struct {
	t        *testing.T
	now      time.Time
	store    *sqlite.Store
	keys     *seal.Keys
	access   *access.Service
	parts    survey.Parts // that survey is made of
	survey   *survey.Service
	analysis *analysis.Service
	loop     *loop.Service
	pages    *Pages
	engine   *gin.Engine
	opened   []string // secrets of survey sessions given to browsers
	tokens   map[string]string
	users    map[string]access.User
}

var (
	ann  = "ann"  // advocate
	ben  = "ben"  // another advocate
	cora = "cora" // commissioner
	adam = "adam" // administrator
	ines = "ines" // analyst
)

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fixed are the parts that never change, read once for all tests.
var fixed = sync.OnceValues(func() (parts struct {
	sets  *questionnaires.Set
	book  *codebook.Codebook
	coder *coding.Coder
}, err error) {
	if parts.sets, err = questionnaires.Load(); err != nil {
		return parts, err
	}
	if parts.book, err = codebook.Load(); err != nil {
		return parts, err
	}
	parts.coder, err = coding.New(parts.book)
	return parts, err
})

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: present, tokens: map[string]string{}, users: map[string]access.User{}}
	now := func() time.Time { return w.now }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w.store = must(sqlite.OpenTemp(ctx))(t)
	t.Cleanup(func() { _ = w.store.Close() })
	keys := must(seal.Parse(must(seal.NewKeyset())(t)))(t)
	w.keys = keys
	record := audit.New(w.store, now, keys.Subkey("audit"))
	conf := access.DefaultConfig()
	conf.Password = access.PasswordParams{MemoryKiB: 64, Passes: 1, Lanes: 1}
	w.access = access.New(w.store.Access(), keys, record, now, conf)
	parts := must(fixed())(t)
	w.parts = survey.Parts{Store: w.store, Keys: keys, Audit: record, Policy: must(survey.DefaultPolicy())(t), Geography: must(survey.DefaultGeography())(t), Questionnaires: parts.sets, Now: now, Log: log}
	w.survey = survey.NewService(w.parts)
	panel := must(figures.New(parts.sets, []figures.Theme{{Code: "COM_UPDATES", Title: "Being kept informed", Construct: "communication"}}))(t)
	w.analysis = analysis.NewService(w.store, w.store, w.store, w.store, w.survey, parts.coder, parts.book, panel, keys, record, now, log)
	w.loop = loop.NewService(w.store, w.survey, w.analysis, keys, record, now, log)
	pages := must(victim.New(w.survey, w.loop, victim.Config{Name: "Feedback", Host: "feedback.example.org", Secure: true, Now: now, Log: log}))(t)
	w.pages = must(New(Parts{
		Card:   pages.Card,
		Access: w.access, Survey: w.survey, Analysis: w.analysis, Emerging: analysis.NewEmerging(w.analysis, w.store, record), Advising: analysis.NewAdvising(w.analysis, w.store, record), Timeline: analysis.NewTimeline(w.analysis, w.store, record), OpenData: analysis.NewOpenData(w.analysis, w.store, record), Loop: w.loop, Audit: record, Backlog: w.store.OutboxBacklog,
		OpenSurvey: func(_ *gin.Context, secret string) { w.opened = append(w.opened, secret) },
		BaseURL:    "https://voice.example.org", Now: now,
	}))(t)
	w.engine = must(edge.NewEngine(edge.Config{Log: log, Now: now, Page: w.pages.Problem}))(t)
	if err := page.Static(w.engine); err != nil {
		t.Fatal(err)
	}
	w.pages.Register(w.engine)
	must(public.New(w.loop, analysis.NewOpenData(w.analysis, w.store, record), panel.Measure))(t).Register(w.engine)
	return w
}

// staff makes an account of each role and signs it in.
func (w *world) staff() *world {
	w.t.Helper()
	for _, p := range []struct {
		name string
		role access.Role
	}{{ann, access.Advocate}, {ben, access.Advocate}, {cora, access.Commissioner}, {adam, access.Administrator}, {ines, access.Analyst}} {
		w.person(p.name, "", p.role)
	}
	return w
}

func (w *world) person(name, force string, roles ...access.Role) {
	w.t.Helper()
	ctx := context.Background()
	u, _, err := w.access.AddUser(ctx, access.Operator(), access.NewUser{Email: name + "@example.org", Name: strings.ToUpper(name[:1]) + name[1:] + " Example", Roles: roles, Force: force, Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	token, _, err := w.access.SignIn(ctx, name+"@example.org", password, "192.0.2.1")
	if err != nil {
		w.t.Fatal(err)
	}
	w.users[name], w.tokens[name] = u, token
}

// answer is what came back: status, body, where to.
type answer struct {
	*httptest.ResponseRecorder
	body, to string
}

func (w *world) do(as, method, path string, form url.Values) answer {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token := w.tokens[as]; token != "" {
		r.AddCookie(&http.Cookie{Name: "staff", Value: token})
	}
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, r)
	return answer{rec, rec.Body.String(), rec.Header().Get("Location")}
}

func (w *world) get(as, path string) answer { w.t.Helper(); return w.do(as, http.MethodGet, path, nil) }

// page gets a page that must be there, and looks at it as [checkHTML] does.
func (w *world) page(as, path string) string {
	w.t.Helper()
	a := w.get(as, path)
	if a.Code != http.StatusOK {
		w.t.Fatalf("GET %s as %s: %d\n%s", path, as, a.Code, a.body)
	}
	checkHTML(w.t, path, a.body)
	if as != "" && path != "/public" && (!strings.Contains(a.body, strings.ToUpper(as[:1])+as[1:]+" Example, ") || !strings.Contains(a.body, "Sign out")) {
		w.t.Errorf("GET %s does not say who is signed in", path)
	}
	return a.body
}

func (w *world) post(as, path string, pairs ...string) answer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return w.do(as, http.MethodPost, path, form)
}

// want fails unless the answer has this status and every one of these texts.
func (w *world) want(a answer, status int, texts ...string) {
	w.t.Helper()
	if a.Code != status {
		w.t.Fatalf("status %d, want %d: %s", a.Code, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			w.t.Errorf("the page does not say %q:\n%s", text, a.body)
		}
	}
	if strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") && status != http.StatusSeeOther {
		checkHTML(w.t, "", a.body)
	}
}

// event is a case event of the test's force.
func (w *world) event(ref string, kind survey.EventType, at time.Time, set func(*survey.Event)) {
	w.t.Helper()
	e := survey.Event{EventID: fmt.Sprintf("%s-%s-%d", ref, kind, at.Unix()), CaseRef: ref, Type: kind, OccurredAt: at, Force: force}
	if set != nil {
		set(&e)
	}
	if _, err := w.survey.At(func() time.Time { return at }).Receive(context.Background(), e); err != nil {
		w.t.Fatal(err)
	}
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// reported brings a case in: an adult with a safe address and Ann as advocate,
// unless set says otherwise.
func (w *world) reported(ref string, at time.Time, set func(*survey.Event)) string {
	w.t.Helper()
	w.event(ref, survey.Reported, at, func(e *survey.Event) {
		e.Borough, e.Offence, e.DomesticAbuse, e.Adult, e.Advocate = "Ealing", "stalking-2a", yes(), yes(), "ann@example.org"
		e.Contact = &survey.Contact{Email: strings.ToLower(ref) + "@example.org", Language: "en", EmailSafe: yes(), SafeConfirmedAt: &at, SafeDays: []string{"mon", "tue", "wed", "thu", "fri"}, SafeFrom: "09:00", SafeTo: "17:00"}
		if set != nil {
			set(e)
		}
	})
	return w.survey.CaseID(force, ref)
}

// mail lets the mail of one case that is due by then go out, and gives the token of the last link.
func (w *world) mail(caseID string, at time.Time, became survey.Delivery) string {
	w.t.Helper()
	ctx, s := context.Background(), w.survey.At(func() time.Time { return at })
	var errands []survey.Errand
	if _, err := s.DueCase(ctx, caseID, func(_ context.Context, e survey.Errand) error { errands = append(errands, e); return nil }); err != nil {
		w.t.Fatal(err)
	}
	if len(errands) == 0 {
		w.t.Fatalf("no mail is due for the case at %s", at)
	}
	m, err := s.Claim(ctx, errands[0])
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.Settled(ctx, errands[0], became); err != nil {
		w.t.Fatal(err)
	}
	return m.Token
}

// respond answers a survey through its link: by item, the options chosen or the words.
func (w *world) respond(token string, at time.Time, ticks survey.Ticks, given map[string]string) survey.Response {
	w.t.Helper()
	ctx, clock := context.Background(), func() time.Time { return at }
	s := w.survey.At(clock)
	_, st, err := s.Begin(ctx, token, "en", false)
	if err != nil {
		w.t.Fatal(err)
	}
	sheet := must(s.Sheet(ctx, st))(w.t)
	for _, p := range sheet.Pages {
		answers := questionnaires.Answers{}
		for i := range p.Items {
			it := &p.Items[i]
			switch value := given[it.ID]; {
			case value == "":
			case it.Closed():
				answers[it.ID] = it.Choose(strings.Split(value, "+")...)
			default:
				answers[it.ID] = it.Write(value)
			}
		}
		if err := s.Save(ctx, st, p, answers); err != nil {
			w.t.Fatal(err)
		}
	}
	r, _, err := s.Submit(ctx, st, ticks)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.loop.At(s, clock).FollowUp(ctx, &r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// caseload brings in a case of each kind that a desk shows, and gives their ids by reference.
func (w *world) caseload() map[string]string {
	w.t.Helper()
	day := func(n int) time.Time { return present.AddDate(0, 0, -n).Add(-5 * time.Hour) }
	ids := map[string]string{}
	ids["MPS-1001"] = w.reported("MPS-1001", day(4), nil) // invited on Friday, reminder to come
	w.mail(ids["MPS-1001"], day(3), survey.Delivered)
	ids["MPS-1002"] = w.reported("MPS-1002", day(5), func(e *survey.Event) { e.Contact.EmailSafe = no() })
	ids["MPS-1003"] = w.reported("MPS-1003", day(6), func(e *survey.Event) { e.Offence = "stalking-4a" }) // answers, and is in danger
	w.respond(w.mail(ids["MPS-1003"], day(4), survey.Delivered), present.AddDate(0, 0, -3), survey.Ticks{Share: true, Contact: true},
		map[string]string{"core.confidence": "not-very", "core.safer": "much-less-safe", "open.better": "He has a knife. <b>Nobody</b> rang me back."})
	ids["MPS-1004"] = w.reported("MPS-1004", day(5), func(e *survey.Event) { e.Adult = no() })
	ids["MPS-1005"] = w.reported("MPS-1005", day(60), nil) // asked for no more mail
	w.event("MPS-1005", survey.OptedOut, day(50), nil)
	ids["MPS-1006"] = w.reported("MPS-1006", day(12), nil)
	w.event("MPS-1006", survey.Withdrew, day(5), func(e *survey.Event) { e.Reason = "fear" })
	ids["MPS-1007"] = w.reported("MPS-1007", day(90), nil) // closed, and nobody told them
	w.event("MPS-1007", survey.Closed, day(9), func(e *survey.Event) { e.Outcome = "nfa-evidential" })
	ids["MPS-1008"] = w.reported("MPS-1008", day(20), nil)
	w.event("MPS-1008", survey.HoldPlaced, day(3), nil)
	ids["MPS-1009"] = w.reported("MPS-1009", day(0), nil) // a few hours ago
	ids["MPS-1010"] = w.reported("MPS-1010", day(8), nil) // the mail came back
	w.mail(ids["MPS-1010"], day(6), survey.Rejected)
	ids["MPS-2001"] = w.reported("MPS-2001", day(6), func(e *survey.Event) { e.Advocate = "ben@example.org" })
	// Answers Ben's, with a danger sign, and does not share it.
	w.respond(w.mail(ids["MPS-2001"], day(4), survey.Delivered), present.AddDate(0, 0, -1), survey.Ticks{}, map[string]string{"core.safer": "much-less-safe", "open.better": "I want to die."})
	return ids
}

// answersOver fills the panel: four years of answers at each stage, better informed
// after the report from January 2026 on.
func (w *world) answersOver(perMonth int) {
	w.t.Helper()
	rng := rand.New(rand.NewPCG(7, 11))
	sets := w.survey.Questionnaires()
	pick := func(p float64) bool { return rng.Float64() < p }
	scale := func(good bool, yes, no [2]string) string {
		if good {
			return yes[rng.IntN(2)]
		}
		return no[rng.IntN(2)]
	}
	units := []string{"Central West", "South West", "Central South", "North East"}
	var cases []figures.CaseRow
	var responses []figures.ResponseRow
	for m := range 47 {
		month := time.Date(2023, time.January+time.Month(m), 1, 12, 0, 0, 0, time.UTC)
		for _, stage := range survey.Stages() {
			q := sets.Current(stage)
			for i := range perMonth * []int{4, 3, 2, 1}[slices.Index(survey.Stages(), stage)] {
				at := month.Add(time.Duration(rng.IntN(27*24)) * time.Hour)
				key := fmt.Sprintf("%s-%d-%d", stage, m, i)
				informed := 0.42
				if stage == survey.StageReport && m >= 36 {
					informed = 0.58
				}
				a := questionnaires.Answers{}
				for id, code := range map[string]string{
					"core.confidence": scale(pick(.47), [2]string{"very", "fairly"}, [2]string{"not-very", "not-at-all"}),
					"core.informed":   scale(pick(informed), [2]string{"very-well", "fairly-well"}, [2]string{"not-very-well", "not-at-all-well"}),
					"core.advice":     scale(pick(.53), [2]string{"strongly-agree", "agree"}, [2]string{"disagree", "strongly-disagree"}),
				} {
					it, _ := q.Item(id)
					a[id] = it.Choose(code)
				}
				ask := figures.AskRow{Stage: string(stage), Round: 1, DueAt: at, SentAt: at, Disposition: figures.Completed}
				cases = append(cases, figures.CaseRow{Key: key, ChangedAt: at, Force: force, BCU: units[i%len(units)], Borough: units[i%len(units)], Offence: "stalking-2a", ReportedAt: at, Asks: []figures.AskRow{ask}})
				for k, d := range []figures.Disposition{figures.NotSafe, figures.NoResponse, figures.NoResponse, figures.Undelivered, figures.Started, figures.Ineligible} {
					if i%4 != 0 {
						continue // one in four has others beside it who did not answer
					}
					other := ask
					other.Disposition = d
					cases = append(cases, figures.CaseRow{Key: fmt.Sprintf("%s-%d", key, k), ChangedAt: at, Force: force, BCU: units[i%len(units)], Borough: units[i%len(units)], Asks: []figures.AskRow{other}})
				}
				responses = append(responses, figures.ResponseRow{ID: key, CaseKey: key, Stage: string(stage), Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(a)})
			}
		}
	}
	w.analysis.Panel().ApplyCases(cases...)
	if err := w.analysis.Panel().ApplyResponses(responses...); err != nil {
		w.t.Fatal(err)
	}
}
