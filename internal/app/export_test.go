package app

import (
	"context"
	"net/url"

	"victimvoice/analysis"
	"victimvoice/internal/sheet"
)

// FigureTable lets tests read what `export figures` writes.
func FigureTable(ctx context.Context, a *analysis.Service, query url.Values) (sheet.Table, error) {
	return figureTable(ctx, a, query)
}
