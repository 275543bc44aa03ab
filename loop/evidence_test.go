package loop

import (
	"fmt"
	"testing"
	"time"

	"victimvoice/analysis/figures"
)

// A theme is compared only where one coder coded the words on both sides.
func TestCompareOneCoder(t *testing.T) {
	t.Parallel()
	share := 30.
	done, today := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		coders [3]string // January, February, April
		want   string
	}{
		{[3]string{"", "", ""}, NoChange},
		{[3]string{"1", "1", "1"}, NoChange},
		{[3]string{"1", "2", "2"}, NoChange}, // January is not compared: one month on either side
		{[3]string{"1", "1", "2"}, CoderChanged},
		{[3]string{"1", figures.MixedCoders, figures.MixedCoders}, CoderChanged},
	} {
		r := figures.Result{}
		for i, month := range []int{1, 2, 4} {
			r.Points = append(r.Points, figures.Point{Period: fmt.Sprintf("2026-%02d", month), Numerator: 30, Base: 100, Share: &share, Coder: c.coders[i]})
		}
		if got := compare(&r, done, today); got.Verdict != c.want {
			t.Errorf("%q: %+v, want %s", c.coders, got, c.want)
		}
	}
}
