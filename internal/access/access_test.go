package access_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"victimvoice/internal/access"
	"victimvoice/internal/access/accesstest"
	"victimvoice/internal/audit"
	"victimvoice/internal/audit/audittest"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

const (
	good   = "violet harbour tandem 9"
	better = "copper meadow lantern 4"
	source = "192.0.2.7"
)

// world is a service with a clock of its own.
type world struct {
	*access.Service
	t     *testing.T
	store *accesstest.Store
	trail *audittest.Store
	keys  *seal.Keys
	mu    sync.Mutex
	time  time.Time
}

func quick() access.Config {
	conf := access.DefaultConfig()
	conf.Password = access.PasswordParams{MemoryKiB: 64, Passes: 1, Lanes: 1}
	return conf
}

func newWorld(t *testing.T) *world {
	t.Helper()
	text, err := seal.NewKeyset()
	ok(t, err)
	keys, err := seal.Parse(text)
	ok(t, err)
	w := &world{t: t, store: &accesstest.Store{}, trail: &audittest.Store{}, keys: keys, time: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)}
	w.Service = w.with(quick())
	return w
}

// with is another replica on the same store.
func (w *world) with(conf access.Config) *access.Service {
	return access.New(w.store, w.keys, audit.New(w.trail, w.now, w.keys.Subkey("audit")), w.now, conf)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *world) user(email string, roles ...access.Role) access.User {
	w.t.Helper()
	u, link, err := w.AddUser(w.t.Context(), access.Operator(), access.NewUser{Email: email, Name: "Synthetic Person", Roles: roles, Password: good})
	ok(w.t, err)
	if link != "" {
		w.t.Errorf("a link for an account with a password")
	}
	return u
}

func (w *world) signIn(email, password string) string {
	w.t.Helper()
	token, _, err := w.SignIn(w.t.Context(), email, password, source)
	ok(w.t, err)
	return token
}

// actions lists what was recorded.
func (w *world) actions() []string {
	var actions []string
	for _, e := range w.trail.Kept() {
		actions = append(actions, e.Action)
	}
	return actions
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, fields ...string) {
	t.Helper()
	var names []string
	for _, f := range fault.FieldsOf(err) {
		names = append(names, f.Field)
	}
	if !fault.Is(err, kind) || !slices.Equal(names, fields) {
		t.Errorf("error %v (%v, fields %v), want %v %v", err, fault.KindOf(err), names, kind, fields)
	}
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	u := w.user("advocate@example.org", access.Advocate)
	token, got, err := w.SignIn(t.Context(), " Advocate@EXAMPLE.org", good, source)
	ok(t, err)
	if got.ID != u.ID || !got.SignedInAt.Equal(w.now()) || !got.Can(access.CasesOwn) || got.Can(access.UsersManage) {
		t.Errorf("signed in as %+v", got)
	}
	if got.AdvocateKey != w.keys.AdvocateKey("ADVOCATE@example.org") || got.AdvocateKey == got.EmailKey {
		t.Error("the advocate's cases would not be found")
	}
	who, err := w.Authenticate(t.Context(), token)
	ok(t, err)
	if who.ID != u.ID {
		t.Errorf("authenticated as %s", who.ID)
	}
	p, err := w.Profile(who)
	ok(t, err)
	if p != (access.Profile{Email: "advocate@example.org", Name: "Synthetic Person"}) {
		t.Errorf("profile %+v", p)
	}
	ok(t, w.SignOut(t.Context(), token))
	ok(t, w.SignOut(t.Context(), token))
	_, err = w.Authenticate(t.Context(), token)
	refused(t, err, fault.Unauthorized)
	if want := []string{"user.added", "session.began"}; !slices.Equal(w.actions(), want) {
		t.Errorf("recorded %v, want %v", w.actions(), want)
	}
}

// Nothing that is stored or recorded names anybody or lets anybody in.
func TestNothingInClear(t *testing.T) {
	w := newWorld(t)
	w.user("advocate@example.org", access.Advocate, access.Administrator)
	token := w.signIn("advocate@example.org", good)
	_, _, err := w.SignIn(t.Context(), "stranger@example.org", "wrong wrong wrong", source)
	refused(t, err, fault.Unauthorized)
	raw, _, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "case feed", Scopes: []access.Scope{access.BouncesWrite}})
	ok(t, err)
	_, link, err := w.AddUser(t.Context(), access.Operator(), access.NewUser{Email: "invited@example.org", Name: "Someone Invited", Roles: []access.Role{access.Analyst}})
	ok(t, err)
	stored := w.store.Dump() + fmt.Sprintf("%+v", w.trail.Kept())
	for _, secret := range []string{"example.org", "Synthetic", "Invited", good, token, raw, raw[len(raw)-32:], link, source} {
		if strings.Contains(stored, secret) {
			t.Errorf("%q is kept in clear", secret)
		}
	}
}

// Every failed sign-in has the same answer and the same calls of the store.
func TestSignInRefusesAlike(t *testing.T) {
	w := newWorld(t)
	w.user("known@example.org", access.Advocate)
	w.user("gone@example.org", access.Advocate)
	gone, err := w.UserByEmail(t.Context(), "gone@example.org")
	ok(t, err)
	ok(t, w.Disable(t.Context(), access.Operator(), gone.ID))
	_, _, err = w.AddUser(t.Context(), access.Operator(), access.NewUser{Email: "invited@example.org", Name: "I", Roles: []access.Role{access.Advocate}})
	ok(t, err)
	var message string
	var calls []string
	for i, try := range [][2]string{
		{"known@example.org", "wrong wrong wrong"}, {"unknown@example.org", good}, {"gone@example.org", good}, {"invited@example.org", good},
		{"invited@example.org", ""}, {"known@example.org", ""}, {"known@example.org", "bad\x00byte \xff"}, {"", good}, {"not an address", good},
		{"known@example.org", strings.ToUpper(good)},
	} {
		w.store.Calls()
		token, u, err := w.SignIn(t.Context(), try[0], try[1], source+fmt.Sprint(i))
		refused(t, err, fault.Unauthorized)
		if token != "" || u.ID != "" {
			t.Errorf("%v: gave %q, %+v", try, token, u)
		}
		got := w.store.Calls()
		if i == 0 {
			message, calls = fault.MessageOf(err), got
		}
		if fault.MessageOf(err) != message || !slices.Equal(got, calls) {
			t.Errorf("%v: %q %v, want %q %v", try, fault.MessageOf(err), got, message, calls)
		}
	}
	if w.store.Count("sessions") != 0 {
		t.Error("a session was begun")
	}
}

func TestSamePasswordInTwoForms(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.AddUser(t.Context(), access.Operator(), access.NewUser{
		Email: "a@example.org", Name: "A", Roles: []access.Role{access.Advocate}, Password: "caf\u00e9 harbour tandem",
	})
	ok(t, err)
	w.signIn("a@example.org", "cafe\u0301 harbour tandem")
}

func TestThrottlePair(t *testing.T) {
	w := newWorld(t)
	w.user("a@example.org", access.Advocate)
	for _, email := range []string{"a@example.org", "nobody@example.org"} {
		for range 5 {
			_, _, err := w.SignIn(t.Context(), email, "wrong wrong wrong", source)
			refused(t, err, fault.Unauthorized)
		}
		_, _, err := w.SignIn(t.Context(), email, good, source) // right, and still not looked at
		refused(t, err, fault.TooMany)
		if wait, is := access.RetryAfter(err, w.now()); !is || wait != 30*time.Second {
			t.Errorf("%s: wait %v, %v", email, wait, is)
		}
	}
	// From elsewhere the account is open: a stranger cannot lock its owner out.
	_, _, err := w.SignIn(t.Context(), "a@example.org", good, "198.51.100.1")
	ok(t, err)
	// Each failure after the wait doubles it, up to a quarter of an hour.
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		w.pass(15 * time.Minute)
		_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", source)
		refused(t, err, fault.Unauthorized)
		_, _, err = w.SignIn(t.Context(), "a@example.org", good, source)
		refused(t, err, fault.TooMany)
		if wait, _ := access.RetryAfter(err, w.now()); wait != want {
			t.Errorf("wait %v, want %v", wait, want)
		}
	}
	w.pass(15 * time.Minute)
	w.signIn("a@example.org", good) // which forgets the failures
	for range 4 {
		_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", source)
		refused(t, err, fault.Unauthorized)
	}
	w.signIn("a@example.org", good)
	if _, is := access.RetryAfter(errors.New("other"), w.now()); is {
		t.Error("every error says when to come back")
	}
}

func TestThrottleAccountAndSource(t *testing.T) {
	w := newWorld(t)
	w.user("a@example.org", access.Advocate)
	w.user("own@example.org", access.Advocate)
	for i := range 30 {
		_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", fmt.Sprintf("198.51.100.%d", i))
		refused(t, err, fault.Unauthorized)
	}
	_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", "203.0.113.1")
	refused(t, err, fault.TooMany)

	// One source through many addresses; an account of one's own does not wipe the slate.
	for i := range 60 {
		if i%10 == 0 {
			_, _, err := w.SignIn(t.Context(), "own@example.org", good, "203.0.113.9")
			ok(t, err)
		}
		_, _, err := w.SignIn(t.Context(), fmt.Sprintf("guess%d@example.org", i), "wrong wrong wrong", "203.0.113.9")
		refused(t, err, fault.Unauthorized)
	}
	_, _, err = w.SignIn(t.Context(), "own@example.org", good, "203.0.113.9")
	refused(t, err, fault.TooMany)
	w.pass(25 * time.Hour)
	_, _, err = w.SignIn(t.Context(), "own@example.org", good, "203.0.113.9")
	ok(t, err)
}

// One household has more IPv6 addresses than it has guesses.
func TestThrottleNetwork(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		want := fault.Unauthorized
		if i == 5 {
			want = fault.TooMany
		}
		_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", fmt.Sprintf("2001:db8:1:2::%x", i+1))
		refused(t, err, want)
		_, _, err = w.SignIn(t.Context(), "b@example.org", "wrong wrong wrong", []string{"192.0.2.9", "::ffff:192.0.2.9"}[i%2])
		refused(t, err, want)
	}
	_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", "2001:db8:1:3::1")
	refused(t, err, fault.Unauthorized)
}

// Guesses made at the same moment are all counted.
func TestThrottleConcurrently(t *testing.T) {
	w := newWorld(t)
	w.user("a@example.org", access.Advocate)
	var wg sync.WaitGroup
	var looked atomic.Int32
	for range 40 {
		wg.Go(func() {
			_, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", source)
			if !fault.Is(err, fault.TooMany) {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() != 5 {
		t.Errorf("%d guesses were looked at", looked.Load())
	}
}

func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(*world, access.User, string) error{
		"idle": func(w *world, _ access.User, _ string) error { w.pass(30 * time.Minute); return nil },
		"disabled": func(w *world, u access.User, _ string) error {
			return w.Disable(t.Context(), access.Operator(), u.ID)
		},
		"disabled and enabled": func(w *world, u access.User, _ string) error {
			return errors.Join(w.Disable(t.Context(), access.Operator(), u.ID), w.Enable(t.Context(), access.Operator(), u.ID))
		},
		"password changed": func(w *world, u access.User, _ string) error {
			_, err := w.SetPassword(t.Context(), u.ID, good, better, source)
			return err
		},
		"password reset": func(w *world, u access.User, _ string) error {
			_, err := w.ResetPassword(t.Context(), access.Operator(), u.ID)
			return err
		},
		// The session document outlives the change when the process dies in between.
		"disabled, sessions not yet deleted": func(w *world, u access.User, _ string) error {
			w.store.Fail = func(method string) error {
				if method == "DeleteSessionsOf" {
					return fault.New(fault.Unavailable, "away")
				}
				return nil
			}
			err := w.Disable(t.Context(), access.Operator(), u.ID)
			w.store.Fail = nil
			if !fault.Is(err, fault.Unavailable) {
				return fmt.Errorf("disable: %w", err)
			}
			_, err = w.store.UpdateUser(t.Context(), u.ID, func(u *access.User) error { u.Disabled = false; return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user("other@example.org", access.Administrator)
			u := w.user("a@example.org", access.Advocate)
			token := w.signIn("a@example.org", good)
			ok(t, end(w, u, token))
			_, err := w.Authenticate(t.Context(), token)
			refused(t, err, fault.Unauthorized)
		})
	}
}

func TestSessionLives(t *testing.T) {
	w := newWorld(t)
	w.user("a@example.org", access.Advocate)
	token := w.signIn("a@example.org", good)
	for range 12*60/20 - 1 {
		w.pass(20 * time.Minute)
		_, err := w.Authenticate(t.Context(), token)
		ok(t, err)
	}
	w.pass(20 * time.Minute) // twelve hours since it began
	_, err := w.Authenticate(t.Context(), token)
	refused(t, err, fault.Unauthorized)
	if w.store.Count("sessions") != 0 {
		t.Error("the ended session is still there")
	}

	// Not every request writes.
	token = w.signIn("a@example.org", good)
	w.store.Calls()
	for range 10 {
		_, err := w.Authenticate(t.Context(), token)
		ok(t, err)
		w.pass(5 * time.Second)
	}
	if calls := w.store.Calls(); slices.Contains(calls, "UpdateSession") {
		t.Errorf("calls %v", calls)
	}
	for _, wrong := range []string{"", "short", seal.NewToken(), strings.Repeat("x", 10_000)} {
		_, err := w.Authenticate(t.Context(), wrong)
		refused(t, err, fault.Unauthorized)
	}
}

func TestSetPassword(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	old := w.signIn("a@example.org", good)
	_, err := w.SetPassword(t.Context(), u.ID, "wrong wrong wrong", better, source)
	refused(t, err, fault.Invalid, "current")
	_, err = w.SetPassword(t.Context(), u.ID, good, "short", source)
	refused(t, err, fault.Invalid, "password")
	_, err = w.SetPassword(t.Context(), "nobody", good, better, source)
	refused(t, err, fault.NotFound)
	token, err := w.SetPassword(t.Context(), u.ID, good, better, source)
	ok(t, err)
	_, err = w.Authenticate(t.Context(), token)
	ok(t, err)
	_, err = w.Authenticate(t.Context(), old)
	refused(t, err, fault.Unauthorized)
	_, _, err = w.SignIn(t.Context(), "a@example.org", good, source)
	refused(t, err, fault.Unauthorized)
	w.signIn("a@example.org", better)
	for range 5 {
		_, err = w.SetPassword(t.Context(), u.ID, good, better, source)
		refused(t, err, fault.Invalid, "current")
	}
	_, err = w.SetPassword(t.Context(), u.ID, better, good, source)
	refused(t, err, fault.TooMany)
}

// Costs that have risen are paid at the next sign-in.
func TestRehash(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	conf := quick()
	conf.Password.Passes = 2
	raised := w.with(conf)
	_, after, err := raised.SignIn(t.Context(), "a@example.org", good, source)
	ok(t, err)
	if after.PasswordHash == u.PasswordHash || !strings.Contains(after.PasswordHash, "m=64,t=2,p=1") {
		t.Errorf("hash %q", after.PasswordHash)
	}
	_, again, err := raised.SignIn(t.Context(), "a@example.org", good, source)
	ok(t, err)
	if again.PasswordHash != after.PasswordHash {
		t.Error("hashed once more")
	}
}

func TestForgedHash(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	for _, forged := range []string{
		"x", "$argon2id$v=19$m=99999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=64,t=1,p=1$$",
	} {
		_, err := w.store.UpdateUser(t.Context(), u.ID, func(u *access.User) error { u.PasswordHash = forged; return nil })
		ok(t, err)
		_, _, err = w.SignIn(t.Context(), "a@example.org", good, "src"+forged)
		refused(t, err, fault.Internal)
	}
}

func TestAddUserRefuses(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	whole := access.NewUser{Email: "b@example.org", Name: "B", Roles: []access.Role{access.Advocate}, Password: good}
	for name, tt := range map[string]struct {
		by     access.Actor
		change func(*access.NewUser)
		kind   fault.Kind
		fields []string
	}{
		"an advocate":     {u.Actor(), func(*access.NewUser) {}, fault.Denied, nil},
		"nobody":          {access.Actor{}, func(*access.NewUser) {}, fault.Denied, nil},
		"disabled":        {access.User{ID: "x", Roles: access.Roles(), Disabled: true}.Actor(), func(*access.NewUser) {}, fault.Denied, nil},
		"no address":      {access.Operator(), func(n *access.NewUser) { n.Email = " " }, fault.Invalid, []string{"email"}},
		"no at":           {access.Operator(), func(n *access.NewUser) { n.Email = "b.example.org" }, fault.Invalid, []string{"email"}},
		"two addresses":   {access.Operator(), func(n *access.NewUser) { n.Email = "b@example.org, c@example.org" }, fault.Invalid, []string{"email"}},
		"named address":   {access.Operator(), func(n *access.NewUser) { n.Email = "B <b@example.org>" }, fault.Invalid, []string{"email"}},
		"header in it":    {access.Operator(), func(n *access.NewUser) { n.Email = "b@example.org\r\nBcc: c@example.org" }, fault.Invalid, []string{"email"}},
		"long address":    {access.Operator(), func(n *access.NewUser) { n.Email = strings.Repeat("b", 250) + "@example.org" }, fault.Invalid, []string{"email"}},
		"no name":         {access.Operator(), func(n *access.NewUser) { n.Name = "" }, fault.Invalid, []string{"name"}},
		"long name":       {access.Operator(), func(n *access.NewUser) { n.Name = strings.Repeat("é", 201) }, fault.Invalid, []string{"name"}},
		"broken name":     {access.Operator(), func(n *access.NewUser) { n.Name = "a\xff" }, fault.Invalid, []string{"name"}},
		"no role":         {access.Operator(), func(n *access.NewUser) { n.Roles = nil }, fault.Invalid, []string{"roles"}},
		"unknown role":    {access.Operator(), func(n *access.NewUser) { n.Roles = []access.Role{"root"} }, fault.Invalid, []string{"roles"}},
		"force":           {access.Operator(), func(n *access.NewUser) { n.Force = "a\nb" }, fault.Invalid, []string{"force"}},
		"weak password":   {access.Operator(), func(n *access.NewUser) { n.Password = "Password1234!" }, fault.Invalid, []string{"password"}},
		"all at once":     {access.Operator(), func(n *access.NewUser) { *n = access.NewUser{Password: "x"} }, fault.Invalid, []string{"email", "name", "roles", "password"}},
		"taken":           {access.Operator(), func(n *access.NewUser) { n.Email = "A@Example.org" }, fault.Conflict, nil},
		"own name as pwd": {access.Operator(), func(n *access.NewUser) { n.Name = "Bartholomew"; n.Password = "bartholomew2026" }, fault.Invalid, []string{"password"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := whole
			tt.change(&n)
			_, _, err := w.AddUser(t.Context(), tt.by, n)
			refused(t, err, tt.kind, tt.fields...)
		})
	}
	if w.store.Count("users") != 1 {
		t.Error("an account was made all the same")
	}
}

// Two administrators add the same address at once: one account.
func TestAddUserConcurrently(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	var made atomic.Int32
	for range 16 {
		wg.Go(func() {
			_, _, err := w.AddUser(t.Context(), access.Operator(), access.NewUser{Email: "a@example.org", Name: "A", Roles: []access.Role{access.Advocate}, Password: good})
			switch {
			case err == nil:
				made.Add(1)
			case !fault.Is(err, fault.Conflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || w.store.Count("users") != 1 {
		t.Errorf("%d made, %d stored", made.Load(), w.store.Count("users"))
	}
}

func TestInvitation(t *testing.T) {
	w := newWorld(t)
	u, link, err := w.AddUser(t.Context(), access.Operator(), access.NewUser{Email: "a@example.org", Name: "Archibald", Roles: []access.Role{access.Commissioner, access.Commissioner}})
	ok(t, err)
	if !slices.Equal(u.Roles, []access.Role{access.Commissioner}) {
		t.Errorf("roles %v", u.Roles)
	}
	kind, err := w.CheckLink(t.Context(), link)
	ok(t, err)
	if kind != access.PasswordLink {
		t.Errorf("kind %s", kind)
	}
	_, err = w.RedeemPassword(t.Context(), link, "archibald archibald")
	refused(t, err, fault.Invalid, "password")
	_, err = w.Setup(t.Context(), link, access.NewUser{Email: "b@example.org", Name: "B", Password: good})
	refused(t, err, fault.NotFound)
	got, err := w.RedeemPassword(t.Context(), link, good)
	ok(t, err)
	if got.ID != u.ID {
		t.Errorf("set the password of %s", got.ID)
	}
	w.signIn("a@example.org", good)
	for _, spent := range []string{link, "", seal.NewToken()} {
		_, err = w.CheckLink(t.Context(), spent)
		refused(t, err, fault.NotFound)
		_, err = w.RedeemPassword(t.Context(), spent, better)
		refused(t, err, fault.NotFound)
	}
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	_, err := w.ResetPassword(t.Context(), u.Actor(), u.ID)
	refused(t, err, fault.Denied)
	_, err = w.ResetPassword(t.Context(), access.Operator(), "nobody")
	refused(t, err, fault.NotFound)
	first, err := w.ResetPassword(t.Context(), access.Operator(), u.ID)
	ok(t, err)
	_, _, err = w.SignIn(t.Context(), "a@example.org", good, source)
	refused(t, err, fault.Unauthorized)
	second, err := w.ResetPassword(t.Context(), access.Operator(), u.ID)
	ok(t, err)
	_, err = w.RedeemPassword(t.Context(), first, better)
	refused(t, err, fault.NotFound) // a newer link puts out the older
	w.pass(24 * time.Hour)
	_, err = w.RedeemPassword(t.Context(), second, better)
	refused(t, err, fault.NotFound)

	third, err := w.ResetPassword(t.Context(), access.Operator(), u.ID)
	ok(t, err)
	ok(t, w.Disable(t.Context(), access.Operator(), u.ID))
	_, err = w.RedeemPassword(t.Context(), third, better)
	refused(t, err, fault.NotFound)
	_, err = w.ResetPassword(t.Context(), access.Operator(), u.ID)
	refused(t, err, fault.Conflict)
}

// One link, twenty at once: one password.
func TestRedeemConcurrently(t *testing.T) {
	w := newWorld(t)
	_, link, err := w.AddUser(t.Context(), access.Operator(), access.NewUser{Email: "a@example.org", Name: "A", Roles: []access.Role{access.Advocate}})
	ok(t, err)
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			_, err := w.RedeemPassword(t.Context(), link, fmt.Sprintf("%s %d", good, i))
			switch {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.NotFound):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}

func TestSetup(t *testing.T) {
	w := newWorld(t)
	needed, err := w.NeedsSetup(t.Context())
	ok(t, err)
	if !needed {
		t.Error("an empty store needs no set-up?")
	}
	late, err := w.NewSetupLink(t.Context())
	ok(t, err)
	w.pass(24 * time.Hour)
	first := access.NewUser{Email: "admin@example.org", Name: "First", Roles: []access.Role{access.Commissioner}, Password: good}
	_, err = w.Setup(t.Context(), late, first)
	refused(t, err, fault.NotFound)

	link, err := w.NewSetupLink(t.Context())
	ok(t, err)
	other, err := w.NewSetupLink(t.Context()) // another replica started
	ok(t, err)
	_, err = w.RedeemPassword(t.Context(), link, good)
	refused(t, err, fault.NotFound)
	_, err = w.Setup(t.Context(), link, access.NewUser{})
	refused(t, err, fault.Invalid, "email", "name", "password")
	u, err := w.Setup(t.Context(), link, first)
	ok(t, err)
	if !slices.Equal(u.Roles, []access.Role{access.Administrator}) {
		t.Errorf("roles %v", u.Roles)
	}
	w.signIn("admin@example.org", good)
	_, err = w.NewSetupLink(t.Context())
	refused(t, err, fault.Conflict)
	for _, dead := range []string{link, other} {
		_, err = w.Setup(t.Context(), dead, access.NewUser{Email: "b@example.org", Name: "B", Password: good})
		refused(t, err, fault.NotFound)
	}
	// Nor do they come back to life when nobody can administer any more.
	_, err = w.ResetPassword(t.Context(), u.Actor(), u.ID)
	ok(t, err)
	_, err = w.Setup(t.Context(), other, access.NewUser{Email: "b@example.org", Name: "B", Password: good})
	refused(t, err, fault.NotFound)
}

func TestLastAdministrator(t *testing.T) {
	w := newWorld(t)
	u := w.user("admin@example.org", access.Administrator)
	refused(t, w.Disable(t.Context(), u.Actor(), u.ID), fault.Conflict)
	_, err := w.EditUser(t.Context(), u.Actor(), u.ID, access.Edit{Roles: []access.Role{access.Advocate}})
	refused(t, err, fault.Conflict)
	_, _, err = w.AddUser(t.Context(), u.Actor(), access.NewUser{Email: "invited@example.org", Name: "I", Roles: []access.Role{access.Administrator}})
	ok(t, err)
	refused(t, w.Disable(t.Context(), u.Actor(), u.ID), fault.Conflict) // who was only invited cannot sign in yet
	w.user("second@example.org", access.Administrator)
	ok(t, w.Disable(t.Context(), u.Actor(), u.ID))
}

func TestEditUser(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	w.user("b@example.org", access.Advocate)
	token := w.signIn("a@example.org", good)
	email, name, force, bad := "New@example.org", "New Name", "Metropolitan Police", "b@example.org"
	got, err := w.EditUser(t.Context(), access.Operator(), u.ID, access.Edit{Email: &email, Name: &name, Force: &force, Roles: []access.Role{access.Analyst, access.Advocate}})
	ok(t, err)
	p, err := w.Profile(got)
	ok(t, err)
	if p.Email != email || p.Name != name || got.Force != force || !slices.Equal(got.Roles, []access.Role{access.Advocate, access.Analyst}) ||
		got.AdvocateKey != w.keys.AdvocateKey(email) {
		t.Errorf("%+v %+v", got, p)
	}
	who, err := w.Authenticate(t.Context(), token)
	ok(t, err)
	if !who.Can(access.FiguresRead) {
		t.Error("a new role counts at once")
	}
	w.signIn("new@example.org", good)
	_, err = w.EditUser(t.Context(), access.Operator(), u.ID, access.Edit{Email: &bad})
	refused(t, err, fault.Conflict)
	bad = "b"
	_, err = w.EditUser(t.Context(), access.Operator(), u.ID, access.Edit{Email: &bad, Roles: []access.Role{}})
	refused(t, err, fault.Invalid, "email", "roles")
	_, err = w.EditUser(t.Context(), u.Actor(), u.ID, access.Edit{Name: &name})
	refused(t, err, fault.Denied)
	_, err = w.EditUser(t.Context(), access.Operator(), "nobody", access.Edit{Name: &name})
	refused(t, err, fault.NotFound)
	refused(t, w.Disable(t.Context(), u.Actor(), u.ID), fault.Denied)
	refused(t, w.Enable(t.Context(), u.Actor(), u.ID), fault.Denied)
	refused(t, w.Disable(t.Context(), access.Operator(), "nobody"), fault.NotFound)
	refused(t, w.Enable(t.Context(), access.Operator(), "nobody"), fault.NotFound)
	_, err = w.ListUsers(t.Context(), u.Actor())
	refused(t, err, fault.Denied)
	all, err := w.ListUsers(t.Context(), access.Operator())
	if ok(t, err); len(all) != 2 {
		t.Errorf("%d users", len(all))
	}
	_, err = w.UserByEmail(t.Context(), "nobody@example.org")
	refused(t, err, fault.NotFound)
	for _, e := range w.trail.Kept() {
		if e.Action == "user.changed" && e.Detail["fields"] != "email,name,roles,force" {
			t.Errorf("recorded %v", e.Detail)
		}
	}
}

func TestReseal(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	text, err := w.keys.Rotate()
	ok(t, err)
	keys, err := seal.Parse(text)
	ok(t, err)
	if changed, err := w.Reseal(t.Context(), u.ID); err != nil || changed {
		t.Errorf("nothing to do: %v, %v", changed, err)
	}
	w.keys = keys
	w.Service = w.with(quick())
	for _, want := range []bool{true, false} {
		if changed, err := w.Reseal(t.Context(), u.ID); err != nil || changed != want {
			t.Errorf("Reseal = %v, %v; want %v", changed, err, want)
		}
	}
	u, err = w.User(t.Context(), u.ID)
	ok(t, err)
	if keys.Stale(u.Email) || keys.Stale(u.Name) {
		t.Error("still sealed by the old key")
	}
	w.signIn("a@example.org", good)
}

func TestAPIKeys(t *testing.T) {
	w := newWorld(t)
	raw, made, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{
		Label: " case feed ", Scopes: []access.Scope{access.FiguresGet, access.EventsWrite, access.EventsWrite}, Force: "Metropolitan Police",
		ExpiresAt: w.now().AddDate(1, 0, 0),
	})
	ok(t, err)
	if made.Label != "case feed" || !slices.Equal(made.Scopes, []access.Scope{access.EventsWrite, access.FiguresGet}) || !strings.HasPrefix(raw, "vv_"+made.ID+"_") {
		t.Errorf("%q %+v", raw, made)
	}
	k, err := w.AuthenticateKey(t.Context(), raw)
	ok(t, err)
	if k.ID != made.ID || !k.LastUsedAt.Equal(w.now()) || !k.Allows(access.EventsWrite) || k.Allows(access.RowsExport) ||
		!k.MayTouch("Metropolitan Police") || k.MayTouch("Surrey Police") || k.Actor().Can(access.UsersManage) {
		t.Errorf("%+v", k)
	}
	w.store.Calls()
	w.pass(time.Minute)
	_, err = w.AuthenticateKey(t.Context(), raw)
	ok(t, err)
	if calls := w.store.Calls(); !slices.Equal(calls, []string{"APIKey"}) {
		t.Errorf("calls %v", calls)
	}
	w.pass(time.Hour)
	k, err = w.AuthenticateKey(t.Context(), raw)
	ok(t, err)
	if !k.LastUsedAt.Equal(w.now()) {
		t.Errorf("used at %v", k.LastUsedAt)
	}

	other, _, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "other", Scopes: []access.Scope{access.RowsExport}})
	ok(t, err)
	for _, wrong := range []string{
		"", "vv_", raw + "x", raw[:len(raw)-1], strings.ToUpper(raw), raw[3:], "vv_" + strings.Repeat("a", 12) + "_" + strings.Repeat("a", 32),
		raw[:16] + other[16:], strings.Replace(raw, "_", "-", 1),
	} {
		_, err := w.AuthenticateKey(t.Context(), wrong)
		refused(t, err, fault.Unauthorized)
	}

	ok(t, w.RevokeAPIKey(t.Context(), access.Operator(), made.ID))
	at := w.now()
	w.pass(time.Hour)
	ok(t, w.RevokeAPIKey(t.Context(), access.Operator(), made.ID))
	_, err = w.AuthenticateKey(t.Context(), raw)
	refused(t, err, fault.Unauthorized)
	all, err := w.ListAPIKeys(t.Context(), access.Operator())
	ok(t, err)
	i := slices.IndexFunc(all, func(k access.APIKey) bool { return k.ID == made.ID })
	if len(all) != 2 || !all[i].RevokedAt.Equal(at) {
		t.Errorf("%+v", all)
	}
}

func TestAPIKeyExpires(t *testing.T) {
	w := newWorld(t)
	raw, _, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}, ExpiresAt: w.now().Add(time.Hour)})
	ok(t, err)
	w.pass(time.Hour)
	_, err = w.AuthenticateKey(t.Context(), raw)
	refused(t, err, fault.Unauthorized)
}

func TestAPIKeyRefuses(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Commissioner)
	for name, tt := range map[string]struct {
		by     access.Actor
		key    access.NewAPIKey
		kind   fault.Kind
		fields []string
	}{
		"a commissioner": {u.Actor(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}}, fault.Denied, nil},
		"empty":          {access.Operator(), access.NewAPIKey{}, fault.Invalid, []string{"label", "scopes"}},
		"unknown scope":  {access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{"all"}}, fault.Invalid, []string{"scopes"}},
		"no force":       {access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.EventsWrite}, Force: " "}, fault.Invalid, []string{"force"}},
		"expired":        {access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}, ExpiresAt: w.now()}, fault.Invalid, []string{"expires_at"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := w.NewAPIKey(t.Context(), tt.by, tt.key)
			refused(t, err, tt.kind, tt.fields...)
		})
	}
	refused(t, w.RevokeAPIKey(t.Context(), u.Actor(), "x"), fault.Denied)
	refused(t, w.RevokeAPIKey(t.Context(), access.Operator(), "x"), fault.NotFound)
	_, err := w.ListAPIKeys(t.Context(), u.Actor())
	refused(t, err, fault.Denied)
}

// What cannot be recorded is not done.
func TestNoRecordNoChange(t *testing.T) {
	w := newWorld(t)
	admin := w.user("admin@example.org", access.Administrator)
	u := w.user("a@example.org", access.Advocate)
	raw, key, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}})
	ok(t, err)
	before := w.store.Dump()
	w.trail.Insert = func(audit.Entry) error { return errors.New("disk full") }
	name := "Other"
	for what, act := range map[string]func() error{
		"add": func() error {
			_, _, err := w.AddUser(t.Context(), admin.Actor(), access.NewUser{Email: "b@example.org", Name: "B", Roles: []access.Role{access.Advocate}, Password: good})
			return err
		},
		"edit": func() error {
			_, err := w.EditUser(t.Context(), admin.Actor(), u.ID, access.Edit{Name: &name})
			return err
		},
		"disable": func() error { return w.Disable(t.Context(), admin.Actor(), u.ID) },
		"enable":  func() error { return w.Enable(t.Context(), admin.Actor(), u.ID) },
		"reset":   func() error { _, err := w.ResetPassword(t.Context(), admin.Actor(), u.ID); return err },
		"key": func() error {
			_, _, err := w.NewAPIKey(t.Context(), admin.Actor(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}})
			return err
		},
		"revoke": func() error { return w.RevokeAPIKey(t.Context(), admin.Actor(), key.ID) },
	} {
		if err := act(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if w.store.Dump() != before {
		t.Error("something was changed")
	}
	if _, _, err := w.SignIn(t.Context(), "a@example.org", good, source); !fault.Is(err, fault.Unavailable) || w.store.Count("sessions") != 0 {
		t.Errorf("signed in unrecorded: %v", err)
	}
	if _, _, err := w.SignIn(t.Context(), "a@example.org", "wrong wrong wrong", source); !fault.Is(err, fault.Unavailable) {
		t.Errorf("refused unrecorded: %v", err)
	}
	_, err = w.AuthenticateKey(t.Context(), raw)
	ok(t, err)
}

// A store that is away at any call is Unavailable, never "wrong password" nor "signed out".
func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	u := w.user("a@example.org", access.Advocate)
	token := w.signIn("a@example.org", good)
	raw, key, err := w.NewAPIKey(t.Context(), access.Operator(), access.NewAPIKey{Label: "l", Scopes: []access.Scope{access.FiguresGet}})
	ok(t, err)
	link, err := w.NewSetupLink(t.Context())
	ok(t, err)
	name := "Other"
	acts := map[string]func() error{
		"SignIn":       func() error { _, _, err := w.SignIn(t.Context(), "a@example.org", good, source); return err },
		"Authenticate": func() error { w.pass(2 * time.Minute); _, err := w.Authenticate(t.Context(), token); return err },
		"SetPassword": func() error {
			_, err := w.SetPassword(t.Context(), u.ID, good, good, source)
			return err
		},
		"AuthenticateKey": func() error { w.pass(2 * time.Hour); _, err := w.AuthenticateKey(t.Context(), raw); return err },
		"Setup": func() error {
			_, err := w.Setup(t.Context(), link, access.NewUser{Email: "b@example.org", Name: "B", Password: good})
			return err
		},
		"EditUser": func() error {
			_, err := w.EditUser(t.Context(), access.Operator(), u.ID, access.Edit{Name: &name})
			return err
		},
		"Disable":   func() error { return w.Disable(t.Context(), access.Operator(), u.ID) },
		"Enable":    func() error { return w.Enable(t.Context(), access.Operator(), u.ID) },
		"Reset":     func() error { _, err := w.ResetPassword(t.Context(), access.Operator(), u.ID); return err },
		"Revoke":    func() error { return w.RevokeAPIKey(t.Context(), access.Operator(), key.ID) },
		"ListUsers": func() error { _, err := w.ListUsers(t.Context(), access.Operator()); return err },
		"ListKeys":  func() error { _, err := w.ListAPIKeys(t.Context(), access.Operator()); return err },
		"SignOut":   func() error { return w.SignOut(t.Context(), token) },
		"Purge":     func() error { _, err := w.Purge(t.Context()); return err },
		"Reseal":    func() error { _, err := w.Reseal(t.Context(), u.ID); return err },
	}
	for name, act := range acts {
		for nth := range 3 {
			calls := 0
			w.store.Fail = func(string) error {
				if calls++; calls == nth+1 {
					return fault.New(fault.Unavailable, "away")
				}
				return nil
			}
			err := act()
			if calls > nth && !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s, call %d: %v", name, nth+1, err)
			}
			w.store.Fail = nil
		}
		w.pass(0)
		ok(t, w.Enable(t.Context(), access.Operator(), u.ID))
		link, err = w.NewSetupLink(t.Context())
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		if _, err := w.store.UpdateUser(t.Context(), u.ID, func(v *access.User) error { v.PasswordHash = u.PasswordHash; return nil }); err != nil {
			t.Fatal(err)
		}
		token = w.signIn("a@example.org", good)
	}
}

func TestPurge(t *testing.T) {
	w := newWorld(t)
	w.user("a@example.org", access.Advocate)
	w.signIn("a@example.org", good)
	_, err := w.NewSetupLink(t.Context())
	ok(t, err)
	if n, err := w.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("Purge = %d, %v", n, err)
	}
	w.pass(25 * time.Hour)
	if n, err := w.Purge(t.Context()); n != 5 || err != nil { // a session, a link, three counts
		t.Errorf("Purge = %d, %v", n, err)
	}
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		role access.Role
		may  []access.Permission
		not  []access.Permission
	}{
		{access.Advocate, []access.Permission{access.CasesOwn, access.AnswerForVictim, access.AlertsOwn}, []access.Permission{access.FiguresRead, access.WordsRead, access.UsersManage, access.ExportRows, access.AuditRead}},
		{access.Commissioner, []access.Permission{access.FiguresRead, access.ActionsManage}, []access.Permission{access.CasesOwn, access.AlertsOwn, access.UsersManage, access.APIKeysManage, access.ExportRows}},
		{access.Administrator, []access.Permission{access.UsersManage, access.APIKeysManage, access.AuditRead}, []access.Permission{access.CasesOwn, access.AlertsOwn, access.WordsRead, access.AnswerForVictim}},
		{access.Analyst, []access.Permission{access.FiguresRead, access.ExportFigures, access.CodingCorrect, access.ExportRows}, []access.Permission{access.DataPublish, access.CasesOwn, access.WordsRead, access.ActionsManage, access.UsersManage}},
		{"root", nil, []access.Permission{access.CasesOwn, access.FiguresRead, access.UsersManage}},
	} {
		u := access.User{Roles: []access.Role{tt.role}}
		for _, p := range tt.may {
			if !u.Can(p) {
				t.Errorf("%s should have %s", tt.role, p)
			}
		}
		for _, p := range tt.not {
			if u.Can(p) {
				t.Errorf("%s should not have %s", tt.role, p)
			}
		}
		u.Disabled = true
		for _, p := range tt.may {
			if u.Can(p) || u.Actor().Can(p) {
				t.Errorf("a disabled %s still has %s", tt.role, p)
			}
		}
	}
	both := access.User{Roles: []access.Role{access.Commissioner, access.Administrator}}
	if !both.Can(access.FiguresRead) || !both.Can(access.UsersManage) || both.Actor().RoleNames() != "commissioner,administrator" {
		t.Error("roles do not add up")
	}
}

// Nearly all of it is argon2id, as it should be.
func BenchmarkSignIn(b *testing.B) {
	text, err := seal.NewKeyset()
	ok(b, err)
	keys, err := seal.Parse(text)
	ok(b, err)
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }
	s := access.New(&accesstest.Store{}, keys, audit.New(&audittest.Store{}, now, keys.Subkey("audit")), now, access.DefaultConfig())
	_, _, err = s.AddUser(b.Context(), access.Operator(), access.NewUser{Email: "a@example.org", Name: "A", Roles: []access.Role{access.Advocate}, Password: good})
	ok(b, err)
	for b.Loop() {
		_, _, err := s.SignIn(b.Context(), "a@example.org", good, source)
		ok(b, err)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	text, err := seal.NewKeyset()
	ok(b, err)
	keys, err := seal.Parse(text)
	ok(b, err)
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }
	s := access.New(&accesstest.Store{}, keys, audit.New(&audittest.Store{}, now, keys.Subkey("audit")), now, quick())
	_, _, err = s.AddUser(b.Context(), access.Operator(), access.NewUser{Email: "a@example.org", Name: "A", Roles: []access.Role{access.Advocate}, Password: good})
	ok(b, err)
	token, _, err := s.SignIn(b.Context(), "a@example.org", good, source)
	ok(b, err)
	for b.Loop() {
		_, err := s.Authenticate(b.Context(), token)
		ok(b, err)
	}
}

// TestChooseDigest: who asked and may read figures is a reader, with what is on record of it.
func TestChooseDigest(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	readers := func() (ids []string) {
		t.Helper()
		users, err := w.DigestReaders(ctx)
		ok(t, err)
		for _, u := range users {
			ids = append(ids, u.ID)
		}
		return ids
	}
	boss := w.user("commissioner@example.org", access.Commissioner)
	advocate := w.user("advocate@example.org", access.Advocate)
	analyst := w.user("analyst@example.org", access.Analyst)
	if got := readers(); got != nil {
		t.Errorf("readers before anybody asked: %v", got)
	}
	refused(t, w.ChooseDigest(ctx, advocate.ID, access.DigestMonthly), fault.Denied)
	ok(t, w.ChooseDigest(ctx, advocate.ID, access.DigestOff))
	refused(t, w.ChooseDigest(ctx, boss.ID, "hourly"), fault.Invalid, "digest")
	refused(t, w.ChooseDigest(ctx, "nobody", access.DigestMonthly), fault.NotFound)
	before := len(w.actions())
	ok(t, w.ChooseDigest(ctx, boss.ID, access.DigestMonthly))
	w.pass(time.Hour)
	ok(t, w.ChooseDigest(ctx, boss.ID, access.DigestMonthly)) // nothing new: nothing on record
	ok(t, w.ChooseDigest(ctx, analyst.ID, access.DigestQuarterly))
	if got := w.actions()[before:]; !slices.Equal(got, []string{"user.digest", "user.digest"}) {
		t.Errorf("on record: %v", got)
	}
	u, address, err := w.DigestReader(ctx, boss.ID)
	ok(t, err)
	if address != "commissioner@example.org" || u.Digest != access.DigestMonthly || !u.DigestSince.Equal(w.now().Add(-time.Hour)) {
		t.Errorf("%s, %+v", address, u)
	}
	ok(t, w.DigestSent(ctx, boss.ID, "2026-02"))
	if u, _, err = w.DigestReader(ctx, boss.ID); err != nil || u.DigestSent != "2026-02" {
		t.Errorf("%+v %v", u, err)
	}
	refused(t, w.DigestSent(ctx, "nobody", "2026-02"), fault.NotFound)

	// An account that is disabled, and one that reads no figures any more, is no reader; the choice stays.
	ok(t, w.Disable(ctx, access.Operator(), boss.ID))
	_, err = w.EditUser(ctx, access.Operator(), analyst.ID, access.Edit{Roles: []access.Role{access.Advocate}})
	ok(t, err)
	for _, id := range []string{boss.ID, analyst.ID, advocate.ID} {
		_, _, err := w.DigestReader(ctx, id)
		refused(t, err, fault.NotFound)
	}
	if got := readers(); got != nil {
		t.Errorf("readers: %v", got)
	}
	ok(t, w.Enable(ctx, access.Operator(), boss.ID))
	if got := readers(); !slices.Equal(got, []string{boss.ID}) {
		t.Errorf("readers after enabling: %v", got)
	}

	// An address that refuses mail ends it, on record as nobody's choice.
	ok(t, w.StopDigest(ctx, boss.ID))
	ok(t, w.StopDigest(ctx, boss.ID))
	entries := w.trail.Kept()
	last := entries[len(entries)-1]
	if last.Action != "user.digest" || last.Actor != "service" || last.Detail["often"] != "off" || last.Reason == "" || readers() != nil {
		t.Errorf("stopped: %+v, readers %v", last, readers())
	}

	// What the record cannot take is not changed.
	w.trail.Insert = func(audit.Entry) error { return fault.New(fault.Unavailable, "away") }
	refused(t, w.ChooseDigest(ctx, boss.ID, access.DigestMonthly), fault.Unavailable)
	w.trail.Insert = nil
	if readers() != nil {
		t.Error("changed without a trace")
	}
}
