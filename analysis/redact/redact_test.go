package redact

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"PC Smith never rang.", "PC [name] never rang."},
		{"Sgt. O'Connor and DC Jane Mbeki came", "Sgt. [name] and DC [name] came"},
		{"my ex Darren turned up", "my ex [name] turned up"},
		{"my ex turned up", "my ex turned up"},
		{"I told Priya Shah about it", "I told [name] about it"},
		{"then kevin came to the door", "then [name] came to the door"},
		{"The officer was kind. I will say so.", "The officer was kind. I will say so."},
		{"I hope it may end", "I hope it may end"},
		{"Ring me on 07700 900123 or 020 7946 0018", "Ring me on [phone] or [phone]"},
		{"+44 7700 900 123 is mine", "[phone] is mine"},
		{"call the helpline on 0808 802 0300", "call the helpline on 0808 802 0300"},
		{"write to someone@example.org please", "write to [email] please"},
		{"he posts as @dark_horse99 there", "he posts as [handle] there"},
		{"see https://example.org/x?y=1.", "see [url]."},
		{"I live at 12 Acacia Avenue, SW1A 1AA", "I live at [address], [postcode]"},
		{"Flat 3, 10 High Street", "[address]"},
		{"born on 3rd of May 1990", "born on [date of birth]"},
		{"dob 03/05/1990", "dob [date of birth]"},
		{"his car AB12 CDE was outside", "his car [number plate] was outside"},
		{"crime number 6543210/23 was given", "crime number [reference] was given"},
		{"CAD 1234 of 5 May", "CAD [reference] of 5 May"},
		{"officer number 2345AB said", "officer number [officer number] said"},
		{"no updates for 6 months, 3 officers, 2 statements", "no updates for 6 months, 3 officers, 2 statements"},
		{"", ""},
		{"\xff\xfe PC Smith", "\xff\xfe PC [name]"},
	} {
		if got, _ := Redact(c.text); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	err := Lines(t.Context(), strings.NewReader("{\"id\":\"a\",\"text\":\"PC Smith\"}\n\n{\"id\":2,\"text\":\"fine\"}\n"), &out)
	want := "{\"id\":\"a\",\"text\":\"PC [name]\",\"redactions\":[{\"type\":\"name\",\"start\":3,\"end\":8}]}\n{\"id\":2,\"text\":\"fine\",\"redactions\":[]}\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := Lines(t.Context(), strings.NewReader("{\"id\":1,\"text\":\"a\"}\nnonsense\n"), &out); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("want a fault about line 2, have %v", err)
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"PC Smith, 12 High Street SW1A 1AA", "kevin's @x y@z.org [name] 07700900123", "\xffÀ Mr. É"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, places := Redact(s)
		at := 0
		for _, p := range places {
			if p.Start < at || p.End <= p.Start || p.End > len(s) {
				t.Fatalf("place %+v of %q is out of order or outside", p, s)
			}
			if utf8.ValidString(s) && (!utf8.RuneStart(s[p.Start]) || p.End < len(s) && !utf8.RuneStart(s[p.End])) {
				t.Fatalf("place %+v of %q splits a character", p, s)
			}
			at = p.End
		}
		if again, _ := Redact(got); again != got {
			t.Fatalf("redacting twice: %q → %q → %q", s, got, again)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	text := "PC Smith told me to ring 07700 900123 and nobody ever came back to me about the crime number 6543210/23 for six months."
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Redact(text)
	}
}
