package figures

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"time"
	_ "time/tzdata" // months are London's, also where the system has no zones

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// batch is how many rows are taken under one lock when loading a stream: large
// enough to cost little, small enough that a reader waits about a millisecond.
const batch = 512

// Panel holds every kept answer as columns in memory and does all arithmetic.
// It is safe for concurrent use: queries share a read lock, rows are applied in
// small batches under the write lock. Applying is an idempotent upsert: the row
// with the later ChangedAt wins, whatever the order, and a tombstone is final for
// its instant, so that a cursor may hand over the same rows again and again.
type Panel struct {
	schema *schema
	themes []Theme
	zone   *time.Location
	seed   [2]maphash.Seed

	mu      sync.RWMutex
	version uint64                 // grows with every change; tables are remembered by it
	advice  *questionnaires.Advice // in force now
	advices []AdviceStep           // which was in force when, the earliest first
	rebases []Rebase               // the earliest first

	cases     caseColumns
	responses responseColumns
	codings   codingColumns
	abouts    aboutColumns
	buffer    unpacked

	tables tableCache
}

// New makes an empty panel for a set of questionnaires and the codes of a codebook.
func New(set *questionnaires.Set, themes []Theme) (*Panel, error) {
	if set == nil {
		return nil, fault.New(fault.Invalid, "figures need the questionnaires")
	}
	if len(themes) > 64 {
		return nil, fault.New(fault.Invalid, "a codebook has at most 64 codes here, not %d", len(themes))
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the London time zone can't be loaded")
	}
	if len(set.All()) > 255 {
		return nil, fault.New(fault.Invalid, "the panel holds at most 255 versions of questionnaires, not %d", len(set.All()))
	}
	p := &Panel{schema: newSchema(set), themes: append([]Theme(nil), themes...), zone: zone, advice: set.Advice(), advices: []AdviceStep{{Advice: set.Advice()}}}
	p.seed = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	p.cases.init()
	p.responses.init(p.schema)
	p.codings.init()
	p.abouts.init(set)
	p.buffer = unpacked{singles: make([]uint8, p.schema.singles), multis: make([]uint64, p.schema.multis), states: make([]uint8, p.schema.multis)}
	return p, nil
}

// SetAdvice puts another version of the advice polarity table in use, for all time.
func (p *Panel) SetAdvice(a *questionnaires.Advice) { p.SetAdviceHistory(AdviceStep{Advice: a}) }

// Size is how much the panel holds.
type Size struct {
	Cases, Responses, Codings, Abouts int
}

// Size counts what is held now, tombstones left out.
func (p *Panel) Size() Size {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return Size{Cases: p.cases.live, Responses: p.responses.liveCount, Codings: p.codings.live, Abouts: p.abouts.live}
}

// ApplyCases takes case rows; see Panel for how rows meet.
func (p *Panel) ApplyCases(rows ...CaseRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := false
	for i := range rows {
		changed = p.applyCase(&rows[i]) || changed
	}
	p.touch(changed)
}

// touch makes remembered tables stale when something changed. A cursor that hands
// over the rows of its overlap again and again changes nothing.
func (p *Panel) touch(changed bool) {
	if changed {
		p.version++
	}
}

// ApplyResponses takes response rows. A row whose answers can't be read for its
// questionnaire is fault Invalid and is left out; the others are applied all the
// same, and the first such fault is returned.
func (p *Panel) ApplyResponses(rows ...ResponseRow) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first error
	changed := false
	for i := range rows {
		did, err := p.applyResponse(&rows[i])
		changed = changed || did
		if err != nil && first == nil {
			first = err
		}
	}
	p.touch(changed)
	return first
}

// ApplyThemes takes coding rows. Codes that the panel was not made with are left out.
func (p *Panel) ApplyThemes(rows ...ThemeRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := false
	for i := range rows {
		changed = p.applyTheme(&rows[i]) || changed
	}
	p.touch(changed)
}

// ApplyAbouts takes what people told about themselves. A row that can't be read is
// fault Invalid and is left out, as with ApplyResponses.
func (p *Panel) ApplyAbouts(rows ...AboutRow) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first error
	changed := false
	for i := range rows {
		did, err := p.applyAbout(&rows[i])
		changed = changed || did
		if err != nil && first == nil {
			first = err
		}
	}
	p.touch(changed)
	return first
}

// LoadCases applies a stream of case rows in batches and gives the latest
// ChangedAt seen, from which the next stream may start. It stops at the stream's
// first error or when ctx ends.
func (p *Panel) LoadCases(ctx context.Context, rows iter.Seq2[CaseRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r CaseRow) time.Time { return r.ChangedAt }, func(b []CaseRow) error { p.ApplyCases(b...); return nil })
}

// LoadResponses is LoadCases for responses. Unreadable answers don't stop the
// stream; the first such fault is returned at its end.
func (p *Panel) LoadResponses(ctx context.Context, rows iter.Seq2[ResponseRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r ResponseRow) time.Time { return r.ChangedAt }, func(b []ResponseRow) error { return p.ApplyResponses(b...) })
}

// LoadThemes is LoadCases for codings.
func (p *Panel) LoadThemes(ctx context.Context, rows iter.Seq2[ThemeRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r ThemeRow) time.Time { return r.ChangedAt }, func(b []ThemeRow) error { p.ApplyThemes(b...); return nil })
}

// LoadAbouts is LoadResponses for what people told about themselves.
func (p *Panel) LoadAbouts(ctx context.Context, rows iter.Seq2[AboutRow, error]) (time.Time, error) {
	return load(ctx, rows, func(r AboutRow) time.Time { return r.ChangedAt }, func(b []AboutRow) error { return p.ApplyAbouts(b...) })
}

func load[R any](ctx context.Context, rows iter.Seq2[R, error], changed func(R) time.Time, apply func([]R) error) (latest time.Time, err error) {
	pending := make([]R, 0, batch)
	var unreadable error
	flush := func() {
		if err := apply(pending); err != nil && unreadable == nil {
			unreadable = err
		}
		pending = pending[:0]
	}
	for r, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			flush()
			return latest, err
		}
		if t := changed(r); t.After(latest) {
			latest = t
		}
		if pending = append(pending, r); len(pending) == batch {
			flush()
		}
	}
	flush()
	return latest, unreadable
}
