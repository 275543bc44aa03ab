package analysis_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

const (
	day  = 24 * time.Hour
	said = "Nobody ever rang me back, and Sergeant Kowalczyk on 07700 900123 was rude."
)

// spoken sends case n's report survey with words.
func spoken(w *roomtest.World, n int, language, words string) (survey.Response, string) {
	w.TB.Helper()
	_, st, err := w.Survey.Begin(w.TB.Context(), w.Invited(n), language, false)
	if err != nil {
		w.TB.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.confidence": "not-very", "open.better": words})
	return w.Submit(st, survey.Ticks{})
}

func code(w *roomtest.World) int {
	w.TB.Helper()
	n, err := w.Analysis.CodeWaiting(w.TB.Context())
	if err != nil {
		w.TB.Fatal(err)
	}
	return n
}

func codings(w *roomtest.World, response string) []analysis.Coding {
	w.TB.Helper()
	cs, err := w.Analysis.CodingsOf(w.TB.Context(), response)
	if err != nil {
		w.TB.Fatal(err)
	}
	return cs
}

func TestCodingIsRedactedSealedAndVersioned(t *testing.T) {
	w := roomtest.New(t)
	r, _ := spoken(w, 1, "en", said)
	if n := code(w); n != 1 {
		t.Fatalf("%d coded", n)
	}
	if n := code(w); n != 0 {
		t.Errorf("%d coded again", n)
	}
	cs := codings(w, r.ID)
	if len(cs) != 1 {
		t.Fatalf("%+v", cs)
	}
	c := cs[0]
	if c.Status != analysis.StatusCoded || c.Codebook == "" || c.Item != "open.better" || c.Stage != survey.StageReport || c.Language != "en" || len(c.Labels) == 0 {
		t.Errorf("%+v", c)
	}
	if bytes.Contains(c.Text, []byte("rang")) {
		t.Error("the redacted text is not sealed")
	}
	text, err := w.Analysis.Text(&c)
	if err != nil || !strings.HasPrefix(text, "Nobody ever rang me back") || strings.Contains(text, "Kowalczyk") || strings.Contains(text, "900123") {
		t.Errorf("%q %v", text, err)
	}
	for _, l := range c.Labels {
		if l.Start < 0 || l.End <= l.Start || l.End > len(text) {
			t.Errorf("a span outside the redacted text: %+v", l)
		}
	}
	// Sealed for its own place: it does not open as another coding's.
	c.ID = "other/open.better"
	if _, err := w.Analysis.Text(&c); err == nil {
		t.Error("the text opens in another coding's place")
	}
}

func TestCodingCrashes(t *testing.T) {
	ids := map[*roomtest.World]string{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		r, _ := spoken(w, 1, "en", said)
		ids[w] = r.ID
	}, func(w *roomtest.World) error {
		_, err := w.Analysis.CodeWaiting(t.Context())
		return err
	}, func(w *roomtest.World, crash string) {
		code(w)
		if cs := codings(w, ids[w]); len(cs) != 1 || cs[0].Status != analysis.StatusCoded || len(cs[0].Labels) == 0 {
			t.Errorf("%s: %+v", crash, cs)
		}
		if w.Response(ids[w]).Uncoded {
			t.Errorf("%s: still to be coded", crash)
		}
	})
}

// What a text shows goes before how the pages were set.
func TestOtherLanguagesAreLeftForAPerson(t *testing.T) {
	const polish = "Nikt do mnie nie oddzwonił i nic mi nie powiedziano."
	for _, tc := range []struct{ marked, text, status, language string }{
		{"en-GB", said, analysis.StatusCoded, "en-GB"},
		{"en", polish, analysis.StatusOtherLanguage, "pl"},
		{"cy", polish, analysis.StatusOtherLanguage, "pl"},
		{"cy", said, analysis.StatusCoded, "en"},
		{"pl", "OK", analysis.StatusOtherLanguage, "pl"},
		{"en", "OK", analysis.StatusCoded, "en"},
		{"ur", "کسی نے مجھے فون نہیں کیا", analysis.StatusOtherLanguage, "ur"},
	} {
		w := roomtest.New(t)
		r, _ := spoken(w, 1, tc.marked, tc.text)
		code(w)
		cs := codings(w, r.ID)
		if len(cs) != 1 || cs[0].Status != tc.status || cs[0].Language != tc.language || tc.status != analysis.StatusCoded && len(cs[0].Labels) != 0 || len(cs[0].Text) == 0 {
			t.Errorf("%+v: %+v", tc, cs)
		}
	}
}

func TestCodingGoesOnPastAFault(t *testing.T) {
	w := roomtest.New(t)
	for n := 1; n <= 3; n++ {
		spoken(w, n, "en", said)
	}
	var calls atomic.Int32
	w.Store.Fail(func(call string) error {
		if call == "UpdateCoding" && calls.Add(1) == 1 {
			return errors.New("does not fit")
		}
		return nil
	})
	if n, err := w.Analysis.CodeWaiting(t.Context()); err == nil || n != 2 {
		t.Errorf("%d coded, %v", n, err)
	}
	w.Store.Fail(nil)
	if n := code(w); n != 1 {
		t.Errorf("%d left", n)
	}
}

func TestForget(t *testing.T) {
	w := roomtest.New(t)
	r, _ := spoken(w, 1, "en", said)
	code(w)
	w.Clock.Pass(time.Minute)
	for range 2 {
		if err := w.Analysis.Forget(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	cs := codings(w, r.ID)
	if len(cs) != 1 || !cs[0].Gone || cs[0].Status != analysis.StatusGone || cs[0].Text != nil || len(cs[0].Labels) != 0 || !cs[0].ChangedAt.Equal(w.Clock.Now()) {
		t.Errorf("%+v", cs)
	}
	if err := w.Analysis.Code(t.Context(), &r); err != nil { // a coder that had read it before
		t.Fatal(err)
	}
	if cs = codings(w, r.ID); !cs[0].Gone || cs[0].Text != nil {
		t.Errorf("coded again after it was forgotten: %+v", cs)
	}
}

// TestTakenBackWhileItIsCoded: the coder has read words that are taken back
// before it stores what it made of them.
func TestTakenBackWhileItIsCoded(t *testing.T) {
	w := roomtest.New(t)
	r, receipt := spoken(w, 1, "en", said)
	stale := r
	gone, err := w.Survey.WithdrawAnswers(t.Context(), receipt)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Loop.FollowUp(t.Context(), &gone); err != nil { // nothing is coded yet, so nothing to forget
		t.Fatal(err)
	}
	if err := w.Analysis.Code(t.Context(), &stale); err != nil {
		t.Fatal(err)
	}
	for _, c := range codings(w, r.ID) {
		if !c.Gone || c.Text != nil || len(c.Labels) != 0 {
			t.Errorf("words that were taken back are kept: %+v", c)
		}
	}
}

// TestAPersonsCodingStands: the machine does not undo it.
func TestAPersonsCodingStands(t *testing.T) {
	w := roomtest.New(t)
	r, _ := spoken(w, 1, "en", said)
	code(w)
	id := codings(w, r.ID)[0].ID
	if _, err := w.Store.UpdateCoding(t.Context(), id, func(c *analysis.Coding) error {
		c.Labels = []analysis.Label{{Code: "COM_CONTACT", Polarity: "positive", By: "ann"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Analysis.Code(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if cs := codings(w, r.ID); len(cs[0].Labels) != 1 || cs[0].Labels[0].By != "ann" {
		t.Errorf("%+v", cs[0].Labels)
	}
}

// put keeps one answer to the confidence question.
func put(w *roomtest.World, id, respondent string, mode survey.Mode, choice string, state survey.ResponseState, changed time.Time) {
	w.TB.Helper()
	q := w.Survey.Questionnaires().Current(survey.StageReport)
	if _, err := w.Store.UpdateResponse(w.TB.Context(), id, func(r *survey.Response) error {
		*r = survey.Response{
			ID: id, Respondent: respondent, Stage: survey.StageReport, Round: 1, Mode: mode, Questionnaire: q.ID, State: state,
			Packed:      q.Pack(questionnaires.Answers{"core.confidence": {State: questionnaires.Answered, Choice: choice}}),
			SubmittedAt: roomtest.Start(), ChangedAt: changed,
		}
		return nil
	}); err != nil {
		w.TB.Fatal(err)
	}
}

// confidence is the published share and base of the one point; base 0 when there is none.
func confidence(w *roomtest.World, query string) (share float64, base int) {
	w.TB.Helper()
	if err := w.Analysis.Refresh(w.TB.Context()); err != nil {
		w.TB.Fatal(err)
	}
	q, err := url.ParseQuery("measure=core.confidence&" + query)
	if err != nil {
		w.TB.Fatal(err)
	}
	r, err := w.Analysis.Figures(w.TB.Context(), q)
	if err != nil {
		w.TB.Fatal(err)
	}
	for _, p := range r.Points {
		if p.Share != nil {
			return *p.Share, p.Base
		}
	}
	return 0, 0
}

// TestRefreshPicksUpLateChanges: what another process stamped a little earlier
// and stored a little later, what was changed, and what was removed.
func TestRefreshPicksUpLateChanges(t *testing.T) {
	w := roomtest.New(t)
	now := w.Clock.Now()
	for i := range 40 {
		put(w, fmt.Sprint("a", i), fmt.Sprint("r", i), survey.ModeSelf, []string{"very", "not-at-all"}[i%2], survey.Complete, now)
	}
	if share, base := confidence(w, ""); share != 50 || base != 40 {
		t.Fatalf("%v of %d", share, base)
	}
	for i := range 10 { // stored now, stamped up to 50 seconds before what was seen
		put(w, fmt.Sprint("late", i), fmt.Sprint("rl", i), survey.ModeSelf, "very", survey.Complete, now.Add(-time.Duration(5*(i+1))*time.Second))
	}
	if share, base := confidence(w, ""); share != 60 || base != 50 {
		t.Errorf("late: %v of %d", share, base)
	}
	put(w, "a1", "r1", survey.ModeSelf, "very", survey.Complete, now.Add(time.Minute))
	if share, base := confidence(w, ""); share != 62 || base != 50 {
		t.Errorf("changed: %v of %d", share, base)
	}
	for i := range 10 {
		put(w, fmt.Sprint("late", i), fmt.Sprint("rl", i), survey.ModeSelf, "very", []survey.ResponseState{survey.Withdrawn, survey.Void}[i%2], now.Add(2*time.Minute))
	}
	if share, base := confidence(w, ""); share != 52.5 || base != 40 {
		t.Errorf("removed: %v of %d", share, base)
	}
	w.Restart() // a process that loads everything comes to the same
	if share, base := confidence(w, ""); share != 52.5 || base != 40 {
		t.Errorf("loaded afresh: %v of %d", share, base)
	}
	// Answers that cannot be read leave the others standing.
	if _, err := w.Store.UpdateResponse(t.Context(), "a0", func(r *survey.Response) error {
		r.Questionnaire, r.ChangedAt = "report/99", now.Add(3*time.Minute)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	put(w, "new", "rnew", survey.ModeSelf, "very", survey.Complete, now.Add(4*time.Minute))
	if _, base := confidence(w, ""); base < 40 {
		t.Errorf("one that cannot be read took others with it: %d", base)
	}
	if !strings.Contains(w.Log.String(), "cannot be read") {
		t.Error("nobody is told of what cannot be read")
	}
	// A store that is away is an error, and the next refresh goes on from there.
	w.Store.Fail(func(call string) error {
		if call == "ResponsesChanged" {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	roomtest.Want(t, w.Analysis.Refresh(t.Context()), fault.Unavailable, "refresh")
	w.Store.Fail(nil)
	if _, base := confidence(w, ""); base < 40 {
		t.Errorf("after an outage: %d", base)
	}
}

// TestRefreshThatTakesLong: a reading that goes on for minutes meets rows newer
// than its beginning, while others are stored behind the place it has passed.
func TestRefreshThatTakesLong(t *testing.T) {
	w := roomtest.New(t)
	began := w.Clock.Now()
	for i := range 30 {
		put(w, fmt.Sprint("a", i), fmt.Sprint("r", i), survey.ModeSelf, "very", survey.Complete, began)
	}
	w.Store.Fail(func(call string) error {
		switch call {
		case "ResponsesChanged": // stored before the reading ends, stamped minutes after it began
			put(w, "last", "rlast", survey.ModeSelf, "very", survey.Complete, began.Add(3*time.Minute))
		case "CodingsChanged": // stored behind the reading, half a minute after its stamp
			w.Clock.Pass(5 * time.Minute)
			put(w, "behind", "rbehind", survey.ModeSelf, "very", survey.Complete, began.Add(10*time.Second))
		}
		return nil
	})
	if _, base := confidence(w, ""); base != 31 {
		t.Fatalf("the long reading: base %d", base)
	}
	w.Store.Fail(nil)
	if _, base := confidence(w, ""); base != 32 {
		t.Errorf("what was stored behind a long reading is missed: base %d", base)
	}
}

// TestTheVictimsOwnAnswerWins over what was relayed for the same stage and round; modes are never pooled.
func TestTheVictimsOwnAnswerWins(t *testing.T) {
	w := roomtest.New(t)
	now := w.Clock.Now()
	for i := range 40 {
		r := fmt.Sprint("r", i)
		put(w, "relayed"+r, r, survey.ModeRelayed, "very", survey.Complete, now)
		put(w, "observed"+r, r, survey.ModeObserved, []string{"very", "not-at-all"}[i%2], survey.Complete, now)
		if i < 20 {
			put(w, "self"+r, r, survey.ModeSelf, []string{"very", "not-at-all"}[i%2], survey.Complete, now)
		}
	}
	for query, want := range map[string][2]float64{"": {50, 20}, "mode=self": {50, 20}, "mode=relayed": {100, 20}, "mode=observed": {50, 20}} {
		share, base := confidence(w, query)
		if query == "mode=relayed" && base == 0 {
			continue // everyone on a base under 30 is withheld, which is right too
		}
		if share != want[0] || float64(base) != want[1] {
			t.Errorf("%q: %v of %d, want %v", query, share, base, want)
		}
	}
}

func TestParseQuery(t *testing.T) {
	q, err := analysis.ParseQuery(url.Values{
		"measure": {" core.confidence "}, "by": {"month, borough", "month", ""}, "stage": {"report"}, "mode": {"self", "self"}, "from": {"2026-01"}, "to": {"2026-03-01"},
		"borough": {"Ealing"}, "offence": {" "},
	})
	if err != nil {
		t.Fatal(err)
	}
	if q.Measure != "core.confidence" || fmt.Sprint(q.By) != "[month borough]" || q.Stage != "report" || q.Mode != "self" ||
		!q.From.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || !q.To.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) || fmt.Sprint(q.Filters) != "map[borough:Ealing]" {
		t.Errorf("%+v", q)
	}
	for name, c := range map[string]struct {
		query, fields string
	}{
		"no date":              {"from=spring", "from"},
		"a month of no year":   {"to=2026-13", "to"},
		"a day that is not":    {"from=2026-02-30", "from"},
		"two measures":         {"measure=a&measure=b", "measure"},
		"two places":           {"borough=Ealing&borough=Brent", "borough"},
		"all of them at once":  {"to=x&from=y&stage=report&stage=closure", "from stage to"},
		"a time and not a day": {"from=2026-01-01T00:00:00Z", "from"},
	} {
		v, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = analysis.ParseQuery(v)
		roomtest.Want(t, err, fault.Invalid, name)
		var got []string
		for _, f := range fault.FieldsOf(err) {
			got = append(got, f.Field)
		}
		if strings.Join(got, " ") != c.fields {
			t.Errorf("%s: fields %v, want %s", name, got, c.fields)
		}
	}
	w := roomtest.New(t)
	for _, query := range []string{"", "measure=nothing", "measure=core.confidence&by=shoe-size", "measure=core.confidence&stage=none", "measure=core.confidence&colour=red"} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Analysis.Figures(t.Context(), v)
		roomtest.Want(t, err, fault.Invalid, query)
	}
}
