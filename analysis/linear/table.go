package linear

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Table keeps learnt weights in a byte each, found by the hash of the feature.
// Sums over rows are whole numbers, so that they are the same on every machine.
type Table struct {
	Columns int
	Scale   []float32 // what one step of a column is worth
	Bias    []float32
	keys    []uint32 // ascending; row i belongs to keys[i]
	rows    []uint64 // len(keys) x width: a byte a weight, see [Sums]
	width   int
	places  []place // open addressing
	mask    uint32
}

// place is where a key may be looked for.
type place struct {
	key uint32
	row int32 // from 1; 0: the place is empty
}

// steps is how many steps a weight has on each side of nothing.
const steps = 127

// Compress keeps the rows that weigh most, at most so many, in a byte a weight.
// gain multiplies each key's row beforehand; nil means 1.
func Compress(w *Weights, most int, gain func(key uint32) float32) *Table {
	type ranked struct {
		i    int
		norm float64
	}
	order := make([]ranked, len(w.Keys))
	times := make([]float32, len(w.Keys))
	for i, key := range w.Keys {
		times[i] = 1
		if gain != nil {
			times[i] = gain(key)
		}
		r := ranked{i: i}
		for _, v := range w.W[i*w.Columns : (i+1)*w.Columns] {
			x := float64(v * times[i])
			r.norm += x * x
		}
		order[i] = r
	}
	slices.SortStableFunc(order, func(a, b ranked) int { return cmp.Compare(b.norm, a.norm) })
	order = order[:min(most, len(order))]
	slices.SortFunc(order, func(a, b ranked) int { return cmp.Compare(a.i, b.i) })
	t := &Table{Columns: w.Columns, Scale: make([]float32, w.Columns), Bias: slices.Clone(w.Bias)}
	for c := range t.Scale {
		for _, r := range order {
			t.Scale[c] = max(t.Scale[c], float32(math.Abs(float64(w.W[r.i*w.Columns+c]*times[r.i]))))
		}
		// A few large weights may be cut so that the many small ones keep their steps.
		t.Scale[c] = max(t.Scale[c]*0.6/steps, 1e-9)
	}
	var weights []byte
	for _, r := range order {
		t.keys = append(t.keys, w.Keys[r.i])
		for c := range w.Columns {
			q := math.Round(float64(w.W[r.i*w.Columns+c] * times[r.i] / t.Scale[c]))
			weights = append(weights, byte(int8(min(max(q, -steps), steps))))
		}
	}
	t.lay(weights)
	t.index()
	return t
}

// Join puts the columns of b behind those of a.
func Join(a, b *Weights) *Weights {
	keys := slices.Concat(a.Keys, b.Keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	w := &Weights{Columns: a.Columns + b.Columns, Keys: keys, Bias: slices.Concat(a.Bias, b.Bias)}
	w.W = make([]float32, len(keys)*w.Columns)
	for i, key := range keys {
		if k, ok := slices.BinarySearch(a.Keys, key); ok {
			copy(w.W[i*w.Columns:], a.W[k*a.Columns:(k+1)*a.Columns])
		}
		if k, ok := slices.BinarySearch(b.Keys, key); ok {
			copy(w.W[i*w.Columns+a.Columns:], b.W[k*b.Columns:(k+1)*b.Columns])
		}
	}
	return w
}

func (t *Table) index() {
	size := 2
	for size < 2*len(t.keys) {
		size *= 2
	}
	t.places = make([]place, size)
	t.mask = uint32(size - 1)
	for i, key := range t.keys {
		at := spread(key) & t.mask
		for t.places[at].row != 0 {
			at = (at + 1) & t.mask
		}
		t.places[at] = place{key, int32(i + 1)}
	}
}

// lay lays the weights, Columns a row, into words.
func (t *Table) lay(weights []byte) {
	t.width = (t.Columns + 7) / 8
	t.rows = make([]uint64, len(t.keys)*t.width)
	for i := range t.keys {
		for c := range t.Columns {
			raised := uint64(weights[i*t.Columns+c] ^ raise)
			t.rows[i*t.width+c/8] |= raised << (c % 8 * 8)
		}
	}
}

func spread(key uint32) uint32 { return key * 0x9e3779b1 >> 7 }

// Find gives the row of a key; -1 where there is none.
func (t *Table) Find(key uint32) int32 {
	for at := spread(key) & t.mask; ; at = (at + 1) & t.mask {
		p := &t.places[at]
		if p.key == key && p.row != 0 {
			return p.row - 1
		}
		if p.row == 0 {
			return -1
		}
	}
}

// At gives one weight in steps.
func (t *Table) At(row int32, column int) int32 {
	return int32(int8(byte(t.rows[int(row)*t.width+column/8]>>(column%8*8)) ^ raise))
}

// Rows counts the rows.
func (t *Table) Rows() int { return len(t.keys) }

// tableMark begins a written table.
var tableMark = [4]byte{'V', 'T', '0', '1'}

// MarshalBinary writes the table: a mark, counts, scales, constants, keys as
// differences, rows.
func (t *Table) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	b.Write(tableMark[:])
	put := func(v uint32) { b.Write(binary.LittleEndian.AppendUint32(nil, v)) }
	put(uint32(t.Columns))
	put(uint32(len(t.keys)))
	for _, list := range [][]float32{t.Scale, t.Bias} {
		for _, v := range list {
			put(math.Float32bits(v))
		}
	}
	last := uint32(0)
	for _, k := range t.keys {
		b.Write(binary.AppendUvarint(nil, uint64(k-last)))
		last = k
	}
	// Most weights are small: packed, the rows take half the room.
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("pack a table: %w", err)
	}
	raw := make([]byte, 0, len(t.keys)*t.Columns)
	for i := range t.keys {
		for c := range t.Columns {
			raw = append(raw, byte(int8(t.At(int32(i), c))))
		}
	}
	if _, err := z.Write(raw); err != nil {
		return nil, fmt.Errorf("pack a table: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack a table: %w", err)
	}
	return b.Bytes(), nil
}

// Limits of what a table may hold: a file that claims more is damaged.
const (
	maxColumns = 4096
	maxRows    = 4 << 20
)

// UnmarshalBinary reads what MarshalBinary wrote and refuses anything else.
func (t *Table) UnmarshalBinary(data []byte) error {
	damaged := errors.New("the table is damaged")
	if len(data) < 12 || [4]byte(data[:4]) != tableMark {
		return errors.New("this is no table of weights")
	}
	columns, rows := int(binary.LittleEndian.Uint32(data[4:])), int(binary.LittleEndian.Uint32(data[8:]))
	if columns < 1 || columns > maxColumns || rows > maxRows {
		return damaged
	}
	data = data[12:]
	if len(data) < 8*columns {
		return damaged
	}
	read := func() []float32 {
		list := make([]float32, columns)
		for i := range list {
			list[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		data = data[4*columns:]
		return list
	}
	*t = Table{Columns: columns, Scale: read(), Bias: read()}
	for i, v := range slices.Concat(t.Scale, t.Bias) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%w: number %d is none", damaged, i)
		}
	}
	last := uint64(0)
	for i := range rows {
		d, n := binary.Uvarint(data)
		if n <= 0 || i > 0 && d == 0 || last+d > math.MaxUint32 {
			return damaged
		}
		last += d
		t.keys = append(t.keys, uint32(last))
		data = data[n:]
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), int64(rows)*int64(columns)+1))
	if err != nil || len(raw) != rows*columns {
		return damaged
	}
	t.lay(raw)
	t.index()
	return nil
}

// Keys lists the rows' keys, ascending.
func (t *Table) Keys() []uint32 { return slices.Clone(t.keys) }
