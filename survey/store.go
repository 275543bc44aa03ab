package survey

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrUnchanged is returned by the function given to an Update method to say
// that the document is right as it stands: nothing is written, Update returns
// the document as read and no error.
var ErrUnchanged = errors.New("unchanged")

// The storage ports. Each method is one act on one document. An Update method
// reads the document (the zero value with Version 0 and the ID set when there is
// none), applies fn and writes the result only if nobody else wrote in between;
// otherwise it reads and applies fn again, so fn must have no side effects. An
// error from fn is returned as it is and nothing is written. Inserts of a known
// id give fault.Conflict, reads of an unknown id fault.NotFound, a store that
// cannot be reached fault.Unavailable. Times are kept to the millisecond, in UTC.

// Store is what the survey room keeps.
type Store interface {
	Events
	Cases
	Contacts
	Answers
	Abouts
}

// Events keeps the trace of received events.
type Events interface {
	InsertEvent(ctx context.Context, e EventRecord) error
	Event(ctx context.Context, id string) (EventRecord, error)
	UpdateEvent(ctx context.Context, id string, fn func(*EventRecord) error) (EventRecord, error)
	// UnappliedEvents lists records received before the given instant whose case does not have them yet, oldest first.
	UnappliedEvents(ctx context.Context, before time.Time, limit int) ([]EventRecord, error)
}

// Cases keeps the case documents.
type Cases interface {
	Case(ctx context.Context, id string) (Case, error)
	CaseOf(ctx context.Context, respondent string) (Case, error)
	UpdateCase(ctx context.Context, id string, fn func(*Case) error) (Case, error)
	// DueCases lists the ids of cases whose NextAt is set and not after now, earliest first.
	DueCases(ctx context.Context, now time.Time, limit int) ([]string, error)
	// CasesOfAdvocate streams the cases whose Facts.Advocate is this pseudonym, in order of id.
	CasesOfAdvocate(ctx context.Context, advocate string) iter.Seq2[Case, error]
	// CasesChanged streams cases with ChangedAt at or after since, in order of (ChangedAt, id).
	CasesChanged(ctx context.Context, since time.Time) iter.Seq2[Case, error]
}

// Contacts keeps sealed contact details and the hashes of refused addresses.
type Contacts interface {
	Contact(ctx context.Context, id string) (ContactCard, error)
	UpdateContact(ctx context.Context, id string, fn func(*ContactCard) error) (ContactCard, error)
	DeleteContact(ctx context.Context, id string) error
	Refusal(ctx context.Context, id string) (Refusal, error)
	UpdateRefusal(ctx context.Context, id string, fn func(*Refusal) error) (Refusal, error)
}

// Answers keeps links, sittings and responses.
type Answers interface {
	InsertLink(ctx context.Context, l Link) error
	Link(ctx context.Context, id string) (Link, error)
	PurgeLinks(ctx context.Context, before time.Time) (int, error) // expired before the given instant

	InsertSitting(ctx context.Context, s Sitting) error
	Sitting(ctx context.Context, id string) (Sitting, error)
	UpdateSitting(ctx context.Context, id string, fn func(*Sitting) error) (Sitting, error)
	PurgeSittings(ctx context.Context, before time.Time) (int, error)

	Response(ctx context.Context, id string) (Response, error)
	ResponseByReceipt(ctx context.Context, receipt string) (Response, error)
	UpdateResponse(ctx context.Context, id string, fn func(*Response) error) (Response, error)
	// ResponsesToFollow lists kept and removed responses (no drafts) with FollowUp set, oldest change first.
	ResponsesToFollow(ctx context.Context, limit int) ([]Response, error)
	// ResponsesToCode lists kept responses with Uncoded set, oldest change first.
	ResponsesToCode(ctx context.Context, limit int) ([]Response, error)
	// DraftsToClose lists drafts whose ClosesAt is not after now.
	DraftsToClose(ctx context.Context, now time.Time, limit int) ([]Response, error)
	// ResponsesChanged streams kept and removed responses (no drafts) with ChangedAt at or after since, in order of (ChangedAt, id).
	ResponsesChanged(ctx context.Context, since time.Time) iter.Seq2[ResponseRow, error]
	// ResponsesOf lists every response of one respondent, in order of id.
	ResponsesOf(ctx context.Context, respondent string) ([]Response, error)
}

// Abouts keeps what people told about themselves.
type Abouts interface {
	About(ctx context.Context, id string) (About, error)
	UpdateAbout(ctx context.Context, id string, fn func(*About) error) (About, error)
	// AboutsChanged streams them, tombstones included, with ChangedAt at or after since, in order of (ChangedAt, id).
	AboutsChanged(ctx context.Context, since time.Time) iter.Seq2[About, error]
}
