package extract

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"victimvoice/api/internal/intaketest"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

var update = flag.Bool("update", false, "write what comes out into the test files")

func london(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// Each file of testdata/extracts is an extract above the dashes and the report
// of a partial import below. The same file is also imported without --partial,
// which must write all or nothing.
func TestExtracts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/extracts/*.txt")
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
			in, want, ok := bytes.Cut(raw, []byte("\n----\n"))
			if !ok {
				t.Fatal("no line of four dashes")
			}
			run := func(room *intaketest.Room, o Options) Report {
				o.Zone = london(t)
				r, err := Import(t.Context(), room, bytes.NewReader(in), Guess, o)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			some := intaketest.New(t)
			partial := run(some, Options{Partial: true})
			var text strings.Builder
			if err := partial.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, slices.Concat(in, []byte("\n----\n"+text.String())), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := len(some.Events()); got != partial.Accepted {
				t.Errorf("the store has %d events, the report says %d", got, partial.Accepted)
			}

			room := intaketest.New(t)
			dry := run(room, Options{DryRun: true})
			if dry.Accepted != 0 || len(room.Events()) != 0 {
				t.Errorf("a dry run wrote %d, reported %d", len(room.Events()), dry.Accepted)
			}
			all := run(room, Options{})
			wantWritten := all.Valid
			if len(all.Rejected) > 0 {
				wantWritten = 0
			}
			if all.Accepted != wantWritten || len(room.Events()) != wantWritten {
				t.Errorf("all or nothing wrote %d, reported %d, want %d", len(room.Events()), all.Accepted, wantWritten)
			}
			all.Accepted = partial.Accepted
			dry.Accepted = partial.Accepted
			if !cmp.Equal(all, partial) || !cmp.Equal(dry, partial) {
				t.Errorf("the three ways of importing report other things:\n%+v\n%+v\n%+v", partial, all, dry)
			}

			again := run(some, Options{Partial: true})
			if again.Accepted != 0 || again.Valid != 0 || again.Duplicate != partial.Accepted+partial.Duplicate {
				t.Errorf("again: %+v", again)
			}
		})
	}
}

// rows makes n good records, five to a case, in time order within each case.
func rows(n int) []byte {
	var b bytes.Buffer
	b.WriteString("event_id,case_ref,type,occurred_at,force,milestone,contact_email\n")
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for i := range n {
		kind, milestone := "reported", ""
		if i >= n/5 {
			kind, milestone = "investigation_progressed", "interview"
		}
		fmt.Fprintf(&b, "E%d,C%d,%s,%s,Metropolitan Police,%s,person%d@example.org\n", i, i%max(n/5, 1), kind, at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), milestone, i)
	}
	return b.Bytes()
}

func TestEventsOfOneCaseKeepTheFilesOrder(t *testing.T) {
	t.Parallel()
	room := intaketest.New(t)
	r, err := Import(t.Context(), room, bytes.NewReader(rows(1000)), CSV, Options{})
	if err != nil || r.Accepted != 1000 {
		t.Fatalf("%+v, %v", r, err)
	}
	last := map[string]time.Time{}
	for _, e := range room.Events() {
		if e.OccurredAt.Before(last[e.CaseRef]) {
			t.Fatalf("case %s: %v was written after %v", e.CaseRef, e.OccurredAt, last[e.CaseRef])
		}
		last[e.CaseRef] = e.OccurredAt
	}
}

// A store that goes away ends the import with what was written, and the same
// import again writes the rest.
func TestInterruptedImportIsMendedByRunningItAgain(t *testing.T) {
	t.Parallel()
	room := intaketest.New(t)
	var calls atomic.Int64
	room.Fail(func(survey.Event) error {
		if calls.Add(1) > 700 { // 500 are foreseen, 200 written
			return fault.New(fault.Unavailable, "the store is away")
		}
		return nil
	})
	r, err := Import(t.Context(), room, bytes.NewReader(rows(500)), CSV, Options{})
	if !fault.Is(err, fault.Unavailable) || r.Accepted != 200 || len(room.Events()) != 200 || r.Valid != 500 {
		t.Fatalf("%d events kept, %+v, error %v", len(room.Events()), r, err)
	}
	room.Fail(nil)
	r, err = Import(t.Context(), room, bytes.NewReader(rows(500)), CSV, Options{})
	if err != nil || r.Accepted != 300 || r.Duplicate != 200 || len(room.Events()) != 500 {
		t.Errorf("%d events kept, %+v, error %v", len(room.Events()), r, err)
	}
}

func TestStoreAwayFromTheStartWritesNothing(t *testing.T) {
	t.Parallel()
	room := intaketest.New(t)
	room.Fail(func(survey.Event) error { return fault.New(fault.Unavailable, "the store is away") })
	r, err := Import(t.Context(), room, bytes.NewReader(rows(500)), CSV, Options{Partial: true})
	if !fault.Is(err, fault.Unavailable) || r.Accepted != 0 || len(room.Events()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if strings.Contains(err.Error(), "example.org") {
		t.Errorf("the error tells who: %v", err)
	}
}

func TestCancelledImport(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	room := intaketest.New(t)
	var calls atomic.Int64
	room.Fail(func(survey.Event) error {
		if calls.Add(1) == 600 {
			cancel()
		}
		return nil
	})
	r, err := Import(ctx, room, bytes.NewReader(rows(500)), CSV, Options{})
	if !errors.Is(err, context.Canceled) || r.Accepted != len(room.Events()) || r.Accepted == 0 || r.Accepted == 500 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Somebody else may write between the two passes: that is reported, not lost.
func TestWrittenMeanwhileByOthers(t *testing.T) {
	t.Parallel()
	room := intaketest.New(t)
	var calls atomic.Int64
	room.Fail(func(e survey.Event) error {
		if calls.Add(1) > 10 && e.EventID == "E3" {
			return fault.New(fault.Conflict, "known with other content")
		}
		return nil
	})
	r, err := Import(t.Context(), room, bytes.NewReader(rows(10)), CSV, Options{})
	want := []Rejection{{Line: 5, Field: "record", Message: "known with other content"}}
	if err != nil || r.Valid != 10 || r.Accepted != 9 || !cmp.Equal(want, r.Rejected) {
		t.Errorf("%+v, %v", r, err)
	}
}

// changing is a file that someone edits after it was first read.
type changing struct {
	*bytes.Reader
	then []byte
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	c.Reset(c.then)
	return c.Reader.Seek(offset, whence)
}

func TestFileThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	room := intaketest.New(t)
	before := rows(200)
	after := bytes.Replace(before, []byte("E100,"), []byte("E999,"), 1)
	_, err := Import(t.Context(), room, &changing{bytes.NewReader(before), after}, CSV, Options{})
	if !fault.Is(err, fault.Conflict) || len(room.Events()) >= 200 {
		t.Errorf("%d events, error %v", len(room.Events()), err)
	}
}

// spying looks at the folder of temporary files while the input is still coming.
type spying struct {
	io.Reader
	dir   string
	names []string
}

func (s *spying) Read(p []byte) (int, error) {
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		s.names = append(s.names, e.Name())
	}
	return s.Reader.Read(p)
}

func TestStandardInputLeavesNoFileBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := &spying{Reader: bytes.NewReader(rows(2000)), dir: dir}
	r, err := Import(t.Context(), intaketest.New(t), in, Guess, Options{TempDir: dir})
	if err != nil || r.Accepted != 2000 {
		t.Errorf("%+v, %v", r, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 || len(in.names) > 0 {
		t.Errorf("left behind %v, seen on the way %v, error %v", left, in.names, err)
	}
	broken := io.MultiReader(bytes.NewReader(rows(10)), iotestErr{})
	if _, err := Import(t.Context(), intaketest.New(t), broken, CSV, Options{TempDir: dir}); !errors.Is(err, errPipe) {
		t.Errorf("a broken pipe gave %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind %v", left)
	}
}

var errPipe = errors.New("broken pipe")

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errPipe }

func TestImportReadsARegularFileInPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.csv")
	if err := os.WriteFile(path, rows(50), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	nowhere := filepath.Join(t.TempDir(), "absent")
	r, err := Import(t.Context(), intaketest.New(t), f, CSV, Options{TempDir: nowhere})
	if err != nil || r.Accepted != 50 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRejectionsAreListedUpToALimit(t *testing.T) {
	t.Parallel()
	im := &importer{}
	for range MaxListed + 5 {
		im.reject(0, 1, []fault.Field{{Field: "type", Message: "is missing"}})
	}
	if r := im.finish(); len(r.Rejected) != MaxListed || r.Unlisted != 5 {
		t.Errorf("%d listed, %d not", len(r.Rejected), r.Unlisted)
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Format{"a.csv": CSV, "b.CSV": CSV, "/x/c.jsonl": JSONL, "d.ndjson": JSONL, "-": Guess} {
		if got, err := FormatOf(name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"a.xlsx", "csv", "", "a.json"} {
		if _, err := FormatOf(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	in := rows(10_000)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Import(b.Context(), intaketest.New(b), bytes.NewReader(in), CSV, Options{DryRun: true})
		if err != nil || r.Valid != 10_000 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCheck is what one event of a file costs before the store is asked.
func BenchmarkCheck(b *testing.B) {
	room := intaketest.New(b)
	in := rows(1000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for rec, err := range Read(bytes.NewReader(in), CSV, time.UTC) {
			if err != nil || len(rec.Faults)+len(room.Check(&rec.Event)) > 0 {
				b.Fatal(rec, err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
