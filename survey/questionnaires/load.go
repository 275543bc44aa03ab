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

// The shapes of the data files. Decoding is strict: an unknown key is a fault.
type (
	optionFile struct {
		Code      string   `yaml:"code"`
		Score     *float64 `yaml:"score"`
		Positive  bool     `yaml:"positive"`
		State     string   `yaml:"state"`
		Exclusive bool     `yaml:"exclusive"`
		Group     string   `yaml:"group"`
	}
	itemFile struct {
		ID           string       `yaml:"id"`
		Core         string       `yaml:"core"` // a core tracker, in place of all but show_if
		Construct    string       `yaml:"construct"`
		Kind         Kind         `yaml:"kind"`
		Scale        string       `yaml:"scale"`
		Options      []optionFile `yaml:"options"` // its own; after those of the scale, if both
		Reverse      bool         `yaml:"reverse"`
		Quick        bool         `yaml:"quick"`
		Shuffle      bool         `yaml:"shuffle"`
		Tense        bool         `yaml:"tense"` // of a core tracker: worded by tense
		ShowIf       *rule        `yaml:"show_if"`
		OfferFrom    string       `yaml:"offer_from"`
		ImpliedByOne bool         `yaml:"implied_by_one"`
	}
	pageFile struct {
		ID    string     `yaml:"id"`
		Items []itemFile `yaml:"items"`
	}
	questionnaireFile struct {
		Stage   Stage      `yaml:"stage"`
		Version int        `yaml:"version"`
		Core    int        `yaml:"core"`   // version of the core trackers it uses
		Scales  int        `yaml:"scales"` // version of the scales it uses
		Tense   string     `yaml:"tense"`  // will, are or did
		Pages   []pageFile `yaml:"pages"`
	}
	coreFile struct {
		Version int        `yaml:"version"`
		Items   []itemFile `yaml:"items"`
	}
	scaleFile struct {
		FixedShare bool         `yaml:"fixed_share"` // the share stays as it is when an item is reverse-worded
		Options    []optionFile `yaml:"options"`
	}
	scalesFile struct {
		Version int                  `yaml:"version"`
		Scales  map[string]scaleFile `yaml:"scales"`
		Groups  []string             `yaml:"groups"`
	}
	adviceFile struct {
		Version int           `yaml:"version"`
		Entries []AdviceEntry `yaml:"entries"`
	}
	alertRuleFile struct {
		ID      string              `yaml:"id"`
		Options map[string][]string `yaml:"options"` // item: options that raise it
		Phrases bool                `yaml:"phrases"` // raised by words, listed by language
	}
	alertsFile struct {
		Version int             `yaml:"version"`
		Rules   []alertRuleFile `yaml:"rules"`
	}

	itemText struct {
		Title   phrase            `yaml:"title"`
		Hint    phrase            `yaml:"hint"`
		Options map[string]phrase `yaml:"options"`
		Hints   map[string]phrase `yaml:"hints"` // under an option
	}
	pageText struct {
		Title   phrase `yaml:"title"`
		Opening phrase `yaml:"opening"`
	}
	// textFile is a language file of any kind; each kind uses the parts it needs.
	textFile struct {
		Lang      string                       `yaml:"lang"`
		Review    string                       `yaml:"review"`    // final, or draft: awaiting professional review
		Name      string                       `yaml:"name"`      // of scales: the language in itself
		Direction string                       `yaml:"direction"` // of scales: ltr or rtl
		Pages     map[string]pageText          `yaml:"pages"`
		Items     map[string]itemText          `yaml:"items"`
		Scales    map[string]map[string]phrase `yaml:"scales"`
		Groups    map[string]phrase            `yaml:"groups"`
		Phrases   map[string][]string          `yaml:"phrases"`
	}
)

// phrase is a wording: one text for both persons, or one for each.
type phrase struct{ self, proxy string }

// UnmarshalYAML reads a plain text or a pair of self and proxy.
func (p *phrase) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err == nil {
		p.self, p.proxy = s, s
		return nil
	}
	var pair struct {
		Self  string `yaml:"self"`
		Proxy string `yaml:"proxy"`
	}
	if err := unmarshal(&pair); err != nil {
		return err
	}
	if strings.TrimSpace(pair.Self) == "" || strings.TrimSpace(pair.Proxy) == "" {
		return errors.New("a wording is a text, or both self and proxy")
	}
	p.self, p.proxy = pair.Self, pair.Proxy
	return nil
}

func (p phrase) empty() bool { return strings.TrimSpace(p.self) == "" }

func (p phrase) of(proxy bool) string {
	if proxy {
		return p.proxy
	}
	return p.self
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
			if stage == about || stage == ticks {
				s.extra = append(s.extra, q)
			} else {
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

// validID accepts lower-case words joined by hyphens, and dots between parts.
func validID(s string) bool {
	if s == "" {
		return false
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(s, ".", "-"), "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
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
		if !strings.HasPrefix(it.ID, "core.") || it.Core != "" || it.ShowIf != nil || it.OfferFrom != "" {
			l.fault(file, "%s: a core tracker has an id core.…, and neither routing nor another core", it.ID)
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
		if raw.ID != "" || raw.Scale != "" || raw.Kind != "" || raw.Construct != "" || len(raw.Options) > 0 || raw.OfferFrom != "" || raw.Reverse {
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

func (l *loader) checkKind(file string, it *Item) {
	switch it.Kind {
	case Single, Multi:
		if len(it.Options) < 2 || len(it.Options) > maxOptions {
			l.fault(file, "%s: has %d options, and may have 2 to %d", it.ID, len(it.Options), maxOptions)
		}
	case Words:
		if len(it.Options) > 0 || it.Construct != "" {
			l.fault(file, "%s: free text has neither options nor a construct", it.ID)
		}
	default:
		l.fault(file, "%s: kind is single, multi or text", it.ID)
	}
	for _, o := range it.Options {
		if it.Kind == Single && o.Exclusive {
			l.fault(file, "%s %s: exclusive is for multi items", it.ID, o.Code)
		}
		if it.Kind == Multi && (o.Score != nil || o.Positive) {
			l.fault(file, "%s %s: multi items have neither score nor share", it.ID, o.Code)
		}
		if it.Kind == Multi && o.State != Answered && !o.Exclusive {
			l.fault(file, "%s %s: an option that is no valid answer must be exclusive", it.ID, o.Code)
		}
	}
}

// checkRouting holds conditions to items on earlier pages: without script a
// page cannot change while it is being filled in.
func (l *loader) checkRouting(file string, q *Questionnaire, it *Item) {
	earlier := func(id string) *Item {
		i, ok := q.index[id]
		if !ok || q.Items[i].page >= it.page {
			l.fault(file, "%s: routing names %q, which is not asked on an earlier page", it.ID, id)
			return nil
		}
		return &q.Items[i]
	}
	var check func(r *rule)
	check = func(r *rule) {
		forms := 0
		for _, given := range []bool{len(r.All) > 0, len(r.Any) > 0, r.Not != nil, r.Item != "", r.Fact != ""} {
			if given {
				forms++
			}
		}
		if forms != 1 || (r.Item == "" && r.AtLeast != 0) || (len(r.Is) > 0) == (r.AtLeast > 0) && (r.Item != "" || r.Fact != "") {
			l.fault(file, "%s: a condition is one of all, any, not, item with is or at_least, fact with is", it.ID)
			return
		}
		for _, sub := range slices.Concat(r.All, r.Any) {
			check(&sub)
		}
		if r.Not != nil {
			check(r.Not)
		}
		if r.Fact != "" && !slices.Contains(factNames[:], r.Fact) {
			l.fault(file, "%s: no such fact: %s", it.ID, r.Fact)
		}
		if r.Item == "" {
			return
		}
		from := earlier(r.Item)
		if from == nil {
			return
		}
		if r.AtLeast > 0 && from.Kind != Multi {
			l.fault(file, "%s: at_least counts the choices of a multi item", it.ID)
		}
		for _, code := range r.Is {
			if _, ok := from.Option(code); !ok {
				l.fault(file, "%s: routing names %s %s, which is no option", it.ID, r.Item, code)
			}
		}
	}
	if it.show != nil {
		check(it.show)
	}
	if it.offerFrom == "" {
		if it.impliedByOne {
			l.fault(file, "%s: implied_by_one needs offer_from", it.ID)
		}
		return
	}
	from := earlier(it.offerFrom)
	if from == nil {
		return
	}
	common := 0
	for i := range it.Options {
		if _, listed := from.Option(it.Options[i].Code); listed {
			common++
		} else {
			it.Options[i].ownOnly = true
		}
	}
	if from.Kind != Multi || common == 0 {
		l.fault(file, "%s: offer_from names a multi item that shares options with it", it.ID)
	}
}

// wording checks the language files of a questionnaire and joins them with the
// shared ones.
func (l *loader) wording(q *Questionnaire, own map[string]*textFile, sc, co *shared) {
	for lang, t := range own {
		l.checkText(q, path.Join(q.ID, lang+".yaml"), t)
	}
	q.texts = make(map[string]*[2]*Text)
	for lang := range own {
		if sc.texts[lang] == nil || (q.hasCore() && co.texts[lang] == nil) {
			l.fault(path.Join(q.ID, lang+".yaml"), "the scales or the core trackers lack this language")
			continue
		}
		q.Languages = append(q.Languages, lang)
		layers := [2]layer{{own[lang], sc.texts[lang], co.texts[lang]}, {own[english], sc.texts[english], co.texts[english]}}
		q.texts[lang] = &[2]*Text{q.text(lang, false, layers), q.text(lang, true, layers)}
	}
	slices.SortFunc(q.Languages, englishFirst)
	if t := q.texts[english]; t != nil {
		l.checkEnglish(q, t[0])
	}
}

func englishFirst(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == english:
		return -1
	case b == english:
		return 1
	}
	return strings.Compare(a, b)
}

func (q *Questionnaire) hasCore() bool {
	return slices.ContainsFunc(q.Items, func(it Item) bool { return it.Core })
}

// checkText refuses keys that no item or page has: a slip of the pen would
// else show as English for ever.
func (l *loader) checkText(q *Questionnaire, file string, t *textFile) {
	for id, words := range t.Items {
		it, ok := q.Item(id)
		if !ok || it.Core {
			l.fault(file, "%s: no such item here (core trackers are worded in one place)", id)
			continue
		}
		for _, m := range []map[string]phrase{words.Options, words.Hints} {
			for code := range m {
				if _, ok := it.Option(code); !ok {
					l.fault(file, "%s %s: no such option", id, code)
				}
			}
		}
	}
	for id := range t.Pages {
		if !slices.ContainsFunc(q.Pages, func(p Page) bool { return p.ID == id }) {
			l.fault(file, "page %s: no such page", id)
		}
	}
}

func (l *loader) checkEnglish(q *Questionnaire, t *Text) {
	file := path.Join(q.ID, english+".yaml")
	for i, p := range q.Pages {
		if title, opening := t.Page(p.ID); title == "" || (i == 0 && opening == "") {
			l.fault(file, "page %s: needs a title, and the first page an opening that says what is coming", p.ID)
		}
	}
	for i := range q.Items {
		it := &q.Items[i]
		if title, _ := t.Item(it.ID); title == "" {
			l.fault(file, "%s: no title", it.ID)
		}
		for _, o := range it.Options {
			if t.Option(it.ID, o.Code) == "" {
				l.fault(file, "%s %s: no text", it.ID, o.Code)
			}
		}
	}
}

// layer is one language's files for a questionnaire.
type layer struct{ own, scales, core *textFile }

func (y layer) itemText(it *Item) itemText {
	if it.Core {
		if y.core == nil {
			return itemText{}
		}
		return y.core.Items[it.textKey]
	}
	return y.own.Items[it.ID]
}

// text joins the layers, the language first and English behind it. Whether an
// option is worded by its item or by its scale is decided by English, so that a
// half-translated item never borrows another question's words.
func (q *Questionnaire) text(lang string, proxy bool, layers [2]layer) *Text {
	pick := func(get func(layer) phrase) string {
		for _, y := range layers {
			if p := get(y); !p.empty() {
				return p.of(proxy)
			}
		}
		return ""
	}
	t := &Text{
		Lang: lang, Proxy: proxy,
		items: make(map[string][2]string), options: make(map[string]map[string]wording),
		pages: make(map[string][2]string), groups: make(map[string]string),
	}
	for i := range q.Items {
		it := &q.Items[i]
		t.items[it.ID] = [2]string{
			pick(func(y layer) phrase { return y.itemText(it).Title }),
			pick(func(y layer) phrase { return y.itemText(it).Hint }),
		}
		words := make(map[string]wording, len(it.Options))
		for _, o := range it.Options {
			label := pick(func(y layer) phrase { return y.itemText(it).Options[o.Code] })
			if layers[1].itemText(it).Options[o.Code].empty() {
				label = pick(func(y layer) phrase { return y.scales.Scales[it.Scale][o.Code] })
			}
			words[o.Code] = wording{label, pick(func(y layer) phrase { return y.itemText(it).Hints[o.Code] })}
			if o.Group != "" {
				t.groups[o.Group] = pick(func(y layer) phrase { return y.scales.Groups[o.Group] })
			}
		}
		t.options[it.ID] = words
	}
	for _, p := range q.Pages {
		t.pages[p.ID] = [2]string{
			pick(func(y layer) phrase { return y.own.Pages[p.ID].Title }),
			pick(func(y layer) phrase { return y.own.Pages[p.ID].Opening }),
		}
	}
	return t
}

// checkSet looks at what the files must agree on between them.
func (l *loader) checkSet(s *Set, rules *alertRules) {
	for _, r := range rules.options {
		for _, code := range r.options {
			found := false
			for _, q := range s.all {
				if it, ok := q.Item(r.item); ok {
					_, has := it.Option(code)
					found = found || has
				}
			}
			if !found {
				l.fault("alerts", "rule %s: no questionnaire offers %s %s", r.rule, r.item, code)
			}
		}
	}
	for _, q := range s.all {
		for i := range q.Items {
			it := &q.Items[i]
			if it.Scale != adviceScale {
				continue
			}
			for _, o := range it.Options {
				if o.Group == "" || len(s.advice) == 0 {
					continue
				}
				for _, a := range s.advice[len(s.advice)-1:] {
					if a.Polarity(o.Code) == "" {
						l.fault(path.Join("advice", strconv.Itoa(a.Version)+".yaml"), "%s is offered by %s and has no polarity", o.Code, q.ID)
					}
				}
			}
		}
	}
	l.checkCore(s)
}

// adviceScale is the shared list of police advice.
const adviceScale = "advice"

// checkCore holds the current questionnaires to one version of the core
// trackers, since they make the trend line, and to the quick path of three.
func (l *loader) checkCore(s *Set) {
	first := make(map[string]*Item)
	for _, stage := range Stages() {
		q := s.current[stage]
		if q == nil {
			continue
		}
		quick := 0
		for i := range q.Items {
			it := &q.Items[i]
			if it.Quick {
				quick++
			}
			if !it.Core {
				continue
			}
			if it.show != nil {
				l.fault(q.ID, "%s: a core tracker is asked of everyone", it.ID)
			}
			if _, ok := first[it.ID]; !ok {
				first[it.ID] = it
			} else if first[it.ID].Scale != it.Scale {
				l.fault(q.ID, "%s: asked on another scale than at an earlier stage", it.ID)
			}
		}
		if quick != 3 {
			l.fault(q.ID, "the quick path has %d questions, not three", quick)
		}
	}
}

// languages lists the languages in which every current questionnaire exists.
func languages(s *Set, scales map[int]*shared) []Language {
	var newest *shared
	for _, v := range slices.Sorted(maps.Keys(scales)) {
		newest = scales[v]
	}
	var out []Language
	for _, code := range s.current[Report].Languages {
		t := newest.texts[code]
		everywhere := t != nil
		for _, q := range s.current {
			everywhere = everywhere && slices.Contains(q.Languages, code)
		}
		if everywhere {
			out = append(out, Language{Code: code, Name: t.Name, Direction: t.Direction, Draft: t.Review == "draft"})
		}
	}
	return out
}
