package notifications

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/fault"
)

func fixedNow() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 5, time.UTC) }

func TestOpenSender(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := httptest.NewTLSServer(nil) // for its certificate alone
	defer server.Close()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		want  string // the configuration, or nothing for a refusal
		fault string // what the refusal has to name
	}{
		"smtp://mail.example.org":                                     {"mail.example.org:587 required false ", ""},
		"smtp://mail.example.org:25?starttls=opportunistic":           {"mail.example.org:25 opportunistic false ", ""},
		"smtp://catcher:1025?starttls=never":                          {"catcher:1025 never false ", ""},
		"smtp://localhost:1025":                                       {"localhost:1025 opportunistic false ", ""},
		"smtp://127.0.0.1:1025":                                       {"127.0.0.1:1025 opportunistic false ", ""},
		"smtp://[::1]:1025/":                                          {"[::1]:1025 opportunistic false ", ""},
		"smtp://u:p%40ss@localhost":                                   {"localhost:587 required false u p@ss", ""},
		"smtp://u:p@localhost?starttls=never":                         {"localhost:587 never false u p", ""},
		"smtps://u%40example.org:p@mail.example.org?helo=example.org": {"mail.example.org:465 required true u@example.org p", ""},
		"smtps://mail.example.org:2465?timeout=5s":                    {"mail.example.org:2465 required true ", ""},
		"smtps://mail.example.org?ca=" + ca:                           {"mail.example.org:465 required true ", ""},

		"":                                                {"", "smtp://USER"},
		"mail.example.org:25":                             {"", "smtp://USER"},
		"http://mail.example.org":                         {"", "smtp://USER"},
		"smtp://":                                         {"", "smtp://USER"},
		"smtp:mail.example.org":                           {"", "smtp://USER"},
		"smtp://mail.example.org/path":                    {"", "smtp://USER"},
		"smtp://u:secret%zz@mail.example.org":             {"", "escapes"},
		"smtp://u:secret/x@mail.example.org":              {"", "escapes"},
		"smtp://mail.example.org:0":                       {"", "port"},
		"smtp://mail.example.org:99999":                   {"", "port"},
		"smtp://mail.example.org?starttls=":               {"", "starttls"},
		"smtp://mail.example.org?starttls=yes":            {"", "required, opportunistic or never"},
		"smtp://u:secret@mail.example.org?starttls=never": {"", "in clear"},
		"smtps://mail.example.org?starttls=never":         {"", "starttls"},
		"smtp://mail.example.org?tls=no":                  {"", "tls"},
		"smtp://mail.example.org?timeout=1h":              {"", "timeout"},
		"smtp://mail.example.org?ca=/nowhere.pem":         {"", "ca"},
		"smtp://mail.example.org?a=%zz":                   {"", "options"},
		"file:":                                           {"", "file:DIR"},
		"file://dir":                                      {"", "three slashes"},
	}
	for setting, test := range tests {
		outlet, err := OpenSender(setting, fixedNow)
		if test.want == "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.fault) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %v", setting, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", setting, err)
			continue
		}
		c := outlet.(*SMTP).cfg
		got := fmt.Sprintf("%s %s %v %s %s", c.address(), c.policy(), c.ImplicitTLS, c.User, c.Password)
		if strings.TrimSpace(got) != strings.TrimSpace(test.want) {
			t.Errorf("%q: %s, want %s", setting, got, test.want)
		}
		if err := outlet.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, setting := range []string{"file:" + dir + "/a", "file://" + dir + "/b"} {
		if _, err := OpenSender(setting, fixedNow); err != nil {
			t.Errorf("%q: %v", setting, err)
		}
	}
}

func TestFileSink(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "mail")
	s, err := OpenFileSink(dir, fixedNow)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := testEnvelope()
	for range 2 { // the same mail at the same time is the same file
		if err := s.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	e.MessageID = "<../../x/y\x00@example.org>"
	if err := s.Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"20261123T090000.000000005Z-m1.eml": true, "20261123T090000.000000005Z-______x_y_.eml": true}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name())) //nolint:gosec // G304: our own folder
		if err != nil || string(raw) != string(e.Raw) || !want[entry.Name()] {
			t.Errorf("%s: %q, %v", entry.Name(), raw, err)
		}
		if info, err := entry.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", entry.Name(), info.Mode(), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{s.Send(ctx, e), s.Ping(ctx)} {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFileSinkThatCannotWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileSink(filepath.Join(file, "mail"), fixedNow); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	dir := filepath.Join(t.TempDir(), "mail")
	s, err := OpenFileSink(dir, fixedNow)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Send(t.Context(), testEnvelope()), s.Ping(t.Context())} {
		if e := sendError(t, err); !e.Config || e.Permanent || e.Stage != "file" || !errors.Is(e, fs.ErrNotExist) {
			t.Error(e)
		}
	}
}

func TestSendErrorText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*SendError{
		"mail not taken at rcpt: permanent 550 5.1.1":                         {Permanent: true, Code: 550, Enhanced: "5.1.1", Stage: "rcpt"},
		"mail not taken at dial: temporary: use of closed network connection": {Stage: "dial", Err: net.ErrClosed},
		"mail not taken at auth: settings 535":                                {Config: true, Code: 535, Stage: "auth"},
	} {
		if e.Error() != want {
			t.Errorf("%s, want %s", e, want)
		}
	}
}
