// Package corpus owns how labelled comments are written down: plain text files
// that anybody can read and edit, one record after another.
//
//	## upd-017
//	voice: victim
//	marks: negation typo
//	Nobody rung me. Found out hes been let go off facebook
//	---
//	COM_UPDATES negative "Found out hes been let go off facebook"
//
// Above the dashes stands the comment, below them one label a line with the
// words that show it. A comment with nothing to code has no line below.
package corpus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"victimvoice/internal/fault"
)

// Voice says who wrote a comment.
type Voice string

// The voices.
const (
	Victim   Voice = "victim"
	Advocate Voice = "advocate" // writes for the victim, in the third person
)

// Mark names what makes a comment worth looking at apart.
type Mark string

// The marks.
const (
	Negation   Mark = "negation"   // a label's polarity rests on a negation
	Sarcasm    Mark = "sarcasm"    // says the opposite of what it means
	Mixed      Mark = "mixed"      // both polarities in one text
	Comparison Mark = "comparison" // with an earlier occasion
	Typo       Mark = "typo"
	Nothing    Mark = "nothing" // no label
	Both       Mark = "both"    // one code in both polarities
)

// Marks lists the marks in a fixed order.
func Marks() []Mark { return []Mark{Negation, Sarcasm, Mixed, Comparison, Typo, Nothing, Both} }

// Label is one theme that a reader finds in a comment.
type Label struct {
	Code     string
	Polarity string // "positive" or "negative"
	Evidence string // Text[Start:End]
	Start    int    // bytes, half-open
	End      int
}

// Comment is one record.
type Comment struct {
	ID     string
	Writer string // name of the file without its ending: one writer a file
	Voice  Voice
	Marks  []Mark
	Text   string
	Labels []Label
}

// Has reports whether the comment bears a mark.
func (c *Comment) Has(m Mark) bool { return slices.Contains(c.Marks, m) }

// Words counts the comment's words as they are parted by blanks.
func (c *Comment) Words() int { return len(strings.Fields(c.Text)) }

var (
	labelShape = regexp.MustCompile(`^([A-Z]+(?:_[A-Z]+)+) (positive|negative) "(.*)"$`)
	fieldShape = regexp.MustCompile(`^(voice|marks):(.*)$`)
)

// Load reads every .txt file of a folder, in the order of their names. All
// faults of all files are reported at once as a [fault.Invalid] error.
func Load(dir fs.FS) ([]Comment, error) {
	files, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return nil, fmt.Errorf("list the corpus: %w", err)
	}
	var (
		all    []Comment
		faults []error
	)
	for _, name := range files {
		f, err := dir.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the corpus: %w", err)
		}
		comments, err := Read(f, strings.TrimSuffix(path.Base(name), ".txt"))
		if closeErr := f.Close(); closeErr != nil {
			return nil, fmt.Errorf("close %s: %w", name, closeErr)
		}
		if err != nil {
			faults = append(faults, err)
		}
		all = append(all, comments...)
	}
	ids, texts := map[string]string{}, map[string]string{}
	for _, c := range all {
		if other, ok := ids[c.ID]; ok {
			faults = append(faults, fmt.Errorf("%s: %s is also in %s", c.Writer, c.ID, other))
		}
		ids[c.ID] = c.Writer
		if other, ok := texts[c.Text]; ok {
			faults = append(faults, fmt.Errorf("%s: %s has the text of %s", c.Writer, c.ID, other))
		}
		texts[c.Text] = c.ID
	}
	if err := errors.Join(faults...); err != nil {
		return all, fault.Wrap(fault.Invalid, err, "the corpus has faults")
	}
	return all, nil
}

// Read reads the records of one file. Every fault is reported, with the record
// that has it; the records without fault come back all the same.
func Read(r io.Reader, writer string) ([]Comment, error) {
	var (
		out    []Comment
		faults []error
		lines  []string
		id     string
	)
	end := func() {
		if id == "" {
			return
		}
		c, err := record(id, lines)
		c.Writer = writer
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", writer, id, err))
			return
		}
		out = append(out, c)
	}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), 4<<20)
	for in.Scan() {
		line := strings.TrimSuffix(in.Text(), "\r")
		if head, ok := strings.CutPrefix(line, "## "); ok {
			end()
			id, lines = strings.TrimSpace(head), nil
			continue
		}
		lines = append(lines, line)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", writer, err)
	}
	end()
	return out, errors.Join(faults...)
}

// record reads the lines of one record below its heading.
func record(id string, lines []string) (Comment, error) {
	c := Comment{ID: id}
	for len(lines) > 0 {
		m := fieldShape.FindStringSubmatch(lines[0])
		if m == nil {
			break
		}
		if m[1] == "voice" {
			c.Voice = Voice(strings.TrimSpace(m[2]))
		} else {
			for _, mark := range strings.Fields(m[2]) {
				if !slices.Contains(Marks(), Mark(mark)) {
					return c, fmt.Errorf("there is no mark %q", mark)
				}
				c.Marks = append(c.Marks, Mark(mark))
			}
		}
		lines = lines[1:]
	}
	if c.Voice != Victim && c.Voice != Advocate {
		return c, errors.New("the voice must be victim or advocate")
	}
	at := slices.Index(lines, "---")
	if at < 0 {
		return c, errors.New("has no line of ---")
	}
	if c.Text = strings.Trim(strings.Join(lines[:at], "\n"), "\n"); strings.TrimSpace(c.Text) == "" {
		return c, errors.New("has no text")
	}
	for _, line := range lines[at+1:] {
		if strings.TrimSpace(line) == "" {
			continue
		}
		l, err := label(c.Text, line)
		if err != nil {
			return c, err
		}
		if slices.ContainsFunc(c.Labels, func(o Label) bool { return o.Code == l.Code && o.Polarity == l.Polarity }) {
			return c, fmt.Errorf("%s %s is given twice", l.Code, l.Polarity)
		}
		c.Labels = append(c.Labels, l)
	}
	if c.Has(Nothing) != (len(c.Labels) == 0) {
		return c, errors.New("the mark nothing goes with having no label")
	}
	return c, nil
}

func label(text, line string) (Label, error) {
	m := labelShape.FindStringSubmatch(line)
	if m == nil {
		return Label{}, fmt.Errorf(`%q should be: CODE positive|negative "evidence"`, line)
	}
	evidence := strings.ReplaceAll(m[3], `\n`, "\n")
	at := strings.Index(text, evidence)
	if at < 0 || strings.TrimSpace(evidence) == "" {
		return Label{}, fmt.Errorf("%q is not in the text", evidence)
	}
	return Label{Code: m[1], Polarity: m[2], Evidence: evidence, Start: at, End: at + len(evidence)}, nil
}
