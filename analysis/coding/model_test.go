package coding

import (
	"slices"
	"strings"
	"testing"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/corpus"
)

// TestShippedModelIsLearntFromTheCorpus holds the embedded model to what it is
// learnt from. When it fails, learn it again: go generate ./analysis/coding.
func TestShippedModelIsLearntFromTheCorpus(t *testing.T) {
	m, err := LoadModel()
	if err != nil {
		t.Fatal(err)
	}
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	comments, examples := lessonsAsWritten(t)
	if got := Sources(book, comments, examples); got != m.head.Sources {
		t.Errorf("the model was learnt from other text or by other settings: run go generate ./analysis/coding")
	}
	if !slices.Equal(m.head.Codes, book.IDs()) {
		t.Errorf("the model knows %v", m.head.Codes)
	}
	if len(shippedModel) > 5<<20 {
		t.Errorf("the model has %d bytes, over 5 MB", len(shippedModel))
	}
}

// TestLearnTwice holds that learning is the same each time, on a small corpus.
func TestLearnTwice(t *testing.T) {
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	var comments []corpus.Comment
	for _, tc := range readCases(t) {
		c := corpus.Comment{ID: tc.name, Voice: corpus.Victim, Text: tc.text}
		for _, l := range tc.want {
			c.Labels = append(c.Labels, corpus.Label{Code: l.Code, Polarity: l.Polarity, Evidence: l.Evidence, Start: l.Start, End: l.End})
		}
		comments = append(comments, c)
	}
	var first []byte
	for range 2 {
		m, err := Learn(book, comments[:60], nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !slices.Equal(first, data) {
			t.Error("learning again gave another model")
		}
		first = data
	}
	for _, n := range []int{0, 3, 7, 100, len(first) / 2, len(first) - 1} {
		var m Model
		if err := m.UnmarshalBinary(first[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes it was read", n, len(first))
		}
	}
	if _, err := Learn(book, nil, nil); err == nil {
		t.Error("a model was learnt from nothing")
	}
}

// TestACodeThatTheModelDoesNotKnow is found by its phrases.
func TestACodeThatTheModelDoesNotKnow(t *testing.T) {
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	edited := *book
	edited.Codes = slices.Clone(book.Codes)
	i := slices.IndexFunc(edited.Codes, func(c codebook.Code) bool { return c.ID == "RES_SERIOUS" })
	edited.Codes[i].ID = "RES_WEIGHT"
	c, err := New(&edited)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Code("They never took me seriously.") {
		if l.Code == "RES_WEIGHT" && l.Polarity == "negative" {
			return
		}
	}
	t.Errorf("got %+v", c.Code("They never took me seriously."))
}

func TestExplain(t *testing.T) {
	c := newCoder(t)
	r := c.Explain("I was not taken seriously.")
	if len(r.Labels) == 0 || r.Labels[0].Code != "RES_SERIOUS" || len(r.Labels[0].Reasons) < 2 {
		t.Fatalf("got %+v", r)
	}
	if first := r.Labels[0].Reasons[0]; !strings.HasPrefix(first, "phrase") || !strings.Contains(first, "taken seriously") {
		t.Errorf("got %q", first)
	}
	if got := c.Read("I was not taken seriously."); got.Labels[0].Reasons != nil {
		t.Errorf("Read gave reasons: %+v", got)
	}
}

// FuzzSegment holds that words lie in order, on rune boundaries, inside the text.
func FuzzSegment(f *testing.F) {
	for _, seed := range []string{"no updates. none. six months", "Mr. Hill", "didn’t’t", "\xff not\xfe", "a\u200fb\u202e c", "e\u0301 [name]", "pоlice", "cannot couldnt"} {
		f.Add(seed)
	}
	c := newPhrases(f)
	f.Fuzz(func(t *testing.T, text string) {
		starts := map[int]bool{len(text): true}
		for i := range text {
			starts[i] = true
		}
		var s space
		last := int32(0)
		for _, tok := range c.segment(text, &s) {
			if tok.start < last || tok.end <= tok.start || int(tok.end) > len(text) || tok.lead > tok.start || !starts[int(tok.start)] || !starts[int(tok.end)] || !starts[int(tok.lead)] {
				t.Fatalf("%+v after %d in %q", tok, last, text)
			}
			last = tok.end
		}
	})
}
