package mailcatcher

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

const sample = "From: =?utf-8?q?R=C3=BCckmeldung?= <feedback@example.org>\r\n" +
	"To: <person@example.net>\r\nSubject: =?utf-8?q?Ihre_R=C3=BCckmeldung?=\r\nMessage-ID: <m1@example.org>\r\n" +
	"Content-Type: multipart/alternative;\r\n boundary=xx\r\n\r\n" +
	"--xx\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Gr=C3=BC=C3=9Fe & <b>:\r\nhttps://answers.example.org/f/abc?a=3D1&b=3D2\r\n(https://answers.example.org/s/abc).\r\n" +
	"--xx\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"PHA+PGEgaHJlZj0iaHR0cHM6Ly9hbnN3ZXJzLmV4YW1wbGUub3JnL2YvYWJjP2E9MSZhbXA7Yj0y\r\nIj54PC9hPjxhIGhyZWY9Imh0dHBzOi8vZXhhbXBsZS5vcmcvaHRtbCI+PC9hPg==\r\n--xx--\r\n"

func TestMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	m := read(at.UnixNano(), []string{"person@example.net"}, []byte(sample))
	m.raw, m.recipients, m.number = nil, nil, 0
	want := Message{
		ID: "1795424400000000000", To: "person@example.net", From: "Rückmeldung <feedback@example.org>", Subject: "Ihre Rückmeldung",
		Date: at, MessageID: "<m1@example.org>",
		Text:  "Grüße & <b>:\nhttps://answers.example.org/f/abc?a=1&b=2\n(https://answers.example.org/s/abc).",
		HTML:  `<p><a href="https://answers.example.org/f/abc?a=1&amp;b=2">x</a><a href="https://example.org/html"></a>`,
		Links: []string{"https://answers.example.org/f/abc?a=1&b=2", "https://answers.example.org/s/abc", "https://example.org/html"},
	}
	if diff := cmp.Diff(want, m, cmp.AllowUnexported(Message{})); diff != "" {
		t.Error(diff)
	}
}

func TestOddMails(t *testing.T) {
	t.Parallel()
	nested := "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
	for range 10 {
		nested += "--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
	}
	for name, test := range map[string]struct{ raw, text string }{
		"plain":            {"Subject: x\r\n\r\nHi\r\n", "Hi\n"},
		"no header":        {"just words", "just words"},
		"empty":            {"", ""},
		"bad type":         {"Content-Type: /;;\r\n\r\nHi", "Hi"},
		"bad bytes":        {"Subject: x\r\n\r\n\xffHi", "\ufffdHi"},
		"bad base64":       {"Content-Transfer-Encoding: base64\r\n\r\nSGk=!!", "Hi"},
		"parts within":     {"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b--\r\n--a--\r\n", "Hi"},
		"too deep":         {nested, ""},
		"an attached file": {"Content-Type: application/pdf\r\n\r\nx", ""},
	} {
		m := read(1, nil, []byte(test.raw))
		if m.Text != test.text {
			t.Errorf("%s: %q", name, m.Text)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nhttps://."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := read(1, []string{"a@example.org"}, raw)
		if len(m.Links) > maxLinks {
			t.Fatal(len(m.Links))
		}
		var words strings.Builder
		for _, r := range runs(m.Text) {
			words.WriteString(r.Words)
		}
		if words.String() != m.Text {
			t.Fatalf("%q became %q", m.Text, words.String())
		}
		if _, err := json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFolderSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	still := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	cfg := Config{Dir: dir, Keep: 3, Now: func() time.Time { return still }} // all at the same instant
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		raw := fmt.Sprintf("Delivered-To: trick@example.org\r\nSubject: %d\r\n\r\nHi\r\n", i)
		if err := c.keep([]string{fmt.Sprintf("p%d@example.net", i), "q@example.net"}, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"notes.txt", "12.eml", ".mail-left"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Messages(), again.Messages(), cmp.AllowUnexported(Message{})); diff != "" {
		t.Error(diff)
	}
	if got := again.Messages(); len(got) != 3 || got[0].Subject != "4" || got[0].To != "p4@example.net, q@example.net" || got[2].Subject != "2" {
		t.Errorf("%+v", got)
	}
	// A mail after the restart sorts after those before it, whatever the clock says.
	if err := again.keep([]string{"r@example.net"}, []byte("Subject: 5\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := again.Messages(); got[0].Subject != "5" || len(got) != 3 {
		t.Errorf("%+v", got)
	}
	cfg.Keep = 1
	if last, err := Open(cfg); err != nil || len(last.Messages()) != 1 {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 { // one mail, three files that are none of ours
		t.Errorf("%v, %v", entries, err)
	}
}

func TestFolderThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	c := open(t, func(cfg *Config) { cfg.Dir = dir })
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.keep([]string{"a@example.org"}, []byte("\r\n")); err == nil || len(c.Messages()) != 0 {
		t.Error("kept without a folder")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: file, Now: clock()}); err == nil {
		t.Error("opened a file as a folder")
	}
	if _, err := Open(Config{}); err == nil {
		t.Error("opened without a clock")
	}
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code == http.StatusOK {
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; ") || strings.Contains(policy, "script") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: header %v", path, w.Header())
		}
	}
	return w
}

func handler(t *testing.T, c *Catcher) http.Handler {
	t.Helper()
	h, err := c.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPage(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	h := handler(t, c)
	if body := get(t, h, "/").Body.String(); !strings.Contains(body, "No mail yet") || !strings.Contains(body, `http-equiv="refresh"`) || !strings.Contains(body, "demonstration") {
		t.Error(body)
	}
	for i := range 60 {
		if err := c.keep([]string{fmt.Sprintf("p%02d@example.net", i)}, []byte(sample)); err != nil {
			t.Fatal(err)
		}
	}
	first := get(t, h, "/").Body.String()
	for _, want := range []string{
		"This is a demonstration", "1 to 50 of 60, newest first", "p59@example.net", "p10@example.net", `<a class="press" href="./?page=2">Older</a>`,
		`<a href="https://answers.example.org/f/abc?a=1&amp;b=2" rel="noreferrer">https://answers.example.org/f/abc?a=1&amp;b=2</a>`,
		"Grüße &amp; &lt;b&gt;:\n<a", "/s/abc</a>).", "Ihre Rückmeldung", `<time datetime="2026-11-23T09:01:00Z">23 November 2026, 09:01:00 UTC</time>`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(first, "p09@") || strings.Contains(first, "refresh") || strings.Count(first, "<details open>") != 1 {
		t.Error("the page holds too much")
	}
	if second := get(t, h, "/?page=2").Body.String(); !strings.Contains(second, "51 to 60 of 60") || !strings.Contains(second, `href="./">Newer`) || strings.Contains(second, "Older") {
		t.Error(second)
	}
	for path, want := range map[string]string{
		"/?page=999": "51 to 60 of 60", "/?page=-3": "1 to 50 of 60", "/?page=x": "1 to 50 of 60",
		"/?to=P07%40": "1 to 1 of 1", "/?to=%3Cscript%3E": "No mail to “&lt;script&gt;”", "/?to=example.net&page=2": `href="./?to=example.net">Newer`,
	} {
		if body := get(t, h, path).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
}

// The page has nothing from elsewhere, no script and no style of its own, and
// every link it makes leads somewhere.
func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	if err := c.keep([]string{"a@example.net"}, []byte("Subject: <script>alert(1)</script>\r\n\r\njavascript:alert(1) http://\"onclick=x https://e.example/'x\r\n")); err != nil {
		t.Fatal(err)
	}
	h := handler(t, c)
	tokens := html.NewTokenizer(strings.NewReader(get(t, h, "/").Body.String()))
	for tokens.Next() != html.ErrorToken {
		token := tokens.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		if token.Data == "script" || token.Data == "style" || token.Data == "iframe" || token.Data == "img" {
			t.Errorf("element %s", token.Data)
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("attribute %s", a.Key)
			}
			if a.Key == "src" || a.Key == "href" && token.Data == "link" && a.Val != "style.css" && a.Val != "data:," {
				t.Errorf("loads %s", a.Val)
			}
			if a.Key == "href" && token.Data == "a" {
				switch {
				case a.Val == "https://e.example/%27x":
				case a.Val == "./":
				default:
					if w := get(t, h, "/"+a.Val); w.Code != http.StatusOK && !strings.HasSuffix(a.Val, "/html") {
						t.Errorf("%s answers %d", a.Val, w.Code)
					}
				}
			}
		}
	}
	style := get(t, h, "/style.css")
	if strings.Contains(style.Body.String(), "url(") || strings.Contains(style.Body.String(), "@import") || !strings.HasPrefix(style.Header().Get("Content-Type"), "text/css") {
		t.Error("the style loads something")
	}
}

func TestJSONAndParts(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	h := handler(t, c)
	if body := get(t, h, "/messages.json").Body.String(); body != "[]" {
		t.Error(body)
	}
	for _, to := range []string{"one@example.net", "two@example.net"} {
		if err := c.keep([]string{to}, []byte(sample)); err != nil {
			t.Fatal(err)
		}
	}
	var list []map[string]any
	if err := json.Unmarshal(get(t, h, "/messages.json").Body.Bytes(), &list); err != nil || len(list) != 2 {
		t.Fatal(err, list)
	}
	if list[0]["to"] != "two@example.net" || list[0]["subject"] != "Ihre Rückmeldung" || list[0]["date"] != "2026-11-23T09:00:02Z" || list[0]["message_id"] != "<m1@example.org>" {
		t.Errorf("%v", list[0])
	}
	if links, ok := list[0]["links"].([]any); !ok || len(links) != 3 {
		t.Errorf("%v", list[0]["links"])
	}
	if err := json.Unmarshal(get(t, h, "/messages.json?to=one").Body.Bytes(), &list); err != nil || len(list) != 1 {
		t.Error(err, list)
	}
	id := fmt.Sprint(list[0]["id"])
	page := get(t, h, "/messages/"+id+"/html")
	if page.Body.String() != list[0]["html"] || !regexp.MustCompile(`; sandbox$`).MatchString(page.Header().Get("Content-Security-Policy")) {
		t.Error(page.Body, page.Header())
	}
	if source := get(t, h, "/messages/"+id+"/source"); source.Body.String() != sample || source.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Error(source.Body)
	}
	for _, path := range []string{"/messages/1/html", "/messages/1/source", "/messages/", "/other"} {
		if w := get(t, h, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/messages.json", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
