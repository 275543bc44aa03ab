package questionnaires

import (
	"slices"
	"strings"
)

// Text is the wording of one questionnaire in one language, spoken to the
// person (self) or about them, to an advocate who answers for them (proxy).
// A key that a language lacks is given in English.
type Text struct {
	Lang  string // the language it is in
	Proxy bool   // the third person

	items   map[string][2]string          // item id: title, hint
	options map[string]map[string]wording // item id, option code
	pages   map[string][2]string          // page id: title, opening
	groups  map[string]string
}

type wording struct{ label, hint string }

// Text gives the wording in a language, by its code or by a tag that begins
// with it ("cy-GB"); English for a language that this questionnaire lacks. It
// never gives nil.
func (q *Questionnaire) Text(lang string, proxy bool) *Text {
	t, ok := q.texts[lang]
	if !ok {
		base, _, _ := strings.Cut(strings.ToLower(lang), "-")
		if t, ok = q.texts[base]; !ok {
			t = q.texts[english]
		}
	}
	if proxy {
		return t[1]
	}
	return t[0]
}

// Missing gives the keys that a language lacks and English lends it; nil when
// it is complete. A language without any wording here lacks everything, and
// English nothing.
func (q *Questionnaire) Missing(lang string) []string {
	if _, ok := q.texts[lang]; !ok {
		return []string{q.ID + "/" + lang + ".yaml"}
	}
	return slices.Clone(q.missing[lang])
}

// Draft reports whether some of a language's wording here still awaits
// professional review.
func (q *Questionnaire) Draft(lang string) bool { return q.drafts[lang] }

// Missing gives, for every current questionnaire and the alert words, the keys
// that a language lacks.
func (s *Set) Missing(lang string) []string {
	var out []string
	for _, stage := range append(Stages(), about, ticks) {
		q := s.current[stage]
		for _, key := range q.Missing(lang) {
			out = append(out, q.ID+": "+key)
		}
	}
	for _, r := range s.current[Report].alerts.phrases {
		if len(r.byLang[lang]) == 0 {
			out = append(out, "alerts: "+r.rule)
		}
	}
	return out
}

// Item gives the question and its hint; the hint may be empty.
func (t *Text) Item(id string) (title, hint string) {
	w := t.items[id]
	return w[0], w[1]
}

// Option gives the words of an option of an item.
func (t *Text) Option(itemID, code string) string { return t.options[itemID][code].label }

// OptionHint gives the smaller words under an option; mostly empty.
func (t *Text) OptionHint(itemID, code string) string { return t.options[itemID][code].hint }

// Page gives the title of a page and its opening, which says what is coming.
func (t *Text) Page(id string) (title, opening string) {
	w := t.pages[id]
	return w[0], w[1]
}

// Group gives the heading of a group of options.
func (t *Text) Group(id string) string { return t.groups[id] }
