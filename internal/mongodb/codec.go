package mongodb

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// encode writes a document as BSON with the names of its JSON, except that the
// field called key, which must be its first, is written as _id.
func encode(doc any, key string) (bson.Raw, error) {
	var buf bytes.Buffer
	enc := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	enc.UseJSONStructTags()
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return rename(buf.Bytes(), key, "_id")
}

// decode reads what encode wrote. Times come back in UTC.
func decode(raw bson.Raw, key string, doc any) error {
	named, err := rename(raw, "_id", key) // always a copy: raw may be the driver's buffer
	if err != nil {
		return err
	}
	dec := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(named)))
	dec.UseJSONStructTags()
	return dec.Decode(doc)
}

// rename gives a copy of a document in which one top-level field has another name.
// The field is the first in all but a foreign server's documents, so that this is
// one comparison and two copies.
func rename(raw bson.Raw, from, to string) (bson.Raw, error) {
	const head = 4 // the document's length stands before its first element
	elements, err := raw.Elements()
	if err != nil {
		return nil, err
	}
	at := head
	for _, e := range elements {
		if e.Key() != from {
			at += len(e)
			continue
		}
		out := make(bson.Raw, 0, len(raw)+len(to)-len(from))
		out = append(out, raw[:at+1]...) // up to the element's type
		out = append(out, to...)
		out = append(out, raw[at+1+len(from):]...)
		binary.LittleEndian.PutUint32(out, uint32(len(out))) //nolint:gosec // G115: a document is far below 4 GB
		return out, nil
	}
	return nil, fmt.Errorf("a document without %s", from)
}
