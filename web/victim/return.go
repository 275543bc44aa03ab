package victim

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// What a page that comes between the questions is called in a change of language.
const (
	atIntro  = "intro"
	atAgain  = "again"
	atLast   = "last"
	atSafety = "safety"
	atThanks = "thanks"
)

// unlocked is a session in which nothing has to be asked for first.
func (s *Pages) unlocked(c *gin.Context) (survey.Sitting, error) {
	st, err := s.sitting(c)
	if err == nil && st.Locked {
		err = survey.ErrClosed
	}
	return st, err
}

// reread shows a page that is no question in the language that was just chosen,
// with what was typed there.
func (s *Pages) reread(c *gin.Context, st survey.Sitting, sh survey.Sheet, form url.Values) error {
	switch form.Get("at") {
	case atLast:
		return s.last(c, fleeting, st, sh, form["ticks"], nil)
	case atAgain:
		return s.again(c, fleeting, st, sh, form.Get("word"), nil)
	case atSafety:
		return see(c, "/f/safety")
	}
	return see(c, "/f")
}

// stay keeps a session alive: what a person presses who is told that it ends.
func (s *Pages) stay(c *gin.Context) error {
	if _, err := s.sitting(c); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// secretPage asks for a word: the one agreed before the first question, or the
// one that shows earlier answers.
type secretPage struct {
	frame
	Word     page.Field
	Problems []page.Problem
	Guarded  bool
	Before   page.Field // of keep: ask for it before the first question too
}

func (s *Pages) secretPage(st survey.Sitting, label, hint, typed string, problems []page.Problem) (secretPage, error) {
	p := secretPage{frame: s.during(st), Problems: problems}
	p.Word = page.Field{Name: "word", Value: typed, Max: survey.MaxWord}
	for key, text := range map[string]*string{label: &p.Word.Label, hint: &p.Word.Hint} {
		if key == "" {
			continue
		}
		var err error
		if *text, err = p.Say(key); err != nil {
			return p, err
		}
	}
	return p, p.blame(&p.Word, page.ErrorOf(problems, "word"))
}

// word asks for the agreed word. Until it is given the page tells no more than
// the opening page does.
func (s *Pages) word(c *gin.Context, status int, st survey.Sitting, typed string, problems []page.Problem) error {
	p, err := s.secretPage(st, "word-label", "", typed, problems)
	if err != nil {
		return err
	}
	return s.book.Show(c, status, "word", p)
}

func (s *Pages) giveWord(c *gin.Context, st survey.Sitting, form url.Values) error {
	typed := form.Get("word")
	if form.Get("do") == "speak" {
		return s.word(c, fleeting, st, typed, nil)
	}
	if form.Get("do") != "word" {
		return s.word(c, http.StatusUnprocessableEntity, st, "", nil)
	}
	st, tried, err := s.survey.GiveWord(c.Request.Context(), st, typed)
	if err != nil {
		return s.orNothing(c, err)
	}
	if tried == survey.WordRight {
		return see(c, "/f")
	}
	problems, err := s.tried(st, tried)
	if err != nil {
		return err
	}
	return s.word(c, http.StatusUnprocessableEntity, st, "", problems)
}

// tried says what became of a word that opened nothing.
func (s *Pages) tried(st survey.Sitting, t survey.Tried) ([]page.Problem, error) {
	key := "error-word-wrong"
	switch t {
	case survey.WordWaits:
		key = "error-word-waits"
	case survey.WordEnded:
		key = "error-word-ended"
	}
	text, err := s.words.In(st.Language).Say(key)
	return []page.Problem{{Field: "word", Message: text}}, err
}

// again meets somebody who has been here before: they go on, see what they
// answered if they chose a word for that, or start from nothing.
func (s *Pages) again(c *gin.Context, status int, st survey.Sitting, sh survey.Sheet, typed string, problems []page.Problem) error {
	p, err := s.secretPage(st, "again-label", "", typed, problems)
	if err != nil {
		return err
	}
	p.Guarded = sh.Guarded
	return s.book.Show(c, status, "again", p)
}

func (s *Pages) carryOn(c *gin.Context, st survey.Sitting) error {
	if err := s.survey.CarryOn(c.Request.Context(), st); err != nil {
		return s.orNothing(c, err)
	}
	return see(c, "/f")
}

func (s *Pages) giveCode(c *gin.Context, st survey.Sitting, sh survey.Sheet, typed string) error {
	st, tried, err := s.survey.GiveCode(c.Request.Context(), st, typed)
	if err != nil {
		return s.orNothing(c, err)
	}
	if tried == survey.WordRight {
		return see(c, "/f?p=1")
	}
	problems, err := s.tried(st, tried)
	if err != nil {
		return err
	}
	return s.again(c, http.StatusUnprocessableEntity, st, sh, "", problems)
}

type restartPage struct {
	frame
	Sure     page.Field
	Problems []page.Problem
}

func (s *Pages) askAgain(c *gin.Context) error {
	st, err := s.unlocked(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	return s.restart(c, fleeting, st, "")
}

// restart asks for a tick and a button, so that a program that sends the forms it
// finds as they stand throws nobody's answers away.
func (s *Pages) restart(c *gin.Context, status int, st survey.Sitting, problem string) error {
	p := restartPage{frame: s.during(st)}
	var err error
	if p.Sure, p.Problems, err = p.sure("restart-sure", problem); err != nil {
		return err
	}
	return s.book.Show(c, status, "restart", p)
}

func (s *Pages) startAgain(c *gin.Context) error {
	st, err := s.unlocked(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	if st, done, err := s.speak(c, st); done || err != nil {
		if err != nil {
			return s.orNothing(c, err)
		}
		return s.restart(c, fleeting, st, "")
	}
	if c.PostForm("sure") != "yes" {
		return s.restart(c, http.StatusUnprocessableEntity, st, "refusal-tick")
	}
	if err := s.survey.StartAgain(c.Request.Context(), st); err != nil && !fault.Is(err, fault.Conflict) {
		return s.orNothing(c, err)
	}
	return see(c, "/f")
}

// speak changes the language of a session where the form asks for that.
func (s *Pages) speak(c *gin.Context, st survey.Sitting) (survey.Sitting, bool, error) {
	lang := c.PostForm("lang")
	if !s.offered(lang) {
		return st, false, nil
	}
	st, err := s.survey.Speak(c.Request.Context(), st, lang)
	return st, true, err
}

// askKeep offers a word with which earlier answers show when the person comes back.
func (s *Pages) askKeep(c *gin.Context) error {
	st, err := s.unlocked(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	return s.keepForm(c, fleeting, st, "", nil, nil)
}

func (s *Pages) keepForm(c *gin.Context, status int, st survey.Sitting, typed string, before []string, problems []page.Problem) error {
	p, err := s.secretPage(st, "keep-label", "keep-hint", typed, problems)
	if err != nil {
		return err
	}
	p.Before = page.Field{Name: "before", Values: before}
	if p.Before.Label, err = p.Say("keep-before"); err != nil {
		return err
	}
	return s.book.Show(c, status, "keep", p)
}

func (s *Pages) keep(c *gin.Context) error {
	st, err := s.unlocked(c)
	if err != nil {
		return s.orNothing(c, err)
	}
	st, spoken, err := s.speak(c, st)
	if err != nil {
		return s.orNothing(c, err)
	}
	typed, before := c.PostForm("word"), c.PostFormArray("before")
	if spoken {
		return s.keepForm(c, fleeting, st, typed, before, nil)
	}
	err = s.survey.KeepCode(c.Request.Context(), st, typed, len(before) > 0)
	switch {
	case len(fault.FieldsOf(err)) > 0:
		text, sayErr := s.words.In(st.Language).Say("error-word-length")
		if sayErr != nil {
			return sayErr
		}
		return s.keepForm(c, http.StatusUnprocessableEntity, st, typed, before, []page.Problem{{Field: "word", Message: text}})
	case err != nil && !fault.Is(err, fault.Conflict):
		return s.orNothing(c, err)
	}
	return see(c, "/f")
}
