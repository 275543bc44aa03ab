// Package api is where machines talk to us: a police system sends case events, a
// mail system what it could not deliver, and a program reads figures. It owns the
// JSON over HTTP and its OpenAPI description; files of events are in
// api/extract, the reading of what is sent in api/wire.
package api

import (
	"context"
	_ "embed" // the description
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Intake takes case events in.
type Intake interface {
	// Check normalises an event in place and gives every fault in it.
	Check(e *survey.Event) []fault.Field
	// Receive takes an event in, idempotently by its id: fault.Conflict for other
	// content under a known id, fault.Invalid with field faults.
	Receive(ctx context.Context, e survey.Event) (survey.Receipt, error)
}

// Bounces records mails that came back.
type Bounces interface {
	// Bounce is fault.NotFound when the mail is not ours, fault.Invalid for an unknown kind.
	Bounce(ctx context.Context, messageID, kind string, at time.Time) error
}

// Figures answers queries of figures, written as URL queries.
type Figures interface {
	Figures(ctx context.Context, query url.Values) (figures.Result, error)
}

// Measures lists what figures there are.
type Measures interface {
	Measures() []figures.Measure
}

// Keys knows the keys of machines.
type Keys interface {
	// AuthenticateKey is fault.Unauthorized for a key that is none, revoked or expired.
	AuthenticateKey(ctx context.Context, raw string) (access.APIKey, error)
}

// The limits of the interface, beside those of wire.
const (
	MaxBody      = 16 << 20        // bytes of a batch
	batchTimeout = 5 * time.Minute // of a batch, which waits for every event's writing
	batchesOnce  = 4               // batches worked on at once, since each is held in memory
	batchWorkers = 32              // events of different cases written at once
	maxCallers   = 10_000          // keys and addresses whose speed is remembered
)

// DefaultRate is how fast one key may send requests, a batch being one.
func DefaultRate() edge.Rate { return edge.Rate{PerSecond: 100, Burst: 1000} }

// guessRate is how often one address may come with a wrong key.
func guessRate() edge.Rate { return edge.Rate{PerSecond: 0.5, Burst: 30} }

// Parts are what the interface is made of; all but Metrics and Rate are needed.
type Parts struct {
	Intake   Intake
	Bounces  Bounces
	Figures  Figures
	Measures Measures
	Keys     Keys
	Now      func() time.Time
	Metrics  prometheus.Registerer
	Rate     edge.Rate // DefaultRate when zero
}

// API is the machine interface.
type API struct {
	parts   Parts
	speed   *edge.Limiter
	guesses *edge.Limiter
	batches chan struct{}
	events  *prometheus.CounterVec
}

// New puts the interface together. The error tells of a metric that is registered already.
func New(p Parts) (*API, error) {
	if p.Rate == (edge.Rate{}) {
		p.Rate = DefaultRate()
	}
	a := &API{
		parts: p, batches: make(chan struct{}, batchesOnce),
		speed: edge.NewLimiter(p.Rate, maxCallers, p.Now), guesses: edge.NewLimiter(guessRate(), maxCallers, p.Now),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "victimvoice_api_events_total", Help: "Case events received over HTTP, by what became of them.",
		}, []string{"result"}),
	}
	for _, r := range results() {
		a.events.WithLabelValues(r) // so that nought is seen as nought, not as absent
	}
	if p.Metrics != nil {
		if err := p.Metrics.Register(a.events); err != nil {
			return nil, fmt.Errorf("register API metrics: %w", err)
		}
	}
	return a, nil
}

// Routes adds the interface to an engine of edge.
func (a *API) Routes(e *gin.Engine) {
	v1 := e.Group("/api/v1")
	v1.GET("/openapi.json", edge.Handle(a.describe))
	v1.POST("/events", edge.MaxBody(MaxBody), edge.Timeout(batchTimeout), a.guarded(access.EventsWrite, a.postEvents))
	v1.POST("/bounces", a.guarded(access.BouncesWrite, a.postBounces))
	v1.GET("/figures", a.guarded(access.FiguresGet, a.getFigures))
	v1.GET("/figures/measures", a.guarded(access.FiguresGet, a.getMeasures))
}

// guarded lets a request through to h that has a key with the scope and keeps to
// its speed.
func (a *API) guarded(scope access.Scope, h func(*gin.Context, access.APIKey) error) gin.HandlerFunc {
	return edge.Handle(func(c *gin.Context) error {
		key, err := a.parts.Keys.AuthenticateKey(c.Request.Context(), bearer(c.Request))
		if fault.Is(err, fault.Unauthorized) {
			if slow := a.guesses.Allow(c, edge.Client(c)); slow != nil {
				return slow
			}
		}
		if err != nil {
			return err
		}
		if err := a.speed.Allow(c, key.ID); err != nil {
			return err
		}
		if !key.Allows(scope) {
			return fault.New(fault.Denied, "This key does not have the scope %s.", scope)
		}
		return h(c, key)
	})
}

// bearer is the token of an Authorization header; empty when there is none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

//go:embed openapi.json
var description []byte

// Description is the OpenAPI description of the interface, as JSON.
func Description() []byte { return slices.Clone(description) }

func (a *API) describe(c *gin.Context) error {
	c.Data(http.StatusOK, "application/json", description)
	return nil
}

// unsupported is an answer to a body in a form that is not taken.
func unsupported(format string, args ...any) error {
	return edge.WithStatus(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, format, args...))
}

// malformed is an answer to a body that cannot be read at all.
func malformed(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return edge.WithStatus(http.StatusBadRequest, fault.Wrap(fault.Invalid, err, "%s", upper(err.Error())))
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }
