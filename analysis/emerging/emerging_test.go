package emerging

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// people makes one document a text.
func people(texts ...string) (out []Document) {
	for _, t := range texts {
		out = append(out, Document{[]string{t}})
	}
	return out
}

func terms(t *testing.T, group, others []Document) []Term {
	t.Helper()
	out, err := Terms(context.Background(), group, others)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// By hand: 8 of 20 here and 2 of 30 there. The prior's share is 10/50 = .2, so 10 with
// and 40 without are added on each side: ln(18/52) - ln(12/68) = .673729, variance
// 1/18 + 1/52 + 1/12 + 1/68 = .172826, z = 1.620621.
func TestScoreByHand(t *testing.T) {
	t.Parallel()
	if z := score(8, 20, 2, 30); math.Abs(z-1.620621) > 1e-6 {
		t.Errorf("z %.6f, want 1.620621", z)
	}
	if z := score(8, 20, 12, 30); math.Abs(z) > 1e-12 {
		t.Errorf("the same share on both sides: z %f", z)
	}
	if z := score(20, 20, 30, 30); z != 0 {
		t.Errorf("everybody: z %f", z)
	}
	// Fisher: 3 of 4 here, 1 of 4 there: (4·4 + 1·1)/70.
	if p := exact(3, 4, 1, 4); math.Abs(p-17./70) > 1e-12 {
		t.Errorf("p %f, want %f", p, 17./70)
	}
}

// By hand: four tests with p .01, .02, .04 and .5 have q .04, .04, .0533 and .5.
func TestDiscoveriesByHand(t *testing.T) {
	t.Parallel()
	list := []candidate{{p: .01}, {p: .02}, {p: .04}, {p: .5}}
	kept := discoveries(list)
	if len(kept) != 2 {
		t.Fatalf("%d kept, want 2", len(kept))
	}
	for i, want := range []float64{.04, .04, .16 / 3, .5} {
		if math.Abs(list[i].Q-want) > 1e-12 {
			t.Errorf("q %f, want %f", list[i].Q, want)
		}
	}
}

var everyday = strings.Fields("officer call phone message report court night door street house work friend police station letter week month answer question statement case photo screen number street shop park train school garden window kitchen light colour paper river")

// chatter is n people who each write some forty everyday words, and rare ones of a large vocabulary.
func chatter(rng *rand.Rand, n int) []Document {
	out := make([]Document, n)
	for i := range out {
		var words []string
		for range 40 {
			if rng.IntN(4) == 0 {
				words = append(words, fmt.Sprintf("rare%c%c", 'a'+rng.IntN(26), 'a'+rng.IntN(26)))
			} else {
				words = append(words, everyday[rng.IntN(len(everyday))])
			}
		}
		out[i] = Document{[]string{strings.Join(words[:20], " "), strings.Join(words[20:], " ")}}
	}
	return out
}

func TestPlantedTerm(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	group, others := chatter(rng, 120), chatter(rng, 600)
	for i := range 14 {
		group[i*7].Texts[0] += ". He put an air tag under my car"
	}
	for i := range 4 { // four people: too few to be named
		group[i].Texts[0] += " a drone hovered"
	}
	others[3].Texts[1] += ". an air tag"
	for range 50 { // one person who never stops
		group[1].Texts[1] += " parcel"
	}
	got := terms(t, group, others)
	if len(got) == 0 || got[0].Words != "air tag under my car" && !strings.Contains(got[0].Words, "air tag") {
		t.Fatalf("%+v", got)
	}
	if got[0].People != 14 || got[0].Q > Rate || got[0].Z < 3 {
		t.Errorf("%+v", got[0])
	}
	for _, term := range got {
		if strings.Contains(term.Words, "drone") || strings.Contains(term.Words, "parcel") {
			t.Errorf("%+v is not of five people", term)
		}
	}
	slices.Reverse(group)
	if d := cmp.Diff(got, terms(t, group, others)); d != "" {
		t.Errorf("another order gives others:\n%s", d)
	}
	// Nothing is said of groups under ten.
	if got := terms(t, group[:MinGroup-1], others); got != nil {
		t.Errorf("%+v", got)
	}
}

// Where nothing is planted, at most one comparison in twenty lists anything: with no true
// finding the false-discovery rate is the chance of any.
func TestNoFalseAlarms(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	const rounds = 60
	alarms := 0
	for range rounds {
		if len(terms(t, chatter(rng, 60), chatter(rng, 240))) > 0 {
			alarms++
		}
	}
	// Eight or more of 60 at a rate of .05 would be one chance in a hundred.
	if alarms >= 8 {
		t.Errorf("%d false alarms in %d comparisons", alarms, rounds)
	}
	t.Logf("%d false alarms in %d", alarms, rounds)
}

func TestMerge(t *testing.T) {
	t.Parallel()
	same, fewer := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, []int{0, 1, 2, 3, 4}
	got := merge([]candidate{
		{Term: Term{Words: "tag", Z: 5, People: 10}, who: same}, {Term: Term{Words: "air tag", Z: 4.9, People: 10}, who: same},
		{Term: Term{Words: "new air tag", Z: 3, People: 5}, who: fewer}, {Term: Term{Words: "stag", Z: 2, People: 10}, who: same},
	})
	want := []Term{{Words: "air tag", Z: 4.9, People: 10, Also: []string{"tag"}}, {Words: "new air tag", Z: 3, People: 5}, {Words: "stag", Z: 2, People: 10}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestGrams(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                   nil,
		"No update. None":                    {"no", "no update", "update", "none"},
		"The end of it":                      {"end"},
		"[name] rang [place] twice":          {"rang", "twice"},
		"he didn’t listen, did he":           {"didn't", "didn't listen", "listen"},
		"body-worn video":                    {"body", "body worn", "body worn video", "worn", "worn video", "video"},
		"a [unclosed bracket":                {"unclosed", "unclosed bracket", "bracket"},
		"2 weeks for the statement of truth": {"weeks", "statement", "statement of truth", "truth"},
		"\xff\xfebad bytes":                  {"bad", "bad bytes", "bytes"},
	} {
		var got []string
		grams(text, func(term string, first, last token) {
			got = append(got, term)
			if !strings.EqualFold(strings.ReplaceAll(strings.Join(strings.Fields(text[first.start:last.end]), " "), "’", "'"), term) && !strings.Contains(text, "-") {
				t.Errorf("%q stands at %q", term, text[first.start:last.end])
			}
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q:\n%s", text, d)
		}
	}
	if !slices.IsSorted(idleWords[:]) {
		t.Error("the idle words are not in order")
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var group []Document
	for i := range 12 {
		text := "Nothing here."
		if i%2 == 0 {
			text = fmt.Sprintf("One two three four five six seven eight nine an air tag, %d of them, and then much more was said about all of it.", i)
		}
		group = append(group, people(text)...)
	}
	got := Lines(group, "air tag", 3)
	want := []Line{
		{"… three four five six seven eight nine an ", "air tag", ", 0 of them, and then much more …"},
		{"… three four five six seven eight nine an ", "air tag", ", 4 of them, and then much more …"},
		{"… three four five six seven eight nine an ", "air tag", ", 8 of them, and then much more …"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := Lines(group[:9], "air tag", 3); got != nil {
		t.Errorf("nine people: %+v", got)
	}
	if got := Lines(people(strings.Split("air tag|air tag|air tag|air tag|x|x|x|x|x|x|x", "|")...), "air tag", 3); got != nil {
		t.Errorf("four people: %+v", got)
	}
}

func FuzzGrams(f *testing.F) {
	f.Add("he didn’t [name] listen-up")
	f.Add("[\xff’'’")
	f.Fuzz(func(t *testing.T, text string) {
		grams(text, func(term string, first, last token) {
			if term == "" || first.start < 0 || last.end > len(text) || first.start >= last.end {
				t.Fatalf("%q at %d to %d of %q", term, first.start, last.end, text)
			}
			around(text, first.start, last.end)
		})
	})
}

func BenchmarkTerms(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 2))
	group, others := chatter(rng, 2_000), chatter(rng, 8_000)
	for b.Loop() {
		if _, err := Terms(context.Background(), group, others); err != nil {
			b.Fatal(err)
		}
	}
}
