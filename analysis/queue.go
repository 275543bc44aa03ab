package analysis

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// The queues in which codings wait for a person. Each text is in one at most.
const (
	QueueRandom   = "random"   // of the random stream, in a random order
	QueueOpen     = "open"     // all others that the coder has read, the least sure first
	QueueSecond   = "second"   // read by one person, to be read by another
	QueueLanguage = "language" // in a language that no codebook reads, the oldest first
	QueueRead     = "read"     // read by a person
	QueueDouble   = "double"   // read by two, of whom neither saw what the other said
)

// How a text comes to the person who codes it.
const (
	DrawnRandom    = "random"
	DrawnThreshold = "threshold" // the coder came nearest to saying something else
	DrawnNovel     = "novel"     // least like what people have coded
	DrawnSecond    = "second"    // to be read a second time
	DrawnLanguage  = "language"
	ByHand         = "hand" // not drawn: opened from a list
)

// BatchSize is how many texts somebody is given at once: half of them nearest to
// the threshold, a fifth the most novel, three tenths random.
const (
	BatchSize     = 10
	fromThreshold = 5
	fromNovel     = 2
	fromRandom    = 3
	fromSecond    = 1 // at most, of the random ones
)

// RankParts is the number of places in the random order.
const RankParts = 1_000_000

// The share of texts that are the random stream's, and the share of those that a
// second person reads. The stream's share is its share of a batch, so that all
// texts could be read by people and the stream be no larger or smaller.
const (
	RandomShare = 0.3
	SecondShare = 0.1
)

// DrawFor is how long a text stays with whoever drew it.
const DrawFor = 4 * time.Hour

// How much of a queue a draw looks at. The window is larger than what a room full
// of analysts may hold at once.
const (
	drawWindow  = 200 // texts of a queue
	novelWindow = 150 // of the latest, which are compared …
	knownWindow = 300 // … with so many of those that people read last
)

// passBack is how far back in its queue a text goes when somebody passes it over.
const passBack = int64(1) << 45

// Rank is a text's place in the random order, 0 to RankParts-1. It depends on
// the response's id and on the key that never changes, and on nothing that the text
// says, that the coder made of it or that a person does. So the responses with a rank
// under RandomShare are a random sample of all, each in it with that probability;
// since they are read in the order of rank, those read by any time are one too. All
// texts of a response have one rank: figures count people, and a sample of texts
// would hold people with two of them whole far less often than people with one.
func (s *Service) Rank(id string) int64 {
	response, _, _ := strings.Cut(id, "/")
	return s.rank("rank", response)
}

func (s *Service) rank(domain, id string) int64 {
	mac := hmac.New(sha256.New, s.keys.Subkey("coding-queue"))
	mac.Write([]byte(domain + "\x00" + id)) // never fails
	return int64(binary.BigEndian.Uint64(mac.Sum(nil)) % RankParts)
}

// InRandomStream reports whether a text is of the random stream: those, and only
// those, are drawn at random, and nothing else may draw them, or the stream would
// be short of just those texts that the others like best.
func (s *Service) InRandomStream(id string) bool { return s.Rank(id) < RandomShare*RankParts }

// twice reports whether a text of the random stream is read by two people.
func (s *Service) twice(id string) bool { return s.rank("second", id) < SecondShare*RankParts }

// place puts a coding in the queue where it belongs as it now stands.
func (s *Service) place(c *Coding) {
	c.Queue, c.Order = "", 0
	firsts, seconds := 0, 0
	for _, r := range c.History {
		switch {
		case r.How == DrawnRandom && r.Blind:
			firsts++
		case r.How == DrawnSecond:
			seconds++
		}
	}
	switch {
	case c.Gone:
		return
	case seconds > 0:
		c.Queue = QueueDouble
	case firsts > 0 && s.twice(c.ID):
		c.Queue, c.Order = QueueSecond, s.Rank(c.ID)
	case c.ByPeople():
		c.Queue = QueueRead
	case c.Status == StatusOtherLanguage:
		c.Queue, c.Order = QueueLanguage, c.CodedAt.UnixMilli()
	case s.InRandomStream(c.ID):
		c.Queue, c.Order = QueueRandom, s.Rank(c.ID)
	default:
		c.Queue, c.Order = QueueOpen, c.Doubt
	}
	c.Order += int64(len(c.Passed)) * passBack
}

// Batch gives the texts that somebody has to code, and draws new ones when none
// is left: language tells whether those in other languages. Two people never
// hold the same text. The texts themselves are read one by one, by Open.
func (s *Service) Batch(ctx context.Context, actor survey.Actor, language bool) ([]Coding, error) {
	held, err := s.Held(ctx, actor, language)
	if err != nil || len(held) > 0 {
		return held, err
	}
	if language {
		waiting, err := s.queued(ctx, QueueLanguage)
		if err != nil {
			return nil, err
		}
		batch, err := s.take(ctx, actor, waiting, DrawnLanguage, BatchSize, nil)
		s.shuffle(batch)
		return batch, err
	}
	return s.draw(ctx, actor)
}

// Held lists what somebody still has to code of what they drew, in the order of a
// batch; language tells whether of those in other languages.
func (s *Service) Held(ctx context.Context, actor survey.Actor, language bool) ([]Coding, error) {
	cs, err := s.codings.CodingsHeld(ctx, actor.ID, drawWindow)
	if err != nil {
		return nil, fmt.Errorf("list the texts somebody holds: %w", err)
	}
	now := s.now()
	cs = slices.DeleteFunc(cs, func(c Coding) bool {
		return c.Gone || !c.Draw.Until.After(now) || (c.Draw.How == DrawnLanguage) != language
	})
	s.shuffle(cs)
	return cs, nil
}

// shuffle puts a batch in an order from which nobody can tell how a text came to
// them, and with it whether the coder was unsure of it.
func (s *Service) shuffle(cs []Coding) {
	slices.SortFunc(cs, func(a, b Coding) int {
		return cmp.Or(cmp.Compare(s.rank("batch", a.ID), s.rank("batch", b.ID)), strings.Compare(a.ID, b.ID))
	})
}

// Latest lists the texts that people have coded last and are done with, the
// latest first, without opening any.
func (s *Service) Latest(ctx context.Context, limit int) ([]Coding, error) {
	var out []Coding
	for _, queue := range []string{QueueRead, QueueDouble} {
		cs, err := s.codings.CodingsLatest(ctx, queue, limit)
		if err != nil {
			return nil, fmt.Errorf("list the texts that people read: %w", err)
		}
		out = append(out, cs...)
	}
	slices.SortFunc(out, func(a, b Coding) int {
		return cmp.Or(b.ChangedAt.Compare(a.ChangedAt), strings.Compare(a.ID, b.ID))
	})
	return out[:min(limit, len(out))], nil
}

func (s *Service) queued(ctx context.Context, queue string) ([]Coding, error) {
	cs, err := s.codings.CodingsQueued(ctx, queue, drawWindow)
	if err != nil {
		return nil, fmt.Errorf("list a queue of texts: %w", err)
	}
	return cs, nil
}

// draw takes a batch of all kinds. Where the random stream runs dry its part of
// the batch stays empty, since a text of another kind would not be random.
func (s *Service) draw(ctx context.Context, actor survey.Actor) ([]Coding, error) {
	var batch []Coding
	for _, part := range []struct {
		how  string
		size func() int
		find func(context.Context) ([]Coding, error)
	}{
		{DrawnSecond, func() int { return fromSecond }, func(ctx context.Context) ([]Coding, error) { return s.queued(ctx, QueueSecond) }},
		{DrawnRandom, func() int { return fromRandom - len(batch) }, func(ctx context.Context) ([]Coding, error) { return s.queued(ctx, QueueRandom) }},
		{DrawnNovel, func() int { return fromNovel }, s.novel},
		{DrawnThreshold, func() int { return fromThreshold }, func(ctx context.Context) ([]Coding, error) { return s.queued(ctx, QueueOpen) }},
	} {
		found, err := part.find(ctx)
		if err != nil {
			return batch, err
		}
		if batch, err = s.take(ctx, actor, found, part.how, part.size(), batch); err != nil {
			return batch, err
		}
	}
	s.shuffle(batch)
	return batch, nil
}

// take leases up to n of the texts found to somebody, and adds them to a batch.
// Whether a text is still free is asked again in the write that leases it.
func (s *Service) take(ctx context.Context, actor survey.Actor, found []Coding, how string, n int, batch []Coding) ([]Coding, error) {
	now := s.now()
	for i := range found {
		if n <= 0 {
			break
		}
		queue := found[i].Queue
		free := func(c *Coding) bool { return c.Queue == queue && !c.Gone && s.free(c, actor, now) }
		if !free(&found[i]) {
			continue
		}
		won := false
		c, err := s.codings.UpdateCoding(ctx, found[i].ID, func(c *Coding) error {
			if won = free(c); !won {
				return survey.ErrUnchanged
			}
			c.Draw = Draw{By: actor.ID, How: how, Until: now.Add(DrawFor)}
			return nil
		})
		if err != nil {
			return batch, fmt.Errorf("draw a text: %w", err)
		}
		if won {
			batch, n = append(batch, c), n-1
		}
	}
	return batch, nil
}

// free reports whether a text may be given to somebody.
func (s *Service) free(c *Coding, actor survey.Actor, now time.Time) bool {
	if c.Draw.By != "" && c.Draw.Until.After(now) || slices.Contains(c.Passed, actor.ID) {
		return false
	}
	return !slices.ContainsFunc(c.History, func(r Reading) bool { return r.By == actor.ID })
}

// novel gives the latest texts that wait, the least like what people have coded
// first: those with the largest share of words that no text they read last has.
// One that the coder finds nothing in comes before its likes.
func (s *Service) novel(ctx context.Context) ([]Coding, error) {
	latest, err := s.codings.CodingsLatest(ctx, QueueOpen, novelWindow)
	if err != nil {
		return nil, fmt.Errorf("list the latest texts: %w", err)
	}
	known := map[string]bool{}
	for _, queue := range []string{QueueRead, QueueSecond, QueueDouble} {
		read, err := s.codings.CodingsLatest(ctx, queue, knownWindow/3)
		if err != nil {
			return nil, fmt.Errorf("list the texts that people read: %w", err)
		}
		for i := range read {
			text, err := s.Text(&read[i])
			if err != nil {
				return nil, err
			}
			for _, w := range stems(text) {
				known[w] = true
			}
		}
	}
	type scored struct {
		Coding
		score float64
	}
	all := make([]scored, 0, len(latest))
	for i := range latest {
		text, err := s.Text(&latest[i])
		if err != nil {
			return nil, err
		}
		all = append(all, scored{latest[i], novelty(text, known, len(latest[i].Labels) == 0)})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	out := make([]Coding, len(all))
	for i := range all {
		out[i] = all[i].Coding
	}
	return out, nil
}

// Weights of novelty. A text of a word or two is not new for being unlike others.
const (
	unlabelled  = 0.25 // added where the coder finds nothing
	smoothWords = 4    // known words added to each text
)

func novelty(text string, known map[string]bool, nothing bool) float64 {
	words := stems(text)
	unknown := 0
	for _, w := range words {
		if !known[w] {
			unknown++
		}
	}
	score := float64(unknown) / float64(len(words)+smoothWords)
	if nothing && len(words) > 0 {
		score += unlabelled
	}
	return score
}

// stemRunes is how many letters of a word stand for it: "arrest", "arrested" and
// "arresting" are one word.
const stemRunes = 6

// stems gives the different words of a text in order, cut to what stands for them;
// words of less than three letters say too little.
func stems(text string) []string {
	var out []string
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		letters := []rune(w)
		if len(letters) < 3 {
			continue
		}
		out = append(out, string(letters[:min(len(letters), stemRunes)]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Pass gives a text back that somebody would rather not code; it goes to the end
// of its queue, for somebody else. Passing over what one doesn't hold changes nothing.
func (s *Service) Pass(ctx context.Context, actor survey.Actor, id string) error {
	if _, err := s.codings.Coding(ctx, id); err != nil {
		return notThere(err)
	}
	if err := s.audit.Append(ctx, actor.Entry("coding.passed", "coding:"+id)); err != nil {
		return fmt.Errorf("record that a text was passed over: %w", err)
	}
	_, err := s.codings.UpdateCoding(ctx, id, func(c *Coding) error {
		if c.Gone || c.Draw.By != actor.ID {
			return survey.ErrUnchanged
		}
		c.Draw = Draw{}
		if !slices.Contains(c.Passed, actor.ID) {
			c.Passed = append(c.Passed, actor.ID)
		}
		s.place(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("pass a text over: %w", err)
	}
	return nil
}

// notThere words a coding that does not exist for people.
func notThere(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(fault.NotFound, err, "There is no such text.")
	}
	return fmt.Errorf("read a coding: %w", err)
}
