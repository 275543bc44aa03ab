package coding

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

// shopTexts are texts of two categories with a polarity each.
func shopTexts() []Taught {
	var out []Taught
	for i := range 96 {
		food, staff := [2]string{"tasty", "positive"}, [2]string{"rude", "negative"}
		if i%2 == 1 {
			food = [2]string{"bland", "negative"}
		}
		if i/2%2 == 1 {
			staff = [2]string{"kind", "positive"}
		}
		switch i / 4 % 4 {
		case 0, 1:
			out = append(out, Taught{fmt.Sprintf("The food was %s on day %d, but the staff were %s.", food[0], i, staff[0]), []string{"food#" + food[1], "staff#" + staff[1]}})
		case 2:
			out = append(out, Taught{fmt.Sprintf("The meal and the food: %s, visit %d", food[0], i), []string{"food#" + food[1]}})
		default:
			out = append(out, Taught{fmt.Sprintf("Staff were so %s, visit %d", staff[0], i), []string{"staff#" + staff[1]}})
		}
	}
	return out
}

func TestLabelSet(t *testing.T) {
	texts := shopTexts()
	ls, err := LearnSet(texts)
	if err != nil {
		t.Fatal(err)
	}
	data, err := ls.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again, err := LearnSet(texts)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := again.MarshalBinary(); err != nil || !bytes.Equal(other, data) {
		t.Errorf("learning again gave another model (%v)", err)
	}
	var back LabelSet
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	text := "We found the staff rude, but the food was tasty."
	got := back.Code(text)
	if len(got) != 2 || got[0].Code != "food" || got[0].Polarity != "positive" || got[1].Code != "staff" || got[1].Polarity != "negative" {
		t.Fatalf("got %+v", got)
	}
	for _, l := range got {
		if text[l.Start:l.End] != l.Evidence || !strings.Contains(l.Evidence, l.Code) {
			t.Errorf("got %+v", l)
		}
	}
	for _, text := range []string{"", "\xff\xfe", "😔", strings.Repeat("food ", 1<<12)} {
		for _, l := range back.Code(text) {
			if text[l.Start:l.End] != l.Evidence {
				t.Errorf("%.20q: %+v", text, l)
			}
		}
	}
	if r := EvaluateSet(&back, texts); r.Labels.F1 < 0.95 || *r.PolarityGiven < 0.95 || r.Pairs.F1 < 0.95 {
		t.Errorf("on what it learnt from: %+v", r)
	}
	for n := 0; n < len(data); n += 37 {
		var cut LabelSet
		if err := cut.UnmarshalBinary(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes it was read", n, len(data))
		}
	}
}

func TestLabelSetWithoutPolarities(t *testing.T) {
	var texts []Taught
	for i := range 30 {
		texts = append(texts, Taught{fmt.Sprintf("parking is full, day %d", i), []string{"Parking"}}, Taught{fmt.Sprintf("thank you all, day %d", i), []string{"Gratitude"}})
	}
	ls, err := LearnSet(texts)
	if err != nil {
		t.Fatal(err)
	}
	got := ls.Code("the parking was full")
	if len(got) != 1 || got[0].Code != "Parking" || got[0].Polarity != "" {
		t.Errorf("got %+v", got)
	}
	if r := EvaluateSet(ls, texts); r.Pairs != nil || r.Labels.F1 < 0.95 {
		t.Errorf("got %+v", r)
	}
}

func TestLearnSetRefusesWhatCannotBeLearnt(t *testing.T) {
	for _, texts := range [][]Taught{nil, {{"a", nil}}, {{"a", []string{"x"}}}, {{"a", []string{" "}}, {"b", []string{" "}}}} {
		if _, err := LearnSet(texts); err == nil {
			t.Errorf("%v: got no error", texts)
		}
	}
}

func TestReadTaught(t *testing.T) {
	in := `{"id":"1","text":"a","labels":["x","x","y"]}` + "\n" + `{"text":"b","labels":[{"code":"CON_CJS","polarity":"negative"}]}`
	got, err := ReadTaught(context.Background(), strings.NewReader(in))
	if err != nil || len(got) != 2 || fmt.Sprint(got[0].Labels, got[1].Labels) != "[x y] [CON_CJS#negative]" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "secret words", `{"labels":["x"]}`, `{"text":"a","labels":[1]}`, `{"text":"a","labels":[""]}`} {
		if _, err := ReadTaught(context.Background(), strings.NewReader(bad)); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func FuzzLabelSet(f *testing.F) {
	ls, err := LearnSet(shopTexts())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("The food was tasty but\xff the staff\u200f were 😔 rude")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range ls.Code(text) {
			if l.Start < 0 || l.End > len(text) || text[l.Start:l.End] != l.Evidence {
				t.Fatalf("%+v", l)
			}
		}
	})
}
