package app

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"victimvoice/analysis"
	"victimvoice/internal/config"
	"victimvoice/survey"
)

// noVersion stands for no --activate, since 0 is what shipped.
const noVersion = -1

// runTune fits the coder's thresholds to what people coded, lists those that there
// have been, or takes others into use.
func runTune(ctx context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	dry := fs.Bool("dry-run", false, "say what would come of it, write nothing")
	list := fs.Bool("list", false, "list the versions that there have been")
	number := fs.Int("activate", noVersion, "take this version into use; 0: the thresholds that shipped")
	file := fs.String("config", "", "file of settings")
	if _, err := parse(c, "themes tune", &fs, args); err != nil {
		return err
	}
	activate := false
	fs.Visit(func(f *flag.Flag) { activate = activate || f.Name == "activate" })
	switch {
	case activate && *number < 0:
		return usage("want --activate with the number of a version, or 0 for the thresholds that shipped")
	case activate && (*list || *dry), *list && *dry:
		return usage("want one of --dry-run, --list and --activate")
	}
	operator := survey.Actor{ID: "operator", Role: "operator"}
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		switch {
		case activate:
			l, err := r.Analysis.Activate(ctx, operator, *number)
			if err != nil {
				return fmt.Errorf("take thresholds into use: %w", err)
			}
			return say(c.Out, "version %d is in use. Texts coded before keep their labels until victimvoice themes recode.", l.Active)
		case *list:
			l, err := r.Analysis.CoderLog(ctx)
			if err != nil {
				return fmt.Errorf("list versions: %w", err)
			}
			return listVersions(c, r, &l)
		}
		t, err := r.Analysis.Tune(ctx, operator, *dry)
		if err != nil {
			return fmt.Errorf("tune: %w", err)
		}
		return sayTuned(c, &t)
	})
}

func listVersions(c *Call, r *Rooms, l *analysis.CoderLog) error {
	w := tabwriter.NewWriter(c.Out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "version\tfitted\tby\tcoder\ttexts\tdrawn\tF1 before\tafter\tgain, 95%\t")
	mark := func(n int) string {
		if n == l.Active {
			return "in use"
		}
		return ""
	}
	_, _ = fmt.Fprintf(w, "0\tas shipped\t\t%s\t\t\t\t\t\t%s\n", r.Coder.Base(), mark(0))
	for _, v := range l.Versions {
		note := mark(v.Number)
		if v.Base != r.Coder.Base() {
			note = "of another model, not gone by"
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t%.3f\t%.3f\t%+.3f to %+.3f\t%s\n", v.Number, v.At.Format("2006-01-02 15:04"), v.By, v.Base, v.Texts, v.Drawn, v.Before.Labels, v.After.Labels, v.Low, v.High, note)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
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
	switch {
	case t.Kept:
		return say(c.Out, "kept as version %d, in use from now on in every process. Texts coded before keep their labels until victimvoice themes recode;\nvictimvoice themes tune --activate 0 goes back to the thresholds that shipped.", t.Number)
	case t.Why != "":
		return say(c.Out, "nothing is changed: %s", t.Why)
	case t.Number > 0:
		return say(c.Out, "nothing is written: version %d has these thresholds and would be taken into use", t.Number)
	}
	return say(c.Out, "nothing is written: they would be kept as a new version and taken into use")
}
