package edge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/internal/fault"
)

const (
	requestIDKey = "edge.request"
	pageKey      = "edge.page"
)

// RequestID is the request's id, a UUID that we made: what a caller can quote and
// the log can be searched for.
func RequestID(c *gin.Context) string { return c.GetString(requestIDKey) }

// newID makes a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// observe is the outermost middleware: it names the request, turns a panic into
// an answer, and writes the access log and the metrics when all is done.
func observe(cfg Config, m *meter) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := cfg.Now()
		c.Set(requestIDKey, newID())
		c.Header("X-Request-Id", RequestID(c))
		if cfg.Page != nil {
			c.Set(pageKey, cfg.Page)
		}
		m.running.Inc()
		defer m.running.Dec()
		var cut bool
		func() {
			defer func() {
				if v := recover(); v != nil {
					cut = recovered(c, v)
				}
			}()
			c.Next()
		}()
		took := cfg.Now().Sub(began)
		method, route, status := knownMethod(c.Request.Method), c.FullPath(), c.Writer.Status()
		if route == "" {
			route = "none"
		}
		m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
		access(c, cfg.Log, method, route, status, took)
		if cut {
			panic(http.ErrAbortHandler)
		}
	}
}

// recovered answers for a handler that panicked; cut reports that the answer had
// begun and that the connection must end instead.
func recovered(c *gin.Context, v any) (cut bool) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	// A panic's value may quote what a person wrote: its type and where it came from are kept, and its text only when the runtime made it.
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(interface {
		error
		RuntimeError()
	}); ok {
		what = err.Error()
	}
	err := fmt.Errorf("panic: %s\n%s", what, debug.Stack())
	if c.Writer.Written() {
		c.Abort()
		_ = c.Error(err)
		return true
	}
	defer func() {
		if recover() != nil { // the page of the error panicked as well
			c.Status(http.StatusInternalServerError)
			cut = true
		}
	}()
	Fail(c, err)
	return false
}

func access(c *gin.Context, log *slog.Logger, method, route string, status int, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", method), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.Int("bytes", max(c.Writer.Size(), 0)), slog.String("request", RequestID(c)),
	}
	level := slog.LevelInfo
	if len(c.Errors) > 0 {
		err := c.Errors[0].Err
		switch {
		case status >= http.StatusInternalServerError:
			// Only here is the cause written: the message of a refused request may repeat what was sent.
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", err.Error()))
		default:
			attrs = append(attrs, slog.String("refused", fault.KindOf(err).String()))
		}
	}
	log.LogAttrs(context.WithoutCancel(c.Request.Context()), level, "request", attrs...)
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// meter counts requests by route template, never by path.
type meter struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	running  prometheus.Gauge
}

func newMeter(reg prometheus.Registerer) (*meter, error) {
	m := &meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "victimvoice_http_requests_total", Help: "Requests answered, by method, route template and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "victimvoice_http_request_seconds", Help: "Time from a request's first byte to its answer, by method and route template.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "victimvoice_http_requests_running", Help: "Requests being answered now.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.running} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register request metrics: %w", err)
		}
	}
	return m, nil
}

// ContentPolicy lets a page use our own style sheets, scripts and images and post
// to ourselves, and nothing else: no inline script or style, no frame, no other
// origin.
const ContentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func headers(https bool) gin.HandlerFunc {
	fixed := [][2]string{
		{"Cache-Control", "no-store"},
		{"Content-Security-Policy", ContentPolicy},
		{"Referrer-Policy", "no-referrer"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=(), browsing-topics=()"},
		{"X-Robots-Tag", "noindex, nofollow, noarchive"},
	}
	if https {
		fixed = append(fixed, [2]string{"Strict-Transport-Security", "max-age=63072000"})
	}
	return func(c *gin.Context) {
		h := c.Writer.Header()
		for _, f := range fixed {
			h.Set(f[0], f[1])
		}
		c.Next()
	}
}

// Cacheable lets a browser keep an answer that is the same for everybody, such as
// a style sheet under a name that changes with its content.
func Cacheable(c *gin.Context, age time.Duration) {
	c.Header("Cache-Control", "public, max-age="+strconv.Itoa(int(age.Seconds()))+", immutable")
}

// sameOrigin refuses what another site's page made a browser send.
//
// Our pages say no-referrer, under which browsers write "Origin: null" on the
// forms of our own pages. Browsers of the last years tell us besides by
// Sec-Fetch-Site where a request came from; older ones, and any on plain HTTP,
// don't, and refusing them would lock out a person with an old phone. So where
// null is all that is known, the request passes as if it had said nothing, and
// the session cookies, which are SameSite and therefore absent from a forged
// post in all of those browsers, are the protection.
func sameOrigin(cross *http.CrossOriginProtection) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Request.Header
		if h.Get("Sec-Fetch-Site") == "" && h.Get("Origin") == "null" {
			h.Del("Origin")
		}
		if err := cross.Check(c.Request); err != nil {
			Fail(c, fault.Wrap(fault.Denied, err, "This request came from another site's page. Go to the page itself and try again."))
			return
		}
		c.Next()
	}
}

// Timeout ends the request's context after d. A later, longer one on a route
// takes the place of the one before.
func Timeout(d time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		outer := c.Request.Context()
		if before, ok := outer.Value(untimedKey{}).(context.Context); ok {
			outer = before
		}
		ctx, cancel := context.WithTimeout(context.WithValue(outer, untimedKey{}, outer), d)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// untimedKey holds the context that a timeout was put on.
type untimedKey struct{}

// Stream gives an answer d to be written in, past the server's own limit: for
// exports, which take as long as they are large.
func Stream(c *gin.Context, d time.Duration) error {
	if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(d)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("move the write deadline: %w", err)
	}
	return nil
}

// MaxBody refuses a body of more than n bytes with 413: at once when its length
// is given, else when reading comes so far. A later one on a route takes the
// place of the one before.
func MaxBody(n int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		body := c.Request.Body
		if b, ok := body.(*limitedBody); ok {
			body = b.whole
		}
		c.Request.Body = &limitedBody{ReadCloser: http.MaxBytesReader(c.Writer, body, n), whole: body, limit: n, length: c.Request.ContentLength}
		c.Next()
	}
}

// limitedBody is a request body with its limit, kept apart from the body without
// it so that a route may set another.
type limitedBody struct {
	io.ReadCloser
	whole         io.ReadCloser
	limit, length int64
}

// Read refuses at the first byte a body whose stated length is too long.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.length > b.limit {
		return 0, &http.MaxBytesError{Limit: b.limit}
	}
	return b.ReadCloser.Read(p)
}
