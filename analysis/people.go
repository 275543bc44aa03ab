package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"victimvoice/analysis/codebook"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Opened is a text as somebody is shown it to code.
type Opened struct {
	Coding
	Text  string // redacted
	Blind bool   // to be coded afresh: Labels and History are empty
}

// Open shows a text to somebody who codes: one that they hold, or one that
// people have coded. A text of the random stream is shown without labels, since
// a figure that corrects the coder's errors rests on people who did not have its
// word in their ear; so is one that is read a second time. Each reading is on
// record. fault.NotFound where there is none, it was taken back, or it waits for
// somebody else.
func (s *Service) Open(ctx context.Context, actor survey.Actor, id string) (Opened, error) {
	c, err := s.codings.Coding(ctx, id)
	if err != nil {
		return Opened{}, notThere(err)
	}
	if !s.mayOpen(&c, actor) {
		return Opened{}, errElsewhere()
	}
	if err := s.audit.Append(ctx, actor.Entry("coding.read", "coding:"+id)); err != nil {
		return Opened{}, fmt.Errorf("record that a text is read: %w", err)
	}
	text, err := s.Text(&c)
	if err != nil {
		return Opened{}, err
	}
	o := Opened{Coding: c, Text: text, Blind: s.blind(&c, actor)}
	if o.Blind {
		o.Labels, o.History, o.Machine, o.Unsure = []Label{}, nil, nil, nil
	}
	return o, nil
}

func errElsewhere() error {
	return fault.New(fault.NotFound, "This text is not with you: it was taken back, its time ran out, or somebody else codes it.")
}

// mayOpen reports whether somebody may read a text: one they hold, one they have
// coded, or one that people have done with. A text that waits for its second
// reader is open to the first alone, so that nobody reads the first one's labels
// and is the second.
func (s *Service) mayOpen(c *Coding, actor survey.Actor) bool {
	switch {
	case c.Gone:
		return false
	case s.holds(c, actor), read(c, actor):
		return true
	}
	return c.Queue == QueueRead || c.Queue == QueueDouble
}

// holds reports whether a text is with somebody. A draw that ran out still
// counts as long as nobody else has drawn the text: work is not lost to the clock.
func (s *Service) holds(c *Coding, actor survey.Actor) bool { return c.Draw.By == actor.ID }

// read reports whether somebody has coded a text.
func read(c *Coding, actor survey.Actor) bool {
	return slices.ContainsFunc(c.History, func(r Reading) bool { return r.By == actor.ID })
}

func (s *Service) blind(c *Coding, actor survey.Actor) bool {
	return s.holds(c, actor) && (c.Draw.How == DrawnRandom || c.Draw.How == DrawnSecond)
}

// Correct keeps what somebody made of a text that they have open: all its labels,
// as they should be. To keep them as they are is a reading too. version is that of
// the coding as it was opened: when somebody, or the coder, has changed it since,
// nothing is changed and the error is fault.Conflict. The same again is done once.
//
// A second reading goes into the history and leaves the labels in force as they are.
//
// fault.Invalid with a field "labels[i]" for each label that cannot be; fault.NotFound
// as with Open.
func (s *Service) Correct(ctx context.Context, actor survey.Actor, id string, version int64, labels []Label) (Coding, error) {
	c, err := s.codings.Coding(ctx, id)
	if err != nil {
		return Coding{}, notThere(err)
	}
	if again(&c, actor, version, labels) {
		return c, nil
	}
	if !s.mayOpen(&c, actor) {
		return Coding{}, errElsewhere()
	}
	text, err := s.Text(&c)
	if err != nil {
		return Coding{}, err
	}
	if err := s.CheckLabels(text, labels); err != nil {
		return Coding{}, err
	}
	if err := s.audit.Append(ctx, actor.Entry("coding.corrected", "coding:"+id)); err != nil {
		return Coding{}, fmt.Errorf("record a correction: %w", err)
	}
	now := s.now()
	c, err = s.codings.UpdateCoding(ctx, id, func(c *Coding) error {
		switch {
		case again(c, actor, version, labels):
			return survey.ErrUnchanged
		case c.Version == 0 || !s.mayOpen(c, actor):
			return errElsewhere()
		case c.Version != version:
			return fault.New(fault.Conflict, "This coding has changed since you opened it. What you chose is still here; look at what stands there now, and save again if yours should hold.")
		}
		r := Reading{At: now, By: actor.ID, How: ByHand, Blind: s.blind(c, actor), Rank: s.Rank(id), Codebook: s.book.Version, Before: c.Labels, After: own(actor, labels)}
		if s.holds(c, actor) {
			r.How = c.Draw.How
			c.Draw = Draw{}
		}
		if !c.ByPeople() {
			c.Machine = c.Labels
		}
		c.Unsure = nil // judged
		if r.How != DrawnSecond {
			c.Labels = r.After
		}
		if c.Status == StatusOtherLanguage {
			c.Status = StatusCoded // a person has read it
		}
		c.History = append(c.History, r)
		c.ChangedAt = now
		s.place(c)
		return nil
	})
	if err != nil {
		return Coding{}, fmt.Errorf("keep a correction: %w", err)
	}
	return c, nil
}

// again reports whether a correction is the last one, sent once more.
func again(c *Coding, actor survey.Actor, version int64, labels []Label) bool {
	if len(c.History) == 0 || c.Version != version+1 {
		return false
	}
	last := c.History[len(c.History)-1]
	return last.By == actor.ID && slices.Equal(last.After, own(actor, labels))
}

// own makes labels a person's: in the order of the text, and surer than any coder.
func own(actor survey.Actor, labels []Label) []Label {
	out := make([]Label, 0, len(labels))
	for _, l := range labels {
		out = append(out, Label{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End, Confidence: 1, By: actor.ID})
	}
	SortLabels(out)
	return out
}

// SortLabels puts labels in the order of their evidence, then of code and polarity.
func SortLabels(labels []Label) {
	slices.SortFunc(labels, func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Code, b.Code), strings.Compare(a.Polarity, b.Polarity))
	})
}

// CheckLabels holds labels to the codebook's rules: a code and polarity that there
// are, each pair once, and evidence that is a stretch of the text. It is
// fault.Invalid with a field "labels[i]" for each that is wrong.
func (s *Service) CheckLabels(text string, labels []Label) error {
	var faults []fault.Field
	for i, l := range labels {
		wrong := func(format string, args ...any) {
			faults = append(faults, fault.Field{Field: fmt.Sprintf("labels[%d]", i), Message: fmt.Sprintf(format, args...)})
		}
		code, known := s.book.Code(l.Code)
		switch {
		case !known:
			wrong("is not a code of the codebook")
		case !codebook.Polarity(l.Polarity).Valid():
			wrong("must be positive or negative")
		case slices.ContainsFunc(labels[:i], func(o Label) bool { return o.Code == l.Code && o.Polarity == l.Polarity }):
			wrong("%s, %s stands there twice; keep the one with the best words", code.Title, l.Polarity)
		case !isStretch(text, l.Start, l.End):
			wrong("%s: the words it rests on must be words of the text", code.Title)
		}
	}
	return fault.Fields("the labels cannot be kept", faults...)
}

// isStretch reports whether start and end hold a stretch of the text that is not
// empty and cuts no letter in two.
func isStretch(text string, start, end int) bool {
	boundary := func(i int) bool { return i == len(text) || utf8.RuneStart(text[i]) }
	return 0 <= start && start < end && end <= len(text) && boundary(start) && boundary(end)
}
