package questionnaires

import (
	"maps"
	"slices"
)

// A long list is asked over several pages, its parts, so that no page is heavy
// on a slow line. It stays one item with one answer: the draft's answer says
// which parts were passed, and each page replaces its own part's choices alone.
//
// An exclusive answer ("no advice", "none of these") means the whole list. It is
// offered on the page of its part while nothing is chosen on those before, so
// that nobody undoes earlier pages by "none of these" on the last; chosen, it
// takes the place of what later parts hold, and they are not asked.

// part is one page's share of a long list, by headings and single options.
type part struct {
	ID      string   `yaml:"id"`
	Groups  []string `yaml:"groups"`
	Options []string `yaml:"options"`
}

// partPage is the id of the page that begins with a part: the first keeps the
// page's own.
func (it *Item) partPage(page string, n int) string {
	if n == 0 {
		return page
	}
	return page + "." + it.parts[n]
}

// spread gives the pages over which a list in parts is asked, after the answer
// so far. Of a list that offers only what was chosen earlier, parts share a page
// as long as it grows no longer than one option over the longest part, so that
// none has a page with one option.
func (it *Item) spread(page string, a Answer) []Page {
	var pages []Page
	last := len(it.parts) - 1
	if alone := it.alone(a); alone >= 0 {
		last = alone
	}
	for n := 0; n <= last; n++ {
		options := it.shown(n, a)
		if len(pages) > 0 {
			p := &pages[len(pages)-1]
			on := &p.Items[0]
			if len(options) == 0 || len(on.Options) == 0 || it.offerFrom != "" && headed(on.Options)+headed(options) <= it.longestPart()+1 {
				on.Options, p.Parts = append(on.Options, options...), append(p.Parts, it.parts[n])
				continue
			}
		}
		one := *it
		one.Options = options
		pages = append(pages, Page{ID: it.partPage(page, n), Items: []Item{one}, Parts: []string{it.parts[n]}})
	}
	return pages
}

// shown gives the options of a part that are offered after the answer so far.
func (it *Item) shown(n int, a Answer) []Option {
	before := slices.ContainsFunc(it.whole, func(o Option) bool { return o.part < n && a.Has(o.Code) })
	var out []Option
	for _, o := range it.Options {
		if o.part == n && !(o.Exclusive && before) {
			out = append(out, o)
		}
	}
	return out
}

// longestPart counts the options under headings of the longest part.
func (it *Item) longestPart() int {
	n := make([]int, len(it.parts))
	for _, o := range it.whole {
		if o.Group != "" {
			n[o.part]++
		}
	}
	return slices.Max(n)
}

func headed(options []Option) int {
	n := 0
	for _, o := range options {
		if o.Group != "" {
			n++
		}
	}
	return n
}

// alone gives the part of the exclusive answer that is chosen; -1: none is.
func (it *Item) alone(a Answer) int {
	i := slices.IndexFunc(it.whole, func(o Option) bool { return o.Exclusive && a.Has(o.Code) })
	if i < 0 {
		return -1
	}
	return it.whole[i].part
}

// Met reports whether the page has been passed: every question on it was
// answered or left out, and of a list in parts, this part.
func (p Page) Met(a Answers) bool {
	for i := range p.Items {
		ans := a[p.Items[i].ID]
		if ans.State == NotReached {
			return false
		}
		for _, id := range p.Parts {
			if ans.Parts != nil && !slices.Contains(ans.Parts, id) {
				return false
			}
		}
	}
	return true
}

// Keep gives the answers to the page's questions as a draft that holds a keeps
// them once the page was sent with these answers. A question without an answer
// is skipped; one that was answered before keeps its answer, since earlier
// answers are not shown again and an empty form must not undo them. It judges
// nothing: [Questionnaire.Check] does.
func (p Page) Keep(a, given Answers) Answers {
	out := make(Answers, len(p.Items))
	for i := range p.Items {
		it := &p.Items[i]
		ans, ok := given[it.ID]
		switch kept := a[it.ID]; {
		case !ok || ans.State == NotReached || ans.State == Skipped:
			out[it.ID] = it.pass(kept, p.Parts)
		case len(p.Parts) > 0 && len(ans.Choices) > 0:
			out[it.ID] = it.join(kept, ans, p.Parts)
		default:
			out[it.ID] = ans
		}
	}
	return out
}

// Clear gives the answers without what this page's questions hold: for a page on
// which the earlier answers are shown, so that emptying it there empties them. A
// list in parts loses the choices of the page's own parts alone.
func (p Page) Clear(a Answers) Answers {
	out := maps.Clone(a)
	for i := range p.Items {
		it := &p.Items[i]
		kept := a[it.ID]
		switch {
		case len(p.Parts) == 0:
			delete(out, it.ID)
		case kept.State == Answered:
			var others []string
			for _, o := range it.whole {
				if kept.Has(o.Code) && !slices.Contains(p.Parts, it.parts[o.part]) {
					others = append(others, o.Code)
				}
			}
			all := *it
			all.Options = it.whole
			ans := Answer{State: Skipped}
			if len(others) > 0 {
				ans = all.Choose(others...)
			}
			ans.Parts = kept.Parts
			if it.alone(kept) >= 0 {
				ans.Parts = it.passed(kept)
			}
			out[it.ID] = ans
		}
	}
	return out
}

// pass marks parts as passed in an answer that stays as it is.
func (it *Item) pass(kept Answer, parts []string) Answer {
	passed := it.passed(kept)
	if kept.State == NotReached {
		kept.State = Skipped
	} else if kept.Parts == nil {
		return kept
	}
	kept.Parts = it.unlessAll(append(passed, parts...), parts)
	return kept
}

// join puts the choices of some parts in the place of those kept for them. A
// choice that belongs to another part (a page from before the list was asked in
// parts) is kept beside the rest.
func (it *Item) join(kept, given Answer, parts []string) Answer {
	codes := slices.Clone(given.Choices)
	alone := it.alone(given)
	for _, o := range it.whole {
		replaced := slices.Contains(parts, it.parts[o.part]) || alone >= 0 && o.part > alone
		if kept.Has(o.Code) && !o.Exclusive && !replaced && !given.Has(o.Code) {
			codes = append(codes, o.Code)
		}
	}
	at := func(code string) int {
		if i := slices.IndexFunc(it.whole, func(o Option) bool { return o.Code == code }); i >= 0 {
			return i
		}
		return len(it.whole)
	}
	slices.SortStableFunc(codes, func(x, y string) int { return at(x) - at(y) })
	all := *it
	all.Options = it.whole
	ans := all.Choose(codes...)
	if alone < 0 {
		ans.Parts = it.unlessAll(append(it.passed(kept), parts...), parts)
	}
	return ans
}

// passed gives the parts that an answer has behind it: of an exclusive one, its
// own part and those before.
func (it *Item) passed(a Answer) []string {
	switch alone := it.alone(a); {
	case a.State == NotReached:
		return nil
	case a.Parts != nil:
		return slices.Clone(a.Parts)
	case alone >= 0:
		return slices.Clone(it.parts[:alone+1])
	}
	return slices.Clone(it.parts)
}

// unlessAll orders the parts passed; none are kept for a list that is through,
// nor for one that is not asked in parts.
func (it *Item) unlessAll(passed, now []string) []string {
	if len(now) == 0 {
		return nil
	}
	var out []string
	for _, id := range it.parts {
		if slices.Contains(passed, id) {
			out = append(out, id)
		}
	}
	if len(out) == len(it.parts) {
		return nil
	}
	return out
}

// through gives an answer as it counts: without the note of parts passed, and as
// not reached where a list was left before its end with nothing chosen.
func (a Answer) through() Answer {
	if a.Parts != nil && len(a.Choices) == 0 {
		return Answer{}
	}
	a.Parts = nil
	return a
}

// parts reads the parts of a list and holds them to what makes them such: every
// option is on one page, no page is empty, and the list has its pages to itself.
func (l *loader) parts(file string, it *Item, parts []part, onPage int, pageIDs map[string]bool) {
	if len(parts) == 0 {
		return
	}
	if it.Kind != Multi || len(parts) < 2 || onPage != 1 {
		l.fault(file, "%s: parts are two or more, of a multi item that is alone on its page", it.ID)
		return
	}
	for n, p := range parts {
		it.parts = append(it.parts, p.ID)
		id := it.partPage(it.Page, n)
		if !validID(p.ID) || n > 0 && pageIDs[id] {
			l.fault(file, "%s: part %q needs an id of its own", it.ID, p.ID)
		}
		pageIDs[id] = true
		for _, code := range p.Options {
			if _, ok := it.Option(code); !ok {
				l.fault(file, "%s: part %s names %s, which is no option", it.ID, p.ID, code)
			}
		}
		for _, g := range p.Groups {
			if !slices.ContainsFunc(it.Options, func(o Option) bool { return o.Group == g }) {
				l.fault(file, "%s: part %s names the heading %s, which no option has", it.ID, p.ID, g)
			}
		}
		if !slices.ContainsFunc(it.Options, p.has) {
			l.fault(file, "%s: part %s has no options", it.ID, p.ID)
		}
	}
	for i := range it.Options {
		o, found := &it.Options[i], 0
		for n, p := range parts {
			if p.has(*o) {
				o.part, found = n, found+1
			}
		}
		if found != 1 {
			l.fault(file, "%s %s: is in %d parts, not in one", it.ID, o.Code, found)
		}
	}
	it.whole = it.Options
}

func (p part) has(o Option) bool {
	return slices.Contains(p.Options, o.Code) || o.Group != "" && slices.Contains(p.Groups, o.Group)
}
