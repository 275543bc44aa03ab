package figures

import (
	"math"
	"slices"
	"testing"
)

func TestPrimary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		num, base int
		want      string
	}{
		{0, 0, ""}, {5, 9, ReasonBase}, {0, 9, ReasonBase}, {5, 10, ""}, {4, 10, ReasonFew}, {6, 10, ReasonFew}, {1, 400, ReasonFew}, {396, 400, ReasonFew}, {395, 400, ""},
		{0, 29, ReasonUnanimous}, {29, 29, ReasonUnanimous}, {0, 30, ""}, {30, 30, ""}, {5, 400, ""},
	}
	for _, tt := range tests {
		if got := Primary(tt.num, tt.base); got != tt.want {
			t.Errorf("%d of %d: %q, want %q", tt.num, tt.base, got, tt.want)
		}
	}
	if Small(0) || !Small(29) || Small(30) {
		t.Error("small is a base from 1 to 29")
	}
}

func TestProtectFamily(t *testing.T) {
	t.Parallel()
	// Cell 0 is the total, the rest its parts; the numbers are (positive, base).
	tests := []struct {
		name   string
		cells  [][2]int
		hidden []int // in what the primary rule hides already
		fixed  []int
		want   []int
	}{
		{"nothing withheld, nothing added", [][2]int{{60, 120}, {20, 40}, {20, 40}, {20, 40}}, nil, nil, nil},
		{"one withheld takes the smallest other", [][2]int{{54, 109}, {20, 50}, {4, 9}, {30, 50}}, []int{2}, nil, []int{1, 2}},
		{"the smallest by base", [][2]int{{54, 104}, {30, 50}, {4, 9}, {20, 45}}, []int{2}, nil, []int{2, 3}},
		{"two that are too few together take a third", [][2]int{{34, 66}, {2, 3}, {2, 3}, {30, 60}}, []int{1, 2}, nil, []int{1, 2, 3}},
		{"two that are enough together stand", [][2]int{{38, 78}, {4, 9}, {4, 9}, {30, 60}}, []int{1, 2}, nil, []int{1, 2}},
		{"no other part: the total goes", [][2]int{{4, 9}, {4, 9}, {0, 0}}, []int{1}, nil, []int{0, 1}},
		{"no other part, and the total is decided elsewhere", [][2]int{{4, 9}, {4, 9}, {0, 0}}, []int{1}, []int{0}, []int{1}},
		{"a part that is decided elsewhere is passed over", [][2]int{{54, 104}, {30, 50}, {4, 9}, {20, 45}}, []int{2}, []int{3}, []int{1, 2}},
		{"a withheld total needs a withheld part", [][2]int{{60, 120}, {20, 50}, {20, 30}, {20, 40}}, []int{0}, nil, []int{0, 2}},
		{"a withheld total with a withheld part stands", [][2]int{{60, 120}, {20, 50}, {20, 30}, {20, 40}}, []int{0, 3}, nil, []int{0, 3}},
		{"an empty total is left", [][2]int{{0, 0}, {0, 0}}, nil, nil, nil},
	}
	for _, tt := range tests {
		n := nest{base: make([]int32, len(tt.cells)), hidden: make([]bool, len(tt.cells)), fixed: make([]bool, len(tt.cells))}
		n.unsafe = func(cells ...int32) bool {
			num, base := 0, 0
			for _, c := range cells {
				num, base = num+tt.cells[c][0], base+tt.cells[c][1]
			}
			return Primary(num, base) != ""
		}
		f := family{parent: 0}
		for i, c := range tt.cells {
			n.base[i] = int32(c[1])
			n.hidden[i], n.fixed[i] = slices.Contains(tt.hidden, i), slices.Contains(tt.fixed, i)
			if i > 0 {
				f.children = append(f.children, int32(i))
			}
		}
		changed := n.protect(f)
		var got []int
		for i, h := range n.hidden {
			if h {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, tt.want) || changed == slices.Equal(got, tt.hidden) {
			t.Errorf("%s: withheld %v (changed %v), want %v", tt.name, got, changed, tt.want)
		}
		if n.protect(f) {
			t.Errorf("%s: a second look changed more", tt.name)
		}
	}
}

func TestByChance(t *testing.T) {
	t.Parallel()
	centre := 50.0
	n, expected := ByChance(nil, &Trend{Points: 9}, &Trend{Centre: &centre, Points: 24, Signals: []Sign{{}}}, &Trend{Centre: &centre, Points: 24})
	if n != 1 || math.Abs(expected-.37) > 1e-9 {
		t.Errorf("%d signal, %.3f expected", n, expected)
	}
}
