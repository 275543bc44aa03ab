package survey

import (
	"time"

	"victimvoice/survey/questionnaires"
)

// Stage is the point of a case that a questionnaire asks about.
type Stage = questionnaires.Stage

// The stages.
const (
	StageReport        Stage = "report"
	StageInvestigation Stage = "investigation"
	StageClosure       Stage = "closure"
	StageWithdrawn     Stage = "withdrawn"
)

// Case is everything needed to decide whether a person may be asked: the
// case's events, what the person told us (Flags) and the invitations. It never
// holds the address, nor any answer. One document, so that eligibility can be
// asked again in the very compare-and-swap that claims an invitation.
type Case struct {
	ID         string       `json:"id"` // pseudonym of (force, case_ref)
	Version    int64        `json:"version"`
	Respondent string       `json:"respondent"` // pseudonym under which answers are kept
	Force      string       `json:"force"`
	Ref        []byte       `json:"ref"` // sealed case_ref
	Events     []CaseEvent  `json:"events"`
	Flags      Flags        `json:"flags,omitzero"`
	Word       Secret       `json:"word,omitzero"` // agreed with the person, asked for before the first question
	Invites    []Invitation `json:"invites"`

	// Folded from the events on every change, kept for queries and figures.
	Facts Facts `json:"facts"`

	NextAt    time.Time `json:"next_at,omitzero"` // when the plan next has something to do; zero: nothing
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// CaseEvent is an event as the case keeps it: facts alone. The address is a
// pseudonym here; the address itself is sealed in the Contact document.
type CaseEvent struct {
	ID            string        `json:"id"` // the sender's event_id
	Type          EventType     `json:"type"`
	At            time.Time     `json:"at,omitzero"`
	Borough       string        `json:"borough,omitempty"`
	BCU           string        `json:"bcu,omitempty"`
	Offence       string        `json:"offence,omitempty"`
	DomesticAbuse *bool         `json:"domestic_abuse,omitempty"`
	Adult         *bool         `json:"adult,omitempty"`
	Advocate      string        `json:"advocate,omitempty"` // pseudonym
	Person        string        `json:"person,omitempty"`   // pseudonym of person_ref
	AgeBand       string        `json:"age_band,omitempty"`
	Sex           string        `json:"sex,omitempty"`
	Milestone     string        `json:"milestone,omitempty"`
	Reason        string        `json:"reason,omitempty"`
	Outcome       string        `json:"outcome,omitempty"`
	Into          string        `json:"into,omitempty"`     // pseudonym of the other case
	Corrects      string        `json:"corrects,omitempty"` // event_id replaced
	Contact       *ContactFacts `json:"contact,omitempty"`
}

// ContactFacts is what the plan may know of a contact.
type ContactFacts struct {
	Address     string    `json:"address"` // pseudonym of the normalised address; empty: none
	Language    string    `json:"language,omitempty"`
	Safe        *bool     `json:"safe,omitempty"` // nil: not said
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	Days        []string  `json:"days,omitempty"` // mon … sun; empty: any day
	From        string    `json:"from,omitempty"` // HH:MM in the policy's zone; empty: the policy's
	To          string    `json:"to,omitempty"`
}

// Facts is a case as its events tell it, whatever order they came in.
type Facts struct {
	ReportedAt    time.Time     `json:"reported_at,omitzero"`
	Borough       string        `json:"borough,omitempty"`
	BCU           string        `json:"bcu,omitempty"`
	Offence       string        `json:"offence,omitempty"`
	DomesticAbuse *bool         `json:"domestic_abuse,omitempty"`
	Adult         *bool         `json:"adult,omitempty"`
	Advocate      string        `json:"advocate,omitempty"`
	Person        string        `json:"person,omitempty"`
	AgeBand       string        `json:"age_band,omitempty"`
	Sex           string        `json:"sex,omitempty"`
	Contact       *ContactFacts `json:"contact,omitempty"`
	ContactEvent  string        `json:"contact_event,omitempty"` // whose sealed address is the current one
	Held          bool          `json:"held,omitempty"`
	OptedOutAt    time.Time     `json:"opted_out_at,omitzero"`
	Merged        bool          `json:"merged,omitempty"`
	Disengaged    bool          `json:"disengaged,omitempty"`
	Charged       bool          `json:"charged,omitempty"` // a charge was recorded, so the case has a court stage
	Outcome       string        `json:"outcome,omitempty"`
	Reason        string        `json:"reason,omitempty"` // police-recorded reason for withdrawing
	Spells        []Spell       `json:"spells,omitempty"`
}

// Spell is one stretch of a case from its report (or reopening) to its end.
type Spell struct {
	From       time.Time `json:"from,omitzero"`
	WithdrewAt time.Time `json:"withdrew_at,omitzero"` // zero: not withdrawn
	ClosedAt   time.Time `json:"closed_at,omitzero"`   // zero: not closed
	NotifiedAt time.Time `json:"notified_at,omitzero"` // when the person was told of the closure; zero: not yet recorded
	To         time.Time `json:"to,omitzero"`          // when it was reopened; zero: the current spell
}

// Flags is what the person, an advocate or the mail system told us, beside the
// police's events.
type Flags struct {
	OptedOutAt time.Time `json:"opted_out_at,omitzero"` // "stop these messages"
	OptedInAt  time.Time `json:"opted_in_at,omitzero"`  // an advocate recorded that the person wants them again
	NotMe      string    `json:"not_me,omitempty"`      // pseudonym of an address whose reader said "this is not for me"
	Bounced    string    `json:"bounced,omitempty"`     // pseudonym of an address that bounced for good
	RiskAt     time.Time `json:"risk_at,omitzero"`      // an advocate said: do not write for now
}

// MailState says how far one mail of an invitation has come.
type MailState string

// The states of a mail. A refused mail carries its Reason and is asked about
// again whenever the case changes.
const (
	MailNone    MailState = ""
	MailPlanned MailState = "planned"
	MailRefused MailState = "refused"
	MailQueued  MailState = "queued"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed" // undeliverable
)

// Reason says why a person is not asked, or not yet.
type Reason string

// The reasons. Every refusal to ask is stored under one of them.
const (
	NotSafe            Reason = "not-safe"
	NotAdult           Reason = "not-adult"
	ReasonOptedOut     Reason = "opted-out"
	OnHold             Reason = "hold"
	TooLate            Reason = "too-late"
	Superseded         Reason = "superseded"
	Spacing            Reason = "spacing"
	NoContact          Reason = "no-contact"
	ClosureNotNotified Reason = "closure-not-notified"
	AlreadyAnswered    Reason = "answered"
	CaseMerged         Reason = "case-merged"
	Undelivered        Reason = "undelivered" // an earlier mail to this address came back
	AlreadySent        Reason = "sent"        // said of an errand that was done before: not a refusal to ask
	NotYet             Reason = "not-yet"     // said of a card whose time has not come: not a refusal to ask
	Emptied            Reason = "emptied"     // said of a card whose answers were voided or lapsed: not a refusal to ask
)

// Mailing is one mail of an invitation: the first, or its reminder.
type Mailing struct {
	State    MailState `json:"state,omitempty"`
	Reason   Reason    `json:"reason,omitempty"`
	DueAt    time.Time `json:"due_at,omitzero"` // the earliest safe instant
	QueuedAt time.Time `json:"queued_at,omitzero"`
	SentAt   time.Time `json:"sent_at,omitzero"`
	To       string    `json:"to,omitempty"`  // pseudonym of the address it was last written to
	Try      int       `json:"try,omitempty"` // grows when a queued mail is dropped, so that it may be queued afresh
}

// Invitation is what we owe one person at one stage and round.
type Invitation struct {
	Stage    Stage     `json:"stage"`
	Round    int       `json:"round"`
	AnchorAt time.Time `json:"anchor_at,omitzero"` // the moment the stage counts from
	LatestAt time.Time `json:"latest_at,omitzero"` // no first mail after this
	ClosesAt time.Time `json:"closes_at,omitzero"` // no answer after this; zero until sent or handed over
	First    Mailing   `json:"first,omitzero"`
	Reminder Mailing   `json:"reminder,omitzero"`
	CardAt   time.Time `json:"card_at,omitzero"` // when an advocate last made a card of it; zero: never

	StartedAt time.Time  `json:"started_at,omitzero"` // at least one question answered
	Answered  []Answered `json:"answered,omitempty"`
	RefusedAt time.Time  `json:"refused_at,omitzero"` // the person said no to this one
	TakenBack time.Time  `json:"taken_back,omitzero"` // the person withdrew their answer
	Ended     bool       `json:"ended"`               // ClosesAt has passed
}

// Answered marks that an answer to this invitation is kept, and whose it is.
type Answered struct {
	Mode     Mode      `json:"mode"`
	Complete bool      `json:"complete"`
	At       time.Time `json:"at,omitzero"`
}

// ContactCard holds the sealed contact details of a case, one sealed entry an
// event, under a pseudonym of its own: nothing in it names the case, and no
// answer is ever stored with it.
type ContactCard struct {
	ID        string         `json:"id"`
	Version   int64          `json:"version"`
	Entries   []ContactEntry `json:"entries"`
	ChangedAt time.Time      `json:"changed_at,omitzero"`
}

// ContactEntry is the address that one event brought, sealed.
type ContactEntry struct {
	Event  string `json:"event"`
	Sealed []byte `json:"sealed"`
}

// Refusal keeps a keyed hash of an address whose reader asked for no more mail,
// so that neither a later import nor another case can undo it.
type Refusal struct {
	ID      string    `json:"id"` // pseudonym of the normalised address
	Version int64     `json:"version"`
	At      time.Time `json:"at,omitzero"`
	NotMe   bool      `json:"not_me,omitempty"` // its reader is not the person meant: the address is out, the person is not
	Lifted  time.Time `json:"lifted,omitzero"`  // an advocate recorded that the person wants mail again
}

// stands reports whether the address is still refused.
func (r *Refusal) stands() bool { return r.Version > 0 && !r.Lifted.After(r.At) }
