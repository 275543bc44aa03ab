// Command testserver is the stand-in for MongoDB that the tests run against.
//
// It owns two things: an embedded FerretDB (the MongoDB wire protocol over
// SQLite files in a temporary folder) and, in front of it, a gate that lets one
// command through at a time. FerretDB 1.24 reads and then writes without a
// lock, so two updates of one document can both win; MongoDB promises that one
// document changes atomically. Behind the gate that promise holds here too.
// What this server shows nothing about is parallelism, index use and latency.
//
// It is a module of its own, so that nothing of it enters the product's module
// graph. Once it accepts connections it prints one line,
// mongodb://127.0.0.1:PORT/, and it runs until it is interrupted or its
// standard input closes: a test run that dies does not leave it behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Exit codes of the command.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run starts the server, prints its address and waits for ctx to be done or
// stdin to close. The result is the process's exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("testserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:0", "loopback address to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "testserver: %q: takes flags only, see -help\n", flags.Arg(0))
		return exitUsage
	}
	if err := checkLoopback(*addr); err != nil {
		_, _ = fmt.Fprintf(stderr, "testserver: -addr: %v\n", err)
		return exitUsage
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()

	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := start(ctx, *addr, logger)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "testserver: %v\n", err)
		return exitFailure
	}
	_, _ = fmt.Fprintln(stdout, s.uri())
	<-ctx.Done()
	if err := s.stop(); err != nil {
		_, _ = fmt.Fprintf(stderr, "testserver: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// checkLoopback refuses an address that other machines could reach: the server
// asks nobody for a password.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%q is not a loopback address such as 127.0.0.1", host)
	}
	return nil
}

// server is a running FerretDB with the gate in front of it.
type server struct {
	dir    string
	gate   *gate
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// start brings up FerretDB on a Unix socket inside a fresh temporary folder, so
// that the gate on addr is the only way in. The caller must call stop.
func start(ctx context.Context, addr string, logger *slog.Logger) (_ *server, err error) {
	dir, err := os.MkdirTemp("", "vv-mongo-")
	if err != nil {
		return nil, fmt.Errorf("temporary folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "s.sock")
	ferret, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Logger:    logger,
		Handler:   "sqlite",
		SQLiteURL: "file:" + data + "/",
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("FerretDB: %w", err), listener.Close())
	}

	// FerretDB outlives ctx on purpose: stop closes the gate first, so that
	// FerretDB finds its connections gone and ends at once.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &server{dir: dir, cancel: cancel}
	var dialer net.Dialer
	s.gate = newGate(listener, func() (net.Conn, error) {
		return dialer.DialContext(runCtx, "unix", socket)
	}, logger)
	s.wg.Go(func() {
		if err := ferret.Run(runCtx); err != nil {
			logger.Error("FerretDB ended", "err", err)
		}
	})
	s.wg.Go(s.gate.serve)
	return s, nil
}

// uri is the connection string of the gate, without a database name.
func (s *server) uri() string {
	return "mongodb://" + s.gate.listener.Addr().String() + "/"
}

// stop closes every connection, ends FerretDB and removes its files.
func (s *server) stop() error {
	s.gate.close()
	s.cancel()
	s.wg.Wait()
	return os.RemoveAll(s.dir)
}
