package figures

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestWilson(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		x, n      int
		low, high float64 // percent
		within    float64
	}{
		// The method's own check values, at one decimal.
		{"half of 10", 5, 10, 23.7, 76.3, .05},
		{"half of 30", 15, 30, 33.2, 66.8, .05},
		{"half of 50", 25, 50, 36.6, 63.4, .05},
		{"half of 100", 50, 100, 40.4, 59.6, .05},
		{"half of 400", 200, 400, 45.1, 54.9, .05},
		// Newcombe 1998 (single proportion), table I, method 3.
		{"81/263", 81, 263, 25.53, 36.62, .006},
		{"15/148", 15, 148, 6.24, 16.05, .006},
		{"0/20", 0, 20, 0, 16.11, .006},
		{"1/29", 1, 29, 0.61, 17.18, .006},
		{"nobody", 0, 0, 0, 100, 0},
	}
	for _, tt := range tests {
		got := Wilson(tt.x, tt.n)
		if math.Abs(got.Low-tt.low) > tt.within || math.Abs(got.High-tt.high) > tt.within {
			t.Errorf("%s: got %.3f to %.3f, want %.3f to %.3f", tt.name, got.Low, got.High, tt.low, tt.high)
		}
	}
}

func TestWilsonHoldsItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100000).Draw(t, "n")
		x := rapid.IntRange(0, n).Draw(t, "x")
		w, p := Wilson(x, n), 100*float64(x)/float64(n)
		if w.Low < 0 || w.High > 100 || w.Low > p+1e-9 || w.High < p-1e-9 {
			t.Fatalf("%d of %d: %.4f not within %.4f to %.4f", x, n, p, w.Low, w.High)
		}
		mirror := Wilson(n-x, n)
		if math.Abs(mirror.Low-(100-w.High)) > 1e-9 {
			t.Fatalf("the interval of the complement is not the mirror image")
		}
	})
}

// Newcombe 1998 (difference), table II, method 10.
func TestNewcombe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		x1, n1, x2, n2 int
		low, high      float64
	}{
		{56, 70, 48, 80, .0524, .3339},
		{9, 10, 3, 10, .1705, .8090},
		{6, 7, 2, 7, .0582, .8062},
		{5, 56, 0, 29, -.0381, .1926},
		{0, 10, 0, 20, -.1611, .2775},
		{0, 10, 0, 10, -.2775, .2775},
		{10, 10, 0, 20, .6791, 1},
		{10, 10, 0, 10, .6075, 1},
	}
	for _, tt := range tests {
		d, ok := Newcombe(tt.x1, tt.n1, tt.x2, tt.n2)
		if !ok || math.Abs(d.Low/100-tt.low) > .00006 || math.Abs(d.High/100-tt.high) > .00006 {
			t.Errorf("%d/%d − %d/%d: got %.4f to %.4f, want %.4f to %.4f", tt.x1, tt.n1, tt.x2, tt.n2, d.Low/100, d.High/100, tt.low, tt.high)
		}
	}
	if _, ok := Newcombe(0, 0, 1, 2); ok {
		t.Error("a difference from nobody was given")
	}
	if d, _ := Newcombe(56, 70, 48, 80); !d.Apart() {
		t.Error("56/70 and 48/80 lie apart")
	}
	if d, _ := Newcombe(5, 56, 0, 29); d.Apart() {
		t.Error("5/56 and 0/29 do not lie apart")
	}
}

func TestMeanInterval(t *testing.T) {
	t.Parallel()
	// 0, 50, 100: mean 50, s = 50, t(2 df, .975) = 4.3027: half-width 124.2, clipped.
	if iv, ok := meanInterval(150, 12500, 3); !ok || iv.Low != 0 || iv.High != 100 {
		t.Errorf("three scores: %+v %v", iv, ok)
	}
	// 40 × 10 and 60 × 10: mean 50, s² = 20·100/19, t(19) = 2.0930; half-width 4.802.
	iv, ok := meanInterval(1000, 52000, 20)
	if !ok || math.Abs(iv.Low-45.198) > .001 || math.Abs(iv.High-54.802) > .001 {
		t.Errorf("twenty scores: %+v", iv)
	}
	if _, ok := meanInterval(50, 2500, 1); ok {
		t.Error("one score has no interval")
	}
}
