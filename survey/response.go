package survey

import (
	"time"

	"victimvoice/survey/questionnaires"
)

// Mode says who answered. Modes are stored apart and never pooled.
type Mode string

// The modes.
const (
	ModeSelf     Mode = "self"     // the victim
	ModeRelayed  Mode = "relayed"  // the victim's words, given by an advocate with recorded consent
	ModeObserved Mode = "observed" // the advocate's own professional view
)

// ResponseState says how far a response has come.
type ResponseState string

// The states of a response. Partial: the time to answer ended with at least one
// core item answered. Withdrawn and void keep the document as a tombstone with
// nothing in it, so that figures can be corrected.
const (
	Draft     ResponseState = "draft"
	Complete  ResponseState = "complete"
	Partial   ResponseState = "partial"
	Withdrawn ResponseState = "withdrawn"
	Void      ResponseState = "void"
	Lapsed    ResponseState = "lapsed" // a draft whose time ended with no core item answered
)

// Response is one set of answers: a draft while it is being written, then kept
// once. Its ID is a pseudonym of (respondent, stage, round, mode), so that two
// tabs, a double click and a replay all meet in one document.
type Response struct {
	ID            string        `json:"id"`
	Version       int64         `json:"version"`
	Respondent    string        `json:"respondent"`
	Stage         Stage         `json:"stage"`
	Round         int           `json:"round"`
	Mode          Mode          `json:"mode"`
	Questionnaire string        `json:"questionnaire"` // "report/1": the version that was answered
	Language      string        `json:"language"`
	Quick         bool          `json:"quick"`
	State         ResponseState `json:"state"`

	Draft  []byte `json:"draft,omitempty"`  // sealed answers while a draft
	Code   Secret `json:"code,omitzero"`    // with which the person sees their earlier answers
	Chosen bool   `json:"chosen,omitempty"` // something was chosen or written, not only passed over
	Packed []byte `json:"packed,omitempty"`
	Words  []byte `json:"words,omitempty"` // sealed free text, by item

	AboutForm string `json:"about_form,omitempty"` // "about/1": asked about themselves in this draft, with that version
	About     []byte `json:"about,omitempty"`      // sealed, what they told, until it stands in a document of its own

	Hits    []questionnaires.Hit `json:"hits,omitempty"`
	Ticks   Ticks                `json:"ticks"`
	Receipt string               `json:"receipt,omitempty"`  // keyed hash of the receipt code
	Consent *Consent             `json:"consent,omitempty"`  // relayed answers only
	Author  string               `json:"author,omitempty"`   // staff user who answered on the victim's behalf
	SavedBy string               `json:"saved_by,omitempty"` // session that last wrote in the draft
	SentBy  string               `json:"sent_by,omitempty"`  // session that sent it: none other sees the receipt

	StartedAt   time.Time `json:"started_at,omitzero"`
	SavedAt     time.Time `json:"saved_at,omitzero"`
	SubmittedAt time.Time `json:"submitted_at,omitzero"`
	ClosesAt    time.Time `json:"closes_at,omitzero"`
	ChangedAt   time.Time `json:"changed_at,omitzero"`

	FollowUp bool `json:"follow_up"` // kept, and what follows from it is not all done yet
	Uncoded  bool `json:"uncoded"`   // has free text that no coder has read yet
}

// Ticks are the four separate permissions on the last page, all off by default.
type Ticks struct {
	Quote   bool `json:"quote"`
	Told    bool `json:"told"`
	Contact bool `json:"contact"`
	Share   bool `json:"share"`
}

// Consent records how a victim agreed that an advocate relays their words.
type Consent struct {
	How string    `json:"how"` // in-person, phone, video, writing
	At  time.Time `json:"at,omitzero"`
}

// ResponseRow is a kept response as figures read it, without words or draft.
type ResponseRow struct {
	ID            string
	Respondent    string
	Stage         Stage
	Round         int
	Mode          Mode
	Questionnaire string
	State         ResponseState
	Quick         bool
	Packed        []byte
	SubmittedAt   time.Time
	ChangedAt     time.Time
}

// Link is what is kept of a survey link, mailed or on a card: a keyed hash of its
// token or code (the ID) and what it opens. Whether it still opens anything is asked of the case and the
// response each time, so that nothing has to be revoked by a second write.
type Link struct {
	ID        string    `json:"id"`
	Version   int64     `json:"version"`
	Case      string    `json:"case"`
	Stage     Stage     `json:"stage"`
	Round     int       `json:"round"`
	Address   string    `json:"address,omitempty"`  // pseudonym of the address that it was mailed to; empty: it stands on a card
	Language  string    `json:"language,omitempty"` // of a card; a mail takes the contact's
	MintedAt  time.Time `json:"minted_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Sitting is one person's survey session: which response they are writing, by a
// keyed hash of the cookie's secret. Ending it is what "leave" does.
type Sitting struct {
	ID        string    `json:"id"`
	Version   int64     `json:"version"`
	Case      string    `json:"case"`
	Response  string    `json:"response"`
	Stage     Stage     `json:"stage"`
	Round     int       `json:"round"`
	Mode      Mode      `json:"mode"`
	Language  string    `json:"language"`
	Quick     bool      `json:"quick"`
	Locked    bool      `json:"locked,omitempty"`  // the agreed word has not been given: nothing is shown or taken
	Open      bool      `json:"open,omitempty"`    // the return code was given: earlier answers are shown
	Resumed   bool      `json:"resumed,omitempty"` // has chosen how to go on
	Author    string    `json:"author,omitempty"`
	Consent   *Consent  `json:"consent,omitempty"`
	ClosesAt  time.Time `json:"closes_at,omitzero"` // no answer after this
	StartedAt time.Time `json:"started_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"` // left, stopped or over; nothing is shown or taken after it
	Over      bool      `json:"over"`              // submitted: only the last page may be shown

	// Shown is the questionnaire of the page that was sent, as the page names it: a
	// page may be older than the program that takes it. It is of one request and not stored.
	Shown string `json:"shown,omitempty"`
}
