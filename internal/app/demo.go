package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/config"
	"victimvoice/internal/edge"
	"victimvoice/internal/mailcatcher"
	"victimvoice/internal/seal"
	"victimvoice/internal/sqlite"
	"victimvoice/internal/synth"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// demoCases is how many synthetic cases the demo has: enough for sixteen quarters of figures.
const demoCases = 4000

// demoStore is the file that keeps the demo's data, in its folder.
const demoStore = "victimvoice.db"

// demoFile is what demo writes for whoever drives it: demo.json.
type demoFile struct {
	BaseURL string     `json:"base_url"`
	MailURL string     `json:"mail_url"`
	APIKey  string     `json:"api_key"`
	Users   []demoUser `json:"users"`
}

type demoUser struct {
	Role     string `json:"role"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

func runDemo(ctx context.Context, c *Call, args []string) (err error) {
	var flags flag.FlagSet
	addr := flags.String("addr", "127.0.0.1:8080", "address to listen on; the mails are shown on the next port")
	dir := flags.String("dir", "demo", "folder that keeps the demo's data; a restart goes on with it")
	cases := flags.Int("cases", demoCases, "synthetic cases to begin with")
	if _, err := parse(c, "demo", &flags, args); err != nil {
		return err
	}
	if *cases < 0 {
		return usage("--cases takes a number from 0, not %d", *cases)
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return usage("--addr %s cannot be listened on; choose another, such as 127.0.0.1:8090", *addr)
	}
	defer l.Close()
	mails, err := besides(l)
	if err != nil {
		return err
	}
	defer mails.Close()
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	d := demoFile{}
	info := filepath.Join(*dir, "demo.json")
	fresh := false
	switch b, err := os.ReadFile(info); { //nolint:gosec // G304: the demo's own folder
	case errors.Is(err, fs.ErrNotExist):
		fresh = true
	case err != nil:
		return fmt.Errorf("read %s: %w", info, err)
	default:
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("read %s: %w", info, err)
		}
	}
	keys, err := demoKeys(filepath.Join(*dir, "keys"))
	if err != nil {
		return err
	}
	path := filepath.Join(*dir, demoStore)
	if fresh {
		if err := demoLoad(ctx, c, path, keys, *cases, &d); err != nil {
			return err
		}
	}
	store, err := OpenStore(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	catcher, err := mailcatcher.Open(mailcatcher.Config{Dir: filepath.Join(*dir, "mails"), Now: time.Now})
	if err != nil {
		return fmt.Errorf("open the mail catcher: %w", err)
	}
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	go func() { _ = catcher.Serve(smtp) }() // ends with Close
	defer func() { err = errors.Join(err, catcher.Close()) }()
	sender, err := notifications.OpenSender("smtp://"+smtp.Addr().String(), time.Now)
	if err != nil {
		return fmt.Errorf("mail settings: %w", err)
	}
	defer func() { err = errors.Join(err, sender.Close()) }()

	log := logger(c.Err, "text")
	rooms, err := Furnish(store, keys, time.Now, log, access.DefaultConfig())
	if err != nil {
		return err
	}
	d.BaseURL, d.MailURL = "http://"+l.Addr().String(), "http://"+mails.Addr().String()
	if err := writeDemo(info, d); err != nil {
		return err
	}
	base, err := url.Parse(d.BaseURL)
	if err != nil {
		return fmt.Errorf("the demo's address: %w", err)
	}
	cfg := &config.Config{BaseURL: base, SurveyURL: base, SurveyName: "Feedback", MailFrom: mail.Address{Name: "Feedback", Address: "feedback@example.org"}, Keys: keys}
	s, err := Assemble(rooms, cfg, sender, roleWeb, roleWorker)
	if err != nil {
		return err
	}
	if err := s.Analysis.Refresh(ctx); err != nil {
		return fmt.Errorf("load the figures: %w", err)
	}
	page, err := catcher.Handler()
	if err != nil {
		return fmt.Errorf("the page of mails: %w", err)
	}
	shown := edge.Server(mails.Addr().String(), page, log)
	go func() { _ = shown.Serve(mails) }() // ends with Shutdown
	if err := demoTell(c, d, info); err != nil {
		return err
	}
	err = s.Serve(ctx, l, nil)
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	return errors.Join(err, shown.Shutdown(stop))
}

// besides listens on the port after another's, or on any that is free.
func besides(l net.Listener) (net.Listener, error) {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("the demo's address: %w", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("the demo's address: %w", err)
	}
	if m, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+1))); err == nil {
		return m, nil
	}
	m, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen for the page of mails: %w", err)
	}
	return m, nil
}

// demoKeys reads the demo's keyset, or makes it at the first start.
func demoKeys(path string) (*seal.Keys, error) {
	b, err := os.ReadFile(path) //nolint:gosec // G304: the demo's own folder
	if errors.Is(err, fs.ErrNotExist) {
		keyset, err := seal.NewKeyset()
		if err != nil {
			return nil, fmt.Errorf("make a keyset: %w", err)
		}
		if err := os.WriteFile(path, []byte(keyset+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("keep the keyset: %w", err)
		}
		b = []byte(keyset)
	} else if err != nil {
		return nil, fmt.Errorf("read the keyset: %w", err)
	}
	keys, err := seal.Parse(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("read the keyset: %w", err)
	}
	return keys, nil
}

// loadHeap lets the heap grow to several times what is in use before it is
// collected, while a history is loaded: the one time when memory is to spare.
const loadHeap = 400

// demoLoad makes the demo's store. Nobody has been told of anything in it before
// it is whole, so no commit of the load is forced to the disk. A beginning that a
// crash or a loss of power cuts short leaves no demo.json and is begun again from
// nothing. Once the load is done, the file is closed and forced to the disk as a
// whole; from then on it is opened as in production, where every commit is.
func demoLoad(ctx context.Context, c *Call, path string, keys *seal.Keys, cases int, d *demoFile) (err error) {
	for _, side := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("begin again: %w", err)
		}
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Volatile: true})
	if err != nil {
		return fmt.Errorf("open the SQLite store: %w", err)
	}
	usual := debug.SetGCPercent(loadHeap)
	defer debug.SetGCPercent(usual)
	rooms, err := Furnish(store, keys, time.Now, logger(c.Err, "text"), access.DefaultConfig())
	if err == nil {
		err = demoBegin(ctx, c, rooms, cases, d)
	}
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal"} {
		if err := syncFile(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // closing has folded the log into the file
			return fmt.Errorf("force the demo's data to the disk: %w", err)
		}
	}
	return nil
}

// syncFile forces a file to the disk.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // G304: the demo's own folder
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// demoBegin fills an empty store: people of each role, a key, and four years of
// cases lived through the same code as real ones.
func demoBegin(ctx context.Context, c *Call, r *Rooms, cases int, d *demoFile) error {
	by := access.Operator()
	advocates := synth.Advocates()
	for _, u := range []struct {
		role  access.Role
		email string
		name  string
	}{
		{access.Advocate, advocates[0], "Demo Advocate"}, {access.Commissioner, "commissioner@example.org", "Demo Commissioner"}, {access.Analyst, "analyst@example.org", "Demo Analyst"}, {access.Administrator, "administrator@example.org", "Demo Administrator"},
	} {
		password, err := passphrase()
		if err != nil {
			return err
		}
		if _, _, err := r.Access.AddUser(ctx, by, access.NewUser{Email: u.email, Name: u.name, Roles: []access.Role{u.role}, Password: password}); err != nil {
			return fmt.Errorf("add the demo's %s: %w", u.role, err)
		}
		d.Users = append(d.Users, demoUser{Role: string(u.role), Email: u.email, Password: password})
	}
	var err error
	if d.APIKey, _, err = r.Access.NewAPIKey(ctx, by, access.NewAPIKey{
		Label: "demo", Force: "Metropolitan Police", Scopes: []access.Scope{access.EventsWrite, access.BouncesWrite, access.FiguresGet},
	}); err != nil {
		return fmt.Errorf("add the demo's API key: %w", err)
	}
	if cases == 0 {
		return nil
	}
	now := r.Now()
	world := synth.New(synth.Options{Cases: cases, End: now, Seed: 1, Effects: synth.DefaultEffects(now)})
	if err := say(c.Out, "Living through four years of %d synthetic cases …", cases); err != nil {
		return err
	}
	// Four years of alerts are no news: their log lines are left out.
	quiet, err := Furnish(r.Store, r.Keys, r.Now, slog.New(slog.DiscardHandler), access.DefaultConfig())
	if err != nil {
		return err
	}
	desk, err := r.Access.UserByEmail(ctx, advocates[0])
	if err != nil {
		return fmt.Errorf("find the demo's advocate: %w", err)
	}
	meant := &synth.Meant{}
	services := synth.Services{
		Meant:  meant,
		Survey: quiet.Survey, Analysis: quiet.Analysis, Loop: quiet.Loop, Cases: r.Store,
		Advocate: func(address string) survey.Actor {
			if address == advocates[0] {
				return survey.Actor{ID: desk.ID, Role: string(access.Advocate)}
			}
			return synth.Colleague()
		},
	}
	step := 0
	stats, err := synth.Live(ctx, world, services, now, func(done, total int) {
		if s := done * 10 / total; s > step {
			step = s
			_ = say(c.Out, "  %d of %d", done, total)
		}
	})
	if err != nil {
		return fmt.Errorf("live through the synthetic cases: %w", err)
	}
	if err := quiet.Analysis.Refresh(ctx); err != nil {
		return fmt.Errorf("load the figures: %w", err)
	}
	if err := demoRead(ctx, quiet, meant); err != nil {
		return err
	}
	user, err := r.Access.UserByEmail(ctx, "commissioner@example.org")
	if err != nil {
		return fmt.Errorf("find the demo's commissioner: %w", err)
	}
	if err := synth.Actions(ctx, world, services, user.ID, now); err != nil {
		return fmt.Errorf("raise the demo's actions: %w", err)
	}
	if err := synth.Marks(ctx, world, analysis.NewTimeline(quiet.Analysis, r.Store, r.Audit), quiet.Analysis, user.ID); err != nil {
		return fmt.Errorf("mark the demo's time axis: %w", err)
	}
	return say(c.Out, "  %s", stats)
}

// demoRead has the demo's analyst code some texts and choose quotations, and its
// commissioner confirm them.
func demoRead(ctx context.Context, r *Rooms, meant *synth.Meant) error {
	var people [2]survey.Actor
	for i, email := range []string{"analyst@example.org", "commissioner@example.org"} {
		u, err := r.Access.UserByEmail(ctx, email)
		if err != nil {
			return fmt.Errorf("find who codes the demo's texts: %w", err)
		}
		people[i] = survey.Actor{ID: u.ID, Role: u.Actor().RoleNames()}
	}
	if _, _, err := synth.Readings(ctx, r.Analysis, meant, people[0], people[1]); err != nil {
		return fmt.Errorf("code the demo's texts: %w", err)
	}
	if err := r.Analysis.Refresh(ctx); err != nil {
		return fmt.Errorf("load the figures: %w", err)
	}
	return nil
}

// passphrase makes a password that can be typed: four words and a number.
func passphrase() (string, error) {
	words := strings.Fields("amber anchor barley basket beacon bramble brook candle cedar clover copper coral cotton dapple ember fallow feather fennel garden ginger granite harbour hazel heather " +
		"island juniper kettle lantern lavender linen maple marble meadow mellow mosaic nutmeg orchard otter pebble pepper quartz quill raven river saffron sapling shingle silver sparrow " +
		"summit tansy teapot thicket thistle timber tulip umber valley velvet violet walnut willow winter yarrow")
	pick := func(n int) (int, error) {
		v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return 0, fmt.Errorf("make a password: %w", err)
		}
		return int(v.Int64()), nil
	}
	var parts []string
	for range 4 {
		i, err := pick(len(words))
		if err != nil {
			return "", err
		}
		parts = append(parts, words[i])
	}
	n, err := pick(90)
	if err != nil {
		return "", err
	}
	return strings.Join(parts, "-") + "-" + strconv.Itoa(10+n), nil
}

func writeDemo(path string, d demoFile) error {
	b, err := json.MarshalIndent(d, "", "  ") //nolint:gosec // G117: demo.json is there to give the demo's own key and passwords
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func demoTell(c *Call, d demoFile, info string) error {
	if err := say(c.Out, "\nVictim Voice is ready, with synthetic people only.\n\n  Sign in         %s\n  Mails           %s   (click a link as the person would)\n  Public page     %s/public\n", d.BaseURL, d.MailURL, d.BaseURL); err != nil {
		return err
	}
	for _, u := range d.Users {
		if err := say(c.Out, "  %-15s %s   password %s", u.Role, u.Email, u.Password); err != nil {
			return err
		}
	}
	return say(c.Out, "\nAlso in %s, with a key for the API. Stop with Ctrl+C; the same folder goes on where this ends.", info)
}
