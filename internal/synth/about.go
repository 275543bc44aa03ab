package synth

import (
	"victimvoice/survey/questionnaires"
)

// shareTells is how many of those who are asked about themselves tell something,
// and shareMum how many of each question they leave out all the same.
const (
	shareTells = 0.72
	shareMum   = 0.06
)

// aboutMarginals are the shares of what people tell about themselves: of
// Londoners in the census of 2021 (Office for National Statistics, tables TS021,
// TS030, TS038, TS077 and TS078), rounded, with about a tenth who rather do not
// say where the census had as many. Age and sex are the case's.
var aboutMarginals = map[string][]share[string]{
	"about.gender":      {{"same", 91}, {"different", 1}, {"prefer-not", 8}},
	"about.ethnicity":   {{"white", 54}, {"asian", 21}, {"black", 13}, {"mixed", 6}, {"other", 6}},
	"about.disability":  {{"no", 83}, {"yes", 14}, {"prefer-not", 3}},
	"about.orientation": {{"heterosexual", 86}, {"gay-or-lesbian", 2.5}, {"bisexual", 1.5}, {"other", 0.5}, {"prefer-not", 9.5}},
	"about.religion":    {{"christian", 41}, {"none", 27}, {"muslim", 15}, {"hindu", 5}, {"jewish", 1.7}, {"sikh", 1.6}, {"buddhist", 0.9}, {"other", 1}, {"prefer-not", 7}},
}

// About gives what a case's person tells about themselves when they are asked, the
// same whichever case it is and whenever; nothing at all from those who pass it over.
func (w *World) About(c Case, q *questionnaires.Questionnaire) questionnaires.Answers {
	d := w.dice(streamAbout, uint64(c.Person))
	a := questionnaires.Answers{}
	if !d.chance(shareTells) {
		return a
	}
	for i := range q.Items {
		it := &q.Items[i]
		d := w.dice(streamAbout, uint64(c.Person), key(it.ID))
		if d.chance(shareMum) {
			continue
		}
		code := map[string]string{"about.age": c.AgeBand, "about.sex": c.Sex}[it.ID]
		if list := aboutMarginals[it.ID]; list != nil {
			code = draw(d, list)
		}
		if _, ok := it.Option(code); ok {
			a[it.ID] = it.Choose(code)
		}
	}
	return a
}
