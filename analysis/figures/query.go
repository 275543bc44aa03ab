package figures

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Point is one figure. Of a suppressed one nothing is given but its place and the
// reason: every number in it is nought or nil.
type Point struct {
	Key        map[string]string // dimension: value, for the dimensions split by and the period
	Period     string            // "2026-03", "2026-Q1", "2026"; empty: not by period
	Numerator  int               // people counted; 0 for indices and means
	Base       int
	Share      *float64 // percent; of an index or mean the score, 0 to 100
	Low, High  *float64 // 95% interval
	Suppressed bool
	Reason     string // why there is no figure: ReasonWithheld or ReasonNone
	Small      bool   // published, on a base under 30
	Signal     string // letters of the special-cause rules that this point is part of
	Meaning    string // of the signals: improvement, concern or change; empty without one

	// Of published themes alone: which coder coded the words, MixedCoders where several
	// did; and the share corrected for that coder's errors, nil where there is none.
	Coder     string
	Corrected *Estimate

	// Polarity is, of the harmful-advice rate alone, the version of the polarity table
	// that judged the answers; MixedCoders where several did.
	Polarity string
}

// Estimate is a share in percent with its 95% interval.
type Estimate struct {
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// MixedCoders stands for the coder of a figure whose words several versions coded.
const MixedCoders = "mixed"

// MarshalJSON gives the point as the API shows it: null where there is no number.
func (p Point) MarshalJSON() ([]byte, error) {
	var num, base *int
	if !p.Suppressed {
		base = &p.Base
		if p.Share != nil {
			num = &p.Numerator
		}
	}
	return json.Marshal(struct {
		Key        map[string]string `json:"key,omitempty"`
		Period     string            `json:"period,omitempty"`
		Numerator  *int              `json:"numerator"`
		Base       *int              `json:"base"`
		Share      *float64          `json:"share"`
		Low        *float64          `json:"low"`
		High       *float64          `json:"high"`
		Suppressed bool              `json:"suppressed"`
		Reason     string            `json:"reason,omitempty"`
		Small      bool              `json:"small,omitempty"`
		Signal     string            `json:"signal,omitempty"`
		Meaning    string            `json:"meaning,omitempty"`
		Coder      string            `json:"coder,omitempty"`
		Corrected  *Estimate         `json:"corrected,omitempty"`
		Polarity   string            `json:"polarity_table,omitempty"`
	}{p.Key, p.Period, num, base, p.Share, p.Low, p.High, p.Suppressed, p.Reason, p.Small, p.Signal, p.Meaning, p.Coder, p.Corrected, p.Polarity})
}

// Result answers a query.
type Result struct {
	Measure Measure  `json:"measure"`
	By      []string `json:"by"`
	Stage   string   `json:"stage,omitempty"`
	Mode    string   `json:"mode,omitempty"` // whose answers; empty when split by mode or of askings
	Points  []Point  `json:"points"`         // by place, then by period
	Trend   *Trend   `json:"trend,omitempty"`
	Coding  *Coding  `json:"coding,omitempty"` // of themes: how far the coder can be trusted
	Note    string   `json:"note"`             // what every reader should know of these figures

	Series Series `json:"-"` // names the chart, whatever its period
}

// Notes that go with figures.
const (
	NotePrecision = "Intervals (95%) are about precision alone: people chose to answer, and who did not is not in them."
	NoteShort     = "Control limits need 12 published points; this series has %d."
	NoteBroken    = "Control limits need %d published points between breaks; here there are fewer on every side."
	NoteFlat      = "Every point is the same, so there is no spread to draw limits from."
)

// Figures answers a query. A measure, dimension or combination that is not on the
// lattice is fault Invalid, with a field for each thing that is wrong; a table too
// large to count is fault TooLarge. Periods inside a series that nobody answered in
// come as points with a base of nought.
func (p *Panel) Figures(ctx context.Context, q Query) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	pl, err := p.plan(q)
	if err != nil {
		return Result{}, err
	}
	r := Result{Measure: pl.measure, By: slices.Clone(q.By), Stage: pl.stage, Note: NotePrecision, Series: pl.series()}
	if !pl.measure.askings {
		r.Mode = pl.mode
	}
	chosen := []string{pl.mode}
	if pl.mode == "" {
		chosen = modes()
	}
	series := 0
	for _, mode := range chosen {
		t, err := p.table(ctx, &pl.measure, mode, pl.attr)
		if err != nil {
			return Result{}, err
		}
		series += pl.points(t, mode, &r.Points)
		r.addCoding(t, mode)
	}
	if pl.byPeriod && series == 1 {
		r.Trend = trendOf(&pl.measure, r.Points, p.rebasesOf(&pl)...)
	}
	return r, nil
}

// Coding says of a theme's figures how they were counted and corrected.
type Coding struct {
	Drawn   string   `json:"drawn"`   // which share charts draw and limits rest on: always counted
	Samples []Sample `json:"samples"` // one a coder of the figures shown
	Note    string   `json:"note"`    // what every reader should know of both shares
}

// Sample is what a person's coding of words drawn at random says of one coder, over
// all months and areas of one mode.
type Sample struct {
	Coder       string   `json:"coder"`                 // version of the codebook and model
	Mode        string   `json:"mode"`                  // whose words
	Drawn       int      `json:"drawn"`                 // people whose words were drawn at random and coded by a person
	Sensitivity *float64 `json:"sensitivity,omitempty"` // percent of those with the theme in which the coder found it
	Specificity *float64 `json:"specificity,omitempty"` // percent of those without it in which the coder found none
	Lacks       string   `json:"lacks,omitempty"`       // why nothing is corrected by it; empty: it is enough
}

// What is drawn and counted, and the notes on it.
const (
	DrawnCounted  = "counted"
	NoteCounted   = "Only the counted share is given, the coder's errors included."
	NoteCorrected = "The counted share is what the coder found, its errors included; the corrected share allows for them as a person's coding of words drawn at random shows them. Charts draw the counted share, with its limits; a cross on a chart is the corrected one."
)

// What the columns of a corrected share mean, for data dictionaries.
const (
	MeaningCorrected = "Of themes: the share corrected for the coder's misses and false alarms, as a person's coding of words drawn at random shows them (Rogan and Gladen). Empty for other measures, where the figure is withheld, where several versions coded the words, and where the sample is too small."
	MeaningCoder     = "Of themes: the version of the codebook and model that coded the words; mixed where several did, empty where the figure is withheld and for other measures."
)

// addCoding adds to a result what the samples say of the coders of its figures.
func (r *Result) addCoding(t *table, mode string) {
	if t.samples == nil {
		return
	}
	if r.Coding == nil {
		r.Coding = &Coding{Drawn: DrawnCounted, Samples: []Sample{}, Note: NoteCounted}
	}
	for number, name := range t.coders {
		shown := slices.ContainsFunc(r.Points, func(p Point) bool {
			return p.Coder == name && (p.Key[DimMode] == "" || p.Key[DimMode] == mode)
		})
		if !shown || number == 0 {
			continue
		}
		tally := t.samples[uint16(number)] // #nosec G115 -- numbers are uint16
		s := Sample{Coder: name, Mode: mode, Drawn: tally.Drawn(), Lacks: tally.Lacks()}
		if s.Lacks == "" {
			sensitivity, specificity := 100*tally.Sensitivity(), 100*tally.Specificity()
			s.Sensitivity, s.Specificity = &sensitivity, &specificity
		}
		r.Coding.Samples = append(r.Coding.Samples, s)
	}
	slices.SortStableFunc(r.Coding.Samples, func(a, b Sample) int { return cmp.Or(cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Coder, b.Coder)) })
	if slices.ContainsFunc(r.Points, func(p Point) bool { return p.Corrected != nil }) {
		r.Coding.Note = NoteCorrected
	}
}

// selection is the nodes of each axis that a plan shows.
func (pl *plan) selection(t *table) (periods, stageNodes, areas, attrs []int) {
	for i, n := range t.axes[axisPeriod].nodes {
		if n.level == pl.period && pl.covers(t, n, i) {
			periods = append(periods, i)
		}
	}
	for i, n := range t.axes[axisStage].nodes {
		whole := n.level == 1
		if pl.stage != "" && n.key == pl.stage && !whole || pl.stage == "" && whole != pl.byStage {
			stageNodes = append(stageNodes, i)
		}
	}
	for i, n := range t.axes[axisArea].nodes {
		if n.level == pl.area && pl.keeps(n) {
			areas = append(areas, i)
		}
	}
	for i, n := range t.axes[axisAttr].nodes {
		whole := n.level == 1 || pl.attr == ""
		if pl.attrOnly != "" && n.key == pl.attrOnly && !whole || pl.attrOnly == "" && whole != pl.attrAll {
			attrs = append(attrs, i)
		}
	}
	return periods, stageNodes, areas, attrs
}

// covers reports whether a period overlaps the span asked for. Whole periods are
// shown or none: a part of one would be a figure off the lattice.
func (pl *plan) covers(t *table, n node, i int) bool {
	low, high := i+t.first, i+t.first
	switch n.level {
	case levelQuarter:
		low = quarterStart(n.key)
		high = low + 2
	case levelYear:
		low = yearStart(n.key)
		high = low + 11
	case levelEver:
		return true
	}
	return high >= pl.from && low <= pl.to
}

func yearStart(key string) int {
	var y int
	_, _ = fmt.Sscanf(key, "%d", &y) // a key of our own making
	return (y - firstYear) * 12
}

func quarterStart(key string) int { return yearStart(key[:4]) + 3*int(key[6]-'1') }

func (pl *plan) keeps(n node) bool {
	if n.level == levelEverywhere {
		return true
	}
	for dim, v := range pl.keep {
		switch {
		case dim == DimForce && n.force != v, dim == DimBCU && n.bcu != v, dim == DimBorough && n.key != v:
			return false
		}
	}
	return true
}

// points adds the figures of one table and says how many series they make.
func (pl *plan) points(t *table, mode string, out *[]Point) (series int) {
	periods, stageNodes, areas, attrs := pl.selection(t)
	first, last := pl.spread(t, periods, stageNodes, areas, attrs)
	for _, area := range areas {
		for _, attr := range attrs {
			for _, stage := range stageNodes {
				at := func(i int) int {
					return periods[i]*t.stride[axisPeriod] + stage*t.stride[axisStage] + area*t.stride[axisArea] + attr*t.stride[axisAttr]
				}
				some := false
				for i := first; i <= last; i++ {
					some = some || t.base[at(i)] > 0
				}
				if !some {
					continue
				}
				series++
				for i := first; i <= last; i++ {
					*out = append(*out, t.point(&pl.measure, at(i), pl.key(t, mode, periods[i], stage, area, attr)))
				}
			}
		}
	}
	return series
}

// spread is the range of periods, among those selected, in which anything was
// answered at all; every series runs over the same ones. An empty range has last < first.
func (pl *plan) spread(t *table, periods, stageNodes, areas, attrs []int) (first, last int) {
	first, last = len(periods), -1
	for i, period := range periods {
		for _, stage := range stageNodes {
			for _, area := range areas {
				for _, attr := range attrs {
					if t.base[period*t.stride[axisPeriod]+stage*t.stride[axisStage]+area*t.stride[axisArea]+attr*t.stride[axisAttr]] > 0 {
						first, last = min(first, i), i
					}
				}
			}
		}
	}
	return first, last
}

func (pl *plan) key(t *table, mode string, period, stage, area, attr int) map[string]string {
	key := map[string]string{}
	n := t.axes[axisArea].nodes[area]
	for _, dim := range pl.by {
		switch groupOf(dim) {
		case groupPeriod:
			key[dim] = t.axes[axisPeriod].nodes[period].key
		case groupStage:
			key[dim] = t.axes[axisStage].nodes[stage].key
			if pl.stage != "" {
				key[dim] = pl.stage
			}
		case groupArea:
			switch dim {
			case DimForce:
				key[dim] = n.force
			case DimBCU:
				key[dim] = n.bcu
			default:
				key[dim] = n.key
			}
		case groupAttribute:
			key[dim] = t.axes[axisAttr].nodes[attr].key
			if dim == DimMode {
				key[dim] = mode
			}
		}
	}
	// Two forces may each have a borough or unit of the same name.
	if pl.byArea && pl.area < levelForce && len(t.axes[axisArea].children[len(t.axes[axisArea].nodes)-1]) > 2 {
		key[DimForce] = n.force
	}
	return key
}

func (t *table) point(m *Measure, at int, key map[string]string) Point {
	pt := Point{Key: key}
	for _, dim := range []string{DimMonth, DimQuarter, DimYear} {
		if v, ok := key[dim]; ok {
			pt.Period = v
		}
	}
	switch {
	case t.base[at] == 0:
		pt.Reason = ReasonNone
		return pt
	case t.hidden[at]:
		pt.Suppressed, pt.Reason = true, ReasonWithheld
		return pt
	}
	pt.Base = int(t.base[at])
	pt.Small = Small(pt.Base)
	if m.Averages() {
		mean := t.sum[at] / float64(pt.Base)
		pt.Share = &mean
		if iv, ok := meanInterval(t.sum[at], t.square[at], pt.Base); ok {
			pt.Low, pt.High = &iv.Low, &iv.High
		}
		return pt
	}
	pt.Numerator = int(t.num[at])
	share, iv := 100*float64(pt.Numerator)/float64(pt.Base), Wilson(pt.Numerator, pt.Base)
	pt.Share, pt.Low, pt.High = &share, &iv.Low, &iv.High
	if m.coded != nil {
		t.correct(&pt, at)
	}
	if m.judges != nil {
		pt.Polarity = t.judged(at)
	}
	return pt
}

// correct says who coded a published figure and corrects it where one coder did and
// the sample of its errors is large enough.
func (t *table) correct(pt *Point, at int) {
	low, high := t.coder[0][at], t.coder[1][at]
	if low != high {
		pt.Coder = MixedCoders
		return
	}
	pt.Coder = t.coders[low]
	if share, iv, ok := Corrected(int(t.links[linkFound][at]), pt.Base, t.samples[low]); ok {
		pt.Corrected = &Estimate{Share: share, Low: iv.Low, High: iv.High}
	}
}

// Trend is the control chart of one series over time. Where the coder of a theme
// changed on the way, or the chart was re-based, limits are drawn on either side of
// the break by itself, and no signal runs across it. So too where the version of the
// polarity table changed by which advice is judged.
type Trend struct {
	Method   string    `json:"method,omitempty"` // XmR or p′; empty: no limits
	Centre   *float64  `json:"centre"`           // with breaks: of the last part that has limits
	Limits   []*Limit  `json:"limits,omitempty"` // one a point; nil where nothing is published or its part is too short
	Signals  []Sign    `json:"signals,omitempty"`
	Points   int       `json:"points"` // published points that limits were drawn from
	Breaks   []Break   `json:"breaks,omitempty"`
	Segments []Segment `json:"segments,omitempty"` // with breaks: the parts between them
	Note     string    `json:"note"`               // the false-alarm rate, or why there are no limits
}

// Break is where a trend is broken: a theme's words before and from then on were not
// coded by the same coder, advice was not judged by the same version of the polarity
// table, or the chart was re-based.
type Break struct {
	Period  string `json:"period"` // the first period with another coder, or with limits of its own
	Words   string `json:"words"`
	Rebased bool   `json:"rebased,omitempty"` // limits alone are drawn anew: figures can be compared across it
}

// Segment is a part of a broken trend, coded by one coder throughout.
type Segment struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Coder  string   `json:"coder,omitempty"` // of themes
	Centre *float64 `json:"centre"`          // nil: too short for limits
	Points int      `json:"points"`
}

// Chance is how likely it is, 0 to 1, that the chart signals although nothing has changed.
func (t *Trend) Chance() float64 {
	if t.Segments == nil {
		return FalseAlarmRate(t.Points)
	}
	quiet := 1.
	for _, s := range t.Segments {
		if s.Centre != nil {
			quiet *= 1 - FalseAlarmRate(s.Points)
		}
	}
	return 1 - quiet
}

// Sign is a signal in words that claim no more than its rule does.
type Sign struct {
	Rule    Rule   `json:"rule"`
	Strong  bool   `json:"strong"`
	From    string `json:"from"` // period of the first point
	To      string `json:"to"`
	Up      bool   `json:"up"`
	Meaning string `json:"meaning"` // improvement, concern, or change where neither way is better
	Words   string `json:"words"`
}

// The meanings of a signal.
const (
	MeansImprovement = "improvement"
	MeansConcern     = "concern"
	MeansChange      = "change"
)

func (m *Measure) meaning(up bool) string {
	switch {
	case m.Better == "":
		return MeansChange
	case up == (m.Better == BetterHigher):
		return MeansImprovement
	}
	return MeansConcern
}

// trendOf draws the control chart of points in time order, and marks the points
// that are part of a signal. Shares and rates take the p′ chart, since their bases
// vary; indices and means the XmR chart. Only published points count.
func trendOf(m *Measure, points []Point, rebases ...Rebase) *Trend {
	parts, breaks := partsOf(points)
	parts, breaks = cut(points, parts, breaks, rebases)
	t := &Trend{Breaks: breaks}
	for _, part := range parts {
		one := m.chart(points[part.first : part.last+1])
		t.Points += one.Points
		if len(breaks) > 0 {
			t.Segments = append(t.Segments, Segment{From: points[part.first].Period, To: points[part.last].Period, Coder: part.coder, Centre: one.Centre, Points: one.Points})
		}
		t.Signals = append(t.Signals, one.Signals...)
		if one.Limits == nil {
			t.Note = cmp.Or(t.Note, one.Note)
			continue
		}
		t.Method, t.Centre, t.Note = one.Method, one.Centre, one.Note
		if t.Limits == nil {
			t.Limits = make([]*Limit, len(points))
		}
		copy(t.Limits[part.first:], one.Limits)
	}
	switch {
	case len(breaks) == 0:
	case t.Limits == nil:
		t.Note = fmt.Sprintf(NoteBroken, MinLimitPoints)
	default:
		t.Note = fmt.Sprintf("Limits are drawn on either side of the break by itself. About %.0f in 100 such charts signal by chance alone, although nothing has changed.", 100*t.Chance())
	}
	if len(parts) == 0 {
		t.Note = fmt.Sprintf(NoteShort, 0)
	}
	return t
}

// JudgedBy is by whom a point was made out: the coder of its words, or the version of
// the polarity table.
func (p *Point) JudgedBy() string { return cmp.Or(p.Coder, p.Polarity) }

// part is a run of points of one coder, both ends included.
type part struct {
	first, last int
	coder       string
}

// partsOf cuts a series where its coder changes. Points that are not published say
// nothing of their coder and stay with the part that they lie in. A point of several
// coders belongs to no part.
func partsOf(points []Point) (parts []part, breaks []Break) {
	coder, mixed := "", false // of the published point before
	for i := range points {
		p := &points[i]
		switch {
		case p.Share == nil:
		case p.JudgedBy() == MixedCoders:
			if !mixed {
				breaks = append(breaks, Break{Period: p.Period, Words: p.mixedWords()})
			}
			mixed = true
		default:
			by := p.JudgedBy()
			if !mixed && len(parts) > 0 && by != coder {
				breaks = append(breaks, Break{Period: p.Period, Words: p.changeWords(coder)})
			}
			if mixed || len(parts) == 0 || by != coder {
				parts = append(parts, part{i, i, by})
			}
			parts[len(parts)-1].last = i
			coder, mixed = by, false
		}
	}
	if len(breaks) == 0 && len(parts) == 1 {
		parts[0].first, parts[0].last = 0, len(points)-1
	}
	return parts, breaks
}

// mixedWords and changeWords say why a trend is broken at a point.
func (p *Point) mixedWords() string {
	if p.Polarity != "" {
		return "the answers of " + PeriodWords(p.Period) + " were judged by more than one version of the polarity table"
	}
	return "the words of " + PeriodWords(p.Period) + " were coded by more than one version of the codebook or model"
}

func (p *Point) changeWords(before string) string {
	if p.Polarity != "" {
		return "from " + PeriodWords(p.Period) + " on, advice was judged by version " + p.Polarity + " of the polarity table, before by " + before
	}
	return "from " + PeriodWords(p.Period) + " on, words were coded by version " + p.Coder + ", before by " + before
}

// chart draws the limits of points that belong together, and marks their signals.
func (m *Measure) chart(points []Point) *Trend {
	values, x, n := make([]float64, len(points)), make([]int, len(points)), make([]int, len(points))
	t := &Trend{}
	for i, pt := range points {
		values[i] = math.NaN()
		if pt.Share != nil {
			values[i], x[i], n[i] = *pt.Share, pt.Numerator, pt.Base
			t.Points++
		}
	}
	if t.Points < MinLimitPoints {
		t.Note = fmt.Sprintf(NoteShort, t.Points)
		return t
	}
	var c Control
	var ok bool
	if m.Averages() {
		c, ok = XmR(values)
	} else {
		c, ok = Laney(x, n)
	}
	if !ok {
		t.Note = NoteFlat
		return t
	}
	t.Method, t.Centre, t.Note = c.Method, &c.Centre, FalseAlarmWords(t.Points)
	t.Limits = make([]*Limit, len(points))
	for i := range points {
		if points[i].Share != nil {
			t.Limits[i] = &c.Limits[i]
		}
	}
	for _, s := range Signals(values, c) {
		t.Signals = append(t.Signals, m.sign(s, points))
		mark(points[s.First:s.Last+1], s, values[s.First:s.Last+1], c, m.meaning(s.Up))
	}
	return t
}

// mark writes the rule's letter on the points that make the pattern.
func mark(points []Point, s Signal, values []float64, c Control, meaning string) {
	for i := range points {
		if s.Rule == RuleNear && side(values[i], c.Centre) == 0 {
			continue
		}
		if !strings.Contains(points[i].Signal, string(s.Rule)) {
			points[i].Signal += string(s.Rule)
		}
		// Where two rules disagree on a point, the first, which is the stronger, has the say.
		if points[i].Meaning == "" {
			points[i].Meaning = meaning
		}
	}
}

func (m *Measure) sign(s Signal, points []Point) Sign {
	out := Sign{Rule: s.Rule, Strong: s.Rule.Strong(), Up: s.Up, Meaning: m.meaning(s.Up), From: points[s.First].Period, To: points[s.Last].Period}
	count, side, way := s.Last-s.First+1, "below", "falling"
	if s.Up {
		side, way = "above", "rising"
	}
	from, to := PeriodWords(out.From), PeriodWords(out.To)
	var what string
	switch s.Rule {
	case RuleOutside:
		what = fmt.Sprintf("%s lies %s the control limit (rule a)", from, side)
	case RuleShift:
		what = fmt.Sprintf("%d points in a row %s the centre line, %s to %s (rule b)", count, side, from, to)
	case RuleTrend:
		what = fmt.Sprintf("%d points in a row %s, %s to %s (rule c)", count, way, from, to)
	case RuleNear:
		what = fmt.Sprintf("two of three points near the limit %s the centre line, %s to %s (rule d)", side, from, to)
	}
	what = strings.ToUpper(what[:1]) + what[1:]
	better := map[string]string{MeansImprovement: "in the direction of improvement", MeansConcern: "in the direction of concern", MeansChange: "a change"}[out.Meaning]
	strength := "a weaker sign, worth keeping an eye on"
	if out.Strong {
		strength = "worth looking into"
	}
	out.Words = what + ": " + better + ", " + strength + "."
	return out
}

// ByChance says of a page of charts how many of them signal, and on how many chance
// alone would put a signal although nothing had changed. Charts without limits count
// neither way.
func ByChance(trends ...*Trend) (signalling int, expected float64) {
	for _, t := range trends {
		if t == nil || t.Centre == nil {
			continue
		}
		expected += t.Chance()
		if len(t.Signals) > 0 {
			signalling++
		}
	}
	return signalling, expected
}

// Suggestion is the period that the answers can bear.
type Suggestion struct {
	Period string // month, quarter or year
	Words  string // why
}

// What a period must bear to be suggested.
const (
	suggestBase      = 20  // median base of its points
	suggestPublished = .75 // share of its points that may be published
)

// SuggestPeriod finds the finest period that a query's bases can bear: at least
// three in four points published, and a median base of at least 20. Any period in
// the query is put aside. Errors are those of Figures.
func (p *Panel) SuggestPeriod(ctx context.Context, q Query) (Suggestion, error) {
	by := slices.DeleteFunc(slices.Clone(q.By), func(d string) bool { return groupOf(d) == groupPeriod })
	for _, period := range []string{DimMonth, DimQuarter, DimYear} {
		q.By = append(slices.Clone(by), period)
		r, err := p.Figures(ctx, q)
		if err != nil {
			return Suggestion{}, err
		}
		var bases []int
		published := 0
		for _, pt := range r.Points {
			bases = append(bases, pt.Base) // nought when withheld: it was too small, or next to one that is
			if pt.Share != nil {
				published++
			}
		}
		if len(bases) == 0 {
			continue
		}
		slices.Sort(bases)
		if median := bases[len(bases)/2]; median >= suggestBase && float64(published) >= suggestPublished*float64(len(bases)) {
			return Suggestion{period, fmt.Sprintf("By %s: half the points rest on %d people or more, and %d of %d can be shown.", period, median, published, len(bases))}, nil
		}
	}
	return Suggestion{DimYear, "By year: fewer people have answered than shorter periods could bear."}, nil
}
