package app_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestArrows holds the packages to the one rule of the tree: imports run in the
// direction of the story. Each room may reach, at any depth, only what stands
// before it, and no room but those named may reach a database, gin or SMTP.
func TestArrows(t *testing.T) {
	t.Parallel()
	rooms := []struct{ pkg, never string }{
		{"internal/fault", "survey analysis loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge"},
		{"internal/numerals", "survey analysis loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge internal/seal internal/audit internal/fault"},
		{"internal/seal", "survey analysis loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge"},
		{"internal/audit", "survey analysis loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge"},
		{"survey", "analysis loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge internal/work"},
		{"analysis", "loop notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge internal/work"},
		{"loop", "notifications api web internal/app internal/sqlite internal/mongodb internal/access internal/edge internal/work"},
		{"notifications", "api web internal/app internal/sqlite internal/mongodb internal/access internal/edge internal/work"},
		{"api", "web internal/app internal/sqlite internal/mongodb"},
		{"web/victim", "api internal/app internal/sqlite internal/mongodb"},
		{"web/workspace", "api internal/app internal/sqlite internal/mongodb"},
		{"web/public", "api internal/app internal/sqlite internal/mongodb"},
		{"internal/edge", "api web internal/app internal/sqlite internal/mongodb loop notifications"},
		{"internal/sqlite", "api web internal/app internal/mongodb internal/edge"},
		{"internal/mongodb", "api web internal/app internal/sqlite internal/edge"},
	}
	gin := "github.com/gin-gonic/gin"
	drivers := []string{"modernc.org/sqlite", "go.mongodb.org/mongo-driver/v2/mongo"} // gin itself brings the bson package
	for _, r := range rooms {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "victimvoice/"+r.pkg).Output() //nolint:gosec // G204: names of ours
		if err != nil {
			t.Fatalf("go list %s: %v", r.pkg, err)
		}
		for dep := range strings.FieldsSeq(string(out)) {
			for never := range strings.FieldsSeq(r.never) {
				if dep == "victimvoice/"+never || strings.HasPrefix(dep, "victimvoice/"+never+"/") {
					t.Errorf("%s reaches %s, which stands after it", r.pkg, dep)
				}
			}
			forEdge := strings.HasPrefix(r.pkg, "api") || strings.HasPrefix(r.pkg, "web") || r.pkg == "internal/edge"
			if strings.HasPrefix(dep, gin) && !forEdge {
				t.Errorf("%s reaches gin", r.pkg)
			}
			for _, d := range drivers {
				if strings.HasPrefix(dep, d) && r.pkg != "internal/sqlite" && r.pkg != "internal/mongodb" {
					t.Errorf("%s reaches the driver %s", r.pkg, dep)
				}
			}
		}
	}
}
