package figures

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// hash is a key of 128 bits in place of a text: at ten million rows the texts
// would take a gigabyte, and two of them meeting in one hash is out of reach.
type hash [2]uint64

func (p *Panel) hash(parts ...string) hash {
	var out hash
	for i, seed := range p.seed {
		var h maphash.Hash
		h.SetSeed(seed)
		for j, s := range parts {
			if j > 0 {
				_ = h.WriteByte(0)
			}
			_, _ = h.WriteString(s)
		}
		out[i] = h.Sum64()
	}
	return out
}

// stamp is a row's ChangedAt as the columns hold it, with its tombstone: 0 is
// "never seen", and of two rows of one instant the tombstone is the later.
type stamp int64

func stampOf(t time.Time, gone bool) stamp {
	s := stamp(t.UnixMilli())<<1 | 1<<62
	if gone {
		s |= 1
	}
	return s
}

// dict numbers texts as they turn up; number 0 is the empty one, "unknown".
type dict struct {
	number map[string]uint16
	names  []string
}

func newDict(known ...string) dict {
	d := dict{number: map[string]uint16{"": 0}, names: []string{""}}
	for _, k := range known {
		d.of(k)
	}
	return d
}

// of gives the number of a text. Past 65,535 texts the rest are unknown.
func (d *dict) of(s string) uint16 {
	if n, ok := d.number[s]; ok {
		return n
	}
	if len(d.names) > 0xffff {
		return 0
	}
	n := uint16(len(d.names)) // #nosec G115 -- held above
	d.number[s] = n
	d.names = append(d.names, s)
	return n
}

// asked is one asking in its column form.
type asked struct {
	month       int16
	stage       uint8
	disposition uint8
}

type place struct{ force, bcu, borough uint16 }

type caseColumns struct {
	rows    map[hash]int32
	changed []stamp
	area    []int32 // index into areas
	offence []uint16
	outcome []uint16
	age     []uint16
	sex     []uint16
	abuse   []uint8
	about   []aboutKeys
	course  []course
	asks    [][]asked
	live    int

	areas                                     []place
	areaOf                                    map[place]int32
	forces, bcus, boroughs                    dict
	offences, outcomes, ages, sexes, abuseYes dict
	reasons                                   dict
}

func (c *caseColumns) init() {
	c.rows = map[hash]int32{}
	c.areas = []place{{}}
	c.areaOf = map[place]int32{{}: 0}
	c.forces, c.bcus, c.boroughs = newDict(), newDict(), newDict()
	c.offences, c.outcomes, c.ages, c.sexes = newDict(), newDict(), newDict(), newDict()
	c.abuseYes, c.reasons = newDict("no", "yes"), newDict()
}

// row finds or makes the row of a case. A response may name a case before its
// row comes; until then its attributes are unknown.
func (c *caseColumns) row(key hash) int32 {
	if r, ok := c.rows[key]; ok {
		return r
	}
	r := int32(len(c.changed)) // #nosec G115 -- memory ends long before two thousand million rows
	c.rows[key] = r
	c.changed = append(c.changed, 0)
	c.area = append(c.area, 0)
	c.offence = append(c.offence, 0)
	c.outcome = append(c.outcome, 0)
	c.age = append(c.age, 0)
	c.sex = append(c.sex, 0)
	c.abuse = append(c.abuse, 0)
	c.about = append(c.about, aboutKeys{})
	c.course = append(c.course, course{})
	c.asks = append(c.asks, nil)
	return r
}

// facts are a case's attributes as the columns hold them.
type facts struct {
	area                       int32
	offence, outcome, age, sex uint16
	abuse                      uint8
	about                      aboutKeys
	course                     course
}

func (c *caseColumns) facts(i int32) facts {
	return facts{c.area[i], c.offence[i], c.outcome[i], c.age[i], c.sex[i], c.abuse[i], c.about[i], c.course[i]}
}

func (p *Panel) applyCase(r *CaseRow) (changed bool) {
	c := &p.cases
	i, s := c.row(p.hash(r.Key)), stampOf(r.ChangedAt, r.Gone)
	if s < c.changed[i] {
		return false
	}
	var f facts
	var asks []asked
	if alive(c.changed[i]) {
		c.live--
	}
	if !r.Gone {
		c.live++
		f, asks = p.readCase(r)
	}
	changed = f != c.facts(i) || !slices.Equal(asks, c.asks[i])
	c.changed[i], c.asks[i] = s, asks
	c.area[i], c.offence[i], c.outcome[i], c.age[i], c.sex[i], c.abuse[i], c.about[i] = f.area, f.offence, f.outcome, f.age, f.sex, f.abuse, f.about
	c.course[i] = f.course
	return changed
}

func (p *Panel) readCase(r *CaseRow) (f facts, asks []asked) {
	c := &p.cases
	pl := place{c.forces.of(r.Force), c.bcus.of(r.BCU), c.boroughs.of(r.Borough)}
	area, ok := c.areaOf[pl]
	if !ok {
		area = int32(len(c.areas)) // #nosec G115 -- as above
		c.areas = append(c.areas, pl)
		c.areaOf[pl] = area
	}
	f = facts{area: area, offence: c.offences.of(r.Offence), outcome: c.outcomes.of(r.Outcome), age: c.ages.of(r.AgeBand), sex: c.sexes.of(r.Sex)}
	if r.DomesticAbuse == 0 || r.DomesticAbuse == 1 {
		f.abuse = uint8(r.DomesticAbuse) + 1
	}
	for n, key := range r.AboutKeys[:min(len(r.AboutKeys), len(f.about))] {
		f.about[n] = p.hash(key)
	}
	f.course = course{minuteOf(r.ReportedAt), minuteOf(r.WithdrewAt), minuteOf(r.ClosedAt), c.reasons.of(r.Reason)}
	asks = make([]asked, 0, len(r.Asks))
	for _, a := range r.Asks {
		stage, ok := stageNumber(a.Stage)
		if month := monthOf(a.DueAt, p.zone); ok && month >= 0 {
			asks = append(asks, asked{month: month, stage: stage, disposition: dispositionCode(a)})
		}
	}
	return f, asks
}

func alive(s stamp) bool { return s != 0 && s&1 == 0 }

// What a response is, besides its answers.
const (
	flagLive     uint8 = 1 << iota // kept: not a tombstone, not only spoken of
	flagComplete                   // complete, the quick path included
	flagQuick
)

type responseColumns struct {
	rows      map[hash]int32
	changed   []stamp
	caseRow   []int32
	month     []int16
	minute    []int32 // when it was submitted
	round     []uint8
	stage     []uint8
	mode      []uint8
	flags     []uint8
	form      []uint8
	singles   [][]uint8
	multis    [][]uint64
	states    [][]uint8
	coded     []uint8 // how many coded texts
	positive  []uint64
	negative  []uint64
	found     [2][]uint64 // what the coder found, people's corrections aside: positive, negative
	drawn     []bool      // drawn at random, and all its words coded by a person
	coder     [2][]uint16 // the least and the greatest number of the coders of its texts
	liveCount int
}

func (c *responseColumns) init(s *schema) {
	c.rows = map[hash]int32{}
	c.singles = make([][]uint8, s.singles)
	c.multis = make([][]uint64, s.multis)
	c.states = make([][]uint8, s.multis)
}

func (c *responseColumns) row(key hash) int32 {
	if r, ok := c.rows[key]; ok {
		return r
	}
	r := int32(len(c.changed)) // #nosec G115 -- as for cases
	c.rows[key] = r
	c.changed = append(c.changed, 0)
	c.caseRow = append(c.caseRow, 0)
	c.month = append(c.month, -1)
	c.minute = append(c.minute, 0)
	c.round = append(c.round, 0)
	c.stage = append(c.stage, 0)
	c.mode = append(c.mode, 0)
	c.flags = append(c.flags, 0)
	c.form = append(c.form, 0)
	c.coded = append(c.coded, 0)
	c.positive = append(c.positive, 0)
	c.negative = append(c.negative, 0)
	c.drawn = append(c.drawn, false)
	for k := range c.found {
		c.found[k] = append(c.found[k], 0)
		c.coder[k] = append(c.coder[k], 0)
	}
	for i := range c.singles {
		c.singles[i] = append(c.singles[i], 0)
	}
	for i := range c.multis {
		c.multis[i] = append(c.multis[i], 0)
		c.states[i] = append(c.states[i], 0)
	}
	return r
}

// head is what a response is, besides its answers, as the columns hold it.
type head struct {
	caseRow                         int32
	month                           int16
	minute                          int32
	round, stage, mode, flags, form uint8
}

func (c *responseColumns) head(i int32) head {
	return head{c.caseRow[i], c.month[i], c.minute[i], c.round[i], c.stage[i], c.mode[i], c.flags[i], c.form[i]}
}

func (p *Panel) applyResponse(r *ResponseRow) (changed bool, err error) {
	c := &p.responses
	key, s := p.hash(r.ID), stampOf(r.ChangedAt, r.Gone)
	if i, ok := c.rows[key]; ok && s < c.changed[i] {
		return false, nil
	}
	h, err := p.readResponse(r)
	if err != nil {
		return false, err
	}
	i, u := c.row(key), &p.buffer
	if c.flags[i]&flagLive != 0 {
		c.liveCount--
	}
	if h.flags&flagLive != 0 {
		c.liveCount++
	}
	changed = h != c.head(i)
	c.changed[i], c.caseRow[i], c.month[i], c.round[i], c.stage[i], c.mode[i], c.flags[i], c.form[i] = s, h.caseRow, h.month, h.round, h.stage, h.mode, h.flags, h.form
	c.minute[i] = h.minute
	for k := range c.singles {
		changed = changed || c.singles[k][i] != u.singles[k]
		c.singles[k][i] = u.singles[k]
	}
	for k := range c.multis {
		changed = changed || c.multis[k][i] != u.multis[k] || c.states[k][i] != u.states[k]
		c.multis[k][i], c.states[k][i] = u.multis[k], u.states[k]
	}
	return changed, nil
}

// readResponse reads a row into its head and, in the buffer, its answers. Of a
// tombstone nothing is left.
func (p *Panel) readResponse(r *ResponseRow) (h head, err error) {
	u := &p.buffer
	if r.Gone {
		clear(u.singles)
		clear(u.multis)
		clear(u.states)
		return head{month: -1}, nil
	}
	f, ok := p.schema.forms[r.Questionnaire]
	if !ok {
		return h, fault.New(fault.Invalid, "a response answers a questionnaire that is not known")
	}
	if h.stage, ok = stageNumber(r.Stage); !ok {
		return h, fault.New(fault.Invalid, "a response has a stage that is not known")
	}
	if h.mode, ok = indexOf(modes(), r.Mode); !ok {
		return h, fault.New(fault.Invalid, "a response has a mode that is not known")
	}
	if h.month = monthOf(r.SubmittedAt, p.zone); h.month < 0 {
		return h, fault.New(fault.Invalid, "a response was submitted at no time that can be")
	}
	if err := f.read(r.Packed, u); err != nil {
		return h, err
	}
	h.minute = minuteOf(r.SubmittedAt)
	h.form, _ = indexOf(p.schema.formIDs, r.Questionnaire)
	h.caseRow = p.cases.row(p.hash(r.CaseKey))
	h.round = uint8(min(max(r.Round, 0), 255)) // #nosec G115 -- held between
	h.flags = flagLive
	if r.Disposition == string(Completed) {
		h.flags |= flagComplete
	}
	if r.Quick {
		h.flags |= flagQuick
	}
	return h, nil
}

// codingColumns keeps each coded text apart, so that one of two can change.
type codingColumns struct {
	rows     map[hash]int32
	changed  []stamp
	response []int32
	facts    []codedText
	next     []int32 // the next coding of the same response, -1 at the end
	first    map[int32]int32
	live     int

	coders dict // versions of the codebook and model
}

// codedText is how one text was coded, as the columns hold it.
type codedText struct {
	positive, negative uint64    // the labels that stand
	found              [2]uint64 // what the coder found: positive, negative
	coder              uint16
	person             bool // a person coded it, and what the coder had found is known
	drawn              bool
}

func (c *codingColumns) init() {
	c.coders = newDict()
	c.rows = map[hash]int32{}
	c.first = map[int32]int32{}
}

func (p *Panel) applyTheme(r *ThemeRow) (changed bool) {
	c := &p.codings
	key, s := p.hash(r.ResponseID, r.Item), stampOf(r.ChangedAt, r.Gone)
	i, ok := c.rows[key]
	if ok && s < c.changed[i] {
		return false
	}
	if !ok {
		i = int32(len(c.changed)) // #nosec G115 -- as for cases
		response := p.responses.row(p.hash(r.ResponseID))
		head, has := c.first[response]
		if !has {
			head = -1
		}
		c.rows[key], c.first[response] = i, i
		c.changed, c.response, c.next = append(c.changed, 0), append(c.response, response), append(c.next, head)
		c.facts = append(c.facts, codedText{})
	}
	was, before := alive(c.changed[i]), c.facts[i]
	if was {
		c.live--
	}
	c.changed[i], c.facts[i] = s, codedText{}
	if !r.Gone {
		c.live++
		c.facts[i] = p.readTheme(r)
	}
	p.gatherThemes(c.response[i])
	return was == r.Gone || before != c.facts[i]
}

func (p *Panel) readTheme(r *ThemeRow) (f codedText) {
	f.coder = p.codings.coders.of(cmp.Or(r.CodebookVersion, unknownValue))
	f.positive, f.negative = p.sides(r.Labels)
	f.found = [2]uint64{f.positive, f.negative}
	if r.Person && r.Machine != nil {
		f.person, f.drawn = true, r.Drawn
		f.found[0], f.found[1] = p.sides(r.Machine)
	}
	return f
}

// sides lays labels out by theme, one bit each. Unknown codes are left out.
func (p *Panel) sides(labels []ThemeLabel) (positive, negative uint64) {
	for _, l := range labels {
		n := p.themeNumber(l.Code)
		if n < 0 {
			continue
		}
		switch l.Polarity {
		case "positive":
			positive |= 1 << n
		case "negative":
			negative |= 1 << n
		}
	}
	return positive, negative
}

// gatherThemes lays what all coded texts of a response show into its columns.
func (p *Panel) gatherThemes(response int32) {
	c, r := &p.codings, &p.responses
	var all codedText
	texts, coders, everyPerson := uint8(0), [2]uint16{}, true
	for i := c.first[response]; i >= 0; i = c.next[i] {
		if !alive(c.changed[i]) {
			continue
		}
		f := &c.facts[i]
		if texts == 0 {
			coders = [2]uint16{f.coder, f.coder}
		}
		texts++
		all.positive, all.negative = all.positive|f.positive, all.negative|f.negative
		all.found[0], all.found[1] = all.found[0]|f.found[0], all.found[1]|f.found[1]
		coders = [2]uint16{min(coders[0], f.coder), max(coders[1], f.coder)}
		all.drawn, everyPerson = all.drawn || f.drawn, everyPerson && f.person
	}
	r.coded[response], r.positive[response], r.negative[response] = texts, all.positive, all.negative
	r.drawn[response] = all.drawn && everyPerson
	for k := range coders {
		r.found[k][response], r.coder[k][response] = all.found[k], coders[k]
	}
}

func (p *Panel) themeNumber(code string) int {
	for i := range p.themes {
		if p.themes[i].Code == code {
			return i
		}
	}
	return -1
}

func stages() []string {
	out := make([]string, 0, 4)
	for _, s := range questionnaires.Stages() {
		out = append(out, string(s))
	}
	return out
}

func stageNumber(s string) (uint8, bool) {
	switch s {
	case string(questionnaires.Report):
		return 0, true
	case string(questionnaires.Investigation):
		return 1, true
	case string(questionnaires.Closure):
		return 2, true
	case string(questionnaires.Withdrawn):
		return 3, true
	}
	return 0, false
}

func indexOf(list []string, s string) (uint8, bool) {
	for i, v := range list {
		if v == s {
			return uint8(i), true // #nosec G115 -- short lists of our own
		}
	}
	return 0, false
}
