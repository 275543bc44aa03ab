package workspace

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"victimvoice/internal/access"
)

const informed = "measure=core.informed&stage=report&by=month"

// raise raises an action from the figure about being kept informed, and gives its path.
func (w *world) raise(title string) string {
	w.t.Helper()
	a := w.post(cora, "/actions/new?"+informed, "title", title, "you_said", "Nobody told us what happened next.", "agency", "Metropolitan Police", "owner", "Head of victim care", "due_on", "2026-10-31", "status", "planned")
	if a.Code != http.StatusSeeOther || !strings.HasSuffix(a.to, "?done=raised") {
		w.t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}
	return strings.TrimSuffix(a.to, "?done=raised")
}

// fields are the form of an action as it was raised, with some changed.
func fields(version string, changed ...string) []string {
	form := url.Values{"version": {version}, "title": {"Call within a day"}, "you_said": {"Nobody told us what happened next."}, "agency": {"Metropolitan Police"}, "owner": {"Head of victim care"}, "due_on": {"2026-10-31"}, "status": {"planned"}}
	for i := 0; i+1 < len(changed); i += 2 {
		form.Set(changed[i], changed[i+1])
	}
	var out []string
	for k := range form {
		out = append(out, k, form.Get(k))
	}
	return out
}

func TestRaiseAnAction(t *testing.T) {
	w := newWorld(t).staff()
	if a := w.get(cora, "/actions/new"); a.to != "/figures?done=choose-figure" {
		t.Errorf("without a figure: %d to %q", a.Code, a.to)
	}
	w.want(w.get(cora, "/actions"), http.StatusOK, "the overdue ones first", "Open a <a")
	w.want(w.post(cora, "/actions/new?"+informed, fields("")...), http.StatusUnprocessableEntity, "nothing is published for this figure")
	w.answersOver(10)
	w.want(w.get(cora, "/actions/new?"+informed), http.StatusOK, "95% interval", "– report")
	w.want(w.get(cora, "/actions/new?measure=nonsense"), http.StatusUnprocessableEntity)
	w.want(w.post(cora, "/actions/new?"+informed, "title", "<i>Call</i>", "due_on", "soon"), http.StatusUnprocessableEntity,
		"Say what people told us.", `href="#owner"`, `value="&lt;i&gt;Call&lt;/i&gt;"`, `value="soon"`)
	path := w.raise("Call within a day")
	body := w.page(cora, path)
	for _, words := range []string{"Call within a day", "overdue", "base 40", "Cora Example", "Planned"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if body := w.page(ann, path); strings.Contains(body, "<form method=\"post\" action=\"/actions") || strings.Contains(body, "<svg") {
		t.Error("an advocate reads an action, and changes nothing and sees no chart")
	}
	list := w.page(cora, "/actions")
	golden(t, "actions", list)
	w.want(w.get(cora, "/actions/unknown"), http.StatusNotFound)
}

// TestActionToTheEnd: changed by two, done, checked, published, read by the public.
func TestActionToTheEnd(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(10)
	w.want(w.get("", "/public"), http.StatusOK, "Nothing is published yet")
	path := w.raise("Call within a day")
	w.want(w.get(cora, "/actions/publish"), http.StatusOK, "There is nothing to publish yet")
	if a := w.post(cora, path, fields("1", "status", "investigating")...); a.to != path+"?done=changed" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}
	w.want(w.post(cora, path, fields("1", "title", "Write within a day")...), http.StatusConflict, "Somebody else changed this action", "Write within a day")
	w.want(w.post(cora, path, "version", "x"), http.StatusUnprocessableEntity, "This form is not whole")
	w.want(w.post(cora, path, fields("2", "status", "done")...), http.StatusUnprocessableEntity, "Say what was done, when and where.", `href="#done_on"`)
	w.want(w.post(cora, path, fields("2", "status", "checked")...), http.StatusUnprocessableEntity, "by comparing the figure")
	w.want(w.post(cora, path+"/check"), http.StatusConflict, "once it is done")
	if a := w.post(cora, path, fields("2", "status", "done", "we_did", "Every victim is called within a day, in all units, since January.", "done_on", "2025-12-15")...); a.to != path+"?done=changed" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}
	if a := w.post(cora, path+"/check"); a.to != path+"?done=checked" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	body := w.page(cora, path)
	for _, words := range []string{"The figure is higher than before.", "95% interval &#43;", "direction of improvement", "does not show what caused", "1: done on 15 December 2025"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if !strings.Contains(w.page(cora, "/actions"), "<b>100%</b>") {
		t.Error("the headline does not count the checked action")
	}
	form := w.page(cora, "/actions/publish")
	if !strings.Contains(form, "Nobody told us what happened next.") {
		t.Error("what would be published is not shown")
	}
	w.want(w.post(cora, "/actions/publish", "title", ""), http.StatusUnprocessableEntity, "Give a title", "Choose at least one action.")
	id := strings.TrimPrefix(path, "/actions/")
	if a := w.post(cora, "/actions/publish", "title", "Winter 2025", "actions", id); a.to != "/actions?done=published" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	open := w.page("", "/public")
	golden(t, "public", open)
	for _, name := range []string{"Cora", "Head of victim care", id} {
		if strings.Contains(open, name) {
			t.Errorf("the public page has %q", name)
		}
	}
	w.want(w.get(cora, "/actions/publish"), http.StatusOK, "There is nothing to publish yet")
}

func TestRaiseInOwnForce(t *testing.T) {
	w := newWorld(t)
	w.answersOver(10)
	w.person("kent", "Kent Police", access.Commissioner)
	w.want(w.post("kent", "/actions/new?"+informed, fields("")...), http.StatusUnprocessableEntity, "nothing is published for this figure")
	w.want(w.post("kent", "/actions/new?"+informed+"&force=Metropolitan+Police", fields("")...), http.StatusForbidden)
}
