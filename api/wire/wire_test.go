package wire

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// The names read here are the names of the structs, in their order.
func TestNamesAreTheStructs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   reflect.Type
		want []string
	}{{reflect.TypeFor[survey.Event](), EventFields()}, {reflect.TypeFor[survey.Contact](), ContactFields()}} {
		var got []string
		for f := range c.of.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			got = append(got, name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-read +declared):\n%s", c.of, diff)
		}
	}
}

var update = flag.Bool("update", false, "write what comes out into the test files")

// Each file of testdata/events is an event as sent above the dashes and what
// comes of it below: fault lines, "malformed", or "good".
func TestEventFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/events/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want, ok := strings.Cut(string(raw), "\n----\n")
			if !ok {
				t.Fatal("no line of four dashes")
			}
			r, err := Event([]byte(in))
			var got strings.Builder
			switch {
			case err != nil:
				got.WriteString(err.Error() + "\n")
			case len(r.Faults) == 0:
				got.WriteString("good\n")
			}
			for _, f := range r.Faults {
				got.WriteString(f.Field + ": " + f.Message + "\n")
			}
			if *update {
				if err := os.WriteFile(file, []byte(in+"\n----\n"+got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const whole = `{"event_id":"e1","case_ref":"c/26","type":"reported","occurred_at":"2026-07-02T09:30:00+01:00","force":"Metropolitan Police",
 "borough":"Ealing","offence":"stalking-2a","domestic_abuse":true,"adult":false,"advocate":"advocate@example.org","person_ref":"p1","age_band":"25-34",
 "sex":"f","milestone":"arrest","reason":"fear \u00e9\ud83d\ude00\n\t\"\\\/","outcome":"charged","into":"c2","corrects":"e0",
 "contact":{"email":"person@example.org","language":"en","email_safe":true,"safe_confirmed_at":"2026-03-02T09:30:00.250Z","safe_days":["mon","tue"],"safe_from":"09:00","safe_to":"17:00"}}`

// Where both accept a text, this reader and encoding/json read the same.
func TestEventReadsEveryField(t *testing.T) {
	t.Parallel()
	r, err := Event([]byte(whole))
	if err != nil || len(r.Faults) > 0 {
		t.Fatalf("error %v, faults %v", err, r.Faults)
	}
	var want survey.Event
	if err := json.Unmarshal([]byte(whole), &want); err != nil {
		t.Fatal(err)
	}
	want.OccurredAt = want.OccurredAt.UTC()
	if diff := cmp.Diff(want, r.Event); diff != "" {
		t.Errorf("(-encoding/json +wire):\n%s", diff)
	}
	for f, v := range reflect.ValueOf(r.Event).Fields() {
		if v.IsZero() {
			t.Errorf("%s is not in the test's event", f.Name)
		}
	}
}

func TestEventLimits(t *testing.T) {
	t.Parallel()
	pad := strings.Repeat(" ", MaxEvent-len(whole))
	if _, err := Event([]byte(whole + pad)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := Event([]byte(whole + pad + " ")); !fault.Is(err, fault.TooLarge) {
		t.Errorf("past the limit: %v", err)
	}
	deep := func(n int) []byte {
		return []byte(`{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}")
	}
	var m *Malformed
	if _, err := Event(deep(MaxDepth)); err != nil {
		t.Errorf("at the depth limit: %v", err)
	}
	if _, err := Event(deep(MaxDepth + 1)); !errors.As(err, &m) {
		t.Errorf("past the depth limit: %v", err)
	}
	many := "{"
	for i := range MaxFaults * 2 {
		many += `"x` + strings.Repeat("y", i) + `":1,`
	}
	r, err := Event([]byte(many + `"z":1}`))
	if err != nil || len(r.Faults) != MaxFaults {
		t.Errorf("%d faults reported, want %d (%v)", len(r.Faults), MaxFaults, err)
	}
}

func TestArray(t *testing.T) {
	t.Parallel()
	got, err := Array([]byte(` [ {"event_id":"a"} , 7, {"event_id":"b","adult":"yes"}, {"event_id":"c","sex":"` + strings.Repeat("x", MaxEvent) + `"} ] `))
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Event: survey.Event{EventID: "a"}},
		{Faults: []fault.Field{{Field: Whole, Message: "an object is wanted, not a number"}}},
		{Event: survey.Event{EventID: "b"}, Faults: []fault.Field{{Field: "adult", Message: "true or false is wanted, not a string"}}},
		{Event: survey.Event{EventID: "c"}, Faults: []fault.Field{{Field: Whole, Message: "an event is at most 64 KiB"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := Array([]byte("[]")); err != nil || len(got) != 0 {
		t.Errorf("empty: %v, %v", got, err)
	}
	full := "[" + strings.Repeat("{},", MaxBatch-1) + "{}"
	if got, err := Array([]byte(full + "]")); err != nil || len(got) != MaxBatch {
		t.Errorf("at the limit: %d events, %v", len(got), err)
	}
	if _, err := Array([]byte(full + ",{}]")); !fault.Is(err, fault.TooLarge) {
		t.Errorf("past the limit: %v", err)
	}
	for _, bad := range []string{"", "{}", "[{}", "[{},]", "[{}]]", "[,]", "[{} {}]", "nul"} {
		var m *Malformed
		if _, err := Array([]byte(bad)); !errors.As(err, &m) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestBounces(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	one, batch, err := Bounces([]byte(` {"message_id":"<a@example.org>","kind":"permanent","at":"2026-03-02T09:30:00Z"} `))
	if diff := cmp.Diff([]Bounce{{MessageID: "<a@example.org>", Kind: "permanent", At: at}}, one); diff != "" || batch || err != nil {
		t.Errorf("%v %v %s", batch, err, diff)
	}
	many, batch, err := Bounces([]byte(`[{"message_id":"a","kind":"transient"},{"messageid":"a","at":"now"},"a",{"message_id":7,"kind":"` + strings.Repeat("x", 10) + `"},{"message_id":"` + strings.Repeat("x", maxMessageID+1) + `","kind":"permanent"}]`))
	if !batch || err != nil {
		t.Fatal(batch, err)
	}
	var faults []string
	for _, b := range many {
		var names []string
		for _, f := range b.Faults {
			names = append(names, f.Field)
		}
		faults = append(faults, strings.Join(names, " "))
	}
	if diff := cmp.Diff([]string{"", "messageid at message_id kind", "record", "message_id kind", "message_id"}, faults); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "7", "{", `{"message_id":"a"} x`, "[{]"} {
		var m *Malformed
		if _, _, err := Bounces([]byte(bad)); !errors.As(err, &m) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	written := []fault.Field{{Field: "type", Message: "w"}, {Field: "contact.safe_days[1]", Message: "w"}}
	meant := []fault.Field{{Field: "type", Message: "m"}, {Field: "contact.safe_days", Message: "m"}, {Field: "force", Message: "m"}, {Field: "contact", Message: "m"}}
	want := append(append([]fault.Field(nil), written...), meant[2], meant[3])
	if diff := cmp.Diff(want, Join(written, meant)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	whole := []fault.Field{{Field: Whole, Message: "w"}}
	if diff := cmp.Diff(whole, Join(whole, meant)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-03-02T09:30:00Z":              "2026-03-02T09:30:00Z",
		"2026-07-02t09:30:00.5+01:00":       "2026-07-02T08:30:00.5Z",
		"2026-07-02T00:30:00.123456789-z":   "",
		"2026-07-02T00:30:00.1234567891Z":   "2026-07-02T00:30:00.123456789Z",
		"2024-02-29T00:00:00-23:59":         "2024-02-29T23:59:00Z",
		"2026-02-29T00:00:00Z":              "!29 February 2026 does not exist",
		"2026-13-01T00:00:00Z":              "!month 13 does not exist",
		"2026-00-01T00:00:00Z":              "!month 00 does not exist",
		"2026-01-00T00:00:00Z":              "!day 00 does not exist",
		"0000-01-01T00:00:00Z":              "!the year 0000 does not exist",
		"2026-01-01T24:00:00Z":              "!hour 24 does not exist",
		"2026-01-01T00:60:00Z":              "!minute 60 does not exist",
		"2026-01-01T00:00:60Z":              "!second 60 does not exist",
		"2026-01-01T00:00:00+24:00":         "!the offset from UTC does not exist",
		"2026-01-01T00:00:00":               "!has no offset from UTC",
		"2026-01-01T00:00:00.":              "",
		"2026-01-01T00:00Z":                 "",
		"2026-01-01 00:00:00Z":              "",
		"2026-01-01T0:00:00Z":               "",
		"2026-01-01T00:00:00+0100":          "",
		"2026-01-01":                        "",
		"yesterday":                         "",
		"٢٠٢٦-01-01T00:00:00Z":              "",
		" 2026-03-02T09:30:00Z":             "",
		"2026-03-02T09:30:00Z 2026":         "",
		"2026-03-02T-9:30:00Z":              "",
		"+026-03-02T09:30:00Z":              "",
		"99999-03-02T09:30:00Z":             "",
		"2026-03-02T09:30:00,5Z":            "",
		"2026-03-02T09:30:00\x00Z":          "",
		"2026-03-02T09:30:00+01:00:00":      "",
		"2026-03-02T09:30:00.000000000000Z": "2026-03-02T09:30:00Z",
	} {
		got, problem := Time(in)
		checkTime(t, in, want, wantedTime, got, problem)
	}
}

func TestLocalTime(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"2026-03-02T09:30:00Z": "2026-03-02T09:30:00Z",
		"2026-01-15 12:00":     "2026-01-15T12:00:00Z",
		"2026-07-15 12:00":     "2026-07-15T11:00:00Z",
		"15/07/2026 12:00":     "2026-07-15T11:00:00Z",
		"31/02/2026 10:00":     "!31 February 2026 does not exist",
		"02/13/2026 10:00":     "!month 13 does not exist; the day comes first",
		// Clocks go forward at 01:00 UTC on 29 March 2026, back at 01:00 UTC on 25 October.
		"29/03/2026 00:59":          "2026-03-29T00:59:00Z",
		"29/03/2026 01:00":          "!this local time does not exist",
		"2026-03-29 01:59":          "!this local time does not exist",
		"29/03/2026 02:00":          "2026-03-29T01:00:00Z",
		"25/10/2026 00:59":          "2026-10-24T23:59:00Z",
		"25/10/2026 01:00":          "!this local time happens twice, as the clocks go back; give an offset: 2026-10-25T01:00:00+01:00 or 2026-10-25T01:00:00Z",
		"2026-10-25 01:59":          "!this local time happens twice",
		"2026-10-25 02:00":          "2026-10-25T02:00:00Z",
		"2026-10-25T01:30:00+01:00": "2026-10-25T00:30:00Z",
		// Britain kept summer time from 1968 to 1971, and had double summer time in the war.
		"1970-01-01 00:00":    "1969-12-31T23:00:00Z",
		"1944-06-06 06:00":    "1944-06-06T04:00:00Z",
		"2026-01-15 12:00:00": "",
		"2026-01-15T12:00":    "",
		"15/7/2026 12:00":     "",
		"15-07-2026 12:00":    "",
		"15/07/26 12:00":      "",
		"15/07/2026":          "",
		"15/07/2026 12.00":    "",
		"":                    "",
	} {
		got, problem := LocalTime(in, london)
		checkTime(t, in, want, wantedLocal, got, problem)
	}
}

// checkTime: want is the time in RFC 3339, "!" and how the problem begins, or
// empty for the problem that only says how times are written.
func checkTime(t *testing.T, in, want, form string, got time.Time, problem string) {
	t.Helper()
	switch begin, isProblem := strings.CutPrefix(want, "!"); {
	case want == "":
		if problem != form {
			t.Errorf("%q: got %v, problem %q", in, got, problem)
		}
	case isProblem:
		if !strings.HasPrefix(problem, begin) {
			t.Errorf("%q: problem %q, want %q", in, problem, begin)
		}
	default:
		if problem != "" || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%q: got %v, problem %q, want %s", in, got, problem, want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"caseref": "case_ref", "case-ref": "case_ref", "occured_at": "occurred_at", "EventID": "", "typ": "type", "banana": "",
		"domestic_abuse_flag": "domestic_abuse", "emailsafe": "", "borogh": "borough", strings.Repeat("a", 5000): "", "": "",
	} {
		if got := Nearest(in, EventFields()); got != want {
			t.Errorf("%.30q: nearest %q, want %q", in, got, want)
		}
	}
}

// What this reader takes is valid JSON and Unicode, and encoding/json reads the
// same from it; what encoding/json refuses as syntax it refuses too.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(whole))
	for _, s := range []string{`{}`, `{"a":[1,-0.5e+7,null,{"b":"\ud800"}]}`, `{"event_id":"\ud800\udc00"}`, "{\"event_id\":\"\xff\"}", `{"contact":{"safe_days":[null,"mon"]}}`, `{"adult":true,"adult":false}`, `[`, `{"a":01}`, `{"occurred_at":""}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Event(data)
		if err != nil {
			var m *Malformed
			if errors.As(err, &m) && (m.Offset < 0 || m.Offset > len(data)) {
				t.Fatalf("offset %d of %d", m.Offset, len(data))
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted what is not JSON: %q", data)
		}
		for _, x := range r.Faults {
			if !utf8.ValidString(x.Field + x.Message) {
				t.Fatalf("fault is not UTF-8: %q", x)
			}
		}
		if len(r.Faults) > 0 {
			return
		}
		var want survey.Event
		if json.Unmarshal(data, &want) != nil {
			return // an empty time is absent to us, an error to it
		}
		want.OccurredAt = want.OccurredAt.UTC()
		if want.Contact != nil && want.Contact.SafeConfirmedAt != nil {
			*want.Contact.SafeConfirmedAt = want.Contact.SafeConfirmedAt.UTC()
		}
		if diff := cmp.Diff(want, r.Event); diff != "" {
			t.Fatalf("(-encoding/json +wire):\n%s", diff)
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	b.SetBytes(int64(len(whole)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := Event([]byte(whole)); err != nil || len(r.Faults) > 0 {
			b.Fatal(err, r.Faults)
		}
	}
}
