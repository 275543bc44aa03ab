package victim

import (
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"

	"victimvoice/internal/seal"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// paint puts a drawn square on paper, px points a module, as its path says.
func paint(t *testing.T, s page.Square, px int) *image.Gray {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, s.Size*px, s.Size*px))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	if rest := run.ReplaceAllString(s.Path, ""); rest != "" {
		t.Fatalf("the path has something else in it: %q", rest)
	}
	for _, m := range run.FindAllStringSubmatch(s.Path, -1) {
		var n [4]int
		for i := range n {
			var err error
			if n[i], err = strconv.Atoi(m[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if n[2] != n[3] || n[0] < quiet || n[1] < quiet || n[0]+n[2] > s.Size-quiet || n[1]+1 > s.Size-quiet {
			t.Errorf("%s is drawn into the quiet zone, or not closed", m[0])
		}
		for y := n[1] * px; y < (n[1]+1)*px; y++ {
			for x := n[0] * px; x < (n[0]+n[2])*px; x++ {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	return img
}

// scan reads what is drawn with another's program. It is told that nothing but the
// square is in the picture: looking for the corners of some squares, three in a
// thousand, that program takes other modules for them, where others do not.
func scan(t *testing.T, img image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("it cannot be scanned: %v", err)
	}
	if level := got.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]; level != decoder.ErrorCorrectionLevel_M.String() {
		t.Errorf("error correction level %v", level)
	}
	return got.GetText()
}

// TestSquaresAreRead: what is drawn is what is read, for short hosts and long, and
// with a blot on it.
func TestSquaresAreRead(t *testing.T) {
	for _, host := range []string{"a.uk", "feedback.example.org", "127.0.0.1:8080", "a-rather-long-name-for-a-host.with-several-parts.and-a-dull-meaning.example.org:8443"} {
		for range 40 { // codes of every kind, so that every mask comes to be used
			want := "https://" + host + "/f/" + seal.NewCode(3)
			s, err := square(want)
			if err != nil {
				t.Fatal(err)
			}
			img := paint(t, s, 4)
			if got := scan(t, img); got != want {
				t.Fatalf("read as %q, want %q", got, want)
			}
		}
	}
	want := "https://feedback.example.org/f/" + seal.NewCode(3)
	s, err := square(want)
	if err != nil {
		t.Fatal(err)
	}
	img := paint(t, s, 4)
	for y := range 16 { // four modules each way, off the middle
		for x := range 16 {
			img.SetGray(img.Rect.Dx()/2+x, img.Rect.Dy()/2+8+y, color.Gray{})
		}
	}
	if got := scan(t, img); got != want {
		t.Errorf("with a blot: %q", got)
	}
	if _, err := square(strings.Repeat("x", 5000)); err == nil {
		t.Error("more than a QR code holds was drawn")
	}
}

// TestCardsInEveryLanguage: whole, neutral, with a date as the language writes it,
// and a square that leads to the typed code's page.
func TestCardsInEveryLanguage(t *testing.T) {
	policy, err := survey.DefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	words, err := page.LoadWords(files, "locales")
	if err != nil {
		t.Fatal(err)
	}
	set, err := questionnaires.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &Pages{survey: survey.NewService(survey.Parts{Policy: policy}), words: words, langs: set.LanguagesOffered(), conf: Config{Name: "Feedback", Host: "feedback.example.org", Secure: true}}
	// The midnight in London that ends 5 April 2026 is at 23:00 UTC.
	card := survey.Card{Code: "7KQ2-M0XD-94TR", ExpiresAt: time.Date(2026, 4, 5, 23, 0, 0, 0, time.UTC)}
	dates := map[string]string{
		"en": "5 April 2026", "cy": "5 Ebrill 2026", "pl": "5 kwietnia 2026", "ro": "5 aprilie 2026", "pt": "5 de abril de 2026",
		"bn": "৫ এপ্রিল ২০২৬", "ur": "5 اپریل 2026", "ar": "٥ أبريل ٢٠٢٦",
	}
	for _, l := range set.LanguagesOffered() {
		lang := l.Code
		card.Language = lang
		out, err := s.Card(card)
		if err != nil {
			t.Fatal(err)
		}
		if out.Lang != lang || out.Dir != l.Direction || out.Where != "feedback.example.org/c" || out.Code != card.Code || out.Name != "Feedback" {
			t.Errorf("%s: %+v", lang, out)
		}
		if dates[lang] == "" || !strings.Contains(out.Until, dates[lang]) {
			t.Errorf("%s: want the date %q: %s", lang, dates[lang], out.Until)
		}
		if got := scan(t, paint(t, out.Square, 3)); got != "https://feedback.example.org/f/7KQ2-M0XD-94TR" {
			t.Errorf("%s: the square leads to %s", lang, got)
		}
		for _, text := range []string{out.Title, out.Lead, out.Scan, out.Type, out.Until, out.Yours, out.Square.Title} {
			if text == "" || strings.ContainsAny(text, "{}<>") {
				t.Errorf("%s: %q", lang, text)
			}
		}
		months, err := words.In(lang).Say("card-months")
		if err != nil || len(strings.Fields(months)) != 12 {
			t.Errorf("%s has %d months", lang, len(strings.Fields(months)))
		}
	}
}
