package coding

import (
	"bytes"
	"compress/flate"
	_ "embed" // what the shipped model was learnt from
	"encoding/json"
	"fmt"
	"io"

	"victimvoice/analysis/corpus"
)

// Lessons is what a model is learnt from before people have coded anything.
type Lessons struct {
	Comments []corpus.Comment
	Examples []corpus.Comment // of one label each, or of none
}

//go:embed lessons.bin
var shippedLessons []byte

// ShippedLessons gives what the shipped model was learnt from, so that an
// installation can learn another from the same and more.
func ShippedLessons() (Lessons, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(shippedLessons)))
	if err != nil {
		return Lessons{}, fmt.Errorf("the shipped lessons are faulty: %w", err)
	}
	var l Lessons
	if err := json.Unmarshal(raw, &l); err != nil {
		return Lessons{}, fmt.Errorf("the shipped lessons are faulty: %w", err)
	}
	for _, comments := range [][]corpus.Comment{l.Comments, l.Examples} {
		for i := range comments {
			for k := range comments[i].Labels {
				g := &comments[i].Labels[k]
				g.Evidence = comments[i].Text[g.Start:g.End]
			}
		}
	}
	return l, nil
}

// Pack writes lessons as they ship: JSON without what the text says anyway,
// deflated.
func (l Lessons) Pack() ([]byte, error) {
	bare := Lessons{Comments: withoutEvidence(l.Comments), Examples: withoutEvidence(l.Examples)}
	raw, err := json.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("write lessons: %w", err)
	}
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("pack lessons: %w", err)
	}
	if _, err := z.Write(raw); err != nil {
		return nil, fmt.Errorf("pack lessons: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack lessons: %w", err)
	}
	return b.Bytes(), nil
}

func withoutEvidence(comments []corpus.Comment) []corpus.Comment {
	out := make([]corpus.Comment, len(comments))
	for i, c := range comments {
		labels := make([]corpus.Label, len(c.Labels))
		for k, l := range c.Labels {
			l.Evidence = ""
			labels[k] = l
		}
		c.Labels = labels
		out[i] = c
	}
	return out
}
