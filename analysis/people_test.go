package analysis_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/seal"
	"victimvoice/survey"
)

var (
	ines = survey.Actor{ID: "ines", Role: "analyst"}
	omar = survey.Actor{ID: "omar", Role: "analyst"}
	cora = survey.Actor{ID: "cora", Role: "commissioner"}
)

// read puts a text in as if the coder had read it, and gives its id. The
// response's id makes it of the random stream or not.
func read(w *roomtest.World, random bool, language, text string, labels ...analysis.Label) string {
	w.TB.Helper()
	id := ""
	for n := 0; ; n++ {
		if id = fmt.Sprintf("r%d-%d/open.better", len(text), n); w.Analysis.InRandomStream(id) != random {
			continue
		}
		if _, err := w.Store.Store.Coding(w.TB.Context(), id); fault.Is(err, fault.NotFound) {
			break
		}
	}
	response, item, _ := strings.Cut(id, "/")
	sealed, err := w.Keys.SealString(seal.Purpose("coding", id), text)
	if err != nil {
		w.TB.Fatal(err)
	}
	status := analysis.StatusCoded
	if language != "en" {
		status = analysis.StatusOtherLanguage
	}
	doubt := int64(analysis.RankParts)
	for _, l := range labels {
		doubt = min(doubt, int64(math.Abs(l.Confidence-.5)*analysis.RankParts))
	}
	_, err = w.Store.UpdateCoding(w.TB.Context(), id, func(c *analysis.Coding) error {
		*c = analysis.Coding{ID: id, Version: c.Version, Response: response, Item: item, Stage: survey.StageReport, Language: language,
			Codebook: "1.0.0", Text: sealed, Labels: labels, Doubt: doubt, Status: status, CodedAt: w.Clock.Now(), ChangedAt: w.Clock.Now()}
		w.Analysis.Place(c)
		return nil
	})
	if err != nil {
		w.TB.Fatal(err)
	}
	return id
}

func label(text, code, polarity, words string, confidence float64) analysis.Label {
	at := strings.Index(text, words)
	return analysis.Label{Code: code, Polarity: polarity, Start: at, End: at + len(words), Confidence: confidence}
}

func batch(w *roomtest.World, who survey.Actor) []analysis.Coding {
	w.TB.Helper()
	cs, err := w.Analysis.Batch(w.TB.Context(), who, false)
	if err != nil {
		w.TB.Fatal(err)
	}
	return cs
}

func drawn(cs []analysis.Coding) map[string]int {
	n := map[string]int{}
	for _, c := range cs {
		n[c.Draw.How]++
	}
	return n
}

func coding(w *roomtest.World, id string) analysis.Coding {
	w.TB.Helper()
	c, err := w.Store.Store.Coding(w.TB.Context(), id)
	if err != nil {
		w.TB.Fatal(err)
	}
	return c
}

func trail(w *roomtest.World, action string) (subjects []string) {
	w.TB.Helper()
	for e, err := range w.Audit.All(w.TB.Context(), 1) {
		if err != nil {
			w.TB.Fatal(err)
		}
		if e.Action == action {
			subjects = append(subjects, e.Actor+" "+e.Subject)
		}
	}
	return subjects
}

const kind = "The officer was kind, but nobody rang me back – not once."

func fill(w *roomtest.World, random, open int) {
	w.TB.Helper()
	for i := range random {
		text := kind + strings.Repeat(".", i)
		read(w, true, "en", text, label(text, "RES_MANNER", "positive", "kind", .9))
	}
	for i := range open {
		text := kind + " " + strings.Repeat("!", i)
		read(w, false, "en", text, label(text, "RES_MANNER", "positive", "kind", .5+float64(i)/100))
	}
}

// TestBatch: half nearest to the threshold, a fifth the most novel, three tenths random.
func TestBatch(t *testing.T) {
	w := roomtest.New(t)
	fill(w, 12, 30)
	newest := "Probation keeps ringing at midnight about paperwork, solicitors, translators and childcare."
	w.Clock.Pass(time.Minute)
	novel := read(w, false, "en", newest)
	b := batch(w, ines)
	if got, want := drawn(b), map[string]int{"threshold": 5, "novel": 2, "random": 3}; !reflect.DeepEqual(got, want) {
		t.Fatalf("drawn %v, want %v", got, want)
	}
	if !slices.ContainsFunc(b, func(c analysis.Coding) bool { return c.ID == novel && c.Draw.How == "novel" }) {
		t.Error("the text that is like no other is not among the novel ones")
	}
	var ranks []int64
	for _, c := range b {
		switch c.Draw.How {
		case "threshold":
			if c.Labels[0].Confidence > .6 {
				t.Errorf("a text that the coder is sure of is drawn as unsure: %v", c.Labels)
			}
		case "random":
			ranks = append(ranks, w.Analysis.Rank(c.ID))
			if !w.Analysis.InRandomStream(c.ID) {
				t.Error("drawn at random, and not of the random stream")
			}
		}
		if c.Draw.How != "random" && w.Analysis.InRandomStream(c.ID) {
			t.Errorf("a text of the random stream is drawn as %s", c.Draw.How)
		}
	}
	// The random ones are those with the lowest ranks of all.
	waiting, err := w.Store.CodingsQueued(t.Context(), analysis.QueueRandom, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range waiting {
		if got := slices.Contains(ranks, w.Analysis.Rank(waiting[i].ID)); got != (i < 3) {
			t.Errorf("random text %d in the order of ranks: drawn %v", i, got)
		}
	}
	// The same person asks again: the same batch. Another gets others.
	if again := batch(w, ines); len(again) != len(b) {
		t.Errorf("%d and then %d", len(b), len(again))
	}
	for _, c := range batch(w, omar) {
		if slices.ContainsFunc(b, func(o analysis.Coding) bool { return o.ID == c.ID }) {
			t.Errorf("%s is with two people", c.ID)
		}
	}
	// What nobody did anything with goes back by itself.
	w.Clock.Pass(analysis.DrawFor + time.Second)
	for _, c := range batch(w, cora) {
		if c.Draw.How == "random" && !slices.Contains(ranks, w.Analysis.Rank(c.ID)) {
			t.Error("a draw that ran out keeps the text away from others")
		}
	}
}

// TestBatchForMany: twenty people draw at once, and none gets what another has.
func TestBatchForMany(t *testing.T) {
	w := roomtest.New(t)
	fill(w, 20, 50)
	var mu sync.Mutex
	var wg sync.WaitGroup
	holders := map[string][]string{}
	for i := range 12 {
		who := survey.Actor{ID: fmt.Sprint("analyst", i), Role: "analyst"}
		wg.Go(func() {
			b, err := w.Analysis.Batch(context.WithoutCancel(t.Context()), who, false)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, c := range b {
				holders[c.ID] = append(holders[c.ID], who.ID)
			}
		})
	}
	wg.Wait()
	for id, who := range holders {
		if len(who) > 1 {
			t.Errorf("%s is with %v", id, who)
		}
	}
	if len(holders) < 50 {
		t.Errorf("%d texts drawn of 70, by twelve people", len(holders))
	}
}

// TestRandomStream: its size is what it says, and it depends on nothing but the id.
func TestRandomStream(t *testing.T) {
	w := roomtest.New(t)
	n := 0
	for i := range 20_000 {
		if w.Analysis.InRandomStream(fmt.Sprint("response", i, "/open.better")) {
			n++
		}
	}
	if share := float64(n) / 20_000; share < analysis.RandomShare-.015 || share > analysis.RandomShare+.015 { // over four standard errors
		t.Errorf("%.3f of texts are in the random stream, want %v", share, analysis.RandomShare)
	}
	before := w.Analysis.Rank("x/y")
	w.Restart()
	if w.Analysis.Rank("x/y") != before {
		t.Error("a rank changes with the process")
	}
}

func TestCorrect(t *testing.T) {
	w := roomtest.New(t)
	machine := label(kind, "RES_MANNER", "positive", "kind", .6)
	id := read(w, false, "en", kind, machine)
	b := batch(w, ines)
	if len(b) != 1 {
		t.Fatalf("%d drawn", len(b))
	}
	o, err := w.Analysis.Open(t.Context(), ines, id)
	if err != nil || o.Text != kind || o.Blind || len(o.Labels) != 1 {
		t.Fatalf("%+v %v", o, err)
	}
	if got := trail(w, "coding.read"); !slices.Equal(got, []string{"ines coding:" + id}) {
		t.Errorf("readings on record: %v", got)
	}
	_, err = w.Analysis.Open(t.Context(), omar, id)
	roomtest.Want(t, err, fault.NotFound, "another opens what is with somebody")
	_, err = w.Analysis.Correct(t.Context(), omar, id, o.Version, nil)
	roomtest.Want(t, err, fault.NotFound, "another corrects what is with somebody")

	w.Clock.Pass(time.Minute)
	labels := []analysis.Label{label(kind, "COM_CONTACT", "negative", "nobody rang me back", 0), machine}
	c, err := w.Analysis.Correct(t.Context(), ines, id, o.Version, labels)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Labels) != 2 || c.Labels[0].Code != "RES_MANNER" || c.Labels[1].By != "ines" || c.Draw.By != "" || c.Queue != analysis.QueueRead || !c.ChangedAt.Equal(w.Clock.Now()) {
		t.Errorf("%+v", c)
	}
	want := analysis.Reading{At: w.Clock.Now(), By: "ines", How: "threshold", Rank: w.Analysis.Rank(id), Codebook: "1.0.0", Before: []analysis.Label{machine}, After: c.Labels}
	if b[0].Draw.How == "novel" { // one text alone is both
		want.How = "novel"
	}
	if len(c.History) != 1 || !reflect.DeepEqual(c.History[0], want) {
		t.Errorf("history %+v\nwant %+v", c.History, want)
	}
	if !reflect.DeepEqual(c.Coder(), []analysis.Label{machine}) {
		t.Errorf("what the coder said is lost: %+v", c.Coder())
	}
	if got := trail(w, "coding.corrected"); len(got) != 1 {
		t.Errorf("corrections on record: %v", got)
	}

	// Sent twice by a double click: done once, on record once.
	if c2, err := w.Analysis.Correct(t.Context(), ines, id, o.Version, labels); err != nil || len(c2.History) != 1 {
		t.Errorf("%+v %v", c2.History, err)
	}
	// Somebody with the older version in their browser loses nothing and overwrites nothing.
	_, err = w.Analysis.Correct(t.Context(), omar, id, o.Version, nil)
	roomtest.Want(t, err, fault.Conflict, "an older version")
	// By hand, later, by another: the history grows and keeps what was.
	c, err = w.Analysis.Correct(t.Context(), omar, id, c.Version, nil)
	if err != nil || len(c.History) != 2 || c.History[1].How != analysis.ByHand || len(c.History[1].Before) != 2 || len(c.Labels) != 0 || !c.ByPeople() {
		t.Errorf("%+v %v", c, err)
	}
	if !reflect.DeepEqual(c.History[0], want) {
		t.Error("an earlier reading has changed")
	}
}

// TestTheUnsureComeFirst: what the coder would not say without a person is kept
// beside the text, brings it to the front of the queue, counts nowhere, is shown to
// whoever opens it, unless they are to code it afresh, and is gone once it is judged.
func TestTheUnsureComeFirst(t *testing.T) {
	w := roomtest.New(t)
	const surely, perhaps = "Nobody ever rang me back.", "They did not seem very bothered."
	sound, asked := stricter(t, "RES_SERIOUS", perhaps)
	if r := sound.Read(perhaps); len(r.Labels) > 0 || len(r.Unsure) == 0 || r.Doubt > sound.Read(surely).Doubt {
		t.Fatalf("it takes other examples: %+v", r)
	}
	ids := map[string]string{}
	for _, text := range []string{surely, perhaps} {
		for i, random := range []bool{false, true} {
			id := read(w, random, "en", text)
			if _, err := w.Store.UpdateCoding(t.Context(), id, func(c *analysis.Coding) error { c.Codebook = "0.9.0"; return nil }); err != nil {
				t.Fatal(err)
			}
			ids[fmt.Sprint(text, i)] = id
		}
	}
	if _, err := w.Store.UpdateCoderLog(t.Context(), "themes", func(l *analysis.CoderLog) error {
		l.Active = 1
		l.Versions = []analysis.CoderVersion{{Number: 1, Base: sound.Base(), Thresholds: []analysis.CoderThreshold{{Code: "RES_SERIOUS", Is: asked}}}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Pass(time.Minute)
	if _, err := w.Analysis.Recode(t.Context(), operator, false, func(int) {}); err != nil {
		t.Fatal(err)
	}
	open, err := w.Store.CodingsQueued(t.Context(), analysis.QueueOpen, 10)
	if err != nil || len(open) != 2 || open[0].ID != ids[perhaps+"0"] || len(open[0].Unsure) == 0 || len(open[0].Labels) != 0 || open[0].Doubt >= open[1].Doubt {
		t.Fatalf("%+v %v", open, err)
	}
	batch(w, ines)
	o, err := w.Analysis.Open(t.Context(), ines, ids[perhaps+"0"])
	if err != nil || o.Blind || len(o.Unsure) == 0 || o.Unsure[0].Code != "RES_SERIOUS" {
		t.Errorf("%+v %v", o, err)
	}
	if blind, err := w.Analysis.Open(t.Context(), ines, ids[perhaps+"1"]); err != nil || !blind.Blind || len(blind.Unsure) != 0 {
		t.Errorf("a text of the random stream: %+v %v", blind, err)
	}
	c, err := w.Analysis.Correct(t.Context(), ines, o.ID, o.Version, nil)
	if err != nil || len(c.Unsure) != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

// TestEmptiedByAPersonStaysEmpty: no label is a person's coding too, which the coder does not undo.
func TestEmptiedByAPersonStaysEmpty(t *testing.T) {
	w := roomtest.New(t)
	r, _ := spoken(w, 1, "en", said)
	code(w)
	id := codings(w, r.ID)[0].ID
	batch(w, ines)
	c := coding(w, id)
	if _, err := w.Analysis.Correct(t.Context(), ines, id, c.Version, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Analysis.Code(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if c = coding(w, id); len(c.Labels) != 0 || len(c.History) != 1 || len(c.Machine) == 0 {
		t.Errorf("%+v", c)
	}
	// Taken back: the tombstone keeps nothing of what people made of it.
	if err := w.Analysis.Forget(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if c = coding(w, id); len(c.History) != 0 || c.Machine != nil || c.Queue != "" {
		t.Errorf("%+v", c)
	}
	_, err := w.Analysis.Correct(t.Context(), ines, id, c.Version, nil)
	roomtest.Want(t, err, fault.NotFound, "a text that was taken back")
}

// TestCorrectAtOnce: of many with the same version one is kept, whole.
func TestCorrectAtOnce(t *testing.T) {
	w := roomtest.New(t)
	id := read(w, false, "en", kind)
	batch(w, ines)
	c, err := w.Analysis.Correct(t.Context(), ines, id, coding(w, id).Version, nil)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = w.Analysis.Correct(context.WithoutCancel(t.Context()), survey.Actor{ID: fmt.Sprint("a", i)}, id, c.Version, nil)
		})
	}
	wg.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		} else {
			roomtest.Want(t, err, fault.Conflict, "one who came later")
		}
	}
	if got := coding(w, id); kept != 1 || len(got.History) != 2 {
		t.Errorf("%d kept, %d in the history", kept, len(got.History))
	}
}

func TestLabelsAreHeldToTheRules(t *testing.T) {
	w := roomtest.New(t)
	id := read(w, false, "en", kind)
	batch(w, ines)
	good := label(kind, "COM_CONTACT", "negative", "nobody rang me back", 0)
	dash := strings.Index(kind, "–")
	for name, c := range map[string]struct {
		labels []analysis.Label
		field  string
	}{
		"a code there is not":   {[]analysis.Label{good, {Code: "COM_NOTHING", Polarity: "negative", Start: 0, End: 3}}, "labels[1]"},
		"no polarity":           {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "neutral", Start: 0, End: 3}}, "labels[0]"},
		"the same pair twice":   {[]analysis.Label{good, good}, "labels[1]"},
		"no words":              {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: 3, End: 3}}, "labels[0]"},
		"beyond the end":        {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: 3, End: len(kind) + 1}}, "labels[0]"},
		"before the beginning":  {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: -1, End: 4}}, "labels[0]"},
		"a letter cut in two":   {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: 3, End: dash + 1}}, "labels[0]"},
		"a letter cut in front": {[]analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: dash + 2, End: len(kind)}}, "labels[0]"},
	} {
		_, err := w.Analysis.Correct(t.Context(), ines, id, coding(w, id).Version, c.labels)
		roomtest.Want(t, err, fault.Invalid, name)
		if f := fault.FieldsOf(err); len(f) != 1 || f[0].Field != c.field {
			t.Errorf("%s: %v", name, f)
		}
	}
	both := good
	both.Polarity = "positive"
	if _, err := w.Analysis.Correct(t.Context(), ines, id, coding(w, id).Version, []analysis.Label{good, both}); err != nil {
		t.Errorf("one code in both polarities: %v", err)
	}
}

// TestSecondReading: a share of the random stream goes to a second person, who
// sees neither the coder's labels nor the first one's, and changes nothing in force.
func TestSecondReading(t *testing.T) {
	w := roomtest.New(t)
	const texts = 150 // whose are read twice is drawn with the installation's key: of so many some are, in any installation
	fill(w, texts, 0)
	first := 0
	for b := batch(w, ines); len(b) > 0; b = batch(w, ines) {
		for _, c := range b {
			o, err := w.Analysis.Open(t.Context(), ines, c.ID)
			if err != nil || !o.Blind || len(o.Labels) != 0 {
				t.Fatalf("a text of the random stream is shown with labels: %+v %v", o, err)
			}
			if _, err := w.Analysis.Correct(t.Context(), ines, c.ID, o.Version, []analysis.Label{label(kind, "RES_MANNER", "positive", "kind", 0)}); err != nil {
				t.Fatal(err)
			}
			first++
		}
	}
	if first != texts {
		t.Fatalf("%d read by the first person", first)
	}
	waiting, err := w.Store.CodingsQueued(t.Context(), analysis.QueueSecond, 100)
	if err != nil || len(waiting) == 0 || len(waiting) > texts/3 {
		t.Fatalf("%d wait for a second reading, %v", len(waiting), err)
	}
	_, err = w.Analysis.Open(t.Context(), omar, waiting[0].ID)
	roomtest.Want(t, err, fault.NotFound, "looking at the first reading before the second")
	b := batch(w, omar)
	if len(b) != 1 || b[0].Draw.How != "second" {
		t.Fatalf("%+v", b)
	}
	o, err := w.Analysis.Open(t.Context(), omar, b[0].ID)
	if err != nil || !o.Blind || len(o.Labels) != 0 || len(o.History) != 0 || len(o.Machine) != 0 {
		t.Fatalf("the second reader is not blind: %+v %v", o, err)
	}
	c, err := w.Analysis.Correct(t.Context(), omar, b[0].ID, o.Version, nil)
	if err != nil || len(c.History) != 2 || c.History[1].How != "second" || !c.History[1].Blind || len(c.History[1].After) != 0 || len(c.Labels) != 1 || c.Labels[0].By != "ines" || c.Queue != analysis.QueueDouble {
		t.Errorf("%+v %v", c, err)
	}
	got, err := w.Analysis.Agreement(t.Context())
	if err != nil || got.Texts != 1 || len(got.Apart) != 1 || got.Apart[0].ID != b[0].ID {
		t.Errorf("%+v %v", got, err)
	}
}

func TestPassedOver(t *testing.T) {
	w := roomtest.New(t)
	id := read(w, true, "cy", "Dim ond unwaith y ffoniodd neb fi.")
	if b := batch(w, ines); len(b) != 0 {
		t.Fatalf("a text in Welsh is among the others: %+v", b)
	}
	b, err := w.Analysis.Batch(t.Context(), ines, true)
	if err != nil || len(b) != 1 || b[0].Draw.How != "language" {
		t.Fatalf("%+v %v", b, err)
	}
	for range 2 {
		if err := w.Analysis.Pass(t.Context(), ines, id); err != nil {
			t.Fatal(err)
		}
	}
	if b, err = w.Analysis.Batch(t.Context(), ines, true); err != nil || len(b) != 0 {
		t.Errorf("passed over, and given again: %+v %v", b, err)
	}
	if b, err = w.Analysis.Batch(t.Context(), omar, true); err != nil || len(b) != 1 {
		t.Fatalf("not given to another: %+v %v", b, err)
	}
	c, err := w.Analysis.Correct(t.Context(), omar, id, b[0].Version, []analysis.Label{{Code: "COM_CONTACT", Polarity: "negative", Start: 0, End: 3}})
	if err != nil || c.Status != analysis.StatusCoded || c.History[0].How != "language" {
		t.Errorf("%+v %v", c, err)
	}
	roomtest.Want(t, w.Analysis.Pass(t.Context(), ines, "nothing/there"), fault.NotFound, "passing over what is not there")
}

// TestCorrectCrashes: what a crash cuts short is done by doing it again, once.
func TestCorrectCrashes(t *testing.T) {
	ids := map[*roomtest.World]string{}
	do := func(w *roomtest.World) error {
		b, err := w.Analysis.Batch(t.Context(), ines, false)
		if err != nil || len(b) == 0 {
			return errors.Join(err, errors.New("nothing drawn"))
		}
		_, err = w.Analysis.Correct(t.Context(), ines, b[0].ID, b[0].Version, nil)
		return err
	}
	roomtest.EachCrash(t, func(w *roomtest.World) { ids[w] = read(w, false, "en", kind) }, do, func(w *roomtest.World, crash string) {
		if c := coding(w, ids[w]); len(c.History) == 0 {
			if err := do(w); err != nil {
				t.Errorf("%s: %v", crash, err)
			}
		}
		if c := coding(w, ids[w]); len(c.History) != 1 || c.Draw.By != "" {
			t.Errorf("%s: %+v", crash, c)
		}
	})
}

// TestTheTraceComesFirst: where the record cannot be written nobody reads a text.
func TestTheTraceComesFirst(t *testing.T) {
	w := roomtest.New(t)
	id := read(w, false, "en", kind)
	batch(w, ines)
	w.Store.Fail(func(call string) error {
		if call == "InsertEntries" {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	if o, err := w.Analysis.Open(t.Context(), ines, id); err == nil || o.Text != "" {
		t.Errorf("read without a trace: %q %v", o.Text, err)
	}
	if _, err := w.Analysis.Correct(t.Context(), ines, id, coding(w, id).Version, nil); err == nil || len(coding(w, id).History) != 0 {
		t.Errorf("corrected without a trace: %v", err)
	}
}

// BenchmarkBatch draws from twenty thousand texts that wait.
func BenchmarkBatch(b *testing.B) {
	w := roomtest.New(b)
	const texts = 20_000
	for i := range texts {
		id := fmt.Sprintf("r%d/open.better", i)
		sealed, err := w.Keys.SealString(seal.Purpose("coding", id), fmt.Sprintf("%s Number %d.", kind, i))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Store.UpdateCoding(b.Context(), id, func(c *analysis.Coding) error {
			c.Text, c.Status, c.Labels, c.ChangedAt = sealed, analysis.StatusCoded, []analysis.Label{{Code: "RES_MANNER", Polarity: "positive", Confidence: float64(i%100) / 100}}, w.Clock.Now()
			w.Analysis.Place(c)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		n++
		if n%15 == 0 {
			w.Clock.Pass(analysis.DrawFor + time.Second) // all go back
		}
		if got, err := w.Analysis.Batch(b.Context(), survey.Actor{ID: fmt.Sprint("a", n)}, false); err != nil || len(got) != analysis.BatchSize {
			b.Fatalf("%d %v", len(got), err)
		}
	}
}
