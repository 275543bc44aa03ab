package analysis

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/internal/fault"
)

// ParseQuery reads a figure's URL query: measure, by (comma-separated or
// repeated), stage, mode, from and to (2026-03 or 2026-03-01; to is not
// included), and any other dimension as a filter. Empty values are as if they
// were not there. It is fault.Invalid with a field for each value that cannot be
// read; whether the query is on the lattice is for Figures to say.
func ParseQuery(v url.Values) (figures.Query, error) {
	var faults []fault.Field
	q := figures.Query{Filters: map[string]string{}}
	for name, values := range v {
		var value string
		for _, s := range values {
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			if value != "" && name != "by" && value != s {
				faults = append(faults, fault.Field{Field: name, Message: "is given twice with different values"})
			}
			value = s
			if name == "by" {
				for dim := range strings.SplitSeq(s, ",") {
					if dim = strings.TrimSpace(dim); dim != "" && !slices.Contains(q.By, dim) {
						q.By = append(q.By, dim)
					}
				}
			}
		}
		if value == "" {
			continue
		}
		switch name {
		case "by":
		case "measure":
			q.Measure = value
		case "stage":
			q.Stage = value
		case "mode":
			q.Mode = value
		case "from", "to":
			t, err := parseDay(value)
			if err != nil {
				faults = append(faults, fault.Field{Field: name, Message: "want a month or day such as 2026-03 or 2026-03-01"})
				continue
			}
			if name == "from" {
				q.From = t
			} else {
				q.To = t
			}
		default:
			q.Filters[name] = value
		}
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return q, fault.Fields("the query cannot be read", faults...)
}

func parseDay(s string) (time.Time, error) {
	if t, err := time.Parse("2006-01", s); err == nil {
		return t, nil
	}
	return time.Parse(time.DateOnly, s)
}

// Figures answers a figure's URL query.
func (s *Service) Figures(ctx context.Context, v url.Values) (figures.Result, error) {
	q, err := ParseQuery(v)
	if err != nil {
		return figures.Result{}, err
	}
	return s.panel.Figures(ctx, q)
}
