//go:build browser

package app_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startServe runs the real binary's serve on an empty store until the test ends,
// and gives its address and the one-time link that it prints.
func startServe(t *testing.T) (base, link string) {
	t.Helper()
	dir, bin := t.TempDir(), binary(t)
	keys, err := exec.CommandContext(t.Context(), bin, "keys", "new").Output() //nolint:gosec // G204: our own binary
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	base = "http://" + addr
	log, err := os.Create(filepath.Join(dir, "serve.log")) //nolint:gosec // G304: the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	serve := exec.Command(bin, "serve") //nolint:gosec // G204: our own binary
	serve.Dir, serve.Stdout, serve.Stderr = dir, log, log
	serve.Env = append(os.Environ(), "VICTIMVOICE_ADDR="+addr, "VICTIMVOICE_BASE_URL="+base, "VICTIMVOICE_STORE=sqlite:x.db",
		"VICTIMVOICE_KEYS="+strings.TrimSpace(string(keys)), "VICTIMVOICE_SMTP=file:mails", "VICTIMVOICE_MAIL_FROM=Feedback <feedback@example.org>")
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		if err := serve.Wait(); err != nil {
			t.Errorf("serve did not end cleanly: %v", err)
		}
		b, _ := os.ReadFile(log.Name()) //nolint:gosec // G304: the test's own folder
		// The link is printed for the one who starts it; what is logged names nobody and nothing secret.
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "level=") && !strings.Contains(line, "msg=listening") && regexp.MustCompile(`@|127\.0\.0\.1|/setup/[^:]|vv_`).MatchString(line) {
				t.Errorf("the log tells too much: %s", line)
			}
		}
		if t.Failed() {
			t.Logf("the log of serve:\n%s", b)
		}
	})
	await(t, 30*time.Second, "serve is ready and has printed a link", func() bool {
		b, err := os.ReadFile(log.Name()) //nolint:gosec // G304: the test's own folder
		if err != nil {
			return false
		}
		if link = regexp.MustCompile(regexp.QuoteMeta(base) + `/setup/\S+`).FindString(string(b)); link == "" {
			return false
		}
		resp, err := http.Get(base + "/readyz") //nolint:gosec,noctx // G107: our own server
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return base, link
}

// TestBrowserFirstStart sets a new installation up as an administrator would:
// the one-time link, the first account, two more, and each of them signs in.
func TestBrowserFirstStart(t *testing.T) {
	t.Parallel()
	base, link := startServe(t)
	ctx := browser(t)
	fill := func(id, value string) chromedp.Action[chromedp.Void] {
		return chromedp.SendKeys(chromedp.CSS("#"+id), value)
	}
	send := func(action string) {
		t.Helper()
		press(t, ctx, "main form"+action+" button")
	}
	signIn := func(email, password string) {
		t.Helper()
		do(t, ctx, chromedp.Navigate(base+"/signin"), chromedp.WaitVisible(chromedp.CSS("#email")), fill("email", email), fill("password", password+"\r"), chromedp.WaitVisible(chromedp.CSS("nav")))
	}
	signOut := func() {
		press(t, ctx, `form[action="/signout"] button`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`form[action="/signin"]`)))
	}
	words := map[string]string{"administrator": "quiet-lantern-harbour-41", "advocate": "otter-thimble-garden-52", "commissioner": "maple-orchard-river-63"}
	email := func(role string) string { return role + "@example.org" }

	do(t, ctx, emulateDesktop(), chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("#password")))
	accessible(t, ctx, "set-up")
	do(t, ctx, fill("name", "First Administrator"), fill("email", email("administrator")), fill("password", words["administrator"]))
	send("")
	await(t, 10*time.Second, "the link is used", func() bool { return !strings.Contains(get(t, ctx, chromedp.Location()), "/setup/") })
	signIn(email("administrator"), words["administrator"])

	links := map[string]string{}
	for _, role := range []string{"advocate", "commissioner"} {
		do(t, ctx, chromedp.Navigate(base+"/admin/people"), chromedp.WaitVisible(chromedp.CSS("#name")), fill("name", "Test "+role), fill("email", email(role)),
			chromedp.Click(chromedp.CSS(fmt.Sprintf(`input[value=%q]`, role))))
		send(`[action="/admin/people"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS("code.secret")))
		accessible(t, ctx, "people")
		links[role] = get(t, ctx, chromedp.Text(chromedp.CSS("code.secret")))
	}
	signOut()

	for role, first := range map[string]string{"advocate": "/work", "commissioner": "/figures"} {
		do(t, ctx, chromedp.Navigate(links[role]), chromedp.WaitVisible(chromedp.CSS("#password")), fill("password", words[role]))
		send("")
		await(t, 10*time.Second, "the link is used", func() bool { return !strings.Contains(get(t, ctx, chromedp.Location()), "/setup/") })
		signIn(email(role), words[role])
		if where := get(t, ctx, chromedp.Location()); !strings.HasPrefix(where, base+first) {
			t.Errorf("%s begins at %s; want %s", role, where, first)
		}
		do(t, ctx, chromedp.Navigate(base+"/admin/people"), chromedp.WaitVisible(chromedp.CSS("main")))
		if body := text(t, ctx); strings.Contains(body, "Add somebody") {
			t.Errorf("%s sees the administrator's page", role)
		}
		do(t, ctx, chromedp.Navigate(base+first), chromedp.WaitVisible(chromedp.CSS("main")))
		signOut()
	}
	do(t, ctx, chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("main")))
	if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector("#password")`)) && strings.Contains(get(t, ctx, chromedp.Location()), "/setup/") {
		t.Error("the one-time link works twice")
	}
}
