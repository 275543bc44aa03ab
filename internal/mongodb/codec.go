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
// It is the first in all but a foreign server's documents.
func rename(raw bson.Raw, from, to string) (bson.Raw, error) {
	const head = 4 // the document's length stands before its first element
	elements, err := raw.Elements()
	if err != nil {
		return nil, err
	}
	at, end := -1, head
	for _, e := range elements {
		if at < 0 && e.Key() == from {
			at = end
		}
		end += len(e)
	}
	end++ // the byte that ends a document
	if at < 0 || end > len(raw) {
		return nil, fmt.Errorf("a document without %s", from)
	}
	out := make(bson.Raw, 0, end+len(to)-len(from))
	out = append(out, raw[:at+1]...) // up to the element's type
	out = append(out, to...)
	out = append(out, raw[at+1+len(from):end]...)
	binary.LittleEndian.PutUint32(out, uint32(len(out))) //nolint:gosec // G115: a document is far below 4 GB
	return out, nil
}
