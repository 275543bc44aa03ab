package notifications

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // G501: the other side of CRAM-MD5
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"victimvoice/internal/fault"
)

// fakeServer answers on in-memory connections, by a script for each. Inside a
// synctest bubble all its time is fake, deadlines included.
type fakeServer struct {
	t       *testing.T
	script  func(p *peer)
	cert    *tls.Certificate
	roots   *x509.CertPool
	implied bool // TLS from the first byte

	mu    sync.Mutex
	conns int
	lines []string // every command heard, in order
	mails []string // every message taken, as it was on the wire without the lone dot
}

// peer is the server's end of one connection.
type peer struct {
	*fakeServer
	n    int // 1 for the first connection
	conn net.Conn
	in   *bufio.Reader
	gone chan struct{}     // closed when the client closes
	with map[string]string // what to answer in place of the usual, by verb
}

func newFake(t *testing.T, script func(p *peer)) *fakeServer {
	t.Helper()
	return &fakeServer{t: t, script: script}
}

func (f *fakeServer) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	f.mu.Lock()
	f.conns++
	p := &peer{fakeServer: f, n: f.conns, conn: server, in: bufio.NewReader(server), gone: make(chan struct{})}
	f.mu.Unlock()
	go func() {
		defer func() { _ = server.Close() }()
		if f.implied && !p.tls() {
			return
		}
		f.script(p)
	}()
	return watched{client, sync.OnceFunc(func() { close(p.gone) })}, nil
}

func (f *fakeServer) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.lines...)
}

func (f *fakeServer) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.mails...)
}

// certify makes a certificate of the server's own, and the pool that trusts it.
func (f *fakeServer) certify(host string) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		f.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	f.cert = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	f.roots = x509.NewCertPool()
	f.roots.AddCert(parsed)
}

func (p *peer) say(lines ...string) {
	for _, line := range lines {
		if _, err := io.WriteString(p.conn, line+"\r\n"); err != nil {
			return
		}
	}
}

// hear reads a command; false when the client has gone.
func (p *peer) hear() (string, bool) {
	line, err := p.in.ReadString('\n')
	if err != nil {
		return "", false
	}
	line = strings.TrimRight(line, "\r\n")
	p.mu.Lock()
	p.lines = append(p.lines, line)
	p.mu.Unlock()
	return line, true
}

// hang reads and says nothing until the client gives up.
func (p *peer) hang() { _, _ = io.Copy(io.Discard, p.in) }

// deaf does not even read until the client gives up.
func (p *peer) deaf() { <-p.gone }

// watched tells when the client closes its end.
type watched struct {
	net.Conn
	once func()
}

func (w watched) Close() error {
	w.once()
	return w.Conn.Close()
}

func (p *peer) tls() bool {
	// Without session tickets, which an unbuffered connection would wait on.
	conn := tls.Server(p.conn, &tls.Config{Certificates: []tls.Certificate{*p.cert}, SessionTicketsDisabled: true, MinVersion: tls.VersionTLS12})
	if conn.Handshake() != nil {
		return false
	}
	p.conn, p.in = conn, bufio.NewReader(conn)
	return true
}

// message reads up to the lone dot.
func (p *peer) message() (string, bool) {
	var b strings.Builder
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return "", false
		}
		if line == ".\r\n" {
			return b.String(), true
		}
		b.WriteString(line)
	}
}

// serve behaves well, but for what p.with says: for a verb ("greeting" and
// "message" too), the reply to give in place of the usual, or "hang", "deaf" or
// "drop".
func (p *peer) serve(extensions ...string) {
	answer := func(verb string, usual ...string) bool {
		switch special := p.with[verb]; special {
		case "":
			p.say(usual...)
		case "hang":
			p.hang()
			return false
		case "deaf":
			p.deaf()
			return false
		case "drop":
			return false
		default:
			p.say(strings.Split(special, "\n")...)
		}
		return p.with[verb] == "" || !strings.HasPrefix(p.with[verb], "421")
	}
	if !answer("greeting", "220 mail.example.org ready") {
		return
	}
	for {
		line, ok := p.hear()
		if !ok {
			return
		}
		verb, _, _ := strings.Cut(line, " ")
		usual := []string{"250 2.0.0 fine"}
		switch verb {
		case "EHLO":
			usual = []string{"250-mail.example.org at your service"}
			for _, e := range extensions {
				usual = append(usual, "250-"+e)
			}
			usual = append(usual, "250 HELP")
		case "STARTTLS":
			if !answer(verb, "220 2.0.0 go ahead") {
				return
			}
			if p.with[verb] == "" && !p.tls() {
				return
			}
			continue
		case "AUTH":
			usual = []string{"235 2.7.0 welcome"}
		case "DATA":
			if !answer(verb, "354 go on") {
				return
			}
			if p.with[verb] != "" {
				continue
			}
			m, ok := p.message()
			if !ok {
				return
			}
			p.mu.Lock()
			p.mails = append(p.mails, m)
			p.mu.Unlock()
			verb = "message"
		case "QUIT":
			answer(verb, "221 2.0.0 bye")
			return
		}
		if !answer(verb, usual...) {
			return
		}
	}
}

// open makes a sender for the fake server; change may set more.
func (f *fakeServer) open(change func(*SMTPConfig)) *SMTP {
	f.t.Helper()
	cfg := SMTPConfig{
		Host: "localhost", Port: 2525, CommandTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		STARTTLS: STARTTLSOpportunistic, RootCAs: f.roots, Dial: f.dial,
	}
	if f.implied {
		cfg.STARTTLS, cfg.ImplicitTLS = "", true
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewSMTP(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func testEnvelope() Envelope {
	return Envelope{
		From: "feedback@example.org", To: "person@example.net", MessageID: "<m1@example.org>",
		Raw: []byte("Subject: Your feedback\r\n\r\nHello\r\n.\r\n..two\r\nend\r\n"),
	}
}

func sendError(t *testing.T, err error) *SendError {
	t.Helper()
	var e *SendError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *SendError", err)
	}
	for _, private := range []string{"person", "example.net", "feedback@", "secret", "user"} {
		if strings.Contains(e.Error(), private) {
			t.Errorf("the error's text holds %q: %s", private, e)
		}
	}
	return e
}

func TestSendPlain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(p *peer) { p.serve("SIZE 1000", "8BITMIME", "SMTPUTF8") })
		s := f.open(nil)
		if err := s.Send(t.Context(), testEnvelope()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := strings.Join(f.heard(), "\n")
		want := "EHLO localhost\nMAIL FROM:<feedback@example.org> SIZE=48\nRCPT TO:<person@example.net>\nDATA\nQUIT"
		if got != want {
			t.Errorf("commands:\n%s\nwant:\n%s", got, want)
		}
		// Leading dots are doubled on the wire.
		if got, want := f.taken()[0], "Subject: Your feedback\r\n\r\nHello\r\n..\r\n...two\r\nend\r\n"; got != want {
			t.Errorf("data %q, want %q", got, want)
		}
		if e := sendError(t, s.Send(t.Context(), testEnvelope())); e.Stage != "closed" || !errors.Is(e, net.ErrClosed) {
			t.Errorf("after Close: %v", e)
		}
	})
}

// Every stage may hang, be cut off or say 421; each is temporary, comes back in
// time and leaves no broken connection behind.
func TestEveryStageMayFail(t *testing.T) {
	t.Parallel()
	stages := []struct{ verb, stage string }{
		{"greeting", "greeting"}, {"EHLO", "hello"}, {"STARTTLS", "starttls"}, {"AUTH", "auth"},
		{"MAIL", "mail"}, {"RCPT", "rcpt"}, {"DATA", "data"}, {"message", "message"},
	}
	ways := map[string]struct {
		script string
		open   func(ctx context.Context) (context.Context, context.CancelFunc)
		takes  time.Duration
		cause  error
		code   int
	}{
		"hangs":          {"hang", nil, 10 * time.Second, os.ErrDeadlineExceeded, 0},
		"does not read":  {"deaf", nil, 10 * time.Second, os.ErrDeadlineExceeded, 0},
		"is cut off":     {"drop", nil, 0, io.ErrUnexpectedEOF, 0},
		"closes down":    {"421 4.3.2 person@example.net shutting down", nil, 0, nil, 421},
		"says nonsense":  {"hello there", nil, 0, nil, 0},
		"is out of step": {"299 what", nil, 0, nil, 299},
		"passes a deadline": {"hang", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 3*time.Second)
		}, 3 * time.Second, context.DeadlineExceeded, 0},
		"is cancelled": {"hang", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, 2 * time.Second, context.Canceled, 0},
	}
	for name, way := range ways {
		for _, at := range stages {
			if at.verb == "message" && way.code == 299 {
				continue // any 2xx takes the message
			}
			if way.code == 299 && at.stage != "greeting" && at.stage != "starttls" && at.stage != "auth" && at.stage != "data" {
				continue // the others take any 2xx
			}
			t.Run(at.stage+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake(t, func(p *peer) {
						if p.n == 1 {
							p.with = map[string]string{at.verb: way.script}
						}
						if at.verb == "message" && way.script == "deaf" {
							// Agree to the data, then stop reading it.
							p.serveThenDeaf()
							return
						}
						p.serve("STARTTLS", "AUTH PLAIN")
					})
					f.certify("localhost")
					s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
					defer func() { _ = s.Close() }()
					ctx, cancel := t.Context(), context.CancelFunc(func() {})
					if way.open != nil {
						ctx, cancel = way.open(ctx)
					}
					defer cancel()
					began := time.Now()
					e := sendError(t, s.Send(ctx, testEnvelope()))
					took := time.Since(began)
					want := way.takes
					if at.stage == "message" && name != "passes a deadline" && name != "is cancelled" {
						want *= dataFactor
					}
					if took != want {
						t.Errorf("took %v, want %v", took, want)
					}
					if e.Permanent || e.Config || e.Code != way.code || e.Stage != at.stage {
						t.Errorf("got %#v", e)
					}
					if way.cause != nil && !errors.Is(e, way.cause) && !(errors.Is(way.cause, io.ErrUnexpectedEOF) && errors.Is(e, io.EOF)) {
						t.Errorf("cause %v, want %v", e.Err, way.cause)
					}
					if e.Uncertain != (at.stage == "message" && way.code == 0) {
						t.Errorf("uncertain is %v", e.Uncertain)
					}
					// The next mail gets a connection of its own and goes out.
					if at.verb == "message" && way.script == "deaf" {
						return
					}
					if err := s.Send(t.Context(), testEnvelope()); err != nil {
						t.Errorf("the next mail: %v", err)
					}
					if f.conns != 2 {
						t.Errorf("%d connections, want 2", f.conns)
					}
				})
			})
		}
	}
}

// serveThenDeaf goes as far as DATA, agrees, and reads nothing after that.
func (p *peer) serveThenDeaf() {
	p.say("220 hi")
	for {
		line, ok := p.hear()
		if !ok {
			return
		}
		switch {
		case strings.HasPrefix(line, "EHLO"):
			p.say("250-hi", "250 AUTH PLAIN")
		case strings.HasPrefix(line, "AUTH"):
			p.say("235 ok")
		case line == "DATA":
			p.say("354 go on")
			p.deaf()
			return
		default:
			p.say("250 ok")
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type want struct {
		permanent, config bool
		code              int
		enhanced          string
		stage             string
	}
	tests := map[string]struct {
		verb, reply string
		want        want
	}{
		"no such mailbox":        {"RCPT", "550 5.1.1 <person@example.net>: no such user", want{true, false, 550, "5.1.1", "rcpt"}},
		"several lines":          {"RCPT", "550-5.1.1 <person@example.net>\n550-5.1.1 no such user\n550 5.1.1 see help", want{true, false, 550, "5.1.1", "rcpt"}},
		"greylisted":             {"RCPT", "451 4.7.1 come back later", want{false, false, 451, "4.7.1", "rcpt"}},
		"mailbox full, for now":  {"RCPT", "452 4.2.2 full", want{false, false, 452, "4.2.2", "rcpt"}},
		"no enhanced code":       {"RCPT", "553 not allowed", want{true, false, 553, "", "rcpt"}},
		"class does not fit":     {"RCPT", "550 4.1.1 odd", want{true, false, 550, "", "rcpt"}},
		"sign in first":          {"RCPT", "530 5.7.0 authentication required", want{false, true, 530, "5.7.0", "rcpt"}},
		"sender refused":         {"MAIL", "550 5.7.1 <feedback@example.org> not yours", want{false, true, 550, "5.7.1", "mail"}},
		"too large":              {"MAIL", "552 5.3.4 too big", want{true, false, 552, "5.3.4", "mail"}},
		"data refused":           {"DATA", "554 5.5.1 no valid recipients", want{true, false, 554, "5.5.1", "data"}},
		"content refused":        {"message", "554 5.7.1 spam", want{true, false, 554, "5.7.1", "message"}},
		"content for later":      {"message", "451 4.3.0 disk full", want{false, false, 451, "4.3.0", "message"}},
		"no service":             {"greeting", "554 no SMTP here", want{false, true, 554, "", "greeting"}},
		"busy":                   {"greeting", "450 later", want{false, false, 450, "", "greeting"}},
		"greeting not liked":     {"EHLO", "550 who are you", want{false, true, 550, "", "hello"}},
		"TLS not available":      {"STARTTLS", "454 4.7.0 not now", want{false, false, 454, "4.7.0", "starttls"}},
		"wrong password":         {"AUTH", "535 5.7.8 user secret", want{false, true, 535, "5.7.8", "auth"}},
		"sign-in down for now":   {"AUTH", "454 4.7.0 try later", want{false, false, 454, "4.7.0", "auth"}},
		"mechanism too weak":     {"AUTH", "534 5.7.9 too weak", want{false, true, 534, "5.7.9", "auth"}},
		"codes that do not fit":  {"RCPT", "250-fine\n550 not", want{false, false, 0, "", "rcpt"}},
		"a line without an end":  {"RCPT", "550 " + strings.Repeat("x", 5000), want{false, false, 0, "", "rcpt"}},
		"a reply without an end": {"RCPT", strings.Repeat("250-and\n", 200) + "250 done", want{false, false, 0, "", "rcpt"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) {
					if p.n == 1 {
						p.with = map[string]string{test.verb: test.reply}
					}
					p.serve("STARTTLS", "AUTH PLAIN")
				})
				f.certify("localhost")
				s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
				defer func() { _ = s.Close() }()
				e := sendError(t, s.Send(t.Context(), testEnvelope()))
				if got := (want{e.Permanent, e.Config, e.Code, e.Enhanced, e.Stage}); got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
				if e.Uncertain {
					t.Error("a refusal is certain")
				}
			})
		})
	}
}

func TestReuse(t *testing.T) {
	t.Parallel()

	send := func(t *testing.T, s *SMTP, times int) {
		t.Helper()
		for range times {
			if err := s.Send(t.Context(), testEnvelope()); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func(lines []string, verb string) (n int) {
		for _, line := range lines {
			if strings.HasPrefix(line, verb) {
				n++
			}
		}
		return n
	}
	t.Run("one connection, RSET between", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve() })
			s := f.open(nil)
			send(t, s, 3)
			_ = s.Close()
			synctest.Wait()
			if n := count(f.heard(), "RSET"); f.conns != 1 || n != 2 || count(f.heard(), "QUIT") != 1 {
				t.Errorf("%d connections, heard %q", f.conns, f.heard())
			}
		})
	})
	t.Run("after a refusal", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.with = map[string]string{"RCPT": "550 5.1.1 no"}
				p.serve()
			})
			s := f.open(nil)
			defer func() { _ = s.Close() }()
			for range 2 {
				if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Permanent {
					t.Fatal(e)
				}
			}
			if f.conns != 1 {
				t.Errorf("%d connections, want 1", f.conns)
			}
		})
	})
	t.Run("a limit of messages", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve() })
			s := f.open(func(c *SMTPConfig) { c.MessagesPerConnection = 2 })
			send(t, s, 5)
			_ = s.Close()
			synctest.Wait()
			if f.conns != 3 || count(f.heard(), "QUIT") != 3 {
				t.Errorf("%d connections, heard %q", f.conns, f.heard())
			}
		})
	})
	t.Run("closed when idle", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve() })
			s := f.open(nil)
			send(t, s, 1)
			time.Sleep(61 * time.Second) // fake
			synctest.Wait()
			if count(f.heard(), "QUIT") != 1 {
				t.Errorf("heard %q", f.heard())
			}
			send(t, s, 1)
			if f.conns != 2 {
				t.Errorf("%d connections, want 2", f.conns)
			}
			_ = s.Close()
		})
	})
	for name, how := range map[string]string{"hangs": "hang", "dropped": "drop", "says 421": "421 4.4.2 idle too long"} {
		t.Run("stale, "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) {
					if p.n == 1 {
						p.with = map[string]string{"RSET": how}
					}
					p.serve()
				})
				s := f.open(nil)
				began := time.Now()
				send(t, s, 2)
				if took := time.Since(began); f.conns != 2 || len(f.taken()) != 2 || took > resetTimeout {
					t.Errorf("%d connections, %d mails after %v", f.conns, len(f.taken()), took)
				}
				_ = s.Close()
			})
		})
	}
	for name, how := range map[string]string{"hangs": "hang", "dropped": "drop", "refused": "500 what"} {
		t.Run("QUIT "+name+": sent all the same", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) {
					p.with = map[string]string{"QUIT": how}
					p.serve()
				})
				s := f.open(func(c *SMTPConfig) { c.MessagesPerConnection = 1 })
				began := time.Now()
				send(t, s, 1)
				if took := time.Since(began); took > quitTimeout {
					t.Errorf("took %v", took)
				}
			})
		})
	}
	t.Run("no more connections than allowed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				time.Sleep(time.Second) // fake
				p.serve()
			})
			s := f.open(func(c *SMTPConfig) { c.Connections = 2 })
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if err := s.Send(t.Context(), testEnvelope()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			_ = s.Close()
			if f.conns != 2 || len(f.taken()) != 20 {
				t.Errorf("%d connections, %d mails", f.conns, len(f.taken()))
			}
		})
	})
	t.Run("waiting for a connection ends with the context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.hang() })
			s := f.open(func(c *SMTPConfig) { c.Connections = 1 })
			var wg sync.WaitGroup
			wg.Go(func() { _ = s.Send(t.Context(), testEnvelope()) })
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if e := sendError(t, s.Send(ctx, testEnvelope())); !errors.Is(e, context.DeadlineExceeded) {
				t.Error(e)
			}
			wg.Wait()
		})
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	t.Run("STARTTLS, then EHLO again", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("STARTTLS") })
			f.certify("localhost")
			s := f.open(func(c *SMTPConfig) { c.STARTTLS = STARTTLSRequired })
			if err := s.Send(t.Context(), testEnvelope()); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			if got := strings.Join(f.heard()[:3], ","); got != "EHLO localhost,STARTTLS,EHLO localhost" {
				t.Error(got)
			}
		})
	})
	t.Run("implicit", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("STARTTLS", "AUTH PLAIN") })
			f.implied = true
			f.certify("localhost")
			s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
			if err := s.Send(t.Context(), testEnvelope()); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			if got := strings.Join(f.heard()[:2], ","); got != "EHLO localhost,AUTH PLAIN AHVzZXIAc2VjcmV0" {
				t.Error(got)
			}
		})
	})
	t.Run("required but not offered", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve() })
			s := f.open(func(c *SMTPConfig) { c.STARTTLS = STARTTLSRequired })
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Config || e.Stage != "starttls" {
				t.Error(e)
			}
		})
	})
	t.Run("never", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("STARTTLS") })
			s := f.open(func(c *SMTPConfig) { c.STARTTLS = STARTTLSNever })
			if err := s.Send(t.Context(), testEnvelope()); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
		})
	})
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("STARTTLS") })
			f.certify("localhost")
			s := f.open(func(c *SMTPConfig) { c.RootCAs = x509.NewCertPool() })
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Config || e.Stage != "tls" {
				t.Error(e)
			}
			if len(f.taken()) != 0 {
				t.Error("a mail went out in clear")
			}
		})
	})
	t.Run("another host's certificate", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("STARTTLS") })
			f.certify("mail.example.com")
			s := f.open(nil)
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Config || e.Stage != "tls" {
				t.Error(e)
			}
		})
	})
	t.Run("a handshake that hangs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.say("220 hi")
				p.hear()
				p.say("250-hi", "250 STARTTLS")
				p.hear()
				p.say("220 go ahead")
				p.hang()
			})
			f.certify("localhost")
			s := f.open(nil)
			began := time.Now()
			e := sendError(t, s.Send(t.Context(), testEnvelope()))
			if e.Config || e.Stage != "tls" || time.Since(began) != 10*time.Second {
				t.Errorf("%v after %v", e, time.Since(began))
			}
		})
	})
	t.Run("words slipped in before TLS", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.say("220 hi")
				p.hear()
				p.say("250-hi", "250 STARTTLS")
				p.hear()
				_, _ = io.WriteString(p.conn, "220 go ahead\r\n250-hi\r\n250 AUTH PLAIN\r\n")
				p.hang()
			})
			f.certify("localhost")
			s := f.open(nil)
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Config || e.Stage != "starttls" {
				t.Error(e)
			}
		})
	})
	t.Run("offers made in clear do not count", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.say("220 hi")
				p.hear()
				p.say("250-hi", "250-AUTH PLAIN", "250 STARTTLS")
				p.hear()
				p.say("220 go ahead")
				if p.tls() {
					p.hear()
					p.say("250 hi")
					p.hang()
				}
			})
			f.certify("localhost")
			s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); !e.Config || e.Stage != "auth" {
				t.Error(e)
			}
		})
	})
}

func TestAuth(t *testing.T) {
	t.Parallel()
	const challenge = "<1896.697170952@mail.example.org>"
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	// signIn is a server that knows one mechanism by the book.
	signIn := func(p *peer, offer string) {
		p.say("220 hi")
		p.hear()
		p.say("250-hi", "250 AUTH "+offer)
		line, ok := p.hear()
		switch {
		case !ok:
			return
		case strings.HasPrefix(line, "AUTH PLAIN "):
			if line != "AUTH PLAIN "+encode("\x00user\x00secret") {
				p.say("535 no")
				return
			}
		case line == "AUTH LOGIN":
			p.say("334 " + encode("Username:"))
			user, _ := p.hear()
			p.say("334 " + encode("Password:"))
			password, _ := p.hear()
			if user != encode("user") || password != encode("secret") {
				p.say("535 no")
				return
			}
		case line == "AUTH CRAM-MD5":
			p.say("334 " + encode(challenge))
			answer, _ := p.hear()
			mac := hmac.New(md5.New, []byte("secret"))
			_, _ = mac.Write([]byte(challenge))
			if answer != encode("user "+hex.EncodeToString(mac.Sum(nil))) {
				p.say("535 no")
				return
			}
		}
		p.say("235 welcome")
		for {
			if line, ok := p.hear(); !ok || line == "QUIT" {
				return
			}
			p.say("250 ok")
		}
	}
	for offer, want := range map[string]string{
		"PLAIN":                "AUTH PLAIN",
		"login":                "AUTH LOGIN",
		"CRAM-MD5":             "AUTH CRAM-MD5",
		"LOGIN PLAIN CRAM-MD5": "AUTH CRAM-MD5", // in clear the password stays at home
	} {
		t.Run(offer, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) { signIn(p, offer) })
				s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
				if err := s.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := f.heard()[1]; !strings.HasPrefix(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			})
		})
	}
	t.Run("over TLS the simplest is enough", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { signIn(p, "CRAM-MD5 LOGIN PLAIN") })
			f.implied = true
			f.certify("localhost")
			s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
			if err := s.Ping(t.Context()); err != nil || !strings.HasPrefix(f.heard()[1], "AUTH PLAIN") {
				t.Error(err, f.heard())
			}
		})
	})
	for offer, why := range map[string]string{"GSSAPI": "no mechanism in common", "": "no AUTH at all"} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) { p.serve("AUTH " + offer) })
				s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
				if e := sendError(t, s.Ping(t.Context())); !e.Config || e.Stage != "auth" {
					t.Error(e)
				}
			})
		})
	}
	t.Run("a challenge that is none", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.with = map[string]string{"AUTH": "334 !!!"}
				p.serve("AUTH CRAM-MD5")
			})
			s := f.open(func(c *SMTPConfig) { c.User, c.Password = "user", "secret" })
			if e := sendError(t, s.Ping(t.Context())); !e.Config || e.Stage != "auth" {
				t.Error(e)
			}
		})
	})
	t.Run("never in clear over a network", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) { p.serve("AUTH PLAIN LOGIN CRAM-MD5") })
			s := f.open(func(c *SMTPConfig) {
				c.Host, c.User, c.Password, c.STARTTLS = "mail.example.org", "user", "secret", STARTTLSOpportunistic
			})
			if e := sendError(t, s.Ping(t.Context())); !e.Config || e.Stage != "auth" {
				t.Error(e)
			}
			if got := strings.Join(f.heard(), ","); strings.Contains(got, "AUTH") {
				t.Error(got)
			}
		})
	})
}

func TestWhatTheServerOffers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		offers []string
		change func(*Envelope)
		mail   string // the parameters of MAIL; empty when the mail is refused
		code   string // the enhanced code of the refusal
	}{
		"nothing":                   {nil, nil, "", ""},
		"SMTPUTF8 is not asked for": {[]string{"SMTPUTF8", "8BITMIME"}, nil, "", ""},
		"a size of 0 is no limit":   {[]string{"SIZE 0"}, nil, " SIZE=48", ""},
		"too large":                 {[]string{"SIZE 47"}, nil, "", "5.3.4"},
		"8 bit":                     {[]string{"8bitmime"}, func(e *Envelope) { e.Raw = []byte("\r\né\r\n") }, " BODY=8BITMIME", ""},
		"8 bit, not carried":        {nil, func(e *Envelope) { e.Raw = []byte("\r\né\r\n") }, "", "5.6.3"},
		"an address beyond ASCII":   {[]string{"SMTPUTF8", "8BITMIME"}, func(e *Envelope) { e.To = "pérson@example.net" }, " SMTPUTF8", ""},
		"the same, not carried":     {[]string{"8BITMIME"}, func(e *Envelope) { e.To = "pérson@example.net" }, "", "5.6.7"},
		"a line end in an address":  {nil, func(e *Envelope) { e.To = "a@example.net>\r\nRCPT TO:<b@example.net" }, "", "malformed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(p *peer) { p.serve(test.offers...) })
				s := f.open(nil)
				defer func() { _ = s.Close() }()
				e := testEnvelope()
				if test.change != nil {
					test.change(&e)
				}
				err := s.Send(t.Context(), e)
				if test.code != "" {
					var failure *SendError
					if !errors.As(err, &failure) || !failure.Permanent || failure.Enhanced != test.code && test.code != "malformed" {
						t.Errorf("got %v", err)
					}
					if len(f.heard()) != 1 {
						t.Errorf("heard %q", f.heard())
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := f.heard()[1]; got != "MAIL FROM:<feedback@example.org>"+test.mail {
					t.Error(got)
				}
			})
		})
	}
	t.Run("a server without EHLO", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, func(p *peer) {
				p.with = map[string]string{"EHLO": "502 what"}
				p.serve()
			})
			s := f.open(func(c *SMTPConfig) { c.HelloName = "feedback.example.org" })
			if err := s.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(f.heard(), ","); got != "EHLO feedback.example.org,HELO feedback.example.org,NOOP,QUIT" {
				t.Error(got)
			}
		})
	})
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err    error
		config bool
	}{
		"refused":      {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, false},
		"no such host": {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, true},
		"DNS is down":  {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := NewSMTP(SMTPConfig{Host: "localhost", Dial: func(context.Context, string, string) (net.Conn, error) { return nil, test.err }})
			if err != nil {
				t.Fatal(err)
			}
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); e.Stage != "dial" || e.Config != test.config || e.Permanent {
				t.Error(e)
			}
		})
	}
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, err := NewSMTP(SMTPConfig{Host: "localhost", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if e := sendError(t, s.Send(t.Context(), testEnvelope())); e.Stage != "dial" || e.Config || time.Since(began) != defaultDialTimeout {
				t.Error(e, time.Since(began))
			}
		})
	})
}

func TestSMTPConfigKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	cfg := SMTPConfig{Host: "mail.example.org", User: "user", Password: "secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, cfg); got != "smtp://***@mail.example.org:587" {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestSMTPConfigChecks(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]SMTPConfig{
		"no host":              {},
		"odd host":             {Host: "mail example"},
		"port":                 {Host: "localhost", Port: 70000},
		"policy":               {Host: "localhost", STARTTLS: "yes"},
		"policy with smtps":    {Host: "localhost", STARTTLS: STARTTLSRequired, ImplicitTLS: true},
		"password in clear":    {Host: "mail.example.org", STARTTLS: STARTTLSNever, User: "u"},
		"password alone":       {Host: "localhost", Password: "p"},
		"line end in password": {Host: "localhost", User: "u", Password: "p\r\nQUIT"},
		"odd helo":             {Host: "localhost", HelloName: "a\r\nb"},
	} {
		if _, err := NewSMTP(cfg); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "550 5.1.1 no\r\n", "250\n", "25", "999 x\r\n", "250-\r\n251 \r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(wire), maxReplyLine))
		if err != nil {
			return
		}
		if r.code < 200 || r.code > 599 || len(r.lines) == 0 || len(r.lines) > maxReplyLines {
			t.Errorf("%+v from %q", r, wire)
		}
		if r.enhanced != "" && r.enhanced[0] != byte('0'+r.code/100) {
			t.Errorf("%+v from %q", r, wire)
		}
	})
}
