package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"victimvoice/analysis/emerging"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// The comparisons that show what is new.
const (
	CompareTime    = "time"    // a window of months against the months before it
	CompareUncoded = "uncoded" // within the window, texts that no code fits against the others
)

// maxWordsRead holds one comparison to what a page can wait for.
const maxWordsRead = 20_000

// maxLines is how many lines are shown of one term.
const maxLines = 6

// Comparison asks what is new. Months are written 2026-03 and included at both ends.
type Comparison struct {
	Kind             string // CompareTime or CompareUncoded
	From, To         string // the window
	BaseFrom, BaseTo string // what it is compared with; not of CompareUncoded
	Force, BCU       string // one area; empty: all
}

// DefaultComparison is the last three months against the twelve before them.
func DefaultComparison(today time.Time) Comparison {
	first := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	month := func(back int) string { return first.AddDate(0, -back, 0).Format("2006-01") }
	return Comparison{Kind: CompareTime, From: month(2), To: month(0), BaseFrom: month(14), BaseTo: month(3)}
}

func (c *Comparison) check() error {
	var faults []fault.Field
	wrong := func(field, message string) {
		faults = append(faults, fault.Field{Field: field, Message: message})
	}
	if c.Kind != CompareTime && c.Kind != CompareUncoded {
		wrong("compare", "is one of time, uncoded")
	}
	bad := false
	month := func(field, value string) {
		if _, err := time.Parse("2006-01", value); err != nil {
			wrong(field, "want a month such as 2026-03")
			bad = true
		}
	}
	month("from", c.From)
	month("to", c.To)
	if c.Kind == CompareTime {
		month("base_from", c.BaseFrom)
		month("base_to", c.BaseTo)
	}
	switch {
	case bad:
	case c.To < c.From:
		wrong("to", "is not before the first month")
	case c.Kind == CompareTime && c.BaseTo < c.BaseFrom:
		wrong("base_to", "is not before the first month")
	case c.Kind == CompareTime && c.BaseTo >= c.From && c.BaseFrom <= c.To:
		wrong("base_to", "overlaps the window: compare months with other months")
	}
	return fault.Fields("this comparison cannot be made", faults...)
}

// NewTerm is a term that stands out, with where it stands.
type NewTerm struct {
	emerging.Term
	Lines []emerging.Line
}

// NewTerms answers a comparison.
type NewTerms struct {
	People, Others int  // in the group looked at, and in the other
	Few            bool // either group has fewer than ten people: nothing is compared
	Terms          []NewTerm
}

// Terms makes a comparison over what people wrote themselves, in English, as it stands
// redacted, of complete responses. All that one person wrote within a group is one
// document. Reading the words is on record before they are read. It is fault.Invalid
// with a field for each thing wrong, and fault.TooLarge past twenty thousand texts.
func (e *Emerging) Terms(ctx context.Context, by survey.Actor, c Comparison) (NewTerms, error) {
	if err := c.check(); err != nil {
		return NewTerms{}, err
	}
	if err := e.audit.Append(ctx, by.Entry("words.compared", "words:"+c.From+".."+c.To)); err != nil {
		return NewTerms{}, fmt.Errorf("audit a comparison of words: %w", err)
	}
	group, others, err := e.gather(ctx, c)
	if err != nil {
		return NewTerms{}, err
	}
	out := NewTerms{People: len(group), Others: len(others), Few: len(group) < emerging.MinGroup || len(others) < emerging.MinGroup}
	if out.Few {
		out.People, out.Others = 0, 0 // a base under ten is not said
		return out, nil
	}
	terms, err := emerging.Terms(ctx, group, others)
	if err != nil {
		return NewTerms{}, fmt.Errorf("compare words: %w", err)
	}
	for _, t := range terms {
		out.Terms = append(out.Terms, NewTerm{Term: t, Lines: emerging.Lines(group, t.Words, maxLines)})
	}
	return out, nil
}

// gather reads the redacted texts of both groups, one document a person, in an order
// that does not hang on the store.
func (e *Emerging) gather(ctx context.Context, c Comparison) (group, others []emerging.Document, err error) {
	since, err := time.Parse("2006-01", c.From)
	if err != nil {
		return nil, nil, fmt.Errorf("read a month: %w", err)
	}
	if c.Kind == CompareTime && c.BaseFrom < c.From {
		if since, err = time.Parse("2006-01", c.BaseFrom); err != nil {
			return nil, nil, fmt.Errorf("read a month: %w", err)
		}
	}
	sides, read := [2]map[int32][]string{{}, {}}, 0
	// What was said in a month was coded in it or later.
	for coded, err := range e.room.codings.CodingsChanged(ctx, since.AddDate(0, 0, -1)) {
		if err != nil {
			return nil, nil, fmt.Errorf("read codings: %w", err)
		}
		if coded.Gone || coded.Status != StatusCoded {
			continue
		}
		side, who := e.sideOf(&c, &coded)
		if side < 0 {
			continue
		}
		if read++; read > maxWordsRead {
			return nil, nil, fault.New(fault.TooLarge, "there are too many texts to compare at once: choose fewer months or one area")
		}
		text, err := e.room.Text(&coded)
		if err != nil {
			return nil, nil, err
		}
		sides[side][who] = append(sides[side][who], text)
	}
	return documents(sides[0]), documents(sides[1]), nil
}

// sideOf says in which group a text belongs, 0 or 1, and whose it is; -1 for neither.
func (e *Emerging) sideOf(c *Comparison, coded *Coding) (side int, who int32) {
	a, ok := e.room.panel.Answer(coded.Response)
	if !ok || !a.Complete || a.Mode != string(survey.ModeSelf) || c.Force != "" && a.Force != c.Force || c.BCU != "" && a.BCU != c.BCU {
		return -1, 0
	}
	window := a.Month >= c.From && a.Month <= c.To
	switch {
	case c.Kind == CompareUncoded && window && len(coded.Labels) == 0:
		return 0, a.Case
	case c.Kind == CompareUncoded && window:
		return 1, a.Case
	case c.Kind == CompareTime && window:
		return 0, a.Case
	case c.Kind == CompareTime && a.Month >= c.BaseFrom && a.Month <= c.BaseTo:
		return 1, a.Case
	}
	return -1, 0
}

func documents(of map[int32][]string) []emerging.Document {
	out := make([]emerging.Document, 0, len(of))
	for _, texts := range of {
		slices.Sort(texts)
		out = append(out, emerging.Document{Texts: texts})
	}
	slices.SortFunc(out, func(a, b emerging.Document) int {
		return strings.Compare(strings.Join(a.Texts, "\n"), strings.Join(b.Texts, "\n"))
	})
	return out
}
