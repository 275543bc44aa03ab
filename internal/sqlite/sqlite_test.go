package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/sqlite"
	"victimvoice/internal/storetest"
	"victimvoice/survey"
)

// crashFile, when set, makes this binary the process that TestKilled kills.
const crashFile = "VICTIMVOICE_TEST_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func openAt(t testing.TB, path string, opts sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return openAt(t, newFile(t), sqlite.Options{PageRows: storetest.PageRows})
	})
}

// writeUntilKilled opens the file as production does and writes from many
// goroutines. It prints an id once the write of it was acknowledged.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range 32 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				if err := s.InsertEvent(ctx, survey.EventRecord{ID: id, Fingerprint: "of " + id}); err != nil {
					failed <- err
				}
				if _, err := s.UpdateCase(ctx, fmt.Sprintf("%d-%d", os.Getpid(), w), func(c *survey.Case) error {
					c.Force = id
					return nil
				}); err != nil {
					failed <- err
				}
				// One write call a line: a line is on its way whole or not at all.
				if _, err := os.Stdout.WriteString(id + "\n"); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// TestKilled kills a process in the midst of acknowledged writes, three times
// over, and looks for every write that was acknowledged.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := newFile(t)
	acknowledged := make(map[string]bool)
	for range 3 {
		cmd := exec.CommandContext(t.Context(), self) //nolint:gosec // G204: this very binary
		cmd.Env = append(os.Environ(), crashFile+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 400 {
				if err := cmd.Process.Kill(); err != nil { // SIGKILL
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}
	}
	if len(acknowledged) < 1200 {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}
	s := openAt(t, path, sqlite.Options{})
	latest := make(map[string]int)
	for id := range acknowledged {
		e, err := s.Event(t.Context(), id)
		if err != nil || e.Fingerprint != "of "+id {
			t.Fatalf("event %s, acknowledged, is %+v, %v", id, e, err)
		}
		cut := strings.LastIndexByte(id, '-')
		var i int
		if _, err := fmt.Sscan(id[cut+1:], &i); err != nil {
			t.Fatal(err)
		}
		latest[id[:cut]] = max(latest[id[:cut]], i)
	}
	for id, i := range latest {
		c, err := s.Case(t.Context(), id)
		if err != nil || c.Version < int64(i+1) {
			t.Errorf("case %s is at version %d, %v; %d was acknowledged", id, c.Version, err, i+1)
		}
	}
	t.Logf("%d acknowledged writes of 3 killed processes, all there", 2*len(acknowledged))
}

func TestReopen(t *testing.T) {
	path := newFile(t)
	first := openAt(t, path, sqlite.Options{})
	if _, err := first.UpdateCase(t.Context(), "c", func(c *survey.Case) error { c.Force = "kept"; return nil }); err != nil {
		t.Fatal(err)
	}
	second := openAt(t, path, sqlite.Options{}) // another process on the file, while the first has it
	if c, err := second.Case(t.Context(), "c"); err != nil || c.Force != "kept" {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := second.UpdateCase(t.Context(), "c", func(c *survey.Case) error { c.Force = "again"; return nil }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's permissions are %v, %v", info.Mode().Perm(), err)
	}
}

func TestOpenTogether(t *testing.T) {
	path := newFile(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{Volatile: true})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Ping(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenTemp(t *testing.T) {
	s, err := sqlite.OpenTemp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.InsertLink(t.Context(), survey.Link{ID: "l"}), s.Close()); err != nil {
		t.Error(err)
	}
}

// A file that an older program wrote is brought up step by step, with all that is in it.
func TestOlderSchemaIsBroughtUp(t *testing.T) {
	path := newFile(t)
	s := openAt(t, path, sqlite.Options{})
	if _, err := s.UpdateCase(t.Context(), "c", func(c *survey.Case) error { c.Force = "kept"; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateCoding(t.Context(), "r/i", func(c *analysis.Coding) error { c.Response = "r"; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, back := range []string{
		"DROP INDEX codings_queued", "DROP INDEX codings_latest", "DROP INDEX codings_held",
		"ALTER TABLE codings DROP COLUMN queue", "ALTER TABLE codings DROP COLUMN place", "ALTER TABLE codings DROP COLUMN holder",
		"DROP TABLE abouts", "DROP TABLE draft_codes", "DROP TABLE coder_logs", "DROP TABLE coder_models", "DROP TABLE advice_revisions", "DROP TABLE marks", "DROP TABLE open_tables", "DROP TABLE quotations", "PRAGMA user_version = 1",
	} {
		if err := s.Exec(t.Context(), back); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path, sqlite.Options{})
	if c, err := s.Case(t.Context(), "c"); err != nil || c.Force != "kept" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := s.UpdateCoding(t.Context(), "r/i", func(c *analysis.Coding) error { c.Queue = "open"; return nil }); err != nil {
		t.Error(err)
	}
	if cs, err := s.CodingsQueued(t.Context(), "open", 9); err != nil || len(cs) != 1 || cs[0].Response != "r" {
		t.Errorf("%+v, %v", cs, err)
	}
	if _, err := s.UpdateAbout(t.Context(), "a", func(a *survey.About) error { a.State = survey.AboutAnswered; return nil }); err != nil {
		t.Error(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNewerSchemaRefused(t *testing.T) {
	path := newFile(t)
	s := openAt(t, path, sqlite.Options{})
	if err := s.Exec(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.MessageOf(err), "99") {
		t.Errorf("Ping of a newer schema: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path) //nolint:gosec // G304: the test's own file
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("Open of a newer schema: %v", err)
	}
	after, err := os.ReadFile(path) //nolint:gosec // G304: the test's own file
	if err != nil || string(before) != string(after) {
		t.Errorf("a refused file was changed (%v)", err)
	}
}

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("These are notes and no database.\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		kind       fault.Kind
	}{
		{"a folder that is not there", filepath.Join(dir, "no", "store.db"), fault.Unavailable},
		{"a folder", dir, fault.Unavailable},
		{"another file", text, fault.Internal},
	} {
		if s, err := sqlite.Open(t.Context(), c.path, sqlite.Options{}); err == nil {
			t.Errorf("%s was opened", c.name)
			_ = s.Close()
		} else if fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
		}
	}
	if b, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(b), "These are notes") { //nolint:gosec // G304: the test's own file
		t.Errorf("the other file was changed (%v)", err)
	}
	odd := filepath.Join(dir, "a b?c#d%41é.db")
	openAt(t, odd, sqlite.Options{})
	if _, err := os.Stat(odd); err != nil {
		t.Error(err)
	}
}

// TestMoved: what is written to a file that is no longer under its path is not acknowledged.
func TestMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write := func(id string) error {
		return s.InsertEvent(t.Context(), survey.EventRecord{ID: id, ReceivedAt: time.Unix(1, 0).UTC()})
	}
	if err := errors.Join(write("before"), s.Ping(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := write("away"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("written to a file that is away: %v", err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Ping of a file that is away: %v", err)
	}
	if err := os.Rename(path+".elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write("away"), s.Ping(t.Context())); err != nil {
		t.Errorf("back in its place: %v", err)
	}
}

// TestLocked has another process keep the file to itself: writes are refused
// soon, reads go on, and when it lets go so do writes.
func TestLocked(t *testing.T) {
	path := newFile(t)
	s := openAt(t, path, sqlite.Options{LockWait: 20 * time.Millisecond})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertLink(t.Context(), survey.Link{ID: "l"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write while locked out: %v", err)
	}
	if _, err := s.Link(t.Context(), "l"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a read while locked out: %v", err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertLink(t.Context(), survey.Link{ID: "l"}); err != nil {
		t.Error(err)
	}
}

// TestFull fills the disk: what did not fit was refused to every caller, what
// was acknowledged is there, and with room again writes go on.
func TestFull(t *testing.T) {
	s := openAt(t, newFile(t), sqlite.Options{})
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 100"); err != nil {
		t.Fatal(err)
	}
	put := func(id string) error {
		return s.InsertEvent(t.Context(), survey.EventRecord{ID: id, Sealed: make([]byte, 20_000)})
	}
	var mu sync.Mutex
	acknowledged, refused := []string{}, 0
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("%d-%d", w, i)
				err := put(id)
				mu.Lock()
				switch {
				case err == nil:
					acknowledged = append(acknowledged, id)
				case fault.Is(err, fault.Unavailable):
					refused++
				default:
					t.Errorf("%s: %v", id, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if refused == 0 || refused == 320 {
		t.Fatalf("%d of 320 refused", refused)
	}
	for _, id := range acknowledged {
		if _, err := s.Event(t.Context(), id); err != nil {
			t.Errorf("%s was acknowledged: %v", id, err)
		}
	}
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := put("with room"); err != nil {
		t.Error(err)
	}
}

// TestNeighbours lets one batch hold a write that breaks a constraint and one
// whose caller has gone: both fail alone.
func TestNeighbours(t *testing.T) {
	s := openAt(t, newFile(t), sqlite.Options{})
	setEmail := func(ctx context.Context, id, key string) error {
		_, err := s.UpdateUser(ctx, id, func(u *access.User) error { u.EmailKey = key; return nil })
		return err
	}
	if err := setEmail(t.Context(), "first", "taken"); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	s.Hold(release)
	gone, leave := context.WithCancel(t.Context())
	leave()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := s.InsertLink(t.Context(), survey.Link{ID: fmt.Sprint(i)}); err != nil {
				t.Errorf("a neighbour: %v", err)
			}
		})
	}
	wg.Go(func() {
		if err := setEmail(t.Context(), "second", "taken"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a broken constraint: %v", err)
		}
	})
	wg.Go(func() {
		if err := s.InsertLink(gone, survey.Link{ID: "gone"}); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who has gone: %v", err)
		}
	})
	close(release)
	wg.Wait()
	for i := range 20 {
		if _, err := s.Link(t.Context(), fmt.Sprint(i)); err != nil {
			t.Error(err)
		}
	}
}

// TestWaiterLeaves has a caller give up while the writer is busy.
func TestWaiterLeaves(t *testing.T) {
	s := openAt(t, newFile(t), sqlite.Options{})
	release := make(chan struct{})
	s.Hold(release)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- s.InsertLink(ctx, survey.Link{ID: "l"}) }()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(release)
	if err := s.InsertLink(t.Context(), survey.Link{ID: "next"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Link(t.Context(), "l"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the write whose caller had gone: %v", err)
	}
}

// TestStreamHoldsNothing shows that an open stream keeps the log from nothing.
func TestStreamHoldsNothing(t *testing.T) {
	s := openAt(t, newFile(t), sqlite.Options{PageRows: 5})
	for i := range 12 {
		if _, err := s.UpdateCase(t.Context(), fmt.Sprint(i), func(*survey.Case) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range s.CasesChanged(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if busy, err := s.Checkpoint(t.Context()); err != nil || busy {
			t.Fatalf("a stream is in the checkpoint's way: %v, %v", busy, err)
		}
	}
}

// TestPlans asks SQLite how it makes each read: by an index, in the index's own order.
func TestPlans(t *testing.T) {
	s := openAt(t, newFile(t), sqlite.Options{Volatile: true})
	for _, call := range storetest.Calls(s) {
		_ = call(t.Context()) // only to have every statement prepared
	}
	plans, err := s.Plans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plans[sqlite.Claimable], err = s.Explain(t.Context(), sqlite.Claimable); err != nil {
		t.Fatal(err)
	}
	small := []string{"FROM actions", "FROM draft_codes", "FROM marks", "FROM open_tables", "FROM publications", "FROM leases", "FROM users", "FROM api_keys", "FROM subscribers"}
	for query, plan := range plans {
		if strings.Contains(query, "WHERE") && !strings.Contains(plan, "USING") {
			t.Errorf("%s\n\tdoes not use an index: %s", query, plan)
		}
		isSmall := false
		for _, from := range small {
			isSmall = isSmall || strings.Contains(query, from)
		}
		if strings.Contains(plan, "TEMP B-TREE") && !isSmall && query != sqlite.Claimable {
			t.Errorf("%s\n\tsorts: %s", query, plan)
		}
	}
	if len(plans) < 30 {
		t.Errorf("only %d reads were looked at", len(plans))
	}
}
