package questionnaires

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// validID accepts lower-case words joined by hyphens, and dots between parts.
func validID(s string) bool {
	if s == "" {
		return false
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(s, ".", "-"), "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

func (l *loader) checkKind(file string, it *Item) {
	switch it.Kind {
	case Single, Multi:
		if len(it.Options) < 2 || len(it.Options) > maxOptions {
			l.fault(file, "%s: has %d options, and may have 2 to %d", it.ID, len(it.Options), maxOptions)
		}
	case Words:
		if len(it.Options) > 0 || it.Construct != "" {
			l.fault(file, "%s: free text has neither options nor a construct", it.ID)
		}
	default:
		l.fault(file, "%s: kind is single, multi or text", it.ID)
	}
	for _, o := range it.Options {
		if it.Kind == Single && o.Exclusive {
			l.fault(file, "%s %s: exclusive is for multi items", it.ID, o.Code)
		}
		if it.Kind == Multi && (o.Score != nil || o.Positive) {
			l.fault(file, "%s %s: multi items have neither score nor share", it.ID, o.Code)
		}
		if it.Kind == Multi && o.State != Answered && !o.Exclusive {
			l.fault(file, "%s %s: an option that is no valid answer must be exclusive", it.ID, o.Code)
		}
	}
}

// checkRouting holds conditions to items on earlier pages: without script a
// page cannot change while it is being filled in.
func (l *loader) checkRouting(file string, q *Questionnaire, it *Item) {
	earlier := func(id string) *Item {
		i, ok := q.index[id]
		if !ok || q.Items[i].page >= it.page {
			l.fault(file, "%s: routing names %q, which is not asked on an earlier page", it.ID, id)
			return nil
		}
		return &q.Items[i]
	}
	var check func(r *rule)
	check = func(r *rule) {
		forms := 0
		for _, given := range []bool{len(r.All) > 0, len(r.Any) > 0, r.Not != nil, r.Item != "", r.Fact != ""} {
			if given {
				forms++
			}
		}
		if forms != 1 || (r.Item == "" && r.AtLeast != 0) || (len(r.Is) > 0) == (r.AtLeast > 0) && (r.Item != "" || r.Fact != "") {
			l.fault(file, "%s: a condition is one of all, any, not, item with is or at_least, fact with is", it.ID)
			return
		}
		for _, sub := range slices.Concat(r.All, r.Any) {
			check(&sub)
		}
		if r.Not != nil {
			check(r.Not)
		}
		if r.Fact != "" && !slices.Contains(factNames[:], r.Fact) {
			l.fault(file, "%s: no such fact: %s", it.ID, r.Fact)
		}
		if r.Item == "" {
			return
		}
		from := earlier(r.Item)
		if from == nil {
			return
		}
		if r.AtLeast > 0 && from.Kind != Multi {
			l.fault(file, "%s: at_least counts the choices of a multi item", it.ID)
		}
		for _, code := range r.Is {
			if _, ok := from.Option(code); !ok {
				l.fault(file, "%s: routing names %s %s, which is no option", it.ID, r.Item, code)
			}
		}
	}
	if it.show != nil {
		check(it.show)
	}
	if it.offerFrom == "" {
		if it.impliedByOne {
			l.fault(file, "%s: implied_by_one needs offer_from", it.ID)
		}
		return
	}
	from := earlier(it.offerFrom)
	if from == nil {
		return
	}
	common := 0
	for i := range it.Options {
		if _, listed := from.Option(it.Options[i].Code); listed {
			common++
		} else {
			it.Options[i].ownOnly = true
		}
	}
	if from.Kind != Multi || common == 0 {
		l.fault(file, "%s: offer_from names a multi item that shares options with it", it.ID)
	}
}

// checkText refuses keys that no item or page has: a slip of the pen would
// else show as English for ever.
func (l *loader) checkText(q *Questionnaire, file string, t *textFile) {
	for id, words := range t.Items {
		it, ok := q.Item(id)
		if !ok || it.Core {
			l.fault(file, "%s: no such item here (core trackers are worded in one place)", id)
			continue
		}
		for _, m := range []map[string]phrase{words.Options, words.Hints} {
			for code := range m {
				if _, ok := it.Option(code); !ok {
					l.fault(file, "%s %s: no such option", id, code)
				}
			}
		}
	}
	for id := range t.Pages {
		if !slices.ContainsFunc(q.Pages, func(p Page) bool { return p.ID == id }) {
			l.fault(file, "page %s: no such page", id)
		}
	}
}

func (l *loader) checkEnglish(q *Questionnaire, t *Text) {
	file := path.Join(q.ID, english+".yaml")
	for i, p := range q.Pages {
		if title, opening := t.Page(p.ID); title == "" || (i == 0 && opening == "") {
			l.fault(file, "page %s: needs a title, and the first page an opening that says what is coming", p.ID)
		}
	}
	for i := range q.Items {
		it := &q.Items[i]
		if title, _ := t.Item(it.ID); title == "" {
			l.fault(file, "%s: no title", it.ID)
		}
		for _, o := range it.Options {
			if t.Option(it.ID, o.Code) == "" {
				l.fault(file, "%s %s: no text", it.ID, o.Code)
			}
		}
	}
}

// checkSet looks at what the files must agree on between them.
func (l *loader) checkSet(s *Set, rules *alertRules) {
	for _, r := range rules.options {
		for _, code := range r.options {
			found := false
			for _, q := range s.all {
				if it, ok := q.Item(r.item); ok {
					_, has := it.Option(code)
					found = found || has
				}
			}
			if !found {
				l.fault("alerts", "rule %s: no questionnaire offers %s %s", r.rule, r.item, code)
			}
		}
	}
	for _, q := range s.all {
		for i := range q.Items {
			it := &q.Items[i]
			if it.Scale != adviceScale {
				continue
			}
			for _, o := range it.Options {
				if o.Group != "" && len(s.advice) > 0 && s.Advice().Polarity(o.Code) == "" {
					l.fault(path.Join("advice", strconv.Itoa(s.Advice().Version)+".yaml"), "%s is offered by %s and has no polarity", o.Code, q.ID)
				}
			}
		}
	}
	l.checkCore(s)
}

// adviceScale is the shared list of police advice.
const adviceScale = "advice"

// checkCore holds the current questionnaires to the same core trackers in the
// same words, since they make the trend line, and to the quick path of three.
func (l *loader) checkCore(s *Set) {
	type asked struct {
		at    string
		title string
		item  *Item
	}
	first := make(map[string]asked)
	for _, stage := range Stages() {
		q := s.current[stage]
		if q == nil || q.texts[english] == nil {
			continue
		}
		quick := 0
		for i := range q.Items {
			it := &q.Items[i]
			if it.Quick {
				quick++
			}
			if !it.Core {
				continue
			}
			if it.show != nil {
				l.fault(q.ID, "%s: a core tracker is asked of everyone", it.ID)
			}
			title, _ := q.Text(english, false).Item(it.ID)
			was, known := first[it.ID]
			switch {
			case !known:
				first[it.ID] = asked{q.ID, title, it}
			case was.item.Scale != it.Scale || len(was.item.Options) != len(it.Options):
				l.fault(q.ID, "%s: offers other answers than in %s", it.ID, was.at)
			case it.textKey == it.ID && was.title != title:
				l.fault(q.ID, "%s: worded otherwise than in %s", it.ID, was.at)
			}
		}
		if quick != 3 {
			l.fault(q.ID, "the quick path has %d questions, not three", quick)
		}
	}
}
