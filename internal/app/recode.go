package app

import (
	"context"
	"flag"
	"fmt"

	"victimvoice/internal/config"
	"victimvoice/survey"
)

// recodeEvery is after how many texts the progress is told.
const recodeEvery = 500

// runRecode codes the back catalogue anew. Stopped in the middle, it goes on
// where it was when it is started again: what has the present version is passed over.
func runRecode(ctx context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	dry := fs.Bool("dry-run", false, "say how many texts would be coded anew, write nothing")
	file := fs.String("config", "", "file of settings")
	if _, err := parse(c, "themes recode", &fs, args); err != nil {
		return err
	}
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		told := 0
		done, err := r.Analysis.Recode(ctx, survey.Actor{ID: "operator", Role: "operator"}, *dry, func(n int) {
			if n >= told+recodeEvery {
				told = n
				_, _ = fmt.Fprintf(c.Err, "victimvoice themes: %d texts looked at\n", n)
			}
		})
		if err != nil {
			return fmt.Errorf("code anew, after %d of the texts looked at: %w", done.Seen, err)
		}
		would := ""
		if *dry {
			would = "would be "
		}
		return say(c.Out, "coder %s: %d texts; %scoded anew: %d, of which %d had other labels; people's labels kept: %d; up to date already: %d",
			done.Coder, done.Seen, would, done.Coded, done.Changed, done.Kept, done.Current)
	})
}
