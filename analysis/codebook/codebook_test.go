package codebook

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"victimvoice/internal/fault"
)

func TestLoad(t *testing.T) {
	book, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"COM_UPDATES", "COM_CONTACT", "COM_CONTINUITY", "COM_COURT", "COM_CLARITY", "RES_SERIOUS", "RES_BLAME", "RES_MANNER", "INV_IDENTIFY", "INV_EVIDENCE", "INV_PUSH", "INV_DELAY",
		"CON_POLICE", "CON_CJS", "ADV_CHANGE", "ADV_IGNORE", "ADV_SPO", "ADV_SAFETY", "ADV_REFERRAL", "SAF_FEEL", "SAF_BREACH", "IMP_WELLBEING", "SUP_ADVOCATE", "OUT_WITHDRAW",
	}
	if got := book.IDs(); !slices.Equal(got, want) {
		t.Errorf("codes: got %v, want %v", got, want)
	}
	rollUp := map[string]Group{"COM": Communication, "ADV": Advice, "CON": Confidence, "INV": Confidence, "RES": Confidence, "SAF": Safety, "IMP": Safety, "OUT": Safety, "SUP": Support}
	for _, code := range book.Codes {
		if prefix, _, _ := strings.Cut(code.ID, "_"); code.Group != rollUp[prefix] {
			t.Errorf("%s is in group %q, not %q", code.ID, code.Group, rollUp[prefix])
		}
		if got, ok := book.Code(code.ID); !ok || got.Title != code.Title {
			t.Errorf("Code(%s) gives %v", code.ID, got.Title)
		}
	}
	if _, ok := book.Code("COM_PIGEONS"); ok {
		t.Error("Code gives a code that is not in the codebook")
	}
}

// small is the least codebook that is valid; the tests break it in one place.
const small = `version: "1"
classes:
  me: me us
macros:
  told: |
    tell @me
    advise @me
lexicon:
  irregular: {tell: told}
  spellings: {police: polic}
  fillers: a the
  terminators: and
  contrasts: but
  negators: not
  pseudo_negators: not only
  wishes: wish
  sarcasm: yeah right
  neutral: no comment
  actors: {services: police, stalker: ex, kin: mum, others: boss, singular: he, plural: they, self: i, opinion: think}
codes:
  - id: COM_UPDATES
    title: Kept informed
    group: communication
    over: CON_POLICE
    meaning: {positive: kept informed, negative: not kept informed}
    phrases:
      positive: |
        # a comment
        keep @me informed
      negative: in the dark
  - id: CON_POLICE
    title: Confidence
    group: confidence
    meaning: {positive: trust, negative: no trust}
    phrases:
      positive: trust police
      negative: shambles !weak
`

func TestParse(t *testing.T) {
	book, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if book.Version != "1" || len(book.Codes) != 2 || len(book.Codes[0].Phrases) != 2 {
		t.Errorf("got %+v", book)
	}
	if p := book.Codes[0].Phrases[0]; p.Polarity != Positive || p.Source != "keep @me informed" {
		t.Errorf("got phrase %+v", p)
	}
	if got := book.Lexicon.Irregular["told"]; got != "tell" {
		t.Errorf("told comes from %q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, old, with, want string }{
		{"no version", `version: "1"`, `version: ""`, "version"},
		{"not YAML", `version: "1"`, "version: [", "not the YAML"},
		{"unknown key", "title: Confidence", "titel: Confidence", "not the YAML"},
		{"duplicate key", "title: Confidence", "title: Confidence\n    title: Twice", "not the YAML"},
		{"malformed code", "id: CON_POLICE", "id: con-police", "capital letters"},
		{"duplicate code", "id: CON_POLICE", "id: COM_UPDATES", "given twice"},
		{"unknown code", "over: CON_POLICE", "over: COM_PIGEONS", "is not another code"},
		{"code over itself", "over: CON_POLICE", "over: COM_UPDATES", "is not another code"},
		{"unknown group", "group: confidence", "group: morale", "must be one of"},
		{"no title", "title: Confidence", `title: " "`, "title"},
		{"no meaning", "meaning: {positive: trust, negative: no trust}", "meaning: {positive: trust}", "must say what"},
		{"no phrases", "positive: trust police", `positive: ""`, "at least one phrase"},
		{"comments alone", "positive: trust police", "positive: |\n        # trust", "at least one phrase"},
		{"the same phrase in both polarities", "negative: shambles !weak", "negative: trust police", "given twice"},
		{"unknown class", "keep @me informed", "keep @them informed", "no word list"},
		{"unknown macro", "keep @me informed", "%bold go", "no macro"},
		{"unknown mark", "shambles !weak", "shambles !strong", "no mark"},
		{"gap first", "keep @me informed", "~2 informed", "gap must not come first"},
		{"gap of nothing", "keep @me informed", "keep ~0 informed", "is no gap"},
		{"gap too wide", "keep @me informed", "keep ~99 informed", "is no gap"},
		{"open bracket", "keep @me informed", "(keep informed", "closing bracket"},
		{"extra bracket", "keep @me informed", "keep) informed", "not expected"},
		{"capital", "keep @me informed", "Keep informed", "lower-case"},
		{"marks alone", "keep @me informed", "^ $", "$ must follow"},
		{"everything optional", "keep @me informed", "informed?", "no word in it"},
		{"too many alternatives", "keep @me informed", strings.Repeat("(a b|c d|e f|g h) ", 5), "more than 512"},
		{"too long", "keep @me informed", strings.Repeat("keep ", 17), "longer than"},
		{"a filler in a negator", "negators: not", "negators: not the", "is a filler"},
		{"a word twice", "fillers: a the", "fillers: a a", "given twice"},
		{"no words", "fillers: a the", `fillers: ""`, "at least one word"},
		{"word with capitals", "services: police", "services: Police", "lower-case"},
		{"form of two bases", "spellings: {police: polic}", "spellings: {police: polic, policy: polic}", "for both"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc := strings.Replace(small, tc.old, tc.with, 1)
			if doc == small {
				t.Fatalf("%q is not in the document", tc.old)
			}
			_, err := Parse([]byte(doc))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestParseReportsEveryFault(t *testing.T) {
	doc := strings.NewReplacer("keep @me informed", "keep @them informed", "group: confidence", "group: morale", "  negators: not", "  negators: Not").Replace(small)
	_, err := Parse([]byte(doc))
	var fields []string
	for _, f := range fault.FieldsOf(err) {
		fields = append(fields, f.Field)
	}
	want := []string{"COM_UPDATES.phrases.positive", "COM_UPDATES.phrases.positive line 2", "CON_POLICE.group", "lexicon.negators line 1"}
	if !slices.Equal(fields, want) {
		t.Errorf("got %q, want %q", fields, want)
	}
}

func TestParsePhrase(t *testing.T) {
	macros := map[string]string{"advised": "tell @me\nadvise|urge\n", "loop": "%loop"}
	classes := func(name string) bool { return name == "me" }
	word := func(w ...string) Element { return Element{Words: w} }
	for _, tc := range []struct {
		source string
		want   []Sequence
	}{
		{"keep informed", []Sequence{{Elements: []Element{word("keep"), word("informed")}}}},
		{"keep|stay =informed ~2 9", []Sequence{{Elements: []Element{word("keep", "stay"), {Exact: []string{"informed"}}, {Gap: 2}, word("9")}}}},
		{"ring @me? back", []Sequence{{Elements: []Element{word("ring"), {Classes: []string{"me"}}, word("back")}}, {Elements: []Element{word("ring"), word("back")}}}},
		{"(get hold|reach) him", []Sequence{{Elements: []Element{word("get"), word("hold"), word("him")}}, {Elements: []Element{word("reach"), word("him")}}}},
		{"(get|reach) him", []Sequence{{Elements: []Element{word("get", "reach"), word("him")}}}},
		{"%advised to", []Sequence{{Elements: []Element{word("tell"), {Classes: []string{"me"}}, word("to")}}, {Elements: []Element{word("advise", "urge"), word("to")}}}},
		{"^ keep ~~3 quiet $", []Sequence{{Elements: []Element{{Words: []string{"keep"}, Opens: true}, {Gap: 3, Far: true}, {Words: []string{"quiet"}, Closes: true}}}}},
		{"move ~4", []Sequence{{Elements: []Element{word("move")}, Tail: 4}}},
		{"move ~2 ~3 house", []Sequence{{Elements: []Element{word("move"), {Gap: 5}, word("house")}}}},
	} {
		t.Run(tc.source, func(t *testing.T) {
			got, err := ParsePhrase(tc.source, macros, classes)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Sequences, tc.want) {
				t.Errorf("got  %+v\nwant %+v", got.Sequences, tc.want)
			}
		})
	}
	if _, err := ParsePhrase("%loop", macros, classes); err == nil {
		t.Error("a macro of itself gave no error")
	}
	p, err := ParsePhrase("let down !drop !anyone !weak", nil, classes)
	if err != nil || p.Negated != Drop || !p.Anyone || !p.Weak {
		t.Errorf("got %+v, %v", p, err)
	}
}

// FuzzParsePhrase holds that what is accepted can be compiled: elements in number,
// gaps only between words.
func FuzzParsePhrase(f *testing.F) {
	for _, s := range []string{"keep @me ~2 informed", "(a b|c)? d", "%advised x ~3", "^ a $", "((a|b) c|d) ~~2 e", "a|=b|9 !keep", "{a;b}"} {
		f.Add(s)
	}
	macros := map[string]string{"advised": "tell @me\nadvise|urge"}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := ParsePhrase(source, macros, func(name string) bool { return name == "me" })
		if err != nil {
			return
		}
		if len(p.Sequences) == 0 || len(p.Sequences) > MaxAlternatives {
			t.Fatalf("%q stands for %d sequences", source, len(p.Sequences))
		}
		for _, seq := range p.Sequences {
			n := len(seq.Elements)
			if n == 0 || n > MaxElements || seq.Elements[0].IsGap() || seq.Elements[n-1].IsGap() || seq.Tail < 0 || seq.Tail > MaxGap {
				t.Fatalf("%q gives %+v", source, seq)
			}
		}
	})
}
