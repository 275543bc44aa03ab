package app_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"victimvoice/analysis"
	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/corpus"
	"victimvoice/internal/app"
	"victimvoice/internal/seal"
)

// keepCoded keeps n texts, one a person, as people coded them who ask for more
// than the coder that ships.
func keepCoded(d *desk, n int) {
	d.t.Helper()
	fail := func(err error) {
		d.t.Helper()
		if err != nil {
			d.t.Fatal(err)
		}
	}
	book, err := codebook.Load()
	fail(err)
	shipped, err := coding.New(book)
	fail(err)
	var moved []coding.Threshold
	for _, code := range book.IDs() {
		moved = append(moved, coding.Threshold{Code: code, Is: 0.6})
	}
	people, err := shipped.With(1, moved)
	fail(err)
	comments, err := corpus.Load(os.DirFS("../../analysis/testdata/corpus/train"))
	fail(err)
	keys, err := seal.Parse(d.env["VICTIMVOICE_KEYS"])
	fail(err)
	store, err := app.OpenStore(d.t.Context(), d.env["VICTIMVOICE_STORE"])
	fail(err)
	defer store.Close()
	for i := range comments[:n] {
		words := strings.Fields(comments[i].Text) // half of a text, since the model has learnt from the whole
		text := strings.Join(words[:(len(words)+1)/2], " ")
		id := fmt.Sprintf("p%04d/open.better", i)
		sealed, err := keys.SealString(seal.Purpose("coding", id), text)
		fail(err)
		labels := []analysis.Label{}
		for _, l := range people.Code(text) {
			labels = append(labels, analysis.Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End, Confidence: 1, By: "ines"})
		}
		_, err = store.UpdateCoding(d.t.Context(), id, func(c *analysis.Coding) error {
			*c = analysis.Coding{ID: id, Version: c.Version, Response: strings.TrimSuffix(id, "/open.better"), Item: "open.better", Language: "en", Text: sealed, Labels: labels, Status: analysis.StatusCoded,
				History: []analysis.Reading{{By: "ines", How: analysis.DrawnRandom, Blind: true, After: labels}}}
			return nil
		})
		fail(err)
	}
}

// TestTuneByCommand: too little is said to be too little, enough is tried, kept,
// listed, and taken back.
func TestTuneByCommand(t *testing.T) {
	d := newDesk(t)
	if out := d.must("themes", "tune"); !strings.Contains(out, "nothing is changed") || !strings.Contains(out, "at least 100") {
		t.Errorf("of nothing: %s", out)
	}
	if r := d.run("themes", "tune", "--activate", "1"); r.code != 1 || !strings.Contains(r.err, "There is no version 1") {
		t.Errorf("of no version: %+v", r)
	}
	keepCoded(d, 200)
	for _, step := range []struct{ args, says string }{
		{"--dry-run", "would be kept as a new version"},
		{"--list", "as shipped"},
		{"", "kept as version 1"},
		{"", "version 1 has these thresholds and is in use"},
		{"--list", "operator"},
		{"--activate 0", "version 0 is in use"},
		{"--dry-run", "version 1 has these thresholds and would be taken into use"},
		{"", "kept as version 1"},
	} {
		out := d.must(append([]string{"themes", "tune"}, strings.Fields(step.args)...)...)
		if !strings.Contains(out, step.says) {
			t.Errorf("tune %s: want %q in\n%s", step.args, step.says, out)
		}
		if step.args == "" && (!strings.Contains(out, "theme and polarity, F1: 0.") || !strings.Contains(out, ", was 0.")) {
			t.Errorf("no scores before and after:\n%s", out)
		}
		if lines := strings.Split(out, "\n"); step.args == "--list" && strings.Contains(lines[1], "in use") == (len(lines) > 3) {
			t.Errorf("what is in use:\n%s", out)
		}
	}
	if out := d.must("themes", "recode"); !strings.Contains(out, ".t1: 200 texts") {
		t.Errorf("recode: %s", out)
	}
}

// TestRetrainByCommand: too little is said to be too little, and the list of versions
// is the same for both commands.
func TestRetrainByCommand(t *testing.T) {
	d := newDesk(t)
	keepCoded(d, 200)
	if out := d.must("themes", "retrain"); !strings.Contains(out, "nothing is changed") || !strings.Contains(out, "of 200 persons that were drawn at random, of which at least 100") || !strings.Contains(out, "of 0 others, of which at least 50") {
		t.Errorf("of too few: %s", out)
	}
	for _, args := range []string{"--activate 1", "--drop 1"} {
		if r := d.run(append([]string{"themes", "retrain"}, strings.Fields(args)...)...); r.code != 1 || !strings.Contains(r.err, "There is no version 1") {
			t.Errorf("%s: %+v", args, r)
		}
	}
	d.must("themes", "tune")
	if r := d.run("themes", "retrain", "--drop", "1"); r.code != 1 || !strings.Contains(r.err, "has the model that shipped") {
		t.Errorf("dropping thresholds: %+v", r)
	}
	if a, b := d.must("themes", "tune", "--list"), d.must("themes", "retrain", "--list"); a != b || !strings.Contains(a, "thresholds") {
		t.Errorf("the lists:\n%s\n%s", a, b)
	}
	if out := d.must("themes", "retrain", "--activate", "0"); !strings.Contains(out, "version 0 is in use") {
		t.Error(out)
	}
}
