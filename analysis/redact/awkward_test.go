package redact_test

import (
	"strings"
	"testing"

	"victimvoice/analysis/redact"
)

// Texts made to be awkward: what is found in one must not make the next round
// find one thing more, again and again.
func TestAwkwardTexts(t *testing.T) {
	for _, seed := range []string{"PC Okafor 07700 900123 ", "a", "1 ", "0", "[name]", "Zebedee Quillfeather. ", "[", "a.b", "@", "1/2"} {
		text := strings.Repeat(seed, (1<<15)/len(seed))
		got, _ := redact.Redact(text)
		if strings.Contains(got, "Okafor") {
			t.Error("a name was left in")
		}
	}
}

// TestBadInput: what is dressed up is found all the same, what is no text stays as
// it is, and doing it twice is doing it once.
func TestBadInput(t *testing.T) {
	const number = "07700 900123"
	for name, text := range map[string]string{
		"empty": "", "white space": " \r\n\u00a0", "control characters": "\x00call " + number + "\x07", "bytes that are no text": "\xffcall " + number + "\xc3",
		"marks of direction": "\u200fcall " + number + "\u202e", "emoji": "📞 " + number + " 👮🏽‍♀️", "line ends": "call\r\n" + number + "\u2028",
		"a megabyte": "call " + number + strings.Repeat(" it rained", 1<<17),
	} {
		got, _ := redact.Redact(text)
		if strings.Contains(got, "900123") {
			t.Errorf("%s: a number was left in", name)
		}
		if again, _ := redact.Redact(got); again != got {
			t.Errorf("%s: twice is not once: %q", name, again)
		}
		if !strings.Contains(text, number) && got != text {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
