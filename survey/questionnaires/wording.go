package questionnaires

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// wording checks the language files of a questionnaire and joins them with the
// shared ones.
func (l *loader) wording(q *Questionnaire, own map[string]*textFile, sc, co *shared) {
	for lang, t := range own {
		l.checkText(q, path.Join(q.ID, lang+".yaml"), t)
	}
	q.texts, q.missing, q.drafts = make(map[string]*[2]*Text), make(map[string][]string), make(map[string]bool)
	for lang := range own {
		if sc.texts[lang] == nil || (q.hasCore() && co.texts[lang] == nil) {
			l.fault(path.Join(q.ID, lang+".yaml"), "the scales or the core trackers lack this language")
			continue
		}
		q.Languages = append(q.Languages, lang)
		layers := [2]layer{{own[lang], sc.texts[lang], co.texts[lang]}, {own[english], sc.texts[english], co.texts[english]}}
		self, missing := q.text(lang, false, layers)
		proxy, _ := q.text(lang, true, layers)
		q.texts[lang], q.missing[lang] = &[2]*Text{self, proxy}, missing
		q.drafts[lang] = layers[0].draft()
	}
	slices.SortFunc(q.Languages, englishFirst)
	if t := q.texts[english]; t != nil {
		l.checkEnglish(q, t[0])
	}
}

func englishFirst(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == english:
		return -1
	case b == english:
		return 1
	}
	return strings.Compare(a, b)
}

func (q *Questionnaire) hasCore() bool {
	return slices.ContainsFunc(q.Items, func(it Item) bool { return it.Core })
}

// layer is one language's files for a questionnaire.
type layer struct{ own, scales, core *textFile }

func (y layer) itemText(it *Item) itemText {
	if it.Core {
		if y.core == nil {
			return itemText{}
		}
		return y.core.Items[it.textKey]
	}
	return y.own.Items[it.ID]
}

func (y layer) draft() bool {
	for _, t := range []*textFile{y.own, y.scales, y.core} {
		if t != nil && t.Review == "draft" {
			return true
		}
	}
	return false
}

// text joins the layers, the language first and English behind it, and lists
// the keys that English had to lend. Whether an option is worded by its item or
// by its scale is decided by English, so that a half-translated item never
// borrows another question's words.
func (q *Questionnaire) text(lang string, proxy bool, layers [2]layer) (*Text, []string) {
	var missing []string
	pick := func(key string, get func(layer) phrase) string {
		if p := get(layers[0]); !p.empty() {
			return p.of(proxy)
		}
		p := get(layers[1])
		if !p.empty() {
			missing = append(missing, key)
		}
		return p.of(proxy)
	}
	t := &Text{
		Lang: lang, Proxy: proxy,
		items: make(map[string][2]string), options: make(map[string]map[string]wording),
		pages: make(map[string][2]string), groups: make(map[string]string),
	}
	for i := range q.Items {
		it := &q.Items[i]
		t.items[it.ID] = [2]string{
			pick(it.textKey+" title", func(y layer) phrase { return y.itemText(it).Title }),
			pick(it.textKey+" hint", func(y layer) phrase { return y.itemText(it).Hint }),
		}
		words := make(map[string]wording, len(it.Options))
		for _, o := range it.Options {
			label := func(y layer) phrase { return y.itemText(it).Options[o.Code] }
			if label(layers[1]).empty() {
				label = func(y layer) phrase { return y.scales.Scales[it.Scale][o.Code] }
			}
			words[o.Code] = wording{
				pick(it.textKey+" option "+o.Code, label),
				pick(it.textKey+" option hint "+o.Code, func(y layer) phrase { return y.itemText(it).Hints[o.Code] }),
			}
			if _, done := t.groups[o.Group]; o.Group != "" && !done {
				t.groups[o.Group] = pick("group "+o.Group, func(y layer) phrase { return y.scales.Groups[o.Group] })
			}
		}
		t.options[it.ID] = words
	}
	for _, p := range q.Pages {
		t.pages[p.ID] = [2]string{
			pick("page "+p.ID+" title", func(y layer) phrase { return y.own.Pages[p.ID].Title }),
			pick("page "+p.ID+" opening", func(y layer) phrase { return y.own.Pages[p.ID].Opening }),
		}
		for i := range p.Items {
			for n := 1; n < len(p.Items[i].parts); n++ {
				t.pages[p.Items[i].partPage(p.ID, n)] = [2]string{t.pages[p.ID][0]} // the opening is said once
			}
		}
	}
	return t, missing
}

// languages lists the languages that can be offered at every stage.
func languages(s *Set, scales map[int]*shared) []Language {
	newest := scales[slices.Max(slices.Collect(maps.Keys(scales)))]
	var out []Language
	for _, code := range s.current[Report].Languages {
		t, draft := newest.texts[code], false
		everywhere := t != nil
		for _, q := range s.current {
			everywhere = everywhere && slices.Contains(q.Languages, code)
			draft = draft || q.drafts[code]
		}
		for _, r := range s.current[Report].alerts.phrases {
			everywhere = everywhere && len(r.byLang[code]) > 0
		}
		if everywhere {
			out = append(out, Language{Code: code, Name: t.Name, Direction: t.Direction, Draft: draft})
		}
	}
	return out
}
