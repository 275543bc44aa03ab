package linear

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// rows of two labels: the first goes by key 10, the second by key 20; 30 is noise.
func lesson() ([]Row, [][]int8) {
	var rows []Row
	targets := make([][]int8, 2)
	for i := range 60 {
		a, b := i%2 == 0, i%3 == 0
		r := Row{{30, 1}}
		if a {
			r = append(r, Feature{10, 1})
		}
		if b {
			r = append(r, Feature{20, 0.5}, Feature{20, 0.5})
		}
		rows = append(rows, r)
		for c, is := range []bool{a, b} {
			y := int8(-1)
			if is {
				y = 1
			}
			targets[c] = append(targets[c], y)
		}
	}
	return rows, targets
}

func TestLearn(t *testing.T) {
	rows, targets := lesson()
	o := Options{C: 1, Positive: 2, MinRows: 2, Epochs: 40}
	w := Learn(rows, targets, o)
	table := Compress(w, 100, nil)
	for i, r := range rows {
		exact := make([]float64, 2)
		w.Score(r, exact)
		for c := range 2 {
			if (exact[c] > 0) != (targets[c][i] > 0) {
				t.Fatalf("row %d, column %d: score %v, target %d", i, c, exact[c], targets[c][i])
			}
			sum := float64(table.Bias[c])
			for _, f := range r {
				if row := table.Find(f.Key); row >= 0 {
					sum += float64(table.At(row, c)) * float64(table.Scale[c]) * float64(f.Value)
				}
			}
			if (sum > 0) != (exact[c] > 0) {
				t.Errorf("row %d, column %d: packed %v, exact %v", i, c, sum, exact[c])
			}
		}
	}
	if again := Learn(rows, targets, o); !reflect.DeepEqual(again, w) {
		t.Error("learning again gave other weights")
	}
	if table.Find(99) != -1 {
		t.Error("a key that was not learnt has a row")
	}
}

// TestRatio: a sign that falls on one side reaches further than one that falls
// evenly, and whoever scores need not know of it.
func TestRatio(t *testing.T) {
	rows, targets := lesson()
	w := Learn(rows, targets, Options{C: 1, Positive: 2, MinRows: 2, Epochs: 40, Ratio: 0.5})
	for i, r := range rows {
		score := make([]float64, 2)
		w.Score(r, score)
		for c := range 2 {
			if (score[c] > 0) != (targets[c][i] > 0) {
				t.Fatalf("row %d, column %d: score %v, target %d", i, c, score[c], targets[c][i])
			}
		}
	}
	number := map[uint32]int32{10: 0, 20: 1, 30: 2}
	var packed []compactRow
	for _, r := range rows {
		packed = append(packed, pack(r, number))
	}
	reach := reaches(packed, targets[0], 3, 0.5)
	if telling, other, even := reach[0], reach[1], reach[2]; telling < 1.5 || other > 0.7 || even < 0.5 || even > 0.51 {
		t.Errorf("reach %v", reach)
	}
	if same := reaches(packed, targets[0], 3, 0); same[0] != 1 || same[2] != 1 {
		t.Errorf("without a ratio: %v", same)
	}
}

func TestRowsThatSayNothingAreLeftOut(t *testing.T) {
	rows := []Row{{{1, 1}}, {{1, 1}}, {{2, 1}}, {{2, 1}}, {{1, 1}}}
	with := Learn(rows[:4], [][]int8{{1, 1, -1, -1}}, Options{C: 1, MinRows: 1, Epochs: 20})
	without := Learn(rows, [][]int8{{1, 1, -1, -1, 0}}, Options{C: 1, MinRows: 1, Epochs: 20})
	a, b := []float64{0}, []float64{0}
	with.Score(rows[0], a)
	without.Score(rows[0], b)
	if math.Abs(a[0]-b[0]) > 0.05 {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestTableIsKept(t *testing.T) {
	rows, targets := lesson()
	table := Compress(Learn(rows, targets, Options{C: 1, MinRows: 1, Epochs: 20}), 100, nil)
	data, err := table.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Table
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, table) {
		t.Errorf("got %+v, want %+v", back, *table)
	}
	again, err := back.MarshalBinary()
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("written again it differs (%v)", err)
	}
	for n := range data {
		var damaged Table
		if err := damaged.UnmarshalBinary(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes it was read", n, len(data))
		}
	}
}

func FuzzTable(f *testing.F) {
	rows, targets := lesson()
	data, err := Compress(Learn(rows, targets, Options{C: 1, MinRows: 1, Epochs: 5}), 100, nil).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var table Table
		if table.UnmarshalBinary(data) == nil {
			table.Find(10)
		}
	})
}

func TestFitLogistic(t *testing.T) {
	var x [][]float64
	var y []bool
	for i := range 400 {
		v := float64(i%20)/10 - 1
		x = append(x, []float64{v})
		y = append(y, float64(i/20) < 20*Sigmoid(2*v+0.5))
	}
	l := FitLogistic(x, y, func(int) float64 { return 1e-6 })
	if math.Abs(l.W[0]-2) > 0.4 || math.Abs(l.W[1]-0.5) > 0.3 {
		t.Errorf("got %v, want about [2 0.5]", l.W)
	}
	if FitLogistic(nil, nil, nil) != nil {
		t.Error("nothing was fitted to something")
	}
}

// TestSums: rows added eight weights at a time come to what they come to one by
// one, however many they are.
func TestSums(t *testing.T) {
	const columns = 99
	rng := rand.New(rand.NewPCG(1, 2))
	w := &Weights{Columns: columns, Bias: make([]float32, columns)}
	for k := range 40 {
		w.Keys = append(w.Keys, uint32(k+1))
		for range columns {
			w.W = append(w.W, rng.Float32()*2-1)
		}
	}
	table := Compress(w, 100, nil)
	var s Sums
	for range 3 { // used again
		s.Start(table)
		want := make([]int32, columns)
		for i := range 1000 {
			row := table.Find(uint32(rng.IntN(40) + 1))
			if i < 300 {
				row = 0 // the same row fills a lane fastest
			}
			s.Add(row)
			for c := range want {
				want[c] += table.At(row, c)
			}
			if i%333 == 0 && !slices.Equal(s.Total(), want) {
				t.Fatalf("after %d rows: %v, want %v", i+1, s.Total(), want)
			}
		}
		s.AddSums(want)
		for c := range want {
			want[c] *= 2
		}
		if !slices.Equal(s.Total(), want) {
			t.Fatalf("%v, want %v", s.Total(), want)
		}
	}
}
