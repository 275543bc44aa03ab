// Package linear owns the learning of linear classifiers over sparse features,
// several columns at once, and the compact tables that they are kept in.
//
// Learning is deterministic: the same rows, targets and options give the same
// table on any number of cores.
package linear

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Feature is one feature of a row: the hash of what was seen, and how much of
// it.
type Feature struct {
	Key   uint32
	Value float32
}

// Row is a sparse row. A key may occur more than once; the values add up.
type Row []Feature

// Options says how a table is learnt.
type Options struct {
	C        float64 // cost of an error against the size of the weights
	Positive float64 // times C for rows that bear the column's label; 0 means 1
	MinRows  int     // features of fewer rows are left out
	Epochs   int     // at most so many passes over the rows

	// Ratio, 0 to 1, is how much a feature's reach goes by how unevenly it falls on
	// rows with and without the label (Wang and Manning 2012); 0: all reach as far.
	Ratio float64
}

// Weights is what was learnt, in full precision.
type Weights struct {
	Columns int
	Keys    []uint32  // ascending
	W       []float32 // len(Keys) x Columns
	Bias    []float32
}

// compact rows: features numbered, duplicates added up.
type compactRow struct {
	at []int32
	v  []float32
	sq float64 // squared length, the constant feature included
}

// Learn learns one column for each list of targets: +1 for rows that bear its
// label, -1 for those that do not, 0 for those that say nothing about it. It
// minimises the squared hinge loss with an L2 penalty by dual coordinate descent
// (Hsieh et al. 2008).
func Learn(rows []Row, targets [][]int8, o Options) *Weights {
	keys := vocabulary(rows, o.MinRows)
	number := make(map[uint32]int32, len(keys))
	for i, k := range keys {
		number[k] = int32(i)
	}
	compact := make([]compactRow, len(rows))
	for i, r := range rows {
		compact[i] = pack(r, number)
	}
	w := &Weights{Columns: len(targets), Keys: keys, W: make([]float32, len(keys)*len(targets)), Bias: make([]float32, len(targets))}
	columns := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(targets)) {
		wg.Go(func() {
			for c := range columns {
				col, bias := column(compact, targets[c], len(keys), o, uint64(c))
				for i, v := range col {
					w.W[i*w.Columns+c] = float32(v)
				}
				w.Bias[c] = float32(bias)
			}
		})
	}
	for c := range targets {
		columns <- c
	}
	close(columns)
	wg.Wait()
	return w
}

// vocabulary lists the keys that occur in at least so many rows.
func vocabulary(rows []Row, least int) []uint32 {
	count := map[uint32]int32{}
	last := map[uint32]int32{}
	for i, r := range rows {
		for _, f := range r {
			if last[f.Key] == int32(i)+1 {
				continue
			}
			last[f.Key] = int32(i) + 1
			count[f.Key]++
		}
	}
	var keys []uint32
	for k, n := range count {
		if int(n) >= least {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func pack(r Row, number map[uint32]int32) compactRow {
	c := compactRow{sq: 1}
	sum := map[int32]float32{}
	for _, f := range r {
		if i, ok := number[f.Key]; ok {
			sum[i] += f.Value
		}
	}
	for i := range sum {
		c.at = append(c.at, i)
	}
	slices.Sort(c.at)
	for _, i := range c.at {
		c.v = append(c.v, sum[i])
		c.sq += float64(sum[i]) * float64(sum[i])
	}
	return c
}

// column learns one column.
func column(rows []compactRow, y []int8, size int, o Options, seed uint64) (w []float64, bias float64) {
	w = make([]float64, size)
	active := make([]int32, 0, len(rows))
	some := false
	for i, t := range y {
		if t != 0 {
			active = append(active, int32(i))
		}
		some = some || t > 0
	}
	if !some {
		return w, -1
	}
	var reach []float64
	if o.Ratio > 0 {
		reach = reaches(rows, y, size, o.Ratio)
		rows = stretched(rows, active, reach)
	}
	alpha := make([]float64, len(rows))
	rng := rand.New(rand.NewPCG(20, seed)) //nolint:gosec // G404: an order to visit rows in, which must be the same each time
	positive := o.Positive
	if positive == 0 {
		positive = 1
	}
	all := slices.Clone(active)
	bound := math.Inf(1)
	for epoch := range o.Epochs {
		rng.Shuffle(len(active), func(i, k int) { active[i], active[k] = active[k], active[i] })
		most, least := math.Inf(-1), math.Inf(1)
		for s := 0; s < len(active); s++ {
			i := active[s]
			r := &rows[i]
			sign, cost := float64(y[i]), o.C
			if sign > 0 {
				cost *= positive
			}
			diag := 0.5 / cost
			dot := bias
			for k, at := range r.at {
				dot += w[at] * float64(r.v[k])
			}
			g := sign*dot - 1 + diag*alpha[i]
			pg := g
			if alpha[i] == 0 {
				if g > bound { // shrink: this row will stay without weight
					active[s] = active[len(active)-1]
					active = active[:len(active)-1]
					s--
					continue
				}
				pg = min(g, 0)
			}
			most, least = max(most, pg), min(least, pg)
			if math.Abs(pg) < 1e-12 {
				continue
			}
			old := alpha[i]
			alpha[i] = max(old-g/(r.sq+diag), 0)
			d := (alpha[i] - old) * sign
			bias += d
			for k, at := range r.at {
				w[at] += d * float64(r.v[k])
			}
		}
		if most-least < 0.05 {
			if len(active) == len(all) || epoch == o.Epochs-1 {
				break
			}
			active, bound = append(active[:0], all...), math.Inf(1)
			continue
		}
		if bound = most; bound <= 0 {
			bound = math.Inf(1)
		}
	}
	for i, r := range reach { // so that whoever scores need not know of it
		w[i] *= r
	}
	return w, bias
}

// Score adds the row's scores to out, one a column.
func (w *Weights) Score(r Row, out []float64) {
	for c, b := range w.Bias {
		out[c] += float64(b)
	}
	for _, f := range r {
		i, ok := slices.BinarySearch(w.Keys, f.Key)
		if !ok {
			continue
		}
		row := w.W[i*w.Columns : (i+1)*w.Columns]
		for c, v := range row {
			out[c] += float64(v) * float64(f.Value)
		}
	}
}

// reaches gives how far each feature reaches: by the log-odds between rows with
// the label and rows without, held towards none where there are few.
func reaches(rows []compactRow, y []int8, size int, ratio float64) []float64 {
	with, without := make([]float64, size), make([]float64, size)
	n, m := 0.0, 0.0
	for i, t := range y {
		in := with
		switch {
		case t > 0:
			n++
		case t < 0:
			in = without
			m++
		default:
			continue
		}
		for _, at := range rows[i].at {
			in[at]++
		}
	}
	out := make([]float64, size)
	for k := range out {
		common := (with[k] + without[k] + 1e-3) / (n + m)
		odds := math.Log((with[k] + ratioPrior*common) / (n + ratioPrior) / ((without[k] + ratioPrior*common) / (m + ratioPrior)))
		out[k] = 1 - ratio + ratio*min(math.Abs(odds), ratioMost)
	}
	return out
}

// ratioPrior is how many rows hold a feature's log-odds towards none; ratioMost is
// the largest that counts.
const ratioPrior, ratioMost = 4, 3

// stretched gives rows with each feature times its reach.
func stretched(rows []compactRow, active []int32, reach []float64) []compactRow {
	out := make([]compactRow, len(rows))
	for _, i := range active {
		r := compactRow{at: rows[i].at, v: make([]float32, len(rows[i].v)), sq: 1}
		for k, at := range r.at {
			r.v[k] = rows[i].v[k] * float32(reach[at])
			r.sq += float64(r.v[k]) * float64(r.v[k])
		}
		out[i] = r
	}
	return out
}
