package victim

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"victimvoice/internal/numerals"
	"victimvoice/notifications"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

// A language that is offered has its questions, its pages and its mails; a mail
// in English would lead to pages in another language, or the other way round.
func TestQuestionsPagesAndMailsShareTheirLanguages(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	set, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	letters, err := notifications.LoadLetters()
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, l := range set.LanguagesOffered() {
		asked = append(asked, l.Code)
	}
	slices.Sort(asked)
	if pages, mails := words.Languages(), letters.Languages(); !slices.Equal(asked, pages) || !slices.Equal(asked, mails) {
		t.Errorf("questions %v, pages %v, mails %v", asked, pages, mails)
	}
	for _, l := range set.LanguagesOffered() {
		b, err := files.ReadFile("locales/" + l.Code + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if marked := strings.HasPrefix(string(b), "# Draft, awaiting professional review.\n"); marked != l.Draft {
			t.Errorf("%s: the questions say draft %v, the pages %v", l.Code, l.Draft, marked)
		}
	}
}

// onTheKeys is what people dial or press, the same in every language.
func onTheKeys() *regexp.Regexp {
	return regexp.MustCompile(`\b(999|101|55|0808 802 0300|AB12-CD34-EF56-GH78|AB12-CD34-EF78)\b|Shift`)
}

// Whom to ring is the same in every language, and the way out is called by the
// name that is on it.
func TestEveryLanguageKeepsNumbersAndNames(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	numbers := onTheKeys()
	plain := strings.NewReplacer("\u00a0", " ", "\u2066", "", "\u2068", "", "\u2069", "")
	english := words.In(page.FallbackLanguage)
	for _, lang := range words.Languages() {
		voice := words.In(lang)
		say := func(key string) string {
			text, err := voice.Say(key)
			if err != nil {
				t.Fatal(err)
			}
			return plain.Replace(text)
		}
		found := 0
		for _, key := range wordKeys(t) {
			en, err := english.Say(key)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range numbers.FindAllString(en, -1) {
				found++
				if !strings.Contains(say(key), n) {
					t.Errorf("%s %s: %s is gone: %s", lang, key, n, say(key))
				}
			}
			if text := say(key); strings.TrimSpace(text) != text || strings.Contains(text, "  ") || strings.ContainsAny(text, "<>") {
				t.Errorf("%s %s has stray blanks or signs: %q", lang, key, text)
			} else if lang != page.FallbackLanguage && text == en && strings.Count(en, " ") > 1 && key != "question-where" && key != "card-date" {
				t.Errorf("%s %s is still in English: %q", lang, key, text)
			}
		}
		if found < 9 {
			t.Errorf("only %d numbers were found", found)
		}
		if !strings.Contains(say("intro-leave"), say("leave")) {
			t.Errorf("%s: the way out is not called %q: %s", lang, say("leave"), say("intro-leave"))
		}
	}
}

// Numbers that are not dialled stand in the digits of the language. Where a page
// fills one in, Voice.Say writes it; no such text counts anything with it, so none
// needs plural forms. One that does has to choose its words with numerals.Count.
func TestNumbersAreWrittenAsTheLanguageDoes(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`\{(title|name|where|date|day|month|year)\}`)
	for _, lang := range words.Languages() {
		digits := numerals.Write(lang, 1023456789)
		for _, key := range wordKeys(t) {
			text, err := words.In(lang).Say(key)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range onTheKeys().ReplaceAllString(strings.ReplaceAll(text, "\u00a0", " "), "") {
				if unicode.IsDigit(r) && !strings.ContainsRune(digits, r) {
					t.Errorf("%s %s: %c is no digit of the language: %s", lang, key, r, text)
				}
			}
			if strings.Contains(place.ReplaceAllString(text, ""), "{") && key != "question-where" {
				t.Errorf("%s %s fills in something that may be a number and need a plural: %s", lang, key, text)
			}
		}
		where, err := words.In(lang).Say("question-where", "title", "", "n", 3, "of", 19)
		if err != nil || !strings.Contains(where, numerals.Write(lang, 3)) || !strings.Contains(where, numerals.Write(lang, 19)) {
			t.Errorf("%s: %q %v", lang, where, err)
		}
		if named := strings.FieldsFunc(where, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }); len(named) > 2 {
			t.Errorf("%s: %q counts something, which may need a plural", lang, where)
		}
	}
}

// A language of the pages is one file of words, and nothing else; its direction
// comes with the questions (data/scales), which have a test like this, as the mails do.
func TestANewLanguageIsDataAlone(t *testing.T) {
	overlay := fstest.MapFS{}
	for _, lang := range []string{"en", "cy", "ar"} {
		b, err := files.ReadFile("locales/" + lang + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		overlay["locales/"+lang+".yaml"] = &fstest.MapFile{Data: b}
	}
	made := strings.Replace(string(overlay["locales/en.yaml"].Data), "door-start: Start", "door-start: Qapla", 1)
	overlay["locales/qaa.yaml"] = &fstest.MapFile{Data: []byte(made)}
	words, err := page.LoadWords(overlay, "locales")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(words.Languages(), "qaa") {
		t.Errorf("languages %v", words.Languages())
	}
	if text, err := words.In("qaa-GB").Say("door-start"); err != nil || text != "Qapla" {
		t.Errorf("%q %v", text, err)
	}
}
