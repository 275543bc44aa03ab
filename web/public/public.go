// Package public owns the pages that anybody may read: what people said, what
// was done about it, and whether the figure moved; and open data by quarter. It asks for no sign-in and
// shows nothing about any person: no owner, no date of a response, no figure that
// is not published, shares rounded to whole numbers.
package public

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/internal/edge"
	"victimvoice/loop"
	"victimvoice/web/page"
)

//go:embed templates
var files embed.FS

// Pages serves the public page.
type Pages struct {
	loop *loop.Service
	open *analysis.OpenData
	// measures gives a measure's definition by its id.
	measures func(id string) (figures.Measure, bool)
	zone     *time.Location // of the dates shown
	book     *page.Book
}

// zoneName is the zone of the dates shown.
const zoneName = "Europe/London"

// New parses the page; a fault in it is a start-up failure.
func New(lp *loop.Service, open *analysis.OpenData, measures func(id string) (figures.Measure, bool)) (*Pages, error) {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return nil, fmt.Errorf("public pages: %w", err)
	}
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, fmt.Errorf("public pages: %w", err)
	}
	book, err := page.NewBook(templates)
	if err != nil {
		return nil, fmt.Errorf("public pages: %w", err)
	}
	return &Pages{loop: lp, open: open, measures: measures, zone: zone, book: book}, nil
}

// Register puts the pages under their addresses. Mails name the first: it never changes.
func (s *Pages) Register(r gin.IRouter) {
	r.GET("/public", edge.Handle(s.changed))
	r.GET("/public/data", edge.Handle(s.tables))
	r.GET("/public/data/:quarter", edge.Handle(s.table))
	r.GET("/public/data/:quarter/:file", edge.Handle(s.file))
}

// changedData is the data of the page.
type changedData struct {
	page.Work
	Rounds []round
}

type round struct {
	ID, Title, On string
	Items         []item
}

type item struct {
	YouSaid, WeDid, Because, Agency string
	Moved                           []string
}

func (s *Pages) changed(c *gin.Context) error {
	published, err := s.loop.Published(c.Request.Context())
	if err != nil {
		return err
	}
	data := changedData{Work: page.Work{Title: "What changed"}}
	for i := range published {
		p := &published[i]
		out := round{ID: fmt.Sprintf("round-%d", len(published)-i), Title: p.Title, On: p.At.In(s.zone).Format("2 January 2006")}
		for j := range p.Items {
			out.Items = append(out.Items, itemOf(&p.Items[j]))
		}
		data.Rounds = append(data.Rounds, out)
	}
	return s.book.Show(c, http.StatusOK, "changed", data)
}

func itemOf(a *loop.Action) item {
	out := item{YouSaid: a.YouSaid, WeDid: a.WeDid, Agency: a.Agency}
	if a.Status == loop.NoAction {
		out.WeDid, out.Because = "", a.Because
		return out
	}
	out.Moved = moved(a)
	return out
}

// moved says in plain words whether the figure moved, and claims no cause.
func moved(a *loop.Action) []string {
	if a.Check == nil {
		return []string{"It is too early to say. We will compare the answers before and after, and say so here."}
	}
	k := a.Check
	figure, _, _ := strings.Cut(a.Evidence.Label, ",")
	switch k.Verdict {
	case loop.MovedUp, loop.MovedDown:
		way := map[string]string{loop.MovedUp: "higher", loop.MovedDown: "lower"}[k.Verdict]
		return []string{
			fmt.Sprintf("“%s”: %s before, %s after. That is %s than before, by more than chance alone would readily give.", figure, share(k.Before), share(k.After), way),
			"Other things changed in the same time, so this does not show what caused it.",
		}
	case loop.NoChange:
		return []string{fmt.Sprintf("“%s”: %s before, %s after. No change can be told from chance yet.", figure, share(k.Before), share(k.After))}
	case loop.NotSuitable:
		return []string{"The figure behind this is an average score, which we do not compare in this way."}
	}
	return []string{"Too few people have answered on either side of the date to tell yet."}
}

func share(v float64) string { return fmt.Sprintf("%d in 100", int(math.Round(v))) }
