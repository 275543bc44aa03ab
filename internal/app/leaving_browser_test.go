//go:build browser

package app_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tells is what no page may show once the person has left.
var tells = regexp.MustCompile(`(?i)police|stalk|999|your code|before you (start|send)|question`)

// faces keeps a page as it looks on a phone and a desk, by day, by night and in
// forced colours, where VICTIMVOICE_TEST_IMAGES names a folder.
func faces(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("VICTIMVOICE_TEST_IMAGES")
	if dir == "" {
		return
	}
	for face, features := range map[string][]*emulation.MediaFeature{
		"light": {{Name: "prefers-color-scheme", Value: "light"}}, "dark": {{Name: "prefers-color-scheme", Value: "dark"}}, "forced": {{Name: "forced-colors", Value: "active"}},
	} {
		do(t, ctx, media(features))
		for width, at := range map[int64]string{390: "390", 1280: "1280"} {
			do(t, ctx, chromedp.EmulateViewport(width, 844))
			if err := os.WriteFile(filepath.Join(dir, "face-"+name+"-"+face+"-"+at+".png"), get(t, ctx, chromedp.FullScreenshot(100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(t, ctx, media(nil), emulateDesktop())
}

// media has pages believe what a reader's settings say; nil: nothing is set.
func media(features []*emulation.MediaFeature) chromedp.Action[chromedp.Void] {
	if features == nil {
		for _, name := range []string{"prefers-color-scheme", "forced-colors", "prefers-reduced-motion"} {
			features = append(features, &emulation.MediaFeature{Name: name})
		}
	}
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}

// settled waits until the page that shows holds what is wanted.
func settled(t *testing.T, ctx context.Context, what, js string) {
	t.Helper()
	await(t, 10*time.Second, what, func() bool {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js))
		return err == nil && ok
	})
}

func visit(t *testing.T, ctx context.Context, a chromedp.Action[chromedp.Void]) bool {
	t.Helper()
	some, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := chromedp.Run(some, a)
	return err == nil
}

// TestLeavingInABrowser: what Back, Forward, reload and a second tab show, on the
// real binary in a real browser.
func TestLeavingInABrowser(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "300")
	ctx := browser(t)
	start := func(link, how string) {
		do(t, ctx, chromedp.Navigate(link))
		press(t, ctx, `button[value="`+how+`"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="begin"]`)))
	}
	begin := func() {
		press(t, ctx, `button[value="begin"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="next"]`)))
	}
	next := func(page string) {
		get(t, ctx, chromedp.Evaluate[int](`document.querySelector('input[type=radio],input[type=checkbox]').click();0`))
		press(t, ctx, `button[value="next"]`)
		settled(t, ctx, "the next page shows", `location.search === "`+page+`" && document.readyState === "complete"`)
	}
	do(t, ctx, emulateDesktop())
	link := mailedLink(t, d)

	t.Run("Back shows no earlier answer", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(link))
		faces(t, ctx, "door")
		start(link, "start")
		if where := get(t, ctx, chromedp.Location()); where != d.BaseURL+"/f" {
			t.Errorf("after Start the address is %s", where)
		}
		faces(t, ctx, "intro")
		begin()
		faces(t, ctx, "question")
		next("?p=2")
		next("?p=3")
		for _, a := range []chromedp.Action[chromedp.Void]{chromedp.NavigateBack(), chromedp.NavigateBack(), chromedp.Reload(), chromedp.NavigateForward()} {
			visit(t, ctx, a)
			settled(t, ctx, "a question shows", `!!document.querySelector('button[value="next"]')`)
			if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector('input:checked')`)) {
				t.Errorf("%s shows an earlier answer", get(t, ctx, chromedp.Location()))
			}
		}
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/f/safety"))
		faces(t, ctx, "safety")
	})

	t.Run("after leaving nothing shows, here or in a second tab", func(t *testing.T) {
		tab, closeTab := chromedp.NewContext(ctx)
		defer closeTab()
		do(t, tab, chromedp.Navigate(d.BaseURL+"/f?p=1"), chromedp.WaitVisible(chromedp.CSS(`button[value="next"]`)))
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/f"), chromedp.Click(chromedp.CSS("[data-leave-now]")))
		await(t, 10*time.Second, "the page is left", func() bool { return !strings.HasPrefix(get(t, ctx, chromedp.Location()), d.BaseURL+"/f") })
		for name, a := range map[string]chromedp.Action[chromedp.Void]{"reload": chromedp.Reload(), "the bare address": chromedp.Navigate(d.BaseURL + "/f"), "a question": chromedp.Navigate(d.BaseURL + "/f?p=2")} {
			do(t, tab, a)
			if body := text(t, tab); tells.MatchString(body) || !strings.Contains(body, "nothing here") {
				t.Errorf("the second tab, by %s:\n%s", name, body)
			}
		}
		faces(t, tab, "nothing")
		for range 12 {
			if !visit(t, ctx, chromedp.NavigateBack()) {
				break
			}
			where := get(t, ctx, chromedp.Location())
			if !strings.HasPrefix(where, d.BaseURL) || where == link {
				continue // the opening page betrays nothing, and the link still works
			}
			settled(t, ctx, "the neutral page shows at "+where, `document.body && document.body.innerText.includes("nothing here")`)
			if body := text(t, ctx); tells.MatchString(body) {
				t.Errorf("Back shows %s again:\n%s", where, body)
			}
		}
		for range 12 {
			if !visit(t, ctx, chromedp.NavigateForward()) {
				break
			}
			if body := get(t, ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`)); regexp.MustCompile(`(?i)police|stalk|999`).MatchString(body) {
				t.Errorf("Forward shows a page again:\n%s", body)
			}
		}
	})

	t.Run("the receipt does not come back", func(t *testing.T) {
		start(mailedLink(t, d), "quick")
		begin()
		next("?p=2")
		next("?p=3")
		next("?p=4")
		faces(t, ctx, "last")
		press(t, ctx, `button[value="send"]`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`.code`)))
		faces(t, ctx, "thanks")
		do(t, ctx, chromedp.Click(chromedp.CSS("[data-leave-now]")))
		await(t, 10*time.Second, "the page is left", func() bool { return !strings.HasPrefix(get(t, ctx, chromedp.Location()), d.BaseURL+"/f") })
		for range 6 {
			if !visit(t, ctx, chromedp.NavigateBack()) {
				break
			}
			settled(t, ctx, "no code shows", `!document.querySelector(".code")`)
		}
	})

	t.Run("typed words are not brought back", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/withdraw"), chromedp.SendKeys(chromedp.CSS("#code"), "AB12-CD34"), chromedp.Navigate(d.BaseURL+"/f"))
		visit(t, ctx, chromedp.NavigateBack())
		settled(t, ctx, "the form shows", `!!document.querySelector("#code")`)
		if v := get(t, ctx, chromedp.Evaluate[string](`document.querySelector("#code").value`)); v != "" {
			t.Errorf("Back brings %q", v)
		}
		do(t, ctx, chromedp.SendKeys(chromedp.CSS("#code"), "WRONG\r"), chromedp.WaitVisible(chromedp.CSS("#errors")))
		faces(t, ctx, "error")
	})

	t.Run("where cookies are blocked it says so", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(d.BaseURL+"/f?s=1"))
		get(t, ctx, chromedp.Evaluate[int](`0`))
		faces(t, ctx, "cookies")
		do(t, ctx, chromedp.Navigate(mailedLink(t, d)+"/stop"))
		faces(t, ctx, "stop")
		press(t, ctx, "main button")
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS("#errors")))
		faces(t, ctx, "stop-error")
	})
}
