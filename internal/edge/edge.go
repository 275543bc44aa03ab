// Package edge owns what every way in over HTTP shares: the engine and its
// middleware, how an error becomes a status and a body, the limits on size, time
// and speed, and the headers that keep a page from leaking. The rooms behind it
// return errors; nothing else in the program knows a status code for one.
//
// It writes no address, token, path or query into logs and metrics: a request is
// known there by its route's template.
package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/internal/fault"
)

// APIPrefix begins the paths of which machines are the callers: errors there are
// problem details, not pages.
const APIPrefix = "/api/"

// The limits that hold where a route sets no others.
const (
	MaxForm        = 1 << 20 // bytes of a request body
	MaxHeader      = 32 << 10
	HeaderTimeout  = 10 * time.Second
	ReadTimeout    = 60 * time.Second
	WriteTimeout   = 90 * time.Second
	IdleTimeout    = 120 * time.Second
	RequestTimeout = 30 * time.Second
)

// Config is what an engine is made of.
type Config struct {
	Log            *slog.Logger
	Metrics        prometheus.Registerer
	Now            func() time.Time
	TrustedProxies []string // addresses or CIDRs whose X-Forwarded-For is believed; none when empty
	TrustedOrigins []string // origins beside our own whose pages may post to us: scheme://host[:port]
	HTTPS          bool     // we are reached over HTTPS alone: say so to browsers
	// Page writes an error as a page for people. It is given what may be shown and
	// nothing else. Nil: problem details for everybody.
	Page func(*gin.Context, Problem)
}

// NewEngine makes an engine with everything that holds for all routes: request
// id, access log, metrics, recovery, security headers, cross-origin protection,
// the default limits of body and time, and errors as Fail writes them for what
// has no route. The error tells of a proxy or origin that is none.
func NewEngine(cfg Config) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.MaxMultipartMemory = MaxForm
	if err := e.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	cross := http.NewCrossOriginProtection()
	for _, o := range cfg.TrustedOrigins {
		if err := cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("trusted origins: %w", err)
		}
	}
	m, err := newMeter(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	e.Use(observe(cfg, m), headers(cfg.HTTPS), sameOrigin(cross), Timeout(RequestTimeout), MaxBody(MaxForm))
	e.NoRoute(Handle(func(*gin.Context) error { return fault.New(fault.NotFound, "There is nothing at this address.") }))
	e.NoMethod(Handle(func(*gin.Context) error {
		return WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "This address does not take that method."))
	}))
	return e, nil
}

// Server is an HTTP server with every deadline set. Close it with Shutdown.
func Server(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h, MaxHeaderBytes: MaxHeader,
		ReadHeaderTimeout: HeaderTimeout, ReadTimeout: ReadTimeout, WriteTimeout: WriteTimeout, IdleTimeout: IdleTimeout,
		ErrorLog: slog.NewLogLogger(withoutAddresses{log.Handler()}, slog.LevelWarn),
	}
}

// withoutAddresses drops what net/http writes about a connection, which names
// the other side's address, and keeps that something was written.
type withoutAddresses struct{ slog.Handler }

func (h withoutAddresses) Handle(ctx context.Context, r slog.Record) error {
	what, _, _ := strings.Cut(r.Message, " from ")
	if !strings.HasPrefix(what, "http: TLS handshake error") {
		what = "http: a connection failed"
	}
	clean := slog.NewRecord(r.Time, r.Level, what, 0)
	if err := h.Handler.Handle(ctx, clean); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// HandlerFunc handles a request and says what went wrong, having written nothing then.
type HandlerFunc func(*gin.Context) error

// Handle adapts a handler to gin: its error is written by Fail, once.
func Handle(h HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			Fail(c, err)
		}
	}
}

// statusError is an error whose HTTP status its kind does not give.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// WithStatus gives an error a status of HTTP's own, such as 405 or 415.
func WithStatus(status int, err error) error { return &statusError{status, err} }

// statusOf is the one place where an error becomes a status.
func statusOf(err error) int {
	var own *statusError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case fault.KindOf(err) != fault.Internal:
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Problem is what a caller may know of an error: problem details (RFC 9457).
type Problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail,omitempty"`
	Instance string        `json:"instance,omitempty"` // names this one occurrence, as the log does
	Errors   []fault.Field `json:"errors,omitempty"`
}

// ProblemType is the media type of problem details.
const ProblemType = "application/problem+json"

// shown is what is said where an error has nothing of its own that may be.
var shown = map[int]string{
	http.StatusInternalServerError:   "Something went wrong on our side. It has been recorded.",
	http.StatusServiceUnavailable:    "A part of this service is away. Try again in a little while.",
	http.StatusRequestEntityTooLarge: "The body is larger than is accepted here.",
}

// problemOf says of an error what may be shown.
func problemOf(c *gin.Context, err error) Problem {
	status := statusOf(err)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fault.MessageOf(err), Errors: fault.FieldsOf(err)}
	if p.Detail == "" || status == http.StatusInternalServerError {
		p.Detail, p.Errors = shown[status], nil
	}
	if id := RequestID(c); id != "" {
		p.Instance = "urn:uuid:" + id
	}
	return p
}

// retryAfter is said with an answer that the service is away.
const retryAfter = "5"

// Fail answers with an error and ends the request: problem details for machines,
// the page of Config.Page for people. The full text goes to the log alone. When
// the answer has begun already, nothing can be mended and the connection is cut.
func Fail(c *gin.Context, err error) {
	c.Abort()
	_ = c.Error(err) // for the access log
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		c.Status(statusClientGone)
		return
	}
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // a truncated answer must not look whole
	}
	p := problemOf(c, err)
	h := c.Writer.Header()
	switch {
	case p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "":
		h.Set("Retry-After", retryAfter)
	case p.Status == http.StatusUnauthorized && isAPI(c):
		h.Set("WWW-Authenticate", `Bearer realm="api"`)
	}
	// What a handler meant for its success does not hold for its failure.
	h.Del("Content-Disposition")
	h.Del("ETag")
	page, _ := c.Get(pageKey)
	if write, ok := page.(func(*gin.Context, Problem)); ok && write != nil && !isAPI(c) {
		write(c, p)
		return
	}
	h.Set("Content-Type", ProblemType)
	c.JSON(p.Status, p)
}

// statusClientGone is logged when the caller went away before the answer; nobody receives it.
const statusClientGone = 499

func isAPI(c *gin.Context) bool { return strings.HasPrefix(c.Request.URL.Path, APIPrefix) }

// Client names the caller's network for counting, never for the log: an IPv4
// address, or the /64 that an IPv6 subscriber is usually given as a whole.
func Client(c *gin.Context) string {
	a, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
