package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/app"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// result is what one run of the program gave.
type result struct {
	code     int
	out, err string
}

// desk is a folder with settings, in which commands are run.
type desk struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	keys, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &desk{t: t, dir: dir, env: map[string]string{
		"VICTIMVOICE_STORE": "sqlite:" + filepath.Join(dir, "x.db"), "VICTIMVOICE_KEYS": keys,
		"VICTIMVOICE_SMTP": "file:" + filepath.Join(dir, "mails"), "VICTIMVOICE_MAIL_FROM": "Feedback <feedback@example.org>",
	}}
}

func (d *desk) runWith(in string, args ...string) result {
	d.t.Helper()
	var out, errs bytes.Buffer
	code := app.Run(context.WithoutCancel(d.t.Context()), &app.Call{
		Args: args, Env: func(k string) string { return d.env[k] }, In: strings.NewReader(in), Out: &out, Err: &errs, Version: "test",
	})
	return result{code, out.String(), errs.String()}
}

func (d *desk) run(args ...string) result { d.t.Helper(); return d.runWith("", args...) }

func (d *desk) must(args ...string) string {
	d.t.Helper()
	r := d.run(args...)
	if r.code != 0 {
		d.t.Fatalf("%v: exit code %d: %s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// TestBadUse holds that bad use is one line that says what would be right, exit
// code 2, and nothing done.
func TestBadUse(t *testing.T) {
	d := newDesk(t)
	folder := filepath.Join(d.dir, "folder.csv")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, says string }{
		{"", "victimvoice help"},
		{"nonsense", "victimvoice help"},
		{"version x", "no argument"},
		{"redact x", "no argument"},
		{"keys", "new|rotate"},
		{"keys old", "keys new or keys rotate"},
		{"import", "FILE"},
		{"import nothing.csv", "cannot be read"},
		{"import nothing.txt", ".csv or .jsonl"},
		{"import " + folder, "not a file"},
		{"import --dryrun x.csv", "--help"},
		{"export", "cases|responses|figures|measures|audit"},
		{"export everything", "cases, responses, figures, measures or audit"},
		{"export cases --format pdf", "csv, jsonl or xlsx"},
		{"export cases --from monday", "2026-03-01"},
		{"export cases --from 2026-03-02 --to 2026-03-02", "after --from"},
		{"export figures --force X", "--query"},
		{"export measures --force X", "gives them all"},
		{"export figures --query by=week", "week"},
		{"export figures --from 2026-03-02", "--query"},
		{"export audit --force X", "--from, --to"},
		{"export cases --query measure=x", "--force, --from, --to"},
		{"export figures --query %zz", "measure=core.informed"},
		{"export figures --query measure=nonsense", "measure"},
		{"themes", "code, evaluate, train, tune"},
		{"themes tune x", "no argument"},
		{"themes tune --activate one", "--help"},
		{"themes tune --activate -1", "number of a version"},
		{"themes tune --list --activate 1", "one of --dry-run, --list and --activate"},
		{"themes tune --list --dry-run", "one of --dry-run, --list and --activate"},
		{"themes retrain x", "no argument"},
		{"themes retrain --activate -1", "number of a version"},
		{"themes retrain --drop 0", "from 1 on"},
		{"themes retrain --list --drop 1", "one of --dry-run, --list, --activate and --drop"},
		{"themes nonsense", "code, evaluate, train"},
		{"themes train", "FILE"},
		{"themes train nothing.jsonl", "--model"},
		{"themes train nothing.jsonl --model m", "cannot be read"},
		{"themes code --model nothing.bin", "cannot be read"},
		{"themes code --model m --explain", "--explain"},
		{"themes code x", "no argument"},
		{"themes evaluate", "FILE"},
		{"themes evaluate nothing.jsonl", "cannot be read"},
		{"user", "add, list, disable, reset"},
		{"user nonsense", "add, list, disable, reset"},
		{"user add", "--email: "},
		{"user add --email a@example.org --name A --role king", "--role: "},
		{"user disable", "--email"},
		{"user reset", "--email"},
		{"apikey", "add, list, revoke"},
		{"apikey add", "--label: "},
		{"apikey add --label x --scope events:write", "--force: "},
		{"apikey revoke", "--id"},
		{"check x", "no argument"},
		{"serve --roles cook", "web, worker"},
		{"demo --cases -1", "--cases"},
	} {
		r := d.run(strings.Fields(c.args)...)
		if r.code != 2 || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, c.says) {
			t.Errorf("%q: exit code %d, output %q, error %q; want 2, none, one line with %q", c.args, r.code, r.out, r.err, c.says)
		}
	}
	if r := d.run("export", "cases"); r.code != 0 || strings.Count(r.out, "\n") != 1 {
		t.Errorf("bad use has written something: %+v", r)
	}
}

// TestThemesOfAnotherLabelSet trains on a small file, then measures and codes by
// the model.
func TestThemesOfAnotherLabelSet(t *testing.T) {
	d := newDesk(t)
	var lines strings.Builder
	for i := range 20 {
		fmt.Fprintf(&lines, `{"id":"%d","text":"parking was full on day %d","labels":["Parking"]}`+"\n", i, i)
		fmt.Fprintf(&lines, `{"id":"%d","text":"thank you all, day %d","labels":["Gratitude"]}`+"\n", 100+i, i)
	}
	file, model := filepath.Join(d.dir, "taught.jsonl"), filepath.Join(d.dir, "taught.model")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := d.run("themes", "train", file, "--model", model, "--dev", file); r.code != 0 || !strings.Contains(r.out, "2 labels from 40 texts") || !strings.Contains(r.out, "macro F1: 1.000") {
		t.Fatalf("train: %+v", r)
	}
	if r := d.run("themes", "evaluate", file, "--model", model, "--json"); r.code != 0 || !strings.Contains(r.out, `"macro": 1`) && !strings.Contains(r.out, `"macro":1`) {
		t.Errorf("evaluate: %+v", r)
	}
	if r := d.run("themes", "evaluate", file, "--model", file); r.code == 0 || !strings.Contains(r.err, "themes train") {
		t.Errorf("a file that is no model: %+v", r)
	}
}

// TestFailure holds that a failure is one line and exit code 1.
func TestFailure(t *testing.T) {
	d := newDesk(t)
	d.must("user", "add", "--email", "a@example.org", "--name", "A", "--role", "advocate")
	for _, c := range []struct{ args, says string }{
		{"user add --email a@example.org --name A --role advocate", "already"},
		{"user disable --email b@example.org", "no such account"},
		{"apikey revoke --id nothing", "no such API key"},
	} {
		if r := d.run(strings.Fields(c.args)...); r.code != 1 || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, c.says) {
			t.Errorf("%q: %+v; want exit code 1 and one line with %q", c.args, r, c.says)
		}
	}
	for name, store := range map[string]string{
		"a folder that is not there":     "sqlite:" + filepath.Join(d.dir, "none", "x.db"),
		"a MongoDB that does not answer": "mongodb://u:geheim@127.0.0.1:1/vv",
	} {
		d.env["VICTIMVOICE_STORE"] = store
		if r := d.run("user", "list"); r.code != 1 || strings.Count(r.err, "\n") != 1 || strings.Contains(r.err, "geheim") {
			t.Errorf("%s: %+v; want exit code 1 and one line without the password", name, r)
		}
	}
}

func TestEveryCommandTakesHelp(t *testing.T) {
	d := newDesk(t)
	all := d.must("help")
	names := regexp.MustCompile(`(?m)^  victimvoice ([a-z]+)`).FindAllStringSubmatch(all, -1)
	if len(names) < 11 {
		t.Fatalf("help lists %d commands:\n%s", len(names), all)
	}
	for _, n := range names {
		if r := d.run(n[1], "--help"); r.code != 0 || r.err != "" || !strings.Contains(r.out, "victimvoice "+n[1]) {
			t.Errorf("%s --help: %+v", n[1], r)
		}
	}
}

// TestCheckSaysEveryFault holds that no fault hides another, and that a check
// leaves nothing behind.
func TestCheckSaysEveryFault(t *testing.T) {
	d := newDesk(t)
	good := d.run("check")
	if good.code != 0 || strings.Contains(good.out, "fault") {
		t.Errorf("good settings: %+v", good)
	}
	if left, _ := filepath.Glob(filepath.Join(d.dir, "*.db*")); len(left) > 0 {
		t.Errorf("a check made %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(d.dir, ".victimvoice*")); len(left) > 0 {
		t.Errorf("a check left %v", left)
	}

	d.env["VICTIMVOICE_ADDR"] = "nowhere"
	d.env["VICTIMVOICE_BASE_URL"] = "https://stalking.example.org"
	d.env["VICTIMVOICE_STORE"] = "sqlite:" + filepath.Join(d.dir, "none", "x.db")
	d.env["VICTIMVOICE_SMTP"] = "smtp://127.0.0.1:1"
	d.env["VICTIMVOICE_MAIL_FROM"] = "Police <feedback@example.org>"
	d.env["VICTIMVOICE_MAIL_REPLY_TO"] = "Feedback <stalking@example.org>"
	r := d.run("check")
	if r.code != 1 {
		t.Errorf("exit code %d; want 1", r.code)
	}
	for _, want := range []string{"settings: VICTIMVOICE_ADDR", "store: .*none", "mail: .*refused", "sender of mails: .*police", "address for replies to mails: .*stalk", "survey address in mails: .*stalk", "public page's address in mails: .*stalk"} {
		if !regexp.MustCompile(`(?m)^fault ` + want).MatchString(r.out) {
			t.Errorf("no fault says %s:\n%s", want, r.out)
		}
	}
	d.env["VICTIMVOICE_MAIL_FROM"] = "nobody"
	if r := d.run("check"); !strings.Contains(r.out, "fault mail: ") || !strings.Contains(r.out, "fault settings: VICTIMVOICE_MAIL_FROM") {
		t.Errorf("a sender that is none hides the mail server:\n%s", r.out)
	}
}

// TestCheckClaimsNoStore holds that a check with other keys does not make an
// empty store theirs, and refuses them once it is somebody's.
func TestCheckClaimsNoStore(t *testing.T) {
	d := newDesk(t)
	mine := d.env["VICTIMVOICE_KEYS"]
	other, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	store, err := app.OpenStore(t.Context(), d.env["VICTIMVOICE_STORE"])
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	d.env["VICTIMVOICE_KEYS"] = other
	d.must("check")
	d.env["VICTIMVOICE_KEYS"] = mine
	d.must("user", "list")
	d.env["VICTIMVOICE_KEYS"] = other
	if r := d.run("check"); r.code != 1 || !strings.Contains(r.out, "fault store: the keyset is not the one") {
		t.Errorf("another keyset: %+v", r)
	}
}

const oneEvent = `{"event_id":"1","case_ref":"1/26","type":"reported","occurred_at":"2026-03-02T09:30:00Z","force":"Metropolitan Police","borough":"Ealing","adult":true}` + "\n"

// TestForceIsFoundAsItIsWritten holds that a force's name is known in any case.
func TestForceIsFoundAsItIsWritten(t *testing.T) {
	d := newDesk(t)
	if r := d.runWith(oneEvent, "import", "-"); r.code != 0 {
		t.Fatalf("import: %+v", r)
	}
	for force, rows := range map[string]int{"Metropolitan Police": 1, "metropolitan police": 1, "Kent Police": 0} {
		if got := strings.Count(d.must("export", "cases", "--force", force), "\n") - 1; got != rows {
			t.Errorf("--force %q gives %d cases; want %d", force, got, rows)
		}
	}
	d.must("user", "add", "--email", "c@example.org", "--name", "C", "--role", "commissioner", "--force", "metropolitan police")
	if got := strings.Count(d.must("export", "audit", "--from", "2000-01-01", "--to", "2000-01-02"), "\n"); got != 1 {
		t.Errorf("audit of a day without entries has %d lines; want the header alone", got)
	}
}

// TestExportLeavesOutWhatPeopleTold holds that no row of an export, and no column
// of its dictionary, has what a person told about themselves.
func TestExportLeavesOutWhatPeopleTold(t *testing.T) {
	d := newDesk(t)
	store, err := app.OpenStore(t.Context(), d.env["VICTIMVOICE_STORE"])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(d.env["VICTIMVOICE_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	clock := &clock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	rooms, err := app.Furnish(store, keys, clock.Now, slog.New(slog.DiscardHandler), quickPasswords())
	if err != nil {
		t.Fatal(err)
	}
	yes, at := true, clock.Now().Add(-time.Hour)
	if _, err := rooms.Survey.Receive(t.Context(), survey.Event{
		EventID: "1", CaseRef: "1/26", Type: survey.Reported, OccurredAt: at, Force: "Metropolitan Police", Borough: "Ealing", Adult: &yes,
		Contact: &survey.Contact{Email: "person1@example.org", EmailSafe: &yes, SafeConfirmedAt: &at, SafeFrom: "00:00", SafeTo: "23:59"},
	}); err != nil {
		t.Fatal(err)
	}
	clock.pass(25 * time.Hour)
	var mail survey.Mail
	if _, err := rooms.Survey.Due(t.Context(), 1, func(_ context.Context, e survey.Errand) error {
		mail, err = rooms.Survey.Claim(t.Context(), e)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	j := &journey{t: t, sys: &app.System{Rooms: rooms}}
	j.others([]string{"/f/" + mail.Token})
	if all := abouts(t, store); len(all) != 1 || all[0].State != survey.AboutAnswered {
		t.Fatalf("%+v", all)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"responses", "cases"} {
		for _, args := range [][]string{{"export", what}, {"export", what, "--dictionary"}, {"export", what, "--format", "jsonl"}} {
			out := d.must(args...)
			for _, told := range []string{"about.", "about_", "asian", "thnic", "eligion"} {
				if strings.Contains(out, told) {
					t.Errorf("%v tells what a person told about themselves: %q", args, told)
				}
			}
		}
	}
	if out := d.must("export", "responses"); !strings.Contains(out, "core.confidence") || strings.Count(out, "\n") != 2 {
		t.Errorf("the response itself is not there:\n%s", out)
	}
}

// TestImportThenTheSameAgain holds the report's numbers and that a repeat is no fault.
func TestImportThenTheSameAgain(t *testing.T) {
	d := newDesk(t)
	bad := strings.Replace(strings.Replace(oneEvent, `"1"`, `"2"`, 1), "Ealing", "Elaing", 1)
	for i, c := range []struct {
		in   string
		args string
		code int
		want string
	}{
		{oneEvent + bad, "", 1, `"valid": 1, "accepted": 0, "duplicate": 0`},
		{oneEvent + oneEvent, "--dry-run", 0, `"valid": 1, "accepted": 0, "duplicate": 1`},
		{oneEvent + bad, "--partial", 1, `"valid": 1, "accepted": 1, "duplicate": 0`},
		{oneEvent, "", 0, `"valid": 0, "accepted": 0, "duplicate": 1`},
	} {
		r := d.runWith(c.in, strings.Fields("import - --json "+c.args)...)
		if flat := strings.Join(strings.Fields(r.out), " "); r.code != c.code || !strings.Contains(flat, c.want) {
			t.Errorf("import %d: exit code %d, %s; want %d, %s", i+1, r.code, flat, c.code, c.want)
		}
	}
}

// section is what stands in README.md between two marks.
func section(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "<!-- "+name+" -->\n")
	text, _, ended := strings.Cut(rest, "<!-- /"+name+" -->")
	if !found || !ended {
		t.Fatalf("README.md has no part <!-- %s --> … <!-- /%s -->", name, name)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[min(2, len(lines)):] // without the table's head
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("README.md's table of %s is not what the program says; it has to be:\n%s\n\nand is:\n%s", what, w, g)
	}
}

// The guide holds the automatic answer to replies as the program prints it, which
// needs no settings.
func TestTheGuideHoldsTheAnswerToReplies(t *testing.T) {
	d := newDesk(t)
	clear(d.env)
	text := d.must("check", "--reply-text")
	b, err := os.ReadFile("../../docs/guides/administrator.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "```text\n" + strings.TrimSpace(text) + "\n```\n"; !strings.Contains(string(b), want) {
		t.Errorf("docs/guides/administrator.md does not hold\n%s", want)
	}
}

func TestReadmeListsTheSettings(t *testing.T) {
	out := newDesk(t).must("serve", "--help")
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  (VICTIMVOICE_\w+)( \(or \w+\))?\n      (.*?)(?:; default (.*))?$`).FindAllStringSubmatch(out, -1) {
		name := "`" + m[1] + "`"
		if m[2] != "" {
			name += " ★"
		}
		row := fmt.Sprintf("| %s | %s | ", name, m[3])
		if m[4] != "" {
			row += "`" + m[4] + "` "
		}
		want = append(want, row+"|")
	}
	if len(want) < 11 {
		t.Fatalf("serve --help lists %d settings:\n%s", len(want), out)
	}
	compare(t, "settings", section(t, "settings"), want)
}

func TestReadmeListsTheCommands(t *testing.T) {
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  (victimvoice .*)\n      (.*)$`).FindAllStringSubmatch(newDesk(t).must("help"), -1) {
		want = append(want, fmt.Sprintf("| `%s` | %s |", strings.ReplaceAll(strings.TrimSpace(m[1]), "|", `\|`), m[2]))
	}
	compare(t, "commands", section(t, "commands"), want)
}

// TestExportDescribed: the manifest has the rows and checksum of what was written, and
// the description is one of its columns.
func TestExportDescribed(t *testing.T) {
	d := newDesk(t)
	if r := d.runWith(oneEvent, "import", "-"); r.code != 0 {
		t.Fatal(r)
	}
	file := filepath.Join(t.TempDir(), "manifest.json")
	out := d.must("export", "cases", "--manifest", file)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(out))
	if m := string(raw); !strings.Contains(m, `"rows": 1`) || !strings.Contains(m, hex.EncodeToString(sum[:])) {
		t.Errorf("%s", m)
	}
	if ddi := d.must("export", "responses", "--ddi"); !strings.Contains(ddi, `xmlns="ddi:codebook:2_5"`) || !strings.Contains(ddi, `name="core.confidence"`) {
		t.Errorf("%.400s", ddi)
	}
}
