package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// answerLimit is how long one command may keep everybody else waiting. Past it
// the connection is given up, which makes FerretDB cancel the command.
const answerLimit = 2 * time.Minute

// gate passes MongoDB messages on, one command at a time over all connections:
// from the first byte sent to the server until the last byte of its answer.
//
// A turn belongs to the exchange with the server, never to the client: the
// request is read in full before the turn is taken and the answer is handed
// over after the turn is given back, so that neither a slow client nor one
// that goes away in the middle keeps the others out or lets them in early.
type gate struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	logger   *slog.Logger

	turn sync.Mutex

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func newGate(listener net.Listener, dial func() (net.Conn, error), logger *slog.Logger) *gate {
	return &gate{listener: listener, dial: dial, logger: logger, open: make(map[net.Conn]struct{})}
}

// serve accepts connections until close, and returns when all have ended.
func (g *gate) serve() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		client, err := g.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				g.logger.Error("accepting connections ended", "err", err)
			}
			return
		}
		wg.Go(func() {
			if err := g.pass(client); err != nil && !errors.Is(err, net.ErrClosed) {
				g.logger.Error("connection given up", "err", err)
			}
		})
	}
}

// close stops accepting and cuts every connection.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	_ = g.listener.Close()
	for c := range g.open {
		_ = c.Close()
	}
}

// keep remembers c so that close can cut it, and returns what forgets and
// closes it. A connection that comes after close is closed at once.
func (g *gate) keep(c net.Conn) (forget func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[c] = struct{}{}
	if g.closed {
		_ = c.Close()
	}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, c)
		_ = c.Close()
	}
}

// pass serves one client with a connection of its own to the server. A client
// that goes away is no error.
func (g *gate) pass(client net.Conn) error {
	defer g.keep(client)()
	server, err := g.dial()
	if err != nil {
		return fmt.Errorf("reach FerretDB: %w", err)
	}
	defer g.keep(server)()

	for {
		request, err := readMessage(client)
		if err != nil {
			if errors.Is(err, errMalformed) {
				return err
			}
			return nil
		}
		if op := request.opCode(); op != opMsg && op != opQuery {
			// Compression is never negotiated, and what came before OP_MSG
			// has no answer to wait for.
			return fmt.Errorf("%w: operation %d is not served", errMalformed, op)
		}
		request, awaited := request.oneAnswer()
		answer, err := g.exchange(server, request)
		if err != nil {
			return err
		}
		if !awaited {
			continue
		}
		if _, err := client.Write(answer); err != nil {
			return nil
		}
	}
}

// exchange sends request and returns the answer, holding the turn in between
// unless the request is a greeting.
func (g *gate) exchange(server net.Conn, request message) (message, error) {
	if !request.isHello() {
		g.turn.Lock()
		defer g.turn.Unlock()
	}
	if err := server.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return nil, err
	}
	if _, err := server.Write(request); err != nil {
		return nil, fmt.Errorf("send %s: %w", request.command(), err)
	}
	answer, err := readMessage(server)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("answer to %s: %w", request.command(), err)
	}
	if answer.responseTo() != request.requestID() || answer.flags()&flagMoreToCome != 0 {
		return nil, fmt.Errorf("%w: answer to %s is not the one and only answer", errMalformed, request.command())
	}
	return answer, nil
}
