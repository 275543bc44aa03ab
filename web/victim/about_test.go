package victim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

var aboutID = regexp.MustCompile(`name="about" value="([^"]+)"`)

// toAbout starts, answers the first question, passes the others over and gives
// the address that follows, which is that of the first page about the person.
func (w *world) toAbout() string {
	w.t.Helper()
	w.start("start")
	path := w.next("/f?p=1", "core.confidence", "very").Header().Get("Location")
	for range 40 {
		if aboutID.MatchString(w.want(w.do("GET", path, nil), 200)) {
			return path
		}
		path = w.next(path, "", "").Header().Get("Location")
	}
	w.t.Fatal("nothing is asked about the person")
	return ""
}

// nextAbout sends the page about the person at an address.
func (w *world) nextAbout(path, do string, chosen ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	m := aboutID.FindStringSubmatch(w.want(w.do("GET", path, nil), 200))
	if m == nil {
		w.t.Fatalf("%s asks nothing about the person", path)
	}
	form := url.Values{"do": {do}, "about": {m[1]}}
	for i := 0; i < len(chosen); i += 2 {
		form.Set(chosen[i], chosen[i+1])
	}
	return w.do("POST", "/f", form)
}

func (w *world) abouts() (out []survey.About) {
	w.t.Helper()
	for a, err := range w.store.AboutsChanged(w.t.Context(), time.Time{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// told opens the one document of what a person told about themselves.
func (w *world) told() questionnaires.Answers {
	w.t.Helper()
	all := w.abouts()
	if len(all) != 1 {
		w.t.Fatalf("%d documents: %+v", len(all), all)
	}
	packed, err := w.rooms.Survey.PackedAbout(&all[0])
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.rooms.Survey.Questionnaires().About().Unpack(packed)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func TestAboutYou(t *testing.T) {
	w := newWorld(t)
	path := w.toAbout()
	questions := strings.TrimPrefix(path, "/f?p=")
	body := w.want(w.do("GET", path, nil), 200, "About you", "asked once", "Nobody who deals with your case sees", "Skip these questions", "Prefer not to say", "Leave now", "999")
	golden(t, "about", body, w.token)
	if strings.Contains(body, " of 1") || strings.Contains(body, "You have been here before") {
		t.Errorf("it is counted among the questions, or was met before:\n%s", body)
	}
	if first := w.want(w.do("GET", "/f?p=1", nil), 200); !strings.Contains(first, " · 1 of ") || strings.Contains(first, "1 of "+questions) {
		t.Error("the questions about the person are counted among the others")
	}
	// A fault shows the page again, with what was chosen; nothing else is ever shown.
	again := w.want(w.nextAbout(path, "next", "about.age", "25-34", "about.sex", "nonsense"), 422, "There is a problem", `href="#about.sex"`, "About you")
	if !strings.Contains(again, `value="25-34" checked`) || strings.Count(again, " checked") != 1 {
		t.Errorf("what was chosen does not come back:\n%s", again)
	}
	rec := w.nextAbout(path, "next", "about.age", "25-34", "about.sex", "female", "about.gender", "prefer-not")
	second := rec.Header().Get("Location")
	if rec.Code != 303 || second == path {
		t.Fatalf("%d to %s", rec.Code, second)
	}
	if got := w.want(w.do("GET", "/f", nil), 200); !aboutID.MatchString(got) || strings.Contains(got, "about.age") || strings.Contains(got, "asked once") {
		t.Errorf("the second page:\n%s", got)
	}
	back := w.want(w.do("GET", path, nil), 200, "You have been here before")
	if strings.Contains(back, " checked") {
		t.Error("what was chosen is shown again")
	}
	next := w.nextAbout(second, "next", "about.ethnicity", "asian", "about.disability", "no").Header().Get("Location")
	for aboutID.MatchString(w.want(w.do("GET", next, nil), 200)) {
		next = w.nextAbout(next, "next").Header().Get("Location")
	}
	last := w.want(w.do("GET", "/f", nil), 200, "Before you send")
	if m := regexp.MustCompile(`href="(/f\?p=\d+)">Back`).FindStringSubmatch(last); m == nil || !aboutID.MatchString(w.want(w.do("GET", m[1], nil), 200)) {
		t.Errorf("Back does not lead to the questions about the person: %v", m)
	}
	if got := w.abouts(); len(got) != 0 {
		t.Errorf("kept before the answers were sent: %+v", got)
	}
	tab := w.jar
	w.do("POST", "/f", url.Values{"do": {"send"}})
	w.want(w.do("GET", "/f", nil), 200, "Your code")
	got := w.told()
	for item, want := range map[string]string{"about.age": "25-34", "about.sex": "female", "about.gender": "prefer-not", "about.ethnicity": "asian", "about.disability": "no", "about.orientation": "", "about.religion": ""} {
		if got[item].Choice != want {
			t.Errorf("%s: %+v, want %q", item, got[item], want)
		}
	}
	if got["about.gender"].State != questionnaires.PreferNot || got["about.religion"].State != questionnaires.Skipped {
		t.Errorf("the reasons for no answer are not kept apart: %+v", got)
	}
	// Another tab sends a page of it once more: the thanks are there, and nothing is changed.
	w.jar = tab
	if rec := w.do("POST", "/f", url.Values{"do": {"next"}, "about": {"about.age"}, "about.age": {"65-over"}}); rec.Code != 303 || w.told()["about.age"].Choice != "25-34" {
		t.Errorf("%d, %+v", rec.Code, w.told())
	}
}

func TestAboutYouIsPassedOverByOneButton(t *testing.T) {
	for _, after := range []int{0, 1} {
		w := newWorld(t)
		path := w.toAbout()
		for range after {
			path = w.nextAbout(path, "next", "about.age", "25-34").Header().Get("Location")
		}
		w.want(w.do("GET", w.nextAbout(path, "pass").Header().Get("Location"), nil), 200, "Before you send")
		w.want(w.do("GET", "/f", nil), 200, "Before you send")
		w.do("POST", "/f", url.Values{"do": {"send"}})
		want := map[int]survey.AboutState{0: survey.AboutPassedOver, 1: survey.AboutAnswered}[after]
		if all := w.abouts(); len(all) != 1 || all[0].State != want {
			t.Errorf("after %d pages: %+v", after, all)
		}
	}
}

// TestAboutYouTwoTabs: the same page twice, in any order, and the end from one of them.
func TestAboutYouTwoTabs(t *testing.T) {
	w := newWorld(t)
	path := w.toAbout()
	var to []string
	for range 2 { // a double click
		to = append(to, w.nextAbout(path, "next", "about.age", "25-34").Header().Get("Location"))
	}
	if to[0] != to[1] {
		t.Errorf("%v", to)
	}
	w.nextAbout(to[0], "pass")
	if rec := w.nextAbout(path, "next"); rec.Code != 303 { // the other tab, with an empty form: nothing is undone
		t.Errorf("%d: %s", rec.Code, rec.Body)
	}
	w.do("POST", "/f", url.Values{"do": {"send"}})
	if got := w.told()["about.age"].Choice; got != "25-34" {
		t.Errorf("%q", got)
	}
}

func TestAboutYouStopsAndGoesOn(t *testing.T) {
	w := newWorld(t)
	path := w.toAbout()
	if rec := w.nextAbout(path, "stop", "about.age", "25-34"); rec.Header().Get("Location") != "/f/stopped?l=en" || len(w.jar) != 0 {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	w.start("start")
	w.do("POST", "/f", url.Values{"do": {"carry"}})
	body := w.want(w.do("GET", "/f", nil), 200)
	if m := aboutID.FindStringSubmatch(body); m == nil || m[1] == "about.age" || strings.Contains(body, " checked") {
		t.Errorf("coming back does not go on after the first page about the person:\n%s", body)
	}
	// A session that ran out takes what was typed, and shows nothing.
	form := url.Values{"do": {"next"}, "about": {aboutID.FindStringSubmatch(body)[1]}, "about.ethnicity": {"white"}}
	w.now = w.now.Add(2 * time.Hour)
	if rec := w.do("POST", "/f", form); rec.Header().Get("Location") != "/f/stopped?l=en" {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	w.want(w.do("GET", path, nil), 404)
	w.start("start")
	w.do("POST", "/f", url.Values{"do": {"carry"}})
	w.nextAbout("/f", "pass")
	w.want(w.do("GET", "/f", nil), 200, "Before you send")
	w.do("POST", "/f", url.Values{"do": {"send"}})
	if got := w.told(); got["about.age"].Choice != "25-34" || got["about.ethnicity"].Choice != "white" {
		t.Errorf("%+v", got)
	}
	// After leaving, nothing is taken.
	w = newWorld(t)
	path = w.toAbout()
	left := w.jar
	w.do("GET", "/x", nil)
	w.jar = left
	unknown := w.nothingPage()
	if body := w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "about": {"about.age"}, "about.age": {"25-34"}}), 404); body != unknown {
		t.Error("after leaving the page says something of its own")
	}
	if body := w.want(w.do("GET", path, nil), 404); body != unknown {
		t.Error("after leaving the page shows")
	}
}

func TestAboutYouIsNotForEverybody(t *testing.T) {
	w := newWorld(t)
	w.start("quick")
	for n := range 3 {
		w.next(fmt.Sprintf("/f?p=%d", n+1), "", "")
	}
	w.want(w.do("GET", "/f", nil), 200, "Before you send")
	w.next("/f?p=1", "core.confidence", "very")
	w.want(w.do("GET", "/f", nil), 200, "Before you send") // a minute was promised
	w.want(w.do("POST", "/f", url.Values{"do": {"next"}, "about": {"about.age"}, "about.age": {"25-34"}}), 422, "not part of your questions")

	c := mustCase(t, w)
	secret, _, err := w.rooms.Survey.BeginFor(t.Context(), survey.Actor{ID: "a", Role: "advocate"}, c.Facts.Advocate, c.ID, survey.StageReport, 1, survey.ModeRelayed, &survey.Consent{How: "phone", At: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.jar = []*http.Cookie{{Name: "f", Value: secret}}
	path := w.next("/f?p=1", "core.confidence", "very").Header().Get("Location")
	for range 40 {
		body := w.want(w.do("GET", path, nil), 200)
		if aboutID.MatchString(body) {
			t.Fatal("an advocate is asked about the person")
		}
		if strings.Contains(body, `value="send"`) {
			break
		}
		path = w.next(path, "", "").Header().Get("Location")
	}
}

// TestAboutYouIsNotAskedAgain at the next stage, until what was told is taken back.
func TestAboutYouIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	path := w.toAbout()
	w.nextAbout(w.nextAbout(path, "next", "about.age", "25-34").Header().Get("Location"), "pass")
	w.do("POST", "/f", url.Values{"do": {"send"}})
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(w.want(w.do("GET", "/f", nil), 200))

	w.now = w.now.Add(28 * 24 * time.Hour)
	w.token, w.jar = w.mail(), nil
	w.start("start")
	path = w.next("/f?p=1", "core.confidence", "very").Header().Get("Location")
	for range 40 {
		body := w.want(w.do("GET", path, nil), 200)
		if aboutID.MatchString(body) {
			t.Fatal("asked again at the next stage")
		}
		if strings.Contains(body, "Before you send") {
			break
		}
		path = w.next(path, "", "").Header().Get("Location")
	}
	jar := w.jar
	w.want(w.do("POST", "/withdraw", url.Values{"code": {code}}), 200, "they are now removed")
	if all := w.abouts(); len(all) != 1 || all[0].State != survey.AboutGone || all[0].Sealed != nil {
		t.Errorf("%+v", all)
	}
	w.jar = jar
	if body := w.want(w.do("GET", "/f", nil), 200); !aboutID.MatchString(body) {
		t.Error("what was told is gone, and nobody asks again")
	}
}

func TestAboutYouBadForms(t *testing.T) {
	w := newWorld(t)
	w.toAbout()
	form := func(pairs ...string) url.Values {
		f := url.Values{"do": {"next"}, "about": {"about.age"}}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}
	w.want(w.do("POST", "/f", form("about", "nonsense")), 422, "not part of your questions")
	w.want(w.do("POST", "/f", form("do", "nonsense")), 422, "not complete")
	w.want(w.do("POST", "/f", form("about.religion", "none")), 422, "not on the page")
	w.want(w.do("POST", "/f", form("core.confidence", "very")), 422, "not on the page")
	w.want(w.do("GET", "/f", nil), 200, "About you")
}

// TestAboutYouIsLight, in every language: no page of it is over 8 KB.
func TestAboutYouIsLight(t *testing.T) {
	w := newWorld(t)
	var paths []string
	for path := w.toAbout(); aboutID.MatchString(w.want(w.do("GET", path, nil), 200)); {
		paths = append(paths, path)
		path = w.nextAbout(path, "next").Header().Get("Location")
	}
	st, err := w.rooms.Survey.Sitting(t.Context(), w.jar[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	languages := w.rooms.Survey.Questionnaires().LanguagesOffered()
	for _, l := range languages {
		if _, err := w.rooms.Survey.Speak(t.Context(), st, l.Code); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			body := w.want(w.do("GET", path, nil), 200, `lang="`+l.Code+`"`, `name="about"`)
			t.Logf("%s %s: %d bytes", l.Code, path, len(body))
			if len(body) > 8<<10 {
				t.Errorf("%s %s weighs %d bytes", l.Code, path, len(body))
			}
		}
	}
	if len(languages) < 8 || len(paths) < 3 {
		t.Errorf("%d pages in %d languages", len(paths), len(languages))
	}
}
