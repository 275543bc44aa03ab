package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	"victimvoice/internal/fault"
)

const (
	maxBatch     = 256              // entries in one call of the store
	maxRaces     = 64               // lost in a row, with no entry of ours stored, before we give up
	writeTimeout = 15 * time.Second // for one batch, whoever of the waiting has gone
	pageSize     = 500              // entries in one read
	idBytes      = 12
)

// Log appends to the chain and verifies it. Safe for many goroutines, and any number of
// processes may append to one store: the store refuses a Seq that is taken, and who
// lost that race links its entries anew.
//
// Within a process, entries that arrive while a batch is being written wait and go
// together in the next, so that a hundred readers cost a few round trips rather than
// a hundred.
type Log struct {
	store Store
	clock func() time.Time
	key   []byte

	mu      sync.Mutex
	queue   []waiting
	writing bool

	// The end of the chain as we last saw it, so that an append need not read first.
	// Only the writing goroutine touches these; it is stale when another process has appended.
	known    bool
	headSeq  int64
	headHash string
}

type waiting struct {
	entry Entry
	done  chan<- error
}

// New makes a log over a store. The key (32 bytes, seal.Keys.Subkey("audit")) makes
// the hashes; it must never change. The clock gives the time of each entry.
func New(store Store, clock func() time.Time, key []byte) *Log {
	return &Log{store: store, clock: clock, key: key}
}

// Append adds an entry and returns once it is stored. Seq, ID, At, Prev and Hash are
// the log's to fill; Actor and Action must be there. An error means that the entry may
// not be stored (fault.Unavailable when the store failed, the context's own error when
// the caller could not wait): who was about to read or change something must not go on.
func (l *Log) Append(ctx context.Context, e Entry) error {
	if e.Actor == "" || e.Action == "" {
		return errors.New("audit: an entry needs an actor and an action")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	e = clean(e, l.clock())
	id := make([]byte, idBytes)
	_, _ = rand.Read(id) // never fails
	e.ID = hex.EncodeToString(id)

	done := make(chan error, 1) // buffered: the writer never waits for a caller who left
	l.mu.Lock()
	l.queue = append(l.queue, waiting{entry: e, done: done})
	start := !l.writing
	l.writing = true
	l.mu.Unlock()
	if start {
		// Not bound to this caller's context: the batch may carry other callers' entries.
		go l.drain(context.WithoutCancel(ctx))
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("audit: %w", ctx.Err())
	}
}

// drain writes batches until nothing waits. At most one runs at a time.
func (l *Log) drain(ctx context.Context) {
	for {
		l.mu.Lock()
		n := min(len(l.queue), maxBatch)
		if n == 0 {
			l.writing = false
			l.mu.Unlock()
			return
		}
		batch := l.queue[:n:n]
		l.queue = l.queue[n:]
		if len(l.queue) == 0 {
			l.queue = nil // let the old array go
		}
		l.mu.Unlock()
		l.write(ctx, batch)
	}
}

// write stores a batch and tells everyone in it what became of their entry.
func (l *Log) write(ctx context.Context, batch []waiting) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for races := 0; len(batch) > 0; {
		stored, err := l.try(ctx, batch)
		for _, w := range batch[:stored] {
			w.done <- nil
		}
		batch = batch[stored:]
		if err == nil {
			continue
		}
		l.known = false
		if races++; stored > 0 {
			races = 0
		}
		if fault.Is(err, fault.Conflict) && races < maxRaces && ctx.Err() == nil {
			continue
		}
		err = fault.Wrap(fault.Unavailable, err, "the audit record cannot be written now")
		for _, w := range batch {
			w.done <- err
		}
		return
	}
}

// try links a batch to the end of the chain and inserts it. It says how many entries,
// from the first, are stored for certain.
func (l *Log) try(ctx context.Context, batch []waiting) (stored int, err error) {
	if !l.known {
		last, _, err := l.store.LastEntry(ctx)
		if err != nil {
			return 0, fmt.Errorf("find the end of the audit chain: %w", notConflict(err))
		}
		l.known, l.headSeq, l.headHash = true, last.Seq, last.Hash
	}
	entries := make([]Entry, len(batch))
	seq, hash := l.headSeq, l.headHash
	for i, w := range batch {
		entries[i] = link(l.key, seq, hash, w.entry)
		seq, hash = entries[i].Seq, entries[i].Hash
	}
	insertErr := l.store.InsertEntries(ctx, entries)
	if insertErr == nil {
		l.headSeq, l.headHash = seq, hash
		return len(batch), nil
	}
	// Any prefix may be stored, even all of it when only the answer was lost; a second
	// copy of an entry would be an act that happened once and is recorded twice.
	there, err := l.store.Entries(ctx, entries[0].Seq, len(entries))
	if err != nil {
		return 0, fmt.Errorf("append to the audit chain: %w", errors.Join(notConflict(insertErr), err))
	}
	for stored < len(there) && there[stored].Hash == entries[stored].Hash {
		stored++
	}
	if stored == len(entries) {
		l.headSeq, l.headHash = seq, hash
		return stored, nil
	}
	return stored, fmt.Errorf("append to the audit chain: %w", insertErr)
}

// notConflict keeps a cause but not its kind, where a conflict would mean "try again".
func notConflict(err error) error {
	if fault.Is(err, fault.Conflict) {
		return errors.New(err.Error())
	}
	return err
}

// All streams the entries from a Seq on, in order, a page at a time. The first error
// ends it.
func (l *Log) All(ctx context.Context, fromSeq int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			page, err := l.store.Entries(ctx, fromSeq, pageSize)
			if err != nil {
				yield(Entry{}, fmt.Errorf("read the audit chain from %d: %w", fromSeq, err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				fromSeq = e.Seq + 1
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// Checkpoint gives the present end of the chain; the zero value when it is empty.
func (l *Log) Checkpoint(ctx context.Context) (Checkpoint, error) {
	last, _, err := l.store.LastEntry(ctx)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("find the end of the audit chain: %w", err)
	}
	return Checkpoint{Seq: last.Seq, Hash: last.Hash}, nil
}

// ParseCheckpoint reads what [Checkpoint.String] wrote; otherwise fault.Invalid.
func ParseCheckpoint(s string) (Checkpoint, error) {
	number, hash, ok := strings.Cut(strings.TrimSpace(s), ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if raw, hexErr := hex.DecodeString(hash); !ok || err != nil || hexErr != nil || seq < 1 || len(raw) != 32 {
		return Checkpoint{}, fault.New(fault.Invalid, "a checkpoint reads NUMBER:HASH, the hash in 64 hexadecimal digits")
	}
	return Checkpoint{Seq: seq, Hash: strings.ToLower(hash)}, nil
}

// Verify walks the whole chain, a page at a time, and counts its entries. When the
// chain is broken the error is a *[Broken] that names the first entry at fault. Only a
// checkpoint from outside the database can show that the tail was removed; those of
// entries since purged are passed over.
func (l *Log) Verify(ctx context.Context, checkpoints ...Checkpoint) (n int64, err error) {
	v, err := newVerifier(l.key, checkpoints)
	if err != nil {
		return 0, err
	}
	for e, err := range l.All(ctx, 0) {
		if err != nil {
			return v.n, err
		}
		if err := v.add(e); err != nil {
			return v.n, err
		}
	}
	return v.n, v.end()
}

// Purge removes the entries made before a time, as the retention period asks, and says
// how many. First it appends an anchor that names the last entry to go and its hash, so
// that the rest still verifies, and so that nobody can pass off a deletion as a purge
// without leaving a trace. Repeatable: a purge that was cut short goes on next time.
func (l *Log) Purge(ctx context.Context, before time.Time) (int64, error) {
	var first, last Entry
	for e, err := range l.All(ctx, 0) {
		if err != nil {
			return 0, err
		}
		if !e.At.Before(before) {
			break
		}
		if first.Seq == 0 {
			first = e
		}
		last = e
	}
	if last.Seq == 0 {
		return 0, nil
	}
	err := l.Append(ctx, Entry{
		Actor: systemActor, Action: purgeAction, Subject: purgeSubject, Reason: "retention",
		Detail: map[string]string{throughSeq: strconv.FormatInt(last.Seq, 10), throughHash: last.Hash},
	})
	if err != nil {
		return 0, err
	}
	if err := l.store.DeleteEntriesBefore(ctx, last.Seq+1); err != nil {
		return 0, fmt.Errorf("purge the audit chain: %w", err)
	}
	return last.Seq - first.Seq + 1, nil
}
