package victim

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"victimvoice/web/page"
)

// The pages are for a reading age of 9 to 11: about grade 4 to 6 of Flesch and
// Kincaid's formula (1975), taken over the texts that are whole sentences; and no
// sentence is long. The helpline's number and the page's name are no reading.
func TestPagesReadEasily(t *testing.T) {
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	const longest, hardest = 30, 6.0
	letters := regexp.MustCompile(`[A-Za-z'’]+`)
	vowels := regexp.MustCompile(`[aeiouy]+`)
	var sentences, count, syllables float64
	for _, key := range wordKeys(t) {
		text, err := words.In("en").Say(key)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.ContainsAny(text, ".") || strings.HasSuffix(key, "-proxy") || strings.HasPrefix(key, "proxy-") {
			continue // a heading or a button; or for an advocate
		}
		for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '?' || r == ':' }) {
			ws := letters.FindAllString(s, -1)
			if len(ws) == 0 || !strings.ContainsFunc(s, unicode.IsLetter) {
				continue
			}
			if len(ws) > longest {
				t.Errorf("%s: a sentence of %d words: %s", key, len(ws), s)
			}
			sentences++
			count += float64(len(ws))
			for _, w := range ws {
				w = strings.ToLower(w)
				if len(w) > 3 && !strings.HasSuffix(w, "le") {
					w = strings.TrimSuffix(w, "e")
				}
				syllables += float64(max(1, len(vowels.FindAllString(w, -1))))
			}
		}
	}
	grade := 0.39*count/sentences + 11.8*syllables/count - 15.59
	t.Logf("grade %.1f over %.0f words", grade, count)
	if count < 500 || grade > hardest {
		t.Errorf("the pages read at grade %.1f over %.0f words; want at most %.1f", grade, count, hardest)
	}
}
