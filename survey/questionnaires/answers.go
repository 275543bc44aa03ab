package questionnaires

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"victimvoice/internal/fault"
)

// State says what became of an item. The reasons for having no answer are kept
// apart: they mean different things and none of them counts in a denominator.
type State uint8

// The states. The numbers are part of the packed form and never change.
const (
	NotReached    State = iota // never shown, or the person left before it
	Answered                   // a valid answer
	Skipped                    // shown and passed over
	NotApplicable              // "I was given no advice", "I have no evidence"
	DontKnow                   // "not sure"
	PreferNot                  // "prefer not to say"
)

var stateWords = [...]string{"not-reached", "answered", "skipped", "not-applicable", "dont-know", "prefer-not"}

func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the state as its word.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateWords) {
		return nil, fault.New(fault.Invalid, "no such answer state: %d", uint8(s))
	}
	return []byte(stateWords[s]), nil
}

// UnmarshalText reads the word of a state; any other word is Invalid.
func (s *State) UnmarshalText(b []byte) error {
	i := slices.Index(stateWords[:], string(b))
	if i < 0 {
		return fault.New(fault.Invalid, "no such answer state: use one of %s", strings.Join(stateWords[:], ", "))
	}
	*s = State(i) // #nosec G115 -- the index of a six-word table
	return nil
}

// Answer is what a person answered to one item. Choice belongs to a single
// item, Choices to a multi item, Text to free text. An option that stands for
// "not sure" or "does not apply" is kept as the choice, with its state. Parts is a
// draft's own note: of a list in parts, those passed, as long as some are left.
type Answer struct {
	State   State    `json:"state"`
	Choice  string   `json:"choice,omitempty"`
	Choices []string `json:"choices,omitempty"`
	Text    string   `json:"text,omitempty"`
	Parts   []string `json:"parts,omitempty"`
}

// Has reports whether the option is chosen.
func (a Answer) Has(code string) bool {
	return code != "" && (a.Choice == code || slices.Contains(a.Choices, code))
}

// Answers are a person's answers by item id.
type Answers map[string]Answer

// What Check says of an answer. Pages that speak other languages translate by
// these.
const (
	MsgUnknownItem   = "is not a question of this questionnaire"
	MsgUnknownOption = "is not one of the answers offered"
	MsgNoChoice      = "needs one of the answers offered"
	MsgOneChoice     = "takes one answer only"
	MsgTwice         = "has the same answer twice"
	MsgExclusive     = "has an answer that cannot go together with others"
	MsgNotText       = "takes no words of its own"
	MsgNotChoice     = "takes words, not a choice"
	MsgTooLong       = "is longer than 1,500 characters"
	MsgNotUTF8       = "holds characters that cannot be read"
	MsgNoText        = "has no words"
	MsgState         = "has a state that does not fit the answer"
)

// Check refuses answers that this questionnaire could not have given: fault
// Invalid, with a field for each item at fault, in item order. Whether a
// question was due to this person is the route's matter, not Check's.
func (q *Questionnaire) Check(a Answers) error {
	var fields []fault.Field
	add := func(id, msg string) { fields = append(fields, fault.Field{Field: id, Message: msg}) }
	for i := range q.Items {
		it := &q.Items[i]
		if ans, ok := a[it.ID]; ok {
			if msg := it.check(ans); msg != "" {
				add(it.ID, msg)
			}
		}
	}
	var unknown []string
	for id := range a {
		if _, ok := q.index[id]; !ok {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(unknown)
	for _, id := range unknown {
		add(shorten(id), MsgUnknownItem)
	}
	return fault.Fields("some answers do not fit the questions", fields...)
}

// shorten keeps a sender's own text in an error to a harmless length.
func shorten(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "…"
	}
	return s
}

func (it *Item) check(a Answer) string {
	if int(a.State) >= len(stateWords) {
		return MsgState
	}
	if it.Kind == Words {
		return checkWords(a)
	}
	if a.Text != "" {
		return MsgNotText
	}
	chosen := a.Choices
	if it.Kind == Single {
		if len(a.Choices) > 0 {
			return MsgOneChoice
		}
		if a.Choice != "" {
			chosen = []string{a.Choice}
		}
	} else if a.Choice != "" {
		chosen = append(slices.Clone(chosen), a.Choice)
	}
	want := Answered
	seen := make(map[string]bool, len(chosen))
	for _, c := range chosen {
		o, ok := it.Option(c)
		switch {
		case !ok:
			return MsgUnknownOption
		case seen[c]:
			return MsgTwice
		case o.Exclusive && len(chosen) > 1:
			return MsgExclusive
		}
		seen[c] = true
		if o.State != Answered {
			want = o.State
		}
	}
	switch {
	case it.Kind == Multi && a.Choice != "":
		return MsgState
	case len(chosen) == 0 && a.State == Answered:
		return MsgNoChoice
	case len(chosen) > 0 && a.State != want:
		return MsgState
	}
	return ""
}

func checkWords(a Answer) string {
	switch {
	case a.Choice != "" || len(a.Choices) > 0:
		return MsgNotChoice
	case !utf8.ValidString(a.Text) || strings.ContainsRune(a.Text, 0):
		return MsgNotUTF8
	case TextLength(a.Text) > MaxText:
		return MsgTooLong
	case a.State == Answered && strings.IndexFunc(a.Text, func(r rune) bool { return !unicode.IsSpace(r) }) < 0:
		return MsgNoText
	case a.State != Answered && a.Text != "":
		return MsgState
	}
	return ""
}

// TextLength counts the characters of a free text as a person would: a line
// break is one, however the browser sent it.
func TextLength(s string) int {
	return utf8.RuneCountInString(s) - strings.Count(s, "\r\n")
}

// Write gives the answer that typing these words means: blank words are
// skipped.
func (it *Item) Write(text string) Answer {
	if strings.TrimSpace(text) == "" {
		return Answer{State: Skipped}
	}
	return Answer{State: Answered, Text: text}
}
