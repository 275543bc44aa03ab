package analysis

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"victimvoice/analysis/figures"
)

// What figures learn of a coding: whose labels are in force, what the coder says
// beside a person's, and whether the text came to the person by chance, unseen.
func TestThemeRow(t *testing.T) {
	machine, person := Label{Code: "COM_UPDATES", Polarity: "negative"}, Label{Code: "RES_MANNER", Polarity: "positive", By: "ines"}
	random := Reading{By: "ines", How: DrawnRandom, Blind: true}
	theirs := []figures.ThemeLabel{{Code: "RES_MANNER", Polarity: "positive"}}
	its := []figures.ThemeLabel{{Code: "COM_UPDATES", Polarity: "negative"}}
	for name, c := range map[string]struct {
		coding  Coding
		labels  []figures.ThemeLabel
		person  bool
		machine []figures.ThemeLabel
		drawn   bool
	}{
		"the coder alone":       {Coding{Labels: []Label{machine}}, its, false, nil, false},
		"nothing found":         {Coding{}, []figures.ThemeLabel{}, false, nil, false},
		"a person, by chance":   {Coding{Labels: []Label{person}, Machine: []Label{machine}, History: []Reading{random}}, theirs, true, its, true},
		"confirmed as empty":    {Coding{History: []Reading{random}}, []figures.ThemeLabel{}, true, []figures.ThemeLabel{}, true},
		"by chance, but shown":  {Coding{Labels: []Label{person}, History: []Reading{{By: "ines", How: DrawnRandom}}}, theirs, true, []figures.ThemeLabel{}, false},
		"near the threshold":    {Coding{Labels: []Label{person}, History: []Reading{{By: "ines", How: DrawnThreshold, Blind: true}}}, theirs, true, []figures.ThemeLabel{}, false},
		"corrected after draws": {Coding{Labels: []Label{person}, Machine: []Label{machine}, History: []Reading{random, {By: "bo", How: ByHand}}}, theirs, true, its, true},
	} {
		c.coding.Status = StatusCoded
		got := themeRow(&c.coding)
		want := figures.ThemeRow{Labels: c.labels, Person: c.person, Machine: c.machine, Drawn: c.drawn}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
