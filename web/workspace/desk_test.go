package workspace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/access"
	"victimvoice/loop"
	"victimvoice/survey"
)

func TestDesk(t *testing.T) {
	w := newWorld(t).staff()
	if !strings.Contains(w.page(ann, "/work"), "Your cases will be listed here") {
		t.Error("an empty desk does not say what will be here")
	}
	w.caseload()
	body := w.page(ann, "/work")
	golden(t, "desk", body)
	if strings.Contains(body, "MPS-2001") {
		t.Error("another advocate's case is on the desk")
	}
	if strings.Contains(body, "knife") {
		t.Error("what a person wrote is on the desk")
	}
	for show, refs := range map[string][]string{
		"due":      {"MPS-1002", "MPS-1004", "MPS-1005", "MPS-1008", "MPS-1010"},
		"alerts":   {"MPS-1003"},
		"not-safe": {"MPS-1002", "MPS-1004", "MPS-1005", "MPS-1008", "MPS-1010"},
	} {
		body := w.page(ann, "/work?show="+show)
		_, cases, _ := strings.Cut(body, `id="cases"`)
		var got []string
		for _, ref := range []string{"MPS-1001", "MPS-1002", "MPS-1003", "MPS-1004", "MPS-1005", "MPS-1006", "MPS-1007", "MPS-1008", "MPS-1009", "MPS-1010"} {
			if strings.Contains(cases, ref) {
				got = append(got, ref)
			}
		}
		if !slices.Equal(got, refs) {
			t.Errorf("show=%s lists %v, want %v", show, got, refs)
		}
	}
	w.want(w.get(ann, "/work?show=everything"), http.StatusNotFound, "There is no such list")
}

// TestLongDesk: a desk with more cases than a page holds goes on on the next.
func TestLongDesk(t *testing.T) {
	w := newWorld(t).staff()
	for i := range deskLines + 5 {
		w.reported(fmt.Sprintf("MPS-%04d", i), present.Add(-time.Duration(i)*time.Hour), nil)
	}
	first := w.page(ann, "/work")
	if strings.Count(first, `class="line"`) != deskLines || !strings.Contains(first, `href="/work?from=101"`) {
		t.Errorf("the first page has %d lines", strings.Count(first, `class="line"`))
	}
	second := w.page(ann, "/work?from=101")
	if strings.Count(second, `class="line"`) != 5 || !strings.Contains(second, `href="/work?from=1"`) || strings.Contains(second, "More cases") {
		t.Errorf("the second page has %d lines", strings.Count(second, `class="line"`))
	}
	for _, from := range []string{"0", "106", "-1", "x"} {
		w.want(w.get(ann, "/work?from="+from), http.StatusNotFound)
	}
}

func TestCaseFile(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	body := w.page(ann, "/work/cases/"+ids["MPS-1003"])
	golden(t, "case", body)
	if !strings.Contains(body, "He has a knife. &lt;b&gt;Nobody&lt;/b&gt; rang me back.") {
		t.Error("what the person shared is not shown, or not as it was written")
	}
	if strings.Contains(body, "@example.org") {
		t.Error("an address is on the page")
	}
	if !strings.Contains(w.page(ben, "/work/cases/"+ids["MPS-2001"]), "did not tick that their advocate may read this") {
		t.Error("it is not said that there are answers that were not shared")
	}
	w.want(w.get(ben, "/work/cases/"+ids["MPS-1003"]), http.StatusNotFound)
	w.want(w.get(ann, "/work/cases/"+ids["MPS-2001"]), http.StatusNotFound)
	w.want(w.get(cora, "/work/cases/"+ids["MPS-1003"]), http.StatusForbidden)
}

func TestAnswerForThem(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := "/work/cases/" + ids["MPS-1002"]
	if !strings.Contains(w.page(ann, path+"?survey=report%3A1"), `<option value="report:1" selected>`) {
		t.Error("the survey that was asked for is not chosen")
	}
	w.want(w.post(ann, path+"/answer"), http.StatusUnprocessableEntity, "Choose which survey to answer.")
	w.want(w.post(ann, path+"/answer", "survey", "report:1"), http.StatusUnprocessableEntity, `href="#mode"`)
	w.want(w.post(ann, path+"/answer", "survey", "report:1", "mode", "relayed", "consent_how", "phone", "consent_at", "2027-01-01"), http.StatusUnprocessableEntity,
		`href="#consent_at"`, `value="2027-01-01"`, `<option value="phone" selected>`)
	w.want(w.post(ann, path+"/answer", "survey", "closure:1", "mode", "observed"), http.StatusConflict, "cannot be answered now")
	w.want(w.post(ben, path+"/answer", "survey", "report:1", "mode", "observed"), http.StatusNotFound)
	if len(w.opened) != 0 {
		t.Fatal("a survey was opened all the same")
	}
	a := w.post(ann, path+"/answer", "survey", "report:1", "mode", "relayed", "consent_how", "phone", "consent_at", "2026-11-23")
	if a.Code != http.StatusSeeOther || a.to != "/f" || len(w.opened) != 1 {
		t.Fatalf("%d to %q with %d surveys opened: %s", a.Code, a.to, len(w.opened), a.body)
	}
	st, err := w.survey.Sitting(context.Background(), w.opened[0])
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode != survey.ModeRelayed || st.Author != w.users[ann].ID || st.Consent == nil || st.Consent.How != "phone" || !st.Consent.At.Equal(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the survey was opened as %+v", st)
	}
}

func TestWritingToThem(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	ctx := context.Background()
	flags := func(ref string) survey.CaseView {
		t.Helper()
		return must(w.survey.CaseFor(ctx, survey.Actor{ID: "test", Role: "test"}, w.users[ann].AdvocateKey, ids[ref]))(t)
	}
	path := "/work/cases/" + ids["MPS-1001"]
	if a := w.post(ann, path+"/stop-writing"); a.to != path+"?done=stopped" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if flags("MPS-1001").Flags.RiskAt.IsZero() {
		t.Error("nothing was recorded")
	}
	if body := w.page(ann, path+"?done=stopped"); !strings.Contains(body, "It is safe to write again") || !strings.Contains(body, "contact is on hold") {
		t.Error("the page does not say that writing has stopped")
	}
	if a := w.post(ann, path+"/stop-writing", "safe", "yes"); a.to != path+"?done=safe-again" || !flags("MPS-1001").Flags.RiskAt.IsZero() {
		t.Errorf("to %q: the flag is still there", a.to)
	}
	path = "/work/cases/" + ids["MPS-1005"]
	w.want(w.post(ann, path+"/write-again"), http.StatusUnprocessableEntity, "Tick that they told you themselves.")
	if !flags("MPS-1005").OptedOut {
		t.Fatal("mail was allowed without their word")
	}
	if a := w.post(ann, path+"/write-again", "confirm", "yes"); a.to != path+"?done=write-again" || flags("MPS-1005").OptedOut {
		t.Errorf("%d to %q", a.Code, a.to)
	}
	for _, form := range []string{"/stop-writing", "/write-again"} {
		w.want(w.post(ben, path+form, "confirm", "yes"), http.StatusNotFound)
	}
}

func TestAgreeingAWord(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := "/work/cases/" + ids["MPS-1001"]
	view := func() survey.CaseView {
		t.Helper()
		return must(w.survey.CaseFor(context.Background(), survey.Actor{ID: "test", Role: "test"}, w.users[ann].AdvocateKey, ids["MPS-1001"]))(t)
	}
	for _, word := range []string{"", "abc"} {
		w.want(w.post(ann, path+"/word", "word", word), http.StatusUnprocessableEntity, `href="#word"`)
	}
	w.want(w.post(ben, path+"/word", "word", "Blue Kettle"), http.StatusNotFound)
	w.want(w.post(ben, path+"/word", "remove", "yes"), http.StatusNotFound)
	if view().HasWord {
		t.Fatal("a word was kept all the same")
	}
	if a := w.post(ann, path+"/word", "word", "Blue Kettle"); a.to != path+"?done=word-agreed" || !view().HasWord {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if body := w.page(ann, path+"?done=word-agreed"); !strings.Contains(body, "A word is asked for") || strings.Contains(strings.ToLower(body), "kettle") {
		t.Error("the page does not say that a word is asked for, or shows it")
	}
	if a := w.post(ann, path+"/word", "remove", "yes"); a.to != path+"?done=word-removed" || view().HasWord {
		t.Errorf("%d to %q", a.Code, a.to)
	}
}

func TestVoid(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := "/work/cases/" + ids["MPS-1003"]
	rs := must(w.survey.ResponsesFor(context.Background(), survey.Actor{ID: "test"}, w.users[ann].AdvocateKey, ids["MPS-1003"]))(t)
	w.want(w.post(ann, path+"/void", "response", "another"), http.StatusNotFound)
	if a := w.post(ann, path+"/void", "response", rs[0].ID); a.to != path+"?done=voided" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	body := w.page(ann, path)
	if strings.Contains(body, "knife") || !strings.Contains(body, "Nothing yet") {
		t.Error("the answers are still there")
	}
	if !strings.Contains(w.page(ann, "/work/alerts?show=closed"), "The answers were taken back") {
		t.Error("the alert of answers that are gone is still open")
	}
	if body := w.page(ann, "/work/alerts/"+w.alertOf(ids["MPS-1003"]).ID); !strings.Contains(body, "The answers were taken back, and with them") || strings.Contains(body, "At the question") || strings.Contains(body, "May you contact them") {
		t.Error("the alert of answers that are gone says what they were")
	}
}

// TestVoidUnread: answers that the advocate may not read can be emptied unread, by their own advocate alone.
func TestVoidUnread(t *testing.T) {
	w := newWorld(t).staff()
	id := w.caseload()["MPS-2001"]
	path := "/work/cases/" + id
	rs := must(w.survey.UnsharedFor(context.Background(), w.users[ben].AdvocateKey, id))(t)
	if len(rs) != 1 || !strings.Contains(w.page(ben, path), rs[0].ID) {
		t.Fatalf("the unshared answers are not there to be voided: %d", len(rs))
	}
	w.want(w.post(ann, path+"/void", "response", rs[0].ID), http.StatusNotFound)
	if a := w.post(ben, path+"/void", "response", rs[0].ID); a.to != path+"?done=voided" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if left := must(w.survey.UnsharedFor(context.Background(), w.users[ben].AdvocateKey, id))(t); len(left) != 0 {
		t.Errorf("%d are still there", len(left))
	}
}

func (w *world) alertOf(caseID string) loop.Alert {
	w.t.Helper()
	alerts := must(w.loop.Alerts(context.Background(), loop.Viewer{Actor: survey.Actor{ID: "test"}, All: true}))(w.t)
	i := slices.IndexFunc(alerts, func(a loop.Alert) bool { return a.Case == caseID })
	if i < 0 {
		w.t.Fatal("there is no alert")
	}
	return alerts[i]
}

func TestAlert(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := "/work/alerts/" + w.alertOf(ids["MPS-1003"]).ID
	body := w.page(ann, path)
	golden(t, "alert", body)
	if !strings.Contains(body, "knife") {
		t.Error("the advocate may read it, and does not see it")
	}
	if body := w.page(adam, path); strings.Contains(body, "knife") || strings.Contains(body, "/work/cases/") || !strings.Contains(body, "MPS-1003") {
		t.Error("the victim-care team is to see the reference, and neither words nor case")
	}
	theirs := "/work/alerts/" + w.alertOf(ids["MPS-2001"]).ID
	if body := w.page(ben, theirs); strings.Contains(body, "want to die") || !strings.Contains(body, "did not tick that someone may contact them") {
		t.Error("words that were not shared are shown, or that there is no leave to contact is not said")
	}
	for _, form := range []string{"", "/take", "/close"} {
		method := http.MethodPost
		if form == "" {
			method = http.MethodGet
		}
		w.want(w.do(ann, method, theirs+form, url.Values{}), http.StatusNotFound)
	}
	list := w.page(adam, "/work/alerts")
	golden(t, "alerts", list)

	if a := w.post(ann, path+"/take"); a.to != path+"?done=taken" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	w.want(w.post(adam, path+"/take"), http.StatusConflict, "Somebody else has taken or closed this alert.", "Taken by Ann Example")
	w.want(w.post(ann, path+"/close", "note", "Rang her <twice>."), http.StatusUnprocessableEntity, "Choose what came of it.", "Rang her &lt;twice&gt;.")
	if a := w.post(ann, path+"/close", "outcome", "safety-plan", "note", "Rang her <twice>."); a.to != path+"?done=closed" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if body := w.page(ann, path); !strings.Contains(body, "Reached, and a safety plan made or renewed") || !strings.Contains(body, "Rang her &lt;twice&gt;.") {
		t.Error("what came of it is not shown")
	}
	w.want(w.post(ann, path+"/close", "outcome", "contacted"), http.StatusConflict, "closed already")
	w.want(w.get(ann, "/work/alerts?show=nonsense"), http.StatusNotFound)
}

// TestAlertsOfForce: a victim-care team of one force sees no alert of another.
func TestAlertsOfForce(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	w.person("kent", "Kent Police", access.Administrator)
	if !strings.Contains(w.page("kent", "/work/alerts"), "No alert waits") {
		t.Error("another force's alerts are listed")
	}
	w.want(w.get("kent", "/work/alerts/"+w.alertOf(ids["MPS-1003"]).ID), http.StatusNotFound)
}

func TestDueWords(t *testing.T) {
	w := newWorld(t)
	for at, want := range map[time.Time]string{
		present.Add(-time.Hour):     "Overdue since Mon 23 Nov, 15:00",
		present.Add(time.Hour):      "Due today by 17:00",
		present.Add(25 * time.Hour): "Due tomorrow by 17:00",
		present.Add(49 * time.Hour): "Due Wed 25 Nov by 17:00",
		present.AddDate(-1, 0, 0):   "Overdue since 23 Nov 2025, 16:00",
	} {
		if got, late := w.pages.due(at); got != want || late != strings.HasPrefix(want, "Overdue") {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
}
