package victim_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"victimvoice/internal/seal"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// What a survey page may weigh, uncompressed, with all it loads.
const (
	maxFirstVisit = 20 << 10 // bytes: page, style sheet and script
	maxAfter      = 8 << 10  // bytes: the page alone; the rest is kept by the browser
	maxRequests   = 3
)

// The line that the table reckons with: a phone at the edge of a 2G network.
const (
	lineBits      = 35_000 // a second
	lineLatency   = 300 * time.Millisecond
	handshake     = 4 << 10 // bytes of certificates and greetings
	tripsToBegin  = 3       // name, TCP, TLS 1.3
	weightFile    = "../../docs/weight.md"
	typedTooLong  = questionnaires.MaxText + 1
	nobodysOption = "no-such-option"
)

// weighed is one page in one state.
type weighed struct {
	kind, what, lang   string
	html, loaded, head int // bytes: page, files it loads, response headers
	requests           int
}

func (p weighed) first() int { return p.html + p.loaded }

func onTheLine(trips, size int) float64 {
	return (time.Duration(trips)*lineLatency + time.Duration(size)*8*time.Second/lineBits).Seconds()
}

func (p weighed) firstSeconds() float64 {
	return onTheLine(tripsToBegin+2, handshake+p.first()+p.head*p.requests)
}

func (p weighed) afterSeconds() float64 { return onTheLine(1, p.html+p.head) }

// scales gathers what pages weigh.
type scales struct {
	mu    sync.Mutex
	pages []weighed
	files map[string]int // what the pages load: bytes by address
}

var loads = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)

// weigh notes a page and holds it to the limits, and to its own ids: whatever a
// label, a description or a link within the page points at is there, once.
// Words that a person typed come back to them and are not counted.
func (s *scales) weigh(w *world, kind, what, lang string, rec *httptest.ResponseRecorder, typed int) {
	w.t.Helper()
	body := rec.Body.String()
	if !strings.Contains(body, `<html lang="`+lang+`"`) {
		w.t.Fatalf("%s is not in %s:\n%s", what, lang, body)
	}
	var head bytes.Buffer
	_ = rec.Header().Write(&head) // a buffer takes all
	p := weighed{kind: kind, what: what, lang: lang, html: len(body) - typed, head: head.Len(), requests: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range loads.FindAllStringSubmatch(body, -1) {
		if _, known := s.files[m[1]]; !known {
			file := w.do("GET", m[1], nil)
			w.want(file, 200)
			if !strings.Contains(file.Header().Get("Cache-Control"), "immutable") {
				w.t.Errorf("%s may not be kept by the browser", m[1])
			}
			s.files[m[1]] = file.Body.Len()
		}
		p.loaded += s.files[m[1]]
		p.requests++
	}
	s.pages = append(s.pages, p)
	if p.first() > maxFirstVisit || p.html > maxAfter || p.requests > maxRequests {
		w.t.Errorf("%s, %s in %s weighs %d bytes at first and %d after, in %d requests; want %d, %d and %d at most",
			kind, what, lang, p.first(), p.html, p.requests, maxFirstVisit, maxAfter, maxRequests)
	}
	tied(w.t, what+" in "+lang, body)
}

// tied holds a page to its own ids.
func tied(t *testing.T, what, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]int)
	var wanted []string
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "for", a.Key == "aria-describedby", a.Key == "aria-labelledby":
				wanted = append(wanted, strings.Fields(a.Val)...)
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				wanted = append(wanted, a.Val[1:])
			}
		}
	}
	for _, id := range wanted {
		if ids[id] != 1 {
			t.Errorf("%s: %d elements have the id %q, which is pointed at", what, ids[id], id)
		}
	}
}

// offered is a question page as its form has it.
type offered struct {
	page   string
	kinds  map[string]string // item: radio, checkbox or textarea
	values map[string][]string
}

var (
	pageField = regexp.MustCompile(`name="page" value="([^"]+)"`)
	rowField  = regexp.MustCompile(`type="(radio|checkbox)" name="([^"]+)" value="([^"]+)"`)
	textField = regexp.MustCompile(`<textarea id="([^"]+)"`)
)

// form reads a question page; false when it is another.
func form(body string) (offered, bool) {
	o := offered{kinds: make(map[string]string), values: make(map[string][]string)}
	m := pageField.FindStringSubmatch(body)
	if m == nil {
		return o, false
	}
	o.page = m[1]
	for _, r := range rowField.FindAllStringSubmatch(body, -1) {
		o.kinds[r[2]] = r[1]
		o.values[r[2]] = append(o.values[r[2]], r[3])
	}
	for _, r := range textField.FindAllStringSubmatch(body, -1) {
		o.kinds[r[1]] = "textarea"
	}
	return o, true
}

// longWay gives answers that lead along the longest way: worried about all of a
// list passed over, harmed by some of it, with every reason there is.
func (o offered) longWay() url.Values {
	f := url.Values{"do": {"next"}, "page": {o.page}}
	for item := range o.kinds {
		switch item {
		case "advice.risk", "advice.harm":
			f.Set(item, "yes")
		case "wd.reasons":
			f[item] = slices.DeleteFunc(slices.Clone(o.values[item]), func(v string) bool { return v == "rather-not-say" })
		case "core.safer":
			f.Set(item, "much-less-safe") // leads to the longest thanks
		}
	}
	return f
}

// wrong gives a form that comes back with everything chosen, an error on every
// question, and how many bytes of it were typed.
func (o offered) wrong() (url.Values, int) {
	f, typed := url.Values{"do": {"next"}, "page": {o.page}}, 0
	for item, kind := range o.kinds {
		if kind == "textarea" {
			f.Set(item, strings.Repeat("x", typedTooLong))
			typed += typedTooLong
			continue
		}
		f[item] = append([]string{nobodysOption}, o.values[item]...)
	}
	return f, typed
}

// speak changes the language of the session at hand.
func (w *world) speak(lang string) {
	w.t.Helper()
	st, err := w.rooms.Survey.Sitting(w.t.Context(), w.jar[0].Value)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.rooms.Survey.Speak(w.t.Context(), st, lang); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) receive(id string, kind survey.EventType, change func(*survey.Event)) {
	w.t.Helper()
	e := survey.Event{EventID: id, CaseRef: "1/26", Type: kind, OccurredAt: w.now, Force: "Metropolitan Police"}
	if change != nil {
		change(&e)
	}
	if _, err := w.rooms.Survey.Receive(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
}

// ways lead to every page of every questionnaire: to a stage and a round of it.
var ways = []struct {
	name  string
	stage survey.Stage
	round int
	lead  func(w *world)
}{
	{"report", survey.StageReport, 1, func(*world) {}},
	{"investigation", survey.StageInvestigation, 1, func(w *world) { w.now = w.now.Add(28 * 24 * time.Hour) }},
	{"investigation, charged", survey.StageInvestigation, 1, func(w *world) {
		w.receive("charged", survey.Progressed, func(e *survey.Event) { e.Milestone = "charged" })
		w.now = w.now.Add(28 * 24 * time.Hour)
	}},
	{"closure", survey.StageClosure, 1, func(w *world) {
		w.receive("charged", survey.Progressed, func(e *survey.Event) { e.Milestone = "charged" })
		w.now = w.now.Add(20 * 24 * time.Hour)
		w.receive("closed", survey.Closed, func(e *survey.Event) { e.Outcome = "nfa-other" })
		w.receive("told", survey.ClosureNotified, nil)
		w.now = w.now.Add(8 * 24 * time.Hour)
	}},
	{"withdrawn", survey.StageWithdrawn, 1, func(w *world) {
		w.now = w.now.Add(20 * 24 * time.Hour)
		w.receive("withdrew", survey.Withdrew, nil)
		w.now = w.now.Add(4 * 24 * time.Hour)
	}},
}

// enter begins a session of a stage, as the person or as their advocate.
func (w *world) enter(stage survey.Stage, round int, mode survey.Mode) {
	w.t.Helper()
	if mode == survey.ModeSelf {
		if stage != survey.StageReport {
			w.token = w.mail()
		}
		w.start("start")
		return
	}
	c := mustCase(w.t, w)
	secret, _, err := w.rooms.Survey.BeginFor(w.t.Context(), survey.Actor{ID: "a", Role: "advocate"}, c.Facts.Advocate, c.ID, stage, round, mode, &survey.Consent{How: "phone", At: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.jar = []*http.Cookie{{Name: "f", Value: secret}}
}

// TestWeight weighs every survey page of every questionnaire in every language,
// each in its heaviest state, as the handlers give it, and holds docs/weight.md to
// what it finds.
func TestWeight(t *testing.T) {
	if testing.Short() {
		t.Skip("measures alone, and for long")
	}
	s := &scales{files: make(map[string]int)}
	var asked sync.Map // item or page of parts, by questionnaire
	t.Run("weigh", func(t *testing.T) {
		for _, way := range ways {
			for _, mode := range []survey.Mode{survey.ModeSelf, survey.ModeRelayed, survey.ModeObserved} {
				t.Run(way.name+" "+string(mode), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					way.lead(w)
					w.enter(way.stage, way.round, mode)
					w.questions(s, way.name, mode, &asked)
				})
			}
		}
		t.Run("before the start", func(t *testing.T) { t.Parallel(); newWorld(t).doors(s) })
		t.Run("nothing to send", func(t *testing.T) { t.Parallel(); newWorld(t).emptyHanded(s) })
		t.Run("outside a session", func(t *testing.T) { t.Parallel(); newWorld(t).outside(s) })
		t.Run("a word", func(t *testing.T) { t.Parallel(); newWorld(t).words(s) })
		t.Run("a part of ours is away", func(t *testing.T) { t.Parallel(); storeAway(t, s) })
	})
	if t.Failed() {
		return
	}
	for _, q := range newWorld(t).rooms.Survey.Questionnaires().All() {
		for _, it := range q.Items {
			if _, ok := asked.Load(string(q.Stage) + " " + it.ID); !ok {
				t.Errorf("%s %s was not weighed", q.ID, it.ID)
			}
		}
	}
	text := s.table(newWorld(t).rooms.Survey.Questionnaires().LanguagesOffered())
	if *update {
		if err := os.WriteFile(weightFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if was, err := os.ReadFile(weightFile); err != nil || string(was) != text {
		t.Errorf("docs/weight.md is not what was measured (%v); run go test ./web/victim -run TestWeight -update. Measured:\n%s", err, text)
	}
}

func (w *world) languages() []string {
	var out []string
	for _, l := range w.rooms.Survey.Questionnaires().LanguagesOffered() {
		out = append(out, l.Code)
	}
	return out
}

// questions goes the longest way once and then weighs each of its pages in every
// language: visited before, sent back with errors, everything chosen.
func (w *world) questions(s *scales, way string, mode survey.Mode, asked *sync.Map) {
	w.t.Helper()
	who := way + ", " + string(mode)
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "before the first question", who, lang, w.do("GET", "/f", nil), 0)
	}
	w.speak("en")
	var pages []offered
	for {
		o, ok := form(w.want(w.do("GET", "/f?p=99", nil), 200))
		if !ok {
			break
		}
		stage, _, _ := strings.Cut(way, ",")
		for item := range o.kinds {
			asked.Store(stage+" "+item, true)
		}
		pages = append(pages, o)
		if rec := w.do("POST", "/f", o.longWay()); rec.Code != 303 {
			w.t.Fatalf("%s answers %d", o.page, rec.Code)
		}
		if len(pages) > 40 {
			w.t.Fatal("the questions do not end")
		}
	}
	if mode == survey.ModeSelf {
		w.aboutThem(s, way)
	}
	for _, lang := range w.languages() {
		w.speak(lang)
		for _, o := range pages {
			f, typed := o.wrong()
			rec := w.do("POST", "/f", f)
			w.want(rec, 422, `id="errors"`)
			s.weigh(w, "question", who+": "+o.page, lang, rec, typed)
		}
		s.weigh(w, "before sending", who, lang, w.do("GET", "/f", nil), 0)
		s.weigh(w, "staying safe", who, lang, w.do("GET", "/f/safety", nil), 0)
		if mode == survey.ModeSelf {
			w.do("POST", "/f", pages[0].longWay()) // the draft is in this language from here on
			s.weigh(w, "opening, begun before", way, lang, w.do("GET", "/f/"+w.token, nil), 0)
		}
	}
	if rec := w.do("POST", "/f", url.Values{"do": {"send"}}); rec.Code != 303 {
		w.t.Fatalf("sending answers %d", rec.Code)
	}
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "thanks, with an alert", who, lang, w.do("GET", "/f", nil), 0)
	}
}

// doors weighs what a mailed link opens, and the two ways to refuse.
func (w *world) doors(s *scales) {
	yes, at := true, w.now.Add(-time.Hour)
	for _, lang := range w.languages() {
		w.receive("language "+lang, survey.ContactChanged, func(e *survey.Event) {
			e.Contact = &survey.Contact{Email: "person@example.org", Language: lang, EmailSafe: &yes, SafeConfirmedAt: &at, SafeFrom: "00:00", SafeTo: "23:59"}
		})
		w.now = w.now.Add(time.Minute)
		s.weigh(w, "opening", "report", lang, w.do("GET", "/f/"+w.token, nil), 0)
		for _, how := range []string{"/stop", "/not-me"} {
			s.weigh(w, "refusing mail", how, lang, w.do("POST", "/f/"+w.token+how, url.Values{}), 0)
		}
	}
	w.start("quick")
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "before the first question", "one minute", lang, w.do("GET", "/f", nil), 0)
	}
}

// aboutThem weighs the questions about the person, and passes them over.
func (w *world) aboutThem(s *scales, way string) {
	w.t.Helper()
	for {
		body := w.want(w.do("GET", "/f", nil), 200)
		m := aboutID.FindStringSubmatch(body)
		if m == nil {
			return
		}
		wrong := url.Values{"do": {"next"}, "about": {m[1]}}
		for _, r := range rowField.FindAllStringSubmatch(body, -1) {
			wrong.Set(r[2], nobodysOption)
		}
		for _, lang := range w.languages() {
			w.speak(lang)
			rec := w.do("POST", "/f", wrong)
			w.want(rec, 422, `id="errors"`)
			s.weigh(w, "about you", way+": "+m[1], lang, rec, 0)
		}
		w.speak("en")
		if rec := w.do("POST", "/f", url.Values{"do": {"next"}, "about": {m[1]}}); rec.Code != 303 {
			w.t.Fatalf("%d: %s", rec.Code, rec.Body)
		}
	}
}

// words weighs the pages about a word of one's own and how to go on, each with its error.
func (w *world) words(s *scales) {
	w.t.Helper()
	by, key := w.advocate()
	w.start("start")
	w.next("/f?p=1", "core.confidence", "very")
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "a word of one's own", "too short", lang, w.do("POST", "/f/keep", url.Values{"word": {"abc"}, "before": {"yes"}}), 0)
	}
	w.do("POST", "/f/keep", url.Values{"word": {"Ivy 1990"}})
	w.start("start")
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "been here before", "a wrong word", lang, w.do("POST", "/f", url.Values{"do": {"code"}, "word": {"wrong"}}), 0)
		s.weigh(w, "starting again", "no tick", lang, w.do("POST", "/f/again", url.Values{}), 0)
	}
	if err := w.rooms.Survey.SetWord(w.t.Context(), by, key, w.rooms.Survey.CaseID("Metropolitan Police", "1/26"), "Blue Kettle"); err != nil {
		w.t.Fatal(err)
	}
	w.start("start")
	for _, lang := range w.languages() {
		w.speak(lang)
		s.weigh(w, "the agreed word", "a wrong word", lang, w.do("POST", "/f", url.Values{"do": {"word"}, "word": {"wrong"}}), 0)
	}
}

// emptyHanded weighs the last page where every question was passed over.
func (w *world) emptyHanded(s *scales) {
	w.start("quick")
	for _, p := range []string{"/f?p=1", "/f?p=2", "/f?p=3"} {
		w.next(p, "", "")
	}
	for _, lang := range w.languages() {
		w.speak(lang)
		rec := w.do("POST", "/f", url.Values{"do": {"send"}, questionnaires.TicksItem: {
			questionnaires.TickQuote, questionnaires.TickTold, questionnaires.TickContact, questionnaires.TickShare,
		}})
		w.want(rec, 422)
		s.weigh(w, "before sending", "nothing to send", lang, rec, 0)
	}
}

// outside weighs the pages that nobody's session leads to.
func (w *world) outside(s *scales) {
	for _, lang := range w.languages() {
		ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
			w.now = w.now.Add(time.Hour) // not so many codes at once
			req := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Accept-Language", lang)
			rec := httptest.NewRecorder()
			w.engine.ServeHTTP(rec, req)
			return rec
		}
		s.weigh(w, "nothing here", "/f/…", lang, ask("GET", "/f/unknown", nil), 0)
		s.weigh(w, "cookies blocked", "/f?s=1", lang, ask("GET", "/f?s=1", nil), 0)
		s.weigh(w, "saved and stopped", "/f/stopped", lang, ask("GET", "/f/stopped", nil), 0)
		s.weigh(w, "taking answers back", "not a code", lang, ask("POST", "/withdraw", url.Values{"code": {"nonsense"}}), 0)
		s.weigh(w, "a card's code", "not a code", lang, ask("POST", "/c", url.Values{"code": {"nonsense"}}), 0)
		s.weigh(w, "taking answers back", "done", lang, ask("POST", "/withdraw", url.Values{"code": {seal.NewCode(4)}}), 0)
	}
}

// storeAway weighs the page that brings back what was sent while the store was away.
func storeAway(t *testing.T, s *scales) {
	b := &broken{}
	w := newWorldOn(t, func(c *counting) store { b.counting = c; return b })
	w.start("start")
	var o offered
	for o.page != "advice-list.safety" {
		var ok bool
		if o, ok = form(w.want(w.do("GET", "/f?p=99", nil), 200)); !ok {
			t.Fatal("the long list was not met")
		}
		if o.page != "advice-list.safety" {
			w.do("POST", "/f", o.longWay())
		}
	}
	b.away = true
	form := url.Values{"do": {"next"}, "page": {o.page}, "advice.codes": o.values["advice.codes"]}
	for _, lang := range w.languages() {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/f", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept-Language", lang)
		req.AddCookie(w.jar[0])
		rec := httptest.NewRecorder()
		w.engine.ServeHTTP(rec, req)
		w.want(rec, 503)
		s.weigh(w, "something went wrong", o.page, lang, rec, 0)
	}
}

// table writes docs/weight.md.
func (s *scales) table(languages []questionnaires.Language) string {
	heaviest := func(of func(weighed) bool) weighed {
		var top weighed
		for _, p := range s.pages {
			if of(p) && (p.html > top.html || p.html == top.html && p.kind+p.what+p.lang < top.kind+top.what+top.lang) {
				top = p
			}
		}
		return top
	}
	bytesOf := func(n int) string {
		if n < 1000 {
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	row := func(name string, p weighed, what string) string {
		return fmt.Sprintf("| %s | %s | %s | %s | %d | %.1f s | %.1f s |\n", name, what, bytesOf(p.first()), bytesOf(p.html), p.requests, p.firstSeconds(), p.afterSeconds())
	}
	var b strings.Builder
	b.WriteString(`# What a survey page weighs

Every survey page of every questionnaire, as the person and as an advocate meets it, in every language, each in its heaviest state:
visited before, sent back with an error on every question and everything chosen. Bytes are uncompressed; nothing is compressed on
the way. *First visit* is the page with its style sheet and its script, which the browser then keeps; *after* is the page alone. Words
that a person typed come back to them when a page has to be shown again, and are not counted.

`)
	fmt.Fprintf(&b, "Limits, held by `TestWeight` in `web/victim`, which also holds this file to what it measures: %s bytes at the first visit, %s after, %d\nrequests. Of %d pages and states weighed none is heavier. To write this file anew: `go test ./web/victim -run TestWeight -update`.\n\n",
		bytesOf(maxFirstVisit), bytesOf(maxAfter), maxRequests, len(s.pages))
	fmt.Fprintf(&b, "*At 2G* is reckoned, for a line of %d kbit/s with %d ms there and back: at the first visit %d journeys to begin (name, TCP, TLS) with %s\nbytes of certificates, one for the page, one for the two files together; after, one journey. Response headers are counted as they are.\n\n",
		lineBits/1000, lineLatency.Milliseconds(), tripsToBegin, bytesOf(handshake))
	b.WriteString("## By language: its heaviest page\n\n| Language | Page | First visit | After | Requests | First visit at 2G | After at 2G |\n|---|---|--:|--:|--:|--:|--:|\n")
	for _, l := range languages {
		p := heaviest(func(p weighed) bool { return p.lang == l.Code })
		b.WriteString(row(fmt.Sprintf("%s (%s)", l.Name, l.Code), p, p.kind+": "+p.what))
	}
	b.WriteString("\n## By page: the language in which it is heaviest\n\n| Page | Heaviest as | First visit | After | Requests | First visit at 2G | After at 2G |\n|---|---|--:|--:|--:|--:|--:|\n")
	kinds := make(map[string]weighed)
	for _, p := range s.pages {
		kinds[p.kind] = heaviest(func(o weighed) bool { return o.kind == p.kind })
	}
	for _, p := range slices.SortedFunc(maps.Values(kinds), func(x, y weighed) int {
		return cmp.Or(y.html-x.html, strings.Compare(x.kind, y.kind))
	}) {
		b.WriteString(row(strings.ToUpper(p.kind[:1])+p.kind[1:], p, p.what+" ("+p.lang+")"))
	}
	return b.String()
}
