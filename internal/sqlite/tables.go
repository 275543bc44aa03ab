package sqlite

import (
	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// collections says of every document which table keeps it and which columns
// stand beside its body, in the order of the migrations.
func (s *Store) collections() {
	s.events = newCollection(s, spec[survey.EventRecord]{
		table: "events", noun: "event",
		id:   func(e *survey.EventRecord) *string { return &e.ID },
		vers: func(e *survey.EventRecord) *int64 { return &e.Version },
		cols: []string{"applied", "received_at"},
		vals: func(e *survey.EventRecord) []any { return []any{e.Applied, ms(e.ReceivedAt)} },
	})
	s.cases = newCollection(s, spec[survey.Case]{
		table: "cases", noun: "case",
		id:   func(c *survey.Case) *string { return &c.ID },
		vers: func(c *survey.Case) *int64 { return &c.Version },
		cols: []string{"respondent", "advocate", "next_at", "changed_at"},
		vals: func(c *survey.Case) []any {
			return []any{c.Respondent, c.Facts.Advocate, ms(c.NextAt), ms(c.ChangedAt)}
		},
	})
	s.contacts = newCollection(s, spec[survey.ContactCard]{
		table: "contacts", noun: "contact",
		id:   func(c *survey.ContactCard) *string { return &c.ID },
		vers: func(c *survey.ContactCard) *int64 { return &c.Version },
	})
	s.refusals = newCollection(s, spec[survey.Refusal]{
		table: "refusals", noun: "refusal",
		id:   func(r *survey.Refusal) *string { return &r.ID },
		vers: func(r *survey.Refusal) *int64 { return &r.Version },
	})
	s.links = newCollection(s, spec[survey.Link]{
		table: "links", noun: "link",
		id:   func(l *survey.Link) *string { return &l.ID },
		vers: func(l *survey.Link) *int64 { return &l.Version },
		cols: []string{"expires_at"},
		vals: func(l *survey.Link) []any { return []any{ms(l.ExpiresAt)} },
	})
	s.sittings = newCollection(s, spec[survey.Sitting]{
		table: "sittings", noun: "survey session",
		id:   func(t *survey.Sitting) *string { return &t.ID },
		vers: func(t *survey.Sitting) *int64 { return &t.Version },
		cols: []string{"expires_at"},
		vals: func(t *survey.Sitting) []any { return []any{ms(t.ExpiresAt)} },
	})
	s.responses = newCollection(s, spec[survey.Response]{
		table: "responses", noun: "response",
		id:   func(r *survey.Response) *string { return &r.ID },
		vers: func(r *survey.Response) *int64 { return &r.Version },
		cols: []string{
			"respondent", "stage", "round", "mode", "questionnaire", "state", "quick", "packed",
			"submitted_at", "changed_at", "closes_at", "receipt", "follow_up", "uncoded",
		},
		vals: func(r *survey.Response) []any {
			return []any{
				r.Respondent, r.Stage, r.Round, r.Mode, r.Questionnaire, r.State, r.Quick, r.Packed,
				ms(r.SubmittedAt), ms(r.ChangedAt), ms(r.ClosesAt), r.Receipt, r.FollowUp, r.Uncoded,
			}
		},
	})
	s.abouts = newCollection(s, spec[survey.About]{
		table: "abouts", noun: "person",
		id:   func(a *survey.About) *string { return &a.ID },
		vers: func(a *survey.About) *int64 { return &a.Version },
		cols: []string{"changed_at"},
		vals: func(a *survey.About) []any { return []any{ms(a.ChangedAt)} },
	})
	s.codings = newCollection(s, spec[analysis.Coding]{
		table: "codings", noun: "coding",
		id:   func(c *analysis.Coding) *string { return &c.ID },
		vers: func(c *analysis.Coding) *int64 { return &c.Version },
		cols: []string{"response", "changed_at", "queue", "place", "holder"},
		vals: func(c *analysis.Coding) []any {
			return []any{c.Response, ms(c.ChangedAt), c.Queue, c.Order, c.Draw.By}
		},
	})
	s.quotations = newCollection(s, spec[analysis.Quotation]{
		table: "quotations", noun: "quotation",
		id:   func(q *analysis.Quotation) *string { return &q.ID },
		vers: func(q *analysis.Quotation) *int64 { return &q.Version },
		cols: []string{"state", "changed_at"},
		vals: func(q *analysis.Quotation) []any { return []any{q.State, ms(q.ChangedAt)} },
	})
	s.draftCodes = newCollection(s, spec[analysis.DraftCode]{
		table: "draft_codes", noun: "draft code",
		id:   func(c *analysis.DraftCode) *string { return &c.ID },
		vers: func(c *analysis.DraftCode) *int64 { return &c.Version },
		cols: []string{"created_at"},
		vals: func(c *analysis.DraftCode) []any { return []any{ms(c.CreatedAt)} },
	})
	s.adviceRevisions = newCollection(s, spec[analysis.AdviceRevision]{
		table: "advice_revisions", noun: "version of the polarity table",
		id:   func(r *analysis.AdviceRevision) *string { return &r.ID },
		vers: func(r *analysis.AdviceRevision) *int64 { return &r.Version },
	})
	s.coderModels = newCollection(s, spec[analysis.CoderModel]{
		table: "coder_models", noun: "model of the coder",
		id:   func(m *analysis.CoderModel) *string { return &m.ID },
		vers: func(m *analysis.CoderModel) *int64 { return &m.Version },
	})
	s.coderLogs = newCollection(s, spec[analysis.CoderLog]{
		table: "coder_logs", noun: "log of the coder's versions",
		id:   func(l *analysis.CoderLog) *string { return &l.ID },
		vers: func(l *analysis.CoderLog) *int64 { return &l.Version },
	})
	s.marks = newCollection(s, spec[analysis.Mark]{
		table: "marks", noun: "mark",
		id:   func(m *analysis.Mark) *string { return &m.ID },
		vers: func(m *analysis.Mark) *int64 { return &m.Version },
		cols: []string{"on_day"},
		vals: func(m *analysis.Mark) []any { return []any{m.On} },
	})
	s.openTables = newCollection(s, spec[analysis.OpenTable]{
		table: "open_tables", noun: "open table",
		id:   func(t *analysis.OpenTable) *string { return &t.ID },
		vers: func(t *analysis.OpenTable) *int64 { return &t.Version },
	})
	s.alerts = newCollection(s, spec[loop.Alert]{
		table: "alerts", noun: "alert",
		id:   func(a *loop.Alert) *string { return &a.ID },
		vers: func(a *loop.Alert) *int64 { return &a.Version },
		cols: []string{"advocate", "state", "due_at"},
		vals: func(a *loop.Alert) []any { return []any{a.Advocate, a.State, ms(a.DueAt)} },
	})
	s.actions = newCollection(s, spec[loop.Action]{
		table: "actions", noun: "action",
		id:   func(a *loop.Action) *string { return &a.ID },
		vers: func(a *loop.Action) *int64 { return &a.Version },
		cols: []string{"due_on"},
		vals: func(a *loop.Action) []any { return []any{a.DueOn} },
	})
	s.subscribers = newCollection(s, spec[loop.Subscriber]{
		table: "subscribers", noun: "subscriber",
		id:   func(b *loop.Subscriber) *string { return &b.ID },
		vers: func(b *loop.Subscriber) *int64 { return &b.Version },
	})
	s.publications = newCollection(s, spec[loop.Publication]{
		table: "publications", noun: "publication",
		id:   func(p *loop.Publication) *string { return &p.ID },
		vers: func(p *loop.Publication) *int64 { return &p.Version },
		cols: []string{"at"},
		vals: func(p *loop.Publication) []any { return []any{ms(p.At)} },
	})
	s.messages = newCollection(s, spec[notifications.Message]{
		table: "messages", noun: "message",
		id:   func(m *notifications.Message) *string { return &m.ID },
		vers: func(m *notifications.Message) *int64 { return &m.Version },
		cols: []string{"mail_id", "state", "due_at", "lease_until"},
		vals: func(m *notifications.Message) []any {
			return []any{m.MailID, m.State, ms(m.DueAt), ms(m.LeaseUntil)}
		},
	})
	s.leases = newCollection(s, spec[work.Lease]{
		table: "leases", noun: "lease",
		id:   func(l *work.Lease) *string { return &l.ID },
		vers: func(l *work.Lease) *int64 { return &l.Version },
	})
	s.users = newCollection(s, spec[access.User]{
		table: "users", noun: "user",
		id:   func(u *access.User) *string { return &u.ID },
		vers: func(u *access.User) *int64 { return &u.Version },
		cols: []string{"email_key"},
		vals: func(u *access.User) []any { return []any{u.EmailKey} },
	})
	s.sessions = newCollection(s, spec[access.Session]{
		table: "sessions", noun: "session",
		id:   func(e *access.Session) *string { return &e.ID },
		vers: func(e *access.Session) *int64 { return &e.Version },
		cols: []string{"user_id", "expires_at"},
		vals: func(e *access.Session) []any { return []any{e.UserID, ms(e.ExpiresAt)} },
	})
	s.apiKeys = newCollection(s, spec[access.APIKey]{
		table: "api_keys", noun: "API key",
		id:   func(k *access.APIKey) *string { return &k.ID },
		vers: func(k *access.APIKey) *int64 { return &k.Version },
	})
	s.staffLinks = newCollection(s, spec[access.Link]{
		table: "staff_links", noun: "link",
		id:   func(l *access.Link) *string { return &l.ID },
		cols: []string{"user_id", "expires_at"},
		vals: func(l *access.Link) []any { return []any{l.UserID, ms(l.ExpiresAt)} },
	})
	s.throttles = newCollection(s, spec[access.Throttle]{
		table: "throttles", noun: "counter",
		id:   func(t *access.Throttle) *string { return &t.ID },
		vers: func(t *access.Throttle) *int64 { return &t.Version },
		cols: []string{"last_at"},
		vals: func(t *access.Throttle) []any { return []any{ms(t.LastAt)} },
	})
}
