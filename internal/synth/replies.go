package synth

import (
	"math"
	"time"

	"victimvoice/survey"
)

// responding is the share of mailed people who answer, by stage.
var responding = map[survey.Stage]float64{
	survey.StageReport: 0.42, survey.StageInvestigation: 0.36, survey.StageClosure: 0.34, survey.StageWithdrawn: 0.25,
}

// The shares of other things that become of a mail.
const (
	sharePartial  = 0.09  // of those who answer: begun and left
	shareReminded = 0.28  // of those who answer: only after the reminder
	shareBounce   = 0.012 // of people: the address takes no mail
	shareStop     = 0.012 // of mails: asks for no more
	shareNotMe    = 0.003 // of mails: reached somebody else
	shareRegret   = 0.004 // of answers: taken back later by the receipt code
)

// Reply is what becomes of a mailed invitation.
type Reply struct {
	Answers bool
	Partial bool          // begins, answers a few questions and does not come back
	Pages   int           // of a partial one: how many pages
	Delay   time.Duration // from the first mail
	Refuses bool          // asks for no more mail, or
	NotMe   bool          // says that it is somebody else's
	Regrets time.Duration // takes a full answer back so long after; 0: does not

	unsafe bool // and says that they are much less safe
}

// Responds says whether a mailed person answers at a stage and round, how long
// after the first mail, and whether only in part.
func (w *World) Responds(c Case, stage survey.Stage, round int) (ok bool, delay time.Duration, partial bool) {
	r := w.Reply(c, stage, round)
	return r.Answers, r.Delay, r.Partial
}

// Reply is Responds with everything else that may become of an invitation.
func (w *World) Reply(c Case, stage survey.Stage, round int) Reply {
	d := w.dice(streamReply, uint64(c.Index), uint64(round)^key(string(stage)))
	eager := w.dice(streamReply, uint64(c.Person)).NormFloat64()
	p := responding[stage] - 0.03*float64(round-1)
	x := math.Log(p/(1-p)) + 0.6*eager
	if c.Language != "en" {
		x -= 0.55
	}
	if c.Abuse {
		x -= 0.05
	} else {
		x += 0.25
	}
	switch c.AgeBand {
	case "18-24":
		x -= 0.25
	case "45-54", "55-64", "65-over":
		x += 0.2
	}
	r := Reply{Answers: d.chance(logistic(x)), Partial: d.chance(sharePartial), Pages: 1 + d.IntN(5)}
	r.Partial = r.Partial && r.Answers
	r.Delay = time.Duration(math.Exp(math.Log(9)+1.3*d.NormFloat64()) * float64(time.Hour))
	if d.chance(shareReminded) || r.Delay > 4*day {
		r.Delay = 5*day + d.between(2*time.Hour, 10*time.Hour) + d.after(20*time.Hour)
	}
	r.Delay = min(max(r.Delay, 4*time.Minute), 13*day).Truncate(time.Second)
	if !r.Answers {
		r.Refuses, r.NotMe = d.chance(shareStop), d.chance(shareNotMe)
	} else if !r.Partial && d.chance(shareRegret) {
		r.Regrets = d.between(time.Hour, 20*day)
	}
	return r
}

// Bounces says whether mail to the case's address comes back for good.
func (w *World) Bounces(c Case) bool {
	return w.dice(streamReply, uint64(c.Person), 2).chance(shareBounce)
}

// OnBehalf says whether the case's advocate answers for the victim at a stage
// and round, in which mode, and how long after its time has come. People who
// cannot be written to, or not in their language, are heard in this way most.
func (w *World) OnBehalf(c Case, stage survey.Stage, round int) (mode survey.Mode, delay time.Duration, ok bool) {
	d := w.dice(streamStaff, uint64(c.Index), uint64(round)^key(string(stage)))
	relayed, observed := 0.05, 0.06
	if c.Email == "" || !c.Safe || c.Language != "en" || !c.Adult {
		relayed = 0.2
	}
	delay = 8*day + d.after(3*day)
	switch r := d.Float64(); {
	case c.Advocate == "" || r >= relayed+observed:
		return "", 0, false
	case r < relayed:
		return survey.ModeRelayed, delay, true
	default:
		return survey.ModeObserved, delay, true
	}
}
