package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/app"
	"victimvoice/internal/config"
	"victimvoice/internal/seal"
	"victimvoice/internal/sheet"
	"victimvoice/internal/sqlite"
	"victimvoice/survey/questionnaires"
)

const ourForce = "Metropolitan Police"

// answered fills a panel with two years of answers at every stage, over areas of very
// different sizes, so that some figures are shown and many withheld.
func answered(t *testing.T, p *figures.Panel, sets *questionnaires.Set, rng *rand.Rand) {
	t.Helper()
	places := [][2]string{{"Ealing", "West"}, {"Hounslow", "West"}, {"Hackney", "Central East"}, {"Barnet", "North West"}, {"Brent", "North West"}}
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	var cases []figures.CaseRow
	var responses []figures.ResponseRow
	for i := range 6000 {
		at := time.Date(2024, time.Month(3+rng.IntN(24)), 1+rng.IntN(27), 12, 0, 0, 0, time.UTC)
		place := places[min(rng.IntN(10)/2, rng.IntN(5))]
		stage := []string{"report", "report", "investigation", "closure", "withdrawn"}[rng.IntN(5)]
		key := "agree-" + strconv.Itoa(i)
		disposition := []figures.Disposition{figures.Completed, figures.Completed, figures.NoResponse, figures.NotSafe, figures.StartedPartial, figures.Undelivered}[rng.IntN(6)]
		cases = append(cases, figures.CaseRow{Key: key, ChangedAt: at, Force: ourForce, Borough: place[0], BCU: place[1], Offence: pick("stalking-2a", "stalking-2a", "stalking-4a"), Outcome: pick("", "charged", "nfa-other"),
			DomesticAbuse: int8(rng.IntN(3) - 1), AgeBand: pick("18-24", "25-34", "25-34", "65+"), Sex: pick("female", "female", "male"), Asks: []figures.AskRow{{Stage: stage, Round: 1, DueAt: at, SentAt: at, Disposition: disposition}}})
		if disposition != figures.Completed {
			continue
		}
		q, _ := sets.ByID(stage + "/1")
		answers := questionnaires.Answers{}
		for id, codes := range map[string][]string{"core.confidence": {"very", "fairly", "not-very", "not-at-all"}, "core.informed": {"very-well", "fairly-well", "not-very-well", "prefer-not"}} {
			it, ok := q.Item(id)
			if !ok {
				continue
			}
			if code := codes[rng.IntN(len(codes)-rng.IntN(2))]; code != "prefer-not" {
				answers[id] = it.Choose(code)
			}
		}
		mode := figures.ModeSelf
		if rng.IntN(5) == 0 {
			mode = figures.ModeRelayed
		}
		responses = append(responses, figures.ResponseRow{ID: key, CaseKey: key, Stage: stage, Round: 1, Mode: mode, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(answers)})
	}
	p.ApplyCases(cases...)
	if err := p.ApplyResponses(responses...); err != nil {
		t.Fatal(err)
	}
}

// agreeing is a system whose panel is full, with a commissioner and an API key.
func agreeing(t *testing.T) (*journey, *person) {
	t.Helper()
	store, err := sqlite.OpenTemp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	raw, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	j := &journey{t: t, clock: &clock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, post: &postbox{}, words: map[string]string{}}
	rooms, err := app.Furnish(store, keys, j.clock.Now, slog.New(slog.NewTextHandler(io.Discard, nil)), quickPasswords())
	if err != nil {
		t.Fatal(err)
	}
	answered(t, rooms.Analysis.Panel(), rooms.Survey.Questionnaires(), rand.New(rand.NewPCG(2026, 7)))
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	cfg := &config.Config{BaseURL: base, SurveyURL: base, SurveyName: "Feedback", MailFrom: mail.Address{Name: "Feedback", Address: "feedback@example.org"}}
	if j.sys, err = app.Assemble(rooms, cfg, j.post, "web"); err != nil {
		t.Fatal(err)
	}
	j.server = httptest.NewServer(j.sys.Engine)
	t.Cleanup(j.server.Close)
	role, email := access.Commissioner, "commissioner@example.org"
	j.words[string(role)] = "kettle-amber-" + seal.NewToken()[:8]
	if _, _, err := rooms.Access.AddUser(t.Context(), access.Operator(), access.NewUser{Email: email, Name: "Test commissioner", Roles: []access.Role{role}, Force: ourForce, Password: j.words[string(role)]}); err != nil {
		t.Fatal(err)
	}
	if j.apiKey, _, err = rooms.Access.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "test", Force: ourForce, Scopes: []access.Scope{access.FiguresGet}}); err != nil {
		t.Fatal(err)
	}
	return j, j.signIn(string(role), email)
}

// cell is one figure as it is told somewhere: withheld, or its numbers.
type cell struct {
	withheld        bool
	share, num, out string // as the page writes them
}

// TestFiguresAgree: whatever filters are chosen, the page, the CSV, the workbook, the
// JSON Lines, the command line's export and the API give the same numbers and withhold
// the same ones; and the archive of every figure has the same rows as the export.
func TestFiguresAgree(t *testing.T) {
	t.Parallel()
	j, cora := agreeing(t)
	rng := rand.New(rand.NewPCG(9, 27))
	one := func(list ...string) string { return list[rng.IntN(len(list))] }
	shown, withheld := 0, 0
	for range 30 {
		set := url.Values{"measure": {one("core.informed", "core.confidence", "index.communication", "response.rr1", "response.rr2", "dissemination.delivered")}}
		for name, value := range map[string]string{
			"period": one("", "month", "quarter", "year"), "stage": one("", "by:stage", "report", "closure"), "from": one("", "", "2025-01"),
			"area": one("", "by:bcu", "by:borough", "bcu:West", "borough:Ealing", "in:North West"),
			"more": one("", "by:offence", "by:outcome", "by:domestic_abuse", "by:sex", "age_band:25-34", "sex:female", "offence:stalking-2a"),
		} {
			if value != "" {
				set.Set(name, value)
			}
		}
		a, b := agree(t, j, cora, set)
		shown, withheld = shown+a, withheld+b
	}
	if shown < 100 || withheld < 100 {
		t.Errorf("%d figures shown, %d withheld: too few to tell", shown, withheld)
	}
	const by = "year,stage,bcu"
	status, _, archive := cora.do("GET", "/figures/take-away/package?by="+url.QueryEscape(by), nil)
	if status != http.StatusOK {
		t.Fatalf("the archive: %d", status)
	}
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	packed := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		packed[f.Name] = string(raw)
	}
	every := exported(t, j, url.Values{"by": {by}, "force": {ourForce}})
	if packed["figures.csv"] != every {
		t.Error("the archive and the export of every figure are not the same")
	}
	rows, err := csv.NewReader(strings.NewReader(every)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(inLines(t, packed["figures.jsonl"])) != fmt.Sprint(inRows(rows)) {
		t.Error("the archive's JSON Lines and its CSV are not the same")
	}
	// The file of one figure is what the archive has of it, to the letter.
	status, _, alone := cora.do("GET", "/figures/core.informed/table?by="+url.QueryEscape(by), nil)
	var own []string
	for line := range strings.Lines(every) {
		if strings.HasPrefix(line, "measure,") || strings.HasPrefix(line, "core.informed,") {
			own = append(own, line)
		}
	}
	if status != http.StatusOK || len(own) < 10 || strings.Join(own, "") != alone {
		t.Errorf("%d: one figure's file is not what the archive has of it", status)
	}
}

// exported is what the command line's export writes for a query.
func exported(t *testing.T, j *journey, q url.Values) string {
	t.Helper()
	table, err := app.FigureTable(t.Context(), j.sys.Rooms.Analysis, q)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := table.Write(sheet.CSV, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func agree(t *testing.T, j *journey, cora *person, set url.Values) (shown, withheld int) {
	t.Helper()
	body := cora.get("/explore?" + set.Encode())
	page := parsed(t, body)
	files := map[string]string{}
	walkNodes(page, func(n *html.Node) {
		if n.Data == "a" && strings.Contains(htmlAttr(n, "href"), "/table?") {
			files[textOf(n)] = htmlAttr(n, "href")
		}
	})
	if len(files) == 0 {
		if !strings.Contains(body, `class="empty"`) {
			t.Fatalf("%v: neither figures nor a word why not", set)
		}
		return 0, 0
	}
	asked, err := url.Parse(files["CSV"])
	if err != nil {
		t.Fatal(err)
	}
	q := asked.Query()
	q.Del("format")
	q.Set("measure", set.Get("measure"))
	status, raw := j.machine("GET", "/api/v1/figures?"+q.Encode(), "", nil)
	var told struct {
		Measure struct{ Kind string }
		Points  []struct {
			Numerator, Base *int
			Share           *float64
			Suppressed      bool
		}
	}
	if err := json.Unmarshal(raw, &told); err != nil || status != http.StatusOK {
		t.Fatalf("%v: %d %v %s", q, status, err, raw)
	}
	score := told.Measure.Kind == "index" || told.Measure.Kind == "mean"
	var want []cell
	for _, p := range told.Points {
		c := cell{withheld: p.Suppressed}
		if p.Share != nil {
			shown++
			c.share, c.out = strconv.Itoa(int(math.Round(*p.Share))), strconv.Itoa(*p.Base)
			if !score {
				c.num = strconv.Itoa(*p.Numerator)
			}
		} else if p.Suppressed {
			withheld++
		}
		want = append(want, c)
	}
	same := func(where string, got []cell) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: %s says\n%v\nthe API\n%v", set, where, got, want)
		}
	}
	same("the page", onPage(page))
	q.Set("force", ourForce) // to which page and key are held
	export := exported(t, j, q)
	for name, href := range files {
		status, _, file := cora.do("GET", href, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", href, status)
		}
		switch name {
		case "CSV":
			rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\ufeff"))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			same("the CSV", inRows(rows))
			if file != export {
				t.Errorf("%v: the CSV and the export are not the same", set)
			}
		case "Excel":
			book, err := excelize.OpenReader(bytes.NewReader([]byte(file)))
			if err != nil {
				t.Fatal(err)
			}
			rows, err := book.GetRows(book.GetSheetName(0), excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			same("the workbook", inRows(rows))
		case "JSON Lines":
			same("the JSON Lines", inLines(t, file))
		}
	}
	return shown, withheld
}

// onPage reads the page's table of figures.
func onPage(page *html.Node) (out []cell) {
	walkNodes(page, func(tr *html.Node) {
		if tr.Data != "tr" || tr.Parent.Data != "tbody" {
			return
		}
		var c cell
		var numbers []string
		for td := tr.FirstChild; td != nil; td = td.NextSibling {
			if td.Data == "td" && htmlAttr(td, "class") == "num" {
				numbers = append(numbers, strings.NewReplacer(",", "", "*", "", "%", "").Replace(textOf(td)))
			}
		}
		switch {
		case len(numbers) == 1:
			c.withheld = numbers[0] == "[c]"
		case len(numbers) == 3: // a score: no one is counted
			c.share, c.out = numbers[0], numbers[2]
		case len(numbers) == 4:
			c.share, c.num, c.out = numbers[0], numbers[2], numbers[3]
		}
		out = append(out, c)
	})
	return out
}

func rounded(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.Itoa(int(math.Round(v)))
}

// inRows reads a table as files have it: a row of names, then the figures.
func inRows(rows [][]string) (out []cell) {
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	get := func(row []string, name string) string {
		if i, ok := at[name]; ok && i < len(row) {
			return row[i]
		}
		return ""
	}
	for _, row := range rows[1:] {
		c := cell{withheld: get(row, "symbol") == "[c]"}
		if share := get(row, "share"); share != "" {
			c.share, c.num, c.out = rounded(share), rounded(get(row, "numerator")), rounded(get(row, "base"))
		}
		out = append(out, c)
	}
	return out
}

func inLines(t *testing.T, file string) (out []cell) {
	t.Helper()
	for line := range strings.Lines(file) {
		var v struct {
			Numerator, Base *int
			Share           *float64
			Symbol          string
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		c := cell{withheld: v.Symbol == "[c]"}
		if v.Share != nil {
			c.share, c.out = rounded(fmt.Sprint(*v.Share)), strconv.Itoa(*v.Base)
			if v.Numerator != nil {
				c.num = strconv.Itoa(*v.Numerator)
			}
		}
		out = append(out, c)
	}
	return out
}

func parsed(t *testing.T, body string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func walkNodes(n *html.Node, see func(*html.Node)) {
	if n.Type == html.ElementNode {
		see(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walkNodes(c, see)
	}
}

func htmlAttr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	var add func(*html.Node)
	add = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			add(c)
		}
	}
	add(n)
	return strings.TrimSpace(b.String())
}
