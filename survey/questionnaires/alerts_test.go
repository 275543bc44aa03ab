package questionnaires

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHits(t *testing.T) {
	s := loaded(t)
	words := func(text string) Answers { return Answers{"open.help": {State: Answered, Text: text}} }
	one := func(item, code string) Answers { return Answers{item: {State: Answered, Choice: code}} }
	tests := []struct {
		name    string
		stage   Stage
		answers Answers
		want    []Hit
	}{
		{"much less safe", Report, one("core.safer", "much-less-safe"), []Hit{{"much-less-safe", "core.safer"}}},
		{"a bit less safe", Report, one("core.safer", "bit-less-safe"), nil},
		{"very unsafe at closure", Closure, one("close.safe", "very-unsafe"), []Hit{{"very-unsafe", "close.safe"}}},
		{"very unsafe after stepping back", Withdrawn, one("wd.safe", "very-unsafe"), []Hit{{"very-unsafe", "wd.safe"}}},
		{"fairly unsafe", Withdrawn, one("wd.safe", "fairly-unsafe"), nil},
		{"worse", Investigation, one("inv.ongoing", "got-worse"), []Hit{{"got-worse", "inv.ongoing"}}},
		{"the same", Investigation, one("inv.ongoing", "same"), nil},
		{"advice and danger", Report, one("advice.risk", "yes"), []Hit{{"advice-danger", "advice.risk"}}},
		{"advice and harm", Closure, one("advice.harm", "yes"), []Hit{{"advice-danger", "advice.harm"}}},
		{"no harm", Closure, one("advice.harm", "no"), nil},
		{"an item of another stage", Report, one("wd.safe", "very-unsafe"), nil},
		{"nothing", Report, nil, nil},
		{"calm words", Investigation, words("The officer rang me each week and it helped."), nil},
		{"a threat", Investigation, words("He said he would KILL   me."), []Hit{{"danger-words", "open.help"}}},
		{"across a line", Investigation, words("they will kill\r\nme"), []Hit{{"danger-words", "open.help"}}},
		{"now", Investigation, words("He is outside my house now!!"), []Hit{{"danger-words", "open.help"}}},
		{"apostrophes of any kind", Investigation, words("I don’t want to be here anymore"), []Hit{{"self-harm-words", "open.help"}}},
		{"an accent for an apostrophe", Investigation, words("I don´t want to live"), []Hit{{"self-harm-words", "open.help"}}},
		{"any ending", Investigation, words("I have felt suicidal."), []Hit{{"self-harm-words", "open.help"}}},
		{"hyphen", Investigation, words("I self-harmed"), []Hit{{"self-harm-words", "open.help"}}},
		{"both", Investigation, words("They want to kill me and I want to die"), []Hit{{"danger-words", "open.help"}, {"self-harm-words", "open.help"}}},
		{"accents and full-width letters", Investigation, words("ｓｕｉｃｉｄｅ, suícide"), []Hit{{"self-harm-words", "open.help"}}},
		{"a zero-width space within", Investigation, words("sui\u200bcide"), []Hit{{"self-harm-words", "open.help"}}},
		{"part of a word is not the word", Investigation, words("I want to diet, and the skills me and my mum have"), nil},
		{"a denial is read by a person too", Investigation, words("I do not want to die"), []Hit{{"self-harm-words", "open.help"}}},
		{"rules before items", Report, Answers{
			"open.better": {State: Answered, Text: "end my life"},
			"open.well":   {State: Answered, Text: "death threats stopped"},
			"core.safer":  {State: Answered, Choice: "much-less-safe"},
		}, []Hit{{"much-less-safe", "core.safer"}, {"danger-words", "open.well"}, {"self-harm-words", "open.better"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := s.Current(tt.stage)
			for _, lang := range []string{"en", "en-GB", "cy", ""} {
				if diff := cmp.Diff(tt.want, q.Hits(tt.answers, lang)); diff != "" {
					t.Errorf("%q: %s", lang, diff)
				}
			}
		})
	}
	b, err := json.Marshal(Hit{"got-worse", "inv.ongoing"})
	if err != nil || string(b) != `{"rule":"got-worse","item":"inv.ongoing"}` {
		t.Errorf("%s %v", b, err)
	}
}

// Words of another language are data, and are matched however they are typed.
func TestHitsInOtherLanguages(t *testing.T) {
	files := dataFiles(t)
	for lang, phrases := range map[string][2]string{
		"pl": {"zabije mnie", "samobój*"},
		"ar": {"سيقتلني", "انتحار"},
		"ur": {"وہ مجھے مار دے گا", "خودکشی"},
		"bn": {"আমাকে মেরে ফেলবে", "আত্মহত্যা"},
	} {
		files["alerts/1/"+lang+".yaml"] = newFile("lang: " + lang + "\nreview: draft\nphrases:\n  danger-words: [\"" + phrases[0] + "\"]\n  self-harm-words: [\"" + phrases[1] + "\"]\n")
	}
	s, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	q := s.Current(Investigation)
	for _, tt := range []struct {
		lang, text, want string
	}{
		{"pl", "Zabiję mnie", "danger-words"},
		{"pl", "mysli samobojcze", "self-harm-words"},
		{"pl", "On chce kill me", "danger-words"},
		{"ar", "إنه سَيَقْتُلُنِي", "danger-words"},
		{"ar", "إنتحار", "self-harm-words"},
		{"ur", "وه مجهے مار دے گا", "danger-words"},
		{"ur", "خودكشى", "self-harm-words"},
		{"bn", "সে আমাকে মেরে ফেলবে।", "danger-words"},
		{"bn", "আত্মহত্যা", "self-harm-words"},
		{"bn", "আমাকে মারা ফেলবে", ""},
		{"en", "zabije mnie", ""},
	} {
		hits := q.Hits(Answers{"open.help": {State: Answered, Text: tt.text}}, tt.lang)
		got := ""
		if len(hits) > 0 {
			got = hits[0].Rule
		}
		if got != tt.want || len(hits) > 1 {
			t.Errorf("%s %q: %v, want %q", tt.lang, tt.text, hits, tt.want)
		}
	}
}

func FuzzHits(f *testing.F) {
	q := loaded(f).Current(Investigation)
	f.Add("kill me", "en")
	f.Add("\xff*´", "pl-PL")
	f.Fuzz(func(t *testing.T, text, lang string) {
		a := Answers{"open.help": {State: Answered, Text: text}}
		if n := len(q.Hits(a, lang)); n > 2 {
			t.Fatalf("%d hits from one text", n)
		}
		a["open.help"] = Answer{State: Answered, Text: text + " kill me"}
		if len(q.Hits(a, lang)) == 0 {
			t.Fatal("words before it hide a threat")
		}
	})
}

func BenchmarkHits(b *testing.B) {
	q := loaded(b).Current(Investigation)
	a := Answers{"open.help": {State: Answered, Text: strings.Repeat("Nobody rang me back. ", 70)}}
	b.ReportAllocs()
	for b.Loop() {
		_ = q.Hits(a, "en")
	}
}
