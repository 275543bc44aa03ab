package survey

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
	"victimvoice/survey/questionnaires"
)

// Card is what an advocate prints and hands over to somebody who has no safe
// inbox. Its code stands for a mailed link's token: only the keyed hash of it is
// kept, so it can be shown once and never again.
type Card struct {
	Code      string    // as it is printed, such as 7KQ2-M0XD-94TR
	Language  string    // that the card speaks, and the page behind it
	ExpiresAt time.Time // the midnight that ends its last day, in the policy's zone
}

// cardGroups is how long a card's code is: 55 random bits and a check symbol, which
// a person can type and read aloud. That is too few to be left unguarded:
// whoever takes codes from the network limits how many can be tried.
const cardGroups = 3

// cardCodeLength counts the hyphens between the groups.
const cardCodeLength = cardGroups*5 - 1

// CardCode reads a card's code as a person types it: small letters, blanks, O for
// 0. fault.Invalid where a symbol is wrong or missing: that is told from the code
// alone, and says nothing of what is stored.
func CardCode(typed string) (string, error) {
	code, err := seal.NormaliseCode(typed)
	if err != nil {
		return "", fmt.Errorf("read a card's code: %w", err)
	}
	if len(code) != cardCodeLength {
		return "", fault.New(fault.Invalid, "a card's code has %d groups of four letters and numbers", cardGroups)
	}
	return code, nil
}

// IsCardCode reports whether what stands where a link's token stands would be
// looked up as a card's code, which is short enough to be guessed at.
func IsCardCode(token string) bool {
	if len(token) == TokenLength {
		return false
	}
	_, err := CardCode(token)
	return err == nil
}

// asKept is the form of a token or code that is hashed.
func asKept(token string) string {
	if len(token) == TokenLength {
		return token
	}
	if code, err := CardCode(token); err == nil {
		return code
	}
	return token // opens nothing
}

// NoCard says why no card can be made of an invitation now. It is found inside a
// fault.Conflict.
type NoCard struct{ Reason Reason }

func (e *NoCard) Error() string { return "no card: " + string(e.Reason) }

func noCard(r Reason) error {
	return fault.Wrap(fault.Conflict, &NoCard{r}, "no card can be made of this survey now")
}

// againstCard gives the first reason not to hand a card over for one stage and
// round; empty: there is none. The rules are the plan's, but for those that are of
// mail alone: an inbox that is missing, not safe or sends mail back is what cards
// are for, and spacing is between mails. An invitation that is open already may
// have one for as long as it is.
func againstCard(c *Case, p *Policy, stage Stage, round int, now time.Time) Reason {
	slots := owed(&c.Facts, p)
	i := slices.IndexFunc(slots, func(s slot) bool { return s.stage == stage && s.round == round })
	v := c.invitation(stage, round)
	switch {
	case i < 0 && v == nil:
		return NotYet
	case i < 0:
		return Superseded // a correction took it away
	case v == nil:
		v = &Invitation{Stage: stage, Round: round}
	}
	s := slots[i]
	if r := againstAsking(c, v, s, answeredBy(v, ModeSelf, ModeRelayed)); r != "" {
		return r
	}
	switch {
	case s.reason != "":
		return s.reason
	case now.Before(s.due):
		return NotYet
	case !v.ClosesAt.IsZero() && !now.Before(v.ClosesAt), v.ClosesAt.IsZero() && now.After(s.latest):
		return TooLate
	}
	return ""
}

// cardCloses is when an invitation of which a card is made now closes. A mail
// that left has set that already; otherwise the time runs from the card. Either
// way it goes on to the end of its last day, since a card names a day.
func (s *Service) cardCloses(v *Invitation, now time.Time) time.Time {
	mailed := v.First.State == MailQueued || v.First.State == MailSent
	closes := v.ClosesAt
	if closes.IsZero() || !mailed && !now.After(v.LatestAt) {
		closes = later(closes, now.Add(hours(s.policy.Stages[v.Stage].OpenHours)))
	}
	return s.policy.endOfDay(closes)
}

// endOfDay is the midnight that ends the day of which t is an instant or the end.
func (p *Policy) endOfDay(t time.Time) time.Time {
	l := t.Add(-time.Millisecond).In(p.loc)
	return time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, p.loc).UTC()
}

// LastDay is the last whole day, in the policy's zone, before a card stops working.
func (p *Policy) LastDay(c Card) (year int, month time.Month, day int) {
	return c.ExpiresAt.Add(-time.Millisecond).In(p.loc).Date()
}

// Card makes a card for one invitation of an advocate's case, in one of the
// languages offered. Only the card made last opens anything, so that making
// another is how one that was lost or found is made useless. Errors: fault.NotFound for
// a case of another advocate, fault.Invalid with the field language, and
// fault.Conflict with a [NoCard] that names the reason.
func (s *Service) Card(ctx context.Context, by Actor, advocate, caseID string, stage Stage, round int, language string) (Card, error) {
	now := s.now()
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return Card{}, err
	}
	if !slices.ContainsFunc(s.sets.LanguagesOffered(), func(l questionnaires.Language) bool { return l.Code == language }) {
		return Card{}, fault.Fields("the form has faults", fault.Field{Field: "language", Message: "choose one of the languages offered"})
	}
	refused, err := s.refusalOf(ctx, &c)
	if err != nil {
		return Card{}, err
	}
	response := s.responseID(c.Respondent, stage, round, ModeSelf)
	r, err := found(s.store.Response(ctx, response))
	if err != nil {
		return Card{}, fmt.Errorf("look a response up: %w", err)
	}
	// Looked at before the trace is laid, and again in the write that counts.
	c.heed(&refused, now)
	if reason := againstCard(&c, s.policy, stage, round, now); reason != "" {
		return Card{}, noCard(reason)
	}
	switch {
	case r.Version == 0 || r.State == Draft:
	case r.State == Complete || r.State == Partial: // and a crash left the case without it
		return Card{}, noCard(AlreadyAnswered)
	default: // what was emptied cannot be begun again by the person
		return Card{}, noCard(Emptied)
	}
	entry := by.Entry("card.made", "case:"+c.ID)
	entry.Detail = map[string]string{"stage": string(stage), "round": strconv.Itoa(round)}
	if err := s.audit.Append(ctx, entry); err != nil {
		return Card{}, fmt.Errorf("audit a card: %w", err)
	}
	var made, closes time.Time
	if _, err := s.store.UpdateCase(ctx, c.ID, func(c *Case) error {
		c.heed(&refused, now)
		c.Invites = Plan(c, s.policy, now)
		if reason := againstCard(c, s.policy, stage, round, now); reason != "" {
			return noCard(reason)
		}
		v := c.invitation(stage, round)
		v.CardAt, v.ClosesAt = later(v.CardAt, now), s.cardCloses(v, now)
		made, closes = v.CardAt, v.ClosesAt
		s.replan(c)
		return nil
	}); err != nil {
		return Card{}, fmt.Errorf("mark an invitation handed over: %w", err)
	}
	// What was begun through an earlier card or a mail lasts as long as this card says.
	if _, err := s.store.UpdateResponse(ctx, response, func(r *Response) error {
		if r.Version == 0 || r.State != Draft || !r.ClosesAt.Before(closes) {
			return ErrUnchanged
		}
		r.ClosesAt = closes
		return nil
	}); err != nil {
		return Card{}, fmt.Errorf("keep a draft open: %w", err)
	}
	card := Card{Code: seal.NewCode(cardGroups), Language: language, ExpiresAt: closes}
	link := Link{ID: s.linkID(card.Code), Case: c.ID, Stage: stage, Round: round, Language: language, MintedAt: made, ExpiresAt: closes}
	if err := s.store.InsertLink(ctx, link); err != nil {
		return Card{}, fmt.Errorf("keep a card's link: %w", err)
	}
	return card, nil
}
