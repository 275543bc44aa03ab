package mongodb

import (
	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// collections says of every document which collection keeps it.
func (s *Store) collections() {
	s.events = newCollection(s, spec[survey.EventRecord]{
		name: "events", noun: "event",
		id:   func(e *survey.EventRecord) *string { return &e.ID },
		vers: func(e *survey.EventRecord) *int64 { return &e.Version },
	})
	s.cases = newCollection(s, spec[survey.Case]{
		name: "cases", noun: "case",
		id:   func(c *survey.Case) *string { return &c.ID },
		vers: func(c *survey.Case) *int64 { return &c.Version },
	})
	s.contacts = newCollection(s, spec[survey.ContactCard]{
		name: "contacts", noun: "contact",
		id:   func(c *survey.ContactCard) *string { return &c.ID },
		vers: func(c *survey.ContactCard) *int64 { return &c.Version },
	})
	s.refusals = newCollection(s, spec[survey.Refusal]{
		name: "refusals", noun: "refusal",
		id:   func(r *survey.Refusal) *string { return &r.ID },
		vers: func(r *survey.Refusal) *int64 { return &r.Version },
	})
	s.links = newCollection(s, spec[survey.Link]{
		name: "links", noun: "link",
		id:   func(l *survey.Link) *string { return &l.ID },
		vers: func(l *survey.Link) *int64 { return &l.Version },
	})
	s.sittings = newCollection(s, spec[survey.Sitting]{
		name: "sittings", noun: "survey session",
		id:   func(t *survey.Sitting) *string { return &t.ID },
		vers: func(t *survey.Sitting) *int64 { return &t.Version },
	})
	s.responses = newCollection(s, spec[survey.Response]{
		name: "responses", noun: "response",
		id:   func(r *survey.Response) *string { return &r.ID },
		vers: func(r *survey.Response) *int64 { return &r.Version },
	})
	s.abouts = newCollection(s, spec[survey.About]{
		name: "abouts", noun: "person",
		id:   func(a *survey.About) *string { return &a.ID },
		vers: func(a *survey.About) *int64 { return &a.Version },
	})
	s.codings = newCollection(s, spec[analysis.Coding]{
		name: "codings", noun: "coding",
		id:   func(c *analysis.Coding) *string { return &c.ID },
		vers: func(c *analysis.Coding) *int64 { return &c.Version },
	})
	s.quotations = newCollection(s, spec[analysis.Quotation]{
		name: "quotations", noun: "quotation",
		id:   func(q *analysis.Quotation) *string { return &q.ID },
		vers: func(q *analysis.Quotation) *int64 { return &q.Version },
	})
	s.draftCodes = newCollection(s, spec[analysis.DraftCode]{
		name: "draft_codes", noun: "draft code",
		id:   func(c *analysis.DraftCode) *string { return &c.ID },
		vers: func(c *analysis.DraftCode) *int64 { return &c.Version },
	})
	s.adviceRevisions = newCollection(s, spec[analysis.AdviceRevision]{
		name: "advice_revisions", noun: "version of the polarity table",
		id:   func(r *analysis.AdviceRevision) *string { return &r.ID },
		vers: func(r *analysis.AdviceRevision) *int64 { return &r.Version },
	})
	s.coderModels = newCollection(s, spec[analysis.CoderModel]{
		name: "coder_models", noun: "model of the coder",
		id:   func(m *analysis.CoderModel) *string { return &m.ID },
		vers: func(m *analysis.CoderModel) *int64 { return &m.Version },
	})
	s.coderLogs = newCollection(s, spec[analysis.CoderLog]{
		name: "coder_logs", noun: "log of the coder's versions",
		id:   func(l *analysis.CoderLog) *string { return &l.ID },
		vers: func(l *analysis.CoderLog) *int64 { return &l.Version },
	})
	s.openTables = newCollection(s, spec[analysis.OpenTable]{
		name: "open_tables", noun: "open table",
		id:   func(t *analysis.OpenTable) *string { return &t.ID },
		vers: func(t *analysis.OpenTable) *int64 { return &t.Version },
	})
	s.marks = newCollection(s, spec[analysis.Mark]{
		name: "marks", noun: "mark",
		id:   func(m *analysis.Mark) *string { return &m.ID },
		vers: func(m *analysis.Mark) *int64 { return &m.Version },
	})
	s.alerts = newCollection(s, spec[loop.Alert]{
		name: "alerts", noun: "alert",
		id:   func(a *loop.Alert) *string { return &a.ID },
		vers: func(a *loop.Alert) *int64 { return &a.Version },
	})
	s.actions = newCollection(s, spec[loop.Action]{
		name: "actions", noun: "action",
		id:   func(a *loop.Action) *string { return &a.ID },
		vers: func(a *loop.Action) *int64 { return &a.Version },
	})
	s.subscribers = newCollection(s, spec[loop.Subscriber]{
		name: "subscribers", noun: "subscriber",
		id:   func(b *loop.Subscriber) *string { return &b.ID },
		vers: func(b *loop.Subscriber) *int64 { return &b.Version },
	})
	s.publications = newCollection(s, spec[loop.Publication]{
		name: "publications", noun: "publication",
		id:   func(p *loop.Publication) *string { return &p.ID },
		vers: func(p *loop.Publication) *int64 { return &p.Version },
	})
	s.messages = newCollection(s, spec[notifications.Message]{
		name: "messages", noun: "message",
		id:   func(m *notifications.Message) *string { return &m.ID },
		vers: func(m *notifications.Message) *int64 { return &m.Version },
	})
	s.leases = newCollection(s, spec[work.Lease]{
		name: "leases", noun: "lease",
		id:   func(l *work.Lease) *string { return &l.ID },
		vers: func(l *work.Lease) *int64 { return &l.Version },
	})
	s.users = newCollection(s, spec[access.User]{
		name: "users", noun: "user",
		id:     func(u *access.User) *string { return &u.ID },
		vers:   func(u *access.User) *int64 { return &u.Version },
		unique: "email_key",
	})
	s.sessions = newCollection(s, spec[access.Session]{
		name: "sessions", noun: "session",
		id:   func(e *access.Session) *string { return &e.ID },
		vers: func(e *access.Session) *int64 { return &e.Version },
	})
	s.apiKeys = newCollection(s, spec[access.APIKey]{
		name: "api_keys", noun: "API key",
		id:   func(k *access.APIKey) *string { return &k.ID },
		vers: func(k *access.APIKey) *int64 { return &k.Version },
	})
	s.staffLinks = newCollection(s, spec[access.Link]{
		name: "staff_links", noun: "link",
		id: func(l *access.Link) *string { return &l.ID },
	})
	s.throttles = newCollection(s, spec[access.Throttle]{
		name: "throttles", noun: "counter",
		id:   func(t *access.Throttle) *string { return &t.ID },
		vers: func(t *access.Throttle) *int64 { return &t.Version },
	})
	s.audit = newCollection(s, spec[audit.Entry]{name: "audit", noun: "audit entry", key: "seq"})
}
