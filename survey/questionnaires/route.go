package questionnaires

import (
	"slices"
	"strconv"
)

// rule is a condition on earlier answers or on facts of the case, as data.
// Exactly one of its forms is given.
type rule struct {
	All []rule `yaml:"all"`
	Any []rule `yaml:"any"`
	Not *rule  `yaml:"not"`

	Item    string   `yaml:"item"`     // an item on an earlier page …
	AtLeast int      `yaml:"at_least"` // … with so many options chosen
	Fact    string   `yaml:"fact"`     // outcome, charged or round …
	Is      []string `yaml:"is"`       // … or, for both, holding one of these
}

// factNames are the facts that a rule may ask for.
var factNames = [...]string{"outcome", "charged", "round"}

func (f Facts) value(name string) string {
	switch name {
	case "outcome":
		return f.Outcome
	case "charged":
		if f.Charged {
			return "yes"
		}
		return "no"
	case "round":
		return strconv.Itoa(max(f.Rounds, 1))
	}
	return ""
}

// holds evaluates the rule on answers that are on the route. No rule holds always.
func (r *rule) holds(a Answers, f Facts) bool {
	switch {
	case r == nil:
		return true
	case len(r.All) > 0:
		for i := range r.All {
			if !r.All[i].holds(a, f) {
				return false
			}
		}
		return true
	case len(r.Any) > 0:
		for i := range r.Any {
			if r.Any[i].holds(a, f) {
				return true
			}
		}
		return false
	case r.Not != nil:
		return !r.Not.holds(a, f)
	case r.Fact != "":
		return slices.Contains(r.Is, f.value(r.Fact))
	}
	ans := a[r.Item]
	if r.AtLeast > 0 {
		return ans.State == Answered && len(ans.Choices) >= r.AtLeast
	}
	return slices.ContainsFunc(r.Is, ans.Has)
}

// Route gives the pages that this person sees, given the answers so far: items
// whose condition does not hold are left out, pages without items too, and a
// question that offers only what was chosen earlier carries only those
// options. A long list is spread over a page a part. An answer to a question that is no longer on the route counts as
// not given. Quick keeps the quick path alone.
func (q *Questionnaire) Route(a Answers, f Facts, quick bool) []Page {
	pages, _ := q.walk(a, f, quick)
	return pages
}

// Settle gives the answers as they are to be kept at submit: those off the
// route are dropped, a choice that is not offered any more becomes Skipped, and
// an item whose answer follows from an earlier one (one reason alone is the
// main reason) carries it. Items without an answer stay out, as not reached:
// whoever showed a page says that its questions were skipped. It changes
// nothing in a.
func (q *Questionnaire) Settle(a Answers, f Facts, quick bool) Answers {
	_, settled := q.walk(a, f, quick)
	return settled
}

func (q *Questionnaire) walk(a Answers, f Facts, quick bool) ([]Page, Answers) {
	var pages []Page
	settled := make(Answers, len(q.Items)) // what has been answered on the route so far
	for p := range q.Pages {
		var items []Item
		for i := range q.Pages[p].Items {
			it := q.Pages[p].Items[i]
			if quick && !it.Quick {
				continue
			}
			if !it.show.holds(settled, f) {
				if it.impliedByOne {
					implied(&it, settled)
				}
				continue
			}
			offered := it.offered(settled)
			if it.offerFrom != "" {
				it.Options = offered
			}
			ans := it.settle(a[it.ID].through())
			if ans.State != NotReached {
				settled[it.ID] = ans
			}
			if len(it.parts) > 0 { // alone on its page, as the loader holds it
				pages = append(pages, it.spread(q.Pages[p].ID, ans)...)
				continue
			}
			items = append(items, it)
		}
		if len(items) > 0 {
			pages = append(pages, Page{ID: q.Pages[p].ID, Items: items})
		}
	}
	return pages, settled
}

// implied answers an item that was not asked since the only option chosen
// earlier answers it.
func implied(it *Item, settled Answers) {
	from := settled[it.offerFrom]
	if from.State != Answered || len(from.Choices) != 1 {
		return
	}
	if _, ok := it.Option(from.Choices[0]); ok {
		settled[it.ID] = it.Choose(from.Choices[0])
	}
}

// offered gives the options to show: all of them, or those chosen at the
// earlier item together with those that the earlier item does not list.
func (it *Item) offered(a Answers) []Option {
	from, ok := a[it.offerFrom]
	if it.offerFrom == "" || !ok || len(from.Choices) == 0 {
		return it.Options
	}
	var out []Option
	for _, o := range it.Options {
		if o.ownOnly || from.Has(o.Code) {
			out = append(out, o)
		}
	}
	return out
}

// settle turns an answer to an item on the route into what is kept: an option
// that is not offered any more is dropped.
func (it *Item) settle(a Answer) Answer {
	if it.offerFrom == "" || (a.Choice == "" && len(a.Choices) == 0) {
		return a
	}
	var codes []string
	for _, c := range append(slices.Clone(a.Choices), a.Choice) {
		if _, ok := it.Option(c); ok {
			codes = append(codes, c)
		}
	}
	return it.Choose(codes...)
}
