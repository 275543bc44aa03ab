package synth

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
)

// action is one action of the demonstration: the figure it was raised from and
// what became of it. Times are days before the end of the world.
type action struct {
	query     url.Values // without its end, which is the day on which it was raised
	draft     loop.ActionDraft
	raised    int
	due       int // below 0: still to come
	done      int // 0: not done
	checked   bool
	published int // index of the publication; 0: none
}

// publications of the demonstration, by days before the end; their indices begin at 1.
var publications = [...]int{250, 40}

// demoActions are some actions at every stage, spread over a year and more. They
// hold to the planted effects where there is one.
func (w *World) demoActions() []action {
	q := func(measure string, rest ...string) url.Values {
		v := url.Values{"measure": {measure}}
		for i := 0; i+1 < len(rest); i += 2 {
			v.Set(rest[i], rest[i+1])
		}
		return v
	}
	return []action{
		{
			query: q("advice.harmful", "by", "quarter"), raised: 400, due: 350, done: 362, checked: true, published: 1,
			draft: loop.ActionDraft{
				Title: "Take block, ignore and change-your-number out of the advice sheet", YouSaid: "Some of you were told to block the person, to ignore it or to change your number.",
				WeDid:  "A new advice sheet, written with specialist stalking services, went to every response team and front counter in London.",
				Agency: "Metropolitan Police", Owner: "Head of victim care", Note: "Raised with the specialist services at the quarterly meeting.",
			},
		},
		{
			query: q("core.informed", "by", "quarter"), raised: 330, due: 255, done: 262, checked: true, published: 1,
			draft: loop.ActionDraft{
				Title: "Agree with each person how and how often they will be updated", YouSaid: "You told us that you did not hear what was happening with your case.",
				WeDid:  "Every investigating officer records, at the first contact, how and how often the person wants to hear from them. Supervisors look at it each week.",
				Agency: "Metropolitan Police", Owner: "Public protection lead",
			},
		},
		{
			query: q("report.support", "by", "quarter", "stage", "report"), raised: 210, due: 60, done: 52, published: 2,
			draft: loop.ActionDraft{
				Title: "Offer a referral to a stalking advocate in the first call", YouSaid: "Many of you were not offered any support when you reported.",
				WeDid:  "The call script asks about support in all control rooms, and the referral goes out the same day.",
				Agency: "Mayor's Office for Policing and Crime", Owner: "Victims commissioning manager",
			},
		},
		{
			query: q("close.review", "by", "year", "stage", "closure"), raised: 200, due: 80, published: 2,
			draft: loop.ActionDraft{
				Title: "Send the right to a review by letter to every person", YouSaid: "Few of you were told that you could ask for a review of the decision.",
				Agency: "Metropolitan Police", Owner: "Criminal justice lead", Status: loop.NoAction,
				Because: "A letter is not safe for everybody. The right to a review is told by the officer who closes the case instead, see the action on closing calls.",
			},
		},
		{
			query: q("core.confidence", "by", "quarter", "bcu", "South"), raised: 120, due: -45,
			draft: loop.ActionDraft{
				Title: "Find out why confidence fell in the South unit", YouSaid: "Confidence in the investigation is lower in the south of London than it was last year.",
				Agency: "Metropolitan Police", Owner: "South BCU commander", Status: loop.Investigating, Note: "Looking at how the public protection team is staffed.",
			},
		},
		{
			query: q("report.risk", "by", "quarter", "stage", "report"), raised: 95, due: 12,
			draft: loop.ActionDraft{
				Title: "Go through the stalking risk questions at the first report", YouSaid: "Hardly anybody went through questions about your risk with you.",
				Agency: "Metropolitan Police", Owner: "Response policing lead", Status: loop.Planned,
			},
		},
		{
			query: q("core.informed", "by", "quarter", "stage", "closure"), raised: 18, due: -75,
			draft: loop.ActionDraft{
				Title: "Ring every person before their case is closed", YouSaid: "Some of you found out by yourselves that your case was closed.",
				Agency: "Metropolitan Police", Owner: "Criminal justice lead", Status: loop.Noted,
			},
		},
	}
}

// Actions raises the demonstration's actions with the real loop, each at its own
// time and from the figure as it was then, has those that are done checked, and
// publishes two rounds whose letters count as sent. The panel is refreshed first.
// An action whose figure is not published, since a world is too small, is left out.
func Actions(ctx context.Context, w *World, parts Services, actor string, now time.Time) error {
	if err := parts.Analysis.Refresh(ctx); err != nil {
		return fmt.Errorf("load the figures: %w", err)
	}
	by := survey.Actor{ID: actor, Role: "commissioner"}
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	at := func(t time.Time) *loop.Service {
		clock := func() time.Time { return t }
		return parts.Loop.At(parts.Survey.At(clock), clock)
	}
	told := make([][]string, len(publications)+1)
	for _, a := range w.demoActions() {
		d := a.draft
		d.DueOn = ago(a.due).Format(time.DateOnly)
		final := d
		if a.done > 0 {
			final.Status, final.DoneOn = loop.Done, ago(a.done).Format(time.DateOnly)
		}
		d.Status, d.WeDid, d.Because = loop.Noted, "", ""
		a.query.Set("to", ago(a.raised).Format("2006-01"))
		raised, err := at(ago(a.raised)).Raise(ctx, by, d, a.query)
		if fault.Is(err, fault.Invalid) {
			continue
		}
		if err != nil {
			return fmt.Errorf("raise an action: %w", err)
		}
		if final.Status != "" && final.Status != loop.Noted {
			changed := max(1, a.raised*2/3)
			if a.done > 0 {
				changed = a.done
			}
			final.Note = ""
			if _, err := at(ago(changed)).Change(ctx, by, raised.ID, raised.Version, final); err != nil {
				return fmt.Errorf("go on with an action: %w", err)
			}
		}
		if a.checked {
			if _, err := at(ago(publications[a.published-1]+3)).Check(ctx, by, raised.ID); err != nil {
				return fmt.Errorf("check an action: %w", err)
			}
		}
		told[a.published] = append(told[a.published], raised.ID)
	}
	for i, days := range publications {
		if len(told[i+1]) == 0 {
			continue
		}
		title := "What you told us, and what was done by " + ago(days).Format("January 2006")
		if err := publish(ctx, at(ago(days)), by, title, told[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// publish publishes a round and notes its letters as sent, so that the worker
// does not send last spring's news today.
func publish(ctx context.Context, lp *loop.Service, by survey.Actor, title string, ids []string) error {
	if _, err := lp.Publish(ctx, by, title, ids); err != nil {
		return fmt.Errorf("publish actions: %w", err)
	}
	var refs []string
	if _, err := lp.Tell(ctx, func(_ context.Context, t loop.Telling) error {
		refs = append(refs, t.Ref)
		return nil
	}); err != nil {
		return fmt.Errorf("tell people: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(livesAtOnce)
	for _, ref := range refs {
		g.Go(func() error { return lp.SettledTelling(ctx, ref, true) })
	}
	return g.Wait()
}
