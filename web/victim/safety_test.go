package victim_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/victim"
)

func (w *world) start(how string) {
	w.t.Helper()
	if rec := w.do("POST", "/f/"+w.token, url.Values{"how": {how}}); rec.Code != 303 {
		w.t.Fatalf("Start answers %d", rec.Code)
	}
}

func (w *world) next(path, item, option string) *httptest.ResponseRecorder {
	w.t.Helper()
	body := w.want(w.do("GET", path, nil), 200)
	m := regexp.MustCompile(`name="page" value="([^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		w.t.Fatalf("%s is no question:\n%s", path, body)
	}
	form := url.Values{"do": {"next"}, "page": {m[1]}}
	if item != "" {
		form.Set(item, option)
	}
	return w.do("POST", "/f", form)
}

// quick answers the three questions of the quick path and sends them.
func (w *world) quick() {
	w.t.Helper()
	w.start("quick")
	w.next("/f?p=1", "core.confidence", "very")
	w.next("/f?p=2", "", "")
	w.next("/f?p=3", "", "")
	if rec := w.do("POST", "/f", url.Values{"do": {"send"}}); rec.Code != 303 {
		w.t.Fatalf("sending answers %d: %s", rec.Code, rec.Body)
	}
}

func (w *world) nothingPage() string {
	w.t.Helper()
	jar := w.jar
	w.jar = nil
	body := w.want(w.do("GET", "/f/"+seal.NewToken(), nil), 404)
	w.jar = jar
	return body
}

func (w *world) responses() []survey.Response {
	w.t.Helper()
	rs, err := w.store.ResponsesOf(w.t.Context(), mustCase(w.t, w).Respondent)
	if err != nil {
		w.t.Fatal(err)
	}
	return rs
}

func TestARunOutSessionTakesWhatWasTypedAndShowsNothing(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	form := url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}}
	w.now = w.now.Add(2 * time.Hour)
	rec := w.do("POST", "/f", form)
	if rec.Code != 303 || rec.Header().Get("Location") != "/f/stopped?l=en" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	w.want(w.do("GET", "/f/stopped", nil), 200, "kept", "the same link")
	if rs := w.responses(); len(rs) != 1 || rs[0].StartedAt.IsZero() {
		t.Fatalf("what was typed is lost: %+v", rs)
	}
	unknown := w.nothingPage()
	for _, path := range []string{"/f", "/f?p=1", "/f/safety"} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s shows something through a session that ran out", path)
		}
	}
	// Sending needs the link: nobody is there to be shown the receipt.
	if rec := w.do("POST", "/f", url.Values{"do": {"send"}}); rec.Header().Get("Location") != "/f/stopped?l=en" || w.responses()[0].State != survey.Draft {
		t.Error("a session that ran out sent the answers")
	}
	// A fault in what was typed brings it back, and nothing else.
	body := w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"nonsense"}}), 422, "There is a problem")
	if strings.Contains(body, " checked") {
		t.Error("an earlier answer is shown")
	}
	// With the link it goes on.
	w.start("start")
	w.want(w.do("GET", "/f", nil), 200, "You have been here before")
	w.do("POST", "/f", url.Values{"do": {"carry"}})
	w.want(w.do("GET", "/f", nil), 200, "2 of")
}

func TestALeftSessionTakesNothing(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	cookies := w.jar
	w.do("GET", "/x", nil)
	for range 2 {
		w.jar = cookies
		body := w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}}), 404)
		if body != w.nothingPage() || len(w.responses()) != 0 {
			t.Error("a session that was left still writes")
		}
		w.now = w.now.Add(2 * time.Hour)
	}
}

func TestTheReceiptIsForWhoSentItAndNotForLong(t *testing.T) {
	w := newWorld(t)
	w.start("quick")
	other := w.jar // somebody else who has the link opened it before
	w.quick()
	mine := w.jar
	thanks := w.want(w.do("GET", "/f", nil), 200, "Your code")
	if again := w.want(w.do("GET", "/f?p=1", nil), 200); again != thanks {
		t.Error("Back to a question shows something else than the thanks")
	}
	unknown := w.nothingPage()
	w.jar = other
	for _, path := range []string{"/f", "/f?p=1"} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s: another session sees that answers were sent, and the code", path)
		}
	}
	w.do("POST", "/f", url.Values{"do": {"send"}})
	if body := w.want(w.do("GET", "/f", nil), 404); body != unknown {
		t.Error("another session gets the code by sending again")
	}
	w.jar = mine
	w.now = w.now.Add(10 * time.Minute)
	w.want(w.do("GET", "/f", nil), 200, "Your code")
	w.now = w.now.Add(10 * time.Minute)
	if body := w.want(w.do("GET", "/f", nil), 404); body != unknown {
		t.Error("the receipt is shown for long")
	}

	w = newWorld(t)
	w.quick()
	mine = w.jar
	w.do("GET", "/x", nil)
	w.jar = mine
	w.want(w.do("GET", "/f", nil), 404)
}

func TestNoEarlierAnswerIsEverShown(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	w.next("/f?p=1", "core.confidence", "very")
	for _, path := range []string{"/f?p=1", "/f", "/f?p=99"} {
		if body := w.want(w.do("GET", path, nil), 200); strings.Contains(body, " checked") {
			t.Errorf("%s shows an earlier answer", path)
		}
	}
}

// Browsers bring back what was chosen when somebody presses Back, unless the
// form says otherwise.
func TestBrowsersAreToldToForgetForms(t *testing.T) {
	w := newWorld(t)
	forms := regexp.MustCompile(`<form [^>]*>`)
	look := func(body string) {
		t.Helper()
		for _, f := range forms.FindAllString(body, -1) {
			if !strings.Contains(f, `autocomplete="off"`) {
				t.Errorf("a browser may keep what is typed into %s", f)
			}
		}
	}
	for _, path := range []string{"/f/" + w.token, "/f/" + w.token + "/stop", "/withdraw"} {
		look(w.want(w.do("GET", path, nil), 200))
	}
	w.start("quick")
	for _, path := range []string{"/f", "/f?p=1"} {
		look(w.want(w.do("GET", path, nil), 200))
	}
}

func TestCookiesBlocked(t *testing.T) {
	w := newWorld(t)
	rec := w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}})
	to := rec.Header().Get("Location")
	cookies := w.jar
	w.jar = nil
	body := w.want(w.do("GET", to, nil), 200, "cookie", "open your link again")
	if m := telling.FindString(body); m != "" {
		t.Errorf("the page says %q", m)
	}
	w.jar = cookies
	if rec := w.do("GET", to, nil); rec.Code != 303 || rec.Header().Get("Location") != "/f" {
		t.Errorf("with a cookie: %d to %q", rec.Code, rec.Header().Get("Location"))
	}
	// After leaving, the address in history is the bare one, and shows the neutral page.
	w.jar = nil
	if body := w.want(w.do("GET", "/f", nil), 404); body != w.nothingPage() {
		t.Error("without a cookie the bare address shows something of its own")
	}
}

// TestScanners: a program that keeps cookies, follows every link of a mail and
// sends the first form of every page as it stands, buttons included.
func TestScanners(t *testing.T) {
	w := newWorld(t)
	form := regexp.MustCompile(`(?s)<form method="post"( action="([^"]*)")?.*?</form>`)
	control := regexp.MustCompile(`<(?:input type="hidden"|button) name="([^"]+)" value="([^"]*)"`)
	for _, link := range []string{"", "/stop", "/not-me"} {
		w.jar = nil
		path := "/f/" + w.token + link
		for range 60 {
			w.do(http.MethodHead, path, nil)
			rec := w.do("GET", path, nil)
			for rec.Code == 303 {
				path = rec.Header().Get("Location")
				rec = w.do("GET", path, nil)
			}
			m := form.FindStringSubmatch(rec.Body.String())
			if m == nil {
				t.Fatalf("no form at %s: %d %s", path, rec.Code, rec.Body)
			}
			if m[2] != "" {
				path = m[2]
			}
			send := url.Values{}
			for _, c := range control.FindAllStringSubmatch(m[0], -1) {
				if !send.Has(c[1]) {
					send.Set(c[1], c[2])
				}
			}
			rec = w.do("POST", path, send)
			if rec.Code != 303 {
				break
			}
			path = rec.Header().Get("Location")
		}
	}
	c := mustCase(t, w)
	if !c.Flags.OptedOutAt.IsZero() || c.Flags.NotMe != "" || !c.Invites[0].StartedAt.IsZero() || len(c.Invites[0].Answered) > 0 {
		t.Errorf("a scanner left its mark: %+v %+v", c.Flags, c.Invites[0])
	}
	for _, r := range w.responses() {
		if r.State != survey.Draft || !r.StartedAt.IsZero() || r.Chosen {
			t.Errorf("a scanner answered: %+v", r)
		}
	}
	// The person who comes after it begins at the beginning, with what to know first.
	w.now = w.now.Add(time.Minute)
	w.want(w.do("GET", "/f/"+w.token, nil), 200, ">Start<", "I have one minute")
	w.start("start")
	w.want(w.do("GET", "/f", nil), 200, "Before you start", "There is one limit")
}

// A page names the questionnaire that it was shown in, and a draft begins with
// that. What is no published one of this stage is not believed.
func TestAPageNamesItsQuestionnaire(t *testing.T) {
	for set, want := range map[string]string{"report/1": "report/1", "report/9": "report/1", "closure/1": "report/1", "ticks/1": "report/1", "": "report/1"} {
		w := newWorld(t)
		w.start("start")
		w.want(w.do("GET", "/f?p=1", nil), 200, `name="set" value="report/1"`)
		if rec := w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "set": {set}, "core.confidence": {"very"}}); rec.Code != 303 {
			t.Fatalf("%q: %d %s", set, rec.Code, rec.Body)
		}
		if rs := w.responses(); len(rs) != 1 || rs[0].Questionnaire != want || !rs[0].Chosen {
			t.Errorf("a page of %q began %+v", set, rs)
		}
	}
}

// The script sends a page and is told where to go on. What is to be shown comes as a page.
func TestSendingWithoutLeavingThePage(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	send := func(form url.Values) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/f", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Prefer", "return=minimal")
		req.AddCookie(w.jar[0])
		rec := httptest.NewRecorder()
		w.engine.ServeHTTP(rec, req)
		return rec
	}
	if rec := send(url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}}); rec.Code != 204 || rec.Header().Get("Location") != "/f?p=2" || rec.Body.Len() > 0 {
		t.Errorf("%d to %q: %s", rec.Code, rec.Header().Get("Location"), rec.Body)
	}
	w.want(send(url.Values{"do": {"next"}, "page": {"informed"}, "core.informed": {"nonsense"}}), 422, "There is a problem")
}

func TestADraftIsNotDenied(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	w.next("/f?p=1", "core.confidence", "very")
	if body := w.want(w.do("GET", "/f/"+w.token, nil), 200, "Carry on"); strings.Contains(body, "Nothing is kept") {
		t.Error("the opening page says that nothing is kept, and answers are")
	}
}

func TestWrongAddressesAreTheNeutralPage(t *testing.T) {
	w := newWorld(t)
	unknown := w.nothingPage()
	for _, path := range []string{"/f/", "/f/a/b", "/f/" + w.token + "/x", "/f/" + w.token + "/stop/x", "/f", "/f/safety", "/withdraw/x", "/f/..%2f"} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s has a page of its own:\n%s", path, body)
		}
	}
}

func TestLookingAheadDoesNotLeave(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/x", nil)
	req.Header.Set("Sec-Purpose", "prefetch;prerender")
	req.AddCookie(w.jar[0])
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, req)
	if rec.Header().Get("Location") != victim.NeutralSite || len(rec.Result().Cookies()) != 0 {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	w.want(w.do("GET", "/f", nil), 200)
}

func TestTooFast(t *testing.T) {
	w := newWorld(t)
	limited := func(method, path string, form url.Values, within int) {
		t.Helper()
		for n := range 2 * within {
			rec := w.do(method, path, form)
			if rec.Code == http.StatusTooManyRequests {
				if n < within/2 {
					t.Errorf("%s %s: refused after %d", method, path, n)
				}
				if m := telling.FindString(rec.Body.String()); m != "" || rec.Header().Get("Retry-After") == "" {
					t.Errorf("the page says %q, headers %v", m, rec.Header())
				}
				return
			}
		}
		t.Errorf("%s %s is never refused", method, path)
	}
	limited("POST", "/withdraw", url.Values{"code": {"x"}}, 30)
	w.want(w.do("GET", "/f/"+w.token, nil), 200)
	limited("GET", "/f/guess", nil, 300)
	w.now = w.now.Add(time.Minute)
	w.want(w.do("GET", "/f/"+w.token, nil), 200)
}

// broken is a store that cannot write for a while.
type broken struct {
	*counting
	away bool
}

func (b *broken) UpdateResponse(ctx context.Context, id string, fn func(*survey.Response) error) (survey.Response, error) {
	if b.away {
		return survey.Response{}, fault.New(fault.Unavailable, "the store cannot be reached")
	}
	return b.counting.UpdateResponse(ctx, id, fn)
}

func TestWhatWasTypedOutlastsAStoreThatIsAway(t *testing.T) {
	b := &broken{}
	w := newWorldOn(t, func(c *counting) store { b.counting = c; return b })
	w.start("start")
	b.away = true
	form := url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}}
	body := w.want(w.do("POST", "/f", form), 503, "Try again")
	again := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		again.Add(m[1], m[2])
	}
	if again.Encode() != form.Encode() {
		t.Fatalf("the page holds %v", again)
	}
	b.away = false
	if rec := w.do("POST", "/f", again); rec.Code != 303 || len(w.responses()) != 1 {
		t.Errorf("%d, %d responses", rec.Code, len(w.responses()))
	}
}

func TestSavingAndStoppingOnTheLastPage(t *testing.T) {
	w := newWorld(t)
	w.start("quick")
	w.next("/f?p=1", "core.confidence", "very")
	w.next("/f?p=2", "", "")
	w.next("/f?p=3", "", "")
	w.want(w.do("GET", "/f", nil), 200, "Before you send", "Save and stop")
	if rec := w.do("POST", "/f", url.Values{"do": {"stop"}}); rec.Header().Get("Location") != "/f/stopped?l=en" || len(w.jar) > 0 {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	if rs := w.responses(); len(rs) != 1 || rs[0].State != survey.Draft {
		t.Errorf("%+v", rs)
	}
}

func TestNothingToSend(t *testing.T) {
	w := newWorld(t)
	w.start("quick")
	for _, p := range []string{"/f?p=1", "/f?p=2", "/f?p=3"} {
		w.next(p, "", "")
	}
	w.want(w.do("POST", "/f", url.Values{"do": {"send"}}), 422, "nothing to send")
}

// TestForAnAdvocate: in their own view there is nobody's permission to give, and
// what is said of danger is said of the person they support.
func TestForAnAdvocate(t *testing.T) {
	for mode, ticks := range map[survey.Mode]bool{survey.ModeRelayed: true, survey.ModeObserved: false} {
		w := newWorld(t)
		c := mustCase(t, w)
		secret, _, err := w.rooms.Survey.BeginFor(t.Context(), survey.Actor{ID: "a", Role: "advocate"}, c.Facts.Advocate, c.ID, survey.StageReport, 1, mode, &survey.Consent{How: "phone", At: w.now})
		if err != nil {
			t.Fatal(err)
		}
		w.jar = []*http.Cookie{{Name: "f", Value: secret}}
		path := "/f?p=1"
		for range 40 {
			body := w.want(w.do("GET", path, nil), 200)
			if strings.Contains(body, `value="send"`) {
				break
			}
			item, option := "", ""
			if strings.Contains(body, "core.safer") {
				item, option = "core.safer", "much-less-safe"
			}
			path = w.next(path, item, option).Header().Get("Location")
		}
		if body := w.want(w.do("GET", path, nil), 200); strings.Contains(body, questionnaires.TickQuote) != ticks {
			t.Errorf("%s: the permissions are asked for: %t", mode, !ticks)
		}
		rec := w.do("POST", "/f", url.Values{"do": {"send"}, questionnaires.TicksItem: {questionnaires.TickTold}})
		if want := map[bool]int{true: 303, false: 422}[ticks]; rec.Code != want {
			t.Errorf("%s: sending a permission answers %d", mode, rec.Code)
		}
		w.do("POST", "/f", url.Values{"do": {"send"}})
		body := w.want(w.do("GET", "/f", nil), 200, "the person you support may not be safe")
		if strings.Contains(body, "that you may not be safe") {
			t.Errorf("%s: the advocate is told that they are in danger", mode)
		}
	}
}

// TestPagesOutsideASessionSpeakTheBrowsersLanguage, and are the same for every
// address that opens nothing.
func TestPagesOutsideASessionSpeakTheBrowsersLanguage(t *testing.T) {
	w := newWorld(t)
	get := func(path, languages string) string {
		req := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		req.Header.Set("Accept-Language", languages)
		rec := httptest.NewRecorder()
		w.engine.ServeHTTP(rec, req)
		return rec.Body.String()
	}
	for languages, want := range map[string]string{"cy-GB,cy;q=0.9,en;q=0.8": `lang="cy"`, "de,bn;q=0.5": `lang="bn"`, "de": `lang="en"`, "": `lang="en"`, ";;;": `lang="en"`} {
		for _, path := range []string{"/f", "/withdraw", "/f/stopped", "/f?s=1"} {
			if body := get(path, languages); !strings.Contains(body, want) {
				t.Errorf("%s for %q: want %s:\n%s", path, languages, want, body)
			}
		}
		if get("/f", languages) != get("/f/"+seal.NewToken(), languages) {
			t.Errorf("%q: two pages for nothing", languages)
		}
	}
	for _, l := range w.rooms.Survey.Questionnaires().LanguagesOffered() {
		if body := get("/f", l.Code); !strings.Contains(body, `lang="`+l.Code+`" dir="`+l.Direction+`"`) {
			t.Errorf("%s does not run %s:\n%s", l.Name, l.Direction, body)
		}
	}
}

// TestAnAddressOfItsOwn: where the survey has an address to itself, nothing else
// is found there, whatever is left of a link.
func TestAnAddressOfItsOwn(t *testing.T) {
	w := newWorld(t)
	clock := func() time.Time { return w.now }
	pages, err := victim.New(w.rooms.Survey, w.rooms.Loop, victim.Config{Name: "Feedback", Host: "answers.example.org", Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e := gin.New()
	e.Use(pages.Alone())
	pages.Register(e)
	staff := func(c *gin.Context) { c.String(http.StatusOK, "Victim Voice") }
	e.GET("/", staff)
	e.GET("/signin", staff)
	get := func(host, path string) string {
		req := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		req.Host = host
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, req)
		return rec.Body.String()
	}
	unknown := w.nothingPage()
	for _, path := range []string{"/", "/signin", "/api/v1/events", "/nowhere", "/f"} {
		if body := get("Answers.example.org", path); body != unknown {
			t.Errorf("%s at the survey's address: %s", path, body)
		}
	}
	if !strings.Contains(get("answers.example.org", "/f/"+w.token), ">Start<") {
		t.Error("the link does not work there")
	}
	if get("voice.example.org", "/signin") != "Victim Voice" {
		t.Error("staff cannot sign in at their own address")
	}
}
