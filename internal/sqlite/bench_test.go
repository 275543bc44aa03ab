package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/internal/sqlite"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// All on a file with production's settings: what is measured is acknowledged.

var benchNow = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// benchCase is a case of ordinary size: six events, two invitations.
func benchCase(c *survey.Case) error {
	if len(c.Events) == 0 {
		for i := range 6 {
			c.Events = append(c.Events, survey.CaseEvent{
				ID: fmt.Sprint("event-", i), Type: survey.Progressed, At: benchNow, Borough: "Camden", Offence: "stalking-2a",
				Contact: &survey.ContactFacts{Address: "pseudonym-of-an-address", ConfirmedAt: benchNow},
			})
		}
		c.Invites = make([]survey.Invitation, 2)
	}
	c.NextAt, c.ChangedAt = benchNow, benchNow
	return nil
}

// benchmarkUpdateCase changes cases that are there already: each update reads,
// decodes, swaps and is acknowledged.
func benchmarkUpdateCase(b *testing.B, callers int) {
	const cases = 10_000
	s := openAt(b, newFile(b), sqlite.Options{})
	update := func(callers, n int) {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
					if _, err := s.UpdateCase(b.Context(), fmt.Sprintf("case-%07d", i*7919%cases), benchCase); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	update(256, cases)
	b.ResetTimer()
	update(callers, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkUpdateCase(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkUpdateCase(b, callers) })
	}
}

func BenchmarkInsertEvent(b *testing.B) {
	const callers = 256
	s := openAt(b, newFile(b), sqlite.Options{})
	sealed := make([]byte, 400)
	var n atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
				e := survey.EventRecord{ID: fmt.Sprintf("%x-%d", i*0x9E3779B9&0xFFFFFFFF, i), Case: "c", Fingerprint: "f", Sealed: sealed, ReceivedAt: benchNow}
				if err := s.InsertEvent(b.Context(), e); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkClaimMessages(b *testing.B) {
	const batch = 20
	s := openAt(b, newFile(b), sqlite.Options{})
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < b.N*batch; i += 64 {
				m := notifications.Message{ID: fmt.Sprintf("m%08d", i), MailID: fmt.Sprint("mail", i), State: notifications.Pending, DueAt: benchNow.Add(time.Duration(i) * time.Millisecond)}
				if err := s.PutMessage(b.Context(), m); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	now := benchNow.Add(time.Duration(b.N*batch) * time.Millisecond)
	b.ResetTimer()
	for range b.N {
		got, err := s.ClaimMessages(b.Context(), "w", now, now.Add(time.Minute), batch)
		if err != nil || len(got) != batch {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "claims/s")
}

// BenchmarkResponsesChanged streams 100,000 rows.
func BenchmarkResponsesChanged(b *testing.B) {
	const rows, writers = 100_000, 64
	s := openAt(b, newFile(b), sqlite.Options{Volatile: true})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < rows; i += writers {
				_, err := s.UpdateResponse(b.Context(), fmt.Sprintf("%x-%d", i*0x9E3779B9&0xFFFFFFFF, i), func(r *survey.Response) error {
					r.Respondent, r.Stage, r.Mode, r.State = fmt.Sprint("respondent-", i), survey.StageClosure, survey.ModeSelf, survey.Complete
					r.Questionnaire, r.Packed, r.Words = "closure/1", make([]byte, 60), make([]byte, 600)
					r.SubmittedAt, r.ChangedAt = benchNow, benchNow.Add(time.Duration(i)*time.Second)
					return nil
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ResetTimer()
	for range b.N {
		n := 0
		for _, err := range s.ResponsesChanged(b.Context(), time.Time{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
