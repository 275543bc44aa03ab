package questionnaires

import "testing"

func load1(t testing.TB) *Set {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoad(t *testing.T) {
	s := load1(t)
	for _, q := range s.All() {
		t.Log(q.ID, len(q.Items), q.Languages, q.size)
	}
}
