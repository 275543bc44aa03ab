package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/analysis/figures"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// AdviceRevision is one version of the advice polarity table, made here from the one
// before it by changing one line. It is written once and never changed; the versions
// that the product ships are not among them.
type AdviceRevision struct {
	ID      string                       `json:"id"` // its number in four digits: two people cannot both make the next one
	Version int64                        `json:"version"`
	Number  int                          `json:"number"`  // of the table
	Entries []questionnaires.AdviceEntry `json:"entries"` // the whole table
	Code    string                       `json:"code"`    // the line that was changed
	Note    string                       `json:"note"`    // why
	From    time.Time                    `json:"from"`    // the first instant of the month from which it is in force
	At      time.Time                    `json:"at"`
	By      string                       `json:"by"` // staff id
}

// Table is the revision as a polarity table.
func (r *AdviceRevision) Table() *questionnaires.Advice {
	return &questionnaires.Advice{Version: r.Number, Entries: r.Entries}
}

// AdviceTables is the storage port of the polarity table's versions. See survey.Store
// for the meaning of Update methods and errors.
type AdviceTables interface {
	AdviceRevision(ctx context.Context, id string) (AdviceRevision, error)
	UpdateAdviceRevision(ctx context.Context, id string, fn func(*AdviceRevision) error) (AdviceRevision, error)
	// AdviceRevisions lists all, in order of their ids.
	AdviceRevisions(ctx context.Context) ([]AdviceRevision, error)
}

const (
	maxAdviceText = 300  // basis and sign-off
	maxAdviceNote = 2000 // why
	maxRevisions  = 9999 // as many as an id has room for
)

// Advising keeps the polarity table of advice.
type Advising struct {
	room   *Service
	tables AdviceTables
	audit  *audit.Log
}

// NewAdvising puts it together over the analysis room.
func NewAdvising(room *Service, tables AdviceTables, log *audit.Log) *Advising {
	return &Advising{room: room, tables: tables, audit: log}
}

// AdviceHistory is the polarity table with all its versions.
type AdviceHistory struct {
	Shipped   *questionnaires.Advice // what the product came with, in force from the beginning
	Revisions []AdviceRevision       // the earliest first
	InForce   *questionnaires.Advice // by which answers of this month are judged
	Latest    *questionnaires.Advice // which the next version starts from
	From      time.Time              // when the latest comes into force, where it is not yet; zero: it is
}

// History gives the polarity table and how it came about.
func (a *Advising) History(ctx context.Context) (AdviceHistory, error) {
	revisions, err := a.tables.AdviceRevisions(ctx)
	if err != nil {
		return AdviceHistory{}, fmt.Errorf("list the versions of the polarity table: %w", err)
	}
	h := AdviceHistory{Shipped: a.room.survey.Questionnaires().Advice(), Revisions: revisions}
	h.InForce, h.Latest = h.Shipped, h.Shipped
	now := a.room.now()
	for i := range revisions {
		h.Latest = revisions[i].Table()
		if !revisions[i].From.After(now) {
			h.InForce = h.Latest
		} else {
			h.From = revisions[i].From
		}
	}
	return h, nil
}

// Revise makes the next version of the table, with one line changed, in force from the
// first day of the next month: no figure of a month that has begun is counted anew.
// number is the version that whoever changes it had before them; fault Conflict where
// there is a newer one by now.
func (a *Advising) Revise(ctx context.Context, by survey.Actor, number int, e questionnaires.AdviceEntry, note string) (AdviceRevision, error) {
	h, err := a.History(ctx)
	if err != nil {
		return AdviceRevision{}, err
	}
	e.Basis, e.SignedOff, note = strings.TrimSpace(e.Basis), strings.TrimSpace(e.SignedOff), strings.TrimSpace(note)
	old, ok := h.Latest.Entry(e.Code)
	if !ok {
		return AdviceRevision{}, fault.New(fault.NotFound, "There is no such advice in the table.")
	}
	conflict := fault.New(fault.Conflict, "somebody else changed the table in the meantime; look at it again before you save")
	if number != h.Latest.Version {
		return AdviceRevision{}, conflict
	}
	if err := checkAdvice(e, old, note); err != nil {
		return AdviceRevision{}, err
	}
	next, err := h.Latest.Revise(e)
	if err != nil {
		return AdviceRevision{}, fmt.Errorf("revise the polarity table: %w", err)
	}
	if next.Version > maxRevisions {
		return AdviceRevision{}, fault.New(fault.Invalid, "the table has been changed as often as it can be")
	}
	id := fmt.Sprintf("%04d", next.Version)
	if err := a.audit.Append(ctx, by.Entry("advice.revised", "advice:"+id+":"+e.Code)); err != nil {
		return AdviceRevision{}, fmt.Errorf("audit a version of the polarity table: %w", err)
	}
	now := a.room.now()
	out, err := a.tables.UpdateAdviceRevision(ctx, id, func(r *AdviceRevision) error {
		if r.Version > 0 {
			return conflict
		}
		*r = AdviceRevision{ID: r.ID, Version: r.Version, Number: next.Version, Entries: next.Entries, Code: e.Code, Note: note, From: a.room.panel.NextMonth(now), At: now, By: by.ID}
		return nil
	})
	if err != nil {
		return AdviceRevision{}, fmt.Errorf("keep a version of the polarity table: %w", err)
	}
	return out, nil
}

func checkAdvice(e, old questionnaires.AdviceEntry, note string) error {
	var faults []fault.Field
	wrong := func(field, message string) {
		faults = append(faults, fault.Field{Field: field, Message: message})
	}
	if !slices.Contains([]string{questionnaires.Harmful, questionnaires.Good, questionnaires.Context}, e.Polarity) {
		wrong("polarity", "is one of harmful, good, context")
	}
	for _, f := range []struct{ field, text, missing string }{
		{"basis", e.Basis, "say what the polarity rests on"}, {"signed_off", e.SignedOff, "say which post or body answers for it"},
	} {
		switch n := utf8.RuneCountInString(f.text); {
		case n == 0:
			wrong(f.field, f.missing)
		case n > maxAdviceText:
			wrong(f.field, fmt.Sprintf("is at most %d characters", maxAdviceText))
		}
	}
	switch n := utf8.RuneCountInString(note); {
	case n == 0:
		wrong("note", "say why it is changed")
	case n > maxAdviceNote:
		wrong("note", fmt.Sprintf("is at most %d characters", maxAdviceNote))
	}
	if len(faults) == 0 && e == old {
		wrong("polarity", "nothing has been changed")
	}
	return fault.Fields("this line of the polarity table cannot be kept", faults...)
}

// refreshAdvice tells the panel which versions of the polarity table are in force. It
// is asked each time: one may have been made elsewhere, or a month have begun.
func (s *Service) refreshAdvice(ctx context.Context) error {
	revisions, err := s.rows.AdviceRevisions(ctx)
	if err != nil {
		return fmt.Errorf("list the versions of the polarity table: %w", err)
	}
	now := s.now()
	revisions = slices.DeleteFunc(revisions, func(r AdviceRevision) bool { return r.From.After(now) })
	if len(revisions) == s.advised {
		return nil // they are only ever added to
	}
	steps := []figures.AdviceStep{{Advice: s.survey.Questionnaires().Advice()}}
	for i := range revisions {
		steps = append(steps, figures.AdviceStep{From: revisions[i].From, Advice: revisions[i].Table()})
	}
	s.panel.SetAdviceHistory(steps...)
	s.advised = len(revisions)
	return nil
}
