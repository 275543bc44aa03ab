package notifications

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"
	"unicode"
	"unicode/utf8"

	"victimvoice/internal/numerals"
)

//go:embed templates
var templateFiles embed.FS

// FallbackLanguage is the language of a letter to someone whose own language
// has no templates.
const FallbackLanguage = "en"

// maxSubject bounds a subject, in characters, so that it needs no folding.
const maxSubject = 60

// askView is what an invitation or a reminder may print. The templates see
// this and nothing else, so that a name or a case reference has no way in.
type askView struct {
	Link         string
	StopLink     string
	NotForMeLink string
	Days         int
}

// toldView is what a told letter may print.
type toldView struct {
	Link     string
	StopLink string
}

// digestView is what a digest may print: where to read, and where to ask for no more.
type digestView struct {
	Link     string
	StopLink string
}

// kinds says, for each kind, what its templates are given, and with which
// samples every branch of them is tried at the start.
var kinds = map[Kind]struct {
	view    func(LetterData) any
	samples []LetterData
	staff   bool // written to staff, whose pages are in the fallback language alone: no other has it
}{
	KindInvitation: {view: viewAsk, samples: askSamples},
	KindReminder:   {view: viewAsk, samples: askSamples},
	KindTold: {
		view:    func(d LetterData) any { return toldView{d.Link, d.StopLink} },
		samples: []LetterData{{Link: "https://example.org/a"}, {Link: "https://example.org/a", StopLink: "https://example.org/b"}},
	},
	KindDigest: {
		view:    func(d LetterData) any { return digestView{d.Link, d.StopLink} },
		samples: []LetterData{{Link: "https://example.org/a", StopLink: "https://example.org/b"}},
		staff:   true,
	},
}

// wordedIn says whether a kind has its words in a language.
func wordedIn(kind Kind, language string) bool {
	return !kinds[kind].staff || language == FallbackLanguage
}

var askSamples = []LetterData{
	{Link: "https://example.org/a", StopLink: "https://example.org/b", Days: 1},
	{Link: "https://example.org/a", StopLink: "https://example.org/b", NotForMeLink: "https://example.org/c", Days: 14},
}

func viewAsk(d LetterData) any { return askView(d) }

// Letters holds the parsed texts of every language and kind. It is safe for
// concurrent use.
type Letters struct {
	byLanguage map[string]map[Kind]texts
	replies    map[string]string
}

// replyFile is what the mailbox that replies go to answers, a text as it stands.
const replyFile = "reply.txt"

// maxReply bounds it, in characters, so that all languages fit one answer.
const maxReply = 400

// texts are the three templates of one kind in one language.
type texts struct {
	subject *texttemplate.Template
	text    *texttemplate.Template
	html    *htmltemplate.Template
}

// rendered is one letter in words, before it becomes a mail.
type rendered struct {
	subject string
	text    []byte
	html    []byte
}

// LoadLetters parses the embedded templates and tries each with sample data.
// It fails when a language lacks a file, when a file is of no known kind, and
// when a template asks for something its kind does not carry: all at once, so
// that no letter can fail for its wording after the start.
func LoadLetters() (*Letters, error) {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, fmt.Errorf("letter templates: %w", err)
	}
	return loadLetters(files)
}

func loadLetters(files fs.FS) (*Letters, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("letter templates: %w", err)
	}
	letters := &Letters{byLanguage: make(map[string]map[Kind]texts), replies: make(map[string]string)}
	var faults []error
	for _, entry := range entries {
		language := entry.Name()
		if !entry.IsDir() {
			faults = append(faults, fmt.Errorf("%s: only folders named after a language belong here", language))
			continue
		}
		if language != canonicalLanguage(language) {
			faults = append(faults, fmt.Errorf("%s: a language folder is named in lower case, such as en or pt-br", language))
			continue
		}
		byKind, err := loadLanguage(files, language)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		letters.byLanguage[language] = byKind
		if letters.replies[language], err = loadReply(files, language); err != nil {
			faults = append(faults, err)
		}
	}
	if _, ok := letters.byLanguage[FallbackLanguage]; !ok && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("the language %s, which stands in for the others, is missing", FallbackLanguage))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("letter templates: %w", err)
	}
	return letters, nil
}

func loadLanguage(files fs.FS, language string) (map[Kind]texts, error) {
	entries, err := fs.ReadDir(files, language)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", language, err)
	}
	var faults []error
	for _, entry := range entries {
		name := entry.Name()
		extension := path.Ext(name)
		kind := Kind(strings.TrimSuffix(name, extension))
		_, known := kinds[kind]
		if name == replyFile {
			continue
		}
		if !known || !wordedIn(kind, language) || !slices.Contains([]string{".subject", ".txt", ".html"}, extension) {
			faults = append(faults, fmt.Errorf("%s/%s: not the subject, txt or html of a known kind", language, name))
		}
	}
	byKind := make(map[Kind]texts, len(kinds))
	for kind, k := range kinds {
		if !wordedIn(kind, language) {
			continue
		}
		t, err := parseTexts(files, path.Join(language, string(kind)))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		byKind[kind] = t
		for _, sample := range k.samples {
			if _, err := t.render(k.view(sample)); err != nil {
				faults = append(faults, fmt.Errorf("%s/%s: %w", language, kind, err))
				break
			}
		}
	}
	return byKind, errors.Join(faults...)
}

func loadReply(files fs.FS, language string) (string, error) {
	b, err := fs.ReadFile(files, path.Join(language, replyFile))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	if text == "" || utf8.RuneCount(b) > maxReply || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.ContainsAny(text, "{}") {
		return "", fmt.Errorf("%s/%s: has to be one line of 1 to %d printable characters, without placeholders", language, replyFile, maxReply)
	}
	return text, nil
}

// ReplyText is the automatic answer for the mailbox that replies go to: whoever
// writes there may speak any of our languages, so it has them all, English first.
func (l *Letters) ReplyText() string {
	languages := slices.DeleteFunc(l.Languages(), func(language string) bool { return language == FallbackLanguage })
	texts := []string{l.replies[FallbackLanguage]}
	for _, language := range languages {
		texts = append(texts, l.replies[language])
	}
	return strings.Join(texts, "\n\n") + "\n"
}

func parseTexts(files fs.FS, base string) (texts, error) {
	var faults []error
	read := func(extension string) string {
		b, err := fs.ReadFile(files, base+extension)
		if err != nil {
			faults = append(faults, err)
		}
		return strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	subject, text, html := read(".subject"), read(".txt"), read(".html")
	if err := errors.Join(faults...); err != nil {
		return texts{}, err
	}
	// A number and what it counts, in the forms that the language has for it.
	count := map[string]any{"count": func(n int, wordings ...string) (string, error) {
		return numerals.Count(path.Dir(base), n, maxDays, wordings...)
	}}
	var t texts
	var err error
	if t.subject, err = texttemplate.New(base + ".subject").Funcs(count).Option("missingkey=error").Parse(strings.TrimSpace(subject)); err != nil {
		faults = append(faults, err)
	}
	if t.text, err = texttemplate.New(base + ".txt").Funcs(count).Option("missingkey=error").Parse(text); err != nil {
		faults = append(faults, err)
	}
	if t.html, err = htmltemplate.New(base + ".html").Funcs(count).Option("missingkey=error").Parse(html); err != nil {
		faults = append(faults, err)
	}
	return t, errors.Join(faults...)
}

// render prints the three texts to memory, so that a failure half way leaves
// nothing half written.
func (t texts) render(view any) (rendered, error) {
	var subject, text, html bytes.Buffer
	if err := errors.Join(t.subject.Execute(&subject, view), t.text.Execute(&text, view), t.html.Execute(&html, view)); err != nil {
		return rendered{}, err
	}
	s := subject.String()
	switch {
	case s == "" || utf8.RuneCountInString(s) > maxSubject:
		return rendered{}, fmt.Errorf("the subject has to be 1 to %d characters long", maxSubject)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return rendered{}, errors.New("the subject has to be one line of printable text")
	case len(bytes.TrimSpace(text.Bytes())) == 0 || len(bytes.TrimSpace(html.Bytes())) == 0:
		return rendered{}, errors.New("the text and the HTML must not be empty")
	}
	return rendered{s, text.Bytes(), html.Bytes()}, nil
}

// Languages lists the languages that have templates, sorted.
func (l *Letters) Languages() []string {
	languages := make([]string, 0, len(l.byLanguage))
	for language := range l.byLanguage {
		languages = append(languages, language)
	}
	slices.Sort(languages)
	return languages
}

// textsFor finds the templates of a kind in the wanted language, else in that
// language without its region, else in the fallback. False means that there is
// no such kind.
func (l *Letters) textsFor(language string, kind Kind) (texts, bool) {
	language = canonicalLanguage(language)
	base, _, _ := strings.Cut(language, "-")
	for _, candidate := range []string{language, base, FallbackLanguage} {
		if byKind, ok := l.byLanguage[candidate]; ok && wordedIn(kind, candidate) {
			t, ok := byKind[kind]
			return t, ok
		}
	}
	return texts{}, false
}

// canonicalLanguage writes a language tag the way template folders are named.
func canonicalLanguage(tag string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(tag)), "_", "-")
}
