package page

import (
	"slices"

	"victimvoice/internal/fault"
)

// Field is one control of a form: what it asks, what was typed, what is wrong.
type Field struct {
	Name      string
	Label     string
	Hint      string
	Error     string
	ErrorWord string // said before the error, in the page's language; "Problem:" when empty
	Value     string
	Values    []string // of checkboxes
	Type      string   // of an input: text, email, password, date …
	Max       int      // most characters; 0: no limit of its own
	Rows      int      // of a textarea
	Auto      string   // autocomplete token
	Choices   []Choice
	Legend    string // class of a group's legend: "big" on a page with one question
}

// Choice is one option of radios, checkboxes or a select.
type Choice struct {
	Value     string
	Label     string
	Hint      string
	Group     string // heading shown before the first of a group
	Apart     bool   // set apart from the rest: "does not apply", "rather not say"
	Exclusive bool   // of checkboxes: not together with others
}

// Checked reports whether a choice is chosen.
func (f Field) Checked(value string) bool {
	return value != "" && (f.Value == value || slices.Contains(f.Values, value))
}

// FirstApart reports whether a choice is the first that is set apart.
func (f Field) FirstApart(i int) bool {
	return f.Choices[i].Apart && (i == 0 || !f.Choices[i-1].Apart)
}

// NewGroup reports whether a choice begins a group.
func (f Field) NewGroup(i int) bool {
	return f.Choices[i].Group != "" && (i == 0 || f.Choices[i-1].Group != f.Choices[i].Group)
}

// EndGroup reports whether a choice is the last of a group.
func (f Field) EndGroup(i int) bool {
	return f.Choices[i].Group != "" && (i == len(f.Choices)-1 || f.Choices[i+1].Group != f.Choices[i].Group)
}

// Problem is one line of an error summary: where and what.
type Problem struct{ Field, Message string }

// Problems takes the field faults out of an error; general ones get no link.
func Problems(err error) []Problem {
	var out []Problem
	for _, f := range fault.FieldsOf(err) {
		out = append(out, Problem{f.Field, f.Message})
	}
	if len(out) == 0 {
		if m := fault.MessageOf(err); m != "" {
			out = append(out, Problem{"", m})
		}
	}
	return out
}

// ErrorOf gives the message of a field among problems.
func ErrorOf(problems []Problem, field string) string {
	for _, p := range problems {
		if p.Field == field {
			return p.Message
		}
	}
	return ""
}
