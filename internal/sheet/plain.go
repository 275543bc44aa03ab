package sheet

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"time"
)

// csvWriter writes CSV.
type csvWriter struct {
	out   *csv.Writer
	cells []string
}

func newCSV(w io.Writer, columns []Column) (Writer, error) {
	c := &csvWriter{out: csv.NewWriter(w), cells: make([]string, len(columns))}
	for i, col := range columns {
		c.cells[i] = Safe(col.ID)
	}
	return c, c.write()
}

func (c *csvWriter) write() error {
	if err := c.out.Write(c.cells); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (c *csvWriter) Row(values ...any) error {
	if len(values) != len(c.cells) {
		return wrongWidth(len(values), len(c.cells))
	}
	for i, v := range values {
		number, isNumber := digits(v)
		switch {
		case v == nil:
			c.cells[i] = ""
		case isNumber:
			c.cells[i] = number
		default:
			if b, ok := v.(bool); ok {
				c.cells[i] = strconv.FormatBool(b)
				continue
			}
			s, err := text(v)
			if err != nil {
				return err
			}
			c.cells[i] = Safe(s)
		}
	}
	return c.write()
}

func (c *csvWriter) Close() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// Discard writes no more.
func (c *csvWriter) Discard() error { return nil }

// digits writes a number; what is no number, or is none that can be written
// (infinite, or not a number), is empty.
func digits(v any) (string, bool) {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return "", false
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10), true
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10), true
	case r.CanFloat():
		if f := r.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			bits := 64
			if r.Kind() == reflect.Float32 {
				bits = 32
			}
			return strconv.FormatFloat(f, 'f', -1, bits), true
		}
		return "", true
	}
	return "", false
}

// jsonlWriter writes a JSON object a line, its keys in the order of the columns.
// An empty cell is null.
type jsonlWriter struct {
	out  *bufio.Writer
	keys [][]byte
	line []byte
}

func newJSONL(w io.Writer, columns []Column) (Writer, error) {
	j := &jsonlWriter{out: bufio.NewWriter(w)}
	for i, c := range columns {
		key, err := json.Marshal(c.ID)
		if err != nil {
			return nil, fmt.Errorf("write JSON: %w", err)
		}
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		j.keys = append(j.keys, append(append([]byte{before}, key...), ':'))
	}
	return j, nil
}

func (j *jsonlWriter) Row(values ...any) error {
	if len(values) != len(j.keys) {
		return wrongWidth(len(values), len(j.keys))
	}
	j.line = j.line[:0]
	for i, v := range values {
		number, isNumber := digits(v)
		if t, ok := v.(time.Time); ok && t.IsZero() || isNumber && number == "" {
			v = nil
		}
		j.line = append(j.line, j.keys[i]...)
		switch v := v.(type) {
		case nil:
			j.line = append(j.line, "null"...)
		case bool:
			j.line = strconv.AppendBool(j.line, v)
		case []string:
			if v == nil {
				v = []string{}
			}
			list, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("write JSON: %w", err)
			}
			j.line = append(j.line, list...)
		default:
			if isNumber {
				j.line = append(j.line, number...)
				continue
			}
			s, err := text(v)
			if err != nil {
				return err
			}
			quoted, err := json.Marshal(s)
			if err != nil {
				return fmt.Errorf("write JSON: %w", err)
			}
			j.line = append(j.line, quoted...)
		}
	}
	if len(values) == 0 {
		j.line = append(j.line, '{')
	}
	j.line = append(j.line, '}', '\n')
	if _, err := j.out.Write(j.line); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

func (j *jsonlWriter) Close() error {
	if err := j.out.Flush(); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// Discard writes no more.
func (j *jsonlWriter) Discard() error { return nil }
