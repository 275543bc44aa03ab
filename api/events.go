package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"victimvoice/api/internal/lanes"
	"victimvoice/api/wire"
	"victimvoice/internal/access"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// What becomes of an event in a batch.
const (
	accepted  = string(survey.Accepted)
	duplicate = string(survey.Duplicate)
	conflict  = "conflict"
	rejected  = "rejected"
)

func results() []string { return []string{accepted, duplicate, conflict, rejected} }

// outcome is the result of one event.
type outcome struct {
	EventID string        `json:"event_id"`
	Status  string        `json:"status"`
	Errors  []fault.Field `json:"errors,omitempty"`
}

const (
	typeJSON  = "application/json"
	typeLines = "application/x-ndjson"
)

// postEvents takes one event, or a batch of them as an array or as lines.
func (a *API) postEvents(c *gin.Context, key access.APIKey) error {
	kind, err := mediaType(c.Request, typeJSON, typeLines)
	if err != nil {
		return err
	}
	body, release, err := a.body(c)
	if err != nil {
		return err
	}
	defer release()
	var records []wire.Record
	switch {
	case kind == typeLines:
		records, err = lines(body)
	case bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte{'['}):
		records, err = wire.Array(body)
	default:
		return a.postEvent(c, key, body)
	}
	if err != nil {
		return malformed(err)
	}
	if err := edge.Stream(c, batchTimeout); err != nil {
		return err
	}
	out, err := a.receive(c.Request.Context(), key, records)
	if err != nil {
		return err
	}
	c.JSON(http.StatusAccepted, out)
	return nil
}

// postEvent takes one event. The answer to a repeat is the first one's, but for
// its status code.
func (a *API) postEvent(c *gin.Context, key access.APIKey, body []byte) error {
	r, err := wire.Event(body)
	if err != nil {
		return malformed(err)
	}
	faults, err := a.check(key, &r)
	switch {
	case err != nil:
		a.events.WithLabelValues(rejected).Inc()
		return err
	case len(faults) > 0:
		a.events.WithLabelValues(rejected).Inc()
		return fault.Fields("The event has faults.", faults...)
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), edge.RequestTimeout)
	defer cancel()
	receipt, err := a.parts.Intake.Receive(ctx, r.Event)
	if result := resultOf(receipt, err); result != "" {
		a.events.WithLabelValues(result).Inc()
	}
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if receipt.Status == survey.Duplicate {
		status = http.StatusOK
	}
	c.JSON(status, outcome{EventID: r.Event.EventID, Status: accepted})
	return nil
}

// check gives every fault of an event, or fault.Denied when it is of a force that
// the key may not write.
func (a *API) check(key access.APIKey, r *wire.Record) ([]fault.Field, error) {
	if slices.ContainsFunc(r.Faults, func(f fault.Field) bool { return f.Field == wire.Whole }) {
		return r.Faults, nil
	}
	faults := wire.Join(r.Faults, a.parts.Intake.Check(&r.Event))
	if r.Event.Force != "" && !key.MayTouch(r.Event.Force) {
		mine := fault.Field{Field: "force", Message: "this key writes the cases of " + key.Force + " only"}
		return nil, &fault.Error{Kind: fault.Denied, Message: "This key may not write another force's cases.", Fields: []fault.Field{mine}}
	}
	return faults, nil
}

// resultOf names what became of an event; empty when that is not known, since
// something on our side failed.
func resultOf(r survey.Receipt, err error) string {
	switch {
	case err == nil:
		return string(r.Status)
	case fault.Is(err, fault.Conflict):
		return conflict
	case fault.Is(err, fault.Invalid):
		return rejected
	}
	return ""
}

// receive takes a batch in and gives one result an event, in order. Events of one
// case are written in the order given. When something on our side fails that is
// the error, and what was written by then is a duplicate when it is sent again.
func (a *API) receive(ctx context.Context, key access.APIKey, records []wire.Record) ([]outcome, error) {
	out := make([]outcome, len(records))
	var first, again []int // a repeated id waits for the first of its name, which may be of another case
	seen := map[string]bool{}
	for i := range records {
		r := &records[i]
		faults, err := a.check(key, r)
		if err != nil {
			faults = fault.FieldsOf(err)
		}
		out[i].EventID = r.Event.EventID
		if len(faults) > 0 {
			out[i].Status, out[i].Errors = rejected, faults
			continue
		}
		id := r.Event.Force + "\x00" + r.Event.EventID
		if seen[id] {
			again = append(again, i)
		} else {
			seen[id] = true
			first = append(first, i)
		}
	}
	do := func(ctx context.Context, i int) error {
		receipt, err := a.parts.Intake.Receive(ctx, records[i].Event)
		result := resultOf(receipt, err)
		if result == "" {
			return fmt.Errorf("receive event %d of the batch: %w", i, err)
		}
		out[i].Status = result
		if err != nil {
			out[i].Errors = fault.FieldsOf(err)
			if len(out[i].Errors) == 0 {
				out[i].Errors = []fault.Field{{Field: wire.Whole, Message: fault.MessageOf(err)}}
			}
		}
		return nil
	}
	pool := lanes.New(ctx, batchWorkers, do)
	for _, i := range first {
		if e := &records[i].Event; !pool.Put(e.Force+"\x00"+e.CaseRef, i) {
			break
		}
	}
	if err := pool.Wait(); err != nil {
		return nil, err
	}
	for _, i := range again {
		if err := do(ctx, i); err != nil {
			return nil, err
		}
	}
	for i := range out {
		a.events.WithLabelValues(out[i].Status).Inc()
	}
	return out, nil
}

// lines reads a batch of one event a line. A line that is not JSON, or too long,
// is a fault of that line alone; blank lines are left out.
func lines(body []byte) ([]wire.Record, error) {
	var out []wire.Record
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(out) == wire.MaxBatch {
			return nil, fault.New(fault.TooLarge, "a batch holds at most %d", wire.MaxBatch)
		}
		r, err := wire.Event(line)
		if err != nil {
			r = wire.Record{Faults: []fault.Field{{Field: wire.Whole, Message: err.Error()}}}
		}
		out = append(out, r)
	}
	return out, nil
}

// body reads a request's body. One larger than an event waits its turn among the
// batches until release is called.
func (a *API) body(c *gin.Context) (body []byte, release func(), err error) {
	release = func() {}
	body, err = io.ReadAll(io.LimitReader(c.Request.Body, wire.MaxEvent+1))
	if err == nil && len(body) > wire.MaxEvent {
		ctx := c.Request.Context()
		select {
		case a.batches <- struct{}{}:
			release = func() { <-a.batches }
		case <-ctx.Done():
			return nil, release, ctx.Err()
		}
		var rest []byte
		rest, err = io.ReadAll(c.Request.Body)
		body = append(body, rest...)
	}
	if err == nil {
		return body, release, nil
	}
	release()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, nil, fault.Wrap(fault.TooLarge, err, "A body is at most %d MiB, an event %d KiB and a batch %d events.", large.Limit>>20, wire.MaxEvent>>10, wire.MaxBatch)
	}
	// The caller broke off, or sent what is no HTTP.
	return nil, nil, edge.WithStatus(http.StatusBadRequest, fault.Wrap(fault.Invalid, err, "The body could not be read to its end."))
}

// mediaType is the Content-Type, which must be one of those wanted, in UTF-8 and
// not compressed.
func mediaType(r *http.Request, wanted ...string) (string, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return "", unsupported("A compressed body is not accepted; send it as it is.")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(wanted, kind) {
		return "", unsupported("The Content-Type is %s.", strings.Join(wanted, " or "))
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return "", unsupported("JSON is sent in UTF-8.")
	}
	return kind, nil
}
