package notifications

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"victimvoice/internal/fault"
)

// Sender hands a mail over. Send returns nil once the mail has been taken, and
// a *SendError otherwise.
type Sender interface {
	Send(ctx context.Context, e Envelope) error
}

// Outlet is a Sender that was opened from a setting: it can say whether it
// would work, and is closed when the work is over.
type Outlet interface {
	Sender
	// Ping goes as far as it can without sending; a *SendError says what is wrong.
	Ping(ctx context.Context) error
	io.Closer
}

// SendError says why a mail was not taken, and what may be done about it. Its
// text never holds an address, nor what the server said, which may repeat one.
//
// Neither Permanent nor Config: try again later.
type SendError struct {
	Permanent bool   // this mail will never be taken: do not try again
	Config    bool   // a setting of ours, or the server's view of us, is wrong: try again, and tell an administrator
	Uncertain bool   // the mail may have been taken all the same; sending again may deliver it twice
	Code      int    // the server's reply code; 0 when it never replied
	Enhanced  string // the server's enhanced status code (RFC 3463), such as "5.1.1"; may be empty
	Stage     string // where it stopped: dial, greeting, hello, starttls, tls, auth, mail, rcpt, data, message, reset, file, closed
	Err       error  // the cause, for the log; nil when the reply code says it all
}

// Error gives the text for the log.
func (e *SendError) Error() string {
	var b strings.Builder
	b.WriteString("mail not taken at " + e.Stage + ": ")
	switch {
	case e.Permanent:
		b.WriteString("permanent")
	case e.Config:
		b.WriteString("settings")
	default:
		b.WriteString("temporary")
	}
	if e.Code != 0 {
		b.WriteString(" " + strconv.Itoa(e.Code))
	}
	if e.Enhanced != "" {
		b.WriteString(" " + e.Enhanced)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause, so that errors.Is finds a cancelled context.
func (e *SendError) Unwrap() error { return e.Err }

// OpenSender makes the outlet that a setting names: smtp://, smtps:// or
// file:DIR. now is the clock that names files. A bad setting is fault.Invalid
// and says what would be right; its text never repeats the setting, which may
// hold a password. Nothing is dialled yet.
func OpenSender(setting string, now func() time.Time) (Outlet, error) {
	scheme, _, ok := strings.Cut(setting, ":")
	switch {
	case ok && scheme == "file":
		dir, err := fileDir(setting)
		if err != nil {
			return nil, err
		}
		return OpenFileSink(dir, now)
	case ok && (scheme == "smtp" || scheme == "smtps"):
		cfg, err := ParseSMTP(setting)
		if err != nil {
			return nil, err
		}
		return NewSMTP(cfg)
	}
	return nil, fault.New(fault.Invalid, "the mail setting has to be smtp://USER:PASSWORD@HOST:PORT, smtps://USER:PASSWORD@HOST:PORT or file:DIR")
}

// fileDir reads file:DIR, file:/DIR and file:///DIR.
func fileDir(setting string) (string, error) {
	dir := strings.TrimPrefix(setting, "file:")
	if rest, ok := strings.CutPrefix(dir, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return "", fault.New(fault.Invalid, "the mail folder has to be file:DIR, or file:///DIR with three slashes")
		}
		dir = rest
	}
	if dir == "" {
		return "", fault.New(fault.Invalid, "the mail folder's name is missing: file:DIR")
	}
	return dir, nil
}

// ParseSMTP reads smtp://USER:PASSWORD@HOST:PORT or smtps://…; user and
// password may be left out, and the port is then 587, or 465 for smtps.
// Options after a question mark:
//
//	starttls=required|opportunistic|never
//	    smtp only. Required unless the host is this machine and there is no user.
//	helo=NAME
//	    the name we greet with; the connection's own address when unset.
//	ca=FILE
//	    trust the certificates in this PEM file in place of the system's.
//	timeout=DURATION
//	    for each command, such as 30s.
func ParseSMTP(setting string) (SMTPConfig, error) {
	const form = "the mail server has to be smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT"
	u, err := url.Parse(setting)
	if err != nil {
		// The library's text repeats the setting, password and all.
		return SMTPConfig{}, fault.New(fault.Invalid, form+", with %%-escapes for signs such as @, / and %% in user and password")
	}
	cfg := SMTPConfig{Host: u.Hostname(), ImplicitTLS: u.Scheme == "smtps", User: u.User.Username()}
	cfg.Password, _ = u.User.Password()
	if (u.Scheme != "smtp" && u.Scheme != "smtps") || cfg.Host == "" || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return SMTPConfig{}, fault.New(fault.Invalid, form)
	}
	var faults []fault.Field
	add := func(field, format string, args ...any) {
		faults = append(faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			add("port", "has to be 1 to 65535")
		}
		cfg.Port = int(n)
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		add("options", "have to be NAME=VALUE, joined by &")
	}
	for name, values := range options {
		value := values[len(values)-1]
		switch name {
		case "starttls":
			cfg.STARTTLS = STARTTLS(value)
			if value == "" {
				add("starttls", "has to be required, opportunistic or never")
			}
		case "helo":
			cfg.HelloName = value
		case "ca":
			pem, err := os.ReadFile(value) //nolint:gosec // G304: the administrator names the file
			pool := x509.NewCertPool()
			if err != nil || !pool.AppendCertsFromPEM(pem) {
				add("ca", "has to be a readable file of PEM certificates")
			}
			cfg.RootCAs = pool
		case "timeout":
			d, err := time.ParseDuration(value)
			if err != nil || d < time.Second || d > 10*time.Minute {
				add("timeout", "has to be a duration from 1s to 10m")
			}
			cfg.CommandTimeout = d
		default:
			add(name, "is no option; there are starttls, helo, ca and timeout")
		}
	}
	if err := fault.Fields("the mail server setting", faults...); err != nil {
		return SMTPConfig{}, err
	}
	return cfg, cfg.check()
}
