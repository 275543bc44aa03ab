package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"victimvoice/internal/fault"
)

type count int

var columns = []Column{
	{ID: "id", Title: "Response", Type: "text", Meaning: "a pseudonym"},
	{ID: "c1", Title: "=Kept informed", Type: "code", Values: []string{"yes = yes", "no = no"}, Source: "report/1"},
	{ID: "n", Type: "integer", Unit: "answers"},
	{ID: "at", Type: "time"},
	{ID: "why", Title: "Why", Type: "text", Personal: true},
}

var table = [][]any{
	{"a", "yes", 3, time.Date(2026, 7, 2, 9, 30, 0, 0, time.FixedZone("BST", 3600)), "plain, \"quoted\"\nand on"},
	{"=1+1", "+44", -5, time.Time{}, "-nothing"},
	{"@x", nil, count(7), nil, "\tafter a tab"},
	{"é <&> 日本", []string{"b", "c"}, 2.5, nil, "bad \xff byte"},
	{"", []string{}, math.NaN(), nil, true},
	{"-1", "’", uint8(9), nil, float32(0.1)},
}

func write(t *testing.T, f Format) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := New(f, &out, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var header = []string{"id", "c1", "n", "at", "why"}

var asText = [][]string{
	header,
	{"a", "yes", "3", "2026-07-02T08:30:00Z", "plain, \"quoted\"\nand on"},
	{"'=1+1", "'+44", "-5", "", "'-nothing"},
	{"'@x", "", "7", "", "'\tafter a tab"},
	{"é <&> 日本", "b|c", "2.5", "", "bad � byte"},
	{"", "", "", "", "true"},
	{"'-1", "’", "9", "", "0.1"},
}

func TestCSV(t *testing.T) {
	t.Parallel()
	got, err := csv.NewReader(bytes.NewReader(write(t, CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asText, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONL(t *testing.T) {
	t.Parallel()
	want := `{"id":"a","c1":"yes","n":3,"at":"2026-07-02T08:30:00Z","why":"plain, \"quoted\"\nand on"}
{"id":"=1+1","c1":"+44","n":-5,"at":null,"why":"-nothing"}
{"id":"@x","c1":null,"n":7,"at":null,"why":"\tafter a tab"}
{"id":"é \u003c\u0026\u003e 日本","c1":["b","c"],"n":2.5,"at":null,"why":"bad � byte"}
{"id":"","c1":[],"n":null,"at":null,"why":true}
{"id":"-1","c1":"’","n":9,"at":null,"why":0.1}
`
	got := write(t, JSONL)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for line := range bytes.Lines(got) {
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// rowsOf gives a sheet's rows, each as wide as the header.
func rowsOf(t *testing.T, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		for len(rows[i]) < len(rows[0]) {
			rows[i] = append(rows[i], "")
		}
	}
	return rows
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	f := open(t, write(t, XLSX))
	if diff := cmp.Diff([]string{"data", "dictionary"}, f.GetSheetList()); diff != "" {
		t.Fatalf("sheets (-want +got):\n%s", diff)
	}
	want := append([][]string(nil), asText...)
	want[5] = []string{"", "", "", "", "TRUE"}
	if diff := cmp.Diff(want, rowsOf(t, f, "data")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for cell, want := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "C2": excelize.CellTypeUnset, "C3": excelize.CellTypeUnset, "E6": excelize.CellTypeBool} {
		if got, err := f.GetCellType("data", cell); got != want || err != nil {
			t.Errorf("%s is of type %v, want %v (%v)", cell, got, want, err)
		}
		if formula, err := f.GetCellFormula("data", cell); formula != "" || err != nil {
			t.Errorf("%s has formula %q (%v)", cell, formula, err)
		}
	}
	dictionary := rowsOf(t, f, "dictionary")
	wantRow := []string{"c1", "'=Kept informed", "code", "", "yes = yes; no = no", "", "report/1", "FALSE"}
	if len(dictionary) != len(columns)+1 || !cmp.Equal(wantRow, dictionary[2]) {
		t.Errorf("dictionary: %q", dictionary)
	}
}

func TestXLSXGoesOnInAnotherSheet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := newXLSXOf(&out, columns[:1], 3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := w.Row(fmt.Sprint("r", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := open(t, out.Bytes())
	for sheet, want := range map[string][][]string{"data": {{"id"}, {"r0"}, {"r1"}}, "data 2": {{"id"}, {"r2"}, {"r3"}}, "data 3": {{"id"}, {"r4"}}} {
		if diff := cmp.Diff(want, rowsOf(t, f, sheet)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sheet, diff)
		}
	}
	if got := f.GetSheetList(); len(got) != 4 {
		t.Errorf("sheets %q", got)
	}
}

func TestXLSXRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for text, fits := range map[string]bool{strings.Repeat("x", maxCell): true, strings.Repeat("x", maxCell+1): false, strings.Repeat("é", maxCell): true, strings.Repeat("😀", maxCell/2+1): false, "=" + strings.Repeat("x", maxCell-1): false} {
		var out bytes.Buffer
		w, err := New(XLSX, &out, columns[:1])
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row(text); fits != (err == nil) || (!fits && !fault.Is(err, fault.TooLarge)) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
		if err := w.Discard(); err != nil || out.Len() > 0 {
			t.Errorf("discarded with %d bytes written, %v", out.Len(), err)
		}
	}
}

// The temporary file of a large table goes away, also when it is given up.
func TestXLSXLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, end := range []func(Writer) error{Writer.Close, Writer.Discard} {
		var out bytes.Buffer
		w, err := New(XLSX, &out, columns[4:])
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("words ", 1000)
		for range 4000 { // 24 MB: past what is kept in memory
			if err := w.Row(long); err != nil {
				t.Fatal(err)
			}
		}
		if held, err := os.ReadDir(dir); err != nil || len(held) == 0 {
			t.Errorf("no temporary file: the table is held in memory (%v)", err)
		}
		if err := end(w); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	}
}

func TestDictionary(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Dictionary(CSV, &out, columns[:2]); err != nil {
		t.Fatal(err)
	}
	want := "column,title,type,unit,values,meaning,source,personal\nid,Response,text,,,a pseudonym,,false\nc1,'=Kept informed,code,,yes = yes; no = no,,report/1,false\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type brokenPipe struct{ after int }

var errBroken = errors.New("broken pipe")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{CSV, JSONL, XLSX} {
		w, err := New(f, &brokenPipe{after: 100}, columns[:1])
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row("a", "b"); err == nil {
			t.Errorf("%s: a row that is too wide was taken", f)
		}
		if err := w.Row(struct{}{}); err == nil {
			t.Errorf("%s: a struct was taken", f)
		}
		err = nil
		for range 10_000 {
			err = errors.Join(err, w.Row(strings.Repeat("x", 100)))
		}
		if err = errors.Join(err, w.Close()); !errors.Is(err, errBroken) {
			t.Errorf("%s: a broken pipe gave %v", f, err)
		}
	}
	if _, err := New("pdf", &bytes.Buffer{}, columns); !fault.Is(err, fault.Invalid) {
		t.Errorf("pdf: %v", err)
	}
	if _, err := New(CSV, &bytes.Buffer{}, []Column{{ID: "a"}, {ID: "a"}}); err == nil {
		t.Error("two columns of one id were taken")
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Format{"": CSV, "csv": CSV, "XLSX": XLSX, "jsonl": JSONL} {
		if got, err := ParseFormat(in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := ParseFormat("ods"); !fault.Is(err, fault.Invalid) || len(fault.FieldsOf(err)) != 1 {
		t.Errorf("ods: %v", err)
	}
	for _, f := range []Format{CSV, JSONL, XLSX} {
		if f.MediaType() == "" {
			t.Errorf("%s has no media type", f)
		}
	}
}

// Whatever the text, a spreadsheet reads a text, and taking the apostrophe away
// gives the text back.
func FuzzSafe(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "＝1", " =1", "\n=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		if strings.ContainsAny(got[:min(1, len(got))], "=+-@\t\r\n") {
			t.Errorf("%q is not safe", got)
		}
		if got != s && got != "'"+s {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func BenchmarkRow(b *testing.B) {
	for _, f := range []Format{CSV, JSONL, XLSX} {
		b.Run(string(f), func(b *testing.B) {
			w, err := New(f, &bytes.Buffer{}, columns)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Row(table[0]...); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Discard(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
