package questionnaires

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Hit is one reason for a person to look at a response soon: which rule, at
// which item.
type Hit struct {
	Rule string `json:"rule"`
	Item string `json:"item"`
}

// alertRules are the safeguarding rules of one version: options that raise an
// alert wherever their item is asked, and phrases looked for in free text.
type alertRules struct {
	options []optionRule
	phrases []phraseRule
}

type optionRule struct {
	rule, item string
	options    []string
}

type phraseRule struct {
	rule   string
	byLang map[string][][]string // phrases as normalised words
}

// Hits gives the alert rules that the answers raise, in the order of the rules
// and then of the items; nil when there is none. Free text is searched in the
// person's language and, since people mix, in English: whole words and
// phrases, whatever the case, accents or punctuation. A phrase inside a denial
// still raises the alert: a person reads it, and a needless look costs less
// than a missed one.
func (q *Questionnaire) Hits(a Answers, lang string) []Hit {
	var hits []Hit
	for _, r := range q.alerts.options {
		if _, asked := q.index[r.item]; asked && slices.ContainsFunc(r.options, a[r.item].Has) {
			hits = append(hits, Hit{Rule: r.rule, Item: r.item})
		}
	}
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	words := make(map[string][]string)
	for _, r := range q.alerts.phrases {
		for i := range q.Items {
			it := &q.Items[i]
			ans, ok := a[it.ID]
			if !ok || it.Kind != Words || ans.Text == "" {
				continue
			}
			if words[it.ID] == nil {
				words[it.ID] = normalWords(ans.Text)
			}
			if holdsPhrase(words[it.ID], r.byLang[english]) || (base != english && holdsPhrase(words[it.ID], r.byLang[base])) {
				hits = append(hits, Hit{Rule: r.rule, Item: it.ID})
			}
		}
	}
	return hits
}

func holdsPhrase(words []string, phrases [][]string) bool {
	for _, p := range phrases {
		for i := 0; i+len(p) <= len(words); i++ {
			if matchPhrase(words[i:], p) {
				return true
			}
		}
	}
	return false
}

func matchPhrase(words, phrase []string) bool {
	for j, w := range phrase {
		if stem, ok := strings.CutSuffix(w, "*"); ok {
			if !strings.HasPrefix(words[j], stem) {
				return false
			}
		} else if words[j] != w {
			return false
		}
	}
	return true
}

// normalWords cuts a text into words that compare equal however they were
// typed: compatibility forms resolved, accents and Arabic vowel marks dropped,
// lower case, the letters that keyboards mix made one, apostrophes and
// zero-width joiners left out. A trailing * of a phrase is kept by the loader.
func normalWords(s string) []string {
	var words []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	s = strings.ReplaceAll(s, "\u00b4", "'") // typed as an apostrophe; decomposes into a space
	for _, r := range norm.NFKD.String(s) {
		switch {
		case dropped(r):
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r):
			b.WriteRune(fold(r))
		default:
			flush()
		}
	}
	flush()
	return words
}

// dropped are the signs that people leave out or vary within a word. Marks of
// other scripts (Bengali vowels) carry the word and stay.
func dropped(r rune) bool {
	switch {
	case r >= 0x0300 && r <= 0x036F, // combining accents
		r >= 0x064B && r <= 0x065F, r == 0x0670, // Arabic vowel marks, hamza above and below
		r == 0x0640,                // tatweel
		r >= 0x200B && r <= 0x200F, // zero-width characters and direction marks
		r == 0xFEFF, r == 0x00AD,   // byte order mark, soft hyphen
		r == '\'', r == 0x2019, r == 0x2018, r == 0x02BC, r == '`':
		return true
	}
	return false
}

func fold(r rune) rune {
	switch r {
	case 0x0142, 0x0141: // Polish l with stroke
		return 'l'
	case 0x06CC, 0x0649: // Farsi yeh, alef maksura: Arabic yeh
		return 0x064A
	case 0x06A9: // keheh: Arabic kaf
		return 0x0643
	case 0x06C1, 0x06BE, 0x0629, 0x06C3: // Urdu hehs, teh marbuta: Arabic heh
		return 0x0647
	}
	return unicode.ToLower(r)
}
