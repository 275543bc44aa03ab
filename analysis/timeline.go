package analysis

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/analysis/figures"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// MarkKind is what a mark on the time axis stands for.
type MarkKind string

// The kinds of marks.
const (
	MarkPolicy MarkKind = "policy" // a rule, a process or a service changed
	MarkNote   MarkKind = "note"   // whatever else readers of the charts should know
	MarkRebase MarkKind = "rebase" // the limits of one chart are drawn anew from then on
)

// Mark is a dated remark on the time axis of charts. It is never changed once it is
// made: taking it back is an entry of its own, and both stay. It holds no person.
type Mark struct {
	ID      string         `json:"id"`
	Version int64          `json:"version"`
	Kind    MarkKind       `json:"kind"`
	On      string         `json:"on"`     // 2006-01-02; of a re-base the first day of a month
	Title   string         `json:"title"`  // of a policy or note
	Text    string         `json:"text"`   // more of it; of a re-base the reason
	Force   string         `json:"force"`  // whose charts show it; empty: everybody's
	Series  figures.Series `json:"series"` // of a re-base: the one chart

	By     string       `json:"by"` // staff id
	At     time.Time    `json:"at"`
	Undone MarkTakeBack `json:"undone,omitzero"`
}

// MarkTakeBack says who took a mark back, when and why.
type MarkTakeBack struct {
	By  string    `json:"by,omitempty"`
	At  time.Time `json:"at,omitzero"`
	Why string    `json:"why,omitempty"`
}

// Stands reports whether a mark is in force: made and not taken back.
func (m *Mark) Stands() bool { return m.Undone.At.IsZero() }

// Marks is the storage port of marks on the time axis. See survey.Store for the
// meaning of Update methods and errors.
type Marks interface {
	Mark(ctx context.Context, id string) (Mark, error)
	UpdateMark(ctx context.Context, id string, fn func(*Mark) error) (Mark, error)
	// Marks lists all, those taken back included, in order of (On, id).
	Marks(ctx context.Context) ([]Mark, error)
}

const (
	maxMarkTitle = 120
	maxMarkText  = 2000
)

// Timeline keeps what happened beside the figures: policy changes, notes and re-bases.
type Timeline struct {
	room  *Service
	marks Marks
	audit *audit.Log
}

// NewTimeline puts it together over the analysis room.
func NewTimeline(room *Service, marks Marks, log *audit.Log) *Timeline {
	return &Timeline{room: room, marks: marks, audit: log}
}

// NewMark is what somebody wants to put on the time axis. Kind, On, Title, Text,
// Force and Series are as in Mark; the month of a re-base may be given as 2006-01.
type NewMark struct {
	Kind                   MarkKind
	On, Title, Text, Force string
	Series                 figures.Series
}

func (n *NewMark) check(now time.Time) error {
	n.Title, n.Text, n.On = strings.TrimSpace(n.Title), strings.TrimSpace(n.Text), strings.TrimSpace(n.On)
	var faults []fault.Field
	wrong := func(field, message string) {
		faults = append(faults, fault.Field{Field: field, Message: message})
	}
	if !slices.Contains([]MarkKind{MarkPolicy, MarkNote, MarkRebase}, n.Kind) {
		wrong("kind", "is one of policy, note, rebase")
	}
	day, err := parseDay(n.On)
	switch {
	case err != nil:
		wrong("on", "give a date such as 2026-03-01")
	case n.Kind == MarkRebase && day.Day() != 1:
		wrong("on", "a chart is re-based from the first of a month on")
	case day.Year() < 2000 || day.After(now.AddDate(5, 0, 0)):
		wrong("on", "lies too far away to be on a chart")
	case n.Kind == MarkRebase && day.After(now):
		wrong("on", "a chart cannot be re-based from a day that is yet to come")
	default:
		n.On = day.Format(time.DateOnly)
	}
	length := func(field, text string, most int) {
		if utf8.RuneCountInString(text) > most {
			wrong(field, fmt.Sprintf("is at most %d characters", most))
		}
	}
	length("title", n.Title, maxMarkTitle)
	length("text", n.Text, maxMarkText)
	switch n.Kind {
	case MarkRebase:
		if n.Text == "" {
			wrong("text", "say why the chart is re-based")
		}
		if n.Series.Measure == "" {
			wrong("series", "say which chart is re-based")
		}
	default:
		if n.Title == "" {
			wrong("title", "say in a few words what happened")
		}
		n.Series = figures.Series{}
	}
	return fault.Fields("this cannot be put on the time axis", faults...)
}

// Add puts a mark on the time axis, on record. A re-base is in force in this
// process at once and in the others when they refresh. Faults are Invalid, and
// Conflict where the chart is already re-based from that month on.
func (t *Timeline) Add(ctx context.Context, by survey.Actor, n NewMark) (Mark, error) {
	now := t.room.now()
	if err := n.check(now); err != nil {
		return Mark{}, err
	}
	all, err := t.All(ctx)
	if err != nil {
		return Mark{}, err
	}
	for i := range all {
		if m := &all[i]; n.Kind == MarkRebase && m.Kind == MarkRebase && m.Stands() && m.Series == n.Series && m.On == n.On {
			return Mark{}, fault.New(fault.Conflict, "this chart is already re-based from that month on")
		}
	}
	id := strings.ToLower(rand.Text())
	if err := t.audit.Append(ctx, by.Entry("mark.added", "mark:"+id)); err != nil {
		return Mark{}, fmt.Errorf("audit a mark: %w", err)
	}
	out, err := t.marks.UpdateMark(ctx, id, func(m *Mark) error {
		*m = Mark{ID: m.ID, Version: m.Version, Kind: n.Kind, On: n.On, Title: n.Title, Text: n.Text, Force: n.Force, Series: n.Series, By: by.ID, At: now}
		return nil
	})
	if err != nil {
		return Mark{}, fmt.Errorf("keep a mark: %w", err)
	}
	return out, t.room.loadRebases(ctx)
}

// TakeBack takes a mark off the charts, with a reason; it stays on the list. force
// is that of whoever does it: empty, or the mark's own. Faults are Invalid,
// NotFound, Denied, and Conflict where it is taken back already.
func (t *Timeline) TakeBack(ctx context.Context, by survey.Actor, id, why, force string) (Mark, error) {
	m, err := t.marks.Mark(ctx, id)
	if err != nil {
		return Mark{}, fmt.Errorf("read a mark: %w", err)
	}
	if force != "" && m.Force != force {
		return Mark{}, fault.New(fault.Denied, "this was put on the time axis of another force than yours")
	}
	why = strings.TrimSpace(why)
	switch n := utf8.RuneCountInString(why); {
	case n == 0:
		return Mark{}, fault.Fields("this cannot be taken back", fault.Field{Field: "why", Message: "say why it is taken back"})
	case n > maxMarkText:
		return Mark{}, fault.Fields("this cannot be taken back", fault.Field{Field: "why", Message: fmt.Sprintf("is at most %d characters", maxMarkText)})
	}
	if err := t.audit.Append(ctx, by.Entry("mark.taken-back", "mark:"+id)); err != nil {
		return Mark{}, fmt.Errorf("audit a mark: %w", err)
	}
	now := t.room.now()
	out, err := t.marks.UpdateMark(ctx, id, func(m *Mark) error {
		if !m.Stands() {
			return fault.New(fault.Conflict, "somebody has taken this back already")
		}
		m.Undone = MarkTakeBack{By: by.ID, At: now, Why: why}
		return nil
	})
	if err != nil {
		return Mark{}, fmt.Errorf("take a mark back: %w", err)
	}
	return out, t.room.loadRebases(ctx)
}

// All lists the marks, those taken back included, the earliest day first.
func (t *Timeline) All(ctx context.Context) ([]Mark, error) {
	out, err := t.marks.Marks(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the marks: %w", err)
	}
	return out, nil
}

// loadRebases puts the re-bases that stand in force in this process's panel.
func (s *Service) loadRebases(ctx context.Context) error {
	marks, err := s.rows.Marks(ctx)
	if err != nil {
		return fmt.Errorf("read the re-bases of charts: %w", err)
	}
	var out []figures.Rebase
	for i := range marks {
		if m := &marks[i]; m.Kind == MarkRebase && m.Stands() && len(m.On) > len("2006-01") {
			out = append(out, figures.Rebase{Series: m.Series, From: m.On[:len("2006-01")], Reason: m.Text})
		}
	}
	s.panel.SetRebases(out)
	return nil
}
