package sheet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// order is the order in which DDI-Codebook 2.5 wants the elements that we write,
// parent by parent; those that must be there end in "!".
var order = map[string][]string{
	"codeBook": {"docDscr", "stdyDscr!", "fileDscr", "dataDscr"}, "docDscr": {"citation"}, "stdyDscr": {"citation!", "stdyInfo"},
	"citation": {"titlStmt!", "rspStmt", "prodStmt"}, "titlStmt": {"titl!"}, "prodStmt": {"producer", "copyright", "prodDate"},
	"stdyInfo": {"subject", "abstract", "sumDscr"}, "sumDscr": {"timePrd", "collDate", "nation", "geogCover", "geogUnit", "anlyUnit", "universe", "dataKind"},
	"fileDscr": {"fileTxt"}, "fileTxt": {"fileName", "fileCont", "fileStrc", "dimensns", "fileType", "format"}, "dimensns": {"caseQnty", "varQnty"},
	"dataDscr": {"varGrp", "var"}, "var": {"location", "labl", "security", "qstn", "valrng", "universe", "txt", "catgry", "concept", "varFormat", "notes"}, "catgry": {"catValu", "labl"},
	"titl": {}, "producer": {}, "prodDate": {}, "abstract": {}, "anlyUnit": {}, "universe": {}, "fileName": {}, "caseQnty": {}, "varQnty": {}, "fileType": {}, "format": {},
	"labl": {}, "security": {}, "txt": {}, "catValu": {}, "varFormat": {}, "notes": {},
}

// checkDDI holds a description to the structure of the schema.
func checkDDI(t *testing.T, raw []byte) (variables int) {
	t.Helper()
	type open struct {
		name string
		at   int
		seen []string
	}
	var stack []open
	ids := map[string]bool{}
	dec := xml.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return variables
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			if e.Name.Space != "ddi:codebook:2_5" {
				t.Errorf("%s is of namespace %q", name, e.Name.Space)
			}
			if _, ok := order[name]; !ok {
				t.Fatalf("an element %s", name)
			}
			if len(stack) > 0 {
				parent := &stack[len(stack)-1]
				at := slices.IndexFunc(order[parent.name], func(s string) bool { return strings.TrimSuffix(s, "!") == name })
				if at < parent.at {
					t.Errorf("%s in %s is out of order, or has no place there", name, parent.name)
				}
				parent.at, parent.seen = at, append(parent.seen, name)
			} else if name != "codeBook" {
				t.Errorf("the root is %s", name)
			}
			for _, a := range e.Attr {
				if a.Name.Local == "ID" {
					if ids[a.Value] {
						t.Errorf("the ID %s is given twice", a.Value)
					}
					ids[a.Value] = true
				}
				if a.Name.Local == "files" && !ids[a.Value] {
					t.Errorf("a variable of file %s, which is not described", a.Value)
				}
				if name == "varFormat" && a.Name.Local == "type" && a.Value != "numeric" && a.Value != "character" {
					t.Errorf("a format %s", a.Value)
				}
			}
			if name == "var" {
				variables++
			}
			stack = append(stack, open{name: name})
		case xml.EndElement:
			last := stack[len(stack)-1]
			for _, want := range order[last.name] {
				if must, ok := strings.CutSuffix(want, "!"); ok && !slices.Contains(last.seen, must) {
					t.Errorf("%s has no %s", last.name, must)
				}
			}
			stack = stack[:len(stack)-1]
		}
	}
}

func TestDDI(t *testing.T) {
	t.Parallel()
	columns := []Column{
		{ID: "core.informed", Title: "How well <informed>?", Type: "code", Values: []string{"very-well = Very well", "refused"}, Meaning: "One answer & no more.", Source: "report/1", Personal: true},
		{ID: "base", Type: "integer", Unit: "people"}, {ID: "at", Title: "When", Type: "time"},
	}
	var out bytes.Buffer
	if err := DDI(&out, Study{Title: "Figures", Abstract: "What people said.", Producer: "Victim Voice", Universe: "People who answered", Unit: "A figure", File: "figures.csv", Rows: 12, Made: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}, columns); err != nil {
		t.Fatal(err)
	}
	if n := checkDDI(t, out.Bytes()); n != 3 {
		t.Errorf("%d variables", n)
	}
	for _, want := range []string{`<catValu>very-well</catValu>`, `<labl>Very well</labl>`, `name="core.informed"`, `&lt;informed&gt;`, `<caseQnty>12</caseQnty>`, `<varFormat type="numeric">`, `<security>`, `<notes>Source: report/1</notes>`, `<prodDate date="2026-03-02">2026-03-02</prodDate>`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
	out.Reset()
	if err := DDI(&out, Study{Title: "T", Rows: -1}, nil); err != nil || strings.Contains(out.String(), "caseQnty") {
		t.Errorf("%v: %s", err, out.String())
	}
	checkDDI(t, out.Bytes())
}

func TestManifest(t *testing.T) {
	t.Parallel()
	var file, out bytes.Buffer
	tally := NewTally(&file)
	for _, part := range []string{"a,b\n", "1,2\n"} {
		if _, err := io.WriteString(tally, part); err != nil {
			t.Fatal(err)
		}
	}
	m := Manifest{Made: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Files: []ManifestFile{tally.File("t.csv", 1, 2), tally.File("other", -1, -1)}}
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	var got Manifest
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	if f := got.Files[0]; f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != 8 || *f.Rows != 1 || *f.Columns != 2 || got.Files[1].Rows != nil {
		t.Errorf("%+v", got)
	}
}
