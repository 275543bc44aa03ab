package analysis

import (
	"context"

	"victimvoice/analysis/figures"
)

// Drivers says what goes with an outcome as of now, in one force or, where it is
// empty, all of them; see figures.Drivers.
func (s *Service) Drivers(ctx context.Context, outcome, force string) (figures.Drivers, error) {
	return s.panel.Drivers(ctx, figures.DriversQuery{Outcome: outcome, Force: force, AsAt: s.now()})
}

// Attrition says what became of cases as of now, in one force or, where it is empty,
// all of them; see figures.Attrition.
func (s *Service) Attrition(ctx context.Context, force string) (figures.Attrition, error) {
	return s.panel.Attrition(ctx, figures.AttritionQuery{Force: force, AsAt: s.now()})
}
