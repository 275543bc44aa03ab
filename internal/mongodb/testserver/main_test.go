package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// collection is an empty collection on a server of the test's own.
func collection(t *testing.T) *mongo.Collection {
	t.Helper()
	s, err := start(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(s.uri()).SetMaxPoolSize(64))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there after stop", s.dir)
		}
	})
	return client.Database("test").Collection("messages")
}

func insertDue(t *testing.T, c *mongo.Collection, n int) {
	t.Helper()
	docs := make([]bson.M, n)
	for i := range docs {
		docs[i] = bson.M{"_id": i, "state": "due", "claims": 0, "version": 0}
	}
	if _, err := c.InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// together runs f in n goroutines that start at one moment.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// claimedOnce fails unless each of the n documents was changed exactly once.
func claimedOnce(t *testing.T, c *mongo.Collection, n int) {
	t.Helper()
	got, err := c.CountDocuments(t.Context(), bson.M{"claims": 1, "state": "claimed"})
	if err != nil {
		t.Fatal(err)
	}
	if got != int64(n) {
		t.Errorf("%d documents were changed exactly once, want %d", got, n)
	}
}

const (
	workers = 50
	due     = 100
)

func TestFindOneAndUpdateClaimsOnce(t *testing.T) {
	c := collection(t)
	insertDue(t, c, due)
	var claims atomic.Int64
	together(workers, func(int) {
		for {
			err := c.FindOneAndUpdate(t.Context(),
				bson.M{"state": "due"},
				bson.M{"$set": bson.M{"state": "claimed"}, "$inc": bson.M{"claims": 1}}).Err()
			switch {
			case errors.Is(err, mongo.ErrNoDocuments):
				return
			case err != nil:
				t.Error(err)
				return
			}
			claims.Add(1)
		}
	})
	if got := claims.Load(); got != due {
		t.Errorf("%d workers made %d claims on %d documents", workers, got, due)
	}
	claimedOnce(t, c, due)
}

func TestUpdateOneByVersionClaimsOnce(t *testing.T) {
	c := collection(t)
	insertDue(t, c, due)
	var claims atomic.Int64
	together(workers, func(i int) {
		// Ten workers try for each document, at about the same time.
		for k := range 10 * due / workers {
			id := (i*due/workers + k) % due
			res, err := c.UpdateOne(t.Context(),
				bson.M{"_id": id, "version": 0},
				bson.M{"$set": bson.M{"state": "claimed"}, "$inc": bson.M{"claims": 1, "version": 1}})
			if err != nil {
				t.Error(err)
				return
			}
			claims.Add(res.ModifiedCount)
		}
	})
	if got := claims.Load(); got != due {
		t.Errorf("%d workers made %d claims on %d documents", workers, got, due)
	}
	claimedOnce(t, c, due)
}

func TestReplaceByVersionHasOneWinner(t *testing.T) {
	c := collection(t)
	insertDue(t, c, 1)
	for round := range 20 {
		var wins atomic.Int64
		together(20, func(i int) {
			res, err := c.ReplaceOne(t.Context(),
				bson.M{"_id": 0, "version": round},
				bson.M{"_id": 0, "version": round + 1, "by": i})
			if err != nil {
				t.Error(err)
				return
			}
			wins.Add(res.ModifiedCount)
		})
		if got := wins.Load(); got != 1 {
			t.Errorf("round %d: %d winners, want 1", round, got)
		}
	}
}

func TestIncrementsAddUp(t *testing.T) {
	c := collection(t)
	insertDue(t, c, 1)
	together(20, func(int) {
		for range 20 {
			if _, err := c.UpdateOne(t.Context(), bson.M{"_id": 0}, bson.M{"$inc": bson.M{"n": 1}}); err != nil {
				t.Error(err)
			}
		}
	})
	var got struct {
		N int `bson:"n"`
	}
	if err := c.FindOne(t.Context(), bson.M{"_id": 0}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.N != 400 {
		t.Errorf("400 increments added up to %d", got.N)
	}
}

func TestUnacknowledgedWrite(t *testing.T) {
	c := collection(t)
	silent := c.Database().Collection(c.Name(), options.Collection().SetWriteConcern(writeconcern.Unacknowledged()))
	for i := range 20 {
		if _, err := silent.InsertOne(t.Context(), bson.M{"_id": i}); err != nil {
			t.Fatal(err)
		}
	}
	// The pool may use another connection for the count than for an insert
	// still on its way, so the count is asked until the last insert is in.
	for {
		n, err := c.CountDocuments(t.Context(), bson.M{})
		if err != nil {
			t.Fatal(err)
		}
		if n == 20 {
			return
		}
	}
}

func TestRunPrintsItsAddressAndEndsWithItsInput(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stdin, closeStdin := io.Pipe()
	fromStdout, stdout := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), nil, stdin, stdout, &stderr) }()

	line, err := bufio.NewReader(fromStdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	uri := strings.TrimSuffix(line, "\n")
	if !strings.HasPrefix(uri, "mongodb://127.0.0.1:") || !strings.HasSuffix(uri, "/") {
		t.Errorf("printed %q, want mongodb://127.0.0.1:PORT/", uri)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := client.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := closeStdin.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit %d, want %d; standard error: %s", got, exitOK, stderr.String())
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "vv-mongo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind %v (%v)", left, err)
	}
}

func TestRunEndsWhenInterrupted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stdin, closeStdin := io.Pipe()
	defer func() { _ = closeStdin.Close() }()
	ctx, interrupt := context.WithCancel(t.Context())
	fromStdout, stdout := io.Pipe()
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, stdin, stdout, io.Discard) }()
	if _, err := bufio.NewReader(fromStdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d, want %d", got, exitOK)
	}
}

func TestRunRefusesBadUse(t *testing.T) {
	for _, args := range [][]string{{"-addr", "0.0.0.0:0"}, {"-addr", "example.org:1"}, {"-addr", "127.0.0.1"}, {"-nonesuch"}, {"extra"}} {
		var stderr bytes.Buffer
		if got := run(t.Context(), args, strings.NewReader(""), io.Discard, &stderr); got != exitUsage {
			t.Errorf("%v: exit %d, want %d", args, got, exitUsage)
		}
		if stderr.Len() == 0 {
			t.Errorf("%v: nothing on standard error", args)
		}
	}
}
