// Package mongodb keeps the service's documents in MongoDB: the storage ports of
// survey, analysis, loop, notifications, internal/access, internal/audit and
// internal/work on the official driver. It runs unchanged on a standalone
// server, a replica set and a sharded cluster, with any number of processes on
// one database.
//
// Each collection holds one type as a document of real BSON fields, named as in
// its JSON; only the id is called _id. Every write is an act on one document,
// held by its own filter: {_id, version}. There are no transactions, pipelines,
// positional updates or server-side expressions here, and no rule of any room.
package mongodb

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// Limits of the store.
const (
	defaultSelectTimeout    = 3 * time.Second  // to find a server that can take the call
	defaultOperationTimeout = 10 * time.Second // for one call, repeats included
	defaultPage             = 1000             // documents a stream reads at once
	maxBatch                = 1000             // documents in one reply of the server
	maxTries                = 1000             // lost compare-and-swaps before Update gives up
	staleAfter              = 4                // claims lost to others before the candidates are read again
	extraCandidates         = 64               // read beyond what is claimed, for those that others take first
)

// Options are the settings of a store; a zero value takes the default. What the
// URI says of the two timeouts (serverSelectionTimeoutMS, timeoutMS) is not
// looked at.
type Options struct {
	SelectTimeout    time.Duration // default 3 s
	OperationTimeout time.Duration // default 10 s
	PageRows         int           // how many documents a stream reads at once; default 1000
}

// Store implements every storage port but one on one MongoDB database;
// [Store.Access] gives the port of internal/access, whose links share their
// method names with the survey's. Safe for many goroutines and processes.
type Store struct {
	client *mongo.Client
	db     *mongo.Database
	page   int // documents a stream reads at once

	events          *collection[survey.EventRecord]
	cases           *collection[survey.Case]
	contacts        *collection[survey.ContactCard]
	refusals        *collection[survey.Refusal]
	links           *collection[survey.Link]
	sittings        *collection[survey.Sitting]
	responses       *collection[survey.Response]
	abouts          *collection[survey.About]
	codings         *collection[analysis.Coding]
	quotations      *collection[analysis.Quotation]
	draftCodes      *collection[analysis.DraftCode]
	coderModels     *collection[analysis.CoderModel]
	coderLogs       *collection[analysis.CoderLog]
	adviceRevisions *collection[analysis.AdviceRevision]
	openTables      *collection[analysis.OpenTable]
	marks           *collection[analysis.Mark]
	alerts          *collection[loop.Alert]
	actions         *collection[loop.Action]
	subscribers     *collection[loop.Subscriber]
	publications    *collection[loop.Publication]
	messages        *collection[notifications.Message]
	leases          *collection[work.Lease]
	users           *collection[access.User]
	sessions        *collection[access.Session]
	apiKeys         *collection[access.APIKey]
	staffLinks      *collection[access.Link]
	throttles       *collection[access.Throttle]
	audit           *collection[audit.Entry]
}

// Open connects to the database that the URI names in its path and makes the
// indexes. It is fault.Invalid when the URI cannot be read or names no database,
// fault.Unavailable when no server answers in time and fault.Conflict when a
// newer program wrote the schema. No error holds the URI, which may hold a password.
func Open(ctx context.Context, uri string, opts Options) (*Store, error) {
	name, err := databaseName(uri)
	if err != nil {
		return nil, err
	}
	if opts.SelectTimeout <= 0 {
		opts.SelectTimeout = defaultSelectTimeout
	}
	if opts.OperationTimeout <= 0 {
		opts.OperationTimeout = defaultOperationTimeout
	}
	if opts.PageRows <= 0 {
		opts.PageRows = defaultPage
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri).
		SetServerSelectionTimeout(opts.SelectTimeout).
		SetConnectTimeout(opts.SelectTimeout).
		SetTimeout(opts.OperationTimeout).
		// What we answered for must outlive the loss of a server, and what we decide
		// on must not be taken back: a version read from a primary that is then
		// rolled back could be given again to other content.
		SetWriteConcern(writeconcern.Majority()).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the MongoDB URI cannot be used; it reads mongodb://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS")
	}
	s := &Store{client: client, db: client.Database(name), page: opts.PageRows}
	s.collections()
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// Close ends the connections. Calls after it are fault.Unavailable.
func (s *Store) Close() error {
	err := s.client.Disconnect(context.Background())
	if errors.Is(err, mongo.ErrClientDisconnected) {
		return nil
	}
	return err
}

// Ping reports whether the database can be read and its schema is this program's.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.schemaVersion(ctx)
	return err
}

// databaseName gives the database that a URI names in its path.
func databaseName(uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || (scheme != "mongodb" && scheme != "mongodb+srv") {
		return "", fault.New(fault.Invalid, "the MongoDB URI begins with mongodb:// or mongodb+srv://")
	}
	rest, _, _ = strings.Cut(rest, "?")
	_, name, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(name)
	if err != nil || name == "" || len(name) > 63 || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return "", fault.New(fault.Invalid, "the MongoDB URI names the database in its path: mongodb://HOST:PORT/victimvoice")
	}
	return name, nil
}

// schema is the one document that says how far the database's schema has come.
type schema struct {
	ID      string `bson:"_id"`
	Version int    `bson:"version"`
}

const schemaID = "schema"

// schemaVersion reads the version, 0 for a new database, and refuses a newer one.
func (s *Store) schemaVersion(ctx context.Context) (int, error) {
	var doc schema
	err := s.db.Collection("meta").FindOne(ctx, bson.D{{Key: "_id", Value: schemaID}}).Decode(&doc)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return 0, fail(ctx, err, "read the schema version")
	}
	if doc.Version > schemaKnown {
		return 0, fault.New(fault.Conflict,
			"the database has schema %d and this program knows %d: run the newer release that wrote it", doc.Version, schemaKnown)
	}
	return doc.Version, nil
}

// prepare makes what the program needs of the database. Every part can be
// repeated, by several processes at once and after a crash.
func (s *Store) prepare(ctx context.Context) error {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if err := s.makeIndexes(ctx); err != nil {
		return err
	}
	if version == schemaKnown {
		return nil
	}
	meta := s.db.Collection("meta")
	if version == 0 {
		_, err = meta.InsertOne(ctx, schema{ID: schemaID, Version: schemaKnown})
		if mongo.IsDuplicateKeyError(err) { // another process was as quick
			_, err = s.schemaVersion(ctx)
		}
	} else {
		_, err = meta.UpdateOne(ctx, bson.D{{Key: "_id", Value: schemaID}, {Key: "version", Value: version}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: schemaKnown}}}})
	}
	return fail(ctx, err, "write the schema version")
}
