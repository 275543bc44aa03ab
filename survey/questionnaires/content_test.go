package questionnaires

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// What every stage must ask, by id, scale or own codes, and construct.
func TestItems(t *testing.T) {
	type want struct{ id, construct, answers string }
	core := []want{
		{"core.confidence", "confidence", "C4"},
		{"core.informed", "communication", "W4"},
		{"core.advice", "advice", "A5 no-advice"},
		{"core.serious", "serious", "A5"},
		{"core.safer", "safety", "D5"},
		{"core.overall", "overall", "S5"},
	}
	stages := map[Stage][]want{
		Report: append(slices.Clone(core), []want{
			{"report.named", "identification", "Y3"},
			{"report.pattern", "identification", "Y3"},
			{"report.risk", "safety", "Y3"},
			{"report.contact", "communication", "both one no not-sure"},
			{"report.next", "communication", "A5"},
			{"report.support", "support", "yes-wanted yes-not-wanted not-offered not-sure"},
			{"advice.codes", "advice", "advice none-of-these no-advice"},
			{"advice.risk", "advice", "Y3"},
			{"advice.risk.which", "advice", "advice something-else"},
			{"open.well", "", ""},
			{"open.better", "", ""},
		}...),
		Investigation: append(slices.Clone(core), []want{
			{"inv.officers", "communication", "1 2 3 4-or-more nobody"},
			{"inv.chase", "communication", "F4"},
			{"inv.timely", "communication", "within-day within-five-days later someone-else none-known"},
			{"inv.evidence", "confidence", "A5 no-evidence"},
			{"inv.orders", "advice", "clearly partly not-explained wrong not-needed"},
			{"inv.vps", "communication", "Y3"},
			{"advice.codes", "advice", "advice none-of-these no-advice"},
			{"advice.risk", "advice", "Y3"},
			{"advice.risk.which", "advice", "advice something-else"},
			{"inv.ongoing", "safety", "stopped same got-worse not-sure"},
			{"inv.continue", "confidence", "L5"},
			{"open.help", "", ""},
		}...),
		Closure: append(slices.Clone(core), []want{
			{"close.told", "communication", "officer letter-or-email found-out advocate other"},
			{"close.reason", "communication", "A5"},
			{"close.review", "communication", "Y3"},
			{"close.court", "communication", "A5 no-changes"},
			{"close.thorough", "confidence", "A5"},
			{"advice.harm", "advice", "Y3 no-advice"},
			{"advice.harm.which", "advice", "advice something-else"},
			{"close.plan", "safety", "Y3"},
			{"close.safe", "safety", "P5"},
			{"close.again", "confidence", "L5"},
			{"open.change", "", ""},
		}...),
		Withdrawn: append(slices.Clone(core[:5]), []want{
			{"wd.reasons", "confidence", "reasons rather-not-say"},
			{"wd.main", "", "reasons no-main-one"},
			{"wd.free", "serious", "A5"},
			{"wd.explained", "communication", "A5"},
			{"wd.support", "support", "Y3"},
			{"wd.safe", "safety", "P5"},
			{"wd.report", "confidence", "L5"},
			{"open.carryon", "", ""},
		}...),
	}
	s := loaded(t)
	for stage, items := range stages {
		q := s.Current(stage)
		if len(q.Items) != len(items) {
			t.Errorf("%s asks %d items, want %d", q.ID, len(q.Items), len(items))
		}
		for i, w := range items {
			it, ok := q.Item(w.id)
			if !ok {
				t.Errorf("%s lacks %s", q.ID, w.id)
				continue
			}
			if i < len(q.Items) && q.Items[i].ID != w.id {
				t.Errorf("%s: item %d is %s, want %s", q.ID, i, q.Items[i].ID, w.id)
			}
			if it.Construct != w.construct || it.Core != strings.HasPrefix(w.id, "core.") {
				t.Errorf("%s %s: construct %q, core %v", q.ID, w.id, it.Construct, it.Core)
			}
			if got := answersOf(s, it); got != w.answers {
				t.Errorf("%s %s: answers %q, want %q", q.ID, w.id, got, w.answers)
			}
		}
	}
}

// answersOf gives the item's scale and then its own codes.
func answersOf(s *Set, it *Item) string {
	var out []string
	shared := 0
	if it.Scale != "" {
		out = append(out, it.Scale)
		shared = map[string]int{"S5": 5, "A5": 5, "C4": 4, "W4": 4, "F4": 4, "D5": 5, "Y3": 3, "L5": 5, "P5": 5, "advice": len(s.Advice().Entries), "reasons": 13}[it.Scale]
	}
	for _, o := range it.Options[shared:] {
		out = append(out, o.Code)
	}
	return strings.Join(out, " ")
}

// The questions about the person: seven topics, each with a way to say nothing
// that is kept apart from skipping, and none of them a measure. Their version is
// the version of the groups and bands.
func TestAboutThePerson(t *testing.T) {
	want := map[string]string{
		"about.age":         "under-18 18-24 25-34 35-44 45-54 55-64 65-over prefer-not",
		"about.sex":         "female male prefer-not",
		"about.gender":      "same different prefer-not",
		"about.ethnicity":   "asian black mixed white other prefer-not",
		"about.disability":  "yes no prefer-not",
		"about.orientation": "heterosexual gay-or-lesbian bisexual other prefer-not",
		"about.religion":    "none buddhist christian hindu jewish muslim sikh other prefer-not",
	}
	q := loaded(t).About()
	if q.ID != "about/1" || len(q.Items) != len(want) {
		t.Errorf("%s asks %d questions", q.ID, len(q.Items))
	}
	for id, codes := range want {
		it, ok := q.Item(id)
		if !ok {
			t.Errorf("%s is not asked", id)
			continue
		}
		if got := answersOf(loaded(t), it); got != codes || it.Kind != Single || it.Construct != "" || it.Scored() || it.HasShare() || it.show != nil {
			t.Errorf("%s offers %q", id, got)
		}
		if a := it.Choose("prefer-not"); a.State != PreferNot {
			t.Errorf("%s: preferring not to say counts as %s", id, a.State)
		}
	}
	for _, proxy := range []bool{false, true} {
		if _, opening := q.Text("en", proxy).Page(q.Pages[0].ID); !strings.Contains(opening, "once") || !strings.Contains(opening, "skip") {
			t.Errorf("the opening does not say that they are asked once and can be skipped: %q", opening)
		}
	}
}

func TestQuickPath(t *testing.T) {
	for _, q := range loaded(t).All() {
		var got []string
		for _, p := range q.Route(nil, Facts{}, true) {
			for _, it := range p.Items {
				got = append(got, it.ID)
			}
		}
		if want := []string{"core.confidence", "core.informed", "core.advice"}; !slices.Equal(got, want) {
			t.Errorf("%s: quick path %v, want %v", q.ID, got, want)
		}
	}
}

// The core trackers make the trend line: the same words everywhere, but for
// the tense of core.confidence.
func TestCoreWording(t *testing.T) {
	s := loaded(t)
	for _, proxy := range []bool{false, true} {
		want := s.Current(Report).Text("en", proxy)
		tense := map[Stage]string{Report: "will investigate", Investigation: "are investigating", Closure: "investigated", Withdrawn: "investigated"}
		for _, q := range s.All() {
			text := q.Text("en", proxy)
			for _, it := range q.Items {
				if !it.Core {
					continue
				}
				title, hint := text.Item(it.ID)
				first, firstHint := want.Item(it.ID)
				if it.ID == "core.confidence" {
					first = strings.Replace(first, tense[Report], tense[q.Stage], 1)
				}
				if title != first || hint != firstHint {
					t.Errorf("%s %s: %q, at report %q", q.ID, it.ID, title, first)
				}
				for _, o := range it.Options {
					if text.Option(it.ID, o.Code) != want.Option(it.ID, o.Code) {
						t.Errorf("%s %s %s: worded otherwise than at report", q.ID, it.ID, o.Code)
					}
				}
			}
		}
	}
}

// everyText calls f with every English wording and where it stands.
func everyText(s *Set, proxy bool, f func(where, text string)) {
	for _, q := range everyQuestionnaire(s) {
		text := q.Text("en", proxy)
		for _, p := range q.Pages {
			title, opening := text.Page(p.ID)
			f(q.ID+" page "+p.ID, title)
			f(q.ID+" opening "+p.ID, opening)
			for _, it := range p.Items {
				title, hint := text.Item(it.ID)
				f(q.ID+" "+it.ID, title)
				f(q.ID+" hint "+it.ID, hint)
				for _, o := range it.Options {
					f(q.ID+" "+it.ID+" "+o.Code, text.Option(it.ID, o.Code))
					f(q.ID+" hint "+it.ID+" "+o.Code, text.OptionHint(it.ID, o.Code))
					if o.Group != "" {
						f(q.ID+" group "+o.Group, text.Group(o.Group))
					}
				}
			}
		}
	}
}

func TestWordsAreKind(t *testing.T) {
	s := loaded(t)
	unkind := regexp.MustCompile(`(?i)\bwhy\b|\bfail|\byou should\b|\byour fault|\bbrought (it|this) on\b|\bvictims? of\b|\ballege|\bperpetrator|\boffender|\bstalker|\bex-partner|what (he|she|they) did to|\b(he|she|him|his|hers)\b`)
	for _, proxy := range []bool{false, true} {
		everyText(s, proxy, func(where, text string) {
			if m := unkind.FindString(text); m != "" {
				t.Errorf("%s says %q: %s", where, m, text)
			}
			if strings.TrimSpace(text) != text || strings.Contains(text, "  ") || strings.ContainsAny(text, "{}<>") {
				t.Errorf("%s has stray blanks or signs: %q", where, text)
			}
		})
	}
	// An advocate is never addressed as the person, only as the one who fills it in.
	you := regexp.MustCompile(`(?i)\b(I|me|my|mine|myself|your|yours|yourself)\b|\byou\b`)
	filling := regexp.MustCompile(`(?i)the person you support|you can skip|skip any you like|as little as you like`)
	everyText(s, true, func(where, text string) {
		if m := you.FindString(filling.ReplaceAllString(text, "")); m != "" {
			t.Errorf("%s speaks to the advocate as the person (%q): %s", where, m, text)
		}
	})
}

// Reading age 9–11 is about grade 4 to 6 of Flesch and Kincaid's formula
// (1975). It is taken over what a person reads at each stage, with advice and
// scales, and no sentence may be long. The words that the subject brings
// ("investigation", "satisfied") are part of it.
func TestReadingAge(t *testing.T) {
	s := loaded(t)
	const longest = 26
	for _, q := range everyQuestionnaire(s) {
		var sentences, words, syllables int
		text := q.Text("en", false)
		read := func(where, text string) {
			for _, sentence := range regexp.MustCompile(`[.?!]+`).Split(text, -1) {
				ws := strings.FieldsFunc(sentence, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
				if len(ws) == 0 {
					continue
				}
				if len(ws) > longest {
					t.Errorf("%s: a sentence of %d words: %s", where, len(ws), sentence)
				}
				sentences, words = sentences+1, words+len(ws)
				for _, w := range ws {
					syllables += syllablesOf(w)
				}
			}
		}
		for _, p := range q.Pages {
			_, opening := text.Page(p.ID)
			read(p.ID, opening)
			for _, it := range p.Items {
				title, hint := text.Item(it.ID)
				read(it.ID, title)
				read(it.ID, hint)
			}
		}
		grade := 0.39*float64(words)/float64(sentences) + 11.8*float64(syllables)/float64(words) - 15.59
		t.Logf("%s: grade %.1f, reading age about %.0f, %d words", q.ID, grade, grade+5, words)
		if grade > 6 {
			t.Errorf("%s reads at grade %.1f, want 6 at most", q.ID, grade)
		}
	}
}

// syllablesOf counts groups of vowels, without a silent closing e.
func syllablesOf(w string) int {
	w = strings.ToLower(w)
	if len(w) > 3 {
		if strings.HasSuffix(w, "e") && !strings.HasSuffix(w, "le") {
			w = strings.TrimSuffix(w, "e")
		}
		if strings.HasSuffix(w, "ed") && !strings.HasSuffix(w, "ted") && !strings.HasSuffix(w, "ded") {
			w = strings.TrimSuffix(w, "ed")
		}
	}
	n, before := 0, false
	for _, r := range w {
		vowel := strings.ContainsRune("aeiouy", r)
		if vowel && !before {
			n++
		}
		before = vowel
	}
	return max(n, 1)
}

func TestFreeTextAsksToLeaveNamesOut(t *testing.T) {
	for _, q := range loaded(t).All() {
		for _, it := range q.Items {
			if it.Kind != Words {
				continue
			}
			if _, hint := q.Text("en", false).Item(it.ID); !strings.Contains(hint, "leave out names, addresses and phone numbers") {
				t.Errorf("%s %s: hint %q", q.ID, it.ID, hint)
			}
		}
	}
}

func TestText(t *testing.T) {
	q := loaded(t).Current(Report)
	self, proxy := q.Text("en", false), q.Text("en", true)
	if a, _ := self.Item("report.next"); a != "I know what will happen next." {
		t.Errorf("self: %q", a)
	}
	if a, _ := proxy.Item("report.next"); a != "The person you support knows what will happen next." {
		t.Errorf("proxy: %q", a)
	}
	if self.Group("safety") != "Your safety" || proxy.Group("safety") != "Their safety" {
		t.Errorf("groups: %q %q", self.Group("safety"), proxy.Group("safety"))
	}
	for _, lang := range []string{"", "xx", "en-GB", "EN"} {
		if got := q.Text(lang, false); got != self {
			t.Errorf("Text(%q) is in %s", lang, got.Lang)
		}
	}
	if title, hint := self.Item("no.such"); title != "" || hint != "" {
		t.Error("an unknown item has no words")
	}
}

// A language is data alone, falls back by key, and says what it lacks. The test
// adds one that does not ship.
func TestNewLanguage(t *testing.T) {
	files := dataFiles(t)
	for _, dir := range []string{"report/1", "investigation/1", "closure/1", "withdrawn/1", "about/1", "ticks/1", "core/1", "scales/1", "alerts/1"} {
		files[dir+"/br.yaml"] = files[dir+"/en.yaml"]
		edit(t, files, dir+"/br.yaml", "lang: en", "lang: br")
	}
	edit(t, files, "scales/1/br.yaml", "name: English", "name: Brezhoneg")
	edit(t, files, "scales/1/br.yaml", "strongly-agree: Strongly agree", "strongly-agree: A-du-krenn")
	edit(t, files, "report/1/br.yaml", "review: final", "review: draft")
	edit(t, files, "report/1/br.yaml", "    title: What went well?\n", "")
	s, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	shipped := loaded(t).LanguagesOffered()
	langs := s.LanguagesOffered()
	at := slices.IndexFunc(langs, func(l Language) bool { return l.Code == "br" })
	if len(langs) != len(shipped)+1 || at < 0 || langs[at].Name != "Brezhoneg" || !langs[at].Draft || langs[0].Code != "en" || langs[0].Draft {
		t.Fatalf("languages: %+v", langs)
	}
	q := s.Current(Report)
	text := q.Text("br-FR", false)
	if text.Lang != "br" || text.Option("core.serious", "strongly-agree") != "A-du-krenn" {
		t.Errorf("Breton: %s %q", text.Lang, text.Option("core.serious", "strongly-agree"))
	}
	if title, _ := text.Item("open.well"); title != "What went well?" {
		t.Errorf("fallback: %q", title)
	}
	if got := s.Missing("br"); !slices.Equal(got, []string{"report/1: open.well title"}) {
		t.Errorf("missing: %v", got)
	}
	if !q.Draft("br") || q.Draft("en") || q.Languages[0] != "en" || !slices.Contains(q.Languages, "br") {
		t.Errorf("draft %v, languages %v", q.Draft("br"), q.Languages)
	}
	if len(s.Missing("fr")) == 0 || s.Missing("en") != nil {
		t.Error("a language without wording lacks all of it, English nothing")
	}
	delete(files, "core/1/br.yaml")
	if _, err := load(files); err == nil || !strings.Contains(err.Error(), "core trackers lack this language") {
		t.Errorf("half a language: %v", err)
	}
}
