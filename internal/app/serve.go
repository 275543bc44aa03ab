package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"victimvoice/analysis"
	"victimvoice/api"
	"victimvoice/internal/access"
	"victimvoice/internal/config"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/internal/work"
	"victimvoice/notifications"
	"victimvoice/survey"
	"victimvoice/web/page"
	"victimvoice/web/public"
	"victimvoice/web/victim"
	"victimvoice/web/workspace"
)

// The roles of a process.
const (
	roleWeb    = "web"
	roleWorker = "worker"
)

// publicPath is where the page for everybody is.
const publicPath = "/public"

// grace is how long what is under way may take to end when the process is told to stop.
const grace = 20 * time.Second

// keysetLease is the lease whose owner is the keyset of the store's data.
const keysetLease = "keyset"

func errOtherKeyset() error {
	return fault.New(fault.Conflict, "the keyset is not the one that this store's data were made with; set VICTIMVOICE_KEYS to that one")
}

// ownKeyset keeps the fingerprint of the keyset that a store's data belong to,
// and refuses another: with the wrong keys mounted every join would miss in silence.
func ownKeyset(ctx context.Context, leases work.Leases, keys *seal.Keys) error {
	print := keys.Fingerprint()
	l, err := leases.UpdateLease(ctx, keysetLease, func(l *work.Lease) error {
		if l.Owner != "" {
			return survey.ErrUnchanged
		}
		l.Owner = print
		return nil
	})
	if err != nil {
		return fmt.Errorf("compare the keyset with the store's: %w", err)
	}
	if l.Owner != print {
		return errOtherKeyset()
	}
	return nil
}

// sameKeyset refuses a keyset that a store's data do not belong to, and writes
// nothing: an empty store is left to the first that works on it.
func sameKeyset(ctx context.Context, leases work.Leases, keys *seal.Keys) error {
	all, err := leases.Leases(ctx)
	if err != nil {
		return fmt.Errorf("compare the keyset with the store's: %w", err)
	}
	for _, l := range all {
		if l.ID == keysetLease && l.Owner != "" && l.Owner != keys.Fingerprint() {
			return errOtherKeyset()
		}
	}
	return nil
}

// System is a process that is ready to run: its rooms, its HTTP handler and its tasks.
type System struct {
	*Rooms
	Mail    *notifications.Service
	Runner  *work.Runner
	Engine  *gin.Engine
	Metrics *prometheus.Registry

	started time.Time
}

// Assemble puts pages, API and tasks around the rooms. roles says which of them
// this process runs.
func Assemble(r *Rooms, cfg *config.Config, sender notifications.Sender, roles ...string) (*System, error) {
	owner := processName()
	m, err := r.Mailroom(sender, cfg.MailFrom, cfg.MailReplyTo, cfg.SurveyURL.String(), cfg.BaseURL.String(), owner)
	if err != nil {
		return nil, err
	}
	s := &System{Rooms: r, Mail: m, Metrics: prometheus.NewRegistry(), started: r.Now()}
	tasks := r.Tasks(m)
	if !slices.Contains(roles, roleWorker) {
		for i := range tasks {
			tasks[i].Elsewhere = !tasks[i].Local
		}
	}
	s.Runner = work.NewRunner(r.Store, owner, r.Now, r.Log, tasks...)
	s.observe()
	if slices.Contains(roles, roleWeb) {
		if err := s.routes(cfg); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *System) routes(cfg *config.Config) error {
	secure := cfg.BaseURL.Scheme == "https"
	apart := cfg.SurveyURL.Host != cfg.BaseURL.Host
	pages, err := victim.New(s.Survey, s.Loop, victim.Config{Name: cfg.SurveyName, Host: cfg.SurveyURL.Host, Secure: cfg.SurveyURL.Scheme == "https", Now: s.Now, Log: s.Log})
	if err != nil {
		return err
	}
	open := analysis.NewOpenData(s.Analysis, s.Store, s.Audit)
	desk, err := workspace.New(workspace.Parts{
		Access: s.Access, Survey: s.Survey, Analysis: s.Analysis, Emerging: analysis.NewEmerging(s.Analysis, s.Store, s.Audit), Advising: analysis.NewAdvising(s.Analysis, s.Store, s.Audit), Timeline: analysis.NewTimeline(s.Analysis, s.Store, s.Audit), OpenData: open, Loop: s.Loop, Audit: s.Audit, Backlog: s.Mail.Backlog,
		Card: pages.Card, OpenSurvey: pages.SetSession, BaseURL: cfg.BaseURL.String(), Secure: secure, Now: s.Now,
	})
	if err != nil {
		return err
	}
	told, err := public.New(s.Loop, open, s.Analysis.Panel().Measure)
	if err != nil {
		return err
	}
	machines, err := api.New(api.Parts{Intake: s.Survey, Bounces: s.Mail, Figures: s.Analysis, Measures: s.Analysis.Panel(), Keys: s.Access, Now: s.Now, Metrics: s.Metrics})
	if err != nil {
		return fmt.Errorf("build the API: %w", err)
	}
	s.Engine, err = edge.NewEngine(edge.Config{
		Log: s.Log, Metrics: s.Metrics, Now: s.Now, TrustedProxies: cfg.TrustedProxies, HTTPS: secure,
		Page: func(c *gin.Context, p edge.Problem) {
			if victim.Owns(c.Request.URL.Path) || apart && pages.Here(c) {
				pages.Problem(c, p)
				return
			}
			desk.Problem(c, p)
		},
	})
	if err != nil {
		return fmt.Errorf("build the web server: %w", err)
	}
	if apart {
		s.Engine.Use(pages.Alone())
	}
	if err := page.Static(s.Engine); err != nil {
		return fmt.Errorf("build the web server: %w", err)
	}
	edge.Health(s.Engine, s.checks()...)
	machines.Routes(s.Engine)
	pages.Register(s.Engine)
	desk.Register(s.Engine)
	told.Register(s.Engine)
	return nil
}

// checks are what /readyz asks.
func (s *System) checks() []edge.Check {
	return []edge.Check{
		{Name: "store", Run: s.Store.Ping},
		{Name: "tasks", Run: func(ctx context.Context) error {
			stalled, err := s.Runner.Stalled(ctx, s.started)
			if err != nil {
				return err
			}
			if len(stalled) > 0 {
				return fault.New(fault.Unavailable, "these tasks have not ended well for a while: %s", strings.Join(stalled, ", "))
			}
			return nil
		}},
	}
}

// observe registers what the process measures of itself.
func (s *System) observe() {
	runs := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "victimvoice_task_seconds", Help: "How long a background task took, by task and result.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
	}, []string{"task", "result"})
	mails := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "victimvoice_mails_total", Help: "Mails settled, by kind and what became of them."}, []string{"kind", "state"})
	last := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "victimvoice_task_last_success_timestamp_seconds", Help: "When a background task last ended well: alert on its absence."}, []string{"task"})
	waiting := func(name, what string, value func(notifications.Backlog) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: what}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			b, err := s.Mail.Backlog(ctx)
			if err != nil {
				return math.NaN()
			}
			return value(b)
		})
	}
	s.Metrics.MustRegister(
		waiting("victimvoice_outbox_pending", "Mails that wait to be sent.", func(b notifications.Backlog) float64 { return float64(b.Pending) }),
		waiting("victimvoice_outbox_failed", "Mails that were given up.", func(b notifications.Backlog) float64 { return float64(b.Failed) }),
		waiting("victimvoice_outbox_oldest_seconds", "How long ago the oldest waiting mail fell due; 0: none is late.", func(b notifications.Backlog) float64 {
			if b.Oldest.IsZero() {
				return 0
			}
			return max(0, s.Now().Sub(b.Oldest).Seconds())
		}),
		runs, mails, last, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.Runner.Observe = func(task string, _ int, took time.Duration, err error) {
		result := "ok"
		if err != nil {
			result = "failed"
		} else {
			last.WithLabelValues(task).Set(float64(s.Now().Unix()))
		}
		runs.WithLabelValues(task, result).Observe(took.Seconds())
	}
	s.Mail.Observe = func(kind notifications.Kind, state notifications.State) {
		mails.WithLabelValues(string(kind), string(state)).Inc()
	}
}

// Serve runs until ctx ends, then stops in order: no new requests, those under
// way to their end, tasks drained.
func (s *System) Serve(ctx context.Context, l net.Listener, metrics net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	var servers []*http.Server
	start := func(l net.Listener, h http.Handler) {
		srv := edge.Server(l.Addr().String(), h, s.Log)
		servers = append(servers, srv)
		go func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve: %w", err)
			}
		}()
	}
	if s.Engine != nil && l != nil {
		start(l, s.Engine)
	}
	if metrics != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
		start(metrics, mux)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() { s.Runner.Run(ctx, grace) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		cancel()
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	for _, srv := range servers {
		err = errors.Join(err, srv.Shutdown(stop))
	}
	tasks.Wait()
	return err
}

func runServe(ctx context.Context, c *Call, args []string) (err error) {
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings, NAME=value a line")
	roles := fs.String("roles", roleWeb+","+roleWorker, "what this process runs")
	if _, err := parse(c, "serve", &fs, args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			config.Help(c.Out)
		}
		return err
	}
	list := strings.Split(*roles, ",")
	for _, r := range list {
		if r != roleWeb && r != roleWorker {
			return usage("--roles takes web, worker or both with a comma, not %q", r)
		}
	}
	cfg, err := config.Load(c.Env, *file)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	log := logger(c.Err, cfg.LogFormat)
	store, err := OpenStore(ctx, cfg.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := ownKeyset(ctx, store, cfg.Keys); err != nil {
		return err
	}
	outlet, err := notifications.OpenSender(cfg.SMTP, time.Now)
	if err != nil {
		return fmt.Errorf("mail settings: %w", err)
	}
	defer func() { err = errors.Join(err, outlet.Close()) }()
	rooms, err := Furnish(store, cfg.Keys, time.Now, log, access.DefaultConfig())
	if err != nil {
		return err
	}
	s, err := Assemble(rooms, cfg, outlet, list...)
	if err != nil {
		return err
	}
	if err := s.Analysis.Refresh(ctx); err != nil {
		return fmt.Errorf("load the figures: %w", err)
	}
	var l, metrics net.Listener
	if slices.Contains(list, roleWeb) {
		if l, err = net.Listen("tcp", cfg.Addr); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		log.Info("listening", "addr", l.Addr().String(), "base_url", cfg.BaseURL.String())
		if err := offerSetup(ctx, c, s, cfg); err != nil {
			return err
		}
	}
	if cfg.MetricsAddr != "" {
		if metrics, err = net.Listen("tcp", cfg.MetricsAddr); err != nil {
			return fmt.Errorf("listen for metrics: %w", err)
		}
	}
	return s.Serve(ctx, l, metrics)
}

// offerSetup prints a one-time link while there is no administrator.
func offerSetup(ctx context.Context, c *Call, s *System, cfg *config.Config) error {
	needed, err := s.Access.NeedsSetup(ctx)
	if err != nil || !needed {
		return err
	}
	token, err := s.Access.NewSetupLink(ctx)
	if err != nil {
		return fmt.Errorf("make a set-up link: %w", err)
	}
	return say(c.Out, "There is no administrator yet. Make the first, once and within a day, at\n%s/setup/%s", cfg.BaseURL, token)
}

func runCheck(ctx context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings")
	replyText := fs.Bool("reply-text", false, "print the automatic answer for the mailbox that replies go to, and check nothing")
	if _, err := parse(c, "check", &fs, args); err != nil {
		return err
	}
	if *replyText {
		letters, err := notifications.LoadLetters()
		if err != nil {
			return err
		}
		return say(c.Out, "%s", strings.TrimSuffix(letters.ReplyText(), "\n"))
	}
	bad := false
	tell := func(what string, err error) {
		if err == nil {
			_ = say(c.Out, "ok    %s", what)
			return
		}
		bad = true
		if fields := fault.FieldsOf(err); len(fields) > 0 {
			for _, f := range fields {
				_ = say(c.Out, "fault %s: %s %s", what, f.Field, f.Message)
			}
			return
		}
		_ = say(c.Out, "fault %s: %s", what, oneLine(err))
	}
	// Each setting stands for itself, so that one fault does not hide what another part has to say.
	_, err := config.Load(c.Env, *file)
	tell("settings", err)
	storeCfg, err := config.Load(c.Env, *file, "STORE")
	if err == nil {
		var keys *seal.Keys
		if keyCfg, err := config.Load(c.Env, *file, "KEYS"); err == nil {
			keys = keyCfg.Keys
		}
		tell("store", tryStore(ctx, storeCfg.Store, keys))
	}
	if mailCfg, err := config.Load(c.Env, *file, "SMTP"); err == nil {
		outlet, err := notifications.OpenSender(mailCfg.SMTP, time.Now)
		if err == nil {
			err = errors.Join(outlet.Ping(ctx), outlet.Close())
		}
		tell("mail", err)
	}
	if fromCfg, err := config.Load(c.Env, *file, "MAIL_FROM"); err == nil {
		tell("sender of mails", notifications.CheckFrom(fromCfg.MailFrom))
	}
	if replyCfg, err := config.Load(c.Env, *file, "MAIL_REPLY_TO"); err == nil {
		tell("address for replies to mails", notifications.CheckReplyTo(replyCfg.MailReplyTo))
	}
	if urls, err := config.Load(c.Env, *file, "BASE_URL", "SURVEY_URL"); err == nil {
		tell("survey address in mails", notifications.CheckLink(urls.SurveyURL.String()))
		tell("public page's address in mails", notifications.CheckLink(urls.BaseURL.String()+publicPath))
	}
	if bad {
		return errRejected
	}
	return nil
}

// tryStore reaches a store without making it: of a database file that is not
// there yet, its folder has to take one.
func tryStore(ctx context.Context, setting string, keys *seal.Keys) error {
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			f, err := os.CreateTemp(filepath.Dir(path), ".victimvoice-check-")
			if err != nil {
				return fault.Wrap(fault.Unavailable, err, "the database file cannot be made")
			}
			if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
				return fault.Wrap(fault.Unavailable, err, "the database file cannot be made")
			}
			return nil
		}
	}
	store, err := OpenStore(ctx, setting)
	if err != nil {
		return err
	}
	if err = store.Ping(ctx); err == nil && keys != nil {
		err = sameKeyset(ctx, store, keys)
	}
	return errors.Join(err, store.Close())
}
