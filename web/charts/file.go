package charts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"

	"git.sr.ht/~sbinet/gg"
)

// File is a chart that is taken away and stands alone: with its heading, what it is
// held to, and what a reader must know, all drawn. It is light whatever the reader's
// screen, and says nothing by colour alone, so that it can be printed in black.
type File struct {
	Picture Picture
	Heading string
	Scope   string   // whose answers, where, since when
	Notes   []string // what happened, how to read it, whose figures
}

// Picture is a chart of any kind, drawn for a desk.
type Picture interface{ full() *drawing }

func (c Chart) full() *drawing  { c.Size = Full; return c.drawn() }
func (g Groups) full() *drawing { g.Size = Full; return g.drawn() }
func (f Funnel) full() *drawing { f.Size = Full; return f.drawn() }
func (m Moves) full() *drawing  { m.Size = Full; return m.drawn() }
func (c Dots) full() *drawing   { c.Size = Full; return c.drawn() }

const (
	fileMargin  = 12.0
	headingSize = 16.0
)

func fields(s string) []string { return strings.Fields(s) }

// SVG draws the file as an SVG document of its own.
func (f File) SVG() []byte {
	chart, d := f.Picture.full(), &drawing{}
	inner := chart.width - 2*fileMargin
	heading, scope := wrap(f.Heading, headingSize, inner, true), wrap(f.Scope, textSize, inner, false)
	var notes []string
	for _, n := range f.Notes {
		notes = append(notes, wrap(n, textSize, inner, false)...)
	}
	top := fileMargin + float64(len(heading))*22 + float64(len(scope))*lineHeight + 8
	height := top + chart.height + float64(len(notes))*lineHeight + fileMargin
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-title %s-desc" font-family="%s" font-size="%s" fill="%s">`,
		num(chart.width), num(height), num(chart.width), num(height), chart.id, chart.id, fonts, num(textSize), ink)
	d.put(`<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, chart.id, text(f.Heading), chart.id, text(chart.said))
	d.put(`<rect width="%s" height="%s" fill="%s"/>`, num(chart.width), num(height), paper)
	y := fileMargin
	for _, line := range heading {
		y += 22
		d.put(`<text x="%s" y="%s" font-size="%s" font-weight="700">%s</text>`, num(fileMargin), num(y-5), num(headingSize), text(line))
	}
	for _, line := range scope {
		y += lineHeight
		d.put(`<text x="%s" y="%s" fill="%s">%s</text>`, num(fileMargin), num(y-3), quiet, text(line))
	}
	d.put(`<g transform="translate(0 %s)">`, num(top))
	d.b.WriteString(chart.b.String()[chart.inside:])
	d.put(`</g>`)
	y = top + chart.height
	for _, line := range notes {
		y += lineHeight
		d.put(`<text x="%s" y="%s" fill="%s">%s</text>`, num(fileMargin), num(y-3), quiet, text(line))
	}
	d.put(`</svg>`)
	return []byte(d.b.String())
}

// pngScale is how many pixels of the PNG are one of the SVG.
const pngScale = 2

// PNG draws the same document as pixels, two for each of the SVG's.
func (f File) PNG() ([]byte, error) {
	r := &raster{}
	if err := r.draw(f.SVG()); err != nil {
		return nil, fmt.Errorf("draw a chart as pixels: %w", err)
	}
	var out bytes.Buffer
	if err := r.dc.EncodePNG(&out); err != nil {
		return nil, fmt.Errorf("write a chart as PNG: %w", err)
	}
	return out.Bytes(), nil
}

// raster draws the few kinds of SVG that this package writes. What it does not know
// is an error: a mark must not go missing in silence.
type raster struct {
	dc     *gg.Context
	dy     []float64 // moves of the groups open now
	text   *span     // the text element open now
	inText []span    // its runs
	skip   int       // depth within title and desc
}

// span is a run of text with one look.
type span struct {
	x, y, size   float64
	anchor, fill string
	halo         string
	bold         bool
	words        string
}

func (r *raster) draw(svg []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = r.open(t.Name.Local, attributes(t.Attr))
		case xml.EndElement:
			err = r.close(t.Name.Local)
		case xml.CharData:
			if r.text != nil && r.skip == 0 {
				r.text.words += string(t)
			}
		}
		if err != nil {
			return err
		}
	}
}

// attrs are an element's attributes; a number that is absent is nought.
type attrs map[string]string

func attributes(list []xml.Attr) attrs {
	out := attrs{}
	for _, a := range list {
		out[a.Name.Local] = a.Value
	}
	return out
}

func bold(weight string) bool { return weight == "600" || weight == "700" }

func (a attrs) num(name string) float64 {
	v, _ := strconv.ParseFloat(a[name], 64)
	return v
}

func (r *raster) offset() (y float64) {
	for _, dy := range r.dy {
		y += dy
	}
	return y
}

func (r *raster) open(name string, a attrs) error {
	at := func(x, y float64) (float64, float64) { return x * pngScale, (y + r.offset()) * pngScale }
	switch name {
	case "svg":
		r.dc = gg.NewContext(int(math.Ceil(a.num("width")*pngScale)), int(math.Ceil(a.num("height")*pngScale)))
		return nil
	case "title", "desc":
		r.skip++
		return nil
	case "g":
		var x, y float64
		if _, err := fmt.Sscanf(a["transform"], "translate(%g %g)", &x, &y); err != nil {
			return fmt.Errorf("a group that is moved by %q", a["transform"])
		}
		r.dy = append(r.dy, y)
		return nil
	case "text":
		size := textSize
		if a["font-size"] != "" {
			size = a.num("font-size")
		}
		x, y := at(a.num("x"), a.num("y"))
		r.text = &span{x: x, y: y, size: size, anchor: a["text-anchor"], fill: a.or("fill", ink), bold: bold(a["font-weight"])}
		if a["stroke"] != "" {
			r.text.halo = a["stroke"]
		}
		return nil
	case "tspan":
		r.inText = append(r.inText, *r.text)
		r.text.words, r.text.fill, r.text.bold = "", a.or("fill", r.text.fill), bold(a["font-weight"])
		return nil
	case "line":
		x1, y1 := at(a.num("x1"), a.num("y1"))
		x2, y2 := at(a.num("x2"), a.num("y2"))
		r.dc.DrawLine(x1, y1, x2, y2)
	case "rect":
		x, y := at(a.num("x"), a.num("y"))
		r.dc.DrawRoundedRectangle(x, y, a.num("width")*pngScale, a.num("height")*pngScale, a.num("rx")*pngScale)
	case "circle":
		x, y := at(a.num("cx"), a.num("cy"))
		r.dc.DrawCircle(x, y, a.num("r")*pngScale)
	case "polyline", "polygon":
		for i, pair := range fields(a["points"]) {
			var x, y float64
			if _, err := fmt.Sscanf(pair, "%g,%g", &x, &y); err != nil {
				return fmt.Errorf("a point %q", pair)
			}
			if x, y = at(x, y); i == 0 {
				r.dc.MoveTo(x, y)
			} else {
				r.dc.LineTo(x, y)
			}
		}
		if name == "polygon" {
			r.dc.ClosePath()
		}
	case "path":
		if err := r.path(a["d"], at); err != nil {
			return err
		}
	default:
		return fmt.Errorf("an element %q", name)
	}
	return r.paint(name, a)
}

func (a attrs) or(name, other string) string {
	if a[name] == "" {
		return other
	}
	return a[name]
}

// path walks the commands M, L, H, V and Z, all absolute.
func (r *raster) path(d string, at func(x, y float64) (float64, float64)) error {
	var x, y float64
	for i := 0; i < len(d); {
		command := d[i]
		i++
		end := i
		for end < len(d) && !strings.ContainsRune("MLHVZ", rune(d[end])) {
			end++
		}
		var given []float64
		for _, word := range fields(d[i:end]) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return fmt.Errorf("a path %q", d)
			}
			given = append(given, v)
		}
		i = end
		switch {
		case command == 'Z' && len(given) == 0:
			r.dc.ClosePath()
			continue
		case (command == 'M' || command == 'L') && len(given) == 2:
			x, y = given[0], given[1]
		case command == 'H' && len(given) == 1:
			x = given[0]
		case command == 'V' && len(given) == 1:
			y = given[0]
		default:
			return fmt.Errorf("a path %q", d)
		}
		if px, py := at(x, y); command == 'M' {
			r.dc.MoveTo(px, py)
		} else {
			r.dc.LineTo(px, py)
		}
	}
	return nil
}

// paint fills and strokes the path that stands, as the attributes say.
func (r *raster) paint(name string, a attrs) error {
	if fill := a.or("fill", ink); fill != "none" && name != "line" {
		c, err := hex(fill)
		if err != nil {
			return err
		}
		r.dc.SetColor(c)
		r.dc.FillPreserve()
	}
	if a["stroke"] != "" {
		c, err := hex(a["stroke"])
		if err != nil {
			return err
		}
		width := 1.0
		if a["stroke-width"] != "" {
			width = a.num("stroke-width")
		}
		var dashes []float64
		for _, word := range fields(a["stroke-dasharray"]) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return fmt.Errorf("dashes %q", a["stroke-dasharray"])
			}
			dashes = append(dashes, v*pngScale)
		}
		r.dc.SetDash(dashes...)
		r.dc.SetLineCapButt()
		if a["stroke-linecap"] == "round" {
			r.dc.SetLineCapRound()
		}
		r.dc.SetColor(c)
		r.dc.SetLineWidth(width * pngScale)
		r.dc.StrokePreserve()
	}
	r.dc.ClearPath()
	return nil
}

// hex reads a colour as this package writes them: #rrggbb.
func hex(s string) (color.Color, error) {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != len("#rrggbb") {
		return nil, fmt.Errorf("a colour %q", s)
	}
	return color.RGBA{uint8(v >> 16 & 255), uint8(v >> 8 & 255), uint8(v & 255), 255}, nil
}

func (r *raster) close(name string) error {
	switch name {
	case "title", "desc":
		r.skip--
	case "g":
		r.dy = r.dy[:len(r.dy)-1]
	case "tspan":
		r.inText = append(r.inText, *r.text)
		r.text.words = ""
	case "text":
		runs := append(r.inText, *r.text)
		r.text, r.inText = nil, nil
		return r.write(runs)
	}
	return nil
}

// write draws the runs of one text, one after another.
func (r *raster) write(runs []span) error {
	width := 0.0
	for _, run := range runs {
		width += textWidth(run.words, run.size*pngScale, run.bold)
	}
	x := runs[0].x
	switch runs[0].anchor {
	case "middle":
		x -= width / 2
	case "end":
		x -= width
	}
	for _, run := range runs {
		f, err := face(run.size*pngScale, run.bold)
		if err != nil {
			return err
		}
		r.dc.SetFontFace(f)
		if run.halo != "" {
			c, err := hex(run.halo)
			if err != nil {
				return err
			}
			r.dc.SetColor(c)
			const around, reach = 16, 1.5 * pngScale
			for i := range around {
				sin, cos := math.Sincos(2 * math.Pi * float64(i) / around)
				r.dc.DrawString(run.words, x+reach*cos, run.y+reach*sin)
			}
		}
		c, err := hex(run.fill)
		if err != nil {
			return err
		}
		r.dc.SetColor(c)
		r.dc.DrawString(run.words, x, run.y)
		x += textWidth(run.words, run.size*pngScale, run.bold)
	}
	return nil
}
