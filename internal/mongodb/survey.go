package mongodb

import (
	"context"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"victimvoice/survey"
)

var _ survey.Store = (*Store)(nil)

// InsertEvent implements [survey.Events].
func (s *Store) InsertEvent(ctx context.Context, e survey.EventRecord) error {
	return s.events.insert(ctx, e)
}

// Event implements [survey.Events].
func (s *Store) Event(ctx context.Context, id string) (survey.EventRecord, error) {
	return s.events.get(ctx, id)
}

// UpdateEvent implements [survey.Events].
func (s *Store) UpdateEvent(ctx context.Context, id string, fn func(*survey.EventRecord) error) (survey.EventRecord, error) {
	return s.events.update(ctx, id, fn)
}

// UnappliedEvents implements [survey.Events].
func (s *Store) UnappliedEvents(ctx context.Context, before time.Time, limit int) ([]survey.EventRecord, error) {
	return s.events.upTo(ctx, limit, where("applied", false, "received_at", op("$lt", before)), ascending("received_at", "_id"))
}

// Case implements [survey.Cases].
func (s *Store) Case(ctx context.Context, id string) (survey.Case, error) {
	return s.cases.get(ctx, id)
}

// CaseOf implements [survey.Cases].
func (s *Store) CaseOf(ctx context.Context, respondent string) (survey.Case, error) {
	return s.cases.first(ctx, where("respondent", respondent), ascending("_id"))
}

// UpdateCase implements [survey.Cases].
func (s *Store) UpdateCase(ctx context.Context, id string, fn func(*survey.Case) error) (survey.Case, error) {
	return s.cases.update(ctx, id, fn)
}

// DueCases implements [survey.Cases].
func (s *Store) DueCases(ctx context.Context, now time.Time, limit int) ([]string, error) {
	due := bson.D{{Key: "$gt", Value: time.Time{}}, {Key: "$lte", Value: now}} // the zero time: nothing to do
	cases, err := s.cases.upTo(ctx, limit, where("next_at", due), ascending("next_at", "_id"), "_id")
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(cases))
	for i := range cases {
		ids[i] = cases[i].ID
	}
	return ids, nil
}

// CasesOfAdvocate implements [survey.Cases].
func (s *Store) CasesOfAdvocate(ctx context.Context, advocate string) iter.Seq2[survey.Case, error] {
	if advocate == "" { // a case without an advocate is nobody's
		return func(func(survey.Case, error) bool) {}
	}
	return s.cases.byID(ctx, where("facts.advocate", advocate))
}

// CasesChanged implements [survey.Cases].
func (s *Store) CasesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.Case, error] {
	return s.cases.changedSince(ctx, since, where(), func(c *survey.Case) time.Time { return c.ChangedAt })
}

// Contact implements [survey.Contacts].
func (s *Store) Contact(ctx context.Context, id string) (survey.ContactCard, error) {
	return s.contacts.get(ctx, id)
}

// UpdateContact implements [survey.Contacts].
func (s *Store) UpdateContact(ctx context.Context, id string, fn func(*survey.ContactCard) error) (survey.ContactCard, error) {
	return s.contacts.update(ctx, id, fn)
}

// DeleteContact implements [survey.Contacts]; it succeeds also when there is none.
func (s *Store) DeleteContact(ctx context.Context, id string) error {
	return s.contacts.delete(ctx, id)
}

// Refusal implements [survey.Contacts].
func (s *Store) Refusal(ctx context.Context, id string) (survey.Refusal, error) {
	return s.refusals.get(ctx, id)
}

// UpdateRefusal implements [survey.Contacts].
func (s *Store) UpdateRefusal(ctx context.Context, id string, fn func(*survey.Refusal) error) (survey.Refusal, error) {
	return s.refusals.update(ctx, id, fn)
}

// InsertLink implements [survey.Answers].
func (s *Store) InsertLink(ctx context.Context, l survey.Link) error { return s.links.insert(ctx, l) }

// Link implements [survey.Answers].
func (s *Store) Link(ctx context.Context, id string) (survey.Link, error) {
	return s.links.get(ctx, id)
}

// PurgeLinks implements [survey.Answers].
func (s *Store) PurgeLinks(ctx context.Context, before time.Time) (int, error) {
	return s.links.purge(ctx, where("expires_at", op("$lt", before)))
}

// InsertSitting implements [survey.Answers].
func (s *Store) InsertSitting(ctx context.Context, st survey.Sitting) error {
	return s.sittings.insert(ctx, st)
}

// Sitting implements [survey.Answers].
func (s *Store) Sitting(ctx context.Context, id string) (survey.Sitting, error) {
	return s.sittings.get(ctx, id)
}

// UpdateSitting implements [survey.Answers].
func (s *Store) UpdateSitting(ctx context.Context, id string, fn func(*survey.Sitting) error) (survey.Sitting, error) {
	return s.sittings.update(ctx, id, fn)
}

// PurgeSittings implements [survey.Answers].
func (s *Store) PurgeSittings(ctx context.Context, before time.Time) (int, error) {
	return s.sittings.purge(ctx, where("expires_at", op("$lt", before)))
}

// Response implements [survey.Answers].
func (s *Store) Response(ctx context.Context, id string) (survey.Response, error) {
	return s.responses.get(ctx, id)
}

// ResponseByReceipt implements [survey.Answers].
func (s *Store) ResponseByReceipt(ctx context.Context, receipt string) (survey.Response, error) {
	if receipt == "" { // as every draft has
		return survey.Response{}, errNotFound(s.responses.noun)
	}
	return s.responses.first(ctx, where("receipt", receipt), ascending("_id"))
}

// UpdateResponse implements [survey.Answers].
func (s *Store) UpdateResponse(ctx context.Context, id string, fn func(*survey.Response) error) (survey.Response, error) {
	return s.responses.update(ctx, id, fn)
}

// kept filters responses that count.
func kept() bson.D { return op("$in", bson.A{survey.Complete, survey.Partial}) }

// ResponsesToFollow implements [survey.Answers].
func (s *Store) ResponsesToFollow(ctx context.Context, limit int) ([]survey.Response, error) {
	return s.responses.upTo(ctx, limit, where("follow_up", true, "state", bson.D{{Key: "$ne", Value: survey.Draft}}), ascending("changed_at", "_id"))
}

// ResponsesToCode implements [survey.Answers].
func (s *Store) ResponsesToCode(ctx context.Context, limit int) ([]survey.Response, error) {
	return s.responses.upTo(ctx, limit, where("uncoded", true, "state", kept()), ascending("changed_at", "_id"))
}

// DraftsToClose implements [survey.Answers]. A draft without a ClosesAt is left alone.
func (s *Store) DraftsToClose(ctx context.Context, now time.Time, limit int) ([]survey.Response, error) {
	due := bson.D{{Key: "$gt", Value: time.Time{}}, {Key: "$lte", Value: now}}
	return s.responses.upTo(ctx, limit, where("state", survey.Draft, "closes_at", due), ascending("closes_at", "_id"))
}

// ResponsesChanged implements [survey.Answers]; only what a row holds leaves the server.
func (s *Store) ResponsesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.ResponseRow, error] {
	responses := s.responses.changedSince(ctx, since, where("state", op("$ne", survey.Draft)),
		func(r *survey.Response) time.Time { return r.ChangedAt },
		"_id", "respondent", "stage", "round", "mode", "questionnaire", "state", "quick", "packed", "submitted_at", "changed_at")
	return func(yield func(survey.ResponseRow, error) bool) {
		for r, err := range responses {
			row := survey.ResponseRow{
				ID: r.ID, Respondent: r.Respondent, Stage: r.Stage, Round: r.Round, Mode: r.Mode, Questionnaire: r.Questionnaire,
				State: r.State, Quick: r.Quick, Packed: r.Packed, SubmittedAt: r.SubmittedAt, ChangedAt: r.ChangedAt,
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// ResponsesOf implements [survey.Answers].
func (s *Store) ResponsesOf(ctx context.Context, respondent string) ([]survey.Response, error) {
	return s.responses.list(ctx, where("respondent", respondent), ascending("_id"), 0)
}

// About implements [survey.Abouts].
func (s *Store) About(ctx context.Context, id string) (survey.About, error) {
	return s.abouts.get(ctx, id)
}

// UpdateAbout implements [survey.Abouts].
func (s *Store) UpdateAbout(ctx context.Context, id string, fn func(*survey.About) error) (survey.About, error) {
	return s.abouts.update(ctx, id, fn)
}

// AboutsChanged implements [survey.Abouts].
func (s *Store) AboutsChanged(ctx context.Context, since time.Time) iter.Seq2[survey.About, error] {
	return s.abouts.changedSince(ctx, since, where(), func(a *survey.About) time.Time { return a.ChangedAt })
}
