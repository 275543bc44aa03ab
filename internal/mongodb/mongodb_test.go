package mongodb_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"victimvoice/internal/mongodb"
	"victimvoice/internal/storetest"
)

// serverURI is the server to test on. A plain run without one skips in one line;
// where VICTIMVOICE_TEST_MONGODB is "required" that is a failure.
func serverURI(t testing.TB) string {
	t.Helper()
	uri := os.Getenv("VICTIMVOICE_TEST_MONGODB_URI")
	if uri != "" {
		return uri
	}
	const missing = "MongoDB is left out: VICTIMVOICE_TEST_MONGODB_URI names no server"
	if os.Getenv("VICTIMVOICE_TEST_MONGODB") == "required" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// inDatabase puts a database name into a URI's path.
func inDatabase(uri, name string) string {
	uri, query, hasQuery := strings.Cut(uri, "?")
	scheme, rest, _ := strings.Cut(uri, "://")
	hosts, _, _ := strings.Cut(rest, "/")
	uri = scheme + "://" + hosts + "/" + name
	if hasQuery {
		uri += "?" + query
	}
	return uri
}

// openNew opens a database of the test's own and drops it afterwards.
func openNew(t testing.TB, uri string, opts mongodb.Options) *mongodb.Store {
	t.Helper()
	s, err := mongodb.Open(t.Context(), inDatabase(uri, "vvtest_"+strings.ToLower(rand.Text()[:16])), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The suite may have closed this store; another connection drops the database.
		if err := s.Drop(context.Background(), uri); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	uri := serverURI(t)
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return openNew(t, uri, mongodb.Options{PageRows: storetest.PageRows})
	})
}
