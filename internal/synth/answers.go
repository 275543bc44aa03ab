package synth

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

// loadings say how much of an item's latent answer comes from how the case was
// handled, and how much from the person's trust in the police; the rest is the
// item's own. This is what makes being kept informed and confidence go together.
var loadings = map[string][2]float64{
	"core.confidence": {0.60, 0.45}, "core.informed": {0.75, 0.20}, "core.advice": {0.50, 0.30}, "core.serious": {0.62, 0.38},
	"core.safer": {0.45, 0.25}, "core.overall": {0.72, 0.38},
	"inv.chase": {0.70, 0.15}, "inv.timely": {0.65, 0.10}, "close.thorough": {0.60, 0.40}, "close.again": {0.35, 0.60},
	"wd.report": {0.30, 0.60}, "inv.continue": {0.30, 0.45}, "inv.ongoing": {0.10, 0.05}, "close.safe": {0.30, 0.15}, "wd.safe": {0.25, 0.15},
}

var otherLoadings = [2]float64{0.45, 0.20}

// latent is the hidden answer of a person to an item: about normal with mean 0
// and spread 1, higher is better for the victim. HarmfulAdvice is an item here.
func (w *World) latent(c *Case, stage survey.Stage, round int, mode survey.Mode, item string, at time.Time) float64 {
	i, p := uint64(c.Index), uint64(c.Person)
	when := uint64(round) ^ key(string(stage))
	trust := w.dice(streamTraits, p, 1).NormFloat64()
	quality := 0.85*w.dice(streamTraits, i, 2).NormFloat64() + 0.53*w.dice(streamTraits, i, 3, when).NormFloat64()
	own := w.dice(streamTraits, i, 4, when, key(item), key(string(mode))).NormFloat64()
	l, ok := loadings[item]
	if !ok {
		l = otherLoadings
	}
	z := l[0]*quality + l[1]*trust + math.Sqrt(1-l[0]*l[0]-l[1]*l[1])*own
	return z + leaning(c, stage, item) + w.effect(item, c.BCU, at)
}

// leaning is how the course of the case moves its answers.
func leaning(c *Case, stage survey.Stage, item string) float64 {
	z := (float64(key(c.BCU)>>40%1000)/1000 - 0.5) * 0.24 // units differ a little
	switch stage {
	case survey.StageReport:
		z += 0.12
	case survey.StageInvestigation:
		z -= 0.05
	case survey.StageWithdrawn:
		z -= 0.1
	}
	if !c.WithdrewAt.IsZero() {
		z -= 0.22
		if item == "core.confidence" {
			z -= 0.15
		}
	}
	if stage == survey.StageReport || !c.WithdrewAt.IsZero() {
		return z
	}
	switch c.Outcome {
	case "charged", "convicted", "cautioned":
		z += 0.75
	case "acquitted":
		z += 0.1
	case "nfa-evidential", "nfa-other":
		z -= 0.2
	}
	return z
}

// Latent gives the truth behind an answer: the person's hidden answer to an item
// with every planted effect in it, on a scale with mean 0 and spread 1, higher
// being better for the victim. HarmfulAdvice stands for the harmful codes together.
func (w *World) Latent(c Case, stage survey.Stage, round int, item string, at time.Time) float64 {
	return w.latent(&c, stage, round, survey.ModeSelf, item, at)
}

// marginals are the shares of an item's answers, worst for the victim first, as
// they come out where nothing moves them. An item without an entry takes its
// scale's.
var marginals = map[string][]share[string]{
	"core.confidence": {{"not-at-all", 24}, {"not-very", 32}, {"fairly", 31}, {"very", 13}},
	"core.informed":   {{"not-at-all-well", 26}, {"not-very-well", 29}, {"fairly-well", 30}, {"very-well", 15}},
	"core.advice":     {{"strongly-disagree", 13}, {"disagree", 18}, {"neither", 24}, {"agree", 31}, {"strongly-agree", 14}},
	"core.serious":    {{"strongly-disagree", 15}, {"disagree", 18}, {"neither", 15}, {"agree", 30}, {"strongly-agree", 22}},
	"core.safer":      {{"much-less-safe", 5}, {"bit-less-safe", 13}, {"no-different", 58}, {"bit-safer", 17}, {"much-safer", 7}},
	"core.overall":    {{"very-dissatisfied", 20}, {"fairly-dissatisfied", 18}, {"neither", 13}, {"fairly-satisfied", 29}, {"very-satisfied", 20}},
	"report.named":    {{"no", 76}, {"yes", 24}},
	"report.pattern":  {{"no", 52}, {"yes", 48}},
	"report.risk":     {{"no", 86}, {"yes", 14}},
	"report.contact":  {{"no", 50}, {"one", 32}, {"both", 18}},
	"report.support":  {{"not-offered", 44}, {"yes-not-wanted", 20}, {"yes-wanted", 36}},
	"inv.officers":    {{"nobody", 14}, {"4-or-more", 9}, {"3", 14}, {"2", 26}, {"1", 37}},
	"inv.chase":       {{"always", 24}, {"mostly", 29}, {"sometimes", 30}, {"never", 17}},
	"inv.timely":      {{"someone-else", 16}, {"later", 34}, {"within-five-days", 31}, {"within-day", 19}},
	"inv.orders":      {{"wrong", 7}, {"not-explained", 51}, {"partly", 24}, {"clearly", 18}},
	"inv.vps":         {{"no", 74}, {"yes", 26}},
	"inv.ongoing":     {{"got-worse", 7}, {"same", 35}, {"stopped", 58}},
	"close.told":      {{"found-out", 13}, {"other", 5}, {"advocate", 9}, {"letter-or-email", 38}, {"officer", 35}},
	"close.review":    {{"no", 79}, {"yes", 21}},
	"close.plan":      {{"no", 80}, {"yes", 20}},
	"close.safe":      {{"very-unsafe", 7}, {"fairly-unsafe", 24}, {"neither", 22}, {"fairly-safe", 36}, {"very-safe", 11}},
	"wd.safe":         {{"very-unsafe", 7}, {"fairly-unsafe", 22}, {"neither", 23}, {"fairly-safe", 36}, {"very-safe", 12}},
	"wd.support":      {{"no", 46}, {"yes", 54}},
	"advice.risk":     {{"yes", 7}, {"no", 93}},
	"advice.harm":     {{"yes", 12}, {"no", 88}},

	"A5": {{"strongly-disagree", 16}, {"disagree", 23}, {"neither", 20}, {"agree", 28}, {"strongly-agree", 13}},
	"L5": {{"very-unlikely", 13}, {"fairly-unlikely", 14}, {"neither", 13}, {"fairly-likely", 31}, {"very-likely", 29}},
	"Y3": {{"no", 55}, {"yes", 45}},
}

// elsewhere is how often an option that is no valid answer is chosen, by item;
// unsure where the item has no entry.
var elsewhere = map[string]float64{
	"core.advice": 0.12, "inv.timely": 0.34, "inv.evidence": 0.22, "inv.orders": 0.38, "close.court": 0.45, "advice.harm": 0.14,
	"wd.reasons": 0.05, "wd.main": 0.08, "advice.risk": 0.10,
}

const (
	unsure    = 0.11
	shareSkip = 0.03 // of questions shown
	shareText = 0.35 // of full answers have words
)

// advice is how often each code is named where nothing moves it.
var advice = map[string]float64{
	"change-number": 0.050, "block": 0.075, "ignore": 0.045, "leave-social-media": 0.035, "delete-evidence": 0.010, "engage": 0.008,
	"have-a-word": 0.010, "not-a-crime": 0.035, "wait-for-worse": 0.035, "evidence-first": 0.040, "change-your-life": 0.028,
	"order-misinformation": 0.015, "civil-matter": 0.015, "minimise-or-blame": 0.018, "drop-it": 0.015,

	"report-every-incident": 0.46, "keep-diary": 0.34, "keep-evidence": 0.42, "no-contact": 0.24, "tell-trusted-people": 0.15,
	"check-devices": 0.07, "second-phone": 0.03, "specialist-support": 0.21, "risk-checklist": 0.09, "safety-plan": 0.11,
	"orders-explained": 0.10, "link-incidents": 0.20, "code-rights": 0.06, "vps-offered": 0.06, "breach-response": 0.05,

	"change-passwords": 0.13, "vary-route": 0.09, "cctv-alarm-locks": 0.15, "move-temporarily": 0.05, "block-after-securing": 0.03, "one-clear-message": 0.03,
}

// harmful are the codes that HarmfulAdvice stands for (the shipped table, version 1).
var harmful = []string{
	"change-number", "block", "ignore", "leave-social-media", "delete-evidence", "engage", "have-a-word", "not-a-crime", "wait-for-worse",
	"evidence-first", "change-your-life", "order-misinformation", "civil-matter", "minimise-or-blame", "drop-it",
}

// adviceOrder are all codes in a fixed order, so that the same draws mean the same codes.
var adviceOrder = func() []string {
	out := make([]string, 0, len(advice))
	for code := range advice {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}()

var contextual = []string{"change-passwords", "vary-route", "cctv-alarm-locks", "move-temporarily", "block-after-securing", "one-clear-message"}

// reasons is how often each is part of a decision to step back, and whether the
// police's work makes it rarer.
var reasons = []struct {
	code   string
	p      float64
	police bool
}{
	{"not-court", 0.34, false}, {"my-safety", 0.25, false}, {"police-would-not-act", 0.29, true}, {"not-informed", 0.21, true}, {"too-slow", 0.24, true},
	{"not-enough-evidence", 0.18, false}, {"blamed", 0.13, true}, {"mental-health", 0.38, false}, {"life", 0.16, false}, {"police-pressure", 0.04, true},
	{"other-pressure", 0.08, false}, {"stopped", 0.16, false}, {"something-else", 0.06, false},
}

// sheet is one person filling one questionnaire in.
type sheet struct {
	w     *World
	c     *Case
	q     *questionnaires.Questionnaire
	stage survey.Stage
	round int
	mode  survey.Mode
	at    time.Time
	d     dice
	a     questionnaires.Answers
}

// Answer gives what a person (or the advocate, by the mode) answers to a
// questionnaire at an instant, settled on its route, with the permissions they
// tick and whether they take the quick path. Facts decide the route, as they do
// for a real answer.
func (w *World) Answer(c Case, stage survey.Stage, round int, mode survey.Mode, q *questionnaires.Questionnaire, facts questionnaires.Facts, at time.Time) (questionnaires.Answers, survey.Ticks, bool) {
	i, when := uint64(c.Index), uint64(round)^key(string(stage))
	s := &sheet{w: w, c: &c, q: q, stage: stage, round: round, mode: mode, at: at, d: w.dice(streamAnswers, i, when, key(string(mode))), a: questionnaires.Answers{}}
	quick := mode == survey.ModeSelf && s.d.chance(0.18)
	ticks := survey.Ticks{Quote: s.d.chance(0.22), Told: s.d.chance(0.10), Contact: s.d.chance(0.18), Share: c.Advocate != "" && s.d.chance(0.35)}
	writes := s.d.chance(shareText)
	for n := range q.Items {
		it := &q.Items[n]
		d := w.dice(streamAnswers, i, when, key(string(mode)), key(it.ID)) // of its own, so that one item's draws leave the others alone
		switch {
		case it.Kind == questionnaires.Words:
			if writes && !quick && d.chance(0.8) {
				t := w.text(w.dice(streamWords, i, when, key(string(mode)), key(it.ID)), &c, stage, round, mode, it.ID, Language(c, q), at)
				s.a[it.ID] = questionnaires.Answer{State: questionnaires.Answered, Text: t.Body}
			} else {
				s.a[it.ID] = questionnaires.Answer{State: questionnaires.Skipped}
			}
		case d.chance(shareSkip):
			s.a[it.ID] = questionnaires.Answer{State: questionnaires.Skipped}
		case it.Kind == questionnaires.Multi:
			s.a[it.ID] = it.Choose(s.several(d, it)...)
		default:
			s.a[it.ID] = it.Choose(s.one(d, it))
		}
	}
	return q.Settle(s.a, facts, quick), ticks, quick
}

// Words gives the free texts of an answer with what was meant by them, by item:
// the same that Answer puts in, settled or not.
func (w *World) Words(c Case, stage survey.Stage, round int, mode survey.Mode, q *questionnaires.Questionnaire, facts questionnaires.Facts, at time.Time) map[string]Text {
	a, _, _ := w.Answer(c, stage, round, mode, q, facts, at)
	i, when := uint64(c.Index), uint64(round)^key(string(stage))
	out := map[string]Text{}
	for id, ans := range a {
		if ans.Text != "" {
			out[id] = w.text(w.dice(streamWords, i, when, key(string(mode)), key(id)), &c, stage, round, mode, id, Language(c, q), at)
		}
	}
	return out
}

// Language is the language in which a person answers a questionnaire: their own
// where it exists in that, else English.
func Language(c Case, q *questionnaires.Questionnaire) string {
	if slices.Contains(q.Languages, c.Language) {
		return c.Language
	}
	return "en"
}

func (s *sheet) latent(item string) float64 {
	return s.w.latent(s.c, s.stage, s.round, s.mode, item, s.at)
}

// one answers an item with one choice.
func (s *sheet) one(d dice, it *questionnaires.Item) string {
	if it.ID == "wd.main" {
		return s.mainReason(d, it)
	}
	var aside string
	for _, o := range it.Options {
		if o.State != questionnaires.Answered {
			aside = o.Code
		}
	}
	p, ok := elsewhere[it.ID]
	if !ok {
		p = unsure
	}
	if aside != "" && d.chance(p) {
		return aside
	}
	z := s.latent(it.ID)
	if it.ID == "advice.risk" && slices.ContainsFunc(s.a["advice.codes"].Choices, isHarmful) {
		z -= 0.9
	}
	return quantile(order(it), normal(z))
}

// order gives an item's valid options with their shares, worst first.
func order(it *questionnaires.Item) []share[string] {
	for _, name := range []string{it.ID, it.Scale} {
		if m := marginals[name]; len(m) > 0 && !slices.ContainsFunc(m, func(s share[string]) bool { _, ok := it.Option(s.value); return !ok }) {
			if name == "Y3" && it.LowerIsBetter() {
				return []share[string]{{"yes", 20}, {"no", 80}}
			}
			return m
		}
	}
	var valid []questionnaires.Option
	for _, o := range it.Options {
		if o.State == questionnaires.Answered {
			valid = append(valid, o)
		}
	}
	slices.SortStableFunc(valid, func(a, b questionnaires.Option) int { return cmp.Compare(score(a), score(b)) })
	out := make([]share[string], len(valid))
	for i, o := range valid {
		out[i] = share[string]{o.Code, 1}
	}
	return out
}

func score(o questionnaires.Option) float64 {
	if o.Score == nil {
		return 0
	}
	return *o.Score
}

// quantile gives the option at a point between 0 (worst) and 1 (best).
func quantile(list []share[string], u float64) string {
	total := 0.0
	for _, s := range list {
		total += s.weight
	}
	u *= total
	for _, s := range list {
		if u -= s.weight; u < 0 {
			return s.value
		}
	}
	return list[len(list)-1].value
}

func isHarmful(code string) bool { return slices.Contains(harmful, code) }

// several answers an item with any number of choices.
func (s *sheet) several(d dice, it *questionnaires.Item) []string {
	switch {
	case it.ID == "advice.codes":
		return s.advice(d)
	case strings.HasSuffix(it.ID, ".which"):
		return s.which(d, it)
	case it.ID == "wd.reasons":
		return s.reasons(d)
	default:
		return []string{pick(d, it.Options).Code}
	}
}

// advice draws what the person was told to do.
func (s *sheet) advice(d dice) []string {
	if s.a["core.advice"].State == questionnaires.NotApplicable && d.chance(0.7) || d.chance(0.05) {
		return []string{"no-advice"}
	}
	base := 0.5 * s.latent("core.advice")
	bad := base + s.w.effect(HarmfulAdvice, s.c.BCU, s.at)
	later := 1.0
	if s.stage != survey.StageReport {
		later = 0.8 // "since you last answered"
	}
	var out []string
	for _, code := range adviceOrder {
		z := probit(advice[code] * later)
		switch {
		case isHarmful(code):
			z -= bad + s.w.effect(code, s.c.BCU, s.at)
		case !slices.Contains(contextual, code):
			z += base + s.w.effect(code, s.c.BCU, s.at)
		}
		if d.chance(normal(z)) {
			out = append(out, code)
		}
	}
	if len(out) == 0 {
		return []string{"none-of-these"}
	}
	return out
}

// which draws the advice that worried or harmed the person, of what they were told.
func (s *sheet) which(d dice, it *questionnaires.Item) []string {
	var offered []string
	if told, asked := s.a["advice.codes"]; asked {
		for _, code := range told.Choices {
			if _, ok := it.Option(code); ok {
				offered = append(offered, code)
			}
		}
	} else {
		offered = harmful
	}
	if bad := slices.DeleteFunc(slices.Clone(offered), func(code string) bool { return !isHarmful(code) }); len(bad) > 0 {
		offered = bad
	}
	if len(offered) == 0 || d.chance(0.1) {
		return []string{"something-else"}
	}
	first := pick(d, offered)
	if second := pick(d, offered); second != first && d.chance(0.3) {
		return []string{first, second}
	}
	return []string{first}
}

// reasons draws why somebody stepped back.
func (s *sheet) reasons(d dice) []string {
	if d.chance(elsewhere["wd.reasons"]) {
		return []string{"rather-not-say"}
	}
	z := 0.5 * s.latent("core.confidence")
	var out []string
	for _, r := range reasons {
		p := r.p
		if r.police {
			p = normal(probit(p) - z)
		}
		if d.chance(p) {
			out = append(out, r.code)
		}
	}
	if len(out) == 0 {
		return []string{"something-else"}
	}
	return out
}

func (s *sheet) mainReason(d dice, it *questionnaires.Item) string {
	chosen := s.a["wd.reasons"].Choices
	if len(chosen) == 0 || d.chance(elsewhere["wd.main"]) {
		return "no-main-one"
	}
	main := pick(d, chosen)
	if _, ok := it.Option(main); !ok {
		return "no-main-one"
	}
	return main
}
