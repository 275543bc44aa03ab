package figures

import (
	"strings"
	"testing"
)

func TestBenchmarks(t *testing.T) {
	t.Parallel()
	all, err := readBenchmarks(benchmarksFile)
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	p := newPanel(t)
	for _, b := range all {
		if _, ok := p.Measure(b.Measure); !ok {
			t.Errorf("%s is no measure", b.Measure)
		}
		if b.Population == "" || b.Source == "" || b.Year == "" || !strings.Contains(b.Words(), b.Population) {
			t.Errorf("%+v does not say of whom it is, from where and when", b)
		}
	}
	for _, bad := range []string{"measure\n\"", "measure,line,statement,value,year,population,source,note\na,yes,b,many,c,d,e,f", "measure,line,statement,value,year,population,source,note\na,yes,b,140,c,d,e,f"} {
		if _, err := readBenchmarks(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if Benchmarks("core.nothing") != nil {
		t.Error("context of nothing")
	}
}
