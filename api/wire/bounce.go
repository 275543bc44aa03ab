package wire

import (
	"time"

	"victimvoice/internal/fault"
)

// Bounce is a mail system's report that a mail could not be delivered.
type Bounce struct {
	MessageID string
	Kind      string    // permanent or transient
	At        time.Time // when it came back; zero: not said
	Faults    []fault.Field
}

var bounceFields = [...]string{"message_id", "kind", "at"}

// BounceFields lists the JSON names of a bounce.
func BounceFields() []string { return append([]string(nil), bounceFields[:]...) }

// maxMessageID bounds a Message-Id: a line of mail has at most 998 characters (RFC 5322).
const maxMessageID = 998

// Bounces reads one bounce, or an array of them, which batch reports. The error
// is a *Malformed when the bytes are neither, and fault.TooLarge above MaxBatch.
func Bounces(data []byte) (out []Bounce, batch bool, err error) {
	p := parser{data: data}
	p.space()
	switch p.peek() {
	case '[':
		err := array(data, func(p *parser) {
			if p.peek() == '{' {
				out = append(out, p.bounce())
				return
			}
			p.wrongType(Whole, "an object")
			out = append(out, Bounce{Faults: p.faults})
		})
		return out, true, err
	case '{':
		b := p.bounce()
		p.end()
		return []Bounce{b}, false, p.err
	}
	p.fail("an object or an array is wanted")
	return nil, false, p.err
}

func (p *parser) bounce() (b Bounce) {
	p.object(bounceFields[:], func(i int) {
		switch name := bounceFields[i]; i {
		case 0:
			p.text(name, &b.MessageID)
		case 1:
			p.text(name, &b.Kind)
		case 2:
			if t := p.time(name); t != nil {
				b.At = *t
			}
		}
	})
	b.Faults = p.faults
	if b.MessageID == "" {
		b.Faults = Join(b.Faults, []fault.Field{{Field: "message_id", Message: "is missing"}})
	} else if len(b.MessageID) > maxMessageID {
		b.Faults = append(b.Faults, fault.Field{Field: "message_id", Message: "is longer than a Message-Id can be"})
	}
	switch b.Kind {
	case "permanent", "transient":
	case "":
		b.Faults = Join(b.Faults, []fault.Field{{Field: "kind", Message: "is missing; want permanent or transient"}})
	default:
		b.Faults = Join(b.Faults, []fault.Field{{Field: "kind", Message: "want permanent or transient"}})
	}
	return b
}
