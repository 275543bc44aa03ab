package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"time"

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
	return s.events.list(ctx, "WHERE applied = 0 AND received_at < ? ORDER BY received_at, id LIMIT ?", ms(before), max(limit, 0))
}

// Case implements [survey.Cases].
func (s *Store) Case(ctx context.Context, id string) (survey.Case, error) {
	return s.cases.get(ctx, id)
}

// CaseOf implements [survey.Cases].
func (s *Store) CaseOf(ctx context.Context, respondent string) (survey.Case, error) {
	return s.cases.first(ctx, "WHERE respondent = ? ORDER BY id", respondent)
}

// UpdateCase implements [survey.Cases].
func (s *Store) UpdateCase(ctx context.Context, id string, fn func(*survey.Case) error) (survey.Case, error) {
	return s.cases.update(ctx, id, fn)
}

// DueCases implements [survey.Cases].
func (s *Store) DueCases(ctx context.Context, now time.Time, limit int) ([]string, error) {
	// The number is the zero time: nothing to do. It is written out so that the partial index serves.
	return scan(ctx, s, "SELECT id FROM cases WHERE next_at > -62135596800000 AND next_at <= ? ORDER BY next_at, id LIMIT ?",
		func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) }, ms(now), max(limit, 0))
}

// CasesOfAdvocate implements [survey.Cases].
func (s *Store) CasesOfAdvocate(ctx context.Context, advocate string) iter.Seq2[survey.Case, error] {
	if advocate == "" { // a case without an advocate is nobody's
		return func(func(survey.Case, error) bool) {}
	}
	return s.cases.byID(ctx, "advocate <> '' AND advocate = ?", advocate)
}

// CasesChanged implements [survey.Cases].
func (s *Store) CasesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.Case, error] {
	return s.cases.changedSince(ctx, since, func(c *survey.Case) time.Time { return c.ChangedAt })
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
	return s.links.purge(ctx, "expires_at < ?", ms(before))
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
	return s.sittings.purge(ctx, "expires_at < ?", ms(before))
}

// Response implements [survey.Answers].
func (s *Store) Response(ctx context.Context, id string) (survey.Response, error) {
	return s.responses.get(ctx, id)
}

// ResponseByReceipt implements [survey.Answers].
func (s *Store) ResponseByReceipt(ctx context.Context, receipt string) (survey.Response, error) {
	return s.responses.first(ctx, "WHERE receipt <> '' AND receipt = ? ORDER BY id", receipt)
}

// UpdateResponse implements [survey.Answers].
func (s *Store) UpdateResponse(ctx context.Context, id string, fn func(*survey.Response) error) (survey.Response, error) {
	return s.responses.update(ctx, id, fn)
}

// ResponsesToFollow implements [survey.Answers].
func (s *Store) ResponsesToFollow(ctx context.Context, limit int) ([]survey.Response, error) {
	return s.responses.list(ctx, "WHERE follow_up = 1 AND state <> 'draft' ORDER BY changed_at, id LIMIT ?", max(limit, 0))
}

// ResponsesToCode implements [survey.Answers].
func (s *Store) ResponsesToCode(ctx context.Context, limit int) ([]survey.Response, error) {
	return s.responses.list(ctx, "WHERE uncoded = 1 AND state IN (?, ?) ORDER BY changed_at, id LIMIT ?",
		survey.Complete, survey.Partial, max(limit, 0))
}

// DraftsToClose implements [survey.Answers]. A draft without a ClosesAt is left alone.
func (s *Store) DraftsToClose(ctx context.Context, now time.Time, limit int) ([]survey.Response, error) {
	return s.responses.list(ctx, "WHERE state = 'draft' AND closes_at > ? AND closes_at <= ? ORDER BY closes_at, id LIMIT ?",
		ms(time.Time{}), ms(now), max(limit, 0))
}

// ResponsesChanged implements [survey.Answers] from the columns alone.
func (s *Store) ResponsesChanged(ctx context.Context, since time.Time) iter.Seq2[survey.ResponseRow, error] {
	return stream(ctx, s.page, since, func(at int64, id string) ([]survey.ResponseRow, error) {
		return scan(ctx, s, `SELECT id, respondent, stage, round, mode, questionnaire, state, quick, packed, submitted_at, changed_at
			FROM responses WHERE state <> 'draft' AND (changed_at, id) > (?, ?) ORDER BY changed_at, id LIMIT ?`,
			responseRow, at, id, s.page)
	}, func(r *survey.ResponseRow) (int64, string) { return ms(r.ChangedAt), r.ID })
}

// responseRow scans into plain types, since database/sql takes a slow road to
// named ones and a panel is millions of rows.
func responseRow(rows *sql.Rows) (r survey.ResponseRow, err error) {
	var stage, mode, state string
	var round, quick, submitted, changed int64
	err = rows.Scan(&r.ID, &r.Respondent, &stage, &round, &mode, &r.Questionnaire, &state, &quick, &r.Packed, &submitted, &changed)
	r.Stage, r.Round, r.Mode, r.State, r.Quick = survey.Stage(stage), int(round), survey.Mode(mode), survey.ResponseState(state), quick != 0
	r.SubmittedAt, r.ChangedAt = time.UnixMilli(submitted).UTC(), time.UnixMilli(changed).UTC()
	return r, err
}

// ResponsesOf implements [survey.Answers].
func (s *Store) ResponsesOf(ctx context.Context, respondent string) ([]survey.Response, error) {
	return s.responses.list(ctx, "WHERE respondent = ? ORDER BY id", respondent)
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
	return s.abouts.changedSince(ctx, since, func(a *survey.About) time.Time { return a.ChangedAt })
}
