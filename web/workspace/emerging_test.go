package workspace

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/seal"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// wrote keeps the coded words of one person, in the store and in the panel.
func (w *world) wrote(n int, at time.Time, text string, labels ...analysis.Label) {
	w.t.Helper()
	q := w.survey.Questionnaires().Current("report")
	response := fmt.Sprintf("person-%d", n)
	id := response + "/open.better"
	sealed := must(w.keys.SealString(seal.Purpose("coding", id), text))(w.t)
	_, err := w.store.UpdateCoding(w.t.Context(), id, func(c *analysis.Coding) error {
		c.Response, c.Item, c.Stage, c.Language, c.Codebook, c.Text, c.Status, c.CodedAt, c.ChangedAt = response, "open.better", survey.StageReport, "en", "1", sealed, analysis.StatusCoded, at, at
		c.Labels = labels
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	units := []string{"Central West", "South West"}
	w.analysis.Panel().ApplyCases(figures.CaseRow{Key: response, ChangedAt: at, Force: force, BCU: units[n%2], Borough: units[n%2]})
	err = w.analysis.Panel().ApplyResponses(figures.ResponseRow{ID: response, CaseKey: response, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{})})
	if err != nil {
		w.t.Fatal(err)
	}
}

// wordsOver has forty people write in the last three months, twelve of them of an air
// tag, and eighty in the year before. A few have no code.
func (w *world) wordsOver() {
	w.t.Helper()
	plain := []string{"Nobody rang me back for weeks.", "The officer was kind and told me what came next.", "I had to chase for every update.", "They took a statement and that was it."}
	for i := range 120 {
		at, text := present.AddDate(0, -i%3, 0), plain[i%len(plain)]
		if i >= 40 {
			at = present.AddDate(0, -3-i%12, 0)
		}
		if i < 36 && i%3 == 0 {
			text = "He hid an air tag in the lining of my bag and [name] did not know what it was. <b>" + text + "</b>"
		}
		var labels []analysis.Label
		if i%3 != 0 {
			labels = []analysis.Label{{Code: "COM_UPDATES", Polarity: "negative", End: 3}}
		}
		w.wrote(i, at, text, labels...)
	}
}

func TestNewWords(t *testing.T) {
	w := newWorld(t).staff()
	body := w.page(cora, "/new-words")
	for _, words := range []string{"Fewer than ten people wrote something", "No code has been drafted yet", `value="2026-09"`, "September 2026 to November 2026 against September 2025 to August 2026"} {
		if !strings.Contains(body, words) {
			t.Errorf("without words the page does not say %q", words)
		}
	}
	w.wordsOver()
	body = w.page(cora, "/new-words")
	for _, words := range []string{"40 people against 80.", "<b>air tag", "12 people here, 0 in the comparison", "<mark>air tag", "&lt;b&gt;", "Draft a code from this"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if strings.Contains(body, "statement and that was it.<mark>") || strings.Count(body, "<mark>") > 50*6 {
		t.Error("more lines than are shown of one term")
	}
	if !strings.Contains(w.page(adam, "/admin/record"), "words.compared") {
		t.Error("reading the words is not on record")
	}
	// One unit has half of them; an unknown one nobody.
	if body := w.page(cora, "/new-words?bcu=South+West"); !strings.Contains(body, "20 people against 40, South West") && !strings.Contains(body, "South West: 20 people against 40.") {
		t.Errorf("the area is not kept to:\n%s", body)
	}
	if body := w.page(cora, "/new-words?bcu=Nowhere"); !strings.Contains(body, "Fewer than ten people wrote") || strings.Contains(body, "<mark>") {
		t.Error("an area without people shows words")
	}
	// What no code fits, within one window.
	if body := w.page(cora, "/new-words?compare=uncoded"); !strings.Contains(body, "14 people against 26.") || !strings.Contains(body, "<b>air tag") {
		t.Errorf("uncoded against coded:\n%s", body)
	}
	if body := w.page(cora, "/new-words?from=2026-03&to=2026-05&base_from=2025-11&base_to=2026-02"); !strings.Contains(body, "No word or phrase stands out") {
		t.Errorf("nothing was planted there:\n%s", body)
	}
	for q, says := range map[string]string{"?from=spring": "Want a month such as 2026-03", "?to=2025-01": "Is not before the first month", "?base_to=2026-10": "Overlaps the window", "?compare=all": "Is one of time, uncoded"} {
		w.want(w.get(cora, "/new-words"+q), http.StatusUnprocessableEntity, says)
	}
	w.page(ines, "/new-words") // an analyst reads them and names a code
	w.want(w.get(ann, "/new-words"), http.StatusForbidden)
}

func TestNewWordsOfOneForce(t *testing.T) {
	w := newWorld(t)
	w.wordsOver()
	w.person("kent", "Kent Police", "commissioner")
	if body := w.get("kent", "/new-words").body; strings.Contains(body, "air tag") || !strings.Contains(body, "Fewer than ten people") {
		t.Error("words of another force are shown")
	}
}

// TestDraftCode: a term is named, kept, changed and dropped, with its history.
func TestDraftCode(t *testing.T) {
	w := newWorld(t).staff()
	path := "/new-words/draft?" + url.Values{"term": {"air tag"}, "from": {"2026-09"}, "to": {"2026-11"}}.Encode()
	if body := w.page(cora, path); !strings.Contains(body, "“air tag”, September 2026 to November 2026 against") {
		t.Error("it is not said where the term stood out")
	}
	w.want(w.get(cora, "/new-words/draft"), http.StatusNotFound, "no such term")
	w.want(w.post(cora, path, "name", " ", "meaning", "Tags hidden <i>in things</i>."), http.StatusUnprocessableEntity, "Give the code a name", "Tags hidden &lt;i&gt;")
	if a := w.post(cora, path, "name", "Hidden trackers", "meaning", "Tags hidden in things.", "note", "Seen in autumn."); a.Code != http.StatusSeeOther || a.to != "/new-words?done=draft-kept" {
		t.Fatalf("%d to %s", a.Code, a.to)
	}
	list, err := w.store.DraftCodes(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	d := list[0]
	if d.Term != "air tag" || d.State != analysis.DraftOpen || len(d.History) != 1 || d.History[0].By != w.users[cora].ID {
		t.Errorf("%+v", d)
	}
	body := w.page(cora, "/new-words?done=draft-kept")
	for _, words := range []string{"The draft code is kept.", "Hidden trackers", "Tags hidden in things.", "Seen in autumn.", "History (1)"} {
		if !strings.Contains(body, words) {
			t.Errorf("the list does not say %q", words)
		}
	}
	one := "/new-words/drafts/" + d.ID
	w.page(cora, one)
	w.want(w.post(cora, one, "version", "1", "name", "Hidden trackers", "state", "dropped"), http.StatusUnprocessableEntity, "Say why it is dropped")
	w.want(w.post(cora, one, "version", "1", "name", "Hidden trackers", "state", "gone"), http.StatusUnprocessableEntity, "Is one of draft, taken-up, dropped")
	w.want(w.post(cora, one, "version", "7", "name", "Hidden trackers", "state", "draft"), http.StatusConflict, "Somebody else changed")
	w.want(w.post(cora, one, "version", "1", "name", "Hidden trackers", "state", "taken-up", "note", "In version 2."), http.StatusSeeOther)
	body = w.page(cora, "/new-words?done=draft-changed")
	if !strings.Contains(body, "Taken up") || !strings.Contains(body, "In version 2.") || !strings.Contains(body, "History (2)") {
		t.Error("the change is not in the list")
	}
	if record := w.page(adam, "/admin/record"); !strings.Contains(record, "draft-code.named") || !strings.Contains(record, "draft-code.changed") {
		t.Error("the draft code is not on record")
	}
}
