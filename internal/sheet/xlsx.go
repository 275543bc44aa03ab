package sheet

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"victimvoice/internal/fault"
)

// The limits of the format itself.
const (
	maxRows = 1_048_576 // of a sheet, the header's among them
	maxCell = 32_767    // UTF-16 units of a cell's text
)

// xlsxWriter writes XLSX. Rows go through a temporary file, so memory does not
// grow with them; the output is written at Close. A table longer than a sheet
// goes on in another, with the header again. The last sheet is the dictionary.
type xlsxWriter struct {
	to      io.Writer
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []Column
	rows    int // of a sheet; maxRows but in tests
	sheets  int
	row     int // last written in this sheet
	bold    int
	cells   []any
}

func newXLSX(w io.Writer, columns []Column) (Writer, error) {
	return newXLSXOf(w, columns, maxRows)
}

func newXLSXOf(w io.Writer, columns []Column, rows int) (*xlsxWriter, error) {
	x := &xlsxWriter{to: w, file: excelize.NewFile(), columns: columns, rows: rows, cells: make([]any, len(columns))}
	bold, err := x.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err == nil {
		x.bold = bold
		err = x.begin("data", columns)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write XLSX: %w", err), x.file.Close())
	}
	return x, nil
}

// begin starts a sheet with its header, which stays in sight.
func (x *xlsxWriter) begin(name string, columns []Column) error {
	var err error
	if x.sheets == 0 {
		err = x.file.SetSheetName(x.file.GetSheetName(0), name)
	} else {
		_, err = x.file.NewSheet(name)
	}
	if err != nil {
		return fmt.Errorf("add a sheet: %w", err)
	}
	x.sheets++
	x.row = 0
	if x.stream, err = x.file.NewStreamWriter(name); err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	if err := x.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	header := make([]any, len(columns))
	for i, c := range columns {
		header[i] = Safe(c.ID)
	}
	return x.put(header, excelize.RowOpts{StyleID: x.bold})
}

func (x *xlsxWriter) put(cells []any, opts ...excelize.RowOpts) error {
	x.row++
	if err := x.stream.SetRow("A"+strconv.Itoa(x.row), cells, opts...); err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	return nil
}

// Row writes a row; a text that does not fit into a cell is fault.TooLarge.
func (x *xlsxWriter) Row(values ...any) error {
	if len(values) != len(x.cells) {
		return wrongWidth(len(values), len(x.cells))
	}
	if x.row == x.rows {
		if err := x.stream.Flush(); err != nil {
			return fmt.Errorf("write XLSX: %w", err)
		}
		if err := x.begin("data "+strconv.Itoa(x.sheets+1), x.columns); err != nil {
			return err
		}
	}
	return x.putValues(x.cells, values)
}

// putValues writes a row of values, in cells that are used again.
func (x *xlsxWriter) putValues(cells, values []any) error {
	for i, v := range values {
		cell, err := cellOf(v)
		if err != nil {
			return err
		}
		cells[i] = cell
	}
	return x.put(cells)
}

func cellOf(v any) (any, error) {
	if number, ok := digits(v); ok {
		r := reflect.ValueOf(v)
		switch {
		case number == "":
			return nil, nil
		case r.CanInt():
			return r.Int(), nil
		case r.CanUint():
			return r.Uint(), nil
		case r.Kind() == reflect.Float32:
			return float32(r.Float()), nil
		default:
			return r.Float(), nil
		}
	}
	switch v.(type) {
	case nil, bool:
		return v, nil
	}
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	if s = Safe(s); len(s) > maxCell && len(utf16.Encode([]rune(s))) > maxCell {
		return nil, fault.New(fault.TooLarge, "a text is longer than a cell of XLSX can hold; take csv or jsonl")
	}
	return emptyNil(s), nil
}

// Close adds the dictionary, writes the file and removes what was temporary.
func (x *xlsxWriter) Close() error {
	return errors.Join(x.finish(), x.Discard())
}

// Discard removes what was temporary and writes nothing.
func (x *xlsxWriter) Discard() error {
	if err := x.file.Close(); err != nil {
		return fmt.Errorf("remove what was temporary: %w", err)
	}
	return nil
}

func (x *xlsxWriter) finish() error {
	if err := x.stream.Flush(); err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	if err := x.begin("dictionary", dictionaryColumns()); err != nil {
		return err
	}
	cells := make([]any, len(dictionaryColumns()))
	for _, c := range x.columns {
		if err := x.putValues(cells, c.describe()); err != nil {
			return err
		}
	}
	if err := x.stream.Flush(); err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	if _, err := x.file.WriteTo(x.to); err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	return nil
}
