package tables_test

import (
	"reflect"
	"slices"
	"testing"

	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
)

// TestOne: a figure's rows say what is withheld, what nobody answered and what rests
// on few, and by which polarity table it was judged; what is withheld has no number.
func TestOne(t *testing.T) {
	n := func(v float64) *float64 { return &v }
	r := &figures.Result{
		Measure: figures.Measure{ID: "advice.harmful", Title: "Harmful advice", Numerator: "people told", Base: "people given advice"},
		By:      []string{figures.DimBCU},
		Points: []figures.Point{
			{Key: map[string]string{"force": "a", "bcu": "West"}, Numerator: 12, Base: 40, Share: n(30), Low: n(18), High: n(45), Polarity: "2"},
			{Key: map[string]string{"force": "b", "bcu": "West"}, Numerator: 6, Base: 20, Share: n(30), Low: n(14), High: n(52), Small: true, Polarity: figures.MixedCoders},
			{Key: map[string]string{"force": "b", "bcu": "East"}, Numerator: 1, Base: 4, Suppressed: true, Reason: "few"},
			{Key: map[string]string{"force": "b", "bcu": "North"}},
		},
	}
	table := tables.One(r)
	var ids []string
	for _, c := range table.Columns {
		ids = append(ids, c.ID)
		if c.Meaning == "" {
			t.Errorf("%s has no meaning", c.ID)
		}
	}
	for _, want := range []string{"force", "bcu", "symbol", "polarity_table"} {
		if !slices.Contains(ids, want) {
			t.Fatalf("no column %s in %v", want, ids)
		}
	}
	var got [][]any
	for row, err := range table.Rows {
		if err != nil {
			t.Fatal(err)
		}
		var some []any
		for _, id := range []string{"force", "bcu", "numerator", "base", "share", "symbol", "reason", "polarity_table"} {
			some = append(some, row[slices.Index(ids, id)])
		}
		got = append(got, some)
	}
	want := [][]any{
		{"a", "West", 12, 40, 30.0, "", "", "2"},
		{"b", "West", 6, 20, 30.0, tables.MarkSmall, "", "mixed"},
		{"b", "East", nil, nil, nil, tables.MarkWithheld, "few", ""},
		{"b", "North", nil, nil, nil, tables.MarkNone, "", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
