package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"victimvoice/analysis/coding"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// CoderLog is the one document that says which model and thresholds the coder goes
// by, and which there have been. Both lists are only ever added to.
type CoderLog struct {
	ID        string         `json:"id"`
	Version   int64          `json:"version"`
	Active    int            `json:"active"`   // number of the version in use; 0: as shipped
	Versions  []CoderVersion `json:"versions"` // numbered from 1, in order
	Steps     []CoderStep    `json:"steps"`    // what was in use, the earliest first
	ChangedAt time.Time      `json:"changed_at"`
}

// CoderVersion is thresholds that were fitted to what people coded, or a model that
// was learnt from it, and how the coder did without and with them. It holds no words.
type CoderVersion struct {
	Number     int              `json:"number"`
	At         time.Time        `json:"at"`
	By         string           `json:"by"`              // who had it made
	Base       string           `json:"base"`            // coder that shipped with the program; it says nothing of another
	Model      string           `json:"model,omitempty"` // id of the learnt model; empty: the one that shipped
	Thresholds []CoderThreshold `json:"thresholds"`      // empty: those that came with the model
	Texts      int              `json:"texts"`           // that people had coded
	Drawn      int              `json:"drawn"`           // of those, drawn at random: the scores are over them
	Before     CoderScores      `json:"before"`
	After      CoderScores      `json:"after"`
	Low        float64          `json:"low"` // the gain in F1 of theme and polarity, with 95% certainty
	High       float64          `json:"high"`

	// Of a version that is a model learnt anew.
	Sources  string      `json:"sources,omitempty"` // hash of all it was learnt from, codebook and lessons included
	Against  string      `json:"against,omitempty"` // the coder that Before is of
	Learnt   int         `json:"learnt,omitempty"`  // texts that people coded, among what it was learnt from
	Polarity CoderChange `json:"polarity,omitzero"`
	Error    CoderChange `json:"error,omitzero"`    // of calibration
	Dropped  bool        `json:"dropped,omitempty"` // the model was emptied: it cannot be taken into use
}

// CoderChange is a measure before and after, and the 95% interval of the difference.
type CoderChange struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// CoderThreshold is how likely a code must be to be given, before and after.
type CoderThreshold struct {
	Code string  `json:"code"`
	Was  float64 `json:"was"`
	Is   float64 `json:"is"`
}

// CoderScores are micro F1, from 0 to 1.
type CoderScores struct {
	Themes float64 `json:"themes"`
	Labels float64 `json:"labels"` // theme and polarity
}

// CoderStep is one change of what is in use.
type CoderStep struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	From int       `json:"from"`
	To   int       `json:"to"`
}

// CoderLogs is the storage port of the coder's versions. See survey.Store for the
// meaning of Update methods and errors.
type CoderLogs interface {
	CoderLog(ctx context.Context, id string) (CoderLog, error)
	UpdateCoderLog(ctx context.Context, id string, fn func(*CoderLog) error) (CoderLog, error)
}

// coderLogID is the id of the one CoderLog.
const coderLogID = "themes"

// CoderLog gives the versions of the coder; an empty one where nobody ever made any.
func (s *Service) CoderLog(ctx context.Context) (CoderLog, error) {
	l, err := s.coders.CoderLog(ctx, coderLogID)
	if fault.Is(err, fault.NotFound) {
		return CoderLog{ID: coderLogID}, nil
	}
	if err != nil {
		return CoderLog{}, fmt.Errorf("read the versions of the coder: %w", err)
	}
	return l, nil
}

// inUse gives the number of the version that this process goes by: the one in
// use, unless it was made beside another model than this program shipped with, as
// while an upgrade is under way.
func (s *Service) inUse(l *CoderLog) int {
	if l.Active > 0 && l.Active <= len(l.Versions) && l.Versions[l.Active-1].Base == s.coder.Base() {
		return l.Active
	}
	return 0
}

// Coder gives the coder in force. Whoever codes texts asks before each batch, so
// that all processes change over at once and none need be told.
func (s *Service) Coder(ctx context.Context) (*coding.Coder, error) {
	l, err := s.CoderLog(ctx)
	if err != nil {
		return nil, err
	}
	n := s.inUse(&l)
	c, err := s.untuned(ctx, &l)
	if err != nil {
		return nil, err
	}
	if n == 0 || len(l.Versions[n-1].Thresholds) == 0 {
		return c, nil
	}
	var thresholds []coding.Threshold
	for _, t := range l.Versions[n-1].Thresholds {
		thresholds = append(thresholds, coding.Threshold(t))
	}
	c, err = c.With(n, thresholds)
	if err != nil {
		return nil, fmt.Errorf("take thresholds %d into use: %w", n, err)
	}
	return c, nil
}

// untuned gives the coder with the model in use and the thresholds that came with it.
func (s *Service) untuned(ctx context.Context, l *CoderLog) (*coding.Coder, error) {
	if model := s.modelInUse(l); model != "" {
		return s.learnt(ctx, model)
	}
	return s.coder, nil
}

// modelInUse gives the id of the learnt model in use; empty: it is the one that shipped.
func (s *Service) modelInUse(l *CoderLog) string {
	if n := s.inUse(l); n > 0 {
		return l.Versions[n-1].Model
	}
	return ""
}

// Tuned is what became of tuning the coder.
type Tuned struct {
	coding.Tuning

	Number int  // of the version that came of it, or that is the same; 0: none
	Kept   bool // it was kept and is in use now
}

// Tune fits the coder's thresholds to what people have coded, keeps them as a new
// version and takes it into use, where texts that they were not fitted on show that
// they are better. Otherwise nothing is changed, and Why says why. Where a version
// has the same thresholds already, that one is taken into use again; so doing it
// twice is doing it once. dry fits and writes nothing.
//
// Labels are those in force, which a person has set or let stand. Texts that the
// coder leaves alone because of their language are left out. Thresholds are those of
// the model in use. Beside a learnt one they are fitted only to texts that it was not
// learnt from: it is surer of those than it would be of any other.
//
// fault.Conflict when somebody else tuned the coder meanwhile.
func (s *Service) Tune(ctx context.Context, actor survey.Actor, dry bool) (Tuned, error) {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return Tuned{}, err
	}
	texts, err := s.coded(ctx)
	if err != nil {
		return Tuned{}, err
	}
	model := s.modelInUse(&log)
	coder, err := s.untuned(ctx, &log)
	if err != nil {
		return Tuned{}, err
	}
	if model != "" {
		texts = slices.DeleteFunc(texts, func(t codedText) bool { return !t.Drawn })
	}
	found, err := coder.Tune(bare(texts))
	if err != nil {
		return Tuned{}, fmt.Errorf("fit thresholds: %w", err)
	}
	t := Tuned{Tuning: found}
	if t.Why != "" {
		return t, nil
	}
	thresholds := make([]CoderThreshold, 0, len(t.Thresholds))
	for _, h := range t.Thresholds {
		thresholds = append(thresholds, CoderThreshold(h))
	}
	for _, v := range log.Versions {
		if v.Base == s.coder.Base() && v.Model == model && !v.Dropped && slices.Equal(v.Thresholds, thresholds) {
			t.Number = v.Number
		}
	}
	switch {
	case t.Number > 0 && t.Number == log.Active:
		t.Why = fmt.Sprintf("version %d has these thresholds and is in use", t.Number)
		return t, nil
	case dry:
		return t, nil
	case t.Number > 0:
		_, err := s.Activate(ctx, actor, t.Number)
		t.Kept = err == nil
		return t, err
	}
	number := len(log.Versions) + 1
	entry := actor.Entry("coder.tuned", "coder:"+strconv.Itoa(number))
	entry.Detail = map[string]string{
		"base": coder.Base(), "texts": strconv.Itoa(t.Texts), "drawn": strconv.Itoa(t.Drawn),
		"before": fmt.Sprintf("%.3f", t.Before.Labels), "after": fmt.Sprintf("%.3f", t.After.Labels),
	}
	if err := s.audit.Append(ctx, entry); err != nil {
		return t, fmt.Errorf("record that the coder is tuned: %w", err)
	}
	now := s.now()
	_, err = s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
		if l.Version != log.Version {
			return errTunedMeanwhile()
		}
		l.Versions = append(l.Versions, CoderVersion{
			Number: number, At: now, By: actor.ID, Base: s.coder.Base(), Model: model, Thresholds: thresholds, Texts: t.Texts, Drawn: t.Drawn,
			Before: CoderScores(t.Before), After: CoderScores(t.After), Low: t.Low, High: t.High,
		})
		l.use(number, actor, now)
		return nil
	})
	if err != nil {
		return t, fmt.Errorf("keep thresholds: %w", err)
	}
	t.Number, t.Kept = number, true
	return t, nil
}

func errTunedMeanwhile() error {
	return fault.New(fault.Conflict, "The coder's versions have changed meanwhile. Look at them again.")
}

func (l *CoderLog) use(number int, actor survey.Actor, now time.Time) {
	l.Steps = append(l.Steps, CoderStep{At: now, By: actor.ID, From: l.Active, To: number})
	l.Active, l.ChangedAt = number, now
}

// codedText is a text that a person coded.
type codedText struct {
	coding.Coded

	id string    // of its coding
	at time.Time // when it was coded last
}

// coded collects what people have coded, each text with the labels in force. Whose
// a text is, is told by the respondent, so that what somebody wrote at one stage is not
// parted from what they wrote at another.
func (s *Service) coded(ctx context.Context) ([]codedText, error) {
	var out []codedText
	for c, err := range s.codings.CodingsChanged(ctx, time.Time{}) {
		if err != nil {
			return nil, fmt.Errorf("list codings: %w", err)
		}
		if c.Gone || c.Status != StatusCoded || !c.ByPeople() {
			continue
		}
		text, err := s.Text(&c)
		if err != nil {
			return nil, err
		}
		if codeText(s.coder, c.Language, text).status != StatusCoded {
			continue // a person read it in another language
		}
		t := codedText{Coded: coding.Coded{Text: text, Whose: c.Response, Drawn: drawnBlind(&c)}, id: c.ID}
		if n := len(c.History); n > 0 {
			t.at = c.History[n-1].At
		}
		for _, l := range c.Labels {
			t.Labels = append(t.Labels, coding.Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End})
		}
		out = append(out, t)
	}
	if len(out) > 0 {
		if err := s.tellWhose(ctx, out); err != nil {
			return nil, err
		}
	}
	// The order in which they changed must not decide anything.
	slices.SortFunc(out, func(a, b codedText) int {
		return cmp.Or(strings.Compare(a.Whose, b.Whose), strings.Compare(a.Text, b.Text), strings.Compare(a.id, b.id))
	})
	return out, nil
}

// tellWhose puts the respondent in the place of the response.
func (s *Service) tellWhose(ctx context.Context, texts []codedText) error {
	of := map[string]string{}
	for i := range texts {
		of[texts[i].Whose] = ""
	}
	for r, err := range s.rows.ResponsesChanged(ctx, time.Time{}) {
		if err != nil {
			return fmt.Errorf("list responses: %w", err)
		}
		if _, ok := of[r.ID]; ok {
			of[r.ID] = r.Respondent
		}
	}
	for i := range texts {
		if who := of[texts[i].Whose]; who != "" {
			texts[i].Whose = who
		}
	}
	return nil
}

// Activate takes a version into use, 0 the model and thresholds that shipped: at
// once, in every process. What is coded already stays as it is until it is coded anew.
//
// fault.NotFound where there is no such version, or its model was dropped;
// fault.Invalid where it was made beside another model than this program ships with.
func (s *Service) Activate(ctx context.Context, actor survey.Actor, number int) (CoderLog, error) {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return log, err
	}
	switch {
	case number < 0 || number > len(log.Versions):
		return log, errNoVersion(number)
	case number > 0 && log.Versions[number-1].Base != s.coder.Base():
		return log, fault.New(fault.Invalid, "Version %d was made beside coder %s and says nothing of coder %s, which this program has. Make it anew.", number, log.Versions[number-1].Base, s.coder.Base())
	case number == log.Active:
		return log, nil
	case number > 0 && log.Versions[number-1].Model != "":
		if log.Versions[number-1].Dropped {
			return log, fault.New(fault.NotFound, "The model of version %d was dropped.", number)
		}
		if _, err := s.learnt(ctx, log.Versions[number-1].Model); err != nil {
			return log, err
		}
	}
	entry := actor.Entry("coder.activated", "coder:"+strconv.Itoa(number))
	if err := s.audit.Append(ctx, entry); err != nil {
		return log, fmt.Errorf("record that a version is taken into use: %w", err)
	}
	now := s.now()
	log, err = s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
		switch {
		case l.Active == number:
			return survey.ErrUnchanged
		case number > len(l.Versions), number > 0 && l.Versions[number-1].Dropped:
			return errTunedMeanwhile()
		}
		l.use(number, actor, now)
		return nil
	})
	if err != nil {
		return log, fmt.Errorf("take a version into use: %w", err)
	}
	return log, nil
}

func errNoVersion(number int) error {
	return fault.New(fault.NotFound, "There is no version %d of the coder.", number)
}
