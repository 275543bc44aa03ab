// Command mkmodel learns the model that ships with the product from the corpus
// in the repository, and packs the corpus to ship beside it, for installations that
// learn another with what people coded there: go generate ./analysis/coding.
//
// With -cross it learns nothing to keep, and prints instead how models learnt
// from parts of the corpus do on the parts they have not seen.
package main

import (
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"os"
	"strconv"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/coding"
	"victimvoice/analysis/corpus"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("corpus", "../testdata/corpus/train", "folder of labelled comments")
	cases := flag.String("cases", "../testdata/coding", "folder of single cases")
	examples := flag.String("examples", "../testdata/corpus/examples", "folder of short examples")
	out := flag.String("out", "model.bin", "file to write")
	cross := flag.Int("cross", 0, "measure over so many parts instead")
	writers := flag.Bool("writers", false, "measure with each writer left out in turn instead")
	lessons := flag.String("lessons", "lessons.bin", "file to pack the corpus into")
	pack := flag.Bool("pack", false, "pack the corpus and learn nothing")
	flag.Parse()
	if err := run(*dir, *cases, *examples, *out, *lessons, *pack, *cross, *writers); err != nil {
		log.Fatal(err)
	}
}

func run(dir, cases, examples, out, lessons string, pack bool, cross int, writers bool) error {
	book, err := codebook.Load()
	if err != nil {
		return fmt.Errorf("load the codebook: %w", err)
	}
	comments, err := corpus.Load(os.DirFS(dir))
	if err != nil {
		return fmt.Errorf("load the corpus: %w", err)
	}
	single, err := corpus.LoadCases(os.DirFS(cases))
	if err != nil {
		return fmt.Errorf("load the cases: %w", err)
	}
	short, err := corpus.LoadExamples(os.DirFS(examples))
	if err != nil {
		return fmt.Errorf("load the examples: %w", err)
	}
	if cross > 1 || writers {
		r, err := coding.CrossMeasure(book, comments, single, short, func(c *corpus.Comment) string {
			if writers {
				return c.Writer
			}
			h := fnv.New32a()
			_, _ = io.WriteString(h, "part "+c.ID)
			return strconv.Itoa(int(h.Sum32()>>8) % cross)
		})
		if err != nil {
			return fmt.Errorf("measure: %w", err)
		}
		return r.WriteText(os.Stdout)
	}
	comments = append(comments, single...)
	packed, err := coding.Lessons{Comments: comments, Examples: short}.Pack()
	if err != nil {
		return fmt.Errorf("pack the corpus: %w", err)
	}
	if err := os.WriteFile(lessons, packed, 0o644); err != nil { //nolint:gosec // G306: a file of the repository
		return fmt.Errorf("write the lessons: %w", err)
	}
	fmt.Printf("%s: %d bytes\n", lessons, len(packed))
	if pack {
		return nil
	}
	m, err := coding.Learn(book, comments, short)
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	data, err := m.MarshalBinary()
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	if err := os.WriteFile(out, data, 0o644); err != nil { //nolint:gosec // G306: a file of the repository
		return fmt.Errorf("write the model: %w", err)
	}
	fmt.Printf("%s: %d bytes, from %d comments and %d examples\n", out, len(data), len(comments), len(short))
	return nil
}
