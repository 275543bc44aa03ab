package wire

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"victimvoice/internal/fault"
)

// parser reads JSON (RFC 8259) more strictly than encoding/json: names match by
// every byte, a repeated or unknown name is a fault, and so is text that is not
// Unicode, each reported at its field instead of being mended in silence. The
// first syntax error stops it: err is set and every method then does nothing.
type parser struct {
	data   []byte
	pos    int
	prefix string // path of the object being read, with its dot
	faults []fault.Field
	err    error
}

func (p *parser) fail(wanted string) {
	if p.err == nil {
		p.err = &Malformed{Offset: p.pos, Wanted: wanted}
		p.pos = len(p.data)
	}
}

func (p *parser) fault(name, message string) {
	p.report(fault.Field{Field: p.prefix + name, Message: message})
}

func (p *parser) report(f fault.Field) {
	if len(p.faults) < MaxFaults {
		p.faults = append(p.faults, f)
	}
}

// peek is the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// end makes anything but blanks after the value an error.
func (p *parser) end() {
	p.space()
	if p.err == nil && p.pos < len(p.data) {
		p.fail("nothing may follow the value")
	}
}

// elements reads an array that begins here; read must take one value each time.
func (p *parser) elements(read func()) {
	p.pos++ // [
	p.space()
	if p.peek() == ']' {
		p.pos++
		return
	}
	for p.err == nil {
		read()
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case ']':
			p.pos++
			return
		default:
			p.fail("a comma or ] is wanted")
		}
	}
}

// members reads an object that begins here; read must take one value each time.
func (p *parser) members(read func(name string)) {
	p.pos++ // {
	p.space()
	if p.peek() == '}' {
		p.pos++
		return
	}
	for p.err == nil {
		if p.peek() != '"' {
			p.fail("a field name in double quotes is wanted")
			return
		}
		at := p.pos
		name, ok := p.string()
		if p.err == nil && !ok {
			p.pos = at
			p.fail("the field name is not valid Unicode")
			return
		}
		p.space()
		if p.peek() != ':' {
			p.fail("a colon is wanted")
			return
		}
		p.pos++
		p.space()
		read(name)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case '}':
			p.pos++
			return
		default:
			p.fail("a comma or } is wanted")
		}
	}
}

// object reads an object whose names are known; read must take the value of known[i].
func (p *parser) object(known []string, read func(i int)) {
	var seen uint32
	var unknown map[string]bool
	p.members(func(name string) {
		for i, k := range known {
			if k != name {
				continue
			}
			if seen&(1<<i) != 0 {
				p.fault(name, "given more than once")
				p.skip(0)
				return
			}
			seen |= 1 << i
			read(i)
			return
		}
		if !unknown[name] {
			if unknown == nil {
				unknown = map[string]bool{}
			}
			unknown[name] = true
			p.report(Unknown(p.prefix, name, known))
		}
		p.skip(0)
	})
}

// null takes a null if one is next.
func (p *parser) null() bool {
	if p.peek() != 'n' {
		return false
	}
	p.literal("null")
	return true
}

func (p *parser) literal(word string) {
	if !strings.HasPrefix(string(p.data[p.pos:min(p.pos+len(word), len(p.data))]), word) {
		p.fail("a value is wanted")
		return
	}
	p.pos += len(word)
}

// wrongType takes a value of another type than the wanted one.
func (p *parser) wrongType(name, wanted string) {
	found := ""
	switch c := p.peek(); {
	case c == '"':
		found = "a string"
	case c == '{':
		found = "an object"
	case c == '[':
		found = "an array"
	case c == 't', c == 'f':
		found = "true or false"
	case c == 'n':
		found = "null"
	case c == '-', c >= '0' && c <= '9':
		found = "a number"
	}
	p.skip(0)
	if p.err == nil {
		p.fault(name, wanted+" is wanted, not "+found)
	}
}

func (p *parser) text(name string, out *string) {
	if p.null() {
		return
	}
	if p.peek() != '"' {
		p.wrongType(name, "a string")
		return
	}
	s, ok := p.string()
	switch {
	case p.err != nil:
	case !ok:
		p.fault(name, notUnicode)
	default:
		*out = s
	}
}

const notUnicode = "not valid UTF-8 text"

func (p *parser) texts(name string) []string {
	if p.null() {
		return nil
	}
	if p.peek() != '[' {
		p.wrongType(name, "an array of strings")
		return nil
	}
	out := []string{}
	p.elements(func() {
		at := name + "[" + strconv.Itoa(len(out)) + "]"
		s := ""
		if p.peek() == 'n' {
			p.wrongType(at, "a string")
		} else {
			p.text(at, &s)
		}
		out = append(out, s)
	})
	return out
}

func (p *parser) boolean(name string) *bool {
	switch {
	case p.null():
		return nil
	case p.peek() == 't':
		p.literal("true")
		return new(true)
	case p.peek() == 'f':
		p.literal("false")
		return new(false)
	}
	p.wrongType(name, "true or false")
	return nil
}

func (p *parser) time(name string) *time.Time {
	if p.null() {
		return nil
	}
	if p.peek() != '"' {
		p.wrongType(name, "a time in a string, such as "+timeExample+",")
		return nil
	}
	s, ok := p.string()
	if p.err != nil {
		return nil
	}
	if !ok {
		p.fault(name, notUnicode)
		return nil
	}
	if s == "" {
		return nil // as good as absent; whether it may be is for the survey room
	}
	t, problem := Time(s)
	if problem != "" {
		p.fault(name, problem)
		return nil
	}
	return &t
}

// skip takes any value and checks its syntax.
func (p *parser) skip(depth int) {
	if depth == MaxDepth {
		p.fail("nesting this deep is not accepted")
		return
	}
	switch c := p.peek(); {
	case c == '"':
		_, _ = p.string()
	case c == '{':
		p.members(func(string) { p.skip(depth + 1) })
	case c == '[':
		p.elements(func() { p.skip(depth + 1) })
	case c == 't':
		p.literal("true")
	case c == 'f':
		p.literal("false")
	case c == 'n':
		p.literal("null")
	case c == '-', c >= '0' && c <= '9':
		p.number()
	default:
		p.fail("a value is wanted")
	}
}

func (p *parser) number() {
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else {
		p.digits()
	}
	if p.peek() == '.' {
		p.pos++
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		p.digits()
	}
}

func (p *parser) digits() {
	from := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == from {
		p.fail("a digit is wanted")
	}
}

// string takes a string. ok is false when it is well-formed JSON but not Unicode:
// invalid UTF-8, or half of a surrogate pair.
func (p *parser) string() (s string, ok bool) {
	p.pos++ // "
	from := p.pos
	for p.pos < len(p.data) { // the common case: nothing escaped
		switch c := p.data[p.pos]; {
		case c == '"':
			raw := p.data[from:p.pos]
			p.pos++
			return string(raw), utf8.Valid(raw)
		case c == '\\':
			return p.escaped(from)
		case c < ' ':
			p.fail("a control character in a string is written \\u00XX")
			return "", false
		}
		p.pos++
	}
	p.fail("the string is not closed")
	return "", false
}

func (p *parser) escaped(from int) (string, bool) {
	out := append([]byte(nil), p.data[from:p.pos]...)
	ok := true
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(out), ok && utf8.Valid(out)
		case c < ' ':
			p.fail("a control character in a string is written \\u00XX")
			return "", false
		case c != '\\':
			out = append(out, c)
			p.pos++
			continue
		}
		p.pos++
		switch c := p.peek(); c {
		case '"', '\\', '/':
			out = append(out, c)
			p.pos++
		case 'b':
			out = append(out, '\b')
			p.pos++
		case 'f':
			out = append(out, '\f')
			p.pos++
		case 'n':
			out = append(out, '\n')
			p.pos++
		case 'r':
			out = append(out, '\r')
			p.pos++
		case 't':
			out = append(out, '\t')
			p.pos++
		case 'u':
			p.pos++
			r := p.hex4()
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if p.pos+1 < len(p.data) && p.data[p.pos] == '\\' && p.data[p.pos+1] == 'u' {
					back := p.pos
					p.pos += 2
					low = p.hex4()
					if p.err == nil && utf16.DecodeRune(r, low) == utf8.RuneError {
						p.pos = back // it stands for itself
					}
				}
				r = utf16.DecodeRune(r, low)
				ok = ok && r != utf8.RuneError
			}
			out = utf8.AppendRune(out, r)
		default:
			p.fail("an escape is wanted: \\n, \\\", \\u0000 …")
			return "", false
		}
		if p.err != nil {
			return "", false
		}
	}
	p.fail("the string is not closed")
	return "", false
}

func (p *parser) hex4() rune {
	if p.pos+4 > len(p.data) {
		p.fail("four hexadecimal digits are wanted")
		return 0
	}
	var r rune
	for range 4 {
		c := p.data[p.pos]
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			p.fail("four hexadecimal digits are wanted")
			return 0
		}
		p.pos++
	}
	return r
}
