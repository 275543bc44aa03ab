package page

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func wordFiles(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out["locales/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

const (
	englishWords = "go: Go to {where}\nstop: Stop\n"
	welshWords   = "# Draft, awaiting professional review.\ngo: Mynd i {where}\nstop: Stopio\n"
)

// Nothing that a language lacks, leaves empty, has too much or fills in
// otherwise gets past the start.
func TestLoadWordsNamesEveryFault(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  []string // each has to be in the error; none: no error
	}{
		"whole":           {map[string]string{"en.yaml": englishWords, "cy.yaml": welshWords}, nil},
		"English alone":   {map[string]string{"en.yaml": englishWords}, nil},
		"no English":      {map[string]string{"cy.yaml": welshWords}, []string{"no English"}},
		"no files":        {map[string]string{}, []string{"no English"}},
		"missing key":     {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {where}\n"}, []string{`cy: "stop" is missing or empty`}},
		"empty key":       {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {where}\nstop:\n"}, []string{`cy: "stop" is missing or empty`}},
		"blank key":       {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {where}\nstop: \"  \"\n"}, []string{`cy: "stop" is missing or empty`}},
		"empty English":   {map[string]string{"en.yaml": "go: \"\"\n"}, []string{`en: "go" is missing or empty`}},
		"empty file":      {map[string]string{"en.yaml": englishWords, "cy.yaml": "# nothing yet\n"}, []string{`cy: "go" is missing`, `cy: "stop" is missing`}},
		"extra key":       {map[string]string{"en.yaml": englishWords, "cy.yaml": welshWords + "wait: Aros\n"}, []string{`cy: "wait" is not in English`}},
		"no placeholder":  {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd yno\nstop: Stopio\n"}, []string{`cy: "go" has other placeholders`}},
		"its name in one": {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {ble}\nstop: Stopio\n"}, []string{`cy: "go" has other placeholders`}},
		"one too many":    {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {where}\nstop: Stopio {n}\n"}, []string{`cy: "stop" has other placeholders`}},
		"left open":       {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd i {where\nstop: Stopio\n"}, []string{`cy: "go" has other placeholders`}},
		"key twice":       {map[string]string{"en.yaml": englishWords, "cy.yaml": welshWords + "stop: Peidio\n"}, []string{"cy.yaml", "stop"}},
		"not words":       {map[string]string{"en.yaml": englishWords, "cy.yaml": "go: [a, b]\n"}, []string{"cy.yaml"}},
		"not YAML":        {map[string]string{"en.yaml": "go: \"Go\n"}, []string{"en.yaml"}},
		"all at once": {
			map[string]string{"en.yaml": englishWords, "cy.yaml": "go: Mynd\n", "pl.yaml": "stop: Stop\nwait: Czekaj\n"},
			[]string{`cy: "go"`, `cy: "stop"`, `pl: "go"`, `pl: "wait"`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadWords(wordFiles(test.files), "locales")
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("the fault went unseen")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}

func TestVoices(t *testing.T) {
	t.Parallel()
	w, err := LoadWords(wordFiles(map[string]string{"en.yaml": englishWords, "cy.yaml": welshWords}), "locales")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Languages(); !slices.Equal(got, []string{"cy", "en"}) {
		t.Errorf("languages %v", got)
	}
	for tag, want := range map[string]string{"cy": "cy", "cy-GB": "cy", "CY": "cy", "en-GB": "en", "fr": "en", "": "en", "-": "en"} {
		if got := w.In(tag).Lang; got != want {
			t.Errorf("%q speaks %s, want %s", tag, got, want)
		}
	}
	if got, err := w.In("cy").Say("go", "where", "/withdraw", "n", 3); err != nil || got != "Mynd i /withdraw" {
		t.Errorf("%q, %v", got, err)
	}
	files := wordFiles(map[string]string{"en.yaml": "at: '{n} of {of}'\n", "bn.yaml": "at: '{of}টির মধ্যে {n}'\n", "ar.yaml": "at: '{n} من {of}'\n"})
	if w, err := LoadWords(files, "locales"); err != nil {
		t.Error(err)
	} else {
		for lang, want := range map[string]string{"en": "3 of 19", "bn": "১৯টির মধ্যে ৩", "ar": "٣ من ١٩"} {
			if got, err := w.In(lang).Say("at", "n", 3, "of", 19); err != nil || got != want {
				t.Errorf("%s: %q %v", lang, got, err)
			}
		}
	}
	if _, err := w.In("cy").Say("wait"); err == nil {
		t.Error("an unknown key says something")
	}
}
