package coding

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBadInput: whatever a text is dressed in, it gives the right label, or none,
// on bytes that are words of the text.
func TestBadInput(t *testing.T) {
	c := newCoder(t)
	for _, tc := range []struct {
		name, text string
		found      bool // that she was not taken seriously
	}{
		{"empty", "", false},
		{"white space alone", " \t\r\n\u00a0\u2003", false},
		{"control characters alone", "\x00\x01\x1b[31m\x7f", false},
		{"bytes that are no text alone", "\xff\xfe\x80\xc3", false},
		{"marks of direction alone", "\u200f\u202e\u2066\u2069", false},
		{"emoji alone", "😡😡👮‍♀️🏳️‍🌈", false},
		{"control characters", "I was\x00 not\x07 taken\x1b seriously.\x7f", true},
		{"bytes that are no text", "\xffI was not taken\xfe seriously\xc3", true},
		{"a letter cut in two", "caf\xc3 I was not taken seriously", true},
		{"marks of direction", "\u200fI was not\u202e taken\u202c seriously\u200e", true},
		{"isolates", "\u2067I was not taken seriously\u2069", true},
		{"invisible characters in a word", "I was not tak\u2060en seri\u00adously", true},
		{"a byte order mark", "\ufeffI was not taken seriously", true},
		{"emoji", "😡 I was not taken seriously 👮🏽‍♀️!!", true},
		{"letters that look alike", "I wаs nоt tаkеn sеriоusly", true},
		{"wide letters", "Ｉ ｗａｓ ｎｏｔ ｔａｋｅｎ ｓｅｒｉｏｕｓｌｙ", true},
		{"accents apart", "I wa\u0301s not taken seriously", true},
		{"line ends of all kinds", "I was not\r\ntaken\u2028seriously\r", true},
		{"typographer's marks", "“I was n’t taken seriously”… they weren’t fussed", true},
		{"capitals", "I WAS NOT TAKEN SERIOUSLY", true},
		{"a very long word", strings.Repeat("a", 1<<16) + ". I was not taken seriously.", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := c.Read(tc.text)
			if r.Labels == nil || r.Language != "" {
				t.Errorf("got %+v", r)
			}
			for _, l := range slices.Concat(r.Labels, r.Unsure) {
				if l.Start < 0 || l.End > len(tc.text) || l.Start >= l.End || tc.text[l.Start:l.End] != l.Evidence {
					t.Errorf("bytes %d to %d of %d are not %q", l.Start, l.End, len(tc.text), l.Evidence)
				} else if cut(tc.text, l.Start) || cut(tc.text, l.End) {
					t.Errorf("%q begins or ends within a letter", l.Evidence)
				}
			}
			found := slices.ContainsFunc(r.Labels, func(l Label) bool { return l.Code == "RES_SERIOUS" && l.Polarity == "negative" })
			if found != tc.found || !tc.found && len(r.Labels) > 0 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestAMegabyteOfSmallTalk says what one statement in it says, or leaves the text to
// a person, and nothing that it does not say.
func TestAMegabyteOfSmallTalk(t *testing.T) {
	r := newCoder(t).Read("I was not taken seriously. " + strings.Repeat("It rained. ", (1<<20)/11))
	if len(r.Labels)+len(r.Unsure) == 0 {
		t.Error("nobody is asked to read it")
	}
	for _, l := range r.Labels {
		if l.Code != "RES_SERIOUS" || l.Polarity != "negative" || l.End > 26 {
			t.Errorf("got %+v", l)
		}
	}
}

// cut reports whether a place lies within a letter that is whole.
func cut(text string, at int) bool {
	for from := max(at-utf8.UTFMax+1, 0); from < at; from++ {
		if r, n := utf8.DecodeRuneInString(text[from:]); r != utf8.RuneError && from+n > at {
			return true
		}
	}
	return false
}

// TestBadBytesInALine: JSON that holds what is no text is read, and written as text.
func TestBadBytesInALine(t *testing.T) {
	var out bytes.Buffer
	in := "{\"id\":\"1\",\"text\":\"I was not \xff taken seriously \\ud800\"}\n"
	if err := CodeLines(context.Background(), newCoder(t), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(out.Bytes()) || !strings.Contains(out.String(), `"RES_SERIOUS"`) {
		t.Errorf("got %q", out.String())
	}
}
