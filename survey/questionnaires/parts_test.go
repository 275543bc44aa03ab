package questionnaires

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"victimvoice/internal/fault"
)

// listsInParts gives the lists of a questionnaire that are asked over several pages.
func listsInParts(q *Questionnaire) []*Item {
	var out []*Item
	for i := range q.Items {
		if len(q.Items[i].parts) > 0 {
			out = append(out, &q.Items[i])
		}
	}
	return out
}

// some picks options that go together, or one exclusive one.
func some(r *rand.Rand, it *Item) []string {
	var together, alone []string
	for _, o := range it.Options {
		if o.Exclusive {
			alone = append(alone, o.Code)
		} else {
			together = append(together, o.Code)
		}
	}
	if len(alone) > 0 && r.IntN(4) == 0 {
		return []string{alone[r.IntN(len(alone))]}
	}
	r.Shuffle(len(together), func(i, j int) { together[i], together[j] = together[j], together[i] })
	return together[:r.IntN(len(together)+1)]
}

func mustKeep(t *testing.T, q *Questionnaire, p Page, a Answers, codes []string) {
	t.Helper()
	it := &p.Items[0]
	kept := p.Keep(a, Answers{it.ID: it.Choose(codes...)})
	if err := q.Check(kept); err != nil {
		t.Fatalf("%v on %v after %v: %v", codes, p.Parts, a, err)
	}
	maps.Copy(a, kept)
}

// The long list is one question: in whatever order its parts are saved, and
// however often, the answer is the one that the whole list at once would give.
func TestPartsGiveTheAnswerOfTheWholeList(t *testing.T) {
	for _, q := range loaded(t).All() {
		for _, it := range listsInParts(q) {
			t.Run(q.ID+" "+it.ID, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(1, 2))
				page := Page{ID: it.Page, Items: []Item{*it}}
				for range 500 {
					want := some(r, it)
					whole := page.Keep(Answers{}, Answers{it.ID: it.Choose(want...)})
					a := Answers{}
					parts := it.spread(it.Page, Answer{})
					if it.offerFrom != "" { // whatever is offered together, each part can be saved by itself
						parts = nil
						for n, id := range it.parts {
							one := *it
							one.Options = it.shown(n, Answer{})
							parts = append(parts, Page{ID: id, Items: []Item{one}, Parts: []string{id}})
						}
					}
					order := r.Perm(len(parts))
					for range 3 { // and some once more
						order = append(order, r.IntN(len(parts)))
					}
					for i, n := range order {
						var codes []string
						for _, o := range parts[n].Items[0].Options {
							if slices.Contains(want, o.Code) {
								codes = append(codes, o.Code)
							}
						}
						mustKeep(t, q, parts[n], a, codes)
						passed := len(it.parts)
						if a[it.ID].Parts != nil {
							passed = len(a[it.ID].Parts)
						}
						distinct := slices.Clone(order[:i+1])
						slices.Sort(distinct)
						if alone := it.alone(a[it.ID]); alone < 0 && passed != len(slices.Compact(distinct)) {
							t.Fatalf("%d parts passed after %v", passed, order[:i+1])
						}
					}
					if a[it.ID].Parts != nil || !slices.Equal(q.Pack(a), q.Pack(whole)) {
						t.Fatalf("want %v\nhave %+v\nin order %v", want, a[it.ID], order)
					}
				}
			})
		}
	}
}

// Whoever goes from page to page passes each part once, is never shown a page
// too long or with nothing to choose from, and ends with what they chose.
func TestWalkingThroughParts(t *testing.T) {
	const most = 14 // options on one page
	for _, q := range loaded(t).All() {
		t.Run(q.ID, func(t *testing.T) {
			t.Parallel()
			lists := listsInParts(q)
			if len(lists) == 0 && q.Stage != Withdrawn {
				t.Fatal("the long list is asked on one page")
			}
			r := rand.New(rand.NewPCG(3, 4))
			for range 300 {
				a, chosen := Answers{}, make(map[string][]string)
				seen := make(map[string]bool)
				for {
					pages := q.Route(a, Facts{}, false)
					n := slices.IndexFunc(pages, func(p Page) bool { return !p.Met(a) })
					if n < 0 {
						break
					}
					p := pages[n]
					if seen[p.ID] {
						t.Fatalf("%s is asked again after %v", p.ID, a)
					}
					seen[p.ID] = true
					given := Answers{}
					for i := range p.Items {
						it := &p.Items[i]
						switch {
						case it.Kind == Multi:
							if len(p.Parts) > 0 && (len(it.Options) > most || len(it.Options) < 2) {
								t.Fatalf("%s offers %d options after %v", p.ID, len(it.Options), a)
							}
							codes := some(r, it)
							if len(codes) > 0 && r.IntN(2) == 0 {
								codes = codes[:1]
							}
							given[it.ID] = it.Choose(codes...)
							chosen[it.ID] = append(chosen[it.ID], codes...)
						case it.Kind == Single && r.IntN(3) > 0:
							given[it.ID] = it.Choose(it.Options[r.IntN(min(2, len(it.Options)))].Code)
						}
					}
					kept := p.Keep(a, given)
					if err := q.Check(kept); err != nil {
						t.Fatalf("%s: what the page offers is refused: %v", p.ID, err)
					}
					maps.Copy(a, kept)
				}
				settled := q.Settle(a, Facts{}, false)
				for _, it := range lists {
					slices.Sort(chosen[it.ID])
					got := slices.Sorted(slices.Values(settled[it.ID].Choices))
					if !slices.Equal(got, chosen[it.ID]) || settled[it.ID].Parts != nil {
						t.Fatalf("%s: chose %v, kept %+v", it.ID, chosen[it.ID], settled[it.ID])
					}
				}
			}
		})
	}
}

func partIDs(pages []Page, item string) []string {
	var out []string
	for _, p := range pages {
		if p.Items[0].ID == item {
			out = append(out, fmt.Sprint(p.ID, p.Parts))
		}
	}
	return out
}

// Going back and forth: each case is what is kept, a page that is sent, and what
// is kept then.
func TestKeepParts(t *testing.T) {
	q := loaded(t).Current(Report)
	chosen := func(codes ...string) Answer { return Answer{State: Answered, Choices: codes} }
	in := func(a Answer, parts ...string) Answer { a.Parts = parts; return a }
	skipped := Answer{State: Skipped}
	tests := []struct {
		name  string
		kept  Answer
		part  int
		given []string
		want  Answer
		fault bool
	}{
		{"the first part", Answer{}, 0, []string{"second-phone", "block"}, in(chosen("block", "second-phone"), "phone"), false},
		{"the first part left empty", Answer{}, 0, nil, in(skipped, "phone"), false},
		{"the next part left empty", in(chosen("block"), "phone"), 1, nil, in(chosen("block"), "phone", "evidence"), false},
		{"chosen after an empty part", in(skipped, "phone"), 1, []string{"keep-diary"}, in(chosen("keep-diary"), "phone", "evidence"), false},
		{"the last part left empty", in(chosen("block"), "phone", "evidence", "safety"), 3, nil, chosen("block"), false},
		{"all parts left empty", in(skipped, "phone", "evidence", "safety"), 3, nil, skipped, false},
		{"a part chosen again", in(chosen("block", "keep-diary"), "phone", "evidence"), 0, []string{"change-number"}, in(chosen("change-number", "keep-diary"), "phone", "evidence"), false},
		{"a part sent again empty undoes nothing", chosen("block", "keep-diary"), 0, nil, chosen("block", "keep-diary"), false},
		{"a draft from before the parts", chosen("keep-diary"), 0, []string{"block"}, chosen("block", "keep-diary"), false},
		{"a skipped draft from before the parts", skipped, 0, []string{"block"}, chosen("block"), false},

		{"no advice", Answer{}, 0, []string{"no-advice"}, chosen("no-advice"), false},
		{"no advice after all", chosen("block", "keep-diary", "engage"), 0, []string{"no-advice"}, chosen("no-advice"), false},
		{"advice after all: the other parts are asked", chosen("no-advice"), 0, []string{"block"}, in(chosen("block"), "phone"), false},
		{"no advice, and advice", Answer{}, 0, []string{"no-advice", "block"}, Answer{}, true},
		{"none of these", in(skipped, "phone", "evidence", "safety"), 3, []string{"none-of-these"}, chosen("none-of-these"), false},
		{"none of these, then one", chosen("none-of-these"), 1, []string{"keep-diary"}, chosen("keep-diary"), false},
		{"none of these, then no advice", chosen("none-of-these"), 0, []string{"no-advice"}, chosen("no-advice"), false},
		{"none of these, and one beside it", Answer{}, 3, []string{"none-of-these", "drop-it"}, Answer{}, true},
		{"none of these, from a tab that knew of no other choice", in(chosen("block"), "phone", "evidence", "safety"), 3, []string{"none-of-these"}, Answer{}, true},

		{"the whole list, from a page before the parts", Answer{}, 0, []string{"keep-diary", "block"}, in(chosen("block", "keep-diary"), "phone"), false},
		{"no such option", Answer{}, 0, []string{"block", "maybe"}, Answer{}, true},
		{"twice", Answer{}, 0, []string{"block", "block"}, Answer{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it, _ := q.Item("advice.codes")
			pages := it.spread(it.Page, Answer{})
			if len(pages) != 4 {
				t.Fatalf("%d parts", len(pages))
			}
			p := pages[tt.part]
			a := Answers{}
			if tt.kept.State != NotReached {
				a[it.ID] = tt.kept
			}
			kept := p.Keep(a, Answers{it.ID: it.Choose(tt.given...)})
			if err := q.Check(kept); fault.Is(err, fault.Invalid) != tt.fault {
				t.Fatalf("%+v: %v", kept, err)
			}
			if diff := cmp.Diff(tt.want, kept[it.ID]); diff != "" && !tt.fault {
				t.Error(diff)
			}
		})
	}
}

func TestPartsOnTheRoute(t *testing.T) {
	q := loaded(t).Current(Report)
	codes, _ := q.Item("advice.codes")
	phone, safety := codes.whole[:8], codes.whole[14:26]
	of := func(options []Option, more ...string) Answer {
		for _, o := range options {
			more = append(more, o.Code)
		}
		return Answer{State: Answered, Choices: more}
	}
	every := []string{"advice-list[phone]", "advice-list.evidence[evidence]", "advice-list.safety[safety]", "advice-list.orders[orders]"}
	which := func(a Answer) Answers {
		return Answers{"advice.codes": a, "advice.risk": {State: Answered, Choice: "yes"}}
	}
	tests := []struct {
		name string
		a    Answers
		item string
		want []string
	}{
		{"the list", nil, "advice.codes", every},
		{"chosen", Answers{"advice.codes": of(nil, "block")}, "advice.codes", every},
		{"no advice", Answers{"advice.codes": of(nil, "no-advice")}, "advice.codes", every[:1]},
		{"none of these", Answers{"advice.codes": of(nil, "none-of-these")}, "advice.codes", every},
		{"a few share one page", which(of(nil, "block", "keep-diary", "drop-it")), "advice.risk.which", []string{"advice-risk-which[phone evidence safety orders]"}},
		{"none of the first part", which(of(nil, "keep-diary")), "advice.risk.which", []string{"advice-risk-which[phone evidence safety orders]"}},
		{"a longest part and something else", which(of(safety)), "advice.risk.which", []string{"advice-risk-which[phone evidence safety orders]"}},
		{"many", which(of(safety, of(phone, "drop-it", "civil-matter").Choices...)), "advice.risk.which", []string{"advice-risk-which[phone evidence]", "advice-risk-which.safety[safety]", "advice-risk-which.orders[orders]"}},
		{"the list skipped", which(Answer{State: Skipped}), "advice.risk.which", []string{"advice-risk-which[phone]", "advice-risk-which.evidence[evidence]", "advice-risk-which.safety[safety]", "advice-risk-which.orders[orders]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, partIDs(q.Route(tt.a, Facts{}, false), tt.item)); diff != "" {
				t.Error(diff)
			}
		})
	}
	offers := func(a Answers, code string) bool {
		return slices.Contains(onRoute(q, a, Facts{})["advice.codes"], code)
	}
	if !offers(nil, "none-of-these") || offers(Answers{"advice.codes": of(nil, "block")}, "none-of-these") {
		t.Error("“none of these” is for whoever has chosen nothing on the pages before")
	}
	if !offers(Answers{"advice.codes": of(nil, "drop-it")}, "none-of-these") || !offers(Answers{"advice.codes": of(nil, "engage")}, "no-advice") {
		t.Error("what is chosen on its page or after it does not stand in the way of an answer")
	}
	if len(codes.Options) != 38 {
		t.Errorf("routing has changed the questionnaire: %d options", len(codes.Options))
	}
}

// The opening is said once, on the first page; the title on each.
func TestWordsOfParts(t *testing.T) {
	q := loaded(t).Current(Report)
	for _, lang := range q.Languages {
		text := q.Text(lang, false)
		title, opening := text.Page("advice-list")
		if again, more := text.Page("advice-list.orders"); title == "" || opening == "" || again != title || more != "" {
			t.Errorf("%s: %q %q, then %q %q", lang, title, opening, again, more)
		}
	}
}

// A draft says which parts were passed, and one from before the list had parts
// has passed them all. What is kept in the end says nothing of them: a list that
// was left before its end with nothing chosen was not reached.
func TestDraftsAndParts(t *testing.T) {
	q := loaded(t).Current(Report)
	var old Answers
	if err := json.Unmarshal([]byte(`{"advice.codes":{"state":"answered","choices":["keep-diary"]}}`), &old); err != nil {
		t.Fatal(err)
	}
	for _, p := range q.Route(old, Facts{}, false) {
		if p.Items[0].ID == "advice.codes" && !p.Met(old) {
			t.Errorf("%s would be asked again", p.ID)
		}
	}
	left := Answers{"advice.codes": {State: Skipped, Parts: []string{"phone"}}}
	b, err := json.Marshal(left)
	if err != nil || string(b) != `{"advice.codes":{"state":"skipped","parts":["phone"]}}` {
		t.Errorf("%s %v", b, err)
	}
	if a, err := q.Unpack(q.Pack(left)); err != nil || len(a) != 0 {
		t.Errorf("left with nothing chosen: %v %v", a, err)
	}
	if a := q.Settle(left, Facts{}, false); len(a) != 0 {
		t.Errorf("settled: %v", a)
	}
	left["advice.codes"] = Answer{State: Answered, Choices: []string{"block"}, Parts: []string{"phone"}}
	want := Answers{"advice.codes": {State: Answered, Choices: []string{"block"}}}
	if a, err := q.Unpack(q.Pack(left)); err != nil || cmp.Diff(want, a) != "" {
		t.Errorf("left with something chosen: %v %v", a, err)
	}
	if diff := cmp.Diff(want, q.Settle(left, Facts{}, false)); diff != "" {
		t.Error(diff)
	}
}

// Where earlier answers are shown, sending a page of a list replaces what it held
// and nothing else: whatever was chosen before, page by page the answer becomes
// what is chosen now.
func TestClearReplacesWhatThePageHeld(t *testing.T) {
	for _, q := range loaded(t).All() {
		for _, it := range listsInParts(q) {
			t.Run(q.ID+" "+it.ID, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(7, 11))
				for range 300 {
					was := it.Choose(some(r, it)...)
					a := Answers{it.ID: was}
					if was.State == NotReached {
						a = Answers{it.ID: {State: Skipped}}
					}
					now := some(r, it)
					for n := 0; ; n++ {
						pages := it.spread("page", a[it.ID])
						if n >= len(pages) {
							break
						}
						p := pages[n]
						var codes []string
						for _, o := range p.Items[0].Options {
							if slices.Contains(now, o.Code) {
								codes = append(codes, o.Code)
							}
						}
						given := Answers{}
						if len(codes) > 0 {
							given[it.ID] = it.Choose(codes...)
						}
						before := p.Clear(a)
						kept := p.Keep(before, given)
						if err := q.Check(kept); err != nil {
							t.Fatalf("%v on %v after %v: %v", codes, p.Parts, a, err)
						}
						maps.Copy(a, kept)
					}
					got := slices.Clone(a[it.ID].Choices)
					want := slices.Clone(now)
					slices.Sort(got)
					slices.Sort(want)
					if !slices.Equal(got, want) && !it.exclusive(now) {
						t.Fatalf("from %v to %v: %v", was.Choices, now, a[it.ID])
					}
				}
			})
		}
	}
}

// exclusive reports whether a choice stands alone: it is offered only while
// nothing is chosen on the pages before it.
func (it *Item) exclusive(codes []string) bool {
	return slices.ContainsFunc(it.whole, func(o Option) bool { return o.Exclusive && slices.Contains(codes, o.Code) })
}
