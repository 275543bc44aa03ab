package victim

import (
	"regexp"
	"slices"
	"strings"
	"testing"

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

// Whom to ring is the same in every language, and the way out is called by the
// name that is on it.
func TestEveryLanguageKeepsNumbersAndNames(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	numbers := regexp.MustCompile(`\b(999|101|55|0808 802 0300|AB12-CD34-EF56-GH78|AB12-CD34-EF78)\b|Shift`)
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
