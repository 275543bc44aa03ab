package questionnaires

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "add new versions to data/published.sum")

// A published version never changes. The test fails on a changed or vanished
// file, and on one that is not listed yet; -update lists new files and leaves
// every listed line alone.
func TestPublished(t *testing.T) {
	files := dataFiles(t)
	listed := make(map[string]string)
	if sum, ok := files["published.sum"]; ok {
		for line := range strings.Lines(string(sum.Data)) {
			hash, file, ok := strings.Cut(strings.TrimSpace(line), "  ")
			if !ok {
				t.Fatalf("published.sum: %q is not a hash and a file", line)
			}
			listed[file] = hash
		}
	}
	for file, hash := range listed {
		f, ok := files[file]
		if !ok {
			t.Errorf("%s is published and has vanished", file)
			continue
		}
		if got := sum(f.Data); got != hash {
			t.Errorf("%s is published and has changed: make a new version (data/README.md)", file)
		}
	}
	added := maps.Clone(listed)
	for file, f := range files {
		if !strings.HasSuffix(file, ".yaml") || bytes.Contains(f.Data, []byte("\nreview: draft\n")) {
			continue
		}
		if _, ok := listed[file]; ok {
			continue
		}
		added[file] = sum(f.Data)
		if !*update {
			t.Errorf("%s is not listed in published.sum (data/README.md says how)", file)
		}
	}
	if !*update || t.Failed() {
		return
	}
	var b strings.Builder
	for _, file := range slices.Sorted(maps.Keys(added)) {
		b.WriteString(added[file] + "  " + file + "\n")
	}
	if err := os.WriteFile("data/published.sum", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
