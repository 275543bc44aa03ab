package coding

import (
	"math"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/linear"
)

// signs is how much is known of a label before the last word on it; themeSigns
// what of that speaks for its code in either polarity, sideSigns what speaks for the
// one polarity against the other: see judge.
const signs, themeSigns, sideSigns = 18, 14, 14

// gateSigns is how much is known of whether a text holds anything to code.
const gateSigns = 6

// trimSigns is how many numbers say how evidence is cut.
const trimSigns = 3

// phraseBonus is how much a phrase that says the same speaks for a statement when
// the statement for the evidence is chosen; themeShare how much its speaking for the
// code in either polarity does beside its speaking for the label; restShare how much
// its being about services at all, and on the label's side whatever it is about.
const phraseBonus, themeShare, restShare = 0.7, 0.5, 0.25

// mostUnits and mostTokens are the longest text that a model learns from, about:
// what lies beyond is judged like it, since no weight holds out there.
const mostUnits, mostTokens = 24, 400

func logUpTo(n, most int) float64 { return math.Log(float64(1 + min(n, most))) }

// none stands for a score where there is no statement to score.
const none = -3

// verdict is what is made of one label of the model.
type verdict struct {
	p    float64
	unit int32 // the statement that speaks most for it
}

// phraseOf gives the surest phrase that was chosen for a code and polarity.
func (c *Coder) phraseOf(s *space, code int, polarity codebook.Polarity) *match {
	var best *match
	for i := range s.chosen {
		m := &s.chosen[i]
		if m.polarity == polarity && c.patterns[m.pattern].code == code && (best == nil || m.confidence > best.confidence) {
			best = m
		}
	}
	return best
}

// signsFor gathers what speaks for and against one label, and the statement that
// speaks most for it.
func (c *Coder) signsFor(s *space, m *Model, i, p int, f *[signs]float64) int32 {
	n := len(m.head.Codes)
	width := unitColumns(n)
	unit := s.scores.unit
	best, theme, other, codable, at := float64(none), float64(none), float64(none), float64(none), int32(-1)
	said := -1 // the statement with a phrase that says the same
	if place := c.places[i]; place >= 0 {
		if ph := c.phraseOf(s, int(place), polarityAt(p)); ph != nil {
			said = c.unitAt(s, ph.first)
		}
	}
	for k := range s.units {
		row := unit[k*width : (k+1)*width]
		side := row[3*n]
		if p == 1 {
			side = -side
		}
		v := row[3*i+p] + float64(themeShare*row[3*i+2]) + float64(restShare*(row[3*n+1]+side))
		if k == said {
			v += phraseBonus
		}
		if v > best || at < 0 {
			best, at = v, int32(k)
		}
		theme = max(theme, row[3*i+2])
		other = max(other, row[3*i+1-p])
		codable = max(codable, row[3*n+1])
	}
	clear(f[:])
	if at < 0 {
		return -1
	}
	row := unit[int(at)*width : (int(at)+1)*width]
	f[0], f[1], f[2] = row[3*i+p], theme, other
	f[3] = row[3*n]
	if p == 1 {
		f[3] = -f[3]
	}
	rival := float64(none)
	for k := range n {
		if k != i {
			rival = max(rival, row[3*k+2])
		}
	}
	f[4] = rival
	f[5] = s.scores.doc[i]
	if place := c.places[i]; place >= 0 {
		code := int(place)
		if ph := c.phraseOf(s, code, polarityAt(p)); ph != nil {
			f[6], f[7] = 1, ph.confidence
			if c.unitAt(s, ph.first) == int(at) {
				f[8] = 1
			}
			f[15] = c.covers(s, ph)
			f[16] = f[15] * ph.confidence
		}
		if ph := c.phraseOf(s, code, polarityAt(1-p)); ph != nil {
			f[9], f[17] = 1, c.covers(s, ph)
		}
	}
	f[10], f[11] = codable, s.scores.doc[n]
	f[12] = logUpTo(len(s.units), mostUnits)
	f[13] = logUpTo(len(s.chosen), mostUnits)
	f[14] = row[3*i+2]
	return at
}

// covers gives the share of its statement's words that a phrase takes up: what
// says little else is the surer.
func (c *Coder) covers(s *space, ph *match) float64 {
	u := &s.units[c.unitAt(s, ph.first)]
	from, to := max(ph.from, u.first), min(ph.last, u.last)
	return float64(to-from+1) / float64(u.last-u.first+1)
}

func polarityAt(p int) codebook.Polarity {
	if p == 0 {
		return codebook.Positive
	}
	return codebook.Negative
}

func polarityPlace(p string) int {
	if p == string(codebook.Positive) {
		return 0
	}
	return 1
}

// judge weighs every label of the model. read, features, choose and score come
// before it.
func (c *Coder) judge(s *space, m *Model) {
	n := len(m.head.Codes)
	s.verdicts = s.verdicts[:0]
	var k known
	for i := range n {
		c.know(s, m, i, &k)
		v := m.verdicts(&k, i)
		s.verdicts = append(s.verdicts, v[0], v[1])
	}
}

// verdicts gives how likely a code is in either polarity: how likely it is at all,
// parted by how likely it is then to be positive.
func (m *Model) verdicts(k *known, i int) [2]verdict {
	if k.unit[0] < 0 {
		return [2]verdict{{0, -1}, {0, -1}}
	}
	theme := linear.Sigmoid(weighed(m.head.Theme, k.theme[:], i))
	side := linear.Sigmoid(weighed(m.head.Side, k.side[:], i))
	return [2]verdict{{float64(theme * side), k.unit[0]}, {float64(theme * (1 - side)), k.unit[1]}}
}

// weighed adds up signs by their weights, with the weight of the code itself and
// the constant, which come after those of the signs.
func weighed(w, f []float64, code int) float64 {
	z := w[len(w)-1] + w[len(f)+code]
	for k, v := range f {
		z += float64(w[k] * v)
	}
	return z
}

// known is what speaks for a code, and for its being positive, in one text.
type known struct {
	theme [themeSigns]float64
	side  [sideSigns]float64
	unit  [2]int32 // the statement that speaks most for each polarity; -1: there is none
}

// know gathers what speaks for a code, and for the one polarity against the other.
func (c *Coder) know(s *space, m *Model, i int, k *known) {
	var a, b [signs]float64
	*k = known{}
	k.unit = [2]int32{c.signsFor(s, m, i, 0, &a), c.signsFor(s, m, i, 1, &b)}
	if k.unit[0] < 0 {
		return
	}
	k.theme = [themeSigns]float64{
		max(a[0], b[0]), a[1], a[4], a[5], max(a[7], b[7]), max(a[6], b[6]), max(a[8], b[8]), max(a[15], b[15]), max(a[16], b[16]),
		a[10], a[11], a[12], a[13], max(a[14], b[14]),
	}
	n := len(m.head.Codes)
	width := unitColumns(n)
	row := func(u int) []float64 { return s.scores.unit[u*width : (u+1)*width] }
	best, mean := 0, 0.0
	for u := range s.units {
		if row(u)[3*i+2] > row(best)[3*i+2] {
			best = u
		}
		mean += row(u)[3*n] / float64(len(s.units))
	}
	at := row(best)
	pos, neg := math.Inf(-1), math.Inf(-1) // the likeliest of any code
	for j := range n {
		pos, neg = max(pos, at[3*j]), max(neg, at[3*j+1])
	}
	before, after := 0.0, 0.0
	if best > 0 {
		before = row(best - 1)[3*n]
	}
	if best+1 < len(s.units) {
		after = row(best + 1)[3*n]
	}
	k.side = [sideSigns]float64{
		a[0] - b[0], b[2] - a[2], (a[3] - b[3]) / 2, a[7] - b[7], a[6] - b[6], a[8] - b[8], a[15] - b[15], a[16] - b[16],
		at[3*i] - at[3*i+1], at[3*n], before, after, mean, pos - neg,
	}
}

// gateSignsOf gathers what speaks for there being anything to code.
func (c *Coder) gateSignsOf(s *space, m *Model, f *[gateSigns]float64) {
	n := len(m.head.Codes)
	width := unitColumns(n)
	clear(f[:])
	f[0] = none
	for k := range s.units {
		f[0] = max(f[0], s.scores.unit[k*width+3*n+1])
	}
	f[1] = s.scores.doc[n]
	most := 0.0
	for _, v := range s.verdicts {
		most = max(most, v.p)
	}
	f[2] = math.Log((most + 1e-6) / (1 - most + 1e-6))
	for i := range s.chosen {
		f[3] = max(f[3], s.chosen[i].confidence)
	}
	f[4] = logUpTo(len(s.chosen), mostUnits)
	f[5] = logUpTo(len(s.tokens), mostTokens)
}

// codable gives how likely it is that a text holds anything to code.
func (c *Coder) codable(s *space, m *Model) float64 {
	var f [gateSigns]float64
	c.gateSignsOf(s, m, &f)
	z := m.head.Gate[gateSigns]
	for k, v := range f {
		z += float64(m.head.Gate[k] * v)
	}
	return linear.Sigmoid(z)
}

// stretch cuts a statement to the words that speak for a label.
func (c *Coder) stretch(s *space, m *Model, i, p int, unit int32) (first, last int32) {
	u := &s.units[unit]
	first, last = u.first, u.last
	length := int(last-first) + 1
	if float64(length) <= m.head.Trim[1] {
		return first, last
	}
	s.weights = s.weights[:0]
	column, theme := 3*i+p, 3*i+2
	value := func(row int32) float64 {
		return float64(m.table.At(row, column))*float64(m.table.Scale[column]) + float64(m.table.At(row, theme))*float64(m.table.Scale[theme])
	}
	for k := first; k <= last; k++ {
		sum := 0.0
		if part := s.tokens[k].part; part.sum != nil {
			sum = float64(part.sum[column])*float64(m.table.Scale[column]) + float64(part.sum[theme])*float64(m.table.Scale[theme])
		}
		s.weights = append(s.weights, sum)
	}
	for _, f := range u.keys {
		if f.row >= 0 && f.at >= first {
			s.weights[f.at-first] += value(f.row)
		}
	}
	mean := 0.0
	for _, w := range s.weights {
		mean += math.Abs(w)
	}
	mean = mean / float64(length)
	// The run of words whose weights, each raised a little, add up to most.
	best, sum, from := math.Inf(-1), 0.0, 0
	for k, w := range s.weights {
		sum += w + m.head.Trim[0]*mean
		if sum > best {
			best = sum
			first, last = u.first+int32(from), u.first+int32(k)
		}
		if sum < 0 {
			sum, from = 0, k+1
		}
	}
	for int(last-first)+1 < int(m.head.Trim[2]) && (first > u.first || last < u.last) {
		if last < u.last {
			last++
		}
		if first > u.first {
			first--
		}
	}
	return first, last
}
