package coding

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"

	"victimvoice/analysis/linear"
)

// LabelSet codes texts by labels that it was taught, whatever they are: it knows
// no codebook and no phrases. Where every label has the form category#polarity,
// the categories are found first and then the polarity of each, by the words that
// stand near those that speak for the category.
//
// A LabelSet is read-only once it is learnt or loaded, and so safe to share.
type LabelSet struct {
	head setHead
	themes,
	sides wordTable
}

type setHead struct {
	Format     int       `json:"format"`
	Labels     []string  `json:"labels"`               // labels, or categories
	Polarities []string  `json:"polarities,omitempty"` // empty: labels have none
	Texts      int       `json:"texts"`
	Threshold  []float64 `json:"threshold"`
	Slope      []float64 `json:"slope"` // from scores to log-odds
	Shift      []float64 `json:"shift"`
	Stack      []float64 `json:"stack"` // labels x labels: what one label's score says of another
}

const setFormat = 1

// wordTable is a table with what a feature counts before anything is learnt.
type wordTable struct {
	table linear.Table
	gain  []float32 // a row
}

// setToken is one word of a text.
type setToken struct {
	start, end int
	word       string // in small letters
	hash       uint32
	clause     int
}

// The families of a label set's features.
const (
	setWord family = iota + 100
	setPair
	setTriple
	setLetters
	setNear
	setNearPair
	setFar
	setPlace
	setCrossed
)

// setWeight says how much features of a family count.
func setWeight(f family) float32 {
	switch f {
	case setLetters:
		return 0.45
	case setPair:
		return 0.8
	case setTriple:
		return 0.5
	default:
		return 1
	}
}

var clauseEnders = map[string]bool{"but": true, "although": true, "though": true, "however": true, "while": true, "yet": true, "except": true, "whereas": true, "despite": true, "unfortunately": true}

// setTokens parts a text into words and clauses.
func setTokens(text string) []setToken {
	var out []setToken
	clause, open := 0, false
	iter := words.FromString(text)
	for iter.Next() {
		raw := iter.Value()
		first, _ := utf8.DecodeRuneInString(raw)
		if !unicode.IsLetter(first) && !unicode.IsDigit(first) {
			if strings.ContainsAny(raw, ".,;:!?()\n-–—") && open {
				clause++
				open = false
			}
			if strings.ContainsAny(raw, "!?") {
				out = append(out, setToken{start: iter.Start(), end: iter.End(), word: raw, hash: hashText(raw), clause: max(clause-1, 0)})
			}
			continue
		}
		word := normalise(raw)
		if word == "" {
			continue
		}
		if clauseEnders[word] && open {
			clause++
		}
		open = true
		if len(word) > maxWordBytes {
			word = word[:maxWordBytes]
		}
		out = append(out, setToken{start: iter.Start(), end: iter.End(), word: word, hash: hashText(word), clause: clause})
	}
	return out
}

// setFeature is a feature of a text and the token where it ends.
type setFeature struct {
	key uint32
	fam family
	at  int
}

// textFeatures gathers the words, their pairs and triples, and their letters.
// Each is taken once a text.
func textFeatures(tokens []setToken) []setFeature {
	var out []setFeature
	seen := map[uint32]bool{}
	add := func(key uint32, f family, at int) {
		if !seen[key] {
			seen[key] = true
			out = append(out, setFeature{key, f, at})
		}
	}
	for i, t := range tokens {
		add(mix(setWord, t.hash, 0), setWord, i)
		prev := uint32(1)
		if i > 0 {
			prev = tokens[i-1].hash
			if i > 1 {
				add(mix(setTriple, mix(setPair, tokens[i-2].hash, prev), t.hash), setTriple, i)
			}
		}
		add(mix(setPair, prev, t.hash), setPair, i)
		padded := []rune("^" + t.word + "$")
		for n := minGram; n <= maxGram; n++ {
			for k := 0; k+n <= len(padded); k++ {
				add(mix(setLetters, hashText(string(padded[k:k+n])), 0), setLetters, i)
			}
		}
	}
	return out
}

// row turns features into a row of length 1 by what each counts.
func row(features []setFeature, gain func(key uint32) (float32, bool)) linear.Row {
	out := make(linear.Row, 0, len(features))
	var size float64
	for _, f := range features {
		g, ok := gain(f.key)
		if !ok {
			continue
		}
		out = append(out, linear.Feature{Key: f.key, Value: g})
		size += float64(g) * float64(g)
	}
	per := float32(1 / math.Sqrt(max(size, 1e-9)))
	for i := range out {
		out[i].Value *= per
	}
	return out
}

// scores gives one score a column.
func (w *wordTable) scores(features []setFeature, out []float64) {
	sums := make([]int64, w.table.Columns)
	var size float64
	for _, f := range features {
		r := w.table.Find(f.key)
		if r < 0 {
			continue
		}
		g := float64(w.gain[r])
		size += g * g
		for c := range sums {
			sums[c] += int64(w.table.At(r, c))
		}
	}
	per := 1 / math.Sqrt(max(size, 1e-9))
	for c, s := range sums {
		out[c] = float64(w.table.Bias[c]) + float64(s)*float64(w.table.Scale[c])*per
	}
}

// Labels lists the labels, or category#polarity pairs, that it can give.
func (ls *LabelSet) Labels() []string {
	if len(ls.head.Polarities) == 0 {
		return slices.Clone(ls.head.Labels)
	}
	var out []string
	for _, c := range ls.head.Labels {
		for _, p := range ls.head.Polarities {
			out = append(out, c+"#"+p)
		}
	}
	return out
}

// Code finds the labels of a text, in the order of the label set. The evidence
// is the clause that speaks most for the label.
func (ls *LabelSet) Code(text string) []Label {
	tokens := setTokens(text)
	out := []Label{}
	if len(tokens) == 0 {
		return out
	}
	features := textFeatures(tokens)
	p := ls.probabilities(features)
	for i, label := range ls.head.Labels {
		if p[i] < ls.head.Threshold[i] {
			continue
		}
		l := Label{Code: label, Confidence: math.Round(p[i]*1000) / 1000}
		weights := ls.weights(tokens, features, i)
		l.Start, l.End = tellingClause(tokens, weights)
		l.Evidence = text[l.Start:l.End]
		if len(ls.head.Polarities) > 0 {
			k, share := ls.side(tokens, weights, i)
			l.Polarity = ls.head.Polarities[k]
			l.Confidence = math.Round(p[i]*share*1000) / 1000
		}
		out = append(out, l)
	}
	return out
}

// probabilities gives one a label.
func (ls *LabelSet) probabilities(features []setFeature) []float64 {
	n := len(ls.head.Labels)
	raw := make([]float64, n)
	ls.themes.scores(features, raw)
	return ls.head.probabilities(raw)
}

func (h *setHead) probabilities(raw []float64) []float64 {
	n := len(h.Labels)
	out := make([]float64, n)
	for i := range n {
		z := h.Shift[i] + float64(h.Slope[i]*raw[i])
		if len(h.Stack) > 0 {
			for k := range n {
				z += float64(h.Stack[i*n+k] * math.Tanh(raw[k]))
			}
		}
		out[i] = linear.Sigmoid(z)
	}
	return out
}

// weights tells how much each word speaks for a label.
func (ls *LabelSet) weights(tokens []setToken, features []setFeature, label int) []float64 {
	out := make([]float64, len(tokens))
	for _, f := range features {
		if r := ls.themes.table.Find(f.key); r >= 0 {
			out[f.at] += float64(ls.themes.table.At(r, label))
		}
	}
	scale := float64(ls.themes.table.Scale[label])
	for i := range out {
		out[i] *= scale
	}
	return out
}

// tellingClause gives the bytes of the clause whose words weigh most.
func tellingClause(tokens []setToken, weights []float64) (start, end int) {
	best, sum, from, bestFrom, bestTo := math.Inf(-1), 0.0, 0, 0, len(tokens)-1
	for i, t := range tokens {
		if i > 0 && t.clause != tokens[i-1].clause {
			sum, from = 0, i
		}
		sum += weights[i]
		if i+1 == len(tokens) || tokens[i+1].clause != t.clause {
			if sum > best {
				best, bestFrom, bestTo = sum, from, i
			}
		}
	}
	return tokens[bestFrom].start, tokens[bestTo].end
}

// nearness gives how near each word stands to those that speak for the label: 1
// in the telling stretch, less with each clause and word between.
func nearness(tokens []setToken, weights []float64) (near []float64, peak int) {
	near = make([]float64, len(tokens))
	clauses := map[int]float64{}
	for i := range tokens {
		clauses[tokens[i].clause] += max(weights[i], 0)
		if weights[i] > weights[peak] {
			peak = i
		}
	}
	for i, t := range tokens {
		d := math.Abs(float64(i - peak))
		v := 1 / (1 + d/6)
		if t.clause != tokens[peak].clause {
			v *= 0.5
		}
		near[i] = v
	}
	return near, peak
}

// sideFeatures gathers what the polarity of a category goes by.
func sideFeatures(tokens []setToken, weights []float64, category string) []weighted {
	near, peak := nearness(tokens, weights)
	cat := hashText(category)
	var out []weighted
	add := func(f family, a, b uint32, v float64) { out = append(out, weighted{mix(f, a, b), float32(v)}) }
	negated := 0
	for i, t := range tokens {
		switch t.word {
		case "not", "no", "never", "n't", "nothing", "without", "hardly", "didn't", "wasn't", "isn't", "don't", "doesn't", "weren't", "couldn't", "can't", "won't", "nor", "none", "barely", "aren't", "wouldn't":
			negated = 4
		}
		same := t.clause == tokens[peak].clause
		add(setNear, t.hash, 0, near[i])
		if !same {
			add(setFar, t.hash, 0, 0.4)
		} else {
			add(setFar, t.hash, 1, 0.8)
		}
		add(setCrossed, t.hash, cat, near[i]*0.6)
		if negated > 0 {
			add(setNear, t.hash, 7, near[i])
			negated--
		}
		if i > 0 {
			add(setNearPair, tokens[i-1].hash, t.hash, near[i]*0.8)
		}
		if i > 1 {
			add(setNearPair, mix(setNearPair, tokens[i-2].hash, tokens[i-1].hash), t.hash, near[i]*0.5)
		}
		if d := i - peak; d >= -8 && d <= 8 {
			bucket := uint32(3)
			switch {
			case d == 0:
				bucket = 0
			case d < 0 && d >= -3:
				bucket = 1
			case d > 0 && d <= 3:
				bucket = 2
			case d < 0:
				bucket = 4
			}
			add(setPlace, t.hash, bucket, 0.6)
		}
		if len(t.word) > minGram {
			padded := []rune("^" + t.word + "$")
			for k := 0; k+4 <= len(padded); k++ {
				add(setLetters, hashText(string(padded[k:k+4])), 3, near[i]*0.3)
			}
		}
	}
	add(setPlace, cat, 9, 1)
	return out
}

type weighted struct {
	key   uint32
	value float32
}

func weightedRow(in []weighted) linear.Row {
	out := make(linear.Row, len(in))
	var size float64
	for _, f := range in {
		size += float64(f.value) * float64(f.value)
	}
	per := float32(1 / math.Sqrt(max(size, 1e-9)))
	for i, f := range in {
		out[i] = linear.Feature{Key: f.key, Value: f.value * per}
	}
	return out
}

// side gives the likeliest polarity of a category and how likely it is.
func (ls *LabelSet) side(tokens []setToken, weights []float64, label int) (best int, share float64) {
	t := &ls.sides.table
	z := make([]float64, len(ls.head.Polarities))
	for c := range z {
		z[c] = float64(t.Bias[c])
	}
	for _, f := range weightedRow(sideFeatures(tokens, weights, ls.head.Labels[label])) {
		if r := t.Find(f.Key); r >= 0 {
			for c := range z {
				z[c] += float64(t.At(r, c)) * float64(t.Scale[c]) * float64(f.Value)
			}
		}
	}
	sum := 0.0
	for c, v := range z {
		if v > z[best] {
			best = c
		}
		sum += math.Exp(2 * v)
	}
	return best, math.Exp(2*z[best]) / sum
}

var setMark = [4]byte{'V', 'V', 'L', '1'}

// MarshalBinary writes the label set: a mark, then each part behind its length.
func (ls *LabelSet) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(ls.head)
	if err != nil {
		return nil, fmt.Errorf("write a label set's head: %w", err)
	}
	out := slices.Clone(setMark[:])
	put := func(b []byte) {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(b)))
		out = append(out, b...)
	}
	put(head)
	for _, w := range []*wordTable{&ls.themes, &ls.sides} {
		if w.table.Columns == 0 {
			put(nil)
			put(nil)
			continue
		}
		table, err := w.table.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("write a label set's table: %w", err)
		}
		put(table)
		var gain []byte
		for _, g := range w.gain {
			gain = binary.LittleEndian.AppendUint32(gain, math.Float32bits(g))
		}
		put(gain)
	}
	return out, nil
}

// UnmarshalBinary reads a label set and refuses one that is damaged.
func (ls *LabelSet) UnmarshalBinary(data []byte) error {
	if len(data) < 4 || [4]byte(data[:4]) != setMark {
		return errors.New("this is no model of a label set")
	}
	data = data[4:]
	take := func() ([]byte, error) {
		if len(data) < 4 {
			return nil, errors.New("the model is cut short")
		}
		n := int(binary.LittleEndian.Uint32(data))
		if n > len(data)-4 {
			return nil, errors.New("the model is cut short")
		}
		b := data[4 : 4+n]
		data = data[4+n:]
		return b, nil
	}
	*ls = LabelSet{}
	head, err := take()
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(head))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ls.head); err != nil {
		return fmt.Errorf("read a label set's head: %w", err)
	}
	for _, w := range []*wordTable{&ls.themes, &ls.sides} {
		table, err := take()
		if err != nil {
			return err
		}
		gain, err := take()
		if err != nil {
			return err
		}
		if len(table) == 0 {
			continue
		}
		if err := w.table.UnmarshalBinary(table); err != nil {
			return fmt.Errorf("read a label set's table: %w", err)
		}
		for ; len(gain) >= 4; gain = gain[4:] {
			w.gain = append(w.gain, math.Float32frombits(binary.LittleEndian.Uint32(gain)))
		}
	}
	n := len(ls.head.Labels)
	h := &ls.head
	switch {
	case h.Format != setFormat:
		return fmt.Errorf("the model has format %d, this program reads %d", h.Format, setFormat)
	case n == 0, len(h.Threshold) != n, len(h.Slope) != n, len(h.Shift) != n, len(h.Stack) != 0 && len(h.Stack) != n*n,
		ls.themes.table.Columns != n, len(ls.themes.gain) != ls.themes.table.Rows(), len(h.Polarities) > 0 && ls.sides.table.Columns != len(h.Polarities):
		return errors.New("the model's parts do not fit together")
	}
	return nil
}

// Taught is one text that a label set is learnt from.
type Taught struct {
	Text   string
	Labels []string
}

// The settings of learning a label set.
const (
	setFolds   = 5
	setRows    = 400000
	setMinRows = 2
	setEpochs  = 60
)

// LearnSet learns a label set. Labels that fewer than two texts bear are left
// out. The same texts give the same label set.
func LearnSet(texts []Taught) (*LabelSet, error) {
	ls := &LabelSet{head: setHead{Format: setFormat, Texts: len(texts)}}
	if err := ls.name(texts); err != nil {
		return nil, err
	}
	n := len(ls.head.Labels)
	number := map[string]int{}
	for i, l := range ls.head.Labels {
		number[l] = i
	}
	tokens := make([][]setToken, len(texts))
	features := make([][]setFeature, len(texts))
	given := make([][]bool, len(texts))
	for i, t := range texts {
		tokens[i] = setTokens(t.Text)
		features[i] = textFeatures(tokens[i])
		given[i] = make([]bool, n)
		for _, l := range t.Labels {
			if k, ok := number[ls.category(l)]; ok {
				given[i][k] = true
			}
		}
	}
	// Scores of texts that the scoring table had not seen.
	unseen := make([][]float64, len(texts))
	for fold := range setFolds {
		var in []int
		for i := range texts {
			if i%setFolds != fold {
				in = append(in, i)
			}
		}
		w := learnWords(features, given, in)
		for i := fold; i < len(texts); i += setFolds {
			unseen[i] = make([]float64, n)
			w.scores(features[i], unseen[i])
		}
	}
	ls.calibrate(unseen, given)
	all := make([]int, len(texts))
	for i := range all {
		all[i] = i
	}
	ls.themes = *learnWords(features, given, all)
	if len(ls.head.Polarities) > 0 {
		ls.learnSides(texts, tokens, features, number)
	}
	return ls, nil
}

// name finds the labels, and whether they have polarities.
func (ls *LabelSet) name(texts []Taught) error {
	count := map[string]int{}
	parted := true
	for _, t := range texts {
		for _, l := range t.Labels {
			if strings.TrimSpace(l) == "" {
				return errors.New("a label must not be empty")
			}
			count[l]++
			parted = parted && strings.Contains(l, "#")
		}
	}
	if len(count) == 0 {
		return errors.New("there is no label to learn")
	}
	if parted {
		categories, polarities := map[string]int{}, map[string]bool{}
		for l, n := range count {
			c, p, _ := strings.Cut(l, "#")
			categories[c] += n
			polarities[p] = true
		}
		for p := range polarities {
			ls.head.Polarities = append(ls.head.Polarities, p)
		}
		slices.Sort(ls.head.Polarities)
		count = categories
	}
	for l, n := range count {
		if n >= 2 {
			ls.head.Labels = append(ls.head.Labels, l)
		}
	}
	slices.Sort(ls.head.Labels)
	if len(ls.head.Labels) == 0 {
		return errors.New("no label is borne by two texts")
	}
	return nil
}

// category gives a label's category: the label itself where there are no
// polarities.
func (ls *LabelSet) category(label string) string {
	if len(ls.head.Polarities) == 0 {
		return label
	}
	c, _, _ := strings.Cut(label, "#")
	return c
}

// learnWords learns which features speak for which label.
func learnWords(features [][]setFeature, given [][]bool, in []int) *wordTable {
	inRows := map[uint32]int{}
	fam := map[uint32]family{}
	for _, i := range in {
		for _, f := range features[i] {
			inRows[f.key]++
			fam[f.key] = f.fam
		}
	}
	gain := func(key uint32) (float32, bool) {
		k := inRows[key]
		if k < setMinRows {
			return 0, false
		}
		return setWeight(fam[key]) * float32(math.Log(float64(1+len(in))/float64(1+k))+1), true
	}
	rows := make([]linear.Row, len(in))
	targets := make([][]int8, len(given[0]))
	for r, i := range in {
		rows[r] = row(features[i], gain)
		for c := range targets {
			targets[c] = append(targets[c], yes(given[i][c]))
		}
	}
	w := linear.Learn(rows, targets, linear.Options{C: 1, Positive: 2, MinRows: 1, Epochs: setEpochs})
	t := &wordTable{table: *linear.Compress(w, setRows, func(key uint32) float32 { g, _ := gain(key); return g })}
	for _, key := range t.table.Keys() {
		g, _ := gain(key)
		t.gain = append(t.gain, g)
	}
	return t
}

// calibrate turns scores into probabilities, letting each label's score speak
// for the others, and sets for each label the threshold of the best F1.
func (ls *LabelSet) calibrate(unseen [][]float64, given [][]bool) {
	n := len(ls.head.Labels)
	h := &ls.head
	h.Slope, h.Shift, h.Threshold = make([]float64, n), make([]float64, n), make([]float64, n)
	h.Stack = make([]float64, n*n)
	for i := range n {
		x := make([][]float64, len(unseen))
		y := make([]bool, len(unseen))
		for k, s := range unseen {
			x[k] = make([]float64, n+1)
			x[k][0] = s[i]
			for j := range n {
				x[k][1+j] = math.Tanh(s[j])
			}
			x[k][1+i] = 0
			y[k] = given[k][i]
		}
		l := linear.FitLogistic(x, y, func(j int) float64 {
			if j == 0 {
				return 0.1
			}
			return 3
		})
		h.Slope[i], h.Shift[i] = l.W[0], l.W[n+1]
		for j := range n {
			if j != i {
				h.Stack[i*n+j] = l.W[1+j]
			}
		}
	}
	p := make([][]float64, len(unseen))
	for k, s := range unseen {
		p[k] = h.probabilities(s)
	}
	for i := range n {
		h.Threshold[i] = bestThreshold(p, given, i)
	}
}

// bestThreshold gives the threshold of the best F1 of a label, held towards the
// usual one where few texts bear it.
func bestThreshold(p [][]float64, given [][]bool, i int) float64 {
	type point struct {
		p   float64
		hit bool
	}
	points := make([]point, len(p))
	total := 0
	for k := range p {
		points[k] = point{p[k][i], given[k][i]}
		if given[k][i] {
			total++
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(b.p, a.p) })
	const usual, prior = 0.38, 6.0
	best, at := -1.0, usual
	right := 0
	for k, pt := range points {
		if pt.hit {
			right++
		}
		if pt.p < 0.05 {
			break
		}
		next := 0.0
		if k+1 < len(points) {
			next = points[k+1].p
		}
		threshold := (pt.p + next) / 2
		f := (2*float64(right) + prior*0.6) / (float64(k+1+total) + prior)
		f -= 0.25 * math.Abs(threshold-usual)
		if f > best {
			best, at = f, threshold
		}
	}
	return at
}

// learnSides learns what speaks for each polarity of a category.
func (ls *LabelSet) learnSides(texts []Taught, tokens [][]setToken, features [][]setFeature, number map[string]int) {
	var rows []linear.Row
	targets := make([][]int8, len(ls.head.Polarities))
	for i, t := range texts {
		for _, l := range t.Labels {
			c, p, _ := strings.Cut(l, "#")
			k, ok := number[c]
			if !ok || len(tokens[i]) == 0 {
				continue
			}
			rows = append(rows, weightedRow(sideFeatures(tokens[i], ls.weights(tokens[i], features[i], k), c)))
			for j, name := range ls.head.Polarities {
				targets[j] = append(targets[j], yes(name == p))
			}
		}
	}
	w := linear.Learn(rows, targets, linear.Options{C: 0.5, MinRows: setMinRows, Epochs: setEpochs})
	ls.sides = wordTable{table: *linear.Compress(w, setRows, nil)}
	ls.sides.gain = make([]float32, ls.sides.table.Rows())
}
