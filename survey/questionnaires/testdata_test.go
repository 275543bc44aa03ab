package questionnaires

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// loaded gives the shipped set.
func loaded(t testing.TB) *Set {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dataFiles gives the shipped data as a file system that a test may edit.
func dataFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	out := make(fstest.MapFS)
	err := fs.WalkDir(embedded, "data", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := embedded.ReadFile(p)
		out[strings.TrimPrefix(p, "data/")] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// edit replaces one text in one file, which must hold it.
func edit(t testing.TB, files fstest.MapFS, file, old, repl string) {
	t.Helper()
	f, ok := files[file]
	if !ok || !strings.Contains(string(f.Data), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	files[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(f.Data), old, repl, 1))}
}

// everyQuestionnaire gives the current ones, about and ticks included.
func everyQuestionnaire(s *Set) []*Questionnaire {
	return append(s.All(), s.About(), s.Ticks())
}

func newFile(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
