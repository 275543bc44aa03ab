package notifications

import (
	"context"
	"time"

	"victimvoice/survey"
)

// Kind says what a message is for; it picks the template.
type Kind string

// The kinds of mail.
const (
	KindInvitation Kind = "invitation"
	KindReminder   Kind = "reminder"
	KindTold       Kind = "told"
	KindDigest     Kind = "digest" // to staff who asked to hear that a period's figures can be read
)

// State says how far a message has come.
type State string

// The states of a message. Dropped: when its time came it was no longer due,
// and Reason says why; that is a result, not an error.
const (
	Pending State = "pending"
	Sending State = "sending"
	Sent    State = "sent"
	Dropped State = "dropped"
	Failed  State = "failed"
	Bounced State = "bounced"
)

// Message is one mail to be written. It holds no address, no words and no link:
// those are made at the moment of sending. ID is deterministic, so that putting
// it twice is once.
type Message struct {
	ID      string       `json:"id"`
	Version int64        `json:"version"`
	Kind    Kind         `json:"kind"`
	Case    string       `json:"case,omitempty"`
	Stage   survey.Stage `json:"stage,omitempty"`
	Round   int          `json:"round,omitempty"`
	Ref     string       `json:"ref,omitempty"` // publication and subscriber of a told mail, issue and reader of a digest
	MailID  string       `json:"mail_id"`       // left part of the Message-Id, unique

	State      State     `json:"state"`
	Reason     string    `json:"reason,omitempty"`
	DueAt      time.Time `json:"due_at"` // not before; moved on by a retry
	Owner      string    `json:"owner,omitempty"`
	LeaseUntil time.Time `json:"lease_until"`
	Fence      int64     `json:"fence"` // grows with every claim; a settle with an older one is refused
	Attempts   int       `json:"attempts"`
	Unsure     int       `json:"unsure"`   // claims that never settled, and mails that may have been taken: each may have mailed
	TriedAt    time.Time `json:"tried_at"` // when the mail system first failed it in this stretch of tries; zero: it has not
	CreatedAt  time.Time `json:"created_at"`
	SentAt     time.Time `json:"sent_at"`
	ChangedAt  time.Time `json:"changed_at"`
}

// Backlog counts what waits, for readiness and metrics.
type Backlog struct {
	Pending int       // due or to come
	Sending int       // claimed
	Failed  int       // given up
	Oldest  time.Time // DueAt of the oldest pending; zero: none
}

// Outbox is the storage port of messages. See survey.Store for the meaning of
// Update methods and errors.
type Outbox interface {
	// PutMessage stores a pending message; one whose ID is known already is left as it is, without an error.
	PutMessage(ctx context.Context, m Message) error
	Message(ctx context.Context, id string) (Message, error)
	MessageByMailID(ctx context.Context, mailID string) (Message, error)
	// ClaimMessages takes up to limit messages that are pending and due, or sending with a lease that has run out
	// (Unsure grows by one then), earliest due first. Each is claimed by one compare-and-swap: State sending, Owner,
	// LeaseUntil, Fence+1, Attempts+1. Two claimers never get the same fence.
	ClaimMessages(ctx context.Context, owner string, now, until time.Time, limit int) ([]Message, error)
	// UpdateMessage is refused with fault.Conflict when the stored fence is not the given one.
	UpdateMessage(ctx context.Context, id string, fence int64, fn func(*Message) error) (Message, error)
	OutboxBacklog(ctx context.Context) (Backlog, error)
}
