package app

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"victimvoice/analysis"
	"victimvoice/analysis/coding"
	"victimvoice/internal/config"
	"victimvoice/survey"
)

// noVersion stands for no number of a version, since 0 is what shipped.
const noVersion = -1

// runTune fits the coder's thresholds to what people coded, lists the versions of
// the coder, or takes another into use.
func runTune(ctx context.Context, c *Call, args []string) error {
	return runVersions(ctx, c, "tune", args, func(r *Rooms, operator survey.Actor, dry bool) error {
		t, err := r.Analysis.Tune(ctx, operator, dry)
		if err != nil {
			return fmt.Errorf("tune: %w", err)
		}
		return sayTuned(c, &t)
	})
}

// runRetrain learns a model with what people coded, lists the versions of the coder,
// takes another into use, or drops a model.
func runRetrain(ctx context.Context, c *Call, args []string) error {
	return runVersions(ctx, c, "retrain", args, func(r *Rooms, operator survey.Actor, dry bool) error {
		lessons, err := coding.ShippedLessons()
		if err != nil {
			return fmt.Errorf("retrain: %w", err)
		}
		_, _ = fmt.Fprintln(c.Err, "victimvoice themes retrain: learning takes some minutes; stopped before it ends, it changes nothing")
		t, err := r.Analysis.Retrain(ctx, operator, lessons, dry)
		if err != nil {
			return fmt.Errorf("retrain: %w", err)
		}
		return sayRetrained(c, &t)
	})
}

// runVersions runs a command that makes a version of the coder, lists those that
// there have been, takes one into use, or drops a model.
func runVersions(ctx context.Context, c *Call, verb string, args []string, create func(*Rooms, survey.Actor, bool) error) error {
	var fs flag.FlagSet
	dry := fs.Bool("dry-run", false, "say what would come of it, write nothing")
	list := fs.Bool("list", false, "list the versions that there have been")
	number := fs.Int("activate", noVersion, "take this version into use; 0: the model and thresholds that shipped")
	want, drop := "--dry-run, --list and --activate", new(int)
	if verb == "retrain" {
		drop = fs.Int("drop", noVersion, "empty the model of this version, which is not in use")
		want = "--dry-run, --list, --activate and --drop"
	}
	file := fs.String("config", "", "file of settings")
	if _, err := parse(c, "themes "+verb, &fs, args); err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = f.Name != "config" })
	delete(given, "config")
	switch {
	case given["activate"] && *number < 0:
		return usage("want --activate with the number of a version, or 0 for what shipped")
	case given["drop"] && *drop < 1:
		return usage("want --drop with the number of a version, from 1 on")
	case len(given) > 1:
		return usage("want one of %s", want)
	}
	operator := survey.Actor{ID: "operator", Role: "operator"}
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		switch {
		case given["activate"]:
			l, err := r.Analysis.Activate(ctx, operator, *number)
			if err != nil {
				return fmt.Errorf("take a version into use: %w", err)
			}
			return say(c.Out, "version %d is in use. Texts coded before keep their labels until victimvoice themes recode.", l.Active)
		case given["drop"]:
			if err := r.Analysis.DropModel(ctx, operator, *drop); err != nil {
				return fmt.Errorf("drop a model: %w", err)
			}
			return say(c.Out, "the model of version %d is dropped", *drop)
		case *list:
			l, err := r.Analysis.CoderLog(ctx)
			if err != nil {
				return fmt.Errorf("list versions: %w", err)
			}
			return listVersions(ctx, c, r, &l)
		}
		return create(r, operator, *dry)
	})
}

func listVersions(ctx context.Context, c *Call, r *Rooms, l *analysis.CoderLog) error {
	back, err := r.Analysis.TakenBack(ctx, l)
	if err != nil {
		return fmt.Errorf("list versions: %w", err)
	}
	w := tabwriter.NewWriter(c.Out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "version\tmade\tby\twhat\tcoder\ttexts\tdrawn\tF1 before\tafter\tgain, 95%\t")
	shipped := ""
	if l.Active == 0 {
		shipped = "in use"
	}
	_, _ = fmt.Fprintf(w, "0\tas shipped\t\t\t%s\t\t\t\t\t\t%s\n", r.Coder.Base(), shipped)
	for i := range l.Versions {
		v := &l.Versions[i]
		what := "thresholds"
		if v.Against != "" {
			what = "model"
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%.3f\t%.3f\t%+.3f to %+.3f\t%s\n", v.Number, v.At.Format("2006-01-02 15:04"), v.By, what, v.CoderName(), v.Texts, v.Drawn,
			v.Before.Labels, v.After.Labels, v.Low, v.High, versionNote(r, l, v, back[v.Model]))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for i := range l.Versions {
		if v := &l.Versions[i]; v.Against != "" {
			if err := say(c.Out, "version %d: learnt from %d texts that people coded and the lessons of %s (all of it: %s), against %s: polarity %.3f before, %.3f after; calibration error %.3f before, %.3f after",
				v.Number, v.Learnt, v.Base, v.Sources[:min(12, len(v.Sources))], v.Against, v.Polarity.Before, v.Polarity.After, v.Error.Before, v.Error.After); err != nil {
				return err
			}
		}
	}
	if n := back[modelOf(l)]; n > 0 {
		return say(c.Out, "%d of the texts that the model in use was learnt from were taken back since: victimvoice themes retrain learns one without them", n)
	}
	return nil
}

// modelOf gives the id of the learnt model that the log says is in use.
func modelOf(l *analysis.CoderLog) string {
	if l.Active == 0 {
		return ""
	}
	return l.Versions[l.Active-1].Model
}

func versionNote(r *Rooms, l *analysis.CoderLog, v *analysis.CoderVersion, back int) string {
	var notes []string
	if v.Number == l.Active {
		notes = append(notes, "in use")
	}
	if v.Base != r.Coder.Base() {
		notes = append(notes, "of another model, not gone by")
	}
	if v.Dropped {
		notes = append(notes, "dropped")
	}
	if back > 0 {
		notes = append(notes, fmt.Sprintf("%d texts taken back since", back))
	}
	return strings.Join(notes, "; ")
}

func sayTuned(c *Call, t *analysis.Tuned) error {
	if err := say(c.Out, "%d texts that people coded; %d of them, of %d people, were drawn at random", t.Texts, t.Drawn, t.People); err != nil {
		return err
	}
	if t.After != t.Before {
		if err := say(c.Out, "on those, by thresholds that other people's texts gave:\n  themes, F1: %.3f before, %.3f after\n  theme and polarity, F1: %.3f before, %.3f after; gain %+.3f to %+.3f with 95%% certainty",
			t.Before.Themes, t.After.Themes, t.Before.Labels, t.After.Labels, t.Low, t.High); err != nil {
			return err
		}
	}
	for _, h := range t.Thresholds {
		if err := say(c.Out, "  %s: %.3f, was %.3f", h.Code, h.Is, h.Was); err != nil {
			return err
		}
	}
	return sayOutcome(c, "tune", "these thresholds", "they", t.Kept, t.Why, t.Number)
}

// sayOutcome says what became of what a verb found, which would be kept as a version or was.
func sayOutcome(c *Call, verb, what, it string, kept bool, why string, number int) error {
	switch {
	case kept:
		return say(c.Out, "kept as version %d, in use from now on in every process. Texts coded before keep their labels until victimvoice themes recode;\nvictimvoice themes %s --activate 0 goes back to the model and thresholds that shipped.", number, verb)
	case why != "":
		return say(c.Out, "nothing is changed: %s", why)
	case number > 0:
		return say(c.Out, "nothing is written: version %d has %s and would be taken into use", number, what)
	}
	return say(c.Out, "nothing is written: %s would be kept as a new version and taken into use", it)
}

func sayRetrained(c *Call, t *analysis.Retrained) error {
	if err := say(c.Out, "learnt from: %d texts that people coded, of %d people, each counted %d times, and the %d comments and examples that ship\nmeasured on: %d other texts, of %d other people, drawn at random and read blind",
		t.Learnt, t.LearntOf, coding.RelearnWeight, t.Lessons, t.Drawn, t.DrawnOf); err != nil {
		return err
	}
	if t.People > 0 {
		if err := say(c.Out, "before is %s, after is %s (%d bytes); the difference with 95%% certainty:", t.Against, t.Coder, t.Size); err != nil {
			return err
		}
		for _, m := range []struct {
			name string
			is   coding.Change
		}{{"themes, F1", t.Themes}, {"theme and polarity, F1", t.Labels}, {"polarity, of themes that both give", t.Polarity}, {"calibration error, the less the better", t.Error}} {
			if err := say(c.Out, "  %s: %.3f before, %.3f after; %+.3f to %+.3f", m.name, m.is.Before, m.is.After, m.is.Low, m.is.High); err != nil {
				return err
			}
		}
	}
	return sayOutcome(c, "retrain", "this model", "it", t.Kept, t.Why, t.Number)
}
