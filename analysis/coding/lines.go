package coding

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"victimvoice/internal/fault"
)

// MaxLineBytes is the longest JSON line that is read: a text of 1 MB with room
// for its id and for escapes.
const MaxLineBytes = 4 << 20

// CodeLines reads one {"id","text"} a JSON line and writes one {"id","labels"} a
// line in the same order, with "unsure" where there is what a person should judge, the id as it came. Blank lines are passed over. A line
// that is no such object or is longer than [MaxLineBytes] ends the work with a
// [fault.Invalid] or [fault.TooLarge] error that names the line by number, never
// by content; what was read before it is written. A cancelled context ends it
// with the context's error.
func CodeLines(ctx context.Context, c *Coder, r io.Reader, w io.Writer) error {
	return codeLines(ctx, r, w, func(text string) any { return c.Read(text) })
}

// ExplainLines is [CodeLines] with the reasons of each label.
func ExplainLines(ctx context.Context, c *Coder, r io.Reader, w io.Writer) error {
	return codeLines(ctx, r, w, func(text string) any { return c.Explain(text) })
}

// writeCoded writes one line: the id as it came, then the fields of what was
// made of the text.
func writeCoded(out *bufio.Writer, id json.RawMessage, made any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(made); err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	for _, part := range [][]byte{[]byte(`{"id":`), bytes.TrimSpace(id), []byte(","), b.Bytes()[1:]} {
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("write labels: %w", err)
		}
	}
	return nil
}

const needBoth = `must have an "id", a string or number, and a "text", a string`

// isID reports whether a JSON value is a string or a number.
func isID(v json.RawMessage) bool {
	return len(v) > 0 && (v[0] == '"' || v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}

// lineFault names a bad line by its number. A decoder's own error goes no
// further: it may quote what somebody wrote.
func lineFault(n int, message string) error {
	return fault.New(fault.Invalid, "line %d: %s", n, message)
}

// eachLine calls do for each line that is not blank.
func eachLine(ctx context.Context, r io.Reader, do func(n int, line []byte) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), MaxLineBytes)
	n := 0
	for in.Scan() {
		n++
		if err := ctx.Err(); err != nil {
			return err
		}
		line := bytes.TrimSpace(in.Bytes())
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(line) == 0 {
			continue
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fault.New(fault.TooLarge, "line %d: is longer than %d bytes", n+1, MaxLineBytes)
	case err != nil:
		return fmt.Errorf("read line %d: %w", n+1, err)
	}
	return nil
}
