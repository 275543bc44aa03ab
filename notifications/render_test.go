package notifications

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// wholeSet is a set of templates with nothing wrong.
func wholeSet(languages ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, language := range languages {
		for kind := range kinds {
			if !wordedIn(kind, language) {
				continue
			}
			files[language+"/"+string(kind)+".subject"] = &fstest.MapFile{Data: []byte("Subject " + language + "\r\n")}
			files[language+"/"+string(kind)+".txt"] = &fstest.MapFile{Data: []byte("{{.Link}}\r\n")}
			files[language+"/"+replyFile] = &fstest.MapFile{Data: []byte("Nobody reads this.\r\n")}
			files[language+"/"+string(kind)+".html"] = &fstest.MapFile{Data: []byte(`<html dir="rtl"><a href="{{.Link}}">x</a>`)}
		}
	}
	return files
}

func TestLoadLetters(t *testing.T) {
	t.Parallel()
	data := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tests := map[string]struct {
		change func(fstest.MapFS)
		want   []string // each has to be in the error; none: no error
	}{
		"whole":         {func(fstest.MapFS) {}, nil},
		"missing files": {func(m fstest.MapFS) { delete(m, "ar/told.html"); delete(m, "en/reminder.txt") }, []string{"ar/told.html", "en/reminder.txt"}},
		"missing fallback": {func(m fstest.MapFS) {
			maps.DeleteFunc(m, func(k string, _ *fstest.MapFile) bool { return strings.HasPrefix(k, "en/") })
		}, []string{"en"}},
		"missing key":            {func(m fstest.MapFS) { m["en/invitation.txt"] = data("{{.Name}}") }, []string{"en/invitation", "Name"}},
		"key of another kind":    {func(m fstest.MapFS) { m["en/told.txt"] = data("{{.Days}}") }, []string{"en/told", "Days"}},
		"key in a branch":        {func(m fstest.MapFS) { m["en/told.html"] = data("{{if .StopLink}}{{.Name}}{{else}}x{{end}}") }, []string{"en/told", "Name"}},
		"key in the other":       {func(m fstest.MapFS) { m["en/told.html"] = data("{{if .StopLink}}x{{else}}{{.Name}}{{end}}") }, []string{"en/told", "Name"}},
		"key for one day":        {func(m fstest.MapFS) { m["en/reminder.txt"] = data("{{if eq .Days 1}}{{.Name}}{{end}}x") }, []string{"en/reminder", "Name"}},
		"a form missing":         {func(m fstest.MapFS) { m["cy/reminder.txt"] = data(`{{count .Days "one" "{n} diwrnod"}}`) }, []string{"cy/reminder", "one, two, few, many, other"}},
		"a form too many":        {func(m fstest.MapFS) { m["en/reminder.html"] = data(`{{count .Days "one" "x" "few" "x" "other" "x"}}`) }, []string{"en/reminder", "one, other"}},
		"broken template":        {func(m fstest.MapFS) { m["ar/invitation.html"] = data("{{if") }, []string{"ar/invitation.html"}},
		"subject of two lines":   {func(m fstest.MapFS) { m["en/told.subject"] = data("a\nBcc: b") }, []string{"en/told", "one line"}},
		"subject too long":       {func(m fstest.MapFS) { m["en/told.subject"] = data(strings.Repeat("a", 61)) }, []string{"en/told", "60"}},
		"empty subject":          {func(m fstest.MapFS) { m["en/told.subject"] = data(" \n") }, []string{"en/told"}},
		"empty text":             {func(m fstest.MapFS) { m["en/told.txt"] = data("\n") }, []string{"en/told"}},
		"missing reply":          {func(m fstest.MapFS) { delete(m, "cy/reply.txt") }, []string{"cy/reply.txt"}},
		"empty reply":            {func(m fstest.MapFS) { m["cy/reply.txt"] = data(" \n") }, []string{"cy/reply.txt"}},
		"reply too long":         {func(m fstest.MapFS) { m["cy/reply.txt"] = data(strings.Repeat("a", 401)) }, []string{"cy/reply.txt", "400"}},
		"reply of two lines":     {func(m fstest.MapFS) { m["cy/reply.txt"] = data("a\nb") }, []string{"cy/reply.txt", "one line"}},
		"reply with a key":       {func(m fstest.MapFS) { m["cy/reply.txt"] = data("{{.Link}}") }, []string{"cy/reply.txt", "placeholders"}},
		"a digest elsewhere":     {func(m fstest.MapFS) { m["cy/digest.txt"] = data("x") }, []string{"cy/digest.txt"}},
		"no digest":              {func(m fstest.MapFS) { delete(m, "en/digest.html") }, []string{"en/digest.html"}},
		"unknown kind":           {func(m fstest.MapFS) { m["en/welcome.txt"] = data("x") }, []string{"en/welcome.txt"}},
		"unknown file":           {func(m fstest.MapFS) { m["en/told.md"] = data("x") }, []string{"en/told.md"}},
		"file among languages":   {func(m fstest.MapFS) { m["README"] = data("x") }, []string{"README"}},
		"a folder in upper case": {func(m fstest.MapFS) { maps.Copy(m, wholeSet("pt-BR")) }, []string{"pt-BR"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := wholeSet("en", "ar", "cy")
			test.change(files)
			_, err := loadLetters(files)
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %q", err, want)
				}
			}
		})
	}
	if _, err := loadLetters(brokenFS{}); err == nil {
		t.Error("no error from a broken file system")
	}
}

type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func TestLanguageFallsBack(t *testing.T) {
	t.Parallel()
	letters, err := loadLetters(wholeSet("en", "cy", "pt-br"))
	if err != nil {
		t.Fatal(err)
	}
	if got := letters.Languages(); !slices.Equal(got, []string{"cy", "en", "pt-br"}) {
		t.Error(got)
	}
	for tag, want := range map[string]string{
		"en": "en", "cy": "cy", "CY-gb": "cy", "cy_GB": "cy", " cy ": "cy", "pt-BR": "pt-br", "pt": "en", "pl": "en", "": "en", "-": "en", "../en": "en",
	} {
		l := testLetter(KindTold)
		l.Language = tag
		e, err := letters.Compose(testFrom(), l)
		if err != nil {
			t.Fatal(err)
		}
		if got := readMail(t, e.Raw).header.Get("Subject"); got != "Subject "+want {
			t.Errorf("%q: %s", tag, got)
		}
	}
}

// Words beyond ASCII travel in ASCII, folded, and arrive as they were.
func TestOtherScripts(t *testing.T) {
	t.Parallel()
	files := wholeSet("en", "ar")
	subject := strings.TrimSpace(strings.Repeat("ملاحظاتك ", 6))
	files["ar/told.subject"].Data = []byte(subject)
	files["ar/told.txt"].Data = []byte("مرحبا\n.\n" + strings.Repeat("ملاحظاتك ", 60) + "\n{{.Link}}\n")
	letters, err := loadLetters(files)
	if err != nil {
		t.Fatal(err)
	}
	l := testLetter(KindTold)
	l.Language = "ar"
	e, err := letters.Compose(testFrom(), l)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(e.Raw), "\r\n") {
		if len(line) > 76 {
			t.Errorf("a line of %d: %s", len(line), line)
		}
		if !isASCII(line) {
			t.Errorf("beyond ASCII: %s", line)
		}
	}
	text := readMail(t, e.Raw).parts[0].body
	if !strings.HasPrefix(text, "مرحبا\r\n.\r\nملاحظاتك ملاحظاتك") {
		t.Errorf("%.60s", text)
	}
}

// The reminder promises what the invitation promised: how long it takes, and
// that one may skip, stop and come back.
func TestRemindersPromiseWhatInvitationsDo(t *testing.T) {
	t.Parallel()
	letters := loaded(t)
	for _, language := range letters.Languages() {
		say := func(kind Kind) string {
			l := testLetter(kind)
			texts, ok := letters.textsFor(language, kind)
			if !ok {
				t.Fatalf("%s has no %s", language, kind)
			}
			words, err := texts.render(kinds[kind].view(l.Data))
			if err != nil {
				t.Fatal(err)
			}
			return string(words.text)
		}
		first := strings.Split(say(KindInvitation), "\n\n")[1] // after the greeting
		end := strings.IndexAny(first, ".।۔")
		_, promise, ok := strings.Cut(first[end:], " ")
		if !ok || len([]rune(promise)) < 60 {
			t.Errorf("%s promises nothing: %q", language, first)
		}
		if !strings.Contains(say(KindReminder), promise) {
			t.Errorf("%s: the reminder does not say %q", language, promise)
		}
	}
}

// Days are counted as each language counts them, in its own digits.
func TestDaysInEveryLanguage(t *testing.T) {
	t.Parallel()
	tests := map[string]map[int]string{
		"en": {1: "1 day", 2: "2 days", 14: "14 days"},
		"cy": {1: "1 diwrnod", 2: "2 ddiwrnod", 3: "3 diwrnod", 6: "6 diwrnod", 14: "14 diwrnod"},
		"pl": {1: "1 dzień", 2: "2 dni", 5: "5 dni", 14: "14 dni", 22: "22 dni"},
		"ro": {1: "1 zi", 2: "2 zile", 14: "14 zile", 20: "20 de zile", 28: "28 de zile"},
		"pt": {1: "1 dia", 2: "2 dias", 28: "28 dias"},
		"bn": {1: "১ দিন", 14: "১৪ দিন"},
		"ur": {1: "1 دن", 14: "14 دن"},
		"ar": {1: "لمدة يوم واحد.", 2: "لمدة يومين.", 3: "لمدة ٣ أيام.", 10: "لمدة ١٠ أيام.", 14: "لمدة ١٤ يومًا.", 28: "لمدة ٢٨ يومًا."},
	}
	letters := loaded(t)
	for _, language := range letters.Languages() {
		if tests[language] == nil {
			t.Errorf("%s: nobody says how it counts days", language)
		}
		for days, want := range tests[language] {
			for _, kind := range []Kind{KindInvitation, KindReminder} {
				texts, _ := letters.textsFor(language, kind)
				data := testLetter(kind).Data
				data.Days = days
				words, err := texts.render(kinds[kind].view(data))
				if err != nil {
					t.Fatal(err)
				}
				want := want
				if language == "en" && kind == KindReminder {
					want = strings.Replace(want, " day", " more day", 1)
				}
				for _, text := range [][]byte{words.text, words.html} {
					if !strings.Contains(string(text), " "+want) {
						t.Errorf("%s %s does not say %q:\n%s", language, kind, want, text)
					}
				}
			}
		}
	}
}

// A number stands in a letter only as count writes it, with what it counts in the
// right form; and a letter says nothing else of time: its date is in its header,
// which the mail program writes in its owner's language.
func TestLettersCountInOneWay(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			return err
		}
		text := strings.Replace(string(b), "{{- $days := count .Days ", "", 1)
		for _, stray := range []string{".Days", ".Date", "printf"} {
			if strings.Contains(text, stray) {
				t.Errorf("%s writes %s by itself", name, stray)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A language is a folder of texts, and nothing else: one that nobody knows takes
// its letters from there, counts with one form and is written to by its code.
func TestANewLanguageIsDataAlone(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(templateFiles, name)
		name = strings.TrimPrefix(name, "templates/")
		files[name] = &fstest.MapFile{Data: b}
		if made, ok := strings.CutPrefix(name, "en/"); ok && !strings.HasPrefix(made, string(KindDigest)) {
			text := strings.NewReplacer("Hello,", "Qapla,", `"one" "{n} day" `, "", `"one" "{n} more day" `, "").Replace(string(b))
			files["qaa/"+made] = &fstest.MapFile{Data: []byte(text)}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	letters, err := loadLetters(files)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(letters.Languages(), "qaa") {
		t.Fatalf("languages %v", letters.Languages())
	}
	l := testLetter(KindInvitation)
	l.Language = "qaa"
	e, err := letters.Compose(testFrom(), l)
	if err != nil {
		t.Fatal(err)
	}
	if text := readMail(t, e.Raw).parts[0].body; !strings.Contains(text, "Qapla,") || !strings.Contains(text, "14 days") {
		t.Errorf("%s", text)
	}
}
