package workspace

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"image/png"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// tableRows gives the words of each row of a page's tables, cell by cell.
func tableRows(t *testing.T, body string) (rows [][]string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var words func(*html.Node) string
	words = func(n *html.Node) string {
		if n.Type == html.TextNode {
			return n.Data
		}
		var b strings.Builder
		for c := range n.ChildNodes() {
			b.WriteString(words(c))
		}
		return b.String()
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "tr" || n.Parent.Data != "tbody" {
			continue
		}
		var row []string
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode {
				row = append(row, strings.Join(strings.Fields(words(c)), " "))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// records reads a table as CSV, a map of column to cell for each row.
func (w *world) records(path string) (out []map[string]string) {
	w.t.Helper()
	a := w.get(ines, path)
	if a.Code != http.StatusOK || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/csv") {
		w.t.Fatalf("%s: %d %v %s", path, a.Code, a.Header(), a.body)
	}
	rows := must(csv.NewReader(strings.NewReader(a.body)).ReadAll())(w.t)
	for _, row := range rows[1:] {
		r := map[string]string{}
		for i, id := range rows[0] {
			r[id] = row[i]
		}
		out = append(out, r)
	}
	return out
}

// wholeOf rounds a number of a file as pages do.
func wholeOf(t *testing.T, cell string) string {
	t.Helper()
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatalf("%q is no number", cell)
	}
	return percent(v)
}

// grouped writes a count of a file as pages do.
func grouped(t *testing.T, cell string) string {
	t.Helper()
	v, err := strconv.Atoi(cell)
	if err != nil {
		t.Fatalf("%q is no count", cell)
	}
	return thousands(v)
}

var takeHref = regexp.MustCompile(`href="(/[a-z/]+/take/(table|chart)\?[^"]*)"`)

// TestTaken: every table that can be taken away says, row by row, what the page says
// of it; what the page withholds has no number in the file; every chart comes as
// SVG and PNG. Each is on record.
func TestTaken(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.walkers(80)
	w.lives(900)
	w.stepBack(60)
	w.adviceOver(24)
	share := func(r map[string]string) []string { // as a page writes a figure with its interval, counted and out of
		low := strings.TrimSuffix(wholeOf(t, r["low"]), "%")
		return []string{wholeOf(t, r["share"]), low + "–" + wholeOf(t, r["high"])}
	}
	cell := func(r map[string]string, prefix string) []string {
		if r[prefix+"_symbol"] != "" {
			return nil
		}
		return []string{wholeOf(t, r[prefix+"_share"])}
	}
	for name, test := range map[string]struct {
		page, of string
		rows     int // 0: not counted
		name     func(map[string]string) []string
		says     func(map[string]string) []string
		symbol   string   // the column that says what is withheld
		numbers  []string // columns that are empty then
		withheld bool     // some row is
	}{
		"compare":      {"/explore/compare?measure=core.informed&first=bcu:South+West&second=bcu:Central+South", "", 2, named("group"), share, "symbol", figureNumbers, false},
		"compare, few": {"/explore/compare?measure=core.informed&first=offence:stalking-4a&second=offence:stalking-2a&area=borough:Merton", "", 2, named("group"), share, "symbol", figureNumbers, false},
		"areas":        {"/explore/areas?measure=core.informed", "", 0, named("area"), share, "symbol", figureNumbers, false},
		"unheard":      {"/explore/unheard?by=age_band", "", 0, named("group"), func(r map[string]string) []string { return []string{wholeOf(t, r["share"])} }, "symbol", []string{"recorded", "answered", "share", "difference"}, false},
		"journey": {"/explore/journey", "", 0, func(r map[string]string) []string {
			return []string{sentenceStart(r["from"]) + " to " + r["to"]}
		}, func(r map[string]string) []string {
			return []string{grouped(t, r["people"]), wholeOf(t, r["before"]) + ", " + wholeOf(t, r["after"])}
		}, "symbol", []string{"before", "after", "difference"}, false},
		"drivers": {"/drivers?outcome=withdrew", "", 0, named("factor"), func(r map[string]string) []string {
			return []string{r["kind"], "about " + grouped(t, r["people"])}
		}, "symbol", []string{"odds_ratio", "low", "high", "people"}, true},
		"attrition, time": {"/attrition", "time", 6, named("after_report"), func(r map[string]string) []string {
			return append(cell(r, "withdrawn_by"), cell(r, "nfa_by")...)
		}, "withdrew_symbol", []string{"withdrew_count", "withdrew_share"}, false},
		"attrition, before": {"/attrition", "said-before", 6, named("said"), func(r map[string]string) []string {
			return append(cell(r, "with"), cell(r, "without")...)
		}, "with_symbol", []string{"with_count", "with_base", "difference"}, false},
		"attrition, stated": {"/attrition", "stated-reasons", 0, named("answer"), share, "symbol", figureNumbers, false},
		"attrition, police": {"/attrition", "police-reasons", 2, named("reason"), func(r map[string]string) []string { return cell(r, "cases") }, "cases_symbol", []string{"cases_count"}, false},
		"advice, splits":    {"/advice", "stages-areas", 0, named("of"), share, "symbol", figureNumbers, false},
	} {
		t.Run(name, func(t *testing.T) {
			body := w.page(ines, test.page)
			path, query, _ := strings.Cut(test.page, "?")
			rows := w.records(path + "/take/table?format=csv&of=" + test.of + "&" + query)
			if len(rows) == 0 || test.rows > 0 && len(rows) != test.rows {
				t.Fatalf("%d rows, want %d", len(rows), test.rows)
			}
			onPage := tableRows(t, body)
			some := false
			for _, r := range rows {
				says := test.name(r)
				if r[test.symbol] == "[c]" {
					some = true
					says = append(says, "[c]")
					for _, id := range test.numbers {
						if cell, ok := r[id]; cell != "" || !ok {
							t.Errorf("%v: %s is withheld, and %q stands in the file", says, id, cell)
						}
					}
				} else if r[test.symbol] != "[x]" {
					says = append(says, test.says(r)...)
				}
				found := false
				for _, row := range onPage {
					line, all := strings.Join(row, " | "), true
					for _, s := range says {
						all = all && strings.Contains(line, s)
					}
					found = found || all
				}
				if !found {
					t.Errorf("no row of the page says %q", says)
				}
			}
			if test.withheld != some && test.withheld {
				t.Error("nothing is withheld: the test shows less than it should")
			}
			if n := len(takeHref.FindAllString(body, -1)); n == 0 {
				t.Error("the page leads to no file")
			}
			for _, m := range takeHref.FindAllStringSubmatch(body, -1) {
				href := html.UnescapeString(m[1])
				a := w.get(ines, href)
				if a.Code != http.StatusOK || !strings.Contains(a.Header().Get("Content-Disposition"), "attachment") {
					t.Errorf("%s: %d %s", href, a.Code, a.body)
					continue
				}
				var err error
				switch {
				case strings.Contains(href, "format=svg"):
					if err = xml.Unmarshal([]byte(a.body), new(struct{})); err == nil && !strings.Contains(a.body, "Made on 23 November 2026") {
						err = fmt.Errorf("it doesn't say when it was made")
					}
				case strings.Contains(href, "format=png"):
					_, err = png.Decode(bytes.NewReader([]byte(a.body)))
				}
				if err != nil {
					t.Errorf("%s: %v", href, err)
				}
			}
		})
	}
	few := newWorld(t).staff() // nearly all of it withheld
	few.answersOver(10)
	few.walkers(4)
	few.lives(8)
	few.stepBack(4)
	for path, columns := range map[string][]string{
		"/explore/compare/take/table?measure=core.informed&first=borough:Merton&second=borough:South+West": append(figureNumbers, "difference"),
		"/explore/areas/take/table?measure=core.informed&level=borough":                                    figureNumbers,
		"/advice/take/table?of=codes":        figureNumbers,
		"/advice/take/table?of=stages-areas": figureNumbers,
		"/explore/journey/take/table":        {"people", "up", "same", "down", "before", "after", "difference"},
	} {
		hidden := 0
		for _, r := range few.records(path) {
			if r["symbol"] != "[c]" {
				continue
			}
			hidden++
			for _, id := range columns {
				if cell, ok := r[id]; cell != "" || !ok {
					t.Errorf("%s: %s is withheld, and %q stands in the file", path, id, cell)
				}
			}
		}
		if hidden == 0 {
			t.Errorf("%s withholds nothing", path)
		}
	}
	if rows := w.records("/advice/take/table?of=codes"); len(rows) < 72 {
		t.Errorf("%d rows of advice", len(rows))
	}
	if body := w.page(ines, "/advice"); !strings.Contains(body, "/figures/advice.harmful/chart?by=") || !strings.Contains(body, "/figures/advice.worry/table?by=") {
		t.Error("the two figures of advice lead to no files")
	}
	for _, page := range []string{"page:explore-compare", "page:explore-areas", "page:explore-unheard", "page:explore-journey", "page:drivers-withdrew", "page:attrition", "page:advice"} {
		if !strings.Contains(w.page(adam, "/admin/record"), page) && !onRecord(w, page) {
			t.Errorf("%s is not on record", page)
		}
	}
}

var figureNumbers = []string{"numerator", "base", "share", "low", "high"}

func named(column string) func(map[string]string) []string {
	return func(r map[string]string) []string { return []string{r[column]} }
}

func onRecord(w *world, subject string) bool {
	for seq := int64(1); ; {
		entries, err := w.store.Entries(w.t.Context(), seq, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(entries) == 0 {
			return false
		}
		for _, e := range entries {
			if e.Subject == subject {
				return true
			}
			seq = e.Seq + 1
		}
	}
}

// TestTakenRefuses: what a page refuses has no file, and what it does not have is said to be none.
func TestTakenRefuses(t *testing.T) {
	w := newWorld(t).staff()
	for _, path := range []string{"/explore/compare", "/explore/areas", "/explore/unheard", "/explore/journey", "/drivers", "/attrition", "/advice"} {
		if body := w.page(cora, path); strings.Contains(body, "/take/chart") {
			t.Errorf("%s offers a chart of nothing", path)
		}
	}
	w.answersOver(10)
	w.lives(900)
	for path, status := range map[string]int{
		"/explore/compare/take/table":                  http.StatusUnprocessableEntity, // no groups: no table
		"/explore/compare/take/table?first=x&second=y": http.StatusUnprocessableEntity,
		"/explore/areas/take/chart?format=pdf":         http.StatusUnprocessableEntity,
		"/explore/areas/take/table?format=ods":         http.StatusUnprocessableEntity,
		"/explore/areas/take/picture":                  http.StatusNotFound,
		"/explore/areas?of=figures":                    http.StatusUnprocessableEntity,
		"/explore/areas/take/table?colour=red":         http.StatusUnprocessableEntity,
		"/explore/unheard/take/table?by=mode":          http.StatusUnprocessableEntity,
		"/explore/journey/take/table?of=cases":         http.StatusUnprocessableEntity,
		"/drivers/take/table?outcome=joy":              http.StatusUnprocessableEntity,
		"/attrition/take/table?of=people":              http.StatusUnprocessableEntity,
		"/attrition/take/chart?of=low-confidence":      http.StatusUnprocessableEntity,
		"/advice/take/table?of=codes&stage=trial":      http.StatusUnprocessableEntity,
		"/advice/take/chart":                           http.StatusUnprocessableEntity,
	} {
		if a := w.get(cora, path); a.Code != status {
			t.Errorf("%s: %d, want %d", path, a.Code, status)
		}
		if strings.Contains(path, "/take/") {
			w.want(w.get(ann, path), http.StatusForbidden)
		}
	}
}

// A visitor of one force takes away that force's figures alone.
func TestTakenOfOneForce(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.lives(900)
	w.person("carl", "City of London Police", "commissioner")
	for _, path := range []string{"/explore/areas/take/table", "/explore/unheard/take/table?by=bcu", "/explore/journey/take/table", "/drivers/take/table", "/attrition/take/table?of=time", "/advice/take/table?of=codes"} {
		if a := w.get("carl", path); a.Code == http.StatusOK && (strings.Contains(a.body, "South West") || strings.Count(a.body, "\n") > 1 && regexp.MustCompile(`\d{2}`).MatchString(a.body)) {
			t.Errorf("%s gives another force's figures: %s", path, a.body)
		}
	}
	w.want(w.get("carl", "/explore/areas/take/table?force=Metropolitan+Police"), http.StatusForbidden)
}
