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

// coded is one line of output.
type coded struct {
	ID     json.RawMessage `json:"id"` // as it came: a string or a number
	Labels []Label         `json:"labels"`
}

// CodeLines reads one {"id","text"} a JSON line and writes one {"id","labels"} a
// line in the same order, the id as it came. Blank lines are passed over. A line
// that is no such object or is longer than [MaxLineBytes] ends the work with a
// [fault.Invalid] or [fault.TooLarge] error that names the line by number, never
// by content; what was read before it is written. A cancelled context ends it
// with the context's error.
func CodeLines(ctx context.Context, c *Coder, r io.Reader, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := eachLine(ctx, r, func(n int, line []byte) error {
		var item struct {
			ID   json.RawMessage `json:"id"`
			Text *string         `json:"text"`
		}
		if err := json.Unmarshal(line, &item); err != nil {
			return lineFault(n, `must be a JSON object {"id": "...", "text": "..."}`)
		}
		if !isID(item.ID) || item.Text == nil {
			return lineFault(n, needBoth)
		}
		if err := enc.Encode(coded{ID: item.ID, Labels: c.Code(*item.Text)}); err != nil {
			return fmt.Errorf("write labels: %w", err)
		}
		return nil
	})
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("write labels: %w", flushErr)
	}
	return err
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
