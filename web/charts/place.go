package charts

import (
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// box is where a piece of text lies.
type box struct{ left, top, right, bottom float64 }

func (b box) meets(other box) bool {
	return b.left < other.right && other.left < b.right && b.top < other.bottom && other.top < b.bottom
}

// textBox is the room that words take whose baseline begins, is centred or ends at x.
func textBox(words, anchor string, x, y, size float64, bold bool) box {
	w := textWidth(words, size, bold)
	left := x
	switch anchor {
	case "middle":
		left = x - w/2
	case "end":
		left = x - w
	}
	return box{left, y - .76*size, left + w, y + .22*size}
}

// free takes the first of the places that meets nothing placed before, and keeps it
// from others; the last where every one meets something.
func (d *drawing) free(places ...box) (chosen int, clear bool) {
	for i, b := range places {
		clear := true
		for _, other := range d.taken {
			other.left, other.right = other.left-2, other.right+2
			clear = clear && !b.meets(other)
		}
		if clear {
			d.taken = append(d.taken, b)
			return i, true
		}
	}
	return len(places) - 1, false
}

// letterings are the two weights that text is measured and rasterised with. A
// browser's own font may be another; those that it is likely to take run narrower.
var letterings = sync.OnceValues(func() (fonts [2]*opentype.Font, err error) {
	for i, raw := range [][]byte{goregular.TTF, gobold.TTF} {
		if fonts[i], err = opentype.Parse(raw); err != nil {
			return fonts, err
		}
	}
	return fonts, nil
})

// face gives a lettering at a size in pixels.
func face(size float64, bold bool) (font.Face, error) {
	fonts, err := letterings()
	if err != nil {
		return nil, err
	}
	weight := 0
	if bold {
		weight = 1
	}
	return opentype.NewFace(fonts[weight], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

// textWidth is how wide words are, in pixels.
func textWidth(words string, size float64, bold bool) float64 {
	f, err := face(size, bold)
	if err != nil { // the font is part of the program: this cannot be
		return .6 * size * float64(len([]rune(words)))
	}
	return float64(font.MeasureString(f, words)) / 64
}

// wrap breaks words into lines that are at most so many pixels wide. A word that is
// wider by itself has a line of its own.
func wrap(words string, size, width float64, bold bool) (lines []string) {
	line := ""
	for _, word := range fields(words) {
		switch longer := line + " " + word; {
		case line == "":
			line = word
		case textWidth(longer, size, bold) <= width:
			line = longer
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
