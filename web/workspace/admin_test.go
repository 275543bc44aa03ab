package workspace

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/access"
	"victimvoice/internal/audit"
)

func TestWhereThingsStand(t *testing.T) {
	w := newWorld(t).staff()
	w.caseload()
	w.answersOver(1)
	body := w.page(adam, "/admin")
	for _, words := range []string{"Responses kept", "<dt>Waiting</dt><dd>2</dd>", "Waiting to go out"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
}

var setupLink = regexp.MustCompile(`https://voice\.example\.org(/setup/[a-z0-9]+)`)

func TestPeople(t *testing.T) {
	w := newWorld(t).staff()
	w.page(adam, "/admin/people")
	w.want(w.post(adam, "/admin/people", "name", "Dot & Co", "email", "nothing", "roles", "advocate"), http.StatusUnprocessableEntity,
		`href="#email"`, `value="Dot &amp; Co"`, `value="advocate" id="roles" checked`)
	w.want(w.post(adam, "/admin/people", "name", "Ann", "email", "ann@example.org", "roles", "advocate"), http.StatusConflict, "already an account")
	w.want(w.post(adam, "/admin/people", "name", "X", "email", "x@example.org", "roles", "owner"), http.StatusUnprocessableEntity, `href="#roles"`)

	a := w.post(adam, "/admin/people", "name", "Dot Example", "email", "dot@example.org", "roles", "advocate", "roles", "commissioner", "force", "metropolitan police")
	w.want(a, http.StatusOK, "Dot Example", "Has not set a password yet", "advocate, commissioner", force)
	link := setupLink.FindStringSubmatch(a.body)
	if link == nil {
		t.Fatal("no one-time link is shown")
	}
	if strings.Contains(w.page(adam, "/admin/people"), "/setup/") {
		t.Error("the link is shown again")
	}
	w.want(w.get("", link[1]), http.StatusOK, "Choose a password")
	w.want(w.post("", link[1], "password", "short"), http.StatusUnprocessableEntity)
	if a := w.post("", link[1], "password", "seven grey herons wading"); a.to != "/signin?done=password-set" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	u := must(w.access.UserByEmail(context.Background(), "dot@example.org"))(t)

	a = w.post(adam, "/admin/people/"+u.ID+"/reset")
	w.want(a, http.StatusOK, "Give <b>Dot Example</b> this link")
	if a := w.post(adam, "/admin/people/"+u.ID+"/disable"); a.to != "/admin/people?done=disabled" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	w.want(w.post(adam, "/admin/people/"+u.ID+"/reset"), http.StatusConflict)
	if a := w.post(adam, "/admin/people/"+u.ID+"/enable"); a.to != "/admin/people?done=enabled" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	own := "/admin/people/" + w.users[adam].ID
	w.want(w.post(adam, own+"/disable"), http.StatusConflict, "cannot disable your own account")
	w.want(w.post(adam, own+"/reset"), http.StatusConflict, "Your account")
	w.want(w.post(adam, "/admin/people/unknown/disable"), http.StatusNotFound)
}

func TestKeys(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get(adam, "/admin/keys"), http.StatusOK, "There is no key yet")
	w.want(w.post(adam, "/admin/keys", "scopes", "events:write", "expires_at", "soon"), http.StatusUnprocessableEntity, `href="#expires_at"`, `value="soon"`)
	w.want(w.post(adam, "/admin/keys", "scopes", "events:write"), http.StatusUnprocessableEntity, "Enter what the key is for.", "Name the force", `value="events:write" id="scopes" checked`)
	w.want(w.post(adam, "/admin/keys", "label", "x", "scopes", "everything"), http.StatusUnprocessableEntity)
	a := w.post(adam, "/admin/keys", "label", "Crime system", "scopes", "events:write", "scopes", "bounces:write", "force", "Metropolitan Police", "expires_at", "2027-03-31")
	w.want(a, http.StatusOK, "not shown again", "Send case events, Report mail that came back", "In force until 31 March 2027", "never used")
	raw := regexp.MustCompile(`<code class="secret">(vv_[a-z0-9_]+)</code>`).FindStringSubmatch(a.body)
	if raw == nil {
		t.Fatal("the key is not shown")
	}
	k := must(w.access.AuthenticateKey(context.Background(), raw[1]))(t)
	if !k.MayTouch(force) || k.MayTouch("Kent Police") || !k.ExpiresAt.Equal(time.Date(2027, 3, 30, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("the key is %+v", k)
	}
	body := w.page(adam, "/admin/keys")
	if strings.Contains(body, raw[1]) || !strings.Contains(body, "vv_"+k.ID+"_…") {
		t.Error("the list shows the secret, or does not name the key")
	}
	if a := w.post(adam, "/admin/keys/"+k.ID+"/revoke"); a.to != "/admin/keys?done=revoked" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if !strings.Contains(w.page(adam, "/admin/keys"), "Revoked on 23 November 2026") {
		t.Error("the key is not shown as revoked")
	}
	w.want(w.post(adam, "/admin/keys/unknown/revoke"), http.StatusNotFound)
}

func TestRecord(t *testing.T) {
	w := newWorld(t).staff()
	ids := w.caseload()
	w.page(ann, "/work/cases/"+ids["MPS-1003"])
	body := w.page(adam, "/admin/record")
	for _, words := range []string{"case.read", "Ann Example", "audit.read", "responses.read"} {
		if !strings.Contains(body, words) {
			t.Errorf("the record does not show %q", words)
		}
	}
	if strings.Contains(body, "MPS-1003") || strings.Contains(body, ids["MPS-1003"]) {
		t.Error("the record shows which case it was")
	}
	w.want(w.post(adam, "/admin/record/verify"), http.StatusOK, "The chain is whole:")
	// Somebody who holds the database takes entries away from its middle.
	all := must(w.store.Entries(t.Context(), 1, 100))(t)
	if err := w.store.DeleteEntriesBefore(t.Context(), all[3].Seq); err != nil {
		t.Fatal(err)
	}
	w.want(w.post(adam, "/admin/record/verify"), http.StatusOK, "The chain does not hold.", "no entry tells of a purge")
}

// TestRecordIsShort: a long record shows its last entries.
func TestRecordIsShort(t *testing.T) {
	w := newWorld(t).staff()
	for range 230 {
		if err := w.pages.Audit.Append(t.Context(), audit.Entry{Actor: "system", Action: "test.done"}); err != nil {
			t.Fatal(err)
		}
	}
	body := w.page(adam, "/admin/record")
	if !strings.Contains(body, "The last 200 of") || strings.Count(body, "<tr>") != 201 {
		t.Errorf("%d rows", strings.Count(body, "<tr>")-1)
	}
}

// TestReadOnce: one look at the desk is one reading of the alerts on record.
func TestReadOnce(t *testing.T) {
	w := newWorld(t).staff()
	w.caseload()
	before := must(w.pages.Audit.Checkpoint(t.Context()))(t).Seq
	w.page(ann, "/work")
	var read []string
	for e, err := range w.pages.Audit.All(t.Context(), before+1) {
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, e.Action)
	}
	slices.Sort(read)
	if want := []string{"alerts.read", "caseload.read"}; !slices.Equal(read, want) {
		t.Errorf("the record has %v, want %v", read, want)
	}
}

// TestLastAdministrator: nobody can leave the service without one.
func TestLastAdministrator(t *testing.T) {
	w := newWorld(t).staff()
	w.person("eve", "", access.Administrator)
	if a := w.post("eve", "/admin/people/"+w.users[adam].ID+"/disable"); a.Code != http.StatusSeeOther {
		t.Fatalf("%d", a.Code)
	}
	w.want(w.post(adam, "/admin/people/"+w.users["eve"].ID+"/disable"), http.StatusSeeOther) // signed out himself
	if a := w.get("eve", "/admin"); a.Code != http.StatusOK {
		t.Errorf("the last administrator is out: %d", a.Code)
	}
}
