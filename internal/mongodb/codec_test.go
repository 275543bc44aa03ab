package mongodb

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"victimvoice/survey"
)

// TestStoredAs shows what the server is given: real BSON fields under the names
// of the JSON, the id as _id, dates as dates.
func TestStoredAs(t *testing.T) {
	at := time.Date(2026, 3, 29, 0, 30, 0, 123456789, time.FixedZone("BST", 3600))
	raw, err := encode(&survey.Response{ID: "r", Version: 3, Stage: survey.StageClosure, Packed: []byte{1}, ChangedAt: at, Quick: true}, "id")
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Validate(); err != nil {
		t.Fatal(err)
	}
	if first, err := raw.IndexErr(0); err != nil || first.Key() != "_id" || first.Value().StringValue() != "r" {
		t.Errorf("the first field is %v, %v", first, err)
	}
	for name, want := range map[string]bson.Type{
		"version": bson.TypeInt64, "stage": bson.TypeString, "packed": bson.TypeBinary, "changed_at": bson.TypeDateTime,
		"submitted_at": bson.TypeDateTime, "quick": bson.TypeBoolean, "ticks": bson.TypeEmbeddedDocument,
	} {
		if got := raw.Lookup(name).Type; got != want {
			t.Errorf("%s is a %v, want %v", name, got, want)
		}
	}
	if _, err := raw.LookupErr("id"); err == nil {
		t.Error("id is there beside _id")
	}
	if got := raw.Lookup("changed_at").Time().UTC(); !got.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("changed_at is %v", got)
	}
	var back survey.Response
	if err := decode(raw, "id", &back); err != nil {
		t.Fatal(err)
	}
	if !back.SubmittedAt.IsZero() || back.SubmittedAt != (time.Time{}) {
		t.Errorf("the zero time came back as %v", back.SubmittedAt)
	}
}

// TestForeignOrder reads a document whose server put _id elsewhere.
func TestForeignOrder(t *testing.T) {
	raw, err := bson.Marshal(bson.D{{Key: "version", Value: int64(2)}, {Key: "unknown", Value: bson.A{1}}, {Key: "_id", Value: "x"}, {Key: "case", Value: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	var l survey.Link
	if err := decode(raw, "id", &l); err != nil || !reflect.DeepEqual(l, survey.Link{ID: "x", Version: 2, Case: "c"}) {
		t.Errorf("%+v, %v", l, err)
	}
	nobody, err := bson.Marshal(bson.D{{Key: "id", Value: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(nobody, "id", &l); err == nil {
		t.Error("a document without _id was read")
	}
}

// FuzzRename renames the id of whatever is BSON there and back, and never panics.
func FuzzRename(f *testing.F) {
	for _, d := range []bson.D{{}, {{Key: "id", Value: "x"}}, {{Key: "a", Value: 1}, {Key: "id", Value: bson.D{{Key: "id", Value: 2}}}, {Key: "z", Value: "é"}}} {
		raw, err := bson.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = rename(data, "id", "_id") // must not panic, whatever it is given
		var d bson.D
		if bson.Unmarshal(data, &d) != nil {
			return
		}
		raw, err := bson.Marshal(d)
		if err != nil {
			return
		}
		stored, err := rename(raw, "id", "_id")
		if err != nil {
			return
		}
		if err := stored.Validate(); err != nil {
			t.Fatalf("renamed: %v", err)
		}
		if _, err := bson.Raw(raw).LookupErr("_id"); err == nil {
			return // it had both names
		}
		back, err := rename(stored, "_id", "id")
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("there and back: %v, %v, %v", raw, back, err)
		}
	})
}
