// Package wire owns the written forms of what machines tell us, case events above
// all: how one is read from JSON, strictly and with every fault named by its
// field, and how times and names are read wherever events are written down. It
// decides what the text says; whether that makes a good event is for the survey
// room to judge.
package wire

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// The limits of what is read. They are stated in the OpenAPI description and in
// the answers that refuse what passes them.
const (
	MaxEvent  = 64 << 10 // bytes of one event, in any form
	MaxBatch  = 10_000   // events or bounces of one request
	MaxDepth  = 16       // nesting of a JSON value
	MaxFaults = 32       // faults reported of the writing of one event
)

// Whole is the field name of a fault that is of a record and of no single field of it.
const Whole = "record"

// Record is one event as it was written, with the faults of its writing.
type Record struct {
	Event  survey.Event
	Faults []fault.Field
}

// Malformed says that bytes are not the JSON they should be. It quotes nothing
// of what was sent.
type Malformed struct {
	Offset int    // of the byte at fault, from 0
	Wanted string // what would be right there
}

func (m *Malformed) Error() string {
	return fmt.Sprintf("malformed JSON at byte %d: %s", m.Offset, m.Wanted)
}

// eventFields and contactFields are the JSON names of survey.Event and
// survey.Contact; a test holds them to the structs.
var (
	eventFields = [...]string{
		"event_id", "case_ref", "type", "occurred_at", "force", "borough", "offence", "domestic_abuse", "adult", "advocate", "contact",
		"person_ref", "age_band", "sex", "milestone", "reason", "outcome", "into", "corrects",
	}
	contactFields = [...]string{"email", "language", "email_safe", "safe_confirmed_at", "safe_days", "safe_from", "safe_to"}
)

// EventFields lists the JSON names of an event, EventFields()[i] in the order of the struct.
func EventFields() []string { return slices.Clone(eventFields[:]) }

// ContactFields lists the JSON names of an event's contact.
func ContactFields() []string { return slices.Clone(contactFields[:]) }

// Event reads one event. Null stands for an absent value. Faults of single
// fields (unknown or repeated names, wrong types, times that are no times, text
// that is no Unicode) come with the record; its other fields are read all the
// same. The error is a *Malformed when the bytes are not one JSON object, and
// fault.TooLarge above MaxEvent.
func Event(data []byte) (Record, error) {
	if len(data) > MaxEvent {
		return Record{}, tooLarge()
	}
	p := parser{data: data}
	p.space()
	var r Record
	if p.peek() != '{' {
		p.fail("an object is wanted: {…}")
		return Record{}, p.err
	}
	p.event(&r.Event)
	p.end()
	if p.err != nil {
		return Record{}, p.err
	}
	r.Faults = p.faults
	return r, nil
}

// Array reads a JSON array of events. An element that is no object has a fault
// of the Whole. The error is a *Malformed when the bytes are not one JSON array,
// and fault.TooLarge above MaxBatch events.
func Array(data []byte) ([]Record, error) {
	var out []Record
	err := array(data, func(p *parser) {
		var r Record
		start := p.pos
		if p.peek() == '{' {
			p.event(&r.Event)
		} else {
			p.wrongType(Whole, "an object")
		}
		r.Faults = p.faults
		if p.pos-start > MaxEvent {
			r = Record{Event: survey.Event{EventID: r.Event.EventID}, Faults: []fault.Field{{Field: Whole, Message: fault.MessageOf(tooLarge())}}}
		}
		out = append(out, r)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// array reads a JSON array of at most MaxBatch elements; read takes one each time.
func array(data []byte, read func(*parser)) error {
	p := parser{data: data}
	p.space()
	if p.peek() != '[' {
		p.fail("an array is wanted: […]")
		return p.err
	}
	n := 0
	p.elements(func() {
		if n == MaxBatch {
			p.err = fault.New(fault.TooLarge, "a batch holds at most %d", MaxBatch)
			return
		}
		n++
		p.faults = nil
		read(&p)
	})
	p.end()
	return p.err
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "an event is at most %d KiB", MaxEvent>>10)
}

func (p *parser) event(e *survey.Event) {
	p.object(eventFields[:], func(i int) {
		name := eventFields[i]
		switch i {
		case 0:
			p.text(name, &e.EventID)
		case 1:
			p.text(name, &e.CaseRef)
		case 2:
			p.text(name, (*string)(&e.Type))
		case 3:
			if t := p.time(name); t != nil {
				e.OccurredAt = *t
			}
		case 4:
			p.text(name, &e.Force)
		case 5:
			p.text(name, &e.Borough)
		case 6:
			p.text(name, &e.Offence)
		case 7:
			e.DomesticAbuse = p.boolean(name)
		case 8:
			e.Adult = p.boolean(name)
		case 9:
			p.text(name, &e.Advocate)
		case 10:
			p.contact(&e.Contact)
		case 11:
			p.text(name, &e.PersonRef)
		case 12:
			p.text(name, &e.AgeBand)
		case 13:
			p.text(name, &e.Sex)
		case 14:
			p.text(name, &e.Milestone)
		case 15:
			p.text(name, &e.Reason)
		case 16:
			p.text(name, &e.Outcome)
		case 17:
			p.text(name, &e.Into)
		case 18:
			p.text(name, &e.Corrects)
		}
	})
}

func (p *parser) contact(out **survey.Contact) {
	if p.null() {
		return
	}
	if p.peek() != '{' {
		p.wrongType("contact", "an object")
		return
	}
	c := new(survey.Contact)
	*out = c
	outer := p.prefix
	p.prefix = "contact."
	p.object(contactFields[:], func(i int) {
		name := contactFields[i]
		switch i {
		case 0:
			p.text(name, &c.Email)
		case 1:
			p.text(name, &c.Language)
		case 2:
			c.EmailSafe = p.boolean(name)
		case 3:
			c.SafeConfirmedAt = p.time(name)
		case 4:
			c.SafeDays = p.texts(name)
		case 5:
			p.text(name, &c.SafeFrom)
		case 6:
			p.text(name, &c.SafeTo)
		}
	})
	p.prefix = outer
}

// Join adds to the faults of an event's writing those of its meaning, but for
// fields that were not even written well: their value was never seen.
func Join(written, meant []fault.Field) []fault.Field {
	if slices.ContainsFunc(written, func(f fault.Field) bool { return f.Field == Whole }) {
		return written
	}
	n := len(written)
	for _, f := range meant {
		if !slices.ContainsFunc(written[:n], func(w fault.Field) bool { return w.Field == f.Field || strings.HasPrefix(w.Field, f.Field+"[") }) {
			written = append(written, f)
		}
	}
	return written
}

// Nearest gives the candidate closest to name by edit distance, or nothing when
// none is close enough to be what was meant.
func Nearest(name string, candidates []string) string {
	best, at := "", len(name)/3+2
	if utf8.RuneCountInString(name) > 64 {
		return "" // no name of ours is that long
	}
	for _, c := range candidates {
		if d := distance(name, c); d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance by bytes, which is enough for our own
// ASCII names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Unknown is the fault of a name that no event has, with the nearest that one has.
func Unknown(prefix, name string, known []string) fault.Field {
	message := "unknown field"
	if n := Nearest(name, known); n != "" {
		message += "; nearest is " + prefix + n
	}
	return fault.Field{Field: prefix + clipped(name), Message: message}
}

// clipped keeps a sender's own name for something short and printable, since it
// is given back and may be shown in a terminal.
func clipped(name string) string {
	const most = 64
	out := make([]rune, 0, most)
	for _, r := range name {
		if len(out) == most {
			out = append(out[:most-1], '…')
			break
		}
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			r = '�'
		}
		out = append(out, r)
	}
	return string(out)
}
