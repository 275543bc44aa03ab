package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// arrival is a message that reached the scripted server, with the connection on
// which to answer it.
type arrival struct {
	m    message
	conn net.Conn
}

func (a arrival) answer(t *testing.T, flags uint32) {
	t.Helper()
	reply := opMsgOf(0, flags, body(t, bson.D{{Key: "ok", Value: 1}}))
	reply = messageOf(1000, a.m.requestID(), opMsg, reply[headerLen:])
	if _, err := a.conn.Write(reply); err != nil {
		t.Error(err)
	}
}

// scripted puts a gate in front of a server that answers only when told to. Its
// arrivals come on the channel in the order in which the gate lets them in.
func scripted(t *testing.T) (dial func() net.Conn, arrivals <-chan arrival) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan arrival, 100)
	g := newGate(listener, func() (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			for {
				m, err := readMessage(far)
				if err != nil {
					_ = far.Close()
					return
				}
				ch <- arrival{m, far}
			}
		}()
		return near, nil
	}, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() {
		g.serve()
		close(done)
	}()
	t.Cleanup(func() {
		g.close()
		<-done
	})
	return func() net.Conn {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}, ch
}

func send(t *testing.T, c net.Conn, m message) {
	t.Helper()
	if _, err := c.Write(m); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c net.Conn) message {
	t.Helper()
	m, err := readMessage(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func command(t *testing.T, id uint32, name string) message {
	return opMsgOf(id, 0, body(t, bson.D{{Key: name, Value: 1}}))
}

// none fails if anything but a greeting is at the server. A greeting passes the
// gate freely, so once one sent now has arrived on each connection, whatever
// could have overtaken it on the others has had its chance.
func none(t *testing.T, dial func() net.Conn, arrivals <-chan arrival) {
	t.Helper()
	c := dial()
	for id := range uint32(20) {
		send(t, c, command(t, 5000+id, "hello"))
		a := <-arrivals
		if !a.m.isHello() {
			t.Fatalf("%s (request %d) was let in while another command held the turn", a.m.command(), a.m.requestID())
		}
		a.answer(t, 0)
		receive(t, c)
	}
}

func TestOneCommandAtATime(t *testing.T) {
	dial, arrivals := scripted(t)
	const clients = 8
	for id := range uint32(clients) {
		send(t, dial(), command(t, id, "update"))
	}
	for range clients {
		a := <-arrivals
		none(t, dial, arrivals)
		a.answer(t, 0)
	}
}

func TestAwaitedHelloHoldsNobodyUp(t *testing.T) {
	dial, arrivals := scripted(t)
	watcher, worker := dial(), dial()
	send(t, watcher, opMsgOf(1, flagExhaust, body(t, bson.D{{Key: "hello", Value: 1}, {Key: "maxAwaitTimeMS", Value: 10000}})))
	held := <-arrivals
	if held.m.flags()&flagExhaust != 0 {
		t.Error("the greeting reached the server with exhaustAllowed")
	}

	send(t, worker, command(t, 2, "insert"))
	(<-arrivals).answer(t, 0)
	if got := receive(t, worker).responseTo(); got != 2 {
		t.Errorf("answer to %d, want 2", got)
	}

	held.answer(t, 0)
	if got := receive(t, watcher).responseTo(); got != 1 {
		t.Errorf("answer to %d, want 1", got)
	}
}

func TestFireAndForgetKeepsItsTurnAndGetsNoAnswer(t *testing.T) {
	dial, arrivals := scripted(t)
	c, other := dial(), dial()
	send(t, c, opMsgOf(1, flagMoreToCome, body(t, bson.D{{Key: "insert", Value: "c"}})))
	first := <-arrivals
	if first.m.flags() != 0 {
		t.Errorf("flags %x reached the server, want none", first.m.flags())
	}
	send(t, other, command(t, 2, "find"))
	none(t, dial, arrivals)
	first.answer(t, 0)
	(<-arrivals).answer(t, 0)
	receive(t, other)

	send(t, c, command(t, 3, "find"))
	(<-arrivals).answer(t, 0)
	if got := receive(t, c).responseTo(); got != 3 {
		t.Errorf("the client was sent the answer to %d, want 3 only", got)
	}
}

func TestClientGoneMidCommandKeepsTheTurnUntilTheAnswer(t *testing.T) {
	dial, arrivals := scripted(t)
	c, other := dial(), dial()
	send(t, c, command(t, 1, "update"))
	held := <-arrivals
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, other, command(t, 2, "update"))
	none(t, dial, arrivals)
	held.answer(t, 0)
	a := <-arrivals
	if a.m.requestID() != 2 {
		t.Fatalf("request %d came next, want 2", a.m.requestID())
	}
	a.answer(t, 0)
	receive(t, other)
}

func TestHalfARequestHoldsNobodyUp(t *testing.T) {
	dial, arrivals := scripted(t)
	slow, other := dial(), dial()
	m := command(t, 1, "update")
	send(t, slow, m[:len(m)-1])
	send(t, other, command(t, 2, "update"))
	(<-arrivals).answer(t, 0)
	receive(t, other)
	send(t, slow, m[len(m)-1:])
	(<-arrivals).answer(t, 0)
	receive(t, slow)
}

func TestBadClientsAndServersAreCutOffAndGiveTheTurnBack(t *testing.T) {
	stillServes := func(t *testing.T, dial func() net.Conn, arrivals <-chan arrival) {
		t.Helper()
		c := dial()
		send(t, c, command(t, 77, "find"))
		(<-arrivals).answer(t, 0)
		receive(t, c)
	}
	cutOff := func(t *testing.T, c net.Conn) {
		t.Helper()
		if m, err := readMessage(c); err == nil {
			t.Fatalf("got an answer of %d bytes, want the connection closed", len(m))
		}
	}
	t.Run("compressed", func(t *testing.T) {
		dial, arrivals := scripted(t)
		c := dial()
		send(t, c, messageOf(1, 0, 2012, []byte("zzzz")))
		cutOff(t, c)
		stillServes(t, dial, arrivals)
	})
	t.Run("absurd length", func(t *testing.T) {
		dial, arrivals := scripted(t)
		c := dial()
		send(t, c, message{0xff, 0xff, 0xff, 0xff})
		cutOff(t, c)
		stillServes(t, dial, arrivals)
	})
	t.Run("server hangs up", func(t *testing.T) {
		dial, arrivals := scripted(t)
		c := dial()
		send(t, c, command(t, 1, "update"))
		_ = (<-arrivals).conn.Close()
		cutOff(t, c)
		stillServes(t, dial, arrivals)
	})
	t.Run("server answers another request", func(t *testing.T) {
		dial, arrivals := scripted(t)
		c := dial()
		send(t, c, command(t, 1, "update"))
		a := <-arrivals
		a.m = command(t, 2, "update")
		a.answer(t, 0)
		cutOff(t, c)
		stillServes(t, dial, arrivals)
	})
	t.Run("server means to go on", func(t *testing.T) {
		dial, arrivals := scripted(t)
		c := dial()
		send(t, c, command(t, 1, "getMore"))
		(<-arrivals).answer(t, flagMoreToCome)
		cutOff(t, c)
		stillServes(t, dial, arrivals)
	})
}

func TestServerOutOfReach(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(listener, func() (net.Conn, error) { return nil, errors.New("away") }, slog.New(slog.DiscardHandler))
	go g.serve()
	defer g.close()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want the connection closed", err)
	}
}
