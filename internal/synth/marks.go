package synth

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"victimvoice/analysis"
	"victimvoice/survey"
)

// Marks puts on the time axis what the demonstration's charts show beside its actions:
// two policy changes where effects are planted, a note on the questionnaires, and one
// re-base with its reason, of a chart that has points enough on either side for limits
// of their own. The panel has to be loaded.
func Marks(ctx context.Context, w *World, timeline *analysis.Timeline, room *analysis.Service, actor string) error {
	by := survey.Actor{ID: actor, Role: "commissioner"}
	end := w.opts.End
	first := func(ago int) string {
		return time.Date(end.Year(), end.Month()-time.Month(ago), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	informed, err := analysis.ParseQuery(url.Values{"measure": {"core.informed"}, "by": {"month"}})
	if err != nil {
		return fmt.Errorf("name the chart to re-base: %w", err)
	}
	series, err := room.Panel().Series(informed)
	if err != nil {
		return fmt.Errorf("name the chart to re-base: %w", err)
	}
	for _, m := range []analysis.NewMark{
		{Kind: analysis.MarkNote, On: first(30), Title: "Questionnaires, version 1, in eight languages", Text: "The same questions: Arabic, Bengali, Polish, Portuguese, Romanian, Urdu and Welsh beside English"},
		{Kind: analysis.MarkPolicy, On: first(18), Title: "Update standard begins in Central South", Text: "One named point of contact, and a word at least every four weeks"},
		{Kind: analysis.MarkPolicy, On: first(12), Title: "New advice sheet in every response team"},
		{Kind: analysis.MarkRebase, On: first(18), Series: series, Text: "The update standard was meant to change this figure from here on. What comes next is to be seen against the level since, and not against that before"},
	} {
		if _, err := timeline.Add(ctx, by, m); err != nil {
			return fmt.Errorf("put %q on the time axis: %w", m.On, err)
		}
	}
	return nil
}
