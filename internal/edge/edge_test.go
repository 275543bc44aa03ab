package edge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/internal/fault"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is an engine with what it writes.
type world struct {
	*gin.Engine
	log     bytes.Buffer
	metrics *prometheus.Registry
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{metrics: prometheus.NewRegistry()}
	cfg := Config{
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Metrics: w.metrics,
		Now: func() time.Time { return epoch },
	}
	if change != nil {
		change(&cfg)
	}
	e, err := NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Engine = e
	return w
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func (w *world) get(path string) *httptest.ResponseRecorder {
	return w.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func problem(t *testing.T, rec *httptest.ResponseRecorder) Problem {
	t.Helper()
	if got := rec.Header().Get("Content-Type"); got != ProblemType {
		t.Errorf("Content-Type %q", got)
	}
	var p Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v in %q", err, rec.Body)
	}
	if p.Status != rec.Code || p.Title != http.StatusText(rec.Code) || p.Instance != "urn:uuid:"+rec.Header().Get("X-Request-Id") {
		t.Errorf("the problem does not fit its answer %d: %+v", rec.Code, p)
	}
	return p
}

func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.0.0.7: person@example.org")
	for name, c := range map[string]struct {
		err    error
		status int
		detail string
		header string // one that must be there
	}{
		"foreign":     {secret, 500, shown[500], ""},
		"internal":    {fault.Wrap(fault.Internal, secret, "the key ring is odd"), 500, shown[500], ""},
		"invalid":     {fmt.Errorf("intake: %w", fault.Fields("the event has faults", fault.Field{Field: "type", Message: "is missing"})), 422, "the event has faults", ""},
		"not found":   {fault.New(fault.NotFound, "no such case"), 404, "no such case", ""},
		"conflict":    {fault.New(fault.Conflict, "known"), 409, "known", ""},
		"denied":      {fault.Wrap(fault.Denied, secret, "not yours"), 403, "not yours", ""},
		"unknown":     {fault.New(fault.Unauthorized, "who?"), 401, "who?", "WWW-Authenticate"},
		"large":       {fault.New(fault.TooLarge, "at most 1"), 413, "at most 1", ""},
		"large body":  {fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 1}), 413, shown[413], ""},
		"fast":        {fault.New(fault.TooMany, "slower"), 429, "slower", ""},
		"away":        {fault.Wrap(fault.Unavailable, secret, "the store is away"), 503, "the store is away", "Retry-After"},
		"late":        {fmt.Errorf("query: %w", context.DeadlineExceeded), 503, shown[503], "Retry-After"},
		"late store":  {fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "the store is slow"), 503, "the store is slow", "Retry-After"},
		"own status":  {WithStatus(415, fault.New(fault.Invalid, "send JSON")), 415, "send JSON", ""},
		"own, hidden": {WithStatus(400, secret), 400, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.GET("/api/x/:token", Handle(func(g *gin.Context) error {
				g.Header("Content-Disposition", "attachment")
				return c.err
			}))
			rec := w.get("/api/x/secret-token?q=secret-query")
			p := problem(t, rec)
			if rec.Code != c.status || p.Detail != c.detail {
				t.Errorf("%d %q, want %d %q", rec.Code, p.Detail, c.status, c.detail)
			}
			if c.header != "" && rec.Header().Get(c.header) == "" {
				t.Errorf("no %s", c.header)
			}
			if rec.Header().Get("Content-Disposition") != "" {
				t.Error("an error is offered as a file")
			}
			if diff := cmp.Diff(fault.FieldsOf(c.err), p.Errors); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(rec.Body.String(), "10.0.0.7") {
				t.Errorf("the cause is shown: %s", rec.Body)
			}
			log := w.log.String()
			if strings.Contains(log, "secret-") || strings.Contains(log, "192.0.2.1") || !strings.Contains(log, `"route":"/api/x/:token"`) {
				t.Errorf("log: %s", log)
			}
			if wantCause := c.status >= 500; strings.Contains(log, c.err.Error()) != wantCause {
				t.Errorf("the log has the cause: %v, want %v: %s", !wantCause, wantCause, log)
			}
		})
	}
}

func TestPagesForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.Page = func(g *gin.Context, p Problem) { g.String(p.Status, "page: %s", p.Detail) }
	})
	w.GET("/x", Handle(func(*gin.Context) error { return fault.New(fault.NotFound, "gone") }))
	if rec := w.get("/x"); rec.Code != 404 || rec.Body.String() != "page: gone" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.get("/nowhere"); rec.Code != 404 || !strings.HasPrefix(rec.Body.String(), "page: There is nothing") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.get("/api/v1/nowhere"); rec.Code != 404 {
		t.Errorf("%d", rec.Code)
	} else {
		problem(t, rec)
	}
	rec := w.do(httptest.NewRequest(http.MethodDelete, "/x", nil))
	if rec.Code != 405 || rec.Header().Get("Allow") != "GET" {
		t.Errorf("%d, Allow %q", rec.Code, rec.Header().Get("Allow"))
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	broken := false
	w := newWorld(t, func(c *Config) {
		c.Page = func(g *gin.Context, p Problem) {
			if broken {
				panic("the page as well")
			}
			g.String(p.Status, "page")
		}
	})
	w.GET("/said", func(*gin.Context) { panic("person@example.org said") })
	w.GET("/runtime", func(c *gin.Context) { c.String(200, "%v", make([]int, 0)[len(c.Params)]) })
	w.GET("/late", func(c *gin.Context) { c.String(200, "half an ans"); c.Writer.Flush(); panic("late") })
	w.GET("/late-error", Handle(func(c *gin.Context) error { c.String(200, "half an ans"); return errors.New("late") }))
	for _, path := range []string{"/said", "/runtime"} {
		if rec := w.get(path); rec.Code != 500 || rec.Body.String() != "page" {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	log := w.log.String()
	if strings.Contains(log, "example.org") || !strings.Contains(log, "index out of range") || !strings.Contains(log, "edge_test.go") {
		t.Errorf("log: %s", log)
	}
	for _, path := range []string{"/late", "/late-error"} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // net/http compares so too
					t.Errorf("%s: an answer cut short must abort the connection, not %v", path, v)
				}
			}()
			w.get(path)
		}()
	}
	broken = true
	func() {
		defer func() { _ = recover() }()
		if rec := w.get("/said"); rec.Code == 200 {
			t.Errorf("a broken error page gave %d", rec.Code)
		}
	}()
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.HTTPS = true })
	w.GET("/x", func(c *gin.Context) { c.String(200, "x") })
	w.GET("/style", func(c *gin.Context) { Cacheable(c, time.Hour); c.String(200, "x") })
	for _, path := range []string{"/x", "/nowhere"} {
		h := w.get(path).Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Content-Security-Policy": ContentPolicy, "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Opener-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow, noarchive", "Strict-Transport-Security": "max-age=63072000",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	if strings.Contains(ContentPolicy, "unsafe") || !strings.HasPrefix(ContentPolicy, "default-src 'none'") {
		t.Errorf("policy %q", ContentPolicy)
	}
	if got := w.get("/style").Header().Get("Cache-Control"); got != "public, max-age=3600, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	if plain := newWorld(t, nil); plain.get("/").Header().Get("Strict-Transport-Security") != "" {
		t.Error("plain HTTP says HSTS")
	}
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.TrustedOrigins = []string{"https://survey.example.org"} })
	w.POST("/x", func(c *gin.Context) { c.String(200, "done") })
	w.GET("/x", func(c *gin.Context) { c.String(200, "seen") })
	for name, c := range map[string]struct {
		method string
		header [2]string
		want   int
	}{
		"our form":                  {"POST", [2]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"typed by the person":       {"POST", [2]string{"Sec-Fetch-Site", "none"}, 200},
		"another site":              {"POST", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another of our sub-names":  {"POST", [2]string{"Sec-Fetch-Site", "same-site"}, 403},
		"old browser, our form":     {"POST", [2]string{"Origin", "null"}, 200},
		"old browser, another site": {"POST", [2]string{"Origin", "https://evil.example"}, 403},
		"trusted origin":            {"POST", [2]string{"Origin", "https://survey.example.org"}, 200},
		"same host":                 {"POST", [2]string{"Origin", "http://example.com"}, 200},
		"a program":                 {"POST", [2]string{"Accept", "*/*"}, 200},
		"a link from another site":  {"GET", [2]string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		r := httptest.NewRequest(c.method, "/x", nil)
		r.Header.Set(c.header[0], c.header[1])
		if rec := w.do(r); rec.Code != c.want {
			t.Errorf("%s: %d, want %d", name, rec.Code, c.want)
		}
	}
	r := httptest.NewRequest("POST", "/x", nil)
	r.Header.Set("Origin", "null")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if rec := w.do(r); rec.Code != 403 {
		t.Errorf("a null origin from another site: %d", rec.Code)
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	cfg := Config{Log: slog.New(slog.DiscardHandler), Now: time.Now, Metrics: reg}
	if _, err := NewEngine(cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(cfg); err == nil {
		t.Error("metrics were registered twice")
	}
	cfg.Metrics, cfg.TrustedProxies = nil, []string{"a proxy"}
	if _, err := NewEngine(cfg); err == nil {
		t.Error("a proxy that is no address was taken")
	}
	cfg.TrustedProxies, cfg.TrustedOrigins = nil, []string{"survey.example.org"}
	if _, err := NewEngine(cfg); err == nil {
		t.Error("an origin without a scheme was taken")
	}
}

func TestBodyLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	read := Handle(func(c *gin.Context) error {
		b, err := io.ReadAll(c.Request.Body)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		c.String(200, "%d", len(b))
		return nil
	})
	w.POST("/form", read)
	w.POST("/small", MaxBody(10), read)
	w.POST("/large", MaxBody(2*MaxForm), read)
	for _, c := range []struct {
		path string
		n    int
		want int
	}{{"/form", MaxForm, 200}, {"/form", MaxForm + 1, 413}, {"/small", 10, 200}, {"/small", 11, 413}, {"/large", 2 * MaxForm, 200}, {"/large", 2*MaxForm + 1, 413}} {
		for _, stated := range []bool{true, false} {
			r := httptest.NewRequest("POST", c.path, bytes.NewReader(make([]byte, c.n)))
			if !stated {
				r.ContentLength = -1
			}
			if rec := w.do(r); rec.Code != c.want {
				t.Errorf("%s with %d bytes (length stated: %v): %d, want %d", c.path, c.n, stated, rec.Code, c.want)
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		wait := Handle(func(c *gin.Context) error {
			select {
			case <-c.Request.Context().Done():
				return c.Request.Context().Err()
			case <-time.After(time.Minute):
				c.String(200, "done")
				return nil
			}
		})
		w.GET("/plain", wait)
		w.GET("/short", Timeout(time.Second), wait)
		w.GET("/long", Timeout(time.Hour), wait)
		for path, want := range map[string]struct {
			status int
			after  time.Duration
		}{"/plain": {503, RequestTimeout}, "/short": {503, time.Second}, "/long": {200, time.Minute}} {
			began := time.Now()
			if rec := w.get(path); rec.Code != want.status || time.Since(began) != want.after {
				t.Errorf("%s: %d after %v, want %d after %v", path, rec.Code, time.Since(began), want.status, want.after)
			}
		}
	})
}

func TestCallerGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.GET("/x", Handle(func(c *gin.Context) error { return c.Request.Context().Err() }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := w.do(httptest.NewRequest("GET", "/x", nil).WithContext(ctx))
	if rec.Body.Len() > 0 || !strings.Contains(w.log.String(), `"status":499`) || strings.Contains(w.log.String(), "ERROR") {
		t.Errorf("body %q, log %s", rec.Body, w.log.String())
	}
}

func TestMetricsKnowRoutesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.GET("/f/:token", func(c *gin.Context) { c.String(200, "x") })
	w.get("/f/one")
	w.get("/f/two")
	w.get("/made-up")
	w.do(httptest.NewRequest("BREW", "/pot", nil))
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "victimvoice_http_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{"GET /f/:token 200": 2, "GET none 404": 1, "other none 404": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		remote, forwarded, want string
		proxies                 []string
	}{
		{"192.0.2.7:1000", "", "192.0.2.7", nil},
		{"192.0.2.7:1000", "198.51.100.1", "192.0.2.7", nil},
		{"192.0.2.7:1000", "198.51.100.1", "198.51.100.1", []string{"192.0.2.0/24"}},
		{"192.0.2.7:1000", "203.0.113.9, 198.51.100.1", "198.51.100.1", []string{"192.0.2.0/24"}},
		{"[2001:db8:1:2:3:4:5:6]:1000", "", "2001:db8:1:2::/64", nil},
		{"[::ffff:192.0.2.7]:1000", "", "192.0.2.7", nil},
		{"@", "", "unknown", nil},
	} {
		w := newWorld(t, func(cfg *Config) { cfg.TrustedProxies = c.proxies })
		w.GET("/x", func(g *gin.Context) { g.String(200, Client(g)) })
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := w.do(r).Body.String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := epoch
	l := NewLimiter(Rate{PerSecond: 2, Burst: 3}, 2, func() time.Time { return now })
	for i := range 3 {
		if _, ok := l.Take("a"); !ok {
			t.Fatalf("refused within the burst, at %d", i)
		}
	}
	wait, ok := l.Take("a")
	if ok || wait != 500*time.Millisecond {
		t.Errorf("past the burst: %v, wait %v", ok, wait)
	}
	if _, ok := l.Take("b"); !ok {
		t.Error("another caller pays for the first")
	}
	now = now.Add(wait)
	if _, ok := l.Take("a"); !ok {
		t.Error("refused after waiting as told")
	}
	now = now.Add(-time.Hour)
	if _, ok := l.Take("a"); ok {
		t.Error("a clock set back fills the bucket")
	}
	now = now.Add(24 * time.Hour)
	for range 3 {
		if _, ok := l.Take("a"); !ok {
			t.Error("refused after a long rest")
		}
	}
	if _, ok := l.Take("a"); ok {
		t.Error("a long rest gives more than the burst")
	}
	for i := range 1000 {
		l.Take(fmt.Sprint("c", i))
	}
	if len(l.buckets) != 2 {
		t.Errorf("%d callers are remembered, want 2", len(l.buckets))
	}
	l.Take("c998") // one of the two latest is still known, and comes to the front
	l.Take("new")
	if _, known := l.buckets["c999"]; known || len(l.buckets) != 2 {
		t.Error("the caller not seen for longest was kept")
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	now := epoch
	l := NewLimiter(Rate{PerSecond: 0.25, Burst: 1}, 10, func() time.Time { return now })
	w := newWorld(t, nil)
	w.GET("/x", Limit(l, Client), func(c *gin.Context) { c.String(200, "x") })
	if rec := w.get("/x"); rec.Code != 200 {
		t.Errorf("first: %d", rec.Code)
	}
	rec := w.get("/x")
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "4" {
		t.Errorf("second: %d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	now = now.Add(4 * time.Second)
	if rec := w.get("/x"); rec.Code != 200 {
		t.Errorf("after waiting: %d", rec.Code)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store error
		hang := make(chan struct{})
		defer close(hang)
		w := newWorld(t, nil)
		Health(w.Engine,
			Check{"store", func(context.Context) error { return store }},
			Check{"worker", func(context.Context) error { return nil }},
			Check{"mail", func(context.Context) error {
				if store != nil {
					<-hang
				}
				return nil
			}},
		)
		if rec := w.get("/healthz"); rec.Code != 200 {
			t.Errorf("alive: %d", rec.Code)
		}
		if rec := w.get("/readyz"); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"status":"ready"`) {
			t.Errorf("ready: %d %s", rec.Code, rec.Body)
		}
		store = errors.New("dial tcp 10.0.0.7")
		rec := w.get("/readyz")
		want := `{"checks":[{"name":"store","ok":false,"message":"failed"},{"name":"worker","ok":true},{"name":"mail","ok":false,"message":"no answer in time"}],"status":"not ready"}`
		if rec.Code != 503 || rec.Body.String() != want {
			t.Errorf("not ready: %d %s", rec.Code, rec.Body)
		}
		if rec := w.get("/healthz"); rec.Code != 200 {
			t.Errorf("alive while not ready: %d", rec.Code)
		}
	})
}

// A real server, so that what it logs by itself is seen too: no address in it.
func TestServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.GET("/stream", Handle(func(c *gin.Context) error {
		if err := Stream(c, time.Hour); err != nil {
			return err
		}
		c.String(200, "long")
		return nil
	}))
	var log bytes.Buffer
	s := Server("127.0.0.1:0", w, slog.New(slog.NewTextHandler(&log, nil)))
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Error("a deadline is missing")
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != 200 || string(body) != "long" || err != nil {
		t.Errorf("%d %q %v", res.StatusCode, body, err)
	}
	_ = res.Body.Close()
	_ = conn.Close()
	s.ErrorLog.Print("http: TLS handshake error from 192.0.2.7:4711: EOF")
	s.ErrorLog.Print("http: panic serving 192.0.2.7:4711: person@example.org")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if got := log.String(); strings.Contains(got, "192.0.2.7") || strings.Contains(got, "example.org") || strings.Count(got, "http:") != 2 {
		t.Errorf("log: %s", got)
	}
}
