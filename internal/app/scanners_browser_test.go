//go:build browser

package app_test

import (
	"encoding/csv"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"victimvoice/survey"
)

// scanner is a program that opens what is in a mail: it keeps cookies, follows
// redirects and links, and sends the forms that it finds as they stand, with each
// of their buttons.
type scanner struct {
	t      *testing.T
	base   string
	client *http.Client
	met    map[string]bool // what was asked already
	asked  int
}

func newScanner(t *testing.T, base string) *scanner {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &scanner{t: t, base: base, met: map[string]bool{}}
	s.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), base) {
			return http.ErrUseLastResponse // to the site that is neutral
		}
		return nil
	}}
	return s
}

// ask gives the page that an address leads to, and its body.
func (s *scanner) ask(method, to string, form url.Values, headers ...string) (at *url.URL, body string) {
	s.t.Helper()
	var in io.Reader
	if form != nil {
		in = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, to, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.asked++; resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		s.t.Errorf("%s %s answers %d", method, to, resp.StatusCode)
	}
	return resp.Request.URL, string(b)
}

var (
	formOnPage   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	hiddenOnPage = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	buttonOnPage = regexp.MustCompile(`<button(?: name="([^"]*)" value="([^"]*)")?`)
	actionOfForm = regexp.MustCompile(`action="([^"]*)"`)
	linkOnPage   = regexp.MustCompile(`<a\b[^>]*href="([^"#]+)"`)
)

// crawl opens an address and everything that it leads to, up to a depth.
func (s *scanner) crawl(to string, depth int) {
	s.t.Helper()
	if s.met[to] || !strings.HasPrefix(to, s.base) {
		return
	}
	s.met[to] = true
	s.ask(http.MethodHead, to, nil)
	s.ask(http.MethodGet, to, nil, "Purpose", "prefetch", "Sec-Purpose", "prefetch;prerender", "X-Moz", "prefetch")
	at, body := s.ask(http.MethodGet, to, nil)
	s.read(at, body, depth)
}

// read sends the forms of a page and follows its links.
func (s *scanner) read(at *url.URL, body string, depth int) {
	s.t.Helper()
	if depth == 0 || !strings.HasPrefix(at.String(), s.base) {
		return
	}
	for _, f := range formOnPage.FindAllStringSubmatch(body, -1) {
		to := at
		if a := actionOfForm.FindStringSubmatch(f[1]); a != nil {
			var err error
			if to, err = at.Parse(html.UnescapeString(a[1])); err != nil {
				s.t.Fatal(err)
			}
		}
		for _, b := range buttonOnPage.FindAllStringSubmatch(f[2], -1) {
			form := url.Values{}
			for _, h := range hiddenOnPage.FindAllStringSubmatch(f[2], -1) {
				form.Set(h[1], html.UnescapeString(h[2]))
			}
			if b[1] != "" {
				form.Set(b[1], b[2])
			}
			if key := to.String() + " " + form.Encode(); !s.met[key] {
				s.met[key] = true
				next, page := s.ask(http.MethodPost, to.String(), form)
				s.read(next, page, depth-1)
			}
		}
	}
	for _, l := range linkOnPage.FindAllStringSubmatch(body, -1) {
		to, err := at.Parse(html.UnescapeString(l[1]))
		if err != nil {
			s.t.Fatal(err)
		}
		if l := to.Query().Get("l"); l != "" && l != "ur" {
			continue // the pages are the same in every language: one besides the mail's is enough
		}
		if to.Path != "/x" { // last, or nothing would be left to scan
			s.crawl(to.String(), depth-1)
		}
	}
}

// TestScannersInABrowser: programs that open every link of every mail, as a plain
// client and in a real browser that runs the pages' script, leave no mark.
func TestScannersInABrowser(t *testing.T) {
	t.Parallel()
	guests := []invited{
		{name: "one"}, {name: "two", stage: survey.StageInvestigation}, {name: "three", stage: survey.StageClosure}, {name: "four", stage: survey.StageWithdrawn, language: "ur"},
	}
	h := newHouse(t, guests...)
	h.open()
	tab := browser(t)
	for _, g := range guests {
		h.link(g.name) // the mails have come
	}
	const depth = 6
	asked, mails := 0, h.letters()
	for _, m := range mails {
		if len(m.links) < 2 {
			t.Errorf("a mail with the links %v: is that all?", m.links)
		}
		for _, link := range m.links {
			s := newScanner(t, h.base)
			s.crawl(link, depth)
			s.ask(http.MethodGet, h.base+"/x", nil)
			asked += s.asked
			// And one that runs the script, and presses the first button of the first form.
			b := h.newGuest(t, tab)
			do(t, b.tab, chromedp.Navigate(link))
			for range depth {
				if !b.has("main form button") || b.has("#errors") {
					break
				}
				b.press("main form button")
			}
		}
	}
	t.Logf("%d mails, %d requests of the plain client", len(mails), asked)

	for _, g := range guests {
		c, k := h.caseOf(g.name), h.kept(g.name)
		if !c.Flags.OptedOutAt.IsZero() || c.Flags.NotMe != "" {
			t.Errorf("%s: a scanner refused mail: %+v", g.name, c.Flags)
		}
		for _, v := range c.Invites {
			if !v.StartedAt.IsZero() || len(v.Answered) > 0 || !v.RefusedAt.IsZero() {
				t.Errorf("%s: a scanner left its mark on the invitation: %+v", g.name, v)
			}
		}
		for _, r := range k.responses {
			if r.State != survey.Draft || r.Chosen || !r.StartedAt.IsZero() {
				t.Errorf("%s: a scanner answered: %+v", g.name, r)
			}
		}
		if k.alerts > 0 {
			t.Errorf("%s: a scanner raised an alert", g.name)
		}
	}
	// As the product itself tells it.
	rows, err := csv.NewReader(strings.NewReader(h.run("export", "responses"))).ReadAll()
	if err != nil || len(rows) != 1 {
		t.Errorf("the export of responses has %d rows beside its head: %v", len(rows)-1, err)
	}

	// The people who come after it begin at the beginning, and can answer.
	for _, who := range guests {
		g := h.newGuest(t, tab)
		do(t, g.tab, chromedp.Navigate(h.link(who.name)))
		if !g.has(toStart) || !g.has(`button[value="quick"]`) {
			t.Errorf("%s: the link does not begin at the beginning:\n%s", who.name, g.text())
		}
		g.press(`button[value="quick"]`)
		g.press(toBegin)
		g.toTheEnd(nil)
		g.send()
		g.wantKept(who.name)
	}
	if rows, err = csv.NewReader(strings.NewReader(h.run("export", "responses"))).ReadAll(); err != nil || len(rows) != 1+len(guests) {
		t.Errorf("the export of responses has %d rows beside its head: %v", len(rows)-1, err)
	}
}
