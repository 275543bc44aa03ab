package workspace

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"victimvoice/internal/access"
)

// TestWhoMayComeWhere walks every route with every role and with nobody.
func TestWhoMayComeWhere(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(1)
	roles := map[string]access.Role{ann: access.Advocate, cora: access.Commissioner, adam: access.Administrator, ines: access.Analyst}
	// What the brief promises each role, said apart from the table of routes.
	own := map[access.Role][]string{
		access.Advocate:      {"/account", "/work", "/actions"},
		access.Commissioner:  {"/account", "/figures", "/explore", "/advice", "/attrition", "/drivers", "/themes", "/coding", "/actions", "/new-words"},
		access.Administrator: {"/account", "/admin", "/work/alerts"},
		access.Analyst:       {"/account", "/figures", "/explore", "/advice", "/attrition", "/drivers", "/themes", "/coding", "/actions", "/new-words"},
	}
	for _, rt := range w.pages.routes() {
		path := strings.NewReplacer(":id", "unknown", ":code", "COM_UPDATES", ":measure", "core.confidence").Replace(rt.path)
		form := url.Values{}
		if rt.method == http.MethodGet {
			form = nil
		}
		a := w.do("", rt.method, path, form)
		if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.to, "/signin") {
			t.Errorf("%s %s without signing in: %d to %q, want the sign-in page", rt.method, rt.path, a.Code, a.to)
		}
		for name, role := range roles {
			may := len(rt.need) == 0 || slices.ContainsFunc(rt.need, w.users[name].Can)
			a := w.do(name, rt.method, path, form)
			switch {
			case !may && a.Code != http.StatusForbidden:
				t.Errorf("%s %s as %s: %d, want 403", rt.method, rt.path, role, a.Code)
			case may && (a.Code == http.StatusForbidden || a.Code == http.StatusUnauthorized || a.Code >= 500):
				t.Errorf("%s %s as %s: %d, want the page", rt.method, rt.path, role, a.Code)
			}
			if may && !slices.ContainsFunc(own[role], func(p string) bool { return rt.path == p || strings.HasPrefix(rt.path, p+"/") }) {
				t.Errorf("%s opens %s to a %s", rt.method, rt.path, role)
			}
			if role != access.Commissioner && rt.method == http.MethodPost && strings.HasPrefix(rt.path, "/actions") && may {
				t.Errorf("a %s may change actions", role)
			}
			if strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") && a.Code != http.StatusSeeOther {
				checkHTML(t, rt.path, a.body)
			}
		}
		// Another method than those there are is none.
		if a := w.do(ann, http.MethodDelete, path, nil); a.Code != http.StatusMethodNotAllowed {
			t.Errorf("DELETE %s: %d, want 405", rt.path, a.Code)
		}
	}
}

// TestMultipleRoles: somebody with two roles sees the places of both.
func TestMultipleRoles(t *testing.T) {
	w := newWorld(t)
	w.person("both", "", access.Advocate, access.Commissioner)
	body := w.page("both", "/work")
	for _, place := range []string{`href="/work"`, `href="/figures"`, `href="/actions"`} {
		if !strings.Contains(body, place) {
			t.Errorf("the places lack %s", place)
		}
	}
	if strings.Contains(body, `href="/admin"`) {
		t.Error("the places have the administrator's")
	}
}

// TestStoreAway: what is behind fails, and the page says so and no more.
func TestStoreAway(t *testing.T) {
	w := newWorld(t).staff()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/work", "/figures", "/admin", "/public"} {
		a := w.get(ann, path)
		w.want(a, http.StatusServiceUnavailable)
		if strings.Contains(a.body, "sql") || strings.Contains(a.body, "database is closed") {
			t.Errorf("%s tells of the inside:\n%s", path, a.body)
		}
	}
}

func TestUnknownAddress(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get(ann, "/nothing-here"), http.StatusNotFound, "Page not found")
}

func TestBodyTooLarge(t *testing.T) {
	w := newWorld(t).staff()
	a := w.post(adam, "/admin/people", "name", strings.Repeat("x", 2<<20))
	w.want(a, http.StatusRequestEntityTooLarge)
	a = w.do(adam, http.MethodPost, "/admin/people?x=%zz", url.Values{"name": {"x"}})
	if a.Code != http.StatusUnprocessableEntity {
		t.Errorf("a malformed query: %d, want 422", a.Code)
	}
}
