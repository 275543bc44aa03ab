package page

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"victimvoice/internal/numerals"
)

// Words are a room's texts by language and key, from data files alone: one
// <language>.yaml a language, flat keys, {name} for what is filled in.
type Words struct {
	byLang map[string]map[string]string
}

// FallbackLanguage is used for a language that has no words.
const FallbackLanguage = "en"

// LoadWords reads every *.yaml of a folder. English must be there, and every
// other language must have just its keys.
func LoadWords(files fs.FS, dir string) (*Words, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list words: %w", err)
	}
	w := &Words{byLang: map[string]map[string]string{}}
	for _, n := range names {
		b, err := fs.ReadFile(files, n)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", n, err)
		}
		m := map[string]string{}
		if err := yaml.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("read %s: %w", n, err)
		}
		w.byLang[strings.TrimSuffix(path.Base(n), ".yaml")] = m
	}
	english, ok := w.byLang[FallbackLanguage]
	if !ok {
		return nil, errors.New("there are no English words")
	}
	var errs []error
	for lang, m := range w.byLang {
		for key, text := range english {
			if strings.TrimSpace(m[key]) == "" {
				errs = append(errs, fmt.Errorf("%s: %q is missing or empty", lang, key))
			} else if !slices.Equal(placeholders(text), placeholders(m[key])) {
				errs = append(errs, fmt.Errorf("%s: %q has other placeholders than in English", lang, key))
			}
		}
		for key := range m {
			if _, ok := english[key]; !ok {
				errs = append(errs, fmt.Errorf("%s: %q is not in English", lang, key))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	return w, nil
}

func placeholders(s string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		out, s = append(out, name), after
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Languages lists the languages that have words.
func (w *Words) Languages() []string {
	var out []string
	for l := range w.byLang {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// Voice speaks one language; it is what pages carry.
type Voice struct {
	Lang string
	m    map[string]string
}

// In gives the voice of a language, or English.
func (w *Words) In(lang string) Voice {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	for _, l := range []string{strings.ToLower(lang), base, FallbackLanguage} {
		if m, ok := w.byLang[l]; ok {
			return Voice{Lang: l, m: m}
		}
	}
	return Voice{Lang: FallbackLanguage, m: map[string]string{}}
}

// Say gives a text with name and value pairs filled in, numbers as the language
// writes them. An unknown key fails the page, so that a test of the page finds it.
func (v Voice) Say(key string, pairs ...any) (string, error) {
	text, ok := v.m[key]
	if !ok {
		return "", fmt.Errorf("no words for %q", key)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		value := fmt.Sprint(pairs[i+1])
		if n, ok := pairs[i+1].(int); ok {
			value = numerals.Write(v.Lang, n)
		}
		text = strings.ReplaceAll(text, "{"+fmt.Sprint(pairs[i])+"}", value)
	}
	return text, nil
}
