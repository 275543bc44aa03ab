package redact_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"victimvoice/analysis/redact"
)

const recallFile = "../testdata/redaction/texts.txt"

// The least that must be found.
const (
	leastStructured = 0.98 // numbers, addresses and the like
	leastNames      = 0.85
)

// TestRecall measures how much of what identifies somebody is taken out.
func TestRecall(t *testing.T) {
	data, err := os.ReadFile(recallFile)
	if err != nil {
		t.Fatal(err)
	}
	marked := regexp.MustCompile(`\{\{([a-z-]+):([^}]*)\}\}`)
	found, all := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		var text strings.Builder
		type span struct {
			kind       string
			start, end int
		}
		var spans []span
		at := 0
		for _, m := range marked.FindAllStringSubmatchIndex(line, -1) {
			text.WriteString(line[at:m[0]])
			start := text.Len()
			text.WriteString(line[m[4]:m[5]])
			spans = append(spans, span{line[m[2]:m[3]], start, text.Len()})
			at = m[1]
		}
		text.WriteString(line[at:])
		check(t, text.String())
		_, taken := redact.Redact(text.String())
		for _, s := range spans {
			all[s.kind]++
			if gone(text.String(), taken, s.start, s.end) {
				found[s.kind]++
			} else {
				t.Logf("left in: %s %q", s.kind, text.String()[s.start:s.end])
			}
		}
	}
	var names, namesAll, rest, restAll int
	for kind, n := range all {
		t.Logf("%s: %d of %d", kind, found[kind], n)
		switch kind {
		case redact.Name, redact.Employer, redact.School:
			if kind == redact.Name {
				names, namesAll = found[kind], n
			}
		default:
			rest, restAll = rest+found[kind], restAll+n
		}
	}
	if got := float64(rest) / float64(restAll); got < leastStructured {
		t.Errorf("structured: %d of %d, %.3f", rest, restAll, got)
	}
	if got := float64(names) / float64(namesAll); got < leastNames {
		t.Errorf("names: %d of %d, %.3f", names, namesAll, got)
	}
	for _, kind := range []string{redact.Employer, redact.School} {
		if float64(found[kind]) < leastNames*float64(all[kind]) {
			t.Errorf("%s: %d of %d", kind, found[kind], all[kind])
		}
	}
}

// gone reports whether every letter and digit of a stretch is taken out.
func gone(text string, taken []redact.Redaction, start, end int) bool {
	for i, r := range text[start:end] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		in := false
		for _, f := range taken {
			in = in || f.Start <= start+i && start+i < f.End
		}
		if !in {
			return false
		}
	}
	return true
}
