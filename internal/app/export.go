package app

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"iter"
	"net/url"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"victimvoice/analysis"
	"victimvoice/analysis/figures"
	"victimvoice/analysis/tables"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/config"
	"victimvoice/internal/sheet"
	"victimvoice/survey"
	"victimvoice/survey/questionnaires"
)

func runExport(ctx context.Context, c *Call, args []string) error {
	var fs flag.FlagSet
	file := fs.String("config", "", "file of settings")
	formatName := fs.String("format", "csv", "csv, jsonl or xlsx")
	query := fs.String("query", "", "of figures: as in the figure's address, such as measure=core.informed&by=quarter,bcu")
	force := fs.String("force", "", "of cases and responses: this force alone")
	from := fs.String("from", "", "of cases (by report) and responses (by submission): from this day on")
	to := fs.String("to", "", "and before this day")
	ddi := fs.Bool("ddi", false, "write a description for archives and statistics programs (DDI-Codebook 2.5), instead of the rows")
	manifest := fs.String("manifest", "", "also write the rows, bytes and checksum of what was written to this file, as JSON")
	dictionary := fs.Bool("dictionary", false, "write what the columns mean, instead of the rows")
	rest, err := parse(c, "export", &fs, args, "cases|responses|figures|measures|audit")
	if err != nil {
		return err
	}
	fits := map[string][]string{"cases": {"force", "from", "to"}, "responses": {"force", "from", "to"}, "figures": {"query"}, "measures": {}, "audit": {"from", "to"}}
	if fits[rest[0]] == nil {
		return usage("want export cases, responses, figures, measures or audit, not export %s", rest[0])
	}
	var misfit []string
	fs.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"force", "from", "to", "query"}, f.Name) && !slices.Contains(fits[rest[0]], f.Name) {
			misfit = append(misfit, "--"+f.Name)
		}
	})
	if len(misfit) > 0 { // never to be left out in silence: more would leave than was meant to
		if len(fits[rest[0]]) == 0 {
			return usage("export %s gives them all, and takes no %s", rest[0], strings.Join(misfit, ", "))
		}
		return usage("export %s narrows by --%s, not by %s", rest[0], strings.Join(fits[rest[0]], ", --"), strings.Join(misfit, ", "))
	}
	format, err := sheet.ParseFormat(*formatName)
	if err != nil {
		return usage("--format takes csv, jsonl or xlsx, not %q", *formatName)
	}
	span, err := readSpan(*from, *to)
	if err != nil {
		return err
	}
	if *manifest != "" && (*dictionary || *ddi) || *dictionary && *ddi {
		return usage("--dictionary, --ddi and --manifest do not go together")
	}
	return withRooms(ctx, c, *file, func(r *Rooms, _ *config.Config) error {
		var t sheet.Table
		known, _ := r.Survey.Geography().Force(*force)
		switch rest[0] {
		case "cases":
			t = caseTable(ctx, r, known, span)
		case "responses":
			t = responseTable(ctx, r, known, span)
		case "audit":
			t = auditTable(ctx, r, span)
		case "figures":
			if err := r.Analysis.Refresh(ctx); err != nil {
				return fmt.Errorf("load the figures: %w", err)
			}
			v, err := url.ParseQuery(*query)
			if err != nil {
				return usage("--query is not a query; want one such as measure=core.informed&by=quarter")
			}
			if t, err = figureTable(ctx, r.Analysis, v); err != nil {
				return badUse(err, queryField)
			}
		case "measures":
			t = tables.Definitions(r.Analysis.Panel().Measures())
		}
		if *dictionary {
			return sheet.Dictionary(format, c.Out, t.Columns)
		}
		if *ddi {
			return sheet.DDI(c.Out, studyOf(rest[0], format, r.Now()), t.Columns)
		}
		by := access.Operator()
		if err := r.Audit.Append(ctx, audit.Entry{Actor: by.ID, Role: by.RoleNames(), Action: "export." + rest[0], Subject: "export", Detail: map[string]string{"format": string(format)}}); err != nil {
			return fmt.Errorf("audit an export: %w", err)
		}
		tally, rows := sheet.NewTally(c.Out), 0
		t.Rows = counted(t.Rows, &rows)
		if err := badUse(t.Write(format, tally), queryField); err != nil || *manifest == "" {
			return err
		}
		return writeManifest(*manifest, sheet.Manifest{Made: r.Now().UTC(), Files: []sheet.ManifestFile{tally.File(rest[0]+"."+string(format), rows, len(t.Columns))}})
	})
}

// queryField names a part of the query that is wrong.
func queryField(field string) string { return "--query: " + field }

// studyOf describes an export as a whole.
func studyOf(kind string, format sheet.Format, now time.Time) sheet.Study {
	s := sheet.Study{Title: "Victim Voice: " + kind, Producer: "Victim Voice", File: kind + "." + string(format), Rows: -1, Made: now}
	switch kind {
	case "responses":
		s.Unit, s.Universe = "A response", "People who reported stalking or harassment to the police, were asked and answered; pseudonymous, without free text"
	case "cases":
		s.Unit, s.Universe = "A case", "Cases of stalking or harassment that the police told us of; pseudonymous, without addresses"
	case "figures":
		s.Unit, s.Universe, s.Abstract = "A figure", "People who were asked and answered", figures.NotePrecision
	case "measures":
		s.Unit, s.Universe = "A measure", "Every figure that there is: what is counted, out of whom, without whom, from where"
	case "audit":
		s.Unit, s.Universe = "An entry", "Everything that is on record"
	}
	return s
}

// counted passes rows on and counts them.
func counted(rows iter.Seq2[[]any, error], n *int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range rows {
			if err == nil {
				*n++
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func writeManifest(file string, m sheet.Manifest) error {
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		return err
	}
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return nil
}

// span is a stretch of time, its end not included; zero ends are open.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool {
	return (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || t.Before(s.to))
}

func readSpan(from, to string) (s span, err error) {
	for _, d := range []struct {
		name, value string
		into        *time.Time
	}{{"--from", from, &s.from}, {"--to", to, &s.to}} {
		if d.value == "" {
			continue
		}
		if *d.into, err = time.Parse(time.DateOnly, d.value); err != nil {
			return span{}, usage("%s takes a day such as 2026-03-01, not %q", d.name, d.value)
		}
	}
	if !s.from.IsZero() && !s.to.IsZero() && !s.to.After(s.from) {
		return span{}, usage("--to takes a day after --from")
	}
	return s, nil
}

func caseTable(ctx context.Context, r *Rooms, force string, in span) sheet.Table {
	text := func(id, title, meaning string) sheet.Column {
		return sheet.Column{ID: id, Title: title, Type: "text", Meaning: meaning, Source: "police events"}
	}
	at := func(id, title, meaning string) sheet.Column {
		return sheet.Column{ID: id, Title: title, Type: "time", Meaning: meaning + " (UTC)", Source: "police events"}
	}
	t := sheet.Table{Columns: []sheet.Column{
		{ID: "case", Title: "Case", Type: "text", Meaning: "pseudonym of the case; joins to responses", Personal: true},
		text("force", "Force", "police force"), text("borough", "Borough", "borough of the case"), text("bcu", "BCU", "basic command unit of the borough"),
		text("offence", "Offence", "offence code; empty: not given"), {ID: "domestic_abuse", Title: "Domestic abuse", Type: "yes-no", Meaning: "recorded as domestic abuse; empty: not given", Source: "police events"},
		text("age_band", "Age band", "as police record it"), text("sex", "Sex", "as police record it"), text("outcome", "Outcome", "how the case closed; empty: open"),
		text("withdrawal_reason", "Police-recorded reason", "why the person withdrew, as police record it"),
		at("reported_at", "Reported", "when it was reported"), at("withdrew_at", "Withdrew", "when the person withdrew; empty: did not"), at("closed_at", "Closed", "when it closed; empty: open"),
		{ID: "asked", Title: "Invitations", Type: "codes", Meaning: "stage/round:state of each invitation's mail, with the reason where it was refused, and +card where an advocate made a card of it", Source: "invitations"},
	}}
	t.Rows = func(yield func([]any, error) bool) {
		for c, err := range r.Store.CasesChanged(ctx, time.Time{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			f := &c.Facts
			if force != "" && c.Force != force || !in.holds(f.ReportedAt) {
				continue
			}
			spell := f.Now()
			var asked []string
			for _, v := range c.Invites {
				state := string(v.First.State)
				if v.First.Reason != "" {
					state += "=" + string(v.First.Reason)
				}
				if !v.CardAt.IsZero() {
					state += "+card"
				}
				asked = append(asked, fmt.Sprintf("%s/%d:%s", v.Stage, v.Round, state))
			}
			if !yield([]any{c.Respondent, c.Force, f.Borough, f.BCU, f.Offence, yesNo(f.DomesticAbuse), f.AgeBand, f.Sex, f.Outcome, f.Reason, moment(f.ReportedAt), moment(spell.WithdrewAt), moment(spell.ClosedAt), asked}, nil) {
				return
			}
		}
	}
	return t
}

func yesNo(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// responseTable has a column a closed item, keyed by its id, over every
// published version. Neither words nor what people told about themselves leave by
// this way: rows name a case, and belief, health and orientation beside it would
// make it somebody's.
func responseTable(ctx context.Context, r *Rooms, force string, in span) sheet.Table {
	t := sheet.Table{Columns: []sheet.Column{
		{ID: "response", Title: "Response", Type: "text", Meaning: "pseudonym of the response", Personal: true},
		{ID: "case", Title: "Case", Type: "text", Meaning: "pseudonym of the case; joins to cases", Personal: true},
		{ID: "stage", Title: "Stage", Type: "code", Values: []string{"report", "investigation", "closure", "withdrawn"}, Meaning: "which questionnaire"},
		{ID: "round", Title: "Round", Type: "integer", Meaning: "which time at this stage, from 1"},
		{ID: "mode", Title: "Who answered", Type: "code", Values: []string{"self", "relayed", "observed"}, Meaning: "never to be pooled"},
		{ID: "questionnaire", Title: "Questionnaire", Type: "text", Meaning: "version that was answered"},
		{ID: "state", Title: "State", Type: "code", Values: []string{"complete", "partial"}, Meaning: "partial: the time ended with at least one core item answered"},
		{ID: "quick", Title: "Quick path", Type: "yes-no", Meaning: "three questions only"},
		{ID: "submitted_at", Title: "Submitted", Type: "time", Meaning: "when it was kept (UTC)"},
	}}
	at := map[string]int{}
	for _, q := range r.Survey.Questionnaires().All() {
		text := q.Text("en", false)
		for i := range q.Items {
			it := &q.Items[i]
			if _, known := at[it.ID]; known || !it.Closed() {
				continue
			}
			title, _ := text.Item(it.ID)
			col := sheet.Column{ID: it.ID, Title: title, Type: "code", Meaning: "answer; in brackets the reason for none: skipped, not-applicable, dont-know, prefer-not; empty: not reached", Source: q.ID}
			if it.Kind == questionnaires.Multi {
				col.Type = "codes"
			}
			for _, o := range it.Options {
				col.Values = append(col.Values, o.Code+" = "+text.Option(it.ID, o.Code))
			}
			at[it.ID] = len(t.Columns)
			t.Columns = append(t.Columns, col)
		}
	}
	t.Rows = func(yield func([]any, error) bool) {
		forces := map[string]string{}
		if force != "" {
			for c, err := range r.Store.CasesChanged(ctx, time.Time{}) {
				if err != nil {
					yield(nil, err)
					return
				}
				forces[c.Respondent] = c.Force
			}
		}
		for row, err := range r.Store.ResponsesChanged(ctx, time.Time{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			if row.State != survey.Complete && row.State != survey.Partial || force != "" && forces[row.Respondent] != force || !in.holds(row.SubmittedAt) {
				continue
			}
			cells := make([]any, len(t.Columns))
			copy(cells, []any{row.ID, row.Respondent, string(row.Stage), row.Round, string(row.Mode), row.Questionnaire, string(row.State), row.Quick, moment(row.SubmittedAt)})
			if err := answerCells(r, &row, cells, at); err != nil {
				yield(nil, err)
				return
			}
			if !yield(cells, nil) {
				return
			}
		}
	}
	return t
}

func answerCells(r *Rooms, row *survey.ResponseRow, cells []any, at map[string]int) error {
	q, ok := r.Survey.Questionnaires().ByID(row.Questionnaire)
	if !ok {
		return fmt.Errorf("questionnaire %s is not among the published ones", row.Questionnaire)
	}
	a, err := q.Unpack(row.Packed)
	if err != nil {
		return fmt.Errorf("read the answers of a response: %w", err)
	}
	for id, ans := range a {
		i, ok := at[id]
		if !ok {
			continue
		}
		switch {
		case ans.State == questionnaires.Answered && len(ans.Choices) > 0:
			cells[i] = slices.Clone(ans.Choices)
		case ans.State == questionnaires.Answered:
			cells[i] = ans.Choice
		case ans.State != questionnaires.NotReached:
			cells[i] = "[" + ans.State.String() + "]"
		}
	}
	return nil
}

func auditTable(ctx context.Context, r *Rooms, in span) sheet.Table {
	t := sheet.Table{Columns: []sheet.Column{
		{ID: "seq", Title: "Number", Type: "integer", Meaning: "place in the chain, from 1"}, {ID: "at", Title: "At", Type: "time", Meaning: "when (UTC)"},
		{ID: "actor", Title: "Who", Type: "text", Meaning: "staff id, API key, operator, respondent or system"}, {ID: "role", Title: "Role", Type: "text", Meaning: "in which they acted"},
		{ID: "action", Title: "What", Type: "text", Meaning: "what was done or read"}, {ID: "subject", Title: "To what", Type: "text", Meaning: "kind and pseudonym"},
		{ID: "reason", Title: "Reason", Type: "text", Meaning: "as given"}, {ID: "detail", Title: "Detail", Type: "codes", Meaning: "name=value"},
		{ID: "prev", Title: "Previous hash", Type: "text", Meaning: "of the entry before"}, {ID: "hash", Title: "Hash", Type: "text", Meaning: "keyed hash over this entry and the one before"},
	}}
	t.Rows = func(yield func([]any, error) bool) {
		for e, err := range r.Audit.All(ctx, 1) {
			if err == nil && !in.holds(e.At) {
				continue
			}
			var detail []string
			for k, v := range e.Detail {
				detail = append(detail, k+"="+v)
			}
			sort.Strings(detail)
			if !yield([]any{e.Seq, e.At, e.Actor, e.Role, e.Action, e.Subject, e.Reason, detail, e.Prev, e.Hash}, err) || err != nil {
				return
			}
		}
	}
	return t
}

// figureTable gives one figure's query, or every measure when the query names none,
// by quarter and stage when it names no split. It is made by the same call as every page.
func figureTable(ctx context.Context, a *analysis.Service, query url.Values) (sheet.Table, error) {
	q, err := analysis.ParseQuery(query)
	if err != nil {
		return sheet.Table{}, err
	}
	if len(q.By) == 0 {
		q.By = []string{figures.DimQuarter, figures.DimStage}
	}
	return tables.Of(ctx, a.Panel(), q)
}
