package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/redact"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// QuotationState says how a quotation stands.
type QuotationState string

// The states of a quotation.
const (
	QuotationProposed  QuotationState = "proposed"   // somebody chose it; nobody else has looked at it yet
	QuotationConfirmed QuotationState = "confirmed"  // a second person has confirmed it
	QuotationDeclined  QuotationState = "declined"   // the second person would not
	QuotationTakenBack QuotationState = "taken-back" // was confirmed; somebody took it back
	QuotationGone      QuotationState = "gone"       // the answers were taken back: a tombstone
)

// Quotation is a stretch of somebody's redacted words that may be shown under a
// theme. It holds no words: it points into a coding, so that what is taken from
// there is taken from here. A person is quoted once at most, since
// two quotations of one person could be put together.
type Quotation struct {
	ID      string `json:"id"` // of the response
	Version int64  `json:"version"`

	Item     string         `json:"item"` // whose text
	Code     string         `json:"code"` // the theme under which it stands
	Polarity string         `json:"polarity"`
	Start    int            `json:"start"` // bytes of the redacted text, half-open
	End      int            `json:"end"`
	Words    string         `json:"words"` // keyed hash of what stood there when it was chosen
	State    QuotationState `json:"state"`

	ChangedAt time.Time       `json:"changed_at"`
	History   []QuotationStep `json:"history"` // the earliest first; only ever added to
}

// QuotationStep is one act on a quotation. It holds nobody's words: a reason is
// chosen, not written.
type QuotationStep struct {
	At     time.Time      `json:"at"`
	By     string         `json:"by"` // staff id; empty: the person took their answers back
	State  QuotationState `json:"state"`
	Reason string         `json:"reason"` // of one declined or taken back: the check that it does not meet, or ReasonOther
}

// ReasonOther is why a quotation that meets every check is declined all the same.
const ReasonOther = "other"

// Quotations is the storage port of quotations. See survey.Store for the meaning of
// Update methods and errors.
type Quotations interface {
	Quotation(ctx context.Context, id string) (Quotation, error)
	UpdateQuotation(ctx context.Context, id string, fn func(*Quotation) error) (Quotation, error)
	// QuotationsIn lists those in a state, in order of (ChangedAt, id).
	QuotationsIn(ctx context.Context, state QuotationState) ([]Quotation, error)
}

// How long a quotation is, in characters.
const (
	minQuotation = 12
	maxQuotation = 280
)

// QuotationCheck is one thing that whoever confirms a quotation has looked for.
type QuotationCheck struct{ ID, Words string }

// QuotationChecks lists what must all be found before a quotation is confirmed.
func QuotationChecks() []QuotationCheck {
	return []QuotationCheck{
		{"names", "No name of anybody, and nothing that stands for one: initials, a nickname, a relation with a job"},
		{"places", "No place: a town, a street, a school, a workplace, a court, a shop"},
		{"dates", "No date, day, time or age, and no event by which the day is known"},
		{"references", "No crime, case, collar or telephone number, and nothing to be looked up"},
		{"unique", "Nothing that only one person could have told: a rare event, an injury, a family, a turn of speech of their own"},
		{"fair", "Read alone it means what it means in the text, and belongs under this theme"},
	}
}

// Quotable says whether a text may be quoted, and how it stands.
type Quotable struct {
	Quotation Quotation // of the same response; its Version is 0 where there is none
	Why       string    // why none can be chosen from this text; empty: one can
}

// QuotableText reports whether a quotation may be chosen from a text that somebody
// has opened.
func (s *Service) QuotableText(ctx context.Context, c *Coding) (Quotable, error) {
	q, err := s.codings.Quotation(ctx, c.Response)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Quotable{}, fmt.Errorf("look a quotation up: %w", err)
	}
	out := Quotable{Quotation: q}
	if out.Why = doneWith(c); out.Why != "" {
		return out, nil
	}
	may, err := s.survey.MayQuote(ctx, c.Response)
	if err != nil {
		return Quotable{}, err
	}
	switch {
	case !may:
		out.Why = "The person has not agreed to be quoted."
	case q.State == QuotationProposed || q.State == QuotationConfirmed:
		out.Why = quotedAlready
	default:
		others, err := s.othersOf(ctx, c.Response)
		if err != nil {
			return Quotable{}, err
		}
		if others {
			out.Why = quotedAlready
		}
	}
	return out, nil
}

const quotedAlready = "Something of this person's answers is chosen already, and nobody is quoted twice."

// othersOf reports whether something is chosen of other answers of the same person.
func (s *Service) othersOf(ctx context.Context, response string) (bool, error) {
	of, ok := s.panel.Answer(response)
	if !ok {
		return false, nil // they are in no figure, so no quotation of them is shown
	}
	for _, state := range []QuotationState{QuotationProposed, QuotationConfirmed} {
		qs, err := s.codings.QuotationsIn(ctx, state)
		if err != nil {
			return false, fmt.Errorf("list quotations: %w", err)
		}
		for i := range qs {
			if a, ok := s.panel.Answer(qs[i].ID); ok && qs[i].ID != response && a.Case == of.Case {
				return true, nil
			}
		}
	}
	return false, nil
}

// doneWith says why a coding cannot be quoted from, as far as it tells by itself.
func doneWith(c *Coding) string {
	switch {
	case c.Gone:
		return "The answers were taken back."
	case c.Queue != QueueRead && c.Queue != QueueDouble:
		return "A person codes the text first, and where it is drawn for a second reader they do too."
	case c.Language != "" && c.Language != "en" && !strings.HasPrefix(c.Language, "en-"):
		return "Only words in English are quoted: names are found less surely in other languages, and the language alone could tell somebody."
	case len(c.Labels) == 0:
		return "The text has no theme to quote it under."
	}
	return ""
}

// NewQuotation is what somebody chooses of a text: a stretch of it, in bytes of the
// redacted text, and the label of the text that it is to stand under.
type NewQuotation struct {
	Code, Polarity string
	Start, End     int
}

// Propose chooses a quotation from a text that somebody may open. It is shown to
// nobody until a second person has confirmed it. Faults are Invalid with a field
// "words" or "theme"; NotFound as with Open; Conflict where the text may not
// be quoted, or something of the same answers is chosen already.
func (s *Service) Propose(ctx context.Context, actor survey.Actor, id string, n NewQuotation) (Quotation, error) {
	c, err := s.codings.Coding(ctx, id)
	if err != nil {
		return Quotation{}, notThere(err)
	}
	if !s.mayOpen(&c, actor) {
		return Quotation{}, errElsewhere()
	}
	may, err := s.QuotableText(ctx, &c)
	if err != nil {
		return Quotation{}, err
	}
	if may.Why != "" {
		return Quotation{}, fault.New(fault.Conflict, "%s", may.Why)
	}
	text, err := s.Text(&c)
	if err != nil {
		return Quotation{}, err
	}
	if err := n.check(&c, text); err != nil {
		return Quotation{}, err
	}
	if err := s.audit.Append(ctx, actor.Entry("quotation.proposed", "quotation:"+c.Response)); err != nil {
		return Quotation{}, fmt.Errorf("record a quotation: %w", err)
	}
	now := s.now()
	q, err := s.codings.UpdateQuotation(ctx, c.Response, func(q *Quotation) error {
		switch q.State {
		case QuotationProposed, QuotationConfirmed:
			return fault.New(fault.Conflict, quotedAlready)
		case QuotationGone:
			return errElsewhere()
		}
		*q = Quotation{ID: q.ID, Version: q.Version, Item: c.Item, Code: n.Code, Polarity: n.Polarity, Start: n.Start, End: n.End, Words: s.wordsHash(text[n.Start:n.End]), History: q.History}
		q.step(now, actor.ID, QuotationProposed, "")
		return nil
	})
	if err != nil {
		return Quotation{}, fmt.Errorf("keep a quotation: %w", err)
	}
	// The answers may have been taken back while we wrote: then nothing is to be left of it.
	if c, err = s.codings.Coding(ctx, id); err != nil {
		return Quotation{}, notThere(err)
	}
	if c.Gone {
		if err := s.unquote(ctx, c.Response); err != nil {
			return Quotation{}, err
		}
		return Quotation{}, errElsewhere()
	}
	return q, nil
}

func (q *Quotation) step(at time.Time, by string, state QuotationState, reason string) {
	q.State, q.ChangedAt = state, at
	q.History = append(q.History, QuotationStep{At: at, By: by, State: state, Reason: reason})
}

// proposer is who chose the quotation as it stands.
func (q *Quotation) proposer() string {
	for i := len(q.History) - 1; i >= 0; i-- {
		if q.History[i].State == QuotationProposed {
			return q.History[i].By
		}
	}
	return ""
}

func (s *Service) wordsHash(words string) string { return s.keys.TokenHash("quotation", words) }

func (n NewQuotation) check(c *Coding, text string) error {
	var faults []fault.Field
	wrong := func(field, format string, args ...any) {
		faults = append(faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if !carries(c, n.Code, n.Polarity) {
		wrong("theme", "choose a theme that the text is labelled with")
	}
	if !isStretch(text, n.Start, n.End) {
		wrong("words", "the words must be a stretch of the text")
	} else if why := quotableWords(text, n.Start, n.End); why != "" {
		wrong("words", "%s", why)
	}
	return fault.Fields("this cannot be quoted", faults...)
}

func carries(c *Coding, code, polarity string) bool {
	return slices.ContainsFunc(c.Labels, func(l Label) bool { return l.Code == code && l.Polarity == polarity })
}

// quotableWords says what is wrong with a stretch of a text as a quotation; empty where nothing is.
func quotableWords(text string, start, end int) string {
	words := text[start:end]
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	first, _ := utf8.DecodeRuneInString(words)
	last, _ := utf8.DecodeLastRuneInString(words)
	after, _ := utf8.DecodeRuneInString(text[end:])
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
	switch n := utf8.RuneCountInString(words); {
	case words != strings.TrimSpace(words):
		return "leave out blanks at its ends"
	case n < minQuotation || n > maxQuotation:
		return fmt.Sprintf("a quotation has %d to %d characters; this has %d", minQuotation, maxQuotation, n)
	case letter(before) && letter(first), letter(last) && letter(after):
		return "begin and end it with a whole word"
	case unbalanced(words):
		return "do not cut what stands in brackets for something taken out"
	}
	if again, _ := redact.Redact(words); again != words {
		return "there is something in it that could tell somebody: " + again
	}
	return ""
}

// unbalanced reports whether a stretch holds a part of a bracket's words.
func unbalanced(words string) bool {
	open := 0
	for _, r := range words {
		switch r {
		case '[':
			open++
		case ']':
			open--
		}
		if open < 0 {
			return true
		}
	}
	return open != 0
}

// Reviewed is a quotation in its context, for whoever looks at it.
type Reviewed struct {
	Quotation
	Text  string // the whole redacted text; empty where it is gone
	Stage survey.Stage
	Own   bool   // the one who looks chose it, so somebody else confirms it
	Why   string // why it is shown to nobody as things are; empty: nothing stands in the way but its state
}

// Review shows somebody a quotation with the text that it is taken from. Each look is
// on record. fault.NotFound where there is none.
func (s *Service) Review(ctx context.Context, actor survey.Actor, id string) (Reviewed, error) {
	q, err := s.codings.Quotation(ctx, id)
	if err != nil || q.State == QuotationGone {
		return Reviewed{}, noQuotation(err)
	}
	if err := s.audit.Append(ctx, actor.Entry("quotation.read", "quotation:"+id)); err != nil {
		return Reviewed{}, fmt.Errorf("record that a quotation is read: %w", err)
	}
	return s.review(ctx, actor, &q)
}

func noQuotation(err error) error {
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("read a quotation: %w", err)
	}
	return fault.New(fault.NotFound, "There is no such quotation: there was none, or the answers were taken back.")
}

func (s *Service) review(ctx context.Context, actor survey.Actor, q *Quotation) (Reviewed, error) {
	c, err := s.codings.Coding(ctx, q.ID+"/"+q.Item)
	if err != nil || c.Gone {
		return Reviewed{}, noQuotation(err)
	}
	out := Reviewed{Quotation: *q, Stage: c.Stage, Own: q.proposer() == actor.ID}
	if out.Text, err = s.Text(&c); err != nil {
		return Reviewed{}, err
	}
	if !s.stands(q, out.Text) {
		return Reviewed{}, noQuotation(nil)
	}
	may, err := s.survey.MayQuote(ctx, q.ID)
	if err != nil {
		return Reviewed{}, err
	}
	switch {
	case !may:
		out.Why = "The person does not agree, or no longer agrees, to be quoted."
	case !carries(&c, q.Code, q.Polarity):
		out.Why = "The text does not have this theme any more."
	default:
		out.Why = doneWith(&c)
	}
	return out, nil
}

// stands reports whether the words that were chosen still stand where they stood.
func (s *Service) stands(q *Quotation, text string) bool {
	return isStretch(text, q.Start, q.End) && s.wordsHash(text[q.Start:q.End]) == q.Words
}

// Confirm lets a quotation be shown: somebody other than who chose it has read it in
// its context and found every one of QuotationChecks. Faults are Invalid with a field
// "checks"; Denied for who chose it; NotFound; Conflict where it is not version any
// more, does not wait to be confirmed, or may not be quoted.
func (s *Service) Confirm(ctx context.Context, actor survey.Actor, id string, version int64, checks []string) (Quotation, error) {
	q, err := s.codings.Quotation(ctx, id)
	if err != nil || q.State == QuotationGone {
		return Quotation{}, noQuotation(err)
	}
	if q.Version != version && !q.by(actor, QuotationConfirmed, version+1) {
		return Quotation{}, errChangedSince()
	}
	r, err := s.review(ctx, actor, &q)
	if err != nil {
		return Quotation{}, err
	}
	switch {
	case r.Own:
		return Quotation{}, fault.New(fault.Denied, "You chose this quotation, so somebody else confirms it.")
	case r.Why != "":
		return Quotation{}, fault.New(fault.Conflict, "%s", r.Why)
	}
	for _, c := range QuotationChecks() {
		if !slices.Contains(checks, c.ID) {
			return Quotation{}, fault.Fields("this quotation cannot be confirmed", fault.Field{Field: "checks", Message: "look for each of these and tick it; where one is not so, decline the quotation"})
		}
	}
	return s.settle(ctx, actor, id, version, "quotation.confirmed", QuotationConfirmed, "", QuotationProposed)
}

// Decline keeps a quotation from being shown: one that waits is declined, one that was
// confirmed is taken back. reason is the check that it does not meet, or ReasonOther.
// Faults are as with Confirm, with a field "reason".
func (s *Service) Decline(ctx context.Context, actor survey.Actor, id string, version int64, reason string) (Quotation, error) {
	if reason != ReasonOther && !slices.ContainsFunc(QuotationChecks(), func(c QuotationCheck) bool { return c.ID == reason }) {
		return Quotation{}, fault.Fields("this quotation stays as it is", fault.Field{Field: "reason", Message: "say why"})
	}
	q, err := s.codings.Quotation(ctx, id)
	if err != nil || q.State == QuotationGone {
		return Quotation{}, noQuotation(err)
	}
	if q.State == QuotationConfirmed {
		return s.settle(ctx, actor, id, version, "quotation.taken-back", QuotationTakenBack, reason, QuotationConfirmed)
	}
	return s.settle(ctx, actor, id, version, "quotation.declined", QuotationDeclined, reason, QuotationProposed)
}

// settle puts a quotation from one state into another, on record.
func (s *Service) settle(ctx context.Context, actor survey.Actor, id string, version int64, action string, to QuotationState, reason string, from QuotationState) (Quotation, error) {
	if err := s.audit.Append(ctx, actor.Entry(action, "quotation:"+id)); err != nil {
		return Quotation{}, fmt.Errorf("record a quotation: %w", err)
	}
	now := s.now()
	q, err := s.codings.UpdateQuotation(ctx, id, func(q *Quotation) error {
		switch {
		case q.by(actor, to, version+1):
			return survey.ErrUnchanged // the same form, sent twice
		case q.State == "" || q.State == QuotationGone:
			return noQuotation(nil)
		case q.Version != version || q.State != from:
			return errChangedSince()
		}
		q.step(now, actor.ID, to, reason)
		return nil
	})
	if err != nil {
		return Quotation{}, fmt.Errorf("settle a quotation: %w", err)
	}
	return q, nil
}

func errChangedSince() error {
	return fault.New(fault.Conflict, "Somebody has changed this quotation since you opened it. Look at it again.")
}

// by reports whether somebody has brought a quotation into a state, as a version.
func (q *Quotation) by(actor survey.Actor, state QuotationState, version int64) bool {
	return q.State == state && q.Version == version && q.History[len(q.History)-1].By == actor.ID
}

// unquote empties the quotation of a response that was taken back and leaves a
// tombstone, which says who did what and when and nothing of the words.
func (s *Service) unquote(ctx context.Context, response string) error {
	q, err := s.codings.Quotation(ctx, response)
	if fault.Is(err, fault.NotFound) || err == nil && q.State == QuotationGone {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look a quotation up: %w", err)
	}
	now := s.now()
	_, err = s.codings.UpdateQuotation(ctx, response, func(q *Quotation) error {
		if q.Version == 0 || q.State == QuotationGone {
			return survey.ErrUnchanged
		}
		kept := slices.Clone(q.History)
		for i := range kept {
			kept[i].Reason = "" // it speaks of what was written
		}
		*q = Quotation{ID: q.ID, Version: q.Version, History: kept}
		q.step(now, "", QuotationGone, "")
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget a quotation: %w", err)
	}
	return nil
}

// QuotationsIn lists the quotations in a state, those that changed last first,
// without their words. None of them is of answers that were taken back.
func (s *Service) QuotationsIn(ctx context.Context, state QuotationState) ([]Quotation, error) {
	qs, err := s.codings.QuotationsIn(ctx, state)
	if err != nil {
		return nil, fmt.Errorf("list quotations: %w", err)
	}
	slices.Reverse(qs)
	return qs, nil
}

// MaxQuoted is how many quotations are shown on one side of a theme.
const MaxQuoted = 5

// Quoted is a quotation as it is shown: its words and the year in which they were
// written. Nothing else is said of whose they are.
type Quoted struct{ Words, Year string }

// QuotedBy asks for quotations: under which theme and side, of whose words, in which
// force (empty: all) and in which years, both included (empty: any). There is no
// area under the force and no stage: a quotation that came and went with them would
// tell where somebody lives.
type QuotedBy struct {
	Code, Polarity, Mode, Force string
	From, To                    string
}

// Quoted gives the quotations that may be shown now, of the latest years first. A
// quotation is shown only where the theme's own figure is: published by the panel in its year, over
// all areas of the place asked about, so on a base of ten or more and with nothing
// withheld. The person's permission, the answers, the label and the
// words are looked at anew each time, so that what was taken back is not shown.
func (s *Service) Quoted(ctx context.Context, by QuotedBy) ([]Quoted, error) {
	if !codebook.Polarity(by.Polarity).Valid() {
		return nil, nil
	}
	confirmed, err := s.codings.QuotationsIn(ctx, QuotationConfirmed)
	if err != nil {
		return nil, fmt.Errorf("list quotations: %w", err)
	}
	type candidate struct {
		Quotation
		year   string
		person int32
	}
	var all []candidate
	for i := range confirmed {
		q := &confirmed[i]
		a, ok := s.panel.Answer(q.ID)
		if q.Code != by.Code || q.Polarity != by.Polarity || !ok || !a.Complete || a.Mode != cmp.Or(by.Mode, figures.ModeSelf) || by.Force != "" && a.Force != by.Force {
			continue
		}
		year, _, _ := strings.Cut(a.Month, "-")
		if by.From != "" && year < by.From || by.To != "" && year > by.To {
			continue
		}
		all = append(all, candidate{*q, year, a.Case})
	}
	if len(all) == 0 {
		return nil, nil
	}
	published, err := s.publishedYears(ctx, by)
	if err != nil {
		return nil, err
	}
	// Within a year the order says nothing of the day.
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(strings.Compare(b.year, a.year), cmp.Compare(s.rank("quotation", a.ID), s.rank("quotation", b.ID)), strings.Compare(a.ID, b.ID))
	})
	var out []Quoted
	shown := map[int32]bool{} // people: two that were chosen at once do not stand together
	for i := range all {
		q := &all[i]
		if !published[q.year] || shown[q.person] {
			continue
		}
		words, err := s.quotedWords(ctx, &q.Quotation)
		if err != nil {
			return nil, err
		}
		if words == "" {
			continue
		}
		shown[q.person] = true
		if out = append(out, Quoted{words, q.year}); len(out) == MaxQuoted {
			break
		}
	}
	return out, nil
}

// publishedYears gives the years whose figure of a theme is published in the place
// that is asked about.
func (s *Service) publishedYears(ctx context.Context, by QuotedBy) (map[string]bool, error) {
	q := figures.Query{Measure: "theme." + by.Code + "." + by.Polarity, By: []string{figures.DimYear}, Mode: by.Mode, Filters: map[string]string{}}
	if by.Force != "" {
		q.Filters[figures.DimForce] = by.Force
	}
	r, err := s.panel.Figures(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("ask whether figures are published: %w", err)
	}
	out := map[string]bool{}
	for i := range r.Points {
		if p := &r.Points[i]; p.Share != nil && p.Base >= figures.MinBase {
			out[p.Period] = true
		}
	}
	return out, nil
}

// quotedWords gives the words of a confirmed quotation; empty where they may not be shown any more.
func (s *Service) quotedWords(ctx context.Context, q *Quotation) (string, error) {
	may, err := s.survey.MayQuote(ctx, q.ID)
	if err != nil || !may {
		return "", err
	}
	c, err := s.codings.Coding(ctx, q.ID+"/"+q.Item)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a coding: %w", err)
	}
	if doneWith(&c) != "" || !carries(&c, q.Code, q.Polarity) {
		return "", nil
	}
	text, err := s.Text(&c)
	if err != nil {
		return "", err
	}
	if !s.stands(q, text) {
		return "", nil
	}
	return text[q.Start:q.End], nil
}
