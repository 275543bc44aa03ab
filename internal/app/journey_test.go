package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/api/extract"
	"victimvoice/internal/access"
	"victimvoice/internal/app"
	"victimvoice/internal/config"
	"victimvoice/internal/seal"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// clock is the journey's own time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// postbox takes mails as a mail server would.
type postbox struct {
	mu    sync.Mutex
	mails []notifications.Envelope
}

func (p *postbox) Send(_ context.Context, e notifications.Envelope) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, e)
	return nil
}

func (p *postbox) take() []notifications.Envelope {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.mails
	p.mails = nil
	return out
}

// journey is a whole system with its people.
type journey struct {
	t      *testing.T
	clock  *clock
	post   *postbox
	store  app.Store
	sys    *app.System
	server *httptest.Server
	apiKey string
	words  map[string]string // password by role
}

func quickPasswords() access.Config {
	conf := access.DefaultConfig()
	conf.Password = access.PasswordParams{MemoryKiB: 64, Passes: 1, Lanes: 1}
	return conf
}

func begin(t *testing.T, store app.Store) *journey {
	t.Helper()
	raw, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	j := &journey{t: t, clock: &clock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, post: &postbox{}, store: store, words: map[string]string{}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rooms, err := app.Furnish(store, keys, j.clock.Now, log, quickPasswords())
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	cfg := &config.Config{BaseURL: base, SurveyURL: base, SurveyName: "Feedback", MailFrom: mail.Address{Name: "Feedback", Address: "feedback@example.org"}}
	if j.sys, err = app.Assemble(rooms, cfg, j.post, "web", "worker"); err != nil {
		t.Fatal(err)
	}
	j.server = httptest.NewServer(j.sys.Engine)
	t.Cleanup(j.server.Close)
	for role, email := range map[access.Role]string{access.Advocate: "advocate1@example.org", access.Commissioner: "commissioner@example.org", access.Administrator: "administrator@example.org"} {
		j.words[string(role)] = "kettle-amber-" + seal.NewToken()[:8]
		if _, _, err := rooms.Access.AddUser(t.Context(), access.Operator(), access.NewUser{Email: email, Name: "Test " + string(role), Roles: []access.Role{role}, Password: j.words[string(role)]}); err != nil {
			t.Fatal(err)
		}
	}
	if j.apiKey, _, err = rooms.Access.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{
		Label: "test", Force: "Metropolitan Police", Scopes: []access.Scope{access.EventsWrite, access.BouncesWrite, access.FiguresGet},
	}); err != nil {
		t.Fatal(err)
	}
	return j
}

// work runs every background task until nothing is left to do.
func (j *journey) work() {
	j.t.Helper()
	if err := j.sys.Runner.Once(j.t.Context(), 50); err != nil {
		j.t.Fatal(err)
	}
}

// machine calls the API with the key.
func (j *journey) machine(method, path, kind string, body any) (int, []byte) {
	j.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			j.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(j.t.Context(), method, j.server.URL+path, in)
	if err != nil {
		j.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+j.apiKey)
	if in != nil {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		j.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		j.t.Fatal(err)
	}
	return resp.StatusCode, out
}

// person is a browser: it keeps cookies and does not follow redirects by itself.
type person struct {
	j      *journey
	client *http.Client
}

func (j *journey) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		j.t.Fatal(err)
	}
	return &person{j: j, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (p *person) do(method, path string, form url.Values) (status int, location, body string) {
	t := p.j.t
	t.Helper()
	var in io.Reader
	if form != nil {
		in = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.j.server.URL+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(b)
}

// get wants a page and gives it.
func (p *person) get(path string, texts ...string) string {
	p.j.t.Helper()
	status, _, body := p.do("GET", path, nil)
	if status != 200 && status != 203 { // 203: a page of a survey session
		p.j.t.Fatalf("GET %s answers %d:\n%s", path, status, body)
	}
	for _, s := range texts {
		if !strings.Contains(body, s) {
			p.j.t.Fatalf("GET %s does not show %q:\n%s", path, s, body)
		}
	}
	return body
}

// send posts a form, wants it taken, and gives where it leads.
func (p *person) send(path string, form url.Values) string {
	p.j.t.Helper()
	status, to, body := p.do("POST", path, form)
	if status != 303 {
		p.j.t.Fatalf("POST %s answers %d:\n%s", path, status, body)
	}
	return to
}

func (j *journey) signIn(role, email string) *person {
	j.t.Helper()
	p := j.person()
	p.send("/signin", url.Values{"email": {email}, "password": {j.words[role]}})
	return p
}

var (
	linkInMail = regexp.MustCompile(`http://127\.0\.0\.1:1(/f/[a-z2-7]+)\b`)
	pageID     = regexp.MustCompile(`name="(page|about)" value="([^"]+)"`) // of the questions, and of those about the person
	choice     = regexp.MustCompile(`type="(?:radio|checkbox)" name="([^"]+)" value="([^"]+)"`)
	area       = regexp.MustCompile(`<textarea id="([^"]+)"`)
)

// link reads a mail as its reader would and gives the path of its link.
func (j *journey) link(e notifications.Envelope) string {
	j.t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(e.Raw))
	if err != nil {
		j.t.Fatal(err)
	}
	raw, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		j.t.Fatal(err)
	}
	found := linkInMail.FindSubmatch(raw)
	if found == nil {
		j.t.Fatalf("no link in the mail:\n%s", raw)
	}
	return string(found[1])
}

// answer goes on through the questions from where the person is, until the last
// page or pages were answered. wish says what to choose for an item; others get
// their first option.
func (p *person) answer(pages int, words string, wish map[string]string) {
	p.j.t.Helper()
	for range pages {
		body := p.get("/f")
		if strings.Contains(body, `value="carry"`) { // been here before
			p.send("/f", url.Values{"do": {"carry"}})
			body = p.get("/f")
		}
		id := pageID.FindStringSubmatch(body)
		if id == nil {
			if strings.Contains(body, `value="begin"`) {
				p.send("/f", url.Values{"do": {"begin"}})
				body = p.get("/f?p=1")
				id = pageID.FindStringSubmatch(body)
			}
			if id == nil {
				return
			}
		}
		form := url.Values{"do": {"next"}, id[1]: {id[2]}}
		for _, c := range choice.FindAllStringSubmatch(body, -1) {
			want, wished := wish[c[1]]
			if wished && want == c[2] || !wished && !form.Has(c[1]) {
				form.Set(c[1], c[2])
			}
		}
		for item := range wish {
			if strings.Contains(body, `name="`+item+`"`) && !form.Has(item) {
				p.j.t.Fatalf("%s does not offer what was wished for", item)
			}
		}
		for _, a := range area.FindAllStringSubmatch(body, -1) {
			if words != "" {
				form.Set(a[1], words)
			}
		}
		p.send("/f", form)
	}
}

func reportedEvent(n int, at time.Time) map[string]any {
	return map[string]any{
		"event_id": fmt.Sprintf("e-%d", n), "case_ref": fmt.Sprintf("%07d/26", n), "type": "reported", "occurred_at": at.Format(time.RFC3339),
		"force": "Metropolitan Police", "borough": "Ealing", "offence": "stalking-2a", "domestic_abuse": true, "adult": true, "advocate": "advocate1@example.org",
		"contact": map[string]any{"email": fmt.Sprintf("person%d@example.org", n), "language": "en", "email_safe": true, "safe_confirmed_at": at.Format(time.RFC3339), "safe_from": "00:00", "safe_to": "23:59"},
	}
}

// walk goes through the fourteen steps of the story, in their order.
func walk(t *testing.T, store app.Store, file string) {
	ctx := t.Context()
	j := begin(t, store)
	const people = 40

	// 1. A police system tells us of case events, over HTTP and in a file.
	start := j.clock.Now()
	one := reportedEvent(1, start.Add(-time.Hour))
	for i, want := range []int{202, 200} {
		if status, body := j.machine("POST", "/api/v1/events", "application/json", one); status != want {
			t.Fatalf("event, time %d: %d %s", i+1, status, body)
		}
	}
	one["borough"] = "Brent"
	if status, body := j.machine("POST", "/api/v1/events", "application/json", one); status != 409 {
		t.Fatalf("other content under a known id: %d %s", status, body)
	}
	var batch []map[string]any
	for n := 2; n <= people; n++ {
		batch = append(batch, reportedEvent(n, start.Add(-time.Hour)))
	}
	if status, body := j.machine("POST", "/api/v1/events", "application/json", batch); status != 202 || bytes.Count(body, []byte(`"accepted"`)) != people-1 {
		t.Fatalf("batch: %d %s", status, body)
	}
	csv := "event_id,case_ref,type,occurred_at,force,borough,offence,adult,advocate\nf-1,unsafe/26,reported,02/03/2026 09:00,Metropolitan Police,Ealing,stalking-4a,yes,advocate1@example.org\n"
	report, err := extract.Import(ctx, j.sys.Survey, strings.NewReader(csv), extract.CSV, extract.Options{Zone: j.sys.Survey.Policy().Location()})
	if err != nil || report.Accepted != 1 {
		t.Fatalf("import: %+v %v", report, err)
	}

	// 2. What do we owe them? An invitation each, or a stored reason for not asking.
	first, err := store.Case(ctx, j.sys.Survey.CaseID("Metropolitan Police", "0000001/26"))
	if err != nil || first.Invites[0].First.State != survey.MailPlanned {
		t.Fatalf("the plan of a case: %+v %v", first.Invites, err)
	}
	unsafe, err := store.Case(ctx, j.sys.Survey.CaseID("Metropolitan Police", "unsafe/26"))
	if err != nil || unsafe.Invites[0].First.Reason != survey.NoContact {
		t.Fatalf("the plan of a case without an address: %+v %v", unsafe.Invites, err)
	}

	// 3, 4, 5. It falls due, it is safe, it is put in the outbox, and the mail goes out: once.
	j.work()
	if n := len(j.post.take()); n != 0 {
		t.Fatalf("%d mails before they were due", n)
	}
	j.clock.pass(25 * time.Hour)
	j.work()
	j.work()
	mails := j.post.take()
	if len(mails) != people {
		t.Fatalf("%d mails, want %d", len(mails), people)
	}
	for _, m := range mails {
		if regexp.MustCompile(`(?i)police|stalk|crime|victim|0000\d{3}/26|ealing`).Match(m.Raw) {
			t.Fatalf("a mail tells what it is about:\n%s", m.Raw)
		}
	}

	// 6. A person follows the link. Looking changes nothing.
	link := j.link(mails[0])
	p := j.person()
	for range 3 {
		p.get(link, "Start")
	}
	if to := p.send(link, url.Values{"how": {"start"}}); to != "/f?s=1" {
		t.Fatalf("Start leads to %s", to)
	}

	// 7. They answer, leave quickly, come back, and go on where they were.
	p.answer(3, "", map[string]string{"core.confidence": "not-very"})
	if _, to, _ := p.do("GET", "/x", nil); !strings.HasPrefix(to, "https://") {
		t.Fatalf("leaving leads to %s", to)
	}
	if status, _, _ := p.do("GET", "/f", nil); status != 404 {
		t.Fatalf("a page shows after leaving: %d", status)
	}
	p = j.person() // another device
	p.send(link, url.Values{"how": {"start"}})
	p.get("/f", "You have been here before")
	p.send("/f", url.Values{"do": {"carry"}})
	if body := p.get("/f"); strings.Contains(body, "checked") || !strings.Contains(body, "4 of") {
		t.Fatalf("coming back does not go on at the fourth page, or shows answers:\n%s", body)
	}
	p.answer(40, "Nobody ever rang me back. The officer was kind. They took me seriously.", map[string]string{"core.safer": "much-less-safe"})
	p.get("/f", "Before you send")

	// 8. The response is kept, once.
	tabs := url.Values{"do": {"send"}, "ticks": {"told", "share", "quote"}}
	p.send("/f", tabs)
	p.send("/f", tabs)
	thanks := p.get("/f", "Thank you", "A trained person will read this")
	code := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindString(thanks)
	responder := respondentOf(t, j, mails[0].To)
	rs, err := store.ResponsesOf(ctx, responder.Respondent)
	if err != nil || len(rs) != 1 || rs[0].State != survey.Complete {
		t.Fatalf("responses: %+v %v", rs, err)
	}
	for _, m := range mails[1:] { // the others answer too
		q := j.person()
		q.send(j.link(m), url.Values{"how": {"quick"}})
		q.answer(10, "", map[string]string{"core.informed": "fairly-well"})
		q.send("/f", url.Values{"do": {"send"}})
	}

	// 9. The danger sign has reached the advocate, who acts on it.
	advocate := j.signIn("advocate", "advocate1@example.org")
	alerts, err := j.sys.Loop.Alerts(ctx, loop.Viewer{Actor: survey.Actor{ID: "test"}, All: true}, loop.AlertOpen)
	if err != nil || len(alerts) != 1 {
		t.Fatalf("alerts: %+v %v", alerts, err)
	}
	advocate.get("/work", "/work/alerts/"+alerts[0].ID)
	advocate.get("/work/alerts/" + alerts[0].ID)
	advocate.send("/work/alerts/"+alerts[0].ID+"/take", url.Values{})
	advocate.send("/work/alerts/"+alerts[0].ID+"/close", url.Values{"outcome": {loop.OutcomeContacted}, "note": {"Spoke on the agreed number."}})

	// And answers on behalf of someone who has no safe address.
	advocate.get("/work/cases/" + unsafe.ID)
	to := advocate.send("/work/cases/"+unsafe.ID+"/answer", url.Values{"survey": {"report:1"}, "mode": {"relayed"}, "consent_how": {"phone"}, "consent_at": {j.clock.Now().Format(time.DateOnly)}})
	if to != "/f" {
		t.Fatalf("answering for a victim leads to %s", to)
	}
	advocate.answer(40, "", nil)
	advocate.send("/f", url.Values{"do": {"send"}})

	// 10. Words become themes.
	j.work()
	codings, err := store.CodingsOf(ctx, rs[0].ID)
	if err != nil || len(codings) == 0 {
		t.Fatalf("codings: %+v %v", codings, err)
	}
	themes := map[string]bool{}
	for _, c := range codings {
		for _, l := range c.Labels {
			themes[l.Code+" "+l.Polarity] = true
		}
	}
	if !themes["COM_CONTACT negative"] || !themes["RES_SERIOUS positive"] {
		t.Errorf("themes: %v", themes)
	}

	// 11. Answers become figures.
	status, body := j.machine("GET", "/api/v1/figures?measure=core.informed&by=month&stage=report", "", nil)
	var figure struct {
		Points []struct {
			Period     string   `json:"period"`
			Base       *int     `json:"base"`
			Share      *float64 `json:"share"`
			Suppressed bool     `json:"suppressed"`
		} `json:"points"`
	}
	if err := json.Unmarshal(body, &figure); status != 200 || err != nil || len(figure.Points) != 1 || figure.Points[0].Base == nil || *figure.Points[0].Base != people {
		t.Fatalf("the figure: %d %s %v", status, body, err)
	}

	// 12. Figures become a picture, with the same numbers as a table.
	commissioner := j.signIn("commissioner", "commissioner@example.org")
	overview := commissioner.get("/figures", "<svg", "<table")
	if !strings.Contains(overview, "onfidence") {
		t.Error("the overview does not show confidence")
	}
	commissioner.get("/figures/core.informed?by=month&stage=report", "<svg", "<table")

	// 13. A pattern becomes an action, with an owner and a date.
	query := "measure=core.informed&by=month&stage=report"
	to = commissioner.send("/actions/new?"+query, url.Values{
		"title": {"Ring every person back within two days"}, "you_said": {"Nobody rang back."}, "agency": {"Metropolitan Police"}, "owner": {"Head of victim care"}, "due_on": {"2026-06-30"}, "status": {"noted"},
	})
	actionID, _, _ := strings.Cut(strings.TrimPrefix(to, "/actions/"), "?")
	action, err := j.sys.Loop.Action(ctx, actionID)
	if err != nil || action.Evidence.Base != people {
		t.Fatalf("the action's evidence: %+v %v", action.Evidence, err)
	}
	j.clock.pass(30 * 24 * time.Hour)
	commissioner = j.signIn("commissioner", "commissioner@example.org")
	commissioner.send("/actions/"+actionID, url.Values{
		"version": {fmt.Sprint(action.Version)}, "title": {action.Title}, "you_said": {action.YouSaid}, "agency": {action.Agency}, "owner": {action.Owner}, "due_on": {action.DueOn},
		"status": {"done"}, "we_did": {"A call-back desk opened in Ealing on 1 April."}, "done_on": {"2026-04-01"},
	})

	// 14. People are told: on a public page, and by mail where they asked for it.
	j.post.take()
	commissioner.send("/actions/publish", url.Values{"title": {"January to March 2026"}, "actions": {actionID}})
	j.person().get("/public", "Nobody rang back.", "A call-back desk opened in Ealing")
	j.work()
	told := 0
	for _, m := range j.post.take() {
		if bytes.Contains(m.Raw, []byte("/public")) {
			told++
			if m.To != mails[0].To {
				t.Errorf("told somebody who did not ask")
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d people, want the one who asked", told)
	}

	// And a person may take their answers back at any time: the figure loses them.
	if status, _, _ := j.person().do("POST", "/withdraw", url.Values{"code": {code}}); status != 200 {
		t.Fatalf("withdrawing answers %d", status)
	}
	j.work()
	_, body = j.machine("GET", "/api/v1/figures?measure=core.informed&by=month&stage=report", "", nil)
	if err := json.Unmarshal(body, &figure); err != nil || figure.Points[0].Base == nil || *figure.Points[0].Base != people-1 {
		t.Errorf("the figure after a withdrawal: %s %v", body, err)
	}

	// Every step left its trace, and the chain of traces is whole.
	n, err := j.sys.Audit.Verify(ctx)
	if err != nil || n < 10 {
		t.Errorf("the audit record: %d entries, %v", n, err)
	}
	if file != "" {
		nothingInClear(t, file)
	}
}

func respondentOf(t *testing.T, j *journey, address string) survey.Case {
	t.Helper()
	for n := 1; n < 100; n++ {
		if fmt.Sprintf("person%d@example.org", n) == address {
			c, err := j.store.Case(t.Context(), j.sys.Survey.CaseID("Metropolitan Police", fmt.Sprintf("%07d/26", n)))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
	}
	t.Fatalf("nobody has the address %s", address)
	return survey.Case{}
}

// nothingInClear looks for addresses, words and references in what SQLite wrote.
func nothingInClear(t *testing.T, file string) {
	t.Helper()
	files, err := filepath.Glob(file + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the store: %v", err)
	}
	found := false
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // G304: the test's own store
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(b, []byte("Ealing")) // what is not sealed is there, so the search does search
		for _, secret := range []string{"person1@example.org", "Nobody ever rang", "0000001/26", "Spoke on the agreed"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %q in clear", filepath.Base(f), secret)
			}
		}
	}
	if !found {
		t.Error("the store's files hold nothing that is known to be there")
	}
}
