package figures

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"victimvoice/survey/questionnaires"
)

// How a column of a single item holds an answer: 0 nothing, the number of a
// state where there is no choice, or valueBase plus the index of a value.
const valueBase = 16

// value is one meaning an option can have. Versions of a questionnaire that agree
// share it; a version that scores the same code otherwise gets a value of its own.
type value struct {
	code     string
	label    string
	state    questionnaires.State
	positive bool
	score    float64 // NaN: none
}

func (v value) same(o value) bool {
	return v.code == o.code && v.state == o.state && v.positive == o.positive &&
		(v.score == o.score || math.IsNaN(v.score) && math.IsNaN(o.score))
}

// column describes one closed item across every questionnaire that asks it.
type column struct {
	item      string
	title     string
	construct string
	multi     bool
	core      bool
	share     bool // some value is positive
	scored    bool
	forms     []string // questionnaires that ask it
	stages    []string
	values    []value
	at        int // index among the single columns, or among the multi ones
}

func (c *column) valueIndex(v value) int {
	for i, old := range c.values {
		if old.same(v) {
			return i
		}
	}
	c.values = append(c.values, v)
	return len(c.values) - 1
}

// form is a questionnaire as the panel reads it.
type form struct {
	id      string
	q       *questionnaires.Questionnaire
	columns map[*questionnaires.Item]formColumn
	indices map[string][]int // construct: single columns that are scored
}

// formColumn says where one item's answers go, and how its options are numbered there.
type formColumn struct {
	multi  bool
	at     int
	number []uint8 // by option: index in the column's values
}

// schema is every closed item of a set, laid out as columns.
type schema struct {
	columns []*column
	byItem  map[string]*column
	forms   map[string]*form
	formIDs []string
	singles int
	multis  int
}

func newSchema(set *questionnaires.Set) *schema {
	s := &schema{byItem: map[string]*column{}, forms: map[string]*form{}}
	for _, q := range set.All() {
		f := &form{id: q.ID, q: q, columns: map[*questionnaires.Item]formColumn{}, indices: map[string][]int{}}
		text := q.Text("en", false)
		for i := range q.Items {
			it := &q.Items[i]
			if !it.Closed() {
				continue
			}
			c := s.columnOf(it, text)
			c.forms = append(c.forms, q.ID)
			if stage := string(q.Stage); len(c.stages) == 0 || c.stages[len(c.stages)-1] != stage {
				c.stages = append(c.stages, stage)
			}
			fc := formColumn{multi: c.multi, at: c.at}
			for _, o := range it.Options {
				v := value{code: o.Code, label: text.Option(it.ID, o.Code), state: o.State, positive: o.Positive, score: math.NaN()}
				if o.Score != nil {
					v.score = *o.Score
				}
				fc.number = append(fc.number, uint8(c.valueIndex(v))) // #nosec G115 -- a set has at most 64 options an item
			}
			c.share = c.share || it.HasShare()
			if !c.multi && it.Scored() && it.Construct != "" {
				c.scored = true
				f.indices[it.Construct] = append(f.indices[it.Construct], c.at)
			}
			f.columns[it] = fc
		}
		s.forms[q.ID] = f
		s.formIDs = append(s.formIDs, q.ID)
	}
	return s
}

func (s *schema) columnOf(it *questionnaires.Item, text *questionnaires.Text) *column {
	if c, ok := s.byItem[it.ID]; ok {
		return c
	}
	title, _ := text.Item(it.ID)
	c := &column{item: it.ID, title: title, construct: it.Construct, multi: it.Kind == questionnaires.Multi, core: it.Core}
	if c.multi {
		c.at = s.multis
		s.multis++
	} else {
		c.at = s.singles
		s.singles++
	}
	s.byItem[it.ID] = c
	s.columns = append(s.columns, c)
	return c
}

// unpacked is one response's closed answers, ready to be laid into the columns.
type unpacked struct {
	singles []uint8
	multis  []uint64
	states  []uint8 // of the multi items
}

// read unpacks answers of this form into buffers that are cleared first.
func (f *form) read(packed []byte, u *unpacked) error {
	clear(u.singles)
	clear(u.multis)
	clear(u.states)
	return f.q.Each(packed, func(it *questionnaires.Item, state questionnaires.State, option int, chosen uint64) {
		c, ok := f.columns[it]
		switch {
		case !ok: // free text
		case c.multi:
			u.states[c.at] = uint8(state)
			for ; chosen != 0; chosen &= chosen - 1 {
				u.multis[c.at] |= 1 << c.number[bits.TrailingZeros64(chosen)]
			}
		case option >= 0:
			u.singles[c.at] = valueBase + c.number[option]
		default:
			u.singles[c.at] = uint8(state)
		}
	})
}

// mask gives the bits of the values that pass.
func (c *column) mask(pass func(value) bool) uint64 {
	var m uint64
	for i, v := range c.values {
		if i < 64 && pass(v) {
			m |= 1 << i
		}
	}
	return m
}

// labels gives the words of the values that pass, for a definition.
func (c *column) labels(pass func(value) bool) string {
	var out []string
	for _, v := range c.values {
		if pass(v) && !slices.Contains(out, v.label) {
			out = append(out, v.label)
		}
	}
	return "“" + strings.Join(out, "” or “") + "”"
}

// lowerBetter reports whether the positive answers are the ones that score low:
// an item worded so that yes is bad.
func (c *column) lowerBetter() bool {
	var yes, no, nYes, nNo float64
	for _, v := range c.values {
		switch {
		case math.IsNaN(v.score):
		case v.positive:
			yes, nYes = yes+v.score, nYes+1
		default:
			no, nNo = no+v.score, nNo+1
		}
	}
	return nYes > 0 && nNo > 0 && yes/nYes < no/nNo
}
