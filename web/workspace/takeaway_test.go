package workspace

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"victimvoice/internal/sheet"
)

// TestTakeAway: the archive is whole by its manifest, its forms agree with each other
// and with the panel, and what is withheld is empty.
func TestTakeAway(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(5)
	w.want(w.get(cora, "/figures/take-away"), http.StatusOK, "By quarter and stage", "checksum", "nobody by being a commissioner")
	w.want(w.get(ann, "/figures/take-away"), http.StatusForbidden)
	w.want(w.get(cora, "/figures/take-away/package?by=month,borough"), http.StatusUnprocessableEntity)
	a := w.get(cora, "/figures/take-away/package?by="+url.QueryEscape("year,stage,bcu"))
	if a.Code != http.StatusOK || a.Header().Get("Content-Type") != "application/zip" {
		t.Fatalf("%d %s", a.Code, a.body)
	}
	z := must(zip.NewReader(bytes.NewReader([]byte(a.body)), int64(len(a.body))))(t)
	files := map[string][]byte{}
	for _, f := range z.File {
		files[f.Name] = must(io.ReadAll(must(f.Open())(t)))(t)
	}
	var m sheet.Manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil || len(m.Files) != len(files)-1 || len(files) != 7 {
		t.Fatalf("%v, %d files, manifest %+v", err, len(files), m)
	}
	for _, f := range m.Files {
		sum := sha256.Sum256(files[f.Name])
		if f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(files[f.Name])) {
			t.Errorf("%s is not as the manifest says", f.Name)
		}
	}
	rows := must(csv.NewReader(bytes.NewReader(files["figures.csv"])).ReadAll())(t)
	lines := strings.Split(strings.TrimSpace(string(files["figures.jsonl"])), "\n")
	if *m.Files[0].Rows != len(rows)-1 || len(lines) != len(rows)-1 || *m.Files[0].Columns != len(rows[0]) {
		t.Fatalf("%d rows, %d lines, manifest %d", len(rows)-1, len(lines), *m.Files[0].Rows)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	withheld := 0
	for i, row := range rows[1:] {
		if row[at["symbol"]] == "[c]" {
			withheld++
			if row[at["numerator"]]+row[at["base"]]+row[at["share"]]+row[at["low"]]+row[at["high"]]+row[at["corrected"]] != "" {
				t.Fatalf("withheld, and says %v", row)
			}
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil {
			t.Fatal(err)
		}
		if share, _ := line["share"].(float64); row[at["share"]] != "" && fmt.Sprintf("%.6f", share) != fmt.Sprintf("%.6f", must(strconv.ParseFloat(row[at["share"]], 64))(t)) || line["measure"] != row[0] {
			t.Fatalf("row %d: %v and %v", i, row, line)
		}
	}
	if withheld == 0 {
		t.Error("nothing is withheld: the test shows nothing")
	}
	r, err := w.analysis.Figures(t.Context(), url.Values{"measure": {"core.informed"}, "by": {"year,stage,bcu"}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range rows[1:] {
		if row[0] != "core.informed" {
			continue
		}
		p := r.Points[n]
		n++
		if p.Key["bcu"] != row[at["bcu"]] || p.Period != row[at["year"]] || p.Suppressed != (row[at["symbol"]] == "[c]") || p.Share != nil && row[at["base"]] != strconv.Itoa(p.Base) {
			t.Fatalf("%+v is taken away as %v", p, row)
		}
	}
	if n != len(r.Points) {
		t.Errorf("%d of %d points", n, len(r.Points))
	}
	if !strings.Contains(string(files["figures.ddi.xml"]), fmt.Sprintf("<caseQnty>%d</caseQnty>", len(rows)-1)) || !strings.Contains(string(files["measures.csv"]), "core.informed") {
		t.Error("the description or the definitions are not of this table")
	}
	if !strings.Contains(w.page(adam, "/admin/record"), "figures.exported") {
		t.Error("taking away is not on record")
	}
}
