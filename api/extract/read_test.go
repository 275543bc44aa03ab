package extract

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"victimvoice/api/wire"
	"victimvoice/survey"
)

// Every column sets a value of its own, so none is forgotten in set.
func TestEveryColumnIsRead(t *testing.T) {
	t.Parallel()
	for _, column := range append(Columns(), "") {
		value := "en"
		switch {
		case strings.HasSuffix(column, "_at"):
			value = "2026-03-02T09:30:00Z"
		case column == "adult", column == "domestic_abuse", column == "contact_email_safe":
			value = "yes"
		}
		var e survey.Event
		var c survey.Contact
		problem := set(&e, &c, column, value, time.UTC)
		changed := 0
		for _, v := range []reflect.Value{reflect.ValueOf(e), reflect.ValueOf(c)} {
			for i := range v.NumField() {
				if !v.Field(i).IsZero() {
					changed++
				}
			}
		}
		if want := column != ""; (changed == 1) != want || (problem == "") != want {
			t.Errorf("column %q: %d fields set, problem %q", column, changed, problem)
		}
	}
}

// However the bytes come in, the records are the same.
func TestReadInPieces(t *testing.T) {
	t.Parallel()
	in := "\ufeffevent_id,case_ref,type,occurred_at,force,reason\r\nA1,\"C,1\",withdrew,2026-03-02T09:30:00Z,X,\"a \"\"b\"\"\r\n\r\nc\"\r\n\r\nA2,C2,withdrew,2026-03-02T09:30:00Z,X,\"d\" e\r\nA3,C3,withdrew,2026-03-02T09:30:00Z,X, \"f\" \r\nA4,\"C4"
	read := func(r io.Reader) (out []string) {
		for rec, err := range Read(r, CSV, time.UTC) {
			out = append(out, fmt.Sprintf("%d %s %s %q %v %v", rec.Line, rec.Event.EventID, rec.Event.CaseRef, rec.Event.Reason, rec.Faults, err))
		}
		return out
	}
	want := []string{
		`2 A1 C,1 "a \"b\" c" [] <nil>`,
		`6   "" [{record text follows a closing quote; a quote inside a quoted value is written twice}] <nil>`,
		`7 A3 C3 "f" [] <nil>`,
		`8   "" [{record a quoted value is not closed}] <nil>`,
	}
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(in), "one byte": iotest.OneByteReader(strings.NewReader(in)),
		"halves": iotest.HalfReader(strings.NewReader(in)), "data with EOF": iotest.DataErrReader(strings.NewReader(in)),
	} {
		if diff := cmp.Diff(want, read(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadErrorIsTheLastThingGiven(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{CSV, JSONL} {
		for _, start := range []string{"", "event_id,case_ref,type,occurred_at,force\n", "event_id,case_ref,type,occurred_at,force\nA,B"} {
			var last error
			n := 0
			for _, err := range Read(io.MultiReader(strings.NewReader(start), iotest.ErrReader(errPipe)), format, time.UTC) {
				last = err
				n++
			}
			if !errors.Is(last, errPipe) || n > 3 {
				t.Errorf("%s after %q: %d records, error %v", format, start, n, last)
			}
		}
	}
}

// A quote that nobody closes costs one record and bounded memory, not the file.
func TestStrayQuoteInALargeFile(t *testing.T) {
	t.Parallel()
	head := "event_id,case_ref,type,occurred_at,force\n"
	good := "A,C,reported,2026-03-02T09:30:00Z,X\n"
	in := io.MultiReader(strings.NewReader(head+"\"A,C,reported,2026-03-02T09:30:00Z,X\n"), strings.NewReader(strings.Repeat(good, 100_000)))
	tab := newTable(in)
	n, largest := 0, 0
	for r, ok := tab.next(); ok; r, ok = tab.next() {
		n++
		largest = max(largest, cap(tab.buf))
		if (r.problem != "") != (r.line == 2) {
			t.Fatalf("line %d: %q", r.line, r.problem)
		}
	}
	if n != 100_002 || largest > 8*wire.MaxEvent {
		t.Errorf("%d records, a buffer of %d bytes", n, largest)
	}
}

func TestLongRecords(t *testing.T) {
	t.Parallel()
	head := "event_id,case_ref,type,occurred_at,force\n"
	long := strings.Repeat("x", 5*wire.MaxEvent)
	good := "A,C,reported,2026-03-02T09:30:00Z,X\n"
	for name, in := range map[string]string{
		"csv bare": head + long + "\n" + good, "csv quoted": head + `"` + long + "\"\n" + good, "csv at the limit": head + long[:wire.MaxEvent+1] + "\n" + good,
		"csv last":   head + good + long,
		"lines":      `{"event_id":"` + long + "\"}\n{}",
		"lines last": "{}\n" + `{"event_id":"` + long,
	} {
		format := CSV
		if strings.HasPrefix(name, "lines") {
			format = JSONL
		}
		var bad, ok int
		for rec, err := range Read(strings.NewReader(in), format, time.UTC) {
			switch {
			case err != nil:
				t.Fatal(err)
			case len(rec.Faults) > 0 && rec.Faults[0].Field == wire.Whole:
				bad++
			default:
				ok++
			}
		}
		if bad != 1 || ok != 1 {
			t.Errorf("%s: %d bad, %d good", name, bad, ok)
		}
	}
	exact := `{"sex":"` + strings.Repeat("x", wire.MaxEvent-len(`{"sex":""}`)) + `"}`
	for rec, err := range Read(strings.NewReader(exact+"\r\n"+exact+"\n"), JSONL, time.UTC) {
		if len(rec.Faults) > 0 || err != nil {
			t.Errorf("a line of the largest size: %v %v", rec.Faults, err)
		}
	}
}

// What encoding/csv accepts, this reader reads alike (but for blanks around
// values and for records with nothing in them), on the same lines; and it never
// loses its place: lines grow, and every line of a file is in some record.
func FuzzTable(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a\r\n\"1\r\n2\"\r\n", `"a""b",c`, "\"a\n", "a\n\n\nb", " \"a\" , b ", "\"a\"b\n", "a\"b", ",\n,", "\"\"\"\"", "\"a\"\r\r\n", "\xff,\"\xfe\"", "\r", "\"\n\"\"\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		type rec struct {
			Line   int
			Values []string
		}
		var got []rec
		clean, last := true, 0
		tab := newTable(bytes.NewReader(in))
		for r, ok := tab.next(); ok; r, ok = tab.next() {
			if r.line <= last || r.line > bytes.Count(in, []byte{'\n'})+1 {
				t.Fatalf("a record on line %d after one on line %d", r.line, last)
			}
			last = r.line
			clean = clean && r.problem == ""
			values := []string{}
			for _, v := range r.values {
				values = append(values, strings.ReplaceAll(string(v), "\r\n", "\n"))
			}
			got = append(got, rec{r.line, values})
		}
		if tab.err != nil || len(tab.buf) > 0 {
			t.Fatalf("stopped early: %v, %d bytes left", tab.err, len(tab.buf))
		}
		std := csv.NewReader(bytes.NewReader(in))
		std.FieldsPerRecord = -1
		var want []rec
		for {
			fields, err := std.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			line, _ := std.FieldPos(0)
			for i := range fields {
				fields[i] = strings.TrimSpace(fields[i])
			}
			if slices.ContainsFunc(fields, func(s string) bool { return s != "" }) {
				want = append(want, rec{line, fields})
			}
		}
		if !clean {
			t.Fatalf("refused what encoding/csv takes: %q", in)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-encoding/csv +table):\n%s", diff)
		}
	})
}
