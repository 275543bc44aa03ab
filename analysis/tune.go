package analysis

import (
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

// CoderLog is the one document that says which thresholds the coder goes by, and
// which there have been. Both lists are only ever added to.
type CoderLog struct {
	ID        string         `json:"id"`
	Version   int64          `json:"version"`
	Active    int            `json:"active"`   // number of the thresholds in use; 0: as shipped
	Versions  []CoderVersion `json:"versions"` // numbered from 1, in order
	Steps     []CoderStep    `json:"steps"`    // what was in use, the earliest first
	ChangedAt time.Time      `json:"changed_at"`
}

// CoderVersion is thresholds that were fitted to what people coded, and how the
// coder did without and with them. It holds no words.
type CoderVersion struct {
	Number     int              `json:"number"`
	At         time.Time        `json:"at"`
	By         string           `json:"by"`   // who had them fitted
	Base       string           `json:"base"` // coder that they were fitted beside; they say nothing of another
	Thresholds []CoderThreshold `json:"thresholds"`
	Texts      int              `json:"texts"` // that people had coded
	Drawn      int              `json:"drawn"` // of those, drawn at random: the scores are over them
	Before     CoderScores      `json:"before"`
	After      CoderScores      `json:"after"`
	Low        float64          `json:"low"` // the gain in F1 of theme and polarity, with 95% certainty
	High       float64          `json:"high"`
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

// CoderLog gives the versions of the coder; an empty one where nobody ever tuned it.
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

// inUse gives the number of the thresholds that this process goes by: those in
// use, unless they were fitted beside another model than this program has, as
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
	if n == 0 {
		return s.coder, nil
	}
	var thresholds []coding.Threshold
	for _, t := range l.Versions[n-1].Thresholds {
		thresholds = append(thresholds, coding.Threshold(t))
	}
	c, err := s.coder.With(n, thresholds)
	if err != nil {
		return nil, fmt.Errorf("take thresholds %d into use: %w", n, err)
	}
	return c, nil
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
// coder leaves alone because of their language are left out.
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
	found, err := s.coder.Tune(texts)
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
		if v.Base == s.coder.Base() && slices.Equal(v.Thresholds, thresholds) {
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
		"base": s.coder.Base(), "texts": strconv.Itoa(t.Texts), "drawn": strconv.Itoa(t.Drawn),
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
			Number: number, At: now, By: actor.ID, Base: s.coder.Base(), Thresholds: thresholds, Texts: t.Texts, Drawn: t.Drawn,
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

// coded collects what people have coded, each text with the labels in force.
func (s *Service) coded(ctx context.Context) ([]coding.Coded, error) {
	var out []coding.Coded
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
		t := coding.Coded{Text: text, Whose: c.Response, Drawn: drawnBlind(&c)}
		for _, l := range c.Labels {
			t.Labels = append(t.Labels, coding.Label{Code: l.Code, Polarity: l.Polarity})
		}
		out = append(out, t)
	}
	// The order in which they changed must not decide anything.
	slices.SortFunc(out, func(a, b coding.Coded) int { return strings.Compare(a.Whose+"\x00"+a.Text, b.Whose+"\x00"+b.Text) })
	return out, nil
}

// Activate takes a version of the thresholds into use, 0 those that shipped: at
// once, in every process. What is coded already stays as it is until it is coded anew.
//
// fault.NotFound where there is no such version; fault.Invalid where it was fitted
// beside another model than this program's.
func (s *Service) Activate(ctx context.Context, actor survey.Actor, number int) (CoderLog, error) {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return log, err
	}
	switch {
	case number < 0 || number > len(log.Versions):
		return log, fault.New(fault.NotFound, "There is no version %d of the coder's thresholds.", number)
	case number > 0 && log.Versions[number-1].Base != s.coder.Base():
		return log, fault.New(fault.Invalid, "Version %d was fitted beside coder %s and says nothing of coder %s, which this program has. Tune it anew.", number, log.Versions[number-1].Base, s.coder.Base())
	case number == log.Active:
		return log, nil
	}
	entry := actor.Entry("coder.activated", "coder:"+strconv.Itoa(number))
	if err := s.audit.Append(ctx, entry); err != nil {
		return log, fmt.Errorf("record that thresholds are taken into use: %w", err)
	}
	now := s.now()
	log, err = s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
		switch {
		case l.Active == number:
			return survey.ErrUnchanged
		case number > len(l.Versions):
			return errTunedMeanwhile()
		}
		l.use(number, actor, now)
		return nil
	})
	if err != nil {
		return log, fmt.Errorf("take thresholds into use: %w", err)
	}
	return log, nil
}
