package analysis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"victimvoice/analysis/coding"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

// CoderModel is a model that was learnt from what people coded. Its numbers are
// sealed; it holds no text.
type CoderModel struct {
	ID      string    `json:"id"` // coding.ModelID of what is sealed
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Base    string    `json:"base"`  // coder that shipped with the program that learnt it
	Data    []byte    `json:"data"`  // sealed; empty once it was dropped
	Texts   []string  `json:"texts"` // ids of the codings that it was learnt from
}

// CoderModels is the storage port of learnt models. See survey.Store for the
// meaning of Update methods and errors.
type CoderModels interface {
	CoderModel(ctx context.Context, id string) (CoderModel, error)
	UpdateCoderModel(ctx context.Context, id string, fn func(*CoderModel) error) (CoderModel, error)
}

// What retraining asks for and how far it goes.
const (
	// RetrainPeople is from how many people, other than those whose texts are
	// measured on, there must be texts to learn from.
	RetrainPeople = 50

	// retrainMost is how many texts a model is learnt from, the latest first, so that
	// learning takes no more than some minutes.
	retrainMost = 2000
)

// Retrained is what became of retraining.
type Retrained struct {
	Lessons           int // comments and examples that ship
	Learnt            int // texts that people coded, learnt from beside those
	LearntOf          int // people whose they are
	Drawn             int // texts to measure on
	DrawnOf           int // people whose they are
	Coder             string
	Against           string // the coder that it is compared with
	coding.Comparison        // over the texts to measure on
	Size              int    // bytes of the model
	Number            int    // of the version that came of it, or that is the same; 0: none
	Kept              bool   // it is in use now
	Why               string // why nothing is changed
}

// Retrain learns a model from the lessons that ship and from texts that people
// coded, keeps it as a new version and takes it into use, where texts that it has not
// learnt from show that it is better. Otherwise nothing is changed, and Why says why.
// dry learns and writes nothing.
//
// It is measured on the texts that were drawn at random and read blind, against the
// coder in use; where that one was learnt from texts that were taken back since,
// against the one that shipped, so that what was taken back is not held on to for being
// no worse. It is learnt from texts outside the random stream, of people none of whose
// texts are measured on. So no text of the sample that corrects the coder's errors is
// ever learnt from.
//
// A version is kept first, its model after it, and then taken into use, so that a
// run that died in between is ended by the next, and nothing lies about unlisted.
// Where there is a version with the same model already, that one is taken into use
// again.
//
// fault.Conflict when somebody else changed the coder meanwhile; then nothing is
// taken into use.
func (s *Service) Retrain(ctx context.Context, actor survey.Actor, lessons coding.Lessons, dry bool) (Retrained, error) {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return Retrained{}, err
	}
	texts, err := s.coded(ctx)
	if err != nil {
		return Retrained{}, err
	}
	learn, measure := s.lessonsOf(texts)
	out := Retrained{
		Lessons: len(lessons.Comments) + len(lessons.Examples), Learnt: len(learn), LearntOf: people(learn), Drawn: len(measure), DrawnOf: people(measure),
	}
	if out.DrawnOf < coding.TunePeople || out.LearntOf < RetrainPeople {
		out.Why = fmt.Sprintf("people have coded texts of %d persons that were drawn at random, of which at least %d are needed to measure on, and of %d others, of which at least %d are needed to learn from",
			out.DrawnOf, coding.TunePeople, out.LearntOf, RetrainPeople)
		return out, nil
	}
	model, err := coding.Relearn(s.book, lessons, bare(learn))
	if err != nil {
		return out, fmt.Errorf("learn: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("learn: %w", err)
	}
	data, err := model.MarshalBinary()
	if err != nil {
		return out, fmt.Errorf("learn: %w", err)
	}
	after, err := coding.NewWith(s.book, data)
	if err != nil {
		return out, fmt.Errorf("learn: %w", err)
	}
	out.Size, out.Coder = len(data), after.Version()
	id := coding.ModelID(data)
	for _, v := range log.Versions {
		switch {
		case v.Model != id || v.Dropped || v.Base != s.coder.Base():
		case v.Number == log.Active:
			out.Number = v.Number
			out.Why = fmt.Sprintf("version %d has this model and is in use", v.Number)
			return out, nil
		case len(v.Thresholds) == 0:
			out.Number = v.Number
		}
	}
	before, err := s.yardstick(ctx, &log)
	if err != nil {
		return out, err
	}
	out.Against, out.Comparison = before.Version(), coding.Compare(before, after, bare(measure))
	switch {
	case out.Labels.Low <= 0:
		out.Why = "on texts that it has not learnt from, the model is not better for sure"
	case dry:
	default:
		err = s.keepModel(ctx, actor, &log, &out, model, data, learn)
		out.Kept = err == nil
	}
	return out, err
}

// lessonsOf parts what people coded into what is learnt from and what is measured on.
func (s *Service) lessonsOf(texts []codedText) (learn, measure []codedText) {
	apart := map[string]bool{}
	for i := range texts {
		if texts[i].Drawn {
			measure = append(measure, texts[i])
			apart[texts[i].Whose] = true
		}
	}
	for i := range texts {
		if t := &texts[i]; !t.Drawn && !apart[t.Whose] && !s.InRandomStream(t.id) {
			learn = append(learn, *t)
		}
	}
	slices.SortStableFunc(learn, func(a, b codedText) int { return b.at.Compare(a.at) })
	return learn[:min(retrainMost, len(learn))], measure
}

func people(texts []codedText) int {
	whose := map[string]bool{}
	for i := range texts {
		whose[texts[i].Whose] = true
	}
	return len(whose)
}

func bare(texts []codedText) []coding.Coded {
	out := make([]coding.Coded, len(texts))
	for i := range texts {
		out[i] = texts[i].Coded
	}
	return out
}

// yardstick gives the coder that a new model is compared with.
func (s *Service) yardstick(ctx context.Context, log *CoderLog) (*coding.Coder, error) {
	n := s.inUse(log)
	if n == 0 || log.Versions[n-1].Model == "" {
		return s.Coder(ctx)
	}
	back, err := s.TakenBack(ctx, log)
	if err != nil {
		return nil, err
	}
	if back[log.Versions[n-1].Model] > 0 {
		return s.coder, nil
	}
	return s.Coder(ctx)
}

func (s *Service) keepModel(ctx context.Context, actor survey.Actor, log *CoderLog, r *Retrained, model *coding.Model, data []byte, learn []codedText) error {
	if len(data) > maxModel {
		return fault.New(fault.Invalid, "The model has %d bytes, and %d can be kept. Nothing is changed.", len(data), maxModel)
	}
	seen := log.Version
	act := "coder.activated" // a version with the same model, and nothing but
	again := r.Number > 0
	if !again {
		act, r.Number = "coder.retrained", len(log.Versions)+1
	}
	entry := actor.Entry(act, "coder:"+strconv.Itoa(r.Number))
	entry.Detail = map[string]string{
		"base": s.coder.Base(), "coder": r.Coder, "texts": strconv.Itoa(r.Learnt), "drawn": strconv.Itoa(r.Texts),
		"before": fmt.Sprintf("%.3f", r.Labels.Before), "after": fmt.Sprintf("%.3f", r.Labels.After),
	}
	if err := s.audit.Append(ctx, entry); err != nil {
		return fmt.Errorf("record that the coder is retrained: %w", err)
	}
	now, id := s.now(), coding.ModelID(data)
	if !again {
		l, err := s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
			if l.Version != seen {
				return errTunedMeanwhile()
			}
			l.Versions = append(l.Versions, CoderVersion{
				Number: r.Number, At: now, By: actor.ID, Base: s.coder.Base(), Model: id, Sources: model.Sources(), Against: r.Against, Learnt: r.Learnt,
				Texts: r.Learnt + r.Drawn, Drawn: r.Texts,
				Before: CoderScores{Themes: r.Themes.Before, Labels: r.Labels.Before}, After: CoderScores{Themes: r.Themes.After, Labels: r.Labels.After},
				Low: r.Labels.Low, High: r.Labels.High, Polarity: CoderChange(r.Polarity), Error: CoderChange(r.Error),
			})
			l.ChangedAt = now
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep a version: %w", err)
		}
		seen = l.Version
	}
	sealed, err := s.keys.Seal(modelPurpose(id), data)
	if err != nil {
		return fmt.Errorf("seal a model: %w", err)
	}
	ids := make([]string, len(learn))
	for i := range learn {
		ids[i] = learn[i].id
	}
	slices.Sort(ids)
	if _, err := s.models.UpdateCoderModel(ctx, id, func(m *CoderModel) error {
		if len(m.Data) > 0 {
			return survey.ErrUnchanged
		}
		m.At, m.Base, m.Data, m.Texts = now, s.coder.Base(), sealed, ids
		return nil
	}); err != nil {
		return fmt.Errorf("keep a model: %w", err)
	}
	if _, err := s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
		if l.Version != seen {
			return errTunedMeanwhile()
		}
		l.use(r.Number, actor, now)
		return nil
	}); err != nil {
		return errors.Join(fmt.Errorf("take a model into use: %w", err), s.emptyDropped(ctx, id))
	}
	return nil
}

// maxModel is the largest model that is kept, in bytes: a document of MongoDB holds 16 MB.
const maxModel = 12 << 20

// emptyDropped empties a model whose versions were dropped while it was learnt.
func (s *Service) emptyDropped(ctx context.Context, id string) error {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(log.Versions, func(v CoderVersion) bool { return v.Model == id && v.Dropped }) {
		return nil
	}
	return s.emptyModel(ctx, id)
}

func (s *Service) emptyModel(ctx context.Context, id string) error {
	if _, err := s.models.UpdateCoderModel(ctx, id, func(m *CoderModel) error {
		if m.Version == 0 {
			return survey.ErrUnchanged
		}
		m.Data, m.Texts = []byte{}, []string{}
		return nil
	}); err != nil {
		return fmt.Errorf("empty a model: %w", err)
	}
	return nil
}

func modelPurpose(id string) string { return seal.Purpose("coder-model", id) }

// learnt gives the coder that has a learnt model, with the thresholds that came
// with it. The last one is kept, since whoever codes texts asks before each batch.
//
// fault.NotFound where the model was never kept or was dropped.
func (s *Service) learnt(ctx context.Context, id string) (*coding.Coder, error) {
	s.last.Lock()
	defer s.last.Unlock()
	if s.last.id == id {
		return s.last.coder, nil
	}
	m, err := s.models.CoderModel(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, fmt.Errorf("read a model: %w", err)
	}
	if err != nil || len(m.Data) == 0 {
		return nil, fault.New(fault.NotFound, "Model %s is not there: it was dropped, or learning it was broken off. Retrain, or take another version into use.", short(id))
	}
	data, err := s.keys.Open(modelPurpose(id), m.Data)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", short(id), err)
	}
	if coding.ModelID(data) != id {
		return nil, fmt.Errorf("model %s is not what was kept", short(id))
	}
	c, err := coding.NewWith(s.book, data)
	if err != nil {
		return nil, fmt.Errorf("take model %s into use: %w", short(id), err)
	}
	s.last.id, s.last.coder = id, c
	return c, nil
}

// short is the part of a model's id that the coder's version bears.
func short(id string) string { return id[:min(8, len(id))] }

// TakenBack counts, for each learnt model that is kept (one that was dropped is empty, unless that was broken off), the texts it was learnt from
// that were taken back or voided since.
func (s *Service) TakenBack(ctx context.Context, log *CoderLog) (map[string]int, error) {
	of := map[string][]string{}
	for _, v := range log.Versions {
		if v.Model == "" || of[v.Model] != nil {
			continue
		}
		m, err := s.models.CoderModel(ctx, v.Model)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, fmt.Errorf("read a model: %w", err)
		}
		of[v.Model] = m.Texts
	}
	out := map[string]int{}
	if len(of) == 0 {
		return out, nil
	}
	gone := map[string]bool{}
	for c, err := range s.codings.CodingsChanged(ctx, time.Time{}) {
		if err != nil {
			return nil, fmt.Errorf("list codings: %w", err)
		}
		if c.Gone {
			gone[c.ID] = true
		}
	}
	for model, texts := range of {
		for _, id := range texts {
			if gone[id] {
				out[model]++
			}
		}
	}
	return out, nil
}

// DropModel empties the model of a version, and of every other that has the same:
// none of them can be taken into use again. What they did stays on the list.
//
// fault.NotFound where there is no such version; fault.Invalid where it has no model
// of its own; fault.Conflict where the model is in use.
func (s *Service) DropModel(ctx context.Context, actor survey.Actor, number int) error {
	log, err := s.CoderLog(ctx)
	if err != nil {
		return err
	}
	if number < 1 || number > len(log.Versions) {
		return errNoVersion(number)
	}
	id := log.Versions[number-1].Model
	if id == "" {
		return fault.New(fault.Invalid, "Version %d has the model that shipped, which cannot be dropped.", number)
	}
	unused := func(l *CoderLog) error {
		if l.Active > 0 && l.Versions[l.Active-1].Model == id {
			return fault.New(fault.Conflict, "The model of version %d is in use. Take another version into use first.", number)
		}
		return nil
	}
	if err := unused(&log); err != nil {
		return err
	}
	if err := s.audit.Append(ctx, actor.Entry("coder.dropped", "coder:"+strconv.Itoa(number))); err != nil {
		return fmt.Errorf("record that a model is dropped: %w", err)
	}
	now := s.now()
	if _, err := s.coders.UpdateCoderLog(ctx, coderLogID, func(l *CoderLog) error {
		if err := unused(l); err != nil {
			return err
		}
		for i := range l.Versions {
			if l.Versions[i].Model == id {
				l.Versions[i].Dropped = true
			}
		}
		l.ChangedAt = now
		return nil
	}); err != nil {
		return fmt.Errorf("drop a model: %w", err)
	}
	return s.emptyModel(ctx, id)
}

// CoderName gives the version string of the coder that a version of the log makes.
func (v *CoderVersion) CoderName() string {
	base := v.Base
	if v.Model != "" {
		book, _, _ := strings.Cut(v.Base, "+")
		base = book + "+m" + short(v.Model)
	}
	if len(v.Thresholds) > 0 {
		return base + ".t" + strconv.Itoa(v.Number)
	}
	return base
}
