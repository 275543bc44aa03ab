package workspace

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checkHTML holds a page to what every page keeps: one main heading, headings that
// skip no level, ids that stand once, a label for every control, names for links
// and buttons, tables with headings, and no style or script of its own.
func checkHTML(t *testing.T, path, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	c := &htmlCheck{ids: map[string]int{}, labels: map[string]bool{}}
	c.walk(doc)
	wrong := c.wrong
	for id, n := range c.ids {
		if n > 1 {
			wrong = append(wrong, "id "+id+" stands more than once")
		}
	}
	for _, id := range c.controls {
		if !c.labels[id] {
			wrong = append(wrong, "control "+id+" has no label")
		}
	}
	for _, id := range c.refs {
		if c.ids[id] == 0 {
			wrong = append(wrong, "nothing has the id "+id+" that is referred to")
		}
	}
	if c.h1 != 1 {
		wrong = append(wrong, "want one h1")
	}
	for _, w := range wrong {
		t.Errorf("%s: %s", path, w)
	}
}

type htmlCheck struct {
	ids                   map[string]int
	labels                map[string]bool
	controls, refs, wrong []string
	h1, level             int
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c))
	}
	return b.String()
}

func (c *htmlCheck) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child)
	}
}

func (c *htmlCheck) element(n *html.Node) {
	fault := func(s string) { c.wrong = append(c.wrong, s) }
	if id := attr(n, "id"); id != "" {
		c.ids[id]++
	}
	for _, name := range []string{"aria-describedby", "aria-labelledby"} {
		c.refs = append(c.refs, strings.Fields(attr(n, name))...)
	}
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			fault("inline " + a.Key + " on " + n.Data)
		}
	}
	switch n.Data {
	case "style":
		fault("an inline style sheet")
	case "script":
		if attr(n, "src") == "" {
			fault("an inline script")
		}
	case "h1", "h2", "h3", "h4":
		level := int(n.Data[1] - '0')
		if n.Parent != nil && attr(n.Parent, "id") == "errors" {
			return // the summary stands above the main heading, so that it is read first
		}
		if level > c.level+1 {
			fault("heading “" + text(n) + "” skips a level")
		}
		c.level = level
		if level == 1 {
			c.h1++
		}
	case "a", "button":
		if strings.TrimSpace(text(n)) == "" && attr(n, "aria-label") == "" {
			fault("a link or button without a name")
		}
		if href := attr(n, "href"); strings.HasPrefix(href, "#") {
			c.refs = append(c.refs, href[1:])
		}
	case "label":
		c.labels[attr(n, "for")] = attr(n, "for") != ""
	case "input", "select", "textarea":
		if attr(n, "type") != "hidden" && !labelled(n) {
			c.controls = append(c.controls, attr(n, "id"))
		}
	case "table":
		if !strings.Contains(render(n), "<th") {
			fault("a table without headings")
		}
	}
}

// labelled reports whether a control stands inside its label.
func labelled(n *html.Node) bool {
	for up := range n.Ancestors() {
		if up.Data == "label" {
			return true
		}
	}
	return false
}

func render(n *html.Node) string {
	var b strings.Builder
	_ = html.Render(&b, n)
	return b.String()
}

// random is whatever differs from run to run: ids, pseudonyms, tokens, addresses of assets.
var random = regexp.MustCompile(`[a-z0-9_-]*[a-z0-9]{20,}|/static/[0-9a-f]{12}-|charts-[0-9a-f]{12}`)

// drawn are charts and tables, which have tests of their own.
var drawn = regexp.MustCompile(`(?s)<(svg|table)[ >].*?</(svg|table)>`)

// golden compares a page's main part with the file that keeps how it should be, one
// element a line so that a difference can be read.
func golden(t *testing.T, name, body string) {
	t.Helper()
	_, main, ok := strings.Cut(body, `<main id="main" tabindex="-1">`)
	if !ok {
		t.Fatal("the page has no main part")
	}
	main, _, _ = strings.Cut(main, "</main>")
	main = drawn.ReplaceAllString(main, "<$1/>")
	main = random.ReplaceAllString(strings.TrimSpace(main), "ID")
	var lines []string
	for line := range strings.SplitSeq(main, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file) //nolint:gosec // G304: a file of the tests
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got; go test -update writes it anew):\n%s", file, diff)
	}
}
