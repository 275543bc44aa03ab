package public

import (
	"strings"
	"testing"

	"victimvoice/loop"
)

// TestMoved: each verdict in words that claim no cause and give whole numbers.
func TestMoved(t *testing.T) {
	action := func(verdict string, before, after float64) *loop.Action {
		a := &loop.Action{Status: loop.Checked, YouSaid: "Nobody rang.", WeDid: "We ring.", Because: "kept for later", Owner: "Head of victim care", Agency: "Metropolitan Police"}
		a.Evidence.Label = "Kept informed?, report, March 2026"
		if verdict != "" {
			a.Check = &loop.Check{Verdict: verdict, Before: before, After: after, Low: 1.234, High: 9.876}
		}
		return a
	}
	for _, tt := range []struct {
		verdict string
		says    []string
		not     []string
	}{
		{"", []string{"too early to say"}, []string{"Kept informed"}},
		{loop.MovedUp, []string{"“Kept informed?”: 41 in 100 before, 53 in 100 after.", "higher", "does not show what caused it"}, []string{"41.4", "March", "because"}},
		{loop.MovedDown, []string{"lower", "does not show what caused it"}, []string{"higher"}},
		{loop.NoChange, []string{"No change can be told from chance yet."}, []string{"higher", "lower", "no effect"}},
		{loop.BaseTooLow, []string{"Too few people have answered"}, []string{"in 100"}},
		{loop.NotSuitable, []string{"an average score"}, []string{"in 100"}},
	} {
		got := itemOf(action(tt.verdict, 41.4, 52.6))
		all := strings.Join(got.Moved, " ")
		for _, w := range tt.says {
			if !strings.Contains(all, w) {
				t.Errorf("%q: %q does not say %q", tt.verdict, all, w)
			}
		}
		for _, w := range append(tt.not, "Head of victim care", "1.2") {
			if strings.Contains(all, w) {
				t.Errorf("%q: %q says %q", tt.verdict, all, w)
			}
		}
		if got.Because != "" {
			t.Errorf("%q: an action that was done says why nothing is", tt.verdict)
		}
	}
	none := action("", 0, 0)
	none.Status = loop.NoAction
	if got := itemOf(none); got.WeDid != "" || got.Because != "kept for later" || got.Moved != nil {
		t.Errorf("no action: %+v", got)
	}
}
