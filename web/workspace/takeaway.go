package workspace

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/web/page"
)

// takeAwayBy are the ways in which all figures can be taken away at once.
var takeAwayBy = []struct{ by, label string }{
	{"quarter,stage", "By quarter and stage"}, {"year,stage,bcu", "By year, stage and command unit"}, {"month,stage", "By month and stage"},
}

// takeAwayData is the data of the page of everything that can be taken away.
type takeAwayData struct {
	page.Work
	Packages []link
	Rows     string // who may have rows
}

func (s *Pages) takeAway(c *gin.Context, v visitor) error {
	f, err := s.frame(c, v, "Take the figures away")
	if err != nil {
		return err
	}
	data := takeAwayData{Work: f, Rows: rowsNote}
	for _, p := range takeAwayBy {
		data.Packages = append(data.Packages, link{Href: "/figures/take-away/package?" + url.Values{"by": {p.by}}.Encode(), Label: p.label})
	}
	return s.show(c, http.StatusOK, "take-away", data)
}

// takeAwayColumns describe a table of every measure.
func takeAwayColumns(dims []figures.Dimension) []sheet.Column {
	out := []sheet.Column{{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id of the measure. measures.csv has its definition: counted how, out of whom, without whom, and from where."}}
	for _, d := range dims {
		out = append(out, sheet.Column{ID: d.ID, Title: d.Title, Type: "code", Meaning: "What the figure is split by."})
	}
	return append(append(out, pointColumns()...),
		sheet.Column{ID: "corrected", Title: "Corrected share", Type: "number", Unit: "percent", Meaning: figures.MeaningCorrected},
		sheet.Column{ID: "corrected_low", Title: "Corrected, from", Type: "number", Unit: "percent", Meaning: "Lower end of the corrected share's 95% interval."},
		sheet.Column{ID: "corrected_high", Title: "Corrected, to", Type: "number", Unit: "percent", Meaning: "Upper end of the corrected share's 95% interval."},
		sheet.Column{ID: "coder", Title: "Coded by", Type: "text", Meaning: figures.MeaningCoder},
	)
}

// takeAwayRows asks for every measure that the split has, each by the panel's one call.
func (s *Pages) takeAwayRows(ctx context.Context, v visitor, by string, dims []figures.Dimension) (rows [][]any, err error) {
	for _, m := range s.Analysis.Panel().Measures() {
		r, err := s.Analysis.Figures(ctx, with(url.Values{}, figures.DimForce, v.Force, "measure", m.ID, "by", by))
		if fault.Is(err, fault.Invalid) {
			continue // not on this table of the lattice
		}
		if err != nil {
			return nil, err
		}
		for i := range r.Points {
			p := &r.Points[i]
			row := []any{m.ID}
			for _, d := range dims {
				row = append(row, p.Key[d.ID])
			}
			row = append(row, pointValues(&m, p)...)
			rows = append(rows, append(append(row, corrected(p)...), p.Coder))
		}
	}
	return rows, nil
}

// takeAwayPackage gives every figure of one split as one archive: three forms of one
// table, its dictionary, the measures' definitions, a DDI description, and a manifest
// with rows and checksums, by which the rest can be checked.
func (s *Pages) takeAwayPackage(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	by := c.Query("by")
	var dims []figures.Dimension
	for _, p := range takeAwayBy {
		if p.by != by {
			continue
		}
		for _, d := range figures.Dimensions() {
			if slices.Contains(strings.Split(by, ","), d.ID) {
				dims = append(dims, d)
			}
		}
	}
	if dims == nil {
		return fault.Fields("there is no such package", fault.Field{Field: "by", Message: "is one of those that the page offers"})
	}
	columns := takeAwayColumns(dims)
	rows, err := s.takeAwayRows(ctx, v, by, dims)
	if err != nil {
		return err
	}
	if err := s.Audit.Append(ctx, v.actor().Entry("figures.exported", "measure:all")); err != nil {
		return err
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	manifest := sheet.Manifest{Made: s.Now().UTC()}
	add := func(name string, rows, columns int, write func(io.Writer) error) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: s.Now().UTC()})
		if err != nil {
			return err
		}
		tally := sheet.NewTally(w)
		if err := write(tally); err != nil {
			return err
		}
		manifest.Files = append(manifest.Files, tally.File(name, rows, columns))
		return nil
	}
	for _, format := range []sheet.Format{sheet.CSV, sheet.JSONL, sheet.XLSX} {
		if err := add("figures."+string(format), len(rows), len(columns), func(w io.Writer) error { return writeRows(w, format, columns, rows) }); err != nil {
			return fmt.Errorf("pack the figures: %w", err)
		}
	}
	measureColumns, measureRows := s.measureTable()
	study := sheet.Study{Title: "What people who reported stalking and harassment told us", Producer: "Victim Voice", Unit: "A figure", File: "figures.csv", Rows: len(rows), Made: s.Now(),
		Abstract: "Shares and scores by measure, as published: withheld where somebody could be told from them. " + figures.NotePrecision,
		Universe: "People who were asked and chose to answer; of the measures of asking, everyone who was to be asked."}
	for _, file := range []struct {
		name          string
		rows, columns int
		write         func(io.Writer) error
	}{
		{"dictionary.csv", len(columns), 8, func(w io.Writer) error { return sheet.Dictionary(sheet.CSV, w, columns) }},
		{"measures.csv", len(measureRows), len(measureColumns), func(w io.Writer) error { return writeRows(w, sheet.CSV, measureColumns, measureRows) }},
		{"figures.ddi.xml", -1, -1, func(w io.Writer) error { return sheet.DDI(w, study, columns) }},
	} {
		if err := add(file.name, file.rows, file.columns, file.write); err != nil {
			return fmt.Errorf("pack the figures: %w", err)
		}
	}
	w, err := z.Create("manifest.json")
	if err == nil {
		err = manifest.Write(w)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("pack the figures: %w", err)
	}
	c.Header("Content-Disposition", `attachment; filename="figures-`+fileName(by)+`.zip"`)
	c.Data(http.StatusOK, "application/zip", archive.Bytes())
	return nil
}

func writeRows(w io.Writer, format sheet.Format, columns []sheet.Column, rows [][]any) error {
	out, err := sheet.New(format, w, columns)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := out.Row(row...); err != nil {
			return err
		}
	}
	return out.Close()
}

// measureTable writes every measure's definition as a table.
func (s *Pages) measureTable() (columns []sheet.Column, rows [][]any) {
	columns = []sheet.Column{
		{ID: "measure", Title: "Measure", Type: "code", Meaning: "Id."}, {ID: "title", Title: "Title", Type: "text", Meaning: "In words."}, {ID: "kind", Title: "Kind", Type: "code", Meaning: "Share, index, rate or mean."},
		{ID: "counted", Title: "Counted", Type: "text", Meaning: "Who is counted, or what is averaged."}, {ID: "out_of", Title: "Out of", Type: "text", Meaning: "Who it is out of."},
		{ID: "left_out", Title: "Left out", Type: "text", Meaning: "Who is in neither."}, {ID: "source", Title: "Source", Type: "text", Meaning: "Which questions, in which versions."}, {ID: "better", Title: "Better", Type: "code", Meaning: "higher, lower, or empty: neither way."},
	}
	for _, m := range s.Analysis.Panel().Measures() {
		rows = append(rows, []any{m.ID, m.Title, string(m.Kind), m.Numerator, m.Base, m.Exclusions, m.Source, string(m.Better)})
	}
	return columns, rows
}

// rowsNote is who may have rows rather than figures.
const rowsNote = "Rows (one a response, without addresses, names or words) are for whoever has that permission: an analyst, and nobody by being a commissioner. They leave by the command line, on record."
