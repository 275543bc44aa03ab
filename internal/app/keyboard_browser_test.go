//go:build browser

package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys presses keys, one after the other.
func (g *guest) keys(keys string) {
	g.t.Helper()
	do(g.t, g.tab, chromedp.KeyEvent(keys))
}

// enter presses Enter as a keyboard does: the character comes only where nothing
// took the key.
func (g *guest) enter() {
	g.t.Helper()
	key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
	call(g.t, g.tab, input.DispatchKeyEvent, key)
	key.Type, key.Text = input.DispatchKeyEventTypeChar, "\r"
	call(g.t, g.tab, input.DispatchKeyEvent, key)
	key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
	call(g.t, g.tab, input.DispatchKeyEvent, key)
}

// shift presses Shift and, unless it is held down for long, lets it go.
func (g *guest) shift(repeats int) {
	g.t.Helper()
	key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Shift", Code: "ShiftLeft", WindowsVirtualKeyCode: 16, Modifiers: int64(chromedp.ModifierShift)}
	for n := range 1 + repeats {
		again := n > 0
		key.AutoRepeat = &again
		call(g.t, g.tab, input.DispatchKeyEvent, key)
	}
	key.Type, key.AutoRepeat, key.Modifiers = input.DispatchKeyEventTypeKeyUp, nil, 0
	call(g.t, g.tab, input.DispatchKeyEvent, key)
}

// focus is what has the focus, and what is wrong with how it shows.
type focus struct{ What, Wrong string }

func (g *guest) focus() focus {
	g.t.Helper()
	return get(g.t, g.tab, chromedp.Evaluate[focus](`(()=>{
		const e=document.activeElement;
		if(!e||e===document.body||e===document.documentElement)return {What:"",Wrong:""};
		const s=getComputedStyle(e),r=e.getBoundingClientRect(),wrong=[];
		if(s.outlineStyle==="none"||parseFloat(s.outlineWidth)<2)wrong.push("it has no outline");
		if(r.bottom<=0||r.top>=innerHeight||r.right<=0||r.left>=innerWidth)wrong.push("it is out of sight");
		const y=Math.min(Math.max(r.y+r.height/2,1),innerHeight-1),x=Math.min(Math.max(r.x+r.width/2,1),innerWidth-1),over=document.elementFromPoint(x,y);
		if(over&&over!==e&&!e.contains(over)&&!over.contains(e))wrong.push("it lies under "+over.outerHTML.slice(0,80));
		return {What:e.matches(".skip")?"skip":e.matches("[data-leave-now]")?"leave":e.matches("main")?"main":(e.name||"")+(e.value?"="+e.value:"")||e.getAttribute("href")||e.id||e.tagName,Wrong:wrong.join(", ")}})()`))
}

// tabTo presses Tab until the focus is on what is wanted; back: the other way. Every stop
// on the way has to show where it is.
func (g *guest) tabTo(what string, back bool) {
	g.t.Helper()
	var met []string
	for range 90 {
		if back {
			do(g.t, g.tab, chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
		} else {
			g.keys(kb.Tab)
		}
		f := g.focus()
		if f.Wrong != "" {
			g.t.Errorf("%s has the focus: %s", f.What, f.Wrong)
		}
		if f.What == what {
			return
		}
		met = append(met, f.What)
	}
	g.t.Fatalf("Tab never comes to %s, but to %v", what, met)
}

// keyed does what leads to another page by a key, and waits for that.
func (g *guest) keyed(keys string) {
	g.t.Helper()
	get(g.t, g.tab, chromedp.Evaluate[int](`window.pressed=1;0`))
	if keys == kb.Enter {
		g.enter()
	} else {
		g.keys(keys)
	}
	g.until("the key leads to a page", `!window.pressed&&document.readyState==="complete"`)
}

// first wants Leave now to be the first stop after the skip link.
func (g *guest) first() {
	g.t.Helper()
	for _, want := range []string{"skip", "leave"} {
		g.keys(kb.Tab)
		if f := g.focus(); f.What != want || f.Wrong != "" {
			g.t.Errorf("Tab comes to %q (%s); want %s", f.What, f.Wrong, want)
		}
	}
}

// TestByKeyboard goes from the mail's link to the receipt with the keyboard alone.
func TestByKeyboard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, invited{name: "keys"})
	h.open()
	g := h.newGuest(t, browser(t))
	do(t, g.tab, chromedp.Navigate(h.link("keys")))
	g.first()
	g.tabTo("how=start", false)
	g.keyed(kb.Enter)
	// The skip link leads to the main part.
	g.keys(kb.Tab)
	g.enter()
	if f := g.focus(); f.What != "main" {
		t.Errorf("the skip link leads to %q", f.What)
	}
	g.tabTo("do=begin", false)
	g.keyed(" ")
	for n := 0; !g.has(toSend); n++ {
		if n > 20 {
			t.Fatalf("the questions do not end:\n%s", g.text())
		}
		if n == 0 {
			g.first()
		}
		kind := get(t, g.tab, chromedp.Evaluate[string](`[...document.querySelectorAll("main input:not([type=hidden]),textarea")].map(e=>e.type)[0]`))
		switch kind {
		case "radio": // the group is one stop; the arrows move in it
			g.tabTo(get(t, g.tab, chromedp.Evaluate[string](`(e=>e.name+"="+e.value)(document.querySelector("main input[type=radio]"))`)), false)
			g.keys(" " + kb.ArrowDown)
			if n := get(t, g.tab, chromedp.Evaluate[int](`[...document.getElementsByName(document.querySelector("main input[type=radio]").name)].findIndex(e=>e.checked)`)); n != 1 {
				t.Errorf("Space and the arrow choose number %d", n)
			}
		case "checkbox":
			g.tabTo(get(t, g.tab, chromedp.Evaluate[string](`(e=>e.name+"="+e.value)(document.querySelector("main input[type=checkbox]"))`)), false)
			g.keys(" ")
			if !g.has("input:checked") {
				t.Error("Space does not tick")
			}
		default:
			g.tabTo("open.well", false)
			g.keys("Typed with the keys.")
		}
		if kind == "checkbox" { // at four times the size, there and back: nothing may hide the focus
			do(t, g.tab, chromedp.EmulateViewport(320, 256))
			g.tabTo("do=next", false)
			g.tabTo("leave", true)
			do(t, g.tab, emulateDesktop())
		}
		g.tabTo("do=next", false)
		g.keyed(kb.Enter)
	}
	g.tabTo("ticks=quote", false)
	g.keys(" ")
	g.tabTo("do=send", false)
	g.keyed(kb.Enter)
	code := g.receipt()
	if k := h.kept("keys"); len(k.responses) != 1 || !k.responses[0].Ticks.Quote || k.words["open.well"] != "Typed with the keys." {
		t.Errorf("what was given with the keys is kept as %+v", k)
	}
	// An error has the focus, and its line leads to the field.
	g.goTo("/withdraw")
	g.tabTo("code", false)
	g.keys("WRONG")
	g.keyed(kb.Enter)
	if f := g.focus(); f.What != "errors" || f.Wrong != "" {
		t.Errorf("after an error %q has the focus: %s", f.What, f.Wrong)
	}
	g.keys(kb.Tab)
	g.enter()
	if f := g.focus(); !strings.HasPrefix(f.What, "code") {
		t.Errorf("the line of the error leads to %q", f.What)
	}
	get(t, g.tab, chromedp.Evaluate[int](`document.activeElement.select();0`))
	g.keys(code)
	g.keyed(kb.Enter)
	if k := h.kept("keys"); k.responses[0].State != "withdrawn" {
		t.Errorf("after the code was given the answers are %s", k.responses[0].State)
	}
}

// TestShiftLeaves: Shift pressed three times within five seconds of each other
// leaves; other keys, holding it down and waiting do not.
func TestShiftLeaves(t *testing.T) {
	t.Parallel()
	h := newHouse(t, invited{name: "shift"})
	h.open()
	g := h.newGuest(t, browser(t))
	// The page's clock of five seconds, to be run down by hand.
	call(t, g.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `(()=>{
		const set=window.setTimeout,clear=window.clearTimeout;let n=0;window.clocks=new Map;
		window.setTimeout=(f,ms,...a)=>ms===5000?(clocks.set("c"+ ++n,f),"c"+n):set(f,ms,...a);
		window.clearTimeout=id=>clocks.delete(id)||clear(id)})()`})
	pass := func() {
		t.Helper()
		get(t, g.tab, chromedp.Evaluate[int](`clocks.forEach((f,id)=>{clocks.delete(id);f()});0`))
	}
	stays := func(why string) {
		t.Helper()
		if where := get(t, g.tab, chromedp.Location()); where != h.base+"/f?p=1" || g.has(".veil") {
			t.Fatalf("%s leaves", why)
		}
	}
	g.begin(h.link("shift"), "start")
	g.keys(kb.Tab)
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"Shift, another key, Shift, Shift", func() { g.shift(0); g.keys("a"); g.shift(0); g.shift(0) }},
		{"holding Shift down", func() { pass(); g.shift(20) }},
		{"Shift twice, five seconds, Shift", func() { pass(); g.shift(0); g.shift(0); pass(); g.shift(0) }},
	} {
		c.do()
		stays(c.name)
	}
	// Each press begins the five seconds anew: there is one clock at a time.
	pass()
	g.shift(0)
	g.shift(0)
	if n := get(t, g.tab, chromedp.Evaluate[int](`clocks.size`)); n != 1 {
		t.Errorf("%d clocks run after two presses; want one", n)
	}
	g.shift(0)
	g.left()
	g.goTo("/f")
	if !strings.Contains(g.text(), "nothing here") {
		t.Errorf("after leaving by Shift:\n%s", g.text())
	}
}

// TestWithoutScript goes the whole way, and takes the answers back, with scripts off.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	h := newHouse(t, invited{name: "plain"}, invited{name: "stops"})
	h.open()
	g := h.newGuest(t, browser(t))
	script(t, g.tab, false)
	g.begin(h.link("plain"), "start")
	g.toTheEnd(dangerSigns)
	code := g.send()
	if k := g.wantKept("plain"); k.alerts != 1 {
		t.Errorf("%d alerts; want one", k.alerts)
	}
	g.goTo("/withdraw")
	get(t, g.tab, chromedp.Evaluate[int](fmt.Sprintf(`document.getElementById("code").value=%q;0`, code)))
	g.press("main button")
	if k := h.kept("plain"); k.responses[0].State != "withdrawn" {
		t.Errorf("after the code was given the answers are %s", k.responses[0].State)
	}
	do(t, g.tab, chromedp.Navigate(h.link("stops")+"/stop"))
	g.press("main button")
	if !g.has("#errors") {
		t.Errorf("without the tick it says\n%s", g.text())
	}
	click(t, g.tab, "label.row")
	g.press("main button")
	if c := h.caseOf("stops"); c.Flags.OptedOutAt.IsZero() {
		t.Error("stopping the messages did not stop them")
	}
}
