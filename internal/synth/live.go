package synth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

const (
	livesAtOnce = 256              // people whose histories are lived side by side, so that a store can commit their writes together
	leftToMail  = 10 * 24          // hours before the end from which on mail is left to the real worker
	waveHours   = 30               // the last hours, in which some more people answer, so that the present has something new:
	waveShare   = 0.45             // of those with an open survey and no answer so far,
	waveDanger  = 0.9              // of those among them whose answers raise an alert,
	deskUnsafe  = 0.5              // and all of the first advocate's, half of whom feel much less safe: theirs is the desk that a demonstration shows
	maxIdle     = 100              // steps without any progress before a case is given up as a fault of ours
	partialTime = 90 * time.Second // between the pages of somebody who leaves half-way
)

// Services are the rooms in which a history is lived. Cases is the port that the
// survey room keeps its cases through: a history asks it when a case is next due.
type Services struct {
	Survey   *survey.Service
	Analysis *analysis.Service
	Loop     *loop.Service
	Cases    survey.Cases

	// Advocate gives the account of an advocate of the roster by their address;
	// [Colleague] where it is nil.
	Advocate func(address string) survey.Actor

	// Meant, if not nil, is told what was meant by the words that people send.
	Meant *Meant
}

// Stats count what a history came to.
type Stats struct {
	Cases, Events           int
	Invitations, Reminders  int
	Bounced, Refused        int
	Responses, Partial      int // by the person; Partial among them
	Relayed, Observed       int
	Texts                   int // responses with words
	Told                    int // people who told about themselves
	Alerts, Taken, Resolved int
}

func (s Stats) String() string {
	return fmt.Sprintf("%d cases, %d events, %d invitations and %d reminders, %d answers (%d in part) and %d by advocates, %d with words, %d people told about themselves, %d alerts of which %d are settled",
		s.Cases, s.Events, s.Invitations, s.Reminders, s.Responses, s.Partial, s.Relayed+s.Observed, s.Texts, s.Told, s.Alerts, s.Resolved)
}

func (s *Stats) add(o Stats) {
	for _, p := range []struct{ to, from *int }{
		{&s.Cases, &o.Cases}, {&s.Events, &o.Events}, {&s.Invitations, &o.Invitations}, {&s.Reminders, &o.Reminders}, {&s.Bounced, &o.Bounced},
		{&s.Refused, &o.Refused}, {&s.Responses, &o.Responses}, {&s.Partial, &o.Partial}, {&s.Relayed, &o.Relayed}, {&s.Observed, &o.Observed},
		{&s.Texts, &o.Texts}, {&s.Told, &o.Told}, {&s.Alerts, &o.Alerts}, {&s.Taken, &o.Taken}, {&s.Resolved, &o.Resolved},
	} {
		*p.to += *p.from
	}
}

// Live lives through the history of every case with the real services, each
// case at its own clock: events are received when they arrive, mail that fell
// due is queued, claimed and settled as the worker does it (nothing is sent),
// people answer through their links, and what follows from an answer is done when
// it is given. No mail is written for the last ten days, so that the real worker
// finds it due. Histories are not resumable: begin again with an empty store
// after an error. progress, if not nil, is told now and then how many cases are done.
func Live(ctx context.Context, w *World, parts Services, until time.Time, progress func(done, total int)) (Stats, error) {
	if parts.Cases == nil {
		return Stats{}, errors.New("synth: a history needs the port of the cases")
	}
	h := &history{w: w, parts: parts, until: until.UTC(), cut: until.UTC().Add(-leftToMail * time.Hour), left: map[string]*leftCase{}}
	people := h.people()
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(livesAtOnce)
	var telling sync.Mutex
	for _, cases := range people {
		g.Go(func() error {
			for i := range cases {
				stats, err := h.live(ctx, &cases[i])
				if err != nil {
					return fmt.Errorf("case %d of the synthetic world: %w", cases[i].Index, err)
				}
				h.count(stats)
				if n := done.Add(1); progress != nil && (n%50 == 0 || int(n) == w.opts.Cases) {
					telling.Lock()
					progress(int(n), w.opts.Cases)
					telling.Unlock()
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Stats{}, err
	}
	return h.closeDrafts(context.WithoutCancel(ctx))
}

// history is what lives of one world have in common.
type history struct {
	w          *World
	parts      Services
	until, cut time.Time

	mu       sync.Mutex
	stats    Stats
	closings []time.Time          // when drafts that were left half-way end
	left     map[string]*leftCase // by case id: those with such a draft
}

// leftCase is a case with a draft that was left half-way, and when the case was last looked at.
type leftCase struct {
	c    *Case
	seen time.Time
}

func (h *history) count(s Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.add(s)
}

// people groups the cases by person, each person's in order of report: what one
// case makes of an address holds for the next.
func (h *history) people() [][]Case {
	by := map[int][]Case{}
	for c := range h.w.Cases() {
		if len(c.Events) > 0 {
			by[c.Person] = append(by[c.Person], c)
		} else {
			h.stats.Cases++ // nothing of it has arrived yet
		}
	}
	out := make([][]Case, 0, len(by))
	for _, cases := range by {
		slices.SortFunc(cases, func(a, b Case) int { return cmp.Or(a.ReportedAt.Compare(b.ReportedAt), a.Index-b.Index) })
		out = append(out, cases)
	}
	slices.SortFunc(out, func(a, b []Case) int { return a[0].Index - b[0].Index })
	return out
}

// task is something that happens in a case at an instant.
type task struct {
	at  time.Time
	run func(context.Context) error
}

// life is one case being lived through.
type life struct {
	*history
	c     *Case
	id    string
	clock time.Time
	sv    *survey.Service
	an    *analysis.Service
	lp    *loop.Service
	todo  []task
	now   survey.Case // as stored, after the last step
	same  bool        // the last step left the case as it was
	asked map[string]bool
	stats Stats
}

func (h *history) at(c *Case, clock time.Time) *life {
	l := &life{history: h, c: c, clock: clock, asked: map[string]bool{}}
	now := func() time.Time { return l.clock }
	l.sv = h.parts.Survey.At(now)
	l.an = h.parts.Analysis.At(l.sv, now)
	l.lp = h.parts.Loop.At(l.sv, now)
	return l
}

func (l *life) plan(at time.Time, run func(context.Context) error) {
	if !at.After(l.until) {
		l.todo = append(l.todo, task{at, run})
	}
}

// live lives through one case: always the next thing in time, an event that
// arrives, a mail that falls due or something a person does.
func (h *history) live(ctx context.Context, c *Case) (Stats, error) {
	l := h.at(c, c.ReportedAt)
	l.id = l.sv.CaseID(c.Force, c.Ref)
	l.stats.Cases++
	for _, a := range c.Events {
		l.plan(a.At, func(ctx context.Context) error {
			l.stats.Events++
			_, err := l.sv.Receive(ctx, copied(a.Event))
			return err
		})
	}
	idle := 0
	for {
		next := -1
		for i := range l.todo {
			if next < 0 || l.todo[i].at.Before(l.todo[next].at) {
				next = i
			}
		}
		due := l.due(next < 0)
		mail := !due.IsZero() && !due.After(l.cut) && l.clock.Before(l.cut) && (next < 0 || due.Before(l.todo[next].at))
		var err error
		switch {
		case mail:
			if !due.After(l.clock) {
				idle++
			} else {
				l.clock, idle = due, 0
			}
			err = l.mail(ctx)
		case next >= 0:
			t := l.todo[next]
			l.todo = slices.Delete(l.todo, next, next+1)
			if t.at.After(l.clock) {
				l.clock = t.at
			}
			err = t.run(ctx)
		default:
			h.saw(l.id, l.clock)
			return l.stats, nil
		}
		if err != nil {
			return l.stats, err
		}
		if idle > maxIdle {
			return l.stats, fmt.Errorf("nothing moves on at %v", l.clock)
		}
		if l.same {
			l.same = false
			continue
		}
		if l.now, err = h.parts.Cases.Case(ctx, l.id); err != nil {
			return l.stats, err
		}
		l.onBehalf()
	}
}

// due is when the case next has a mail to write. That an invitation ends is noted
// with the step after it, or in one last step when nothing else is to come.
func (l *life) due(last bool) time.Time {
	var mail, ends time.Time
	for i := range l.now.Invites {
		v := &l.now.Invites[i]
		for _, m := range []*survey.Mailing{&v.First, &v.Reminder} {
			if m.State == survey.MailPlanned && (mail.IsZero() || m.DueAt.Before(mail)) {
				mail = m.DueAt
			}
		}
		if !v.Ended && v.ClosesAt.After(ends) && !v.ClosesAt.After(l.cut) {
			ends = v.ClosesAt
		}
	}
	if mail.IsZero() || mail.After(l.cut) {
		if last && !ends.IsZero() {
			return ends
		}
	}
	return mail
}

func (h *history) saw(id string, clock time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if left := h.left[id]; left != nil {
		left.seen = clock
	}
}

// copied keeps the intake from normalising the world's own event.
func copied(e survey.Event) survey.Event {
	if e.Contact != nil {
		k := *e.Contact
		k.SafeDays = slices.Clone(k.SafeDays)
		e.Contact = &k
	}
	return e
}

// mail does what the worker does with a case whose time has come.
func (l *life) mail(ctx context.Context) error {
	var errands []survey.Errand
	if _, err := l.sv.DueCase(ctx, l.id, func(_ context.Context, e survey.Errand) error {
		errands = append(errands, e)
		return nil
	}); err != nil {
		return err
	}
	for _, e := range errands {
		if err := l.deliver(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) deliver(ctx context.Context, e survey.Errand) error {
	m, err := l.sv.Claim(ctx, e)
	var notDue *survey.NotDue
	if errors.As(err, &notDue) {
		if !notDue.Until.IsZero() {
			l.plan(notDue.Until, func(ctx context.Context) error { return l.deliver(ctx, e) })
		}
		return nil
	}
	if err != nil {
		return err
	}
	l.clock = l.clock.Add(2 * time.Second)
	if l.w.Bounces(*l.c) {
		l.stats.Bounced++
		return l.sv.Settled(ctx, e, survey.Rejected)
	}
	if e.Kind == survey.ReminderMail {
		l.stats.Reminders++
		return l.sv.Settled(ctx, e, survey.Delivered)
	}
	l.stats.Invitations++
	l.reply(e, m.Token)
	return l.sv.Settled(ctx, e, survey.Delivered)
}

// reply plans what the reader of an invitation does.
func (l *life) reply(e survey.Errand, token string) {
	r := l.w.Reply(*l.c, e.Stage, e.Round)
	d := l.w.dice(streamReply, uint64(l.c.Index), uint64(e.Round)^key(string(e.Stage)), 3)
	at := l.clock.Add(r.Delay)
	open := 27 * day
	if e.Stage == survey.StageReport {
		open = 13 * day
	}
	if !r.Answers && !r.Refuses && !r.NotMe && l.clock.Add(open).After(l.until) {
		wave := l.until.Add(-time.Duration(d.Float64() * waveHours * float64(time.Hour)))
		q := l.sv.Questionnaires().Current(e.Stage)
		a, _, _ := l.w.Answer(*l.c, e.Stage, e.Round, survey.ModeSelf, q, l.facts(e.Round), wave)
		switch danger := len(q.Hits(a, Language(*l.c, q))) > 0; {
		case l.desk():
			r, at = Reply{Answers: true, unsafe: d.chance(deskUnsafe)}, wave
		case danger && d.chance(waveDanger):
			r, at = Reply{Answers: true}, wave
		case !danger && d.chance(waveShare):
			r, at = Reply{Answers: true, Partial: d.chance(0.35), Pages: 1 + d.IntN(6)}, wave
		}
	}
	switch {
	case r.Answers:
		l.plan(at, func(ctx context.Context) error { return l.answer(ctx, e, token, r) })
	case r.Refuses || r.NotMe:
		l.plan(l.clock.Add(20*time.Hour), func(ctx context.Context) error {
			l.stats.Refused++
			return closed(l.sv.Refuse(ctx, token, r.NotMe))
		})
	}
}

// closed forgives a link that opens nothing any more: the person is told so, and that is all.
func closed(err error) error {
	if survey.IsClosed(err) {
		return nil
	}
	return err
}

// desk reports whether the case is the first advocate's.
func (l *life) desk() bool { return l.c.Advocate == advocates[0].value }

// facts are what the case says at this moment to whoever routes its questions.
func (l *life) facts(round int) questionnaires.Facts {
	return questionnaires.Facts{Outcome: l.now.Facts.Outcome, Charged: l.now.Facts.Charged, Rounds: round}
}

// answer is one person at their questionnaire.
func (l *life) answer(ctx context.Context, e survey.Errand, token string, r Reply) error {
	q := l.sv.Questionnaires().Current(e.Stage)
	a, ticks, quick := l.w.Answer(*l.c, e.Stage, e.Round, survey.ModeSelf, q, l.facts(e.Round), l.clock)
	if it, asked := q.Item("core.safer"); asked && r.unsafe && !quick {
		a[it.ID] = it.Choose("much-less-safe")
	}
	_, st, err := l.sv.Begin(ctx, token, Language(*l.c, q), quick)
	if err != nil {
		return closed(err)
	}
	if m := l.parts.Meant; m != nil && !r.Partial {
		m.add(st.Response, l.w.Words(*l.c, e.Stage, e.Round, survey.ModeSelf, q, l.facts(e.Round), l.clock))
	}
	pages := q.Route(a, l.facts(e.Round), quick)
	if r.Partial {
		l.stats.Responses++
		l.stats.Partial++
		for _, p := range pages[:min(r.Pages, len(pages))] {
			if err := l.sv.Save(ctx, st, p, a); err != nil {
				return closed(err)
			}
			l.clock = l.clock.Add(partialTime)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.closings, l.left[l.id] = append(l.closings, st.ClosesAt), &leftCase{c: l.c, seen: l.clock}
		return nil
	}
	return l.finish(ctx, st, pages, a, ticks, r.Regrets)
}

// finish saves a whole sitting and sends it. The pages after the first are saved
// in one act: what is kept is the same, at a tenth of the writes.
func (l *life) finish(ctx context.Context, st survey.Sitting, pages []questionnaires.Page, a questionnaires.Answers, ticks survey.Ticks, regrets time.Duration) error {
	if len(pages) == 0 {
		return nil
	}
	rest := questionnaires.Page{ID: pages[0].ID}
	for _, p := range pages[1:] {
		rest.Items = append(rest.Items, p.Items...)
	}
	for _, p := range []questionnaires.Page{pages[0], rest} {
		if err := l.sv.Save(ctx, st, p, a); err != nil {
			return closed(err)
		}
		l.clock = l.clock.Add(time.Duration(20+12*len(p.Items)) * time.Second)
	}
	if err := l.tell(ctx, st); err != nil {
		return closed(err)
	}
	resp, code, err := l.sv.Submit(ctx, st, ticks)
	if err != nil {
		return closed(err)
	}
	switch st.Mode {
	case survey.ModeRelayed:
		l.stats.Relayed++
	case survey.ModeObserved:
		l.stats.Observed++
	default:
		l.stats.Responses++
	}
	if err := l.follow(ctx, &resp); err != nil {
		return err
	}
	if regrets > 0 {
		l.plan(l.clock.Add(regrets), func(ctx context.Context) error {
			left, err := l.sv.WithdrawAnswers(ctx, code)
			if err != nil {
				return closed(err)
			}
			return l.lp.FollowUp(ctx, &left)
		})
	}
	return nil
}

// tell is what the person says of themselves, where they are asked.
func (l *life) tell(ctx context.Context, st survey.Sitting) error {
	if st.Mode != survey.ModeSelf || st.Quick {
		return nil
	}
	sh, err := l.sv.Sheet(ctx, st)
	if err != nil || len(sh.About.Pages) == 0 {
		return err
	}
	a := l.w.About(*l.c, sh.About.Questionnaire)
	if len(a) > 0 {
		l.stats.Told++
	}
	return l.sv.SaveAbout(ctx, st, questionnaires.Page{Items: sh.About.Questionnaire.Items}, a)
}

// follow does what follows from a kept response, and plans what people do about it.
func (l *life) follow(ctx context.Context, r *survey.Response) error {
	if err := l.lp.FollowUp(ctx, r); err != nil {
		return err
	}
	if r.Uncoded {
		l.stats.Texts++
		if err := l.an.Code(ctx, r); err != nil {
			return err
		}
	}
	if len(r.Hits) > 0 {
		l.stats.Alerts++
		l.tend(r)
	}
	return nil
}

// onBehalf plans what the case's advocate answers for the victim, once an
// invitation is in sight.
func (l *life) onBehalf() {
	for i := range l.now.Invites {
		v := &l.now.Invites[i]
		name := fmt.Sprintf("%s %d", v.Stage, v.Round)
		if l.asked[name] || v.AnchorAt.After(l.clock) {
			continue
		}
		l.asked[name] = true
		mode, delay, ok := l.w.OnBehalf(*l.c, v.Stage, v.Round)
		if !ok {
			continue
		}
		stage, round := v.Stage, v.Round
		l.plan(v.AnchorAt.Add(delay), func(ctx context.Context) error { return l.relay(ctx, stage, round, mode) })
	}
}

func (l *life) advocate() survey.Actor {
	if l.parts.Advocate != nil {
		return l.parts.Advocate(l.c.Advocate)
	}
	return Colleague()
}

// Colleague is the made-up account of the advocates who have none of their own.
func Colleague() survey.Actor { return survey.Actor{ID: "synthetic-advocate", Role: "advocate"} }

// relay is an advocate who answers for a victim; where that cannot be any more,
// they leave it.
func (l *life) relay(ctx context.Context, stage survey.Stage, round int, mode survey.Mode) error {
	var consent *survey.Consent
	if mode == survey.ModeRelayed {
		d := l.w.dice(streamStaff, uint64(l.c.Index), 1)
		consent = &survey.Consent{How: pick(d, survey.ConsentWays()), At: l.clock.Add(-d.between(0, 2*day))}
	}
	_, st, err := l.sv.BeginFor(ctx, l.advocate(), l.now.Facts.Advocate, l.id, stage, round, mode, consent)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	q := l.sv.Questionnaires().Current(stage)
	a, ticks, _ := l.w.Answer(*l.c, stage, round, mode, q, l.facts(round), l.clock)
	if mode == survey.ModeObserved {
		ticks = survey.Ticks{}
	}
	return l.finish(ctx, st, q.Route(a, l.facts(round), false), a, ticks, 0)
}

// How soon alerts are looked at, and how many wait at the end of a history.
const (
	shareLate     = 0.04 // looked at after the working day
	newAlerts     = 2 * day
	recentAlerts  = 20 * day
	shareUntaken  = 0.6  // of the new ones: nobody has looked yet
	shareOverdue  = 0.07 // of the recent ones: nobody has, and should have
	shareStillOwn = 0.5  // of the recent ones: taken and not settled yet
)

var alertNotes = []string{
	"Spoke on the agreed number. Safety plan looked at together.", "Called back at the agreed time; no change since.", "Left word by the agreed route, reached them the next day.",
	"Support worker is seeing them this week.", "Read the answers, known already and in hand.", "Went through the risk questions again.", "",
}

// tend plans how somebody looks at an alert.
func (l *life) tend(r *survey.Response) {
	d := l.w.dice(streamStaff, uint64(l.c.Index), uint64(r.Round)^key(string(r.Stage)), key(string(r.Mode)))
	left := l.until.Sub(l.clock)
	if left < newAlerts && d.chance(shareUntaken) || left >= newAlerts && left < recentAlerts && d.chance(shareOverdue) {
		return
	}
	delay := d.between(20*time.Minute, 7*time.Hour)
	if d.chance(shareLate) {
		delay = d.between(2*day, 5*day)
	}
	settled := delay + d.between(10*time.Minute, 30*time.Hour)
	if left < recentAlerts && d.chance(shareStillOwn) {
		settled = left + day
	}
	outcome, note := pick(d, loop.AlertOutcomes()), pick(d, alertNotes)
	by := loop.Viewer{Actor: l.advocate(), Advocate: l.now.Facts.Advocate}
	if by.Advocate == "" {
		by = loop.Viewer{Actor: survey.Actor{ID: "synthetic-team", Role: "administrator"}, All: true}
	}
	find := func(ctx context.Context) (string, error) {
		alerts, err := l.lp.Alerts(ctx, by, loop.AlertOpen, loop.AlertTaken)
		for _, a := range alerts {
			if a.Response == r.ID {
				return a.ID, err
			}
		}
		return "", err
	}
	raised := l.clock
	l.plan(raised.Add(delay), func(ctx context.Context) error {
		l.same = true
		id, err := find(ctx)
		if err != nil || id == "" {
			return err // taken back meanwhile, or nobody of ours may see it
		}
		if _, err := l.lp.Take(ctx, by, id); err != nil {
			return err
		}
		l.stats.Taken++
		l.plan(raised.Add(settled), func(ctx context.Context) error {
			l.same = true
			if id, err := find(ctx); err != nil || id == "" {
				return err
			}
			l.stats.Resolved++
			_, err := l.lp.Close(ctx, by, id, outcome, note)
			return err
		})
		return nil
	})
}

// closeDrafts ends what was left half-way, each at its own time, and does what
// follows. It comes after all lives, since the service closes drafts of every
// case at once.
func (h *history) closeDrafts(ctx context.Context) (Stats, error) {
	slices.SortFunc(h.closings, time.Time.Compare)
	last := time.Time{}
	for _, at := range h.closings {
		if at.After(h.until) {
			break // still open
		}
		if !at.After(last) {
			continue
		}
		last = at.Add(6 * time.Hour)
		clock := last
		if clock.After(h.until) {
			clock = h.until
		}
		if _, err := h.parts.Survey.At(func() time.Time { return clock }).CloseDrafts(ctx, 1000); err != nil {
			return h.stats, err
		}
	}
	for {
		waiting, err := h.parts.Survey.ToFollowUp(ctx, 500)
		if err != nil {
			return h.stats, err
		}
		if len(waiting) == 0 {
			return h.stats, nil
		}
		by := map[string][]*survey.Response{} // one after another in each case
		for i := range waiting {
			by[waiting[i].Respondent] = append(by[waiting[i].Respondent], &waiting[i])
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(livesAtOnce)
		for _, rs := range by {
			g.Go(func() error {
				slices.SortFunc(rs, func(a, b *survey.Response) int { return a.SubmittedAt.Compare(b.SubmittedAt) })
				for _, r := range rs {
					if err := h.followPartial(ctx, r); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return h.stats, err
		}
	}
}

// followPartial does what follows from a response that was kept in part.
func (h *history) followPartial(ctx context.Context, r *survey.Response) error {
	c, err := h.parts.Cases.CaseOf(ctx, r.Respondent)
	if err != nil {
		return err
	}
	left := h.left[c.ID] // nobody writes there any more
	if left == nil {
		return fmt.Errorf("response %s was left half-way by nobody", r.ID)
	}
	l := h.at(left.c, r.SubmittedAt)
	l.id, l.now = c.ID, c
	if err := l.follow(ctx, r); err != nil {
		return err
	}
	for len(l.todo) > 0 {
		t := l.todo[0]
		l.todo, l.clock = l.todo[1:], t.at
		if err := t.run(ctx); err != nil {
			return err
		}
	}
	if l.clock = left.seen; l.clock.After(r.SubmittedAt) { // the plan as it was when the case was last looked at
		if err := l.mail(ctx); err != nil {
			return err
		}
	}
	h.count(l.stats)
	return nil
}
