package corpus

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"victimvoice/analysis/codebook"
	"victimvoice/internal/fault"
)

const two = `## a-1
voice: victim
marks: negation typo
Nobody rung me.
Found out off "facebook"
---
COM_UPDATES negative "Found out off "facebook""
COM_CONTACT negative "rung me.\nFound"

## a-2
voice: advocate
marks: nothing
He lives nearby.
---
`

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(two), "w")
	if err != nil {
		t.Fatal(err)
	}
	text := "Nobody rung me.\nFound out off \"facebook\""
	want := []Comment{
		{ID: "a-1", Writer: "w", Voice: Victim, Marks: []Mark{Negation, Typo}, Text: text, Labels: []Label{
			{"COM_UPDATES", "negative", `Found out off "facebook"`, 16, 40}, {"COM_CONTACT", "negative", "rung me.\nFound", 7, 21},
		}},
		{ID: "a-2", Writer: "w", Voice: Advocate, Marks: []Mark{Nothing}, Text: "He lives nearby."},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReadNamesEveryFault(t *testing.T) {
	for body, says := range map[string]string{
		"Text\n---\n":                                             "voice",
		"voice: dog\nText\n---\n":                                 "voice",
		"voice: victim\nmarks: odd\nText\n---\n":                  "odd",
		"voice: victim\nText\n":                                   "---",
		"voice: victim\n\n---\n":                                  "no text",
		"voice: victim\nText\n---\nCOM_UPDATES bad \"T\"\n":       "should be",
		"voice: victim\nText\n---\nCOM_UPDATES negative \"no\"\n": "not in the text",
		"voice: victim\nText\n---\nCON_CJS negative \"Te\"\nCON_CJS negative \"xt\"\n": "twice",
		"voice: victim\nText\n---\n\n":                                        "nothing",
		"voice: victim\nmarks: nothing\nText\n---\nCON_CJS negative \"Te\"\n": "nothing",
	} {
		_, err := Read(strings.NewReader("## x-9\n"+body), "w")
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "x-9") {
			t.Errorf("%q: got %v", body, err)
		}
	}
	_, err := Load(fstest.MapFS{"a.txt": {Data: []byte(two)}, "b.txt": {Data: []byte(two)}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "a-1 is also in a") {
		t.Errorf("got %v", err)
	}
}

func TestLoadExamples(t *testing.T) {
	got, err := LoadExamples(fstest.MapFS{"CON_CJS.txt": {Data: []byte("# why\npositive:\nfair\n\nnegative:\nno justice\n")}, "NOTHING.txt": {Data: []byte("hello\n")}})
	if err != nil || len(got) != 3 || got[1].Labels[0].Polarity != "negative" || len(got[2].Labels) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = LoadExamples(fstest.MapFS{"CON_CJS.txt": {Data: []byte("fair\npositive:\nfine\nfine\n")}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "CON_CJS:1") || !strings.Contains(err.Error(), "CON_CJS:4") {
		t.Errorf("got %v", err)
	}
}

// What the corpus must hold, its two parts together.
const (
	leastComments  = 1200
	leastALabel    = 40
	leastNothing   = 100
	leastAdvocates = 100
)

// TestTheCorpus holds the whole corpus to its form and to what it must hold.
func TestTheCorpus(t *testing.T) {
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	var all []Comment
	for _, part := range []string{"train", "heldout"} {
		comments, err := Load(os.DirFS("../testdata/corpus/" + part))
		if err != nil {
			t.Error(err)
		}
		all = append(all, comments...)
	}
	if len(all) == 0 {
		t.Skip("the corpus is not there")
	}
	labels, nothing, advocates := map[string]int{}, 0, 0
	for i := range all {
		c := &all[i]
		if len(c.Labels) == 0 {
			nothing++
		}
		if c.Voice == Advocate {
			advocates++
		}
		for _, l := range c.Labels {
			if _, ok := book.Code(l.Code); !ok {
				t.Errorf("%s: %s is no code", c.ID, l.Code)
			}
			labels[l.Code+" "+l.Polarity]++
		}
	}
	for _, id := range book.IDs() {
		for _, p := range []string{"positive", "negative"} {
			if n := labels[id+" "+p]; n < leastALabel {
				t.Errorf("%s %s: %d, want %d", id, p, n, leastALabel)
			}
		}
	}
	if len(all) < leastComments || nothing < leastNothing || advocates < leastAdvocates {
		t.Errorf("%d comments, %d with nothing to code, %d by advocates; want %d, %d, %d", len(all), nothing, advocates, leastComments, leastNothing, leastAdvocates)
	}
	examples, err := LoadExamples(os.DirFS("../testdata/corpus/examples"))
	if err != nil {
		t.Error(err)
	}
	for _, e := range examples {
		for _, l := range e.Labels {
			if _, ok := book.Code(l.Code); !ok {
				t.Errorf("%s: %s is no code", e.ID, l.Code)
			}
		}
	}
}
