package figures

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"time"
	_ "time/tzdata" // months are London's, also where the system has no zones

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// batch is how many rows are taken under one lock when loading a stream: large
// enough to cost little, small enough that a reader waits about a millisecond.
const batch = 512

// Panel holds every kept answer as columns in memory and does all arithmetic.
// It is safe for concurrent use: queries share a read lock, rows are applied in
// small batches under the write lock. Applying is an idempotent upsert: the row
// with the later ChangedAt wins, whatever the order, and a tombstone is final for
// its instant, so that a cursor may hand over the same rows again and again.
type Panel struct {
	schema *schema
	themes []Theme
	zone   *time.Location
	seed   [2]maphash.Seed

	mu      sync.RWMutex
	version uint64 // grows with every change; tables are remembered by it
	advice  *questionnaires.Advice

	cases     caseColumns
	responses responseColumns
	codings   codingColumns
	buffer    unpacked

	tables tableCache
}

// New makes an empty panel for a set of questionnaires and the codes of a codebook.
func New(set *questionnaires.Set, themes []Theme) (*Panel, error) {
	if set == nil {
		return nil, fault.New(fault.Invalid, "figures need the questionnaires")
	}
	if len(themes) > 64 {
		return nil, fault.New(fault.Invalid, "a codebook has at most 64 codes here, not %d", len(themes))
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the London time zone can't be loaded")
	}
	if len(set.All()) > 255 {
		return nil, fault.New(fault.Invalid, "the panel holds at most 255 versions of questionnaires, not %d", len(set.All()))
	}
	p := &Panel{schema: newSchema(set), themes: append([]Theme(nil), themes...), zone: zone, advice: set.Advice()}
	p.seed = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	p.cases.init()
	p.responses.init(p.schema)
	p.codings.init()
	p.buffer = unpacked{singles: make([]uint8, p.schema.singles), multis: make([]uint64, p.schema.multis), states: make([]uint8, p.schema.multis)}
	return p, nil
}

// SetAdvice puts another version of the advice polarity table in use.
func (p *Panel) SetAdvice(a *questionnaires.Advice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advice = a
	p.version++
}

// Size is how much the panel holds.
type Size struct {
	Cases, Responses, Codings int
}

// Size counts what is held now, tombstones left out.
func (p *Panel) Size() Size {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return Size{Cases: p.cases.live, Responses: p.responses.liveCount, Codings: p.codings.live}
}

// ApplyCases takes case rows; see Panel for how rows meet.
func (p *Panel) ApplyCases(rows ...CaseRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range rows {
		p.applyCase(&rows[i])
	}
	p.version++
}

// ApplyResponses takes response rows. A row whose answers can't be read for its
// questionnaire is fault Invalid and is left out; the others are applied all the
// same, and the first such fault is returned.
func (p *Panel) ApplyResponses(rows ...ResponseRow) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first error
	for i := range rows {
		if err := p.applyResponse(&rows[i]); err != nil && first == nil {
			first = err
		}
	}
	p.version++
	return first
}

// ApplyThemes takes coding rows. Codes that the panel was not made with are left out.
func (p *Panel) ApplyThemes(rows ...ThemeRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range rows {
		p.applyTheme(&rows[i])
	}
	p.version++
}

// LoadCases applies a stream of case rows in batches and gives the latest
// ChangedAt seen, from which the next stream may start. It stops at the stream's
// first error or when ctx ends.
func (p *Panel) LoadCases(ctx context.Context, rows iter.Seq2[CaseRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r CaseRow) time.Time { return r.ChangedAt }, func(b []CaseRow) error { p.ApplyCases(b...); return nil })
}

// LoadResponses is LoadCases for responses. Unreadable answers don't stop the
// stream; the first such fault is returned at its end.
func (p *Panel) LoadResponses(ctx context.Context, rows iter.Seq2[ResponseRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r ResponseRow) time.Time { return r.ChangedAt }, func(b []ResponseRow) error { return p.ApplyResponses(b...) })
}

// LoadThemes is LoadCases for codings.
func (p *Panel) LoadThemes(ctx context.Context, rows iter.Seq2[ThemeRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r ThemeRow) time.Time { return r.ChangedAt }, func(b []ThemeRow) error { p.ApplyThemes(b...); return nil })
}

func load[R any](ctx context.Context, rows iter.Seq2[R, error], changed func(R) time.Time, apply func([]R) error) (latest time.Time, err error) {
	pending := make([]R, 0, batch)
	var unreadable error
	flush := func() {
		if err := apply(pending); err != nil && unreadable == nil {
			unreadable = err
		}
		pending = pending[:0]
	}
	for r, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			flush()
			return latest, err
		}
		if t := changed(r); t.After(latest) {
			latest = t
		}
		if pending = append(pending, r); len(pending) == batch {
			flush()
		}
	}
	flush()
	return latest, unreadable
}

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
	asks    [][]asked
	live    int

	areas                                     []place
	areaOf                                    map[place]int32
	forces, bcus, boroughs                    dict
	offences, outcomes, ages, sexes, abuseYes dict
}

func (c *caseColumns) init() {
	c.rows = map[hash]int32{}
	c.areas = []place{{}}
	c.areaOf = map[place]int32{{}: 0}
	c.forces, c.bcus, c.boroughs = newDict(), newDict(), newDict()
	c.offences, c.outcomes, c.ages, c.sexes = newDict(), newDict(), newDict(), newDict()
	c.abuseYes = newDict("no", "yes")
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
	c.asks = append(c.asks, nil)
	return r
}

func (p *Panel) applyCase(r *CaseRow) {
	c := &p.cases
	i, s := c.row(p.hash(r.Key)), stampOf(r.ChangedAt, r.Gone)
	if s < c.changed[i] {
		return
	}
	if alive(c.changed[i]) {
		c.live--
	}
	c.changed[i] = s
	if r.Gone {
		c.area[i], c.offence[i], c.outcome[i], c.age[i], c.sex[i], c.abuse[i], c.asks[i] = 0, 0, 0, 0, 0, 0, nil
		return
	}
	c.live++
	pl := place{c.forces.of(r.Force), c.bcus.of(r.BCU), c.boroughs.of(r.Borough)}
	area, ok := c.areaOf[pl]
	if !ok {
		area = int32(len(c.areas)) // #nosec G115 -- as above
		c.areas = append(c.areas, pl)
		c.areaOf[pl] = area
	}
	c.area[i] = area
	c.offence[i], c.outcome[i] = c.offences.of(r.Offence), c.outcomes.of(r.Outcome)
	c.age[i], c.sex[i] = c.ages.of(r.AgeBand), c.sexes.of(r.Sex)
	c.abuse[i] = 0
	if r.DomesticAbuse == 0 || r.DomesticAbuse == 1 {
		c.abuse[i] = uint8(r.DomesticAbuse) + 1
	}
	asks := make([]asked, 0, len(r.Asks))
	for _, a := range r.Asks {
		stage, ok := stageNumber(a.Stage)
		if month := monthOf(a.DueAt, p.zone); ok && month >= 0 {
			asks = append(asks, asked{month: month, stage: stage, disposition: dispositionCode(a)})
		}
	}
	c.asks[i] = asks
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
	c.round = append(c.round, 0)
	c.stage = append(c.stage, 0)
	c.mode = append(c.mode, 0)
	c.flags = append(c.flags, 0)
	c.form = append(c.form, 0)
	c.coded = append(c.coded, 0)
	c.positive = append(c.positive, 0)
	c.negative = append(c.negative, 0)
	for i := range c.singles {
		c.singles[i] = append(c.singles[i], 0)
	}
	for i := range c.multis {
		c.multis[i] = append(c.multis[i], 0)
		c.states[i] = append(c.states[i], 0)
	}
	return r
}

func (p *Panel) applyResponse(r *ResponseRow) error {
	c := &p.responses
	key, s := p.hash(r.ID), stampOf(r.ChangedAt, r.Gone)
	if i, ok := c.rows[key]; ok && s < c.changed[i] {
		return nil
	}
	u := &p.buffer
	var stage, mode, formNumber uint8
	month := int16(-1)
	if r.Gone {
		clear(u.singles)
		clear(u.multis)
		clear(u.states)
	} else {
		f, ok := p.schema.forms[r.Questionnaire]
		if !ok {
			return fault.New(fault.Invalid, "a response answers a questionnaire that is not known")
		}
		if stage, ok = stageNumber(r.Stage); !ok {
			return fault.New(fault.Invalid, "a response has a stage that is not known")
		}
		if mode, ok = indexOf(modes(), r.Mode); !ok {
			return fault.New(fault.Invalid, "a response has a mode that is not known")
		}
		if month = monthOf(r.SubmittedAt, p.zone); month < 0 {
			return fault.New(fault.Invalid, "a response was submitted at no time that can be")
		}
		if err := f.read(r.Packed, u); err != nil {
			return err
		}
		formNumber, _ = indexOf(p.schema.formIDs, r.Questionnaire)
	}
	i := c.row(key)
	if c.flags[i]&flagLive != 0 {
		c.liveCount--
	}
	c.changed[i], c.month[i], c.stage[i], c.mode[i], c.form[i], c.flags[i] = s, month, stage, mode, formNumber, 0
	c.round[i] = uint8(min(max(r.Round, 0), 255)) // #nosec G115 -- held between
	if !r.Gone {
		c.caseRow[i] = p.cases.row(p.hash(r.CaseKey))
		c.flags[i] = flagLive
		c.liveCount++
		if r.Disposition == string(Completed) {
			c.flags[i] |= flagComplete
		}
		if r.Quick {
			c.flags[i] |= flagQuick
		}
	}
	for k := range c.singles {
		c.singles[k][i] = u.singles[k]
	}
	for k := range c.multis {
		c.multis[k][i], c.states[k][i] = u.multis[k], u.states[k]
	}
	return nil
}

// codingColumns keeps each coded text apart, so that one of two can change.
type codingColumns struct {
	rows     map[hash]int32
	changed  []stamp
	response []int32
	positive []uint64
	negative []uint64
	next     []int32 // the next coding of the same response, -1 at the end
	first    map[int32]int32
	live     int
}

func (c *codingColumns) init() {
	c.rows = map[hash]int32{}
	c.first = map[int32]int32{}
}

func (p *Panel) applyTheme(r *ThemeRow) {
	c := &p.codings
	key, s := p.hash(r.ResponseID, r.Item), stampOf(r.ChangedAt, r.Gone)
	i, ok := c.rows[key]
	if ok && s < c.changed[i] {
		return
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
		c.positive, c.negative = append(c.positive, 0), append(c.negative, 0)
	}
	if alive(c.changed[i]) {
		c.live--
	}
	c.changed[i], c.positive[i], c.negative[i] = s, 0, 0
	if !r.Gone {
		c.live++
		for _, l := range r.Labels {
			n := p.themeNumber(l.Code)
			if n < 0 {
				continue
			}
			switch l.Polarity {
			case "positive":
				c.positive[i] |= 1 << n
			case "negative":
				c.negative[i] |= 1 << n
			}
		}
	}
	p.gatherThemes(c.response[i])
}

// gatherThemes lays what all coded texts of a response show into its columns.
func (p *Panel) gatherThemes(response int32) {
	c, r := &p.codings, &p.responses
	r.coded[response], r.positive[response], r.negative[response] = 0, 0, 0
	for i := c.first[response]; i >= 0; i = c.next[i] {
		if alive(c.changed[i]) {
			r.coded[response]++
			r.positive[response] |= c.positive[i]
			r.negative[response] |= c.negative[i]
		}
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
