package mailcatcher

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// command is a line that a client sent, taken apart.
type command struct {
	verb string // upper case
	arg  string // what follows the verb, without blanks around
}

// parseCommand takes a line apart; false when it is no command at all.
func parseCommand(line string) (command, bool) {
	if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return command{}, false
	}
	verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	if len(verb) < 4 || len(verb) > 8 {
		return command{}, false
	}
	for _, r := range verb {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return command{}, false
		}
	}
	return command{strings.ToUpper(verb), strings.TrimSpace(arg)}, true
}

// parsePath reads "FROM:<address> PARAM=VALUE" or "TO:<address>" after its
// keyword: the address, empty for the null sender, and the parameters with
// their names in upper case. False when it is malformed.
func parsePath(arg, keyword string) (address string, params map[string]string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", nil, false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(arg[len(keyword):], " "), "<")
	if !ok {
		return "", nil, false
	}
	address, rest, ok = strings.Cut(rest, ">")
	if !ok || strings.ContainsAny(address, "< ") || rest != "" && !strings.HasPrefix(rest, " ") {
		return "", nil, false
	}
	if address != "" {
		at := strings.LastIndexByte(address, '@')
		if at < 1 || at == len(address)-1 || len(address) > 254 {
			return "", nil, false
		}
	}
	params = make(map[string]string)
	for _, field := range strings.Fields(rest) {
		name, value, _ := strings.Cut(field, "=")
		params[strings.ToUpper(name)] = value
	}
	return address, params, true
}

var (
	errLongLine = errors.New("line too long")
	errOversize = errors.New("mail too large")
)

// conversation is one connection's state.
type conversation struct {
	c       *Catcher
	conn    net.Conn
	in      *bufio.Reader
	ends    time.Time // no connection lasts longer
	faults  int
	greeted bool
	begun   bool // MAIL was taken
	utf8    bool // and with SMTPUTF8
	to      []string
}

// converse speaks SMTP until the client leaves, is silent for too long or makes
// too many mistakes.
func (c *Catcher) converse(conn net.Conn) {
	s := &conversation{c: c, conn: conn, in: bufio.NewReaderSize(conn, maxDataLine), ends: time.Now().Add(maxSession)}
	if !s.say("220 localhost demonstration: mail is shown, never delivered") {
		return
	}
	for {
		line, err := s.line(maxCommand)
		switch {
		case errors.Is(err, errLongLine):
			if !s.fault("500 5.5.2 the line is too long") {
				return
			}
			continue
		case err != nil:
			return
		}
		cmd, ok := parseCommand(strings.TrimRight(string(line), "\r\n"))
		if !ok {
			cmd.verb = ""
		}
		if !s.obey(cmd) {
			return
		}
	}
}

// obey does what a command says; false ends the conversation.
func (s *conversation) obey(cmd command) bool {
	switch cmd.verb {
	case "EHLO", "HELO":
		if cmd.arg == "" {
			return s.fault("501 5.5.4 a name is needed")
		}
		s.reset()
		s.greeted = true
		if cmd.verb == "HELO" {
			return s.say("250 localhost")
		}
		return s.say("250-localhost", "250-SIZE "+strconv.Itoa(s.c.cfg.MaxSize), "250-8BITMIME", "250-SMTPUTF8", "250-PIPELINING", "250 ENHANCEDSTATUSCODES")
	case "MAIL":
		return s.mail(cmd.arg)
	case "RCPT":
		return s.rcpt(cmd.arg)
	case "DATA":
		return s.data()
	case "RSET":
		s.reset()
		return s.say("250 2.0.0 forgotten")
	case "NOOP":
		return s.say("250 2.0.0 still here")
	case "VRFY":
		return s.say("252 2.1.5 every address is taken")
	case "QUIT":
		s.say("221 2.0.0 goodbye")
		return false
	}
	return s.fault("500 5.5.1 the command is not known here")
}

func (s *conversation) mail(arg string) bool {
	switch {
	case !s.greeted:
		return s.fault("503 5.5.1 EHLO comes first")
	case s.begun:
		return s.fault("503 5.5.1 one mail at a time")
	}
	address, params, ok := parsePath(arg, "FROM:")
	if !ok {
		return s.fault("501 5.5.4 MAIL FROM:<address> is wanted")
	}
	for name, value := range params {
		switch name {
		case "SIZE":
			size, err := strconv.ParseUint(value, 10, 63)
			if err != nil {
				return s.fault("501 5.5.4 SIZE is a number")
			}
			if size > uint64(s.c.cfg.MaxSize) { //nolint:gosec // G115: above 0
				return s.fault("552 5.3.4 the mail is too large")
			}
		case "BODY":
			if !strings.EqualFold(value, "7BIT") && !strings.EqualFold(value, "8BITMIME") {
				return s.fault("501 5.5.4 BODY is 7BIT or 8BITMIME")
			}
		case "SMTPUTF8":
		default:
			return s.fault("555 5.5.4 a parameter is not known here")
		}
	}
	_, unicode := params["SMTPUTF8"]
	if !unicode && !ascii(address) {
		return s.fault("550 5.6.7 an address beyond ASCII needs SMTPUTF8")
	}
	s.begun, s.utf8 = true, unicode
	return s.say("250 2.1.0 go on")
}

func (s *conversation) rcpt(arg string) bool {
	if !s.begun {
		return s.fault("503 5.5.1 MAIL comes first")
	}
	address, params, ok := parsePath(arg, "TO:")
	switch {
	case !ok || address == "" || len(params) > 0:
		return s.fault("501 5.5.4 RCPT TO:<address> is wanted")
	case !s.utf8 && !ascii(address):
		return s.fault("553 5.6.7 an address beyond ASCII needs SMTPUTF8")
	case len(s.to) == maxRecipients:
		return s.fault("452 4.5.3 too many recipients")
	}
	s.to = append(s.to, address)
	return s.say("250 2.1.5 go on")
}

func (s *conversation) data() bool {
	if len(s.to) == 0 {
		return s.fault("503 5.5.1 RCPT comes first")
	}
	if !s.say("354 end with a lone dot") {
		return false
	}
	raw, err := s.body()
	to := s.to
	s.reset()
	switch {
	case errors.Is(err, errOversize):
		return s.fault("552 5.3.4 the mail is too large")
	case errors.Is(err, errLongLine):
		return s.fault("500 5.6.0 the mail has a line that is too long")
	case err != nil:
		return false
	}
	if err := s.c.keep(to, raw); err != nil {
		s.c.cfg.Log.Error("a mail could not be kept", "error", err)
		return s.say("452 4.3.1 the mail could not be kept")
	}
	return s.say("250 2.0.0 caught")
}

// body reads a mail up to its lone dot, takes off the doubled dots, and reads on
// to the end of one that can't be kept, so that the client hears why. Only a dot
// between two CRLF ends a mail; other line ends are part of it.
func (s *conversation) body() ([]byte, error) {
	var raw bytes.Buffer
	var fault error
	seen, fresh := 0, true // fresh: the last line ended in CRLF
	for {
		line, err := s.line(maxDataLine)
		if errors.Is(err, errLongLine) {
			fault, fresh, line = err, true, nil
			seen += maxDataLine
		} else if err != nil {
			return nil, err
		}
		if fresh && string(line) == ".\r\n" {
			return raw.Bytes(), fault
		}
		if seen += len(line); seen > s.c.cfg.MaxSize {
			if fault == nil {
				fault = errOversize
			}
			if seen > oversizeFactor*s.c.cfg.MaxSize {
				return nil, io.ErrShortBuffer
			}
		}
		if fault == nil {
			if fresh {
				line = bytes.TrimPrefix(line, []byte("."))
			}
			raw.Write(line)
		}
		if line != nil {
			fresh = bytes.HasSuffix(line, []byte("\r\n"))
		}
	}
}

// line reads one line with its end, within the idle limit. What follows the
// limit of a longer one is read and dropped.
func (s *conversation) line(limit int) ([]byte, error) {
	deadline := time.Now().Add(s.c.cfg.Idle)
	if deadline.After(s.ends) {
		deadline = s.ends
	}
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	line, err := s.in.ReadSlice('\n')
	long := len(line) > limit
	for dropped := 0; errors.Is(err, bufio.ErrBufferFull); dropped++ {
		if long = true; dropped*maxDataLine > oversizeFactor*s.c.cfg.MaxSize {
			return nil, io.ErrShortBuffer
		}
		_, err = s.in.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	if long {
		return nil, errLongLine
	}
	return line, nil
}

// say sends the lines of one reply; false when the client has gone.
func (s *conversation) say(lines ...string) bool {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.c.cfg.Idle)); err != nil {
		return false
	}
	_, err := io.WriteString(s.conn, strings.Join(lines, "\r\n")+"\r\n")
	return err == nil
}

// fault is say for a refusal; after too many the conversation is over.
func (s *conversation) fault(line string) bool {
	if s.faults++; s.faults > maxFaults {
		s.say("421 4.7.0 too many mistakes")
		return false
	}
	return s.say(line)
}

func (s *conversation) reset() { s.begun, s.utf8, s.to = false, false, nil }

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
