package workspace

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/survey"
)

const said = "Nobody told me that he was out <again>. Nobody told me anything, not once, and I found out from a neighbour."

// saidAndRead has somebody write something, and Ines code it: not kept informed.
func (w *world) saidAndRead(ref string, ticks survey.Ticks) survey.Response {
	w.t.Helper()
	ctx := context.Background()
	at := present.AddDate(0, 0, -3)
	id := w.reported(ref, present.AddDate(0, 0, -6), nil)
	r := w.respond(w.mail(id, present.AddDate(0, 0, -4), survey.Delivered), at, ticks, map[string]string{"open.better": said})
	if _, err := w.analysis.CodeWaiting(ctx); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.store.UpdateCoding(ctx, r.ID+"/open.better", func(c *analysis.Coding) error {
		c.Labels = []analysis.Label{{Code: "COM_UPDATES", Polarity: "negative", End: len("Nobody told me"), Confidence: 1, By: w.users[ines].ID}}
		c.Machine = c.Labels
		c.History = []analysis.Reading{{At: at, By: w.users[ines].ID, How: analysis.DrawnThreshold, After: c.Labels}}
		c.Queue, c.ChangedAt = analysis.QueueRead, at
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.analysis.Refresh(ctx); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// ofForce puts what codedOver made of this year into the test's force.
func (w *world) ofForce() {
	w.t.Helper()
	for m := range 36 {
		for i := range 60 {
			w.analysis.Panel().ApplyCases(figures.CaseRow{Key: fmt.Sprintf("words-%d-%d", m, i), ChangedAt: present, Force: force, Borough: "Ealing", BCU: "West Area", DomesticAbuse: -1})
		}
	}
}

var everyCheck = func() (form []string) {
	for _, c := range analysis.QuotationChecks() {
		form = append(form, "checks", c.ID)
	}
	return form
}()

// TestQuotationFromChoiceToPage: chosen by one, confirmed by another, shown under its
// theme, and gone with the answers.
func TestQuotationFromChoiceToPage(t *testing.T) {
	w := newWorld(t).staff()
	w.codedOver(240)
	w.ofForce()
	if body := w.page(ines, "/coding/quotations"); !strings.Contains(body, "None waits.") || !strings.Contains(body, "None is confirmed yet.") {
		t.Error("an empty list does not say so")
	}
	r := w.saidAndRead("QUO-1", survey.Ticks{Quote: true})
	silent := w.saidAndRead("QUO-2", survey.Ticks{Contact: true})

	if body := w.page(ines, "/coding/texts/"+silent.ID+"/open.better"); !strings.Contains(body, "The person has not agreed to be quoted.") {
		t.Error("a text that may not be quoted does not say so")
	}
	w.want(w.get(ines, "/coding/texts/"+silent.ID+"/open.better/quotation"), http.StatusConflict)
	text := "/coding/texts/" + r.ID + "/open.better"
	choose := text + "/quotation"
	if body := w.page(ines, text); !strings.Contains(body, `href="`+choose+`"`) {
		t.Error("a text does not lead to choosing a quotation")
	}
	if body := w.page(ines, "/coding"); strings.Count(body, "– may be quoted") != 1 {
		t.Error("the list does not say which text may be quoted")
	}
	w.want(w.get(ines, choose), http.StatusOK, "Choose a quotation", "&lt;again&gt;", `value="COM_UPDATES negative"`)
	for _, tc := range []struct {
		words, theme, which, says string
	}{
		{"", "COM_UPDATES negative", "", "Give the words to quote."},
		{"Somebody told me everything", "COM_UPDATES negative", "", "do not stand in the text"},
		{"Nobody told me", "COM_UPDATES negative", "", "Say which of the places you mean: 1 to 2."},
		{"Nobody told me", "COM_UPDATES negative", "3", "Say which of the places you mean: 1 to 2."},
		{"told me anyth", "COM_UPDATES negative", "", "Begin and end it with a whole word"},
		{"I found out from a neighbour", "", "", "Choose a theme."},
		{"I found out from a neighbour", "COM_COURT positive", "", "Choose a theme that the text is labelled with"},
	} {
		w.want(w.post(ines, choose, "words", tc.words, "theme", tc.theme, "which", tc.which), http.StatusUnprocessableEntity, tc.says, "There is a problem")
	}
	a := w.post(ines, choose, "words", "nobody told me that he was out <again>.", "theme", "COM_UPDATES negative")
	if a.to != "/coding/quotations?done=quotation-chosen" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}

	review := "/coding/quotations/" + r.ID
	if body := w.page(ines, review); !strings.Contains(body, "You chose this, so somebody else confirms it.") || strings.Contains(body, `name="checks"`) {
		t.Error("who chose a quotation is asked to confirm it")
	}
	body := w.page(cora, review)
	version := versionOf(t, body)
	for _, words := range []string{`<mark class="both">Nobody told me that he was out &lt;again&gt;.</mark> Nobody told me anything`, `name="checks" value="unique"`, "neither that nor anything else is shown beside it but the year"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	for _, gone := range []string{"QUO-1", "Ealing", force} {
		if strings.Contains(body, gone) {
			t.Errorf("the page tells %q", gone)
		}
	}
	if body := w.page(cora, "/coding"); !strings.Contains(body, "(1 waits for you to confirm)") {
		t.Error("nobody is told that a quotation waits")
	}
	if body := w.page(ines, "/coding"); strings.Contains(body, "for you to confirm") {
		t.Error("who chose it is told to confirm it")
	}
	w.want(w.post(ines, review, append([]string{"version", version, "do", "confirm"}, everyCheck...)...), http.StatusForbidden)
	w.want(w.post(cora, review, "version", version, "do", "confirm", "checks", "names"), http.StatusUnprocessableEntity, "Look for each of these and tick it", `value="names" id="checks" checked`)
	w.want(w.post(cora, review, "version", version, "do", "decline"), http.StatusUnprocessableEntity, "Say why")
	const shows = "“Nobody told me that he was out &lt;again&gt;.”"
	if strings.Contains(w.page(cora, "/themes/COM_UPDATES"), shows) {
		t.Error("shown before it is confirmed")
	}
	if a := w.post(cora, review, append([]string{"version", version, "do", "confirm"}, everyCheck...)...); a.to != "/coding/quotations?done=quotation-confirmed" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}

	for _, as := range []string{cora, ines} {
		body = w.page(as, "/themes/COM_UPDATES")
		if !strings.Contains(body, shows) || !strings.Contains(body, `<p class="soft">2026</p>`) {
			t.Errorf("%s is not shown the quotation", as)
		}
		at := strings.Index(body, shows)
		for _, gone := range []string{"QUO-1", r.ID, "neighbour"} {
			if strings.Contains(body[max(0, at-400):at+400], gone) {
				t.Errorf("%q stands beside the quotation", gone)
			}
		}
	}
	// No filter but the year and who answered leaves any.
	for _, q := range []string{"bcu=West+Area", "stage=report", "from=2027-01", "mode=relayed", "borough=Ealing"} {
		if a := w.get(cora, "/themes/COM_UPDATES?"+q); strings.Contains(a.body, shows) {
			t.Errorf("?%s shows the quotation", q)
		}
	}
	for _, q := range []string{"from=2026-01", "by=month", "to=2027-01"} {
		if a := w.get(cora, "/themes/COM_UPDATES?"+q); !strings.Contains(a.body, shows) {
			t.Errorf("?%s does not show the quotation", q)
		}
	}
	w.want(w.get(cora, "/themes/COM_UPDATES?stage=report"), http.StatusOK, "for all areas and stages together alone")
	if body := w.page(cora, "/figures/report?quarter=2026-Q3"); !strings.Contains(body, shows) || !strings.Contains(body, "In their own words") {
		t.Error("the quarterly report does not have it")
	}
	for _, path := range []string{"/public", "/public/data", "/figures/theme.COM_UPDATES.negative", "/figures/theme.COM_UPDATES.negative/table?format=csv"} {
		if a := w.get(cora, path); strings.Contains(a.body, "that he was out") {
			t.Errorf("%s tells the words", path)
		}
	}

	if _, err := w.survey.VoidResponse(context.Background(), survey.Actor{ID: "ann", Role: "advocate"}.Entry("", ""), r.ID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/themes/COM_UPDATES", "/figures/report?quarter=2026-Q3"} {
		if strings.Contains(w.page(cora, path), shows) {
			t.Errorf("%s shows words of answers that were taken back", path)
		}
	}
}

// TestQuotationTakenBack: by anybody who codes, with a reason that is chosen.
func TestQuotationTakenBack(t *testing.T) {
	w := newWorld(t).staff()
	r := w.saidAndRead("QUO-1", survey.Ticks{Quote: true})
	review := "/coding/quotations/" + r.ID
	w.post(ines, "/coding/texts/"+r.ID+"/open.better/quotation", "words", "not once, and I found out", "theme", "COM_UPDATES negative")
	w.post(cora, review, append([]string{"version", versionOf(t, w.page(cora, review)), "do", "confirm"}, everyCheck...)...)
	body := w.page(ines, review)
	if !strings.Contains(body, "Take it back") {
		t.Fatal("it cannot be taken back")
	}
	// In a world of one answer it is confirmed and still shown to nobody.
	if body := w.page(cora, "/themes/COM_UPDATES"); strings.Contains(body, "not once, and I found out") || !strings.Contains(body, "No quotation is shown.") || !strings.Contains(body, "Too few have answered") {
		t.Error("a quotation stands under a figure that is withheld")
	}
	if a := w.post(ines, review, "version", versionOf(t, body), "do", "decline", "reason", "unique"); a.to != "/coding/quotations?done=quotation-declined" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	body = w.page(cora, review)
	for _, words := range []string{"Taken back", "Only one person could have told it", "Cora Example: Confirmed", "Ines Example: Chosen"} {
		if !strings.Contains(body, words) {
			t.Errorf("the history lacks %q", words)
		}
	}
	w.want(w.post(ines, review, "version", "1", "do", "decline", "reason", "other"), http.StatusConflict)
	w.want(w.post(ines, review, "version", "x", "do", "decline", "reason", "other"), http.StatusUnprocessableEntity)
	w.want(w.get(ines, "/coding/quotations/nothing"), http.StatusNotFound)

	w.person("fred", force, access.Analyst)
	for _, path := range []string{"/coding/quotations", review, "/coding/texts/" + r.ID + "/open.better/quotation"} {
		w.want(w.get("fred", path), http.StatusForbidden)
	}
}
