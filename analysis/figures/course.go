package figures

import (
	"slices"
	"strings"
	"time"

	"victimvoice/survey/questionnaires"
)

// course is how a case went, as the columns hold it: minutes since 2000, 0 where it
// has not happened.
type course struct {
	reported, withdrew, closed int32
	reason                     uint16 // for withdrawing, as police record it
}

// minuteOf counts minutes since January 2000; 0 for a time that is not set or before then.
func minuteOf(t time.Time) int32 {
	if t.IsZero() {
		return 0
	}
	m := (t.Unix() - epoch) / 60
	if m < 1 || m >= 1<<31 {
		return 0
	}
	return int32(m) // #nosec G115 -- held between
}

// epoch is 1 January 2000 in Unix seconds.
const epoch = 946684800

// day numbers the calendar day in London on which a minute lies.
func (p *Panel) day(minute int32) int { return dayOf(time.Unix(epoch+60*int64(minute), 0), p.zone) }

func dayOf(t time.Time, zone *time.Location) int {
	l := t.In(zone)
	_, offset := l.Zone()
	return int((l.Unix() + int64(offset)) / 86400)
}

// What became of a case.
const (
	fateOpen  = iota // nothing is recorded yet
	fateLeft         // the person withdrew
	fateNFA          // closed with no further action, without a withdrawal
	fateEnded        // ended otherwise: charged, a caution, a court's result, passed on
)

// fateOf says what has become of a case by an instant, and when.
func (p *Panel) fateOf(row int32, asAt int32) (fate int, minute int32) {
	c := &p.cases.course[row]
	switch {
	case c.withdrew > 0 && c.withdrew <= asAt:
		return fateLeft, c.withdrew
	case c.closed == 0 || c.closed > asAt:
		return fateOpen, 0
	case strings.HasPrefix(p.cases.outcomes.names[p.cases.outcome[row]], "nfa"):
		return fateNFA, c.closed
	}
	return fateEnded, c.closed
}

// ofForce reports whether a case is of a force; empty: of any.
func (p *Panel) ofForce(row int32, force string) bool {
	return force == "" || p.cases.forces.names[p.cases.areas[p.cases.area[row]].force] == force
}

// kept reports whether a case is there, was reported by an instant, and is of a force.
func (p *Panel) kept(row int32, asAt int32, force string) bool {
	c := &p.cases
	return alive(c.changed[row]) && c.course[row].reported > 0 && c.course[row].reported <= asAt && p.ofForce(row, force)
}

// The outcomes whose drivers can be asked for.
const (
	OutcomeWithdrew      = "withdrew"
	OutcomeNFA           = "nfa"
	OutcomeLowConfidence = "low-confidence"
)

// How long a case is looked at: the outcome counts where it came within these days of
// the report, and only cases reported at least so long ago are counted, so that each
// had the same time in which it could come.
const (
	WithdrawalDays = 91
	NFADays        = 182
)

// history is one person's answers at the report stage and what came after them.
type history struct {
	response, row int32
	outcome       bool
}

// histories gives, one a case, the complete answers that people gave themselves at the
// report stage, with whether the outcome followed. For an outcome of the case, answers
// given after the case had ended are left out: they could not come before it.
func (p *Panel) histories(outcome, force string, asAt time.Time) []history {
	r, now := &p.responses, minuteOf(asAt)
	today := dayOf(asAt, p.zone)
	low, ok := p.schema.byItem["core.confidence"]
	if !ok {
		return nil
	}
	confidence := low.read(p, false)
	var out []history
	for i := range r.flags {
		if r.flags[i]&(flagLive|flagComplete) != flagLive|flagComplete || r.mode[i] != 0 || r.stage[i] != 0 || r.round[i] > 1 || r.minute[i] > now {
			continue
		}
		h := history{response: int32(i), row: r.caseRow[i]} // #nosec G115 -- row numbers are int32
		if !p.kept(h.row, now, force) {
			continue
		}
		c := &p.cases.course[h.row]
		old := today - p.day(c.reported)
		fate, ended := p.fateOf(h.row, now)
		after := fate != fateOpen && ended <= r.minute[i]
		took := p.day(ended) - p.day(c.reported)
		switch outcome {
		case OutcomeWithdrew:
			if old < WithdrawalDays || after {
				continue
			}
			h.outcome = fate == fateLeft && took < WithdrawalDays
		case OutcomeNFA:
			if old < NFADays || after || fate == fateLeft {
				continue
			}
			h.outcome = fate == fateNFA && took < NFADays
		default:
			v := confidence(h.response)
			if v < 0 {
				continue
			}
			h.outcome = v == 1
		}
		out = append(out, h)
	}
	return out
}

// read gives how an answer to a single item with a share reads: 1 where it is positive
// (or, not positive where it is turned), 0 where it is not, -1 where there is no valid
// answer.
func (c *column) read(p *Panel, positive bool) func(response int32) int8 {
	var lookup [256]int8
	for i := range lookup {
		lookup[i] = -1
	}
	for n, v := range c.values {
		if v.state == questionnaires.Answered {
			lookup[valueBase+n] = 0
			if v.positive == positive {
				lookup[valueBase+n] = 1
			}
		}
	}
	col := p.responses.singles[c.at]
	return func(i int32) int8 { return lookup[col[i]] }
}

// A factor is something that a case or its answers have or have not.
type factor struct {
	id, title, against, source string
	survey                     bool
	read                       func(h *history) int8 // 1 has it, 0 has not, -1 is not known
}

// factors are those that are asked about, chosen beforehand after the Deep Dive's own
// tables and the three constructs. All are of the report stage or known from the report.
func (p *Panel) factors() []factor {
	var out []factor
	item := func(id, title, against string, positive bool) {
		c, ok := p.schema.byItem[id]
		if !ok || c.multi {
			return
		}
		read := c.read(p, positive)
		out = append(out, factor{id, title, against, "Answer at the report stage: " + c.title, true, func(h *history) int8 { return read(h.response) }})
	}
	item(notConfident, "Not confident in the investigation", "very or fairly confident", false)
	item("core.informed", "Not kept informed well", "kept informed very or fairly well", false)
	item("core.serious", "Did not feel taken seriously", "agreed that they were", false)
	if harmful, ok := p.harmful(); ok {
		out = append(out, factor{"advice.harmful", "Given harmful advice", "named none that is classed as harmful", "Answer at the report stage, by the polarity table in force", true, harmful})
	}
	item("report.named", "Somebody called it stalking", "nobody did", true)
	item("report.risk", "Asked about their risk", "not asked", true)
	item("report.support", "Support offered", "not offered", true)
	c := &p.cases
	fact := func(id, title, against string, read func(row int32) int8) {
		out = append(out, factor{id, title, against, "The case's record", false, func(h *history) int8 { return read(h.row) }})
	}
	named := func(col []uint16, d *dict, codes ...string) func(int32) int8 {
		return func(row int32) int8 {
			switch name := d.names[col[row]]; {
			case name == "":
				return -1
			case slices.Contains(codes, name):
				return 1
			}
			return 0
		}
	}
	fact("offence.stalking-4a", "Stalking with fear or distress (4A)", "another offence", named(c.offence, &c.offences, "stalking-4a"))
	fact("domestic_abuse", "Domestic abuse", "none recorded", func(row int32) int8 { return int8(c.abuse[row]) - 1 }) // #nosec G115 -- 0, 1 or 2
	fact("age.35-54", "Aged 35 to 54", "another age", named(c.age, &c.ages, "35-44", "45-54"))
	fact("sex.female", "Female", "male", named(c.sex, &c.sexes, "female"))
	return out
}

// harmful reads whether an answer names advice that is classed as harmful.
func (p *Panel) harmful() (func(h *history) int8, bool) {
	c, ok := p.schema.byItem[adviceItem]
	if !ok || !c.multi {
		return nil, false
	}
	row := p.judges(c).rows(p, c)
	return func(h *history) int8 {
		switch b, _ := row(h.response); {
		case b&bitBase == 0:
			return -1
		case b&bitNum != 0:
			return 1
		}
		return 0
	}, true
}
