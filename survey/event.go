package survey

import (
	"time"
)

// EventType says what happened in a case.
type EventType string

// The event types of the intake contract.
const (
	Reported        EventType = "reported"
	Progressed      EventType = "investigation_progressed"
	Withdrew        EventType = "withdrew"
	Disengaged      EventType = "disengaged"
	Closed          EventType = "closed"
	ClosureNotified EventType = "closure_notified"
	Reopened        EventType = "reopened"
	ContactChanged  EventType = "contact_changed"
	OptedOut        EventType = "opted_out"
	HoldPlaced      EventType = "hold_placed"
	HoldLifted      EventType = "hold_lifted"
	AdvocateChanged EventType = "advocate_changed"
	CasesMerged     EventType = "cases_merged"
	Corrected       EventType = "corrected"
)

// EventTypes lists every event type, in the order a case usually meets them.
func EventTypes() []string {
	return []string{
		string(Reported), string(Progressed), string(Withdrew), string(Disengaged), string(Closed),
		string(ClosureNotified), string(Reopened), string(ContactChanged), string(OptedOut), string(HoldPlaced),
		string(HoldLifted), string(AdvocateChanged), string(CasesMerged), string(Corrected),
	}
}

// Offences lists the offence codes of the intake contract.
func Offences() []string {
	return []string{"stalking-2a", "stalking-4a", "spo-breach", "harassment", "other"}
}

// Outcomes lists how a case can close.
func Outcomes() []string {
	return []string{"charged", "cautioned", "convicted", "acquitted", "nfa-evidential", "nfa-other", "transferred"}
}

// Event is what a police system tells us of one case: the intake contract's
// JSON object. It carries the address and the police reference in clear, so it
// lives only between the wire and Receive and is never stored as it is.
type Event struct {
	EventID       string    `json:"event_id" validate:"required,max=200,ident"`
	CaseRef       string    `json:"case_ref" validate:"required,max=100,ident"`
	Type          EventType `json:"type" validate:"required,eventtype"`
	OccurredAt    time.Time `json:"occurred_at" validate:"required"`
	Force         string    `json:"force" validate:"required,max=100,line"`
	Borough       string    `json:"borough,omitempty" validate:"max=100,line"`
	Offence       string    `json:"offence,omitempty" validate:"omitempty,offence"`
	DomesticAbuse *bool     `json:"domestic_abuse,omitempty"`
	Adult         *bool     `json:"adult,omitempty"`
	Advocate      string    `json:"advocate,omitempty" validate:"omitempty,max=254,mailbox"`
	Contact       *Contact  `json:"contact,omitempty"`
	PersonRef     string    `json:"person_ref,omitempty" validate:"max=100,line"`
	AgeBand       string    `json:"age_band,omitempty" validate:"max=40,line"`
	Sex           string    `json:"sex,omitempty" validate:"max=40,line"`
	Milestone     string    `json:"milestone,omitempty" validate:"max=64,line,required_if=Type investigation_progressed"`
	Reason        string    `json:"reason,omitempty" validate:"max=100,line"`
	Outcome       string    `json:"outcome,omitempty" validate:"required_if=Type closed,omitempty,outcome"`
	Into          string    `json:"into,omitempty" validate:"max=100,line,required_if=Type cases_merged"`
	Corrects      string    `json:"corrects,omitempty" validate:"max=200,line,required_if=Type corrected"`
}

// Contact is how the person may be written to, as the police system or an
// advocate recorded it. Nothing is sent unless EmailSafe is true and
// SafeConfirmedAt is present.
type Contact struct {
	Email           string     `json:"email,omitempty" validate:"omitempty,max=254,mailbox"`
	Language        string     `json:"language,omitempty" validate:"omitempty,max=35,language"`
	EmailSafe       *bool      `json:"email_safe,omitempty"`
	SafeConfirmedAt *time.Time `json:"safe_confirmed_at,omitempty"`
	SafeDays        []string   `json:"safe_days,omitempty" validate:"max=7,unique,dive,oneof=mon tue wed thu fri sat sun"`
	SafeFrom        string     `json:"safe_from,omitempty" validate:"omitempty,clock"`
	SafeTo          string     `json:"safe_to,omitempty" validate:"omitempty,clock"`
}

// EventRecord is the stored trace of one received event: what makes intake
// idempotent. ID is the pseudonym of (force, event id); Fingerprint is a keyed
// hash of the normalised event, so that an identical repeat can be told from
// another body under the same id; Sealed is the event itself, kept until it is
// applied to its case so that a crash in between can be mended.
type EventRecord struct {
	ID          string    `json:"id"`
	Version     int64     `json:"version"`
	Case        string    `json:"case"`
	Fingerprint string    `json:"fingerprint"`
	Sealed      []byte    `json:"sealed"`
	Applied     bool      `json:"applied"`
	ReceivedAt  time.Time `json:"received_at"`
}
