package app_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/app"
	"victimvoice/survey"
)

var cardCode = regexp.MustCompile(`<p class="code">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</p>`)

// onPaper: somebody without an inbox is given a card by their advocate, types its
// code on a phone, answers, and gets a receipt; the card then opens nothing.
func onPaper(t *testing.T, store app.Store) {
	ctx := t.Context()
	j := begin(t, store)
	reported := reportedEvent(1, j.clock.Now().Add(-time.Hour))
	delete(reported, "contact")
	if status, body := j.machine("POST", "/api/v1/events", "application/json", reported); status != 202 {
		t.Fatalf("event: %d %s", status, body)
	}
	j.work()
	id := j.sys.Survey.CaseID("Metropolitan Police", reported["case_ref"].(string))
	stored := func() survey.Invitation {
		t.Helper()
		c, err := store.Case(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return c.Invites[0]
	}

	// The advocate sees that nothing can be mailed, and makes a card once its time has come.
	advocate := j.signIn("advocate", "advocate1@example.org")
	path := "/work/cases/" + id
	advocate.get(path, "no email address is recorded", "No card can be made now: its time has not come yet")
	form := url.Values{"card_survey": {"report:1"}, "card_language": {"pl"}}
	if status, _, body := advocate.do("POST", path+"/card", form); status != 409 {
		t.Fatalf("before its time a card answers %d: %s", status, body)
	}
	j.clock.pass(25 * time.Hour)
	j.work()
	advocate = j.signIn("advocate", "advocate1@example.org")
	advocate.get(path, "Make a card", `<option value="report:1">Report`)
	card := func() string {
		t.Helper()
		status, _, body := advocate.do("POST", path+"/card", form)
		found := cardCode.FindStringSubmatch(body)
		if status != 200 || found == nil {
			t.Fatalf("making a card answers %d: %s", status, body)
		}
		if !strings.Contains(body, "127.0.0.1:1/c") || !strings.Contains(body, "<svg") || !strings.Contains(body, "Kod działa do końca dnia 17 marca 2026.") {
			t.Fatalf("the card: %s", body)
		}
		return found[1]
	}
	lost := card()
	j.clock.pass(time.Minute)
	code := card() // the first was lost on the way
	if v := stored(); v.CardAt.IsZero() || v.First.State != survey.MailRefused || v.First.Reason != survey.NoContact {
		t.Fatalf("the invitation: %+v", v)
	}
	j.clock.pass(48 * time.Hour)
	j.work()
	if mails := j.post.take(); len(mails) != 0 {
		t.Fatalf("%d mails because of a card", len(mails))
	}

	// The person types it as people do. What was lost opens nothing.
	p := j.person()
	p.get("/c", "Type your code")
	if status, _, body := p.do("POST", "/c", url.Values{"code": {lost}}); status != 404 || !strings.Contains(body, "There is nothing here") {
		t.Fatalf("the card that was lost: %d %s", status, body)
	}
	typed := "  " + strings.NewReplacer("-", " ", "0", "O", "1", "l").Replace(strings.ToLower(code)) + " "
	status, _, door := p.do("POST", "/c", url.Values{"code": {typed}})
	if status != 200 || !strings.Contains(door, `lang="pl"`) || !strings.Contains(door, "Kilka pytań") {
		t.Fatalf("the code opens %d: %s", status, door)
	}
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(door)
	if action == nil || action[1] != "/f/"+code {
		t.Fatalf("the form leads to %v", action)
	}
	if to := p.send(action[1], url.Values{"how": {"start"}}); to != "/f?s=1" {
		t.Fatalf("Start leads to %s", to)
	}
	p.answer(3, "", map[string]string{"core.confidence": "not-very"})

	// They stop and come back with the same code on another device.
	p = j.person()
	p.send("/f/"+code, url.Values{"how": {"start"}})
	p.answer(40, "Nikt nie oddzwonił.", nil)
	p.send("/f", url.Values{"do": {"send"}})
	thanks := p.get("/f")
	receipt := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindString(thanks)
	if receipt == "" || strings.Contains(thanks, code) {
		t.Fatalf("no receipt, or the card's code with it: %s", thanks)
	}
	j.work()
	if v := stored(); len(v.Answered) != 1 || v.Answered[0].Mode != survey.ModeSelf || v.StartedAt.IsZero() {
		t.Errorf("the invitation: %+v", v)
	}

	// The card is used: by typing and by scanning, the page of whatever opens nothing.
	for _, q := range []struct {
		method, path string
		form         url.Values
	}{{"POST", "/c", url.Values{"code": {typed}}}, {"GET", "/f/" + code, nil}, {"POST", "/f/" + code, url.Values{"how": {"start"}}}} {
		if status, _, body := j.person().do(q.method, q.path, q.form); status != 404 || !strings.Contains(body, "There is nothing here") {
			t.Errorf("%s %s after the answer: %d %s", q.method, q.path, status, body)
		}
	}
	advocate = j.signIn("advocate", "advocate1@example.org")
	advocate.get(path, "Answered by them", "Card made on")
	if status, _, body := advocate.do("POST", path+"/card", form); status != 409 || !strings.Contains(body, "it is answered") {
		t.Errorf("another card for what is answered: %d", status)
	}

	// Each card left its trace, and no code is in the record.
	cards := 0
	for e, err := range j.sys.Audit.All(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == "card.made" {
			cards++
			if e.Subject != "case:"+id || e.Detail["stage"] != "report" {
				t.Errorf("the trace: %+v", e)
			}
		}
		if strings.Contains(fmt.Sprint(e), code) {
			t.Errorf("the code is in the record: %+v", e)
		}
	}
	if cards != 2 {
		t.Errorf("%d cards are on record", cards)
	}
}
