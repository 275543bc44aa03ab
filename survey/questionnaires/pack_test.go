package questionnaires

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"victimvoice/internal/fault"
)

// drawAnswers draws answers that pass Check, in the order that Unpack gives.
func drawAnswers(t *rapid.T, q *Questionnaire) Answers {
	a := make(Answers)
	for i := range q.Items {
		it := &q.Items[i]
		state := State(rapid.Uint8Range(0, uint8(PreferNot)).Draw(t, it.ID))
		switch {
		case state == NotReached:
		case state != Answered:
			a[it.ID] = Answer{State: state}
		case it.Kind == Words:
			a[it.ID] = it.Write("x" + rapid.StringN(0, 50, -1).Filter(func(s string) bool { return checkWords(Answer{State: Answered, Text: "x" + s}) == "" }).Draw(t, "text"))
		case it.Kind == Single:
			a[it.ID] = it.Choose(rapid.SampledFrom(it.Options).Draw(t, "option").Code)
		default:
			a[it.ID] = it.Choose(drawChoices(t, it)...)
		}
	}
	return a
}

func drawChoices(t *rapid.T, it *Item) []string {
	bits := rapid.Uint64Range(1, 1<<len(it.Options)-1).Draw(t, "choices")
	var codes []string
	for i, o := range it.Options {
		if bits&(1<<i) == 0 {
			continue
		}
		if o.Exclusive {
			return []string{o.Code}
		}
		codes = append(codes, o.Code)
	}
	return codes
}

func TestPackAndUnpack(t *testing.T) {
	all := everyQuestionnaire(loaded(t))
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(all).Draw(t, "questionnaire")
		a := drawAnswers(t, q)
		if err := q.Check(a); err != nil {
			t.Fatal(err)
		}
		got, err := q.Unpack(q.Pack(a))
		if err != nil {
			t.Fatal(err)
		}
		for id, ans := range a {
			ans.Text = "" // words are never packed
			a[id] = ans
		}
		if diff := cmp.Diff(a, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Packed answers at rest are read for ever: this form may not change.
func TestPackedForm(t *testing.T) {
	q := loaded(t).Current(Report)
	a := Answers{
		"core.confidence": {State: Answered, Choice: "fairly"},
		"core.informed":   {State: Skipped},
		"core.advice":     {State: NotApplicable, Choice: "no-advice"},
		"core.serious":    {State: PreferNot},
		"report.named":    {State: DontKnow, Choice: "not-sure"},
		"advice.codes":    {State: Answered, Choices: []string{"block", "tell-trusted-people"}},
		"advice.risk":     {State: Answered, Choice: "yes"},
		"open.well":       {State: Answered, Text: "never packed"},
	}
	const want = "01010001" + "11" + "02" + "15" + "05" + "00" + "00" + "12" + "0000000000" + "01" + "0100000008000000" + "10" + "000000000000000000" + "01" + "00"
	if got := hex.EncodeToString(q.Pack(a)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPackLeavesOutWhatCannotBe(t *testing.T) {
	q := loaded(t).Current(Report)
	got, err := q.Unpack(q.Pack(Answers{
		"core.serious": {State: Answered, Choice: "maybe"},
		"core.safer":   {State: Answered},
		"core.overall": {State: 99},
		"advice.codes": {State: Answered, Choices: []string{"maybe"}},
		"advice.risk":  {State: Answered, Choices: nil},
		"no.such.item": {State: Answered, Choice: "x"},
	}))
	if err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	s := loaded(t)
	q := s.Current(Report)
	good := q.Pack(nil)
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	codes, _ := q.Item("advice.codes")
	words, _ := q.Item("open.well")
	for name, b := range map[string][]byte{
		"nothing":                  nil,
		"a header alone":           good[:packHeader],
		"another format":           change(0, 9),
		"another stage":            s.Current(Closure).Pack(nil),
		"another version":          change(3, 2),
		"a byte short":             good[:len(good)-1],
		"a byte long":              append(append([]byte(nil), good...), 0),
		"an option too high":       change(packHeader, packOption+4),
		"answered with no choice":  change(packHeader, byte(Answered)),
		"no such state":            change(packHeader, 6),
		"no such state of words":   change(words.at, 6),
		"a choice beyond the list": change(codes.at+multiSize-1, 0x80),
		"a choice without state":   change(codes.at+1, 1),
		"answered, none chosen":    change(codes.at, byte(Answered)),
	} {
		if a, err := q.Unpack(b); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v %v", name, a, err)
		}
	}
}

// Whatever the bytes, Unpack gives answers that pass Check and pack to the
// same bytes, or refuses them.
func FuzzUnpack(f *testing.F) {
	s := loaded(f)
	all := everyQuestionnaire(s)
	for _, q := range all {
		f.Add(q.Pack(nil))
	}
	f.Add([]byte{1, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, q := range all {
			a, err := q.Unpack(b)
			if err != nil {
				continue
			}
			for id, ans := range a {
				if it, _ := q.Item(id); it.Kind == Words && ans.State == Answered {
					ans.Text = "words live elsewhere"
					a[id] = ans
				}
			}
			if err := q.Check(a); err != nil {
				t.Fatal(err)
			}
			if string(q.Pack(a)) != string(b) {
				t.Fatalf("%x packs to %x", b, q.Pack(a))
			}
		}
	})
}

func benchAnswers(q *Questionnaire) Answers {
	a := make(Answers)
	for i := range q.Items {
		it := &q.Items[i]
		switch it.Kind {
		case Single:
			a[it.ID] = it.Choose(it.Options[len(it.Options)-1].Code)
		case Multi:
			a[it.ID] = it.Choose(it.Options[3].Code, it.Options[20].Code, it.Options[30].Code)
		case Words:
			a[it.ID] = it.Write("Nobody rang me back for three weeks.")
		}
	}
	return a
}

func BenchmarkPack(b *testing.B) {
	q := loaded(b).Current(Investigation)
	a := benchAnswers(q)
	b.ReportAllocs()
	for b.Loop() {
		_ = q.Pack(a)
	}
}

func BenchmarkUnpack(b *testing.B) {
	q := loaded(b).Current(Investigation)
	packed := q.Pack(benchAnswers(q))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Unpack(packed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEach(b *testing.B) {
	q := loaded(b).Current(Investigation)
	packed := q.Pack(benchAnswers(q))
	reached := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Each(packed, func(*Item, State, int, uint64) { reached++ }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
