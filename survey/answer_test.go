package survey_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// TestFollowTellsNothing: whatever the token, the same calls and the same answer.
func TestFollowTellsNothing(t *testing.T) {
	w := roomtest.New(t)
	refused := w.Invited(1)
	if err := w.Survey.Refuse(t.Context(), refused, false); err != nil {
		t.Fatal(err)
	}
	used := w.Invited(2)
	st := w.Sit(used, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Submit(st, survey.Ticks{})
	voided := w.Invited(3)
	st = w.Sit(voided, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(st, survey.Ticks{})
	if _, err := w.Survey.VoidResponse(t.Context(), audit.Entry{Actor: "ann"}, r.ID); err != nil {
		t.Fatal(err)
	}
	merged := w.Invited(4)
	w.Receive(roomtest.Event(4, "merged", survey.CasesMerged, w.Clock.Now(), func(e *survey.Event) { e.Into = "other" }))
	open := w.Invited(5)

	w.Store.Calls()
	if _, err := w.Survey.Follow(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	want := w.Store.Calls()
	expired := w.Invited(6)
	for name, token := range map[string]string{
		"unknown": seal.NewToken(), "empty": "", "not a token": "../../etc/passwd", "megabyte": strings.Repeat("a", 1<<20),
		"refused": refused, "used": used, "voided": voided, "merged": merged,
	} {
		w.Store.Calls()
		d, err := w.Survey.Follow(t.Context(), token)
		if err != survey.ErrClosed || d != (survey.Door{}) { //nolint:errorlint // the very same, unwrapped
			t.Errorf("%s: %+v %v", name, d, err)
		}
		if d := cmp.Diff(want, w.Store.Calls()); d != "" {
			t.Errorf("%s: other calls than for an open link:\n%s", name, d)
		}
		if _, _, err := w.Survey.Begin(t.Context(), token, "", false); !survey.IsClosed(err) {
			t.Errorf("%s: begin: %v", name, err)
		}
		if err := w.Survey.Refuse(t.Context(), token, false); !survey.IsClosed(err) {
			t.Errorf("%s: refuse: %v", name, err)
		}
	}
	w.Clock.Pass(14 * day)
	w.Store.Calls()
	if _, err := w.Survey.Follow(t.Context(), expired); err != survey.ErrClosed { //nolint:errorlint // the very same, unwrapped
		t.Errorf("expired: %v", err)
	}
	if d := cmp.Diff(want, w.Store.Calls()); d != "" {
		t.Errorf("expired: other calls:\n%s", d)
	}
}

// TestFollowChangesNothing, however often a scanner opens the link.
func TestFollowChangesNothing(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	before := w.Case(1)
	w.Store.Calls()
	for range 5 {
		if d, err := w.Survey.Follow(t.Context(), token); err != nil || d.Begun {
			t.Fatalf("%+v %v", d, err)
		}
	}
	for _, c := range w.Store.Calls() {
		if strings.HasPrefix(c, "Update") || strings.HasPrefix(c, "Insert") {
			t.Errorf("looking at a link calls %s", c)
		}
	}
	if d := cmp.Diff(before, w.Case(1)); d != "" {
		t.Error(d)
	}
}

func TestSaveIsIdempotentAndKeepsWhatWasThere(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	answers := func() questionnaires.Answers {
		sh, err := w.Survey.Sheet(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		return sh.Answers
	}
	given := map[string]string{"core.confidence": "not-very", "core.informed": "very-well"}
	for range 3 {
		w.Answer(st, given)
	}
	want := questionnaires.Answers{
		"core.confidence": {State: questionnaires.Answered, Choice: "not-very"}, "core.informed": {State: questionnaires.Answered, Choice: "very-well"},
	}
	if d := cmp.Diff(want, answers()); d != "" {
		t.Error(d)
	}
	if v := w.Invite(1, survey.StageReport, 1); !v.StartedAt.Equal(w.Clock.Now()) {
		t.Errorf("started at %s", v.StartedAt)
	}
	sh, err := w.Survey.Sheet(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	if sh.Reach != 2 || !sh.Begun || sh.Over {
		t.Errorf("the sheet: %+v", sh)
	}
	// An empty form passes a page; over an earlier answer it does not undo it.
	for _, p := range []int{0, 2} {
		if err := w.Survey.Save(t.Context(), st, sh.Pages[p], questionnaires.Answers{}); err != nil {
			t.Fatal(err)
		}
	}
	want["core.advice"] = questionnaires.Answer{State: questionnaires.Skipped}
	if d := cmp.Diff(want, answers()); d != "" {
		t.Error(d)
	}
	// Pages may come in any order, another answer takes an earlier one's place, and items of other pages are not taken.
	if err := w.Survey.Save(t.Context(), st, sh.Pages[4], questionnaires.Answers{"core.safer": {State: questionnaires.Answered, Choice: "bit-safer"}, "core.confidence": {State: questionnaires.Answered, Choice: "very"}}); err != nil {
		t.Fatal(err)
	}
	w.Answer(st, map[string]string{"core.informed": "not-very-well"})
	want["core.safer"] = questionnaires.Answer{State: questionnaires.Answered, Choice: "bit-safer"}
	want["core.informed"] = questionnaires.Answer{State: questionnaires.Answered, Choice: "not-very-well"}
	if d := cmp.Diff(want, answers()); d != "" {
		t.Error(d)
	}
	// What the questionnaire could not have given is refused whole.
	for name, a := range map[string]questionnaires.Answer{
		"an option of no such name": {State: questionnaires.Answered, Choice: "excellent"},
		"two answers to one":        {State: questionnaires.Answered, Choices: []string{"agree", "disagree"}},
		"words for a choice":        {State: questionnaires.Answered, Text: "yes"},
	} {
		roomtest.Want(t, w.Survey.Save(t.Context(), st, sh.Pages[3], questionnaires.Answers{"core.serious": a}), fault.Invalid, name)
	}
	last := sh.Pages[len(sh.Pages)-1]
	for name, text := range map[string]string{"a text of 100 KB": strings.Repeat("x", 100<<10), "bytes that are no text": "\xff\xfe"} {
		err := w.Survey.Save(t.Context(), st, last, questionnaires.Answers{"open.well": {State: questionnaires.Answered, Text: text}})
		roomtest.Want(t, err, fault.Invalid, name)
		if fs := fault.FieldsOf(err); len(fs) != 1 || fs[0].Field != "open.well" {
			t.Errorf("%s: %+v", name, fs)
		}
	}
	if d := cmp.Diff(want, answers()); d != "" {
		t.Errorf("a refused page was kept:\n%s", d)
	}
}

// whole answers a report survey from its first page to its last.
var whole = map[string]string{
	"core.confidence": "not-very", "core.informed": "not-very-well", "core.advice": "disagree", "core.serious": "agree", "core.safer": "much-less-safe", "core.overall": "neither",
	"report.named": "yes", "report.pattern": "not-sure", "open.better": "Nobody ever rang me back.",
}

// TestSubmitOnce: two tabs, a double click, a replay.
func TestSubmitOnce(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	tabs := []survey.Sitting{w.Sit(token, false), w.Sit(token, false)}
	if _, _, err := w.Survey.Submit(t.Context(), tabs[0], survey.Ticks{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("sending nothing: %v", err)
	}
	w.Answer(tabs[0], map[string]string{"core.confidence": "very"})
	w.Answer(tabs[1], whole)
	var wg sync.WaitGroup
	codes := make([]string, 16)
	rs := make([]survey.Response, len(codes))
	for i := range codes {
		wg.Go(func() {
			r, code, err := w.Survey.Submit(t.Context(), tabs[i%2], survey.Ticks{Told: true})
			if err != nil {
				t.Error(err)
			}
			codes[i], rs[i] = code, r
		})
	}
	wg.Wait()
	for i := range codes {
		if codes[i] != codes[0] || codes[i] == "" {
			t.Errorf("receipts %q and %q", codes[0], codes[i])
		}
		if d := cmp.Diff(rs[0], rs[i]); d != "" {
			t.Errorf("two responses:\n%s", d)
		}
	}
	kept, err := w.Store.ResponsesOf(t.Context(), w.Case(1).Respondent)
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d responses, %v", len(kept), err)
	}
	r := kept[0]
	if r.State != survey.Complete || r.Draft != nil || !r.FollowUp || !r.Uncoded || r.Ticks != (survey.Ticks{Told: true}) || r.Quick || len(r.Hits) != 1 || r.Hits[0].Rule != "much-less-safe" {
		t.Errorf("the response: %+v", r)
	}
	if w.Survey.ReceiptCode(tabs[0]) != codes[0] {
		t.Error("the last page shown again gives another receipt")
	}
	words, err := w.Survey.Words(&r)
	if err != nil || !maps.Equal(words, map[string]string{"open.better": "Nobody ever rang me back."}) {
		t.Errorf("words: %v %v", words, err)
	}
	// And later, with other ticks, after a restart: the first one stands.
	w.Restart()
	w.Clock.Pass(time.Minute)
	again, code, err := w.Survey.Submit(t.Context(), tabs[1], survey.Ticks{Share: true})
	if err != nil || code != codes[0] {
		t.Errorf("%q %v", code, err)
	}
	if d := cmp.Diff(r, again); d != "" {
		t.Errorf("sending again changed it:\n%s", d)
	}
	roomtest.Want(t, w.TryAnswer(tabs[0], map[string]string{"core.confidence": "not-at-all"}), fault.Conflict, "a page after sending")
	if st, err := w.Store.Sitting(t.Context(), tabs[0].ID); err != nil || !st.Over {
		t.Errorf("the session: %+v %v", st, err)
	}
}

func TestSubmitCrashes(t *testing.T) {
	sittings := map[*roomtest.World]survey.Sitting{}
	roomtest.EachCrash(t, func(w *roomtest.World) {
		sittings[w] = w.Sit(w.Invited(1), false)
		w.Answer(sittings[w], whole)
	}, func(w *roomtest.World) error {
		_, _, err := w.Survey.Submit(t.Context(), sittings[w], survey.Ticks{Told: true})
		return err
	}, func(w *roomtest.World, crash string) {
		w.Clock.Pass(time.Second)
		r, code, err := w.Survey.Submit(t.Context(), sittings[w], survey.Ticks{Told: true})
		if err != nil || code != w.Survey.ReceiptCode(sittings[w]) || r.State != survey.Complete || !r.Ticks.Told {
			t.Errorf("%s: %+v %v", crash, r, err)
		}
		rs, err := w.Store.ResponsesOf(t.Context(), w.Case(1).Respondent)
		if err != nil || len(rs) != 1 || !rs[0].FollowUp {
			t.Errorf("%s: %d responses, %v", crash, len(rs), err)
		}
		if _, err := w.Survey.WithdrawAnswers(t.Context(), code); err != nil {
			t.Errorf("%s: the receipt does not open: %v", crash, err)
		}
	})
}

func TestSaveCrashes(t *testing.T) {
	sittings := map[*roomtest.World]survey.Sitting{}
	save := func(w *roomtest.World) error {
		return w.TryAnswer(sittings[w], map[string]string{"core.confidence": "very"})
	}
	roomtest.EachCrash(t, func(w *roomtest.World) { sittings[w] = w.Sit(w.Invited(1), false) }, save, func(w *roomtest.World, crash string) {
		if err := save(w); err != nil {
			t.Errorf("%s: %v", crash, err)
		}
		if v := w.Invite(1, survey.StageReport, 1); v.StartedAt.IsZero() {
			t.Errorf("%s: the invitation is not marked as started", crash)
		}
		r := w.Response(sittings[w].Response)
		if r.State != survey.Draft || len(r.Draft) == 0 {
			t.Errorf("%s: %+v", crash, r)
		}
	})
}

func TestQuickPath(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), true)
	w.Answer(st, map[string]string{"core.confidence": "very", "core.informed": "very-well", "core.advice": "no-advice"})
	sh, err := w.Survey.Sheet(t.Context(), st)
	if err != nil || len(sh.Pages) != 3 || sh.Reach != 3 {
		t.Fatalf("%d pages, at %d, %v", len(sh.Pages), sh.Reach, err)
	}
	r, _ := w.Submit(st, survey.Ticks{})
	if !r.Quick || r.State != survey.Complete || r.Uncoded {
		t.Errorf("%+v", r)
	}
}

// TestQuickAfterTheFullPath: who has answered more, stops and comes back for
// the quick path loses none of it, danger signs least of all.
func TestQuickAfterTheFullPath(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	st := w.Sit(token, false)
	w.Answer(st, map[string]string{"core.serious": "agree", "core.safer": "much-less-safe"})
	st = w.Sit(token, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	r, _ := w.Submit(st, survey.Ticks{})
	if len(r.Hits) != 1 || r.Quick {
		t.Errorf("hits %+v, quick %t", r.Hits, r.Quick)
	}
	// The other way round: from the quick path on to the full one.
	token = w.Invited(2)
	st = w.Sit(token, true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	st = w.Sit(token, false)
	w.Answer(st, map[string]string{"core.safer": "much-less-safe"})
	if r, _ = w.Submit(st, survey.Ticks{}); len(r.Hits) != 1 || r.Quick {
		t.Errorf("hits %+v, quick %t", r.Hits, r.Quick)
	}
}

func TestSittings(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	begin := func() string {
		secret, _, err := w.Survey.Begin(t.Context(), token, "cy", false)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	secret := begin()
	for range 5 { // each page asked for keeps it alive
		w.Clock.Pass(50 * time.Minute)
		if st, err := w.Survey.Sitting(t.Context(), secret); err != nil || st.Language != "cy" {
			t.Fatalf("%+v %v", st, err)
		}
	}
	w.Clock.Pass(time.Hour)
	if _, err := w.Survey.Sitting(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("after an hour without a page: %v", err)
	}
	secret = begin()
	for range 2 {
		if err := w.Survey.Leave(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Survey.Sitting(t.Context(), secret); !survey.IsClosed(err) {
		t.Errorf("after leaving: %v", err)
	}
	for _, other := range []string{"", seal.NewToken(), secret + "x"} {
		if _, err := w.Survey.Sitting(t.Context(), other); !survey.IsClosed(err) {
			t.Errorf("a secret that never was: %v", err)
		}
		if err := w.Survey.Leave(t.Context(), other); err != nil {
			t.Errorf("leaving what never was: %v", err)
		}
	}
	// The time to answer ends, whatever the session.
	st := w.Sit(token, false)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	w.Clock.Set(st.ClosesAt)
	if err := w.TryAnswer(st, map[string]string{"core.informed": "very-well"}); !survey.IsClosed(err) {
		t.Errorf("a page after the time: %v", err)
	}
	if _, _, err := w.Survey.Submit(t.Context(), st, survey.Ticks{}); !survey.IsClosed(err) {
		t.Errorf("sending after the time: %v", err)
	}
}

func TestCloseDrafts(t *testing.T) {
	w := roomtest.New(t)
	partial := w.Sit(w.Invited(1), false)
	w.Answer(partial, map[string]string{"core.safer": "much-less-safe", "open.well": "A kind officer."})
	lapsed := w.Sit(w.Invited(2), false)
	w.Answer(lapsed, map[string]string{"report.named": "yes", "open.well": "Only words."})
	spoilt := w.Sit(w.Invited(3), false)
	w.Answer(spoilt, map[string]string{"core.confidence": "very"})
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); err != nil || n != 0 {
		t.Fatalf("closed %d before their time, %v", n, err)
	}
	if _, err := w.Store.UpdateResponse(t.Context(), spoilt.Response, func(r *survey.Response) error {
		r.Draft, r.ClosesAt = []byte("spoilt"), partial.ClosesAt.Add(-time.Minute) // the first of the list
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Set(lapsed.ClosesAt)
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); err == nil || n != 2 {
		t.Errorf("closed %d, %v: want 2, and the fault of the spoilt one", n, err)
	}
	if n, err := w.Survey.CloseDrafts(t.Context(), 10); err == nil || n != 0 {
		t.Errorf("closed %d again, %v", n, err)
	}
	r := w.Response(partial.Response)
	words, err := w.Survey.Words(&r)
	if r.State != survey.Partial || r.Draft != nil || len(r.Hits) != 1 || !r.FollowUp || !r.Uncoded || err != nil || words["open.well"] == "" || r.Ticks != (survey.Ticks{}) {
		t.Errorf("partial: %+v %v", r, err)
	}
	r = w.Response(lapsed.Response)
	if r.State != survey.Lapsed || r.Draft != nil || r.Packed != nil || r.Words != nil || r.Hits != nil {
		t.Errorf("lapsed: %+v", r)
	}
}

// TestWithdrawAnswers leaves a tombstone and nothing in it.
func TestWithdrawAnswers(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), false)
	w.Answer(st, whole)
	_, code := w.Submit(st, survey.Ticks{Quote: true, Told: true, Contact: true, Share: true})
	for name, typed := range map[string]string{"no code": "", "not of ours": "not a code", "one letter wrong": "0" + code[1:] + "0"} {
		if _, err := w.Survey.WithdrawAnswers(t.Context(), typed); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Survey.WithdrawAnswers(t.Context(), seal.NewCode(4)); !survey.IsClosed(err) {
		t.Errorf("a code that opens nothing: %v", err)
	}
	w.Clock.Pass(day)
	typed := " " + strings.ToLower(strings.ReplaceAll(code, "-", " "))
	for i := range 2 {
		r, err := w.Survey.WithdrawAnswers(t.Context(), typed)
		if err != nil {
			t.Fatal(err)
		}
		want := survey.Response{
			ID: r.ID, Version: r.Version, Respondent: w.Case(1).Respondent, Stage: survey.StageReport, Round: 1, Mode: survey.ModeSelf, Questionnaire: "report/1",
			State: survey.Withdrawn, Receipt: r.Receipt, ChangedAt: w.Clock.Now(), FollowUp: true,
		}
		if d := cmp.Diff(want, w.Response(r.ID)); d != "" {
			t.Errorf("time %d: left behind:\n%s", i+1, d)
		}
	}
	if got := w.Actions("response:" + st.Response); !slices.Equal(got, []string{"response.withdrawn", "response.withdrawn"}) {
		t.Errorf("traces: %v", got)
	}
}

func TestVoidResponse(t *testing.T) {
	w := roomtest.New(t)
	st := w.Sit(w.Invited(1), true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	by := audit.Entry{Actor: "ann", Role: "advocate", Reason: "not theirs"}
	if _, err := w.Survey.VoidResponse(t.Context(), by, st.Response); !survey.IsClosed(err) {
		t.Errorf("a draft: %v", err)
	}
	if _, err := w.Survey.VoidResponse(t.Context(), by, "nothing"); !survey.IsClosed(err) {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := w.Store.Response(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("voiding made a response: %v", err)
	}
	w.Submit(st, survey.Ticks{})
	r, err := w.Survey.VoidResponse(t.Context(), by, st.Response)
	if err != nil || r.State != survey.Void || r.Packed != nil || !r.FollowUp {
		t.Errorf("%+v %v", r, err)
	}
	var last audit.Entry
	for e, err := range w.Audit.All(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.Action != "response.voided" || last.Actor != "ann" || last.Role != "advocate" || last.Reason != "not theirs" || last.Subject != "response:"+r.ID {
		t.Errorf("trace: %+v", last)
	}
	// Without a trace there is no removal.
	st = w.Sit(w.Invited(2), true)
	w.Answer(st, map[string]string{"core.confidence": "very"})
	_, code := w.Submit(st, survey.Ticks{})
	w.Store.Fail(func(call string) error {
		if call == "InsertEntries" {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	if _, err := w.Survey.VoidResponse(t.Context(), by, st.Response); !fault.Is(err, fault.Unavailable) {
		t.Errorf("voided without a trace: %v", err)
	}
	if _, err := w.Survey.WithdrawAnswers(t.Context(), code); !fault.Is(err, fault.Unavailable) {
		t.Errorf("withdrawn without a trace: %v", err)
	}
	if r := w.Response(st.Response); r.State != survey.Complete {
		t.Errorf("removed without a trace: %s", r.State)
	}
}

// TestRefuseCrashes: the same button mends whatever a crash left out.
func TestRefuseCrashes(t *testing.T) {
	for _, notMe := range []bool{false, true} {
		t.Run(fmt.Sprintf("not me: %t", notMe), func(t *testing.T) {
			tokens := map[*roomtest.World]string{}
			roomtest.EachCrash(t, func(w *roomtest.World) { tokens[w] = w.Invited(1) }, func(w *roomtest.World) error {
				return w.Survey.Refuse(t.Context(), tokens[w], notMe)
			}, func(w *roomtest.World, crash string) {
				if err := w.Survey.Refuse(t.Context(), tokens[w], notMe); err != nil && !survey.IsClosed(err) {
					t.Errorf("%s: %v", crash, err)
				}
				// The address is refused in every other case too.
				w.Receive(roomtest.Report(2, w.Clock.Now(), func(e *survey.Event) { e.Contact.Email = roomtest.Address(1) }))
				want := map[bool]survey.Reason{false: survey.ReasonOptedOut, true: survey.NotSafe}[notMe]
				for n := 1; n <= 2; n++ {
					for _, v := range w.Case(n).Invites {
						if v.First.State == survey.MailPlanned || v.First.State == survey.MailRefused && v.First.Reason != want {
							t.Errorf("%s: case %d, %s/%d is %s %s", crash, n, v.Stage, v.Round, v.First.State, v.First.Reason)
						}
					}
				}
				if got := w.Actions("case:" + w.Case(1).ID); len(got) == 0 {
					t.Errorf("%s: no trace", crash)
				}
			})
		})
	}
}

// TestRefuseMarksTheAddressWrittenTo, not the one that took its place.
func TestRefuseMarksTheAddressWrittenTo(t *testing.T) {
	w := roomtest.New(t)
	token := w.Invited(1)
	w.Receive(roomtest.Event(1, "moved", survey.ContactChanged, w.Clock.Now(), func(e *survey.Event) {
		at := w.Clock.Now()
		e.Contact = &survey.Contact{Email: "moved@example.org", EmailSafe: yes(), SafeConfirmedAt: &at}
	}))
	if err := w.Survey.Refuse(t.Context(), token, true); err != nil {
		t.Fatal(err)
	}
	for _, v := range w.Case(1).Invites[1:] {
		if v.First.State != survey.MailPlanned {
			t.Errorf("%s/%d is %s %s: somebody else at the old address spoke for the new one", v.Stage, v.Round, v.First.State, v.First.Reason)
		}
	}
	// An advocate can have the address written to again.
	w = roomtest.New(t)
	if err := w.Survey.Refuse(t.Context(), w.Invited(1), true); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(time.Hour)
	if err := w.Survey.WriteAgain(t.Context(), survey.Actor{ID: "ann"}, w.Case(1).Facts.Advocate, w.Case(1).ID); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(27 * day)
	e, _ := w.Mail()
	if e.Stage != survey.StageInvestigation {
		t.Errorf("%+v", e)
	}
}

// BenchmarkSubmit measures a quick survey from its link to its receipt, on
// SQLite forced to the disk, many people at once: a session, three pages, sending.
func BenchmarkSubmit(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "store.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	w := roomtest.Over(b, db)
	tokens := make([]string, b.N)
	for i := range tokens {
		w.Receive(roomtest.Report(i, w.Clock.Now()))
	}
	w.Clock.Pass(day)
	due := w.Due()
	for len(due) < b.N {
		due = append(due, w.Due()...)
	}
	for i, e := range due {
		m, err := w.Survey.Claim(b.Context(), e)
		if err != nil {
			b.Fatal(err)
		}
		tokens[i] = m.Token
	}
	var next atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			st := w.Sit(tokens[next.Add(1)-1], true)
			w.Answer(st, map[string]string{"core.confidence": "very", "core.informed": "very-well", "core.advice": "agree"})
			w.Submit(st, survey.Ticks{})
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
}
