package questionnaires

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

func TestStateWords(t *testing.T) {
	a := Answer{State: DontKnow, Choice: "not-sure"}
	b, err := json.Marshal(a)
	if err != nil || string(b) != `{"state":"dont-know","choice":"not-sure"}` {
		t.Fatalf("%s %v", b, err)
	}
	for s := NotReached; s <= PreferNot; s++ {
		b, err := s.MarshalText()
		var back State
		if err != nil || back.UnmarshalText(b) != nil || back != s || s.String() != string(b) {
			t.Errorf("%v: %s %v", s, b, err)
		}
	}
	var s State
	if err := json.Unmarshal([]byte(`"asleep"`), &s); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown word: %v", err)
	}
	if _, err := State(9).MarshalText(); !fault.Is(err, fault.Invalid) || State(9).String() != "state(9)" {
		t.Errorf("an unknown state: %v", err)
	}
}

func TestCheck(t *testing.T) {
	q := loaded(t).Current(Report)
	tests := []struct {
		name, item string
		answer     Answer
		want       string
	}{
		{"a choice", "core.serious", Answer{State: Answered, Choice: "agree"}, ""},
		{"skipped", "core.serious", Answer{State: Skipped}, ""},
		{"prefer not, of any item", "core.serious", Answer{State: PreferNot}, ""},
		{"not sure", "report.named", Answer{State: DontKnow, Choice: "not-sure"}, ""},
		{"no advice", "core.advice", Answer{State: NotApplicable, Choice: "no-advice"}, ""},
		{"several", "advice.codes", Answer{State: Answered, Choices: []string{"block", "ignore"}}, ""},
		{"exclusive alone", "advice.codes", Answer{State: Answered, Choices: []string{"no-advice"}}, ""},
		{"words", "open.well", Answer{State: Answered, Text: "They rang back."}, ""},
		{"words to the limit", "open.well", Answer{State: Answered, Text: strings.Repeat("ł", MaxText)}, ""},
		{"line breaks count once", "open.well", Answer{State: Answered, Text: strings.Repeat("a\r\n", MaxText/2)}, ""},

		{"unknown item", "report.weather", Answer{State: Skipped}, MsgUnknownItem},
		{"unknown option", "core.serious", Answer{State: Answered, Choice: "maybe"}, MsgUnknownOption},
		{"unknown option among known", "advice.codes", Answer{State: Answered, Choices: []string{"block", "maybe"}}, MsgUnknownOption},
		{"exclusive with others", "advice.codes", Answer{State: Answered, Choices: []string{"block", "none-of-these"}}, MsgExclusive},
		{"twice", "advice.codes", Answer{State: Answered, Choices: []string{"block", "block"}}, MsgTwice},
		{"several to a single", "core.serious", Answer{State: Answered, Choices: []string{"agree"}}, MsgOneChoice},
		{"single to several", "advice.codes", Answer{State: Answered, Choice: "block"}, MsgState},
		{"answered without an answer", "core.serious", Answer{State: Answered}, MsgNoChoice},
		{"skipped with an answer", "core.serious", Answer{State: Skipped, Choice: "agree"}, MsgState},
		{"not sure called answered", "report.named", Answer{State: Answered, Choice: "not-sure"}, MsgState},
		{"unknown state", "core.serious", Answer{State: 77}, MsgState},
		{"words to a choice", "core.serious", Answer{State: Answered, Choice: "agree", Text: "x"}, MsgNotText},
		{"choice to words", "open.well", Answer{State: Answered, Choice: "agree"}, MsgNotChoice},
		{"too long", "open.well", Answer{State: Answered, Text: strings.Repeat("a", MaxText+1)}, MsgTooLong},
		{"far too long", "open.well", Answer{State: Answered, Text: strings.Repeat("a", 100_000)}, MsgTooLong},
		{"broken UTF-8", "open.well", Answer{State: Answered, Text: "a\xff"}, MsgNotUTF8},
		{"NUL", "open.well", Answer{State: Answered, Text: "a\x00b"}, MsgNotUTF8},
		{"blank words", "open.well", Answer{State: Answered, Text: " \n"}, MsgNoText},
		{"skipped with words", "open.well", Answer{State: Skipped, Text: "x"}, MsgState},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := q.Check(Answers{tt.item: tt.answer})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			f := fault.FieldsOf(err)
			if !fault.Is(err, fault.Invalid) || len(f) != 1 || f[0] != (fault.Field{Field: tt.item, Message: tt.want}) {
				t.Errorf("got %v, want %s %s", err, tt.item, tt.want)
			}
		})
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	q := loaded(t).Current(Report)
	long := strings.Repeat("x", 10_000)
	err := q.Check(Answers{
		"open.well":    {State: Answered, Text: "\xff"},
		"core.serious": {State: Answered, Choice: "maybe"},
		long:           {},
		"\xff":         {},
	})
	f := fault.FieldsOf(err)
	if len(f) != 4 || f[0].Field != "core.serious" || f[1].Field != "open.well" || len(f[2].Field) > 70 {
		t.Errorf("faults: %v", f)
	}
	if err := q.Check(nil); err != nil {
		t.Error(err)
	}
}

func TestChooseAndWrite(t *testing.T) {
	q := loaded(t).Current(Withdrawn)
	reasons, _ := q.Item("wd.reasons")
	support, _ := q.Item("wd.support")
	words, _ := q.Item("open.carryon")
	for _, a := range []struct {
		got  Answer
		want State
	}{
		{reasons.Choose(), Skipped},
		{reasons.Choose("life", "blamed"), Answered},
		{reasons.Choose("rather-not-say"), PreferNot},
		{support.Choose("not-sure"), DontKnow},
		{support.Choose("yes"), Answered},
		{words.Write(" \r\n"), Skipped},
		{words.Write("No."), Answered},
	} {
		if a.got.State != a.want {
			t.Errorf("%+v: want %s", a.got, a.want)
		}
	}
}

// The share and the score of each scale, as the published definitions have it:
// the top two, yes for yes or no, the bottom two for reverse-worded items.
func TestShareAndScore(t *testing.T) {
	type row struct {
		code            string
		score           float64 // -1: none
		positive, valid bool
	}
	tests := []struct {
		stage Stage
		item  string
		lower bool // a lower share is better
		rows  []row
	}{
		{Report, "core.overall", false, []row{{"very-satisfied", 100, true, true}, {"fairly-satisfied", 75, true, true}, {"neither", 50, false, true}, {"fairly-dissatisfied", 25, false, true}, {"very-dissatisfied", 0, false, true}}},
		{Report, "core.advice", false, []row{{"strongly-agree", 100, true, true}, {"agree", 75, true, true}, {"neither", 50, false, true}, {"disagree", 25, false, true}, {"strongly-disagree", 0, false, true}, {"no-advice", -1, false, false}}},
		{Report, "core.confidence", false, []row{{"very", 100, true, true}, {"fairly", 66.67, true, true}, {"not-very", 33.33, false, true}, {"not-at-all", 0, false, true}}},
		{Report, "core.informed", false, []row{{"very-well", 100, true, true}, {"fairly-well", 66.67, true, true}, {"not-very-well", 33.33, false, true}, {"not-at-all-well", 0, false, true}}},
		{Investigation, "inv.chase", false, []row{{"always", 0, false, true}, {"mostly", 33.33, false, true}, {"sometimes", 66.67, true, true}, {"never", 100, true, true}}},
		{Report, "core.safer", false, []row{{"much-safer", 100, true, true}, {"bit-safer", 75, true, true}, {"no-different", 50, false, true}, {"bit-less-safe", 25, false, true}, {"much-less-safe", 0, false, true}}},
		{Report, "report.named", false, []row{{"yes", 100, true, true}, {"no", 0, false, true}, {"not-sure", -1, false, false}}},
		{Report, "advice.risk", true, []row{{"yes", 0, true, true}, {"no", 100, false, true}, {"not-sure", -1, false, false}}},
		{Closure, "advice.harm", true, []row{{"yes", 0, true, true}, {"no", 100, false, true}, {"not-sure", -1, false, false}, {"no-advice", -1, false, false}}},
		{Closure, "close.again", false, []row{{"very-likely", 100, true, true}, {"fairly-likely", 75, true, true}, {"neither", 50, false, true}, {"fairly-unlikely", 25, false, true}, {"very-unlikely", 0, false, true}}},
		{Withdrawn, "wd.safe", false, []row{{"very-safe", 100, true, true}, {"fairly-safe", 75, true, true}, {"neither", 50, false, true}, {"fairly-unsafe", 25, false, true}, {"very-unsafe", 0, false, true}}},
		{Report, "report.contact", false, []row{{"both", 100, true, true}, {"one", 50, false, true}, {"no", 0, false, true}, {"not-sure", -1, false, false}}},
		{Report, "report.support", false, []row{{"yes-wanted", 100, true, true}, {"yes-not-wanted", 100, true, true}, {"not-offered", 0, false, true}, {"not-sure", -1, false, false}}},
		{Investigation, "inv.officers", false, []row{{"1", -1, true, true}, {"2", -1, false, true}, {"3", -1, false, true}, {"4-or-more", -1, false, true}, {"nobody", -1, false, true}}},
		{Investigation, "inv.timely", false, []row{{"within-day", 100, true, true}, {"within-five-days", 100, true, true}, {"later", 25, false, true}, {"someone-else", 0, false, true}, {"none-known", -1, false, false}}},
		{Investigation, "inv.orders", false, []row{{"clearly", 100, true, true}, {"partly", 50, false, true}, {"not-explained", 0, false, true}, {"wrong", 0, false, true}, {"not-needed", -1, false, false}}},
		{Investigation, "inv.evidence", false, []row{{"agree", 75, true, true}, {"no-evidence", -1, false, false}}},
		{Investigation, "inv.ongoing", false, []row{{"stopped", 100, true, true}, {"same", 50, false, true}, {"got-worse", 0, false, true}, {"not-sure", -1, false, false}}},
		{Closure, "close.told", false, []row{{"officer", -1, true, true}, {"letter-or-email", -1, true, true}, {"found-out", -1, false, true}, {"advocate", -1, false, true}, {"other", -1, false, true}}},
		{Withdrawn, "wd.main", false, []row{{"life", -1, false, false}, {"no-main-one", -1, false, false}}},
	}
	s := loaded(t)
	for _, tt := range tests {
		t.Run(tt.item, func(t *testing.T) {
			it, ok := s.Current(tt.stage).Item(tt.item)
			if !ok {
				t.Fatal("no such item")
			}
			if it.LowerIsBetter() != tt.lower {
				t.Errorf("lower is better: %v", it.LowerIsBetter())
			}
			for _, r := range tt.rows {
				a := it.Choose(r.code)
				positive, valid := it.Share(a)
				if positive != r.positive || valid != r.valid {
					t.Errorf("%s: share %v %v, want %v %v", r.code, positive, valid, r.positive, r.valid)
				}
				score, scored := it.Score(a)
				if scored != (r.score >= 0) || (scored && math.Abs(score-r.score) > 1e-9) {
					t.Errorf("%s: score %v %v, want %v", r.code, score, scored, r.score)
				}
			}
			for _, a := range []Answer{{}, {State: Skipped}, {State: PreferNot}, {State: DontKnow}, {State: NotApplicable}, {State: Answered, Choice: "nonsense"}} {
				if _, valid := it.Share(a); valid {
					t.Errorf("%+v counts in the base", a)
				}
				if _, scored := it.Score(a); scored {
					t.Errorf("%+v has a score", a)
				}
			}
		})
	}
}

// Every scored single item reaches 0 and 100, so that indices are comparable.
func TestScoresSpanTheScale(t *testing.T) {
	for _, q := range loaded(t).All() {
		for _, it := range q.Items {
			if !it.Scored() {
				continue
			}
			low, high := 100.0, 0.0
			for _, o := range it.Options {
				if o.Score != nil {
					low, high = min(low, *o.Score), max(high, *o.Score)
				}
			}
			if low != 0 || high != 100 || it.Construct == "" {
				t.Errorf("%s %s: scores %v–%v, construct %q", q.ID, it.ID, low, high, it.Construct)
			}
		}
	}
}
