// Package analysis owns what the answers mean: it codes free text into themes
// and turns kept responses into figures. It declares its own ports and puts the
// pure parts (redact, coding, codebook, figures) together.
package analysis

import (
	"context"
	"iter"
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

// Codings is the storage port of codings. See survey.Store for the meaning of
// Update methods and errors.
type Codings interface {
	Coding(ctx context.Context, id string) (Coding, error)
	UpdateCoding(ctx context.Context, id string, fn func(*Coding) error) (Coding, error)
	CodingsOf(ctx context.Context, response string) ([]Coding, error)
	// CodingsChanged streams codings with ChangedAt at or after since, in order of (ChangedAt, id).
	CodingsChanged(ctx context.Context, since time.Time) iter.Seq2[Coding, error]
}
