package loop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"victimvoice/analysis"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// toldMonths is how long an address is kept for telling its owner what changed.
const toldMonths = 18

// Service is the loop at work.
type Service struct {
	store    Store
	survey   *survey.Service
	analysis *analysis.Service
	keys     *seal.Keys
	audit    *audit.Log
	now      func() time.Time
	log      *slog.Logger
}

// NewService puts the loop together.
func NewService(store Store, sv *survey.Service, an *analysis.Service, keys *seal.Keys, log *audit.Log, now func() time.Time, logger *slog.Logger) *Service {
	return &Service{store: store, survey: sv, analysis: an, keys: keys, audit: log, now: func() time.Time { return now().UTC().Truncate(time.Millisecond) }, log: logger}
}

// At gives the same service with another clock and the survey room at that clock.
func (s *Service) At(sv *survey.Service, now func() time.Time) *Service {
	other := *s
	other.survey, other.now = sv, func() time.Time { return now().UTC().Truncate(time.Millisecond) }
	return &other
}

// FollowUp draws everything that follows from a kept or removed response: the
// invitation is marked, an alert is raised for its danger signs, an address is
// kept where the person asked to be told, what they told about themselves is put
// apart; of a removed one all of that goes, and its codings. Each step is
// repeatable, and the response is marked followed up last, so that a crash
// anywhere is mended by the sweep.
func (s *Service) FollowUp(ctx context.Context, r *survey.Response) error {
	c, err := s.survey.MarkAnswered(ctx, r)
	if err != nil {
		return fmt.Errorf("follow a response up: %w", err)
	}
	switch r.State {
	case survey.Complete, survey.Partial:
		if len(r.Hits) > 0 {
			if err := s.raise(ctx, r, &c); err != nil {
				return err
			}
		}
		if r.Ticks.Told && r.Mode == survey.ModeSelf {
			if err := s.subscribe(ctx, r, &c); err != nil {
				return err
			}
		}
		if err := s.survey.KeepAbout(ctx, r, &c); err != nil {
			return fmt.Errorf("follow a response up: %w", err)
		}
	case survey.Withdrawn, survey.Void:
		if err := s.forget(ctx, r, &c); err != nil {
			return err
		}
	}
	now, err := s.survey.FollowedUp(ctx, r)
	if err != nil {
		return err
	}
	if now.State != r.State { // removed in the meantime, perhaps before our last step
		return s.FollowUp(ctx, &now)
	}
	return nil
}

// Sweep follows up what a crash left out; it gives how many responses.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	rs, err := s.survey.ToFollowUp(ctx, 200)
	if err != nil {
		return 0, err
	}
	n := 0
	var errs []error
	for i := range rs { // one that fails does not hold the others up
		if err := s.FollowUp(ctx, &rs[i]); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

func (s *Service) alertID(responseID string) string { return s.keys.Pseudonym("alert", responseID) }

func (s *Service) raise(ctx context.Context, r *survey.Response, c *survey.Case) error {
	now := s.now()
	a, err := s.store.UpdateAlert(ctx, s.alertID(r.ID), func(a *Alert) error {
		if a.Version > 0 {
			return survey.ErrUnchanged
		}
		*a = Alert{
			ID: a.ID, Response: r.ID, Case: c.ID, Force: c.Force, Advocate: c.Facts.Advocate, Stage: r.Stage, Mode: r.Mode, Hits: r.Hits,
			State: AlertOpen, RaisedAt: now, DueAt: NextWorkingDay(now, s.survey.Policy().Location()), ChangedAt: now, MayContact: r.Ticks.Contact,
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("raise an alert: %w", err)
	}
	s.log.Info("alert raised", "alert", a.ID, "rules", len(a.Hits), "due_at", a.DueAt)
	return nil
}

// forget takes away all that was made of a response which is no longer there.
func (s *Service) forget(ctx context.Context, r *survey.Response, c *survey.Case) error {
	if err := s.analysis.Forget(ctx, r.ID); err != nil {
		return fmt.Errorf("forget the codings of a removed response: %w", err)
	}
	if err := s.withdrawAlert(ctx, r); err != nil {
		return err
	}
	if err := s.unsubscribe(ctx, r, c); err != nil {
		return err
	}
	if err := s.survey.ForgetAbout(ctx, r, c); err != nil {
		return fmt.Errorf("follow a removed response up: %w", err)
	}
	return nil
}

// withdrawAlert closes the alert of a response that was taken back, so that
// nobody works from words that are gone, and empties it: which signs it was
// raised by says what was answered, and a note may. That there was one, and who
// did what about it and when, stays on record.
func (s *Service) withdrawAlert(ctx context.Context, r *survey.Response) error {
	now := s.now()
	_, err := s.store.UpdateAlert(ctx, s.alertID(r.ID), func(a *Alert) error {
		switch {
		case a.Version == 0, a.State == AlertClosed && len(a.Hits) == 0:
			return survey.ErrUnchanged
		case a.State != AlertClosed:
			a.State, a.Outcome, a.ClosedAt, a.ClosedBy = AlertClosed, OutcomeTakenBack, now, "system"
		}
		a.Hits, a.Note, a.MayContact, a.ChangedAt = nil, nil, false, now
		return nil
	})
	if err != nil {
		return fmt.Errorf("close the alert of a removed response: %w", err)
	}
	return nil
}

// The outcomes of an alert.
const (
	OutcomeContacted    = "contacted"     // the person was reached over the agreed safe route
	OutcomeSafetyPlan   = "safety-plan"   // and a safety plan was made or renewed
	OutcomeReferred     = "referred"      // handed to a specialist service
	OutcomeEmergency    = "emergency"     // emergency services were called
	OutcomeNoSafeRoute  = "no-safe-route" // no safe way to reach the person
	OutcomeAlreadyKnown = "already-known" // being dealt with
	OutcomeNoConcern    = "no-concern"    // read, and nothing to act on
	OutcomeTakenBack    = "taken-back"    // the answers were withdrawn or voided
)

// AlertOutcomes lists the outcomes that a person can choose.
func AlertOutcomes() []string {
	return []string{OutcomeContacted, OutcomeSafetyPlan, OutcomeReferred, OutcomeEmergency, OutcomeNoSafeRoute, OutcomeAlreadyKnown, OutcomeNoConcern}
}

// maxNote bounds a note or a text of an action, in characters.
const maxNote = 2000

// Viewer is who looks at alerts: an advocate sees their own cases', the
// victim-care team (All) everybody's.
type Viewer struct {
	survey.Actor
	Advocate string
	All      bool
}

// Alerts lists open and taken alerts, earliest due first, and leaves a trace.
func (s *Service) Alerts(ctx context.Context, by Viewer, states ...AlertState) ([]Alert, error) {
	if !by.All && by.Advocate == "" {
		return nil, nil
	}
	alerts, err := s.store.Alerts(ctx, by.Advocate, by.All, states, 500)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	subject := "advocate:" + by.Advocate
	if by.All {
		subject = "alerts:all"
	}
	if err := s.audit.Append(ctx, by.Entry("alerts.read", subject)); err != nil {
		return nil, fmt.Errorf("audit a read: %w", err)
	}
	return alerts, nil
}

// Alert opens one alert for somebody who may see it and leaves a trace.
func (s *Service) Alert(ctx context.Context, by Viewer, id string) (Alert, error) {
	a, err := s.alertFor(ctx, by, id)
	if err != nil {
		return Alert{}, err
	}
	if err := s.audit.Append(ctx, by.Entry("alert.read", "alert:"+id)); err != nil {
		return Alert{}, fmt.Errorf("audit a read: %w", err)
	}
	return a, nil
}

func (s *Service) alertFor(ctx context.Context, by Viewer, id string) (Alert, error) {
	a, err := s.store.Alert(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Alert{}, fmt.Errorf("read an alert: %w", err)
	}
	if err != nil || !by.All && (by.Advocate == "" || a.Advocate != by.Advocate) {
		return Alert{}, fault.New(fault.NotFound, "there is no such alert among yours")
	}
	return a, nil
}

// Take puts somebody's name to an alert. Taking one's own again changes
// nothing; taking another's is fault.Conflict.
func (s *Service) Take(ctx context.Context, by Viewer, id string) (Alert, error) {
	if _, err := s.alertFor(ctx, by, id); err != nil {
		return Alert{}, err
	}
	if err := s.audit.Append(ctx, by.Entry("alert.taken", "alert:"+id)); err != nil {
		return Alert{}, fmt.Errorf("audit an alert: %w", err)
	}
	now := s.now()
	a, err := s.store.UpdateAlert(ctx, id, func(a *Alert) error {
		switch {
		case a.State == AlertOpen:
			a.State, a.TakenBy, a.TakenAt, a.ChangedAt = AlertTaken, by.ID, now, now
			return nil
		case a.State == AlertTaken && a.TakenBy == by.ID:
			return survey.ErrUnchanged
		default:
			return fault.New(fault.Conflict, "somebody else has taken or closed this alert")
		}
	})
	if err != nil {
		return Alert{}, fmt.Errorf("take an alert: %w", err)
	}
	return a, nil
}

// Close ends an alert with its outcome and an optional note, which is sealed.
func (s *Service) Close(ctx context.Context, by Viewer, id, outcome, note string) (Alert, error) {
	note = strings.TrimSpace(note)
	var faults []fault.Field
	if !slices.Contains(AlertOutcomes(), outcome) {
		faults = append(faults, fault.Field{Field: "outcome", Message: "choose what came of it"})
	}
	if !utf8.ValidString(note) || utf8.RuneCountInString(note) > maxNote {
		faults = append(faults, fault.Field{Field: "note", Message: fmt.Sprintf("use at most %d characters", maxNote)})
	}
	if err := fault.Fields("the form has faults", faults...); err != nil {
		return Alert{}, err
	}
	if _, err := s.alertFor(ctx, by, id); err != nil {
		return Alert{}, err
	}
	var sealed []byte
	if note != "" {
		var err error
		if sealed, err = s.keys.SealString(seal.Purpose("alert-note", id), note); err != nil {
			return Alert{}, fmt.Errorf("seal a note: %w", err)
		}
	}
	entry := by.Entry("alert.closed", "alert:"+id)
	entry.Detail = map[string]string{"outcome": outcome}
	if err := s.audit.Append(ctx, entry); err != nil {
		return Alert{}, fmt.Errorf("audit an alert: %w", err)
	}
	now := s.now()
	a, err := s.store.UpdateAlert(ctx, id, func(a *Alert) error {
		if a.State == AlertClosed {
			return fault.New(fault.Conflict, "this alert is closed already")
		}
		if a.TakenBy == "" {
			a.TakenBy, a.TakenAt = by.ID, now
		}
		a.State, a.Outcome, a.Note, a.ClosedBy, a.ClosedAt, a.ChangedAt = AlertClosed, outcome, sealed, by.ID, now, now
		return nil
	})
	if err != nil {
		return Alert{}, fmt.Errorf("close an alert: %w", err)
	}
	return a, nil
}

// Note opens the note of an alert.
func (s *Service) Note(a *Alert) (string, error) {
	if len(a.Note) == 0 {
		return "", nil
	}
	note, err := s.keys.OpenString(seal.Purpose("alert-note", a.ID), a.Note)
	if err != nil {
		return "", fmt.Errorf("open a note: %w", err)
	}
	return note, nil
}

// subscribe keeps the safe address of someone who asked to be told.
func (s *Service) subscribe(ctx context.Context, r *survey.Response, c *survey.Case) error {
	t, err := s.survey.ToldContact(ctx, c)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode a subscriber: %w", err)
	}
	sealed, err := s.keys.Seal(seal.Purpose("subscriber", t.ID), b)
	if err != nil {
		return fmt.Errorf("seal a subscriber: %w", err)
	}
	now := s.now()
	asked := s.askedToBeTold(r)
	_, err = s.store.UpdateSubscriber(ctx, t.ID, func(sub *Subscriber) error {
		if len(sub.Sealed) == 0 {
			sub.Since = now
		}
		sub.Sealed, sub.Until, sub.Stopped = sealed, now.AddDate(0, toldMonths, 0), time.Time{}
		if !slices.Contains(sub.Asked, asked) {
			sub.Asked = append(sub.Asked, asked)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a subscriber: %w", err)
	}
	return nil
}

// askedToBeTold names the response in which somebody asked to be told, so that
// it joins to nothing but by the key.
func (s *Service) askedToBeTold(r *survey.Response) string {
	return s.keys.Pseudonym("told-asked", r.ID)
}

// unsubscribe lets go of the address of someone who asked to be told in a response
// that was taken back, unless they asked in another one too. It is looked for
// under every address that the case has had. What waits in the outbox for it is
// not written: ClaimTelling asks again.
func (s *Service) unsubscribe(ctx context.Context, r *survey.Response, c *survey.Case) error {
	asked, now := s.askedToBeTold(r), s.now()
	for _, id := range s.survey.ToldIDs(c) {
		_, err := s.store.UpdateSubscriber(ctx, id, func(sub *Subscriber) error {
			if !slices.Contains(sub.Asked, asked) {
				return survey.ErrUnchanged
			}
			sub.Asked = slices.DeleteFunc(slices.Clone(sub.Asked), func(a string) bool { return a == asked })
			if len(sub.Asked) == 0 {
				*sub = Subscriber{ID: sub.ID, Version: sub.Version, Stopped: now}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("let a subscriber go: %w", err)
		}
	}
	return nil
}

// ActionDraft is what a commissioner fills in to raise or change an action.
type ActionDraft struct {
	Title, YouSaid, WeDid, Agency, Owner, DueOn, Because, DoneOn string
	Status                                                       ActionStatus
	Note                                                         string
}

// ActionStatuses lists the statuses in their order.
func ActionStatuses() []ActionStatus {
	return []ActionStatus{Noted, Investigating, Planned, Done, Checked, NoAction}
}

// check gives every fault of an action's form. A "done" needs what, when and
// where; "no action" needs its reason; "checked" is set by Check alone.
func (d *ActionDraft) check(was ActionStatus) error {
	var faults []fault.Field
	add := func(field, msg string) { faults = append(faults, fault.Field{Field: field, Message: msg}) }
	for _, f := range []struct {
		name   string
		value  *string
		needed string
	}{
		{"title", &d.Title, "say what will be done"}, {"you_said", &d.YouSaid, "say what people told us"}, {"agency", &d.Agency, "name the agency that owns it"},
		{"owner", &d.Owner, "name the person or post that owns it"}, {"we_did", &d.WeDid, ""}, {"because", &d.Because, ""}, {"note", &d.Note, ""},
	} {
		*f.value = strings.TrimSpace(*f.value)
		switch {
		case *f.value == "" && f.needed != "":
			add(f.name, f.needed)
		case !utf8.ValidString(*f.value) || utf8.RuneCountInString(*f.value) > maxNote:
			add(f.name, fmt.Sprintf("use at most %d characters", maxNote))
		}
	}
	if _, err := time.Parse(time.DateOnly, d.DueOn); err != nil {
		add("due_on", "give a date such as 2026-03-31")
	}
	if !slices.Contains(ActionStatuses(), d.Status) {
		add("status", "choose a status")
	}
	if d.Status == Checked && was != Checked {
		add("status", "an action is checked by comparing the figure, not by hand")
	}
	if d.Status == Done || d.Status == Checked {
		if d.WeDid == "" {
			add("we_did", "say what was done, when and where")
		}
		if _, err := time.Parse(time.DateOnly, d.DoneOn); err != nil {
			add("done_on", "give the date on which it was done, such as 2026-03-31")
		}
	}
	if d.Status == NoAction && d.Because == "" {
		add("because", "say why nothing will be done")
	}
	return fault.Fields("the form has faults", faults...)
}

func (d *ActionDraft) onto(a *Action) {
	a.Title, a.YouSaid, a.WeDid, a.Agency, a.Owner = d.Title, d.YouSaid, d.WeDid, d.Agency, d.Owner
	a.DueOn, a.Because, a.DoneOn, a.Status = d.DueOn, d.Because, d.DoneOn, d.Status
}

// Raise makes an action from a figure: step 13. The evidence is the figure as it
// stood, asked again here so that nobody can type one in.
func (s *Service) Raise(ctx context.Context, by survey.Actor, d ActionDraft, query url.Values) (Action, error) {
	if d.Status == "" {
		d.Status = Noted
	}
	if err := d.check(""); err != nil {
		return Action{}, err
	}
	ev, err := s.evidence(ctx, query)
	if err != nil {
		return Action{}, err
	}
	now := s.now()
	id := strings.ToLower(rand.Text())
	if err := s.audit.Append(ctx, by.Entry("action.raised", "action:"+id)); err != nil {
		return Action{}, fmt.Errorf("audit an action: %w", err)
	}
	a, err := s.store.UpdateAction(ctx, id, func(a *Action) error {
		d.onto(a)
		a.Evidence, a.CreatedBy, a.CreatedAt, a.ChangedAt = ev, by.ID, now, now
		a.History = []ActionStep{{At: now, By: by.ID, Status: a.Status, Note: d.Note}}
		return nil
	})
	if err != nil {
		return Action{}, fmt.Errorf("raise an action: %w", err)
	}
	return a, nil
}

// Change updates an action, if nobody else did since version. fault.Conflict otherwise.
func (s *Service) Change(ctx context.Context, by survey.Actor, id string, version int64, d ActionDraft) (Action, error) {
	old, err := s.store.Action(ctx, id)
	if err != nil {
		return Action{}, fmt.Errorf("read an action: %w", err)
	}
	if err := d.check(old.Status); err != nil {
		return Action{}, err
	}
	if err := s.audit.Append(ctx, by.Entry("action.changed", "action:"+id)); err != nil {
		return Action{}, fmt.Errorf("audit an action: %w", err)
	}
	now := s.now()
	a, err := s.store.UpdateAction(ctx, id, func(a *Action) error {
		if a.Version != version {
			return fault.New(fault.Conflict, "somebody else changed this action in the meantime; look at it again before you save")
		}
		d.onto(a)
		a.ChangedAt = now
		a.History = append(a.History, ActionStep{At: now, By: by.ID, Status: a.Status, Note: d.Note})
		return nil
	})
	if err != nil {
		return Action{}, fmt.Errorf("change an action: %w", err)
	}
	return a, nil
}

// Action gives one action; Actions all of them, by due date.
func (s *Service) Action(ctx context.Context, id string) (Action, error) {
	a, err := s.store.Action(ctx, id)
	if err != nil {
		return Action{}, fmt.Errorf("read an action: %w", err)
	}
	return a, nil
}

// Actions lists every action, by due date.
func (s *Service) Actions(ctx context.Context) ([]Action, error) {
	as, err := s.store.Actions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	return as, nil
}

// Overdue reports whether an action should have been done by now.
func (a *Action) Overdue(today string) bool {
	return a.DueOn < today && a.Status != Done && a.Status != Checked && a.Status != NoAction
}

// Publish puts actions on the public page and sets out to tell those who asked:
// step 14. Only actions that say what was done, or why nothing will be, can be
// published. The same title and actions on one day are one publication, so that
// a double click or a second try after a crash writes to nobody twice.
func (s *Service) Publish(ctx context.Context, by survey.Actor, title string, ids []string) (Publication, error) {
	title = strings.TrimSpace(title)
	var faults []fault.Field
	if title == "" || utf8.RuneCountInString(title) > 200 {
		faults = append(faults, fault.Field{Field: "title", Message: "give a title of at most 200 characters"})
	}
	if len(ids) == 0 {
		faults = append(faults, fault.Field{Field: "actions", Message: "choose at least one action"})
	}
	now := s.now()
	var order []string // as they were given, each once
	for _, id := range ids {
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	ids = order
	for _, id := range ids {
		a, err := s.store.Action(ctx, id)
		if err != nil {
			return Publication{}, fmt.Errorf("read an action: %w", err)
		}
		if a.Status != Done && a.Status != Checked && a.Status != NoAction {
			faults = append(faults, fault.Field{Field: "actions", Message: fmt.Sprintf("%q is not done yet; publish what was done, or why nothing will be", a.Title)})
		}
	}
	if err := fault.Fields("the form has faults", faults...); err != nil {
		return Publication{}, err
	}
	id := now.Format("20060102") + "-" + s.keys.Pseudonym("publication", append([]string{title}, slices.Sorted(slices.Values(ids))...)...)
	if err := s.audit.Append(ctx, by.Entry("actions.published", "publication:"+id)); err != nil {
		return Publication{}, fmt.Errorf("audit a publication: %w", err)
	}
	p, err := s.store.UpdatePublication(ctx, id, func(p *Publication) error {
		if p.Version > 0 {
			return survey.ErrUnchanged
		}
		p.Title, p.Actions, p.At, p.By = title, ids, now, by.ID
		return nil
	})
	if err != nil {
		return Publication{}, fmt.Errorf("publish: %w", err)
	}
	for _, actionID := range ids {
		if _, err := s.store.UpdateAction(ctx, actionID, func(a *Action) error {
			if !a.Published.IsZero() {
				return survey.ErrUnchanged
			}
			a.Published, a.ChangedAt = now, now
			return nil
		}); err != nil {
			return Publication{}, fmt.Errorf("mark an action published: %w", err)
		}
	}
	return p, nil
}

// Published gives the publications, newest first, each with its actions.
func (s *Service) Published(ctx context.Context) ([]PublishedRound, error) {
	ps, err := s.store.Publications(ctx)
	if err != nil {
		return nil, fmt.Errorf("list publications: %w", err)
	}
	actions, err := s.store.Actions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	byID := map[string]Action{}
	for _, a := range actions {
		byID[a.ID] = a
	}
	var out []PublishedRound
	for _, p := range ps {
		round := PublishedRound{Publication: p}
		for _, id := range p.Actions {
			if a, ok := byID[id]; ok {
				round.Items = append(round.Items, a)
			}
		}
		out = append(out, round)
	}
	return out, nil
}

// PublishedRound is a publication with its actions.
type PublishedRound struct {
	Publication
	Items []Action
}

// Telling names one mail to someone who asked to be told. ID is the same however
// often it is given.
type Telling struct {
	ID    string
	Ref   string // publication and subscriber
	DueAt time.Time
}

// Tell hands a telling for each subscriber of each new publication to put,
// which must be idempotent by id, then marks the publication as all queued.
func (s *Service) Tell(ctx context.Context, put func(context.Context, Telling) error) (int, error) {
	ps, err := s.store.Publications(ctx)
	if err != nil {
		return 0, fmt.Errorf("list publications: %w", err)
	}
	n := 0
	for _, p := range ps {
		if p.AllQueued {
			continue
		}
		for sub, err := range s.store.Subscribers(ctx) {
			if err != nil {
				return n, fmt.Errorf("list subscribers: %w", err)
			}
			if sub.Since.After(p.At) || !sub.Until.After(p.At) || !sub.Stopped.IsZero() {
				continue
			}
			t := Telling{ID: s.keys.Pseudonym("telling", p.ID, sub.ID), Ref: p.ID + "/" + sub.ID, DueAt: s.now()}
			if err := put(ctx, t); err != nil {
				return n, fmt.Errorf("queue a telling: %w", err)
			}
			n++
		}
		if _, err := s.store.UpdatePublication(ctx, p.ID, func(p *Publication) error {
			p.AllQueued = true
			return nil
		}); err != nil {
			return n, fmt.Errorf("mark a publication queued: %w", err)
		}
	}
	return n, nil
}

// ToldMail is what is needed to write one such mail.
type ToldMail struct{ Address, Language string }

// ClaimTelling asks at the moment of sending whether a telling is still due. A
// *survey.NotDue error says that it is not.
func (s *Service) ClaimTelling(ctx context.Context, ref string) (ToldMail, error) {
	publication, subID, _ := strings.Cut(ref, "/")
	sub, err := s.store.Subscriber(ctx, subID)
	if fault.Is(err, fault.NotFound) || err == nil && (!sub.Stopped.IsZero() || !sub.Until.After(s.now())) {
		return ToldMail{}, &survey.NotDue{Reason: survey.NoContact}
	}
	if err != nil {
		return ToldMail{}, fmt.Errorf("read a subscriber: %w", err)
	}
	if slices.Contains(sub.Told, publication) { // a crash came between the letter and its settling in the outbox
		return ToldMail{}, &survey.NotDue{Reason: survey.AlreadySent}
	}
	b, err := s.keys.Open(seal.Purpose("subscriber", sub.ID), sub.Sealed)
	if err != nil {
		return ToldMail{}, fmt.Errorf("open a subscriber: %w", err)
	}
	var t survey.ToldContact
	if err := json.Unmarshal(b, &t); err != nil {
		return ToldMail{}, fmt.Errorf("decode a subscriber: %w", err)
	}
	may, at, err := s.survey.MayWrite(ctx, &t)
	switch {
	case err != nil:
		return ToldMail{}, err
	case !may:
		return ToldMail{}, &survey.NotDue{Reason: survey.ReasonOptedOut}
	case at.After(s.now()):
		return ToldMail{}, &survey.NotDue{Until: at}
	}
	return ToldMail{Address: t.Address, Language: t.Language}, nil
}

// SettledTelling records what became of a telling; an address that bounced is let go.
func (s *Service) SettledTelling(ctx context.Context, ref string, delivered bool) error {
	publication, subID, _ := strings.Cut(ref, "/")
	now := s.now()
	_, err := s.store.UpdateSubscriber(ctx, subID, func(sub *Subscriber) error {
		if len(sub.Sealed) == 0 { // let go in the meantime
			return survey.ErrUnchanged
		}
		if delivered {
			sub.ToldUpTo = now
			if !slices.Contains(sub.Told, publication) {
				sub.Told = append(sub.Told, publication)
			}
		} else {
			sub.Stopped = now
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle a telling: %w", err)
	}
	return nil
}
