package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"victimvoice/internal/app"
	"victimvoice/internal/seal"
)

// TestJourney walks the fourteen steps on both stores.
func TestJourney(t *testing.T) { onBothStores(t, "journey", walk) }

// TestJourneyOnPaper walks the way of a card on both stores.
func TestJourneyOnPaper(t *testing.T) {
	onBothStores(t, "paper", func(t *testing.T, store app.Store, _ string) { onPaper(t, store) })
}

// onBothStores runs a test on an empty SQLite file, which it is told the name of,
// and on an empty MongoDB database, where there is a server.
func onBothStores(t *testing.T, name string, test func(t *testing.T, store app.Store, file string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), name+".db")
		store, err := app.OpenStore(t.Context(), "sqlite:"+file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		test(t, store, file)
	})
	t.Run("mongodb", func(t *testing.T) {
		uri := os.Getenv("VICTIMVOICE_TEST_MONGODB_URI")
		if uri == "" {
			if os.Getenv("VICTIMVOICE_TEST_MONGODB") == "required" {
				t.Fatal("VICTIMVOICE_TEST_MONGODB_URI is not set, and MongoDB is required")
			}
			t.Skip("MongoDB left out: VICTIMVOICE_TEST_MONGODB_URI is not set")
		}
		store, err := app.OpenStore(t.Context(), strings.TrimSuffix(uri, "/")+"/"+name+"_"+seal.NewToken()[:12])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		test(t, store, "")
	})
}
