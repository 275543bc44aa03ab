package victim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

// beforeStart are the texts that whoever holds the link may see.
func beforeStart(key string) bool {
	for _, prefix := range []string{"door-", "refusal-", "nothing-", "skip", "leave"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// Before the person has started, no language tells what the pages are about.
// The words are those that no mail may hold either.
func TestNoLanguageTellsBeforeStart(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	keys := wordKeys(t)
	for _, lang := range words.Languages() {
		var patterns []string
		for _, l := range []string{lang, page.FallbackLanguage} {
			b, err := os.ReadFile(filepath.Join("..", "..", "notifications", "testdata", "telling", l+".txt")) //nolint:gosec // G304: our own test data
			if err != nil {
				t.Fatalf("%s has no list of telling words: %v", l, err)
			}
			patterns = append(patterns, strings.Fields(string(b))...)
		}
		telling := regexp.MustCompile("(?i)" + strings.Join(patterns, "|"))
		seen := 0
		for _, key := range keys {
			if !beforeStart(key) {
				continue
			}
			seen++
			text, err := words.In(lang).Say(key)
			if err != nil {
				t.Fatal(err)
			}
			if m := telling.FindString(text); m != "" {
				t.Errorf("%s %s says %q: %s", lang, key, m, text)
			}
		}
		if seen < 15 {
			t.Errorf("%s: only %d texts were looked at", lang, seen)
		}
	}
}

// The questions and the pages come in the same languages.
func TestPagesAndQuestionsShareTheirLanguages(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	set, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	offered := map[string]bool{}
	for _, l := range set.LanguagesOffered() {
		offered[l.Code] = true
		if words.In(l.Code).Lang != l.Code {
			t.Errorf("%s has questions but no pages", l.Code)
		}
	}
	for _, l := range words.Languages() {
		if !offered[l] {
			t.Errorf("%s has pages but no questions", l)
		}
	}
}

// In a right-to-left line a number in groups, a path or a name is kept in its own
// order only inside an isolate (Unicode Standard Annex 9).
func TestNumbersKeepTheirOrder(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	grouped := regexp.MustCompile(`\d[\d \x{a0}]*\d[ \x{a0}]\d+|[A-Z0-9]{4}-[A-Z0-9-]+|\{where\}`)
	isolated := regexp.MustCompile("[\u2066\u2068][^\u2069]*\u2069")
	set, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range set.LanguagesOffered() {
		if l.Direction != "rtl" {
			continue
		}
		lang, found := l.Code, 0
		for _, key := range wordKeys(t) {
			text, err := words.In(lang).Say(key)
			if err != nil {
				t.Fatal(err)
			}
			found += len(grouped.FindAllString(text, -1))
			if m := grouped.FindString(isolated.ReplaceAllString(text, "")); m != "" {
				t.Errorf("%s %s: %q is not isolated", lang, key, m)
			}
			if strings.Count(text, "\u2066")+strings.Count(text, "\u2068") != strings.Count(text, "\u2069") {
				t.Errorf("%s %s: an isolate is left open", lang, key)
			}
		}
		if found < 4 {
			t.Errorf("%s: only %d numbers were found", lang, found)
		}
	}
}

func wordKeys(t *testing.T) []string {
	t.Helper()
	b, err := files.ReadFile("locales/" + page.FallbackLanguage + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(b), -1) {
		keys = append(keys, m[1])
	}
	return keys
}
