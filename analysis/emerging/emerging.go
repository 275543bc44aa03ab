// Package emerging owns what is new in people's words: which terms one group of texts
// uses more than another, how sure that is, and where they stand in the texts.
//
// It is pure: texts in, terms out. A document is what one person wrote, so that somebody
// who says a thing ten times counts once. Texts are English and redacted before they come here.
package emerging

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// MinPeople is the least number of people in the group looked at who used a term.
	MinPeople = 5
	// Rate is the false-discovery rate: of the terms listed, one in twenty at most is
	// expected to be there by chance.
	Rate = .05
	// MinGroup is the least number of people on either side of a comparison.
	MinGroup = 10
	// MaxTerms is how many terms are given, the surest first.
	MaxTerms = 50
	// maxWords is the longest term.
	maxWords = 3
	// prior is how many documents' worth of evidence the two groups together put in
	// front of each group's own.
	prior = 50
)

// Document is everything that one person wrote within a group.
type Document struct {
	Texts []string
}

// Term is a word or phrase that the group looked at uses more than the other.
type Term struct {
	Words  string
	Z      float64  // how many standard errors the log-odds ratio lies above none
	Q      float64  // the least false-discovery rate at which the term is listed
	People int      // in the group looked at who used it
	Others int      // in the other group
	Also   []string // shorter and longer terms that the same people used
}

// Terms finds what the people of one group say more than those of another. It gives
// none where either group has fewer than MinGroup people. The answer is the same
// whatever the order of the documents. ctx's error ends it.
//
// A term's z is the log-odds ratio of using it, between the groups, divided by its
// standard error, both under a Dirichlet prior in proportion to how many use the term
// in both groups together: rare terms need more before they stand out, and common ones
// do not swamp the list. Every term that at least MinPeople people used in both groups
// together is tested, one-sided, and counts among the tests: to test only what is frequent
// in the group looked at would pick out chance's own finds. A test's p is the greater of
// z's and Fisher's exact one, which holds on the smallest counts. Those are kept whose
// Benjamini–Hochberg q lies at or below Rate and which MinPeople people of the group
// looked at used. Of terms that contain
// one another and were used by the same people (nine in ten), one stands for all.
//
// Sources: B. L. Monroe, M. P. Colaresi and K. M. Quinn, "Fightin' Words", Political
// Analysis 16 (2008) 372–403, section 3.5.1; Y. Benjamini and Y. Hochberg, "Controlling
// the false discovery rate", Journal of the Royal Statistical Society B 57 (1995) 289–300.
func Terms(ctx context.Context, group, others []Document) ([]Term, error) {
	if len(group) < MinGroup || len(others) < MinGroup {
		return nil, ctx.Err()
	}
	t := newTally()
	if err := t.count(ctx, 0, group); err != nil {
		return nil, err
	}
	if err := t.count(ctx, 1, others); err != nil {
		return nil, err
	}
	var found []candidate
	for k, u := range t.terms {
		here, there := int(u.people[0]), int(u.people[1])
		if here+there < MinPeople {
			continue
		}
		c := candidate{Term: Term{People: here, Others: there}, key: k, p: 1}
		if c.Z = score(here, len(group), there, len(others)); c.Z > 0 {
			c.p = max(distuv.UnitNormal.Survival(c.Z), exact(here, len(group), there, len(others)))
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.p, b.p) })
	found = slices.DeleteFunc(discoveries(found), func(c candidate) bool { return c.People < MinPeople })
	at := map[key]int{}
	for i := range found {
		found[i].Words, at[found[i].key] = t.term(found[i].key), i
	}
	err := t.each(ctx, group, func(who int, k key) {
		if i, ok := at[k]; ok && (len(found[i].who) == 0 || found[i].who[len(found[i].who)-1] != who) {
			found[i].who = append(found[i].who, who)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.Words, b.Words)) })
	return merge(found), ctx.Err()
}

// score is the z of a term that y1 of n1 people used in one group and y2 of n2 in the other.
func score(y1, n1, y2, n2 int) float64 {
	share := float64(y1+y2) / float64(n1+n2)
	yes, no := prior*share, prior*(1-share)
	odds := func(y, n int) (logOdds, variance float64) {
		a, b := float64(y)+yes, float64(n-y)+no
		return math.Log(a / b), 1/a + 1/b
	}
	if no == 0 { // everybody uses it on both sides
		return 0
	}
	l1, v1 := odds(y1, n1)
	l2, v2 := odds(y2, n2)
	return (l1 - l2) / math.Sqrt(v1+v2)
}

// exact is Fisher's one-sided p: the chance that of the y1+y2 people who used a term at
// least y1 fall into the first group, were it all the same to the term who is where.
func exact(y1, n1, y2, n2 int) float64 {
	total, all := y1+y2, choose(n1+n2, y1+y2)
	p := 0.
	for y := y1; y <= min(n1, total); y++ {
		if total-y <= n2 {
			p += math.Exp(choose(n1, y) + choose(n2, total-y) - all)
		}
	}
	return min(p, 1)
}

// choose is the logarithm of the number of ways to take k of n.
func choose(n, k int) float64 {
	lg := func(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// candidate is a term with who used it, by their places in the group.
type candidate struct {
	Term
	key key
	who []int
	p   float64
}

// discoveries keeps the terms that the false-discovery rate lets stand; they come and
// go in the order of their p.
func discoveries(list []candidate) []candidate {
	kept, least := 0, 1.
	for i := len(list) - 1; i >= 0; i-- {
		least = min(least, list[i].p*float64(len(list))/float64(i+1))
		list[i].Q = least
		if least <= Rate && kept == 0 {
			kept = i + 1
		}
	}
	return list[:kept]
}

// merge puts terms together that contain one another and that nearly the same people
// used: the longest stands for all, since it says most.
func merge(list []candidate) []Term {
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(strings.Count(b.Words, " "), strings.Count(a.Words, " ")) })
	var kept []candidate
	for _, c := range list {
		at := slices.IndexFunc(kept, func(k candidate) bool { return contains(k.Words, c.Words) && sameUsers(k.who, c.who) })
		if at < 0 {
			kept = append(kept, c)
			continue
		}
		kept[at].Also = append(kept[at].Also, c.Words)
	}
	slices.SortFunc(kept, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.Z, a.Z), cmp.Compare(a.Words, b.Words)) })
	out := make([]Term, 0, min(len(kept), MaxTerms))
	for _, c := range kept[:min(len(kept), MaxTerms)] {
		slices.Sort(c.Also)
		out = append(out, c.Term)
	}
	return out
}

// contains reports whether the words of a term stand within another's.
func contains(long, short string) bool { return strings.Contains(" "+long+" ", " "+short+" ") }

// sameUsers reports whether nine in ten of those who used the shorter term used the longer.
func sameUsers(long, short []int) bool {
	both := 0
	for _, who := range short {
		if _, ok := slices.BinarySearch(long, who); ok {
			both++
		}
	}
	return 10*both >= 9*len(short)
}
