package synth

import (
	"embed"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"victimvoice/survey"
)

//go:embed words/*.txt
var wordFiles embed.FS

// Polarities of a theme, from the victim's side.
const (
	Positive = "positive"
	Negative = "negative"
)

// Label is a theme that was put into a text on purpose, and where: the clause
// that carries it, which is longer than the shortest evidence would be.
type Label struct {
	Code     string
	Polarity string
	Start    int // bytes of the body, half-open
	End      int
}

// Text is one free-text answer with what was meant by it.
type Text struct {
	Body     string
	Labels   []Label // what was meant, in order of place; a text in another language than English carries none
	Danger   bool    // holds words of danger on purpose
	Personal bool    // holds something to redact on purpose
}

type themeKey struct{ code, polarity string }

// grammar is what texts are made of.
type grammar struct {
	codes    []string
	clauses  map[themeKey][]string
	short    map[themeKey][]string // the empty key: nothing to code
	shorts   []themeKey            // in the order of the file
	parts    map[string][]string   // opener, closer, none, danger, personal
	slots    map[string][]string
	language map[string][]string
}

var theGrammar = sync.OnceValue(func() *grammar {
	g := &grammar{clauses: map[themeKey][]string{}, short: map[themeKey][]string{}, parts: map[string][]string{}, slots: map[string][]string{}, language: map[string][]string{}}
	for _, name := range []string{"en1", "en2", "en3", "other"} {
		b, err := wordFiles.ReadFile("words/" + name + ".txt")
		if err != nil {
			panic("synth: " + err.Error()) // a file embedded with the program is missing
		}
		var add func(line string)
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				add = g.section(strings.Fields(strings.Trim(line, "[]")))
			default:
				add(line)
			}
		}
	}
	return g
})

// section gives what to do with the lines under a heading.
func (g *grammar) section(f []string) func(string) {
	into := func(m map[string][]string, k string) func(string) { return func(s string) { m[k] = append(m[k], s) } }
	switch {
	case f[0] == "slot":
		return into(g.slots, f[1])
	case f[0] == "short":
		k := themeKey{}
		if len(f) == 3 {
			k = themeKey{f[1], f[2]}
		}
		g.shorts = append(g.shorts, k)
		return func(s string) { g.short[k] = append(g.short[k], s) }
	case len(f) == 2:
		k := themeKey{f[0], f[1]}
		if !slices.Contains(g.codes, f[0]) {
			g.codes = append(g.codes, f[0])
		}
		return func(s string) { g.clauses[k] = append(g.clauses[k], s) }
	case len(f[0]) == 2:
		return into(g.language, f[0])
	default:
		return into(g.parts, f[0])
	}
}

// themeItem is the item whose latent answer decides how a theme is spoken of.
var themeItem = map[string]string{
	"COM": "core.informed", "RES": "core.serious", "INV": "core.confidence", "CON": "core.confidence", "ADV": "core.advice",
	"SAF": "core.safer", "IMP": "core.overall", "SUP": "report.support", "OUT": "core.overall",
}

// themeWeight is how often a theme comes up, by stage; 1 where nothing is said.
func themeWeight(code string, stage survey.Stage) float64 {
	switch code {
	case "COM_UPDATES":
		return 3
	case "COM_CONTACT", "RES_SERIOUS":
		return 2
	case "COM_COURT", "CON_CJS":
		return map[survey.Stage]float64{survey.StageReport: 0.05, survey.StageInvestigation: 0.4, survey.StageClosure: 2.2, survey.StageWithdrawn: 0.4}[stage]
	case "OUT_WITHDRAW":
		return map[survey.Stage]float64{survey.StageReport: 0.05, survey.StageInvestigation: 0.3, survey.StageClosure: 0.2, survey.StageWithdrawn: 3}[stage]
	case "SAF_BREACH", "COM_CONTINUITY":
		if stage == survey.StageReport {
			return 0.2
		}
	case "INV_IDENTIFY", "RES_MANNER":
		if stage == survey.StageReport {
			return 2
		}
	case "SUP_ADVOCATE":
		return 0.7
	}
	return 1
}

// lean is how far a question itself pulls its answers to the good or the bad.
var lean = map[string]float64{"open.well": 2.2, "open.better": -2.2, "open.help": -1.1, "open.change": -1.3, "open.carryon": -1.2}

// text writes one free-text answer.
func (w *World) text(d dice, c *Case, stage survey.Stage, round int, mode survey.Mode, item, language string, at time.Time) Text {
	g := theGrammar()
	if lines := g.language[language]; len(lines) > 0 {
		var chosen []string
		for _, i := range d.Perm(len(lines))[:1+d.IntN(3)] {
			chosen = append(chosen, lines[i])
		}
		return Text{Body: strings.Join(chosen, " ")}
	}
	polarity := func(code string) string {
		group, _, _ := strings.Cut(code, "_")
		if w.latent(c, stage, round, mode, themeItem[group], at)+lean[item]+0.6*d.NormFloat64() > 0.25 {
			return Positive
		}
		return Negative
	}
	return g.compose(d, stage, polarity)
}

// compose puts a text together: how long, about what, in which order, and how
// well typed.
func (g *grammar) compose(d dice, stage survey.Stage, polarity func(code string) string) Text {
	t := &typist{d: d, g: g}
	if d.chance(0.05) {
		g.terse(t, polarity)
		return t.done()
	}
	n := d.weigh([]float64{5, 30, 32, 20, 9, 4}) // clauses with a theme
	var clauses []clause
	taken := map[themeKey]bool{}
	for range n {
		weights := make([]float64, len(g.codes))
		for i, code := range g.codes {
			weights[i] = themeWeight(code, stage)
		}
		code := g.codes[d.weigh(weights)]
		k := themeKey{code, polarity(code)}
		if taken[k] {
			continue
		}
		taken[k] = true
		lines := g.clauses[k]
		i := d.IntN(len(lines))
		clauses = append(clauses, clause{text: lines[i], theme: k})
		if d.chance(0.12) { // said again in other words
			clauses = append(clauses, clause{text: lines[(i+1+d.IntN(len(lines)-1))%len(lines)], theme: k})
		}
	}
	for d.chance(0.25) || len(clauses) == 0 {
		clauses = append(clauses, clause{text: pick(d, g.parts["none"])})
	}
	if d.chance(0.012) {
		t.out.Danger = true
		clauses = append(clauses, clause{text: pick(d, g.parts["danger"])})
	}
	if d.chance(0.03) {
		t.out.Personal = true
		clauses = append(clauses, clause{text: pick(d, g.parts["personal"])})
	}
	d.Shuffle(len(clauses), func(i, j int) { clauses[i], clauses[j] = clauses[j], clauses[i] })
	opened := d.chance(0.3)
	if opened {
		t.write(pick(d, g.parts["opener"]) + " ")
	}
	for i, cl := range clauses {
		if i > 0 {
			t.join(clauses[i-1].theme.polarity, cl.theme.polarity)
		}
		t.clause(cl, i == 0 && opened)
	}
	t.stop()
	if d.chance(0.1) {
		t.write(" ")
		t.clause(clause{text: pick(d, g.parts["closer"])}, false)
		t.stop()
	}
	return t.done()
}

// terse answers in a few words.
func (g *grammar) terse(t *typist, polarity func(string) string) {
	k := pick(t.d, g.shorts)
	if k.code != "" && polarity(k.code) != k.polarity {
		k = themeKey{}
	}
	t.clause(clause{text: pick(t.d, g.short[k]), theme: k}, t.d.chance(0.4))
	if t.d.chance(0.4) {
		t.stop()
	}
}

type clause struct {
	text  string
	theme themeKey // empty: carries none
}

// typist writes clauses down, with its own habits.
type typist struct {
	d     dice
	g     *grammar
	b     strings.Builder
	style struct {
		set, lower, bare, typos bool // all lower case, no full stops, mistakes
	}
	fresh bool // the next clause begins a sentence
	out   Text
}

func (t *typist) habits() {
	if t.style.set {
		return
	}
	t.style.set, t.fresh = true, true
	t.style.lower, t.style.bare, t.style.typos = t.d.chance(0.1), t.d.chance(0.07), t.d.chance(0.15)
}

func (t *typist) write(s string) {
	t.habits()
	if t.style.lower {
		s = strings.ToLower(s)
	}
	if strings.TrimSpace(s) != "" {
		if t.fresh && !t.style.lower {
			s = capital(s)
		}
		t.fresh = false
	}
	t.b.WriteString(s)
}

// clause writes a clause and remembers the theme it carries.
func (t *typist) clause(c clause, within bool) {
	t.habits()
	if within {
		t.fresh = false
	}
	s := t.fill(c.text)
	if t.style.typos && t.d.chance(0.6) {
		s = t.mistype(s)
	}
	start := t.b.Len()
	t.write(s)
	if c.theme.code == "" {
		return
	}
	if slices.ContainsFunc(t.out.Labels, func(l Label) bool { return l.Code == c.theme.code && l.Polarity == c.theme.polarity }) {
		return // at most one label a theme and polarity: the first
	}
	t.out.Labels = append(t.out.Labels, Label{Code: c.theme.code, Polarity: c.theme.polarity, Start: start, End: t.b.Len()})
}

// join writes what stands between two clauses.
func (t *typist) join(before, after string) {
	against := before != "" && after != "" && before != after
	switch r := t.d.Float64(); {
	case against && r < 0.45:
		t.write(", but ")
	case against && r < 0.6:
		t.stop()
		t.fresh = true
		t.write(pick(t.d, []string{" on the other hand, ", " then again, ", " having said that, "}))
	case !against && r < 0.22:
		t.write(" and ")
	case !against && r < 0.3:
		t.write(", and ")
	case !against && r < 0.36:
		t.stop()
		t.write(pick(t.d, []string{" also, ", " what is more, ", " on top of that, ", " besides, "}))
	default:
		t.stop()
		t.write(" ")
	}
}

// stop ends a sentence.
func (t *typist) stop() {
	end := "."
	switch r := t.d.Float64(); {
	case t.style.bare:
		end = ""
		if r < 0.5 {
			end = "," // runs on
		}
	case r < 0.05:
		end = "!"
	case r < 0.07:
		end = "..."
	case r < 0.08:
		end = "!!"
	}
	t.fresh = false
	t.b.WriteString(end)
	t.fresh = end != "," && end != ""
}

func (t *typist) done() Text {
	t.out.Body = strings.TrimRight(t.b.String(), ", ")
	for i := range t.out.Labels {
		t.out.Labels[i].End = min(t.out.Labels[i].End, len(t.out.Body))
	}
	return t.out
}

// fill puts something in the place of each {slot}.
func (t *typist) fill(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		switch name {
		case "digits":
			fmt.Fprintf(&b, "%03d", t.d.IntN(1000))
		case "digit":
			fmt.Fprintf(&b, "%d", 1+t.d.IntN(9))
		default:
			b.WriteString(pick(t.d, t.g.slots[name]))
		}
		s = after
	}
}

// mistype makes one mistake as people make them: letters swapped, dropped or
// doubled, a common misspelling, a shortened form without its apostrophe.
func (t *typist) mistype(s string) string {
	swaps := []struct{ right, wrong string }{
		{"was not", "wasnt"}, {"did not", "didnt"}, {"do not", "dont"}, {"could not", "couldnt"}, {"never", "nevr"}, {"received", "recieved"},
		{"because", "becuase"}, {"their", "there"}, {"definitely", "definately"}, {"the ", "teh "}, {"told", "tolld"}, {"officer", "oficer"}, {"would have", "would of"},
		{"until", "untill"}, {"separate", "seperate"}, {"believe", "beleive"}, {"and", "an"},
	}
	if sw := pick(t.d, swaps); strings.Contains(s, sw.right) {
		return strings.Replace(s, sw.right, sw.wrong, 1)
	}
	r := []rune(s)
	if len(r) < 6 {
		return s
	}
	i := 1 + t.d.IntN(len(r)-3)
	if !unicode.IsLower(r[i]) || !unicode.IsLower(r[i+1]) {
		return s
	}
	switch t.d.IntN(3) {
	case 0:
		r[i], r[i+1] = r[i+1], r[i]
	case 1:
		r = slices.Delete(r, i, i+1)
	default:
		r = slices.Insert(r, i, r[i])
	}
	return string(r)
}

func capital(s string) string {
	lead := len(s) - len(strings.TrimLeft(s, " "))
	r, n := utf8.DecodeRuneInString(s[lead:])
	return s[:lead] + string(unicode.ToUpper(r)) + s[lead+n:]
}

// Texts gives n texts apart from any case, as people of every stage and temper
// would write them, for measuring a coder against what was meant.
func (w *World) Texts(n int) iter.Seq[Text] {
	return func(yield func(Text) bool) {
		for i := range n {
			d := w.dice(streamWords, uint64(i), 1)
			stage := pick(d, survey.Stages())
			good := 0.5 + 0.35*d.NormFloat64()
			t := theGrammar().compose(d, stage, func(string) string {
				if d.chance(good) {
					return Positive
				}
				return Negative
			})
			if !yield(t) {
				return
			}
		}
	}
}

// Codes lists the themes that texts are made of.
func Codes() []string { return slices.Clone(theGrammar().codes) }
