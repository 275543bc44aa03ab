package questionnaires

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"victimvoice/internal/fault"
)

//go:embed data
var embedded embed.FS

// english is the language that every key must have.
const english = "en"

// Load reads the embedded questionnaires and tables and checks them as a
// whole. The error is fault Invalid and names every fault, by file.
func Load() (*Set, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, fmt.Errorf("questionnaires: embedded data: %w", err)
	}
	return load(data)
}

// loader gathers what the files say and every fault on the way.
type loader struct {
	data   fs.FS
	faults []fault.Field
}

func (l *loader) fault(file, format string, args ...any) {
	l.faults = append(l.faults, fault.Field{Field: file, Message: fmt.Sprintf(format, args...)})
}

// read decodes one file; false when it is missing or wrong, which is noted.
func (l *loader) read(file string, into any) bool {
	b, err := fs.ReadFile(l.data, file)
	if err != nil {
		l.fault(file, "cannot be read: %v", err)
		return false
	}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		l.fault(file, "%v", err)
		return false
	}
	return true
}

// versions lists the numbered folders (or, with ext, files) of a folder, ascending.
func (l *loader) versions(dir, ext string) []int {
	entries, err := fs.ReadDir(l.data, dir)
	if err != nil {
		l.fault(dir, "cannot be listed: %v", err)
		return nil
	}
	var out []int
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ext)
		n, err := strconv.Atoi(name)
		if !ok || err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != name {
			l.fault(path.Join(dir, e.Name()), "is not a version: use 1, 2, 3 …")
			continue
		}
		out = append(out, n)
	}
	slices.Sort(out)
	if len(out) == 0 {
		l.fault(dir, "holds no version")
	}
	return out
}

// texts reads the language files of a version's folder; English must be among them.
func (l *loader) texts(dir, structure string) map[string]*textFile {
	entries, err := fs.ReadDir(l.data, dir)
	if err != nil {
		l.fault(dir, "cannot be listed: %v", err)
		return nil
	}
	out := make(map[string]*textFile)
	for _, e := range entries {
		file := path.Join(dir, e.Name())
		if e.Name() == structure {
			continue
		}
		lang, ok := strings.CutSuffix(e.Name(), ".yaml")
		if !ok || lang != strings.ToLower(lang) {
			l.fault(file, "is neither %s nor a language file like en.yaml", structure)
			continue
		}
		t := &textFile{}
		if !l.read(file, t) {
			continue
		}
		if t.Lang != lang {
			l.fault(file, "says lang %q", t.Lang)
		}
		if t.Review != "final" && t.Review != "draft" {
			l.fault(file, "review is final or draft")
		}
		out[lang] = t
	}
	if out[english] == nil {
		l.fault(path.Join(dir, english+".yaml"), "is missing: English is what other languages fall back to")
		out[english] = &textFile{}
	}
	return out
}

// shared is one version of the scales or of the core trackers.
type shared struct {
	scales map[string][]Option
	fixed  map[string]bool // scales whose share never turns
	groups []string
	core   map[string]itemFile
	texts  map[string]*textFile
	dir    string
}

func load(data fs.FS) (*Set, error) {
	l := &loader{data: data}
	scales := make(map[int]*shared)
	for _, v := range l.versions("scales", "") {
		scales[v] = l.scales(v)
	}
	cores := make(map[int]*shared)
	for _, v := range l.versions("core", "") {
		cores[v] = l.core(v)
	}
	s := &Set{byID: make(map[string]*Questionnaire), current: make(map[Stage]*Questionnaire)}
	rules := l.alerts()
	for _, stage := range append(Stages(), about, ticks) {
		for _, v := range l.versions(string(stage), "") {
			q := l.questionnaire(stage, v, scales, cores)
			if q == nil {
				continue
			}
			q.alerts = rules
			s.byID[q.ID], s.current[stage] = q, q
			if stage != about && stage != ticks {
				s.all = append(s.all, q)
			}
		}
	}
	for _, v := range l.versions("advice", ".yaml") {
		if a := l.advice(v); a != nil {
			s.advice = append(s.advice, a)
		}
	}
	l.checkSet(s, rules)
	if err := fault.Fields("the questionnaire data is wrong", l.faults...); err != nil {
		return nil, err
	}
	s.langs = languages(s, scales)
	return s, nil
}

func (l *loader) options(file, where string, in []optionFile, groups []string) []Option {
	var out []Option
	seen := make(map[string]bool)
	for _, o := range in {
		at := where + " " + o.Code
		switch {
		case !validID(o.Code):
			l.fault(file, "%s: an option code is lower-case words joined by hyphens", at)
		case seen[o.Code]:
			l.fault(file, "%s: option given twice", at)
		}
		seen[o.Code] = true
		opt := Option{Code: o.Code, Score: o.Score, Positive: o.Positive, State: Answered, Exclusive: o.Exclusive, Group: o.Group}
		if o.State != "" {
			if err := opt.State.UnmarshalText([]byte(o.State)); err != nil || opt.State < NotApplicable {
				l.fault(file, "%s: state is not-applicable, dont-know or prefer-not", at)
			}
			if o.Score != nil || o.Positive {
				l.fault(file, "%s: an option that is no valid answer has no score and is not positive", at)
			}
		}
		if o.Score != nil && (*o.Score < 0 || *o.Score > 100) {
			l.fault(file, "%s: score %v is outside 0–100", at, *o.Score)
		}
		if o.Group != "" && !slices.Contains(groups, o.Group) {
			l.fault(file, "%s: group %q is not listed under groups", at, o.Group)
		}
		out = append(out, opt)
	}
	return out
}

func (l *loader) scales(v int) *shared {
	dir := path.Join("scales", strconv.Itoa(v))
	file := path.Join(dir, "scales.yaml")
	var f scalesFile
	l.read(file, &f)
	if f.Version != v {
		l.fault(file, "says version %d", f.Version)
	}
	sh := &shared{scales: make(map[string][]Option), fixed: make(map[string]bool), groups: f.Groups, dir: dir}
	for _, name := range slices.Sorted(maps.Keys(f.Scales)) {
		sh.scales[name] = l.options(file, name, f.Scales[name].Options, f.Groups)
		sh.fixed[name] = f.Scales[name].FixedShare
	}
	sh.texts = l.texts(dir, "scales.yaml")
	for lang, t := range sh.texts {
		file := path.Join(dir, lang+".yaml")
		if t.Name == "" || (t.Direction != "ltr" && t.Direction != "rtl") {
			l.fault(file, "needs the language's name and its direction, ltr or rtl")
		}
		for scale, words := range t.Scales {
			for code := range words {
				if !slices.ContainsFunc(sh.scales[scale], func(o Option) bool { return o.Code == code }) {
					l.fault(file, "%s %s: no such option", scale, code)
				}
			}
		}
		for g := range t.Groups {
			if !slices.Contains(f.Groups, g) {
				l.fault(file, "group %s: no such group", g)
			}
		}
	}
	en, enFile := sh.texts[english], path.Join(dir, english+".yaml")
	for scale, options := range sh.scales {
		for _, o := range options {
			if en.Scales[scale][o.Code].empty() {
				l.fault(enFile, "%s %s: no text", scale, o.Code)
			}
		}
	}
	for _, g := range f.Groups {
		if en.Groups[g].empty() {
			l.fault(enFile, "group %s: no text", g)
		}
	}
	return sh
}

// Tenses in which a core tracker may be worded.
var tenses = [...]string{"will", "are", "did"}

func (l *loader) core(v int) *shared {
	dir := path.Join("core", strconv.Itoa(v))
	file := path.Join(dir, "core.yaml")
	var f coreFile
	l.read(file, &f)
	if f.Version != v {
		l.fault(file, "says version %d", f.Version)
	}
	sh := &shared{core: make(map[string]itemFile), dir: dir}
	keys := make(map[string]bool)
	for _, it := range f.Items {
		if _, twice := sh.core[it.ID]; twice {
			l.fault(file, "%s: given twice", it.ID)
		}
		if !strings.HasPrefix(it.ID, "core.") || it.Core != "" || it.ShowIf != nil || it.OfferFrom != "" || len(it.Parts) > 0 {
			l.fault(file, "%s: a core tracker has an id core.…, and neither routing, parts nor another core", it.ID)
		}
		sh.core[it.ID] = it
		if it.Tense {
			for _, t := range tenses {
				keys[it.ID+"."+t] = true
			}
		} else {
			keys[it.ID] = true
		}
	}
	sh.texts = l.texts(dir, "core.yaml")
	for lang, t := range sh.texts {
		for key := range t.Items {
			if !keys[key] {
				l.fault(path.Join(dir, lang+".yaml"), "%s: no such core tracker or tense", key)
			}
		}
	}
	for key := range keys {
		if sh.texts[english].Items[key].Title.empty() {
			l.fault(path.Join(dir, english+".yaml"), "%s: no title", key)
		}
	}
	return sh
}

func (l *loader) advice(v int) *Advice {
	file := path.Join("advice", strconv.Itoa(v)+".yaml")
	var f adviceFile
	if !l.read(file, &f) {
		return nil
	}
	if f.Version != v {
		l.fault(file, "says version %d", f.Version)
	}
	seen := make(map[string]bool)
	for _, e := range f.Entries {
		if seen[e.Code] {
			l.fault(file, "%s: given twice", e.Code)
		}
		seen[e.Code] = true
		if msg := e.fault(); msg != "" {
			l.fault(file, "%s: %s", e.Code, msg)
		}
	}
	return &Advice{Version: f.Version, Entries: f.Entries}
}

// alerts reads the newest rules: alerts are raised by what we know today,
// whichever version was answered.
func (l *loader) alerts() *alertRules {
	vs := l.versions("alerts", "")
	out := &alertRules{}
	if len(vs) == 0 {
		return out
	}
	v := vs[len(vs)-1]
	dir := path.Join("alerts", strconv.Itoa(v))
	file := path.Join(dir, "rules.yaml")
	var f alertsFile
	l.read(file, &f)
	if f.Version != v {
		l.fault(file, "says version %d", f.Version)
	}
	texts := l.texts(dir, "rules.yaml")
	ids := make(map[string]bool)
	for _, r := range f.Rules {
		if !validID(r.ID) || ids[r.ID] || r.Phrases == (len(r.Options) > 0) {
			l.fault(file, "rule %q: needs an id of its own, and either options or phrases", r.ID)
		}
		ids[r.ID] = true
		for _, item := range slices.Sorted(maps.Keys(r.Options)) {
			out.options = append(out.options, optionRule{rule: r.ID, item: item, options: r.Options[item]})
		}
		if !r.Phrases {
			continue
		}
		pr := phraseRule{rule: r.ID, byLang: make(map[string][][]string)}
		for lang, t := range texts {
			file := path.Join(dir, lang+".yaml")
			if len(t.Phrases[r.ID]) == 0 {
				l.fault(file, "rule %s: no phrases", r.ID)
			}
			for _, p := range t.Phrases[r.ID] {
				words := phraseWords(p)
				if len(words) == 0 {
					l.fault(file, "rule %s: phrase %q has no words", r.ID, p)
					continue
				}
				pr.byLang[lang] = append(pr.byLang[lang], words)
			}
		}
		out.phrases = append(out.phrases, pr)
	}
	for lang, t := range texts {
		for id := range t.Phrases {
			if !ids[id] {
				l.fault(path.Join(dir, lang+".yaml"), "phrases for %q, which is no rule", id)
			}
		}
	}
	return out
}

// phraseWords normalises a phrase as texts are, keeping a word's closing *,
// which stands for any ending.
func phraseWords(p string) []string {
	var out []string
	for f := range strings.FieldsSeq(p) {
		words := normalWords(f)
		if strings.HasSuffix(f, "*") && len(words) > 0 {
			words[len(words)-1] += "*"
		}
		out = append(out, words...)
	}
	return out
}

func (l *loader) questionnaire(stage Stage, v int, scales, cores map[int]*shared) *Questionnaire {
	dir := path.Join(string(stage), strconv.Itoa(v))
	file := path.Join(dir, "questionnaire.yaml")
	var f questionnaireFile
	if !l.read(file, &f) {
		return nil
	}
	staged := stage != about && stage != ticks
	sc, co := scales[f.Scales], cores[f.Core]
	if f.Version != v || f.Stage != stage {
		l.fault(file, "says %s/%d", f.Stage, f.Version)
	}
	if sc == nil {
		l.fault(file, "scales %d do not exist", f.Scales)
		sc = &shared{texts: map[string]*textFile{english: {}}}
	}
	if co == nil {
		if staged {
			l.fault(file, "core %d does not exist", f.Core)
		}
		co = &shared{texts: map[string]*textFile{english: {}}}
	}
	if staged && !slices.Contains(tenses[:], f.Tense) {
		l.fault(file, "tense is will, are or did")
	}
	q := &Questionnaire{ID: dir, Stage: stage, Version: v, index: make(map[string]int), size: packHeader}
	pageIDs := make(map[string]bool)
	for p, page := range f.Pages {
		if !validID(page.ID) || pageIDs[page.ID] {
			l.fault(file, "page %q: needs an id of its own", page.ID)
		}
		pageIDs[page.ID] = true
		if len(page.Items) == 0 {
			l.fault(file, "page %s: has no items", page.ID)
		}
		first := len(q.Items)
		for _, raw := range page.Items {
			it := l.item(file, raw, f.Tense, sc, co)
			it.Page, it.page, it.at = page.ID, p, q.size
			l.parts(file, &it, raw.Parts, len(page.Items), pageIDs)
			if _, twice := q.index[it.ID]; twice {
				l.fault(file, "%s: given twice", it.ID)
				continue
			}
			l.checkRouting(file, q, &it)
			q.index[it.ID] = len(q.Items)
			q.Items = append(q.Items, it)
			q.size += it.packedSize()
		}
		q.Pages = append(q.Pages, Page{ID: page.ID, Items: slices.Clone(q.Items[first:])})
	}
	l.wording(q, l.texts(dir, "questionnaire.yaml"), sc, co)
	return q
}

// item makes an item from its data, from the core tracker and the scale it names.
func (l *loader) item(file string, raw itemFile, tense string, sc, co *shared) Item {
	show := raw.ShowIf
	core := raw.Core != ""
	textKey := raw.ID
	if core {
		if raw.ID != "" || raw.Scale != "" || raw.Kind != "" || raw.Construct != "" || len(raw.Options) > 0 || raw.OfferFrom != "" || raw.Reverse || len(raw.Parts) > 0 {
			l.fault(file, "%s: a core tracker is asked as it is, with show_if at most", raw.Core)
		}
		tracker, ok := co.core[raw.Core]
		if !ok {
			l.fault(file, "%s: no such core tracker", raw.Core)
			tracker = itemFile{ID: raw.Core, Kind: Words}
		}
		raw, file = tracker, path.Join(co.dir, "core.yaml")
		textKey = raw.ID
		if raw.Tense {
			textKey += "." + tense
		}
	} else if strings.HasPrefix(raw.ID, "core.") || raw.Tense || raw.Quick {
		l.fault(file, "%s: ids core.…, tense and the quick path belong to the core trackers", raw.ID)
	}
	it := Item{
		ID: raw.ID, Construct: raw.Construct, Kind: raw.Kind, Scale: raw.Scale, Core: core, Quick: raw.Quick, Reverse: raw.Reverse,
		Shuffle: raw.Shuffle, show: show, offerFrom: raw.OfferFrom, impliedByOne: raw.ImpliedByOne, textKey: textKey,
	}
	if !validID(it.ID) {
		l.fault(file, "%q: an item id is lower-case words joined by dots and hyphens", it.ID)
	}
	if !slices.Contains([]string{"", Confidence, Communication, AdviceGiven, Serious, Safety, Overall, Identification, Support}, it.Construct) {
		l.fault(file, "%s: no such construct: %s", it.ID, it.Construct)
	}
	if it.Scale != "" {
		options, ok := sc.scales[it.Scale]
		if !ok {
			l.fault(file, "%s: no such scale: %s", it.ID, it.Scale)
		}
		it.Options = slices.Clone(options)
	}
	for _, o := range l.options(file, it.ID, raw.Options, sc.groups) {
		if _, twice := it.Option(o.Code); twice {
			l.fault(file, "%s %s: option given twice", it.ID, o.Code)
		}
		it.Options = append(it.Options, o)
	}
	if it.Reverse {
		reverse(it.Options, sc.fixed[it.Scale])
	}
	l.checkKind(file, &it)
	return it
}

// reverse turns scores and positives round: the bottom counts, and 0 is 100.
// Options that are no valid answers stay, and so does a fixed share.
func reverse(options []Option, fixedShare bool) {
	var scored []int
	for i := range options {
		if options[i].Score != nil {
			turned := 100 - *options[i].Score
			options[i].Score = &turned
			scored = append(scored, i)
		}
	}
	if fixedShare {
		return
	}
	for i, j := 0, len(scored)-1; i < j; i, j = i+1, j-1 {
		a, b := &options[scored[i]], &options[scored[j]]
		a.Positive, b.Positive = b.Positive, a.Positive
	}
}
