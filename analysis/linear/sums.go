package linear

import "slices"

// Sums adds up rows of a table. Eight weights are taken at a time: a row lies in
// words of eight bytes, each weight raised by [raise] so that none is negative, and
// every other byte of a word is added to a lane of sixteen bits. The lanes are
// emptied before they can run over.
type Sums struct {
	table *Table
	even  []uint64 // of each word the bytes 0, 2, 4, 6
	odd   []uint64 // and 1, 3, 5, 7
	rows  int32    // added since the lanes were empty
	total []int32
}

// raise makes a weight a byte from 1 to 255; full is how many of them a lane
// holds for sure.
const (
	raise = 128
	full  = 256
	lanes = 0x00ff00ff00ff00ff
)

// Start begins sums over a table's rows, one a column.
func (s *Sums) Start(t *Table) {
	s.table = t
	s.even = slices.Grow(s.even[:0], t.width)[:t.width]
	s.odd = slices.Grow(s.odd[:0], t.width)[:t.width]
	s.total = slices.Grow(s.total[:0], 8*t.width)[:8*t.width]
	clear(s.even)
	clear(s.odd)
	clear(s.total)
	s.rows = 0
}

// Add adds a row.
func (s *Sums) Add(row int32) {
	if s.rows == full {
		s.empty()
	}
	s.rows++
	w := s.table.width
	r := s.table.rows[int(row)*w : int(row)*w+w]
	even, odd := s.even[:len(r)], s.odd[:len(r)]
	for i, v := range r {
		even[i] += v & lanes
		odd[i] += v >> 8 & lanes
	}
}

// AddSums adds what was added up before, of the same table.
func (s *Sums) AddSums(sums []int32) {
	total := s.total[:len(sums)]
	for c, v := range sums {
		total[c] += v
	}
}

// Total gives the sums so far. They change with what is added next.
func (s *Sums) Total() []int32 {
	s.empty()
	return s.total[:s.table.Columns]
}

// empty moves what the lanes hold to the totals.
func (s *Sums) empty() {
	if s.rows == 0 {
		return
	}
	raised := s.rows * raise
	for i := range s.even {
		e, o, t := s.even[i], s.odd[i], s.total[8*i:8*i+8]
		t[0] += int32(e&0xffff) - raised
		t[2] += int32(e>>16&0xffff) - raised
		t[4] += int32(e>>32&0xffff) - raised
		t[6] += int32(e>>48) - raised
		t[1] += int32(o&0xffff) - raised
		t[3] += int32(o>>16&0xffff) - raised
		t[5] += int32(o>>32&0xffff) - raised
		t[7] += int32(o>>48) - raised
	}
	clear(s.even)
	clear(s.odd)
	s.rows = 0
}
