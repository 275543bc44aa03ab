// Package extract owns files of case events: it reads the CSV and JSON Lines
// extracts of police systems with the faults such files have, says of every fault
// the line, the field and what would be right, and imports what is good.
package extract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/api/wire"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Format is how a file of events is written.
type Format string

// The formats. Import settles Guess by the first character: a brace begins JSON Lines.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
	Guess Format = ""
)

// FormatOf tells a file's format by its name. Another ending than .csv, .jsonl or
// .ndjson is fault.Invalid; the name "-" gives Guess.
func FormatOf(name string) (Format, error) {
	if name == "-" {
		return Guess, nil
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	}
	return Guess, fault.New(fault.Invalid, "a file of events ends in .csv or .jsonl")
}

// Record is one record of a file, as it was written.
type Record struct {
	Line   int // on which it starts, from 1; blank lines and lines inside quotes count
	Event  survey.Event
	Faults []fault.Field // of the writing; the event is still to be checked
	Header bool          // the faults are of the header line: no record of the file can be trusted
	Unread bool          // counted, but not read, since the header does not say enough
}

// bom is the byte-order mark of UTF-8.
var bom = []byte("\ufeff")

// Read gives the records of a file in turn. Times without an offset, which CSV
// alone may have, are local in zone. An error of r is the last thing given.
func Read(r io.Reader, format Format, zone *time.Location) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := bufio.NewReaderSize(r, readSize)
		start, err := in.Peek(len(bom))
		if err != nil && !errors.Is(err, io.EOF) {
			yield(Record{}, fmt.Errorf("read the extract: %w", err))
			return
		}
		if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
			yield(headerFault(1, wire.Whole, "the file is UTF-16; save it as UTF-8"), nil)
			return
		}
		if bytes.Equal(start, bom) {
			_, _ = in.Discard(len(bom)) // it was peeked
		}
		if format == JSONL {
			readLines(in, yield)
		} else {
			readTable(in, zone, yield)
		}
	}
}

func headerFault(line int, field, message string) Record {
	return Record{Line: line, Header: true, Faults: []fault.Field{{Field: field, Message: message}}}
}

func readLines(in *bufio.Reader, yield func(Record, error) bool) {
	line, lastly := 0, false
	for !lastly {
		line++
		text, long, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(Record{}, fmt.Errorf("read the extract: %w", err))
			return
		}
		lastly = err != nil
		if !long && len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		rec := Record{Line: line}
		if long {
			rec.Faults = []fault.Field{{Field: wire.Whole, Message: tooLong}}
		} else if r, err := wire.Event(text); err != nil {
			rec.Faults = []fault.Field{{Field: wire.Whole, Message: err.Error()}}
		} else {
			rec.Event, rec.Faults = r.Event, r.Faults
		}
		if !yield(rec, nil) {
			return
		}
	}
}

// readLine takes a line; of one longer than an event may be, only that it is long.
func readLine(in *bufio.Reader) (text []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if !long {
			text = append(text, part...)
		}
		if long = long || len(text) > wire.MaxEvent+len("\r\n"); long {
			text = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(text, "\r\n"), long, err
		}
	}
}

// Columns lists the names of CSV columns: the JSON names of an event, the
// contact's with contact_ in front.
func Columns() []string {
	var out []string
	for _, name := range wire.EventFields() {
		if name != "contact" {
			out = append(out, name)
			continue
		}
		for _, c := range wire.ContactFields() {
			out = append(out, "contact_"+c)
		}
	}
	return out
}

// requiredColumns are those without which no record can be good.
func requiredColumns() []string {
	return []string{"event_id", "case_ref", "type", "occurred_at", "force"}
}

func readTable(in io.Reader, zone *time.Location, yield func(Record, error) bool) {
	t := newTable(in)
	head, ok := t.next()
	if t.err != nil {
		yield(Record{}, fmt.Errorf("read the extract: %w", t.err))
		return
	}
	if !ok {
		yield(headerFault(1, wire.Whole, "the file is empty; its first line names the columns"), nil)
		return
	}
	if head.problem != "" {
		yield(headerFault(head.line, wire.Whole, head.problem), nil)
		return
	}
	names, faults, enough := readHeader(head.values)
	if len(faults) > 0 && !yield(Record{Line: head.line, Header: true, Faults: faults}, nil) {
		return
	}
	for {
		r, ok := t.next()
		if t.err != nil {
			yield(Record{}, fmt.Errorf("read the extract: %w", t.err))
			return
		}
		if !ok {
			return
		}
		rec := Record{Line: r.line, Unread: !enough}
		if enough {
			rec.Event, rec.Faults = readRow(r, names, zone)
		}
		if !yield(rec, nil) {
			return
		}
	}
}

// readHeader gives the column names, empty for columns that can't be read, and
// what is wrong with them; enough is false when records can't be read by them.
func readHeader(values [][]byte) (names []string, faults []fault.Field, enough bool) {
	known := Columns()
	at := map[string]int{}
	for i, v := range values {
		name := strings.ToLower(string(v))
		switch first, again := at[name]; {
		case name == "":
			names = append(names, "") // spreadsheets leave such; it may hold nothing
			continue
		case !utf8.Valid(v):
			name = ""
			faults = append(faults, fault.Field{Field: fmt.Sprintf("column %d", i+1), Message: "the name is not valid UTF-8; want " + strings.Join(known, ", ")})
		case again:
			faults = append(faults, fault.Field{Field: name, Message: fmt.Sprintf("is the name of column %d and of column %d", first+1, i+1)})
		case !slices.Contains(known, name):
			f := wire.Unknown("", name, known)
			f.Message = strings.Replace(f.Message, "field", "column", 1)
			if i == 0 && len(values) == 1 && strings.ContainsAny(name, ";\t") {
				f.Message += "; columns are separated by commas"
			}
			faults = append(faults, f)
		}
		if name != "" {
			at[name] = i
		}
		names = append(names, name)
	}
	enough = true
	for _, name := range requiredColumns() {
		if _, ok := at[name]; !ok {
			enough = false
			faults = append(faults, fault.Field{Field: name, Message: "there is no such column; every event needs it"})
		}
	}
	return names, faults, enough
}

func readRow(r row, names []string, zone *time.Location) (e survey.Event, faults []fault.Field) {
	if r.problem != "" {
		return e, []fault.Field{{Field: wire.Whole, Message: r.problem}}
	}
	if len(r.values) != len(names) {
		return e, []fault.Field{{Field: wire.Whole, Message: fmt.Sprintf("has %d values where the header has %d columns", len(r.values), len(names))}}
	}
	contact := new(survey.Contact)
	for i, name := range names {
		if len(r.values[i]) == 0 {
			continue
		}
		var problem string
		if value := oneLine(r.values[i]); !utf8.ValidString(value) {
			problem = "is not valid UTF-8; save the file as UTF-8"
		} else {
			problem = set(&e, contact, name, value, zone)
		}
		if problem == "" && strings.HasPrefix(name, "contact_") {
			e.Contact = contact
		}
		if problem != "" {
			if name == "" {
				name = fmt.Sprintf("column %d", i+1)
			}
			faults = append(faults, fault.Field{Field: name, Message: problem})
		}
	}
	return e, faults
}

// oneLine writes the line breaks inside a quoted value as single blanks: no value
// of an event has lines.
func oneLine(v []byte) string {
	if bytes.IndexByte(v, '\n') < 0 {
		return string(v)
	}
	parts := bytes.Split(v, []byte{'\n'})
	kept := parts[:0]
	for _, p := range parts {
		if p = bytes.TrimSpace(p); len(p) > 0 {
			kept = append(kept, p)
		}
	}
	return string(bytes.Join(kept, []byte{' '}))
}

// set puts a value where its column says.
func set(e *survey.Event, c *survey.Contact, column, value string, zone *time.Location) (problem string) {
	switch column {
	case "event_id":
		e.EventID = value
	case "case_ref":
		e.CaseRef = value
	case "type":
		e.Type = survey.EventType(value)
	case "occurred_at":
		e.OccurredAt, problem = wire.LocalTime(value, zone)
	case "force":
		e.Force = value
	case "borough":
		e.Borough = value
	case "offence":
		e.Offence = value
	case "domestic_abuse":
		e.DomesticAbuse, problem = yesNo(value)
	case "adult":
		e.Adult, problem = yesNo(value)
	case "advocate":
		e.Advocate = value
	case "person_ref":
		e.PersonRef = value
	case "age_band":
		e.AgeBand = value
	case "sex":
		e.Sex = value
	case "milestone":
		e.Milestone = value
	case "reason":
		e.Reason = value
	case "outcome":
		e.Outcome = value
	case "into":
		e.Into = value
	case "corrects":
		e.Corrects = value
	case "contact_email":
		c.Email = value
	case "contact_language":
		c.Language = value
	case "contact_email_safe":
		c.EmailSafe, problem = yesNo(value)
	case "contact_safe_confirmed_at":
		var t time.Time
		if t, problem = wire.LocalTime(value, zone); problem == "" {
			c.SafeConfirmedAt = &t
		}
	case "contact_safe_days":
		for day := range strings.SplitSeq(value, "|") {
			if day = strings.TrimSpace(day); day != "" {
				c.SafeDays = append(c.SafeDays, day)
			}
		}
	case "contact_safe_from":
		c.SafeFrom = value
	case "contact_safe_to":
		c.SafeTo = value
	case "":
		problem = "there is a value, but the column has no name"
	}
	return problem
}

func yesNo(s string) (*bool, string) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "t", "1":
		return new(true), ""
	case "false", "no", "n", "f", "0":
		return new(false), ""
	}
	return nil, "is not a yes or no; want true or false"
}

// columnOf names the CSV column of a JSON path: contact.email is contact_email.
func columnOf(path string) string {
	path, _, _ = strings.Cut(path, "[")
	return strings.Replace(path, ".", "_", 1)
}
