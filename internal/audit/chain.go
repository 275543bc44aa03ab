package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chainFormat heads every hash. Another way of hashing would get another name, so
// that old entries keep verifying.
const chainFormat = "victimvoice/audit/1"

// sum is the keyed hash of an entry: HMAC-SHA-256 over its length-prefixed fields,
// the previous hash among them. Nil and empty details hash alike, since a store may
// not tell them apart.
func sum(key []byte, e Entry) string {
	mac := hmac.New(sha256.New, key)
	write := func(s string) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		mac.Write(size[:])
		_, _ = io.WriteString(mac, s) // a hash never fails to write
	}
	write(chainFormat)
	write(strconv.FormatInt(e.Seq, 10))
	write(e.ID)
	write(strconv.FormatInt(e.At.UnixMilli(), 10))
	write(e.Actor)
	write(e.Role)
	write(e.Action)
	write(e.Subject)
	write(e.Reason)
	write(strconv.Itoa(len(e.Detail)))
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		write(name)
		write(e.Detail[name])
	}
	write(e.Prev)
	return hex.EncodeToString(mac.Sum(nil))
}

// link puts e behind the end of a chain.
func link(key []byte, seq int64, prev string, e Entry) Entry {
	e.Seq, e.Prev = seq+1, prev
	e.Hash = sum(key, e)
	return e
}

// clean makes an entry such that every store gives back the same bytes: valid
// UTF-8, whole milliseconds in UTC, a map of its own.
func clean(e Entry, now time.Time) Entry {
	for _, s := range []*string{&e.Actor, &e.Role, &e.Action, &e.Subject, &e.Reason} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	if e.Detail != nil {
		detail := make(map[string]string, len(e.Detail))
		for name, value := range e.Detail {
			detail[strings.ToValidUTF8(name, "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
		}
		e.Detail = detail
	}
	e.At = now.UTC().Truncate(time.Millisecond)
	return e
}

// Broken says where the chain fails. Every entry before Seq is sound.
type Broken struct {
	Seq int64 // the first entry that is missing, altered or out of place
	Why string
}

func (b *Broken) Error() string {
	return fmt.Sprintf("audit chain broken at entry %d: %s", b.Seq, b.Why)
}

// Checkpoint is the end of the chain at some time. Kept outside the database (a log
// line, a printout, a ticket), it shows later whether the tail was cut off, which
// the chain alone cannot.
type Checkpoint struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// String gives "SEQ:HASH", which [ParseCheckpoint] reads.
func (c Checkpoint) String() string { return strconv.FormatInt(c.Seq, 10) + ":" + c.Hash }

// verifier walks entries in order.
type verifier struct {
	key         []byte
	checkpoints map[int64]string
	n           int64
	firstSeq    int64
	firstPrev   string
	seq         int64
	hash        string
	anchored    bool // an entry tells of the purge that took what came before the first
}

func newVerifier(key []byte, checkpoints []Checkpoint) (*verifier, error) {
	v := &verifier{key: key, checkpoints: make(map[int64]string, len(checkpoints))}
	for _, c := range checkpoints {
		if other, ok := v.checkpoints[c.Seq]; ok && other != c.Hash {
			return nil, &Broken{Seq: c.Seq, Why: "two checkpoints disagree about it"}
		}
		v.checkpoints[c.Seq] = c.Hash
	}
	return v, nil
}

func (v *verifier) add(e Entry) error {
	switch {
	case v.n == 0:
		v.firstSeq, v.firstPrev = e.Seq, e.Prev
		if e.Seq < 1 || e.Seq == 1 && e.Prev != "" {
			return &Broken{Seq: e.Seq, Why: "it is not a beginning"}
		}
	case e.Seq > v.seq+1:
		return &Broken{Seq: v.seq + 1, Why: "it is missing"}
	case e.Seq < v.seq+1:
		return &Broken{Seq: v.seq + 1, Why: "entries are repeated or out of order"}
	case e.Prev != v.hash:
		return &Broken{Seq: e.Seq, Why: "it does not follow from the entry before"}
	}
	if !hmac.Equal([]byte(e.Hash), []byte(sum(v.key, e))) {
		return &Broken{Seq: e.Seq, Why: "it was altered, or hashed with another key"}
	}
	if want, ok := v.checkpoints[e.Seq]; ok && want != e.Hash {
		return &Broken{Seq: e.Seq, Why: "a checkpoint saw another entry in its place"}
	}
	if through, hash, ok := anchor(e); ok {
		// The first entry's own Prev is authenticated by its hash, so an exact
		// anchor must agree with it; one that reaches further tells of a purge that was
		// cut short and goes on next time.
		missing := v.firstSeq - 1
		v.anchored = v.anchored || through > missing || through == missing && hash == v.firstPrev
	}
	v.n, v.seq, v.hash = v.n+1, e.Seq, e.Hash
	return nil
}

func (v *verifier) end() error {
	if v.n > 0 && v.firstSeq > 1 && !v.anchored {
		return &Broken{Seq: 1, Why: fmt.Sprintf("entries before %d were removed, and no entry tells of a purge", v.firstSeq)}
	}
	for seq := range v.checkpoints {
		if seq > v.seq {
			return &Broken{Seq: v.seq + 1, Why: fmt.Sprintf("the tail was removed: a checkpoint saw entry %d", seq)}
		}
	}
	return nil
}

// The entry by which a purge is known.
const (
	purgeAction  = "audit.purged"
	throughSeq   = "through_seq"
	throughHash  = "through_hash"
	purgeSubject = "audit"
	systemActor  = "system"
)

func anchor(e Entry) (through int64, hash string, ok bool) {
	if e.Action != purgeAction {
		return 0, "", false
	}
	through, err := strconv.ParseInt(e.Detail[throughSeq], 10, 64)
	return through, e.Detail[throughHash], err == nil
}
