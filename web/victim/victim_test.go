package victim_test

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/internal/access"
	"victimvoice/internal/app"
	"victimvoice/internal/edge"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/web/page"
	"victimvoice/web/victim"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

// counting counts the store calls that a request makes.
type counting struct {
	*sqlite.Store
	links, cases, responses, writes int
}

func (s *counting) Link(ctx context.Context, id string) (survey.Link, error) {
	s.links++
	return s.Store.Link(ctx, id)
}

func (s *counting) Case(ctx context.Context, id string) (survey.Case, error) {
	s.cases++
	return s.Store.Case(ctx, id)
}

func (s *counting) Response(ctx context.Context, id string) (survey.Response, error) {
	s.responses++
	return s.Store.Response(ctx, id)
}

func (s *counting) UpdateResponse(ctx context.Context, id string, fn func(*survey.Response) error) (survey.Response, error) {
	s.writes++
	return s.Store.UpdateResponse(ctx, id, fn)
}

func (s *counting) UpdateCase(ctx context.Context, id string, fn func(*survey.Case) error) (survey.Case, error) {
	s.writes++
	return s.Store.UpdateCase(ctx, id, fn)
}

func (s *counting) InsertSitting(ctx context.Context, st survey.Sitting) error {
	s.writes++
	return s.Store.InsertSitting(ctx, st)
}

// world is a service with one case whose report survey has been mailed.
type world struct {
	t      *testing.T
	store  *counting
	rooms  *app.Rooms
	engine *gin.Engine
	now    time.Time
	token  string
	jar    []*http.Cookie
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, func(c *counting) store { return c })
}

type store interface {
	app.Store
}

// newWorldOn is newWorld on a store that stands before the counting one.
func newWorldOn(t *testing.T, before func(*counting) store) *world {
	t.Helper()
	ctx := t.Context()
	st, err := sqlite.OpenTemp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	raw, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: &counting{Store: st}, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	log := slog.New(slog.NewTextHandler(testLog{t}, nil))
	if w.rooms, err = app.Furnish(before(w.store), keys, clock, log, access.DefaultConfig()); err != nil {
		t.Fatal(err)
	}
	pages, err := victim.New(w.rooms.Survey, w.rooms.Loop, victim.Config{Name: "Feedback", Now: clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	w.engine, err = edge.NewEngine(edge.Config{Log: log, Metrics: prometheus.NewRegistry(), Now: clock, Page: pages.Problem})
	if err != nil {
		t.Fatal(err)
	}
	pages.Register(w.engine)
	if err := page.Static(w.engine); err != nil {
		t.Fatal(err)
	}

	yes := true
	at := w.now.Add(-time.Hour)
	if _, err := w.rooms.Survey.Receive(ctx, survey.Event{
		EventID: "e1", CaseRef: "1/26", Type: survey.Reported, OccurredAt: at, Force: "Metropolitan Police", Borough: "Ealing", Offence: "stalking-2a", Adult: &yes,
		Advocate: "advocate1@example.org",
		Contact:  &survey.Contact{Email: "person@example.org", EmailSafe: &yes, SafeConfirmedAt: &at, SafeFrom: "00:00", SafeTo: "23:59"},
	}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(25 * time.Hour)
	w.token = w.mail()
	return w
}

// mail queues and claims what is due and gives the link's token.
func (w *world) mail() string {
	w.t.Helper()
	var errand survey.Errand
	n, err := w.rooms.Survey.Due(w.t.Context(), 10, func(_ context.Context, e survey.Errand) error { errand = e; return nil })
	if err != nil || n != 1 {
		w.t.Fatalf("want one mail due, have %d, %v", n, err)
	}
	m, err := w.rooms.Survey.Claim(w.t.Context(), errand)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.rooms.Survey.Settled(w.t.Context(), errand, survey.Delivered); err != nil {
		w.t.Fatal(err)
	}
	return m.Token
}

func (w *world) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req := httptest.NewRequestWithContext(w.t.Context(), method, path, body)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range w.jar {
		req.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, req)
	for _, c := range rec.Result().Cookies() {
		w.jar = nil
		if c.MaxAge >= 0 {
			w.jar = []*http.Cookie{c}
		}
	}
	return rec
}

func (w *world) want(rec *httptest.ResponseRecorder, status int, texts ...string) string {
	w.t.Helper()
	body, got := rec.Body.String(), rec.Code
	if got == http.StatusNonAuthoritativeInfo {
		got = http.StatusOK // a page of a session, which no browser keeps
	}
	if got != status {
		w.t.Fatalf("status %d, want %d: %s", got, status, body)
	}
	for _, s := range texts {
		if !strings.Contains(body, s) {
			w.t.Fatalf("the page does not hold %q:\n%s", s, body)
		}
	}
	return body
}

var telling = regexp.MustCompile(`(?i)police|crime|stalk|harass|victim|helpline|court|officer|advocate`)

func golden(t *testing.T, name, got, token string) {
	t.Helper()
	got = regexp.MustCompile(`/static/[0-9a-f]{12}-`).ReplaceAllString(got, "/static/HASH-")
	if token != "" {
		got = strings.ReplaceAll(got, token, "TOKEN")
	}
	path := filepath.Join("testdata", "golden", name+".html")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // G304: a golden file of ours
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not as in %s; look at it, then run with -update\n%s", name, path, got)
	}
}

func TestTheDoorBetraysAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.store.writes = 0
	for range 3 {
		body := w.want(w.do("GET", "/f/"+w.token, nil), 200, "Start", "I have one minute", "This is not for me")
		if m := telling.FindString(body); m != "" {
			t.Errorf("the opening page says %q", m)
		}
		golden(t, "door", body, w.token)
	}
	for _, p := range []string{"/stop", "/not-me"} {
		body := w.want(w.do("GET", "/f/"+w.token+p, nil), 200)
		if m := telling.FindString(body); m != "" {
			t.Errorf("%s says %q", p, m)
		}
	}
	if w.store.writes != 0 {
		t.Errorf("looking wrote %d times", w.store.writes)
	}
	// Start is not the first answer: nothing is recorded as started.
	w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}})
	c, err := w.store.Store.Case(t.Context(), w.rooms.Survey.CaseID("Metropolitan Police", "1/26"))
	if err != nil || !c.Invites[0].StartedAt.IsZero() {
		t.Errorf("Start alone counts as started: %v %v", c.Invites[0].StartedAt, err)
	}
}

func TestFromTheLinkToTheReceipt(t *testing.T) {
	w := newWorld(t)
	rec := w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}})
	if rec.Code != 303 || rec.Header().Get("Location") != "/f?s=1" {
		t.Fatalf("Start answers %d to %s", rec.Code, rec.Header().Get("Location"))
	}
	body := w.want(w.do("GET", "/f", nil), 200, "Leave now", "browsing history", "does not report", "call 999")
	golden(t, "intro", body, w.token)
	seen := body
	rec = w.do("POST", "/f", url.Values{"do": {"begin"}})
	path := rec.Header().Get("Location")
	pages := 0
	for !strings.Contains(seen, "Before you send") && pages < 40 {
		body = w.want(w.do("GET", path, nil), 200)
		if strings.Contains(body, w.token) {
			t.Fatal("the token shows after the first step")
		}
		if pages == 0 {
			golden(t, "question", body, w.token)
		}
		seen = body
		form := url.Values{"do": {"next"}}
		if m := regexp.MustCompile(`name="page" value="([^"]+)"`).FindStringSubmatch(body); m != nil {
			form.Set("page", m[1])
			for _, r := range regexp.MustCompile(`type="(radio|checkbox)" name="([^"]+)" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
				if !form.Has(r[2]) {
					form.Set(r[2], r[3])
				}
			}
			if n := regexp.MustCompile(`<textarea id="([^"]+)"`).FindStringSubmatch(body); n != nil {
				form.Set(n[1], "PC Smith never rang me back.")
			}
			if form.Has("core.safer") {
				form.Set("core.safer", "much-less")
				for _, r := range regexp.MustCompile(`name="core.safer" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
					form.Set("core.safer", r[1])
					if strings.Contains(r[1], "much-less") {
						break
					}
				}
			}
			rec = w.do("POST", "/f", form)
			if rec.Code != 303 {
				t.Fatalf("page %s answers %d: %s", m[1], rec.Code, rec.Body)
			}
			path = rec.Header().Get("Location")
			pages++
		} else if aboutID.MatchString(body) {
			path = w.nextAbout(path, "pass").Header().Get("Location")
		}
	}
	if pages < 10 {
		t.Fatalf("only %d pages were asked", pages)
	}
	golden(t, "last", seen, w.token)
	send := url.Values{"do": {"send"}, "ticks": {"told", "share"}}
	cookies := w.jar
	rec = w.do("POST", "/f", send)
	if rec.Code != 303 {
		t.Fatalf("sending answers %d: %s", rec.Code, rec.Body)
	}
	thanks := w.want(w.do("GET", "/f", nil), 200, "Thank you", "A trained person will read this")
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(thanks)
	if code == "" {
		t.Fatal("no receipt code is shown")
	}
	alerts, err := w.rooms.Loop.Alerts(t.Context(), loopViewer(), "open")
	if err != nil || len(alerts) != 1 {
		t.Errorf("want one alert stored before the thanks, have %d, %v", len(alerts), err)
	}
	// A second tab sends again: the same response, the same code.
	w.jar = cookies
	w.do("POST", "/f", send)
	if again := w.want(w.do("GET", "/f", nil), 200); !strings.Contains(again, code) {
		t.Error("sending twice gives another code")
	}
	// The link is used.
	nothing := w.want(w.do("GET", "/f/"+w.token, nil), 404)
	golden(t, "nothing", nothing, "")

	// The answers are taken back.
	w.want(w.do("POST", "/withdraw", url.Values{"code": {"nonsense"}}), 422, "not one of our codes")
	done := w.want(w.do("POST", "/withdraw", url.Values{"code": {strings.ToLower(code)}}), 200, "they are now removed")
	if other := w.want(w.do("POST", "/withdraw", url.Values{"code": {seal.NewCode(4)}}), 200); other != done {
		t.Error("an unknown code gets another page than a known one")
	}
	rs, err := w.store.ResponsesOf(t.Context(), mustCase(t, w).Respondent)
	if err != nil || len(rs) != 1 || rs[0].State != survey.Withdrawn || rs[0].Packed != nil || rs[0].Words != nil {
		t.Errorf("something is left of a withdrawn response: %+v %v", rs, err)
	}
}

func mustCase(t *testing.T, w *world) survey.Case {
	t.Helper()
	c, err := w.store.Store.Case(t.Context(), w.rooms.Survey.CaseID("Metropolitan Police", "1/26"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func loopViewer() loop.Viewer {
	return loop.Viewer{Actor: survey.Actor{ID: "t", Role: "test"}, All: true}
}

// TestWhateverOpensNothingLooksTheSame: same bytes, same status, same store calls.
func TestWhateverOpensNothingLooksTheSame(t *testing.T) {
	count := func(w *world, path string) (string, [3]int) {
		w.store.links, w.store.cases, w.store.responses, w.store.writes = 0, 0, 0, 0
		w.jar = nil
		body := w.want(w.do("GET", path, nil), 404)
		if w.store.writes != 0 {
			t.Errorf("%s wrote", path)
		}
		return body, [3]int{w.store.links, w.store.cases, w.store.responses}
	}
	w := newWorld(t)
	unknown, calls := count(w, "/f/"+seal.NewToken())
	check := func(name, body string, c [3]int) {
		t.Helper()
		if body != unknown || c != calls {
			t.Errorf("%s differs from an unknown link: calls %v and %v", name, c, calls)
		}
	}
	b, c := count(w, "/f/short")
	check("a malformed token", b, c)
	w.now = w.now.Add(15 * 24 * time.Hour)
	b, c = count(w, "/f/"+w.token)
	check("an expired link", b, c)

	w = newWorld(t)
	w.want(w.do("POST", "/f/"+w.token+"/not-me", url.Values{"sure": {"yes"}}), 200, "That is done")
	b, c = count(w, "/f/"+w.token)
	check("a refused link", b, c)
}

func TestRefusingNeedsAConfirmingPost(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("GET", "/f/"+w.token+"/stop", nil), 200, "Yes, stop")
	w.want(w.do("POST", "/f/"+w.token+"/stop", url.Values{}), 422)
	if c := mustCase(t, w); !c.Flags.OptedOutAt.IsZero() {
		t.Fatal("looking, or a form without the confirmation, opted out")
	}
	w.want(w.do("POST", "/f/"+w.token+"/stop", url.Values{"sure": {"yes"}}), 200, "That is done")
	if c := mustCase(t, w); c.Flags.OptedOutAt.IsZero() {
		t.Error("stop was not kept")
	}
}

func TestAfterLeavingNothingShows(t *testing.T) {
	w := newWorld(t)
	w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}})
	w.do("POST", "/f", url.Values{"do": {"begin"}})
	cookies := w.jar
	rec := w.do("GET", "/x", nil)
	if rec.Code != 303 || rec.Header().Get("Location") != victim.NeutralSite || rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("leaving answers %d with %v", rec.Code, rec.Header())
	}
	unknown := w.want(w.do("GET", "/f/"+seal.NewToken(), nil), 404)
	w.jar = cookies // another tab, or a browser that kept the cookie
	for _, path := range []string{"/f", "/f?p=1", "/f/safety"} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s after leaving shows something of its own", path)
		}
	}
	w.jar = cookies
	if body := w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}}), 404); body != unknown {
		t.Error("answering after leaving shows something of its own")
	}
	// The link still works, and shows nothing of what was answered.
	w.want(w.do("GET", "/f/"+w.token, nil), 200)
}

func TestBadForms(t *testing.T) {
	w := newWorld(t)
	w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}})
	first := url.Values{"do": {"next"}, "page": {"confidence"}}
	with := func(pairs ...string) url.Values {
		f := url.Values{}
		for k, v := range first {
			f[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			f.Add(pairs[i], pairs[i+1])
		}
		return f
	}
	w.want(w.do("POST", "/f", with("core.confidence", "no-such-option")), 422, "There is a problem", "href=\"#core.confidence\"")
	w.want(w.do("POST", "/f", with("something.else", "x")), 422, "not on the page")
	w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"nowhere"}}), 422)
	w.want(w.do("POST", "/f", url.Values{"do": {"nonsense"}}), 422)
	w.want(w.do("POST", "/f", with("core.confidence", strings.Repeat("x", 2<<20))), 413)
	if rs, err := w.store.ResponsesOf(t.Context(), mustCase(t, w).Respondent); err != nil || len(rs) != 0 {
		t.Errorf("a bad form left something: %v %v", rs, err)
	}
	// What was typed comes back.
	for n := 1; n < 40; n++ {
		body := w.do("GET", "/f?p="+strconv.Itoa(n), nil).Body.String()
		id := regexp.MustCompile(`name="page" value="([^"]+)"`).FindStringSubmatch(body)
		if id == nil {
			t.Fatal("no page of words was met")
		}
		form := url.Values{"do": {"next"}, "page": {id[1]}}
		if area := regexp.MustCompile(`<textarea id="([^"]+)"`).FindStringSubmatch(body); area != nil {
			long := "kept as typed " + strings.Repeat("ä", 1500)
			form.Set(area[1], long)
			w.want(w.do("POST", "/f", form), 422, "shorter", long)
			form.Set(area[1], "bad \xff bytes")
			w.want(w.do("POST", "/f", form), 422, "could not be read")
			return
		}
		w.do("POST", "/f", form)
	}
}

// The long list is one question over several pages: what was chosen on one
// outlasts the next, and "none of these" is not for whoever chose something.
func TestTheLongListOverPages(t *testing.T) {
	const codes = "advice.codes"
	at := func(w *world) (string, string) { // the page that comes next: its id and its text
		w.t.Helper()
		body := w.want(w.do("GET", "/f?p=99", nil), 200)
		m := regexp.MustCompile(`name="page" value="([^"]+)"`).FindStringSubmatch(body)
		if m == nil {
			return "", body
		}
		return m[1], body
	}
	reached := func() *world {
		w := newWorld(t)
		w.start("start")
		for n := 1; ; n++ {
			if id, _ := at(w); id == "advice-list" {
				return w
			}
			w.next("/f?p="+strconv.Itoa(n), "", "")
		}
	}
	send := func(w *world, status int, chosen ...string) string {
		w.t.Helper()
		id, _ := at(w)
		return w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {id}, codes: chosen}), status)
	}
	kept := func(w *world) []string {
		w.t.Helper()
		w.next("/f?p=99", "", "") // the worry, where it is asked
		if id, _ := at(w); id == "words" {
			w.next("/f?p=99", "open.well", "x")
		}
		w.do("POST", "/f", url.Values{"do": {"send"}})
		rs := w.responses()
		q, _ := w.rooms.Survey.Questionnaires().ByID(rs[0].Questionnaire)
		a, err := q.Unpack(rs[0].Packed)
		if err != nil || rs[0].State != survey.Complete {
			t.Fatalf("%s: %v", rs[0].State, err)
		}
		return a[codes].Choices
	}

	w := reached()
	if _, body := at(w); !strings.Contains(body, `value="no-advice"`) || strings.Contains(body, `value="keep-diary"`) || !strings.Contains(body, "a few pages") || strings.Contains(body, "been here before") {
		t.Errorf("the first page:\n%s", body)
	}
	send(w, 303, "block")
	id, body := at(w)
	if id != "advice-list.evidence" || strings.Contains(body, "no-advice") || strings.Contains(body, "a few pages") || strings.Contains(body, "been here before") {
		t.Errorf("the second page is %s:\n%s", id, body)
	}
	send(w, 303, "keep-diary")
	w.want(w.do("GET", "/f?p=11", nil), 200, "advice-list", "been here before")
	send(w, 303)
	if id, body = at(w); id != "advice-list.orders" || strings.Contains(body, "none-of-these") {
		t.Errorf("%s offers “none of these” beside what was chosen:\n%s", id, body)
	}
	send(w, 422, "none-of-these")
	send(w, 422, "no-such-thing")
	send(w, 303)
	if id, _ = at(w); id != "advice-risk" {
		t.Errorf("after the list comes %s", id)
	}
	if got := kept(w); strings.Join(got, " ") != "block keep-diary" {
		t.Errorf("kept: %v", got)
	}

	w = reached()
	send(w, 422, "no-advice", "block")
	send(w, 303, "no-advice")
	if id, _ = at(w); id != "words" {
		t.Errorf("after “no advice” comes %s", id)
	}
	if got := kept(w); strings.Join(got, " ") != "no-advice" {
		t.Errorf("kept: %v", got)
	}

	w = reached()
	for range 3 {
		send(w, 303)
	}
	if _, body = at(w); !strings.Contains(body, "Nothing on this page or the ones before it") {
		t.Errorf("“none of these” does not say of what:\n%s", body)
	}
	send(w, 303, "none-of-these")
	if got := kept(w); strings.Join(got, " ") != "none-of-these" {
		t.Errorf("kept: %v", got)
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) { l.t.Log(string(b)); return len(b), nil }
