package questionnaires

import (
	"slices"
	"testing"

	"victimvoice/internal/fault"
)

func TestAdvice(t *testing.T) {
	s := loaded(t)
	want := map[string][]string{
		Harmful: {"change-number", "block", "ignore", "leave-social-media", "delete-evidence", "engage", "have-a-word", "not-a-crime", "wait-for-worse", "evidence-first", "change-your-life", "order-misinformation", "civil-matter", "minimise-or-blame", "drop-it"},
		Good:    {"report-every-incident", "keep-diary", "keep-evidence", "no-contact", "tell-trusted-people", "check-devices", "second-phone", "specialist-support", "risk-checklist", "safety-plan", "orders-explained", "link-incidents", "code-rights", "vps-offered", "breach-response"},
		Context: {"change-passwords", "vary-route", "cctv-alarm-locks", "move-temporarily", "block-after-securing", "one-clear-message"},
	}
	table := s.Advice()
	n := 0
	for polarity, codes := range want {
		n += len(codes)
		for _, c := range codes {
			if table.Polarity(c) != polarity {
				t.Errorf("%s is %q, want %s", c, table.Polarity(c), polarity)
			}
		}
	}
	if len(table.Codes()) != n {
		t.Errorf("%d codes, want %d", len(table.Codes()), n)
	}
	if table.Polarity("none-of-these") != "" || table.Polarity("no-advice") != "" {
		t.Error("the exclusive answers have no polarity")
	}
	if !table.Harmful([]string{"keep-diary", "ignore"}) || table.Harmful([]string{"keep-diary", "vary-route"}) || table.Harmful(nil) {
		t.Error("harmful means one harmful code at least")
	}
	// Exactly the codes of the table are offered, whatever heading they stand under.
	for _, at := range []struct {
		stage Stage
		item  string
	}{{Report, "advice.codes"}, {Report, "advice.risk.which"}, {Investigation, "advice.codes"}, {Investigation, "advice.risk.which"}, {Closure, "advice.harm.which"}} {
		it, _ := s.Current(at.stage).Item(at.item)
		var codes []string
		for _, o := range it.Options {
			if o.Group != "" {
				codes = append(codes, o.Code)
			}
		}
		slices.Sort(codes)
		all := table.Codes()
		slices.Sort(all)
		if !slices.Equal(codes, all) {
			t.Errorf("%s %s offers %v", at.stage, at.item, codes)
		}
	}
}

// The order must not give polarity away: within a heading the codes stand in
// the order of the alphabet.
func TestAdviceOrderIsNeutral(t *testing.T) {
	it, _ := loaded(t).Current(Report).Item("advice.codes")
	last := make(map[string]string)
	for _, o := range it.Options {
		if o.Group == "" {
			continue
		}
		if o.Code < last[o.Group] {
			t.Errorf("%s: %s stands after %s", o.Group, o.Code, last[o.Group])
		}
		last[o.Group] = o.Code
	}
	if len(last) != 5 || !it.Shuffle {
		t.Errorf("%d headings, shuffle %v", len(last), it.Shuffle)
	}
}

func TestRevise(t *testing.T) {
	table := loaded(t).Advice()
	next, err := table.Revise(AdviceEntry{Code: "block", Polarity: Context, Basis: "new guidance", SignedOff: "the commissioner, 2026-11-23"})
	if err != nil || next.Version != table.Version+1 || next.Polarity("block") != Context || table.Polarity("block") != Harmful {
		t.Errorf("%+v %v", next, err)
	}
	for _, e := range []AdviceEntry{
		{Code: "no-such", Polarity: Good, Basis: "b", SignedOff: "s"},
		{Code: "block", Polarity: "bad", Basis: "b", SignedOff: "s"},
		{Code: "block", Polarity: Good, Basis: " ", SignedOff: "s"},
		{Code: "block", Polarity: Good, Basis: "b"},
	} {
		if next, err := table.Revise(e); !fault.Is(err, fault.Invalid) || next != nil {
			t.Errorf("%+v: %v %v", e, next, err)
		}
	}
	s := loaded(t)
	if a, ok := s.AdviceVersion(1); !ok || a.Version != 1 {
		t.Error("version 1 is found")
	}
	if _, ok := s.AdviceVersion(9); ok {
		t.Error("version 9 is not")
	}
}
