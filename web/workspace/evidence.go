package workspace

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"victimvoice/analysis"
)

// span is a stretch of a text in bytes, half-open.
type span struct{ start, end int }

// stretches finds every place of a text where words stand: in capitals or small
// letters, with straight or curly quotes, whatever lies between them of blanks and
// line ends, since people type and browsers paste as they like. Nothing for no words.
func stretches(text, words string) []span {
	in, at := plain(text)
	want, _ := plain(words)
	want = slices.Clone(want)
	for len(want) > 0 && want[0] == ' ' {
		want = want[1:]
	}
	for len(want) > 0 && want[len(want)-1] == ' ' {
		want = want[:len(want)-1]
	}
	if len(want) == 0 {
		return nil
	}
	var out []span
	for i := 0; i+len(want) <= len(in); i++ {
		if slices.Equal(in[i:i+len(want)], want) {
			out = append(out, span{at[i][0], at[i+len(want)-1][1]})
		}
	}
	return out
}

// plain gives a text's letters as they are compared, and the bytes that each came from.
func plain(text string) (letters []rune, at [][2]int) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case strings.ContainsRune("‘’‚‛`´", r):
			r = '\''
		case strings.ContainsRune("“”„‟", r):
			r = '"'
		case strings.ContainsRune("‐‑‒–—", r):
			r = '-'
		default:
			r = unicode.ToLower(r)
		}
		if n := len(letters); r == ' ' && n > 0 && letters[n-1] == ' ' {
			at[n-1][1] = end
		} else {
			letters, at = append(letters, r), append(at, [2]int{i, end})
		}
		i = end
	}
	return letters, at
}

// segment is a stretch of a text with the labels that rest on it.
type segment struct {
	Text   string
	Marked bool
	Sides  string // class: positive, negative or both
	Ends   []mark // the labels that end with it
}

// mark says in words what is marked: number, code and polarity.
type mark struct {
	Number          int
	Title, Polarity string
}

// segments parts a text where labels begin and end; labels may overlap.
func segments(text string, labels []analysis.Label, title func(code string) string) []segment {
	cuts := []int{0, len(text)}
	for _, l := range labels {
		cuts = append(cuts, l.Start, l.End)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []segment
	for i := 0; i+1 < len(cuts); i++ {
		from, to := cuts[i], cuts[i+1]
		g := segment{Text: text[from:to]}
		for n, l := range labels {
			if l.Start <= from && to <= l.End {
				switch {
				case !g.Marked:
					g.Sides = l.Polarity
				case g.Sides != l.Polarity:
					g.Sides = "both"
				}
				g.Marked = true
				if l.End == to {
					g.Ends = append(g.Ends, mark{n + 1, title(l.Code), l.Polarity})
				}
			}
		}
		out = append(out, g)
	}
	return out
}
