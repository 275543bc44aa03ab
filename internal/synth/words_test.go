package synth_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"victimvoice/analysis/codebook"
	"victimvoice/internal/synth"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// TestTextsVary counts how many of many texts are unlike every other, and what
// they are made of.
func TestTextsVary(t *testing.T) {
	t.Parallel()
	const n = 5000
	q := sets(t).Current(survey.StageReport)
	distinct, opening, lengths := map[string]bool{}, map[string]int{}, map[int]int{}
	labels := map[string]int{}
	var danger, hits, personal, uncodable int
	for x := range synth.New(synth.Options{End: end, Seed: 1}).Texts(n) {
		distinct[x.Body] = true
		words := strings.Fields(x.Body)
		if len(words) == 0 || len(words) > 150 || utf8.RuneCountInString(x.Body) > questionnaires.MaxText || !utf8.ValidString(x.Body) {
			t.Fatalf("%d words: %q", len(words), x.Body)
		}
		if strings.ContainsAny(x.Body, "{}[]\uFFFD") {
			t.Fatalf("something was left unfilled or broken: %q", x.Body)
		}
		lengths[len(words)/10]++
		opening[strings.Join(words[:min(4, len(words))], " ")]++
		seen := map[string]bool{}
		for _, l := range x.Labels {
			k := l.Code + " " + l.Polarity
			if seen[k] || l.Start < 0 || l.Start >= l.End || l.End > len(x.Body) || !utf8.ValidString(x.Body[l.Start:l.End]) {
				t.Fatalf("label %+v of %q", l, x.Body)
			}
			seen[k] = true
			labels[k]++
		}
		if len(x.Labels) == 0 {
			uncodable++
		}
		if x.Personal {
			personal++
		}
		hit := len(q.Hits(questionnaires.Answers{"open.better": {State: questionnaires.Answered, Text: x.Body}}, "en")) > 0
		if hit {
			hits++
		}
		if x.Danger {
			danger++
		} else if hit {
			t.Errorf("words of danger where none were meant: %q", x.Body)
		}
	}
	if len(distinct) < 4700 {
		t.Errorf("%d of %d texts are distinct", len(distinct), n)
	}
	for o, k := range opening {
		if k > n/25 {
			t.Errorf("%d texts begin %q", k, o)
		}
	}
	if len(labels) != 2*len(synth.Codes()) || len(synth.Codes()) != 24 {
		t.Errorf("%d themes with a polarity, of %d codes", len(labels), len(synth.Codes()))
	}
	for k, c := range labels {
		if c < 20 {
			t.Errorf("%s stands in %d texts only", k, c)
		}
	}
	if lengths[0] < 100 || lengths[6] < 5 {
		t.Errorf("lengths by ten words: %v", lengths)
	}
	near(t, "with words of danger", float64(danger)/n, 0.012, 0.006)
	near(t, "of which found", float64(hits)/float64(danger), 0.9, 0.12)
	near(t, "with something to redact", float64(personal)/n, 0.03, 0.01)
	near(t, "uncodable", float64(uncodable)/n, 0.08, 0.04)
}

// TestCodesAreTheCodebooks holds the themes against the codebook that ships.
func TestCodesAreTheCodebooks(t *testing.T) {
	t.Parallel()
	book, err := codebook.Load()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range book.Codes {
		known[c.ID] = true
	}
	for _, code := range synth.Codes() {
		if !known[code] {
			t.Errorf("%s is not a code", code)
		}
	}
}

var (
	telephone = regexp.MustCompile(`\b0\d{4} ?\d{6}\b|\b07\d{3} ?\d{6}\b`)
	mailbox   = regexp.MustCompile(`\S+@\S+`)
)

// TestNobodyIsReal looks for addresses and numbers that could be somebody's.
func TestNobodyIsReal(t *testing.T) {
	t.Parallel()
	for x := range synth.New(synth.Options{End: end, Seed: 2}).Texts(4000) {
		for _, m := range mailbox.FindAllString(x.Body, -1) {
			if !strings.Contains(m, "@example.org") {
				t.Errorf("address %q", m)
			}
		}
		for _, m := range telephone.FindAllString(x.Body, -1) {
			if !strings.HasPrefix(m, "07700 900") {
				t.Errorf("number %q", m)
			}
		}
	}
}

// TestWordsAreThoseOfTheAnswer: the labels handed out belong to the very text
// that the person wrote.
func TestWordsAreThoseOfTheAnswer(t *testing.T) {
	t.Parallel()
	w, q := world(400), sets(t).Current(survey.StageReport)
	n := 0
	for c := range w.Cases() {
		a, _, _ := w.Answer(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, c.ReportedAt)
		for id, x := range w.Words(c, survey.StageReport, 1, survey.ModeSelf, q, questionnaires.Facts{}, c.ReportedAt) {
			n++
			if a[id].Text != x.Body {
				t.Errorf("case %d, %s: %q is not %q", c.Index, id, x.Body, a[id].Text)
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d texts of 400 cases", n)
	}
}

func BenchmarkTexts(b *testing.B) {
	w := synth.New(synth.Options{End: end, Seed: 1})
	b.ReportAllocs()
	bytes := 0
	for x := range w.Texts(b.N) {
		bytes += len(x.Body)
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "bytes/text")
}
