package sqlite_test

import (
	"path/filepath"
	"testing"

	"victimvoice/internal/sqlite"
	"victimvoice/internal/storetest"
)

func open(t *testing.T) storetest.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{PageRows: storetest.PageRows})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) { storetest.Run(t, open) }
