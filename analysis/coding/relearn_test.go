package coding

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/corpus"
)

// TestShippedLessons holds the packed corpus to the corpus, and the shipped model to
// it. When it fails, pack it again: go run ./mkmodel -pack in this folder.
func TestShippedLessons(t *testing.T) {
	got, err := ShippedLessons()
	if err != nil {
		t.Fatal(err)
	}
	comments, examples := lessonsAsWritten(t)
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	if Sources(book, got.Comments, got.Examples) != Sources(book, comments, examples) {
		t.Error("the lessons are not the corpus: run go run ./mkmodel -pack")
	}
	for _, c := range slices.Concat(got.Comments, got.Examples) {
		for _, l := range c.Labels {
			if l.Evidence == "" || c.Text[l.Start:l.End] != l.Evidence {
				t.Fatalf("%s: evidence %q", c.ID, l.Evidence)
			}
		}
	}
	if len(shippedLessons) > 1536<<10 {
		t.Errorf("the lessons have %d bytes, over 1.5 MB", len(shippedLessons))
	}
}

// lessonsAsWritten reads the corpus, the cases among the comments, and the examples.
func lessonsAsWritten(t *testing.T) (comments, examples []corpus.Comment) {
	t.Helper()
	comments, err := corpus.Load(os.DirFS(trainDir))
	if err != nil {
		t.Fatal(err)
	}
	if len(comments) == 0 {
		t.Skip("the corpus is not there")
	}
	cases, err := corpus.LoadCases(os.DirFS(caseDir))
	if err != nil {
		t.Fatal(err)
	}
	if examples, err = corpus.LoadExamples(os.DirFS(examplesDir)); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(comments, cases), examples
}

// school is a small part of the lessons.
func school(t *testing.T) (*codebook.Codebook, Lessons) {
	t.Helper()
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := ShippedLessons()
	if err != nil {
		t.Fatal(err)
	}
	return book, Lessons{Comments: all.Comments[:80]}
}

// lantern is a turn of phrase that stands for being told nothing, from n people.
func lantern(n int) []Coded {
	var out []Coded
	for i := range n {
		text := fmt.Sprintf([]string{"Amber lantern since %s.", "Still an amber lantern on %s.", "It is all amber lantern, %s or not."}[i%3], []string{"Monday", "Tuesday", "Easter", "spring"}[i%4])
		out = append(out, Coded{Text: text, Whose: fmt.Sprint("person ", i), Labels: []Label{{Code: "COM_UPDATES", Polarity: "negative", Start: 0, End: len(text)}}})
	}
	return out
}

func relearnt(t *testing.T, book *codebook.Codebook, from Lessons, texts []Coded) (*Coder, []byte) {
	t.Helper()
	m, err := Relearn(book, from, texts)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewWith(book, data)
	if err != nil {
		t.Fatal(err)
	}
	return c, data
}

// TestRelearnTeachesATurnOfPhrase that neither the lessons nor the shipped coder
// know, to text that it has not seen; in whatever order the texts come.
func TestRelearnTeachesATurnOfPhrase(t *testing.T) {
	book, from := school(t)
	before, plain := relearnt(t, book, from, nil)
	m, err := Learn(book, from.Comments, from.Examples)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := m.MarshalBinary(); err != nil || !slices.Equal(data, plain) {
		t.Errorf("with nothing that people coded it is another model than Learn's; %v", err)
	}
	texts := lantern(24)
	after, data := relearnt(t, book, from, texts)
	const unseen = "Amber lantern for weeks."
	told := func(c *Coder) bool {
		return slices.ContainsFunc(c.Code(unseen), func(l Label) bool { return l.Code == "COM_UPDATES" && l.Polarity == "negative" })
	}
	if told(newCoder(t)) || told(before) || !told(after) {
		t.Errorf("shipped %v, before %v, after %v", newCoder(t).Code(unseen), before.Code(unseen), after.Code(unseen))
	}
	slices.Reverse(texts)
	if _, again := relearnt(t, book, from, texts); !slices.Equal(again, data) {
		t.Error("in another order it is another model")
	}
	if id := ModelID(data); after.Base() != book.Version+"+m"+id[:8] || after.Base() == before.Base() {
		t.Errorf("coder %s, model %s", after.Base(), id)
	}
	for _, word := range []string{"lantern", "amber", "person"} {
		if strings.Contains(strings.ToLower(string(data)), word) {
			t.Errorf("%q stands in the model", word)
		}
	}
	if _, err := NewWith(book, data[:len(data)/2]); err == nil {
		t.Error("half a model is taken")
	}
	other := *book
	other.Version = "9.9.9"
	if _, err := NewWith(&other, data); err == nil {
		t.Error("a model of another codebook is taken")
	}
	// A code that the codebook no longer has is nothing to learn.
	texts = append(texts, Coded{Text: "Amber lantern.", Whose: "x", Labels: []Label{{Code: "NO_CODE", Polarity: "negative", End: 5}}})
	if _, err := Relearn(book, from, texts); err != nil {
		t.Error(err)
	}
}

// TestRelearnForgetsWhatFewWrote: of words that the lessons do not have nothing is
// kept but what five people used, however often four of them do.
func TestRelearnForgetsWhatFewWrote(t *testing.T) {
	book, from := school(t)
	_, plain := relearnt(t, book, from, nil)
	rows := func(data []byte) map[uint32]bool {
		var m Model
		if err := m.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		out := map[uint32]bool{}
		for _, key := range m.table.Keys() {
			out[key] = true
		}
		return out
	}
	lessons, err := newTeacher(book, from.Comments, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A word that the lessons have in one place alone is no more known than one they lack.
	from.Comments = append(slices.Clone(from.Comments), corpus.Comment{ID: "one", Writer: "one", Voice: corpus.Victim, Text: "Zxqvyk wrrptho zxqvyk."})
	for _, users := range []int{1, RelearnUsers - 1, RelearnUsers} {
		var texts []Coded
		for i := range 3 * users {
			c := Coded{Text: "Zxqvyk wrrptho zxqvyk.", Whose: fmt.Sprint("person ", i%users)}
			c.Labels = []Label{{Code: "INV_PUSH", Polarity: "negative", End: len(c.Text)}}
			texts = append(texts, c)
		}
		_, data := relearnt(t, book, from, texts)
		fresh := 0
		for key := range rows(data) {
			if _, ok := lessons.gain[key]; !ok {
				fresh++
			}
		}
		if (fresh > 0) != (users >= RelearnUsers) {
			t.Errorf("%d people: %d rows that the lessons do not have", users, fresh)
		}
	}
	if len(rows(plain)) == 0 {
		t.Error("there is nothing in the model")
	}
}

// TestCompare counts what Measure counts, and is sure of nothing where nothing differs.
func TestCompare(t *testing.T) {
	book, from := school(t)
	shipped, small := newCoder(t), func() *Coder { c, _ := relearnt(t, book, from, nil); return c }()
	comments, err := corpus.Load(os.DirFS(trainDir))
	if err != nil {
		t.Fatal(err)
	}
	comments = comments[200:320]
	var texts []Coded
	for i, c := range comments {
		k := Coded{Text: c.Text, Whose: fmt.Sprint("person ", i/2)}
		for _, l := range c.Labels {
			k.Labels = append(k.Labels, Label{Code: l.Code, Polarity: l.Polarity})
		}
		texts = append(texts, k)
	}
	got := Compare(small, shipped, texts)
	if got.Texts != 120 || got.People != 60 {
		t.Errorf("%d texts of %d people", got.Texts, got.People)
	}
	near := func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
	for name, c := range map[string]struct {
		r                               Report
		themes, labels, polarity, error float64
	}{
		"before": {Measure(small, comments), got.Themes.Before, got.Labels.Before, got.Polarity.Before, got.Error.Before},
		"after":  {Measure(shipped, comments), got.Themes.After, got.Labels.After, got.Polarity.After, got.Error.After},
	} {
		if !near(c.r.Themes.F1, c.themes) || !near(c.r.Labels.F1, c.labels) || !near(c.r.PolarityRight, c.polarity) || !near(c.r.Calibration, c.error) {
			t.Errorf("%s: got %+v, Measure gives %+v", name, got, c.r)
		}
	}
	if gain := got.Labels.After - got.Labels.Before; got.Labels.Low <= 0 || gain < got.Labels.Low || gain > got.Labels.High {
		t.Errorf("a gain of %v between %v and %v", gain, got.Labels.Low, got.Labels.High)
	}
	slices.Reverse(texts)
	if again := Compare(small, shipped, texts); !near(again.Labels.Low, got.Labels.Low) || !near(again.Error.After, got.Error.After) {
		t.Errorf("in another order: %+v", again)
	}
	if same := Compare(small, small, texts); same.Labels.Low != 0 || same.Labels.High != 0 || same.Error.Low != 0 {
		t.Errorf("against itself: %+v", same)
	}
	if none := Compare(small, shipped, nil); !reflect.DeepEqual(none, Comparison{}) {
		t.Errorf("on nothing: %+v", none)
	}
	welsh := []Coded{{Text: "Ni chefais wybod dim am yr achos ac nid oedd neb yn ateb y ffôn o gwbl.", Whose: "x"}}
	if c := Compare(small, shipped, welsh); c.Texts != 0 {
		t.Errorf("in another language: %+v", c)
	}
}
