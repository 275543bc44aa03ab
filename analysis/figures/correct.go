package figures

import (
	"fmt"
	"math"
)

// What a sample must hold before a share is corrected by it.
const (
	// MinDrawn is the least number of people whose words were drawn at random and
	// coded by a person. With 100, a specificity of 95% is known to about four
	// points either way; with fewer the corrected share says less than the counted one.
	MinDrawn = 100
	// MinDrawnSide is the least number among them with the theme, and without it, by
	// the person's judgement: on fewer than ten nothing is published here.
	MinDrawnSide = MinBase
	// minRate is the least sensitivity and specificity that the interval was made for.
	minRate = .5
)

// CodedPair is what the coder and a person said of the words of one respondent, on
// one side of one theme.
type CodedPair struct {
	Machine, Human bool
}

// Tally counts the pairs of a sample drawn at random. A person's judgement is taken
// for the truth.
type Tally struct {
	Hits, Misses       int // with the theme: found, not found
	FalseAlarms, Clear int // without it: found all the same, not found
}

// Add counts one pair.
func (t *Tally) Add(p CodedPair) {
	switch {
	case p.Human && p.Machine:
		t.Hits++
	case p.Human:
		t.Misses++
	case p.Machine:
		t.FalseAlarms++
	default:
		t.Clear++
	}
}

// Drawn is how many pairs there are.
func (t Tally) Drawn() int { return t.With() + t.Without() }

// With is how many have the theme by the person's judgement.
func (t Tally) With() int { return t.Hits + t.Misses }

// Without is how many have not.
func (t Tally) Without() int { return t.FalseAlarms + t.Clear }

// Sensitivity is the share of those with the theme in which the coder found it, 0 to 1.
func (t Tally) Sensitivity() float64 { return float64(t.Hits) / float64(t.With()) }

// Specificity is the share of those without the theme in which the coder found none, 0 to 1.
func (t Tally) Specificity() float64 { return float64(t.Clear) / float64(t.Without()) }

// Lacks says in words why a share cannot be corrected by this sample; empty when it can.
func (t Tally) Lacks() string {
	switch {
	case t.Drawn() == 0:
		return fmt.Sprintf("nobody's words have been drawn at random and coded by a person yet, and those of %d people are needed", MinDrawn)
	case t.Drawn() < MinDrawn:
		return fmt.Sprintf("a person has coded the words of %d people drawn at random, and %d are needed", t.Drawn(), MinDrawn)
	case t.With() < MinDrawnSide:
		return fmt.Sprintf("of those drawn at random fewer than %d have this theme by a person's judgement", MinDrawnSide)
	case t.Without() < MinDrawnSide:
		return fmt.Sprintf("of those drawn at random fewer than %d are without this theme by a person's judgement", MinDrawnSide)
	case t.Sensitivity() < minRate || t.Specificity() < minRate:
		return "the coder is wrong about this theme as often as not, and no arithmetic mends that"
	}
	return ""
}

// Corrected estimates, in percent with its 95% interval, how many really have a theme
// that the coder found in x of n: the share that, with the coder's misses and false
// alarms as the sample shows them, would have given what was found. ok is false where
// the sample lacks something, or where it does not fit: the coder found fewer than its
// own false alarms, or more than its own hits, would explain.
//
// The sample is used for its sensitivity and specificity alone, so that it may come
// from other months and areas where people name the theme more or less often; it must
// be of the same coder. The interval allows for both being estimated.
//
// Source: W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a
// screening test", American Journal of Epidemiology 107 (1978) 71–76; the interval by
// Z. Lang and J. Reiczigel, "Confidence limits for prevalence of disease adjusted for
// estimated sensitivity and specificity", Preventive Veterinary Medicine 113 (2014)
// 13–22, equations 6, 7, 16 and 17.
func Corrected(x, n int, t Tally) (share float64, iv Interval, ok bool) {
	if n <= 0 || t.Lacks() != "" {
		return 0, Interval{}, false
	}
	raw := (float64(x)/float64(n) + t.Specificity() - 1) / (t.Sensitivity() + t.Specificity() - 1)

	z2 := z95 * z95
	m, ms, mc := float64(n)+z2, float64(t.With())+2, float64(t.Without())+2
	apparent, sens, spec := (float64(x)+z2/2)/m, (float64(t.Hits)+1)/ms, (float64(t.Clear)+1)/mc
	youden := sens + spec - 1
	mid := (apparent + spec - 1) / youden
	varSens, varSpec := sens*(1-sens)/ms, spec*(1-spec)/mc
	half := z95 * math.Sqrt(apparent*(1-apparent)/m+mid*mid*varSens+(1-mid)*(1-mid)*varSpec) / youden
	mid += 2 * z2 * (mid*varSens - (1-mid)*varSpec)

	low, high := 100*(mid-half), 100*(mid+half)
	if high <= 0 || low >= 100 {
		return 0, Interval{}, false
	}
	share = clip(100 * raw)
	return share, Interval{Low: min(clip(low), share), High: max(clip(high), share)}, true
}
