package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/redact"
	"victimvoice/api/extract"
	"victimvoice/internal/access"
	"victimvoice/internal/config"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// Call is one run of the program: its arguments and where it reads and writes.
type Call struct {
	Args    []string // without the program's name
	Env     func(string) string
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	Version string
}

// The program's exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// usageError is bad use: one line that says what would be right.
type usageError struct{ msg string }

func (e usageError) Error() string { return e.msg }

func usage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// errRejected ends a command that has said itself what was wrong.
var errRejected = errors.New("rejected")

type command struct {
	name, args, does string
	run              func(context.Context, *Call, []string) error
}

func commands() []command {
	return []command{
		{"demo", "[--addr 127.0.0.1:8080] [--dir DIR] [--cases N]", "a complete working product with synthetic data on the embedded store", runDemo},
		{"serve", "[--config FILE] [--roles web,worker]", "the product, from settings", runServe},
		{"check", "[--config FILE] [--reply-text]", "checks settings, store and mail server, and says every fault at once", runCheck},
		{"import", "FILE [--dry-run] [--partial] [--json]", "case events in bulk, from .csv or .jsonl, or - for standard input", runImport},
		{"export", "cases|responses|figures|measures|audit [--format csv|jsonl|xlsx] [--dictionary | --ddi | --manifest FILE]", "tables with a data dictionary, as a stream", runExport},
		{"themes", "code | evaluate FILE | train FILE --model OUT | tune|retrain [--dry-run | --list | --activate N] | retrain --drop N | recode [--dry-run]", "codes JSON lines of text into themes, measures the coder on labelled ones, trains it on other labels, fits its thresholds to what people coded or learns from it anew, empties a learnt model, or codes what is kept anew", runThemes},
		{"redact", "", "takes names and numbers out of JSON lines of text", runRedact},
		{"user", "add|list|disable|reset", "accounts of staff", runUser},
		{"apikey", "add|list|revoke", "keys of machines", runAPIKey},
		{"keys", "new|rotate", "prints a new keyset, or the one in force with a new sealing key", runKeys},
		{"version", "", "prints the version", runVersion},
	}
}

// Run runs one command and gives the exit code: 0 done, 1 failed, 2 bad use.
func Run(ctx context.Context, c *Call) int {
	if len(c.Args) == 0 {
		_, _ = fmt.Fprintln(c.Err, "victimvoice: want a command; run victimvoice help for the list")
		return exitUsage
	}
	name := c.Args[0]
	if name == "help" || name == "--help" || name == "-h" {
		help(c.Out)
		return exitOK
	}
	list := commands()
	i := slices.IndexFunc(list, func(k command) bool { return k.name == name })
	if i < 0 {
		_, _ = fmt.Fprintf(c.Err, "victimvoice: there is no command %q; run victimvoice help for the list\n", name)
		return exitUsage
	}
	err := list[i].run(ctx, c, c.Args[1:])
	var bad usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &bad):
		_, _ = fmt.Fprintf(c.Err, "victimvoice %s: %s\n", name, bad.msg)
		return exitUsage
	case errors.Is(err, errRejected):
		return exitFailure
	}
	fields := fault.FieldsOf(err)
	if len(fields) == 0 {
		_, _ = fmt.Fprintf(c.Err, "victimvoice %s: %s\n", name, oneLine(err))
	}
	for _, f := range fields {
		_, _ = fmt.Fprintf(c.Err, "victimvoice %s: %s %s\n", name, f.Field, f.Message)
	}
	return exitFailure
}

// oneLine is an error's full text on one line, also where it holds several errors.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// badUse makes bad use of what a room refused of a command's own options; option
// names the one that a fault's field came with.
func badUse(err error, option func(field string) string) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	var said []string
	for _, f := range fault.FieldsOf(err) {
		said = append(said, option(f.Field)+" "+f.Message)
	}
	if len(said) == 0 {
		said = []string{fault.MessageOf(err)}
	}
	return usage("%s", strings.Join(said, "; "))
}

// ownOption is the option of a field's name: one that takes several is named in the singular.
func ownOption(field string) string { return "--" + strings.TrimSuffix(field, "s") + ":" }

// verb takes the word that says what a command does from the front of its
// arguments. Asked for help alone, it tells the verbs.
func verb(c *Call, name string, args []string, verbs ...string) (string, []string, error) {
	want := strings.Join(verbs, ", ")
	switch {
	case len(args) == 0:
		return "", nil, usage("want one of: %s", want)
	case slices.Contains([]string{"help", "--help", "-help", "-h"}, args[0]):
		_, _ = fmt.Fprintf(c.Out, "victimvoice %s %s\n\nvictimvoice %s %s --help tells more of one of them.\n", name, strings.Join(verbs, "|"), name, verbs[0])
		return "", nil, flag.ErrHelp
	case !slices.Contains(verbs, args[0]):
		return "", nil, usage("want one of: %s; not %s", want, args[0])
	}
	return args[0], args[1:], nil
}

func help(w io.Writer) {
	_, _ = fmt.Fprintln(w, "Victim Voice hears people who reported stalking and closes the loop.\n\nCommands:")
	for _, k := range commands() {
		_, _ = fmt.Fprintf(w, "  victimvoice %s %s\n      %s\n", k.name, k.args, k.does)
	}
	_, _ = fmt.Fprintln(w, "\nvictimvoice serve --help lists the settings.")
}

// parse reads flags wherever they stand among the other arguments, and wants
// just the named others.
func parse(c *Call, name string, fs *flag.FlagSet, args []string, others ...string) ([]string, error) {
	fs.Init(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				_, _ = fmt.Fprintf(c.Out, "victimvoice %s %s\n", name, strings.Join(others, " "))
				fs.SetOutput(c.Out)
				fs.PrintDefaults()
				return nil, flag.ErrHelp
			}
			return nil, usage("%v; run victimvoice %s --help for its options", err, name)
		}
		if fs.NArg() == 0 {
			break
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
	if len(rest) != len(others) {
		what := strings.Join(others, " ")
		if what == "" {
			what = "no argument"
		}
		return nil, usage("takes %s beside its options; run victimvoice %s --help for them", what, name)
	}
	return rest, nil
}

// withRooms opens the store that the settings name, for a command's length.
func withRooms(ctx context.Context, c *Call, file string, do func(*Rooms, *config.Config) error) (err error) {
	cfg, err := config.Load(c.Env, file, "STORE", "KEYS", "LOG", "BASE_URL")
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	store, err := OpenStore(ctx, cfg.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := ownKeyset(ctx, store, cfg.Keys); err != nil {
		return err
	}
	rooms, err := Furnish(store, cfg.Keys, time.Now, logger(c.Err, cfg.LogFormat), access.DefaultConfig())
	if err != nil {
		return err
	}
	return do(rooms, cfg)
}

func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func runVersion(_ context.Context, c *Call, args []string) error {
	if _, err := parse(c, "version", &flag.FlagSet{}, args); err != nil {
		return err
	}
	return say(c.Out, "victimvoice %s", c.Version)
}

func say(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format+"\n", args...); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

func runKeys(_ context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings")
	rest, err := parse(c, "keys", &fs, args, "new|rotate")
	if err != nil {
		return err
	}
	var keyset string
	switch rest[0] {
	case "new":
		keyset, err = seal.NewKeyset()
	case "rotate":
		cfg, loadErr := config.Load(c.Env, *file, "KEYS")
		if loadErr != nil {
			return fmt.Errorf("settings: %w", loadErr)
		}
		keyset, err = cfg.Keys.Rotate()
	default:
		return usage("want keys new or keys rotate, not keys %s", rest[0])
	}
	if err != nil {
		return fmt.Errorf("make a keyset: %w", err)
	}
	return say(c.Out, "%s", keyset)
}

func runImport(ctx context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	dry := fs.Bool("dry-run", false, "say what would be done, write nothing")
	partial := fs.Bool("partial", false, "write the good rows of a file that has bad ones")
	asJSON := fs.Bool("json", false, "print the report as JSON")
	file := fs.String("config", "", "file of settings")
	rest, err := parse(c, "import", &fs, args, "FILE")
	if err != nil {
		return err
	}
	format, err := extract.FormatOf(rest[0])
	if err != nil {
		return usage("%s", fault.MessageOf(err))
	}
	in, err := open(c, rest[0])
	if err != nil {
		return err
	}
	defer in.Close()
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		report, err := extract.Import(ctx, r.Survey, in, format, extract.Options{DryRun: *dry, Partial: *partial, Zone: r.Survey.Policy().Location()})
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		if *asJSON {
			err = printJSON(c.Out, report)
		} else if err = report.WriteText(c.Out); err == nil && len(report.Rejected) > 0 && !*partial && !*dry {
			err = say(c.Out, "nothing was written; mend the rows above, or take the good ones with --partial")
		}
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if len(report.Rejected) > 0 {
			return errRejected
		}
		return nil
	})
}

// open opens a file that is to be read, - being standard input.
func open(c *Call, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.In), nil
	}
	f, err := os.Open(name) //nolint:gosec // G304: whoever gives the command names the file
	if err != nil {
		return nil, usage("the file %s cannot be read", name)
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		_ = f.Close()
		return nil, usage("%s is not a file that can be read", name)
	}
	return f, nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

func runThemes(ctx context.Context, c *Call, args []string) error {
	what, args, err := verb(c, "themes", args, "code", "evaluate", "train", "tune", "retrain", "recode")
	if err != nil {
		return err
	}
	switch what {
	case "recode":
		return runRecode(ctx, c, args)
	case "tune":
		return runTune(ctx, c, args)
	case "retrain":
		return runRetrain(ctx, c, args)
	}
	var fs flag.FlagSet
	switch what {
	case "code":
		model := fs.String("model", "", "code by this trained model alone, without the codebook")
		explain := fs.Bool("explain", false, "give each label's reasons")
		if _, err := parse(c, "themes code", &fs, args); err != nil {
			return err
		}
		if *model != "" {
			if *explain {
				return usage("want --explain without --model: a trained model gives no reasons")
			}
			ls, err := labelSet(c, *model)
			if err != nil {
				return err
			}
			return coding.CodeSetLines(ctx, ls, c.In, c.Out)
		}
		coder, err := shippedCoder()
		if err != nil {
			return err
		}
		if *explain {
			return coding.ExplainLines(ctx, coder, c.In, c.Out)
		}
		return coding.CodeLines(ctx, coder, c.In, c.Out)
	case "train":
		return trainThemes(ctx, c, &fs, args)
	}
	asJSON := fs.Bool("json", false, "print the scores as JSON")
	model := fs.String("model", "", "measure this trained model instead of the codebook's coder")
	rest, err := parse(c, "themes evaluate", &fs, args, "FILE")
	if err != nil {
		return err
	}
	in, err := open(c, rest[0])
	if err != nil {
		return err
	}
	defer in.Close()
	var report interface{ WriteText(io.Writer) error }
	if *model != "" {
		ls, err := labelSet(c, *model)
		if err != nil {
			return err
		}
		texts, err := coding.ReadTaught(ctx, in)
		if err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		report = coding.EvaluateSet(ls, texts)
	} else {
		coder, err := shippedCoder()
		if err != nil {
			return err
		}
		if report, err = coding.Evaluate(coder, in); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
	}
	if *asJSON {
		return printJSON(c.Out, report)
	}
	return report.WriteText(c.Out)
}

func shippedCoder() (*coding.Coder, error) {
	book, err := codebook.Load()
	if err != nil {
		return nil, fmt.Errorf("load the codebook: %w", err)
	}
	coder, err := coding.New(book)
	if err != nil {
		return nil, fmt.Errorf("make the coder: %w", err)
	}
	return coder, nil
}

// labelSet reads a trained model.
func labelSet(c *Call, name string) (*coding.LabelSet, error) {
	in, err := open(c, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	ls := &coding.LabelSet{}
	if err := ls.UnmarshalBinary(data); err != nil {
		return nil, fault.New(fault.Invalid, "%s is no model that themes train wrote: %v", name, err)
	}
	return ls, nil
}

func trainThemes(ctx context.Context, c *Call, fs *flag.FlagSet, args []string) error {
	model := fs.String("model", "", "file to write the model to")
	dev := fs.String("dev", "", "labelled lines to measure the model on")
	rest, err := parse(c, "themes train", fs, args, "FILE")
	if err != nil {
		return err
	}
	if *model == "" {
		return usage("want --model OUT: the file to write the model to")
	}
	read := func(name string) ([]coding.Taught, error) {
		in, err := open(c, name)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		texts, err := coding.ReadTaught(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return texts, nil
	}
	texts, err := read(rest[0])
	if err != nil {
		return err
	}
	var held []coding.Taught
	if *dev != "" { // before the long work, so that a bad file is told at once
		if held, err = read(*dev); err != nil {
			return err
		}
	}
	ls, err := coding.LearnSet(texts)
	if err != nil {
		return fault.New(fault.Invalid, "train: %v", err)
	}
	data, err := ls.MarshalBinary()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := os.WriteFile(*model, data, 0o600); err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	if _, err := fmt.Fprintf(c.Out, "%s: %d labels from %d texts, %d bytes\n", *model, len(ls.Labels()), len(texts), len(data)); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if held == nil {
		return nil
	}
	return coding.EvaluateSet(ls, held).WriteText(c.Out)
}

func runRedact(ctx context.Context, c *Call, args []string) error {
	if _, err := parse(c, "redact", &flag.FlagSet{}, args); err != nil {
		return err
	}
	return redact.Lines(ctx, c.In, c.Out)
}

func runUser(ctx context.Context, c *Call, args []string) error {
	what, args, err := verb(c, "user", args, "add", "list", "disable", "reset")
	if err != nil {
		return err
	}
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings")
	email := fs.String("email", "", "address that the person signs in with")
	name := fs.String("name", "", "the person's name")
	roles := fs.String("role", "", "advocate, commissioner, analyst or administrator; several with commas")
	force := fs.String("force", "", "the one force whose figures they see; empty: all")
	if _, err := parse(c, "user "+what, &fs, args); err != nil {
		return err
	}
	if (what == "disable" || what == "reset") && *email == "" {
		return usage("%s takes --email, the address that the person signs in with", what)
	}
	return withRooms(ctx, c, *file, func(r *Rooms, cfg *config.Config) error {
		by := access.Operator()
		switch what {
		case "list":
			users, err := r.Access.ListUsers(ctx, by)
			if err != nil {
				return fmt.Errorf("list users: %w", err)
			}
			for _, u := range users {
				p, err := r.Access.Profile(u)
				if err != nil {
					return fmt.Errorf("open a user: %w", err)
				}
				state := "active"
				if u.Disabled {
					state = "disabled"
				}
				if err := say(c.Out, "%s\t%s\t%s\t%s", u.ID, p.Email, joinRoles(u.Roles), state); err != nil {
					return err
				}
			}
			return nil
		case "add":
			var rs []access.Role
			for role := range strings.SplitSeq(*roles, ",") {
				if role = strings.TrimSpace(role); role != "" {
					rs = append(rs, access.Role(role))
				}
			}
			known, _ := r.Survey.Geography().Force(*force)
			u, token, err := r.Access.AddUser(ctx, by, access.NewUser{Email: *email, Name: *name, Roles: rs, Force: known})
			if err != nil {
				return badUse(fmt.Errorf("add a user: %w", err), ownOption)
			}
			return say(c.Out, "added %s; they choose their password, once and within a day, at\n%s/setup/%s", u.ID, cfg.BaseURL, token)
		}
		u, err := r.Access.UserByEmail(ctx, *email)
		if err != nil {
			return fmt.Errorf("find the user: %w", err)
		}
		if what == "disable" {
			if err := r.Access.Disable(ctx, by, u.ID); err != nil {
				return fmt.Errorf("disable a user: %w", err)
			}
			return say(c.Out, "disabled %s; every session of theirs has ended", u.ID)
		}
		token, err := r.Access.ResetPassword(ctx, by, u.ID)
		if err != nil {
			return fmt.Errorf("reset a password: %w", err)
		}
		return say(c.Out, "a new password can be chosen, once and within a day, at\n%s/setup/%s", cfg.BaseURL, token)
	})
}

func joinRoles(roles []access.Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, string(r))
	}
	return strings.Join(out, ",")
}

func runAPIKey(ctx context.Context, c *Call, args []string) error {
	what, args, err := verb(c, "apikey", args, "add", "list", "revoke")
	if err != nil {
		return err
	}
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings")
	label := fs.String("label", "", "what the key is for")
	scopes := fs.String("scope", "", "events:write, bounces:write, figures:read or export:rows; several with commas")
	force := fs.String("force", "", "the force whose cases it writes; needed with events:write")
	id := fs.String("id", "", "of the key to revoke")
	if _, err := parse(c, "apikey "+what, &fs, args); err != nil {
		return err
	}
	if what == "revoke" && *id == "" {
		return usage("revoke takes --id, as apikey list gives it")
	}
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		by := access.Operator()
		switch what {
		case "add":
			var ss []access.Scope
			for s := range strings.SplitSeq(*scopes, ",") {
				if s = strings.TrimSpace(s); s != "" {
					ss = append(ss, access.Scope(s))
				}
			}
			name, _ := r.Survey.Geography().Force(*force)
			raw, _, err := r.Access.NewAPIKey(ctx, by, access.NewAPIKey{Label: *label, Scopes: ss, Force: name})
			if err != nil {
				return badUse(fmt.Errorf("add an API key: %w", err), ownOption)
			}
			return say(c.Out, "%s", raw)
		case "revoke":
			if err := r.Access.RevokeAPIKey(ctx, by, *id); err != nil {
				return fmt.Errorf("revoke an API key: %w", err)
			}
			return say(c.Out, "revoked %s", *id)
		}
		keys, err := r.Access.ListAPIKeys(ctx, by)
		if err != nil {
			return fmt.Errorf("list API keys: %w", err)
		}
		for _, k := range keys {
			state := "in force"
			if !k.Live(r.Now()) {
				state = "not in force"
			}
			var ss []string
			for _, s := range k.Scopes {
				ss = append(ss, string(s))
			}
			if err := say(c.Out, "%s\t%s\t%s\t%s\t%s", k.ID, k.Label, strings.Join(ss, ","), k.Force, state); err != nil {
				return err
			}
		}
		return nil
	})
}
