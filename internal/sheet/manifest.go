package sheet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"
)

// Manifest says what was taken away, so that whoever has it can tell whether it is
// whole: each file with its rows, bytes and checksum.
type Manifest struct {
	Made  time.Time      `json:"made"`
	Files []ManifestFile `json:"files"`
}

// ManifestFile is one file of a manifest.
type ManifestFile struct {
	Name    string `json:"name"`
	Rows    *int   `json:"rows,omitempty"` // of a table, its header not counted
	Columns *int   `json:"columns,omitempty"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
}

// Write writes the manifest as JSON.
func (m Manifest) Write(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	if err := out.Encode(m); err != nil {
		return fmt.Errorf("write a manifest: %w", err)
	}
	return nil
}

// Tally passes on what is written and keeps its size and checksum.
type Tally struct {
	to    io.Writer
	hash  hash.Hash
	bytes int64
}

// NewTally begins a tally of what is written to w.
func NewTally(w io.Writer) *Tally { return &Tally{to: w, hash: sha256.New()} }

// Write implements io.Writer.
func (t *Tally) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.bytes += int64(n)
	t.hash.Write(p[:n])
	return n, err //nolint:wrapcheck // the writer's own error, as io.Writer wants it
}

// File is the manifest's line of what was written so far. rows and columns are of a
// table; negative: it is none.
func (t *Tally) File(name string, rows, columns int) ManifestFile {
	f := ManifestFile{Name: name, Bytes: t.bytes, SHA256: hex.EncodeToString(t.hash.Sum(nil))}
	if rows >= 0 {
		f.Rows, f.Columns = &rows, &columns
	}
	return f
}
