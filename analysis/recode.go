package analysis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"victimvoice/analysis/coding"
	"victimvoice/survey"
)

// Recoded counts what coding anew came to.
type Recoded struct {
	Coder   string // version that read them
	Seen    int    // texts that are kept
	Coded   int    // read anew; their labels are the present coder's
	Changed int    // of those, with other labels than before
	Kept    int    // read anew beside a person's labels, which stand
	Current int    // had the present version already
	Failed  int    // could not be read or kept
}

// Recode has the present coder read every kept text whose labels another version
// set, so that a trend does not break where the codebook changed. Labels that a
// person set stand; what the coder now says of the text is kept beside them.
// Texts that have the present version are passed over, so that a run that was cut
// short goes on where it was. One that fails doesn't hold up the others; the
// error then tells how many and the first reason. dry counts and writes nothing.
// progress is told how many texts were looked at, after each.
//
// One page of texts is in memory at a time.
func (s *Service) Recode(ctx context.Context, actor survey.Actor, dry bool, progress func(seen int)) (Recoded, error) {
	var n Recoded
	coder, err := s.Coder(ctx)
	if err != nil {
		return n, err
	}
	version := coder.Version()
	n.Coder = version
	if !dry {
		if err := s.audit.Append(ctx, actor.Entry("codings.recoded", "coder:"+version)); err != nil {
			return n, fmt.Errorf("record that texts are coded anew: %w", err)
		}
	}
	began := s.now()
	var first error
	for c, err := range s.codings.CodingsChanged(ctx, time.Time{}) {
		if err != nil {
			return n, fmt.Errorf("list codings: %w", err)
		}
		if c.Gone || c.Codebook == version && c.Queue != "" && !dry && !c.ChangedAt.Before(began) {
			continue // removed, or written since we began: met before, and moved ahead of us
		}
		n.Seen++
		if err := s.recode(ctx, coder, &c, dry, &n); err != nil {
			if ctx.Err() != nil {
				return n, err
			}
			if n.Failed++; first == nil {
				first = err
			}
		}
		progress(n.Seen)
	}
	if first != nil {
		return n, fmt.Errorf("%d texts could not be coded anew, the first because: %w", n.Failed, first)
	}
	return n, nil
}

func (s *Service) recode(ctx context.Context, coder *coding.Coder, old *Coding, dry bool, n *Recoded) error {
	version := coder.Version()
	if old.Codebook == version && old.Queue != "" { // one from before there were queues has none
		n.Current++
		return nil
	}
	text, err := s.Text(old)
	if err != nil {
		return err
	}
	m := codeText(coder, old.Language, text)
	now := s.now()
	byPeople, changed := old.ByPeople(), !slices.Equal(old.Labels, m.labels)
	if !dry {
		c, err := s.codings.UpdateCoding(ctx, old.ID, func(c *Coding) error {
			if c.Gone {
				return survey.ErrUnchanged
			}
			byPeople, changed = c.ByPeople(), !slices.Equal(c.Labels, m.labels)
			if byPeople {
				c.Machine = m.labels
			} else {
				c.Labels, c.Unsure, c.Doubt = m.labels, m.unsure, m.doubt
			}
			c.Codebook, c.ChangedAt = version, now
			if c.Status != StatusOtherLanguage { // those wait in the order in which they came
				c.CodedAt = now
			}
			s.place(c)
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep a coding: %w", err)
		}
		if c.Gone {
			return nil
		}
	}
	if byPeople {
		n.Kept++
		return nil
	}
	n.Coded++
	if changed {
		n.Changed++
	}
	return nil
}
