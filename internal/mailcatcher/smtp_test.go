package mailcatcher

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func clock() func() time.Time {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func open(t testing.TB, change func(*Config)) *Catcher {
	t.Helper()
	cfg := Config{Now: clock()}
	if change != nil {
		change(&cfg)
	}
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// client talks to a catcher over an in-memory connection.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *textproto.Reader
}

func connect(t *testing.T, c *Catcher) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c.accept(theirs)
	cl := &client{t, ours, textproto.NewReader(bufio.NewReader(ours))}
	t.Cleanup(func() { _ = ours.Close() })
	return cl
}

func (cl *client) send(line string) {
	cl.t.Helper()
	if _, err := io.WriteString(cl.conn, line); err != nil {
		cl.t.Fatalf("sending %.40q: %v", line, err)
	}
}

// want reads a reply and compares its beginning.
func (cl *client) want(begins string) {
	cl.t.Helper()
	var lines []string
	for {
		line, err := cl.in.ReadLine()
		if err != nil {
			cl.t.Fatalf("want %q: %v", begins, err)
		}
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			break
		}
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, begins) {
		cl.t.Fatalf("got %q, want %q", lines, begins)
	}
}

// play sends and expects in turn.
func (cl *client) play(script ...string) {
	cl.t.Helper()
	for i := 0; i < len(script); i += 2 {
		if script[i] != "" {
			cl.send(script[i] + "\r\n")
		}
		cl.want(script[i+1])
	}
}

func (cl *client) gone() {
	cl.t.Helper()
	if line, err := cl.in.ReadLine(); err == nil {
		cl.t.Fatalf("got %q, want the end", line)
	}
}

func TestCatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := open(t, nil)
		cl := connect(t, c)
		cl.play("", "220", "EHLO test", "250 ENHANCEDSTATUSCODES",
			"mail from:<a@example.org> SIZE=100 BODY=8BITMIME", "250 2.1.0",
			"rcpt to:<one@example.net>", "250 2.1.5", "RCPT TO:<two@example.net>", "250 2.1.5",
			"DATA", "354", "Subject: Hi\r\n\r\n..\r\n.dot\n.\nnot the end\r\n.", "250 2.0.0",
			"MAIL FROM:<> SMTPUTF8", "250", "RCPT TO:<pérson@example.net>", "250", "RSET", "250", "DATA", "503",
			"NOOP", "250", "VRFY x", "252", "QUIT", "221")
		cl.gone()
		got := c.Messages()
		if len(got) != 1 || got[0].To != "one@example.net, two@example.net" || got[0].Subject != "Hi" || got[0].Text != ".\ndot\n.\nnot the end\n" {
			t.Errorf("%+v", got)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	const mail, rcpt = "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>"
	tests := map[string][]string{
		"unknown":              {"HELP", "500 5.5.1"},
		"no command":           {"é", "500 5.5.1"},
		"control signs":        {"NOOP\x00", "500 5.5.1"},
		"empty":                {" ", "500 5.5.1"},
		"no name":              {"EHLO", "501"},
		"DATA too early":       {mail, "250", "DATA", "503"},
		"RCPT too early":       {rcpt, "503"},
		"two at a time":        {mail, "250", mail, "503"},
		"MAIL malformed":       {"MAIL FROM:a@example.org", "501"},
		"MAIL without FROM":    {"MAIL <a@example.org>", "501"},
		"MAIL and nothing":     {"MAIL", "501"},
		"RCPT malformed":       {mail, "250", "RCPT TO:<b>", "501", "RCPT TO:<>", "501", "RCPT TO:<b@example.net> X=1", "501"},
		"two addresses in one": {mail, "250", "RCPT TO:<b@example.net><c@example.net>", "501"},
		"SIZE too large":       {mail + " SIZE=1000001", "552"},
		"SIZE malformed":       {mail + " SIZE=-1", "501"},
		"BODY malformed":       {mail + " BODY=9BIT", "501"},
		"parameter":            {mail + " AUTH=<>", "555"},
		"sender beyond ASCII":  {"MAIL FROM:<é@example.org>", "550 5.6.7"},
		"recipient beyond":     {mail, "250", "RCPT TO:<é@example.net>", "553 5.6.7"},
		"a long line":          {"NOOP " + strings.Repeat("x", 2000), "500 5.5.2", "NOOP", "250"},
		"a very long line":     {"NOOP " + strings.Repeat("x", 20000), "500 5.5.2", "NOOP", "250"},
		"a mail too large":     {mail, "250", rcpt, "250", "DATA", "354", strings.Repeat("0123456789abcde\r\n", 70000) + ".", "552 5.3.4", "NOOP", "250"},
		"a long line in it":    {mail, "250", rcpt, "250", "DATA", "354", strings.Repeat("x", 10000) + "\r\n.", "500 5.6.0", "NOOP", "250"},
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := open(t, func(cfg *Config) { cfg.MaxSize = 1_000_000 })
				cl := connect(t, c)
				cl.play("", "220", "HELO test", "250")
				cl.play(script...)
				if n := len(c.Messages()); n != 0 {
					t.Errorf("%d mails were kept", n)
				}
				_ = cl.conn.Close()
			})
		})
	}
	t.Run("before EHLO", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cl := connect(t, open(t, nil))
			cl.play("", "220", mail, "503")
			_ = cl.conn.Close()
		})
	})
	t.Run("too many recipients", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cl := connect(t, open(t, nil))
			cl.play("", "220", "EHLO x", "250", mail, "250")
			for range maxRecipients {
				cl.play(rcpt, "250")
			}
			cl.play(rcpt, "452")
			_ = cl.conn.Close()
		})
	})
	t.Run("too many mistakes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cl := connect(t, open(t, nil))
			cl.play("", "220")
			for range maxFaults {
				cl.play("HELP", "500")
			}
			cl.play("HELP", "421")
			cl.gone()
		})
	})
	t.Run("a mail without end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := open(t, func(cfg *Config) { cfg.MaxSize = 10_000 })
			cl := connect(t, c)
			cl.play("", "220", "EHLO x", "250", mail, "250", rcpt, "250", "DATA", "354")
			for range 1000 {
				if _, err := io.WriteString(cl.conn, strings.Repeat("x", 500)+"\r\n"); err != nil {
					return
				}
			}
			t.Error("half a megabyte went in")
		})
	})
	t.Run("a line without end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := open(t, func(cfg *Config) { cfg.MaxSize = 10_000 })
			cl := connect(t, c)
			cl.play("", "220")
			for range 1000 {
				if _, err := io.WriteString(cl.conn, strings.Repeat("x", 500)); err != nil {
					return
				}
			}
			t.Error("half a megabyte went in")
		})
	})
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cl := connect(t, open(t, nil))
			cl.play("", "220")
			began := time.Now()
			cl.gone()
			if took := time.Since(began); took != defaultIdle {
				t.Errorf("after %v", took)
			}
		})
	})
	t.Run("no reading", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := open(t, nil)
			_ = connect(t, c)
			time.Sleep(defaultIdle + time.Second) // fake
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.conns) != 0 {
				t.Error("still connected")
			}
		})
	})
	t.Run("endless talk", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cl := connect(t, open(t, nil))
			cl.play("", "220")
			began := time.Now()
			for {
				time.Sleep(30 * time.Second) // fake
				if _, err := io.WriteString(cl.conn, "NOOP\r\n"); err != nil {
					break
				}
				if _, err := cl.in.ReadLine(); err != nil {
					break
				}
			}
			if took := time.Since(began); took > maxSession+time.Minute {
				t.Errorf("after %v", took)
			}
		})
	})
	t.Run("too many at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := open(t, func(cfg *Config) { cfg.Connections = 1 })
			first := connect(t, c)
			first.play("", "220")
			ours, theirs := net.Pipe()
			go c.accept(theirs)
			line, err := bufio.NewReader(ours).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "421") {
				t.Errorf("%q, %v", line, err)
			}
			_ = first.conn.Close()
		})
	})
	t.Run("Close cuts off", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := open(t, nil)
			cl := connect(t, c)
			cl.play("", "220")
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			cl.gone()
		})
	})
}

func TestServe(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cl := &client{t, conn, textproto.NewReader(bufio.NewReader(conn))}
	cl.play("", "220", "EHLO x", "250", "MAIL FROM:<a@example.org>", "250", "RCPT TO:<b@example.net>", "250", "DATA", "354", "\r\nHi\r\n.", "250")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if len(c.Messages()) != 1 {
		t.Error("the mail is gone")
	}
	again, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve(again); err == nil {
		t.Error("served after Close")
	}
	wide, err := net.Listen("tcp", "0.0.0.0:0") //nolint:gosec // G102: to see it refused
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, nil).Serve(wide); err == nil || !strings.Contains(err.Error(), "this machine") {
		t.Errorf("served beyond this machine: %v", err)
	}
}

func FuzzCommand(f *testing.F) {
	for _, seed := range []string{
		"EHLO example.org", "mail from:<a@example.org> SIZE=10", "MAIL FROM:<>", "RCPT TO: <b@example.net>", "RCPT TO:<\"a b\"@example.net>",
		"MAIL FROM:<a@b>x", "DATA", "", " ", "NOOP\x00", "MAIL FROM:<a@b> =", "mAiL FrOm:<é@例子.example> SMTPUTF8", "RCPT TO:<a@b@c>", "FROM:<", "TO:>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		cmd, ok := parseCommand(line)
		if !ok {
			if cmd != (command{}) {
				t.Fatalf("%q is refused but gives %+v", line, cmd)
			}
			return
		}
		if cmd.verb != strings.ToUpper(cmd.verb) || len(cmd.verb) < 4 || strings.TrimSpace(cmd.arg) != cmd.arg {
			t.Fatalf("%q gives %+v", line, cmd)
		}
		again, ok := parseCommand(cmd.verb + " " + cmd.arg)
		if !ok || again != cmd {
			t.Fatalf("%q gives %+v, and that gives %+v", line, cmd, again)
		}
		for _, keyword := range []string{"FROM:", "TO:"} {
			address, params, ok := parsePath(cmd.arg, keyword)
			if !ok {
				continue
			}
			if strings.ContainsAny(address, "<> \r\n\x00") || address != "" && !strings.Contains(address, "@") || len(address) > 254 {
				t.Fatalf("%q gives the address %q", line, address)
			}
			for name := range params {
				if name != strings.ToUpper(name) || strings.ContainsAny(name, " =") {
					t.Fatalf("%q gives the parameter %q", line, name)
				}
			}
		}
	})
}
