package sheet

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// Table is a table as a whole: its columns and, as a stream that can be read more than
// once, its rows.
type Table struct {
	Columns []Column
	Rows    iter.Seq2[[]any, error]
}

// Rows makes a stream of rows that are there already.
func Rows(rows [][]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Write writes the table. An error of its rows ends it; what has been written by then
// is not a whole table.
func (t Table) Write(format Format, w io.Writer) error {
	out, err := New(format, w, t.Columns)
	if err != nil {
		return fmt.Errorf("begin a table: %w", err)
	}
	for row, err := range t.Rows {
		if err == nil {
			err = out.Row(row...)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("write a table: %w", err), out.Discard())
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("end a table: %w", err)
	}
	return nil
}
