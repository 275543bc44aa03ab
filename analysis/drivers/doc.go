// Package drivers fits logistic regressions of a yes-or-no outcome: what goes with
// it, all else held, as odds ratios with intervals. It knows nothing of surveys or
// people; [victimvoice/analysis/figures] gives it columns and decides what of a
// model may be published.
//
// An odds ratio says what goes together in the rows that were fitted. It never says
// what brought what about.
package drivers
