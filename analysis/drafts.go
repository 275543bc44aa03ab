package analysis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// DraftState is how a draft code stands.
type DraftState string

// The states of a draft code.
const (
	DraftOpen    DraftState = "draft"
	DraftTakenUp DraftState = "taken-up" // in a version of the codebook
	DraftDropped DraftState = "dropped"
)

// DraftStates lists the states, in the order of a form.
func DraftStates() []DraftState { return []DraftState{DraftOpen, DraftTakenUp, DraftDropped} }

// DraftCode is a code that somebody proposes for the codebook, from a term that stood
// out. It holds no person's words but the term, which five people used at least.
type DraftCode struct {
	ID      string     `json:"id"`
	Version int64      `json:"version"`
	Name    string     `json:"name"`    // what the code is to be called
	Meaning string     `json:"meaning"` // what is to be counted under it
	Term    string     `json:"term"`    // the term that it was named from
	Found   string     `json:"found"`   // where the term stood out, in words
	State   DraftState `json:"state"`

	CreatedAt time.Time   `json:"created_at"`
	ChangedAt time.Time   `json:"changed_at"`
	History   []DraftStep `json:"history"` // append-only
}

// DraftStep is one change of a draft code.
type DraftStep struct {
	At      time.Time  `json:"at"`
	By      string     `json:"by"` // staff id
	State   DraftState `json:"state"`
	Name    string     `json:"name"`
	Meaning string     `json:"meaning"`
	Note    string     `json:"note"`
}

// Drafts is the storage port of draft codes. See survey.Store for the meaning of
// Update methods and errors.
type Drafts interface {
	Draft(ctx context.Context, id string) (DraftCode, error)
	UpdateDraft(ctx context.Context, id string, fn func(*DraftCode) error) (DraftCode, error)
	// DraftCodes lists all, the latest made first.
	DraftCodes(ctx context.Context) ([]DraftCode, error)
}

const (
	maxDraftName = 80
	maxDraftText = 2000 // meaning and note
)

// DraftChange is what somebody wants a draft code to be.
type DraftChange struct {
	Name, Meaning, Note string
	State               DraftState
}

func (d *DraftChange) check() error {
	d.Name, d.Meaning, d.Note = strings.TrimSpace(d.Name), strings.TrimSpace(d.Meaning), strings.TrimSpace(d.Note)
	var faults []fault.Field
	wrong := func(field, message string) {
		faults = append(faults, fault.Field{Field: field, Message: message})
	}
	switch n := utf8.RuneCountInString(d.Name); {
	case n == 0:
		wrong("name", "give the code a name")
	case n > maxDraftName:
		wrong("name", fmt.Sprintf("is at most %d characters", maxDraftName))
	}
	for field, text := range map[string]string{"meaning": d.Meaning, "note": d.Note} {
		if utf8.RuneCountInString(text) > maxDraftText {
			wrong(field, fmt.Sprintf("is at most %d characters", maxDraftText))
		}
	}
	switch d.State {
	case DraftOpen, DraftTakenUp:
	case DraftDropped:
		if d.Note == "" {
			wrong("note", "say why it is dropped")
		}
	default:
		wrong("state", "is one of draft, taken-up, dropped")
	}
	return fault.Fields("this draft code cannot be kept", faults...)
}

// Emerging finds what is new in people's words and keeps the codes drafted from it.
type Emerging struct {
	room   *Service
	drafts Drafts
	audit  *audit.Log
}

// NewEmerging puts it together over the analysis room.
func NewEmerging(room *Service, drafts Drafts, log *audit.Log) *Emerging {
	return &Emerging{room: room, drafts: drafts, audit: log}
}

// Name makes a draft code of a term that stood out in a comparison.
func (e *Emerging) Name(ctx context.Context, by survey.Actor, term, found string, d DraftChange) (DraftCode, error) {
	d.State = DraftOpen
	if err := d.check(); err != nil {
		return DraftCode{}, err
	}
	id := strings.ToLower(rand.Text())
	if err := e.audit.Append(ctx, by.Entry("draft-code.named", "draft-code:"+id)); err != nil {
		return DraftCode{}, fmt.Errorf("audit a draft code: %w", err)
	}
	now := e.room.now()
	out, err := e.drafts.UpdateDraft(ctx, id, func(c *DraftCode) error {
		*c = DraftCode{ID: c.ID, Version: c.Version, Term: term, Found: found, CreatedAt: now}
		d.onto(c, now, by.ID)
		return nil
	})
	if err != nil {
		return DraftCode{}, fmt.Errorf("keep a draft code: %w", err)
	}
	return out, nil
}

func (d *DraftChange) onto(c *DraftCode, now time.Time, by string) {
	c.Name, c.Meaning, c.State, c.ChangedAt = d.Name, d.Meaning, d.State, now
	c.History = append(c.History, DraftStep{At: now, By: by, State: d.State, Name: d.Name, Meaning: d.Meaning, Note: d.Note})
}

// Change changes a draft code, if nobody else did since version. fault.Conflict otherwise.
func (e *Emerging) Change(ctx context.Context, by survey.Actor, id string, version int64, d DraftChange) (DraftCode, error) {
	if _, err := e.drafts.Draft(ctx, id); err != nil {
		return DraftCode{}, fmt.Errorf("read a draft code: %w", err)
	}
	if err := d.check(); err != nil {
		return DraftCode{}, err
	}
	if err := e.audit.Append(ctx, by.Entry("draft-code.changed", "draft-code:"+id)); err != nil {
		return DraftCode{}, fmt.Errorf("audit a draft code: %w", err)
	}
	now := e.room.now()
	out, err := e.drafts.UpdateDraft(ctx, id, func(c *DraftCode) error {
		if c.Version != version {
			return fault.New(fault.Conflict, "somebody else changed this draft code in the meantime; look at it again before you save")
		}
		d.onto(c, now, by.ID)
		return nil
	})
	if err != nil {
		return DraftCode{}, fmt.Errorf("change a draft code: %w", err)
	}
	return out, nil
}

// Draft finds one draft code; fault.NotFound where there is none.
func (e *Emerging) Draft(ctx context.Context, id string) (DraftCode, error) {
	d, err := e.drafts.Draft(ctx, id)
	if err != nil {
		return DraftCode{}, fmt.Errorf("read a draft code: %w", err)
	}
	return d, nil
}

// Drafts lists the draft codes, the latest made first.
func (e *Emerging) Drafts(ctx context.Context) ([]DraftCode, error) {
	out, err := e.drafts.DraftCodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list draft codes: %w", err)
	}
	return out, nil
}
