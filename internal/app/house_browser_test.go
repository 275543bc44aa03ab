//go:build browser

package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"victimvoice/internal/app"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// buildDir is where these tests keep the binaries that they share.
func buildDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("victimvoice-browser-%d", os.Getpid()))
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(buildDir()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// theBinary builds the product once for all tests.
var theBinary = sync.OnceValues(func() (string, error) { return compile("victimvoice") })

// compile builds the product, with more flags of go build where they are given.
func compile(name string, flags ...string) (string, error) {
	bin := filepath.Join(buildDir(), name)
	build := exec.Command("go", slices.Concat([]string{"build", "-o", bin}, flags, []string{"../.."})...) //nolint:gosec // G204: our own binary
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
}

func binary(t *testing.T) string {
	t.Helper()
	bin, err := theBinary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// house is an installation of the real binary: a folder with a store, a folder of
// mails, and a process that can be stopped, killed and started again.
type house struct {
	t    *testing.T
	dir  string
	addr string // where the process listens
	base string // what its links lead to
	keys *seal.Keys
	env  []string
	log  *os.File
	*process
}

// process is what changes of a house.
type process struct {
	bin   string
	serve *exec.Cmd // nil while it is closed
}

// in is the same house for a subtest, which fails where it is wrong.
func (h *house) in(t *testing.T) *house {
	there := *h
	there.t = t
	return &there
}

// newHouse makes an installation and asks the guests in. Open starts it.
func newHouse(t *testing.T, guests ...invited) *house {
	t.Helper()
	return newHouseAt(t, "", guests...)
}

// newHouseAt is newHouse where links lead to another address: what stands before it.
func newHouseAt(t *testing.T, base string, guests ...invited) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), addr: freeAddr(t), base: base, process: &process{bin: binary(t)}}
	if h.base == "" {
		h.base = "http://" + h.addr
	}
	raw, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	if h.keys, err = seal.Parse(raw); err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "VICTIMVOICE_") {
			h.env = append(h.env, v)
		}
	}
	h.env = append(h.env, "VICTIMVOICE_ADDR="+h.addr, "VICTIMVOICE_BASE_URL="+h.base, "VICTIMVOICE_STORE=sqlite:x.db", "VICTIMVOICE_KEYS="+raw,
		"VICTIMVOICE_SMTP=file:mails", "VICTIMVOICE_MAIL_FROM=Feedback <feedback@example.org>")
	if h.log, err = os.Create(filepath.Join(h.dir, "serve.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.close()
		b, _ := os.ReadFile(h.log.Name())
		var notable strings.Builder // beside the requests that went well
		for line := range strings.Lines(string(b)) {
			if !regexp.MustCompile(`msg=request .* status=[23]`).MatchString(line) {
				notable.WriteString(line)
			}
			if strings.Contains(line, "level=") && !strings.Contains(line, "msg=listening") && regexp.MustCompile(`@|127\.0\.0\.1|/f/[a-z2-7]{32}`).MatchString(line) {
				t.Errorf("the log tells too much: %s", line)
			}
		}
		if t.Failed() {
			t.Logf("the log of serve:\n%s", notable.String())
		}
	})
	h.invite(guests...)
	return h
}

// freeAddr is an address to listen on again and again: below the ports that
// connections going out are given, so that none takes it while nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000)) //nolint:gosec // G404: a port
		if l, err := net.Listen("tcp", addr); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// open starts the process and waits until it serves.
func (h *house) open() {
	h.t.Helper()
	h.serve = exec.Command(h.bin, "serve") //nolint:gosec // G204: our own binary
	h.serve.Dir, h.serve.Env, h.serve.Stdout, h.serve.Stderr = h.dir, h.env, h.log, h.log
	if err := h.serve.Start(); err != nil {
		h.t.Fatal(err)
	}
	await(h.t, 30*time.Second, "serve is ready", func() bool {
		resp, err := http.Get("http://" + h.addr + "/readyz") //nolint:gosec,noctx // G107: our own server
		if err != nil {
			return false
		}
		return errors.Join(resp.Body.Close()) == nil && resp.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would.
func (h *house) kill() {
	h.t.Helper()
	if err := h.serve.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Fatal(err)
	}
	_ = h.serve.Wait() // it was killed, and says so
	h.serve = nil
}

// close ends the process in order, where it runs.
func (h *house) close() {
	h.t.Helper()
	if h.serve == nil {
		return
	}
	_ = h.serve.Process.Signal(syscall.SIGTERM)
	if err := h.serve.Wait(); err != nil {
		h.t.Errorf("serve did not end cleanly: %v", err)
	}
	h.serve = nil
}

// reopen kills the process and starts it again on what it left behind.
func (h *house) reopen() {
	h.t.Helper()
	h.kill()
	h.open()
}

// run runs another command of the binary on the same store.
func (h *house) run(args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.bin, args...) //nolint:gosec // G204: our own binary
	cmd.Dir, cmd.Env = h.dir, h.env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}

// invited is somebody whom the product is to write to: Name stands before
// @example.org and in the case's reference.
type invited struct {
	name     string
	language string       // en where it is empty
	stage    survey.Stage // report where it is empty
}

// advocateOfGuests is the advocate of every guest.
const advocateOfGuests = "advocate1@example.org"

// invite imports the events that make the guests' surveys due now.
func (h *house) invite(guests ...invited) {
	h.t.Helper()
	if len(guests) == 0 {
		return
	}
	now := time.Now().UTC()
	var file bytes.Buffer
	for _, g := range guests {
		happened := func(kind survey.EventType, hours int, more map[string]any) {
			e := map[string]any{
				"event_id": g.name + "-" + string(kind), "case_ref": "case-" + g.name, "type": kind, "occurred_at": now.Add(-time.Duration(hours) * time.Hour).Format(time.RFC3339),
				"force": "Metropolitan Police", "adult": true, "advocate": advocateOfGuests,
			}
			maps.Copy(e, more)
			b, err := json.Marshal(e)
			if err != nil {
				h.t.Fatal(err)
			}
			file.Write(append(b, '\n'))
		}
		language := g.language
		if language == "" {
			language = "en"
		}
		at := now.Add(-time.Hour).Format(time.RFC3339)
		reported := map[string]any{
			"borough": "Ealing", "offence": "stalking-2a",
			"contact": map[string]any{"email": g.name + "@example.org", "language": language, "email_safe": true, "safe_confirmed_at": at, "safe_from": "00:00", "safe_to": "23:59"},
		}
		switch g.stage {
		case survey.StageInvestigation:
			happened(survey.Reported, 30*24, reported)
		case survey.StageClosure:
			happened(survey.Reported, 40*24, reported)
			happened(survey.Closed, 9*24, map[string]any{"outcome": "nfa-evidential"})
			happened(survey.ClosureNotified, 8*24+1, nil)
		case survey.StageWithdrawn:
			happened(survey.Reported, 40*24, reported)
			happened(survey.Withdrew, 4*24, nil)
		default:
			happened(survey.Reported, 25, reported)
		}
	}
	path := filepath.Join(h.t.TempDir(), "events.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.run("import", path)
}

// letter is a mail in the sink: whom it went to and the links in it, each once.
type letter struct {
	to    string
	links []string
}

// letters reads the mails that have been sent so far.
func (h *house) letters() []letter {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.dir, "mails", "*.eml"))
	if err != nil {
		h.t.Fatal(err)
	}
	var out []letter
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // G304: the test's own folder
		if err != nil {
			h.t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			h.t.Fatal(err)
		}
		raw, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			h.t.Fatal(err)
		}
		to, err := mail.ParseAddress(m.Header.Get("To"))
		if err != nil {
			h.t.Fatal(err)
		}
		l := letter{to: to.Address}
		for _, link := range regexp.MustCompile(`https?://[^\s"<>]+`).FindAllString(string(raw), -1) {
			if !slices.Contains(l.links, link) {
				l.links = append(l.links, link)
			}
		}
		out = append(out, l)
	}
	return out
}

// link waits for a guest's mail and gives the link that opens their survey.
func (h *house) link(name string) string {
	h.t.Helper()
	link := ""
	await(h.t, 90*time.Second, "a mail has come to "+name, func() bool {
		for _, l := range h.letters() {
			for _, to := range l.links {
				if l.to == name+"@example.org" && regexp.MustCompile(`^`+regexp.QuoteMeta(h.base)+`/f/[a-z2-7]{32}$`).MatchString(to) {
					link = to
				}
			}
		}
		return link != ""
	})
	return link
}

// look opens the store beside the process, as another process of the product would.
func (h *house) look(see func(context.Context, *app.Rooms)) {
	h.t.Helper()
	ctx := h.t.Context()
	store, err := app.OpenStore(ctx, "sqlite:"+filepath.Join(h.dir, "x.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	rooms, err := app.Furnish(store, h.keys, time.Now, slog.New(slog.DiscardHandler), quickPasswords())
	if err != nil {
		h.t.Fatal(err)
	}
	see(ctx, rooms)
	if err := store.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// caseOf is a guest's case as it is stored.
func (h *house) caseOf(name string) (c survey.Case) {
	h.t.Helper()
	h.look(func(ctx context.Context, r *app.Rooms) {
		var err error
		if c, err = r.Store.Case(ctx, r.Survey.CaseID("Metropolitan Police", "case-"+name)); err != nil {
			h.t.Fatal(err)
		}
	})
	return c
}

// kept is what the store holds of a guest: their responses, and of one that was
// sent what was chosen and written, by item.
type kept struct {
	responses []survey.Response
	chosen    map[string]string // several choices are joined by a blank, in order of their codes
	words     map[string]string
	alerts    int
}

func (h *house) responses(name string) (out []survey.Response) {
	h.t.Helper()
	c := h.caseOf(name)
	h.look(func(ctx context.Context, r *app.Rooms) {
		var err error
		if out, err = r.Store.ResponsesOf(ctx, c.Respondent); err != nil {
			h.t.Fatal(err)
		}
	})
	return out
}

func (h *house) kept(name string) (k kept) {
	h.t.Helper()
	c := h.caseOf(name)
	k.responses = h.responses(name)
	h.look(func(ctx context.Context, r *app.Rooms) {
		all, err := r.Loop.Alerts(ctx, loop.Viewer{Actor: survey.Actor{ID: "test"}, All: true}, loop.AlertOpen)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, a := range all {
			if a.Case == c.ID {
				k.alerts++
			}
		}
		for i := range k.responses {
			p := &k.responses[i]
			if len(p.Packed) == 0 {
				continue
			}
			q, ok := r.Survey.Questionnaires().ByID(p.Questionnaire)
			if !ok {
				h.t.Fatalf("there is no questionnaire %s", p.Questionnaire)
			}
			k.chosen = map[string]string{}
			k.choose(h.t, q, p.Packed)
			k.about(ctx, h.t, r, p, &c)
			var err error
			if k.words, err = r.Survey.Words(p); err != nil {
				h.t.Fatal(err)
			}
		}
	})
	return k
}

// choose adds what was chosen of a questionnaire.
func (k *kept) choose(t *testing.T, q *questionnaires.Questionnaire, packed []byte) {
	t.Helper()
	answers, err := q.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	for id, a := range answers {
		if a.State == questionnaires.PreferNot && a.Choice == "" {
			a.Choice = "-prefer-not"
		}
		if len(a.Choices) > 0 {
			slices.Sort(a.Choices)
			a.Choice = strings.Join(a.Choices, " ")
		}
		if a.Choice != "" {
			k.chosen[id] = a.Choice
		}
	}
}

// about adds what the person told about themselves, which is kept apart.
func (k *kept) about(ctx context.Context, t *testing.T, r *app.Rooms, p *survey.Response, c *survey.Case) {
	t.Helper()
	if err := r.Survey.KeepAbout(ctx, p, c); err != nil { // as the follow-up does, which may not have come to it yet
		t.Fatal(err)
	}
	for _, key := range r.Survey.AboutKeys(c) {
		a, err := r.Store.About(ctx, key)
		if fault.Is(err, fault.NotFound) {
			continue // nothing was asked
		}
		if err != nil {
			t.Fatal(err)
		}
		packed, err := r.Survey.PackedAbout(&a)
		if err != nil {
			t.Fatal(err)
		}
		if q, ok := r.Survey.Questionnaires().ByID(a.Questionnaire); ok {
			k.choose(t, q, packed)
		}
	}
}

// guest is a person at a browser's tab.
type guest struct {
	t     *testing.T
	h     *house
	tab   context.Context
	given map[string]string // all that was chosen and written, by item, as kept tells it
}

func (h *house) guest(tab context.Context) *guest {
	return &guest{t: h.t, h: h, tab: tab, given: map[string]string{}}
}

// goTo opens an address of the house.
func (g *guest) goTo(path string) {
	g.t.Helper()
	do(g.t, g.tab, chromedp.Navigate(g.h.base+path))
}

// begin follows a link to the first question: how is start or quick.
func (g *guest) begin(link, how string) {
	g.t.Helper()
	do(g.t, g.tab, chromedp.Navigate(link))
	g.press(`button[value="` + how + `"]`)
	g.press(`button[value="begin"]`)
}

// goOn follows the link of somebody who has been there before to where they were.
func (g *guest) goOn(link string) {
	g.t.Helper()
	do(g.t, g.tab, chromedp.Navigate(link))
	g.press(toStart)
	g.press(toCarry)
}

func (g *guest) press(selector string) {
	g.t.Helper()
	press(g.t, g.tab, selector)
}

// has reports whether the page that shows has such an element.
func (g *guest) has(selector string) bool {
	g.t.Helper()
	return get(g.t, g.tab, chromedp.Evaluate[bool](fmt.Sprintf("!!document.querySelector(%q)", selector)))
}

// text is what can be read on the page.
func (g *guest) text() string {
	g.t.Helper()
	return get(g.t, g.tab, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
}

// page is the id of the question page that shows, or of the first question about
// the person on it; empty on any other.
func (g *guest) page() string {
	g.t.Helper()
	return get(g.t, g.tab, chromedp.Evaluate[string](`(document.querySelector('input[name="page"],#q input[name="about"]')||{}).value||""`))
}

// fill answers the page that shows: what is wished for, or else the first option,
// and some words. It remembers what it gave.
func (g *guest) fill(wish map[string]string) {
	g.t.Helper()
	b, err := json.Marshal(wish)
	if err != nil {
		g.t.Fatal(err)
	}
	given := get(g.t, g.tab, chromedp.Evaluate[map[string]string](`(wish=>{
		const given={};
		for(const f of document.querySelectorAll('main input[type=radio],main input[type=checkbox],main textarea')){
			if(f.name in given)continue;
			if(f.tagName==='TEXTAREA'){f.value=given[f.name]=wish[f.name]||'Words for '+f.name;continue}
			const all=[...document.getElementsByName(f.name)], pick=all.find(i=>i.value===wish[f.name])||all[0];
			pick.checked||pick.click();
			given[f.name]=all.filter(i=>i.checked).map(i=>i.value).sort().join(' ');
		}
		return given})(`+string(b)+`||{})`))
	for item, now := range given {
		if item == adviceList { // asked over several pages
			now = union(g.given[item], now)
		}
		g.given[item] = now
	}
}

// adviceList is the one question that is asked over several pages.
const adviceList = "advice.codes"

// union joins what was chosen of one question on several pages.
func union(a, b string) string {
	all := append(strings.Fields(a), strings.Fields(b)...)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// next answers the page that shows and goes on to the one after it.
func (g *guest) next(wish map[string]string) {
	g.t.Helper()
	g.fill(wish)
	g.press(`button[value="next"]`)
}

// toTheEnd answers every page up to the last one.
func (g *guest) toTheEnd(wish map[string]string) {
	g.t.Helper()
	for range 40 {
		if g.has(`button[value="send"]`) {
			return
		}
		g.next(wish)
	}
	g.t.Fatalf("the questions do not end:\n%s", g.text())
}

// send sends the answers and gives the receipt code that shows.
func (g *guest) send() string {
	g.t.Helper()
	g.press(`button[value="send"]`)
	return g.receipt()
}

// receipt is the code on the page that shows.
func (g *guest) receipt() string {
	g.t.Helper()
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(g.text())
	if code == "" {
		g.t.Fatalf("no receipt code shows:\n%s", g.text())
	}
	return code
}

// dangerSigns are answers that lead through every page of the report
// questionnaire and raise an alert.
var dangerSigns = map[string]string{"core.safer": "much-less-safe", "advice.risk": "yes"}

// wantKept holds what the store has of a guest against what they gave: one
// response, sent, with every answer and every word in it.
func (g *guest) wantKept(name string) kept {
	g.t.Helper()
	k := g.h.kept(name)
	if len(k.responses) != 1 || k.responses[0].State != survey.Complete {
		g.t.Fatalf("%s: want one response, sent; have %+v", name, k.responses)
	}
	for item, want := range g.given {
		have := k.chosen[item]
		if w, ok := k.words[item]; ok {
			have = w
		}
		if have != want {
			g.t.Errorf("%s: %s was answered %q and is kept as %q", name, item, want, have)
		}
	}
	return k
}
