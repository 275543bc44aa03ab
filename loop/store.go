// Package loop owns what is done about what was heard: alerts about one person,
// actions about a pattern, whether the figure moved, and telling people.
package loop

import (
	"context"
	"iter"
	"time"

	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// AlertState says how far an alert has come.
type AlertState string

// The states of an alert.
const (
	AlertOpen   AlertState = "open"
	AlertTaken  AlertState = "taken"
	AlertClosed AlertState = "closed"
)

// Alert says that a person must look at one response within a working day. Its
// ID is a pseudonym of the response's, so raising it twice is once.
type Alert struct {
	ID         string               `json:"id"`
	Version    int64                `json:"version"`
	Response   string               `json:"response"`
	Case       string               `json:"case"`
	Force      string               `json:"force"`
	Advocate   string               `json:"advocate"` // pseudonym; empty: the victim-care team
	Stage      survey.Stage         `json:"stage"`
	Mode       survey.Mode          `json:"mode"`
	Hits       []questionnaires.Hit `json:"hits"`
	State      AlertState           `json:"state"`
	RaisedAt   time.Time            `json:"raised_at"`
	DueAt      time.Time            `json:"due_at"` // one working day after it was raised
	TakenBy    string               `json:"taken_by,omitempty"`
	TakenAt    time.Time            `json:"taken_at"`
	Outcome    string               `json:"outcome,omitempty"` // one of the outcome codes
	Note       []byte               `json:"note,omitempty"`    // sealed
	ClosedBy   string               `json:"closed_by,omitempty"`
	ClosedAt   time.Time            `json:"closed_at"`
	ChangedAt  time.Time            `json:"changed_at"`
	MayContact bool                 `json:"may_contact"` // the person ticked "someone may contact me"
}

// ActionStatus says how far an action has come.
type ActionStatus string

// The statuses of an action, in their order; NoAction ends it with a reason.
const (
	Noted         ActionStatus = "noted"
	Investigating ActionStatus = "investigating"
	Planned       ActionStatus = "planned"
	Done          ActionStatus = "done"
	Checked       ActionStatus = "checked"
	NoAction      ActionStatus = "no-action"
)

// Action is what an agency does about a pattern in the figures.
type Action struct {
	ID      string       `json:"id"`
	Version int64        `json:"version"`
	Title   string       `json:"title"`    // what will be done
	YouSaid string       `json:"you_said"` // the concern in plain words
	WeDid   string       `json:"we_did"`   // what, when and where, needed for done
	Agency  string       `json:"agency"`
	Owner   string       `json:"owner"`  // a person or post
	DueOn   string       `json:"due_on"` // 2006-01-02
	Status  ActionStatus `json:"status"`
	Because string       `json:"because,omitempty"` // why no action
	DoneOn  string       `json:"done_on,omitempty"` // 2006-01-02

	Evidence  Evidence     `json:"evidence"`
	Check     *Check       `json:"check,omitempty"`
	History   []ActionStep `json:"history"`
	Published time.Time    `json:"published"` // shown on the public page since; zero: not
	CreatedBy string       `json:"created_by"`
	CreatedAt time.Time    `json:"created_at"`
	ChangedAt time.Time    `json:"changed_at"`
}

// Evidence is the figure that raised an action, as it stood.
type Evidence struct {
	Measure string    `json:"measure"`
	Query   string    `json:"query"`            // the figure's URL query, so that it can be asked again
	Series  string    `json:"series,omitempty"` // which of the figure's series, as a URL query of its dimensions but the period
	Label   string    `json:"label"`            // the figure in words
	Share   float64   `json:"share"`            // per cent
	Low     float64   `json:"low"`
	High    float64   `json:"high"`
	Base    int       `json:"base"`
	At      time.Time `json:"at"`
}

// Check says whether the figure moved after the action, with the interval of
// the difference in percentage points; it claims no cause.
type Check struct {
	Before  float64   `json:"before"`
	After   float64   `json:"after"`
	Low     float64   `json:"low"`
	High    float64   `json:"high"`
	Verdict string    `json:"verdict"` // one of those in evidence.go
	At      time.Time `json:"at"`
}

// ActionStep is one entry of an action's history.
type ActionStep struct {
	At     time.Time    `json:"at"`
	By     string       `json:"by"`
	Status ActionStatus `json:"status"`
	Note   string       `json:"note,omitempty"`
}

// Subscriber is someone who asked to be told what changes: an address kept for
// that alone, sealed, apart from any case or answer.
type Subscriber struct {
	ID       string    `json:"id"`
	Version  int64     `json:"version"`
	Sealed   []byte    `json:"sealed"`          // address, language and safe window; empty once they were let go
	Asked    []string  `json:"asked,omitempty"` // pseudonyms, in a domain of their own, of the responses in which they asked
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"` // 18 months on at most
	ToldUpTo time.Time `json:"told_up_to"`
	Told     []string  `json:"told,omitempty"` // the publications whose letter was taken by the mail system
	Stopped  time.Time `json:"stopped"`
}

// Publication is one round of telling people: the actions it announces.
type Publication struct {
	ID        string    `json:"id"`
	Version   int64     `json:"version"`
	Title     string    `json:"title"`
	Actions   []string  `json:"actions"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	AllQueued bool      `json:"all_queued"` // every subscriber's mail is in the outbox
}

// Store is the storage port of the loop. See survey.Store for the meaning of
// Update methods and errors.
type Store interface {
	Alert(ctx context.Context, id string) (Alert, error)
	UpdateAlert(ctx context.Context, id string, fn func(*Alert) error) (Alert, error)
	// Alerts lists alerts in the given states ("" = any) for an advocate's pseudonym; all is true for the victim-care
	// team, who see every advocate's. Earliest due first, at most limit.
	Alerts(ctx context.Context, advocate string, all bool, states []AlertState, limit int) ([]Alert, error)

	Action(ctx context.Context, id string) (Action, error)
	UpdateAction(ctx context.Context, id string, fn func(*Action) error) (Action, error)
	Actions(ctx context.Context) ([]Action, error) // in order of DueOn, then id

	UpdateSubscriber(ctx context.Context, id string, fn func(*Subscriber) error) (Subscriber, error)
	Subscriber(ctx context.Context, id string) (Subscriber, error)
	Subscribers(ctx context.Context) iter.Seq2[Subscriber, error] // in order of id
	DeleteSubscriber(ctx context.Context, id string) error

	UpdatePublication(ctx context.Context, id string, fn func(*Publication) error) (Publication, error)
	Publications(ctx context.Context) ([]Publication, error) // newest first
}
