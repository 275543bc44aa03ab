package audit_test

import (
	"context"
	"fmt"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/audit/audittest"
)

func Example() {
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }
	log := audit.New(&audittest.Store{}, now, []byte("0123456789abcdef0123456789abcdef"))

	// First the record, then the read: no answer is opened that nobody knows of.
	err := log.Append(context.Background(), audit.Entry{
		Actor: "u-7d2f", Role: "advocate", Action: "response.read", Subject: "response:k4xq", Reason: "alert",
	})
	fmt.Println(err)
	fmt.Println(log.Verify(context.Background()))
	// Output:
	// <nil>
	// 1 <nil>
}
