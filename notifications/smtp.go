package notifications

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // G501: CRAM-MD5 is made of it, and is used only where nothing better is offered
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"victimvoice/internal/fault"
)

// STARTTLS says whether a connection that begins in clear has to turn to TLS.
type STARTTLS string

// The policies. The zero value is STARTTLSRequired, except to this machine
// itself without a user, where it is STARTTLSOpportunistic.
const (
	STARTTLSRequired      STARTTLS = "required"      // no mail goes out in clear
	STARTTLSOpportunistic STARTTLS = "opportunistic" // TLS where the server offers it; a handshake that fails is still a failure
	STARTTLSNever         STARTTLS = "never"
)

// Limits of a connection when SMTPConfig leaves them out. RFC 5321 4.5.3.2
// allows minutes for a command and ten for the end of the data, for mail that
// is relayed; a submission server answers at once or has a fault, and a worker
// that waits holds a lease.
const (
	defaultDialTimeout    = 15 * time.Second
	defaultCommandTimeout = 30 * time.Second
	defaultIdleTimeout    = 60 * time.Second
	defaultPerConnection  = 50 // messages; some servers refuse more than a hundred
	defaultConnections    = 4
	dataFactor            = 4               // the data and its reply may take four command timeouts
	resetTimeout          = 5 * time.Second // to find out that a waiting connection has died
	quitTimeout           = 2 * time.Second
)

// Limits on what a server may say in one reply.
const (
	maxReplyLine  = 4096
	maxReplyLines = 128
)

// SMTPConfig says how to reach a mail server. Zero values stand for the defaults.
type SMTPConfig struct {
	Host        string
	Port        int  // 587, or 465 with ImplicitTLS, when 0
	ImplicitTLS bool // TLS from the first byte
	STARTTLS    STARTTLS
	User        string // empty: no AUTH
	Password    string
	HelloName   string         // what EHLO says; the connection's own address literal when empty
	RootCAs     *x509.CertPool // whom to trust; the system's authorities when nil

	DialTimeout           time.Duration // to the end of the TCP handshake
	CommandTimeout        time.Duration // for each command and its reply, and for a TLS handshake
	IdleTimeout           time.Duration // an unused connection is closed after this
	MessagesPerConnection int
	Connections           int // at the same time

	// Dial opens connections in place of the net package, for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// String keeps user and password out of logs.
func (c SMTPConfig) String() string {
	scheme := "smtp"
	if c.ImplicitTLS {
		scheme = "smtps"
	}
	user := ""
	if c.User != "" {
		user = "***@"
	}
	return scheme + "://" + user + c.address()
}

// GoString keeps user and password out of logs.
func (c SMTPConfig) GoString() string { return c.String() }

// LogValue keeps user and password out of logs.
func (c SMTPConfig) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c SMTPConfig) address() string {
	port := c.Port
	switch {
	case port != 0:
	case c.ImplicitTLS:
		port = 465 // RFC 8314
	default:
		port = 587 // RFC 6409
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(port))
}

// policy is the STARTTLS policy with the default filled in.
func (c SMTPConfig) policy() STARTTLS {
	switch {
	case c.STARTTLS != "":
		return c.STARTTLS
	case c.User == "" && c.loopback():
		return STARTTLSOpportunistic
	}
	return STARTTLSRequired
}

// loopback is true of this machine itself, where nobody listens in between.
func (c SMTPConfig) loopback() bool {
	ip := net.ParseIP(c.Host)
	return strings.EqualFold(c.Host, "localhost") || ip != nil && ip.IsLoopback()
}

// check refuses, as fault.Invalid, settings that can't work or are not safe.
func (c SMTPConfig) check() error {
	var faults []fault.Field
	add := func(field, message string) { faults = append(faults, fault.Field{Field: field, Message: message}) }
	if c.Host == "" || strings.ContainsFunc(c.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		add("host", "has to be a host name or an IP address")
	}
	if c.Port < 0 || c.Port > 65535 {
		add("port", "has to be 1 to 65535")
	}
	switch c.STARTTLS {
	case "", STARTTLSRequired, STARTTLSOpportunistic, STARTTLSNever:
	default:
		add("starttls", "has to be required, opportunistic or never")
	}
	if c.ImplicitTLS && c.STARTTLS != "" {
		add("starttls", "has no place with smtps://, which is TLS from the first byte")
	}
	if !c.ImplicitTLS && c.policy() == STARTTLSNever && c.User != "" && !c.loopback() {
		add("starttls", "can't be never with a user: the password would cross the network in clear")
	}
	if c.User == "" && c.Password != "" {
		add("user", "is missing for the password")
	}
	if strings.ContainsAny(c.User+c.Password, "\x00\r\n") {
		add("user", "and password can't hold line ends")
	}
	if strings.ContainsFunc(c.HelloName, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		add("helo", "has to be a host name")
	}
	return fault.Fields("the mail server setting", faults...)
}

// SMTP sends mail to one server. It keeps its connections for the next mail, up
// to a limit of time and of messages, and is safe for concurrent use.
type SMTP struct {
	cfg  SMTPConfig
	slot chan struct{} // one token for each connection in use

	mu     sync.Mutex
	idle   []*session // the last used is the last
	closed bool
}

// NewSMTP makes a sender; it dials only when there is something to send. Bad
// settings are fault.Invalid.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	orElse := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	orElse(&cfg.DialTimeout, defaultDialTimeout)
	orElse(&cfg.CommandTimeout, defaultCommandTimeout)
	orElse(&cfg.IdleTimeout, defaultIdleTimeout)
	if cfg.MessagesPerConnection <= 0 {
		cfg.MessagesPerConnection = defaultPerConnection
	}
	if cfg.Connections <= 0 {
		cfg.Connections = defaultConnections
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	return &SMTP{cfg: cfg, slot: make(chan struct{}, cfg.Connections)}, nil
}

// Send hands one mail to the server. It returns nil once the server has taken
// the data, whatever happens to the connection after that, and a *SendError
// otherwise. It comes back soon after ctx is done, in the middle of a command
// too.
func (s *SMTP) Send(ctx context.Context, e Envelope) error {
	select {
	case s.slot <- struct{}{}:
		defer func() { <-s.slot }()
	case <-ctx.Done():
		return &SendError{Stage: "dial", Err: context.Cause(ctx)}
	}
	c, err := s.session(ctx)
	if err != nil {
		return err
	}
	if err := c.deliver(ctx, e); err != nil {
		if c.broken {
			c.drop()
		} else {
			s.release(c) // the server answered no; the next mail starts with RSET
		}
		return err
	}
	s.release(c)
	return nil
}

// Ping dials a fresh connection, greets, turns to TLS and signs in as Send
// would, and leaves.
func (s *SMTP) Ping(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_, err = c.command(ctx, "noop", isOK, "NOOP")
	c.quit()
	return err
}

// Close says goodbye on the connections that wait. A Send that is under way
// ends as it will and closes its own.
func (s *SMTP) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
	return nil
}

// session gives a connection that is ready for MAIL: one that waits, if the
// server still answers on it, else a new one.
func (s *SMTP) session(ctx context.Context) (*session, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, &SendError{Stage: "closed", Err: net.ErrClosed}
		}
		var c *session
		if n := len(s.idle); n > 0 {
			c = s.idle[n-1]
			s.idle = s.idle[:n-1]
		}
		s.mu.Unlock()
		if c == nil {
			return s.dial(ctx)
		}
		c.timer.Stop()
		// A stale connection is no failure of this mail, unless its time is up.
		if _, err := c.command(ctx, "reset", isOK, "RSET"); err == nil {
			return c, nil
		} else if ctx.Err() != nil {
			c.drop()
			return nil, err
		}
		c.drop()
	}
}

// release keeps a connection for the next mail, or ends it.
func (s *SMTP) release(c *session) {
	s.mu.Lock()
	if s.closed || c.broken || c.mails >= s.cfg.MessagesPerConnection {
		s.mu.Unlock()
		c.quit()
		return
	}
	s.idle = append(s.idle, c)
	c.timer = time.AfterFunc(s.cfg.IdleTimeout, func() { s.expire(c) })
	s.mu.Unlock()
}

// expire ends a connection that has waited too long.
func (s *SMTP) expire(c *session) {
	s.mu.Lock()
	i := slices.Index(s.idle, c)
	if i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
	}
	s.mu.Unlock()
	if i >= 0 {
		c.quit()
	}
}

// session is one connection that has greeted and, where wanted, signed in.
type session struct {
	cfg    *SMTPConfig
	raw    net.Conn // the TCP connection: deadlines are set here, below any TLS
	conn   net.Conn // what is spoken on
	in     *bufio.Reader
	offers map[string]string // the EHLO keywords, upper case, with their parameters
	secure bool
	broken bool        // out of step with the server, or cut off: good for nothing more
	mails  int         // begun on it, taken or not
	timer  *time.Timer // runs while the session waits
}

// reply is what a server said: a code, an enhanced code if there was one, and
// the lines of text without either code's number in front.
type reply struct {
	code     int
	enhanced string
	lines    []string
}

func isOK(code int) bool { return code/100 == 2 }

func is(want int) func(int) bool { return func(code int) bool { return code == want } }

func (s *SMTP) dial(ctx context.Context) (_ *session, err error) {
	limited, cancel := context.WithTimeout(ctx, s.cfg.DialTimeout)
	raw, err := s.cfg.Dial(limited, "tcp", s.cfg.address())
	cancel()
	if err != nil {
		var unknown *net.DNSError
		return nil, &SendError{Stage: "dial", Config: errors.As(err, &unknown) && unknown.IsNotFound, Err: orCause(ctx, err)}
	}
	c := &session{cfg: &s.cfg, raw: raw, conn: raw, in: bufio.NewReaderSize(raw, maxReplyLine)}
	defer func() {
		if err != nil {
			c.drop()
		}
	}()
	if s.cfg.ImplicitTLS {
		if err := c.handshake(ctx); err != nil {
			return nil, err
		}
	}
	if _, err := c.command(ctx, "greeting", is(220), ""); err != nil {
		return nil, err
	}
	if err := c.hello(ctx); err != nil {
		return nil, err
	}
	if err := c.startTLS(ctx); err != nil {
		return nil, err
	}
	if err := c.auth(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// hello greets and learns what the server offers. A server too old for EHLO is
// greeted with HELO and offers nothing.
func (c *session) hello(ctx context.Context) error {
	name := c.cfg.HelloName
	if name == "" {
		name = literal(c.raw.LocalAddr())
	}
	r, err := c.command(ctx, "hello", isOK, "EHLO "+name)
	var refused *SendError
	if errors.As(err, &refused) && !c.broken && (refused.Code == 500 || refused.Code == 502 || refused.Code == 504) {
		r, err = c.command(ctx, "hello", isOK, "HELO "+name)
		r.lines = nil
	}
	if err != nil {
		return err
	}
	c.offers = make(map[string]string)
	for i, line := range r.lines {
		if i > 0 { // the first is the server's name
			keyword, params, _ := strings.Cut(line, " ")
			c.offers[strings.ToUpper(keyword)] = strings.ToUpper(params)
		}
	}
	return nil
}

// literal is the address literal that RFC 5321 4.1.4 has for a client without
// a name of its own.
func literal(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if ip := tcp.IP.To4(); ip != nil {
			return "[" + ip.String() + "]"
		}
		return "[IPv6:" + tcp.IP.String() + "]"
	}
	return "localhost"
}

func (c *session) startTLS(ctx context.Context) error {
	_, offered := c.offers["STARTTLS"]
	policy := c.cfg.policy()
	switch {
	case c.secure || policy == STARTTLSNever || !offered && policy == STARTTLSOpportunistic:
		return nil
	case !offered:
		return &SendError{Stage: "starttls", Config: true, Err: errors.New("the server does not offer STARTTLS, which the setting requires")}
	}
	if _, err := c.command(ctx, "starttls", is(220), "STARTTLS"); err != nil {
		return err
	}
	// What was sent in clear behind the reply may be somebody else's words.
	if c.in.Buffered() > 0 {
		c.broken = true
		return &SendError{Stage: "starttls", Config: true, Err: errors.New("the server said more in clear after agreeing to TLS")}
	}
	if err := c.handshake(ctx); err != nil {
		return err
	}
	return c.hello(ctx) // what was offered in clear does not count any more
}

func (c *session) handshake(ctx context.Context) error {
	conn := tls.Client(c.raw, &tls.Config{ServerName: c.cfg.Host, RootCAs: c.cfg.RootCAs, MinVersion: tls.VersionTLS12})
	err := c.within(ctx, c.cfg.CommandTimeout, func() error { return conn.HandshakeContext(ctx) })
	if err != nil {
		c.broken = true
		return &SendError{Stage: "tls", Config: !lost(err), Err: err}
	}
	c.conn, c.secure = conn, true
	c.in = bufio.NewReaderSize(conn, maxReplyLine)
	return nil
}

// lost is true when a handshake failed because the line did, and not because
// the two sides could not agree or the certificate is not to be trusted.
func lost(err error) bool {
	for _, cause := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "read" || op.Op == "write")
}

// auth signs in. A password goes only over TLS, or to this machine itself.
func (c *session) auth(ctx context.Context) error {
	if c.cfg.User == "" {
		return nil
	}
	misfit := func(why string) error { return &SendError{Stage: "auth", Config: true, Err: errors.New(why)} }
	if !c.secure && !c.cfg.loopback() {
		return misfit("the connection is in clear, and the password is not sent over it")
	}
	offered := strings.Fields(c.offers["AUTH"])
	preferred := []string{"PLAIN", "LOGIN", "CRAM-MD5"}
	if !c.secure {
		preferred = []string{"CRAM-MD5", "PLAIN", "LOGIN"}
	}
	i := slices.IndexFunc(preferred, func(m string) bool { return slices.Contains(offered, m) })
	if i < 0 {
		return misfit("the server offers none of AUTH PLAIN, LOGIN and CRAM-MD5")
	}
	encode := base64.StdEncoding.EncodeToString
	switch preferred[i] {
	case "PLAIN": // RFC 4616
		_, err := c.command(ctx, "auth", is(235), "AUTH PLAIN "+encode([]byte("\x00"+c.cfg.User+"\x00"+c.cfg.Password)))
		return err
	case "LOGIN":
		if _, err := c.command(ctx, "auth", is(334), "AUTH LOGIN"); err != nil {
			return err
		}
		if _, err := c.command(ctx, "auth", is(334), encode([]byte(c.cfg.User))); err != nil {
			return err
		}
		_, err := c.command(ctx, "auth", is(235), encode([]byte(c.cfg.Password)))
		return err
	default: // CRAM-MD5, RFC 2195
		r, err := c.command(ctx, "auth", is(334), "AUTH CRAM-MD5")
		if err != nil {
			return err
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.Join(r.lines, ""))
		if err != nil {
			c.broken = true
			return misfit("the server's challenge is not base64")
		}
		mac := hmac.New(md5.New, []byte(c.cfg.Password))
		_, _ = mac.Write(challenge) // a hash never fails to write
		_, err = c.command(ctx, "auth", is(235), encode([]byte(c.cfg.User+" "+hex.EncodeToString(mac.Sum(nil)))))
		return err
	}
}

// deliver is one mail: MAIL, RCPT, DATA.
func (c *session) deliver(ctx context.Context, e Envelope) error {
	c.mails++
	params, err := c.params(e)
	if err != nil {
		return err
	}
	if _, err := c.command(ctx, "mail", isOK, "MAIL FROM:<"+e.From+">"+params); err != nil {
		return err
	}
	if _, err := c.command(ctx, "rcpt", isOK, "RCPT TO:<"+e.To+">"); err != nil {
		return err
	}
	if _, err := c.command(ctx, "data", is(354), "DATA"); err != nil {
		return err
	}
	return c.data(ctx, e.Raw)
}

// params are what MAIL has to say of this mail, or why this server can't carry
// it. SMTPUTF8 is asked for only when an address needs it: a server that is
// told so must refuse the next hop that lacks it (RFC 6531 3.4).
func (c *session) params(e Envelope) (string, error) {
	if strings.ContainsAny(e.From+e.To, "\r\n<> \x00") || e.From == "" || e.To == "" {
		return "", &SendError{Stage: "mail", Permanent: true, Err: errors.New("an address of the envelope is malformed")}
	}
	var params string
	if size, ok := c.offers["SIZE"]; ok {
		params += " SIZE=" + strconv.Itoa(len(e.Raw))
		if limit, err := strconv.Atoi(size); err == nil && limit > 0 && len(e.Raw) > limit {
			return "", &SendError{Stage: "mail", Permanent: true, Enhanced: "5.3.4", Err: errors.New("the mail is larger than the server takes")}
		}
	}
	_, eightBit := c.offers["8BITMIME"]
	if bytes.ContainsFunc(e.Raw, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if !eightBit {
			return "", &SendError{Stage: "mail", Permanent: true, Enhanced: "5.6.3", Err: errors.New("the server does not carry 8-bit mail")}
		}
		params += " BODY=8BITMIME"
	}
	if !isASCII(e.From + e.To) {
		if _, ok := c.offers["SMTPUTF8"]; !ok {
			return "", &SendError{Stage: "mail", Permanent: true, Enhanced: "5.6.7", Err: errors.New("the server does not carry addresses beyond ASCII")}
		}
		params += " SMTPUTF8"
	}
	return params, nil
}

// data sends the message and waits for the server to take it. Once the last dot
// may have left, a broken connection leaves it open whether it did.
func (c *session) data(ctx context.Context, raw []byte) error {
	var r reply
	var ended bool
	err := c.within(ctx, dataFactor*c.cfg.CommandTimeout, func() error {
		w := textproto.NewWriter(bufio.NewWriter(c.conn)).DotWriter() // doubles leading dots, ends with the lone one
		if _, err := w.Write(raw); err != nil {
			return err
		}
		ended = true
		if err := w.Close(); err != nil {
			return err
		}
		var err error
		r, err = readReply(c.in)
		return err
	})
	switch {
	case err != nil:
		c.broken = true
		return &SendError{Stage: "message", Uncertain: ended, Err: err}
	case !isOK(r.code):
		return c.refused("message", r)
	}
	return nil
}

// command sends a line, or nothing when it is empty, and reads the reply. A
// reply that does not pass accept is a *SendError; so is a connection that
// fails, which leaves the session broken.
func (c *session) command(ctx context.Context, stage string, accept func(int) bool, line string) (reply, error) {
	var r reply
	limit := c.cfg.CommandTimeout
	if stage == "reset" {
		limit = min(limit, resetTimeout)
	}
	err := c.within(ctx, limit, func() error {
		if line != "" {
			if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
				return err
			}
		}
		var err error
		r, err = readReply(c.in)
		return err
	})
	switch {
	case err != nil:
		c.broken = true
		return r, &SendError{Stage: stage, Err: err}
	case !accept(r.code):
		return r, c.refused(stage, r)
	}
	return r, nil
}

// refused sorts a reply that was not the wanted one.
func (c *session) refused(stage string, r reply) *SendError {
	e := &SendError{Stage: stage, Code: r.code, Enhanced: r.enhanced}
	aboutUs := slices.Contains([]int{500, 502, 503, 504, 530, 534, 535, 538}, r.code) // syntax, sequence, sign-in
	aboutMail := slices.Contains([]string{"rcpt", "data", "message"}, stage) || stage == "mail" && r.code == 552
	switch {
	case r.code == 421: // the server is closing this connection
		c.broken = true
	case r.code/100 == 4:
	case r.code/100 == 5 && aboutMail && !aboutUs:
		e.Permanent = true
	case r.code/100 == 5:
		e.Config = true
	default: // a good answer to another question: out of step
		c.broken = true
		e.Err = errors.New("the server's reply does not fit the command")
	}
	return e
}

// within runs one exchange with a deadline, and breaks it off when ctx is done.
func (c *session) within(ctx context.Context, limit time.Duration, f func() error) error {
	if err := c.raw.SetDeadline(time.Now().Add(limit)); err != nil {
		return orCause(ctx, err)
	}
	raw := c.raw
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) }) // long past: every read and write returns
	err := f()
	if !stop() {
		c.broken = true // the deadline may be moved at any moment now
	}
	return orCause(ctx, err)
}

// orCause is the reason why ctx ended when that is why err came about.
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// quit says goodbye, briefly, and closes. What the server thinks of it does not
// matter: the mail is its own by now.
func (c *session) quit() {
	if !c.broken {
		ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
		_, _ = c.command(ctx, "quit", isOK, "QUIT")
		cancel()
	}
	c.drop()
}

// drop closes without a word. The TCP connection is closed under any TLS, whose
// own farewell would wait for a server that hangs.
func (c *session) drop() {
	c.broken = true
	_ = c.raw.Close() // nothing is left to lose
}

// readReply reads one reply of one or more lines (RFC 5321 4.2.1), bounded in
// both directions.
func readReply(in *bufio.Reader) (reply, error) {
	var r reply
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(r.lines) == maxReplyLines:
			return reply{}, errors.New("the server's reply is too long")
		case errors.Is(err, io.EOF):
			return reply{}, io.ErrUnexpectedEOF
		case err != nil:
			return reply{}, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		code, more, text, ok := replyLine(text)
		if !ok || len(r.lines) > 0 && code != r.code {
			return reply{}, errors.New("the server's reply is not SMTP")
		}
		enhanced, text := enhancedCode(code, text)
		if len(r.lines) == 0 {
			r.code, r.enhanced = code, enhanced
		}
		r.lines = append(r.lines, text)
		if !more {
			return r, nil
		}
	}
}

// replyLine takes apart "250-text", "250 text" or "250".
func replyLine(line string) (code int, more bool, text string, ok bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false, "", false
	}
	for _, digit := range []byte(line[:3]) {
		if digit < '0' || digit > '9' {
			return 0, false, "", false
		}
		code = code*10 + int(digit-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, "", false
	}
	if len(line) > 3 {
		more, text = line[3] == '-', line[4:]
	}
	return code, more, text, true
}

// enhancedCode takes a leading "5.1.1" off a reply's text, if it is there and of
// the reply's own class.
func enhancedCode(code int, text string) (enhanced, rest string) {
	first, rest, _ := strings.Cut(text, " ")
	parts := strings.Split(first, ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(code/100) {
		return "", text
	}
	for _, part := range parts[1:] {
		if n, err := strconv.ParseUint(part, 10, 16); err != nil || n > 999 || len(part) > 3 {
			return "", text
		}
	}
	return fmt.Sprintf("%s.%s.%s", parts[0], parts[1], parts[2]), rest
}
