package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/analysis/figures"
	"victimvoice/api/internal/intaketest"
	"victimvoice/api/wire"
	"victimvoice/internal/access"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

const met = "Metropolitan Police"

// The keys of the tests.
const (
	writer  = "vv_writer"
	bouncer = "vv_bouncer"
	reader  = "vv_reader"
	ealing  = "vv_oneforce"
)

// keys stands in for internal/access.
type keys struct{ broken error }

func (k *keys) AuthenticateKey(_ context.Context, raw string) (access.APIKey, error) {
	if k.broken != nil {
		return access.APIKey{}, k.broken
	}
	switch raw {
	case writer:
		return access.APIKey{ID: raw, Scopes: []access.Scope{access.EventsWrite}, Force: met}, nil
	case bouncer:
		return access.APIKey{ID: raw, Scopes: []access.Scope{access.BouncesWrite}}, nil
	case reader:
		return access.APIKey{ID: raw, Scopes: []access.Scope{access.FiguresGet}}, nil
	case ealing:
		return access.APIKey{ID: raw, Scopes: []access.Scope{access.FiguresGet}, Force: met}, nil
	}
	return access.APIKey{}, fault.New(fault.Unauthorized, "this needs a valid API key")
}

// mails stands in for notifications.
type mails struct {
	mu     sync.Mutex
	known  map[string]bool
	got    []string
	broken error
}

func (m *mails) Bounce(_ context.Context, id, kind string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.broken != nil:
		return m.broken
	case kind != "permanent" && kind != "transient":
		return fault.Fields("the bounce has faults", fault.Field{Field: "kind", Message: "want permanent or transient"})
	case !m.known[id]:
		return fault.New(fault.NotFound, "no mail of ours has this message_id")
	}
	m.got = append(m.got, id+" "+kind+" "+at.UTC().Format(time.RFC3339))
	return nil
}

// panel stands in for analysis.
type panel struct {
	query  url.Values
	broken error
}

func (p *panel) Figures(_ context.Context, q url.Values) (figures.Result, error) {
	p.query = q
	if p.broken != nil {
		return figures.Result{}, p.broken
	}
	if q.Get("measure") == "" {
		return figures.Result{}, fault.Fields("not on the table of figures", fault.Field{Field: "measure", Message: "is not a measure"})
	}
	share := 60.0
	return figures.Result{Measure: figures.Measure{ID: q.Get("measure")}, Points: []figures.Point{{Period: "2026-03", Numerator: 30, Base: 50, Share: &share}, {Period: "2026-04", Suppressed: true, Reason: figures.ReasonWithheld}}}, nil
}

func (p *panel) Measures() []figures.Measure { return []figures.Measure{{ID: "conf.police"}} }

// world is the interface with all that it stands on.
type world struct {
	*gin.Engine
	room    *intaketest.Room
	keys    *keys
	mails   *mails
	panel   *panel
	log     bytes.Buffer
	metrics *prometheus.Registry
	now     time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		room: intaketest.New(t), keys: &keys{}, mails: &mails{known: map[string]bool{"m1": true, "m2": true}}, panel: &panel{},
		metrics: prometheus.NewRegistry(), now: intaketest.Now(),
	}
	clock := func() time.Time { return w.now }
	e, err := edge.NewEngine(edge.Config{Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Metrics: w.metrics, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Parts{Intake: w.room, Bounces: w.mails, Figures: w.panel, Measures: w.panel, Keys: w.keys, Now: clock, Metrics: w.metrics, Rate: edge.Rate{PerSecond: 1, Burst: 50}})
	if err != nil {
		t.Fatal(err)
	}
	a.Routes(e)
	w.Engine = e
	return w
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func (w *world) post(path, key, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return w.do(r)
}

func (w *world) events(body string) *httptest.ResponseRecorder {
	return w.post("/api/v1/events", writer, "application/json", body)
}

func (w *world) get(path, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	return w.do(r)
}

func decode[T any](t *testing.T, rec *httptest.ResponseRecorder) (v T) {
	t.Helper()
	d := json.NewDecoder(rec.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in an answer of %d: %s", err, rec.Code, rec.Body)
	}
	return v
}

func wantProblem(t *testing.T, rec *httptest.ResponseRecorder, status int, fields ...string) {
	t.Helper()
	if rec.Code != status || rec.Header().Get("Content-Type") != edge.ProblemType {
		t.Fatalf("%d %s: %s, want a problem of %d", rec.Code, rec.Header().Get("Content-Type"), rec.Body, status)
	}
	p := decode[edge.Problem](t, rec)
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field)
	}
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if p.Detail == "" {
		t.Error("the problem says nothing")
	}
}

func event(id, ref, kind string, more string) string {
	return fmt.Sprintf(`{"event_id":%q,"case_ref":%q,"type":%q,"occurred_at":"2026-03-02T09:30:00Z","force":%q%s}`, id, ref, kind, met, more)
}

func TestOneEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.events(event("E1", "C1", "reported", `,"contact":{"email":"person@example.org","email_safe":true}`))
	if first.Code != http.StatusAccepted {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	body := first.Body.String()
	if body != `{"event_id":"E1","status":"accepted"}` {
		t.Errorf("body %s", body)
	}
	again := w.events(" " + event("E1", "C1", "Reported", `,"contact":{"email":" person@example.org ","email_safe":true,"language":null}`) + "\n")
	if again.Code != http.StatusOK || again.Body.String() != body {
		t.Errorf("the same again: %d %s", again.Code, again.Body)
	}
	wantProblem(t, w.events(event("E1", "C1", "withdrew", "")), http.StatusConflict, "event_id")

	// A rejected event does not use its id up.
	wantProblem(t, w.events(event("E2", "C1", "closed", "")), http.StatusUnprocessableEntity, "outcome")
	if rec := w.events(event("E2", "C1", "closed", `,"outcome":"nfa-other"`)); rec.Code != http.StatusAccepted {
		t.Errorf("put right: %d %s", rec.Code, rec.Body)
	}
	if got := w.room.Events(); len(got) != 2 || got[0].Contact.Email != "person@example.org" || got[1].Outcome != "nfa-other" {
		t.Errorf("kept: %+v", got)
	}
	log := w.log.String()
	if strings.Contains(log, "example.org") || strings.Contains(log, "C1") || strings.Contains(log, writer) {
		t.Errorf("the log tells: %s", log)
	}
}

func TestEventFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
		fields []string
	}{
		"empty":             {"", 400, nil},
		"not JSON":          {"event_id=E1", 400, nil},
		"cut short":         {`{"event_id":"E1"`, 400, nil},
		"two values":        {event("E1", "C1", "reported", "") + event("E2", "C1", "reported", ""), 400, nil},
		"a string":          {`"E1"`, 400, nil},
		"malformed array":   {"[" + event("E1", "C1", "reported", "") + ",]", 400, nil},
		"nothing in it":     {"{}", 422, []string{"event_id", "case_ref", "type", "occurred_at", "force"}},
		"unknown field":     {event("E1", "C1", "reported", `,"adlut":true`), 422, []string{"adlut"}},
		"repeated field":    {event("E1", "C1", "reported", `,"adult":true,"adult":true`), 422, []string{"adult"}},
		"wrong types":       {event("E1", "C1", "reported", `,"adult":"yes","contact":{"email":7}`), 422, []string{"adult", "contact.email"}},
		"not UTF-8":         {event("E1", "C1", "reported", ",\"sex\":\"\xff\""), 422, []string{"sex"}},
		"no such day":       {strings.Replace(event("E1", "C1", "reported", ""), "03-02", "02-31", 1), 422, []string{"occurred_at"}},
		"future":            {strings.Replace(event("E1", "C1", "reported", ""), "2026", "2031", 1), 422, []string{"occurred_at"}},
		"unknown borough":   {event("E1", "C1", "reported", `,"borough":"Elaing"`), 422, []string{"borough"}},
		"several":           {event("E1", "", "report", `,"x":1,"contact":{"safe_from":"9"}`), 422, []string{"x", "case_ref", "type", "contact.safe_from"}},
		"another force":     {strings.Replace(event("E1", "C1", "reported", ""), met, "Another Force", 1), 403, []string{"force"}},
		"too large":         {event("E1", "C1", "reported", `,"reason":"`+strings.Repeat("x", wire.MaxEvent)+`"`), 413, nil},
		"too large a batch": {"[" + strings.Repeat(" ", MaxBody) + "]", 413, nil},
		"too many":          {"[" + strings.Repeat("1,", wire.MaxBatch) + "1]", 413, nil},
		"deep":              {`{"x":` + strings.Repeat("[", 60_000), 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			wantProblem(t, w.events(c.body), c.status, c.fields...)
			if got := w.room.Events(); len(got) > 0 {
				t.Errorf("kept: %+v", got)
			}
		})
	}
}

func TestBodyForms(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]int{
		"application/json": 202, "application/json; charset=utf-8": 202, "Application/JSON;charset=\"UTF-8\"": 202, "application/x-ndjson": 202,
		"": 415, "text/plain": 415, "application/json; charset=latin1": 415, "application/x-www-form-urlencoded": 415, "application/json; x": 415,
	} {
		w := newWorld(t)
		if rec := w.post("/api/v1/events", writer, kind, event("E1", "C1", "reported", "")); rec.Code != want {
			t.Errorf("%q: %d, want %d: %s", kind, rec.Code, want, rec.Body)
		}
	}
	w := newWorld(t)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/events", strings.NewReader("\x1f\x8b"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Authorization", "Bearer "+writer)
	wantProblem(t, w.do(r), http.StatusUnsupportedMediaType)

	for _, start := range []string{"{", "[" + strings.Repeat(" ", wire.MaxEvent+10)} {
		r = httptest.NewRequest(http.MethodPost, "/api/v1/events", io.MultiReader(strings.NewReader(start), brokenReader{}))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+writer)
		wantProblem(t, w.do(r), http.StatusBadRequest)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBatch(t *testing.T) {
	t.Parallel()
	elements := []string{
		event("E1", "C1", "reported", ""),
		event("E1", "C1", "reported", ""),
		event("E1", "C2", "reported", ""),
		event("E2", "C2", "closed", ""),
		event("E2", "C2", "closed", `,"outcome":"charged"`),
		strings.Replace(event("E3", "C3", "reported", ""), met, "Another Force", 1),
		"7",
		event("E4", "C1", "withdrew", `,"weather":"fine"`),
		event("E5", "C1", "withdrew", ""),
	}
	want := []outcome{
		{"E1", "accepted", nil}, {"E1", "duplicate", nil}, {"E1", "conflict", fields("event_id")}, {"E2", "rejected", fields("outcome")}, {"E2", "accepted", nil},
		{"E3", "rejected", fields("force")}, {"", "rejected", fields("record")}, {"E4", "rejected", fields("weather")}, {"E5", "accepted", nil},
	}
	for kind, body := range map[string]string{
		"application/json":     "\n[" + strings.Join(elements, " ,\n") + "]\n",
		"application/x-ndjson": strings.Join(elements, "\r\n\n") + "\n",
	} {
		w := newWorld(t)
		rec := w.post("/api/v1/events", writer, kind, body)
		if rec.Code != http.StatusAccepted {
			t.Fatalf("%s: %d %s", kind, rec.Code, rec.Body)
		}
		got := decode[[]outcome](t, rec)
		for i := range got {
			for j := range got[i].Errors {
				if got[i].Errors[j].Message == "" {
					t.Errorf("%s: no message in %+v", kind, got[i])
				}
				got[i].Errors[j].Message = ""
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		if kept := w.room.Events(); len(kept) != 3 {
			t.Errorf("%s: kept %+v", kind, kept)
		}
		if n := counted(t, w, "accepted"); n != 3 {
			t.Errorf("%s: the metric counts %v accepted", kind, n)
		}
	}
	w := newWorld(t)
	for kind, body := range map[string]string{"application/json": " [ ] ", "application/x-ndjson": "\n\n"} {
		if rec := w.post("/api/v1/events", writer, kind, body); rec.Code != http.StatusAccepted || strings.TrimSpace(rec.Body.String()) != "[]" {
			t.Errorf("nothing in it: %d %s", rec.Code, rec.Body)
		}
	}
	rec := w.post("/api/v1/events", writer, "application/x-ndjson", "{\n"+event("E9", "C9", "reported", "")+"\n"+strings.Repeat("x", wire.MaxEvent+1))
	if got := decode[[]outcome](t, rec); len(got) != 3 || got[0].Status != "rejected" || got[1].Status != "accepted" || got[2].Status != "rejected" {
		t.Errorf("broken lines: %+v", got)
	}
	wantProblem(t, w.post("/api/v1/events", writer, "application/x-ndjson", strings.Repeat("{}\n", wire.MaxBatch+1)), http.StatusRequestEntityTooLarge)
}

func fields(names ...string) (out []fault.Field) {
	for _, n := range names {
		out = append(out, fault.Field{Field: n})
	}
	return out
}

func counted(t *testing.T, w *world, result string) float64 {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "victimvoice_api_events_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric of %s", result)
	return 0
}

// Events of one case are written in the order of the batch.
func TestBatchKeepsTheOrderOfACase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []string
	for i := range 2000 {
		all = append(all, event(fmt.Sprintf("E%05d", i), fmt.Sprint("C", i%50), "withdrew", ""))
	}
	if rec := w.events("[" + strings.Join(all, ",") + "]"); rec.Code != http.StatusAccepted {
		t.Fatal(rec.Code, rec.Body)
	}
	last := map[string]string{}
	for _, e := range w.room.Events() {
		if e.EventID <= last[e.CaseRef] {
			t.Fatalf("case %s: %s after %s", e.CaseRef, e.EventID, last[e.CaseRef])
		}
		last[e.CaseRef] = e.EventID
	}
	if len(w.room.Events()) != 2000 {
		t.Errorf("%d kept", len(w.room.Events()))
	}
}

// A store that is away is 503, nothing is lost, and the same batch again ends what was begun.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := fault.Wrap(fault.Unavailable, errors.New("dial tcp 10.0.0.7: refused"), "The store is away.")
	w.room.Fail(func(e survey.Event) error {
		if e.CaseRef == "C2" {
			return away
		}
		return nil
	})
	for _, body := range []string{event("E2", "C2", "reported", ""), "[" + event("E1", "C1", "reported", "") + "," + event("E2", "C2", "reported", "") + "]"} {
		rec := w.events(body)
		if rec.Header().Get("Retry-After") == "" || strings.Contains(rec.Body.String(), "10.0.0.7") {
			t.Errorf("Retry-After %q, body %s", rec.Header().Get("Retry-After"), rec.Body)
		}
		wantProblem(t, rec, http.StatusServiceUnavailable)
	}
	w.room.Fail(nil)
	rec := w.events("[" + event("E1", "C1", "reported", "") + "," + event("E2", "C2", "reported", "") + "]")
	if got := decode[[]outcome](t, rec); got[1].Status != "accepted" || len(w.room.Events()) != 2 {
		t.Errorf("again: %+v, %d kept", got, len(w.room.Events()))
	}
	w.room.Fail(func(survey.Event) error { return errors.New("sql: person@example.org") })
	rec = w.events(event("E3", "C3", "reported", ""))
	if strings.Contains(rec.Body.String(), "example.org") {
		t.Errorf("a foreign error is shown: %s", rec.Body)
	}
	wantProblem(t, rec, http.StatusInternalServerError)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path, authorization string
		want                        int
	}{
		"no key":           {"POST", "/api/v1/events", "", 401},
		"wrong key":        {"POST", "/api/v1/events", "Bearer vv_nobody", 401},
		"another scheme":   {"POST", "/api/v1/events", "Basic " + writer, 401},
		"key in the query": {"POST", "/api/v1/events?access_token=" + writer, "", 401},
		"lower case":       {"POST", "/api/v1/events", "bearer  " + writer, 202},
		"other scope":      {"POST", "/api/v1/events", "Bearer " + reader, 403},
		"bounces":          {"POST", "/api/v1/bounces", "Bearer " + writer, 403},
		"figures":          {"GET", "/api/v1/figures?measure=x", "Bearer " + writer, 403},
		"measures":         {"GET", "/api/v1/figures/measures", "", 401},
		"description":      {"GET", "/api/v1/openapi.json", "", 200},
		"another method":   {"PUT", "/api/v1/events", "Bearer " + writer, 405},
		"no such path":     {"GET", "/api/v1/cases", "Bearer " + writer, 404},
	} {
		w := newWorld(t)
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(event("E1", "C1", "reported", "")))
		r.Header.Set("Content-Type", "application/json")
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		rec := w.do(r)
		if rec.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, rec.Code, c.want, rec.Body)
		}
		if c.want != 202 && len(w.room.Events()) > 0 {
			t.Errorf("%s: kept %+v", name, w.room.Events())
		}
		if challenge := rec.Header().Get("WWW-Authenticate"); (c.want == 401) != (challenge != "") {
			t.Errorf("%s: WWW-Authenticate %q", name, challenge)
		}
	}
	w := newWorld(t)
	w.keys.broken = fault.New(fault.Unavailable, "The store is away.")
	wantProblem(t, w.events(event("E1", "C1", "reported", "")), http.StatusServiceUnavailable)
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func(key string) (int, string) {
		rec := w.post("/api/v1/events", key, "application/json", event("E1", "C1", "reported", ""))
		return rec.Code, rec.Header().Get("Retry-After")
	}
	for range 50 {
		if code, _ := status(writer); code != 200 && code != 202 {
			t.Fatalf("within the burst: %d", code)
		}
	}
	if code, wait := status(writer); code != 429 || wait != "1" {
		t.Errorf("past the burst: %d, Retry-After %q", code, wait)
	}
	if code, _ := status(reader); code != 403 {
		t.Errorf("another key pays for the first: %d", code)
	}
	w.now = w.now.Add(time.Second)
	if code, _ := status(writer); code != 200 {
		t.Errorf("after waiting: %d", code)
	}
	for range 30 {
		if code, _ := status("vv_guess"); code != 401 {
			t.Fatalf("a wrong key: %d", code)
		}
	}
	if code, wait := status("vv_guess"); code != 429 || wait != "2" {
		t.Errorf("guessing: %d, Retry-After %q", code, wait)
	}
	w.now = w.now.Add(time.Minute)
	if code, _ := status(writer); code != 200 {
		t.Errorf("a right key from where someone guessed: %d", code)
	}
}

func TestBounces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(body string) *httptest.ResponseRecorder {
		return w.post("/api/v1/bounces", bouncer, "application/json", body)
	}
	if rec := post(`{"message_id":"m1","kind":"permanent","at":"2026-03-02T09:30:00+01:00"}`); rec.Code != 202 || rec.Body.String() != `{"message_id":"m1","status":"recorded"}` {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	wantProblem(t, post(`{"message_id":"m9","kind":"permanent"}`), 404)
	wantProblem(t, post(`{"message_id":"m1","kind":"hard"}`), 422, "kind")
	wantProblem(t, post(`{"messageid":"m1"}`), 422, "messageid", "message_id", "kind")
	wantProblem(t, post(`{`), 400)
	wantProblem(t, post("["+strings.Repeat(" ", edge.MaxForm)+"]"), 413)
	wantProblem(t, w.post("/api/v1/bounces", bouncer, "application/x-ndjson", "{}"), 415)
	got := decode[[]returned](t, post(`[{"message_id":"m2","kind":"transient"},{"message_id":"m9","kind":"permanent"},{"message_id":"m2","kind":"soft"},7]`))
	for i := range got {
		for j := range got[i].Errors {
			got[i].Errors[j].Message = ""
		}
	}
	want := []returned{{"m2", "recorded", nil}, {"m9", "unknown", nil}, {"m2", "rejected", fields("kind")}, {"", "rejected", fields("record")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"m1 permanent 2026-03-02T08:30:00Z", "m2 transient 2026-11-23T12:00:00Z"}, w.mails.got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	w.mails.broken = fault.New(fault.Unavailable, "The store is away.")
	for _, body := range []string{`{"message_id":"m1","kind":"permanent"}`, `[{"message_id":"m1","kind":"permanent"}]`} {
		wantProblem(t, post(body), 503)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.get("/api/v1/figures?measure=conf.police&by=month,borough&borough=Ealing", reader)
	var got struct {
		Points []map[string]any `json:"points"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 || len(got.Points) != 2 {
		t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	if p := got.Points[1]; p["suppressed"] != true || p["base"] != nil || p["share"] != nil {
		t.Errorf("a suppressed point tells: %v", p)
	}
	if diff := cmp.Diff(url.Values{"measure": {"conf.police"}, "by": {"month,borough"}, "borough": {"Ealing"}}, w.panel.query); diff != "" {
		t.Errorf("the query (-want +got):\n%s", diff)
	}
	wantProblem(t, w.get("/api/v1/figures", reader), 422, "measure")
	w.panel.broken = fault.New(fault.Unavailable, "The figures are being counted.")
	wantProblem(t, w.get("/api/v1/figures?measure=x", reader), 503)
	w.panel.broken = nil

	// A key of one force asks for that force, whatever it says.
	if rec := w.get("/api/v1/figures?measure=x&borough=Ealing", ealing); rec.Code != 200 || w.panel.query.Get("force") != met {
		t.Errorf("%d, asked for %v", rec.Code, w.panel.query)
	}
	if rec := w.get("/api/v1/figures?measure=x&force="+url.QueryEscape(met), ealing); rec.Code != 200 || len(w.panel.query["force"]) != 1 {
		t.Errorf("%d, asked for %v", rec.Code, w.panel.query)
	}
	w.panel.query = nil
	wantProblem(t, w.get("/api/v1/figures?measure=x&force=&force=Another+Force", ealing), 403, "force")
	if w.panel.query != nil {
		t.Error("another force's figures were asked for")
	}

	rec = w.get("/api/v1/figures/measures", reader)
	list := decode[catalogue](t, rec)
	if rec.Code != 200 || len(list.Measures) != 1 || len(list.Dimensions) < 10 || list.Lattice == "" {
		t.Errorf("%d %+v", rec.Code, list)
	}
}

func TestMetricsAreNotRegisteredTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := New(Parts{Now: time.Now, Metrics: w.metrics}); err == nil {
		t.Error("no error")
	}
}

// BenchmarkEvent is one event over HTTP, up to the store.
func BenchmarkEvent(b *testing.B) {
	w := newWorld(b)
	body := event("E1", "C1", "reported", `,"borough":"Ealing","offence":"stalking-2a","contact":{"email":"person@example.org","email_safe":true}`)
	b.ReportAllocs()
	for b.Loop() {
		w.now = w.now.Add(time.Second)
		if rec := w.events(body); rec.Code > 202 {
			b.Fatal(rec.Code, rec.Body)
		}
		w.log.Reset()
	}
}

// BenchmarkDecodeAndCheck is reading and judging one event.
func BenchmarkDecodeAndCheck(b *testing.B) {
	room := intaketest.New(b)
	body := []byte(event("E1", "C1", "reported", `,"borough":"Ealing","offence":"stalking-2a","contact":{"email":"person@example.org","email_safe":true,"safe_days":["mon","tue"]}`))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.Event(body)
		if err != nil || len(wire.Join(r.Faults, room.Check(&r.Event))) > 0 {
			b.Fatal(err, r.Faults)
		}
	}
}
