package redact

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"victimvoice/internal/fault"
)

// MaxLine is the longest line that Lines reads, in bytes.
const MaxLine = 1 << 20

// Lines redacts JSON lines {"id","text"} to {"id","text","redactions"} in the
// same order; offsets are of the original text. A line that cannot be read is
// fault.Invalid and names its number; what came before it is written.
func Lines(ctx context.Context, r io.Reader, w io.Writer) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 64<<10), MaxLine)
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	line := 0
	for scan.Scan() {
		line++
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("redact: %w", err)
		}
		if len(scan.Bytes()) == 0 {
			continue
		}
		var in struct {
			ID   json.RawMessage `json:"id"`
			Text *string         `json:"text"`
		}
		if !utf8.Valid(scan.Bytes()) {
			return bad(out, line, "is not UTF-8")
		}
		if err := json.Unmarshal(scan.Bytes(), &in); err != nil || in.Text == nil {
			return bad(out, line, `is not an object such as {"id":"1","text":"…"}`)
		}
		text, redactions := Redact(*in.Text)
		if err := enc.Encode(struct {
			ID         json.RawMessage `json:"id"`
			Text       string          `json:"text"`
			Redactions []Redaction     `json:"redactions"`
		}{in.ID, text, redactions}); err != nil {
			return fmt.Errorf("write a redacted line: %w", err)
		}
	}
	if err := scan.Err(); err != nil {
		return bad(out, line+1, fmt.Sprintf("cannot be read, or is longer than %d bytes", MaxLine))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write redacted lines: %w", err)
	}
	return nil
}

func bad(out *bufio.Writer, line int, why string) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write redacted lines: %w", err)
	}
	return fault.New(fault.Invalid, "line %d %s", line, why)
}
