package workspace

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

const wrote = "Sergeant Kowalczyk was kind. Nobody rang me back – “not once”. Nobody rang me back <b>at all</b>."

// written has people write something, and the coder read it.
func (w *world) written(n int, language, words string) {
	w.t.Helper()
	day := func(n int) time.Time { return present.AddDate(0, 0, -n).Add(-5 * time.Hour) }
	for i := range n {
		ref := fmt.Sprintf("WRT-%s-%d-%d", language, len(words), i)
		id := w.reported(ref, day(5), nil)
		at := day(3)
		ctx, s := context.Background(), w.survey.At(func() time.Time { return at })
		_, st, err := s.Begin(ctx, w.mail(id, day(4), survey.Delivered), language, false)
		if err != nil {
			w.t.Fatal(err)
		}
		sheet := must(s.Sheet(ctx, st))(w.t)
		for _, p := range sheet.Pages {
			for k := range p.Items {
				if it := &p.Items[k]; it.ID == "open.better" {
					if err := s.Save(ctx, st, p, questionnaires.Answers{it.ID: it.Write(words)}); err != nil {
						w.t.Fatal(err)
					}
				}
			}
		}
		if _, _, err := s.Submit(ctx, st, survey.Ticks{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := w.analysis.CodeWaiting(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

func versionOf(t *testing.T, body string) string {
	t.Helper()
	m := versionField.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no version in\n%s", body)
	}
	return m[1]
}

// drawText gets a text of the visitor's whose kind is wanted, passing over others.
func (w *world) drawText(as string, blind bool) (path, body string) {
	w.t.Helper()
	for range 20 {
		a := w.post(as, "/coding/next")
		if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.to, "/coding/texts/") {
			w.t.Fatalf("no text: %d %s", a.Code, a.to)
		}
		if body = w.page(as, a.to); strings.Contains(body, "Shown without labels") == blind {
			return a.to, body
		}
		w.post(as, a.to, "do", "skip")
	}
	w.t.Fatal("no such text")
	return "", ""
}

func (w *world) coded(path string) analysis.Coding {
	w.t.Helper()
	return must(w.store.Coding(context.Background(), strings.TrimPrefix(path, "/coding/texts/")))(w.t)
}

// TestCodingAText: read, add, be told what is wrong, save; nothing is kept before.
func TestCodingAText(t *testing.T) {
	w := newWorld(t).staff()
	body := w.page(ines, "/coding")
	if !strings.Contains(body, "Nobody has coded a text yet") {
		t.Error("an empty desk does not say so")
	}
	if a := w.post(ines, "/coding/next"); a.to != "/coding?done=no-texts" {
		t.Errorf("to %q", a.to)
	}
	w.written(8, "en", wrote)
	path, body := w.drawText(ines, false)
	for _, gone := range []string{"Kowalczyk", "WRT-", "Ealing", "Metropolitan", "@example.org"} {
		if strings.Contains(body, gone) {
			t.Errorf("the page tells %q", gone)
		}
	}
	if _, err := w.store.UpdateCoding(context.Background(), strings.TrimPrefix(path, "/coding/texts/"), func(c *analysis.Coding) error {
		c.Unsure = []analysis.Label{{Code: "RES_SERIOUS", Polarity: "negative", Start: 0, End: 6}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if body = w.page(ines, path); !strings.Contains(body, "The coder was not sure of these") || !strings.Contains(body, ", negative: “") {
		t.Error("what the coder was not sure of is not shown")
	}
	for _, there := range []string{`<mark class="`, "[name]", "&lt;b&gt;at all&lt;/b&gt;", `<optgroup label="Communication">`, "What the themes mean", "the labels are the coder's", "/static/"} {
		if !strings.Contains(body, there) {
			t.Errorf("the page lacks %q", there)
		}
	}
	before := w.coded(path)
	version := versionOf(t, body)
	form := func(do string, more ...string) []string {
		return append([]string{"version", version, "do", do}, more...)
	}
	// What is wrong is said beside its field, and what was typed stays.
	a := w.post(ines, path, form("add", "words", "nobody rang him back")...)
	w.want(a, http.StatusUnprocessableEntity, "Choose a theme.", "Choose positive or negative.", "do not stand in the text", "nobody rang him back</textarea>")
	a = w.post(ines, path, form("save", "code", "COM_CONTACT", "polarity", "negative", "words", " nobody  RANG\r\nme back ")...)
	w.want(a, http.StatusUnprocessableEntity, "stand in the text 2 times", `<option value="COM_CONTACT" selected>`)
	a = w.post(ines, path, form("add", "code", "COM_CONTACT", "polarity", "negative", "words", "not once", "which", "3")...)
	w.want(a, http.StatusUnprocessableEntity, "once: leave this empty")
	// Added, and not kept yet.
	a = w.post(ines, path, form("add", "code", "COM_CONTACT", "polarity", "negative", "words", "\"not once\"")...)
	w.want(a, http.StatusOK, "Nothing is kept until you save", "Reaching", "“not once”")
	if now := w.coded(path); now.Version != before.Version {
		t.Error("kept before it was saved")
	}
	rows := regexp.MustCompile(`name="label" value="([^"]*)"`).FindAllStringSubmatch(a.body, -1)
	if len(rows) != 1 {
		t.Fatalf("%d labels in the form", len(rows))
	}
	// The polarity changed in the list, another added while saving; the same pair twice is refused first.
	twice := w.post(ines, path, form("save", "label", rows[0][1], "polarity-1", "negative", "code", "COM_CONTACT", "polarity", "negative", "words", "Nobody rang me back", "which", "2")...)
	w.want(twice, http.StatusUnprocessableEntity, "stands there twice")
	a = w.post(ines, path, form("save", "label", rows[0][1], "polarity-1", "positive", "code", "COM_CONTACT", "polarity", "negative", "words", "Nobody rang me back", "which", "2")...)
	if a.Code != http.StatusSeeOther || !strings.Contains(a.to, "done=coded") {
		t.Fatalf("%d to %q\n%s", a.Code, a.to, a.body)
	}
	c := w.coded(path)
	if len(c.History) != 1 || len(c.Labels) != 2 || c.Labels[0].Polarity != "positive" || c.Labels[1].Start < c.Labels[0].End || c.Labels[1].By != w.users[ines].ID {
		t.Errorf("%+v", c)
	}
	// A colleague looks at it, and takes one label out.
	body = w.page(cora, path)
	if !strings.Contains(body, "Ines Example") || !strings.Contains(body, "Set: ") {
		t.Error("the history does not say who did what")
	}
	old := versionOf(t, body)
	rows = regexp.MustCompile(`name="label" value="([^"]*)"`).FindAllStringSubmatch(body, -1)
	a = w.post(cora, path, "version", old, "do", "save", "label", rows[0][1], "polarity-1", "positive", "label", rows[1][1], "polarity-2", "negative", "remove", "1")
	if a.to != "/coding?done=coded-alone" || len(w.coded(path).Labels) != 1 {
		t.Errorf("%d to %q, %+v", a.Code, a.to, w.coded(path).Labels)
	}
	// With the older page somebody else loses nothing and overwrites nothing.
	a = w.post(ines, path, "version", old, "do", "save", "label", rows[0][1], "polarity-1", "positive")
	w.want(a, http.StatusConflict, "has changed since you opened it", "What stands there now", rows[0][1])
	if versionOf(t, a.body) == old {
		t.Error("saving again would fail again")
	}
	if !strings.Contains(w.page(ines, "/coding"), "Cora Example") {
		t.Error("what was coded last is not listed")
	}
	// Which of the two it was drawn as differs from run to run, as all texts are alike.
	golden(t, "text", strings.ReplaceAll(w.page(ines, path), readingWords[analysis.DrawnNovel], readingWords[analysis.DrawnThreshold]))
}

// TestBlindText: of the random stream nobody sees labels before they have said theirs.
func TestBlindText(t *testing.T) {
	w := newWorld(t).staff()
	w.written(60, "en", wrote) // which are drawn at random hangs on the key: of so many some are
	path, body := w.drawText(ines, true)
	if strings.Contains(body, "<mark") || strings.Contains(body, `name="label"`) || strings.Contains(body, "History") {
		t.Error("a text that is to be coded afresh shows labels")
	}
	if len(w.coded(path).Labels) == 0 {
		t.Fatal("the coder said nothing of it")
	}
	w.want(w.get(cora, path), http.StatusNotFound)
	if a := w.post(ines, path, "version", versionOf(t, body), "do", "save"); a.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.Code, a.body)
	}
	if c := w.coded(path); len(c.Labels) != 0 || len(c.History) != 1 || !c.History[0].Blind || c.History[0].How != analysis.DrawnRandom {
		t.Errorf("%+v", c)
	}
	if body = w.page(ines, "/coding/agreement"); !strings.Contains(body, "cannot be told yet") {
		t.Error("agreement is shown that rests on nothing")
	}
}

func TestTextsInOtherLanguages(t *testing.T) {
	w := newWorld(t).staff()
	w.written(1, "ur", "کسی نے مجھے فون نہیں کیا۔")
	if a := w.post(ines, "/coding/next"); a.to != "/coding?done=no-texts" {
		t.Errorf("among the others: %q", a.to)
	}
	a := w.post(ines, "/coding/next", "kind", "language")
	w.want(w.get(ines, a.to), http.StatusOK, `lang="ur"`, `dir="auto"`, "pass it over")
	if a = w.post(ines, a.to, "do", "skip", "other", "yes"); a.to != "/coding?done=passed-last" {
		t.Errorf("to %q", a.to)
	}
}

// TestHeldToOneForce: texts are kept without their force.
func TestHeldToOneForce(t *testing.T) {
	w := newWorld(t)
	w.person("held", force, access.Analyst)
	for _, path := range []string{"/coding", "/coding/agreement", "/coding/texts/a/b"} {
		w.want(w.get("held", path), http.StatusForbidden, "held to one force")
	}
	w.want(w.post("held", "/coding/next"), http.StatusForbidden)
	w.want(w.post("held", "/coding/texts/a/b", "do", "skip"), http.StatusForbidden)
	if strings.Contains(w.page("held", "/figures"), `href="/coding"`) {
		t.Error("the places have what is not for them")
	}
}

func TestStretches(t *testing.T) {
	for _, c := range []struct {
		text, words string
		want        []string
	}{
		{"They were kind. Kind!", "kind", []string{"kind", "Kind"}},
		{"He said “no crime”\n\nand left", "\"no crime\" and", []string{"“no crime”\n\nand"}},
		{"it’s late", "it's  LATE", []string{"it’s late"}},
		{"aaa", "aa", []string{"aa", "aa"}},
		{"naïve 🙂 end", "🙂 end", []string{"🙂 end"}},
		{"text", "", nil}, {"text", " \n ", nil}, {"", "x", nil}, {"text", "longer than the text", nil},
		{"İstanbul was told", "was told", []string{"was told"}},
		{"bad \xff byte", "byte", []string{"byte"}},
	} {
		got := stretches(c.text, c.words)
		if len(got) != len(c.want) {
			t.Errorf("%q in %q: %v", c.words, c.text, got)
			continue
		}
		for i, s := range got {
			if c.text[s.start:s.end] != c.want[i] {
				t.Errorf("%q in %q: %q, want %q", c.words, c.text, c.text[s.start:s.end], c.want[i])
			}
		}
	}
}

// TestSegments: labels that overlap, meet and cover all.
func TestSegments(t *testing.T) {
	text := "abcdefgh"
	got := segments(text, []analysis.Label{{Code: "A", Polarity: "positive", Start: 0, End: 4}, {Code: "B", Polarity: "negative", Start: 2, End: 6}, {Code: "C", Polarity: "negative", Start: 6, End: 8}}, strings.ToLower)
	var b strings.Builder
	for _, g := range got {
		fmt.Fprintf(&b, "[%s %s", g.Text, g.Sides)
		for _, m := range g.Ends {
			fmt.Fprintf(&b, " %d%s", m.Number, m.Title)
		}
		b.WriteString("]")
	}
	if want := "[ab positive][cd both 1a][ef negative 2b][gh negative 3c]"; b.String() != want {
		t.Errorf("%s, want %s", b.String(), want)
	}
	if got := segments("", nil, strings.ToLower); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
