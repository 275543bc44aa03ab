package workspace

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/fault"
	"victimvoice/internal/sheet"
	"victimvoice/web/page"
)

// takeAwayForm is one of them, by its split.
type takeAwayForm struct{ by, label string }

// takeAwayBy are the ways in which all figures can be taken away at once.
var takeAwayBy = []takeAwayForm{
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

// takeAwayPackage gives every figure of one split as one archive: three forms of one
// table, its dictionary, the measures' definitions, a DDI description, and a manifest
// with rows and checksums, by which the rest can be checked.
func (s *Pages) takeAwayPackage(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	by := c.Query("by")
	if !slices.ContainsFunc(takeAwayBy, func(p takeAwayForm) bool { return p.by == by }) {
		return fault.Fields("there is no such package", fault.Field{Field: "by", Message: "is one of those that the page offers"})
	}
	asked, err := analysis.ParseQuery(with(url.Values{}, figures.DimForce, v.Force, "by", by))
	if err != nil {
		return err
	}
	table, err := tables.Of(ctx, s.Analysis.Panel(), asked)
	if err != nil {
		return err
	}
	var rows [][]any // asked for once, written three times
	for row, err := range table.Rows {
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	table.Rows = sheet.Rows(rows)
	columns, definitions := table.Columns, tables.Definitions(s.Analysis.Panel().Measures())
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
		if err := add("figures."+string(format), len(rows), len(columns), func(w io.Writer) error { return table.Write(format, w) }); err != nil {
			return fmt.Errorf("pack the figures: %w", err)
		}
	}
	study := sheet.Study{Title: "What people who reported stalking and harassment told us", Producer: "Victim Voice", Unit: "A figure", File: "figures.csv", Rows: len(rows), Made: s.Now(),
		Abstract: "Shares and scores by measure, as published: withheld where somebody could be told from them. " + figures.NotePrecision,
		Universe: "People who were asked and chose to answer; of the measures of asking, everyone who was to be asked."}
	for _, file := range []struct {
		name          string
		rows, columns int
		write         func(io.Writer) error
	}{
		{"dictionary.csv", len(columns), 8, func(w io.Writer) error { return sheet.Dictionary(sheet.CSV, w, columns) }},
		{"measures.csv", len(s.Analysis.Panel().Measures()), len(definitions.Columns), func(w io.Writer) error { return definitions.Write(sheet.CSV, w) }},
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

// rowsNote is who may have rows rather than figures.
const rowsNote = "Rows (one a response, without addresses, names or words) are for whoever has that permission: an analyst, and nobody by being a commissioner. They leave by the command line, on record."
