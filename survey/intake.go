package survey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey/questionnaires"
)

// Service is the survey room at work: it receives events, keeps the plan true,
// opens links and keeps answers. It seals before it stores.
type Service struct {
	store  Store
	keys   *seal.Keys
	audit  *audit.Log
	policy *Policy
	geo    *Geography
	sets   *questionnaires.Set
	now    func() time.Time
	log    *slog.Logger
}

// Parts are what a Service is made of; all are needed.
type Parts struct {
	Store          Store
	Keys           *seal.Keys
	Audit          *audit.Log
	Policy         *Policy
	Geography      *Geography
	Questionnaires *questionnaires.Set
	Now            func() time.Time
	Log            *slog.Logger
}

// NewService puts the parts together.
func NewService(p Parts) *Service {
	now := func() time.Time { return p.Now().UTC().Truncate(time.Millisecond) }
	return &Service{store: p.Store, keys: p.Keys, audit: p.Audit, policy: p.Policy, geo: p.Geography, sets: p.Questionnaires, now: now, log: p.Log}
}

// At gives the same service with another clock: for a history that is lived
// through again, each case at its own time.
func (s *Service) At(now func() time.Time) *Service {
	other := *s
	other.now = func() time.Time { return now().UTC().Truncate(time.Millisecond) }
	return &other
}

// Policy gives the rules of when people are asked.
func (s *Service) Policy() *Policy { return s.policy }

// Geography gives the areas that events are checked against.
func (s *Service) Geography() *Geography { return s.geo }

// Questionnaires gives every published questionnaire.
func (s *Service) Questionnaires() *questionnaires.Set { return s.sets }

// Status says what became of a received event.
type Status string

// The statuses of a received event that was not refused.
const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // the same event again: no fault
)

// Receipt is the answer to a received event.
type Receipt struct {
	EventID string `json:"event_id"`
	Status  Status `json:"status"`
}

// CaseID is the pseudonym of a case, known by its force and reference.
func (s *Service) CaseID(force, ref string) string { return s.keys.Pseudonym("case", force, ref) }

func (s *Service) respondent(caseID string) string { return s.keys.Pseudonym("respondent", caseID) }
func (s *Service) cardID(caseID string) string     { return s.keys.Pseudonym("contact", caseID) }
func (s *Service) addressKey(email string) string  { return s.keys.EmailKey("address", email) }
func (s *Service) eventKey(force, id string) string {
	return s.keys.Pseudonym("event", force, id)
}

// fingerprint tells whether two bodies under one event id say the same.
func (s *Service) fingerprint(e *Event) (string, []byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("encode an event: %w", err)
	}
	return s.keys.TokenHash("event", string(b)), b, nil
}

func errOtherContent() error {
	return &fault.Error{Kind: fault.Conflict, Message: "this event_id was received before with other content",
		Fields: []fault.Field{{Field: "event_id", Message: "was received before with other content; want a new event_id, or a corrected event"}}}
}

// Foresee says what Receive would do with an event, and writes nothing.
func (s *Service) Foresee(ctx context.Context, e Event) (Status, error) {
	if faults := s.Check(&e); len(faults) > 0 {
		return "", fault.Fields("the event has faults", faults...)
	}
	print, _, err := s.fingerprint(&e)
	if err != nil {
		return "", err
	}
	known, err := s.store.Event(ctx, s.eventKey(e.Force, e.EventID))
	switch {
	case fault.Is(err, fault.NotFound):
		return Accepted, nil
	case err != nil:
		return "", fmt.Errorf("look an event up: %w", err)
	case known.Fingerprint != print:
		return "", errOtherContent()
	}
	return Duplicate, nil
}

// Receive takes one event in: step 1 of the story. It is idempotent by event
// id. The record of the event is written first, sealed; then the address, then
// the case with its plan; then the record is marked applied. A crash in between
// is mended by the same event again or by MendEvents. Errors: fault.Invalid with
// field faults, fault.Conflict for other content under a known event id.
func (s *Service) Receive(ctx context.Context, e Event) (Receipt, error) {
	if faults := s.Check(&e); len(faults) > 0 {
		return Receipt{}, fault.Fields("the event has faults", faults...)
	}
	print, body, err := s.fingerprint(&e)
	if err != nil {
		return Receipt{}, err
	}
	id := s.eventKey(e.Force, e.EventID)
	sealed, err := s.keys.Seal(seal.Purpose("event", id), body)
	if err != nil {
		return Receipt{}, fmt.Errorf("seal an event: %w", err)
	}
	record := EventRecord{ID: id, Case: s.CaseID(e.Force, e.CaseRef), Fingerprint: print, Sealed: sealed, ReceivedAt: s.now()}
	status := Accepted
	err = s.store.InsertEvent(ctx, record)
	if fault.Is(err, fault.Conflict) {
		known, err := s.store.Event(ctx, id)
		if err != nil {
			return Receipt{}, fmt.Errorf("look an event up: %w", err)
		}
		if known.Fingerprint != print {
			return Receipt{}, errOtherContent()
		}
		if known.Applied {
			return Receipt{EventID: e.EventID, Status: Duplicate}, nil
		}
		status = Duplicate
	} else if err != nil {
		return Receipt{}, fmt.Errorf("record an event: %w", err)
	}
	if err := s.apply(ctx, id, &e); err != nil {
		return Receipt{}, err
	}
	return Receipt{EventID: e.EventID, Status: status}, nil
}

// MendEvents applies events that a crash left recorded but not in their case.
func (s *Service) MendEvents(ctx context.Context) (int, error) {
	records, err := s.store.UnappliedEvents(ctx, s.now().Add(-time.Minute), 500)
	if err != nil {
		return 0, fmt.Errorf("list unapplied events: %w", err)
	}
	n := 0
	var errs []error
	for _, r := range records { // one that fails does not hold the others up
		if err := s.mend(ctx, &r); err != nil {
			errs = append(errs, fmt.Errorf("mend event %s: %w", r.ID, err))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

func (s *Service) mend(ctx context.Context, r *EventRecord) error {
	body, err := s.keys.Open(seal.Purpose("event", r.ID), r.Sealed)
	if err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("decode it: %w", err)
	}
	return s.apply(ctx, r.ID, &e)
}

func (s *Service) apply(ctx context.Context, recordID string, e *Event) error {
	caseID := s.CaseID(e.Force, e.CaseRef)
	var refused Refusal
	if e.Contact != nil && e.Contact.Email != "" {
		if err := s.keepAddress(ctx, caseID, e); err != nil {
			return err
		}
		var err error
		refused, err = s.store.Refusal(ctx, s.addressKey(e.Contact.Email))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("look a refusal up: %w", err)
		}
	}
	c, err := s.store.UpdateCase(ctx, caseID, func(c *Case) error {
		if c.Version == 0 {
			ref, err := s.keys.SealString(seal.Purpose("case-ref", caseID), e.CaseRef)
			if err != nil {
				return fmt.Errorf("seal a case reference: %w", err)
			}
			c.Respondent, c.Force, c.Ref = s.respondent(caseID), e.Force, ref
		}
		for _, known := range c.Events {
			if known.ID == e.EventID {
				return ErrUnchanged
			}
		}
		c.Events = append(c.Events, s.caseEvent(e))
		c.Facts = Fold(c.Events)
		c.heed(&refused, s.now())
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("apply an event: %w", err)
	}
	if err := s.keepOptOut(ctx, &c); err != nil {
		return err
	}
	if _, err := s.store.UpdateEvent(ctx, recordID, func(r *EventRecord) error {
		r.Applied, r.Sealed = true, nil
		return nil
	}); err != nil {
		return fmt.Errorf("mark an event applied: %w", err)
	}
	return nil
}

// keepOptOut keeps the address of someone who asked the police for no more mail
// as refused, so that neither a re-import nor another case writes to it.
func (s *Service) keepOptOut(ctx context.Context, c *Case) error {
	at := c.Facts.OptedOutAt
	if at.IsZero() || !c.optedOut() || c.Facts.Contact == nil || c.Facts.Contact.Address == "" {
		return nil
	}
	return s.refuseAddress(ctx, c.Facts.Contact.Address, at, false)
}

// refuseAddress keeps that the reader of an address wants no more mail since an
// instant. What was said later stands, and opting out stands over "not me".
func (s *Service) refuseAddress(ctx context.Context, address string, at time.Time, notMe bool) error {
	_, err := s.store.UpdateRefusal(ctx, address, func(r *Refusal) error {
		switch {
		case r.Version > 0 && (r.Lifted.After(at) || r.At.After(at)):
			return ErrUnchanged
		case r.stands() && (r.NotMe == notMe || !r.NotMe):
			return ErrUnchanged
		}
		r.At, r.NotMe = at, notMe
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a refusal: %w", err)
	}
	return nil
}

// heed takes over into a case what the reader of an address of its said of mail.
func (c *Case) heed(r *Refusal, now time.Time) {
	switch {
	case !r.stands():
	case r.NotMe:
		if c.Facts.Contact != nil && c.Facts.Contact.Address == r.ID {
			c.Flags.NotMe = r.ID
		}
	case !c.optedOut():
		// From when they said so, unless this case was opted in after that.
		if c.Flags.OptedOutAt = r.At; !c.optedOut() {
			c.Flags.OptedOutAt = now
		}
	}
}

// replan puts the plan of a case right as of now.
func (s *Service) replan(c *Case) {
	now := s.now()
	c.Invites = Plan(c, s.policy, now)
	c.NextAt = NextStep(c.Invites)
	c.ChangedAt = now
}

// keepAddress seals the address of an event into the case's contact card.
func (s *Service) keepAddress(ctx context.Context, caseID string, e *Event) error {
	card := s.cardID(caseID)
	sealed, err := s.keys.SealString(seal.Purpose("contact", card, e.EventID), e.Contact.Email)
	if err != nil {
		return fmt.Errorf("seal an address: %w", err)
	}
	_, err = s.store.UpdateContact(ctx, card, func(c *ContactCard) error {
		for _, known := range c.Entries {
			if known.Event == e.EventID {
				return ErrUnchanged
			}
		}
		c.Entries = append(c.Entries, ContactEntry{Event: e.EventID, Sealed: sealed})
		c.ChangedAt = s.now()
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep an address: %w", err)
	}
	return nil
}

// address opens the current address of a case; fault.NotFound when there is none.
func (s *Service) address(ctx context.Context, c *Case) (string, error) {
	card, err := s.store.Contact(ctx, s.cardID(c.ID))
	if err != nil {
		return "", fmt.Errorf("read a contact card: %w", err)
	}
	for _, entry := range card.Entries {
		if entry.Event == c.Facts.ContactEvent {
			email, err := s.keys.OpenString(seal.Purpose("contact", card.ID, entry.Event), entry.Sealed)
			if err != nil {
				return "", fmt.Errorf("open an address: %w", err)
			}
			return email, nil
		}
	}
	return "", fault.New(fault.NotFound, "no address is kept for this case")
}

// caseEvent is what the case keeps of an event: facts and pseudonyms.
func (s *Service) caseEvent(e *Event) CaseEvent {
	ce := CaseEvent{
		ID: e.EventID, Type: e.Type, At: e.OccurredAt, Borough: e.Borough, Offence: e.Offence, DomesticAbuse: e.DomesticAbuse,
		Adult: e.Adult, Advocate: s.keys.AdvocateKey(e.Advocate), AgeBand: e.AgeBand, Sex: e.Sex, Milestone: e.Milestone,
		Reason: e.Reason, Outcome: e.Outcome, Corrects: e.Corrects,
	}
	if a, ok := s.geo.Borough(e.Force, e.Borough); ok {
		ce.BCU = a.BCU
	}
	if e.PersonRef != "" {
		ce.Person = s.keys.Pseudonym("person", e.Force, e.PersonRef)
	}
	if e.Into != "" {
		ce.Into = s.CaseID(e.Force, e.Into)
	}
	if c := e.Contact; c != nil {
		ce.Contact = &ContactFacts{Language: c.Language, Safe: c.EmailSafe, Days: c.SafeDays, From: c.SafeFrom, To: c.SafeTo}
		if c.Email != "" {
			ce.Contact.Address = s.addressKey(c.Email)
		}
		if c.SafeConfirmedAt != nil {
			ce.Contact.ConfirmedAt = *c.SafeConfirmedAt
		}
	}
	return ce
}
