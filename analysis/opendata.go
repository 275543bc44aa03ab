package analysis

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// OpenTable is one quarter's figures as everybody may have them. It is frozen when it
// is published: what is taken back later changes the next table, never this one.
type OpenTable struct {
	ID      string    `json:"id"` // the quarter: "2026-Q1"
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"` // staff id
	Rows    []OpenRow `json:"rows"`
}

// OpenRow is one figure of an open table. Count and Base are rounded to the nearest 5,
// Share to a whole number; all three are nil where Symbol says why.
type OpenRow struct {
	Measure string `json:"measure"` // id
	Title   string `json:"title"`
	Stage   string `json:"stage"` // empty: of all stages
	Force   string `json:"force"` // empty: of all areas
	Area    string `json:"area"`  // command unit; empty: of the whole force
	Count   *int   `json:"count"`
	Base    *int   `json:"base"`
	Share   *int   `json:"share"` // per cent
	Symbol  string `json:"symbol"`
}

// The symbols of an open table.
const (
	SymbolWithheld     = "[c]" // confidential: somebody could be told from it
	SymbolNotAvailable = "[x]" // nobody answered
)

// OpenTables is the storage port of open tables. See survey.Store for the meaning of
// Update methods and errors.
type OpenTables interface {
	OpenTable(ctx context.Context, id string) (OpenTable, error)
	UpdateOpenTable(ctx context.Context, id string, fn func(*OpenTable) error) (OpenTable, error)
	// OpenTables lists all, the latest quarter first.
	OpenTables(ctx context.Context) ([]OpenTable, error)
}

// OpenMeasures are the figures of an open table: the core trackers, and how many were
// asked and answered.
func OpenMeasures() []string {
	return []string{"core.confidence", "core.informed", "core.advice", "core.serious", "core.safer", "core.overall", "response.rr1", "response.rr2", "response.not-safe"}
}

// OpenData publishes figures for everybody, by fixed period.
type OpenData struct {
	room   *Service
	tables OpenTables
	audit  *audit.Log
}

// NewOpenData puts it together over the analysis room.
func NewOpenData(room *Service, tables OpenTables, log *audit.Log) *OpenData {
	return &OpenData{room: room, tables: tables, audit: log}
}

// Draft makes a quarter's table as it would be published now. A text that is no
// quarter, or one that is not over, is fault.Invalid.
func (o *OpenData) Draft(ctx context.Context, quarter string) (OpenTable, error) {
	from, to, err := figures.Quarter(quarter)
	if err != nil {
		return OpenTable{}, err
	}
	if to.After(o.room.now()) {
		return OpenTable{}, fault.Fields("this table cannot be published yet", fault.Field{Field: "quarter", Message: "is not over yet"})
	}
	t := OpenTable{ID: quarter}
	for _, id := range OpenMeasures() {
		for _, by := range []string{figures.DimQuarter + "," + figures.DimStage, figures.DimQuarter + "," + figures.DimStage + "," + figures.DimBCU} {
			r, err := o.room.Figures(ctx, url.Values{"measure": {id}, "by": {by}, "from": {from.Format("2006-01")}, "to": {to.Format("2006-01")}})
			if err != nil {
				return OpenTable{}, fmt.Errorf("ask for an open table's figures: %w", err)
			}
			for i := range r.Points {
				t.Rows = append(t.Rows, openRow(&r.Measure, &r.Points[i]))
			}
		}
	}
	return t, nil
}

func openRow(m *figures.Measure, p *figures.Point) OpenRow {
	row := OpenRow{Measure: m.ID, Title: m.Title, Stage: p.Key[figures.DimStage], Force: p.Key[figures.DimForce], Area: p.Key[figures.DimBCU]}
	switch {
	case p.Suppressed:
		row.Symbol = SymbolWithheld
	case p.Share == nil:
		row.Symbol = SymbolNotAvailable
	default:
		count, base, share := roundTo5(p.Numerator), roundTo5(p.Base), int(math.Round(*p.Share))
		row.Count, row.Base, row.Share = &count, &base, &share
	}
	return row
}

func roundTo5(n int) int { return (n + 2) / 5 * 5 }

// Publish freezes a quarter's table and puts it on the public page, on record. A
// quarter that is published already is fault.Conflict: its table stays as it is.
func (o *OpenData) Publish(ctx context.Context, by survey.Actor, quarter string) (OpenTable, error) {
	draft, err := o.Draft(ctx, quarter)
	if err != nil {
		return OpenTable{}, err
	}
	if !slices.ContainsFunc(draft.Rows, func(r OpenRow) bool { return r.Share != nil }) {
		return OpenTable{}, fault.Fields("this table cannot be published", fault.Field{Field: "quarter", Message: "has no figure that can be shown"})
	}
	if err := o.audit.Append(ctx, by.Entry("open-data.published", "open-data:"+quarter)); err != nil {
		return OpenTable{}, fmt.Errorf("audit an open table: %w", err)
	}
	now := o.room.now()
	out, err := o.tables.UpdateOpenTable(ctx, quarter, func(t *OpenTable) error {
		if t.Version > 0 {
			return fault.New(fault.Conflict, "this quarter is published already; its table stays as it is")
		}
		t.At, t.By, t.Rows = now, by.ID, draft.Rows
		return nil
	})
	if err != nil {
		return OpenTable{}, fmt.Errorf("publish an open table: %w", err)
	}
	return out, nil
}

// Table gives a published table; fault.NotFound where there is none.
func (o *OpenData) Table(ctx context.Context, quarter string) (OpenTable, error) {
	t, err := o.tables.OpenTable(ctx, quarter)
	if err != nil {
		return OpenTable{}, fmt.Errorf("read an open table: %w", err)
	}
	return t, nil
}

// Tables lists the published tables, the latest quarter first.
func (o *OpenData) Tables(ctx context.Context) ([]OpenTable, error) {
	out, err := o.tables.OpenTables(ctx)
	if err != nil {
		return nil, fmt.Errorf("list open tables: %w", err)
	}
	return out, nil
}

// LastQuarter is the last quarter that is over at a moment in London.
func LastQuarter(now time.Time) string {
	year, quarter := now.Year(), (int(now.Month())-1)/3
	if quarter == 0 {
		year, quarter = year-1, 4
	}
	return strconv.Itoa(year) + "-Q" + strconv.Itoa(quarter)
}

// OpenMeaning says what a column of an open table means, for its data dictionary.
func OpenMeaning(column string) string {
	return map[string]string{
		"period":  "The quarter of the calendar in which people answered, or in which an asking fell due.",
		"measure": "Id of the measure; its definition stands in the dictionary beside this table.",
		"title":   "The measure in words.",
		"stage":   "The stage of the case: report, investigation, closure or withdrawn; all: every stage together.",
		"force":   "The police force; all: every force together, or the only one.",
		"area":    "The command unit (BCU); all: the whole.",
		"count":   "People counted, rounded to the nearest 5. Empty where symbol says why.",
		"base":    "People it is out of, rounded to the nearest 5. Empty where symbol says why.",
		"share":   "Count out of base in per cent, to a whole number, from the numbers before they were rounded.",
		"symbol":  "[c]: withheld, so that nobody can be told: fewer than 10 people, fewer than 5 on one side, everyone or no one of fewer than 30, or a neighbour that would give another withheld figure away. [x]: nobody answered.",
	}[strings.ToLower(column)]
}
