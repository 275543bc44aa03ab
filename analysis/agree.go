package analysis

import (
	"context"
	"fmt"
	"slices"

	"victimvoice/analysis/agreement"
)

// agreementWindow is how many of the latest texts that two people read an
// agreement rests on.
const agreementWindow = 500

// agreementSeed makes the intervals the same for everybody who looks.
const agreementSeed = 1

// Agreement is how well the people who code agree, over the texts that two of
// them read blind.
type Agreement struct {
	agreement.Report

	Texts int
	Apart []Coding // those on which they did not say the same, the latest first
}

// Agreement compares the latest texts that two people read without seeing the
// coder's labels or each other's. What was changed by hand afterwards doesn't count.
func (s *Service) Agreement(ctx context.Context) (Agreement, error) {
	double, err := s.codings.CodingsLatest(ctx, QueueDouble, agreementWindow)
	if err != nil {
		return Agreement{}, fmt.Errorf("list the texts that two people read: %w", err)
	}
	a := Agreement{Texts: len(double)}
	units := make([]agreement.Unit[[]string], 0, len(double))
	for i := range double {
		var u agreement.Unit[[]string]
		for _, r := range double[i].History {
			if r.Blind {
				u = append(u, labelSet(r.After))
			}
		}
		units = append(units, u)
		if slices.ContainsFunc(u, func(set []string) bool { return !slices.Equal(set, u[0]) }) {
			a.Apart = append(a.Apart, double[i])
		}
	}
	a.Report = agreement.Of(units, s.book.IDs(), agreementSeed)
	return a, nil
}

func labelSet(labels []Label) []string {
	out := make([]string, 0, len(labels))
	for _, l := range labels {
		out = append(out, agreement.Label(l.Code, l.Polarity))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
