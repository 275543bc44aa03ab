package redact

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

// redacted is one line of output.
type redacted struct {
	ID         json.RawMessage `json:"id"` // as it came: a string or a number
	Text       string          `json:"text"`
	Redactions []Redaction     `json:"redactions"` // offsets refer to the original text
}

// Lines reads one {"id","text"} a JSON line and writes one
// {"id","text","redactions"} a line in the same order, the id as it came. Blank lines are passed over. A line that is no such object or
// is longer than [MaxLineBytes] ends the work with a [fault.Invalid] or
// [fault.TooLarge] error that names the line by number, never by content.
func Lines(ctx context.Context, r io.Reader, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := lines(ctx, r, enc)
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("write redacted text: %w", flushErr)
	}
	return err
}

func lines(ctx context.Context, r io.Reader, enc *json.Encoder) error {
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
		var item struct {
			ID   json.RawMessage `json:"id"`
			Text *string         `json:"text"`
		}
		// The decoder's own error may quote the text, so it goes no further.
		if err := json.Unmarshal(line, &item); err != nil {
			return fault.New(fault.Invalid, `line %d: must be a JSON object {"id": "...", "text": "..."}`, n)
		}
		if !isID(item.ID) || item.Text == nil {
			return fault.New(fault.Invalid, `line %d: must have an "id", a string or number, and a "text", a string`, n)
		}
		text, taken := Redact(*item.Text)
		if err := enc.Encode(redacted{ID: item.ID, Text: text, Redactions: taken}); err != nil {
			return fmt.Errorf("write redacted text: %w", err)
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

// isID reports whether a JSON value is a string or a number.
func isID(v json.RawMessage) bool {
	return len(v) > 0 && (v[0] == '"' || v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}
