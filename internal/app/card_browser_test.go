//go:build browser

package app_test

import (
	"bytes"
	"context"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// onMedium shows the page as it would be on a medium: print, or as ever when empty.
func onMedium(medium string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium})
		return err
	})
}

// printed keeps the page as a PDF, with the lines that a browser adds by default,
// where VICTIMVOICE_TEST_IMAGES names a folder.
func printed(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("VICTIMVOICE_TEST_IMAGES")
	if dir == "" {
		return
	}
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		yes := true
		pdf, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{DisplayHeaderFooter: &yes, PreferCSSPageSize: &yes, PaperWidth: 8.27, PaperHeight: 11.69})
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".pdf"), pdf.Data, 0o600)
	}))
}

// TestCardInABrowser: an advocate makes a card, it prints as nothing but itself,
// its square is read from the screen, and its code, typed by hand, opens the
// questions; on the real binary in a real browser.
func TestCardInABrowser(t *testing.T) {
	d := startDemo(t, "300")
	ctx := browser(t)
	do(t, ctx, emulateDesktop(), chromedp.Navigate(d.BaseURL+"/signin"), chromedp.WaitVisible(chromedp.CSS("#email")))
	for _, u := range d.Users {
		if u.Role == "advocate" {
			do(t, ctx, chromedp.SendKeys(chromedp.CSS("#email"), u.Email), chromedp.SendKeys(chromedp.CSS("#password"), u.Password+"\r"), chromedp.WaitVisible(chromedp.CSS("nav")))
			break
		}
	}
	// The first of the advocate's cases that may have a card.
	do(t, ctx, chromedp.Navigate(d.BaseURL+"/work"), chromedp.WaitVisible(chromedp.CSS("main")))
	cases := strings.Fields(get(t, ctx, chromedp.Evaluate[string](`Array.from(document.querySelectorAll('#cases a.ref, .cases a.ref')).map(a=>a.getAttribute("href")).join(" ")`)))
	found := false
	for _, path := range cases {
		do(t, ctx, chromedp.Navigate(d.BaseURL+path), chromedp.WaitVisible(chromedp.CSS("main")))
		if found = get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector("#card_survey")`)); found {
			break
		}
	}
	if !found {
		t.Fatalf("none of %d cases may have a card", len(cases))
	}
	accessible(t, ctx, "case")
	shoot(t, ctx, "card-case")
	do(t, ctx, emulateDesktop())

	where := regexp.MustCompile(`/work/cases/[^/?]+`).FindString(get(t, ctx, chromedp.Location()))
	var code string
	for _, language := range []string{"ur", "bn", "pl", "en"} { // the last is the one that works
		do(t, ctx, chromedp.Navigate(d.BaseURL+where), chromedp.WaitVisible(chromedp.CSS("#card_language")))
		get(t, ctx, chromedp.Evaluate[int](`document.querySelector("#card_language").value = "`+language+`";0`))
		press(t, ctx, `form[action$="/card"] button`)
		do(t, ctx, chromedp.WaitVisible(chromedp.CSS(".card .code")))
		accessible(t, ctx, "card in "+language)
		shoot(t, ctx, "card-"+language)
		printed(t, ctx, "card-"+language)
		do(t, ctx, emulateDesktop())
		code = get(t, ctx, chromedp.Text(chromedp.CSS(".card .code")))

		// On paper there is the card and nothing else.
		do(t, ctx, onMedium("print"))
		paper := text(t, ctx)
		do(t, ctx, onMedium(""))
		if m := regexp.MustCompile(`(?i)case|print|victim|police|advocate|stalk`).FindString(paper); m != "" || !strings.Contains(paper, code) {
			t.Errorf("the paper says %q:\n%s", m, paper)
		}
		// The square leads where the code does.
		shot, _, err := image.Decode(bytes.NewReader(get(t, ctx, chromedp.ScreenshotScale(chromedp.CSS(".square svg"), 3))))
		if err != nil {
			t.Fatal(err)
		}
		bits, err := gozxing.NewBinaryBitmapFromImage(shot)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil || read.GetText() != d.BaseURL+"/f/"+code {
			t.Errorf("the square leads to %v, %v", read, err)
		}
	}
	press(t, ctx, ".desk a") // back to the case
	shoot(t, ctx, "card-case-after")
	do(t, ctx, emulateDesktop(), chromedp.Navigate(d.BaseURL+where), chromedp.WaitVisible(chromedp.CSS("main")))
	press(t, ctx, `form[action="/signout"] button`)

	do(t, ctx, chromedp.Navigate(d.BaseURL+"/c"), chromedp.WaitVisible(chromedp.CSS("#code")))
	accessible(t, ctx, "code")
	shoot(t, ctx, "code")
	faces(t, ctx, "code")
	do(t, ctx, emulateDesktop(), chromedp.SendKeys(chromedp.CSS("#code"), "AB12-CD34-EF78"))
	press(t, ctx, "main button")
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("#errors")))
	if focused := get(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)); focused != "errors" {
		t.Errorf("the error summary does not have the focus, %q does", focused)
	}
	accessible(t, ctx, "code with an error")
	shoot(t, ctx, "code-error")
	do(t, ctx, emulateDesktop())
	get(t, ctx, chromedp.Evaluate[int](`document.querySelector("#code").value = "";0`))
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#code"), strings.ToLower(strings.ReplaceAll(code, "-", " "))))
	press(t, ctx, "main button")
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="start"]`)))
	accessible(t, ctx, "door of a card")
	shoot(t, ctx, "code-door")
	do(t, ctx, emulateDesktop())
	if at := get(t, ctx, chromedp.Location()); at != d.BaseURL+"/c" {
		t.Errorf("the opening page is at %s", at)
	}
	press(t, ctx, `button[value="start"]`)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`button[value="begin"]`)))
	if at := get(t, ctx, chromedp.Location()); strings.Contains(at, code) {
		t.Errorf("the code stands in the address %s", at)
	}
}
