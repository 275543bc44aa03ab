//go:build browser

package app_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

// figurePlaces are the pages of figures and what leads on from them.
func figurePlaces() []string {
	return []string{
		"/account", "/figures", "/figures/core.confidence", "/figures/measures", "/figures/report", "/figures/marks", "/figures/open-data", "/figures/take-away",
		"/explore", "/explore?measure=core.informed&area=by:bcu", "/explore/compare", "/explore/compare?first=stage:report&second=stage:closure", "/explore/areas", "/explore/areas?level=borough",
		"/explore/unheard", "/explore/journey", "/attrition", "/drivers", "/drivers?outcome=nfa", "/advice", "/advice/table", "/public/data",
	}
}

// TestBrowserFewFigures: where a handful have answered, and where nobody has, every page
// of figures says so in words, draws nothing empty, and is as accessible as a full one.
func TestBrowserFewFigures(t *testing.T) {
	for name, cases := range map[string]string{"a-handful": "18", "nobody": "0"} {
		t.Run(name, func(t *testing.T) {
			d, ctx := startDemo(t, cases), browser(t)
			signIn(t, ctx, d, "commissioner")
			for i, place := range figurePlaces() {
				do(t, ctx, chromedp.Navigate(d.BaseURL+place), chromedp.WaitVisible(chromedp.CSS("main")))
				accessible(t, ctx, name+" "+place)
				shoot(t, ctx, "few-"+name+"-"+string(rune('a'+i)))
				// A chart without a mark, and a table without a row, explain nothing.
				empty := get(t, ctx, chromedp.Evaluate[int](`Array.from(document.querySelectorAll(".wide svg, main tbody")).filter(e =>
					e.tagName === "TBODY" ? !e.rows.length : !e.querySelector("circle, path, polyline, rect:not(.chart-paper)")).length`))
				if empty > 0 {
					t.Errorf("%s: %d charts or tables hold nothing", place, empty)
				}
			}
		})
	}
}

// signIn signs a person of the demo in.
func signIn(t *testing.T, ctx context.Context, d demoInfo, role string) {
	t.Helper()
	for _, u := range d.Users {
		if u.Role == role {
			do(t, ctx, emulateDesktop(), chromedp.Navigate(d.BaseURL+"/signin"), chromedp.WaitVisible(chromedp.CSS("#email")),
				chromedp.SendKeys(chromedp.CSS("#email"), u.Email), chromedp.SendKeys(chromedp.CSS("#password"), u.Password+"\r"), chromedp.WaitVisible(chromedp.CSS("nav")))
			return
		}
	}
	t.Fatalf("the demo has no %s", role)
}
