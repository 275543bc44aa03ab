//go:build browser

package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"victimvoice/internal/access"
	"victimvoice/internal/app"
	"victimvoice/survey"
)

// tour leads a browser through the states of the survey's pages and holds each of
// them to what every page owes its reader.
type tour struct {
	*guest
	language string
	names    []string // of the states seen
	heaviest int      // of the pages, in bytes
	heavy    string

	mu     sync.Mutex
	strays []string // requests to elsewhere, and what the browser complained of
}

// directions are the languages of the pages and how they run.
var directions = map[string]string{"en": "ltr", "cy": "ltr", "pl": "ltr", "ro": "ltr", "pt": "ltr", "bn": "ltr", "ur": "rtl", "ar": "rtl"}

// newTour begins a tour in a browser that asks for pages in a language.
func newTour(t *testing.T, tab context.Context, h *house, language string) *tour {
	t.Helper()
	v := &tour{guest: h.newGuest(t, tab), language: language}
	if err := chromedp.Listen(v.tab, v.overhear); err != nil {
		t.Fatal(err)
	}
	call(t, v.tab, network.Enable, network.EnableParams{})
	call(t, v.tab, log.Enable, cdp.Empty{})
	v.asksFor(language)
	return v
}

// call sends a command of the browser's own protocol.
func call[P, R any](t *testing.T, ctx context.Context, cmd cdp.Command[P, R], params P) {
	t.Helper()
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cmd, params)
		return err
	}))
}

// asksFor sets the language that the browser says its reader wants.
func (v *tour) asksFor(language string) {
	v.t.Helper()
	call(v.t, v.tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
}

// online cuts the tab off from the network, or connects it again.
func (v *tour) online(connected bool) {
	v.t.Helper()
	call(v.t, v.tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: !connected, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}

// overhear notes what no page may do: ask somebody else for something, or break
// its own policy.
func (v *tour) overhear(ev any) {
	stray := ""
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, v.h.base+"/") && !strings.HasPrefix(u, "data:") {
			stray = "asks for " + u
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork { // a page that says 404 is one
			stray = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		stray = e.ExceptionDetails.Text
	}
	if stray != "" {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.strays = append(v.strays, stray)
	}
}

// end tells what was met on the way.
func (v *tour) end() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.strays {
		v.t.Errorf("a page %s", s)
	}
	v.t.Logf("%d states; the heaviest page is %s with %d bytes", len(v.names), v.heavy, v.heaviest)
}

// pageRules is what a page is looked at for by itself, at the size that it has
// now. It gives what is wrong.
const pageRules = `(o=>{
const bad=[],d=document,root=d.documentElement,W=root.clientWidth;
const say=(what,e)=>bad.push(what+(e?": "+e.outerHTML.slice(0,140):""));
const shown=e=>{const r=e.getBoundingClientRect();return r.width>0&&r.height>0&&getComputedStyle(e).visibility!=="hidden"};
const all=s=>[...d.querySelectorAll(s)].filter(shown);
if(root.lang!==o.lang||root.dir!==o.dir)say("lang and dir are "+root.lang+" "+root.dir);
if(d.title!==o.title)say("the title is "+d.title);
if(root.scrollWidth>W)say("it scrolls sideways, "+root.scrollWidth+" in "+W);
for(const e of all("body *"))if(!e.closest(".skip")){const r=e.getBoundingClientRect();if(r.right>W+1||r.left< -1)say("it reaches out of the page",e)}
for(const e of all("button:not(.link),.button,label.row,textarea,select,summary,input:not([type=radio],[type=checkbox])")){
	const r=e.getBoundingClientRect();if(r.height<44||r.width<44)say("a target of "+Math.round(r.width)+" by "+Math.round(r.height),e)}
for(const e of all("a[href],button.link")){
	const inText=[...e.parentNode.childNodes].some(n=>n.nodeType===3&&n.data.trim().length>3), r=e.getBoundingClientRect();
	if(!inText&&!e.closest(".skip")&&(r.height<24||r.width<24))say("a target of "+Math.round(r.width)+" by "+Math.round(r.height),e)}
const ids=[...d.querySelectorAll("[id]")].map(e=>e.id);
ids.forEach((id,i)=>ids.indexOf(id)!==i&&say("the id "+id+" stands twice"));
const told=new Set;
for(const e of d.querySelectorAll("[aria-describedby]"))for(const id of e.getAttribute("aria-describedby").split(" ")){
	told.add(id);const to=d.getElementById(id);if(!to||!to.innerText.trim())say("it is described by "+id+", which is not there",e)}
for(const e of all(".field>.hint[id],.field>.error[id]"))if(!told.has(e.id))say("nothing is described by it",e);
for(const e of all(".field>.error")){const f=e.parentNode;if(!f.matches("[aria-invalid]")&&!f.querySelector("[aria-invalid]"))say("no field is marked wrong",e)}
for(const e of all("main input:not([type=hidden]),textarea,select"))if(!e.labels.length||!e.labels[0].innerText.trim())say("it has no label",e);
for(const e of all("fieldset"))if(!e.querySelector("legend")||!e.querySelector("legend").innerText.trim())say("a group has no legend",e);
const heads=all("h1,h2,h3,h4");
if(heads.filter(h=>h.tagName==="H1").length!==1)say("it has not one first heading");
heads.reduce((was,h)=>{const n=+h.tagName[1];if(n>was+1)say("a heading is skipped before",h);return n},0);
const leave=d.querySelector(".leave a"),name=d.querySelector(".top .name");
if(leave&&scrollY===0){
	const r=leave.getBoundingClientRect(),range=d.createRange();
	for(const e of [name,d.querySelector("h1")]){range.selectNodeContents(e);for(const q of range.getClientRects())
		if(q.left<r.right&&q.right>r.left&&q.top<r.bottom&&q.bottom>r.top)say("Leave now lies over",e)}
	const end=o.dir==="rtl"?r.left:W-r.right,start=o.dir==="rtl"?W-r.right:r.left;
	if(end>start)say("Leave now is not at the end of its line")}
const faults=[...d.querySelectorAll("#errors,[data-cut]")].filter(shown);
if(faults.length&&!faults.includes(d.activeElement))say("what went wrong has not the focus",d.activeElement);
for(const e of all("body *")){const s=getComputedStyle(e);if(parseFloat(s.transitionDuration)>o.motion||parseFloat(s.animationDuration)>o.motion)say("it moves",e)}
return bad})`

// withoutStyle compares what the page says with its style sheets and without.
const withoutStyle = `(()=>{
const said=()=>document.querySelector("main").innerText.replace(/\s+/g," ").trim();
const heads=()=>[...document.querySelectorAll("h1,h2,h3")].map(h=>h.innerText.trim()).join(" | ");
const order=[...document.querySelectorAll("body>*")].map(e=>e.className||e.tagName.toLowerCase()).join(" ");
const a=said(),b=heads();
for(const s of document.styleSheets)s.disabled=true;
const c=said(),e=heads();
for(const s of document.styleSheets)s.disabled=false;
const bad=[];
if(a!==c||b!==e)bad.push("without style it says something else: "+c.slice(0,300));
if(!/^skip (leave noprint )?top main( ending)?( footer)?( tongues noprint)?$/.test(order))bad.push("its parts come in the order "+order);
if(document.images.length)bad.push("it has images");
return bad})()`

// glance holds the page that shows to what can be seen of it at once: at the
// sizes of a small phone, a phone and a desk, and at four times the size.
func (v *tour) glance(state string) {
	v.t.Helper()
	name := v.language + " " + state
	v.names = append(v.names, name)
	want, err := json.Marshal(map[string]any{"lang": v.language, "dir": directions[v.language], "title": "Feedback", "motion": 0.15})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, size := range [][2]int64{{320, 256}, {320, 800}, {390, 844}, {1280, 900}} { // the first is 1280 by 1024 at 400%
		do(v.t, v.tab, chromedp.EmulateViewport(size[0], size[1]))
		for _, wrong := range get(v.t, v.tab, chromedp.Evaluate[[]string](pageRules+"("+string(want)+")")) {
			v.t.Errorf("%s at %d: %s", name, size[0], wrong)
		}
		if dir := os.Getenv("VICTIMVOICE_TEST_IMAGES"); dir != "" && size[1] != 256 {
			// In a window as high as the page: a picture of more than the window shows is
			// shifted where the page runs from right to left.
			height := get(v.t, v.tab, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))
			do(v.t, v.tab, chromedp.EmulateViewport(size[0], max(size[1], height)))
			file := fmt.Sprintf("state-%s-%02d-%s-%d.png", v.language, len(v.names), strings.ReplaceAll(state, " ", "-"), size[0])
			if err := os.WriteFile(filepath.Join(dir, file), get(v.t, v.tab, chromedp.CaptureScreenshot()), 0o600); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	for _, wrong := range get(v.t, v.tab, chromedp.Evaluate[[]string](withoutStyle)) {
		v.t.Errorf("%s: %s", name, wrong)
	}
	if n := get(v.t, v.tab, chromedp.Evaluate[int](`new TextEncoder().encode(document.documentElement.outerHTML).length`)); n > v.heaviest {
		v.heaviest, v.heavy = n, state
	}
}

// see is glance, and what axe-core finds by day, by night, in forced colours and
// where its reader wants nothing to move.
func (v *tour) see(state string) {
	v.t.Helper()
	v.glance(state)
	name := v.language + " " + state
	axe(v.t, v.tab, name, "")
	for _, f := range []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}, {Name: "forced-colors", Value: "active"}} {
		do(v.t, v.tab, media([]*emulation.MediaFeature{f, {Name: "prefers-reduced-motion", Value: "reduce"}}))
		axe(v.t, v.tab, name+" with "+f.Name, "color-contrast")
		for _, wrong := range get(v.t, v.tab, chromedp.Evaluate[[]string](fmt.Sprintf(`%s({lang:%q,dir:%q,title:"Feedback",motion:0})`, pageRules, v.language, directions[v.language]))) {
			v.t.Errorf("%s with %s: %s", name, f.Name, wrong)
		}
		for _, wrong := range get(v.t, v.tab, chromedp.Evaluate[[]string](edges)) {
			v.t.Errorf("%s with %s: %s", name, f.Name, wrong)
		}
	}
	do(v.t, v.tab, media(nil))
}

// edges are what tells a control from its ground where colours are not ours.
const edges = `[...document.querySelectorAll("button:not(.link),.button,label.row,textarea,main input:not([type=radio],[type=checkbox],[type=hidden]),.errors,.wrong,.code")].filter(e=>{
	const s=getComputedStyle(e);return e.getBoundingClientRect().width&&!(parseFloat(s.borderInlineStartWidth)>0&&s.borderInlineStartStyle!=="none")}).map(e=>"it has no edge: "+e.outerHTML.slice(0,120))`

// leadsToFields follows every line of the summary of errors to its field.
func (v *tour) leadsToFields() {
	v.t.Helper()
	for _, wrong := range get(v.t, v.tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#errors a")].filter(a=>{
		a.click();return document.activeElement.id!==a.hash.slice(1)}).map(a=>a.hash+" leads to "+document.activeElement.outerHTML.slice(0,120))`)) {
		v.t.Errorf("%s: %s", v.language, wrong)
	}
}

// set puts words into a field, as pasting would.
func (v *tour) set(id, words string) {
	v.t.Helper()
	v.get(id, fmt.Sprintf(`document.getElementById(%q).value=%q`, id, words))
}

// get runs JavaScript in the page that shows.
func (v *tour) get(what, js string) {
	v.t.Helper()
	if !get(v.t, v.tab, chromedp.Evaluate[bool](`(()=>{`+js+`;return true})()`)) {
		v.t.Fatalf("%s: %s could not be changed", v.language, what)
	}
}

// toured are those whom a tour in a language needs.
func toured(language string) []invited {
	var out []invited
	for _, what := range []string{"full", "word", "empty", "quick", "refuses"} {
		out = append(out, invited{name: language + "-" + what, language: language})
	}
	return out
}

// longWords are as many as may be written, with a word in them that is wider than
// a phone.
var longWords = strings.Repeat("w", 90) + " " + strings.TrimSpace(strings.Repeat("They said that they would ring me back. ", 40))[:1500-91]

// everyState leads through every state of the pages that a person meets.
func (v *tour) everyState() {
	t, h := v.t, v.h
	t.Helper()
	link := func(who string) string { return h.link(v.language + "-" + who) }

	// Before Start.
	full := link("full")
	do(t, v.tab, chromedp.Navigate(full))
	v.see("door")
	for _, what := range []string{"stop", "not-me"} {
		do(t, v.tab, chromedp.Navigate(full+"/"+what))
		v.see("refusal " + what)
		v.press("main button")
		v.see("refusal " + what + " error")
		v.leadsToFields()
	}
	do(t, v.tab, chromedp.Navigate(link("refuses")+"/stop"))
	click(t, v.tab, "label.row")
	v.press("main button")
	v.see("refusal done")
	do(t, v.tab, chromedp.Navigate(link("refuses")))
	v.see("nothing")
	v.goTo("/f?s=1")
	v.see("cookies")

	// The full path.
	do(t, v.tab, chromedp.Navigate(full))
	v.press(toStart)
	v.see("intro")
	v.goTo("/f/safety")
	v.see("safety")
	v.goTo("/f")
	v.press(toBegin)
	v.get("ending", `document.getElementById("ending").hidden=false`)
	v.see("session ending")
	v.get("ending", `document.getElementById("ending").hidden=true`)
	kinds := map[string]bool{"confidence": true, "next-steps": true, "advice-list": true, "advice-risk-which": true}
	for page := v.page(); page != "words"; page = v.page() {
		if kinds[page] {
			v.see("question " + page)
		} else {
			v.glance("question " + page)
		}
		if page == "advice-list" { // what no script would let through
			v.get("ticks", `document.querySelectorAll("main input").forEach(i=>i.checked=i.hasAttribute("data-alone")||i.id.endsWith("-1")||i.id==="advice.codes")`)
			v.press(toNext)
			v.see("question advice-list error")
			v.leadsToFields()
			v.get("ticks", `document.querySelectorAll("main input").forEach(i=>i.checked=false)`)
		}
		v.next(dangerSigns)
	}
	v.see("question words")
	v.set("open.well", longWords)
	v.glance("question words long")
	v.set("open.better", longWords+" and more")
	v.press(toNext)
	v.see("question words too long")
	v.leadsToFields()
	v.set("open.better", "Enough.")
	v.online(false)
	v.attempt(toNext)
	v.see("question not sent")
	v.online(true)
	v.press(toNext)

	// About the person.
	for n := 1; !v.has(toSend); n++ {
		v.see(fmt.Sprintf("about %d", n))
		v.next(nil)
	}
	v.see("last")
	v.goTo("/f?p=2")
	v.see("question again")

	// A word of one's own, and coming back.
	v.press(`button[value="keep"]`)
	v.see("keep")
	v.set("word", "a")
	v.press("main form button")
	v.see("keep error")
	v.leadsToFields()
	v.set("word", "yellow lamp")
	v.press("main form button")
	do(t, v.tab, chromedp.Navigate(full))
	v.see("door again")
	v.press(toStart)
	v.see("again")
	v.set("word", "green lamp")
	v.press(`button[value="code"]`)
	v.see("again error")
	v.leadsToFields()
	v.goTo("/f/again")
	v.see("restart")
	v.press("main form button")
	v.see("restart error")
	v.leadsToFields()
	v.goTo("/f")
	v.set("word", "Yellow lamp ")
	v.press(`button[value="code"]`)
	v.goTo("/f?p=2")
	if !v.has("main input:checked") {
		t.Errorf("%s: the word does not show what was answered:\n%s", v.language, v.text())
	}
	v.see("question shown again")
	v.goTo("/f")
	code := v.send()
	v.see("thanks with an alert")

	// Where a word was agreed, and where a card was handed over.
	locked := h.caseOf(v.language + "-word").ID
	h.look(func(ctx context.Context, r *app.Rooms) {
		if err := r.Survey.SetWord(ctx, survey.Actor{ID: "test"}, h.keys.AdvocateKey(advocateOfGuests), locked, "yellow lamp"); err != nil {
			t.Fatal(err)
		}
	})
	do(t, v.tab, chromedp.Navigate(link("word")))
	v.press(toStart)
	v.see("word")
	v.set("word", "green lamp")
	v.press(`button[value="word"]`)
	v.see("word error")
	v.leadsToFields()
	v.goTo("/c")
	v.see("code")
	v.set("code", "AB12-CD34-EF78")
	v.press("main form button")
	v.see("code error")
	v.leadsToFields()

	// The quick path: nothing answered, then something.
	do(t, v.tab, chromedp.Navigate(link("empty")))
	v.press(`button[value="quick"]`)
	v.see("intro quick")
	v.press(toBegin)
	for !v.has(toSend) {
		v.press(toNext)
	}
	v.press(toSend)
	v.see("last error")
	v.press(`button[value="stop"]`)
	v.see("stopped")
	do(t, v.tab, chromedp.Navigate(link("quick")))
	v.press(`button[value="quick"]`)
	v.press(toBegin)
	v.get("a field", `(()=>{const i=document.createElement("input");i.type="hidden";i.name="more";document.querySelector("main form").append(i)})()`)
	v.press(toNext)
	v.see("problem")
	v.goTo("/f")
	if v.has(toBegin) {
		v.press(toBegin)
	}
	v.toTheEnd(nil)
	v.send()
	v.see("thanks")

	// Taking answers back.
	v.goTo("/withdraw")
	v.see("withdraw")
	v.set("code", "WRONG-"+strings.Repeat("W", 40))
	v.press("main button")
	v.see("withdraw error")
	v.leadsToFields()
	v.set("code", code)
	v.press("main button")
	v.see("withdraw done")
}

// forAnAdvocate leads through what only an advocate meets: the pages in the third person.
func (v *tour) forAnAdvocate() {
	t, h := v.t, v.h
	t.Helper()
	const password = "otter-thimble-garden-52" //nolint:gosec // G101: of a house that is gone when the test ends
	h.look(func(ctx context.Context, r *app.Rooms) {
		if _, _, err := r.Access.AddUser(ctx, access.Operator(), access.NewUser{Email: advocateOfGuests, Name: "Test Advocate", Roles: []access.Role{access.Advocate}, Password: password}); err != nil {
			t.Fatal(err)
		}
	})
	v.goTo("/signin")
	v.set("email", advocateOfGuests)
	v.set("password", password)
	v.press("main form button")
	id := h.caseOf(v.language + "-advocate").ID
	for _, mode := range []string{"observed", "relayed"} {
		v.goTo("/work/cases/" + id)
		get(t, v.tab, chromedp.Evaluate[int](fmt.Sprintf(`(()=>{document.querySelector('input[value=%q]').checked=true;document.getElementById("consent_how").value="phone";document.getElementById("consent_at").value=new Date().toISOString().slice(0,10);return 0})()`, mode)))
		v.press(`form[action$="/answer"] button`)
		v.see("intro " + mode)
		v.press(toBegin)
		v.see("question " + mode)
		v.toTheEnd(dangerSigns)
		v.see("last " + mode)
		v.press(toSend)
		v.see("thanks " + mode)
		v.press(`form[action="/x"] button`)
	}
}

// TestEveryState: every state of the survey's pages, in English and in Urdu, and
// the pages that a person meets first in every other language.
func TestEveryState(t *testing.T) {
	t.Parallel()
	guests := append(toured("en"), toured("ur")...)
	guests = append(guests, invited{name: "en-advocate"})
	for _, l := range slices.Sorted(maps.Keys(directions)) {
		if l != "en" && l != "ur" {
			guests = append(guests, invited{name: l + "-first", language: l})
		}
	}
	h := newHouse(t, guests...)
	h.open()
	for _, language := range []string{"en", "ur"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			v := newTour(t, browser(t), h.in(t), language)
			v.everyState()
			if language == "en" {
				v.forAnAdvocate()
			}
			v.end()
		})
	}
	t.Run("the other languages", func(t *testing.T) {
		t.Parallel()
		tab := browser(t)
		for _, l := range slices.Sorted(maps.Keys(directions)) {
			if l == "en" || l == "ur" {
				continue
			}
			v := newTour(t, tab, h.in(t), l)
			do(t, v.tab, chromedp.Navigate(v.h.link(l+"-first")))
			v.see("door")
			v.press(toStart)
			v.glance("intro")
			v.press(toBegin)
			v.see("question confidence")
			for !v.has(toSend) {
				if page := v.page(); page == "advice-list" || strings.HasPrefix(page, "about.") {
					v.glance("question " + page)
				}
				v.next(nil)
			}
			v.glance("last")
			v.send()
			v.glance("thanks")
			v.end()
		}
	})
}
