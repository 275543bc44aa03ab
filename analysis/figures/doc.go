// Package figures owns every number that leaves the analyst's desk: shares,
// indices, theme and response rates, their intervals, their control charts, and
// what must not be published. Pages, exports and the API ask the same Panel, so
// that two of them can't disagree.
//
// The Panel holds answers as columns in memory. Stores only stream rows into it;
// they never compute. A figure is asked for by measure and by the dimensions of a
// declared lattice of tables (period, stage and area, each with at most one
// further attribute). Suppression is decided on the whole table before any filter
// is applied, so that asking in another way never uncovers a cell.
//
// The statistics (Wilson, Newcombe, XmR, Laney p′, the special-cause rules, AAPOR
// response rates) are pure functions with their sources beside them.
package figures
