package coding

import (
	"cmp"
	"fmt"
	"slices"
)

// maxReasons is how many reasons a label is given.
const maxReasons = 5

// Explain is [Coder.Read] with the reasons of each label: the codebook's phrases
// found, and the words that weighed most.
func (c *Coder) Explain(text string) Reading {
	r := c.Read(text)
	s := c.scratch.take()
	defer c.scratch.give(s)
	c.segment(text, s)
	c.look(s, text)
	for _, list := range [][]Label{r.Labels, r.Unsure} {
		for i := range list {
			list[i].Reasons = c.reasons(s, text, &list[i])
		}
	}
	return r
}

func (c *Coder) reasons(s *space, text string, l *Label) []string {
	var out []string
	for k := range s.chosen {
		m := &s.chosen[k]
		p := &c.patterns[m.pattern]
		if c.book.Codes[p.code].ID != l.Code {
			continue
		}
		start, end := c.span(s, m)
		what := "phrase"
		if m.polarity != p.polarity {
			what = "phrase, turned round"
		}
		out = append(out, fmt.Sprintf("%s, %s: %q", what, m.polarity, text[start:end]))
	}
	if c.model == nil {
		return out
	}
	i, ok := c.model.codes[l.Code]
	if !ok {
		return out
	}
	column := 3*i + polarityPlace(l.Polarity)
	v := s.verdicts[2*i+polarityPlace(l.Polarity)]
	if v.unit < 0 {
		return out
	}
	type word struct {
		at    int32
		value float64
	}
	u := &s.units[v.unit]
	var words []word
	for k := u.first; k <= u.last; k++ {
		if sum := s.tokens[k].part.sum; sum != nil {
			words = append(words, word{k, float64(sum[column])})
		}
	}
	for _, f := range u.keys {
		if f.row >= 0 && f.at >= u.first && int(f.at-u.first) < len(words) {
			words[f.at-u.first].value += float64(c.model.table.At(f.row, column))
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(b.value, a.value) })
	for _, w := range words {
		if len(out) >= maxReasons || w.value <= 0 {
			break
		}
		out = append(out, fmt.Sprintf("word: %q", text[s.tokens[w.at].start:s.tokens[w.at].end]))
	}
	return out
}
