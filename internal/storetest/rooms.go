package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/survey"
)

func events(t *testing.T, s Store) {
	ctx := t.Context()
	for i, e := range []survey.EventRecord{
		{ID: "new", ReceivedAt: t0.Add(time.Minute)},
		{ID: "b", ReceivedAt: t0.Add(-time.Hour)},
		{ID: "a", ReceivedAt: t0.Add(-time.Hour)},
		{ID: "first", ReceivedAt: t0.Add(-2 * time.Hour)},
		{ID: "done", ReceivedAt: t0.Add(-3 * time.Hour), Applied: true},
		{ID: "now", ReceivedAt: t0},
	} {
		e.Sealed = bytes.Repeat([]byte{byte(i)}, 5)
		ok(t, s.InsertEvent(ctx, e))
	}
	id := func(e survey.EventRecord) string { return e.ID }
	got, err := s.UnappliedEvents(ctx, t0, 10)
	same(t, "unapplied", idsOf(must(t, got, err), id), []string{"first", "a", "b"})
	got, err = s.UnappliedEvents(ctx, t0.Add(time.Hour), 2)
	same(t, "the oldest two", idsOf(must(t, got, err), id), []string{"first", "a"})
	got, err = s.UnappliedEvents(ctx, t0, 0)
	same(t, "at most none", idsOf(must(t, got, err), id), nil)

	_, err = s.UpdateEvent(ctx, "a", func(e *survey.EventRecord) error { e.Applied, e.Sealed = true, nil; return nil })
	ok(t, err)
	got, err = s.UnappliedEvents(ctx, t0, 10)
	same(t, "unapplied after one was applied", idsOf(must(t, got, err), id), []string{"first", "b"})
}

func putCase(t *testing.T, s Store, c survey.Case) {
	t.Helper()
	_, err := s.UpdateCase(t.Context(), c.ID, func(d *survey.Case) error {
		c.Version = d.Version
		*d = c
		return nil
	})
	ok(t, err)
}

func cases(t *testing.T, s Store) {
	ctx := t.Context()
	putCase(t, s, survey.Case{ID: "idle", Respondent: "r0"})
	putCase(t, s, survey.Case{ID: "c", Respondent: "r1", NextAt: t0, Facts: survey.Facts{Advocate: "ann"}})
	putCase(t, s, survey.Case{ID: "b", Respondent: "r2", NextAt: t0, Facts: survey.Facts{Advocate: "bea"}})
	putCase(t, s, survey.Case{ID: "late", Respondent: "r3", NextAt: t0.Add(-48 * time.Hour), Facts: survey.Facts{Advocate: "ann"}})
	putCase(t, s, survey.Case{ID: "soon", Respondent: "r4", NextAt: t0.Add(time.Millisecond)})

	due, err := s.DueCases(ctx, t0, 10)
	same(t, "due", must(t, due, err), []string{"late", "b", "c"})
	due, err = s.DueCases(ctx, t0, 2)
	same(t, "the first two due", must(t, due, err), []string{"late", "b"})
	due, err = s.DueCases(ctx, t0.Add(-72*time.Hour), 10)
	same(t, "due before all", must(t, due, err), nil)

	got, err := s.CaseOf(ctx, "r3")
	if must(t, got, err); got.ID != "late" {
		t.Errorf("CaseOf gives %s", got.ID)
	}
	id := func(c survey.Case) string { return c.ID }
	for i := range 3 * PageRows {
		putCase(t, s, survey.Case{ID: fmt.Sprintf("d%02d", i), Respondent: "many", Facts: survey.Facts{Advocate: "ann"}})
	}
	mine := idsOf(collect(t, s.CasesOfAdvocate(ctx, "ann")), id)
	if len(mine) != 2+3*PageRows || !slices.IsSorted(mine) || slices.Contains(mine, "b") {
		t.Errorf("an advocate's cases: %v", mine)
	}
	same(t, "of an advocate without cases", idsOf(collect(t, s.CasesOfAdvocate(ctx, "cy")), id), nil)
	same(t, "of nobody", idsOf(collect(t, s.CasesOfAdvocate(ctx, "")), id), nil)

	// Addresses can be taken out, and put in again from the beginning.
	card, err := s.UpdateContact(ctx, "k", func(c *survey.ContactCard) error {
		c.Entries = append(c.Entries, survey.ContactEntry{Event: "e", Sealed: []byte("sealed")})
		return nil
	})
	must(t, card, err)
	ok(t, s.DeleteContact(ctx, "k"))
	_, err = s.Contact(ctx, "k")
	wantKind(t, err, fault.NotFound, "a deleted contact")
	card, err = s.UpdateContact(ctx, "k", func(c *survey.ContactCard) error { return nil })
	if must(t, card, err); card.Version != 1 || len(card.Entries) != 0 {
		t.Errorf("a contact made anew: %+v", card)
	}
}

func putResponse(t *testing.T, s Store, r survey.Response) {
	t.Helper()
	_, err := s.UpdateResponse(t.Context(), r.ID, func(d *survey.Response) error {
		r.Version = d.Version
		*d = r
		return nil
	})
	ok(t, err)
}

func responses(t *testing.T, s Store) {
	ctx := t.Context()
	at := func(m int) time.Time { return t0.Add(time.Duration(m) * time.Minute) }
	putResponse(t, s, survey.Response{ID: "draft-due", Respondent: "r", State: survey.Draft, ClosesAt: t0, ChangedAt: at(1), FollowUp: true, Uncoded: true})
	putResponse(t, s, survey.Response{ID: "draft-open", Respondent: "r", State: survey.Draft, ClosesAt: at(1), ChangedAt: at(1)})
	putResponse(t, s, survey.Response{ID: "draft-endless", State: survey.Draft, ChangedAt: at(1)})
	putResponse(t, s, survey.Response{ID: "draft-old", State: survey.Draft, ClosesAt: at(-60), ChangedAt: at(1)})
	putResponse(t, s, survey.Response{ID: "whole", Respondent: "r", State: survey.Complete, ClosesAt: at(-1), ChangedAt: at(3), FollowUp: true, Uncoded: true, Receipt: "code"})
	putResponse(t, s, survey.Response{ID: "part", State: survey.Partial, ChangedAt: at(2), FollowUp: true, Uncoded: true})
	putResponse(t, s, survey.Response{ID: "gone", Respondent: "q", State: survey.Withdrawn, ChangedAt: at(1), FollowUp: true, Uncoded: true})
	putResponse(t, s, survey.Response{ID: "done", State: survey.Complete, ChangedAt: at(0)})

	id := func(r survey.Response) string { return r.ID }
	got, err := s.ResponsesToFollow(ctx, 10)
	same(t, "to follow", idsOf(must(t, got, err), id), []string{"gone", "part", "whole"})
	got, err = s.ResponsesToFollow(ctx, 1)
	same(t, "the first to follow", idsOf(must(t, got, err), id), []string{"gone"})
	got, err = s.ResponsesToCode(ctx, 10)
	same(t, "to code", idsOf(must(t, got, err), id), []string{"part", "whole"})
	got, err = s.DraftsToClose(ctx, t0, 10)
	same(t, "drafts to close", idsOf(must(t, got, err), id), []string{"draft-old", "draft-due"})
	got, err = s.ResponsesOf(ctx, "r")
	same(t, "of a respondent", idsOf(must(t, got, err), id), []string{"draft-due", "draft-open", "whole"})
	one, err := s.ResponseByReceipt(ctx, "code")
	if must(t, one, err); one.ID != "whole" {
		t.Errorf("by receipt: %s", one.ID)
	}

	// A long answer comes back whole.
	long := bytes.Repeat([]byte(strings.Repeat("ü", 50)), 1024)
	putResponse(t, s, survey.Response{ID: "long", State: survey.Complete, Words: long, ChangedAt: t0})
	one, err = s.Response(ctx, "long")
	if must(t, one, err); !bytes.Equal(one.Words, long) {
		t.Errorf("%d bytes of words came back of %d", len(one.Words), len(long))
	}
}

func streamOrder(t *testing.T, s Store) {
	ctx := t.Context()
	// More than a page within one millisecond, pages before and after it.
	var want []survey.ResponseRow
	for i := range 5 * PageRows {
		ms := max(0, i-2*PageRows) / (2 * PageRows) // 0 for the first four pages, then 1
		r := survey.Response{
			ID: fmt.Sprintf("%02d", i), Respondent: fmt.Sprint("r", i), Stage: survey.StageClosure, Round: i, Mode: survey.ModeSelf,
			Questionnaire: "closure/1", State: survey.Complete, Quick: i%2 == 0, Packed: []byte{byte(i), 0, 255},
			SubmittedAt: t0.Add(-time.Hour), ChangedAt: t0.Add(time.Duration(ms) * time.Millisecond), Words: []byte("sealed"),
		}
		switch i % 5 {
		case 1:
			r.State = survey.Partial
		case 2:
			r.State, r.Packed = survey.Withdrawn, nil
		case 3:
			r.State, r.Packed = survey.Void, nil
		}
		want = append(want, survey.ResponseRow{
			ID: r.ID, Respondent: r.Respondent, Stage: r.Stage, Round: r.Round, Mode: r.Mode, Questionnaire: r.Questionnaire,
			State: r.State, Quick: r.Quick, Packed: r.Packed, SubmittedAt: r.SubmittedAt, ChangedAt: r.ChangedAt,
		})
		putResponse(t, s, r)
		putResponse(t, s, survey.Response{ID: "draft" + r.ID, State: survey.Draft, ChangedAt: r.ChangedAt})
	}
	equal(t, "all rows", collect(t, s.ResponsesChanged(ctx, time.Time{})), want)
	equal(t, "rows since a moment, itself included", collect(t, s.ResponsesChanged(ctx, t0)), want)
	equal(t, "rows since within a millisecond", collect(t, s.ResponsesChanged(ctx, t0.Add(time.Millisecond+900*time.Microsecond))), want[4*PageRows:])
	equal(t, "rows since after all", collect(t, s.ResponsesChanged(ctx, t0.Add(time.Hour))), nil)
	seq := s.ResponsesChanged(ctx, t0)
	equal(t, "the same stream", collect(t, seq), want)
	equal(t, "the same stream again", collect(t, seq), want)

	// Cases, codings and what people told about themselves likewise, put in without order.
	order := rand.New(rand.NewPCG(1, 2)).Perm(3 * PageRows)
	for _, i := range order {
		at := t0.Add(time.Duration(i/4) * time.Second)
		putCase(t, s, survey.Case{ID: fmt.Sprintf("%02d", i), ChangedAt: at})
		_, err := s.UpdateCoding(ctx, fmt.Sprintf("%02d/words", i), func(c *analysis.Coding) error { c.ChangedAt = at; return nil })
		ok(t, err)
		_, err = s.UpdateAbout(ctx, fmt.Sprintf("%02d", i), func(a *survey.About) error {
			a.State, a.ChangedAt = survey.AboutAnswered, at
			if i%3 == 0 {
				a.State = survey.AboutGone
			}
			return nil
		})
		ok(t, err)
	}
	checkSorted(t, "cases", collect(t, s.CasesChanged(ctx, t0)), 3*PageRows, func(c survey.Case) (time.Time, string) { return c.ChangedAt, c.ID })
	checkSorted(t, "codings", collect(t, s.CodingsChanged(ctx, t0)), 3*PageRows, func(c analysis.Coding) (time.Time, string) { return c.ChangedAt, c.ID })
	checkSorted(t, "people", collect(t, s.AboutsChanged(ctx, t0)), 3*PageRows, func(a survey.About) (time.Time, string) { return a.ChangedAt, a.ID })
	checkSorted(t, "later cases", collect(t, s.CasesChanged(ctx, t0.Add(time.Second))), 3*PageRows-4, func(c survey.Case) (time.Time, string) { return c.ChangedAt, c.ID })
}

func checkSorted[T any](t *testing.T, what string, docs []T, n int, key func(T) (time.Time, string)) {
	t.Helper()
	if len(docs) != n {
		t.Errorf("%d %s, want %d", len(docs), what, n)
	}
	if !slices.IsSortedFunc(docs, func(a, b T) int {
		at, aid := key(a)
		bt, bid := key(b)
		return cmp.Or(at.Compare(bt), cmp.Compare(aid, bid))
	}) {
		t.Errorf("%s are out of order", what)
	}
}

func streamStops(t *testing.T, s Store) {
	for i := range 3 * PageRows {
		putCase(t, s, survey.Case{ID: fmt.Sprintf("%02d", i), ChangedAt: t0, Facts: survey.Facts{Advocate: "ann"}})
		_, err := s.UpdateSubscriber(t.Context(), fmt.Sprintf("%02d", i), func(*loop.Subscriber) error { return nil })
		ok(t, err)
	}
	// The caller stops, again and again: nothing is left open that the next would need.
	for range 50 {
		for _, err := range s.CasesChanged(t.Context(), t0) {
			ok(t, err)
			break
		}
		for _, err := range s.Subscribers(t.Context()) {
			ok(t, err)
			break
		}
	}
	// The context ends in the middle of a page: one error, and the stream is over.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, ends := 0, 0
	for _, err := range s.CasesOfAdvocate(ctx, "ann") {
		if err != nil {
			if ends++; !isCancelled(err) {
				t.Errorf("the stream ended with %v", err)
			}
			continue
		}
		if n++; n == PageRows+2 {
			cancel()
		}
	}
	if n != PageRows+2 || ends != 1 {
		t.Errorf("%d cases and %d errors, want %d and 1", n, ends, PageRows+2)
	}
	// Writes go on while a stream is open.
	for c, err := range s.CasesChanged(t.Context(), t0) {
		ok(t, err)
		putCase(t, s, survey.Case{ID: c.ID, ChangedAt: t0.Add(-time.Hour)})
	}
}

// streamUnderWrites walks while others write and delete.
func streamUnderWrites(t *testing.T, s Store) {
	ctx := t.Context()
	const n = 6 * PageRows
	for i := range n {
		putResponse(t, s, survey.Response{ID: fmt.Sprintf("%03d", i), State: survey.Complete, ChangedAt: t0.Add(time.Duration(i/3) * time.Second)})
		_, err := s.UpdateSubscriber(ctx, fmt.Sprintf("%03d", i), func(*loop.Subscriber) error { return nil })
		ok(t, err)
	}
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range 4 * n {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			later := t0.Add(time.Hour + time.Duration(i)*time.Millisecond)
			id := fmt.Sprintf("%03d", rng.IntN(n))
			if _, err := s.UpdateResponse(ctx, id, func(r *survey.Response) error { r.ChangedAt = later; r.State = survey.Void; return nil }); err != nil {
				done <- err
				return
			}
			if _, err := s.UpdateResponse(ctx, fmt.Sprintf("new%d", i), func(r *survey.Response) error { r.ChangedAt = later; return nil }); err != nil {
				done <- err
				return
			}
			// Every odd subscriber goes, in any order.
			if err := s.DeleteSubscriber(ctx, fmt.Sprintf("%03d", 2*rng.IntN(n/2)+1)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	seen := make(map[string]bool)
	var last survey.ResponseRow
	for r, err := range s.ResponsesChanged(ctx, t0) {
		ok(t, err)
		if r.ChangedAt.Before(last.ChangedAt) {
			t.Errorf("%s at %v after %s at %v", r.ID, r.ChangedAt, last.ID, last.ChangedAt)
		}
		seen[r.ID], last = true, r
	}
	told := make(map[string]bool)
	for b, err := range s.Subscribers(ctx) {
		ok(t, err)
		told[b.ID] = true
	}
	close(stop)
	ok(t, <-done)
	for i := range n {
		if id := fmt.Sprintf("%03d", i); !seen[id] {
			t.Errorf("response %s was missed", id)
		} else if i%2 == 0 && !told[id] {
			t.Errorf("subscriber %s was missed", id)
		}
	}
}

// cursor keeps a copy current as figures do: read from a little before where the
// last read began, again and again, while writers stamp documents with their own,
// slightly late clocks. The writers keep step, so that no write is stored later
// after its stamp than the overlap allows, however the machine is loaded: that
// much is what the overlap promises, and no more.
func cursor(t *testing.T, s Store) {
	ctx := t.Context()
	const writers, each, overlap = 4, 20, time.Second
	var step atomic.Int64 // the time, in tenths of a second after t0
	done := make(chan error, 1)
	go func() {
		for i := range each {
			step.Store(int64(i))
			failed := make([]error, writers)
			together(writers, func(w int) {
				at := t0.Add(time.Duration(i)*100*time.Millisecond - time.Duration(w)*200*time.Millisecond)
				_, failed[w] = s.UpdateResponse(ctx, fmt.Sprintf("%d-%d", w, i%7), func(r *survey.Response) error {
					if at.After(r.ChangedAt) {
						r.ChangedAt = at
					}
					r.Round++
					r.State = survey.Complete
					return nil
				})
			})
			if err := errors.Join(failed...); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	held := make(map[string]survey.ResponseRow)
	var from, newest time.Time
	read := func() {
		began := t0.Add(time.Duration(step.Load()) * 100 * time.Millisecond)
		for r, err := range s.ResponsesChanged(ctx, from) {
			ok(t, err)
			held[r.ID] = r
			if r.ChangedAt.After(newest) {
				newest = r.ChangedAt
			}
		}
		from = newest
		if began.Before(from) {
			from = began
		}
		from = from.Add(-overlap)
	}
	for writing := true; writing; {
		select {
		case err := <-done:
			ok(t, err)
			writing = false
		default:
		}
		read()
	}
	all := collect(t, s.ResponsesChanged(ctx, time.Time{}))
	if len(all) != len(held) || len(all) != writers*7 {
		t.Fatalf("%d rows, %d held, want %d", len(all), len(held), writers*7)
	}
	for _, r := range all {
		equal(t, "held copy of "+r.ID, held[r.ID], r)
	}
}

func loopLists(t *testing.T, s Store) {
	ctx := t.Context()
	for _, a := range []loop.Alert{
		{ID: "late", Advocate: "ann", State: loop.AlertOpen, DueAt: t0.Add(-time.Hour)},
		{ID: "b", Advocate: "bea", State: loop.AlertOpen, DueAt: t0},
		{ID: "a", Advocate: "ann", State: loop.AlertTaken, DueAt: t0},
		{ID: "team", State: loop.AlertOpen, DueAt: t0.Add(time.Hour)},
		{ID: "over", Advocate: "ann", State: loop.AlertClosed, DueAt: t0.Add(-48 * time.Hour)},
	} {
		_, err := s.UpdateAlert(ctx, a.ID, func(d *loop.Alert) error { *d = a; return nil })
		ok(t, err)
	}
	for _, q := range []struct {
		advocate string
		all      bool
		states   []loop.AlertState
		limit    int
		want     []string
	}{
		{"ann", false, nil, 10, []string{"over", "late", "a"}},
		{"ann", false, []loop.AlertState{""}, 10, []string{"over", "late", "a"}},
		{"ann", false, []loop.AlertState{loop.AlertOpen, loop.AlertTaken}, 10, []string{"late", "a"}},
		{"", false, nil, 10, []string{"team"}},
		{"cy", false, nil, 10, nil},
		{"ann", true, []loop.AlertState{loop.AlertOpen}, 10, []string{"late", "b", "team"}},
		{"", true, nil, 10, []string{"over", "late", "a", "b", "team"}},
		{"", true, nil, 2, []string{"over", "late"}},
		{"", true, nil, 0, nil},
	} {
		got, err := s.Alerts(ctx, q.advocate, q.all, q.states, q.limit)
		same(t, fmt.Sprintf("alerts of %+v", q), idsOf(must(t, got, err), func(a loop.Alert) string { return a.ID }), q.want)
	}

	for id, due := range map[string]string{"c": "2026-12-01", "b": "2026-11-30", "a": "2026-12-01", "none": ""} {
		_, err := s.UpdateAction(ctx, id, func(a *loop.Action) error { a.DueOn = due; return nil })
		ok(t, err)
	}
	actions, err := s.Actions(ctx)
	same(t, "actions", idsOf(must(t, actions, err), func(a loop.Action) string { return a.ID }), []string{"none", "b", "a", "c"})

	for id, at := range map[string]time.Time{"b": t0, "a": t0, "first": t0.Add(-time.Hour), "last": t0.Add(time.Hour)} {
		_, err := s.UpdateDraft(ctx, id, func(c *analysis.DraftCode) error { c.CreatedAt = at; return nil })
		ok(t, err)
	}
	drafts, err := s.DraftCodes(ctx)
	same(t, "draft codes", idsOf(must(t, drafts, err), func(c analysis.DraftCode) string { return c.ID }), []string{"last", "a", "b", "first"})

	for id, q := range map[string]struct {
		state analysis.QuotationState
		at    time.Time
	}{"b": {analysis.QuotationConfirmed, t0}, "a": {analysis.QuotationConfirmed, t0}, "early": {analysis.QuotationConfirmed, t0.Add(-time.Hour)}, "waits": {analysis.QuotationProposed, t0}, "gone": {analysis.QuotationGone, t0}} {
		_, err := s.UpdateQuotation(ctx, id, func(d *analysis.Quotation) error { d.State, d.ChangedAt = q.state, q.at; return nil })
		ok(t, err)
	}
	for state, want := range map[analysis.QuotationState][]string{
		analysis.QuotationConfirmed: {"early", "a", "b"}, analysis.QuotationProposed: {"waits"}, analysis.QuotationDeclined: nil,
	} {
		quotations, err := s.QuotationsIn(ctx, state)
		same(t, "quotations "+string(state), idsOf(must(t, quotations, err), func(q analysis.Quotation) string { return q.ID }), want)
	}
	_, err = s.UpdateQuotation(ctx, "waits", func(d *analysis.Quotation) error { d.State = analysis.QuotationDeclined; return nil })
	ok(t, err)
	waiting, err := s.QuotationsIn(ctx, analysis.QuotationProposed)
	same(t, "quotations that wait", idsOf(must(t, waiting, err), func(q analysis.Quotation) string { return q.ID }), nil)

	for _, id := range []string{"0010", "0002", "0003"} {
		_, err := s.UpdateAdviceRevision(ctx, id, func(r *analysis.AdviceRevision) error { r.Note = "made for a test"; return nil })
		ok(t, err)
	}
	revisions, err := s.AdviceRevisions(ctx)
	same(t, "versions of the polarity table", idsOf(must(t, revisions, err), func(r analysis.AdviceRevision) string { return r.ID }), []string{"0002", "0003", "0010"})
	for _, id := range []string{"2026-Q1", "2025-Q4", "2026-Q2"} {
		_, err := s.UpdateOpenTable(ctx, id, func(t *analysis.OpenTable) error { t.At = t0; return nil })
		ok(t, err)
	}
	open, err := s.OpenTables(ctx)
	same(t, "open tables", idsOf(must(t, open, err), func(t analysis.OpenTable) string { return t.ID }), []string{"2026-Q2", "2026-Q1", "2025-Q4"})

	for id, on := range map[string]string{"b": "2026-03-01", "a": "2026-03-01", "first": "2025-12-31", "last": "2026-03-02"} {
		_, err := s.UpdateMark(ctx, id, func(m *analysis.Mark) error { m.On = on; return nil })
		ok(t, err)
	}
	marks, err := s.Marks(ctx)
	same(t, "marks", idsOf(must(t, marks, err), func(m analysis.Mark) string { return m.ID }), []string{"first", "a", "b", "last"})

	for id, at := range map[string]time.Time{"old": t0.Add(-time.Hour), "new": t0, "older": t0.Add(-2 * time.Hour)} {
		_, err := s.UpdatePublication(ctx, id, func(p *loop.Publication) error { p.At = at; return nil })
		ok(t, err)
	}
	pubs, err := s.Publications(ctx)
	same(t, "publications", idsOf(must(t, pubs, err), func(p loop.Publication) string { return p.ID }), []string{"new", "old", "older"})

	for i := range 2*PageRows + 3 {
		_, err := s.UpdateSubscriber(ctx, fmt.Sprintf("%02d", i), func(*loop.Subscriber) error { return nil })
		ok(t, err)
	}
	ok(t, s.DeleteSubscriber(ctx, "03"))
	ids := idsOf(collect(t, s.Subscribers(ctx)), func(b loop.Subscriber) string { return b.ID })
	if len(ids) != 2*PageRows+2 || !slices.IsSorted(ids) || slices.Contains(ids, "03") {
		t.Errorf("subscribers: %v", ids)
	}
	_, err = s.Subscriber(ctx, "03")
	wantKind(t, err, fault.NotFound, "a deleted subscriber")
}

// codingQueues: the queues of texts that wait for a person.
func codingQueues(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	for i, q := range []struct {
		queue, by string
		order     int64
	}{{"random", "", 7}, {"random", "ann", 3}, {"random", "", 3}, {"open", "ann", -5}, {"open", "ben", 1 << 50}, {"", "", 0}} {
		_, err := s.UpdateCoding(ctx, fmt.Sprint("q", i), func(c *analysis.Coding) error {
			c.Queue, c.Order, c.ChangedAt = q.queue, q.order, t0.Add(time.Duration(i/2)*time.Second)
			if q.by != "" {
				c.Draw = analysis.Draw{By: q.by, How: "random", Until: t0}
			}
			return nil
		})
		ok(t, err)
	}
	ids := func(cs []analysis.Coding) []string {
		return idsOf(cs, func(c analysis.Coding) string { return c.ID })
	}
	for _, q := range []struct {
		name, of string
		limit    int
		list     func(context.Context, string, int) ([]analysis.Coding, error)
		want     []string
	}{
		{"queued", "random", 9, s.CodingsQueued, []string{"q1", "q2", "q0"}},
		{"the first queued", "random", 2, s.CodingsQueued, []string{"q1", "q2"}},
		{"queued, large and negative", "open", 9, s.CodingsQueued, []string{"q3", "q4"}},
		{"none queued", "random", 0, s.CodingsQueued, nil},
		{"no such queue", "nothing", 9, s.CodingsQueued, nil},
		{"the latest", "random", 9, s.CodingsLatest, []string{"q2", "q1", "q0"}},
		{"the very latest", "open", 1, s.CodingsLatest, []string{"q4"}},
		{"held", "ann", 9, s.CodingsHeld, []string{"q3", "q1"}},
		{"the first held", "ann", 1, s.CodingsHeld, []string{"q3"}},
		{"held by nobody", "", 9, s.CodingsHeld, nil},
	} {
		got, err := q.list(ctx, q.of, q.limit)
		same(t, q.name, ids(must(t, got, err)), q.want)
	}
	// Given back, and out of its queue.
	_, err := s.UpdateCoding(ctx, "q1", func(c *analysis.Coding) error { c.Queue, c.Draw = "read", analysis.Draw{}; return nil })
	ok(t, err)
	got, err := s.CodingsHeld(ctx, "ann", 9)
	same(t, "held after one was given back", ids(must(t, got, err)), []string{"q3"})
	got, err = s.CodingsQueued(ctx, "random", 9)
	same(t, "queued after one was read", ids(must(t, got, err)), []string{"q2", "q0"})
}

func codingsAndLeases(t *testing.T, s Store) {
	ctx := t.Context()
	for _, id := range []string{"r1/b", "r1/a", "r2/a"} {
		_, err := s.UpdateCoding(ctx, id, func(c *analysis.Coding) error {
			c.Response, c.Item, _ = strings.Cut(id, "/")
			c.Labels = []analysis.Label{{Code: "updates", Polarity: "negative", Start: 3, End: 9, Confidence: 0.875}}
			return nil
		})
		ok(t, err)
	}
	got, err := s.CodingsOf(ctx, "r1")
	same(t, "codings of a response", idsOf(must(t, got, err), func(c analysis.Coding) string { return c.ID }), []string{"r1/a", "r1/b"})
	if len(got) == 2 && (len(got[0].Labels) != 1 || got[0].Labels[0].Confidence != 0.875) {
		t.Errorf("labels: %+v", got[0].Labels)
	}
	codingQueues(t, s)

	// Of many who want a free lease one gets it.
	won := gather(t, 20, func(i int) ([]string, error) {
		me := fmt.Sprint("worker ", i)
		l, err := s.UpdateLease(ctx, "outbox", func(l *work.Lease) error {
			if l.Until.After(t0) {
				return survey.ErrUnchanged
			}
			l.Owner, l.Until = me, t0.Add(time.Minute)
			l.Fence++
			return nil
		})
		if err == nil && l.Owner == me {
			return []string{me}, nil
		}
		return nil, err
	})
	leases, err := s.Leases(ctx)
	if must(t, leases, err); len(won) != 1 || len(leases) != 1 || leases[0].Owner != won[0] || leases[0].Fence != 1 {
		t.Errorf("%v hold the lease, stored are %+v", won, leases)
	}
	_, err = s.UpdateLease(ctx, "coding", func(*work.Lease) error { return nil })
	ok(t, err)
	leases, err = s.Leases(ctx)
	same(t, "leases", idsOf(must(t, leases, err), func(l work.Lease) string { return l.ID }), []string{"coding", "outbox"})
}

func purges(t *testing.T, s Store) {
	ctx, a := t.Context(), s.Access()
	before, at, after := t0.Add(-time.Millisecond), t0, t0.Add(time.Millisecond)
	for id, when := range map[string]time.Time{"old": before, "at": at, "new": after, "older": before.Add(-1000 * time.Hour)} {
		ok(t, s.InsertLink(ctx, survey.Link{ID: id, ExpiresAt: when}))
		ok(t, s.InsertSitting(ctx, survey.Sitting{ID: id, ExpiresAt: when}))
		ok(t, a.InsertSession(ctx, access.Session{ID: id, ExpiresAt: when}))
		ok(t, a.InsertLink(ctx, access.Link{ID: id, ExpiresAt: when}))
		_, err := a.UpdateThrottle(ctx, id, func(th *access.Throttle) error { th.LastAt = when; return nil })
		ok(t, err)
	}
	for name, p := range map[string]struct {
		purge func(context.Context, time.Time) (int, error)
		get   func(id string) error
	}{
		"links":       {s.PurgeLinks, func(id string) error { _, err := s.Link(ctx, id); return err }},
		"sittings":    {s.PurgeSittings, func(id string) error { _, err := s.Sitting(ctx, id); return err }},
		"sessions":    {a.PurgeSessions, func(id string) error { _, err := a.Session(ctx, id); return err }},
		"staff links": {a.PurgeLinks, func(id string) error { _, err := a.Link(ctx, id); return err }},
		"throttles": {a.PurgeThrottles, func(id string) error {
			th, err := a.UpdateThrottle(ctx, id, func(*access.Throttle) error { return survey.ErrUnchanged })
			if err == nil && th.Version == 0 {
				return fault.New(fault.NotFound, "gone")
			}
			return err
		}},
	} {
		n, err := p.purge(ctx, t0)
		if must(t, n, err); n != 2 {
			t.Errorf("%s: %d removed, want 2", name, n)
		}
		for _, id := range []string{"old", "older"} {
			wantKind(t, p.get(id), fault.NotFound, name+" "+id)
		}
		ok(t, p.get("at"))
		ok(t, p.get("new"))
		n, err = p.purge(ctx, t0)
		if must(t, n, err); n != 0 {
			t.Errorf("%s: %d removed by the second purge", name, n)
		}
	}
}

func staff(t *testing.T, s Store) {
	ctx, a := t.Context(), s.Access()
	put := func(id, key string) error {
		_, err := a.UpdateUser(ctx, id, func(u *access.User) error { u.EmailKey = key; return nil })
		return err
	}
	ok(t, put("u2", "key2"))
	ok(t, put("u1", "key1"))
	wantKind(t, put("u3", "key1"), fault.Conflict, "another user with the same address")
	wantKind(t, put("u2", "key1"), fault.Conflict, "taking another's address")
	_, err := a.User(ctx, "u3")
	wantKind(t, err, fault.NotFound, "the user refused")
	u, err := a.UserByEmailKey(ctx, "key2")
	if must(t, u, err); u.ID != "u2" || u.Version != 1 {
		t.Errorf("by address: %+v", u)
	}
	ok(t, put("u2", "key2b"))
	ok(t, put("u3", "key2")) // given up, so free
	users, err := a.Users(ctx)
	same(t, "users", idsOf(must(t, users, err), func(u access.User) string { return u.ID }), []string{"u1", "u2", "u3"})

	won := gather(t, 12, func(i int) ([]string, error) {
		id := fmt.Sprint("new", i)
		err := put(id, "wanted")
		if fault.Is(err, fault.Conflict) {
			return nil, nil
		}
		return []string{id}, err
	})
	u, err = a.UserByEmailKey(ctx, "wanted")
	if must(t, u, err); len(won) != 1 || u.ID != won[0] {
		t.Errorf("%v were told that they had the address; %s has it", won, u.ID)
	}

	for _, ses := range []access.Session{{ID: "s1", UserID: "u1"}, {ID: "s2", UserID: "u1"}, {ID: "s3", UserID: "u2"}, {ID: "s4", UserID: "u2"}} {
		ok(t, a.InsertSession(ctx, ses))
	}
	ok(t, a.DeleteSessionsOf(ctx, "u1"))
	ok(t, a.DeleteSession(ctx, "s4"))
	for _, id := range []string{"s1", "s2", "s4"} {
		_, err := a.Session(ctx, id)
		wantKind(t, err, fault.NotFound, "ended session "+id)
	}
	_, err = a.Session(ctx, "s3")
	ok(t, err)

	for _, id := range []string{"k2", "k1"} {
		_, err := a.UpdateAPIKey(ctx, id, func(k *access.APIKey) error { k.Scopes = []access.Scope{access.EventsWrite}; return nil })
		ok(t, err)
	}
	keys, err := a.APIKeys(ctx)
	same(t, "API keys", idsOf(must(t, keys, err), func(k access.APIKey) string { return k.ID }), []string{"k1", "k2"})

	for _, l := range []access.Link{{ID: "l1", UserID: "u1"}, {ID: "l2", UserID: "u1"}, {ID: "l3", UserID: "u2"}} {
		ok(t, a.InsertLink(ctx, l))
	}
	ok(t, a.DeleteLinksOf(ctx, "u1"))
	_, err = a.Link(ctx, "l1")
	wantKind(t, err, fault.NotFound, "a link of u1")
	_, err = a.Link(ctx, "l3")
	ok(t, err)
	// Staff links and survey links are apart, whatever their ids.
	ok(t, s.InsertLink(ctx, survey.Link{ID: "l3", Case: "c"}))
	got, err := s.Link(ctx, "l3")
	if must(t, got, err); got.Case != "c" {
		t.Errorf("a survey link under a staff link's id: %+v", got)
	}
}

func takeRace(t *testing.T, s Store) {
	ctx, a := t.Context(), s.Access()
	for round := range 5 {
		id := fmt.Sprint("once", round)
		ok(t, a.InsertLink(ctx, access.Link{ID: id, Kind: access.SetupLink, UserID: "u", ExpiresAt: t0}))
		got := gather(t, 20, func(int) ([]access.Link, error) {
			l, err := a.TakeLink(ctx, id)
			if fault.Is(err, fault.NotFound) {
				return nil, nil
			}
			return []access.Link{l}, err
		})
		equal(t, "taken", got, []access.Link{{ID: id, Kind: access.SetupLink, UserID: "u", ExpiresAt: t0}})
	}
}

func entry(seq int64, who string) audit.Entry {
	return audit.Entry{Seq: seq, ID: fmt.Sprint(who, seq), At: t0, Actor: who, Hash: fmt.Sprint("hash", seq)}
}

func auditEntries(t *testing.T, s Store) {
	ctx := t.Context()
	_, found, err := s.LastEntry(ctx)
	if must(t, found, err) {
		t.Error("an empty record has a last entry")
	}
	whole := audit.Entry{
		Seq: 1, ID: "i", At: t0.Add(7 * time.Millisecond), Actor: "u1", Role: "advocate", Action: "response.read", Subject: "case:x",
		Reason: awkward, Detail: map[string]string{"count": "3", "fields": awkward}, Prev: "", Hash: "h",
	}
	ok(t, s.InsertEntries(ctx, []audit.Entry{whole}))
	last, found, err := s.LastEntry(ctx)
	if !must(t, found, err) {
		t.Fatal("no last entry")
	}
	equal(t, "an entry", last, whole)

	var more []audit.Entry
	for seq := int64(2); seq <= 20; seq++ {
		more = append(more, entry(seq, "a"))
	}
	ok(t, s.InsertEntries(ctx, more))
	ok(t, s.InsertEntries(ctx, nil))
	// A clash in the middle: what stands before it may be in, what comes after is not, nothing is replaced.
	wantKind(t, s.InsertEntries(ctx, []audit.Entry{entry(20, "b"), entry(21, "b")}), fault.Conflict, "a taken Seq")
	got, err := s.Entries(ctx, 19, 10)
	same(t, "after a clash", idsOf(must(t, got, err), func(e audit.Entry) string { return e.ID }), []string{"a19", "a20"})
	got, err = s.Entries(ctx, 1, 3)
	same(t, "the first three", idsOf(must(t, got, err), func(e audit.Entry) int64 { return e.Seq }), []int64{1, 2, 3})
	got, err = s.Entries(ctx, 1, 0)
	same(t, "none", idsOf(must(t, got, err), func(e audit.Entry) int64 { return e.Seq }), nil)

	ok(t, s.DeleteEntriesBefore(ctx, 18))
	ok(t, s.DeleteEntriesBefore(ctx, 18))
	got, err = s.Entries(ctx, 0, 10)
	same(t, "what is kept", idsOf(must(t, got, err), func(e audit.Entry) int64 { return e.Seq }), []int64{18, 19, 20})
	last, _, err = s.LastEntry(ctx)
	if must(t, last, err); last.Seq != 20 {
		t.Errorf("the last entry is %d", last.Seq)
	}
}

// auditRace appends from two processes' logs at once, and straight to one place.
func auditRace(t *testing.T, s Store) {
	ctx := t.Context()
	key := bytes.Repeat([]byte{7}, 32)
	clock := func() time.Time { return t0 }
	logs := []*audit.Log{audit.New(s, clock, key), audit.New(s, clock, key)}
	const callers, each = 16, 3
	gather(t, callers, func(i int) ([]int, error) {
		for range each {
			if err := logs[i%2].Append(ctx, audit.Entry{Actor: fmt.Sprint("u", i), Action: "case.read", Subject: "case:x"}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	n, err := logs[0].Verify(ctx)
	if must(t, n, err); n != callers*each {
		t.Errorf("the chain has %d entries, want %d", n, callers*each)
	}

	const place = 1000
	won := gather(t, 20, func(i int) ([]string, error) {
		who := fmt.Sprint("w", i, "-")
		err := s.InsertEntries(ctx, []audit.Entry{entry(place, who), entry(place+1, who)})
		if fault.Is(err, fault.Conflict) {
			return nil, nil
		}
		return []string{who}, err
	})
	got, err := s.Entries(ctx, place, 10)
	must(t, got, err)
	if len(won) != 1 || len(got) != 2 || got[0].Actor != won[0] || got[1].Actor != won[0] {
		t.Errorf("%v were told that they had the place; stored is %+v", won, got)
	}
}
