// Package codebook owns what can be found in people's words: the theme codes
// with their meanings, and the phrases and word lists by which the coder finds
// them.
//
// A codebook is versioned data, one YAML document that a person who does not
// program can read and change. [Load] gives the one that ships with the
// product; [Parse] reads an edited one and refuses it, with every fault at
// once, before anything is coded by it. The language of the phrases is
// described at [ParsePhrase].
package codebook

import (
	_ "embed" // the shipped codebook
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"victimvoice/internal/fault"
)

//go:embed codebook.yaml
var shipped []byte

// Polarity is the side of a theme that a text shows, as the victim sees it.
type Polarity string

// The polarities. There is no neutral one: what is neither is not coded.
const (
	Positive Polarity = "positive"
	Negative Polarity = "negative"
)

// Opposite gives the other polarity.
func (p Polarity) Opposite() Polarity {
	if p == Positive {
		return Negative
	}
	return Positive
}

// Valid reports whether p is one of the two polarities.
func (p Polarity) Valid() bool { return p == Positive || p == Negative }

// Group is the roll-up under which reports show a code.
type Group string

// The roll-up groups, in the order in which reports show them.
const (
	Communication Group = "communication"
	Advice        Group = "advice"
	Confidence    Group = "confidence"
	Safety        Group = "safety & impact"
	Support       Group = "support"
)

// Groups lists the roll-up groups in report order.
func Groups() []Group { return []Group{Communication, Advice, Confidence, Safety, Support} }

// Codebook is one version of the themes and of the words that show them. It is
// read-only once parsed, and so safe to share.
type Codebook struct {
	Version string // changes whenever a coding could change; stored with each coding
	Codes   []Code // in report order
	Lexicon Lexicon

	byID map[string]int
}

// Code is one theme.
type Code struct {
	ID       string
	Title    string // a few words, for tables and charts
	Group    Group
	Positive string // what a positive label says
	Negative string // what a negative label says

	// Over names the codes that give way to this one where both rest on the same
	// words, because this one says more.
	Over    []string
	Phrases []Phrase
}

// Lexicon holds the word lists that the phrases and the rules of meaning share.
type Lexicon struct {
	Classes     map[string][]string // named word lists, written @name in a phrase
	Irregular   map[string]string   // form to base form, where stemming would not join them
	Spellings   map[string]string   // common misspelling to the word meant
	Fillers     []string            // words that phrases look through: articles, intensifiers
	Terminators []string            // words that end a negator's reach
	Contrasts   []string            // words after which a new opinion begins
	Actors      Actors

	Negators     []Phrase // turn a meaning round
	PseudoNegate []Phrase // look like negators, and are not
	Wishes       []Phrase // what follows did not happen
	Sarcasm      []Phrase // praise in the sentence is meant as blame
	Neutral      []Phrase // uses up its words, so that no theme is found in them
}

// Actors says who is speaking or acting. Only what services do is coded.
type Actors struct {
	Services []string // police, prosecutors, courts, probation, support services
	Stalker  []string
	Kin      []string // family and friends; may be the victim of whom a relative tells
	Others   []string // employers, schools, doctors, neighbours
	Singular []string // pronouns that may stand for any one of them
	Plural   []string // pronouns that stand for services unless family was just named
	Self     []string // the victim, as subject
	Opinion  []string // verbs that make what follows a relative's opinion
}

// Load gives the codebook that ships with the product. It fails only if the
// embedded document is faulty, which the tests exclude.
func Load() (*Codebook, error) {
	book, err := Parse(shipped)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the shipped codebook is faulty")
	}
	return book, nil
}

// Code gives the code with this id.
func (b *Codebook) Code(id string) (Code, bool) {
	i, ok := b.byID[id]
	if !ok {
		return Code{}, false
	}
	return b.Codes[i], true
}

// IDs lists the codes' ids in report order.
func (b *Codebook) IDs() []string {
	ids := make([]string, len(b.Codes))
	for i, c := range b.Codes {
		ids[i] = c.ID
	}
	return ids
}

// document is the YAML as written. Lists of phrases are blocks of text with one
// phrase a line, since a list of quoted strings is hard to read and to edit.
type document struct {
	Version string            `yaml:"version"`
	Classes map[string]string `yaml:"classes"`
	Macros  map[string]string `yaml:"macros"`
	Lexicon struct {
		Irregular    map[string]string `yaml:"irregular"`
		Spellings    map[string]string `yaml:"spellings"`
		Fillers      string            `yaml:"fillers"`
		Terminators  string            `yaml:"terminators"`
		Contrasts    string            `yaml:"contrasts"`
		Negators     string            `yaml:"negators"`
		PseudoNegate string            `yaml:"pseudo_negators"`
		Wishes       string            `yaml:"wishes"`
		Sarcasm      string            `yaml:"sarcasm"`
		Neutral      string            `yaml:"neutral"`
		Actors       struct {
			Services string `yaml:"services"`
			Stalker  string `yaml:"stalker"`
			Kin      string `yaml:"kin"`
			Others   string `yaml:"others"`
			Singular string `yaml:"singular"`
			Plural   string `yaml:"plural"`
			Self     string `yaml:"self"`
			Opinion  string `yaml:"opinion"`
		} `yaml:"actors"`
	} `yaml:"lexicon"`
	Codes []struct {
		ID      string `yaml:"id"`
		Title   string `yaml:"title"`
		Group   Group  `yaml:"group"`
		Meaning struct {
			Positive string `yaml:"positive"`
			Negative string `yaml:"negative"`
		} `yaml:"meaning"`
		Over    string `yaml:"over"`
		Phrases struct {
			Positive string `yaml:"positive"`
			Negative string `yaml:"negative"`
		} `yaml:"phrases"`
	} `yaml:"codes"`
}

// Parse reads and checks a codebook. Unknown keys, duplicate or unknown codes,
// empty or malformed phrases, unknown classes and macros, and a code without
// phrases in either polarity are each reported, all at once, as a
// [fault.Invalid] error with one field fault a finding.
func Parse(data []byte) (*Codebook, error) {
	var doc document
	if err := yaml.UnmarshalWithOptions(data, &doc, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the codebook is not the YAML that is expected")
	}
	p := &parser{doc: &doc}
	book := p.book()
	if err := fault.Fields("the codebook has faults", p.faults...); err != nil {
		return nil, err
	}
	return book, nil
}

// parser turns a document into a codebook and gathers what is wrong with it.
type parser struct {
	doc    *document
	faults []fault.Field
}

func (p *parser) fault(field, format string, args ...any) {
	p.faults = append(p.faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (p *parser) book() *Codebook {
	d := p.doc
	book := &Codebook{Version: strings.TrimSpace(d.Version), byID: map[string]int{}}
	if book.Version == "" {
		p.fault("version", "must be given: it is stored with each coding")
	}
	book.Lexicon = Lexicon{
		Classes:     make(map[string][]string, len(d.Classes)),
		Irregular:   p.forms("lexicon.irregular", d.Lexicon.Irregular),
		Spellings:   p.forms("lexicon.spellings", d.Lexicon.Spellings),
		Fillers:     p.words("lexicon.fillers", d.Lexicon.Fillers),
		Terminators: p.words("lexicon.terminators", d.Lexicon.Terminators),
		Contrasts:   p.words("lexicon.contrasts", d.Lexicon.Contrasts),
		Actors: Actors{
			Services: p.words("lexicon.actors.services", d.Lexicon.Actors.Services),
			Stalker:  p.words("lexicon.actors.stalker", d.Lexicon.Actors.Stalker),
			Kin:      p.words("lexicon.actors.kin", d.Lexicon.Actors.Kin),
			Others:   p.words("lexicon.actors.others", d.Lexicon.Actors.Others),
			Singular: p.words("lexicon.actors.singular", d.Lexicon.Actors.Singular),
			Plural:   p.words("lexicon.actors.plural", d.Lexicon.Actors.Plural),
			Self:     p.words("lexicon.actors.self", d.Lexicon.Actors.Self),
			Opinion:  p.words("lexicon.actors.opinion", d.Lexicon.Actors.Opinion),
		},
	}
	for name, list := range d.Classes {
		book.Lexicon.Classes[name] = p.words("classes."+name, list)
	}
	book.Lexicon.Negators = p.phrases("lexicon.negators", d.Lexicon.Negators, Negative)
	book.Lexicon.PseudoNegate = p.phrases("lexicon.pseudo_negators", d.Lexicon.PseudoNegate, Negative)
	book.Lexicon.Wishes = p.phrases("lexicon.wishes", d.Lexicon.Wishes, Negative)
	book.Lexicon.Sarcasm = p.phrases("lexicon.sarcasm", d.Lexicon.Sarcasm, Negative)
	book.Lexicon.Neutral = p.phrases("lexicon.neutral", d.Lexicon.Neutral, Negative)
	for at, phrases := range map[string][]Phrase{
		"lexicon.negators": book.Lexicon.Negators, "lexicon.pseudo_negators": book.Lexicon.PseudoNegate,
		"lexicon.wishes": book.Lexicon.Wishes, "lexicon.sarcasm": book.Lexicon.Sarcasm,
	} {
		p.noFillers(at, phrases, book.Lexicon.Fillers)
	}
	p.codes(book)
	slices.SortFunc(p.faults, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return book
}

func (p *parser) codes(book *Codebook) {
	if len(p.doc.Codes) == 0 {
		p.fault("codes", "there must be at least one code")
	}
	for i, c := range p.doc.Codes {
		at := fmt.Sprintf("codes[%d]", i)
		if !validID(c.ID) {
			p.fault(at+".id", "must be capital letters in two parts, such as COM_UPDATES, not %q", c.ID)
			continue
		}
		at = c.ID
		if _, dup := book.byID[c.ID]; dup {
			p.fault(at, "is given twice")
			continue
		}
		if strings.TrimSpace(c.Title) == "" {
			p.fault(at+".title", "must be given")
		}
		if !slices.Contains(Groups(), c.Group) {
			p.fault(at+".group", "must be one of %v, not %q", Groups(), c.Group)
		}
		if strings.TrimSpace(c.Meaning.Positive) == "" || strings.TrimSpace(c.Meaning.Negative) == "" {
			p.fault(at+".meaning", "must say what positive and what negative mean")
		}
		code := Code{ID: c.ID, Title: c.Title, Group: c.Group, Positive: c.Meaning.Positive, Negative: c.Meaning.Negative, Over: strings.Fields(c.Over)}
		for _, side := range []struct {
			polarity Polarity
			block    string
		}{{Positive, c.Phrases.Positive}, {Negative, c.Phrases.Negative}} {
			where := at + ".phrases." + string(side.polarity)
			phrases := p.phrases(where, side.block, side.polarity)
			if len(phrases) == 0 {
				p.fault(where, "must hold at least one phrase")
			}
			code.Phrases = append(code.Phrases, phrases...)
		}
		p.repeats(at, code.Phrases)
		book.byID[c.ID] = len(book.Codes)
		book.Codes = append(book.Codes, code)
	}
	for _, code := range book.Codes {
		for _, other := range code.Over {
			if _, ok := book.byID[other]; !ok || other == code.ID {
				p.fault(code.ID+".over", "%q is not another code of the codebook", other)
			}
		}
	}
}

// repeats reports a phrase that a code has twice: harmless in one polarity, a
// contradiction in two, and a slip of the pen either way.
func (p *parser) repeats(at string, phrases []Phrase) {
	seen := map[string]bool{}
	for _, ph := range phrases {
		if seen[ph.Source] {
			p.fault(at+".phrases", "the phrase %q is given twice", ph.Source)
		}
		seen[ph.Source] = true
	}
}

// phrases reads a block with one phrase a line; # begins a comment.
func (p *parser) phrases(at, block string, polarity Polarity) []Phrase {
	var out []Phrase
	for n, line := range strings.Split(block, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		phrase, err := parsePhrase(line, p.doc.Macros, func(class string) bool { _, ok := p.doc.Classes[class]; return ok })
		if err != nil {
			p.fault(fmt.Sprintf("%s line %d", at, n+1), "%q: %v", line, err)
			continue
		}
		phrase.Polarity = polarity
		out = append(out, phrase)
	}
	return out
}

// noFillers refuses fillers in the marks that change meaning. They are not seen
// in the text, so that "not just" would come down to "not".
func (p *parser) noFillers(at string, phrases []Phrase, fillers []string) {
	for _, ph := range phrases {
		for _, seq := range ph.Sequences {
			for _, e := range seq.Elements {
				seen := len(e.Exact)+len(e.Classes) > 0 || e.IsGap()
				for _, w := range e.Words {
					seen = seen || !slices.Contains(fillers, w)
				}
				if !seen {
					p.fault(at, "%q: %v is a filler, which phrases look through", ph.Source, e.Words)
				}
			}
		}
	}
}

// words reads a list of words parted by blanks or line ends.
func (p *parser) words(at, block string) []string {
	var out []string
	seen := map[string]bool{}
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "#")
		for _, w := range strings.Fields(line) {
			if !validWord(w) {
				p.fault(at, "%q is not a lower-case word", w)
				continue
			}
			if seen[w] {
				p.fault(at, "%q is given twice", w)
				continue
			}
			seen[w] = true
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		p.fault(at, "must hold at least one word")
	}
	return out
}

// forms reads a table of base form to the forms that mean it, and turns it
// round, since a reader looks up what was written.
func (p *parser) forms(at string, table map[string]string) map[string]string {
	out := map[string]string{}
	for base, forms := range table {
		if !validWord(base) {
			p.fault(at, "%q is not a lower-case word", base)
		}
		for _, form := range strings.Fields(forms) {
			if !validWord(form) {
				p.fault(at, "%q is not a lower-case word", form)
			}
			if other, dup := out[form]; dup {
				p.fault(at, "%q is given for both %q and %q", form, other, base)
			}
			out[form] = base
		}
	}
	return out
}

// validID accepts capital letters in two or more parts joined by underscores.
func validID(id string) bool {
	parts := strings.Split(id, "_")
	if len(parts) < 2 {
		return false
	}
	for _, part := range parts {
		if part == "" || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return false
		}
	}
	return true
}
