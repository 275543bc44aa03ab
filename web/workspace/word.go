package workspace

import (
	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// agreedWord is what the page of a case offers about the word that is asked for
// before the first question. The word itself is never shown: it is not kept.
type agreedWord struct {
	Set, Ended bool
	Word       page.Field
}

func newAgreedWord(v *survey.CaseView) agreedWord {
	return agreedWord{Set: v.HasWord, Ended: v.WordEnded, Word: page.Field{
		Name: "word", Label: "The word that you agreed", Max: survey.MaxWord,
		Hint: "4 to 40 letters or digits. Something that nobody near them would guess; capitals and blanks make no difference.",
	}}
}

// agreeWord keeps or takes away the word that an advocate agreed with the person.
func (s *Pages) agreeWord(c *gin.Context, v visitor) error {
	id, word, done := c.Param("id"), typed(c, "word"), "word-agreed"
	var err error
	if typed(c, "remove") == "yes" {
		word, done = "", "word-removed"
	} else if word == "" {
		err = fault.Fields("the form has faults", fault.Field{Field: "word", Message: "type the word that you agreed"})
	}
	if err == nil {
		err = s.Survey.SetWord(c.Request.Context(), v.actor(), v.AdvocateKey, id, word)
	}
	if err == nil {
		return page.See(c, "/work/cases/"+id+"?done="+done)
	}
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	data, status, err := s.caseAgain(c, v, err)
	if err != nil {
		return err
	}
	data.Word.Word.Value, data.Word.Word.Error = word, page.ErrorOf(data.Problems, "word")
	return s.show(c, status, "case", data)
}
