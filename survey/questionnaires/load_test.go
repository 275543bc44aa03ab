package questionnaires

import (
	"strings"
	"testing"
	"testing/fstest"

	"victimvoice/internal/fault"
)

func TestLoadNamesEveryFault(t *testing.T) {
	const (
		report = "report/1/questionnaire.yaml"
		words  = "report/1/en.yaml"
	)
	tests := []struct {
		name            string
		file, old, repl string
		want            string
	}{
		{"unknown key", report, "tense: will", "tense: will\ncolour: blue", "colour"},
		{"unknown key in a text", words, "    title: Did anyone", "    titel: Did anyone", "titel"},
		{"unknown key in a pair", words, "      self: I know what will happen next.", "      slef: I know", "slef"},
		{"half a pair", words, "      proxy: The person you support knows what will happen next.\n", "", "both self and proxy"},
		{"unknown scale", report, "id: report.named, construct: identification, kind: single, scale: Y3", "id: report.named, construct: identification, kind: single, scale: Y9", "no such scale: Y9"},
		{"unknown construct", report, "construct: identification", "construct: hope", "no such construct: hope"},
		{"unknown kind", report, "kind: single, scale: A5", "kind: slider, scale: A5", "kind is single, multi or text"},
		{"item twice", report, "id: report.pattern", "id: report.named", "report.named: given twice"},
		{"page twice", report, "id: risk\n", "id: support\n", `page "support": needs an id of its own`},
		{"score above 100", report, "code: both, score: 100", "code: both, score: 101", "score 101 is outside 0–100"},
		{"score below 0", "scales/1/scales.yaml", "{code: very-dissatisfied, score: 0}", "{code: very-dissatisfied, score: -1}", "outside 0–100"},
		{"score for not sure", report, "{code: not-sure, state: dont-know}", "{code: not-sure, state: dont-know, score: 0}", "has no score"},
		{"unknown state", report, "{code: not-sure, state: dont-know}", "{code: not-sure, state: maybe}", "state is not-applicable"},
		{"option code", report, "code: both", "code: Both", "lower-case words"},
		{"routing to a later page", report, "{item: advice.risk, is: [\"yes\"]}", "{item: open.well, is: [\"yes\"]}", "not asked on an earlier page"},
		{"routing to an unknown option", report, "{item: advice.risk, is: [\"yes\"]}", "{item: advice.risk, is: [maybe]}", "advice.risk maybe, which is no option"},
		{"routing without a form", report, "{item: advice.risk, is: [\"yes\"]}", "{item: advice.risk}", "a condition is one of"},
		{"routing to an unknown fact", "closure/1/questionnaire.yaml", "fact: charged", "fact: weather", "no such fact: weather"},
		{"offer from nowhere", "withdrawn/1/questionnaire.yaml", "offer_from: wd.reasons", "offer_from: wd.safe", "not asked on an earlier page"},
		{"offer from a single", "withdrawn/1/questionnaire.yaml", "offer_from: wd.reasons", "offer_from: core.safer", "shares options"},
		{"missing title", words, "  open.well:\n    title: What went well?\n", "  open.well:\n", "open.well: no title"},
		{"missing option text", words, "      not-offered: It was not offered\n", "", "report.support not-offered: no text"},
		{"missing opening", words, "    opening:\n      self: We start", "    opening:\n      self: \"\"\n      proxy: x\n  x:\n      self: We start", "report/1/en.yaml"},
		{"text for no item", words, "  open.well:", "  open.wel:", "open.wel: no such item"},
		{"text for no page", words, "  recognised:\n", "  recognized:\n", "page recognized: no such page"},
		{"core worded in a stage", words, "items:\n", "items:\n  core.serious:\n    title: Were you taken seriously?\n", "core trackers are worded in one place"},
		{"core bent in a stage", report, "{core: core.serious}", "{core: core.serious, scale: S5}", "asked as it is"},
		{"core hidden from some", report, "{core: core.overall}", "{core: core.overall, show_if: {fact: charged, is: [\"yes\"]}}", "asked of everyone"},
		{"quick path of two", "core/1/core.yaml", "scale: W4, quick: true", "scale: W4", "the quick path has 2 questions"},
		{"core without a tense", "core/1/en.yaml", "core.confidence.did:", "core.confidence.done:", "core.confidence.did: no title"},
		{"scale text", "scales/1/en.yaml", "    strongly-agree: Strongly agree\n", "", "A5 strongly-agree: no text"},
		{"language direction", "scales/1/en.yaml", "direction: ltr", "direction: up", "direction, ltr or rtl"},
		{"review", words, "review: final", "review: hope", "review is final or draft"},
		{"language", words, "lang: en", "lang: fr", `says lang "fr"`},
		{"version", report, "version: 1", "version: 2", "says report/2"},
		{"polarity", "advice/1.yaml", "{code: block, polarity: harmful", "{code: block, polarity: bad", "polarity is harmful, good or context"},
		{"sign-off", "advice/1.yaml", "Kent Police\", signed_off: product default v1", "Kent Police\", signed_off: \"\"", "who answers for it"},
		{"advice without polarity", "advice/1.yaml", "{code: ignore,", "{code: ignored,", "ignore is offered by report/1 and has no polarity"},
		{"alert on nothing", "alerts/1/rules.yaml", "[got-worse]", "[better]", "no questionnaire offers inv.ongoing better"},
		{"alert without words", "alerts/1/en.yaml", "  self-harm-words:", "  self-harm:", "rule self-harm-words: no phrases"},
		{"exclusive on a single", report, "{code: one, score: 50}", "{code: one, score: 50, exclusive: true}", "exclusive is for multi"},
		{"score on a multi", report, "{code: none-of-these, exclusive: true}", "{code: none-of-these, exclusive: true, score: 1}", "neither score nor share"},
		{"parts of a single", report, "kind: single, scale: Y3}\n  - id: next-steps", "kind: single, scale: Y3, parts: [{id: a, options: [\"yes\"]}, {id: b, options: [\"no\"]}]}\n  - id: next-steps", "of a multi item that is alone on its page"},
		{"parts of a core tracker", "core/1/core.yaml", "scale: W4, quick: true", "scale: W4, quick: true, parts: [{id: a}, {id: b}]", "neither routing, parts nor"},
		{"one part", report, "          - {id: evidence, groups: [evidence]}\n          - {id: safety, groups: [safety]}\n          - {id: orders, groups: [orders, support], options: [none-of-these]}\n", "", "two or more"},
		{"option in no part", report, "options: [no-advice]", "options: []", "advice.codes no-advice: is in 0 parts"},
		{"option in two parts", report, "{id: evidence, groups: [evidence]}", "{id: evidence, groups: [evidence], options: [block]}", "advice.codes block: is in 2 parts"},
		{"part twice", report, "{id: evidence, groups: [evidence]}", "{id: safety, groups: [evidence]}", "part \"safety\" needs an id of its own"},
		{"part without options", report, "{id: evidence, groups: [evidence]}", "{id: nothing}\n          - {id: evidence, groups: [evidence]}", "part nothing has no options"},
		{"part of an unknown heading", report, "groups: [phone], options: [no-advice]", "groups: [phone, weather], options: [no-advice]", "the heading weather, which no option has"},
		{"part of an unknown option", report, "options: [none-of-these]", "options: [none-of-these, maybe]", "part orders names maybe"},
		{"part and page of one name", report, "  - id: advice-risk\n", "  - id: advice-list.safety\n", "needs an id of its own"},
		{"not YAML", report, "pages:", "pages: [", "report/1/questionnaire.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := dataFiles(t)
			edit(t, files, tt.file, tt.old, tt.repl)
			s, err := load(files)
			if err == nil || s != nil {
				t.Fatal("the fault went unseen")
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v\nwant a fault that says %q", err, tt.want)
			}
		})
	}
}

func TestLoadGathersFaults(t *testing.T) {
	files := dataFiles(t)
	edit(t, files, "report/1/en.yaml", "      not-offered: It was not offered\n", "")
	edit(t, files, "closure/1/questionnaire.yaml", "fact: charged", "fact: weather")
	delete(files, "withdrawn/1/en.yaml")
	_, err := load(files)
	for _, want := range []string{"not-offered", "weather", "withdrawn/1/en.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not speak of %q", err, want)
		}
	}
	if _, err := load(fstest.MapFS{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no data at all: %v", err)
	}
}

func TestSet(t *testing.T) {
	s := loaded(t)
	if n := len(s.All()); n != 4 {
		t.Fatalf("%d questionnaires, want 4", n)
	}
	for i, stage := range Stages() {
		q := s.Current(stage)
		if q.Stage != stage || q.ID != string(stage)+"/1" || s.All()[i] != q {
			t.Errorf("%s: got %s", stage, q.ID)
		}
		if found, ok := s.ByID(q.ID); !ok || found != q {
			t.Errorf("%s is not found by its id", q.ID)
		}
	}
	if s.Current("about") != s.About() || s.About().ID != "about/1" || s.Ticks().ID != "ticks/1" {
		t.Error("the questions about the person and the ticks are found by name")
	}
	if s.Current("autumn") != nil {
		t.Error("a stage that does not exist has no questionnaire")
	}
	if _, ok := s.ByID("report/2"); ok {
		t.Error("a version that does not exist is not found")
	}
	if l := s.LanguagesOffered(); len(l) < 1 || l[0].Code != "en" || l[0].Direction != "ltr" || l[0].Draft {
		t.Errorf("languages: %+v", l)
	}
}

// A new version is asked from then on, and the old one stays readable.
func TestNewVersion(t *testing.T) {
	files := dataFiles(t)
	for _, name := range []string{"questionnaire.yaml", "en.yaml"} {
		files["report/2/"+name] = files["report/1/"+name]
	}
	edit(t, files, "report/2/questionnaire.yaml", "version: 1", "version: 2")
	edit(t, files, "report/2/questionnaire.yaml", "      - {id: open.well, kind: text}\n", "")
	edit(t, files, "report/2/en.yaml", "  open.well:\n    title: What went well?\n    hint: Please leave out names, addresses and phone numbers.\n", "")
	s, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := s.ByID("report/1")
	if s.Current(Report).ID != "report/2" || len(old.Items) != len(s.Current(Report).Items)+1 {
		t.Error("report/2 is current and report/1 stays")
	}
	packed := old.Pack(Answers{"core.serious": {State: Answered, Choice: "agree"}})
	if _, err := s.Current(Report).Unpack(packed); !fault.Is(err, fault.Invalid) {
		t.Error("answers to report/1 are not answers to report/2")
	}
	if a, err := old.Unpack(packed); err != nil || a["core.serious"].Choice != "agree" {
		t.Errorf("answers to report/1: %v %v", a, err)
	}
}
