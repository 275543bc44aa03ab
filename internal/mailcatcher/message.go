package mailcatcher

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Limits on how much of a mail is taken apart.
const (
	maxDepth = 4
	maxParts = 20
	maxLinks = 50
)

// Message is one caught mail, as the page and messages.json show it.
type Message struct {
	ID        string    `json:"id"` // digits; they sort as the mails came
	To        string    `json:"to"` // whom it was sent to; several are joined by ", "
	From      string    `json:"from"`
	Subject   string    `json:"subject"`
	Date      time.Time `json:"date"`       // when it was caught, UTC
	MessageID string    `json:"message_id"` // with its angle brackets, for reporting a bounce
	Text      string    `json:"text"`       // the plain text part
	HTML      string    `json:"html"`       // the HTML part
	Links     []string  `json:"links"`      // each once, those of the text first

	number     int64
	recipients []string
	raw        []byte
}

// read takes a mail apart. A mail that can't be understood is kept as text.
func read(number int64, to []string, raw []byte) Message {
	m := Message{
		ID: idOf(number), To: strings.Join(to, ", "), Date: time.Unix(0, number).UTC(), Links: []string{},
		number: number, recipients: to, raw: raw,
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Text = clean(raw)
		m.Links = links(m.Text, "")
		return m
	}
	m.From = decodeHeader(parsed.Header.Get("From"))
	m.Subject = decodeHeader(parsed.Header.Get("Subject"))
	m.MessageID = strings.ToValidUTF8(parsed.Header.Get("Message-Id"), "\ufffd")
	parts := maxParts
	m.take(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body, 0, &parts)
	m.Links = links(m.Text, m.HTML)
	return m
}

// take reads one part: the first plain text and the first HTML are kept.
func (m *Message) take(contentType, encoding string, body io.Reader, depth int, parts *int) {
	if *parts--; *parts < 0 {
		return
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = "text/plain"
	}
	if strings.HasPrefix(mediaType, "multipart/") && params["boundary"] != "" {
		if depth == maxDepth {
			return
		}
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if err != nil {
				return // the end, or no telling where the next part begins
			}
			m.take(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1, parts)
		}
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body) // bounded by the mail's own size
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && len(content) == 0 {
		return
	}
	switch {
	case mediaType == "text/html" && m.HTML == "":
		m.HTML = clean(content)
	case mediaType == "text/plain" && m.Text == "":
		m.Text = clean(content)
	}
}

// clean makes text of bytes: valid UTF-8, plain line ends.
func clean(b []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "\ufffd"), "\r\n", "\n")
}

func decodeHeader(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		decoded = s // an unknown character set stays encoded
	}
	return strings.ToValidUTF8(decoded, "\ufffd")
}

var linkPattern = regexp.MustCompile(`https?://[^\s<>"\x00-\x1f]+`)

// findLinks gives where links begin and end in a text. A stop at the end of a
// sentence is no part of a link.
func findLinks(text string) [][2]int {
	var found [][2]int
	for _, at := range linkPattern.FindAllStringIndex(text, -1) {
		link := strings.TrimRight(text[at[0]:at[1]], ".,;:!?)'")
		if !strings.HasSuffix(link, "://") {
			found = append(found, [2]int{at[0], at[0] + len(link)})
		}
	}
	return found
}

// links collects each link once: those of the text, then those that only the
// HTML has.
func links(text, markup string) []string {
	all := []string{}
	add := func(link string) {
		if len(all) < maxLinks && !slices.Contains(all, link) {
			all = append(all, link)
		}
	}
	for _, at := range findLinks(text) {
		add(text[at[0]:at[1]])
	}
	for tokens := html.NewTokenizer(strings.NewReader(markup)); tokens.Next() != html.ErrorToken; {
		for _, a := range tokens.Token().Attr {
			if a.Key == "href" && (strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "https://")) {
				add(a.Val)
			}
		}
	}
	return all
}
