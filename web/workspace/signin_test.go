package workspace

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/access"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t).staff()
	body := w.page("", "/signin?next=%2Fwork%2Fcases%2Fx")
	if !strings.Contains(body, `name="next" value="/work/cases/x"`) {
		t.Error("the way back is not kept")
	}
	w.want(w.post("", "/signin", "email", "ann@example.org", "password", "wrong", "next", "/work"), http.StatusUnprocessableEntity,
		"That email address and password do not go together.", `value="ann@example.org"`, `value="/work"`)
	for _, tt := range []struct{ as, next, to string }{
		{ann, "", "/work"}, {cora, "", "/figures"}, {adam, "", "/admin"}, {ines, "", "/figures"},
		{ann, "/work/cases/x?survey=report%3A1", "/work/cases/x?survey=report%3A1"},
		{ann, "//elsewhere.example.org", "/work"}, {ann, "https://elsewhere.example.org", "/work"}, {ann, `/\elsewhere.example.org`, "/work"}, {ann, "/signin", "/work"},
	} {
		a := w.post("", "/signin", "email", " "+strings.ToUpper(tt.as)+"@example.org", "password", password, "next", tt.next)
		if a.Code != http.StatusSeeOther || a.to != tt.to {
			t.Errorf("%s with next %q: %d to %q, want %q", tt.as, tt.next, a.Code, a.to, tt.to)
		}
		cookie := a.Header().Get("Set-Cookie")
		for _, part := range []string{"staff=", "HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q lacks %s", cookie, part)
			}
		}
	}
	if a := w.get(ann, "/"); a.to != "/work" {
		t.Errorf("/ leads to %q", a.to)
	}
	if a := w.get("", "/"); a.to != "/signin" {
		t.Errorf("/ leads to %q", a.to)
	}
}

// TestSecureCookie: over HTTPS the cookie is bound to this host and to HTTPS.
func TestSecureCookie(t *testing.T) {
	w := newWorld(t).staff()
	w.pages.Secure = true
	cookie := w.post("", "/signin", "email", "ann@example.org", "password", password).Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-staff=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %q", cookie)
	}
}

func TestTooManyGuesses(t *testing.T) {
	w := newWorld(t).staff()
	var last answer
	for range 8 {
		last = w.post("", "/signin", "email", "ann@example.org", "password", "wrong")
	}
	w.want(last, http.StatusTooManyRequests, "Too many attempts")
	if last.Header().Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t).staff()
	a := w.post(ann, "/signout")
	if a.to != "/signin?done=signed-out" || !strings.Contains(a.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("to %q with %q", a.to, a.Header().Get("Set-Cookie"))
	}
	if a := w.get(ann, "/work"); !strings.HasPrefix(a.to, "/signin?next=") {
		t.Errorf("the session lives on: %d", a.Code)
	}
	if !strings.Contains(w.page("", "/signin?done=signed-out"), "You have signed out.") {
		t.Error("the page does not say that it is done")
	}
}

// TestSessionOver: what was posted into a session that had ended is not lost in silence.
func TestSessionOver(t *testing.T) {
	w := newWorld(t).staff()
	w.now = w.now.Add(31 * time.Minute)
	if a := w.post(cora, "/actions/publish", "title", "x"); a.to != "/signin?done=session-over" {
		t.Errorf("to %q", a.to)
	}
}

func TestFirstAdministrator(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if !strings.Contains(w.page("", "/signin"), "Nobody administers this service yet") {
		t.Error("the sign-in page does not say that there is nobody yet")
	}
	token := must(w.access.NewSetupLink(ctx))(t)
	w.page("", "/setup/"+token)
	w.want(w.post("", "/setup/"+token, "name", "", "email", "not an address", "password", "short"), http.StatusUnprocessableEntity,
		"There is a problem", "Enter a name.", `href="#email"`, `value="not an address"`, `aria-describedby="password-hint password-error"`)
	if a := w.post("", "/setup/"+token, "name", "Adam Example", "email", "adam@example.org", "password", password); a.to != "/signin?done=password-set" {
		t.Fatalf("%d to %q: %s", a.Code, a.to, a.body)
	}
	w.want(w.get("", "/setup/"+token), http.StatusNotFound)
	w.want(w.get("", "/setup/nonsense"), http.StatusNotFound)
	if a := w.post("", "/signin", "email", "adam@example.org", "password", password); a.to != "/admin" {
		t.Errorf("the administrator comes to %q", a.to)
	}
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.post(ann, "/account", "current", "wrong", "password", "another battery staple horse"), http.StatusUnprocessableEntity, "That is not your present password.", `href="#current"`)
	w.want(w.post(ann, "/account", "current", password, "password", "short"), http.StatusUnprocessableEntity, `href="#password"`)
	a := w.post(ann, "/account", "current", password, "password", "another battery staple horse")
	if a.to != "/account?done=password-changed" {
		t.Fatalf("%d to %q", a.Code, a.to)
	}
	if old := w.get(ann, "/account"); old.Code != http.StatusSeeOther {
		t.Error("the old session lives on")
	}
	w.tokens[ann] = strings.TrimPrefix(strings.Split(a.Header().Get("Set-Cookie"), ";")[0], "staff=")
	if !strings.Contains(w.page(ann, "/account?done=password-changed"), "Your password is changed") {
		t.Error("the page does not say that it is done")
	}
	if strings.Contains(w.page(ann, "/account?done=%3Cb%3E"), "<b>") {
		t.Error("the address writes on the page")
	}
}

// TestDisabledAtOnce: an account that is disabled is out with its next request.
func TestDisabledAtOnce(t *testing.T) {
	w := newWorld(t).staff()
	if err := w.access.Disable(context.Background(), access.Operator(), w.users[ann].ID); err != nil {
		t.Fatal(err)
	}
	if a := w.get(ann, "/work"); a.Code != http.StatusSeeOther {
		t.Errorf("%d, want the sign-in page", a.Code)
	}
}

// TestDigest: how often somebody hears of new figures is theirs to choose, off until
// they do, and offered to nobody who reads no figures.
func TestDigest(t *testing.T) {
	w := newWorld(t).staff()
	body := w.page(cora, "/account")
	checked := regexp.MustCompile(`name="digest" value="(\w+)"(?: id="digest")? checked`)
	chosen := func(body string) string {
		if m := checked.FindStringSubmatch(body); m != nil {
			return m[1]
		}
		return ""
	}
	if chosen(body) != "off" {
		t.Errorf("chosen at first: %q", chosen(body))
	}
	golden(t, "account", body)
	for _, often := range []string{"monthly", "quarterly", "off", "monthly"} {
		if a := w.post(cora, "/account/digest", "digest", often); a.to != "/account?done=digest-chosen" {
			t.Fatalf("%s: %d to %q: %s", often, a.Code, a.to, a.body)
		}
		if got := chosen(w.page(cora, "/account?done=digest-chosen")); got != often {
			t.Errorf("%s: %q is shown", often, got)
		}
	}
	for _, bad := range []string{"", "hourly", "nothing"} {
		w.want(w.post(cora, "/account/digest", "digest", bad), http.StatusUnprocessableEntity, "There is a problem", `href="#digest"`, "Choose one of the three.")
	}
	for _, name := range []string{ann, adam} {
		if strings.Contains(w.page(name, "/account"), "digest") {
			t.Errorf("%s is offered a digest", name)
		}
		w.want(w.post(name, "/account/digest", "digest", "monthly"), http.StatusForbidden)
	}
}
