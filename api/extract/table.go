package extract

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"victimvoice/api/wire"
)

// table reads comma-separated records (RFC 4180) as extracts have them. It is
// not encoding/csv because that gives no line for a record that it refuses, has
// no limit on a record (one stray quote reads a whole file into memory), and does
// not find its way again behind a fault. Blanks around a value, quoted or not,
// are no part of it; a quote inside an unquoted value stands for itself.
type table struct {
	src  io.Reader
	buf  []byte // what was read and not yet taken
	line int    // of buf[0], from 1
	eof  bool
	err  error // of src
}

// row is one record. A row with a problem has no values.
type row struct {
	line    int // on which it starts
	values  [][]byte
	problem string
}

const readSize = 32 << 10

func newTable(src io.Reader) *table { return &table{src: src, line: 1} }

// next gives the next record that holds anything; ok is false at the end and
// when src fails.
func (t *table) next() (r row, ok bool) {
	for {
		n, values, problem := t.parse()
		if t.err != nil || (n == 0 && problem == "") {
			return row{}, false
		}
		r = row{line: t.line, values: values, problem: problem}
		if problem != "" {
			n = t.firstLine()
		}
		t.take(n)
		if problem != "" || !blank(values) {
			return r, t.err == nil
		}
	}
}

// parse reads one record from the start of buf, filling it as needed. n is 0 at
// the end of the input. The values are good until the next call.
func (t *table) parse() (n int, values [][]byte, problem string) {
	for {
		if len(t.buf) > 0 {
			n, values, problem, complete := split(t.buf, t.eof)
			switch {
			case n > wire.MaxEvent, !complete && problem == "" && len(t.buf) > wire.MaxEvent:
				return 0, nil, tooLong
			case complete, len(t.buf) > wire.MaxEvent:
				return n, values, problem
			}
		} else if t.eof {
			return 0, nil, ""
		}
		if !t.fill() {
			return 0, nil, ""
		}
	}
}

var tooLong = fmt.Sprintf("a record is at most %d KiB", wire.MaxEvent>>10)

// fill reads more; false when src failed.
func (t *table) fill() bool {
	if cap(t.buf)-len(t.buf) < readSize {
		t.buf = append(make([]byte, 0, len(t.buf)+4*readSize), t.buf...)
	}
	n, err := io.ReadAtLeast(t.src, t.buf[len(t.buf):cap(t.buf)], 1)
	t.buf = t.buf[:len(t.buf)+n]
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		t.eof = true
	default:
		t.err = err
		return false
	}
	return true
}

// take moves past n bytes.
func (t *table) take(n int) {
	t.line += bytes.Count(t.buf[:n], []byte{'\n'})
	t.buf = t.buf[n:]
}

// firstLine is the length of the line that buf starts with: where reading goes
// on behind a fault. What is in buf of a line longer than that is thrown away.
func (t *table) firstLine() int {
	for {
		if i := bytes.IndexByte(t.buf, '\n'); i >= 0 {
			return i + 1
		}
		if t.eof {
			return len(t.buf)
		}
		t.buf = t.buf[:0]
		if !t.fill() {
			return 0
		}
	}
}

const (
	unclosed    = "a quoted value is not closed"
	afterQuotes = "text follows a closing quote; a quote inside a quoted value is written twice"
)

// split parses one record at the start of b. complete is false when more of the
// input is needed to tell; problem is then what it would be if none came.
func split(b []byte, eof bool) (n int, values [][]byte, problem string, complete bool) {
	i := 0
	for {
		start := i
		for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
			i++
		}
		var value []byte
		if i < len(b) && b[i] == '"' {
			i++
			from := i
			for {
				q := bytes.IndexByte(b[i:], '"')
				if q < 0 || (i+q+1 == len(b) && !eof) {
					return 0, nil, unclosed, eof
				}
				value = append(value, b[from:i+q]...)
				i += q + 1
				if i == len(b) || b[i] != '"' {
					break
				}
				from = i // the second quote of two is the value's
				i++
			}
			for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r') {
				i++
			}
			if i < len(b) && b[i] != ',' && b[i] != '\n' {
				return 0, nil, afterQuotes, true
			}
		} else {
			end := bytes.IndexAny(b[i:], ",\n")
			if end < 0 {
				end = len(b) - i
			}
			i += end
			value = b[start:i]
		}
		if i == len(b) && !eof {
			return 0, nil, "", false
		}
		values = append(values, bytes.TrimSpace(value))
		if i == len(b) {
			return i, values, "", true
		}
		i++
		if b[i-1] == '\n' {
			return i, values, "", true
		}
	}
}

func blank(values [][]byte) bool {
	for _, v := range values {
		if len(v) > 0 {
			return false
		}
	}
	return true
}
