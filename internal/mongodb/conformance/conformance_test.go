// Package conformance_test holds the MongoDB adapter to the suite that both
// stores pass. It is a package of its own so that a plain `go test ./...` says, in
// its line, that it ran no test where there is no server.
package conformance_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"victimvoice/internal/mongodb"
	"victimvoice/internal/storetest"
)

func TestMain(m *testing.M) {
	if os.Getenv("VICTIMVOICE_TEST_MONGODB_URI") == "" {
		fmt.Println("MongoDB is left out: VICTIMVOICE_TEST_MONGODB_URI names no server")
		if os.Getenv("VICTIMVOICE_TEST_MONGODB") == "required" {
			os.Exit(1)
		}
		// The line by which go test tells "[no tests to run]", shown without -v too.
		fmt.Println("testing: warning: no tests to run")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	server := os.Getenv("VICTIMVOICE_TEST_MONGODB_URI")
	head, query, _ := strings.Cut(server, "?")
	storetest.Run(t, func(t *testing.T) storetest.Store {
		name := "vvconf_" + strings.ToLower(rand.Text()[:16])
		s, err := mongodb.Open(t.Context(), strings.TrimSuffix(head, "/")+"/"+name+"?"+query, mongodb.Options{PageRows: storetest.PageRows})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			drop(t, server, name)
		})
		return s
	})
}

// drop removes a test's own database.
func drop(t *testing.T, server, name string) {
	t.Helper()
	ctx := context.Background() // the test's own has ended
	client, err := mongo.Connect(options.Client().ApplyURI(server))
	if err != nil {
		t.Error(err)
		return
	}
	if err := client.Database(name).Drop(ctx); err != nil {
		t.Error(err)
	}
	if err := client.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}
