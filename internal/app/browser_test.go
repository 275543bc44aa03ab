//go:build browser

package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// demoInfo is what demo writes for whoever drives it.
type demoInfo struct {
	BaseURL string `json:"base_url"`
	MailURL string `json:"mail_url"`
	Users   []struct{ Role, Email, Password string }
}

// startDemo builds the real binary and runs its demo until the test ends.
func startDemo(t *testing.T, cases string) demoInfo {
	t.Helper()
	dir, bin := t.TempDir(), binary(t)
	log, err := os.Create(filepath.Join(dir, "demo.log")) //nolint:gosec // G304: the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.Command(bin, "demo", "--addr", "127.0.0.1:0", "--dir", filepath.Join(dir, "data"), "--cases", cases) //nolint:gosec // G204: our own binary
	demo.Stdout, demo.Stderr = log, log
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo did not end cleanly: %v", err)
		}
		if t.Failed() {
			b, _ := os.ReadFile(log.Name()) //nolint:gosec // G304: the test's own folder
			t.Logf("the demo's log:\n%s", b)
		}
	})
	var d demoInfo
	await(t, 4*time.Minute, "the demo is ready", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "data", "demo.json"))
		if err != nil || json.Unmarshal(b, &d) != nil {
			return false
		}
		resp, err := http.Get(d.BaseURL + "/readyz") //nolint:gosec,noctx // G107: our own server
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return d
}

// await asks a real process again and again until something is so.
func await(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("after %s it is not so that %s", limit, what)
		case <-tick.C:
		}
	}
}

// browser is a headless Chromium with one tab and a profile of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, _ := browserWith(t, t.TempDir())
	return ctx
}

// browserWith is browser on a profile that may outlive it. It gives what closes it.
func browserWith(t *testing.T, profile string, more ...chromedp.ExecAllocatorOption) (context.Context, func()) {
	t.Helper()
	path := os.Getenv("VICTIMVOICE_TEST_BROWSER")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no browser at %s: install the package chromium, or set VICTIMVOICE_TEST_BROWSER", path)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, end := chromedp.NewContext(alloc)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	shut := func() { cancel(); end(); stop() }
	t.Cleanup(shut)
	do(t, ctx, emulateDesktop())
	return ctx, shut
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for _, a := range actions {
		get(t, ctx, a)
	}
}

// get runs one action and gives what it gives.
func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		soon, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		html, _ := chromedp.Run(soon, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
		t.Fatalf("%v\n%s", err, html)
	}
	return v
}

// click clicks, with the mouse, what is there or soon will be, and leaves a mark
// on the page. It asks the page itself where that is: the node that the browser
// knew may be of a page that was brought back from memory since.
func click(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	var at []float64
	await(t, 30*time.Second, "there is "+selector+" to click", func() bool {
		soon, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		var err error
		at, err = chromedp.Run(soon, chromedp.Evaluate[[]float64](fmt.Sprintf(`(()=>{
			const e=document.querySelector(%q);
			if(!e||document.readyState!=="complete")return [];
			e.scrollIntoView({block:"center",behavior:"instant"});
			const r=e.getBoundingClientRect();
			window.pressed=1;
			return r.width?[r.x+r.width/2,r.y+r.height/2]:[]})()`, selector)))
		return err == nil && len(at) == 2
	})
	do(t, ctx, chromedp.MouseClickXY(at[0], at[1]))
}

// press clicks what leads to another page and waits until that has loaded: until
// the mark that was left on the page before is gone.
func press(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	click(t, ctx, selector)
	await(t, 30*time.Second, "pressing "+selector+" leads to a page", func() bool {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		loaded, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!window.pressed && document.readyState === "complete"`))
		return err == nil && loaded // an error is a page that is just being left
	})
}

// picture keeps what a window shows, for the README, where VICTIMVOICE_TEST_IMAGES names a folder.
func picture(t *testing.T, ctx context.Context, name string, width, height int64) {
	t.Helper()
	dir := os.Getenv("VICTIMVOICE_TEST_IMAGES")
	if dir == "" {
		return
	}
	do(t, ctx, chromedp.EmulateViewport(width, height))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), get(t, ctx, chromedp.CaptureScreenshot()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// shoot keeps a screenshot where VICTIMVOICE_TEST_IMAGES names a folder.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("VICTIMVOICE_TEST_IMAGES")
	if dir == "" {
		return
	}
	for _, width := range []int64{390, 1280} {
		do(t, ctx, chromedp.EmulateViewport(width, 900))
		png := get(t, ctx, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// axeSource is axe-core, as VICTIMVOICE_TEST_AXE names it.
var axeSource = sync.OnceValues(func() (string, error) {
	path := os.Getenv("VICTIMVOICE_TEST_AXE")
	if path == "" {
		return "", errors.New("VICTIMVOICE_TEST_AXE does not name axe.min.js: see CONTRIBUTING.md")
	}
	b, err := os.ReadFile(path) //nolint:gosec // G304: named by whoever runs the tests
	return string(b), err
})

// axe wants no violation that axe-core can find (WCAG 2.2 A and AA), of one rule
// or of all.
func axe(t *testing.T, ctx context.Context, name, rule string) {
	t.Helper()
	source, err := axeSource()
	if err != nil {
		t.Fatal(err)
	}
	only := `{type:"tag",values:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa"]}`
	if rule != "" {
		only = `{type:"rule",values:["` + rule + `"]}`
	}
	if !get(t, ctx, chromedp.Evaluate[bool](`!!window.axe`)) {
		get(t, ctx, chromedp.Evaluate[int](source+";0"))
	}
	result := get(t, ctx, chromedp.Evaluate[string](`axe.run(document,{runOnly:`+only+`,resultTypes:["violations"]})
		.then(r=>JSON.stringify(r.violations.map(v=>v.id+": "+v.nodes.map(n=>n.html).slice(0,3).join(" | "))))`, awaitPromise))
	if result != "[]" {
		t.Errorf("%s: axe finds %s", name, result)
	}
}

// accessible is axe, and no sideways scrolling at 320 px (WCAG 1.4.10).
func accessible(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	axe(t, ctx, name, "")
	do(t, ctx, chromedp.EmulateViewport(320, 800))
	overflow := get(t, ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	do(t, ctx, emulateDesktop())
	if overflow {
		t.Errorf("%s: scrolls sideways at 320 px", name)
	}
}

func awaitPromise(p *runtime.EvaluateParams) { yes := true; p.AwaitPromise = &yes }

func emulateDesktop() chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(1280, 900) }

func text(t *testing.T, ctx context.Context) string {
	t.Helper()
	return get(t, ctx, chromedp.Text(chromedp.CSS("body")))
}

// mailedLink gives the link of the newest mail whose questions nobody has begun.
// Looking at one changes nothing.
func mailedLink(t *testing.T, d demoInfo) string {
	t.Helper()
	fetch := func(url string) string {
		resp, err := http.Get(url) //nolint:gosec,noctx // G107: our own server
		if err != nil {
			return ""
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return ""
		}
		return string(b)
	}
	var link string
	begun := map[string]bool{} // or sent: there is no need to look again
	await(t, 60*time.Second, "a mail with a link has come", func() bool {
		links := regexp.MustCompile(regexp.QuoteMeta(d.BaseURL)+`/f/[a-z2-7]{32}\b[^/]`).FindAllString(fetch(d.MailURL+"/messages.json"), -1)
		for _, l := range links {
			l = l[:len(l)-1]
			if begun[l] {
				continue
			}
			door := fetch(l)
			if strings.Contains(door, `value="quick"`) {
				link = l
				return true
			}
			begun[l] = strings.Contains(door, "<main")
		}
		return false
	})
	return link
}

// TestBrowser clicks an emailed link through to the receipt, leaves quickly, and
// signs in to the pages of each role, on the real binary in a real browser.
func TestBrowser(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "4000")
	ctx := browser(t)

	t.Run("from the mail to the receipt", func(t *testing.T) {
		link := mailedLink(t, d)
		do(t, ctx, emulateDesktop(), chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("main")))
		shoot(t, ctx, "survey-door")
		press(t, ctx, `button[value="start"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="begin"]`)))
		shoot(t, ctx, "survey-intro")
		press(t, ctx, `button[value="begin"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="next"]`)))
		for n := 0; n < 40; n++ {
			where := get(t, ctx, chromedp.Location())
			if strings.Contains(where, link[len(link)-32:]) {
				t.Fatal("the token stands in the address after the first step")
			}
			if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector('button[value="send"]')`)) {
				break
			}
			if n == 0 {
				shoot(t, ctx, "survey-question")
				picture(t, ctx, "survey", 390, 780)
			}
			kind := get(t, ctx, chromedp.Evaluate[string](`(()=>{const i=document.querySelector('input[type=radio],input[type=checkbox],textarea');if(i.type==='textarea'||i.tagName==='TEXTAREA'){return 'text'}i.click();return i.type})()`))
			if kind == "text" {
				do(t, ctx, chromedp.SendKeys(chromedp.CSS("textarea"), "Nobody rang me back for weeks."))
				shoot(t, ctx, "survey-words")
			} else if kind == "checkbox" {
				shoot(t, ctx, "survey-list")
			}
			press(t, ctx, `button[value="next"]`)
		}
		shoot(t, ctx, "survey-last")
		press(t, ctx, `button[value="send"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`.code`)))
		shoot(t, ctx, "survey-thanks")
		if !regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).MatchString(text(t, ctx)) {
			t.Error("no receipt code is shown")
		}
		do(t, ctx, chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("main")))
		if !strings.Contains(text(t, ctx), "There is nothing here") {
			t.Error("the link still opens something after it was used")
		}
	})

	t.Run("about you", func(t *testing.T) {
		asked := false
		for n := 0; !asked && n < 10; n++ { // some have told before, at an earlier stage
			do(t, ctx, chromedp.Navigate(mailedLink(t, d)))
			press(t, ctx, `button[value="start"]`)
			press(t, ctx, `button[value="begin"]`)
			get(t, ctx, chromedp.Evaluate[int](`document.querySelector("input[type=radio]").click();0`))
			for n := 0; n < 40; n++ {
				if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector('button[value="send"]')`)) {
					break
				}
				if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector('input[name="about"]')`)) {
					asked = true
					accessible(t, ctx, "about you")
					shoot(t, ctx, fmt.Sprintf("survey-about-%d", n))
				}
				press(t, ctx, `button[value="next"]`)
			}
			do(t, ctx, chromedp.Navigate(d.BaseURL+"/f"))
			if !get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector('button[value="send"]')`)) {
				t.Error("coming back does not go on at the last page")
			}
		}
		if !asked {
			t.Error("nobody was asked about themselves")
		}
	})

	t.Run("an error is said at the top and at the question", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/withdraw"), chromedp.SendKeys(chromedp.CSS("#code"), "WRONG"))
		press(t, ctx, "main button")
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS("#errors")))
		if focused := get(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)); focused != "errors" {
			t.Errorf("the error summary does not have the focus, %q does", focused)
		}
		shoot(t, ctx, "survey-error")
	})

	t.Run("leaving quickly", func(t *testing.T) {
		link := mailedLink(t, d)
		for name, leave := range map[string]func(){
			"by the button": func() { do(t, ctx, chromedp.Click(chromedp.CSS("[data-leave-now]"))) },
			"by Shift, three times": func() {
				get(t, ctx, chromedp.Evaluate[int](`for(let i=0;i<3;i++)document.dispatchEvent(new KeyboardEvent("keydown",{key:"Shift"}));0`))
			},
		} {
			do(t, ctx, chromedp.Navigate(link))
			press(t, ctx, `button[value="start"]`)
			press(t, ctx, `button[value="begin"]`)
			leave()
			await(t, 10*time.Second, "the page is left "+name, func() bool {
				where := get(t, ctx, chromedp.Location())
				return !strings.HasPrefix(where, d.BaseURL) || strings.HasSuffix(where, "/x")
			})
			for range 4 { // Back, as far as it goes
				back, cancel := context.WithTimeout(ctx, 5*time.Second)
				_, err := chromedp.Run(back, chromedp.NavigateBack())
				cancel()
				if err != nil {
					break // there is no further back
				}
				body := get(t, ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
				if regexp.MustCompile(`(?i)police|stalk|999`).MatchString(body) {
					t.Fatalf("%s, Back shows a survey page again:\n%s", name, body)
				}
			}
		}
	})

	for role, places := range map[string][]string{
		"advocate": {"/work"},
		"commissioner": {
			"/account", "/figures", "/figures/core.informed?by=quarter&stage=investigation", "/figures/report", "/figures/marks", "/figures/open-data", "/figures/take-away",
			"/explore?measure=core.informed&stage=report&by=bcu", "/explore/compare", "/explore/areas", "/explore/unheard", "/explore/journey", "/explore?by=nonsense",
			"/attrition", "/drivers", "/advice", "/advice/table", "/themes", "/themes/COM_UPDATES", "/new-words", "/coding", "/coding/agreement", "/coding/quotations", "/actions",
		},
		"administrator": {"/admin"},
	} {
		t.Run("the pages of the "+role, func(t *testing.T) {
			for _, u := range d.Users {
				if u.Role != role {
					continue
				}
				do(t, ctx, emulateDesktop(), chromedp.Navigate(d.BaseURL+"/signin"), chromedp.WaitVisible(chromedp.CSS("#email")))
				accessible(t, ctx, "signin")
				do(t, ctx, chromedp.SendKeys(chromedp.CSS("#email"), u.Email), chromedp.SendKeys(chromedp.CSS("#password"), u.Password+"\r"), chromedp.WaitVisible(chromedp.CSS("nav")))
				for i, place := range places {
					do(t, ctx, chromedp.Navigate(d.BaseURL+place), chromedp.WaitVisible(chromedp.CSS("main")))
					accessible(t, ctx, role+" "+place)
					shoot(t, ctx, fmt.Sprintf("work-%s-%d", role, i+1))
					if place == "/figures" {
						picture(t, ctx, "dashboard", 1280, 1250)
					}
				}
				press(t, ctx, `form[action="/signout"] button`)
			}
		})
	}

	t.Run("the public page", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/public"), chromedp.WaitVisible(chromedp.CSS("main")))
		accessible(t, ctx, "public")
		shoot(t, ctx, "public")
	})
}
