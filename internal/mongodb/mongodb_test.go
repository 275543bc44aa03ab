package mongodb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/mongodb"
	"victimvoice/internal/storetest"
	"victimvoice/survey"
)

// serverURI is the server to test on. A plain run without one skips in one line;
// where VICTIMVOICE_TEST_MONGODB is "required" that is a failure.
func serverURI(t testing.TB) string {
	t.Helper()
	uri := os.Getenv("VICTIMVOICE_TEST_MONGODB_URI")
	if uri != "" {
		return uri
	}
	const missing = "MongoDB is left out: VICTIMVOICE_TEST_MONGODB_URI names no server"
	if os.Getenv("VICTIMVOICE_TEST_MONGODB") == "required" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// parts cuts a URI into what stands before its hosts, the hosts and its query.
func parts(uri string) (head, hosts, query string) {
	scheme, rest, _ := strings.Cut(uri, "://")
	rest, query, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "/")
	head = scheme + "://"
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		head, rest = head+rest[:at+1], rest[at+1:]
	}
	return head, rest, query
}

// inNewDatabase names a database of the test's own.
func inNewDatabase(head, hosts, query string) string {
	return head + hosts + "/vvtest_" + strings.ToLower(rand.Text()[:16]) + "?" + query
}

// openNew opens a database of the test's own and drops it afterwards.
func openNew(t testing.TB, uri string, opts mongodb.Options) *mongodb.Store {
	t.Helper()
	return openAt(t, uri, inNewDatabase(parts(uri)), opts)
}

// openAt opens a store at a URI and drops its database afterwards, straight on the server.
func openAt(t testing.TB, server, uri string, opts mongodb.Options) *mongodb.Store {
	t.Helper()
	s, err := mongodb.Open(t.Context(), uri, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Drop(context.Background(), server), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestServer is everything that needs a server beside the conformance suite.
func TestServer(t *testing.T) {
	uri := serverURI(t)
	t.Run("a newer schema is refused", func(t *testing.T) { newerSchema(t, uri) })
	t.Run("an older schema is brought up", func(t *testing.T) { olderSchema(t, uri) })
	t.Run("several open it together", func(t *testing.T) { openTogether(t, uri) })
	t.Run("the server goes away", func(t *testing.T) { serverGoesAway(t, uri) })
}

func newerSchema(t *testing.T, server string) {
	uri := inNewDatabase(parts(server))
	s := openAt(t, server, uri, mongodb.Options{})
	again, err := mongodb.Open(t.Context(), uri, mongodb.Options{}) // what is there stays
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if err := s.SetSchemaVersion(t.Context(), 99); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.MessageOf(err), "99") {
		t.Errorf("Ping of a newer schema: %v", err)
	}
	if _, err := mongodb.Open(t.Context(), uri, mongodb.Options{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("Open of a newer schema: %v", err)
	}
}

// olderSchema: from the moment a newer program has opened it, an older one must not.
func olderSchema(t *testing.T, server string) {
	uri := inNewDatabase(parts(server))
	s := openAt(t, server, uri, mongodb.Options{})
	if err := s.SetSchemaVersion(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	again, err := mongodb.Open(t.Context(), uri, mongodb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if version, err := again.SchemaVersion(t.Context()); err != nil || version != 2 {
		t.Errorf("schema %d, %v", version, err)
	}
}

func openTogether(t *testing.T, server string) {
	uri := inNewDatabase(parts(server))
	first := openAt(t, server, uri, mongodb.Options{})
	if err := first.Drop(t.Context(), server); err != nil { // so that all begin with nothing
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := mongodb.Open(t.Context(), uri, mongodb.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Ping(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// line passes connections on to a server until it is cut.
type line struct {
	listener net.Listener
	server   string

	mu   sync.Mutex
	open []net.Conn
	cut  bool
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &line{listener: l, server: server}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := new(net.Dialer).DialContext(context.Background(), "tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			ln.mu.Lock()
			ln.open = append(ln.open, client, upstream)
			if ln.cut {
				_, _ = client.Close(), upstream.Close()
			}
			ln.mu.Unlock()
			go pass(upstream, client)
			go pass(client, upstream)
		}
	}()
	t.Cleanup(func() { ln.hangUp() })
	return ln
}

func pass(to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if _, writeErr := to.Write(buf[:n]); err != nil || writeErr != nil {
			_, _ = to.Close(), from.Close()
			return
		}
	}
}

func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	_ = l.listener.Close()
	for _, c := range l.open {
		_ = c.Close()
	}
}

// serverGoesAway cuts the line to the server under an open store: every call
// is told in good time that the store cannot be reached.
func serverGoesAway(t *testing.T, server string) {
	head, hosts, query := parts(server)
	if strings.Contains(hosts, ",") || strings.Contains(head, "+srv") || strings.Contains(query, "replicaSet") {
		t.Skip("needs a server that is reached by one address")
	}
	ln := newLine(t, hosts)
	s := openAt(t, server, inNewDatabase(head, ln.listener.Addr().String(), query),
		mongodb.Options{SelectTimeout: 100 * time.Millisecond, OperationTimeout: 500 * time.Millisecond})
	if _, err := s.UpdateCase(t.Context(), "c", func(c *survey.Case) error { c.Force = "kept"; return nil }); err != nil {
		t.Fatal(err)
	}
	ln.hangUp()
	var wg sync.WaitGroup
	for name, call := range storetest.Calls(s) {
		wg.Go(func() {
			if err := call(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s without a server: %v (%v), want unavailable", name, err, fault.KindOf(err))
			} else if strings.Contains(fault.MessageOf(err), hosts) {
				t.Errorf("%s: the message tells of the server: %s", name, fault.MessageOf(err))
			}
		})
	}
	wg.Wait()
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.Case(gone, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has gone, without a server: %v", err)
	}
}

// TestNoServer asks for servers that refuse, and for one that accepts and says nothing.
func TestNoServer(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusing, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := refusing.Close(); err != nil {
		t.Fatal(err)
	}
	for name, addr := range map[string]string{"silent": silent.Addr().String(), "refusing": refusing.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			_, err := mongodb.Open(t.Context(), "mongodb://someone:opensesame@"+addr+"/vv",
				mongodb.Options{SelectTimeout: 100 * time.Millisecond, OperationTimeout: 300 * time.Millisecond})
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%v, want unavailable", err)
			}
			if strings.Contains(fmt.Sprint(err), "opensesame") {
				t.Errorf("the error tells the password: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := mongodb.Open(ctx, "mongodb://"+addr+"/vv", mongodb.Options{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the caller's own deadline came out as %v", err)
			}
		})
	}
}

func TestBadURI(t *testing.T) {
	for _, uri := range []string{
		"", "mongodb", "sqlite:/x", "http://127.0.0.1/vv", "mongodb://127.0.0.1", "mongodb://127.0.0.1/", "mongodb://127.0.0.1/?w=1",
		"mongodb://127.0.0.1/a%2Fb", "mongodb://127.0.0.1/%zz", "mongodb://127.0.0.1/a.b", "mongodb://127.0.0.1/" + strings.Repeat("x", 64),
		"mongodb://someone:opensesame@:bad:port:/vv", "mongodb://someone:opensesame@127.0.0.1/vv?w=-7&tls=perhaps",
	} {
		_, err := mongodb.Open(t.Context(), uri, mongodb.Options{SelectTimeout: 50 * time.Millisecond})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want invalid", uri, err)
		}
		if strings.Contains(fmt.Sprint(err), "opensesame") {
			t.Errorf("%q: the error tells the password: %v", uri, err)
		}
	}
}
