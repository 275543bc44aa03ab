package questionnaires

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var outcomes = []string{"", "charged", "cautioned", "convicted", "acquitted", "nfa-evidential", "nfa-other", "transferred"}

// everyFact calls f with each combination of the facts that the questionnaire
// asks for.
func everyFact(q *Questionnaire, f func(Facts)) {
	asked := forks(q)
	pick := func(fact string, n int) int {
		if asked[fact] {
			return n
		}
		return 1
	}
	for _, outcome := range outcomes[:pick("outcome", len(outcomes))] {
		for _, charged := range []bool{false, true}[:pick("charged", 2)] {
			for rounds := range pick("round", 6) {
				f(Facts{Outcome: outcome, Charged: charged, Rounds: rounds})
			}
		}
	}
}

// forks are the items whose answers routing depends on, and the facts.
func forks(q *Questionnaire) map[string]bool {
	out := make(map[string]bool)
	var add func(r *rule)
	add = func(r *rule) {
		if r == nil {
			return
		}
		if r.Item != "" {
			out[r.Item] = true
		}
		if r.Fact != "" {
			out[r.Fact] = true
		}
		for _, sub := range slices.Concat(r.All, r.Any) {
			add(&sub)
		}
		add(r.Not)
	}
	for i := range q.Items {
		add(q.Items[i].show)
		if q.Items[i].offerFrom != "" {
			out[q.Items[i].offerFrom] = true
		}
	}
	return out
}

// answersTo gives every answer to a fork that could change the route: skipped,
// each option alone, and for a list two and all that go together.
func answersTo(it *Item) []Answer {
	out := []Answer{{State: Skipped}}
	var together []string
	for _, o := range it.Options {
		out = append(out, it.Choose(o.Code))
		if !o.Exclusive {
			together = append(together, o.Code)
		}
	}
	if it.Kind == Multi {
		out = append(out, it.Choose(together[:2]...), it.Choose(together...))
	}
	return out
}

// walkRoutes calls f at the end of every route through the questionnaire.
func walkRoutes(q *Questionnaire, facts Facts, f func(Answers, []Page)) {
	fork := forks(q)
	var walk func(a Answers)
	walk = func(a Answers) {
		pages := q.Route(a, facts, false)
		for _, p := range pages {
			for i := range p.Items {
				it := &p.Items[i]
				if _, done := a[it.ID]; done || !fork[it.ID] {
					continue
				}
				if len(it.parts) > 0 { // the page shows some of it
					it, _ = q.Item(it.ID)
				}
				for _, ans := range answersTo(it) {
					next := maps.Clone(a)
					next[it.ID] = ans
					walk(next)
				}
				return
			}
		}
		f(a, pages)
	}
	walk(Answers{})
}

// No route asks more than sixteen closed questions and two free texts, and
// every question is on some route.
func TestEveryRouteIsShortEnough(t *testing.T) {
	most := map[Stage]int{Report: 15, Investigation: 16, Closure: 16, Withdrawn: 12}
	for _, q := range loaded(t).All() {
		t.Run(q.ID, func(t *testing.T) {
			t.Parallel()
			asked := make(map[string]bool)
			routes, longest := 0, 0
			everyFact(q, func(facts Facts) {
				walkRoutes(q, facts, func(a Answers, pages []Page) {
					routes++
					closed, text, core := 0, 0, 0
					seen := make(map[string]bool)
					for _, p := range pages {
						if len(p.Items) == 0 || len(p.Items) > 2 {
							t.Fatalf("page %s holds %d questions", p.ID, len(p.Items))
						}
						for _, it := range p.Items {
							asked[it.ID] = true
							if it.Closed() && len(it.Options) < 2 {
								t.Fatalf("%s offers %d answers after %v", it.ID, len(it.Options), a)
							}
							again := seen[it.ID] // another part of a list
							seen[it.ID] = true
							switch {
							case again:
							case !it.Closed():
								text++
							default:
								closed++
							}
							if it.Core {
								core++
							}
						}
					}
					if closed > MaxClosed || text > MaxTextItems {
						t.Fatalf("%d closed questions and %d texts with %+v after %v", closed, text, facts, a)
					}
					if want := map[bool]int{true: 5, false: 6}[q.Stage == Withdrawn]; core != want {
						t.Fatalf("%d core trackers, want %d", core, want)
					}
					longest = max(longest, closed)
				})
			})
			for _, it := range q.Items {
				if !asked[it.ID] {
					t.Errorf("%s is on no route", it.ID)
				}
			}
			if longest != most[q.Stage] {
				t.Errorf("the longest route has %d closed questions, documented as %d", longest, most[q.Stage])
			}
			t.Logf("%d routes, at most %d closed questions", routes, longest)
		})
	}
}

func onRoute(q *Questionnaire, a Answers, f Facts) map[string][]string {
	out := make(map[string][]string)
	for _, p := range q.Route(a, f, false) {
		for _, it := range p.Items {
			codes := slices.Concat([]string{}, out[it.ID]) // of a list in parts: over all its pages
			for _, o := range it.Options {
				codes = append(codes, o.Code)
			}
			out[it.ID] = codes
		}
	}
	return out
}

func TestRouting(t *testing.T) {
	s := loaded(t)
	one := func(code string) Answer { return Answer{State: Answered, Choice: code} }
	some := func(codes ...string) Answer { return Answer{State: Answered, Choices: codes} }
	tests := []struct {
		name    string
		stage   Stage
		answers Answers
		facts   Facts
		shown   []string
		hidden  []string
	}{
		{"no advice, no worry about it", Report, Answers{"advice.codes": some("no-advice")}, Facts{}, nil, []string{"advice.risk", "advice.risk.which"}},
		{"none of these is still asked", Report, Answers{"advice.codes": some("none-of-these"), "advice.risk": one("yes")}, Facts{}, []string{"advice.risk"}, []string{"advice.risk.which"}},
		{"worried", Report, Answers{"advice.codes": some("block"), "advice.risk": one("yes")}, Facts{}, []string{"advice.risk.which"}, nil},
		{"not worried", Report, Answers{"advice.codes": some("block"), "advice.risk": one("no")}, Facts{}, nil, []string{"advice.risk.which"}},
		{"no advice in the core tracker asks the list all the same", Report, Answers{"core.advice": {State: NotApplicable, Choice: "no-advice"}}, Facts{}, []string{"advice.codes", "advice.risk"}, nil},
		{"an answer off the route does not count", Report, Answers{"advice.codes": some("no-advice"), "advice.risk": one("yes")}, Facts{}, nil, []string{"advice.risk", "advice.risk.which"}},
		{"first round asks for orders", Investigation, nil, Facts{Rounds: 1}, []string{"inv.orders"}, []string{"inv.vps"}},
		{"unknown round is the first", Investigation, nil, Facts{}, []string{"inv.orders"}, []string{"inv.vps"}},
		{"second round asks for the statement", Investigation, nil, Facts{Rounds: 2}, []string{"inv.vps"}, []string{"inv.orders"}},
		{"charged asks for the statement", Investigation, nil, Facts{Rounds: 1, Charged: true}, []string{"inv.vps"}, []string{"inv.orders"}},
		{"no court", Closure, nil, Facts{Outcome: "nfa-evidential"}, []string{"close.review"}, []string{"close.court"}},
		{"court", Closure, nil, Facts{Outcome: "acquitted"}, []string{"close.court"}, []string{"close.review"}},
		{"charged, then stopped", Closure, nil, Facts{Outcome: "nfa-other", Charged: true}, []string{"close.court", "close.review"}, nil},
		{"outcome not known", Closure, nil, Facts{}, []string{"close.review"}, []string{"close.court"}},
		{"harm", Closure, Answers{"advice.harm": one("yes")}, Facts{}, []string{"advice.harm.which"}, nil},
		{"no harm known", Closure, Answers{"advice.harm": {State: DontKnow, Choice: "not-sure"}}, Facts{}, nil, []string{"advice.harm.which"}},
		{"one reason", Withdrawn, Answers{"wd.reasons": some("too-slow")}, Facts{}, nil, []string{"wd.main"}},
		{"two reasons", Withdrawn, Answers{"wd.reasons": some("too-slow", "life")}, Facts{}, []string{"wd.main"}, nil},
		{"rather not say", Withdrawn, Answers{"wd.reasons": {State: PreferNot, Choices: []string{"rather-not-say"}}}, Facts{}, nil, []string{"wd.main"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := onRoute(s.Current(tt.stage), tt.answers, tt.facts)
			for _, id := range tt.shown {
				if got[id] == nil {
					t.Errorf("%s is not asked", id)
				}
			}
			for _, id := range tt.hidden {
				if got[id] != nil {
					t.Errorf("%s is asked", id)
				}
			}
		})
	}
}

func TestOffers(t *testing.T) {
	s := loaded(t)
	got := onRoute(s.Current(Withdrawn), Answers{"wd.reasons": {State: Answered, Choices: []string{"life", "too-slow"}}}, Facts{})
	if want := []string{"too-slow", "life", "no-main-one"}; !slices.Equal(got["wd.main"], want) {
		t.Errorf("the main reason is offered from %v, want %v", got["wd.main"], want)
	}
	risk := Answers{"advice.codes": {State: Answered, Choices: []string{"ignore"}}, "advice.risk": {State: Answered, Choice: "yes"}}
	got = onRoute(s.Current(Report), risk, Facts{})
	if want := []string{"ignore", "something-else"}; !slices.Equal(got["advice.risk.which"], want) {
		t.Errorf("which advice is offered from %v, want %v", got["advice.risk.which"], want)
	}
	delete(risk, "advice.codes")
	if got = onRoute(s.Current(Report), risk, Facts{}); len(got["advice.risk.which"]) != len(s.Advice().Entries)+1 {
		t.Errorf("with the list skipped, %d are offered", len(got["advice.risk.which"]))
	}
	it, _ := s.Current(Withdrawn).Item("wd.main")
	if len(it.Options) != 14 {
		t.Errorf("routing has changed the questionnaire: %d options", len(it.Options))
	}
}

func TestSettle(t *testing.T) {
	s := loaded(t)
	tests := []struct {
		name     string
		stage    Stage
		quick    bool
		in, want Answers
	}{
		{
			name: "off the route", stage: Report,
			in: Answers{
				"advice.codes":      {State: Answered, Choices: []string{"no-advice"}},
				"advice.risk":       {State: Answered, Choice: "yes"},
				"advice.risk.which": {State: Answered, Choices: []string{"block"}},
			},
			want: Answers{"advice.codes": {State: Answered, Choices: []string{"no-advice"}}},
		},
		{
			name: "no longer offered", stage: Withdrawn,
			in: Answers{
				"wd.reasons": {State: Answered, Choices: []string{"life", "too-slow"}},
				"wd.main":    {State: Answered, Choice: "blamed"},
			},
			want: Answers{
				"wd.reasons": {State: Answered, Choices: []string{"life", "too-slow"}},
				"wd.main":    {State: Skipped},
			},
		},
		{
			name: "one reason is the main one", stage: Withdrawn,
			in: Answers{"wd.reasons": {State: Answered, Choices: []string{"life"}}},
			want: Answers{
				"wd.reasons": {State: Answered, Choices: []string{"life"}},
				"wd.main":    {State: Answered, Choice: "life"},
			},
		},
		{
			name: "quick", stage: Closure, quick: true,
			in: Answers{
				"core.confidence": {State: Answered, Choice: "very"},
				"core.informed":   {State: Skipped},
				"core.safer":      {State: Answered, Choice: "much-safer"},
			},
			want: Answers{"core.confidence": {State: Answered, Choice: "very"}, "core.informed": {State: Skipped}},
		},
		{name: "nothing", stage: Closure, in: nil, want: Answers{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := s.Current(tt.stage)
			before := maps.Clone(tt.in)
			got := q.Settle(tt.in, Facts{}, tt.quick)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, tt.in); diff != "" {
				t.Errorf("the input changed: %s", diff)
			}
			if err := q.Check(got); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(got, q.Settle(got, Facts{}, tt.quick)); diff != "" {
				t.Errorf("settling again changes it: %s", diff)
			}
		})
	}
}
