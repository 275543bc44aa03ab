package workspace

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
)

// TestOpenData: a commissioner publishes a quarter; it is rounded, suppressed, open to
// everybody, the same in every form, and stays as it was whatever is taken back.
func TestOpenData(t *testing.T) {
	w := newWorld(t).staff()
	w.want(w.get("", "/public/data"), http.StatusOK, "Nothing is published yet")
	w.want(w.get(cora, "/figures/open-data"), http.StatusOK, "there is nothing to publish")
	w.want(w.post(cora, "/figures/open-data", "quarter", "2026-Q3"), http.StatusUnprocessableEntity, "has no figure that can be shown")
	w.answersOver(5)
	w.want(w.get(ines, "/figures/open-data"), http.StatusOK, "figures are shown")
	w.want(w.post(ines, "/figures/open-data", "quarter", "2026-Q3"), http.StatusForbidden)
	w.want(w.post(cora, "/figures/open-data", "quarter", "2026-Q4"), http.StatusUnprocessableEntity, "is not over yet")
	w.want(w.post(cora, "/figures/open-data", "quarter", "soon"), http.StatusUnprocessableEntity, "such as 2026-Q1")
	w.want(w.get("", "/public/data/2026-Q3"), http.StatusNotFound, "No table is published")
	w.want(w.post(cora, "/figures/open-data", "quarter", "2026-Q3"), http.StatusSeeOther)
	w.want(w.post(cora, "/figures/open-data", "quarter", "2026-Q3"), http.StatusConflict, "published already")
	w.want(w.get(cora, "/figures/open-data"), http.StatusOK, "published already", "by Cora Example")
	if !strings.Contains(w.page(adam, "/admin/record"), "open-data.published") {
		t.Error("publishing is not on record")
	}

	first := w.get("", "/public/data/2026-Q3/table.csv")
	rows := must(csv.NewReader(strings.NewReader(first.body)).ReadAll())(t)
	withheld := 0
	for _, row := range rows[1:] {
		count, base, share, symbol := row[6], row[7], row[8], row[9]
		if symbol != "" {
			withheld++
			if count+base+share != "" || symbol != analysis.SymbolWithheld && symbol != analysis.SymbolNotAvailable {
				t.Fatalf("%v", row)
			}
			continue
		}
		n, b := must(strconv.Atoi(count))(t), must(strconv.Atoi(base))(t)
		if n%5 != 0 || b%5 != 0 || b < 10 || strings.ContainsAny(share, ".,") {
			t.Fatalf("not rounded: %v", row)
		}
	}
	if len(rows) < 100 || withheld == 0 {
		t.Errorf("%d rows, %d withheld", len(rows), withheld)
	}
	// As the panel has it: withheld there is withheld here, and nothing else.
	r, err := w.analysis.Figures(t.Context(), map[string][]string{"measure": {"core.advice"}, "by": {"quarter,stage,bcu"}, "from": {"2026-07"}, "to": {"2026-10"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Points {
		found := false
		for _, row := range rows[1:] {
			if row[1] != "core.advice" || row[3] != p.Key["stage"] || row[5] != p.Key["bcu"] {
				continue
			}
			found = true
			if p.Suppressed != (row[9] == "[c]") || p.Share != nil && row[8] != strconv.Itoa(int(*p.Share+.5)) {
				t.Errorf("%+v is published as %v", p, row)
			}
		}
		if !found {
			t.Errorf("%v is not in the table", p.Key)
		}
	}
	var whole struct {
		Period  string           `json:"period"`
		Rows    []map[string]any `json:"rows"`
		Columns []any            `json:"columns"`
	}
	if err := json.Unmarshal([]byte(w.get("", "/public/data/2026-Q3/table.json").body), &whole); err != nil || len(whole.Rows) != len(rows)-1 || whole.Period != "2026-Q3" || len(whole.Columns) != len(rows[0]) {
		t.Errorf("%v, %d rows", err, len(whole.Rows))
	}
	for i, row := range whole.Rows {
		if share, ok := row["share"].(float64); ok != (rows[i+1][8] != "") || ok && strconv.Itoa(int(share)) != rows[i+1][8] {
			t.Fatalf("row %d: %v and %v", i, row, rows[i+1])
		}
	}
	dictionary := w.get("", "/public/data/2026-Q3/dictionary.csv").body
	for _, words := range append(rows[0], "core.advice", "Left out:", "nearest 5") {
		if !strings.Contains(dictionary, words) {
			t.Errorf("the dictionary does not say %q", words)
		}
	}
	body := w.page("", "/public/data/2026-Q3")
	if !strings.Contains(body, "1 Jul") && !strings.Contains(body, "July to September 2026") || !strings.Contains(body, "not changed since") {
		t.Error("the page does not say which quarter it is")
	}
	w.want(w.get("", "/public/data/2026-Q3/table.xlsx"), http.StatusNotFound)

	// Everybody of the quarter's withdrawn takes their answers back: the table stays.
	var gone []figures.ResponseRow
	for i := range 200 {
		for m := 42; m < 45; m++ {
			gone = append(gone, figures.ResponseRow{ID: "withdrawn-" + strconv.Itoa(m) + "-" + strconv.Itoa(i), Gone: true, ChangedAt: present})
		}
	}
	if err := w.analysis.Panel().ApplyResponses(gone...); err != nil {
		t.Fatal(err)
	}
	if again := w.get("", "/public/data/2026-Q3/table.csv"); again.body != first.body {
		t.Error("a published table changed")
	}
	draft, err := w.pages.OpenData.Draft(t.Context(), "2026-Q3")
	if err != nil || len(draft.Rows) >= len(rows)-1 {
		t.Errorf("the next table still has what was taken back: %d rows, %v", len(draft.Rows), err)
	}
}

// TestOpenDataOfOneForce: who sees one force alone does not publish for all.
func TestOpenDataOfOneForce(t *testing.T) {
	w := newWorld(t).staff()
	w.answersOver(5)
	w.person("kit", "Kent Police", "commissioner")
	w.want(w.get("kit", "/figures/open-data"), http.StatusOK, "sees them all")
	w.want(w.post("kit", "/figures/open-data", "quarter", "2026-Q3"), http.StatusForbidden)
}
