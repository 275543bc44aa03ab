package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
)

// largeModel keeps a model of the largest size that is kept, three times
// what ships, with all the texts it may be learnt from; and empties it.
func largeModel(t *testing.T, s Store) {
	ctx := t.Context()
	data := make([]byte, 12<<20)
	for i := range data {
		data[i] = byte(i * i >> 8)
	}
	texts := make([]string, 2000)
	for i := range texts {
		texts[i] = fmt.Sprintf("%064d/open.better", i)
	}
	_, err := s.UpdateCoderModel(ctx, "m", func(m *analysis.CoderModel) error {
		m.Data, m.Texts = data, texts
		return nil
	})
	ok(t, err)
	m, err := s.CoderModel(ctx, "m")
	ok(t, err)
	if !bytes.Equal(m.Data, data) || len(m.Texts) != 2000 || m.Texts[1999] != texts[1999] {
		t.Errorf("%d bytes and %d texts", len(m.Data), len(m.Texts))
	}
	_, err = s.UpdateCoderModel(ctx, "m", func(m *analysis.CoderModel) error {
		m.Data, m.Texts = []byte{}, []string{}
		return nil
	})
	ok(t, err)
	if m, err = s.CoderModel(ctx, "m"); err != nil || len(m.Data) != 0 || len(m.Texts) != 0 || m.Version != 2 {
		t.Errorf("emptied: %d bytes and %d texts, %v", len(m.Data), len(m.Texts), err)
	}
	_, err = s.CoderModel(ctx, "none")
	wantKind(t, err, fault.NotFound, "a model that is not there")
}
