// Package questionnaires owns what is asked: the four staged questionnaires,
// their routing, scales and wording, the optional questions about the person,
// the four ticks, the table that says which police advice is harmful, and the
// answers that raise a safeguarding alert.
//
// All of it is data, embedded from data/ and checked whole by [Load]. A
// published version never changes (data/published.sum, see data/README.md): a
// response keeps the id of the version it answered, and [Questionnaire.Unpack]
// reads it for ever. The package knows no store, no page and no clock.
//
// Two words are used with care. An answer is valid when its state is
// [Answered]; not applicable, don't know, prefer not to say and skipped are
// kept apart and never count in a denominator. An option is positive when it
// counts in the numerator of the item's share. For reverse-worded items both are
// already turned round (a yes-or-no item keeps the share yes, and says so with
// [Item.LowerIsBetter]), so a reader of [Option] never has to look at Reverse.
package questionnaires

import (
	"slices"
)

// Stage is the point in a case at which a questionnaire is asked.
type Stage string

// The stages, in the order of a case. Withdrawn stands in place of closure for
// people who stepped back.
const (
	Report        Stage = "report"
	Investigation Stage = "investigation"
	Closure       Stage = "closure"
	Withdrawn     Stage = "withdrawn"
)

// Stages gives the four stages in the order of a case.
func Stages() []Stage { return []Stage{Report, Investigation, Closure, Withdrawn} }

// The two sets of questions that belong to no stage: asked after any of them.
const (
	about Stage = "about"
	ticks Stage = "ticks"
)

// Kind says how an item is answered.
type Kind string

// The kinds of item.
const (
	Single Kind = "single" // one option
	Multi  Kind = "multi"  // any number of options
	Words  Kind = "text"   // free text of at most MaxText characters
)

// The constructs: what an item measures. An index is the mean of the scored
// items of one construct.
const (
	Confidence     = "confidence"
	Communication  = "communication"
	AdviceGiven    = "advice"
	Serious        = "serious"
	Safety         = "safety"
	Overall        = "overall"
	Identification = "identification"
	Support        = "support"
)

// Limits shared by the rules, the tests and the pages.
const (
	MaxText      = 1500 // characters of one free text
	MaxClosed    = 16   // closed questions on any route, core trackers included
	MaxTextItems = 2    // free-text questions on any route
	maxOptions   = 64   // options of a multi item: they pack into eight bytes
)

// Option is one answer that an item offers.
type Option struct {
	Code      string
	Score     *float64 // 0 (worst for the person) to 100 (best); nil when the item is nominal or the option is no valid answer
	Positive  bool     // counts in the numerator of the item's share
	State     State    // Answered, unless choosing it means not applicable, don't know or prefer not to say
	Exclusive bool     // of a multi item: cannot be chosen together with another
	Group     string   // heading under which a long list shows it; empty when the list has none

	ownOnly bool // of an item that offers what was chosen earlier: always offered
	part    int  // of a list in parts: index of its part
}

// Item is one question.
type Item struct {
	ID        string
	Construct string // one of the constructs above; empty for free text and the questions about the person
	Kind      Kind
	Scale     string // the scale or shared list its options come from; empty when they are its own
	Options   []Option
	Core      bool   // a core tracker: the same words at every stage
	Quick     bool   // part of the quick path
	Reverse   bool   // worded so that agreeing is bad; scores and positives are already turned round
	Shuffle   bool   // options are to be shown in mixed order within their heading, exclusive ones last
	Page      string // id of the page that asks it

	show         *rule
	offerFrom    string   // offers only the options chosen at that earlier item, plus its own exclusive or unlisted ones
	impliedByOne bool     // one option chosen at offerFrom answers this item
	parts        []string // of a long list: the ids of the parts in which it is asked, a page each
	whole        []Option // of a list in parts: every option, whatever the page at hand shows
	textKey      string   // where the wording is found: the id, with the tense for core trackers that have one
	page         int      // index of Page
	at           int      // offset in the packed answers
}

// Page is one page of questions: one topic, a few short questions that belong
// together, or some parts of a long list. A page of parts carries the list with
// the options that it shows.
type Page struct {
	ID    string
	Items []Item
	Parts []string // parts of its one item that it asks; nil: it asks its items whole
}

// Questionnaire is one published version of the questions of one stage.
// It is immutable once loaded and safe for use by many goroutines.
type Questionnaire struct {
	ID        string // stage and version, as "report/1"
	Stage     Stage
	Version   int
	Languages []string // languages with wording, English first, the others by code
	Items     []Item   // in the order asked
	Pages     []Page   // every page with every item, before routing

	index   map[string]int
	texts   map[string]*[2]*Text // by language; [0] self, [1] proxy
	missing map[string][]string  // by language: keys that English lends it
	drafts  map[string]bool      // by language
	alerts  *alertRules
	size    int // bytes of packed answers
}

// Facts are what routing may ask about the case. The zero value asks whatever
// does not depend on a fact.
type Facts struct {
	Outcome string // how the case ended, as the closing event says it: charged, convicted, nfa-evidential …; empty when open or not known
	Charged bool   // a charge was brought at some time
	Rounds  int    // which round of this stage this is, from 1; 0 is taken as 1
}

// Set holds every version of every questionnaire and the tables that go with
// them. It is immutable and safe for use by many goroutines.
type Set struct {
	all     []*Questionnaire // by stage, then version
	byID    map[string]*Questionnaire
	current map[Stage]*Questionnaire
	advice  []*Advice // by version
	langs   []Language
}

// Current gives the newest version of a stage's questionnaire; nil for a stage
// that does not exist.
func (s *Set) Current(stage Stage) *Questionnaire { return s.current[stage] }

// ByID finds a questionnaire, past versions, about/N and ticks/N included, by its id.
func (s *Set) ByID(id string) (*Questionnaire, bool) {
	q, ok := s.byID[id]
	return q, ok
}

// All gives every version of the four staged questionnaires, by stage and version.
func (s *Set) All() []*Questionnaire { return slices.Clone(s.all) }

// About gives the newest set of optional questions about the person. Its
// version is the version of the reference data (groups and bands) it uses.
func (s *Set) About() *Questionnaire { return s.current[about] }

// Ticks gives the newest wording of the four permissions, as one multi item
// with the id [TicksItem].
func (s *Set) Ticks() *Questionnaire { return s.current[ticks] }

// TicksItem is the id of the one item of [Set.Ticks]; the codes of its options
// are the four permissions.
const TicksItem = "ticks"

// The four permissions. None is ever ticked beforehand.
const (
	TickQuote   = "quote"   // publish my words without my name
	TickTold    = "told"    // tell me what changes
	TickContact = "contact" // someone may contact me about my answers
	TickShare   = "share"   // my advocate may read my answers
)

// Language is one language in which questionnaires exist.
type Language struct {
	Code      string // BCP 47, as "en"
	Name      string // in the language itself
	Direction string // "ltr" or "rtl"
	Draft     bool   // some of its wording still awaits professional review
}

// LanguagesOffered gives the languages in which every current questionnaire
// and the alert words exist, English first.
func (s *Set) LanguagesOffered() []Language { return slices.Clone(s.langs) }

// Item finds an item by its id. The item is shared: do not change it.
func (q *Questionnaire) Item(id string) (*Item, bool) {
	i, ok := q.index[id]
	if !ok {
		return nil, false
	}
	return &q.Items[i], true
}

// Option finds an option of the item by its code.
func (it *Item) Option(code string) (*Option, bool) {
	for i := range it.Options {
		if it.Options[i].Code == code {
			return &it.Options[i], true
		}
	}
	return nil, false
}

// Closed reports whether the item is answered by choosing.
func (it *Item) Closed() bool { return it.Kind != Words }

// Scored reports whether the item enters the index of its construct.
func (it *Item) Scored() bool {
	return slices.ContainsFunc(it.Options, func(o Option) bool { return o.Score != nil })
}

// HasShare reports whether the item has a share: some option counts as positive.
func (it *Item) HasShare() bool {
	return slices.ContainsFunc(it.Options, func(o Option) bool { return o.Positive })
}

// LowerIsBetter reports whether a smaller share is the better one: "did any of
// it make you worry" has the share yes.
func (it *Item) LowerIsBetter() bool {
	var positive, other, nPositive, nOther float64
	for _, o := range it.Options {
		switch {
		case o.Score == nil:
		case o.Positive:
			positive, nPositive = positive+*o.Score, nPositive+1
		default:
			other, nOther = other+*o.Score, nOther+1
		}
	}
	return nPositive > 0 && nOther > 0 && positive/nPositive < other/nOther
}

// Score gives the score of an answer, 0 to 100; false when the answer is not
// valid or the item is not scored.
func (it *Item) Score(a Answer) (float64, bool) {
	if a.State != Answered || it.Kind != Single {
		return 0, false
	}
	o, ok := it.Option(a.Choice)
	if !ok || o.Score == nil || o.State != Answered {
		return 0, false
	}
	return *o.Score, true
}

// Share places an answer in the item's share: whether it counts in the base,
// and whether it counts as positive.
func (it *Item) Share(a Answer) (positive, valid bool) {
	if a.State != Answered || it.Kind != Single {
		return false, false
	}
	o, ok := it.Option(a.Choice)
	if !ok || o.State != Answered || !it.HasShare() {
		return false, false
	}
	return o.Positive, true
}

// Choose gives the answer that choosing these options means, with the state
// that the options stand for; no option at all means skipped. It does not
// judge: [Questionnaire.Check] does.
func (it *Item) Choose(codes ...string) Answer {
	if len(codes) == 0 {
		return Answer{State: Skipped}
	}
	state := Answered
	for _, c := range codes {
		if o, ok := it.Option(c); ok && o.State != Answered {
			state = o.State
		}
	}
	if it.Kind == Multi {
		return Answer{State: state, Choices: slices.Clone(codes)}
	}
	return Answer{State: state, Choice: codes[0]}
}
