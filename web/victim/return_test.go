package victim_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// lang finds the language that a page is in.
func lang(body string) string {
	return regexp.MustCompile(`<html lang="([a-z]+)"`).FindStringSubmatch(body)[1]
}

// TestLanguageOnAnyPage: a person changes it where they are, and loses nothing
// that they typed; everything after is in it too.
func TestLanguageOnAnyPage(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/f/" + w.token, "/f/" + w.token + "/stop", "/f/" + w.token + "/not-me", "/withdraw", "/f/stopped", "/f?s=1"} {
		body := w.want(w.do("GET", path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"l=ur", nil), 200, `dir="rtl"`)
		if lang(body) != "ur" || strings.Contains(body, "?l=ur") && !strings.Contains(path, w.token) && path != "/withdraw" {
			t.Errorf("%s is in %s", path, lang(body))
		}
		if n := len(regexp.MustCompile(`href="\?l=[a-z]{2}" lang=`).FindAllString(body, -1)); n != 7 {
			t.Errorf("%s offers %d other languages", path, n)
		}
	}
	if body := w.want(w.do("GET", "/f/"+w.token+"?l=xx", nil), 200); lang(body) != "en" {
		t.Errorf("a language that is none gives %s", lang(body))
	}
	// It goes along from page to page before the start.
	door := w.want(w.do("GET", "/f/"+w.token+"?l=pl", nil), 200, `name="l" value="pl"`, "/stop?l=pl", "/not-me?l=pl")
	if m := telling.FindString(door); m != "" {
		t.Errorf("the opening page says %q", m)
	}
	w.want(w.do("POST", "/f/"+w.token+"/stop?l=pl", url.Values{}), 422, `lang="pl"`)
	w.do("POST", "/f/"+w.token, url.Values{"how": {"start"}, "l": {"pl"}})
	if body := w.want(w.do("GET", "/f", nil), 200); lang(body) != "pl" {
		t.Errorf("the session is in %s", lang(body))
	}
	if rec := w.do("POST", "/f", url.Values{"lang": {"bn"}, "at": {"intro"}}); rec.Code != 303 {
		t.Fatalf("%d", rec.Code)
	}
	if body := w.want(w.do("GET", "/f", nil), 200); lang(body) != "bn" {
		t.Errorf("the page before the first question is in %s", lang(body))
	}
	if rec := w.do("POST", "/f", url.Values{"lang": {"cy"}, "at": {"safety"}}); rec.Header().Get("Location") != "/f/safety" {
		t.Errorf("from the safety page to %s", rec.Header().Get("Location"))
	}

	// On a question what was chosen stays chosen, and nothing is saved yet.
	body := w.want(w.do("POST", "/f", url.Values{"page": {"confidence"}, "core.confidence": {"not-very"}, "lang": {"ar"}}), 200, `value="not-very"`)
	if lang(body) != "ar" || !regexp.MustCompile(`value="not-very"[^>]* checked`).MatchString(body) {
		t.Errorf("in %s, or what was chosen is gone:\n%s", lang(body), body)
	}
	if len(w.responses()) != 0 {
		t.Error("a change of language saved a page")
	}
	// Words, and more of them than can be kept, come back as they were typed.
	for n := 1; n < 40; n++ {
		w.do("POST", "/f", url.Values{"lang": {"ro"}, "at": {"intro"}})
		body := w.do("GET", "/f", nil).Body.String()
		if n == 1 {
			body = w.do("GET", "/f?p=1", nil).Body.String()
		}
		id := regexp.MustCompile(`name="page" value="([^"]+)"`).FindStringSubmatch(body)
		if id == nil {
			t.Fatalf("no page of words was met:\n%s", body)
		}
		form := url.Values{"page": {id[1]}}
		if area := regexp.MustCompile(`<textarea id="([^"]+)"`).FindStringSubmatch(body); area != nil {
			typed := "Nobody rang.\r\n<b>“Never”</b> " + strings.Repeat("ä", 1600)
			form.Set(area[1], typed)
			form.Set("lang", "pt")
			got := w.want(w.do("POST", "/f", form), 200, "&lt;b&gt;“Never”&lt;/b&gt; "+strings.Repeat("ä", 1600))
			if lang(got) != "pt" {
				t.Errorf("in %s", lang(got))
			}
			break
		}
		form.Set("do", "next")
		form.Set("core.confidence", "very")
		if id[1] != "confidence" {
			form.Del("core.confidence")
		}
		w.do("POST", "/f", form)
	}
	// A session that ran out saves what was typed, and says so in its language.
	w.now = w.now.Add(2 * time.Hour)
	rec := w.do("POST", "/f", url.Values{"page": {"informed"}, "core.informed": {"very-well"}, "lang": {"cy"}})
	if rec.Header().Get("Location") != "/f/stopped?l=pt" {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	a, err := w.rooms.Survey.Sheet(t.Context(), w.sit())
	if err != nil || a.Answers["core.informed"].Choice != "very-well" {
		t.Errorf("what was typed is lost: %+v %v", a.Answers, err)
	}
}

// sit opens a session beside the browser's.
func (w *world) sit() survey.Sitting {
	w.t.Helper()
	_, st, err := w.rooms.Survey.Begin(w.t.Context(), w.token, "", false)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func (w *world) advocate() (survey.Actor, string) {
	return survey.Actor{ID: "u", Role: "advocate"}, w.rooms.Keys.AdvocateKey("advocate1@example.org")
}

// TestAgreedWordComesFirst: before it is given no page tells more than the opening page.
func TestAgreedWordComesFirst(t *testing.T) {
	w := newWorld(t)
	by, key := w.advocate()
	id := w.rooms.Survey.CaseID("Metropolitan Police", "1/26")
	w.start("start")
	w.next("/f?p=1", "core.confidence", "very")
	if err := w.rooms.Survey.SetWord(t.Context(), by, key, id, "Blue Kettle"); err != nil {
		t.Fatal(err)
	}
	w.jar = nil
	if body := w.want(w.do("GET", "/f/"+w.token, nil), 200, "Start", "I have one minute"); strings.Contains(body, "Carry on") {
		t.Error("the opening page tells that something was begun")
	}
	w.start("quick")
	var asked string
	for _, path := range []string{"/f", "/f?p=1", "/f?p=3"} {
		asked = w.want(w.do("GET", path, nil), 200, "One more thing", "Leave now")
		if m := telling.FindString(asked); m != "" || strings.Contains(asked, "999") {
			t.Errorf("%s says %q before the word is given", path, m)
		}
	}
	golden(t, "word", asked, w.token)
	unknown := w.nothingPage()
	for _, path := range []string{"/f/safety", "/f/again", "/f/keep"} {
		if body := w.want(w.do("GET", path, nil), 404); body != unknown {
			t.Errorf("%s shows something before the word is given", path)
		}
	}
	for _, form := range []url.Values{
		{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"not-very"}},
		{"do": {"begin"}}, {"do": {"carry"}}, {"do": {"send"}}, {"do": {"stop"}}, {"do": {"code"}, "word": {"Blue Kettle"}}, {},
	} {
		w.want(w.do("POST", "/f", form), 422, "One more thing")
	}
	for _, path := range []string{"/f/again", "/f/keep"} {
		w.want(w.do("POST", path, url.Values{"sure": {"yes"}, "word": {"stolen"}}), 404)
	}
	if rs := w.responses(); len(rs) != 1 || rs[0].State != survey.Draft || rs[0].Code.Set() {
		t.Errorf("a locked session wrote: %+v", rs)
	}
	// Another language keeps what was typed.
	body := w.want(w.do("POST", "/f", url.Values{"lang": {"ur"}, "word": {"Blue"}}), 200, `value="Blue"`, `dir="rtl"`)
	if m := telling.FindString(body); m != "" {
		t.Errorf("in Urdu it says %q", m)
	}
	w.do("POST", "/f", url.Values{"lang": {"en"}})
	body = w.want(w.do("POST", "/f", url.Values{"do": {"word"}, "word": {"Green Kettle"}}), 422, "That is not the word", `href="#word"`)
	if strings.Contains(body, "Green") {
		t.Error("a wrong word stays on the page")
	}
	if rec := w.do("POST", "/f", url.Values{"do": {"word"}, "word": {"blue kettle"}}); rec.Code != 303 {
		t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	w.want(w.do("GET", "/f", nil), 200, "You have been here before", "999")
	// Too many wrong ones.
	w.start("start")
	for range 4 {
		w.do("POST", "/f", url.Values{"do": {"word"}, "word": {"wrong"}})
	}
	body = w.want(w.do("POST", "/f", url.Values{"do": {"word"}, "word": {"wrong"}}), 422, "in an hour")
	if m := telling.FindString(body); m != "" {
		t.Errorf("it says %q", m)
	}
	// A session that ran out while it waited for the word takes nothing.
	w.now = w.now.Add(2 * time.Hour)
	if body := w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"not-very"}}), 404); body != w.nothingPage() {
		t.Error("a locked session that ran out shows something")
	}
}

// TestComingBack: earlier answers are shown to whoever knows the word that the
// person chose; otherwise the questions go on, or start again after a tick.
func TestComingBack(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	w.next("/f?p=1", "core.confidence", "very")
	// The word is chosen between two questions, and the page before is saved.
	rec := w.do("POST", "/f", url.Values{"do": {"keep"}, "page": {"informed"}, "core.informed": {"fairly-well"}})
	if rec.Header().Get("Location") != "/f/keep" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	body := w.want(w.do("GET", "/f/keep", nil), 200, "A word of your own")
	golden(t, "keep", body, w.token)
	body = w.want(w.do("POST", "/f/keep", url.Values{"word": {"ab"}, "before": {"yes"}}), 422, "4 to 40", `value="ab"`, `href="#word"`)
	if !strings.Contains(body, `id="before" checked`) {
		t.Error("the tick is lost")
	}
	body = w.want(w.do("POST", "/f/keep", url.Values{"word": {"Ivy 1990"}, "before": {"yes"}, "lang": {"cy"}}), 200, `value="Ivy 1990"`, `id="before" checked`)
	if lang(body) != "cy" || w.responses()[0].Code.Set() {
		t.Error("a change of language loses or keeps the word")
	}
	w.do("POST", "/f/keep", url.Values{"lang": {"en"}})
	if rec := w.do("POST", "/f/keep", url.Values{"word": {"Ivy 1990"}}); rec.Header().Get("Location") != "/f" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	w.want(w.do("GET", "/f", nil), 200, "3 of")
	if body := w.do("GET", "/f?p=1", nil).Body.String(); strings.Contains(body, " checked") {
		t.Error("in the session that chose the word, Back shows an answer")
	}

	w.jar = nil // another device
	w.start("start")
	body = w.want(w.do("GET", "/f", nil), 200, "Carry on with the next question", "Show my answers")
	golden(t, "again", body, w.token)
	w.want(w.do("POST", "/f", url.Values{"do": {"code"}, "word": {"ivy 1991"}}), 422, "That is not the word", "Carry on with the next question")
	if rec := w.do("POST", "/f", url.Values{"do": {"carry"}}); rec.Code != 303 {
		t.Fatalf("%d", rec.Code)
	}
	w.want(w.do("GET", "/f", nil), 200, "3 of")
	if body := w.do("GET", "/f?p=1", nil).Body.String(); strings.Contains(body, " checked") {
		t.Error("without the word an answer is shown")
	}
	w.start("start")
	if rec := w.do("POST", "/f", url.Values{"do": {"code"}, "word": {"IVY1990"}}); rec.Header().Get("Location") != "/f?p=1" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	body = w.want(w.do("GET", "/f?p=1", nil), 200, "These are your earlier answers")
	if !regexp.MustCompile(`value="very"[^>]* checked`).MatchString(body) {
		t.Errorf("the earlier answer is not shown:\n%s", body)
	}
	// Looking changes nothing; sending what is shown keeps it.
	w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"confidence"}, "core.confidence": {"very"}})
	if body := w.do("GET", "/f?p=2", nil).Body.String(); !regexp.MustCompile(`value="fairly-well"[^>]* checked`).MatchString(body) {
		t.Error("the second answer is not shown")
	}
	jar := w.jar
	w.do("GET", "/x", nil)
	w.jar = jar
	if body := w.want(w.do("GET", "/f?p=1", nil), 404); body != w.nothingPage() {
		t.Error("after leaving, the answers show")
	}

	// Starting again.
	w.start("start")
	w.want(w.do("GET", "/f/again", nil), 200, "cannot be undone")
	w.want(w.do("POST", "/f/again", url.Values{}), 422, "Tick the box", `href="#sure"`)
	if !w.responses()[0].Chosen {
		t.Fatal("a form sent as it stands threw the answers away")
	}
	w.want(w.do("POST", "/f/again", url.Values{"lang": {"pl"}, "sure": {"yes"}}), 200, `lang="pl"`)
	if !w.responses()[0].Chosen {
		t.Fatal("a change of language threw the answers away")
	}
	if rec := w.do("POST", "/f/again", url.Values{"sure": {"yes"}}); rec.Header().Get("Location") != "/f" {
		t.Fatalf("%d", rec.Code)
	}
	if rs := w.responses(); len(rs) != 1 || rs[0].Chosen || rs[0].Code.Set() || len(rs[0].Draft) > 0 {
		t.Errorf("%+v", rs)
	}
	w.do("POST", "/f", url.Values{"lang": {"en"}, "at": {"intro"}})
	w.want(w.do("GET", "/f", nil), 200, "Before you start")
}

// TestWhatWasTypedInASessionThatRanOutComesBack: with the word, on another device.
func TestWhatWasTypedInASessionThatRanOutComesBack(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	w.do("POST", "/f", url.Values{"do": {"keep"}, "page": {"confidence"}, "core.confidence": {"very"}})
	w.do("POST", "/f/keep", url.Values{"word": {"Ivy 1990"}})
	w.now = w.now.Add(90 * time.Minute)
	if rec := w.do("POST", "/f", url.Values{"do": {"next"}, "page": {"informed"}, "core.informed": {"not-very-well"}}); rec.Header().Get("Location") != "/f/stopped?l=en" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	w.jar = nil
	w.start("start")
	w.do("POST", "/f", url.Values{"do": {"code"}, "word": {"Ivy 1990"}})
	if body := w.want(w.do("GET", "/f?p=2", nil), 200); !regexp.MustCompile(`value="not-very-well"[^>]* checked`).MatchString(body) {
		t.Errorf("what was typed does not come back:\n%s", body)
	}
}

// TestStay: a session that is about to end goes on, and one that ended does not.
func TestStay(t *testing.T) {
	w := newWorld(t)
	w.start("start")
	w.want(w.do("GET", "/f?p=1", nil), 200, `data-minutes="60"`, `role="alert" id="ending" hidden`, "Stay on this page")
	for range 5 {
		w.now = w.now.Add(56 * time.Minute)
		if rec := w.do("POST", "/f/stay", url.Values{}); rec.Code != http.StatusNoContent || rec.Body.Len() > 0 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	w.want(w.do("GET", "/f?p=1", nil), 200)
	w.now = w.now.Add(61 * time.Minute)
	w.want(w.do("POST", "/f/stay", url.Values{}), 404)
	w.jar = []*http.Cookie{{Name: "f", Value: seal.NewToken()}}
	w.want(w.do("POST", "/f/stay", url.Values{}), 404)
}
