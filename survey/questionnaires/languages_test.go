package questionnaires

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"victimvoice/internal/numerals"
)

// filed gives every language that has a file anywhere, offered or not.
func filed(t *testing.T) []string {
	t.Helper()
	var out []string
	structure := regexp.MustCompile(`^(questionnaire|core|scales|rules|\d+)\.yaml$`)
	err := fs.WalkDir(embedded, "data", func(p string, d fs.DirEntry, err error) error {
		if name := path.Base(p); err == nil && !d.IsDir() && strings.HasSuffix(name, ".yaml") && !structure.MatchString(name) {
			out = append(out, strings.TrimSuffix(name, ".yaml"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Every language that has begun is whole: a file left out would otherwise keep
// it from being offered without a word, and a key left out would show English.
// Languages may be added as data; those promised may not go.
func TestLanguagesComplete(t *testing.T) {
	s := loaded(t)
	var offered []string
	for _, l := range s.LanguagesOffered() {
		offered = append(offered, l.Code)
	}
	for _, lang := range []string{"en", "cy", "pl", "ro", "pt", "bn", "ur", "ar"} {
		if !slices.Contains(offered, lang) {
			t.Errorf("%s is promised and not offered", lang)
		}
	}
	for _, lang := range filed(t) {
		if !slices.Contains(offered, lang) {
			t.Errorf("%s has files, but not all that it needs to be offered", lang)
		}
		if missing := s.Missing(lang); missing != nil {
			t.Errorf("%s lacks %v", lang, missing)
		}
	}
}

// everyTextIn calls f with each wording of a language, with the English one
// beside it.
func everyTextIn(s *Set, lang string, proxy bool, f func(where, english, text string)) {
	for _, q := range everyQuestionnaire(s) {
		en, own := q.Text(english, proxy), q.Text(lang, proxy)
		for _, p := range q.Pages {
			title, opening := own.Page(p.ID)
			enTitle, enOpening := en.Page(p.ID)
			f(q.ID+" page "+p.ID, enTitle, title)
			f(q.ID+" opening "+p.ID, enOpening, opening)
			for _, it := range p.Items {
				title, hint := own.Item(it.ID)
				enTitle, enHint := en.Item(it.ID)
				f(q.ID+" "+it.ID, enTitle, title)
				f(q.ID+" hint "+it.ID, enHint, hint)
				for _, o := range it.Options {
					f(q.ID+" "+it.ID+" "+o.Code, en.Option(it.ID, o.Code), own.Option(it.ID, o.Code))
					f(q.ID+" hint "+it.ID+" "+o.Code, en.OptionHint(it.ID, o.Code), own.OptionHint(it.ID, o.Code))
					if o.Group != "" {
						f(q.ID+" group "+o.Group, en.Group(o.Group), own.Group(o.Group))
					}
				}
			}
		}
	}
}

// A wording is there where English has one and nowhere else, is not English
// left standing, asks where English asks, and keeps what a person may have to
// recognise.
func TestWordingsMatchEnglish(t *testing.T) {
	s := loaded(t)
	kept := regexp.MustCompile(`S-DASH|999`)
	several := regexp.MustCompile(`[A-Za-z]+ [a-z]+ [a-z]+`)
	for _, lang := range filed(t) {
		if lang == english {
			continue
		}
		for _, proxy := range []bool{false, true} {
			everyTextIn(s, lang, proxy, func(where, en, text string) {
				if (en == "") != (text == "") {
					t.Errorf("%s %s: %q for %q", lang, where, text, en)
				}
				if strings.TrimSpace(text) != text || strings.Contains(text, "  ") || strings.ContainsAny(text, "{}<>") {
					t.Errorf("%s %s has stray blanks or signs: %q", lang, where, text)
				}
				if text == en && several.MatchString(en) {
					t.Errorf("%s %s is still in English: %q", lang, where, text)
				}
				if strings.HasSuffix(en, "?") && !strings.ContainsAny(text, "?؟") {
					t.Errorf("%s %s is no question: %q", lang, where, text)
				}
				for _, k := range kept.FindAllString(en, -1) {
					if !strings.Contains(text, k) {
						t.Errorf("%s %s: %s is gone: %q", lang, where, k, text)
					}
				}
			})
		}
	}
}

// Two answers to one question never read the same, and an advocate reads a
// scale with as many steps as the person does.
func TestAnswersDiffer(t *testing.T) {
	s := loaded(t)
	for _, lang := range filed(t) {
		for _, proxy := range []bool{false, true} {
			for _, q := range everyQuestionnaire(s) {
				text := q.Text(lang, proxy)
				for _, it := range q.Items {
					seen := make(map[string]string)
					for _, o := range it.Options {
						label := strings.ToLower(text.Option(it.ID, o.Code))
						if other, twice := seen[label]; twice {
							t.Errorf("%s %s %s: %s and %s are both %q", lang, q.ID, it.ID, other, o.Code, label)
						}
						seen[label] = o.Code
					}
				}
			}
		}
	}
}

// Numbers stand in the digits of the language, as many as in English; what is
// dialled stays as it is on the keys.
func TestNumbersInTheLanguagesDigits(t *testing.T) {
	s := loaded(t)
	dialled := regexp.MustCompile(`999|101`)
	for _, lang := range filed(t) {
		digits := numerals.Write(lang, 1023456789)
		for _, proxy := range []bool{false, true} {
			everyTextIn(s, lang, proxy, func(where, en, text string) {
				numbers := func(s string) int {
					return len(regexp.MustCompile(`\pN+`).FindAllString(dialled.ReplaceAllString(s, ""), -1))
				}
				if numbers(en) != numbers(text) {
					t.Errorf("%s %s: other numbers than %q: %q", lang, where, en, text)
				}
				for _, r := range dialled.ReplaceAllString(text, "") {
					if unicode.IsDigit(r) && !strings.ContainsRune(digits, r) {
						t.Errorf("%s %s: %c is no digit of the language: %q", lang, where, r, text)
					}
				}
			})
		}
	}
}
