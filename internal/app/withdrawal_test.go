package app_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/app"
	"victimvoice/internal/seal"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// What the person of the withdrawal says, and what an advocate notes of it.
const (
	theirWords = "Nobody ever rang me back about the letters."
	theirNote  = "She told me about the letters. Spoke on the agreed number."
)

// TestWithdrawal: a receipt code leaves nothing of what was said, on both stores.
func TestWithdrawal(t *testing.T) {
	onBothStores(t, "withdrawal", func(t *testing.T, store app.Store, _ string) { takeBack(t, store) })
}

// others answer through their links: the first question, the rest passed over, and their ethnic group.
func (j *journey) others(links []string) {
	j.t.Helper()
	ctx := j.t.Context()
	for i, link := range links {
		_, st, err := j.sys.Survey.Begin(ctx, strings.TrimPrefix(link, "/f/"), "en", false)
		if err != nil {
			j.t.Fatal(err)
		}
		sh, err := j.sys.Survey.Sheet(ctx, st)
		if err != nil {
			j.t.Fatal(err)
		}
		whole := questionnaires.Page{}
		for _, p := range sh.Pages {
			whole.Items = append(whole.Items, p.Items...)
		}
		confidence, _ := sh.Questionnaire.Item("core.confidence")
		given := questionnaires.Answers{confidence.ID: confidence.Choose([]string{"very", "not-very"}[i%2])}
		if err := j.sys.Survey.Save(ctx, st, whole, given); err != nil {
			j.t.Fatal(err)
		}
		if sh, err = j.sys.Survey.Sheet(ctx, st); err != nil || len(sh.About.Pages) == 0 {
			j.t.Fatal("nothing is asked about the person", err)
		}
		ethnicity, _ := sh.About.Questionnaire.Item("about.ethnicity")
		if err := j.sys.Survey.SaveAbout(ctx, st, questionnaires.Page{Items: sh.About.Questionnaire.Items}, questionnaires.Answers{ethnicity.ID: ethnicity.Choose("asian")}); err != nil {
			j.t.Fatal(err)
		}
		r, _, err := j.sys.Survey.Submit(ctx, st, survey.Ticks{})
		if err != nil {
			j.t.Fatal(err)
		}
		if err := j.sys.Loop.FollowUp(ctx, &r); err != nil {
			j.t.Fatal(err)
		}
	}
}

// base asks the API how many people a figure rests on, in one group where one is named.
func (j *journey) base(query, key, group string) int {
	j.t.Helper()
	status, body := j.machine("GET", "/api/v1/figures?"+query, "", nil)
	var figure struct {
		Points []struct {
			Key  map[string]string `json:"key"`
			Base *int              `json:"base"`
		} `json:"points"`
	}
	if err := json.Unmarshal(body, &figure); status != 200 || err != nil {
		j.t.Fatalf("the figure %s: %d %s %v", query, status, body, err)
	}
	for _, p := range figure.Points {
		if p.Base != nil && (key == "" || p.Key[key] == group) {
			return *p.Base
		}
	}
	return 0
}

func takeBack(t *testing.T, store app.Store) {
	ctx := t.Context()
	j := begin(t, store)
	const people = 14
	var batch []map[string]any
	for n := 1; n <= people; n++ {
		e := reportedEvent(n, j.clock.Now().Add(-time.Hour))
		e["person_ref"] = fmt.Sprint("P-", n)
		batch = append(batch, e)
	}
	if status, body := j.machine("POST", "/api/v1/events", "application/json", batch); status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	j.clock.pass(25 * time.Hour)
	j.work()
	mails := j.post.take()
	if len(mails) != people {
		t.Fatalf("%d mails", len(mails))
	}
	link := j.link(mails[0])
	her := respondentOf(t, j, mails[0].To)
	var rest []string
	for _, m := range mails[1:] {
		rest = append(rest, j.link(m))
	}
	j.others(rest)

	// The reminder of hers is in the outbox when she answers after all: a danger
	// sign, words, who she is, and every permission.
	j.clock.pass(6 * 24 * time.Hour)
	if n, err := j.sys.Mail.QueueDue(ctx); err != nil || n != 1 {
		t.Fatalf("%d reminders, %v", n, err)
	}
	p := j.person()
	p.send(link, url.Values{"how": {"start"}})
	p.answer(40, theirWords, map[string]string{"core.safer": "much-less-safe", "core.confidence": "very", "about.ethnicity": "asian"})
	p.get("/f", "Before you send")
	p.send("/f", url.Values{"do": {"send"}, "ticks": {"told", "share", "quote", "contact"}})
	code := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindString(p.get("/f", "Thank you"))

	// Her advocate reads it and notes what came of it; the words become themes; a letter of what changed waits for its hour.
	advocate := j.signIn("advocate", "advocate1@example.org")
	alerts, err := j.sys.Loop.Alerts(ctx, loop.Viewer{Actor: survey.Actor{ID: "test"}, All: true}, loop.AlertOpen)
	if err != nil || len(alerts) != 1 || alerts[0].Case != her.ID {
		t.Fatalf("alerts: %+v %v", alerts, err)
	}
	alertPage := "/work/alerts/" + alerts[0].ID
	advocate.get(alertPage, theirWords)
	advocate.send(alertPage+"/close", url.Values{"outcome": {loop.OutcomeContacted}, "note": {theirNote}})
	advocate.get(alertPage, "about the letters")
	if _, err := j.sys.Analysis.CodeWaiting(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := store.UpdatePublication(ctx, "spring", func(p *loop.Publication) error { p.Title, p.At = "Spring", j.clock.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	if n, err := j.sys.Mail.QueueTold(ctx); err != nil || n != 1 {
		t.Fatalf("%d letters wait, %v", n, err)
	}
	if err := j.sys.Analysis.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	rs, err := store.ResponsesOf(ctx, her.Respondent)
	if err != nil || len(rs) != 1 || rs[0].State != survey.Complete {
		t.Fatalf("%+v %v", rs, err)
	}
	kept := rs[0]
	share, group := "measure=core.confidence&stage=report", "measure=core.confidence&by=about_ethnicity"
	if a, b := j.base(share, "", ""), j.base(group, "about_ethnicity", "asian"); a != people || b != people {
		t.Fatalf("the figures rest on %d people, %d of the group", a, b)
	}
	before := abouts(t, store)
	if len(before) != people || slices.ContainsFunc(before, func(a survey.About) bool { return a.State != survey.AboutAnswered }) {
		t.Fatalf("%d people told about themselves", len(before))
	}

	// She takes it back, from another device, with nothing but the code.
	j.clock.pass(time.Hour)
	q := j.person()
	q.get("/withdraw", "Take your answers back")
	status, _, done := q.do("POST", "/withdraw", url.Values{"code": {strings.ToLower(code)}})
	if status != 200 || !strings.Contains(done, "they are now removed") {
		t.Fatalf("%d %s", status, done)
	}
	now := j.clock.Now()

	// Of the response its ids are left, and nothing of what it said.
	if rs, err = store.ResponsesOf(ctx, her.Respondent); err != nil || len(rs) != 1 {
		t.Fatal(rs, err)
	}
	want := survey.Response{
		ID: kept.ID, Version: rs[0].Version, Respondent: kept.Respondent, Stage: kept.Stage, Round: kept.Round, Mode: kept.Mode,
		Questionnaire: kept.Questionnaire, State: survey.Withdrawn, Receipt: kept.Receipt, ChangedAt: now,
	}
	if !reflect.DeepEqual(rs[0], want) {
		t.Errorf("of the response is left %+v", rs[0])
	}
	// Of the codings, of the alert, of what she told about herself and of her address likewise.
	codings, err := store.CodingsOf(ctx, kept.ID)
	if err != nil || len(codings) == 0 {
		t.Fatal(codings, err)
	}
	for _, c := range codings {
		if !c.Gone || len(c.Text)+len(c.Labels)+len(c.Codebook)+len(c.Language) != 0 {
			t.Errorf("of a coding is left %+v", c)
		}
	}
	alert, err := store.Alert(ctx, alerts[0].ID)
	if err != nil || alert.State != loop.AlertClosed || alert.Outcome != loop.OutcomeContacted || len(alert.Note)+len(alert.Hits) != 0 || alert.MayContact {
		t.Errorf("of the alert is left %+v, %v", alert, err)
	}
	gone := 0
	for _, a := range abouts(t, store) {
		if a.State == survey.AboutGone {
			gone++
			if !reflect.DeepEqual(a, survey.About{ID: a.ID, Version: a.Version, Given: a.Given, State: survey.AboutGone, ChangedAt: now}) {
				t.Errorf("of what she told about herself is left %+v", a)
			}
		}
	}
	if gone != 1 {
		t.Errorf("%d people's own telling is gone", gone)
	}
	for s, err := range store.Subscribers(ctx) {
		if err != nil || !reflect.DeepEqual(s, loop.Subscriber{ID: s.ID, Version: s.Version, Stopped: now}) {
			t.Errorf("of the address to tell is left %+v, %v", s, err)
		}
	}
	c, err := store.Case(ctx, her.ID)
	if err != nil || len(c.Invites[0].Answered) != 0 || !c.Invites[0].TakenBack.Equal(now) {
		t.Errorf("the invitation: %+v, %v", c.Invites[0], err)
	}

	// Nothing that waited is written, now or later.
	for range 3 {
		j.work()
		j.clock.pass(24 * time.Hour)
	}
	if mails := j.post.take(); len(mails) != 0 {
		t.Errorf("%d mails after all, to %s", len(mails), mails[0].To)
	}
	if b, err := j.sys.Mail.Backlog(ctx); err != nil || b.Pending+b.Sending != 0 {
		t.Errorf("the outbox still holds something: %+v, %v", b, err)
	}
	// The figures have lost her, in every cut.
	if a, b := j.base(share, "", ""), j.base(group, "about_ethnicity", "asian"); a != people-1 || b != people-1 {
		t.Errorf("the figures rest on %d people, %d of the group, want %d", a, b, people-1)
	}
	if size := j.sys.Analysis.Panel().Size(); size.Responses != people-1 || size.Codings != 0 || size.Abouts != people-1 {
		t.Errorf("the panel holds %+v", size)
	}

	// Nobody is shown anything of it: not her advocate, not the device she answered on, not who has the link.
	advocate = j.signIn("advocate", "advocate1@example.org")
	for path, says := range map[string]string{alertPage: "The answers were taken back", "/work/cases/" + her.ID: "", "/work/alerts?show=closed": ""} {
		body := advocate.get(path, says)
		for _, said := range []string{"about the letters", "rang me", "Much less safe", "agreed that someone may contact"} {
			if strings.Contains(body, said) {
				t.Errorf("%s still says %q", path, said)
			}
		}
	}
	_, _, unknown := q.do("GET", "/f/unknown", nil)
	for name, look := range map[string]func() (int, string, string){
		"the device she answered on": func() (int, string, string) { return p.do("GET", "/f", nil) },
		"her link":                   func() (int, string, string) { return q.do("GET", link, nil) },
	} {
		if status, _, body := look(); status != 404 || body != unknown {
			t.Errorf("%s shows something of its own: %d %s", name, status, body)
		}
	}
	// The code once more, and one that was never given out, look the same.
	for _, again := range []string{code, seal.NewCode(4)} {
		if status, _, body := q.do("POST", "/withdraw", url.Values{"code": {again}}); status != 200 || body != done {
			t.Errorf("%s: another page, %d", again, status)
		}
	}

	// The record says that it was done and to which response, and nothing of what it held.
	if _, err := j.sys.Audit.Verify(ctx); err != nil {
		t.Error(err)
	}
	traces := 0
	for e, err := range j.sys.Audit.All(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == "response.withdrawn" {
			traces++
			if e.Subject != "response:"+kept.ID || e.Actor != "respondent" || len(e.Detail) != 0 || e.Reason != "" {
				t.Errorf("%+v", e)
			}
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{"letters", "rang", "asian", "much-less", "agreed number", code, strings.ReplaceAll(code, "-", ""), mails[0].To} {
			if strings.Contains(string(b), said) {
				t.Errorf("the record holds %q: %s", said, b)
			}
		}
	}
	if traces == 0 {
		t.Error("there is no trace of it")
	}
}

func abouts(t *testing.T, store app.Store) (out []survey.About) {
	t.Helper()
	for a, err := range store.AboutsChanged(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}
