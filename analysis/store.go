// Package analysis owns what the answers mean: it codes free text into themes
// and turns kept responses into figures. It declares its own ports and puts the
// pure parts (redact, coding, codebook, figures) together.
package analysis

import (
	"context"
	"iter"
	"slices"
	"time"

	"victimvoice/survey"
)

// Coding is how one free-text answer was coded. Spans are byte offsets into the
// redacted text, which is sealed here so that they outlive the raw words.
type Coding struct {
	ID       string       `json:"id"` // response id + "/" + item
	Version  int64        `json:"version"`
	Response string       `json:"response"`
	Item     string       `json:"item"`
	Stage    survey.Stage `json:"stage"`
	Language string       `json:"language"`
	Codebook string       `json:"codebook"` // version it was coded with
	Text     []byte       `json:"text"`     // sealed redacted text
	Labels   []Label      `json:"labels"`
	Status   string       `json:"status"` // coded, other-language (left for a person), gone

	// Where it waits for a person; see queue.go.
	Queue  string   `json:"queue"`            // which queue, empty: none
	Order  int64    `json:"order"`            // its place there, the lowest first
	Doubt  int64    `json:"doubt"`            // how near the coder came to saying something else, in parts of RankParts
	Draw   Draw     `json:"draw,omitzero"`    // who has it now
	Passed []string `json:"passed,omitempty"` // staff who would rather not code it

	// What people made of it; see people.go.
	History []Reading `json:"history,omitempty"` // the earliest first; only ever added to
	Machine []Label   `json:"machine,omitempty"` // of one that a person has coded: what the coder says of it now
	Unsure  []Label   `json:"unsure,omitempty"`  // what the coder leaves for a person to judge; it counts nowhere

	CodedAt   time.Time `json:"coded_at"`
	ChangedAt time.Time `json:"changed_at"`
	Gone      bool      `json:"gone"` // the response was withdrawn: a tombstone
}

// Label is one theme with its polarity and where in the redacted text it shows.
type Label struct {
	Code       string  `json:"code"`
	Polarity   string  `json:"polarity"`
	Start      int     `json:"start"`
	End        int     `json:"end"`
	Confidence float64 `json:"confidence"`
	By         string  `json:"by,omitempty"` // the person who set it; empty: the coder
}

// ByPeople reports whether a person has coded it, be it only by confirming what
// the coder said. What a person said is never undone by the coder.
func (c *Coding) ByPeople() bool {
	return len(c.History) > 0 || slices.ContainsFunc(c.Labels, func(l Label) bool { return l.By != "" })
}

// Coder gives what the coder says of the text, whatever a person made of it.
func (c *Coding) Coder() []Label {
	if c.ByPeople() {
		return c.Machine
	}
	return c.Labels
}

// Draw is a text given to somebody to code: no one else is given it until it
// runs out.
type Draw struct {
	By    string    `json:"by"`
	How   string    `json:"how"` // random, threshold, novel, language, second
	Until time.Time `json:"until"`
}

// Reading is one person's coding of a text: what stood there before and what
// they left. A text that they found coded rightly has a reading as well.
type Reading struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`       // staff id
	How      string    `json:"how"`      // how the text came to them: random, threshold, novel, language, second, hand
	Blind    bool      `json:"blind"`    // they were shown no labels, neither the coder's nor another person's
	Rank     int64     `json:"rank"`     // place in the random order, in parts of RankParts; see Service.Rank
	Codebook string    `json:"codebook"` // in force when they read it
	Before   []Label   `json:"before"`   // in force until then: at the first reading, the coder's
	After    []Label   `json:"after"`
}

// Codings is the storage port of codings, and of the quotations that point into them. See survey.Store for the meaning of
// Update methods and errors.
type Codings interface {
	Quotations
	Coding(ctx context.Context, id string) (Coding, error)
	UpdateCoding(ctx context.Context, id string, fn func(*Coding) error) (Coding, error)
	CodingsOf(ctx context.Context, response string) ([]Coding, error)
	// CodingsQueued gives the first of a queue, in order of (Order, id).
	CodingsQueued(ctx context.Context, queue string, limit int) ([]Coding, error)
	// CodingsLatest gives those of a queue that changed last, the latest first.
	CodingsLatest(ctx context.Context, queue string, limit int) ([]Coding, error)
	// CodingsHeld gives those whose Draw is somebody's, run out or not, in order of (Order, id).
	CodingsHeld(ctx context.Context, by string, limit int) ([]Coding, error)
	// CodingsChanged streams codings with ChangedAt at or after since, in order of (ChangedAt, id).
	CodingsChanged(ctx context.Context, since time.Time) iter.Seq2[Coding, error]
}
