// Package fault names the kinds of error this service tells apart.
//
// An error has three faces: its full text is for the log, Message is for the
// person or program that made the request, and the kind is what the HTTP edge
// maps to a status. An error that carries no fault is Internal, and its text
// never leaves the process.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong in the terms a caller can act on.
type Kind uint8

// The kinds. Internal is the zero value: whatever nobody classified.
const (
	Internal     Kind = iota
	Invalid           // the input is wrong; Fields say where and what would be right
	NotFound          // there is no such thing, or the caller may not know of it
	Conflict          // the input is right but clashes with what is stored
	Denied            // the caller is known and may not do this
	Unauthorized      // the caller is not known
	TooLarge          // the input passes a stated limit
	TooMany           // the caller is going too fast
	Unavailable       // a part we depend on is away; the same call may work later
)

var kindNames = [...]string{"internal", "invalid", "not found", "conflict", "denied", "unauthorized", "too large", "too many", "unavailable"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Field is one fault in one place of the input. Field is the name the sender
// used (a JSON key or CSV header); Message says what would be right.
type Field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is an error with a kind and a message that is safe to show.
type Error struct {
	Kind    Kind
	Message string
	Fields  []Field
	Err     error // the cause, for the log alone; may be nil
}

// Error gives the full text, for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.Field + ": " + f.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind with a message that is safe to show.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives a cause a kind and a message that is safe to show. The cause's own
// text stays in the log. Wrapping nil gives nil.
func Wrap(kind Kind, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err}
}

// Fields makes an Invalid error of the given field faults; nil when there are none.
func Fields(message string, fields ...Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: message, Fields: fields}
}

// KindOf is the kind of the first fault in err's chain; Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err's chain holds a fault of this kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// FieldsOf gives the field faults in err's chain, if any.
func FieldsOf(err error) []Field {
	var e *Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}

// MessageOf gives the text that may be shown; empty when err carries no fault.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}
