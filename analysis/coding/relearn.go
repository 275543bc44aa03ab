package coding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/corpus"
	"victimvoice/analysis/linear"
)

const (
	// RelearnWeight is how often a text that people coded counts beside a comment of
	// the lessons, which nobody of flesh and blood wrote.
	RelearnWeight = 4

	// RelearnUsers is how many people must have used a turn of phrase that the
	// lessons do not have for a model to learn anything about it: what fewer wrote
	// could lead back to them, and is no more than chance.
	RelearnUsers = 5
)

// Relearn learns a model from lessons and from texts that people coded, by the
// same steps as the shipped one: its table, its last word and its thresholds.
// Everybody's texts stand together in one of the parts whose scores the last word
// is learnt from. Labels of codes that the codebook does not have are left out.
// The same lessons and texts, in any order, give the same model.
//
// A model holds weights by the hash of words and of letters in a row, none of which
// comes from the texts of fewer than RelearnUsers people.
func Relearn(book *codebook.Codebook, from Lessons, texts []Coded) (*Model, error) {
	t, err := newTeacher(book, from.Comments, from.Examples)
	if err != nil {
		return nil, err
	}
	c, err := NewPhrases(book)
	if err != nil {
		return nil, err
	}
	known := t.shared()
	taught := t.taught(texts)
	first := len(t.lessons)
	for i := range taught {
		if err := t.see(c, &taught[i], foldOf(taught[i].Writer)); err != nil {
			return nil, err
		}
	}
	mine := t.lessons[first:]
	users := map[uint32]map[string]bool{}
	for i := range mine {
		mine[i].each(func(key uint32) {
			if known[key] {
				return
			}
			if users[key] == nil {
				users[key] = map[string]bool{}
			}
			users[key][mine[i].comment.Writer] = true
		})
	}
	for i := range mine {
		mine[i].keep(func(key uint32) bool {
			return known[key] || len(users[key]) >= RelearnUsers
		})
	}
	mine = slices.Clone(mine)
	for range RelearnWeight - 1 {
		t.lessons = append(t.lessons, mine...)
	}
	t.sources = Sources(book, slices.Concat(from.Comments, taught), from.Examples)
	m, err := t.learn()
	if err != nil {
		return nil, err
	}
	m.head.Comments = first + len(mine)
	return m, nil
}

// shared tells the features that so many statements of the lessons share that a model
// learns of them without anybody's text.
func (t *teacher) shared() map[uint32]bool {
	rows, last := map[uint32]int{}, map[uint32]int{}
	n := 0
	for i := range t.lessons {
		for _, row := range t.lessons[i].units {
			n++
			for _, f := range row {
				if last[f.Key] != n {
					last[f.Key] = n
					rows[f.Key]++
				}
			}
		}
	}
	out := make(map[uint32]bool, len(rows))
	for key, count := range rows {
		if count >= learnMinRows {
			out[key] = true
		}
	}
	return out
}

// taught gives texts that people coded as comments, in an order of their own.
// The writer is whose words they are.
func (t *teacher) taught(texts []Coded) []corpus.Comment {
	out := make([]corpus.Comment, 0, len(texts))
	for i := range texts {
		com := corpus.Comment{ID: "coded", Writer: "coded " + texts[i].Whose, Voice: corpus.Victim, Text: texts[i].Text}
		for _, l := range texts[i].Labels {
			if _, ok := t.codes[l.Code]; ok {
				com.Labels = append(com.Labels, corpus.Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End})
			}
		}
		out = append(out, com)
	}
	slices.SortStableFunc(out, func(a, b corpus.Comment) int {
		return cmp.Or(strings.Compare(a.Writer, b.Writer), strings.Compare(a.Text, b.Text))
	})
	return out
}

// each visits the features of a lesson.
func (l *lesson) each(visit func(key uint32)) {
	for _, row := range l.units {
		for _, f := range row {
			visit(f.Key)
		}
	}
	for _, f := range l.doc {
		visit(f.Key)
	}
}

// keep leaves out features of a lesson; the others weigh what they did.
func (l *lesson) keep(ok func(key uint32) bool) {
	drop := func(f linear.Feature) bool { return !ok(f.Key) }
	for i := range l.units {
		l.units[i] = slices.DeleteFunc(l.units[i], drop)
	}
	l.doc = slices.DeleteFunc(l.doc, drop)
}

// NewWith makes a coder of a codebook and a model as MarshalBinary writes it.
func NewWith(book *codebook.Codebook, data []byte) (*Coder, error) {
	m := &Model{}
	if err := m.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	if m.head.Codebook != book.Version {
		return nil, fmt.Errorf("the model was learnt beside codebook %s, not %s", m.head.Codebook, book.Version)
	}
	c, err := NewPhrases(book)
	if err != nil {
		return nil, err
	}
	c.use(m)
	return c, nil
}

// Sources is a hash of all that the model was learnt from; see [Sources].
func (m *Model) Sources() string { return m.head.Sources }

// ModelID is what tells one written model from every other. A coder's version
// bears its beginning.
func ModelID(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
