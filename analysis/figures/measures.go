package figures

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"victimvoice/survey/questionnaires"
)

// Kind says how a measure is made up.
type Kind string

// The kinds of measure.
const (
	KindShare Kind = "share" // positive answers over valid answers
	KindIndex Kind = "index" // mean of the scored items of a construct, 0 to 100
	KindRate  Kind = "rate"  // people to whom something applies over people it could apply to
	KindMean  Kind = "mean"  // mean of one scored item, 0 to 100
)

// Which way is better for the person.
const (
	BetterHigher = "higher"
	BetterLower  = "lower"
)

// Measure is one figure that can be asked for, with its written definition.
type Measure struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Construct  string   `json:"construct,omitempty"`
	Kind       Kind     `json:"kind"`
	Numerator  string   `json:"numerator"`  // what is counted; of an index or mean, what is averaged
	Base       string   `json:"base"`       // out of whom
	Exclusions string   `json:"exclusions"` // who is left out, and why
	Source     string   `json:"source"`     // where the answers come from
	Better     string   `json:"better"`     // higher, lower, or empty when neither is
	Stages     []string `json:"stages"`     // stages at which it is measured

	askings bool       // counts askings, by their due date, and not responses
	coded   *codedSide // of a theme: which; nil: nothing that a coder found
	judges  judges     // of the harmful-advice rate: which version of the polarity table judged when
	rows    func(*Panel) rowFunc
	check   func(c counts) string
}

// Averages reports whether the measure is a mean of scores and not a share of people.
func (m *Measure) Averages() bool { return m.Kind == KindIndex || m.Kind == KindMean }

// Asks reports whether the measure counts askings and not responses. It then has
// neither mode nor questionnaire, and its period is that of the asking's due date.
func (m *Measure) Asks() bool { return m.askings }

// What one row adds to the counters of its cell, as bits; links from bitLink on.
const (
	bitBase uint16 = 1 << iota
	bitNum
	bitLink
)

// rowFunc says what a row adds: of a response by its number, of an asking by its
// disposition. The score counts only for measures that average.
type rowFunc func(i int32) (bits uint16, score float64)

// counts are the counters of a cell or of several cells together. Links are counts
// that other measures of the same family publish or that follow from them.
type counts struct {
	num, base int
	sum       float64
	links     []int
}

const (
	completeOnly   = "Partial answers; answers given by an advocate (another mode, shown apart); an advocate's answers where the victim has answered too."
	validOnly      = "Skipped, not applicable, don't know and prefer not to say. " + completeOnly
	sourceAsking   = "The invitation record of each case: what was due, what was sent, and what became of it, by due date."
	aaporExclusion = "Askings not yet due or not yet sent; ineligible or superseded ones; those it was not safe to make."
	aaporSource    = "AAPOR Standard Definitions, 10th edition (2023). " + sourceAsking
)

// Measures gives every measure, in a stable order: core trackers, indices,
// advice, other items, themes, response.
func (p *Panel) Measures() []Measure {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.register()
}

// Measure finds a measure by its id.
func (p *Panel) Measure(id string) (Measure, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.measure(id)
}

func (p *Panel) measure(id string) (Measure, bool) {
	all := p.register()
	if i := slices.IndexFunc(all, func(m Measure) bool { return m.ID == id }); i >= 0 {
		return all[i], true
	}
	return Measure{}, false
}

// register makes the list; the caller holds the lock. It is remembered until the
// advice table changes.
func (p *Panel) register() []Measure {
	p.tables.mu.Lock()
	defer p.tables.mu.Unlock()
	if p.tables.measures == nil || p.tables.advice != p.advice {
		p.tables.measures, p.tables.advice = p.allMeasures(), p.advice
		p.tables.entries, p.tables.kinned = nil, nil
		p.tables.kin = p.allKin(p.tables.measures)
	}
	return slices.Clone(p.tables.measures)
}

func (p *Panel) allMeasures() []Measure {
	var core, items, choices []Measure
	for _, c := range p.schema.columns {
		switch {
		case c.item == adviceItem || c.item == worryItem:
		case c.multi:
			choices = append(choices, p.choiceMeasures(c, c.item+".code.", nil)...)
		case c.core && c.share:
			core = append(core, p.shareMeasure(c, c.item))
		case c.share && c.scored:
			items = append(items, p.shareMeasure(c, c.item))
		case c.scored:
			items = append(items, p.meanMeasure(c))
		default:
			choices = append(choices, p.choiceMeasures(c, c.item+".code.", nil)...)
		}
	}
	out := slices.Concat(core, p.indexMeasures(), p.adviceMeasures(), items, choices)
	for n, t := range p.themes {
		out = append(out, themeMeasures(n, t)...)
	}
	return append(out, responseMeasures()...)
}

const (
	adviceItem = "advice.codes"
	worryItem  = "advice.risk"
)

func (c *column) source() string { return c.item + " in " + strings.Join(c.forms, ", ") }

func (p *Panel) shareMeasure(c *column, id string) Measure {
	var lookup [256]uint16
	for n, v := range c.values {
		if v.state == questionnaires.Answered {
			lookup[valueBase+n] = bitBase
			if v.positive {
				lookup[valueBase+n] |= bitNum
			}
		}
	}
	m := Measure{ID: id, Title: c.title, Construct: c.construct, Kind: KindShare,
		Numerator:  "Complete responses that answered " + c.labels(func(v value) bool { return v.positive }) + ".",
		Base:       "Complete responses with a valid answer to this question.",
		Exclusions: validOnly, Source: c.source(), Better: BetterHigher, Stages: slices.Clone(c.stages),
		check: checkShare,
		rows: func(p *Panel) rowFunc {
			col := p.responses.singles[c.at]
			return func(i int32) (uint16, float64) { return lookup[col[i]], 0 }
		}}
	if c.lowerBetter() {
		m.Better = BetterLower
	}
	return m
}

// meanMeasure averages a scored item that no option of which is simply positive.
func (p *Panel) meanMeasure(c *column) Measure {
	var score [256]float64
	for i := range score {
		score[i] = math.NaN()
	}
	for n, v := range c.values {
		if v.state == questionnaires.Answered {
			score[valueBase+n] = v.score
		}
	}
	return Measure{ID: c.item, Title: c.title, Construct: c.construct, Kind: KindMean,
		Numerator:  "The mean score of the answers, 0 (worst) to 100 (best).",
		Base:       "Complete responses with a scored answer to this question.",
		Exclusions: validOnly, Source: c.source(), Better: BetterHigher, Stages: slices.Clone(c.stages), check: checkMean,
		rows: func(p *Panel) rowFunc {
			col := p.responses.singles[c.at]
			return func(i int32) (uint16, float64) {
				if v := score[col[i]]; !math.IsNaN(v) {
					return bitBase, v
				}
				return 0, 0
			}
		}}
}

// choiceMeasures makes one rate an option of an item that has no share of its own.
func (p *Panel) choiceMeasures(c *column, prefix string, better func(code string) string) []Measure {
	var out []Measure
	for n, v := range c.values {
		if v.state != questionnaires.Answered || slices.ContainsFunc(out, func(m Measure) bool { return m.ID == prefix+v.code }) {
			continue
		}
		m := Measure{ID: prefix + v.code, Title: c.title + " – " + v.label, Construct: c.construct, Kind: KindRate,
			Numerator:  "Complete responses that chose “" + v.label + "”.",
			Base:       "Complete responses that answered this question.",
			Exclusions: validOnly, Source: c.source(), Stages: slices.Clone(c.stages), check: checkShare}
		if better != nil {
			m.Better = better(v.code)
		}
		mask := c.mask(func(o value) bool { return o.code == v.code && o.state == questionnaires.Answered })
		if c.multi {
			m.rows = multiRows(c, mask)
		} else {
			m.rows = singleRows(c, n)
		}
		out = append(out, m)
	}
	return out
}

// multiRows counts responses that chose any of the options in the mask.
func multiRows(c *column, mask uint64) func(*Panel) rowFunc {
	return func(p *Panel) rowFunc {
		chosen, state := p.responses.multis[c.at], p.responses.states[c.at]
		return func(i int32) (uint16, float64) {
			switch {
			case state[i] != uint8(questionnaires.Answered):
				return 0, 0
			case chosen[i]&mask != 0:
				return bitBase | bitNum, 0
			}
			return bitBase, 0
		}
	}
}

func singleRows(c *column, n int) func(*Panel) rowFunc {
	var lookup [256]uint16
	for k, v := range c.values {
		if v.state == questionnaires.Answered {
			lookup[valueBase+k] = bitBase
			if v.code == c.values[n].code {
				lookup[valueBase+k] |= bitNum
			}
		}
	}
	return func(p *Panel) rowFunc {
		col := p.responses.singles[c.at]
		return func(i int32) (uint16, float64) { return lookup[col[i]], 0 }
	}
}

// indexMeasures makes one index a construct that has at least two scored items in some questionnaire.
func (p *Panel) indexMeasures() []Measure {
	var out []Measure
	for _, construct := range []string{questionnaires.Confidence, questionnaires.Communication, questionnaires.AdviceGiven,
		questionnaires.Serious, questionnaires.Safety, questionnaires.Overall, questionnaires.Identification, questionnaires.Support} {
		var names, stages []string
		for _, c := range p.schema.columns {
			if c.scored && c.construct == construct {
				names = append(names, c.item)
				for _, s := range c.stages {
					if !slices.Contains(stages, s) {
						stages = append(stages, s)
					}
				}
			}
		}
		if len(names) < 2 {
			continue
		}
		out = append(out, Measure{ID: "index." + construct, Title: constructTitle(construct) + " index", Construct: construct, Kind: KindIndex,
			Numerator:  "The mean score, 0 (worst) to 100 (best), of the construct's scored questions that the person answered.",
			Base:       "Complete responses that answered at least half of the construct's scored questions in their questionnaire.",
			Exclusions: "Responses with fewer than half answered, the quick path among them. Questions answered as not applicable count neither way. " + completeOnly,
			Source:     strings.Join(names, ", "), Better: BetterHigher, Stages: stages, check: checkMean,
			rows: func(p *Panel) rowFunc { return p.indexRows(construct) }})
	}
	return out
}

func constructTitle(c string) string {
	switch c {
	case questionnaires.Serious:
		return "Being taken seriously"
	case "":
		return ""
	}
	return strings.ToUpper(c[:1]) + c[1:]
}

func (p *Panel) indexRows(construct string) rowFunc {
	type scored struct {
		col   []uint8
		score *[256]float64 // NaN where an answer has none; -1 where the question does not apply
	}
	byForm := make([][]scored, len(p.schema.formIDs))
	for n, id := range p.schema.formIDs {
		for _, c := range p.schema.columns {
			if c.multi || !slices.Contains(p.schema.forms[id].indices[construct], c.at) {
				continue
			}
			var table [256]float64
			for i := range table {
				table[i] = math.NaN()
			}
			table[questionnaires.NotApplicable] = -1
			for k, v := range c.values {
				switch v.state {
				case questionnaires.Answered:
					table[valueBase+k] = v.score
				case questionnaires.NotApplicable:
					table[valueBase+k] = -1
				case questionnaires.NotReached, questionnaires.Skipped, questionnaires.DontKnow, questionnaires.PreferNot:
				}
			}
			byForm[n] = append(byForm[n], scored{p.responses.singles[c.at], &table})
		}
	}
	form := p.responses.form
	return func(i int32) (uint16, float64) {
		asked, answered, sum := 0, 0, 0.0
		for _, s := range byForm[form[i]] {
			switch v := s.score[s.col[i]]; {
			case v >= 0:
				asked, answered, sum = asked+1, answered+1, sum+v
			case v != -1:
				asked++
			}
		}
		if answered == 0 || 2*answered < asked {
			return 0, 0
		}
		return bitBase, sum / float64(answered)
	}
}

func (p *Panel) adviceMeasures() []Measure {
	var out []Measure
	if c, ok := p.schema.byItem[adviceItem]; ok && c.multi {
		by := p.judges(c)
		out = append(out, Measure{ID: "advice.harmful", Title: "Harmful-advice rate", Construct: questionnaires.AdviceGiven, Kind: KindRate,
			Numerator:  "Complete responses that named at least one piece of advice classed as harmful.",
			Base:       "Complete responses that answered the advice question; “none of these” and “no advice” are answers.",
			Exclusions: validOnly,
			Source:     fmt.Sprintf("%s; by the version of the polarity table in force in the month of the answer, now version %d", c.source(), p.advice.Version),
			Better:     BetterLower, Stages: slices.Clone(c.stages), check: checkShare, judges: by,
			rows: func(p *Panel) rowFunc { return by.rows(p, c) }})
		advice := p.advice
		out = append(out, p.choiceMeasures(c, "advice.code.", func(code string) string {
			switch advice.Polarity(code) {
			case questionnaires.Harmful:
				return BetterLower
			case questionnaires.Good:
				return BetterHigher
			}
			return ""
		})...)
	}
	if c, ok := p.schema.byItem[worryItem]; ok && c.share {
		m := p.shareMeasure(c, "advice.worry")
		m.Better = BetterLower
		out = append(out, m)
	}
	return out
}

// codedSide is one side of one theme.
type codedSide struct {
	theme int
	side  string // positive, negative or any
}

// is reports whether a text with these sides has it.
func (c *codedSide) is(positive, negative uint64) bool {
	bit := uint64(1) << c.theme
	return c.side != "negative" && positive&bit != 0 || c.side != "positive" && negative&bit != 0
}

// The links of themes: what the coder itself found, before people's corrections, since
// the corrected share gives it away; and of "any" those on the one side alone.
const (
	linkFound = iota
	linkOnlyPositive
	linkOnlyNegative
	linkFoundPositive
	linkFoundNegative
)

// onlySides gives the links of those with one side alone.
func (c *codedSide) onlySides(positive, negative uint64, first int) (b uint16) {
	bit := uint64(1) << c.theme
	switch yes, no := positive&bit != 0, negative&bit != 0; {
	case yes && !no:
		b = bitLink << first
	case no && !yes:
		b = bitLink << (first + 1)
	}
	return b
}

func themeMeasures(n int, t Theme) []Measure {
	sides := []struct{ id, words, better string }{
		{"positive", "a positive label of this theme", BetterHigher},
		{"negative", "a negative label of this theme", BetterLower},
		{"any", "a label of this theme, on either side", ""},
	}
	out := make([]Measure, 0, len(sides))
	for _, s := range sides {
		m := Measure{ID: "theme." + t.Code + "." + s.id, Title: t.Title + " – " + s.id, Construct: t.Construct, Kind: KindRate,
			Numerator:  "Complete responses whose words carry " + s.words + ".",
			Base:       "Complete responses with words that have been coded.",
			Exclusions: "Responses without words; words left for a person to code. " + completeOnly,
			Source:     "Free text, redacted and coded against the codebook (" + t.Code + "). The share is what was counted, the coder's errors included; where a person has coded enough texts drawn at random, a share corrected for them stands beside it.",
			Better:     s.better, Stages: stages(), check: checkCoded}
		if s.id == "any" {
			m.check = checkUnion
		}
		side := &codedSide{n, s.id}
		m.coded = side
		m.rows = func(p *Panel) rowFunc {
			r := &p.responses
			return func(i int32) (uint16, float64) {
				if r.coded[i] == 0 {
					return 0, 0
				}
				b := bitBase
				if side.is(r.positive[i], r.negative[i]) {
					b |= bitNum
				}
				if side.is(r.found[0][i], r.found[1][i]) {
					b |= bitLink << linkFound
				}
				if side.side == "any" {
					b |= side.onlySides(r.positive[i], r.negative[i], linkOnlyPositive) | side.onlySides(r.found[0][i], r.found[1][i], linkFoundPositive)
				}
				return b, 0
			}
		}
		out = append(out, m)
	}
	return out
}

func responseMeasures() []Measure {
	asks := func(m Measure, row func(disposition uint8) uint16) Measure {
		m.Kind, m.askings, m.Stages, m.check = KindRate, true, stages(), checkShare
		m.rows = func(*Panel) rowFunc {
			return func(i int32) (uint16, float64) { return row(uint8(i)), 0 } // #nosec G115 -- a disposition
		}
		return m
	}
	rate := func(above func(Dispositions) int, base func(Dispositions) int) func(uint8) uint16 {
		return func(disposition uint8) uint16 {
			var d Dispositions
			d.add(disposition)
			var b uint16
			if base(d) > 0 {
				b |= bitBase
			}
			if above(d) > 0 {
				b |= bitNum
			}
			return b
		}
	}
	complete := func(d Dispositions) int { return d.Complete }
	answered := func(d Dispositions) int { return d.Complete + d.Partial }
	unsafe := func(d Dispositions) int { return d.NotSafe }
	orUnsafe := func(d Dispositions) int { return d.Base() + d.NotSafe }
	out := []Measure{
		asks(Measure{ID: "response.rr1", Title: "Response rate (RR1)", Numerator: "Askings that ended in a complete response.",
			Base:       "Complete, partial, refused, not contacted (undelivered, or sent or handed over and not answered yet), other and unknown.",
			Exclusions: aaporExclusion, Source: aaporSource, Better: BetterHigher}, rate(complete, Dispositions.Base)),
		asks(Measure{ID: "response.rr2", Title: "Response rate (RR2)", Numerator: "Askings that ended in a complete or partial response (at least one core question answered).",
			Base:       "Complete, partial, refused, not contacted (undelivered, or sent or handed over and not answered yet), other and unknown.",
			Exclusions: aaporExclusion, Source: aaporSource, Better: BetterHigher}, rate(answered, Dispositions.Base)),
		asks(Measure{ID: "response.not-safe", Title: "Not safe to ask", Numerator: "Askings that were not made because it was not safe.",
			Base:       "Everyone in the response rates' base, and those it was not safe to ask.",
			Exclusions: "Askings not yet due or not yet sent; ineligible or superseded ones.", Source: sourceAsking}, rate(unsafe, orUnsafe)),
	}
	steps := []struct {
		id, title, words string
		step             int
	}{
		{"eligible", "Eligible to be asked", "were for a person eligible to be asked", stepEligible},
		{"safe", "Safe to ask", "could safely be made", stepSafe},
		{"invited", "Invited", "led to an invitation, by mail or on a card", stepInvited},
		{"delivered", "Delivered", "led to an invitation that did not come back", stepDelivered},
		{"started", "Started", "led to a questionnaire that was begun", stepStarted},
		{"partial", "At least one core question answered", "led to at least one answer to a core question", stepAnswered},
		{"complete", "Complete", "ended in a complete response", stepComplete},
	}
	for _, s := range steps {
		step := s.step
		out = append(out, asks(Measure{ID: "dissemination." + s.id, Title: s.title,
			Numerator:  "Askings that " + s.words + ". Each step lies within the one before.",
			Base:       "All askings that fell due in the period.",
			Exclusions: "None: ineligible and unsafe askings stay in the base, so that the strip starts from everyone.",
			Source:     sourceAsking},
			func(disposition uint8) uint16 {
				if lastStep(disposition) >= step {
					return bitBase | bitNum
				}
				return bitBase
			}))
	}
	return out
}

// links says how many linked counters a measure keeps.
func (m *Measure) links() int {
	switch {
	case m.coded != nil && m.coded.side == "any":
		return linkFoundNegative + 1
	case m.coded != nil:
		return linkFound + 1
	}
	return 0
}

func checkShare(c counts) string { return Primary(c.num, c.base) }

// checkMean is the primary rule for means: enough people, and not all at one end.
func checkMean(c counts) string {
	switch {
	case c.base <= 0:
		return ""
	case c.base < MinBase:
		return ReasonBase
	case c.base < SmallBase && (c.sum == 0 || c.sum >= 100*float64(c.base)):
		return ReasonUnanimous
	}
	return ""
}

func few(n int) bool { return n > 0 && n < MinCell }

// checkCoded guards a theme's rate, and what the coder itself found with it: the
// corrected share gives that away, so that it must be publishable too.
func checkCoded(c counts) string {
	if r := Primary(c.num, c.base); r != "" {
		return r
	}
	if Primary(c.links[linkFound], c.base) != "" {
		return ReasonLinked
	}
	return ""
}

// checkUnion guards a theme's "either side" rate: less its positive or negative rate
// it would give those with the one side alone, or with both.
func checkUnion(c counts) string {
	if r := checkCoded(c); r != "" {
		return r
	}
	only := func(all, positive, negative int) bool {
		return few(positive) || few(negative) || few(all-positive-negative)
	}
	if only(c.num, c.links[linkOnlyPositive], c.links[linkOnlyNegative]) || only(c.links[linkFound], c.links[linkFoundPositive], c.links[linkFoundNegative]) {
		return ReasonLinked
	}
	return ""
}
