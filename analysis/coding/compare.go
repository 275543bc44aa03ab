package coding

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// Comparison is how two coders do on the same texts as people coded them.
type Comparison struct {
	Texts  int `json:"texts"`
	People int `json:"people"` // whose they are

	Themes   Change `json:"themes"`   // micro F1
	Labels   Change `json:"labels"`   // micro F1 of theme and polarity
	Polarity Change `json:"polarity"` // share of matched themes whose polarity is right
	Error    Change `json:"error"`    // expected calibration error: the less, the better
}

// Change is a measure before and after, and the 95% interval of after less
// before, from draws of people with replacement.
type Change struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// calibrationBins is in how many steps of confidence an error of calibration is counted.
const calibrationBins = 10

// tried is what came of texts that one coder read.
type tried struct {
	givenThemes, foundThemes, rightThemes, same float64
	given, found, right                         float64
	sum, hit                                    [calibrationBins]float64 // of labels found, by their confidence: it, and how many are right
}

func (t *tried) add(o *tried) {
	t.givenThemes += o.givenThemes
	t.foundThemes += o.foundThemes
	t.rightThemes += o.rightThemes
	t.same += o.same
	t.given += o.given
	t.found += o.found
	t.right += o.right
	for i := range calibrationBins {
		t.sum[i] += o.sum[i]
		t.hit[i] += o.hit[i]
	}
}

// measures gives F1 of themes, F1 of labels, the share of right polarities and the
// error of calibration.
func (t *tried) measures() (out [4]float64) {
	over := func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return a / b
	}
	out[0] = over(2*t.rightThemes, t.givenThemes+t.foundThemes)
	out[1] = over(2*t.right, t.given+t.found)
	out[2] = over(t.same, t.rightThemes)
	for i := range calibrationBins {
		out[3] += over(math.Abs(t.sum[i]-t.hit[i]), t.found)
	}
	return out
}

// try reads a text and counts what is right by what people said.
func (c *Coder) try(text *Coded) (t tried) {
	labels := c.Read(text.Text).Labels
	both := func(labels []Label, code string) (out [2]bool) {
		for i := range labels {
			if labels[i].Code == code {
				out[polarityPlace(labels[i].Polarity)] = true
			}
		}
		return out
	}
	seen := map[string]bool{}
	for _, l := range slices.Concat(text.Labels, labels) {
		if seen[l.Code] {
			continue
		}
		seen[l.Code] = true
		given, found := both(text.Labels, l.Code), both(labels, l.Code)
		g, f := given[0] || given[1], found[0] || found[1]
		t.givenThemes += number(g)
		t.foundThemes += number(f)
		t.rightThemes += number(g && f)
		t.same += number(g && f && given == found)
		for p := range given {
			t.given += number(given[p])
			t.found += number(found[p])
			t.right += number(given[p] && found[p])
		}
	}
	for _, l := range labels {
		bin := min(int(l.Confidence*calibrationBins), calibrationBins-1)
		t.sum[bin] += l.Confidence
		t.hit[bin] += number(both(text.Labels, l.Code)[polarityPlace(l.Polarity)])
	}
	return t
}

// Compare says how two coders do on texts that neither has learnt from. Texts in
// another language are left out. The order of the texts decides nothing.
func Compare(before, after *Coder, texts []Coded) Comparison {
	type pair struct{ before, after tried }
	each := map[string]pair{}
	var out Comparison
	for i := range texts {
		if l := before.Language(texts[i].Text); l != "" && l != "en" {
			continue
		}
		out.Texts++
		p := each[texts[i].Whose]
		b, a := before.try(&texts[i]), after.try(&texts[i])
		p.before.add(&b)
		p.after.add(&a)
		each[texts[i].Whose] = p
	}
	out.People = len(each)
	if out.People == 0 {
		return out
	}
	names := slices.Sorted(maps.Keys(each))
	sum := func(pick func(i int) string) (b, a [4]float64) {
		var total pair
		for i := range names {
			p := each[pick(i)]
			total.before.add(&p.before)
			total.after.add(&p.after)
		}
		return total.before.measures(), total.after.measures()
	}
	b, a := sum(func(i int) string { return names[i] })
	var gains [4][]float64
	rng := rand.New(rand.NewPCG(50, 1)) //nolint:gosec // G404: the same draws for everybody who looks
	for range tuneDraws {
		b, a := sum(func(int) string { return names[rng.IntN(len(names))] })
		for k := range gains {
			gains[k] = append(gains[k], a[k]-b[k])
		}
	}
	for k, c := range [4]*Change{&out.Themes, &out.Labels, &out.Polarity, &out.Error} {
		slices.SortFunc(gains[k], cmp.Compare[float64])
		*c = Change{Before: b[k], After: a[k], Low: gains[k][tuneDraws/40], High: gains[k][tuneDraws-1-tuneDraws/40]}
	}
	return out
}
