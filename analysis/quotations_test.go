package analysis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

const quotable = "Nobody ever rang me back. I had to ring them again and again, and each time I told it all from the start."

var quoted = survey.Ticks{Quote: true}

// readText sends case n's words and has a person code them: not rung back, and pushed
// along by the person. It gives the response and its receipt code.
func readText(w *roomtest.World, n int, ticks survey.Ticks) (survey.Response, string) {
	w.TB.Helper()
	_, st, err := w.Survey.Begin(w.TB.Context(), w.Invited(n), "en", false)
	if err != nil {
		w.TB.Fatal(err)
	}
	w.Answer(st, map[string]string{"open.better": quotable})
	r, receipt := w.Submit(st, ticks)
	if err := w.Loop.FollowUp(w.TB.Context(), &r); err != nil {
		w.TB.Fatal(err)
	}
	code(w)
	_, err = w.Store.Store.UpdateCoding(w.TB.Context(), r.ID+"/open.better", func(c *analysis.Coding) error {
		c.Labels = []analysis.Label{label(quotable, "COM_CONTACT", "negative", "Nobody ever rang me back", 1), label(quotable, "INV_PUSH", "negative", "I had to ring them again and again", 1)}
		for i := range c.Labels {
			c.Labels[i].By = ines.ID
		}
		c.Machine = c.Labels // the coder found the same
		c.History = []analysis.Reading{{At: w.Clock.Now(), By: ines.ID, How: analysis.DrawnThreshold, After: c.Labels}}
		c.ChangedAt = w.Clock.Now()
		w.Analysis.Place(c)
		return nil
	})
	if err != nil {
		w.TB.Fatal(err)
	}
	refresh(w)
	return r, receipt
}

func refresh(w *roomtest.World) {
	w.TB.Helper()
	if err := w.Analysis.Refresh(w.TB.Context()); err != nil {
		w.TB.Fatal(err)
	}
}

// others puts n more people into the panel who wrote in the same year; every other
// one was not rung back.
func others(w *roomtest.World, n int, force string) {
	w.TB.Helper()
	q := w.Survey.Questionnaires().Current("report")
	for i := range n {
		at := w.Clock.Now()
		key := fmt.Sprint(force, "-", at.Unix(), "-", i)
		w.Analysis.Panel().ApplyCases(figures.CaseRow{Key: key, ChangedAt: at, Force: force, Borough: "Ealing", BCU: "West Area", DomesticAbuse: -1, ReportedAt: at})
		if err := w.Analysis.Panel().ApplyResponses(figures.ResponseRow{ID: key, CaseKey: key, Stage: "report", Round: 1, Mode: figures.ModeSelf, Questionnaire: q.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: q.Pack(questionnaires.Answers{})}); err != nil {
			w.TB.Fatal(err)
		}
		row := figures.ThemeRow{ResponseID: key, Item: "open.better", ChangedAt: at, CodebookVersion: "1"}
		if i%2 == 0 {
			row.Labels = []figures.ThemeLabel{{Code: "COM_CONTACT", Polarity: "negative"}}
		}
		w.Analysis.Panel().ApplyThemes(row)
	}
}

func choose(words string) analysis.NewQuotation {
	at := strings.Index(quotable, words)
	return analysis.NewQuotation{Code: "COM_CONTACT", Polarity: "negative", Start: at, End: at + len(words)}
}

func allChecks() (out []string) {
	for _, c := range analysis.QuotationChecks() {
		out = append(out, c.ID)
	}
	return out
}

// confirmed has ines choose words of a response and cora confirm them.
func confirmed(w *roomtest.World, r *survey.Response) analysis.Quotation {
	w.TB.Helper()
	q, err := w.Analysis.Propose(w.TB.Context(), ines, r.ID+"/open.better", choose("Nobody ever rang me back."))
	if err != nil {
		w.TB.Fatal(err)
	}
	if q, err = w.Analysis.Confirm(w.TB.Context(), cora, r.ID, q.Version, allChecks()); err != nil {
		w.TB.Fatal(err)
	}
	return q
}

func shown(w *roomtest.World, by analysis.QuotedBy) []string {
	w.TB.Helper()
	by.Code, by.Polarity = "COM_CONTACT", "negative"
	qs, err := w.Analysis.Quoted(w.TB.Context(), by)
	if err != nil {
		w.TB.Fatal(err)
	}
	var out []string
	for _, q := range qs {
		out = append(out, q.Year+" "+q.Words)
	}
	return out
}

// TestAQuotationTakesTwo: one chooses, another looks for each thing and confirms; only
// then is it shown, and who did what and when stays.
func TestAQuotationTakesTwo(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	r, _ := readText(w, 1, quoted)
	others(w, 20, roomtest.Force)
	id := r.ID + "/open.better"
	q, err := w.Analysis.Propose(ctx, ines, id, choose("Nobody ever rang me back."))
	if err != nil || q.State != analysis.QuotationProposed {
		t.Fatalf("%+v, %v", q, err)
	}
	if strings.Contains(q.Words, "Nobody") {
		t.Error("a quotation keeps the words themselves")
	}
	_, err = w.Analysis.Propose(ctx, omar, id, choose("Nobody ever rang me back."))
	roomtest.Want(t, err, fault.Conflict, "choose of the same answers again")
	_, err = w.Analysis.Confirm(ctx, ines, r.ID, q.Version, allChecks())
	roomtest.Want(t, err, fault.Denied, "confirm one's own")
	for i := range allChecks() {
		_, err = w.Analysis.Confirm(ctx, cora, r.ID, q.Version, slices.Delete(allChecks(), i, i+1))
		roomtest.Want(t, err, fault.Invalid, "confirm without looking for everything")
	}
	if got := shown(w, analysis.QuotedBy{}); got != nil {
		t.Errorf("shown before it is confirmed: %q", got)
	}
	seen, err := w.Analysis.Review(ctx, cora, r.ID)
	if err != nil || seen.Text != quotable || seen.Own || seen.Why != "" {
		t.Errorf("%+v, %v", seen, err)
	}
	if q, err = w.Analysis.Confirm(ctx, cora, r.ID, q.Version, allChecks()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Analysis.Confirm(ctx, cora, r.ID, q.Version-1, allChecks()); err != nil {
		t.Errorf("the same form, sent twice: %v", err)
	}
	want := []string{"2026 Nobody ever rang me back."}
	for _, by := range []analysis.QuotedBy{{}, {Force: roomtest.Force}, {From: "2026", To: "2026"}, {Mode: figures.ModeSelf}} {
		if got := shown(w, by); !slices.Equal(got, want) {
			t.Errorf("%+v: %q", by, got)
		}
	}
	for _, by := range []analysis.QuotedBy{{Force: "Another Force"}, {From: "2027"}, {To: "2025"}, {Mode: figures.ModeRelayed}} {
		if got := shown(w, by); got != nil {
			t.Errorf("%+v: %q", by, got)
		}
	}
	_, err = w.Analysis.Decline(ctx, omar, r.ID, q.Version, "because")
	roomtest.Want(t, err, fault.Invalid, "take back without a reason")
	if q, err = w.Analysis.Decline(ctx, omar, r.ID, q.Version, "unique"); err != nil || q.State != analysis.QuotationTakenBack {
		t.Fatalf("%+v, %v", q, err)
	}
	if got := shown(w, analysis.QuotedBy{}); got != nil {
		t.Errorf("shown after it was taken back: %q", got)
	}
	// It may be chosen again, and everything before stays on record.
	if q, err = w.Analysis.Propose(ctx, omar, id, choose("I had to ring them again and again")); err != nil {
		t.Fatal(err)
	}
	if q, err = w.Analysis.Decline(ctx, cora, r.ID, q.Version, analysis.ReasonOther); err != nil {
		t.Fatal(err)
	}
	var history []string
	for _, h := range q.History {
		history = append(history, h.By+" "+string(h.State))
	}
	if want := []string{"ines proposed", "cora confirmed", "omar taken-back", "omar proposed", "cora declined"}; !slices.Equal(history, want) {
		t.Errorf("history %q", history)
	}
	for _, action := range []string{"quotation.proposed", "quotation.read", "quotation.confirmed", "quotation.taken-back", "quotation.declined"} {
		if len(trail(w, action)) == 0 {
			t.Errorf("%s is not on record", action)
		}
	}
}

// TestNoQuotationWithout: permission, a person's coding, a theme that the text has,
// and words that tell nobody.
func TestNoQuotationWithout(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	no, _ := readText(w, 1, survey.Ticks{Told: true, Contact: true, Share: true})
	_, err := w.Analysis.Propose(ctx, ines, no.ID+"/open.better", choose("Nobody ever rang me back."))
	roomtest.Want(t, err, fault.Conflict, "quote without permission")

	r, _ := readText(w, 2, quoted)
	id := r.ID + "/open.better"
	for name, change := range map[string]func(*analysis.NewQuotation){
		"another theme":     func(n *analysis.NewQuotation) { n.Code = "COM_COURT" },
		"the other side":    func(n *analysis.NewQuotation) { n.Polarity = "positive" },
		"nothing":           func(n *analysis.NewQuotation) { n.End = n.Start },
		"behind the end":    func(n *analysis.NewQuotation) { n.End = len(quotable) + 1 },
		"too short":         func(n *analysis.NewQuotation) { n.End = n.Start + len("Nobody ever") },
		"half a word":       func(n *analysis.NewQuotation) { n.End = n.Start + len("Nobody ever ra") },
		"a blank at an end": func(n *analysis.NewQuotation) { n.End = n.Start + len("Nobody ever rang ") },
	} {
		n := choose("Nobody ever rang me back.")
		change(&n)
		_, err := w.Analysis.Propose(ctx, ines, id, n)
		roomtest.Want(t, err, fault.Invalid, name)
	}
	// Until a person has coded it, and while it waits for a second reader, it is not for quoting.
	for _, queue := range []string{analysis.QueueOpen, analysis.QueueRandom, analysis.QueueSecond, analysis.QueueLanguage} {
		if _, err := w.Store.Store.UpdateCoding(ctx, id, func(c *analysis.Coding) error { c.Queue = queue; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Analysis.Propose(ctx, ines, id, choose("Nobody ever rang me back.")); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", queue, err)
		}
	}
	_, err = w.Analysis.Review(ctx, cora, r.ID)
	roomtest.Want(t, err, fault.NotFound, "look at what there is not")
}

func TestWordsOfAQuotation(t *testing.T) {
	for _, tc := range []struct {
		text, words string
		ok          bool
	}{
		{"They said [name] would ring. Nobody did.", "[name] would ring.", true},
		{"They said [name] would ring. Nobody did.", "name] would ring.", false},
		{"They said so to [name].", "They said so to [na", false},
		{"Ça m'a été très utile, vraiment.", "été très utile", true},
		{"Ring me on 07700 900123 at any hour.", "Ring me on 07700 900123", false},
		{strings.Repeat("so it went on ", 30), strings.TrimSpace(strings.Repeat("so it went on ", 21)), false},
	} {
		at := strings.Index(tc.text, tc.words)
		if got := analysis.QuotableWords(tc.text, at, at+len(tc.words)); (got == "") != tc.ok {
			t.Errorf("%q of %q: %q", tc.words, tc.text, got)
		}
	}
}

// TestAQuotationGoesWithItsAnswers: from the moment they are taken back nothing is
// shown, and when that is followed up nothing is left but who did what and when.
func TestAQuotationGoesWithItsAnswers(t *testing.T) {
	for _, state := range []string{"confirmed", "proposed", "declined"} {
		w := roomtest.New(t)
		ctx := t.Context()
		r, receipt := readText(w, 1, quoted)
		others(w, 20, roomtest.Force)
		q, err := w.Analysis.Propose(ctx, ines, r.ID+"/open.better", choose("Nobody ever rang me back."))
		if err != nil {
			t.Fatal(err)
		}
		switch state {
		case "confirmed":
			_, err = w.Analysis.Confirm(ctx, cora, r.ID, q.Version, allChecks())
		case "declined":
			_, err = w.Analysis.Decline(ctx, cora, r.ID, q.Version, "unique")
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(w, analysis.QuotedBy{}); (len(got) == 1) != (state == "confirmed") {
			t.Errorf("%s: %q", state, got)
		}
		gone, err := w.Survey.WithdrawAnswers(ctx, receipt)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(w, analysis.QuotedBy{}); got != nil { // neither codings nor panel know of it yet
			t.Errorf("%s: shown after the answers were taken back: %q", state, got)
		}
		if state == "proposed" {
			_, err = w.Analysis.Confirm(ctx, cora, r.ID, q.Version, allChecks())
			roomtest.Want(t, err, fault.Conflict, "confirm words that were taken back")
		}
		for range 2 { // a sweep may come again
			if err := w.Loop.FollowUp(ctx, &gone); err != nil {
				t.Fatal(err)
			}
		}
		if q, err = w.Store.Store.Quotation(ctx, r.ID); err != nil || q.State != analysis.QuotationGone || q.Words+q.Code+q.Polarity+q.Item != "" || q.Start != 0 || q.End != 0 {
			t.Errorf("%s: %+v, %v", state, q, err)
		}
		for _, h := range q.History {
			if h.Reason != "" {
				t.Errorf("%s: a reason stays: %+v", state, h)
			}
		}
		if last := q.History[len(q.History)-1]; last.State != analysis.QuotationGone || last.By != "" || len(q.History) < 2 {
			t.Errorf("%s: %+v", state, q.History)
		}
		_, err = w.Analysis.Review(ctx, cora, r.ID)
		roomtest.Want(t, err, fault.NotFound, "look at what is gone")
		_, err = w.Analysis.Decline(ctx, cora, r.ID, q.Version, analysis.ReasonOther)
		roomtest.Want(t, err, fault.NotFound, "settle what is gone")
	}
}

// TestForgettingCrashes: wherever a process dies while it follows a removal up, the
// sweep leaves nothing of the quotation.
func TestForgettingCrashes(t *testing.T) {
	ids, gone := map[*roomtest.World]string{}, map[*roomtest.World]survey.Response{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		r, receipt := readText(w, 1, quoted)
		confirmed(w, &r)
		back, err := w.Survey.WithdrawAnswers(w.TB.Context(), receipt)
		if err != nil {
			w.TB.Fatal(err)
		}
		ids[w], gone[w] = r.ID, back
	}, func(w *roomtest.World) error {
		r := gone[w]
		return w.Loop.FollowUp(w.TB.Context(), &r)
	}, func(w *roomtest.World, crash string) {
		if _, err := w.Loop.Sweep(w.TB.Context()); err != nil {
			t.Fatal(err)
		}
		if q, err := w.Store.Store.Quotation(w.TB.Context(), ids[w]); err != nil || q.State != analysis.QuotationGone || q.Code != "" {
			t.Errorf("%s: %+v, %v", crash, q, err)
		}
	})
}

// TestAQuotationGoesWithWhatItRestsOn: the permission, the label, the words where they stood.
func TestAQuotationGoesWithWhatItRestsOn(t *testing.T) {
	for name, change := range map[string]func(w *roomtest.World, id string) error{
		"the permission": func(w *roomtest.World, id string) error {
			_, err := w.Store.Store.UpdateResponse(w.TB.Context(), id, func(r *survey.Response) error { r.Ticks.Quote = false; return nil })
			return err
		},
		"the label": func(w *roomtest.World, id string) error {
			c := coding(w, id+"/open.better")
			_, err := w.Analysis.Correct(w.TB.Context(), omar, c.ID, c.Version, c.Labels[1:])
			return err
		},
		"the words": func(w *roomtest.World, id string) error {
			_, err := w.Store.Store.UpdateQuotation(w.TB.Context(), id, func(q *analysis.Quotation) error { q.End -= len(" back."); return nil })
			return err
		},
		"the coding": func(w *roomtest.World, id string) error { return w.Analysis.Forget(w.TB.Context(), id) },
	} {
		w := roomtest.New(t)
		r, _ := readText(w, 1, quoted)
		others(w, 20, roomtest.Force)
		confirmed(w, &r)
		if got := shown(w, analysis.QuotedBy{}); len(got) != 1 {
			t.Fatalf("%s: %q", name, got)
		}
		if err := change(w, r.ID); err != nil {
			t.Fatal(err)
		}
		if got := shown(w, analysis.QuotedBy{}); got != nil {
			t.Errorf("without %s: %q", name, got)
		}
	}
}

// TestAQuotationStandsUnderAPublishedFigure: none on a base under ten, and none where
// the figure is withheld for another reason, be it of one force alone.
func TestAQuotationStandsUnderAPublishedFigure(t *testing.T) {
	for _, tc := range []struct {
		here, elsewhere int // others who wrote, half of whom were not rung back
		all, own        bool
	}{
		{0, 0, false, false},
		{7, 0, false, false}, // a base of eight
		{8, 0, false, false}, // of nine
		{9, 0, false, false}, // of ten: six with it, but four without
		{12, 0, true, true},  // of thirteen: seven with, six without
		{20, 0, true, true},
		{7, 40, true, false}, // ample together, and under ten in the force
		{20, 7, true, false}, // the other force is under ten, so that this one is withheld with it
		{20, 40, true, true},
	} {
		w := roomtest.New(t)
		r, _ := readText(w, 1, quoted)
		confirmed(w, &r)
		others(w, tc.here, roomtest.Force)
		others(w, tc.elsewhere, "Another Force")
		if got := shown(w, analysis.QuotedBy{}); (len(got) == 1) != tc.all {
			t.Errorf("%d others here and %d elsewhere: %q", tc.here, tc.elsewhere, got)
		}
		if got := shown(w, analysis.QuotedBy{Force: roomtest.Force}); (len(got) == 1) != tc.own {
			t.Errorf("%d others here and %d elsewhere, in the force: %q", tc.here, tc.elsewhere, got)
		}
	}
}

// TestNobodyIsQuotedTwice: not even of what they wrote at another stage, and not
// where two were chosen at once.
func TestNobodyIsQuotedTwice(t *testing.T) {
	w := roomtest.New(t)
	ctx := t.Context()
	r, _ := readText(w, 1, quoted)
	others(w, 20, roomtest.Force)
	set := w.Survey.Questionnaires().Current("closure")
	at := w.Clock.Now()
	if err := w.Analysis.Panel().ApplyResponses(figures.ResponseRow{ID: "later", CaseKey: r.Respondent, Stage: "closure", Round: 1, Mode: figures.ModeSelf, Questionnaire: set.ID, Disposition: "complete", SubmittedAt: at, ChangedAt: at, Packed: set.Pack(questionnaires.Answers{})}); err != nil {
		t.Fatal(err)
	}
	hold := func(state analysis.QuotationState) {
		t.Helper()
		if _, err := w.Store.Store.UpdateQuotation(ctx, "later", func(q *analysis.Quotation) error {
			q.State, q.History = state, []analysis.QuotationStep{{At: at, By: omar.ID, State: state}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, state := range []analysis.QuotationState{analysis.QuotationProposed, analysis.QuotationConfirmed} {
		hold(state)
		_, err := w.Analysis.Propose(ctx, ines, r.ID+"/open.better", choose("Nobody ever rang me back."))
		roomtest.Want(t, err, fault.Conflict, "choose of somebody's answers at another stage")
	}
	hold(analysis.QuotationTakenBack)
	q := confirmed(w, &r)
	if got := shown(w, analysis.QuotedBy{}); len(got) != 1 {
		t.Errorf("%q", got)
	}
	// A form that is older, or newer, than what was read confirms nothing.
	for _, version := range []int64{q.Version - 2, q.Version + 1} {
		_, err := w.Analysis.Confirm(ctx, cora, r.ID, version, allChecks())
		roomtest.Want(t, err, fault.Conflict, "confirm another version")
	}
}

// TestFewQuotations: the latest years first, and at most so many.
func TestFewQuotations(t *testing.T) {
	w := roomtest.New(t)
	w.Clock.Set(time.Date(2026, 12, 15, 10, 0, 0, 0, time.UTC))
	for n := range analysis.MaxQuoted + 2 {
		if n == 2 {
			w.Clock.Pass(20 * 24 * time.Hour) // into January
		}
		r, _ := readText(w, n+1, quoted)
		confirmed(w, &r)
		if n == 1 || n == 3 {
			others(w, 20, roomtest.Force)
		}
	}
	got := shown(w, analysis.QuotedBy{})
	if len(got) != analysis.MaxQuoted || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) || !strings.HasPrefix(got[0], "2027") {
		t.Errorf("%q", got)
	}
	if got := shown(w, analysis.QuotedBy{To: "2026"}); len(got) != 2 {
		t.Errorf("of the year before: %q", got)
	}
	if all, err := w.Analysis.QuotationsIn(t.Context(), analysis.QuotationConfirmed); err != nil || len(all) != analysis.MaxQuoted+2 || all[0].ChangedAt.Before(all[1].ChangedAt) {
		t.Errorf("%d, %v", len(all), err)
	}
}
