// Package redact owns the taking out of what could identify a person from free
// text, before anybody but the respondent reads it or a theme is coded on it.
//
// It prefers taking out too much to too little: a word lost to a reader costs a
// nuance, a name left in may cost somebody their safety. What it takes out is
// replaced by its kind in brackets, such as [name]. It cannot know every name,
// so a person still confirms a text before it is published.
package redact

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Redaction is one stretch of the original text that was taken out.
type Redaction struct {
	Type  string `json:"type"`
	Start int    `json:"start"` // bytes of the original text, half-open
	End   int    `json:"end"`
}

// The kinds of what is taken out. The redacted text shows them in brackets.
const (
	Name           = "name"
	Address        = "address"
	Postcode       = "postcode"
	Phone          = "phone"
	Email          = "email"
	Handle         = "handle"
	URL            = "url"
	DateOfBirth    = "date-of-birth"
	Plate          = "number-plate"
	OfficerNumber  = "officer-number"
	CrimeReference = "crime-reference"
	Employer       = "employer"
	School         = "school"
)

// Types lists the kinds in a fixed order.
func Types() []string {
	return []string{Name, Address, Postcode, Phone, Email, Handle, URL, DateOfBirth, Plate, OfficerNumber, CrimeReference, Employer, School}
}

// Redact takes out what could identify somebody and says what it took out, in
// the order of the text. Offsets refer to the original text. Redacting a redacted
// text changes nothing. Any bytes are accepted.
func Redact(text string) (string, []Redaction) {
	taken := []Redaction{}
	for {
		out, pieces := replace(text, taken)
		// What is taken out can bring to light what stands beside it: look again
		// until nothing is found. Each round takes out something more of a finite
		// text, so it ends.
		found := find(out)
		if len(found) == 0 {
			return out, taken
		}
		for _, f := range found {
			taken = append(taken, original(f, pieces)...)
		}
		slices.SortFunc(taken, func(a, b Redaction) int { return cmp.Compare(a.Start, b.Start) })
	}
}

// piece is a stretch of the redacted text that stands as it stood in the
// original.
type piece struct{ out, orig, size int }

// replace builds the redacted text and remembers where its pieces come from.
func replace(text string, taken []Redaction) (string, []piece) {
	if len(taken) == 0 {
		return text, []piece{{0, 0, len(text)}}
	}
	var b strings.Builder
	b.Grow(len(text) + 8*len(taken))
	pieces := make([]piece, 0, len(taken)+1)
	at := 0
	for _, t := range taken {
		pieces = append(pieces, piece{b.Len(), at, t.Start - at})
		b.WriteString(text[at:t.Start])
		b.WriteString("[" + t.Type + "]")
		at = t.End
	}
	pieces = append(pieces, piece{b.Len(), at, len(text) - at})
	b.WriteString(text[at:])
	return b.String(), pieces
}

// original brings a finding in the redacted text back to the original. Findings
// never hold a placeholder, so each lies in one piece.
func original(f Redaction, pieces []piece) []Redaction {
	i, ok := slices.BinarySearchFunc(pieces, f.Start, func(p piece, at int) int { return cmp.Compare(p.out, at) })
	if !ok {
		i--
	}
	p := pieces[i]
	f.Start, f.End = f.Start-p.out+p.orig, f.End-p.out+p.orig
	return []Redaction{f}
}

// find gives what is to be taken out of a text in which placeholders may stand
// already. Findings do not overlap: of two, the one that begins first holds, and
// of those that begin together the longer.
func find(text string) []Redaction {
	kept := placeholders(text)
	lower := strings.ToLower(text)
	var all []Redaction
	for i := range detectors {
		all = detectors[i].find(text, lower, all)
	}
	all = names(text, all)
	for i := range all {
		all[i] = whole(text, all[i])
	}
	slices.SortStableFunc(all, func(a, b Redaction) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	out := all[:0]
	end, k := 0, 0
	for _, f := range all {
		if f.Start < end || f.Start >= f.End {
			// Overlapping: the part that sticks out is as telling as the rest.
			if f.End <= end || len(out) == 0 {
				continue
			}
			f.Start = end
		}
		for k < len(kept) && kept[k][1] <= f.Start {
			k++
		}
		if k < len(kept) && kept[k][0] < f.End {
			continue
		}
		out = append(out, f)
		end = f.End
	}
	return out
}

// whole widens a finding to whole words and numbers: the rest of a number would
// tell as much as the part that was recognised.
func whole(text string, f Redaction) Redaction {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	first, _ := utf8.DecodeRuneInString(text[f.Start:])
	for inWord(first) {
		r, size := utf8.DecodeLastRuneInString(text[:f.Start])
		if !inWord(r) {
			break
		}
		f.Start -= size
	}
	last, _ := utf8.DecodeLastRuneInString(text[:f.End])
	for inWord(last) {
		r, size := utf8.DecodeRuneInString(text[f.End:])
		if !inWord(r) {
			break
		}
		f.End += size
	}
	return f
}

// placeholders gives the stretches that are placeholders already.
func placeholders(text string) [][2]int {
	var out [][2]int
	at := 0
	for {
		i := strings.IndexByte(text[at:], '[')
		if i < 0 {
			return out
		}
		at += i
		end := at + 1
		for _, t := range Types() {
			if strings.HasPrefix(text[at+1:], t) && strings.HasPrefix(text[at+1+len(t):], "]") {
				end = at + len(t) + 2
				out = append(out, [2]int{at, end})
				break
			}
		}
		at = end
	}
}
