package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// spec says how a type is kept.
type spec[T any] struct {
	name   string
	noun   string // for messages: "there is no such case"
	key    string // the JSON name of the field kept as _id; empty: id
	id     func(*T) *string
	vers   func(*T) *int64 // nil for a document that is never updated
	unique string          // a field besides _id that is unique; empty: none
}

// collection is one collection of documents: the generic core under every port.
type collection[T any] struct {
	spec[T]
	c    *mongo.Collection
	page int // documents a stream reads at once
}

func newCollection[T any](s *Store, sp spec[T]) *collection[T] {
	if sp.key == "" {
		sp.key = "id"
	}
	return &collection[T]{spec: sp, c: s.db.Collection(sp.name), page: s.page}
}

// where is a filter of equal fields: name, value, name, value …
func where(pairs ...any) bson.D {
	d := make(bson.D, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		d = append(d, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return d
}

// op is a comparison: {"$lt": value}.
func op(name string, value any) bson.D { return bson.D{{Key: name, Value: value}} }

// decode reads a stored document. What comes out is what any later read gives.
func (c *collection[T]) decode(raw bson.Raw) (T, error) {
	var doc T
	if err := decode(raw, c.key, &doc); err != nil {
		return doc, fmt.Errorf("mongodb: stored %s cannot be read: %w", c.noun, err)
	}
	return doc, nil
}

// encode gives a document as it is stored under a version.
func (c *collection[T]) encode(doc *T, version int64) (bson.Raw, error) {
	if c.vers != nil {
		*c.vers(doc) = version
	}
	raw, err := encode(doc, c.key)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %s cannot be stored: %w", c.noun, err)
	}
	return raw, nil
}

// raw reads one document by id; nil when there is none.
func (c *collection[T]) raw(ctx context.Context, id string) (bson.Raw, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	raw, err := c.c.FindOne(ctx, where("_id", id)).Raw()
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil, nil
	case err != nil:
		return nil, fail(ctx, err, "read %s", c.noun)
	}
	return raw, nil
}

func (c *collection[T]) get(ctx context.Context, id string) (T, error) {
	raw, err := c.raw(ctx, id)
	if err == nil && raw == nil {
		err = errNotFound(c.noun)
	}
	if err != nil {
		var none T
		return none, err
	}
	return c.decode(raw)
}

func (c *collection[T]) insert(ctx context.Context, doc T) error {
	raw, err := c.encode(&doc, 1)
	if err != nil {
		return err
	}
	_, err = c.c.InsertOne(ctx, raw)
	if mongo.IsDuplicateKeyError(err) {
		return errTaken(c.noun)
	}
	return fail(ctx, err, "insert %s", c.noun)
}

// update is the compare-and-swap under every Update method; see [survey.Store].
func (c *collection[T]) update(ctx context.Context, id string, fn func(*T) error) (T, error) {
	return c.swap(ctx, id, true, fn)
}

// swap reads, applies fn and writes where the version is still the one read, and
// begins again where it is not.
func (c *collection[T]) swap(ctx context.Context, id string, mayInsert bool, fn func(*T) error) (T, error) {
	var none T
	for range maxTries {
		old, err := c.raw(ctx, id)
		if err != nil {
			return none, err
		}
		read := func() (doc T, err error) {
			if old == nil {
				*c.id(&doc) = id
				return doc, nil
			}
			return c.decode(old)
		}
		if old == nil && !mayInsert {
			return none, errNotFound(c.noun)
		}
		doc, err := read()
		if err != nil {
			return none, err
		}
		version := *c.vers(&doc)
		if err := fn(&doc); err != nil {
			if errors.Is(err, survey.ErrUnchanged) {
				return read() // fn may have touched its copy all the same
			}
			return none, err
		}
		*c.id(&doc) = id
		raw, err := c.encode(&doc, version+1)
		if err != nil {
			return none, err
		}
		written, err := c.write(ctx, id, version, raw)
		if err != nil {
			return none, err
		}
		if written {
			return c.decode(raw)
		}
	}
	return none, fault.New(fault.Unavailable, "too many are changing this %s at once", c.noun)
}

// write puts a document in the place of the given version of it (0: none) and
// reports whether that was still there.
func (c *collection[T]) write(ctx context.Context, id string, version int64, raw bson.Raw) (bool, error) {
	if version > 0 {
		res, err := c.c.ReplaceOne(ctx, where("_id", id, "version", version), raw)
		if err != nil {
			return false, c.clash(ctx, id, raw, fail(ctx, err, "write %s", c.noun))
		}
		return res.MatchedCount == 1, nil
	}
	_, err := c.c.InsertOne(ctx, raw)
	if mongo.IsDuplicateKeyError(err) {
		return false, c.clash(ctx, id, raw, nil) // unless another clashes, the id was taken meanwhile
	}
	return err == nil, fail(ctx, err, "insert %s", c.noun)
}

// clash explains a write that failed with err: fault.Conflict when another
// document has the value of the unique field, else err. The index has decided;
// this only asks why, and not by the error, since not every server that speaks
// the protocol gives a broken index the same code.
func (c *collection[T]) clash(ctx context.Context, id string, raw bson.Raw, err error) error {
	if c.unique == "" || fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return err
	}
	others, findErr := c.list(ctx, where(c.unique, raw.Lookup(c.unique), "_id", op("$ne", id)), ascending("_id"), 1, "_id")
	if findErr != nil {
		return findErr
	}
	if len(others) > 0 {
		return &fault.Error{Kind: fault.Conflict, Message: "another " + c.noun + " has the same " + c.unique, Err: err}
	}
	return err
}

// delete removes one document; none is no error.
func (c *collection[T]) delete(ctx context.Context, id string) error {
	_, err := c.c.DeleteOne(ctx, where("_id", id))
	return fail(ctx, err, "delete %s", c.noun)
}

// take removes one document and gives it to the one caller who removed it.
func (c *collection[T]) take(ctx context.Context, id string) (T, error) {
	var none T
	doc, err := c.get(ctx, id)
	if err != nil {
		return none, err
	}
	res, err := c.c.DeleteOne(ctx, where("_id", id))
	switch {
	case err != nil:
		return none, fail(ctx, err, "take %s", c.noun)
	case res.DeletedCount == 0:
		return none, errNotFound(c.noun)
	}
	return doc, nil
}

// purge removes every document that meets the filter.
func (c *collection[T]) purge(ctx context.Context, filter bson.D) (int, error) {
	res, err := c.c.DeleteMany(ctx, filter)
	if err != nil {
		return 0, fail(ctx, err, "purge %s", c.name)
	}
	return int(res.DeletedCount), nil
}

// list reads the documents that meet a filter, in an order. A limit of 0 is none.
func (c *collection[T]) list(ctx context.Context, filter, sort bson.D, limit int, fields ...string) (docs []T, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opts := options.Find().SetSort(sort).SetLimit(int64(limit))
	if limit > 0 {
		opts.SetBatchSize(int32(min(limit, maxBatch)))
	}
	if len(fields) > 0 {
		opts.SetProjection(ascending(fields...))
	}
	cur, err := c.c.Find(ctx, filter, opts)
	if err != nil {
		return nil, fail(ctx, err, "query %s", c.name)
	}
	defer func() { _ = cur.Close(context.WithoutCancel(ctx)) }() // of no interest once all is read or failed
	for cur.Next(ctx) {
		doc, err := c.decode(cur.Current)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	if err := cur.Err(); err != nil {
		return nil, fail(ctx, err, "query %s", c.name)
	}
	return docs, nil
}

// upTo is list for a limit that a caller gave: none at all when it is not above 0.
func (c *collection[T]) upTo(ctx context.Context, limit int, filter, sort bson.D, fields ...string) ([]T, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	return c.list(ctx, filter, sort, limit, fields...)
}

// count counts the documents that meet the filter, by the plain command; the
// driver's CountDocuments is a pipeline.
func (c *collection[T]) count(ctx context.Context, filter bson.D) (int, error) {
	var reply struct {
		N int `bson:"n"`
	}
	err := c.c.Database().RunCommand(ctx, where("count", c.name, "query", filter)).Decode(&reply)
	return reply.N, fail(ctx, err, "count %s", c.name)
}

// first is the first document of a query; fault.NotFound when there is none.
func (c *collection[T]) first(ctx context.Context, filter, sort bson.D) (T, error) {
	docs, err := c.list(ctx, filter, sort, 1)
	if err == nil && len(docs) == 0 {
		err = errNotFound(c.noun)
	}
	if err != nil {
		var none T
		return none, err
	}
	return docs[0], nil
}

// changedSince streams the documents with changed_at at or after since that meet
// the filter, in order of (changed_at, _id).
//
// A page is two plain queries, each a range of one index: the rest of the last
// document's millisecond, then what is later. No cursor stays open between two
// pages, however long the caller takes. A document that is changed during the
// walk moves ahead of it and is met again; none that stays is missed.
func (c *collection[T]) changedSince(ctx context.Context, since time.Time, filter bson.D, changedAt func(*T) time.Time, fields ...string) iter.Seq2[T, error] {
	and := func(more ...bson.E) bson.D { return append(filter[:len(filter):len(filter)], more...) }
	order := ascending("changed_at", "_id")
	return stream(ctx, c.page, func() func() ([]T, error) {
		later := op("$gte", since)
		var last *T
		return func() (page []T, err error) {
			if last != nil {
				at := changedAt(last)
				page, err = c.list(ctx, and(bson.E{Key: "changed_at", Value: at}, bson.E{Key: "_id", Value: op("$gt", *c.id(last))}),
					ascending("_id"), c.page, fields...)
				if err != nil {
					return nil, err
				}
				later = op("$gt", at)
			}
			if room := c.page - len(page); room > 0 {
				rest, err := c.list(ctx, and(bson.E{Key: "changed_at", Value: later}), order, room, fields...)
				if err != nil {
					return nil, err
				}
				page = append(page, rest...)
			}
			if len(page) > 0 {
				last = &page[len(page)-1]
			}
			return page, nil
		}
	})
}

// byID streams the documents that meet the filter in order of _id.
func (c *collection[T]) byID(ctx context.Context, filter bson.D) iter.Seq2[T, error] {
	return stream(ctx, c.page, func() func() ([]T, error) {
		id := ""
		return func() ([]T, error) {
			page, err := c.list(ctx, append(filter[:len(filter):len(filter)], bson.E{Key: "_id", Value: op("$gt", id)}), ascending("_id"), c.page)
			if len(page) > 0 {
				id = *c.id(&page[len(page)-1])
			}
			return page, err
		}
	})
}

// stream yields page after page, up to the first that is not full. start begins
// the walk anew for each range over it.
func stream[T any](ctx context.Context, size int, start func() (next func() ([]T, error))) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		next := start()
		for {
			page, err := next()
			if err != nil {
				yield(none, err)
				return
			}
			for _, doc := range page {
				if err := ctx.Err(); err != nil {
					yield(none, err)
					return
				}
				if !yield(doc, nil) {
					return
				}
			}
			if len(page) < size {
				return
			}
		}
	}
}
