// Package numerals owns how a language writes a whole number, and which form a
// counted noun takes after it: "1 day" and "2 days", "1 dzień" and "2 dni". Both
// come from the Common Locale Data Repository, as golang.org/x/text carries it, so
// that a language needs no code. It knows no texts.
//
// Numbers to be dialled or typed, and codes, are not written with it: they stand
// as they are on the keys.
package numerals

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Write writes n as a language does: 1,500 in English, ১,৫০০ in Bengali. A
// language that is not known writes the digits 0 to 9.
func Write(lang string, n int) string {
	return message.NewPrinter(language.Make(lang)).Sprint(number.Decimal(n))
}

// forms are the names of the plural forms, in the order of the repository.
var forms = [...]struct {
	form plural.Form
	name string
}{
	{plural.Zero, "zero"}, {plural.One, "one"}, {plural.Two, "two"}, {plural.Few, "few"}, {plural.Many, "many"}, {plural.Other, "other"},
}

// Form gives the plural form that n, which is not negative, takes in a language:
// zero, one, two, few, many or other.
func Form(lang string, n int) string {
	found := plural.Cardinal.MatchPlural(language.Make(lang), n, 0, 0, 0, 0)
	for _, f := range forms {
		if f.form == found {
			return f.name
		}
	}
	return "other"
}

// Forms gives the forms that the numbers from 1 to most take in a language.
func Forms(lang string, most int) []string {
	met := make(map[string]bool)
	for n := 1; n <= most; n++ {
		met[Form(lang, n)] = true
	}
	var out []string
	for _, f := range forms {
		if met[f.name] {
			out = append(out, f.name)
		}
	}
	return out
}

// Count chooses the wording of n things by its form and writes n where it says
// {n}. Wordings are pairs of form and text. An error says what a language's
// wordings lack, or have too many, for the numbers from 1 to most.
func Count(lang string, n, most int, wordings ...string) (string, error) {
	if n < 1 || n > most {
		return "", fmt.Errorf("%d is not 1 to %d", n, most)
	}
	var given []string
	chosen := ""
	for i := 0; i+1 < len(wordings); i += 2 {
		given = append(given, wordings[i])
		if wordings[i] == Form(lang, n) {
			chosen = wordings[i+1]
		}
	}
	want := Forms(lang, most)
	sorted := slices.Clone(want)
	slices.Sort(sorted)
	slices.Sort(given)
	if len(wordings)%2 != 0 || !slices.Equal(given, sorted) {
		return "", fmt.Errorf("%s counts with the forms %s, each once", lang, strings.Join(want, ", "))
	}
	return strings.ReplaceAll(chosen, "{n}", Write(lang, n)), nil
}
