package victim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
	"victimvoice/web/page"
)

// aboutPage is one page of the questions about the person, after those of the
// questionnaire and before the permissions. It is not counted among them.
type aboutPage struct {
	frame
	ID       string // of its first question: a part of a page has the page's id
	Title    string
	Opening  string // why it is asked; on the first page alone
	Fields   []page.Field
	Problems []page.Problem
	Again    bool
	Back     int
}

// about shows page n, from 1, of the questions about the person. What was chosen
// on an earlier visit is never shown: only what was typed just now comes back.
func (s *Pages) about(c *gin.Context, status int, st survey.Sitting, sh survey.Sheet, n int, typed map[string][]string, problems []page.Problem) error {
	p := sh.About.Pages[n-1]
	text := sh.About.Questionnaire.Text(st.Language, false)
	a := aboutPage{frame: s.during(st), ID: p.Items[0].ID, Problems: problems, Back: len(sh.Pages) + n - 1}
	a.Title, a.Opening = text.Page(p.ID)
	if n > 1 {
		a.Opening = ""
	}
	for i := range p.Items {
		it := &p.Items[i]
		a.Again = a.Again || sh.Answers[it.ID].State != questionnaires.NotReached
		f, err := s.field(it, text, a.Voice, st, typed[it.ID])
		if err != nil {
			return err
		}
		if err := a.blame(&f, page.ErrorOf(problems, it.ID)); err != nil {
			return err
		}
		if len(p.Items) == 1 {
			f.Legend = "big"
		}
		a.Fields = append(a.Fields, f)
	}
	return s.book.Show(c, status, "about", a)
}

// answerAbout takes a page about the person: what was chosen on it, or, by one
// button, that all the rest of these questions are passed over. Late is a session
// that ran out: what was typed is kept, and nothing is shown.
func (s *Pages) answerAbout(c *gin.Context, st survey.Sitting, sh survey.Sheet, late bool) error {
	typed := c.Request.PostForm
	do := typed.Get("do")
	n := 1 + slices.IndexFunc(sh.About.Pages, func(p questionnaires.Page) bool { return p.Items[0].ID == typed.Get("about") })
	switch {
	case do != "next" && do != "stop" && do != "pass" && do != "speak":
		return fault.New(fault.Invalid, "This form is not complete. Go back and try again.")
	case n == 0:
		return fault.New(fault.Invalid, "This page is not part of your questions any more. Go back to the questions and carry on.")
	}
	if do == "speak" {
		return s.about(c, fleeting, st, sh, n, typed, nil)
	}
	p, given, next := sh.About.Pages[n-1], questionnaires.Answers(nil), n+1
	if do == "pass" {
		p, next = questionnaires.Page{Items: sh.About.Questionnaire.Items}, len(sh.About.Pages)+1
	} else {
		form := maps.Clone(typed)
		form.Del("about")
		var err error
		if given, err = readAnswers(p, form); err != nil {
			return err
		}
	}
	if err := s.survey.SaveAbout(c.Request.Context(), st, p, given); err != nil {
		if fields := fault.FieldsOf(err); len(fields) > 0 {
			return s.about(c, http.StatusUnprocessableEntity, st, sh, n, typed, s.explain(st, sh, fields))
		}
		if fault.Is(err, fault.Conflict) {
			return see(c, "/f") // sent meanwhile, from another tab
		}
		return s.orNothing(c, err)
	}
	switch {
	case do == "stop":
		return s.stop(c, st)
	case late:
		return see(c, "/f/stopped"+s.keepTongue(st))
	}
	return see(c, "/f?p="+strconv.Itoa(len(sh.Pages)+next))
}
