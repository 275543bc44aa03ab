package victim

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/internal/numerals"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// The rates at which the codes of cards may be tried, each by itself in every
// process: by one network, and by all of them together. A code has 55 random
// bits, so that the second is what keeps guessing hopeless, however many networks
// somebody has at hand: see docs/decisions/0018. A code whose check symbol is wrong
// costs nothing, since it is refused without asking what is stored.
var (
	cardRate     = edge.Rate{PerSecond: 1.0 / 15, Burst: 20}
	allCardsRate = edge.Rate{PerSecond: 2, Burst: 100}
)

// cards takes the codes of cards, no faster than those rates.
type cards struct {
	pages        *Pages
	network, all *edge.Limiter
}

func (s *Pages) takeCards() *cards {
	return &cards{pages: s, network: edge.NewLimiter(cardRate, networks, s.conf.Now), all: edge.NewLimiter(allCardsRate, 1, s.conf.Now)}
}

// allow takes one try, or says that there were too many. What a network may not
// try any more takes nothing from the others.
func (k *cards) allow(c *gin.Context) error {
	if err := k.network.Allow(c, edge.Client(c)); err != nil {
		return err
	}
	return k.all.Allow(c, "")
}

// guard holds the addresses of links to the same rates where a card's code stands
// in place of a token: that is what the square on a card leads to.
func (k *cards) guard(next gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if code := c.Param("token"); survey.IsCardCode(code) && k.allow(c) != nil {
			edge.Handle(func(c *gin.Context) error { return k.busy(c, code) })(c)
			c.Abort()
			return
		}
		next(c)
	}
}

// register puts the page on which a code is typed under its address, which stands
// on cards and nowhere else.
func (k *cards) register(r gin.IRouter, wide gin.HandlerFunc) {
	for _, path := range cardPaths {
		r.GET(path, edge.Handle(k.ask))
		r.POST(path, wide, edge.Handle(k.open))
	}
}

// cardPath is the address on a card; some keyboards begin with a capital.
const cardPath = "/c"

var cardPaths = [...]string{cardPath, "/C"}

type codePage struct {
	frame
	Code     page.Field
	Problems []page.Problem
}

func (k *cards) ask(c *gin.Context) error { return k.form(c, http.StatusOK, "", "") }

// open shows what a typed code opens, which is the same page as a mailed link's.
func (k *cards) open(c *gin.Context) error {
	if err := c.Request.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, err, "The form could not be read. Go back and try again.")
	}
	typed := c.Request.PostForm.Get("code")
	if c.Request.PostForm.Has("lang") && c.Request.PostForm.Get("at") == "" {
		return k.form(c, http.StatusOK, typed, "")
	}
	code, err := survey.CardCode(typed)
	if err != nil {
		return k.form(c, http.StatusUnprocessableEntity, typed, whatIsWrong(typed))
	}
	if k.allow(c) != nil {
		return k.busy(c, code)
	}
	return k.pages.opening(c, code)
}

// typedFrame is the frame of a page that holds a typed code: another language is
// asked for by its form, so that the code goes along and into no address.
func (s *Pages) typedFrame(c *gin.Context) frame {
	f := s.before(c, s.wanted(c, ""))
	f.Form = mainForm
	return f
}

// wanted is the language that a form outside a session asks for, or else the one given.
func (s *Pages) wanted(c *gin.Context, lang string) string {
	for _, name := range []string{"lang", "l"} {
		if l := c.PostForm(name); s.offered(l) {
			return l
		}
	}
	return lang
}

// busy asks to wait and keeps what was typed.
func (k *cards) busy(c *gin.Context, code string) error {
	return k.form(c, http.StatusTooManyRequests, code, "card-busy")
}

// whatIsWrong names what is said of a code that is none: what can be seen from it
// alone.
func whatIsWrong(typed string) string {
	symbols := 0
	for _, r := range typed {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			symbols++
		}
	}
	switch symbols {
	case 0:
		return "card-none"
	case 12:
		return "card-check"
	}
	return "card-length"
}

// mailed is what a link opens that came by mail: whose reader may stop messages.
func (s *Pages) mailed(c *gin.Context) (survey.Door, error) {
	d, err := s.survey.Follow(c.Request.Context(), c.Param("token"))
	if err == nil && d.Card {
		return survey.Door{}, survey.ErrClosed
	}
	return d, err
}

// longestCode is how much of what was typed is shown again, in bytes.
const longestCode = 60

func (k *cards) form(c *gin.Context, status int, typed, problem string) error {
	if len(typed) > longestCode {
		typed = ""
	}
	p := codePage{frame: k.pages.typedFrame(c), Code: page.Field{Name: "code", Value: typed, Max: longestCode}}
	var err error
	if p.Code.Label, err = p.Say("card-title"); err != nil {
		return err
	}
	if p.Code.Hint, err = p.Say("card-hint"); err != nil {
		return err
	}
	if problem != "" {
		said, err := p.Say(problem)
		if err != nil {
			return err
		}
		p.Problems = []page.Problem{{Field: p.Code.Name, Message: said}}
		if err := p.blame(&p.Code, said); err != nil {
			return err
		}
	}
	return k.pages.book.Show(c, status, "code", p)
}

// Card puts a card into words, in its own language, for an advocate to print.
func (s *Pages) Card(card survey.Card) (page.Card, error) {
	f := s.frame(card.Language)
	scheme := "http"
	if s.conf.Secure {
		scheme = "https"
	}
	out := page.Card{Lang: f.Lang, Dir: f.Dir, Name: f.Name, Where: s.conf.Host + cardPath, Code: card.Code}
	var err error
	if out.Square, err = square(scheme + "://" + s.conf.Host + "/f/" + card.Code); err != nil {
		return page.Card{}, err
	}
	date, err := s.lastDay(f.Voice, card)
	if err != nil {
		return page.Card{}, err
	}
	for key, to := range map[string]*string{
		"door-title": &out.Title, "door-lead": &out.Lead, "card-scan": &out.Scan, "card-type": &out.Type,
		"card-until": &out.Until, "card-yours": &out.Yours, "card-square": &out.Square.Title,
	} {
		if *to, err = f.Say(key, "date", date); err != nil {
			return page.Card{}, err
		}
	}
	return out, nil
}

// lastDay writes the last day on which a card works as its language does.
func (s *Pages) lastDay(v page.Voice, card survey.Card) (string, error) {
	year, month, day := s.survey.Policy().LastDay(card)
	months, err := v.Say("card-months")
	if err != nil {
		return "", err
	}
	number := func(n int) string { // a year has its digits and no mark among them
		var b strings.Builder
		for _, r := range strconv.Itoa(n) {
			b.WriteString(numerals.Write(v.Lang, int(r-'0')))
		}
		return b.String()
	}
	return v.Say("card-date", "day", number(day), "month", strings.Fields(months)[month-1], "year", number(year))
}
