package corpus

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"victimvoice/internal/fault"
)

// nothingFile holds examples of what no code covers.
const nothingFile = "NOTHING"

// LoadExamples reads a folder of short examples: one file a code, named after
// it, with one example a line under a line "positive:" or "negative:". The whole
// line shows the code and no other. Lines of NOTHING.txt show none.
func LoadExamples(dir fs.FS) ([]Comment, error) {
	files, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return nil, fmt.Errorf("list the examples: %w", err)
	}
	var (
		out    []Comment
		faults []error
		seen   = map[string]string{}
	)
	for _, name := range files {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("read the examples: %w", err)
		}
		code, polarity := strings.TrimSuffix(path.Base(name), ".txt"), ""
		for n, line := range strings.Split(string(data), "\n") {
			line = strings.TrimSpace(line)
			at := fmt.Sprintf("%s:%d", code, n+1)
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
				continue
			case line == "positive:" || line == "negative:":
				polarity = strings.TrimSuffix(line, ":")
				continue
			case polarity == "" && code != nothingFile:
				faults = append(faults, fmt.Errorf("%s: stands under neither of the lines positive: and negative:, which come first", at))
				continue
			case seen[line] != "":
				faults = append(faults, fmt.Errorf("%s: is also %s", at, seen[line]))
				continue
			}
			seen[line] = at
			c := Comment{ID: at, Writer: "examples", Voice: Victim, Text: line}
			if code == nothingFile {
				c.Marks = []Mark{Nothing}
			} else {
				c.Labels = []Label{{Code: code, Polarity: polarity, Evidence: line, End: len(line)}}
			}
			out = append(out, c)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the examples have faults")
	}
	return out, nil
}

// LoadCases reads a folder of single cases: the text of each file above a line
// of dashes, its labels below, as in a record but without voice and marks.
func LoadCases(dir fs.FS) ([]Comment, error) {
	files, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return nil, fmt.Errorf("list the cases: %w", err)
	}
	var (
		out    []Comment
		faults []error
	)
	for _, name := range files {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("read the cases: %w", err)
		}
		id := strings.TrimSuffix(path.Base(name), ".txt")
		head := []string{"voice: " + string(Victim)}
		lines := strings.Split(string(data), "\n")
		if _, labels, ok := strings.Cut(string(data), "\n---\n"); ok && strings.TrimSpace(labels) == "" {
			head = append(head, "marks: "+string(Nothing))
		}
		c, err := record(id, append(head, lines...))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", id, err))
			continue
		}
		c.Writer = "cases"
		out = append(out, c)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the cases have faults")
	}
	return out, nil
}
