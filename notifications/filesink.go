package notifications

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"victimvoice/internal/fault"
)

// FileSink writes each mail to a file of its own in a folder: the default for
// development, and a way to hand mail to a system that picks files up.
type FileSink struct {
	dir string
	now func() time.Time
}

// OpenFileSink makes a sink for a folder, and the folder when it is missing
// (readable by its owner alone). fault.Invalid when that can't be done.
func OpenFileSink(dir string, now func() time.Time) (*FileSink, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the mail folder can't be made")
	}
	return &FileSink{dir, now}, nil
}

// Send writes the mail as one .eml file, named after the time and the mail's
// id. The file appears whole or not at all, and survives a power cut once Send
// has returned.
func (s *FileSink) Send(ctx context.Context, e Envelope) error {
	if err := ctx.Err(); err != nil {
		return &SendError{Stage: "file", Err: err}
	}
	name := s.now().UTC().Format("20060102T150405.000000000Z") + "-" + fileID(e.MessageID) + ".eml"
	if err := s.write(name, e.Raw); err != nil {
		return &SendError{Stage: "file", Config: true, Err: err}
	}
	return nil
}

// Ping writes and removes a file.
func (s *FileSink) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &SendError{Stage: "file", Err: err}
	}
	f, err := os.CreateTemp(s.dir, ".ping-*")
	if err != nil {
		return &SendError{Stage: "file", Config: true, Err: err}
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return &SendError{Stage: "file", Config: true, Err: err}
	}
	return nil
}

// Close does nothing: no file is held open between mails.
func (s *FileSink) Close() error { return nil }

func (s *FileSink) write(name string, raw []byte) (err error) {
	f, err := os.CreateTemp(s.dir, ".mail-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // closed already, or broken: err says why
			_ = os.Remove(f.Name()) // a left-over is hidden and harmless
		}
	}()
	if _, err = f.Write(raw); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), filepath.Join(s.dir, name)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// syncDir makes a rename in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // G304: the administrator names the folder
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("mail folder: %w", err)
	}
	return nil
}

// fileID is the left part of a Message-ID, with nothing in it that a file
// system could read as more than a name.
func fileID(messageID string) string {
	id, _, _ := strings.Cut(strings.Trim(messageID, "<>"), "@")
	id = strings.Map(func(r rune) rune {
		if notInMailID(r) {
			return '_'
		}
		return r
	}, id)
	return id[:min(len(id), maxMailID)]
}
