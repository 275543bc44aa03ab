//go:build browser

package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"victimvoice/internal/app"
	"victimvoice/survey"
)

// wire stands between the browsers and a house, as the network does. It can be
// cut at a moment of the test's choosing.
type wire struct {
	server *httptest.Server

	mu   sync.Mutex
	to   string                                    // the house's address
	cuts func(r *http.Request, answered bool) bool // asked before a request goes on, and again once it is answered
	seen []sent
	last string // the cookies that came last
}

// sent is a form that went over the wire, for replaying it.
type sent struct {
	path, cookie string
	form         url.Values
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{}
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	return w
}

// between makes an installation that is reached over the wire.
func (w *wire) between(t *testing.T, guests ...invited) *house {
	t.Helper()
	h := newHouseAt(t, w.server.URL, guests...)
	w.to = h.addr
	return h
}

// cut has the wire break where cuts says so, until it is mended.
func (w *wire) cut(cuts func(r *http.Request, answered bool) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = cuts
}

func (w *wire) mend() { w.cut(nil) }

func (w *wire) broken(r *http.Request, answered bool) bool {
	w.mu.Lock()
	cuts := w.cuts
	w.mu.Unlock()
	return cuts != nil && cuts(r, answered)
}

func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || w.broken(r, false) {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	on, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, "http://"+w.to+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	on.Header, on.Host = r.Header.Clone(), r.Host
	w.note(r, body)
	resp, err := http.DefaultTransport.RoundTrip(on)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || w.broken(r, true) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range resp.Header {
		out.Header()[name] = values
	}
	out.WriteHeader(resp.StatusCode)
	_, _ = out.Write(answer)
}

func (w *wire) note(r *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := r.Header.Get("Cookie"); c != "" {
		w.last = c
	}
	if form, err := url.ParseQuery(string(body)); err == nil && r.Method == http.MethodPost {
		w.seen = append(w.seen, sent{path: r.URL.Path, cookie: r.Header.Get("Cookie"), form: form})
	}
}

// newGuest is a person with a cookie jar of their own in a browser that runs.
func (h *house) newGuest(t *testing.T, browser context.Context) *guest {
	t.Helper()
	tab, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	do(t, tab, emulateDesktop())
	return &guest{t: t, h: h, tab: tab, given: map[string]string{}}
}

// answered is somebody who has answered the questions up to a page over HTTP, as
// the forms would be sent: with no page named, all of them. It gives what they answered.
func (h *house) answered(link, upTo string, wish map[string]string) map[string]string {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	ask := func(path string, form url.Values) string {
		h.t.Helper()
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
		if err != nil {
			h.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			h.t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode > 299 {
			h.t.Fatalf("POST %s: %d %v\n%s", path, resp.StatusCode, err, b)
		}
		return string(b)
	}
	ask(link, url.Values{"how": {"start"}})
	body := ask(h.base+"/f", url.Values{"do": {"begin"}})
	given := map[string]string{}
	for range 40 {
		id := pageID.FindStringSubmatch(body)
		if id == nil || id[2] == upTo {
			return given
		}
		form := url.Values{"do": {"next"}, id[1]: {id[2]}}
		for _, c := range choice.FindAllStringSubmatch(body, -1) {
			if want, wished := wish[c[1]]; !form.Has(c[1]) && (!wished || want == c[2]) {
				form.Set(c[1], c[2])
			}
		}
		for _, a := range area.FindAllStringSubmatch(body, -1) {
			form.Set(a[1], "Words for "+a[1])
		}
		for item := range form {
			if item == adviceList {
				given[item] = union(given[item], form.Get(item))
			} else if item != "do" && item != id[1] {
				given[item] = form.Get(item)
			}
		}
		body = ask(h.base+"/f", form)
	}
	h.t.Fatal("the questions do not end")
	return nil
}

// cutOff reports whether the browser shows an error of its own.
func (g *guest) cutOff() bool {
	g.t.Helper()
	return strings.HasPrefix(get(g.t, g.tab, chromedp.Location()), "chrome-error:")
}

// attempt presses a button that may lead nowhere, as the way is cut: it waits for
// another page, or for the page that shows to say that it could not be sent.
func (g *guest) attempt(selector string) {
	g.t.Helper()
	click(g.t, g.tab, selector)
	g.until("pressing "+selector+" comes to something", `(!window.pressed && document.readyState==="complete") || !!document.querySelector("[data-cut]:not([hidden])")`)
}

// until waits for what JavaScript says of the page that shows.
func (g *guest) until(what, js string) {
	g.t.Helper()
	await(g.t, 30*time.Second, what, func() bool {
		ctx, cancel := context.WithTimeout(g.tab, 3*time.Second)
		defer cancel()
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js))
		return err == nil && ok // an error is a page that is just being left
	})
}

// back presses Back. A page that the browser kept in its memory comes without a request.
func (g *guest) back() {
	g.t.Helper()
	from := get(g.t, g.tab, chromedp.NavigationEntries())
	if from.CurrentIndex == 0 {
		g.t.Fatal("there is no further back")
	}
	to := from.Entries[from.CurrentIndex-1]
	do(g.t, g.tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: to.ID})
		return err
	}))
	await(g.t, 30*time.Second, "Back leads to "+to.URL, func() bool {
		at, err := chromedp.Run(g.tab, chromedp.NavigationEntries())
		return err == nil && at.CurrentIndex == from.CurrentIndex-1
	})
	g.until("the page before has loaded", `document.readyState==="complete"`)
}

// again does what a person does once the way is mended: the browser's own error
// is loaded again, a page that says it could not be sent has its button pressed again.
func (g *guest) again(selector string) {
	g.t.Helper()
	if g.cutOff() {
		do(g.t, g.tab, chromedp.Reload())
		g.until("the page has loaded again", `document.readyState==="complete"`)
		return
	}
	g.press(selector)
}

const (
	toStart = `button[value="start"]`
	toBegin = `button[value="begin"]`
	toCarry = `button[value="carry"]`
	toNext  = `button[value="next"]`
	toSend  = `button[value="send"]`
)

// TestAnswersOutlastTheServer: the process killed between any two pages, and while
// the answers are being sent.
func TestAnswersOutlastTheServer(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	h := w.between(t, invited{name: "pages"}, invited{name: "before"}, invited{name: "after"}, invited{name: "amid1"}, invited{name: "amid2"}, invited{name: "amid3"})
	h.open()
	tab := browser(t)

	t.Run("between any two pages", func(t *testing.T) {
		h := h.in(t)
		g := h.newGuest(t, tab)
		do(t, g.tab, chromedp.Navigate(h.link("pages")))
		for n := 0; !g.has(".code"); n++ {
			if n > 40 {
				t.Fatalf("the questions do not end:\n%s", g.text())
			}
			button := toStart
			for _, other := range []string{toBegin, toNext, toSend} {
				if g.has(other) {
					button = other
				}
			}
			if button == toNext {
				g.fill(dangerSigns)
			}
			if n%2 == 0 { // while the person reads
				h.reopen()
				g.press(button)
				continue
			}
			h.kill() // and they press before it is there again
			g.attempt(button)
			if button == toNext && g.has(toNext) && !g.has("[data-cut]:not([hidden])") {
				t.Fatalf("a page follows though nothing serves:\n%s", g.text())
			}
			h.open()
			g.again(button)
		}
		g.receipt()
		if k := g.wantKept("pages"); k.alerts != 1 {
			t.Errorf("%d alerts; want one", k.alerts)
		}
		if len(g.given) < 17 {
			t.Errorf("only %d answers were given: is this the whole path?", len(g.given))
		}
	})

	for name, kill := range map[string]func(answered bool) bool{
		"before": func(answered bool) bool { h.strike(); return !answered },
		"after": func(answered bool) bool {
			if answered {
				h.strike()
			}
			return answered
		},
		"amid1": h.strikeAmid(0), "amid2": h.strikeAmid(time.Millisecond), "amid3": h.strikeAmid(4 * time.Millisecond),
	} {
		t.Run("while the answers are sent, "+name, func(t *testing.T) {
			h := h.in(t)
			g := h.newGuest(t, tab)
			link := h.link(name)
			g.given = h.answered(link, "", dangerSigns)
			g.goOn(link)
			w.cut(func(r *http.Request, answered bool) bool { return r.Method == http.MethodPost && kill(answered) })
			g.attempt(toSend)
			w.mend()
			h.reopen()
			if !g.has(".code") {
				g.again(toSend)
			}
			code := g.receipt()
			if k := g.wantKept(name); k.alerts != 1 {
				t.Errorf("%d alerts; want one", k.alerts)
			}
			do(t, g.tab, chromedp.Reload())
			if again := g.receipt(); again != code {
				t.Errorf("the code was %s and is %s", code, again)
			}
		})
	}
}

// TestAnswersOutlastTheBrowser: closed half-way, with another one opened on the
// same link, as on another device.
func TestAnswersOutlastTheBrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, invited{name: "moves"})
	h.open()
	tab, shut := browserWith(t, t.TempDir())
	g := h.guest(tab)
	link := h.link("moves")
	g.begin(link, "start")
	for range 4 {
		g.next(dangerSigns)
	}
	shut()

	g.tab = browser(t)
	do(t, g.tab, chromedp.Navigate(link))
	if body := g.text(); !strings.Contains(body, "Carry on") || strings.Contains(body, "one minute") && g.has(`button[value="quick"]`) {
		t.Errorf("the opening page does not offer to carry on:\n%s", body)
	}
	g.press(toStart)
	if !g.has(toCarry) || g.has("input:checked") {
		t.Errorf("whoever comes back is not asked how to go on:\n%s", g.text())
	}
	g.press(toCarry)
	if body := g.text(); !strings.Contains(body, "5 of") {
		t.Errorf("it does not go on at the next question:\n%s", body)
	}
	for n := range 4 {
		g.goTo("/f?p=" + string(rune('1'+n)))
		if g.has("input:checked") {
			t.Errorf("page %d shows what was answered before", n+1)
		}
	}
	g.goTo("/f")
	g.toTheEnd(dangerSigns)
	g.send()
	g.wantKept("moves")
}

// TestAnswersOutlastTheNetwork: cut while a page of words is saved and while the
// answers are sent, before the request arrived or before its answer did.
func TestAnswersOutlastTheNetwork(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	guests := []invited{{name: "early"}, {name: "late"}, {name: "early-plain"}, {name: "late-plain"}}
	h := w.between(t, guests...)
	h.open()
	tab := browser(t)
	for _, who := range guests {
		t.Run(who.name, func(t *testing.T) {
			h := h.in(t)
			late, plain := strings.HasPrefix(who.name, "late"), strings.HasSuffix(who.name, "plain")
			cut := func(r *http.Request, answered bool) bool { return r.Method == http.MethodPost && answered == late }
			g := h.newGuest(t, tab)
			link := h.link(who.name)
			if plain {
				script(t, g.tab, false)
			}
			g.given = h.answered(link, "words", dangerSigns)
			g.goOn(link)
			// While a page is saved.
			words := "They rang me back twice, and then I heard nothing for weeks."
			g.fill(map[string]string{"open.better": words})
			w.cut(cut)
			g.attempt(toNext)
			if plain != g.cutOff() {
				t.Errorf("the browser's own error shows: %v; with script the page stays, without it cannot:\n%s", g.cutOff(), g.text())
			}
			if !plain {
				if v := get(t, g.tab, chromedp.Evaluate[string](`document.getElementById("open.better").value`)); v != words {
					t.Errorf("what was typed is %q now", v)
				}
				accessible(t, g.tab, "a page that could not be sent")
				g.attempt(toNext) // still cut
				if g.cutOff() {
					t.Error("pressing again while it is cut leaves the page")
				}
			}
			w.mend()
			g.again(toNext)
			g.toTheEnd(dangerSigns)
			// While the answers are sent.
			w.cut(cut)
			g.attempt(toSend)
			w.mend()
			if plain { // Back, and press again
				g.back()
			}
			if !g.has(".code") {
				g.again(toSend)
			}
			code := g.receipt()
			g.wantKept(who.name)
			do(t, g.tab, chromedp.Reload())
			if again := g.receipt(); again != code {
				t.Errorf("the code was %s and is %s", code, again)
			}
		})
	}
}

// TestFormsSentTwice: a double click, two tabs, and a replayed request each give
// one response and one code.
func TestFormsSentTwice(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	h := w.between(t, invited{name: "double"}, invited{name: "double-plain"}, invited{name: "tabs"})
	h.open()
	tab := browser(t)
	one := func(t *testing.T, g *guest, name string) {
		t.Helper()
		g.receipt()
		if k := g.wantKept(name); k.alerts != 1 {
			t.Errorf("%d alerts; want one", k.alerts)
		}
	}
	for _, name := range []string{"double", "double-plain"} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			g := h.newGuest(t, tab)
			link := h.link(name)
			g.given = h.answered(link, "", dangerSigns)
			if name == "double-plain" {
				script(t, g.tab, false)
			}
			g.goOn(link)
			do(t, g.tab, chromedp.DoubleClick(chromedp.CSS(toSend)))
			g.until("the thanks show", `!!document.querySelector(".code")`)
			one(t, g, name)
		})
	}
	t.Run("two tabs, and a replay", func(t *testing.T) {
		h := h.in(t)
		g := h.newGuest(t, tab)
		g.begin(h.link("tabs"), "start")
		g.next(dangerSigns)
		second, end := chromedp.NewContext(g.tab)
		defer end()
		other := h.guest(second)
		other.goTo("/f")
		g.next(map[string]string{"core.informed": "fairly-well"})
		other.next(map[string]string{"core.informed": "not-very-well"}) // the same question: the later answer counts
		g.given["core.informed"] = "not-very-well"
		g.toTheEnd(dangerSigns)
		other.goTo("/f")
		code := g.send()
		if again := other.send(); again != code {
			t.Errorf("one tab shows %s and the other %s", code, again)
		}
		w.mu.Lock()
		seen := w.seen
		w.mu.Unlock()
		for _, s := range seen {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+s.path, strings.NewReader(s.form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Cookie", s.cookie)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode >= 500 {
				t.Errorf("sending %s again answers %d", s.path, resp.StatusCode)
			}
		}
		one(t, g, "tabs")
		do(t, g.tab, chromedp.Reload())
		if again := g.receipt(); again != code {
			t.Errorf("after the replay the code is %s and was %s", again, code)
		}
	})
}

// TestTypedForLong: a session that runs out while somebody types, and a store
// that is away when they press the button.
func TestTypedForLong(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	h := w.between(t, invited{name: "slow"}, invited{name: "away"})
	h.open()
	tab := browser(t)

	t.Run("the session has run out", func(t *testing.T) {
		h := h.in(t)
		g := h.newGuest(t, tab)
		link := h.link("slow")
		g.given = h.answered(link, "words", dangerSigns)
		g.goOn(link)
		g.fill(map[string]string{"open.better": "I thought about this for more than an hour."})
		h.close()
		h.age(w, 61*time.Minute)
		h.open()
		g.press(toNext)
		if where := get(t, g.tab, chromedp.Location()); !strings.HasPrefix(where, h.base+"/f/stopped") || !strings.Contains(g.text(), "kept") {
			t.Errorf("%s shows\n%s", where, g.text())
		}
		g.goTo("/f")
		if !strings.Contains(g.text(), "nothing here") {
			t.Errorf("a session that ran out shows\n%s", g.text())
		}
		g.goOn(link)
		g.toTheEnd(dangerSigns)
		g.send()
		g.wantKept("slow")
	})

	t.Run("the store is away", func(t *testing.T) {
		h := h.in(t)
		g := h.newGuest(t, tab)
		link := h.link("away")
		g.given = h.answered(link, "words", dangerSigns)
		g.goOn(link)
		g.fill(map[string]string{"open.better": "Typed while the store was away."})
		path := filepath.Join(h.dir, "x.db")
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		g.press(toNext)
		accessible(t, g.tab, "a page that can be sent again")
		if !strings.Contains(g.text(), "Try again") {
			t.Errorf("the page does not offer to try again:\n%s", g.text())
		}
		g.press("main button")
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		g.press("main button")
		g.toTheEnd(dangerSigns)
		g.send()
		g.wantKept("away")
	})
}

// age makes the session that was at work last older.
func (h *house) age(w *wire, by time.Duration) {
	h.t.Helper()
	w.mu.Lock()
	_, secret, ok := strings.Cut(w.last, "f=")
	w.mu.Unlock()
	if !ok {
		h.t.Fatal("nobody came with a session")
	}
	h.look(func(ctx context.Context, r *app.Rooms) {
		if _, err := r.Store.UpdateSitting(ctx, h.keys.TokenHash("sitting", secret), func(s *survey.Sitting) error {
			if s.Version == 0 {
				return errors.New("there is no such session")
			}
			s.StartedAt, s.ExpiresAt = s.StartedAt.Add(-by), s.ExpiresAt.Add(-by)
			return nil
		}); err != nil {
			h.t.Fatal(err)
		}
	})
}

// script allows or forbids the scripts of a tab's pages.
func script(t *testing.T, ctx context.Context, allowed bool) {
	t.Helper()
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !allowed})
		return err
	}))
}

// strike kills the process and leaves it to reopen to tidy up.
func (h *house) strike() { _ = h.serve.Process.Kill() }

// strikeAmid kills the process while it works on a request, or just after.
func (h *house) strikeAmid(after time.Duration) func(answered bool) bool {
	return func(answered bool) bool {
		if !answered {
			process := h.serve.Process
			time.AfterFunc(after, func() { _ = process.Kill() })
		}
		return false
	}
}

// TestAPageOfYesterday: a page that was shown before an upgrade brought another
// version of the questionnaire.
func TestAPageOfYesterday(t *testing.T) {
	t.Parallel()
	newer := newerQuestionnaire(t)
	h := newHouse(t, invited{name: "first"}, invited{name: "half"}, invited{name: "fresh"})
	h.open()
	tab := browser(t)
	half, first, fresh := h.newGuest(t, tab), h.newGuest(t, tab), h.newGuest(t, tab)
	first.begin(h.link("first"), "start") // nothing is kept of them yet
	first.fill(map[string]string{"core.confidence": "not-very"})
	started := h.link("half")
	half.given = h.answered(started, "words", dangerSigns)
	half.goOn(started)
	half.fill(map[string]string{"open.better": "Typed in the version of yesterday."})
	link := h.link("fresh")
	h.close()
	h.bin = newer
	h.open()

	first.press(toNext)
	first.toTheEnd(dangerSigns)
	first.send()
	half.press(toNext)
	half.toTheEnd(dangerSigns)
	half.send()
	for name, g := range map[string]*guest{"first": first, "half": half} {
		if k := g.wantKept(name); k.responses[0].Questionnaire != "report/1" {
			t.Errorf("%s is kept as an answer to %s", name, k.responses[0].Questionnaire)
		}
	}
	if len(first.given) != len(half.given) {
		t.Errorf("the one gave %d answers and the other %d", len(first.given), len(half.given))
	}

	// Whoever begins now is asked the new version.
	fresh.begin(link, "start")
	if page := fresh.page(); page != "trust" {
		t.Fatalf("the new version begins with the page %q", page)
	}
	fresh.toTheEnd(dangerSigns)
	fresh.send()
	if k := h.responses("fresh"); len(k) != 1 || k[0].Questionnaire != "report/2" || k[0].State != survey.Complete {
		t.Errorf("%+v", k)
	}
}

// newerQuestionnaire builds the product with a second version of the report
// questionnaire, whose first page goes by another name.
func newerQuestionnaire(t *testing.T) string {
	t.Helper()
	old, err := filepath.Abs("../../survey/questionnaires/data/report/1")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(old, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no questionnaire at %s: %v", old, err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // G304: the product's own data
		if err != nil {
			t.Fatal(err)
		}
		s := strings.NewReplacer("\nversion: 1\n", "\nversion: 2\n", "- id: confidence\n", "- id: trust\n", "\n  confidence:\n", "\n  trust:\n").Replace(string(b))
		to := filepath.Join(dir, filepath.Base(f))
		if err := os.WriteFile(to, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(filepath.Dir(old), "2", filepath.Base(f))] = to
	}
	overlay := filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	bin, err := compile("newer", "-overlay", overlay)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}
