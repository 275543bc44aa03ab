package synth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Meant remembers what was meant by the texts of a history, by response and item. Its
// zero value is ready; a history adds to it from several lives at once.
type Meant struct {
	mu    sync.Mutex
	texts map[string]Text
}

func (m *Meant) add(response string, texts map[string]Text) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.texts == nil {
		m.texts = map[string]Text{}
	}
	for item, t := range texts {
		m.texts[response+"/"+item] = t
	}
}

// How much of a history the demonstration's people have read.
const (
	readBatches  = 60 // three in ten of whose texts are of the random stream: enough to correct the coder by
	chosenQuotes = 90
	everyWaiting = 12 // of the quotations chosen, one in so many still waits
	everyRefused = 15 // and one in so many was declined
)

// Readings has one person code texts as they were meant, choose quotations from those
// of people who agreed to be quoted, and another confirm them. It needs what a history
// has put into meant. It gives how many texts were read and quotations confirmed.
func Readings(ctx context.Context, an *analysis.Service, meant *Meant, reader, other survey.Actor) (read, quoted int, err error) {
	chosen := 0
	for range readBatches {
		batch, err := an.Batch(ctx, reader, false)
		if err != nil {
			return read, quoted, fmt.Errorf("draw texts: %w", err)
		}
		for i := range batch {
			done, err := meant.read(ctx, an, reader, batch[i].ID)
			if err != nil {
				return read, quoted, err
			}
			if done == nil {
				continue
			}
			if read++; chosen == chosenQuotes {
				continue
			}
			q, err := choose(ctx, an, reader, done)
			if err != nil {
				return read, quoted, err
			}
			if q.Version == 0 {
				continue
			}
			chosen++
			confirmed, err := decide(ctx, an, other, &q, chosen)
			if err != nil {
				return read, quoted, err
			}
			if confirmed {
				quoted++
			}
		}
	}
	return read, quoted, nil
}

// read codes one text as it was meant; nil for one of which nobody knows.
func (m *Meant) read(ctx context.Context, an *analysis.Service, by survey.Actor, id string) (*analysis.Opened, error) {
	t, ok := m.texts[id]
	if !ok {
		return nil, passOver(an.Pass(ctx, by, id))
	}
	o, err := an.Open(ctx, by, id)
	if err != nil {
		return nil, fmt.Errorf("open a text: %w", err)
	}
	labels := []analysis.Label{}
	seen := map[themeKey]bool{}
	for _, l := range t.Labels {
		k := themeKey{l.Code, l.Polarity}
		if _, known := an.Codebook().Code(l.Code); !known || seen[k] {
			continue
		}
		seen[k] = true
		label := analysis.Label{Code: l.Code, Polarity: l.Polarity, End: len(o.Text)}
		if at := strings.Index(o.Text, t.Body[l.Start:l.End]); at >= 0 { // else something was taken out of it
			label.Start, label.End = at, at+l.End-l.Start
		}
		labels = append(labels, label)
	}
	if o.Coding, err = an.Correct(ctx, by, id, o.Version, labels); err != nil {
		return nil, fmt.Errorf("code a text: %w", err)
	}
	return &o, nil
}

func passOver(err error) error {
	if err != nil {
		return fmt.Errorf("pass a text over: %w", err)
	}
	return nil
}

// choose chooses a clause of a text, of its commonest theme first, where it may be quoted.
func choose(ctx context.Context, an *analysis.Service, by survey.Actor, o *analysis.Opened) (analysis.Quotation, error) {
	may, err := an.QuotableText(ctx, &o.Coding)
	if err != nil || may.Why != "" {
		return analysis.Quotation{}, err
	}
	labels := slices.Clone(o.Labels)
	slices.SortStableFunc(labels, func(a, b analysis.Label) int {
		return cmp.Compare(themeWeight(b.Code, o.Stage), themeWeight(a.Code, o.Stage))
	})
	for _, l := range labels {
		if l.Start == 0 && l.End == len(o.Text) || strings.Contains(o.Text[l.Start:l.End], "[") {
			continue
		}
		q, err := an.Propose(ctx, by, o.ID, analysis.NewQuotation{Code: l.Code, Polarity: l.Polarity, Start: l.Start, End: l.End})
		if fault.Is(err, fault.Invalid) {
			continue // too long, or there is something in it to tell somebody by
		}
		if err != nil {
			return analysis.Quotation{}, fmt.Errorf("choose a quotation: %w", err)
		}
		return q, nil
	}
	return analysis.Quotation{}, nil
}

// decide settles the nth quotation, or leaves it waiting.
func decide(ctx context.Context, an *analysis.Service, by survey.Actor, q *analysis.Quotation, n int) (confirmed bool, err error) {
	switch {
	case n%everyWaiting == 0:
		return false, nil
	case n%everyRefused == 0:
		if _, err := an.Decline(ctx, by, q.ID, q.Version, "unique"); err != nil {
			return false, fmt.Errorf("decline a quotation: %w", err)
		}
		return false, nil
	}
	var checks []string
	for _, c := range analysis.QuotationChecks() {
		checks = append(checks, c.ID)
	}
	if _, err := an.Review(ctx, by, q.ID); err != nil {
		return false, fmt.Errorf("look at a quotation: %w", err)
	}
	if _, err := an.Confirm(ctx, by, q.ID, q.Version, checks); err != nil {
		return false, fmt.Errorf("confirm a quotation: %w", err)
	}
	return true, nil
}
