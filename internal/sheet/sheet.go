// Package sheet owns tables that leave the program: CSV, JSON Lines and XLSX,
// written as a stream, with columns keyed by an id that does not change (an
// item's, for answers) and a data dictionary that says what each column means.
// What is written for spreadsheets can't start a formula.
package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/internal/fault"
)

// Format is how a table is written.
type Format string

// The formats. CSV is for programs: UTF-8 without a byte-order mark, lines ending
// in LF so that line breaks inside a text stay as they are. XLSX is for people.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
	XLSX  Format = "xlsx"
)

// ParseFormat reads a format's name; the empty one is CSV. Another is fault.Invalid.
func ParseFormat(s string) (Format, error) {
	switch f := Format(strings.ToLower(s)); f {
	case "":
		return CSV, nil
	case CSV, JSONL, XLSX:
		return f, nil
	}
	return "", fault.Fields("the format is not known", fault.Field{Field: "format", Message: "want csv, jsonl or xlsx"})
}

// MediaType is the format's Content-Type.
func (f Format) MediaType() string {
	switch f {
	case JSONL:
		return "application/x-ndjson"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	default:
		return "text/csv; charset=utf-8; header=present"
	}
}

// Column is one column of a table and what the dictionary says of it.
type Column struct {
	ID       string   // the key: an item's id or a name that stays
	Title    string   // in words
	Type     string   // text, integer, number, yes-no, time, date, code, codes
	Unit     string   // such as percent; empty: none
	Values   []string // of a code: "code = meaning"
	Meaning  string   // what it says, how it is counted, what an empty cell means
	Source   string   // where it comes from, such as a questionnaire's version
	Personal bool     // may tell of a person: handle with care
}

// Writer writes a table row by row. Either Close or Discard must end it; neither
// closes what is written to. After an error only Discard is of use.
type Writer interface {
	// Row writes a row. A value is nil for an empty cell, a string, a bool, any
	// integer or float type, a time.Time or a []string. There must be one a column.
	Row(values ...any) error
	// Close writes what is left.
	Close() error
	// Discard writes no more and lets go of what is temporary: the output is incomplete.
	Discard() error
}

// New begins a table: the header is written with it. Two columns of one id are
// fault.Internal, an unknown format fault.Invalid.
func New(format Format, w io.Writer, columns []Column) (Writer, error) {
	seen := map[string]bool{}
	for _, c := range columns {
		if c.ID == "" || seen[c.ID] {
			return nil, fault.New(fault.Internal, "a table has two columns %q, or one without a name", c.ID)
		}
		seen[c.ID] = true
	}
	switch format {
	case CSV:
		return newCSV(w, columns)
	case JSONL:
		return newJSONL(w, columns)
	case XLSX:
		return newXLSX(w, columns)
	}
	_, err := ParseFormat(string(format))
	return nil, err
}

// dictionaryColumns describe a dictionary, which is a table itself.
func dictionaryColumns() []Column {
	return []Column{
		{ID: "column", Title: "Column", Type: "text"}, {ID: "title", Title: "Title", Type: "text"}, {ID: "type", Title: "Type", Type: "text"},
		{ID: "unit", Title: "Unit", Type: "text"}, {ID: "values", Title: "Values", Type: "text"}, {ID: "meaning", Title: "Meaning", Type: "text"},
		{ID: "source", Title: "Source", Type: "text"}, {ID: "personal", Title: "Personal data", Type: "yes-no"},
	}
}

func (c Column) describe() []any {
	return []any{c.ID, c.Title, c.Type, emptyNil(c.Unit), emptyNil(strings.Join(c.Values, "; ")), emptyNil(c.Meaning), emptyNil(c.Source), c.Personal}
}

func emptyNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Dictionary writes the data dictionary of a table: a row a column. An XLSX
// table carries its own as a second sheet.
func Dictionary(format Format, w io.Writer, columns []Column) error {
	out, err := New(format, w, dictionaryColumns())
	if err != nil {
		return err
	}
	for _, c := range columns {
		if err := out.Row(c.describe()...); err != nil {
			return errors.Join(err, out.Discard())
		}
	}
	return out.Close()
}

// Safe makes a text safe for a spreadsheet: one that would be read as a formula
// gets an apostrophe in front. Beside = + - @ that is tab, carriage return and
// line feed, which some programs drop before they look, and the full-width forms
// that some take for the plain ones. (OWASP, CSV Injection.)
func Safe(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	switch r {
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return "'" + s
	}
	return s
}

// separator joins the values of a cell that holds several.
const separator = "|"

// text gives a value as a cell's text: times in UTC, as RFC 3339.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "�"), nil
	case []string:
		return strings.ToValidUTF8(strings.Join(v, separator), "�"), nil
	case time.Time:
		if v.IsZero() {
			return "", nil
		}
		return v.UTC().Format(time.RFC3339), nil
	}
	return "", fmt.Errorf("a cell can't hold a %T", v)
}

func wrongWidth(got, want int) error {
	return fmt.Errorf("a row of %d values for %d columns", got, want)
}
