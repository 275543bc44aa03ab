package questionnaires

import (
	"slices"
	"strings"

	"victimvoice/internal/fault"
)

// The polarities of police advice. Official leaflets disagree in print, so the
// table is versioned and says on what and on whose word each line stands.
const (
	Harmful = "harmful" // goes against the guidance named as its basis
	Good    = "good"    // recommended practice
	Context = "context" // depends on the case: counted, never scored
)

// AdviceEntry is one line of the polarity table.
type AdviceEntry struct {
	Code      string `json:"code" yaml:"code"`
	Polarity  string `json:"polarity" yaml:"polarity"`
	Basis     string `json:"basis" yaml:"basis"`           // the source it rests on
	SignedOff string `json:"signed_off" yaml:"signed_off"` // who answers for this line
}

// Advice is one version of the polarity table. People never see polarity: the
// list they choose from is neutral and mixed.
type Advice struct {
	Version int           `json:"version"`
	Entries []AdviceEntry `json:"entries"`
}

// Advice gives the newest polarity table that the product ships with.
func (s *Set) Advice() *Advice { return s.advice[len(s.advice)-1] }

// AdviceVersion gives one version of the shipped table.
func (s *Set) AdviceVersion(version int) (*Advice, bool) {
	for _, a := range s.advice {
		if a.Version == version {
			return a, true
		}
	}
	return nil, false
}

// Polarity gives harmful, good or context; empty for a code the table lacks,
// "none of these" and "no advice" among them.
func (a *Advice) Polarity(code string) string {
	e, _ := a.Entry(code)
	return e.Polarity
}

// Entry gives the line of a code.
func (a *Advice) Entry(code string) (AdviceEntry, bool) {
	i := slices.IndexFunc(a.Entries, func(e AdviceEntry) bool { return e.Code == code })
	if i < 0 {
		return AdviceEntry{}, false
	}
	return a.Entries[i], true
}

// Codes gives every code, in the order of the table.
func (a *Advice) Codes() []string {
	out := make([]string, len(a.Entries))
	for i, e := range a.Entries {
		out[i] = e.Code
	}
	return out
}

// Harmful reports whether any of the codes is harmful in this version.
func (a *Advice) Harmful(codes []string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return a.Polarity(c) == Harmful })
}

// Revise gives the next version of the table with one line changed, for the
// commissioner's editor: an unknown code or polarity, or a change that nobody
// signs for, is fault Invalid. The receiver stays as it is.
func (a *Advice) Revise(e AdviceEntry) (*Advice, error) {
	var fields []fault.Field
	i := slices.IndexFunc(a.Entries, func(old AdviceEntry) bool { return old.Code == e.Code })
	if i < 0 {
		fields = append(fields, fault.Field{Field: "code", Message: "is not a code of the advice list"})
	}
	if msg := e.fault(); msg != "" {
		fields = append(fields, fault.Field{Field: "entry", Message: msg})
	}
	if err := fault.Fields("the advice table cannot be changed like this", fields...); err != nil {
		return nil, err
	}
	next := &Advice{Version: a.Version + 1, Entries: slices.Clone(a.Entries)}
	next.Entries[i] = e
	return next, nil
}

func (e AdviceEntry) fault() string {
	switch {
	case e.Polarity != Harmful && e.Polarity != Good && e.Polarity != Context:
		return "polarity is harmful, good or context"
	case strings.TrimSpace(e.Basis) == "":
		return "basis says what the polarity rests on"
	case strings.TrimSpace(e.SignedOff) == "":
		return "signed_off says who answers for it"
	}
	return ""
}
