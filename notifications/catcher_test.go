package notifications

import (
	"net"
	"testing"
	"time"

	"victimvoice/internal/mailcatcher"
)

// A letter goes from its words over a real connection to the demonstration's
// mail server, and arrives as it was meant.
func TestLetterReachesTheCatcher(t *testing.T) {
	t.Parallel()
	catcher, err := mailcatcher.Open(mailcatcher.Config{Now: func() time.Time { return fixedNow() }})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- catcher.Serve(listener) }()
	sender, err := OpenSender("smtp://"+listener.Addr().String(), fixedNow)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	letters := loaded(t)
	for _, to := range []string{"one@example.net", "two@bücher.example", "pérson@example.net"} {
		l := testLetter(KindInvitation)
		l.To = to
		e, err := letters.Compose(testFrom(), l)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := sender.Close(); err != nil {
		t.Error(err)
	}
	if err := catcher.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	caught := catcher.Messages()
	want := testLetter(KindInvitation).Data
	if len(caught) != 3 || caught[0].To != "pérson@example.net" || caught[1].To != "two@xn--bcher-kva.example" || caught[2].To != "one@example.net" {
		t.Fatalf("%+v", caught)
	}
	for _, m := range caught {
		if m.Subject != "Your feedback" || m.From != `"Feedback" <feedback@example.org>` || m.MessageID != "<m-Zx81@example.org>" ||
			len(m.Links) != 3 || m.Links[0] != want.Link || m.Links[1] != want.StopLink || m.Links[2] != want.NotForMeLink {
			t.Errorf("%+v", m)
		}
	}
}
