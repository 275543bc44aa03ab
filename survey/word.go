package survey

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
)

// Secret is a word or a number that a person chose. It is kept as a keyed hash
// alone: whoever holds the store without the key cannot try words against it, and
// whoever asks the service has few tries.
type Secret struct {
	Hash   string    `json:"hash,omitempty"`
	Wrong  int       `json:"wrong,omitempty"`  // tries that failed since it was last given right
	WaitTo time.Time `json:"wait_to,omitzero"` // no try is taken before
}

// Set reports whether there is a word at all.
func (w *Secret) Set() bool { return w.Hash != "" }

func (w *Secret) ended() bool { return w.Wrong >= wordLimit }

// The bounds of a word: how long it is once blanks and marks are out, how many
// wrong tries lead to a wait, and how many end it until it is chosen anew. Twenty
// tries find a word that somebody who knows the person would guess; they do not
// find one that is looked for in a dictionary.
const (
	MinWord   = 4
	MaxWord   = 40
	wordTries = 5
	wordWait  = time.Hour
	wordLimit = 20
)

// Tried says what became of a word that was given.
type Tried int

// The results of a try.
const (
	WordRight Tried = iota + 1
	WordWrong
	WordWaits // too many were wrong: none is taken for an hour
	WordEnded // too many were wrong for good: it has to be chosen anew
)

// try compares what was given and counts it.
func (w *Secret) try(hash string, now time.Time) Tried {
	switch {
	case w.ended():
		return WordEnded
	case now.Before(w.WaitTo):
		return WordWaits
	case w.Hash == hash:
		w.Wrong, w.WaitTo = 0, time.Time{}
		return WordRight
	}
	w.Wrong++
	switch {
	case w.ended():
		return WordEnded
	case w.Wrong%wordTries == 0:
		w.WaitTo = now.Add(wordWait)
		return WordWaits
	}
	return WordWrong
}

// digits are the zeros of the numerals that our languages are typed in.
var digits = [...]rune{'٠', '۰', '০'}

// plainWord writes a word one way however it was typed: no capitals, no blanks
// or marks between, one form of each letter, one kind of numerals.
func plainWord(typed string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFKC.String(typed)) {
		for _, zero := range digits {
			if r >= zero && r <= zero+9 {
				r = '0' + r - zero
			}
		}
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// wordField is where a fault in a word is shown.
const wordField = "word"

func checkWord(typed string) (string, error) {
	plain := plainWord(typed)
	if n := utf8.RuneCountInString(plain); !utf8.ValidString(typed) || n < MinWord || n > MaxWord {
		return "", fault.Fields("the word cannot be used", fault.Field{
			Field: wordField, Message: fmt.Sprintf("choose a word or a number of %d to %d letters or digits", MinWord, MaxWord),
		})
	}
	return plain, nil
}

func (s *Service) wordHash(caseID, plain string) string {
	return s.keys.TokenHash("agreed-word", caseID+"\n"+plain)
}

func (s *Service) codeHash(response, plain string) string {
	return s.keys.TokenHash("return-code", response+"\n"+plain)
}

// SetWord keeps the word that an advocate agreed with the person: from now on
// it is asked for before the first question of every link. An empty one takes it
// away. Errors: fault.Invalid on the field "word", fault.NotFound for a case that
// is not the advocate's.
func (s *Service) SetWord(ctx context.Context, by Actor, advocate, caseID, typed string) error {
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return err
	}
	action, word := "word.removed", Secret{}
	if typed != "" {
		plain, err := checkWord(typed)
		if err != nil {
			return err
		}
		action, word.Hash = "word.agreed", s.wordHash(c.ID, plain)
	}
	return s.setWord(ctx, by.Entry(action, "case:"+c.ID), c.ID, word)
}

func (s *Service) setWord(ctx context.Context, trace audit.Entry, caseID string, word Secret) error {
	if err := s.audit.Append(ctx, trace); err != nil {
		return fmt.Errorf("audit an agreed word: %w", err)
	}
	if _, err := s.store.UpdateCase(ctx, caseID, func(c *Case) error {
		c.Word = word
		return nil
	}); err != nil {
		return fmt.Errorf("keep an agreed word: %w", err)
	}
	return nil
}

// GiveWord opens a locked session with the agreed word. Where the same word is
// the person's return code, their earlier answers are open too.
func (s *Service) GiveWord(ctx context.Context, st Sitting, typed string) (Sitting, Tried, error) {
	now, plain := s.now(), plainWord(typed)
	var tried Tried
	if _, err := s.store.UpdateCase(ctx, st.Case, func(c *Case) error {
		if tried = WordRight; !c.Word.Set() {
			return ErrUnchanged // taken away meanwhile: nothing is asked for any more
		}
		before := c.Word
		if tried = c.Word.try(s.wordHash(c.ID, plain), now); c.Word == before {
			return ErrUnchanged
		}
		return nil
	}); err != nil {
		return st, 0, fmt.Errorf("try an agreed word: %w", err)
	}
	if tried != WordRight {
		return st, tried, nil
	}
	r, err := found(s.store.Response(ctx, st.Response))
	if err != nil {
		return st, 0, fmt.Errorf("read a draft: %w", err)
	}
	open := r.Code.Set() && r.Code.Hash == s.codeHash(st.Response, plain)
	st, err = s.tune(ctx, st, func(st *Sitting) { st.Locked, st.Open = false, st.Open || open })
	return st, WordRight, err
}

// KeepCode keeps the word with which a person can see their earlier answers
// when they come back, and where they ask for it, asks for the same word before
// the first question from now on. Errors: fault.Invalid on the field "word",
// fault.Conflict when the answers were sent meanwhile, ErrClosed when the time is over.
func (s *Service) KeepCode(ctx context.Context, st Sitting, typed string, before bool) error {
	plain, err := checkWord(typed)
	if err != nil {
		return err
	}
	now := s.now()
	if st.Locked || st.Mode != ModeSelf || !now.Before(st.ClosesAt) {
		return ErrClosed
	}
	c, err := s.store.Case(ctx, st.Case)
	if err != nil {
		return fmt.Errorf("read a case: %w", err)
	}
	if _, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		if err := s.draftFor(r, &c, st, now); err != nil {
			return err
		}
		r.Code = Secret{Hash: s.codeHash(st.Response, plain)}
		return nil
	}); err != nil {
		return fmt.Errorf("keep a return code: %w", err)
	}
	if !before {
		return nil
	}
	return s.setWord(ctx, audit.Entry{Actor: "respondent", Role: "respondent", Action: "word.agreed", Subject: "case:" + c.ID}, c.ID, Secret{Hash: s.wordHash(c.ID, plain)})
}

// GiveCode shows a person's earlier answers to whoever knows the word that the
// person chose for that.
func (s *Service) GiveCode(ctx context.Context, st Sitting, typed string) (Sitting, Tried, error) {
	if st.Locked {
		return st, 0, ErrClosed
	}
	now, hash := s.now(), s.codeHash(st.Response, plainWord(typed))
	var tried Tried
	if _, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		if r.State != Draft || !r.Code.Set() {
			return ErrClosed
		}
		before := r.Code
		if tried = r.Code.try(hash, now); r.Code == before {
			return ErrUnchanged
		}
		return nil
	}); err != nil {
		return st, 0, fmt.Errorf("try a return code: %w", err)
	}
	if tried != WordRight {
		return st, tried, nil
	}
	st, err := s.tune(ctx, st, func(st *Sitting) { st.Open, st.Resumed = true, true })
	return st, WordRight, err
}

// CarryOn notes that a person who has been here before goes on from the next question.
func (s *Service) CarryOn(ctx context.Context, st Sitting) error {
	_, err := s.tune(ctx, st, func(st *Sitting) { st.Resumed = true })
	return err
}

// StartAgain empties the draft, so that its questions are asked from the first
// one. What was answered is gone, and so is the return code. Errors: fault.Conflict
// when the answers were sent meanwhile, ErrClosed when the time is over.
func (s *Service) StartAgain(ctx context.Context, st Sitting) error {
	now := s.now()
	if st.Locked || !now.Before(st.ClosesAt) {
		return ErrClosed
	}
	c, err := s.store.Case(ctx, st.Case)
	if err != nil {
		return fmt.Errorf("read a case: %w", err)
	}
	if _, err := s.store.UpdateResponse(ctx, st.Response, func(r *Response) error {
		switch {
		case r.Version == 0:
			return ErrUnchanged
		case r.State != Draft:
			return errSent()
		}
		s.begin(r, &c, st, now)
		return nil
	}); err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	return nil
}

func (s *Service) tune(ctx context.Context, st Sitting, change func(*Sitting)) (Sitting, error) {
	out, err := s.store.UpdateSitting(ctx, st.ID, func(st *Sitting) error {
		if st.Version == 0 || !st.EndedAt.IsZero() {
			return ErrClosed
		}
		before := *st
		if change(st); *st == before {
			return ErrUnchanged
		}
		return nil
	})
	if err != nil {
		return st, fmt.Errorf("change a survey session: %w", err)
	}
	return out, nil
}
