package bounds

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

func TestByHand(t *testing.T) {
	t.Parallel()
	// A row of a table: 20 in all, of whom the first part has 12 at least and 15 at most.
	var k Known
	a, b, c := k.Number(), k.Number(), k.Number()
	k.Equal(Sum{a: 1, b: 1, c: 1}, 20)
	k.Between(Sum{a: 1}, 12, 15)
	k.Between(Sum{b: 1}, 2, math.Inf(1))
	r, err := k.Solve()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sum       Sum
		low, high float64
	}{{Sum{a: 1}, 12, 15}, {Sum{b: 1}, 2, 8}, {Sum{c: 1}, 0, 6}, {Sum{b: 1, c: 1}, 5, 8}, {Sum{a: 1, b: 1, c: 1}, 20, 20}, {Sum{}, 0, 0}} {
		if low, high := r.Of(c.sum); math.Abs(low-c.low) > 1e-9 || math.Abs(high-c.high) > 1e-9 {
			t.Errorf("%v lies between %g and %g, want %g and %g", c.sum, low, high, c.low, c.high)
		}
	}
	k.Equal(Sum{b: 1, c: 1}, 9)
	if _, err := k.Solve(); !errors.Is(err, ErrContradiction) {
		t.Errorf("15 and 9 are not 20: %v", err)
	}
}

// Two tables that share a margin: a number that no sum gives away alone, and all do.
func TestSeveralSumsGiveANumber(t *testing.T) {
	t.Parallel()
	var k Known
	n := make([]int, 4)
	for i := range n {
		n[i] = k.Number()
	}
	k.Equal(Sum{n[0]: 1, n[1]: 1}, 7)
	k.Equal(Sum{n[1]: 1, n[2]: 1}, 9)
	k.Equal(Sum{n[2]: 1, n[0]: 1}, 8)
	k.Equal(Sum{n[0]: 1, n[1]: 1, n[2]: 1}, 12) // it follows from the others
	r, err := k.Solve()
	if err != nil {
		t.Fatal(err)
	}
	if low, high := r.Of(Sum{n[0]: 1}); math.Abs(low-3) > 1e-9 || math.Abs(high-3) > 1e-9 {
		t.Errorf("%g to %g", low, high)
	}
	if low, high := r.Of(Sum{n[3]: 1}); low != 0 || !math.IsInf(high, 1) {
		t.Errorf("of which nothing is known: %g to %g", low, high)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	if low, high := Whole(2.0000001, 4.9); low != 2 || high != 4 {
		t.Errorf("%g to %g", low, high)
	}
}

// On systems made up at random the bounds are those that gonum's simplex method finds,
// and hold what the system was made from.
func TestAgainstGonum(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 5))
		numbers, sums := 3+rng.IntN(6), 1+rng.IntN(3)
		truth := make([]float64, numbers)
		var k Known
		for i := range truth {
			k.Number()
			truth[i] = float64(rng.IntN(12))
		}
		a, b := mat.NewDense(sums+1, numbers+1, nil), make([]float64, sums+1)
		for i := range sums + 1 {
			s, v := Sum{}, 0.
			for n, x := range truth {
				f := float64(rng.IntN(2))
				if i == sums { // all together, so that nothing is without limit
					f = 1
				}
				if f != 0 {
					s[n], v = f, v+f*x
					a.Set(i, n, f)
				}
			}
			if i == sums {
				k.Between(s, math.Inf(-1), v+3)
				a.Set(i, numbers, 1)
				b[i] = v + 3
				continue
			}
			k.Equal(s, v)
			b[i] = v
		}
		r, err := k.Solve()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for n, x := range truth {
			low, high := r.Of(Sum{n: 1})
			if x < low-close || x > high+close || r.Off() > close {
				t.Fatalf("seed %d: %g is not between %g and %g (off by %g)", seed, x, low, high, r.Off())
			}
			for _, side := range []struct{ sign, got float64 }{{1, low}, {-1, -high}} {
				cost := make([]float64, numbers+1)
				cost[n] = side.sign
				want, _, err := lp.Simplex(cost, a, b, 1e-10, nil)
				if err != nil { // it takes no sums that follow from others
					continue
				}
				if math.Abs(want-side.got) > 1e-6 {
					t.Errorf("seed %d number %d: %g, gonum finds %g", seed, n, side.got, want)
				}
			}
		}
	}
}
