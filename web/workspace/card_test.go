package workspace

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/sqlite"
	"victimvoice/survey"
	"victimvoice/web/page"
)

var codeOnCard = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}\b`)

// TestACardIsMade: shown once, as the answer to the form, with nothing telling on it.
func TestACardIsMade(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := "/work/cases/" + ids["MPS-1002"] // whose address is not safe
	body := w.page(ann, path+"?card=report%3A1")
	golden(t, "case-card", body)
	for _, want := range []string{`<option value="report:1" selected>`, `<option value="en" selected>`, `>Welsh</option>`, "Only the card made last works"} {
		if !strings.Contains(body, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	a := w.post(ann, path+"/card", "card_survey", "report:1", "card_language", "en")
	w.want(a, http.StatusOK, "<title>Feedback</title>", "A few questions", "feedback.example.org/c", "The code works until the end of 7 December 2026.", "<svg")
	if a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", a.Header())
	}
	code := codeOnCard.FindString(a.body)
	if code == "" {
		t.Fatalf("no code:\n%s", a.body)
	}
	if d, err := w.survey.Follow(context.Background(), code); err != nil || d.Stage != survey.StageReport || d.Language != "en" {
		t.Errorf("the code opens %+v, %v", d, err)
	}
	_, card, ok := strings.Cut(a.body, `<main class="card"`)
	if m := regexp.MustCompile(`(?i)MPS-1002|metropolitan|ealing|police|stalk|crime|victim|advocate|case|example, |report`).FindString(strings.ReplaceAll(card, code, "")); !ok || m != "" {
		t.Errorf("the card says %q", m)
	}
	for _, href := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
		if strings.Contains(href[1], code) {
			t.Errorf("the code stands in the address %s", href[1])
		}
	}
	goldenCard(t, "card", a.body, code)
	// What is above it on the screen stays off the paper.
	if above, _, _ := strings.Cut(a.body, `<main class="card"`); strings.Count(above, "<div ") != 1 || !strings.Contains(above, `<div class="desk noprint">`) {
		t.Error("something beside the card is printed")
	}
	// The case says so, and does not show the code.
	body = w.page(ann, path)
	if !strings.Contains(body, "Card made on Mon 23 Nov; its code works until the end of Mon 7 Dec.") || strings.Contains(body, code) {
		t.Errorf("the case:\n%s", body)
	}
	desk := w.page(ann, "/work")
	if !strings.Contains(desk, "Card made on Mon 23 Nov") || !strings.Contains(desk, "Open until Mon 7 Dec") {
		t.Error("the desk does not say that a card is out")
	}
	// After some days without an answer, it is for the advocate to ask again.
	w.now = w.now.Add(6 * 24 * time.Hour)
	if v := must(w.survey.CaseFor(context.Background(), survey.Actor{ID: "t"}, w.users[ann].AdvocateKey, ids["MPS-1002"]))(t); !w.pages.dueForAdvocate(&v, &v.Invites[0]) {
		t.Error("the case is not due again")
	}
}

// goldenCard keeps a whole page, its square and code left out.
func goldenCard(t *testing.T, name, body, code string) {
	t.Helper()
	golden(t, name, `<main id="main" tabindex="-1">`+strings.ReplaceAll(strings.ReplaceAll(body, code, "CODE"), "</main>", "</ main>"))
}

func TestACardInUrdu(t *testing.T) {
	w := newWorld(t).staff()
	path := "/work/cases/" + w.reported("MPS-3001", present.AddDate(0, 0, -3), func(e *survey.Event) { e.Contact.Language = "ur" })
	if !strings.Contains(w.page(ann, path), `<option value="ur" selected>`) {
		t.Error("the person's own language is not chosen")
	}
	a := w.post(ann, path+"/card", "card_survey", "report:1", "card_language", "ur")
	w.want(a, http.StatusOK, `<main class="card" lang="ur" dir="rtl">`, "چند سوال", "7 دسمبر 2026")
	goldenCard(t, "card-ur", a.body, codeOnCard.FindString(a.body))
}

// TestACardIsRefused: to others, for a survey that may have none, and where the form is wrong.
func TestACardIsRefused(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	path := func(ref string) string { return "/work/cases/" + ids[ref] + "/card" }
	good := []string{"card_survey", "report:1", "card_language", "en"}
	w.want(w.post(ben, path("MPS-1002"), good...), http.StatusNotFound, "There is no such case among yours.")
	w.want(w.post(cora, path("MPS-1002"), good...), http.StatusForbidden)
	w.want(w.post(adam, path("MPS-1002"), good...), http.StatusForbidden)
	w.want(w.get(ann, path("MPS-1002")), http.StatusMethodNotAllowed)
	if a := w.post("", path("MPS-1002"), good...); a.Code != http.StatusSeeOther || !strings.HasPrefix(a.to, "/signin") {
		t.Errorf("signed out: %d to %q", a.Code, a.to)
	}
	for ref, why := range map[string]string{
		"MPS-1003": "it is answered", "MPS-1004": "not recorded as an adult, only you can ask", "MPS-1005": "they asked for no more mail",
		"MPS-1006": "a later stage of the case took its place", "MPS-1008": "contact is on hold for their safety", "MPS-1009": "its time has not come yet",
	} {
		w.want(w.post(ann, path(ref), good...), http.StatusConflict, "No card can be made of this survey: "+why+".")
	}
	w.want(w.post(ann, path("MPS-1007"), "card_survey", "closure:1", "card_language", "en"), http.StatusConflict, "nobody has recorded telling them of the closure")
	w.want(w.post(ann, path("MPS-1002")), http.StatusUnprocessableEntity, `href="#card_survey"`, "Choose which survey the card is for.")
	w.want(w.post(ann, path("MPS-1002"), "card_survey", "report:1", "card_language", "tlh"), http.StatusUnprocessableEntity, `href="#card_language"`, "Choose one of the languages offered.", `<option value="report:1" selected>`)
	for ref, why := range map[string]string{"MPS-1008": "contact is on hold for their safety", "MPS-1009": "its time has not come yet"} {
		if body := w.page(ann, strings.TrimSuffix(path(ref), "/card")); !strings.Contains(body, "No card can be made now: "+why+".") {
			t.Errorf("%s does not say why there is no card:\n%s", ref, body)
		}
	}
	for ref := range ids {
		c := must(w.store.Case(context.Background(), ids[ref]))(t)
		for _, v := range c.Invites {
			if !v.CardAt.IsZero() {
				t.Errorf("%s has a card all the same", ref)
			}
		}
	}
}

// linkless is a store that keeps no links for a while.
type linkless struct{ *sqlite.Store }

func (linkless) InsertLink(context.Context, survey.Link) error {
	return fault.New(fault.Unavailable, "the store cannot be reached")
}

// TestACardAndABrokenStore: no code is shown that opens nothing, and a card that
// cannot be put into words is not half a page.
func TestACardAndABrokenStore(t *testing.T) {
	w := newWorld(t).staff()
	path := "/work/cases/" + w.caseload()["MPS-1002"] + "/card"
	broken := w.parts
	broken.Store = linkless{w.store}
	w.pages.Survey = survey.NewService(broken)
	a := w.post(ann, path, "card_survey", "report:1", "card_language", "en")
	w.want(a, http.StatusServiceUnavailable, "Something is not working")
	if codeOnCard.MatchString(a.body) {
		t.Errorf("a code is shown all the same: %s", a.body)
	}
	w.pages.Survey = w.survey
	words := w.pages.Card
	w.pages.Card = func(survey.Card) (page.Card, error) { return page.Card{}, errors.New("no words") }
	w.want(w.post(ann, path, "card_survey", "report:1", "card_language", "en"), http.StatusInternalServerError)
	w.pages.Card = words
	w.want(w.post(ann, path, "card_survey", "report:1", "card_language", "en"), http.StatusOK, "A few questions")
}

// TestReasonsHaveWords: whatever keeps a card from being made is said in words.
func TestReasonsHaveWords(t *testing.T) {
	for _, r := range []survey.Reason{survey.NotYet, survey.Emptied, survey.TooLate, survey.Superseded, survey.OnHold, survey.NotAdult, survey.ReasonOptedOut, survey.AlreadyAnswered, survey.CaseMerged, survey.ClosureNotNotified} {
		if reason(r) == string(r) {
			t.Errorf("%s has no words", r)
		}
	}
}
