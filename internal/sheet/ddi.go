package sheet

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Study is what a description says of a table as a whole.
type Study struct {
	Title    string
	Abstract string
	Producer string
	Universe string // who is in it
	Unit     string // what a row is
	File     string // name of the file described
	Rows     int    // -1: not counted
	Made     time.Time
}

// DDI writes a description of a table as DDI-Codebook 2.5, the form that archives and
// statistics programs read: the study, the file, and a variable a column with its
// label, format, meaning and codes. Elements stand in the order of the schema.
//
// Source: Data Documentation Initiative, DDI-Codebook 2.5, codebook.xsd.
func DDI(w io.Writer, s Study, columns []Column) error {
	day := s.Made.UTC().Format(time.DateOnly)
	citation := ddiCitation{Title: s.Title, Producer: s.Producer, Day: ddiDate{Date: day, Text: day}}
	d := ddiCodebook{
		Namespace: "ddi:codebook:2_5", Version: "2.5",
		Document: ddiDocument{Citation: citation},
		Study:    ddiStudy{Citation: citation, Info: ddiInfo{Abstract: s.Abstract, Unit: s.Unit, Universe: s.Universe}},
		File:     ddiFile{ID: "F1", Name: s.File, Columns: len(columns), Type: "text", Format: "delimited"},
	}
	if s.Rows >= 0 {
		rows := s.Rows
		d.File.Rows = &rows
	}
	for i, c := range columns {
		d.Data = append(d.Data, c.variable(i+1))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write a DDI description: %w", err)
	}
	out := xml.NewEncoder(w)
	out.Indent("", " ")
	if err := out.Encode(d); err != nil {
		return fmt.Errorf("write a DDI description: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// variable describes a column.
func (c Column) variable(n int) ddiVariable {
	v := ddiVariable{ID: "V" + strconv.Itoa(n), Name: c.ID, Files: "F1", Interval: "discrete", Label: c.Title, Text: c.Meaning, Format: ddiFormat{Type: "character"}}
	if v.Label == "" {
		v.Label = c.ID
	}
	if c.Personal {
		v.Security = "May tell of a person: handle with care."
	}
	switch c.Type {
	case "integer", "number":
		v.Format.Type, v.Interval = "numeric", "contin"
	case "time", "date":
		v.Format.Category = "date"
	}
	if c.Unit != "" {
		v.Notes = append(v.Notes, "Unit: "+c.Unit)
	}
	if c.Source != "" {
		v.Notes = append(v.Notes, "Source: "+c.Source)
	}
	for _, value := range c.Values {
		code, meaning, ok := strings.Cut(value, "=")
		cat := ddiCategory{Value: strings.TrimSpace(code)}
		if ok {
			cat.Label = strings.TrimSpace(meaning)
		}
		v.Categories = append(v.Categories, cat)
	}
	return v
}

type ddiCodebook struct {
	XMLName   xml.Name      `xml:"codeBook"`
	Namespace string        `xml:"xmlns,attr"`
	Version   string        `xml:"version,attr"`
	Document  ddiDocument   `xml:"docDscr"`
	Study     ddiStudy      `xml:"stdyDscr"`
	File      ddiFile       `xml:"fileDscr"`
	Data      []ddiVariable `xml:"dataDscr>var"`
}

type ddiDocument struct {
	Citation ddiCitation `xml:"citation"`
}

type ddiCitation struct {
	Title    string  `xml:"titlStmt>titl"`
	Producer string  `xml:"prodStmt>producer,omitempty"`
	Day      ddiDate `xml:"prodStmt>prodDate"`
}

type ddiDate struct {
	Date string `xml:"date,attr"`
	Text string `xml:",chardata"`
}

type ddiStudy struct {
	Citation ddiCitation `xml:"citation"`
	Info     ddiInfo     `xml:"stdyInfo"`
}

type ddiInfo struct {
	Abstract string `xml:"abstract,omitempty"`
	Unit     string `xml:"sumDscr>anlyUnit,omitempty"`
	Universe string `xml:"sumDscr>universe,omitempty"`
}

type ddiFile struct {
	ID      string `xml:"ID,attr"`
	Name    string `xml:"fileTxt>fileName"`
	Rows    *int   `xml:"fileTxt>dimensns>caseQnty,omitempty"`
	Columns int    `xml:"fileTxt>dimensns>varQnty"`
	Type    string `xml:"fileTxt>fileType"`
	Format  string `xml:"fileTxt>format"`
}

type ddiVariable struct {
	ID         string        `xml:"ID,attr"`
	Name       string        `xml:"name,attr"`
	Files      string        `xml:"files,attr"`
	Interval   string        `xml:"intrvl,attr"`
	Label      string        `xml:"labl"`
	Security   string        `xml:"security,omitempty"`
	Text       string        `xml:"txt,omitempty"`
	Categories []ddiCategory `xml:"catgry"`
	Format     ddiFormat     `xml:"varFormat"`
	Notes      []string      `xml:"notes"`
}

type ddiCategory struct {
	Value string `xml:"catValu"`
	Label string `xml:"labl,omitempty"`
}

type ddiFormat struct {
	Type     string `xml:"type,attr"`
	Category string `xml:"category,attr,omitempty"`
}
