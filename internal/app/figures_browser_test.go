//go:build browser

package app_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// figurePlaces are the pages of figures and of people's own words, and what leads on
// from them. What only a query makes different where somebody has answered comes after.
func figurePlaces() (pages, queries []string) {
	return []string{
			"/figures", "/figures/core.confidence", "/figures/measures", "/figures/report", "/figures/marks", "/figures/open-data",
			"/explore", "/explore/compare", "/explore/areas", "/explore/unheard", "/explore/journey", "/attrition", "/drivers", "/advice", "/advice/table", "/public/data",
			"/themes", "/themes/COM_UPDATES", "/new-words", "/coding", "/coding/agreement", "/coding/quotations",
		}, []string{
			"/explore?measure=core.informed&area=by:bcu", "/explore/compare?first=stage:report&second=stage:closure", "/explore/areas?level=borough", "/drivers?outcome=nfa",
		}
}

// TestBrowserFewFigures: where a handful have answered, and where nobody has, every page
// of figures says so in words, draws nothing empty, and is as accessible as a full one.
func TestBrowserFewFigures(t *testing.T) {
	t.Parallel()
	pages, queries := figurePlaces()
	for _, few := range []struct {
		name, cases string
		places      []string
	}{
		{"a-handful", "18", append(queries, pages...)},
		{"nobody", "0", pages},
	} {
		t.Run(few.name, func(t *testing.T) {
			d, ctx := startDemo(t, few.cases), browser(t)
			signIn(t, ctx, d, "commissioner")
			for i, place := range few.places {
				do(t, ctx, chromedp.Navigate(d.BaseURL+place), chromedp.WaitVisible(chromedp.CSS("main")))
				accessible(t, ctx, few.name+" "+place)
				shoot(t, ctx, fmt.Sprintf("few-%s-%d", few.name, i+1))
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
