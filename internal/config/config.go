// Package config owns the settings: it reads them from the environment and an
// optional file, checks them all at once, and prints them without secrets.
package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// Config is every setting, checked.
type Config struct {
	Addr           string
	MetricsAddr    string // empty: no metrics listener
	BaseURL        *url.URL
	SurveyURL      *url.URL
	Store          string
	Keys           *seal.Keys
	SMTP           string
	MailFrom       mail.Address
	MailReplyTo    mail.Address // zero: replies go to MailFrom
	LogFormat      string
	TrustedProxies []string
	SurveyName     string // the neutral name in the survey's title

	values map[string]string
}

// setting describes one setting.
type setting struct {
	name     string
	fallback string
	secret   bool
	help     string
	parse    func(c *Config, value string) error
}

// Prefix begins every setting's name.
const Prefix = "VICTIMVOICE_"

var settings = []setting{
	{"ADDR", "127.0.0.1:8080", false, "address to listen on, host:port", func(c *Config, v string) error { c.Addr = v; return hostPort(v) }},
	{"METRICS_ADDR", "", false, "address of the Prometheus metrics listener, host:port; empty: none", func(c *Config, v string) error {
		c.MetricsAddr = v
		if v == "" {
			return nil
		}
		return hostPort(v)
	}},
	{"BASE_URL", "http://127.0.0.1:8080", false, "the address under which staff and the public reach the service", func(c *Config, v string) (err error) {
		c.BaseURL, err = webURL(v)
		return err
	}},
	{"SURVEY_URL", "", false, "a second address for survey pages, on a domain of its own; empty: BASE_URL", func(c *Config, v string) (err error) {
		if v == "" {
			return nil
		}
		c.SurveyURL, err = webURL(v)
		return err
	}},
	{"SURVEY_NAME", "Feedback", false, "the neutral name that survey pages bear", func(c *Config, v string) error {
		c.SurveyName = v
		if strings.TrimSpace(v) == "" || len(v) > 40 {
			return errors.New("want a short neutral name such as Feedback")
		}
		return nil
	}},
	{"STORE", "sqlite:victimvoice.db", true, "sqlite:PATH, or mongodb://… with the database name in the path", func(c *Config, v string) error {
		c.Store = v
		if path, ok := strings.CutPrefix(v, "sqlite:"); ok && path != "" {
			return nil
		}
		if strings.HasPrefix(v, "mongodb://") || strings.HasPrefix(v, "mongodb+srv://") {
			// Not by url.Parse: the hosts may be several.
			_, rest, _ := strings.Cut(v, "://")
			rest, _, _ = strings.Cut(rest, "?")
			if _, database, _ := strings.Cut(rest, "/"); database == "" {
				return errors.New("want the database name in the path, as in mongodb://host:27017/victimvoice")
			}
			return nil
		}
		return errors.New("want sqlite:PATH or mongodb://host:27017/DATABASE")
	}},
	{"KEYS", "", true, "the keyset that seals data and makes pseudonyms; make one with: victimvoice keys new", func(c *Config, v string) (err error) {
		if v == "" {
			return errors.New("is not set; make a keyset with: victimvoice keys new, and keep it safe: without it nothing stored can be read")
		}
		if c.Keys, err = seal.Parse(v); err != nil {
			return errors.New("is not a keyset; want what victimvoice keys new prints")
		}
		return nil
	}},
	{"SMTP", "", true, "where mail goes: smtp://user:password@host:port, smtps://…, or file:DIR to write .eml files", func(c *Config, v string) error {
		c.SMTP = v
		if v == "" {
			return errors.New("is not set; want smtp://host:port, smtps://host:port or file:DIR")
		}
		return nil
	}},
	{"MAIL_FROM", "", false, "the neutral sender of survey mail, as in Feedback <feedback@example.org>", func(c *Config, v string) error {
		a, err := mail.ParseAddress(v)
		if err != nil {
			return errors.New("want an address, as in Feedback <feedback@example.org>")
		}
		c.MailFrom = *a
		return nil
	}},
	{"MAIL_REPLY_TO", "", false, "the mailbox that replies to survey mail go to, with the answer that check --reply-text prints; empty: MAIL_FROM", func(c *Config, v string) error {
		if v == "" {
			return nil
		}
		a, err := mail.ParseAddress(v)
		if err != nil {
			return errors.New("want an address, as in Feedback <replies@example.org>")
		}
		c.MailReplyTo = *a
		return nil
	}},
	{"LOG", "text", false, "text or json", func(c *Config, v string) error {
		c.LogFormat = v
		if v != "text" && v != "json" {
			return errors.New("want text or json")
		}
		return nil
	}},
	{"TRUSTED_PROXIES", "", false, "comma-separated addresses or CIDR ranges whose X-Forwarded-For is believed", func(c *Config, v string) error {
		for p := range strings.SplitSeq(v, ",") {
			p = strings.TrimSpace(p)
			if p == "" {
				continue
			}
			if _, err := netip.ParsePrefix(p); err != nil {
				if _, err := netip.ParseAddr(p); err != nil {
					return fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/8", p)
				}
			}
			c.TrustedProxies = append(c.TrustedProxies, p)
		}
		return nil
	}},
}

func hostPort(v string) error {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("want host:port such as 127.0.0.1:8080 or :8080")
	}
	return nil
}

func webURL(v string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("want http://host or https://host without a path")
	}
	return u, nil
}

// Load reads every setting from getenv and, where set, from a file of NAME=value
// lines (the environment wins). Every fault is reported at once, as fault.Invalid
// with a field a setting. only limits the check to the named settings (without
// prefix); none: all.
func Load(getenv func(string) string, file string, only ...string) (*Config, error) {
	c := &Config{values: map[string]string{}}
	fromFile, faults := readFile(file)
	for _, s := range settings {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		value, err := lookUp(s, getenv, fromFile)
		if err == nil {
			err = s.parse(c, value)
		}
		if err != nil {
			faults = append(faults, fault.Field{Field: Prefix + s.name, Message: err.Error()})
		}
		c.values[s.name] = value
	}
	if c.SurveyURL == nil {
		c.SurveyURL = c.BaseURL
	}
	if err := fault.Fields("the settings have faults", faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// lookUp finds a setting's value: NAME, then NAME_FILE for secrets, each from
// the environment before the file.
func lookUp(s setting, getenv func(string) string, fromFile map[string]string) (string, error) {
	get := func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return fromFile[name]
	}
	value := get(Prefix + s.name)
	if s.secret {
		if path := get(Prefix + s.name + "_FILE"); path != "" {
			if value != "" {
				return "", fmt.Errorf("is set twice, by itself and by %s%s_FILE; want one", Prefix, s.name)
			}
			b, err := os.ReadFile(path) //nolint:gosec // G304: the administrator names the file
			if err != nil {
				return "", errors.New("the file that " + Prefix + s.name + "_FILE names cannot be read")
			}
			if value = strings.TrimSpace(string(b)); value == "" {
				return "", errors.New("the file that " + Prefix + s.name + "_FILE names is empty")
			}
		}
	}
	if value == "" {
		value = s.fallback
	}
	return value, nil
}

func readFile(path string) (map[string]string, []fault.Field) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path) //nolint:gosec // G304: the administrator names the file
	if err != nil {
		return nil, []fault.Field{{Field: "--config", Message: "the file cannot be read"}}
	}
	defer f.Close()
	values := map[string]string{}
	var faults []fault.Field
	scan := bufio.NewScanner(f)
	for line := 1; scan.Scan(); line++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimSpace(strings.TrimPrefix(name, "export "))
		if !ok || !known(name) {
			faults = append(faults, fault.Field{Field: fmt.Sprintf("--config line %d", line), Message: "want NAME=value with a known setting's name"})
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		values[name] = value
	}
	if scan.Err() != nil {
		faults = append(faults, fault.Field{Field: "--config", Message: "the file cannot be read to its end"})
	}
	return values, faults
}

func known(name string) bool {
	for _, s := range settings {
		if name == Prefix+s.name || s.secret && name == Prefix+s.name+"_FILE" {
			return true
		}
	}
	return false
}

// Help writes every setting with its meaning and default.
func Help(w io.Writer) {
	_, _ = fmt.Fprintln(w, "Settings, from the environment or a file of NAME=value lines given with --config:")
	for _, s := range settings {
		name := Prefix + s.name
		if s.secret {
			name += " (or " + name + "_FILE)"
		}
		_, _ = fmt.Fprintf(w, "  %s\n      %s", name, s.help)
		if s.fallback != "" {
			_, _ = fmt.Fprintf(w, "; default %s", s.fallback)
		}
		_, _ = fmt.Fprintln(w)
	}
}

// String prints the settings with secrets masked.
func (c *Config) String() string {
	var b strings.Builder
	for _, s := range settings {
		value, ok := c.values[s.name]
		if !ok {
			continue
		}
		if s.secret && value != "" {
			scheme, _, has := strings.Cut(value, ":")
			value = "(set)"
			if has && s.name != "KEYS" {
				value = scheme + ":(set)"
			}
		}
		fmt.Fprintf(&b, "%s%s=%s\n", Prefix, s.name, value)
	}
	return b.String()
}

// GoString is String: secrets stay masked under %#v too.
func (c *Config) GoString() string { return c.String() }
