package numerals

import (
	"slices"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lang string
		n    int
		want string
	}{
		{"en", 14, "14"}, {"en", 1500, "1,500"}, {"cy", 1500, "1,500"}, {"pt", 3, "3"}, {"ro", 1500, "1.500"}, {"pl", 28, "28"},
		{"bn", 14, "১৪"}, {"bn", 1500, "১,৫০০"}, {"ar", 14, "١٤"}, {"ur", 14, "14"}, {"bn-GB", 9, "৯"},
		{"qaa", 14, "14"}, {"", 14, "14"}, {"not a language", 14, "14"}, {"en", 0, "0"},
	}
	for _, tt := range tests {
		if got := Write(tt.lang, tt.n); got != tt.want {
			t.Errorf("%d in %q is %q, want %q", tt.n, tt.lang, got, tt.want)
		}
	}
}

// The forms of the languages that we write in, by the rules of the Common Locale
// Data Repository (cldr.unicode.org, "Language Plural Rules").
func TestForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		forms string
		of    map[int]string
	}{
		"en":  {"one other", map[int]string{0: "other", 1: "one", 2: "other", 21: "other"}},
		"cy":  {"one two few many other", map[int]string{0: "zero", 1: "one", 2: "two", 3: "few", 4: "other", 5: "other", 6: "many", 7: "other", 14: "other"}},
		"pl":  {"one few many", map[int]string{1: "one", 2: "few", 4: "few", 5: "many", 12: "many", 14: "many", 21: "many", 22: "few", 24: "few", 112: "many"}},
		"ro":  {"one few other", map[int]string{1: "one", 2: "few", 19: "few", 20: "other", 28: "other", 101: "few", 119: "few", 120: "other"}},
		"pt":  {"one other", map[int]string{1: "one", 2: "other", 28: "other"}},
		"bn":  {"one other", map[int]string{1: "one", 2: "other"}},
		"ur":  {"one other", map[int]string{1: "one", 2: "other"}},
		"ar":  {"one two few many other", map[int]string{0: "zero", 1: "one", 2: "two", 3: "few", 10: "few", 11: "many", 28: "many", 99: "many", 100: "other", 102: "other", 103: "few"}},
		"qaa": {"other", map[int]string{1: "other", 2: "other"}}, // known to nobody: one form
	}
	for lang, tt := range tests {
		if got := strings.Join(Forms(lang, 366), " "); got != tt.forms {
			t.Errorf("%s counts with %s, want %s", lang, got, tt.forms)
		}
		for n, want := range tt.of {
			if got := Form(lang, n); got != want {
				t.Errorf("%s: %d is %s, want %s", lang, n, got, want)
			}
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	polish := []string{"one", "{n} dzień", "few", "{n} dni", "many", "{n} dni"}
	for n, want := range map[int]string{1: "1 dzień", 3: "3 dni", 14: "14 dni"} {
		if got, err := Count("pl", n, 366, polish...); err != nil || got != want {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
	if got, err := Count("ar", 2, 366, "one", "يوم", "two", "يومان", "few", "{n} أيام", "many", "{n} يومًا", "other", "{n} يوم"); err != nil || got != "يومان" {
		t.Errorf("a form without a number: %q %v", got, err)
	}
	for name, wrong := range map[string][]string{
		"a form missing":   polish[:4],
		"one too many":     append(slices.Clone(polish), "two", "x"),
		"one twice":        append(slices.Clone(polish), "one", "x"),
		"no such form":     {"one", "x", "few", "x", "several", "x"},
		"a form alone":     append(slices.Clone(polish), "other"),
		"nothing":          nil,
		"another language": {"one", "{n} day", "other", "{n} days"},
	} {
		if got, err := Count("pl", 1, 366, wrong...); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, n := range []int{0, -1, 367} {
		if got, err := Count("pl", n, 366, polish...); err == nil {
			t.Errorf("%d: %q", n, got)
		}
	}
}
