package mailcatcher

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed page/page.html page/style.css
var pageFiles embed.FS

const perPage = 50

// pageView is everything that the page prints.
type pageView struct {
	To      string // the search, as typed
	Again   string // this page once more
	Range   string // "1 to 50 of 120, newest first"
	Waiting bool   // nothing has been caught yet
	Mails   []mailView
	Newer   string
	Older   string
}

// mailView is one mail on the page.
type mailView struct {
	ID      string
	To      string
	Subject string
	Stamp   string // for machines
	When    string // for people, UTC
	Text    []run
	Open    bool
}

// run is a stretch of a mail's text: words, or a link.
type run struct {
	Words string
	Link  string // empty: words alone
}

// Handler shows the mails:
//
//	/                    the page, newest first; ?to= finds a recipient, ?page= goes back
//	/messages.json       every mail, newest first, as Message; ?to= as above
//	/messages/ID/html    the HTML part as its own page
//	/messages/ID/source  the mail as it came
//
// It links to itself relatively, so that it can be mounted below a prefix that
// ends in a slash. It runs no script and loads nothing from elsewhere.
func (c *Catcher) Handler() (http.Handler, error) {
	page, err := template.ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return nil, fmt.Errorf("mail catcher: %w", err)
	}
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return nil, fmt.Errorf("mail catcher: %w", err)
	}
	// The page is tried once, so that a fault in it shows at the start.
	if err := page.Execute(&bytes.Buffer{}, view(nil, "", 1)); err != nil {
		return nil, fmt.Errorf("mail catcher: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		number, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil {
			number = 1
		}
		var b bytes.Buffer
		if err := page.Execute(&b, view(c.Messages(), to, number)); err != nil {
			c.cfg.Log.Error("the page of caught mail failed", "error", err)
			http.Error(w, "The page could not be made.", http.StatusInternalServerError)
			return
		}
		send(w, "text/html; charset=utf-8", "style-src 'self'; form-action 'self'; img-src data:", b.Bytes())
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		send(w, "text/css; charset=utf-8", "", style)
	})
	mux.HandleFunc("GET /messages.json", func(w http.ResponseWriter, r *http.Request) {
		body, err := json.Marshal(sentTo(c.Messages(), r.URL.Query().Get("to")))
		if err != nil {
			c.cfg.Log.Error("caught mail could not be listed", "error", err)
			http.Error(w, "The list could not be made.", http.StatusInternalServerError)
			return
		}
		send(w, "application/json", "", body)
	})
	mux.HandleFunc("GET /messages/{id}/html", func(w http.ResponseWriter, r *http.Request) {
		m, ok := c.message(r.PathValue("id"))
		if !ok || m.HTML == "" {
			http.NotFound(w, r)
			return
		}
		// Somebody else's markup: no script, no loading, no form; links work.
		send(w, "text/html; charset=utf-8", "style-src 'unsafe-inline'; form-action 'none'; sandbox", []byte(m.HTML))
	})
	mux.HandleFunc("GET /messages/{id}/source", func(w http.ResponseWriter, r *http.Request) {
		m, ok := c.message(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		send(w, "text/plain; charset=utf-8", "sandbox", m.raw)
	})
	return mux, nil
}

// send answers with a body of a type, under a policy that allows nothing but
// what policy adds.
func send(w http.ResponseWriter, mediaType, policy string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "+policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the reader may have gone
}

// sentTo picks the mails with a recipient that holds to; all when it is empty.
func sentTo(messages []Message, to string) []Message {
	to = strings.ToLower(strings.TrimSpace(to))
	picked := make([]Message, 0, len(messages))
	for _, m := range messages {
		if strings.Contains(strings.ToLower(m.To), to) {
			picked = append(picked, m)
		}
	}
	return picked
}

// view decides what the page shows of the mails, which come newest first.
func view(messages []Message, to string, page int) pageView {
	v := pageView{To: to, Waiting: len(messages) == 0}
	found := sentTo(messages, to)
	pages := max(1, (len(found)+perPage-1)/perPage)
	page = min(max(page, 1), pages)
	first := (page - 1) * perPage
	last := min(first+perPage, len(found))
	v.Again = pageLink(to, 1)
	v.Range = fmt.Sprintf("%d to %d of %d, newest first", first+1, last, len(found))
	if page > 1 {
		v.Newer = pageLink(to, page-1)
	}
	if page < pages {
		v.Older = pageLink(to, page+1)
	}
	for i, m := range found[first:last] {
		subject := m.Subject
		if subject == "" {
			subject = "(no subject)"
		}
		v.Mails = append(v.Mails, mailView{
			ID: m.ID, To: m.To, Subject: subject, Text: runs(m.Text), Open: page == 1 && i == 0,
			Stamp: m.Date.Format(time.RFC3339), When: m.Date.Format("2 January 2006, 15:04:05 UTC"),
		})
	}
	return v
}

func pageLink(to string, page int) string {
	q := url.Values{}
	if to != "" {
		q.Set("to", to)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "./"
	}
	return "./?" + q.Encode()
}

// runs cuts a text at its links.
func runs(text string) []run {
	var all []run
	end := 0
	for _, at := range findLinks(text) {
		if at[0] > end {
			all = append(all, run{Words: text[end:at[0]]})
		}
		link := text[at[0]:at[1]]
		all = append(all, run{Words: link, Link: link})
		end = at[1]
	}
	if end < len(text) {
		all = append(all, run{Words: text[end:]})
	}
	return all
}
