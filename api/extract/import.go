package extract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"victimvoice/api/internal/lanes"
	"victimvoice/api/wire"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Intake is where events go: the survey room.
type Intake interface {
	// Check normalises an event in place and gives every fault in it.
	Check(e *survey.Event) []fault.Field
	// Foresee says what Receive would do, and writes nothing.
	Foresee(ctx context.Context, e survey.Event) (survey.Status, error)
	// Receive takes an event in, idempotently by its id.
	Receive(ctx context.Context, e survey.Event) (survey.Receipt, error)
}

// The limits of an import.
const (
	DefaultWorkers = 64      // events of different cases written at once
	MaxListed      = 100_000 // rejections listed; those past it are only counted
)

// Options say how an import is done.
type Options struct {
	DryRun  bool           // say what would be done, write nothing
	Partial bool           // write the good records of a file that has bad ones
	Zone    *time.Location // of times without an offset; UTC when nil
	TempDir string         // where input that can't be read twice is kept meanwhile; the system's when empty
	Workers int            // DefaultWorkers when 0
}

// Rejection is one fault of one record.
type Rejection struct {
	Line    int    `json:"line"` // on which the record starts
	Field   string `json:"field"`
	Message string `json:"message"` // what would be right
}

// Report is what became of a file.
type Report struct {
	Rows      int         `json:"rows"`      // records, the header left out
	Valid     int         `json:"valid"`     // records that would be written, or were
	Accepted  int         `json:"accepted"`  // records written; 0 when nothing was
	Duplicate int         `json:"duplicate"` // the same event again, in the file or in the store: no fault
	Rejected  []Rejection `json:"rejected"`  // by line; every fault of a record has its own
	Unlisted  int         `json:"unlisted,omitempty"`
}

// Import reads a file of events, checks all of it and writes what is good. Unless
// o.Partial it writes nothing when anything was rejected; a fault of the header
// rejects the file in any case, since a column that is misspelt would bring in
// events without what they should say. An import that was interrupted is mended
// by running it again.
//
// The report is right as far as the import came when there is an error as well:
// fault.Unavailable when the store is away, fault.Conflict when the file changed
// between the two times it is read, the context's error when that ended.
//
// Memory holds a few dozen bytes a record. Input that is not a regular file is
// first copied into a temporary one that only this process can read.
func Import(ctx context.Context, to Intake, r io.Reader, format Format, o Options) (Report, error) {
	im := &importer{
		to: to, format: format, zone: o.Zone, workers: o.Workers,
		report: Report{Rejected: []Rejection{}}, seen: map[[16]byte][16]byte{},
	}
	if im.zone == nil {
		im.zone = time.UTC
	}
	if im.workers == 0 {
		im.workers = DefaultWorkers
	}
	file, done, err := twice(r, o.TempDir)
	if err != nil {
		return im.report, err
	}
	defer done()
	if im.format == Guess {
		if im.format, err = guess(file); err != nil {
			return im.report, err
		}
	}
	if err := im.foresee(ctx, file); err != nil {
		return im.finish(), err
	}
	if o.DryRun || im.headless || (len(im.report.Rejected) > 0 && !o.Partial) {
		return im.finish(), nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return im.finish(), fmt.Errorf("read the extract again: %w", err)
	}
	err = im.write(ctx, file)
	return im.finish(), err
}

type importer struct {
	to       Intake
	format   Format
	zone     *time.Location
	workers  int
	headless bool                  // the header has faults
	seen     map[[16]byte][16]byte // good events of the file: key to content

	mu     sync.Mutex // of what follows
	report Report
	skip   []uint64 // a bit for each record that is not to be written
}

// work is one good event on its way to a worker.
type work struct {
	row, line int
	event     survey.Event
	again     bool // the file has the same event before
}

// foresee goes through the file and writes nothing.
func (im *importer) foresee(ctx context.Context, file io.Reader) error {
	pool := lanes.New(ctx, im.workers, im.foreseeOne)
	err := im.read(file, pool, func(row int, rec *Record) *work {
		if rec.Header {
			im.headless = true
			row = noRow
		}
		faults := im.check(rec)
		if rec.Header || rec.Unread || len(faults) > 0 {
			im.reject(row, rec.Line, faults)
			return nil
		}
		key, content := digests(&rec.Event)
		earlier, again := im.seen[key]
		if again && earlier != content {
			im.reject(row, rec.Line, []fault.Field{{Field: "event_id", Message: "an earlier record of this file has the same event_id with other content; want a new event_id, or a corrected event"}})
			return nil
		}
		im.seen[key] = content
		return &work{row: row, line: rec.Line, event: rec.Event, again: again}
	})
	return errors.Join(err, pool.Wait())
}

func (im *importer) foreseeOne(ctx context.Context, w work) error {
	status, err := im.to.Foresee(ctx, w.event)
	if isRejection(err) {
		im.reject(w.row, w.line, fieldsOf(err, im.column))
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up the event of line %d: %w", w.line, err)
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	switch {
	case w.again:
		im.report.Duplicate++
		im.leaveOut(w.row)
	case status == survey.Duplicate:
		im.report.Duplicate++ // received again all the same: that mends one that a crash cut short
	default:
		im.report.Valid++
	}
	return nil
}

// write goes through the file again and writes what was found good.
func (im *importer) write(ctx context.Context, file io.Reader) error {
	changed := fault.New(fault.Conflict, "the file changed while it was being read; run the import again")
	intact := true
	pool := lanes.New(ctx, im.workers, im.writeOne)
	err := im.read(file, pool, func(row int, rec *Record) *work {
		if im.leftOut(row) || !intact {
			return nil
		}
		if faults := im.check(rec); len(faults) > 0 {
			intact = false
			return nil
		}
		key, content := digests(&rec.Event)
		if im.seen[key] != content {
			intact = false
			return nil
		}
		return &work{row: row, line: rec.Line, event: rec.Event}
	})
	err = errors.Join(err, pool.Wait())
	if err == nil && !intact {
		err = changed
	}
	return err
}

func (im *importer) writeOne(ctx context.Context, w work) error {
	receipt, err := im.to.Receive(ctx, w.event)
	if isRejection(err) { // somebody else wrote the same id since it was foreseen
		im.reject(w.row, w.line, fieldsOf(err, im.column))
		return nil
	}
	if err != nil {
		return fmt.Errorf("receive the event of line %d: %w", w.line, err)
	}
	if receipt.Status == survey.Accepted {
		im.mu.Lock()
		im.report.Accepted++
		im.mu.Unlock()
	}
	return nil
}

// read gives every record to pick, and what pick makes of it to the pool.
func (im *importer) read(file io.Reader, pool *lanes.Lanes[work], pick func(row int, rec *Record) *work) error {
	rows := 0
	for rec, err := range Read(file, im.format, im.zone) {
		if err != nil {
			return err
		}
		row := rows
		if !rec.Header {
			rows++
		}
		w := pick(row, &rec)
		if w != nil && !pool.Put(w.event.Force+"\x00"+w.event.CaseRef, *w) {
			break
		}
	}
	im.report.Rows = max(im.report.Rows, rows)
	return nil
}

// check gives the faults of a record's writing, then those of its meaning in
// fields that were written well.
func (im *importer) check(rec *Record) []fault.Field {
	if rec.Header || rec.Unread {
		return rec.Faults
	}
	meant := im.to.Check(&rec.Event)
	for i := range meant {
		meant[i].Field = im.column(meant[i].Field)
	}
	return wire.Join(rec.Faults, meant)
}

// column names a field as the file does.
func (im *importer) column(path string) string {
	if im.format == JSONL {
		return path
	}
	return columnOf(path)
}

func (im *importer) reject(row, line int, faults []fault.Field) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.leaveOut(row)
	for _, f := range faults {
		if len(im.report.Rejected) == MaxListed {
			im.report.Unlisted++
			continue
		}
		im.report.Rejected = append(im.report.Rejected, Rejection{Line: line, Field: f.Field, Message: f.Message})
	}
}

// noRow stands for the header, which is no record.
const noRow = -1

func (im *importer) leaveOut(row int) {
	if row == noRow {
		return
	}
	for row/64 >= len(im.skip) {
		im.skip = append(im.skip, 0)
	}
	im.skip[row/64] |= 1 << (row % 64)
}

func (im *importer) leftOut(row int) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return row/64 < len(im.skip) && im.skip[row/64]&(1<<(row%64)) != 0
}

func (im *importer) finish() Report {
	slices.SortStableFunc(im.report.Rejected, func(a, b Rejection) int { return a.Line - b.Line })
	if im.headless {
		im.report.Valid = 0 // whatever the records, none would be written
	}
	return im.report
}

// isRejection reports whether an error is about the event, and not about us.
func isRejection(err error) bool {
	return fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid)
}

// fieldsOf gives an error's field faults, each named as the file names it.
func fieldsOf(err error, column func(string) string) []fault.Field {
	fields := slices.Clone(fault.FieldsOf(err))
	for i := range fields {
		fields[i].Field = column(fields[i].Field)
	}
	if len(fields) == 0 {
		fields = []fault.Field{{Field: wire.Whole, Message: fault.MessageOf(err)}}
	}
	return fields
}

// digests are short hashes of what an event is known by and of all it says: two
// of them meeting by chance is out of reach.
func digests(e *survey.Event) (key, content [16]byte) {
	id := sha256.Sum256([]byte(e.Force + "\x00" + e.EventID))
	text, err := json.Marshal(e)
	if err != nil {
		// Only a time past the year 9999 can't be written, and none such passes Check.
		text = fmt.Appendf(nil, "%+v", e)
	}
	all := sha256.Sum256(text)
	return [16]byte(id[:16]), [16]byte(all[:16])
}

// guess tells the format by the first character and goes back to the start.
func guess(file io.ReadSeeker) (Format, error) {
	start := make([]byte, readSize)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Guess, fmt.Errorf("read the extract: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Guess, fmt.Errorf("read the extract: %w", err)
	}
	if s := bytes.TrimSpace(bytes.TrimPrefix(start[:n], bom)); len(s) > 0 && s[0] == '{' {
		return JSONL, nil
	}
	return CSV, nil
}

// twice makes what can be read from the start again. done must be called.
func twice(r io.Reader, dir string) (again io.ReadSeeker, done func(), err error) {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return f, func() {}, nil
		}
	} else if s, ok := r.(io.ReadSeeker); ok {
		return s, func() {}, nil
	}
	f, err := os.CreateTemp(dir, "victimvoice-import-*") // mode 0600
	if err != nil {
		return nil, nil, fmt.Errorf("keep the extract while it is checked: %w", err)
	}
	// Where the system allows it the name goes at once, so that not even a crash leaves the file.
	unnamed := os.Remove(f.Name()) == nil
	done = func() {
		_ = f.Close() // nothing of it is wanted any more
		if !unnamed {
			_ = os.Remove(f.Name())
		}
	}
	_, err = io.Copy(f, r)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("keep the extract while it is checked: %w", err)
	}
	return f, done, nil
}

// WriteText writes the report for a person: a line of totals, then a line a fault.
func (r Report) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d rows: %d valid, %d repeats, %d rejected; %d written\n", r.Rows, r.Valid, r.Duplicate, r.RejectedRows(), r.Accepted)
	for _, x := range r.Rejected {
		if err == nil {
			_, err = fmt.Fprintf(w, "line %d: %s: %s\n", x.Line, x.Field, x.Message)
		}
	}
	if err == nil && r.Unlisted > 0 {
		_, err = fmt.Fprintf(w, "and %d more faults\n", r.Unlisted)
	}
	return err
}

// RejectedRows counts the lines that have a listed fault.
func (r Report) RejectedRows() int {
	n, last := 0, -1
	for _, x := range r.Rejected {
		if x.Line != last {
			n, last = n+1, x.Line
		}
	}
	return n
}
