package victim_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey"
	"victimvoice/web/victim"
)

// card makes a card for the world's case, as its advocate would.
func (w *world) card(language string) survey.Card {
	w.t.Helper()
	c := mustCase(w.t, w)
	card, err := w.rooms.Survey.Card(w.t.Context(), survey.Actor{ID: "a", Role: "advocate"}, c.Facts.Advocate, c.ID, survey.StageReport, 1, language)
	if err != nil {
		w.t.Fatal(err)
	}
	return card
}

func (w *world) typeCode(code string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.do("POST", "/c", url.Values{"code": {code}})
}

// unknownCode is well formed and opens nothing.
func unknownCode() string { return seal.NewCode(3) }

// TestTheCodePageBetraysAndChangesNothing.
func TestTheCodePageBetraysAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.store.writes, w.store.links = 0, 0
	for _, path := range []string{"/c", "/C"} {
		body := w.want(w.do("GET", path, nil), 200, "Type your code", `name="code"`, "Continue", `<form method="post" action="/c"`)
		golden(t, "code", body, "")
		if m := telling.FindString(body); m != "" {
			t.Errorf("%s says %q", path, m)
		}
	}
	if w.store.writes != 0 || w.store.links != 0 {
		t.Error("the page asks the store")
	}
	w.start("start") // nobody's session is shown through it
	w.want(w.do("GET", "/c", nil), 200, "Type your code")
}

// TestFromACardToTheReceipt: as somebody types it from paper, all the way.
func TestFromACardToTheReceipt(t *testing.T) {
	w := newWorld(t)
	card := w.card("en")
	w.store.writes = 0
	typed := " " + strings.NewReplacer("-", " ", "0", "o", "1", "l").Replace(strings.ToLower(card.Code)) + " "
	body := w.want(w.typeCode(typed), 200, "A few questions", "the same code", `action="/f/`+card.Code+`"`)
	golden(t, "door-card", body, card.Code)
	if m := telling.FindString(body); m != "" || w.store.writes != 0 {
		t.Errorf("the opening page says %q, %d writes", m, w.store.writes)
	}
	for _, gone := range []string{"not-me", "/stop"} {
		if strings.Contains(body, gone) {
			t.Errorf("the opening page of a card offers %q", gone)
		}
	}
	// The square leads to the same page.
	if scanned := w.want(w.do("GET", "/f/"+card.Code, nil), 200, "A few questions", `action="/f/`+card.Code+`"`); strings.Contains(scanned, `action="/c"`) {
		t.Error("the square's page asks for the language by a form, where its address does")
	}
	// Another language takes the code along, and puts it into no address.
	inUrdu := w.want(w.do("POST", "/c", url.Values{"lang": {"ur"}, "at": {"door"}, "code": {card.Code}}), 200, `lang="ur"`, `name="l" value="ur"`, `action="/f/`+card.Code+`"`)
	if strings.Contains(inUrdu, "?l=") {
		t.Error("a change of language leads to an address that knows no code")
	}
	half := w.want(w.do("POST", "/c", url.Values{"lang": {"pl"}, "code": {"7KQ2-"}}), 200, `lang="pl"`, `value="7KQ2-"`)
	if strings.Contains(half, `id="errors"`) {
		t.Error("a change of language judges a half-typed code")
	}
	if by := w.want(w.do("GET", "/f/"+strings.ToLower(card.Code), nil), 200); !strings.Contains(by, ">Start<") {
		t.Error("an address in small letters opens nothing")
	}
	w.token = card.Code
	w.quick()
	thanks := w.want(w.do("GET", "/f", nil), 200, "Your code")
	if strings.Contains(thanks, card.Code) {
		t.Error("the card's code shows after the first step")
	}
	// Used: the same page as any link or code that opens nothing.
	unknown := w.nothingPage()
	w.jar = nil
	for name, rec := range map[string]*httptest.ResponseRecorder{"typed": w.typeCode(card.Code), "scanned": w.do("GET", "/f/"+card.Code, nil), "unknown": w.typeCode(unknownCode())} {
		if body := w.want(rec, 404); body != unknown {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestACardSpeaksItsLanguage(t *testing.T) {
	w := newWorld(t)
	code := w.card("ur").Code
	golden(t, "door-card-ur", w.want(w.typeCode(code), 200, `lang="ur"`, `dir="rtl"`), code)
}

// TestWhatIsWrongWithACode is said where it can be seen from the code alone, and
// without asking the store.
func TestWhatIsWrongWithACode(t *testing.T) {
	w := newWorld(t)
	good := w.card("en").Code
	wrong := []byte(good)
	for wrong[0] == good[0] {
		wrong[0] = unknownCode()[0]
	}
	swapped := []byte(good)
	i := 0
	for swapped[i] == swapped[i+1] || swapped[i+1] == '-' {
		i++
	}
	swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	w.store.links, w.store.writes = 0, 0
	for name, c := range map[string]struct{ typed, say string }{
		"nothing":       {"", "Type the code from your card"},
		"blanks":        {" - ", "Type the code from your card"},
		"too short":     {good[:9], "Please check that none is missing"},
		"too long":      {good + "A", "Please check that none is missing"},
		"a receipt":     {seal.NewCode(4), "Please check that none is missing"},
		"one wrong":     {string(wrong), "One of the letters or numbers is not right"},
		"two swapped":   {string(swapped), "One of the letters or numbers is not right"},
		"the example":   {"AB12-CD34-EF78", "One of the letters or numbers is not right"},
		"another sign":  {"ABÄ2-CD34-EF78", "One of the letters or numbers is not right"},
		"no UTF-8":      {"\xff\xfe", "Type the code from your card"},
		"markup":        {`"><script>`, "Please check that none is missing"},
		"a mailed link": {w.token, "Please check that none is missing"},
	} {
		rec := w.typeCode(c.typed)
		body := w.want(rec, 422, "There is a problem", `href="#code"`, c.say, `aria-invalid="true"`, `aria-describedby="code-hint code-error"`)
		if strings.Contains(body, "<script>") || telling.MatchString(body) {
			t.Errorf("%s: %s", name, body)
		}
		if m := regexp.MustCompile(`id="code" name="code" value="([^"]*)"`).FindStringSubmatch(body); m == nil || name == "too short" && m[1] != c.typed {
			t.Errorf("%s: what was typed is gone: %v", name, m)
		}
	}
	if body := w.want(w.typeCode(strings.Repeat("A", 5000)), 422); strings.Contains(body, "AAAAA") {
		t.Error("a page of nonsense comes back whole")
	}
	if w.store.links != 0 || w.store.writes != 0 {
		t.Error("a code that is none was looked up")
	}
	w.want(w.do("POST", "/c", url.Values{"code": {strings.Repeat("x", 2<<20)}}), 413)
	w.want(w.do("PUT", "/c", nil), 405)
}

// TestCodesThatOpenNothingLookTheSame: same bytes, same status, same store calls
// as a mailed link that opens nothing.
func TestCodesThatOpenNothingLookTheSame(t *testing.T) {
	w := newWorld(t)
	count := func(ask func() *httptest.ResponseRecorder) (string, [4]int) {
		w.store.links, w.store.cases, w.store.responses, w.store.writes = 0, 0, 0, 0
		w.jar = nil
		body := w.want(ask(), 404)
		return body, [4]int{w.store.links, w.store.cases, w.store.responses, w.store.writes}
	}
	get := func(path string) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return w.do("GET", path, nil) }
	}
	typed := func(code string) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return w.typeCode(code) }
	}
	replaced := w.card("en").Code
	w.now = w.now.Add(time.Minute)
	card := w.card("en").Code
	unknown, calls := count(get("/f/" + seal.NewToken()))
	check := func(name string, ask func() *httptest.ResponseRecorder) {
		t.Helper()
		if body, c := count(ask); body != unknown || c != calls {
			t.Errorf("%s differs from an unknown link: calls %v and %v\n%s", name, c, calls, body)
		}
	}
	check("an unknown code", typed(unknownCode()))
	check("an unknown square", get("/f/"+unknownCode()))
	check("a card that was replaced", typed(replaced))
	check("a square that was replaced", get("/f/"+replaced))
	for _, path := range []string{"/stop", "/not-me"} {
		check("no messages to stop", get("/f/"+card+path))
		check("no messages to stop, sent", func() *httptest.ResponseRecorder {
			return w.do("POST", "/f/"+card+path, url.Values{"sure": {"yes"}})
		})
	}
	check("starting with an unknown code", func() *httptest.ResponseRecorder {
		return w.do("POST", "/f/"+unknownCode(), url.Values{"how": {"start"}})
	})
	w.want(w.typeCode(card), 200)
	w.now = w.now.Add(16 * 24 * time.Hour)
	check("a card that ran out", typed(card))
	check("a square that ran out", get("/f/"+card))
}

// from asks as another network would.
func (w *world) from(network, method, path string, form url.Values) *httptest.ResponseRecorder {
	w.t.Helper()
	req := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.RemoteAddr = network + ":1234"
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, req)
	return rec
}

// TestGuessingIsSlow: by typing and by addresses together, of one network and of
// all, and with the same neutral page whether a card would have opened or not.
func TestGuessingIsSlow(t *testing.T) {
	w := newWorld(t)
	card := w.card("en").Code
	typed := func(network, code string) *httptest.ResponseRecorder {
		return w.from(network, "POST", "/c", url.Values{"code": {code}})
	}
	n := 0
	for ; n < 1000; n++ {
		rec := w.from("192.0.2.1", "GET", "/f/"+unknownCode(), nil)
		if n%2 == 0 {
			rec = typed("192.0.2.1", unknownCode())
		}
		if rec.Code == http.StatusTooManyRequests {
			break
		}
	}
	if n < 5 || n > 40 {
		t.Errorf("one network is refused after %d tries", n)
	}
	busy := func(rec *httptest.ResponseRecorder) string {
		t.Helper()
		body := w.want(rec, http.StatusTooManyRequests, "This page is busy just now", `action="/c"`)
		if m := telling.FindString(body); m != "" || rec.Header().Get("Retry-After") == "" {
			t.Errorf("says %q, headers %v", m, rec.Header())
		}
		return body
	}
	w.store.links = 0
	body := busy(typed("192.0.2.1", card))
	if !strings.Contains(body, `value="`+card+`"`) {
		t.Error("what was typed is gone")
	}
	other := unknownCode()
	if strings.ReplaceAll(body, card, "") != strings.ReplaceAll(busy(typed("192.0.2.1", other)), other, "") {
		t.Error("the page tells a good code from another")
	}
	busy(w.from("192.0.2.1", "GET", "/f/"+card, nil))
	busy(w.from("192.0.2.1", "POST", "/f/"+card, url.Values{"how": {"start"}}))
	if w.store.links != 0 {
		t.Error("a code was looked up all the same")
	}
	w.want(w.from("192.0.2.1", "GET", "/f/"+w.token, nil), 200) // a mailed link is too long to guess
	w.want(typed("192.0.2.1", "AB12"), 422)                     // a slip costs nothing
	w.want(typed("192.0.2.2", card), 200)
	w.now = w.now.Add(time.Minute)
	w.want(typed("192.0.2.1", card), 200)

	// Many networks together.
	n = 0
	for ; n < 5000; n++ {
		if typed("10.0."+strconv.Itoa(n/250)+"."+strconv.Itoa(n%250), unknownCode()).Code == http.StatusTooManyRequests {
			break
		}
	}
	if n < 50 || n > 500 {
		t.Errorf("all networks together are refused after %d tries", n)
	}
	busy(typed("198.51.100.7", card))
	w.want(w.from("198.51.100.7", "GET", "/f/"+w.token, nil), 200)
	w.now = w.now.Add(time.Minute)
	w.want(typed("198.51.100.7", card), 200)
}

// TestBusyIsTranslated into the language that the browser asks for.
func TestBusyIsTranslated(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		w.typeCode(unknownCode())
	}
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/f/"+unknownCode(), nil)
	req.Header.Set("Accept-Language", "ar")
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, req)
	w.want(rec, http.StatusTooManyRequests, `lang="ar"`, `dir="rtl"`, "هذه الصفحة مشغولة الآن")
}

// away is a store that cannot be read for a while.
type away struct {
	*counting
	now bool
}

func (b *away) Link(ctx context.Context, id string) (survey.Link, error) {
	if b.now {
		return survey.Link{}, fault.New(fault.Unavailable, "the store cannot be reached")
	}
	return b.counting.Link(ctx, id)
}

// TestACodeOutlastsAStoreThatIsAway.
func TestACodeOutlastsAStoreThatIsAway(t *testing.T) {
	b := &away{}
	w := newWorldOn(t, func(c *counting) store { b.counting = c; return b })
	card := w.card("en").Code
	b.now = true
	body := w.want(w.typeCode(card), 503, "Try again", `action="/c"`, `name="code" value="`+card+`"`)
	if m := telling.FindString(body); m != "" {
		t.Errorf("the page says %q", m)
	}
	b.now = false
	w.want(w.typeCode(card), 200, "A few questions")
}

// TestTheCodePageIsTheSurveys: its errors are survey pages, it is there where the
// survey has an address of its own, and no page leads to it.
func TestTheCodePageIsTheSurveys(t *testing.T) {
	for path, want := range map[string]bool{"/c": true, "/C": true, "/c/": false, "/cards": false, "/": false} {
		if victim.Owns(path) != want {
			t.Errorf("%s is the survey's: %t", path, !want)
		}
	}
	w := newWorld(t)
	unknown := w.nothingPage()
	for _, path := range []string{"/c/", "/c/x", "/c/" + w.card("en").Code} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s has a page of its own", path)
		}
	}
	pages, err := victim.New(w.rooms.Survey, w.rooms.Loop, victim.Config{Name: "Feedback", Host: "answers.example.org", Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	alone := gin.New()
	alone.Use(pages.Alone())
	pages.Register(alone)
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/c", nil)
	req.Host = "answers.example.org"
	own := httptest.NewRecorder()
	alone.ServeHTTP(own, req)
	w.want(own, 200, "Type your code")
	rec := w.do("GET", "/c", nil)
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
		if rec.Header().Get(name) != want {
			t.Errorf("%s: %q", name, rec.Header().Get(name))
		}
	}
	for _, path := range []string{"/f/" + w.token, "/withdraw", "/f/nothing"} {
		if strings.Contains(w.do("GET", path, nil).Body.String(), `href="/c"`) {
			t.Errorf("%s leads to it", path)
		}
	}
}
