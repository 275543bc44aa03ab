package coding

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the learnt model
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"victimvoice/analysis/linear"
)

// Model is what was learnt from labelled comments for the themes of a codebook:
// how much each sign in a statement, and in the whole text, speaks for each
// theme and polarity, and how to weigh that against the phrases found.
type Model struct {
	head  modelHead
	table linear.Table
	codes map[string]int // its place in head.Codes
	id    string         // the start of a hash of all of it; empty: it was just learnt
}

// modelHead is the readable part of a model.
type modelHead struct {
	Format   int      `json:"format"`
	Codebook string   `json:"codebook"` // version that it was learnt beside
	Sources  string   `json:"sources"`  // hash of all that it was learnt from
	Comments int      `json:"comments"`
	Codes    []string `json:"codes"`

	Theme     []float64 `json:"theme"`     // weights of what speaks for a code, then one for each code, then the constant
	Side      []float64 `json:"side"`      // the same of what speaks for its being positive where it is there
	Threshold []float64 `json:"threshold"` // for each code: so likely must it be, in one polarity or the other
	Second    float64   `json:"second"`    // so likely beside the likelier must the other polarity be to be given too
	Unsure    float64   `json:"unsure"`    // from here on a label is for a person to judge
	Gate      []float64 `json:"gate"`      // weights of what speaks for there being anything to code
	GateFrom  float64   `json:"gate_from"` // from here on there is something to code
	Trim      []float64 `json:"trim"`      // how evidence is cut to its telling words
}

const modelFormat = 2

// The columns of the table, for n codes: three a code for a statement (positive,
// negative, either), then whether a statement's side is positive and whether it
// is about the services at all, then for the whole text each code and whether it
// holds anything to code.
func unitColumns(n int) int { return 3*n + 2 }
func columns(n int) int     { return unitColumns(n) + n + 1 }

//go:generate go run ./mkmodel

//go:embed model.bin
var shippedModel []byte

// LoadModel gives the model that ships with the product.
func LoadModel() (*Model, error) {
	m := &Model{}
	if err := m.UnmarshalBinary(shippedModel); err != nil {
		return nil, fmt.Errorf("the shipped model is faulty: %w", err)
	}
	return m, nil
}

var modelMark = [4]byte{'V', 'V', 'M', '1'}

// MarshalBinary writes the model: a mark, the length of its head, the head as
// JSON, the table.
func (m *Model) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(m.head)
	if err != nil {
		return nil, fmt.Errorf("write a model's head: %w", err)
	}
	table, err := m.table.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("write a model's table: %w", err)
	}
	out := binary.LittleEndian.AppendUint32(modelMark[:], uint32(len(head)))
	return slices.Concat(out, head, table), nil
}

// UnmarshalBinary reads a model and refuses one that is damaged or of another
// format.
func (m *Model) UnmarshalBinary(data []byte) error {
	if len(data) < 8 || [4]byte(data[:4]) != modelMark {
		return errors.New("this is no model of themes")
	}
	size := int(binary.LittleEndian.Uint32(data[4:]))
	if size > len(data)-8 {
		return errors.New("the model is cut short")
	}
	*m = Model{}
	dec := json.NewDecoder(bytes.NewReader(data[8 : 8+size]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m.head); err != nil {
		return fmt.Errorf("read a model's head: %w", err)
	}
	if err := m.table.UnmarshalBinary(data[8+size:]); err != nil {
		return fmt.Errorf("read a model's table: %w", err)
	}
	n := len(m.head.Codes)
	switch {
	case m.head.Format != modelFormat:
		return fmt.Errorf("the model has format %d, this program reads %d", m.head.Format, modelFormat)
	case n == 0 || m.table.Columns != columns(n) || len(m.head.Threshold) != n || len(m.head.Theme) != themeSigns+n+1 || len(m.head.Side) != sideSigns+n+1 || len(m.head.Gate) != gateSigns+1 || len(m.head.Trim) != trimSigns:
		return errors.New("the model's parts do not fit together")
	}
	sum := sha256.Sum256(data)
	m.id = hex.EncodeToString(sum[:4])
	m.number()
	return nil
}

func (m *Model) number() {
	m.codes = map[string]int{}
	for i, code := range m.head.Codes {
		m.codes[code] = i
	}
}

// weigh keeps with a word what the model makes of it by itself.
func (m *Model) weigh(p *part) {
	var sums linear.Sums
	sums.Start(&m.table)
	p.alone(func(key uint32, f family) {
		p.size += weightOf[f] * weightOf[f]
		if row := m.table.Find(key); row >= 0 {
			sums.Add(row)
		}
	})
	p.sum = slices.Clone(sums.Total())
	p.around = [2]int32{m.table.Find(mix(ofBefore, p.hash, 0)), m.table.Find(mix(ofAfter, p.hash, 0))}
}

// longest is the squared length of the longest text that is weighed as the others
// are, some 500 words. A sum over a longer one grows faster than its length does,
// since what it says it says again and again; it is weighed like the mean of its parts.
const longest = 3000

// scaleOf gives what brings a sum over features of this squared length to length 1.
func scaleOf(size float32) float64 {
	s := float64(max(size, 1))
	return math.Sqrt(min(1, longest/s) / s)
}

// scores is what the table says of a text.
type scores struct {
	unit []float64 // statements x unitColumns
	doc  []float64
	sums linear.Sums
	all  []int32
}

// score weighs a text's statements and the whole of it.
func (m *Model) score(s *space) {
	n := len(m.head.Codes)
	wide, width := m.table.Columns, unitColumns(n)
	sc := &s.scores
	sc.unit = slices.Grow(sc.unit[:0], len(s.units)*width)[:len(s.units)*width]
	sc.doc = slices.Grow(sc.doc[:0], n+1)[:n+1]
	sc.all = slices.Grow(sc.all[:0], wide-width)[:wide-width]
	clear(sc.all)
	whole := float32(0)
	for i := range s.units {
		u := &s.units[i]
		sc.sums.Start(&m.table)
		size := float32(0)
		own := func(p *part) {
			size += p.size
			sc.sums.AddSums(p.sum)
		}
		for _, f := range s.passed[u.passed[0]:u.passed[1]] {
			own(f.part)
		}
		for k := u.first; k <= u.last; k++ {
			own(s.tokens[k].part)
		}
		for k := range u.keys {
			f := &u.keys[k]
			size += weightOf[f.fam] * weightOf[f.fam]
			if f.row = m.table.Find(f.key); f.row >= 0 {
				sc.sums.Add(f.row)
			}
		}
		for c, v := range sc.sums.Total()[width:] {
			sc.all[c] += v
		}
		whole += size
		for side, other := range [2]int{i - 1, i + 1} {
			if other < 0 || other >= len(s.units) {
				continue
			}
			size += weightOf[ofBefore] * weightOf[ofBefore] * float32(s.units[other].last-s.units[other].first+1)
			for k := s.units[other].first; k <= s.units[other].last; k++ {
				if row := s.tokens[k].part.around[side]; row >= 0 {
					sc.sums.Add(row)
				}
			}
		}
		per, sums := scaleOf(size), sc.sums.Total()
		for c := range width {
			sc.unit[i*width+c] = float64(m.table.Bias[c]) + float64(sums[c])*float64(m.table.Scale[c])*per
		}
	}
	per := scaleOf(whole)
	for c, v := range sc.all {
		sc.doc[c] = float64(m.table.Bias[width+c]) + float64(v)*float64(m.table.Scale[width+c])*per
	}
}
