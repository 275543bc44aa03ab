package figures

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/fault"
)

// tells adds what the person of a case told about themselves, in turn over the
// values given: "" for a question passed over.
func (w *world) tells(key, item, value string) {
	w.abouts = append(w.abouts, AboutRow{Key: key, Questionnaire: "about/1", ChangedAt: day(2026, 2, 1), Packed: pack(w.t, w.set, "about/1", map[string]string{item: value})})
}

// manyTold is many, of people who told this about themselves.
func (w *world) manyTold(item, value string, at time.Time, yes, n int) {
	first := len(w.cases)
	w.many("Ealing", "West", "stalking-2a", at, yes, n)
	for i := first; i < len(w.cases); i++ {
		w.cases[i].AboutKeys = []string{"person-" + w.cases[i].Key, "case-" + w.cases[i].Key}
		w.tells(w.cases[i].AboutKeys[0], item, value)
	}
}

// Every question about the person is a dimension, and no other dimension is one.
func TestEveryQuestionAboutThePersonIsADimension(t *testing.T) {
	t.Parallel()
	p := newPanel(t)
	for _, it := range loadSet(t).About().Items {
		n, ok := p.abouts.place[it.ID]
		if !ok {
			t.Errorf("%s is no dimension", it.ID)
			continue
		}
		var offered []string
		for _, o := range it.Options {
			if o.Code != "prefer-not" {
				offered = append(offered, o.Code)
			}
		}
		if got := p.abouts.values[n].names[1:]; !slices.Equal(got, offered) {
			t.Errorf("%s: values %v, offered %v", it.ID, got, offered)
		}
	}
	dims := aboutDims()
	for _, d := range Dimensions() {
		if (AboutItem(d.ID) != "") != slices.Contains(dims, d.ID) {
			t.Errorf("%s asks %q", d.ID, AboutItem(d.ID))
		}
		if AboutItem(d.ID) != "" && (d.Group != groupAttribute || !strings.Contains(Lattice, d.ID)) {
			t.Errorf("%+v is not one attribute among the others", d)
		}
	}
	if AboutItem("about_shoe_size") != "" || AboutItem("") != "" {
		t.Error("a dimension that is none asks something")
	}
}

func TestFiguresByWhatPeopleTold(t *testing.T) {
	t.Parallel()
	at := day(2026, 3, 10)
	w := newWorld(t)
	w.manyTold("about.ethnicity", "white", at, 30, 60)
	w.manyTold("about.ethnicity", "asian", at, 12, 40)
	w.manyTold("about.ethnicity", "prefer-not", at, 10, 20)
	w.manyTold("about.ethnicity", "", at, 10, 20)
	w.many("Ealing", "West", "stalking-2a", at, 20, 40) // nobody asked them
	p := w.panel()
	byEthnicity := Query{Measure: "core.informed", By: []string{DimAboutEthnicity}}
	want(t, ask(t, p, byEthnicity), "asian 12/40", "white 30/60", "unknown 40/80")
	want(t, ask(t, p, Query{Measure: "core.informed", Filters: map[string]string{DimAboutEthnicity: "asian"}}), "12/40")
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimAboutReligion}}), "unknown 82/180")
	if p.Size().Abouts != 140 {
		t.Errorf("%+v", p.Size())
	}

	// What is told once holds for every answer of the person, at any stage, before and after.
	for i, c := range w.cases[:20] {
		w.answer(c.Key, "closure/1", ModeSelf, day(2026, 1, 1), map[string]string{"core.informed": []string{"very-well", "not-very-well"}[i%2]})
	}
	p = w.panel()
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimStage, DimAboutEthnicity}, Filters: map[string]string{DimStage: "closure", DimAboutEthnicity: "white"}}), "white closure 10/20")

	// Taken back, they are among those who have not said; told again, they are back.
	gone, again := slices.Clone(w.abouts[:20]), slices.Clone(w.abouts[:20])
	for i := range gone {
		gone[i].Gone, gone[i].Packed, gone[i].ChangedAt = true, nil, gone[i].ChangedAt.Add(time.Hour)
		again[i].ChangedAt = gone[i].ChangedAt.Add(time.Hour)
	}
	before := p.version
	if err := p.ApplyAbouts(append(gone, w.abouts[:20]...)...); err != nil || p.version == before || p.Size().Abouts != 120 { // the older rows come again, too late
		t.Fatal(err, p.Size())
	}
	want(t, ask(t, p, byEthnicity), "asian 12/40", "white 10/40", "unknown 70/120")
	if err := p.ApplyAbouts(again...); err != nil {
		t.Fatal(err)
	}
	want(t, ask(t, p, byEthnicity), "asian 12/40", "white 40/80", "unknown 40/80")
}

// The person's own row counts before that of the case, which was told before the
// police had named the person; a row that was taken back does not stand in its way.
func TestWhichRowOfAPersonCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		person, own string
		want        string
	}{
		"the person's":                {"white", "asian", "white 20/40"},
		"the case's alone":            {"-", "asian", "asian 20/40"},
		"the person's was taken back": {"gone", "asian", "asian 20/40"},
		"the person's, passed over":   {"", "asian", "unknown 20/40"},
		"neither":                     {"-", "-", "unknown 20/40"},
	} {
		w := newWorld(t)
		w.many("Ealing", "West", "stalking-2a", day(2026, 3, 10), 20, 40)
		for i := range w.cases {
			keys := []string{fmt.Sprint("person-", i), fmt.Sprint("case-", i)}
			w.cases[i].AboutKeys = keys
			for n, value := range []string{c.person, c.own} {
				switch value {
				case "-":
				case "gone":
					w.abouts = append(w.abouts, AboutRow{Key: keys[n], ChangedAt: day(2026, 2, 1), Gone: true})
				default:
					w.tells(keys[n], "about.ethnicity", value)
				}
			}
		}
		r := ask(t, w.panel(), Query{Measure: "core.informed", By: []string{DimAboutEthnicity}})
		if got := short(r); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// Small groups are withheld, and a second one so that the total gives nothing away.
func TestSmallGroupsOfWhatPeopleToldAreWithheld(t *testing.T) {
	t.Parallel()
	at := day(2026, 3, 10)
	w := newWorld(t)
	w.manyTold("about.orientation", "heterosexual", at, 40, 80)
	w.manyTold("about.orientation", "bisexual", at, 3, 8)
	w.manyTold("about.orientation", "gay-or-lesbian", at, 8, 16)
	p := w.panel()
	want(t, ask(t, p, Query{Measure: "core.informed", By: []string{DimAboutOrientation}}), "heterosexual 40/80", "gay-or-lesbian [c]", "bisexual [c]")
	want(t, ask(t, p, Query{Measure: "core.informed"}), "51/104")
	want(t, ask(t, p, Query{Measure: "core.informed", Filters: map[string]string{DimAboutOrientation: "bisexual"}}), "[c]")
}

func TestWhatPeopleToldIsNeverCrossed(t *testing.T) {
	t.Parallel()
	p := newPanel(t)
	for _, dim := range aboutDims() {
		for _, other := range []string{DimAboutAge, DimAboutReligion, DimAge, DimSex, DimOffence, DimOutcome, DimAbuse, DimMode, DimQuestionnaire} {
			if other == dim {
				continue
			}
			for name, q := range map[string]Query{
				"by both": {By: []string{dim, other}}, "by one, of one value of the other": {By: []string{dim}, Filters: map[string]string{other: "relayed"}},
				"of one value each": {Filters: map[string]string{dim: "x", other: "relayed"}},
			} {
				q.Measure = "core.informed"
				if _, err := p.Figures(context.Background(), q); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "at most one") {
					t.Errorf("%s and %s, %s: %v", dim, other, name, err)
				}
			}
		}
		for _, measure := range []string{"response.rr1", "dissemination.invited"} {
			_, err := p.Figures(context.Background(), Query{Measure: measure, By: []string{dim}})
			if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != "by" {
				t.Errorf("%s by %s: %v", measure, dim, err)
			}
		}
	}
}

func TestBadAboutRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tells("good", "about.age", "25-34")
	p := newPanel(t)
	for name, spoil := range map[string]func(*AboutRow){
		"questionnaire":            func(r *AboutRow) { r.Questionnaire = "about/99" },
		"another's answers":        func(r *AboutRow) { r.Packed = pack(t, w.set, "report/1", nil) },
		"answers cut short":        func(r *AboutRow) { r.Packed = r.Packed[:3] },
		"what could not be opened": func(r *AboutRow) { r.Packed = nil },
	} {
		bad := w.abouts[0]
		spoil(&bad)
		bad.Key = "bad-" + name
		if err := p.ApplyAbouts(bad, w.abouts[0]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	before := p.version
	if err := p.ApplyAbouts(w.abouts...); err != nil || p.Size().Abouts != 1 || p.version != before {
		t.Errorf("%+v, %v", p.Size(), err)
	}
}

// randomTold lets about two in three people of a world tell their ethnic group.
func randomTold(w *world, rng *rand.Rand) {
	for i := range w.cases {
		w.cases[i].AboutKeys = []string{"person-" + w.cases[i].Key}
		if v := []string{"white", "white", "white", "asian", "black", "mixed", "other", "prefer-not", "", "-"}[rng.IntN(10)]; v != "-" {
			w.tells(w.cases[i].AboutKeys[0], "about.ethnicity", v)
		}
		if rng.IntN(12) == 0 {
			w.abouts = append(w.abouts, AboutRow{Key: w.cases[i].AboutKeys[0], ChangedAt: day(2026, 3, 1), Gone: true})
		}
	}
}
