//go:build browser

package app_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// left waits until the house's pages are gone from the tab.
func (g *guest) left() {
	g.t.Helper()
	await(g.t, 30*time.Second, "the page is left", func() bool {
		return !strings.HasPrefix(get(g.t, g.tab, chromedp.Location()), g.h.base)
	})
}

// telltale is what an entry of the tab's history shows, where it is more than it may.
func (g *guest) telltale(link string) {
	g.t.Helper()
	for i := len(get(g.t, g.tab, chromedp.NavigationEntries()).Entries); i > 1; i-- {
		if get(g.t, g.tab, chromedp.NavigationEntries()).CurrentIndex == 0 {
			return
		}
		g.back()
		where := get(g.t, g.tab, chromedp.Location())
		if !strings.HasPrefix(where, g.h.base) {
			continue
		}
		g.until("no veil lies over "+where, `!document.querySelector(".veil")`)
		body := g.text()
		if where == link { // the opening page is there again, and says nothing
			if m := regexp.MustCompile(`(?i)police|crime|stalk|harass|999`).FindString(body); m != "" {
				g.t.Errorf("the opening page says %q", m)
			}
		} else if !strings.Contains(body, "nothing here") || tells.MatchString(body) {
			g.t.Errorf("%s shows\n%s", where, body)
		}
	}
}

// TestLeftForGood: after leaving, with script and without, neither Back nor a
// browser that brings its last tabs back shows a page of the survey.
func TestLeftForGood(t *testing.T) {
	t.Parallel()
	h := newHouse(t, invited{name: "with"}, invited{name: "without"})
	h.open()
	for _, name := range []string{"with", "without"} {
		t.Run(name+" script", func(t *testing.T) {
			h := h.in(t)
			profile := t.TempDir()
			tab, shut := browserWith(t, profile)
			script(t, tab, name == "with")
			g := h.guest(tab)
			link := h.link(name)
			g.begin(link, "start")
			g.next(nil)
			g.next(nil)
			// Before leaving: Back shows the page, and no answer on it.
			g.back()
			g.until("the page before shows", `!document.querySelector(".veil")`)
			if g.page() != "informed" || g.has("input:checked") {
				t.Errorf("Back shows what was answered, or another page:\n%s", g.text())
			}
			g.goTo("/f")
			click(t, tab, "[data-leave-now]")
			g.left()
			g.telltale(link)
			// The browser is closed, and brings back the tab with its history.
			g.goTo("/f/safety")
			if err := chromedp.Cancel(tab); err != nil {
				t.Fatal(err)
			}
			shut()
			tab, _ = browserWith(t, profile, chromedp.Flag("restore-last-session", true))
			found := false
			for _, about := range restored(t, tab) {
				g.tab = about
				script(t, g.tab, name == "with")
				g.until("the tab that came back has loaded", `document.readyState==="complete" && !!document.querySelector("h1")`)
				if !strings.Contains(g.text(), "nothing here") {
					t.Errorf("the tab that came back shows\n%s", g.text())
				}
				g.telltale(link)
				found = true
			}
			if !found {
				t.Error("no tab came back: nothing was shown")
			}
		})
	}
}

// TestLeavingWhileSending: Leave now pressed while a page is on its way. What is
// answered to it afterwards must not bring the questions back.
func TestLeavingWhileSending(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	h := w.between(t, invited{name: "hurry"})
	h.open()
	g := h.guest(browser(t))
	g.begin(h.link("hurry"), "start")
	g.fill(nil)
	arrived, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	w.cut(func(r *http.Request, answered bool) bool {
		switch {
		case r.Method != http.MethodPost:
		case answered:
			close(done)
		default:
			close(arrived)
			<-goOn
		}
		return false
	})
	click(t, g.tab, toNext)
	<-arrived
	click(t, g.tab, "[data-leave-now]")
	g.left()
	close(goOn)
	<-done
	w.mend()
	where := get(t, g.tab, chromedp.Location())
	if strings.HasPrefix(where, h.base) {
		t.Errorf("after leaving, %s shows", where)
	}
	g.goTo("/f")
	if !strings.Contains(g.text(), "nothing here") {
		t.Errorf("the session was not left:\n%s", g.text())
	}
}

// restored are the tabs that a browser brought back.
func restored(t *testing.T, tab context.Context) (tabs []context.Context) {
	t.Helper()
	await(t, 30*time.Second, "a tab has come back", func() bool {
		infos, err := chromedp.Targets(tab)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range infos {
			if i.Type == "page" && i.URL != "about:blank" && i.Title != "" {
				about, end := chromedp.NewContext(tab, chromedp.WithTargetID(i.TargetID))
				t.Cleanup(end)
				tabs = append(tabs, about)
			}
		}
		return len(tabs) > 0
	})
	return tabs
}
