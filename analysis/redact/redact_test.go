package redact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"victimvoice/analysis/redact"
	"victimvoice/internal/fault"
)

func TestRedact(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"title", "PC Okafor was kind.", "PC [name] was kind."},
		{"title with stop", "Mr. Hill from the CPS", "Mr. [name] from the CPS"},
		{"title, small letters", "pc adeyemi rang me", "pc [name] rang me"},
		{"two titles", "Detective Constable Sarah Whitlock called", "Detective Constable [name] called"},
		{"title before a verb", "the pc was rude and the sergeant told me to go", "the pc was rude and the sergeant told me to go"},
		{"double surname", "Mrs Ferreira-Jones came", "Mrs [name] came"},
		{"name from the list", "He follows Danielle home", "He follows [name] home"},
		{"possession", "That was Daniel's idea", "That was [name]'s idea"},
		{"small letters", "then darren sent more texts", "then [name] sent more texts"},
		{"relation", "my ex mark kept coming", "my ex [name] kept coming"},
		{"called", "a man called Zoltan", "a man called [name]"},
		{"my name is", "My name is Ottoline", "My name is [name]"},
		{"doubtful name inside a sentence", "I told Grace about it", "I told [name] about it"},
		{"doubtful word at the start", "Will they ever listen?", "Will they ever listen?"},
		{"month", "In May they closed it", "In May they closed it"},
		{"two unknown capitals", "the man is Zebedee Quillfeather", "the man is [name]"},
		{"name in capitals", "SHARON TOLD THEM AND NOBODY LISTENED", "[name] TOLD THEM AND NOBODY LISTENED"},
		{"institutions stay", "Victim Support and the Suzy Lamplugh Trust rang from Croydon", "Victim Support and the Suzy Lamplugh Trust rang from Croydon"},
		{"postcode", "I moved to SE15 4QX last week", "I moved to [postcode] last week"},
		{"postcode, small letters", "at nw1 6xe", "at [postcode]"},
		{"outward postcode", "he parks in SE22 every night", "he parks in [postcode] every night"},
		{"offence code stays", "charged under S2A and S4A", "charged under S2A and S4A"},
		{"mobile", "ring 07700 900123 now", "ring [phone] now"},
		{"mobile with country", "on +44 7700 900 123.", "on [phone]."},
		{"landline", "(020) 7946 0018 is mine", "[phone] is mine"},
		{"helplines stay", "call the helpline on 0808 802 0300", "call the helpline on 0808 802 0300"},
		{"title, apostrophe, two people", "Sgt. O'Connor and DC Jane Mbeki came", "Sgt. [name] and DC [name] came"},
		{"relation without a name", "my ex turned up", "my ex turned up"},
		{"name and surname", "I told Priya Shah about it", "I told [name] about it"},
		{"a name in small letters before a verb", "then kevin came to the door", "then [name] came to the door"},
		{"pronoun after a stop", "The officer was kind. I will say so.", "The officer was kind. I will say so."},
		{"everyday words that are names too", "I hope it may end", "I hope it may end"},
		{"two numbers", "Ring me on 07700 900123 or 020 7946 0018", "Ring me on [phone] or [phone]"},
		{"url before a stop", "see https://example.org/x?y=1.", "see [url]."},
		{"address and postcode", "I live at 12 Acacia Avenue, SW1A 1AA", "I live at [address], [postcode]"},
		{"flat in a street", "Flat 3, 10 High Street", "[address]"},
		{"born with of", "born on 3rd of May 1990", "born on [date-of-birth]"},
		{"crime number", "crime number 6543210/23 was given", "crime number [crime-reference] was given"},
		{"cad of a date", "CAD 1234 of 5 May", "CAD [crime-reference] of 5 May"},
		{"officer number", "officer number 2345AB said", "officer number [officer-number] said"},
		{"counts stay", "no updates for 6 months, 3 officers, 2 statements", "no updates for 6 months, 3 officers, 2 statements"},
		{"invalid UTF-8", "\xff\xfe PC Smith", "\xff\xfe PC [name]"},
		{"short codes stay", "I called 999 and 101", "I called 999 and 101"},
		{"email", "write to j.bloggs+x@example.org please", "write to [email] please"},
		{"email in words", "it is jbloggs at gmail dot com", "it is [email]"},
		{"handle", "he is @dark_knight99 there", "he is [handle] there"},
		{"handle announced", "his insta name is dark.knight99", "his insta name is [handle]"},
		{"url", "see https://example.org/a?b=c for it", "see [url] for it"},
		{"bare domain", "on watchme.co.uk/profile he", "on [url] he"},
		{"date of birth", "DOB 03/04/1987, female", "DOB [date-of-birth], female"},
		{"born", "I was born on 3rd April 1987.", "I was born on [date-of-birth]."},
		{"old date", "my date, 12.11.1990, was used", "my date, [date-of-birth], was used"},
		{"date of an event stays", "reported on 12/03/2026", "reported on 12/03/2026"},
		{"number plate", "a blue Corsa, AB12 CDE, outside", "a blue Corsa, [number-plate], outside"},
		{"older plate", "reg R123 ABC", "reg [number-plate]"},
		{"officer number", "PC 4821 came out", "PC [officer-number] came out"},
		{"collar number", "collar number 1234XB", "collar number [officer-number]"},
		{"crime reference", "crime reference number 01/123456/26", "crime reference number [crime-reference]"},
		{"crime reference alone", "they gave me 4812345/26 and left", "they gave me [crime-reference] and left"},
		{"cad", "CAD 1234 of that day", "CAD [crime-reference] of that day"},
		{"address", "I live at 14 Acacia Avenue with my son", "I live at [address] with my son"},
		{"flat", "Flat 3b, 22 Laurel Road", "[address]"},
		{"street without number", "outside on Acacia Avenue again", "outside on [address] again"},
		{"small letters address", "came to 9 larch close", "came to 9 larch close"},
		{"distance is no address", "he lives 2 miles down the road", "he lives 2 miles down the road"},
		{"crown court stays", "at Croydon Crown Court in March", "at Croydon Crown Court in March"},
		{"nothing", "The officers were kind and it took two weeks.", "The officers were kind and it took two weeks."},
		{"empty", "", ""},
		{"already redacted", "PC [name] rang [phone]", "PC [name] rang [phone]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, taken := redact.Redact(tc.text)
			if got != tc.want {
				t.Errorf("got  %q\nwant %q\n%v", got, tc.want, taken)
			}
			check(t, tc.text)
		})
	}
}

// check holds what is true of any text: the redactions rebuild the redacted text
// from the original, lie in order on whole runes, and leave nothing for a second
// pass.
func check(t *testing.T, text string) {
	t.Helper()
	got, taken := redact.Redact(text)
	if taken == nil {
		t.Fatal("the redactions are nil")
	}
	bounds := map[int]bool{len(text): true}
	for i := range text {
		bounds[i] = true
	}
	var b strings.Builder
	at := 0
	for _, r := range taken {
		if r.Start < at || r.End <= r.Start || r.End > len(text) || !bounds[r.Start] || !bounds[r.End] || !slices.Contains(redact.Types(), r.Type) {
			t.Fatalf("%q: bad redaction %+v after %d", text, r, at)
		}
		b.WriteString(text[at:r.Start] + "[" + r.Type + "]")
		at = r.End
	}
	b.WriteString(text[at:])
	if b.String() != got {
		t.Fatalf("the redactions give %q, the text is %q", b.String(), got)
	}
	again, more := redact.Redact(got)
	if again != got || len(more) != 0 {
		t.Fatalf("%q\nonce  %q\ntwice %q %v", text, got, again, more)
	}
	if utf8.ValidString(text) && !utf8.ValidString(got) {
		t.Fatalf("%q became invalid UTF-8", text)
	}
}

func FuzzRedact(f *testing.F) {
	for _, seed := range []string{"", "PC Okafor 07700 900123", "[name] Smith [", "@a@b.co.uk", "DOB 1/1/1990 at Flat 3, 22 Laurel Road SE15 4QX", "\xff\xfe PC \x80Hill", "Mr. Mr. Mr. Hill",
		"[name]1 0[phone]77009001230", "crime ref 12/34567/26 AB12 CDE", "Dave\u200fDave", "x.com.com@y.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { check(t, text) })
}

func TestLines(t *testing.T) {
	in := "\ufeff" + `{"id":"1","text":"PC Okafor"}` + "\n\n" + `{"id":2,"text":"<b>fine</b>"}`
	var out bytes.Buffer
	if err := redact.Lines(context.Background(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","text":"PC [name]","redactions":[{"type":"name","start":3,"end":9}]}` + "\n" + `{"id":2,"text":"<b>fine</b>","redactions":[]}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestLinesRefusesBadLines(t *testing.T) {
	long, err := json.Marshal(map[string]string{"id": "1", "text": strings.Repeat("x", redact.MaxLineBytes)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, in string
		kind     fault.Kind
		want     string
	}{
		{"not JSON", `{"id":"1","text":"a"}` + "\nDave was here\n", fault.Invalid, "line 2"},
		{"no text", `{"id":"1"}`, fault.Invalid, "line 1"},
		{"id is a list", `{"id":[1],"text":"a"}`, fault.Invalid, "line 1"},
		{"too long", string(long), fault.TooLarge, "line 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := redact.Lines(context.Background(), strings.NewReader(tc.in), &bytes.Buffer{})
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "Dave") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := redact.Lines(ctx, strings.NewReader(`{"id":"1","text":"a"}`), &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	texts := []string{
		"PC Okafor kept me informed but nobody rang me back on 07700 900123 and I felt fobbed off.",
		"The officers were kind and patient. It took eight months to get to court and I was never told about the adjournment.",
		"I was told to change my number and come off Facebook. Crime reference 01/123456/26, he lives at 14 Acacia Avenue, SE15 4QX.",
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		redact.Redact(texts[n%len(texts)])
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "comments/s")
}
