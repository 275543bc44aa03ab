package workspace

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// cardForm makes a card for one of a case's surveys.
type cardForm struct {
	Survey   page.Field // without choices: no card can be made now
	Language page.Field
	Why      string // and why not
}

// cardData is the data of the page that shows a card, once.
type cardData struct {
	page.Card
	Back string // address of the case
	Ends string // the last day on which the card works
}

func (s *Pages) cardForm(v *survey.CaseView) cardForm {
	form := cardForm{
		Survey:   page.Field{Name: "card_survey", Label: "Which survey"},
		Language: page.Field{Name: "card_language", Label: "Language of the card", Value: page.FallbackLanguage},
		Why:      "nothing is asked yet",
	}
	for i := range v.Invites {
		inv, no := &v.Invites[i], v.NoCard[i]
		switch {
		case no == "":
			form.Survey.Choices = append(form.Survey.Choices, page.Choice{Value: surveyValue(inv), Label: surveyWords(inv.Stage, inv.Round)})
		case no != survey.NotYet || i == 0: // the last survey whose time has come tells most
			form.Why = reason(no)
		}
	}
	for _, l := range s.Survey.Questionnaires().LanguagesOffered() {
		form.Language.Choices = append(form.Language.Choices, page.Choice{Value: l.Code, Label: languageName(l.Code)})
		if f := v.Facts.Contact; f != nil && f.Language == l.Code {
			form.Language.Value = l.Code
		}
	}
	return form
}

// makeCard shows a card as the answer to the form: its code stands in no address,
// and cannot be shown again.
func (s *Pages) makeCard(c *gin.Context, v visitor) error {
	stage, round, ok := parseSurvey(typed(c, "card_survey"))
	err := fault.Fields("the form has faults", fault.Field{Field: "card_survey", Message: "choose which survey the card is for"})
	var card survey.Card
	if ok {
		card, err = s.Survey.Card(c.Request.Context(), v.actor(), v.AdvocateKey, c.Param("id"), stage, round, typed(c, "card_language"))
	}
	if err != nil {
		return s.cardAgain(c, v, err)
	}
	data := cardData{Back: "/work/cases/" + c.Param("id"), Ends: s.date(card.ExpiresAt.Add(-time.Millisecond))}
	if data.Card, err = s.Card(card); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "card", data)
}

// cardAgain shows the case with what kept a card from being made.
func (s *Pages) cardAgain(c *gin.Context, v visitor, err error) error {
	var no *survey.NoCard
	switch {
	case errors.As(err, &no):
		err = fault.New(fault.Conflict, "No card can be made of this survey: %s.", reason(no.Reason))
	case fault.Is(err, fault.Invalid):
		fields := slices.Clone(fault.FieldsOf(err))
		for i := range fields {
			if fields[i].Field == "language" {
				fields[i].Field = "card_language"
			}
		}
		err = fault.Fields("the form has faults", fields...)
	default:
		return err
	}
	data, status, err := s.caseAgain(c, v, err)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&data.Card.Survey, &data.Card.Language} {
		f.Value, f.Error = typed(c, f.Name), page.ErrorOf(data.Problems, f.Name)
	}
	return s.show(c, status, "case", data)
}
