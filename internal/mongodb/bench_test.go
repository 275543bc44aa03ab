package mongodb_test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/internal/mongodb"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// Against the stand-in of the tests these numbers say nothing; point
// VICTIMVOICE_TEST_MONGODB_URI at a real server.

var benchNow = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func BenchmarkUpdateCase(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openNew(b, serverURI(b), mongodb.Options{})
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						_, err := s.UpdateCase(b.Context(), fmt.Sprintf("case-%07d", i*7919%100_000), func(c *survey.Case) error {
							if len(c.Events) == 0 {
								c.Events, c.Invites = make([]survey.CaseEvent, 6), make([]survey.Invitation, 2)
							}
							c.NextAt, c.ChangedAt = benchNow, benchNow
							return nil
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

func BenchmarkClaimMessages(b *testing.B) {
	const batch = 20
	s := openNew(b, serverURI(b), mongodb.Options{})
	for i := range b.N * batch {
		m := notifications.Message{ID: fmt.Sprintf("m%08d", i), MailID: fmt.Sprint("mail", i), State: notifications.Pending, DueAt: benchNow}
		if err := s.PutMessage(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		got, err := s.ClaimMessages(b.Context(), "w", benchNow, benchNow.Add(time.Minute), batch)
		if err != nil || len(got) != batch {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "claims/s")
}

// BenchmarkResponsesChanged streams VICTIMVOICE_BENCH_ROWS rows, 1,000 when it
// is not set: the stand-in reads its whole collection for every page.
func BenchmarkResponsesChanged(b *testing.B) {
	rows, err := strconv.Atoi(os.Getenv("VICTIMVOICE_BENCH_ROWS"))
	if err != nil {
		rows = 1000
	}
	s := openNew(b, serverURI(b), mongodb.Options{})
	const writers = 16
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
