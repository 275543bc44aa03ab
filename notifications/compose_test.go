package notifications

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"victimvoice/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testFrom() mail.Address { return mail.Address{Name: "Feedback", Address: "feedback@example.org"} }

func testLetter(kind Kind) Letter {
	l := Letter{
		To: "person@example.net", Language: "en", Kind: kind, MailID: "m-Zx81", Date: time.Date(2026, 3, 29, 2, 30, 0, 0, time.FixedZone("", 3600)),
		Data: LetterData{
			Link: "https://answers.example.org/f/3q2-7wQAAAAAAAAAAAAAAAAAAAAAAAAA", StopLink: "https://answers.example.org/s/3q2-7wQAAAAAAAAAAAAAAAAAAAAAAAAA?a=1&b=2",
			NotForMeLink: "https://answers.example.org/n/3q2-7wQAAAAAAAAAAAAAAAAAAAAAAAAA", Days: 14,
		},
	}
	if kind == KindTold || kind == KindDigest {
		l.Data.NotForMeLink, l.Data.Days = "", 0
	}
	if kind == KindDigest {
		l.Data.Link, l.Data.StopLink = "https://answers.example.org/figures", "https://answers.example.org/account"
	}
	return l
}

func loaded(t testing.TB) *Letters {
	t.Helper()
	letters, err := LoadLetters()
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

var boundaryPattern = regexp.MustCompile(`boundary=([0-9a-f]{60})`)

// settled is a mail with its random boundary replaced, so that it can be
// compared and kept.
func settled(t *testing.T, raw []byte) string {
	t.Helper()
	found := boundaryPattern.FindSubmatch(raw)
	if found == nil {
		t.Fatal("the mail has no boundary")
	}
	return string(bytes.ReplaceAll(raw, found[1], []byte("BOUNDARY")))
}

func TestGolden(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	variants := map[string]func(*Letter){
		"": nil,
		"-least": func(l *Letter) {
			l.Data.NotForMeLink = ""
			switch l.Kind {
			case KindTold:
				l.Data.StopLink = ""
			case KindDigest: // has nothing to leave out
			default:
				l.Data.Days = 1
			}
		},
	}
	for _, language := range letters.Languages() {
		for kind := range kinds {
			for variant, change := range variants {
				if !wordedIn(kind, language) || kind == KindDigest && variant != "" {
					continue
				}
				name := language + "-" + string(kind) + variant
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					l := testLetter(kind)
					l.Language = language
					if change != nil {
						change(&l)
					}
					e, err := letters.Compose(testFrom(), l)
					if err != nil {
						t.Fatal(err)
					}
					got := settled(t, e.Raw)
					file := filepath.Join("testdata", "golden", name+".eml")
					if *update {
						if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(file) //nolint:gosec // G304: our own test data
					if err != nil {
						t.Fatal(err)
					}
					// A checkout may have turned the line ends.
					if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), strings.ReplaceAll(got, "\r\n", "\n")); diff != "" {
						t.Errorf("differs from %s (-update writes it anew):\n%s", file, diff)
					}
				})
			}
		}
	}
}

// read is a mail as a person sees it.
type read struct {
	header mail.Header
	parts  []readPart
}

type readPart struct{ mediaType, body string }

func readMail(t testing.TB, raw []byte) read {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	mediaType, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/alternative" {
		t.Fatalf("%s: %v", mediaType, err)
	}
	r := read{header: m.Header}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Fatalf("encoding %s", got)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		r.parts = append(r.parts, readPart{p.Header.Get("Content-Type"), string(body)})
	}
}

// tellingWords would tell somebody who reads over a shoulder what the mail is
// about: testdata/telling/<language>.txt, one pattern a line, whatever the case.
// A language that is added has to bring its own list. English is looked for in
// every language, since names and addresses come in English.
func tellingWords(t *testing.T, language string) *regexp.Regexp {
	t.Helper()
	var patterns []string
	for _, l := range []string{language, FallbackLanguage} {
		b, err := os.ReadFile(filepath.Join("testdata", "telling", l+".txt")) //nolint:gosec // G304: our own test data
		if err != nil {
			t.Fatalf("the language %s has no list of telling words: %v", l, err)
		}
		own := strings.Fields(string(b))
		if len(own) < 30 {
			t.Fatalf("the list of telling words of %s has only %d", l, len(own))
		}
		if patterns = append(patterns, own...); language == FallbackLanguage {
			break
		}
	}
	return regexp.MustCompile("(?i)" + strings.Join(patterns, "|"))
}

func TestNothingTells(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	for _, language := range letters.Languages() {
		telling := tellingWords(t, language)
		for kind := range kinds {
			if !wordedIn(kind, language) {
				continue
			}
			l := testLetter(kind)
			l.Language = language
			e, err := letters.Compose(testFrom(), l)
			if err != nil {
				t.Fatal(err)
			}
			r := readMail(t, e.Raw)
			subject, err := new(mime.WordDecoder).DecodeHeader(r.header.Get("Subject"))
			if err != nil {
				t.Fatal(err)
			}
			seen := []string{settled(t, e.Raw), subject} // a random boundary may hold 999
			for _, p := range r.parts {
				seen = append(seen, p.body)
			}
			for _, text := range seen {
				if found := telling.FindString(text); found != "" {
					t.Errorf("%s %s holds %q", language, kind, found)
				}
			}
		}
	}
}

func TestTheWordListFinds(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Metropolitan Police", "a crime", "your case", "reported", "Stalking", "the Commissioner", "police force"} {
		if !tellingWords(t, FallbackLanguage).MatchString(text) {
			t.Errorf("%q passes", text)
		}
	}
}

// Opening a mail loads nothing, runs nothing and looks like nothing much; its
// only ways out are the given links.
func TestNothingRemote(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	elements := map[string]bool{"html": true, "head": true, "meta": true, "title": true, "body": true, "p": true, "a": true}
	attributes := map[string]bool{"lang": true, "dir": true, "charset": true, "name": true, "content": true, "href": true}
	for _, language := range letters.Languages() {
		for kind := range kinds {
			if !wordedIn(kind, language) {
				continue
			}
			l := testLetter(kind)
			l.Language = language
			e, err := letters.Compose(testFrom(), l)
			if err != nil {
				t.Fatal(err)
			}
			r := readMail(t, e.Raw)
			// In characters: quoted-printable writes a Bengali letter in nine.
			characters := 0
			for _, p := range r.parts {
				characters += utf8.RuneCountInString(p.body)
			}
			if characters > 4500 {
				t.Errorf("%s %s: %d characters", language, kind, characters)
			}
			if len(r.parts) != 2 || r.parts[0].mediaType != "text/plain; charset=UTF-8" || r.parts[1].mediaType != "text/html; charset=UTF-8" {
				t.Fatalf("parts %v", r.parts)
			}
			given := map[string]bool{l.Data.Link: true, l.Data.StopLink: true}
			if l.Data.NotForMeLink != "" {
				given[l.Data.NotForMeLink] = true
			}
			for _, link := range regexp.MustCompile(`(?i)[a-z]+://\S+`).FindAllString(r.parts[0].body, -1) {
				if !given[link] {
					t.Errorf("%s %s: the text leads to %s", language, kind, link)
				}
			}
			for link := range given {
				if !strings.Contains(r.parts[0].body, "\r\n"+link+"\r\n") {
					t.Errorf("%s %s: the text lacks a line of its own for %s", language, kind, link)
				}
			}
			tokens := html.NewTokenizer(strings.NewReader(r.parts[1].body))
			for tokens.Next() != html.ErrorToken {
				token := tokens.Token()
				if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
					continue
				}
				if !elements[token.Data] {
					t.Errorf("%s %s: element %s", language, kind, token.Data)
				}
				for _, a := range token.Attr {
					if !attributes[a.Key] {
						t.Errorf("%s %s: attribute %s", language, kind, a.Key)
					}
					if a.Key == "href" {
						if !given[a.Val] {
							t.Errorf("%s %s: the HTML leads to %s", language, kind, a.Val)
						}
						delete(given, a.Val)
					}
				}
			}
			if len(given) != 0 {
				t.Errorf("%s %s: the HTML lacks %v", language, kind, given)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	e, err := loaded(t).Compose(testFrom(), testLetter(KindInvitation))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(settled(t, e.Raw), "\r\n\r\n")
	want := strings.Join([]string{
		`From: "Feedback" <feedback@example.org>`,
		`To: <person@example.net>`,
		`Subject: Your feedback`,
		`Date: Sun, 29 Mar 2026 01:30:00 +0000`,
		`Message-ID: <m-Zx81@example.org>`,
		`Auto-Submitted: auto-generated`,
		`MIME-Version: 1.0`,
		"Content-Type: multipart/alternative;\r\n boundary=BOUNDARY",
	}, "\r\n")
	if head != want {
		t.Errorf("got\n%s\nwant\n%s", head, want)
	}
	if e.From != "feedback@example.org" || e.To != "person@example.net" || e.MessageID != "<m-Zx81@example.org>" {
		t.Errorf("envelope %s, %s, %s", e.From, e.To, e.MessageID)
	}
}

// Replies go where they are told to, and that address tells as little as the
// sender; without one the mail says nothing of replies.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	for given, want := range map[string]string{
		"Feedback <replies@example.org>":        `"Feedback" <replies@example.org>`,
		"replies@bücher.example":                `<replies@xn--bcher-kva.example>`,
		"Rückmeldung <replies@example.org>":     `=?utf-8?q?R=C3=BCckmeldung?= <replies@example.org>`,
		"Police feedback <replies@example.org>": "",
		"Feedback <replies@met.police.uk>":      "",
		"Feedback <stalking@example.org>":       "",
		"\"Feedback, yours\" <x@example.org>":   "",
		"Feedback <pérson@example.org>":         "",
	} {
		to, err := mail.ParseAddress(given)
		if err != nil {
			t.Fatal(err)
		}
		l := testLetter(KindInvitation)
		l.ReplyTo = *to
		e, err := letters.Compose(testFrom(), l)
		if err2 := CheckReplyTo(*to); fault.Is(err, fault.Invalid) != fault.Is(err2, fault.Invalid) || (err == nil) != (want != "") {
			t.Errorf("%q: %v, %v", given, err, err2)
			continue
		}
		if err != nil {
			if f := fault.FieldsOf(err); len(f) == 0 || f[0].Field != "reply_to" || strings.Contains(err.Error(), to.Address) {
				t.Errorf("%q: %v", given, err)
			}
			continue
		}
		lines := strings.SplitN(string(e.Raw), "\r\n", 4)
		if lines[1] != "Reply-To: "+want || !strings.HasPrefix(lines[2], "To: ") {
			t.Errorf("%q: %q", given, lines)
		}
	}
	if err := CheckReplyTo(mail.Address{}); err != nil {
		t.Error(err)
	}
	e, err := letters.Compose(testFrom(), testLetter(KindInvitation))
	if err != nil || bytes.Contains(e.Raw, []byte("Reply-To")) {
		t.Errorf("without an address for replies: %v", err)
	}
}

// The automatic answer for the mailbox that replies go to tells as little as a
// letter. It says that nobody has read what was written, and how to stop the
// letters, in every language; it names no link, no address and no sender.
func TestTheAnswerToRepliesTellsNothing(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	all := letters.ReplyText()
	paragraphs := strings.Split(strings.TrimSuffix(all, "\n"), "\n\n")
	if len(paragraphs) != len(letters.Languages()) || paragraphs[0] != letters.replies[FallbackLanguage] {
		t.Errorf("not one paragraph a language, English first:\n%s", all)
	}
	if found := tellingWords(t, FallbackLanguage).FindString(all); found != "" {
		t.Errorf("the whole answer holds %q", found)
	}
	for _, language := range letters.Languages() {
		text := letters.replies[language]
		if found := tellingWords(t, language).FindString(text); found != "" {
			t.Errorf("%s holds %q: %s", language, found, text)
		}
		if strings.Count(all, text) != 1 || strings.ContainsAny(text, "@/0123456789") || strings.Count(text, " ") < 20 {
			t.Errorf("%s: %s", language, text)
		}
	}
	for _, says := range []string{"Nobody reads this mailbox", "has not been read", "To get no more messages", "link", "button"} {
		if !strings.Contains(letters.replies["en"], says) {
			t.Errorf("it does not say %q", says)
		}
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	for given, want := range map[string]string{
		"person@example.net":                         "person@example.net",
		"O'Neil+x@Example.NET":                       "O'Neil+x@example.net",
		"person@bücher.example":                      "person@xn--bcher-kva.example",
		"pérson@example.net":                         "pérson@example.net",
		"用户@例子.example":                              "用户@xn--fsqu00a.example",
		"a.b-c_d{e}|f@sub.example.net":               "a.b-c_d{e}|f@sub.example.net",
		"":                                           "",
		"person":                                     "",
		"@example.net":                               "",
		"person@":                                    "",
		"person@example.net.":                        "",
		"person@[192.0.2.1]":                         "",
		"person@exa mple.net":                        "",
		"person@-example.net":                        "",
		"a@b@example.net":                            "",
		`"a b"@example.net`:                          "",
		"a b@example.net":                            "",
		".a@example.net":                             "",
		"a..b@example.net":                           "",
		"a,b@example.net":                            "",
		"<person@example.net>":                       "",
		"Person <person@example.net>":                "",
		"person@example.net\r\nBcc: x@y":             "",
		"per\r\nson@example.net":                     "",
		"per\u202eson@example.net":                   "",
		"per\xffson@example.net":                     "",
		"person@example.net\x00":                     "",
		strings.Repeat("a", 65) + "@example.net":     "",
		"a@" + strings.Repeat("a.", 126) + "example": "",
	} {
		l := testLetter(KindInvitation)
		l.To = given
		e, err := letters.Compose(testFrom(), l)
		if want == "" {
			if !fault.Is(err, fault.Invalid) || len(fault.FieldsOf(err)) != 1 || fault.FieldsOf(err)[0].Field != "to" {
				t.Errorf("%q: %v", given, err)
			} else if len(given) > 8 && strings.Contains(err.Error(), given) {
				t.Errorf("%q: the error repeats it: %v", given, err)
			}
			continue
		}
		if err != nil || e.To != want {
			t.Errorf("%q: %q, %v", given, e.To, err)
			continue
		}
		if isASCII(want) != isASCII(string(e.Raw)) {
			t.Errorf("%q: the mail's bytes do not fit the address", given)
		}
	}
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Feedback <feedback@example.org>":           `"Feedback" <feedback@example.org>`,
		"feedback@example.org":                      `<feedback@example.org>`,
		"Rückmeldung <feedback@bücher.example>":     `=?utf-8?q?R=C3=BCckmeldung?= <feedback@xn--bcher-kva.example>`,
		"Salesforce <feedback@workforce.example>":   `"Salesforce" <feedback@workforce.example>`,
		"Metropolitan Police <x@example.org>":       "",
		"Feedback <x@met.police.uk>":                "",
		"Feedback <victimvoice@example.org>":        "",
		"Feedback <x@the-force.example>":            "",
		"\"Feedback, yours\" <x@example.org>":       "",
		"Feedback <pérson@example.org>":             "",
		"Feedback":                                  "",
		"a@example.org, b@example.org":              "",
		strings.Repeat("a", 61) + "<a@example.org>": "",
		"Feedback\r\nBcc: a@example.org <b@c.org>":  "",
	} {
		from, err := ParseFrom(given)
		if want == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", given, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		e, err := loaded(t).Compose(from, testLetter(KindTold))
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if line, _, _ := strings.Cut(string(e.Raw), "\r\n"); line != "From: "+want {
			t.Errorf("%q: %s", given, line)
		}
	}
	for _, name := range []string{"a\r\nBcc: b@example.org", "a\x00", "a\tb"} {
		if err := CheckFrom(mail.Address{Name: name, Address: "a@example.org"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLetterChecks(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	tests := map[string]struct {
		kind   Kind
		change func(*Letter)
		fields []string
	}{
		"all at once":        {KindInvitation, func(l *Letter) { *l = Letter{} }, []string{"to", "kind", "mail_id", "date", "link", "stop_link", "days"}},
		"kind":               {KindInvitation, func(l *Letter) { l.Kind = "welcome" }, []string{"kind"}},
		"mail id":            {KindInvitation, func(l *Letter) { l.MailID = "a b" }, []string{"mail_id"}},
		"mail id injects":    {KindInvitation, func(l *Letter) { l.MailID = "a>\r\nBcc: b" }, []string{"mail_id"}},
		"no date":            {KindReminder, func(l *Letter) { l.Date = time.Time{} }, []string{"date"}},
		"no stop link":       {KindReminder, func(l *Letter) { l.Data.StopLink = "" }, []string{"stop_link"}},
		"no days":            {KindReminder, func(l *Letter) { l.Data.Days = 0 }, []string{"days"}},
		"days of a told":     {KindTold, func(l *Letter) { l.Data.Days = 3 }, []string{"data"}},
		"not for me, told":   {KindTold, func(l *Letter) { l.Data.NotForMeLink = l.Data.Link }, []string{"data"}},
		"days of a digest":   {KindDigest, func(l *Letter) { l.Data.Days = 3 }, []string{"data"}},
		"digest, no way out": {KindDigest, func(l *Letter) { l.Data.StopLink = "" }, []string{"stop_link"}},
		"script":             {KindInvitation, func(l *Letter) { l.Data.Link = "javascript:alert(1)" }, []string{"link"}},
		"relative":           {KindInvitation, func(l *Letter) { l.Data.Link = "/f/x" }, []string{"link"}},
		"user in link":       {KindInvitation, func(l *Letter) { l.Data.Link = "https://a@example.org/f" }, []string{"link"}},
		"telling host":       {KindInvitation, func(l *Letter) { l.Data.Link = "https://victims.example.org/f" }, []string{"link"}},
		"line end in link":   {KindInvitation, func(l *Letter) { l.Data.NotForMeLink = "https://example.org/a\r\nb" }, []string{"not_for_me_link"}},
		"quote in link":      {KindInvitation, func(l *Letter) { l.Data.StopLink = `https://example.org/"onclick="` }, []string{"stop_link"}},
		"long link":          {KindInvitation, func(l *Letter) { l.Data.Link = "https://example.org/" + strings.Repeat("a", 600) }, []string{"link"}},
	}
	for name, test := range tests {
		l := testLetter(test.kind)
		test.change(&l)
		_, err := letters.Compose(testFrom(), l)
		var fields []string
		for _, f := range fault.FieldsOf(err) {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff(test.fields, fields); diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if err := CheckLink("https://answers.example.org/"); err != nil {
		t.Error(err)
	}
	if err := CheckLink("https://stalking.example.org/"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// A path may hold any letters by chance: only the host is looked at.
func TestTokensMaySpellAnything(t *testing.T) {
	t.Parallel()
	l := testLetter(KindInvitation)
	l.Data.Link = "https://answers.example.org/f/xxpolicexx"
	if _, err := loaded(t).Compose(testFrom(), l); err != nil {
		t.Error(err)
	}
}

func TestLogsHoldNoAddress(t *testing.T) {
	t.Parallel()
	l := testLetter(KindInvitation)
	e, err := loaded(t).Compose(testFrom(), l)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{l, e} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(format, v); strings.Contains(got, "person") || strings.Contains(got, "https:") {
				t.Errorf("%s: %s", format, got)
			}
		}
	}
	for _, v := range []string{l.LogValue().String(), e.LogValue().String()} {
		if strings.Contains(v, "person") || strings.Contains(v, "https:") {
			t.Error(v)
		}
	}
}

func TestReadBackRefuses(t *testing.T) {
	t.Parallel()
	good, err := loaded(t).Compose(testFrom(), testLetter(KindInvitation))
	if err != nil {
		t.Fatal(err)
	}
	if err := good.readBack("Your feedback", ""); err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) []byte { return bytes.Replace(good.Raw, []byte(old), []byte(new), 1) }
	for name, raw := range map[string][]byte{
		"another recipient": change("person@", "other@"),
		"two recipients":    change("<person@example.net>", "<person@example.net>, <x@example.net>"),
		"another sender":    change("<feedback@", "<x@"),
		"another subject":   change("Your feedback", "Your say"),
		"another id":        change("m-Zx81", "m-Zx82"),
		"replies elsewhere": change("To: <person", "Reply-To: <x@example.net>\r\nTo: <person"),
		"bare line feed":    change("Hello,\r\n", "Hello,\n"),
		"bare return":       change("Hello,", "Hel\rlo,"),
		"NUL":               change("Hello,", "Hel\x00lo,"),
		"8 bit":             change("Hello,", "Hellö,"),
		"long line":         change("Hello,", strings.Repeat("x", 999)),
		"no line end":       bytes.TrimSuffix(good.Raw, []byte("\r\n")),
	} {
		e := good
		e.Raw = raw
		if e.readBack("Your feedback", "") == nil {
			t.Errorf("%s passes", name)
		}
	}
	for name, raw := range map[string]string{
		"an added header": "X-Mailer: a\r\n" + string(good.Raw),
		"one twice":       "From: a\r\n" + string(good.Raw),
		"no end":          "From: a\r\n",
		"one missing":     strings.Replace(string(good.Raw), "Auto-Submitted: auto-generated\r\n", "", 1),
	} {
		if _, err := orderHeader([]byte(raw)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// Whatever is put into a letter, a mail that comes out has our headers, one
// recipient and both parts.
func FuzzCompose(f *testing.F) {
	f.Add("person@example.net", "m1", "https://example.org/f/x", "Feedback")
	f.Add("用户@例子.example", "m-2", "http://127.0.0.1:8080/f?a=b&c=%20", "Rückmeldung")
	f.Add("a@example.org\r\nBcc: b@example.org", "m>\r\n", "https://example.org/\"><script>", "a\r\nb")
	f.Add("=?utf-8?q?a?=@example.org", "m", "https://example.org/=?utf-8?q?a?=", "=?utf-8?q?a?=")
	letters := loaded(f)
	f.Fuzz(func(t *testing.T, to, id, link, name string) {
		l := testLetter(KindInvitation)
		l.To, l.MailID, l.Data.Link = to, id, link
		l.ReplyTo = mail.Address{Name: name, Address: "replies@example.org"}
		e, err := letters.Compose(mail.Address{Name: name, Address: "feedback@example.org"}, l)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("refused late: %v", err)
			}
			return
		}
		r := readMail(t, e.Raw)
		if len(r.header) != len(headerOrder()) || len(r.parts) != 2 {
			t.Fatalf("%d headers, %d parts", len(r.header), len(r.parts))
		}
		if !strings.Contains(r.parts[0].body, "\r\n"+link+"\r\n") {
			t.Fatalf("the text lost the link %q", link)
		}
	})
}
