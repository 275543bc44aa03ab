package coding

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"victimvoice/analysis/codebook"
	"victimvoice/internal/fault"
)

func newCoder(t testing.TB) *Coder {
	t.Helper()
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(book)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newPhrases makes a coder without what was learnt, for tests of the rules.
func newPhrases(t testing.TB) *Coder {
	t.Helper()
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewPhrases(book)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefusesNoCodebook(t *testing.T) {
	if _, err := New(nil); err == nil {
		t.Error("got no error")
	}
}

func TestNothingToCodeIsAnEmptyList(t *testing.T) {
	c := newCoder(t)
	for _, text := range []string{"", " ", ".", "\n\n", "😔", "No comment", "He drives a van.", "\x00\x01", "\xff\xfe", strings.Repeat("a", 1<<20)} {
		if got := c.Code(text); got == nil || len(got) != 0 {
			t.Errorf("%.20q: got %v", text, got)
		}
	}
}

func TestSegment(t *testing.T) {
	c := newPhrases(t)
	type part struct {
		text string
		brk  breakLevel
	}
	for _, tc := range []struct {
		name, text string
		want       []part
	}{
		{"short sentences", "no updates. none. six months", []part{{"no", sentenceBreak}, {"updates", noBreak}, {"none", sentenceBreak}, {"six", sentenceBreak}, {"months", noBreak}}},
		{"a title ends nothing", "Mr. Hill came", []part{{"Mr. Hill", sentenceBreak}, {"came", noBreak}}},
		{"a name goes with its title", "PC Ada Okafor rang", []part{{"PC Ada Okafor", sentenceBreak}, {"rang", noBreak}}},
		{"a redacted name too", "DC [name] rang", []part{{"DC [name", sentenceBreak}, {"rang", noBreak}}},
		{"contraction", "they didn’t ring", []part{{"they", sentenceBreak}, {"did", noBreak}, {"n’t", noBreak}, {"ring", noBreak}}},
		{"contraction without apostrophe", "they didnt ring", []part{{"they", sentenceBreak}, {"did", noBreak}, {"nt", noBreak}, {"ring", noBreak}}},
		{"possession", "police's view", []part{{"police's", sentenceBreak}, {"view", noBreak}}},
		{"and with a subject", "they rang and I answered", []part{{"they", sentenceBreak}, {"rang", noBreak}, {"and", wordBreak}, {"I", clauseBreak}, {"answered", noBreak}}},
		{"contrast", "kind but slow", []part{{"kind", sentenceBreak}, {"but", contrastBreak}, {"slow", noBreak}}},
		{"wrapped line", "they did not\nring", []part{{"they", sentenceBreak}, {"did", noBreak}, {"not", noBreak}, {"ring", noBreak}}},
		{"new line", "no calls\nNo updates", []part{{"no", sentenceBreak}, {"calls", noBreak}, {"No", sentenceBreak}, {"updates", noBreak}}},
		{"fillers are looked through", "a really slow reply", []part{{"slow", sentenceBreak}, {"reply", noBreak}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []part
			for _, tok := range c.segment(tc.text, &space{}) {
				got = append(got, part{tc.text[tok.start:tok.end], tok.brk})
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestMisspellings(t *testing.T) {
	c := newPhrases(t)
	for _, tc := range []struct{ written, meant string }{
		{"seriosly", "seriously"}, {"comunication", "communication"}, {"harrassment", "harassment"}, {"explainned", "explained"}, {"statemnet", "statement"},
	} {
		a, b := c.vocab.read(tc.written).parts[0], c.vocab.read(tc.meant).parts[0]
		if a.stem == 0 || a.stem != b.stem {
			t.Errorf("%s is not read as %s", tc.written, tc.meant)
		}
	}
}

// TestPolarity holds the rules of meaning apart from the phrases: each line
// differs from another in one thing only.
func TestPolarity(t *testing.T) {
	c := newPhrases(t)
	for _, tc := range []struct{ text, want string }{
		{"They took me seriously.", "RES_SERIOUS positive"},
		{"They never took me seriously.", "RES_SERIOUS negative"},
		{"They did not take me seriously.", "RES_SERIOUS negative"},
		{"I don't think they took me seriously.", "RES_SERIOUS negative"},
		{"Nobody took me seriously.", "RES_SERIOUS negative"},
		{"They failed to take me seriously.", "RES_SERIOUS negative"},
		{"They never failed to take me seriously.", "RES_SERIOUS positive"},
		{"They could not be bothered, but the sergeant took me seriously.", "RES_SERIOUS negative|RES_SERIOUS positive"},
		{"Not only did they take me seriously.", "RES_SERIOUS positive"},
		{"I wish they had taken me seriously.", "RES_SERIOUS negative"},
		{"They should have taken me seriously.", "RES_SERIOUS negative"},
		{"Yeah right, they took me seriously.", "RES_SERIOUS negative"},
		{"My ex never took me seriously.", ""},
		{"My sister says they took me seriously.", ""},
		{"My daughter was taken seriously.", "RES_SERIOUS positive"},
		{"Ms A was not taken seriously.", "RES_SERIOUS negative"},
		{"They told me to block him.", "ADV_CHANGE negative"},
		{"They told me not to block him.", "ADV_CHANGE positive"},
		{"They never told me to block him.", "ADV_CHANGE positive"},
		{"I was told by my sister to block him.", ""},
		{"I blocked him.", ""},
	} {
		var got []string
		for _, l := range c.Code(tc.text) {
			got = append(got, l.Code+" "+l.Polarity)
		}
		if strings.Join(got, "|") != tc.want {
			t.Errorf("%s\n\tgot %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestDeterministicAndConcurrent(t *testing.T) {
	c, cases := newCoder(t), readCases(t)
	other := newCoder(t)
	want := make([][]Label, len(cases))
	for i, tc := range cases {
		want[i] = other.Code(tc.text)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, tc := range cases {
				if got := c.Code(tc.text); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("%s: got %v, want %v", tc.name, got, want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

// checkLabels holds what is true of any text.
func checkLabels(t *testing.T, c *Coder, text string) {
	t.Helper()
	labels := c.Code(text)
	bounds := map[int]bool{len(text): true}
	for i := range text {
		if slices.ContainsFunc(labels, func(l Label) bool { return l.Start == i || l.End == i }) {
			bounds[i] = true
		}
	}
	if labels == nil {
		t.Fatal("the labels are nil")
	}
	seen := map[[2]string]bool{}
	for i, l := range labels {
		switch {
		case l.Start < 0 || l.End > len(text) || l.Start >= l.End:
			t.Fatalf("%+v lies outside the text", l)
		case text[l.Start:l.End] != l.Evidence:
			t.Fatalf("%+v: the evidence is not what the offsets hold", l)
		case !bounds[l.Start] || !bounds[l.End]:
			t.Fatalf("%+v cuts a rune", l)
		case seen[[2]string{l.Code, l.Polarity}]:
			t.Fatalf("%+v is given twice", l)
		case !codebook.Polarity(l.Polarity).Valid() || l.Confidence <= 0 || l.Confidence > 1:
			t.Fatalf("%+v is malformed", l)
		case i > 0 && labels[i-1].Start > l.Start:
			t.Fatalf("%+v is out of order", l)
		}
		seen[[2]string{l.Code, l.Polarity}] = true
	}
}

func FuzzCode(f *testing.F) {
	for _, tc := range readCases(f) {
		f.Add(tc.text)
	}
	for _, seed := range []string{"\xff not\xfe kept\x80 informed", "no\u200f updates\u202e", "didn’t’t didn't", "’t n't n’t", "NOBODY\x00TOLD ME", "[name] PC [name]", "cannot couldnt can’t", "é\u0301 they laughed at me"} {
		f.Add(seed)
	}
	c := newCoder(f)
	f.Fuzz(func(t *testing.T, text string) { checkLabels(t, c, text) })
}

// Long texts that match as much as can be: the work a word stays bounded.
func TestLargeTexts(t *testing.T) {
	c := newCoder(t)
	checkLabels(t, c, strings.Repeat("I was not taken seriously. ", (1<<20)/27))
	for _, seed := range []string{"they never told me to block him and nobody kept me informed ", "not ", "no no ", "told told ", "he breached the order, ", "\u200f", "a\xff", "they did not ring me back. "} {
		checkLabels(t, c, strings.Repeat(seed, (1<<16)/len(seed)))
	}
}

func TestCodeLines(t *testing.T) {
	c := newPhrases(t)
	in := "\ufeff" + `{"id":"b","text":"I was taken seriously."}` + "\n\n" + `{"id":"a","text":"<nothing>"}` + "\n"
	var out bytes.Buffer
	if err := CodeLines(context.Background(), c, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"b","labels":[{"code":"RES_SERIOUS","polarity":"positive","evidence":"taken seriously","start":6,"end":21,"confidence":0.8}]}` + "\n" + `{"id":"a","labels":[]}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestBadLines(t *testing.T) {
	c := newCoder(t)
	for _, tc := range []struct {
		name, in string
		kind     fault.Kind
		want     string
	}{
		{"not JSON", `{"id":"1","text":"a"}` + "\n\nsecret words\n", fault.Invalid, "line 3"},
		{"no id", `{"text":"a"}`, fault.Invalid, "line 1"},
		{"text is null", `{"id":"1","text":null}`, fault.Invalid, "line 1"},
		{"too long", `{"id":"1","text":"` + strings.Repeat("x", MaxLineBytes) + `"}`, fault.TooLarge, "line 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, err := range map[string]error{
				"code":     CodeLines(context.Background(), c, strings.NewReader(tc.in), &bytes.Buffer{}),
				"evaluate": second(Evaluate(c, strings.NewReader(tc.in))),
			} {
				if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: got %v", name, err)
				}
			}
		})
	}
	t.Run("1 MB of text is no fault", func(t *testing.T) {
		if err := CodeLines(context.Background(), c, strings.NewReader(`{"id":"1","text":"`+strings.Repeat("x ", 1<<19)+`"}`), &bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := CodeLines(ctx, c, strings.NewReader(`{"id":"1","text":"a"}`), &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("broken writer", func(t *testing.T) {
		if err := CodeLines(context.Background(), c, strings.NewReader(`{"id":"1","text":"a"}`), brokenWriter{}); err == nil {
			t.Error("got no error")
		}
	})
}

func second(_ Report, err error) error { return err }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestEvaluate(t *testing.T) {
	c := newPhrases(t)
	in := strings.Join([]string{
		// right, by offsets; the coder finds bytes 6 to 21
		`{"id":"1","text":"I was taken seriously.","labels":[{"code":"RES_SERIOUS","polarity":"positive","evidence":"was taken seriously","start":2,"end":21}]}`,
		// right theme, other polarity
		`{"id":"2","text":"I was taken seriously.","labels":[{"code":"RES_SERIOUS","polarity":"negative"}]}`,
		// missed
		`{"id":"3","text":"Hmm.","labels":[{"code":"CON_CJS","polarity":"negative","evidence":"Hmm"}]}`,
		// too much
		`{"id":"4","text":"I was taken seriously.","labels":[]}`,
		// left alone
		`{"id":"5","text":"Hmm."}`,
	}, "\n")
	r, err := Evaluate(c, strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	wantThemes := Score{Given: 3, Found: 3, Right: 2, Precision: 2.0 / 3, Recall: 2.0 / 3, F1: 2.0 / 3}
	if r.Themes != wantThemes {
		t.Errorf("themes: got %+v, want %+v", r.Themes, wantThemes)
	}
	if r.Labels.Right != 1 || r.Labels.Found != 3 || r.Labels.Given != 3 {
		t.Errorf("labels: got %+v", r.Labels)
	}
	if want := (0.8 + 0) / 2; r.ThemesMacro != want { // RES_SERIOUS 2·2/(2+3), CON_CJS 0
		t.Errorf("macro: got %v, want %v", r.ThemesMacro, want)
	}
	if r.PolarityMatched != 2 || r.PolarityRight != 0.5 {
		t.Errorf("polarity: got %v of %d", r.PolarityRight, r.PolarityMatched)
	}
	if r.EvidenceMatched != 1 || r.EvidenceOverlap != 1 || r.EvidenceMeanIoU != 15.0/19 {
		t.Errorf("evidence: got %v %v of %d", r.EvidenceOverlap, r.EvidenceMeanIoU, r.EvidenceMatched)
	}
	if r.Comments != 5 || r.Uncodable != 2 || r.UncodableAlone != 1 {
		t.Errorf("got %d comments, %d of %d left alone", r.Comments, r.UncodableAlone, r.Uncodable)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"5 comments", "themes and polarity", "0.667", "RES_SERIOUS positive", "1 of 2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	if err := r.WriteText(brokenWriter{}); err == nil {
		t.Error("a broken writer gave no error")
	}
}

func TestEvaluateRefusesBadLabels(t *testing.T) {
	c := newCoder(t)
	for name, labels := range map[string]string{
		"unknown code":      `{"code":"COM_PIGEONS","polarity":"positive"}`,
		"unknown polarity":  `{"code":"CON_CJS","polarity":"neutral"}`,
		"twice":             `{"code":"CON_CJS","polarity":"positive"},{"code":"CON_CJS","polarity":"positive"}`,
		"outside":           `{"code":"CON_CJS","polarity":"positive","start":0,"end":99}`,
		"backwards":         `{"code":"CON_CJS","polarity":"positive","start":2,"end":1}`,
		"other words":       `{"code":"CON_CJS","polarity":"positive","evidence":"fair","start":0,"end":4}`,
		"words not in text": `{"code":"CON_CJS","polarity":"positive","evidence":"unfair"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Evaluate(c, strings.NewReader(`{"id":"1","text":"It was fair.","labels":[`+labels+`]}`))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "line 1") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// BenchmarkCode codes the text cases in turn, some fifty bytes each.
func BenchmarkCode(b *testing.B) {
	c, cases := newCoder(b), readCases(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		c.Code(cases[n%len(cases)].text)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "comments/s")
}

// BenchmarkCode200Words codes a comment of two hundred words.
func BenchmarkCode200Words(b *testing.B) {
	c, cases := newCoder(b), readCases(b)
	var text strings.Builder
	for _, tc := range cases {
		if len(strings.Fields(text.String())) > 190 {
			break
		}
		text.WriteString(tc.text + " ")
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Code(text.String())
	}
}
