// Package mailcatcher is the mail server of the demonstration: it takes every
// mail sent to it on this machine, delivers none, and shows them on a page. It
// owns that server, the page and the folder that keeps the mails over a
// restart. It is no part of a real installation.
package mailcatcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits, when Config leaves them out.
const (
	defaultKeep        = 500
	defaultMaxSize     = 1 << 20
	defaultConnections = 32
	defaultIdle        = time.Minute
)

// Limits that nothing sets.
const (
	maxCommand     = 1024 // octets of a command line; RFC 5321 asks for 512, SMTPUTF8 for more
	maxDataLine    = 8192 // octets of a line of a mail; RFC 5321 asks for 1000
	maxRecipients  = 100
	maxFaults      = 20 // bad commands on one connection
	maxSession     = 10 * time.Minute
	oversizeFactor = 4 // a mail this many times too large is not even read to its end
)

// Config says what to keep and how much to take. Zero values stand for the defaults.
type Config struct {
	Dir         string // a folder that keeps the mails over a restart; empty: memory alone
	Keep        int    // mails; older ones go
	MaxSize     int    // octets of a mail
	Connections int    // at the same time
	Idle        time.Duration
	Now         func() time.Time // gives mails their time; needed
	Log         *slog.Logger     // no address is ever logged; nil: nothing is
}

// Catcher takes and keeps mails. It is safe for concurrent use.
type Catcher struct {
	cfg Config

	mu        sync.Mutex
	messages  []Message // oldest first
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]struct{}
	closed    bool
	running   sync.WaitGroup
}

// Open makes a catcher, with the mails that an earlier one left in the folder.
// A file there that is no mail of ours is left alone.
func Open(cfg Config) (*Catcher, error) {
	if cfg.Now == nil {
		return nil, errors.New("mail catcher: a clock is needed")
	}
	fallback := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	fallback(&cfg.Keep, defaultKeep)
	fallback(&cfg.MaxSize, defaultMaxSize)
	fallback(&cfg.Connections, defaultConnections)
	if cfg.Idle <= 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Catcher{cfg: cfg, listeners: make(map[net.Listener]struct{}), conns: make(map[net.Conn]struct{})}
	if cfg.Dir == "" {
		return c, nil
	}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("mail catcher: %w", err)
	}
	return c, nil
}

// Serve takes connections until Close. It refuses to listen beyond this
// machine, since anybody can read what is caught.
func (c *Catcher) Serve(l net.Listener) error {
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = l.Close() // refused anyway
		return errors.New("mail catcher: listens on this machine alone, such as 127.0.0.1:0")
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		_ = l.Close() // closed anyway
		return net.ErrClosed
	}
	c.listeners[l] = struct{}{}
	c.mu.Unlock()
	for {
		conn, err := l.Accept()
		if err != nil {
			c.mu.Lock()
			closed := c.closed
			delete(c.listeners, l)
			c.mu.Unlock()
			if closed {
				return nil
			}
			return fmt.Errorf("mail catcher: %w", err)
		}
		c.accept(conn)
	}
}

// accept serves a connection in a goroutine of its own, or turns it away when
// there are too many.
func (c *Catcher) accept(conn net.Conn) {
	c.mu.Lock()
	full := len(c.conns) >= c.cfg.Connections
	if full || c.closed {
		c.mu.Unlock()
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // a closed connection fails the write below
		_, _ = io.WriteString(conn, "421 4.3.2 too many connections\r\n")
		_ = conn.Close() // turned away
		return
	}
	c.conns[conn] = struct{}{}
	c.running.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.running.Done()
		c.converse(conn)
		_ = conn.Close() // the conversation is over
		c.mu.Lock()
		delete(c.conns, conn)
		c.mu.Unlock()
	}()
}

// Close stops listening, cuts off whoever is connected and waits for that. The
// mails stay readable.
func (c *Catcher) Close() error {
	c.mu.Lock()
	c.closed = true
	var faults []error
	for l := range c.listeners {
		faults = append(faults, l.Close())
	}
	for conn := range c.conns {
		_ = conn.Close() // its goroutine sees that
	}
	c.mu.Unlock()
	c.running.Wait()
	return errors.Join(faults...)
}

// Messages lists the mails, newest first.
func (c *Catcher) Messages() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	messages := slices.Clone(c.messages)
	slices.Reverse(messages)
	return messages
}

// message finds one mail.
func (c *Catcher) message(id string) (Message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.messages, func(m Message) bool { return m.ID == id })
	if i < 0 {
		return Message{}, false
	}
	return c.messages[i], true
}

// keep stores a mail and lets the oldest go.
func (c *Catcher) keep(to []string, raw []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The id is the time, moved on where two mails came at once, so that ids sort
	// as the mails came, over a restart too.
	number := c.cfg.Now().UTC().UnixNano()
	if n := len(c.messages); n > 0 {
		number = max(number, c.messages[n-1].number+1)
	}
	m := read(number, to, raw)
	if c.cfg.Dir != "" {
		if err := c.write(m); err != nil {
			return err
		}
	}
	c.messages = append(c.messages, m)
	for len(c.messages) > c.cfg.Keep {
		c.remove(c.messages[0])
		c.messages = c.messages[1:]
	}
	return nil
}

const (
	fileEnding   = ".eml"
	recipientTag = "Delivered-To: "      // one line for each recipient, above the mail
	mailFollows  = "Return-Path: <>\r\n" // ends them, so that the mail's own are not taken for ours
)

func (c *Catcher) path(id string) string { return filepath.Join(c.cfg.Dir, id+fileEnding) }

// write puts a mail into the folder, whole or not at all.
func (c *Catcher) write(m Message) (err error) {
	var b bytes.Buffer
	for _, to := range m.recipients {
		b.WriteString(recipientTag + to + "\r\n")
	}
	b.WriteString(mailFollows)
	b.Write(m.raw)
	f, err := os.CreateTemp(c.cfg.Dir, ".mail-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.path(m.ID))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // a left-over is hidden and harmless
	}
	return err
}

// remove takes a mail out of the folder.
func (c *Catcher) remove(m Message) {
	if c.cfg.Dir == "" {
		return
	}
	if err := os.Remove(c.path(m.ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.cfg.Log.Warn("an old mail could not be removed", "error", err)
	}
}

// load reads the folder.
func (c *Catcher) load() error {
	if err := os.MkdirAll(c.cfg.Dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(c.cfg.Dir)
	if err != nil {
		return err
	}
	var numbers []int64
	for _, entry := range entries {
		id, ok := strings.CutSuffix(entry.Name(), fileEnding)
		number, err := strconv.ParseInt(id, 10, 64)
		if ok && err == nil && number > 0 && idOf(number) == id && entry.Type().IsRegular() {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for _, number := range numbers[max(0, len(numbers)-c.cfg.Keep):] {
		b, err := os.ReadFile(c.path(idOf(number)))
		if err != nil {
			return err
		}
		var to []string
		for {
			rest, ok := bytes.CutPrefix(b, []byte(recipientTag))
			line, after, whole := bytes.Cut(rest, []byte("\r\n"))
			if !ok || !whole {
				break
			}
			to, b = append(to, string(line)), after
		}
		c.messages = append(c.messages, read(number, to, bytes.TrimPrefix(b, []byte(mailFollows))))
	}
	for _, number := range numbers[:max(0, len(numbers)-c.cfg.Keep)] {
		c.remove(Message{ID: idOf(number)})
	}
	return nil
}

// idOf writes a number so that ids sort as the numbers do.
func idOf(number int64) string { return fmt.Sprintf("%019d", number) }
