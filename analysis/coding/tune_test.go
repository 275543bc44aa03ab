package coding

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"victimvoice/analysis/corpus"
	"victimvoice/internal/fault"
)

// planted gives comments as people would code them who go by other thresholds:
// each code's moved by so much.
func planted(t *testing.T, c *Coder, by float64, n int) []Coded {
	t.Helper()
	comments, err := corpus.Load(os.DirFS(trainDir))
	if err != nil {
		t.Fatal(err)
	}
	moved := make([]Threshold, len(c.model.head.Codes))
	for i, code := range c.model.head.Codes {
		moved[i] = Threshold{Code: code, Is: max(c.model.head.Threshold[i]+by, c.model.head.Unsure)}
	}
	people, err := c.With(1, moved)
	if err != nil {
		t.Fatal(err)
	}
	var out []Coded
	for i := range comments[:n] {
		words := strings.Fields(comments[i].Text) // half of a text, since the model has learnt from the whole
		text := strings.Join(words[:(len(words)+1)/2], " ")
		out = append(out, Coded{Text: text, Labels: people.Code(text), Whose: fmt.Sprint("person ", i), Drawn: i%2 == 0})
	}
	return out
}

// labelF1 is the F1 of theme and polarity, counted by hand.
func labelF1(c *Coder, texts []Coded) float64 {
	given, found, right := 0, 0, 0
	for _, text := range texts {
		if !text.Drawn {
			continue
		}
		given += len(text.Labels)
		for _, l := range c.Code(text.Text) {
			found++
			if holds(text.Labels, l) {
				right++
			}
		}
	}
	return share(2*right, given+found)
}

// TestTune: people who ask for more than the coder does are met, and the scores
// before are those of the coder as it ships.
func TestTune(t *testing.T) {
	c := newCoder(t)
	texts := planted(t, c, 0.12, 700)
	got, err := c.Tune(texts)
	if err != nil {
		t.Fatal(err)
	}
	if got.Why != "" || got.Texts != 700 || got.Drawn != 350 || got.People != 350 || got.Low <= 0 || got.High < got.Low || len(got.Thresholds) < 8 {
		t.Fatalf("got %+v", got)
	}
	if want := labelF1(c, texts); got.Before.Labels != want {
		t.Errorf("before: %v, counted by hand %v", got.Before.Labels, want)
	}
	// What is scored on texts that were not fitted on is a little less than on those that were.
	tuned, err := c.With(1, got.Thresholds)
	if err != nil {
		t.Fatal(err)
	}
	if fitted := labelF1(tuned, texts); got.After.Labels > fitted || got.After.Labels <= got.Before.Labels || got.After.Labels < 0.95 {
		t.Errorf("before %v, after %v, on what was fitted on %v", got.Before.Labels, got.After.Labels, fitted)
	}
	for _, h := range got.Thresholds {
		if h.Is <= h.Was {
			t.Errorf("%s: %v, was %v", h.Code, h.Is, h.Was)
		}
	}
	// The order of the texts decides nothing.
	slices.Reverse(texts)
	if again, err := c.Tune(texts); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("in another order: %+v %v, want %+v", again, err, got)
	}
	if _, err := tuned.Tune(texts); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tuned coder is tuned: %v", err)
	}
}

// TestTuneLeavesAlone: what is right, what nobody can tell, and what is too little.
func TestTuneLeavesAlone(t *testing.T) {
	c := newCoder(t)
	for _, tc := range []struct {
		name  string
		texts func() []Coded
		why   string
	}{
		{"people who say what the coder says", func() []Coded { return planted(t, c, 0, 400) }, "no threshold"},
		{"nothing", func() []Coded { return nil }, "at least 100"},
		{"too few people", func() []Coded { return planted(t, c, 0.12, 198) }, "of 99 persons"},
		{"many texts of few people", func() []Coded {
			texts := planted(t, c, 0.12, 700)
			for i := range texts {
				texts[i].Whose = fmt.Sprint(i % 50)
			}
			return texts
		}, "at least 100"},
		{"none of them drawn at random", func() []Coded {
			texts := planted(t, c, 0.12, 700)
			for i := range texts {
				texts[i].Drawn = false
			}
			return texts
		}, "of 0 persons"},
		{"people whom nothing explains", func() []Coded {
			texts := planted(t, c, 0, 400)
			for i := range texts { // what they say is of another text
				texts[i].Labels = texts[(i+7)%len(texts)].Labels
			}
			return texts
		}, ""},
	} {
		got, err := c.Tune(tc.texts())
		if err != nil || got.Why == "" || !strings.Contains(got.Why, tc.why) {
			t.Errorf("%s: %+v %v", tc.name, got, err)
		}
	}
}

// TestTuneDoesNotMistakeTheUnsureForAll: texts that people were given since the
// coder was unsure of them weigh no more than they do among all.
func TestTuneDoesNotMistakeTheUnsureForAll(t *testing.T) {
	c := newCoder(t)
	texts := planted(t, c, 0, 700)
	var stands []*stand
	for i := range texts {
		s, _ := c.stand(&texts[i])
		s.drawn = i%4 == 0 || s.doubt > 0.2 && i%2 == 0 // of the sure ones more were drawn
		stands = append(stands, &s)
	}
	weigh(stands)
	sum, doubts, drawn, drawnDoubts := 0.0, 0.0, 0.0, 0.0
	for _, s := range stands {
		sum, doubts = sum+s.weight, doubts+s.weight*s.doubt
		if s.drawn {
			drawn, drawnDoubts = drawn+1, drawnDoubts+s.doubt
		}
	}
	if a, b := doubts/sum, drawnDoubts/drawn; sum < 699 || sum > 701 || a-b > 0.02 || b-a > 0.02 {
		t.Errorf("weights of %v; mean doubt %v, of those drawn %v", sum, a, b)
	}
}

// TestStandIsWhatIsGiven: thresholds are fitted on what the coder would do.
func TestStandIsWhatIsGiven(t *testing.T) {
	c := newCoder(t)
	for _, tc := range readCases(t) {
		s, ok := c.stand(&Coded{Text: tc.text})
		if !ok {
			continue
		}
		var want, got []string
		for _, l := range c.Code(tc.text) {
			want = append(want, l.Code+" "+l.Polarity)
		}
		for k, code := range c.model.head.Codes {
			for p := range 2 {
				if s.likely[k] >= c.model.head.Threshold[k] && s.found[2*k+p] {
					got = append(got, code+" "+string(polarityAt(p)))
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", tc.name, got, want)
		}
	}
}

// TestWith: other thresholds are another coder, and the first one stays as it was.
func TestWith(t *testing.T) {
	c := newCoder(t)
	const text = "They did not seem very bothered."
	before := c.Read(text)
	if len(before.Labels) == 0 || before.Labels[0].Code != "RES_SERIOUS" {
		t.Fatalf("got %+v", before)
	}
	strict, err := c.With(3, []Threshold{{Code: "RES_SERIOUS", Is: 0.9}})
	if err != nil {
		t.Fatal(err)
	}
	if r := strict.Read(text); slices.ContainsFunc(r.Labels, func(l Label) bool { return l.Code == "RES_SERIOUS" }) || len(r.Unsure) == 0 {
		t.Errorf("got %+v", r)
	}
	if after := c.Read(text); !reflect.DeepEqual(after, before) {
		t.Errorf("the coder as shipped is changed: %+v", after)
	}
	if c.Version() != c.Base() || strict.Version() != c.Base()+".t3" || strict.Base() != c.Base() || !strings.HasPrefix(c.Base(), c.book.Version+"+m") {
		t.Errorf("versions %q and %q", c.Version(), strict.Version())
	}
	if v := newPhrases(t).Version(); v != c.book.Version {
		t.Errorf("phrases alone: %q", v)
	}
	for name, bad := range map[string]Threshold{"unknown code": {Code: "NO_CODE", Is: 0.5}, "nought": {Code: "RES_SERIOUS"}, "one": {Code: "RES_SERIOUS", Is: 1}} {
		if _, err := c.With(1, []Threshold{bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newPhrases(t).With(1, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("phrases alone: %v", err)
	}
}
