// Package notifications owns when and how we write to people: the letters and
// their words, how a letter becomes a mail, and how a mail leaves by SMTP or
// into a folder.
//
// A letter may be read by someone other than the person it is meant for.
// Nothing in it tells what it is about: not the sender, the subject, the text,
// a header or a link's host. It loads nothing when it is opened.
package notifications

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jordan-wright/email"
	"golang.org/x/net/idna"

	"victimvoice/internal/fault"
)

// Limits on what a letter is made of.
const (
	maxLocalPart = 64  // octets before the @, RFC 5321 4.5.3.1.1
	maxAddress   = 254 // octets of an address, RFC 5321 4.5.3.1.3 less the angle brackets
	maxMailID    = 64
	maxLink      = 512
	maxDays      = 366

	maxEncodedLine = 76  // octets of a header line with an encoded word, RFC 2047 2
	maxLine        = 998 // octets before the line end, RFC 5322 2.1.1
)

// Letter is one message to one person, before it has words.
type Letter struct {
	To       string // the bare address; its domain may be an IDN, its local part UTF-8
	Language string // a tag such as "en" or "cy-GB"; without templates, the fallback
	Kind     Kind   // picks the texts
	MailID   string // the left part of the Message-ID; stays the same when a letter is sent again
	Date     time.Time
	Data     LetterData
	ReplyTo  mail.Address // where an answer goes; zero: to the sender
}

// LetterData is what a letter says beyond its fixed words. Links are absolute
// http or https addresses.
type LetterData struct {
	Link         string // the survey; for KindTold the public page, for KindDigest the figures
	StopLink     string // "stop these messages"; may be empty for KindTold
	NotForMeLink string // "this is not for me"; may be empty; only of a survey
	Days         int    // whole days for which Link still works; only of a survey
}

// Envelope is a mail ready to hand over.
type Envelope struct {
	From      string // bare address, ASCII
	To        string // bare address; only its local part may hold more than ASCII
	Raw       []byte // the message with CRLF line ends, before dot-stuffing
	MessageID string // with its angle brackets, as in the header
}

// LogValue keeps addresses and links out of logs.
func (l Letter) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(l.Kind)), slog.String("mail_id", l.MailID))
}

// String keeps addresses and links out of logs.
func (l Letter) String() string { return string(l.Kind) + " letter " + l.MailID }

// GoString keeps addresses and links out of logs.
func (l Letter) GoString() string { return l.String() }

// LogValue keeps addresses and links out of logs.
func (e Envelope) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message_id", e.MessageID), slog.Int("bytes", len(e.Raw)))
}

// String keeps addresses and links out of logs.
func (e Envelope) String() string { return "mail " + e.MessageID }

// GoString keeps addresses and links out of logs.
func (e Envelope) GoString() string { return e.String() }

// ParseFrom reads a sender such as "Feedback <feedback@example.org>" and checks
// it as CheckFrom does.
func ParseFrom(s string) (mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		// The library's text may repeat the address.
		return mail.Address{}, fault.New(fault.Invalid, "the sender has to be one address, such as Feedback <feedback@example.org>")
	}
	if err := CheckFrom(*a); err != nil {
		return mail.Address{}, err
	}
	return *a, nil
}

// CheckFrom refuses, as fault.Invalid, a sender that mail systems would not
// carry everywhere or that tells what the mail is about.
func CheckFrom(from mail.Address) error {
	_, err := ownAddress(from, "from", "the sender can't be used")
	return err
}

// CheckReplyTo refuses, as fault.Invalid, an address for replies as CheckFrom
// refuses a sender. The zero address, which stands for none, is right.
func CheckReplyTo(to mail.Address) error {
	_, err := replyAddress(to)
	return err
}

func replyAddress(to mail.Address) (string, error) {
	if to == (mail.Address{}) {
		return "", nil
	}
	return ownAddress(to, "reply_to", "the address for replies can't be used")
}

// CheckLink refuses, as fault.Invalid, a link that is no plain web address or
// whose host tells what the mail is about.
func CheckLink(link string) error {
	if why := linkFault(link); why != "" {
		return fault.New(fault.Invalid, "the link %s", why)
	}
	return nil
}

// Compose makes the mail of a letter. Everything in it is checked first: a
// fault.Invalid names what is wrong without repeating an address or a link, and
// the same letter would fail again. The mail is plain text first with a small
// HTML alternative, both quoted-printable, so that it passes every server
// without 8BITMIME; only an address with a local part outside ASCII needs a
// server with SMTPUTF8.
func (l *Letters) Compose(from mail.Address, letter Letter) (Envelope, error) {
	sender, err := ownAddress(from, "from", "the sender can't be used")
	if err != nil {
		return Envelope{}, err
	}
	replyTo, err := replyAddress(letter.ReplyTo)
	if err != nil {
		return Envelope{}, err
	}
	to, faults := letter.check()
	if err := fault.Fields("the letter can't be written", faults...); err != nil {
		return Envelope{}, err
	}
	t, ok := l.textsFor(letter.Language, letter.Kind)
	if !ok {
		return Envelope{}, fault.New(fault.Invalid, "there are no texts for this kind of letter")
	}
	words, err := t.render(kinds[letter.Kind].view(letter.Data))
	if err != nil {
		return Envelope{}, fmt.Errorf("compose: %w", err)
	}

	_, domain, _ := strings.Cut(sender, "@")
	id := "<" + letter.MailID + "@" + domain + ">"
	// Every header is set here, for the library's own Message-ID carries the
	// host's name and its own Date the clock. There is no List-Unsubscribe:
	// mail scanners press it, and stopping has to be the person's own act.
	m := email.NewEmail()
	m.From = (&mail.Address{Name: from.Name, Address: sender}).String()
	m.To = []string{to}
	if replyTo != "" {
		m.ReplyTo = []string{(&mail.Address{Name: letter.ReplyTo.Name, Address: replyTo}).String()}
	}
	m.Subject = words.subject
	m.Text = words.text
	m.HTML = words.html
	m.Headers.Set("Date", letter.Date.UTC().Format(time.RFC1123Z))
	m.Headers.Set("Message-Id", id)
	m.Headers.Set("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	raw, err := m.Bytes()
	if err != nil {
		return Envelope{}, fmt.Errorf("compose: %w", err)
	}
	if raw, err = orderHeader(raw); err != nil {
		return Envelope{}, fmt.Errorf("compose: %w", err)
	}
	e := Envelope{From: sender, To: to, Raw: raw, MessageID: id}
	if err := e.readBack(words.subject, replyTo); err != nil {
		return Envelope{}, fmt.Errorf("compose: %w", err)
	}
	return e, nil
}

// check gives the recipient as it goes on the wire, and what is wrong with the letter.
func (l Letter) check() (to string, faults []fault.Field) {
	add := func(field, message string) { faults = append(faults, fault.Field{Field: field, Message: message}) }
	to, why := wireAddress(l.To)
	if why != "" {
		add("to", why)
	}
	if _, ok := kinds[l.Kind]; !ok {
		add("kind", "has to be invitation, reminder, told or digest")
	}
	if l.MailID == "" || len(l.MailID) > maxMailID || strings.ContainsFunc(l.MailID, notInMailID) {
		add("mail_id", fmt.Sprintf("has to be 1 to %d letters, digits, - or _", maxMailID))
	}
	if l.Date.IsZero() || l.Date.Year() < 2000 || l.Date.Year() > 9999 {
		add("date", "has to be when the letter is written")
	}
	link := func(field, value string, needed bool) {
		if value == "" && !needed {
			return
		}
		if why := linkFault(value); why != "" {
			add(field, why)
		}
	}
	asks := l.Kind != KindTold && l.Kind != KindDigest
	link("link", l.Data.Link, true)
	link("stop_link", l.Data.StopLink, l.Kind != KindTold)
	switch {
	case asks:
		link("not_for_me_link", l.Data.NotForMeLink, false)
		if l.Data.Days < 1 || l.Data.Days > maxDays {
			add("days", fmt.Sprintf("has to be 1 to %d", maxDays))
		}
	case l.Data.NotForMeLink != "" || l.Data.Days != 0:
		add("data", "a letter that asks nothing carries no days and no not-for-me link")
	}
	return to, faults
}

// notInMailID is true of what can't stand in a Message-ID or a file's name.
func notInMailID(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// ownAddress checks an address of ours and gives it bare, in ASCII.
func ownAddress(own mail.Address, field, refusal string) (string, error) {
	var faults []fault.Field
	add := func(message string) { faults = append(faults, fault.Field{Field: field, Message: message}) }
	address, why := wireAddress(own.Address)
	switch {
	case why != "":
		add(why)
	case !isASCII(address):
		add("the part before the @ has to be ASCII: not every server carries others")
	case telling(address) != "":
		add("the address tells what the mail is about: the word " + telling(address) + " has to go")
	}
	switch {
	case len(own.Name) > maxSubject || strings.ContainsFunc(own.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		add(fmt.Sprintf("the name has to be at most %d printable characters", maxSubject))
	case strings.ContainsAny(own.Name, `,"\`):
		// The composing library cuts an address at every comma, quoted or not.
		add("the name can't hold a comma, a quotation mark or a backslash")
	case telling(own.Name) != "":
		add("the name tells what the mail is about: the word " + telling(own.Name) + " has to go")
	}
	return address, fault.Fields(refusal, faults...)
}

// wireAddress gives an address the way it goes on the wire, its domain in
// lower-case ASCII (IDNA), or says what would be right. Quoted local parts and
// address literals are refused: no person's mailbox needs them, and every layer
// reads them differently.
func wireAddress(s string) (address, why string) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", "has to be one address, such as person@example.org"
	}
	local, domain := s[:at], s[at+1:]
	switch {
	case !utf8.ValidString(s):
		return "", "has to be valid UTF-8"
	case local == "" || len(local) > maxLocalPart:
		return "", fmt.Sprintf("needs 1 to %d characters before the @", maxLocalPart)
	case strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, ".."):
		return "", "can't have a dot first, last or twice in a row before the @"
	case strings.ContainsFunc(local, notInLocalPart):
		return "", "holds a character before the @ that can't be used in a bare address"
	}
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil || domain == "" || strings.HasSuffix(domain, ".") || len(domain) > 253 {
		return "", "needs a domain name after the @"
	}
	if address = local + "@" + domain; len(address) > maxAddress {
		return "", fmt.Sprintf("has to be at most %d octets long", maxAddress)
	}
	return address, ""
}

// notInLocalPart is true of what is not an atom's character (RFC 5322 3.2.3),
// nor a dot, nor a printable character beyond ASCII (RFC 6532).
func notInLocalPart(r rune) bool {
	switch {
	case r >= utf8.RuneSelf:
		return !unicode.IsPrint(r)
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
}

// linkFault says what would make a link right; empty when it is.
func linkFault(link string) string {
	u, err := url.Parse(link)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "has to be an absolute http or https address"
	case u.User != nil:
		return "can't carry a user name"
	case len(link) > maxLink:
		return fmt.Sprintf("has to be at most %d characters long", maxLink)
	case strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"\\^`{|}", r) }):
		return "can't hold blanks, quotation marks, brackets or characters beyond ASCII"
	case telling(u.Hostname()) != "":
		return "tells by its host what the mail is about: the word " + telling(u.Hostname()) + " has to go"
	}
	return ""
}

// telling gives the first word in a name, an address or a host that would tell
// what a mail is about; empty when there is none. The links' paths are random
// tokens and are not looked at.
func telling(s string) string {
	s = strings.ToLower(s)
	for _, stem := range []string{
		"police", "crime", "criminal", "stalk", "victim", "commissioner", "mopac", "offence", "offend",
		"harass", "abuse", "abusive", "violen", "investigat", "detective", "helpline", "prosecut", "safeguard", "witness",
	} {
		if strings.Contains(s, stem) {
			return stem
		}
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if slices.Contains([]string{"force", "court", "officer", "met", "justice", "advocate", "survivor"}, word) {
			return word
		}
	}
	return ""
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// headerOrder is every header a mail of ours has, as it is written, in order.
// Reply-To is there where replies have a mailbox of their own.
func headerOrder() []string {
	return []string{"From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
}

// orderHeader puts the header in one fixed order, since the library writes it
// in the order of a map, folds encoded words, which the library puts on one
// line, and refuses any header that we did not ask for.
func orderHeader(raw []byte) ([]byte, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("the mail has no end of header")
	}
	const fold = "\x00"
	unfolded := strings.ReplaceAll(string(head), "\r\n ", fold)
	fields := make(map[string]string)
	for line := range strings.SplitSeq(unfolded, "\r\n") {
		name, value, ok := strings.Cut(line, ": ")
		key := strings.ToLower(name)
		if _, again := fields[key]; !ok || again {
			return nil, errors.New("the mail's header is not well formed")
		}
		value = strings.ReplaceAll(value, "?= =?", "?="+fold+"=?")
		fields[key] = strings.ReplaceAll(value, fold, "\r\n ")
	}
	var out bytes.Buffer
	written := 0
	for _, name := range headerOrder() {
		value, ok := fields[strings.ToLower(name)]
		if !ok && name == "Reply-To" {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("the mail lacks %s", name)
		}
		written++
		first, _, _ := strings.Cut(value, "\r\n")
		blank := " "
		if strings.HasPrefix(first, "=?") && len(name)+2+len(first) > maxEncodedLine {
			blank = "\r\n "
		}
		out.WriteString(name + ":" + blank + value + "\r\n")
	}
	if len(fields) != written {
		return nil, errors.New("the mail has a header that is not ours")
	}
	out.WriteString("\r\n")
	out.Write(body)
	return out.Bytes(), nil
}

// readBack reads the finished mail as a mail program would, so that whatever
// the composing library does to a header can't go out unnoticed.
func (e Envelope) readBack(subject, replyTo string) error {
	for line := range bytes.SplitAfterSeq(e.Raw, []byte("\r\n")) {
		content := bytes.TrimSuffix(line, []byte("\r\n"))
		if len(content) > maxLine || bytes.ContainsAny(content, "\r\n\x00") {
			return errors.New("the mail has a line that is too long or wrongly ended")
		}
	}
	if !bytes.HasSuffix(e.Raw, []byte("\r\n")) {
		return errors.New("the mail does not end in a line end")
	}
	if isASCII(e.To) && bytes.ContainsFunc(e.Raw, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return errors.New("the mail holds more than ASCII")
	}
	m, err := mail.ReadMessage(bytes.NewReader(e.Raw))
	if err != nil {
		return errors.New("the mail can't be read back")
	}
	for name, want := range map[string]string{"From": e.From, "To": e.To, "Reply-To": replyTo} {
		if want == "" && m.Header.Get(name) == "" {
			continue
		}
		list, err := m.Header.AddressList(name)
		if err != nil || len(list) != 1 || list[0].Address != want {
			return fmt.Errorf("the mail's %s is not the address it was given", name)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != subject {
		return errors.New("the mail's subject is not the one it was given")
	}
	if m.Header.Get("Message-ID") != e.MessageID {
		return errors.New("the mail's identifier is not the one it was given")
	}
	return nil
}
