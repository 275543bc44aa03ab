package victim

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"

	"victimvoice/web/page"
)

// quiet is the light border that readers need, in modules: ISO/IEC 18004.
const quiet = 4

// square draws a text as a QR code that can still be read with 15% of it lost.
func square(text string) (page.Square, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return page.Square{}, fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	dark := func(x, y int) bool { return x < side && color.GrayModel.Convert(code.At(x, y)) == color.Gray{} }
	var path strings.Builder
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return page.Square{Size: side + 2*quiet, Path: path.String()}, nil
}
