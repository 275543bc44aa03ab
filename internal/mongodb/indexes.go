package mongodb

import (
	"context"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// schemaKnown is the schema of this program. It goes up when older programs can
// no longer work on what newer ones write; an index alone does not raise it.
// 2: a program of 1 would take answers back and leave what the person told about
// themselves.
const schemaKnown = 2

// indexTimeout is how long making the indexes may take: on a database that has
// many documents already, an index that a new release brings takes minutes.
const indexTimeout = 30 * time.Minute

// # Indexes and shards
//
// The indexes are made at every start; making one that is there does nothing.
//
// On a sharded cluster the collections that grow with the cases (events, cases,
// contacts, links, sittings, responses, abouts, codings, messages, audit) are
// sharded by a hash of _id:
//
//	sh.shardCollection("victimvoice.cases", {_id: "hashed"})
//
// Every write names one _id, so it goes to one shard; a query by any other field
// asks every shard, which the due, outbox and figures loops can afford.
//
// A sharded collection can hold nothing but its shard key unique (a hashed _id
// counts: equal ids meet on one shard). So whatever must be unique is unique by
// its _id: an event by its pseudonym, a case by (force, reference), a response by
// (respondent, stage, round, mode), a message by what it is for, an audit entry
// by its place in the chain. cases.respondent and messages.mail_id are derived
// from the same keys as the _id and responses.receipt is a hash of a random code,
// so that their indexes find and need not guard.
//
// The one other thing that must be unique is a user's email_key. The small
// collections (users, sessions, staff_links, api_keys, throttles, leases,
// refusals, alerts, quotations, draft_codes, coder_logs, coder_models, advice_revisions, marks, open_tables, actions, subscribers, publications, meta) are not to be
// sharded: a collection that is not lives whole on one shard of the cluster, and
// there a unique index holds. Sharding users would make start-up fail on it.
//
// No index is partial, since not every server that speaks the protocol has them.
func indexes() []index {
	return []index{
		{of: "events", fields: []string{"applied", "received_at", "_id"}},
		{of: "cases", fields: []string{"respondent", "_id"}},
		{of: "cases", fields: []string{"facts.advocate", "_id"}},
		{of: "cases", fields: []string{"next_at", "_id"}},
		{of: "cases", fields: []string{"changed_at", "_id"}},
		{of: "links", fields: []string{"expires_at"}},
		{of: "sittings", fields: []string{"expires_at"}},
		{of: "responses", fields: []string{"respondent", "_id"}},
		{of: "responses", fields: []string{"receipt", "_id"}},
		{of: "responses", fields: []string{"changed_at", "_id"}},
		{of: "responses", fields: []string{"follow_up", "changed_at", "_id"}},
		{of: "responses", fields: []string{"uncoded", "changed_at", "_id"}},
		{of: "responses", fields: []string{"state", "closes_at", "_id"}},
		{of: "abouts", fields: []string{"changed_at", "_id"}},
		{of: "codings", fields: []string{"response", "_id"}},
		{of: "codings", fields: []string{"changed_at", "_id"}},
		{of: "codings", fields: []string{"queue", "order", "_id"}},
		{of: "codings", fields: []string{"queue", "changed_at", "_id"}},
		{of: "codings", fields: []string{"draw.by", "order", "_id"}},
		{of: "quotations", fields: []string{"state", "changed_at", "_id"}},
		{of: "alerts", fields: []string{"due_at", "_id"}},
		{of: "alerts", fields: []string{"state", "due_at", "_id"}},
		{of: "alerts", fields: []string{"advocate", "due_at", "_id"}},
		{of: "messages", fields: []string{"mail_id", "_id"}},
		{of: "messages", fields: []string{"state", "due_at", "_id"}},
		{of: "messages", fields: []string{"state", "lease_until"}},
		{of: "users", fields: []string{"email_key"}, unique: true},
		{of: "sessions", fields: []string{"user_id"}},
		{of: "sessions", fields: []string{"expires_at"}},
		{of: "staff_links", fields: []string{"user_id"}},
		{of: "staff_links", fields: []string{"expires_at"}},
		{of: "throttles", fields: []string{"last_at"}},
	}
}

// index is one index: ascending by its fields.
type index struct {
	of     string // the collection
	fields []string
	unique bool
}

// name is the name that the server itself would give.
func (i index) name() string { return strings.Join(i.fields, "_1_") + "_1" }

// ascending is an order by these fields, for an index or a sort.
func ascending(fields ...string) bson.D {
	d := make(bson.D, len(fields))
	for i, f := range fields {
		d[i] = bson.E{Key: f, Value: 1}
	}
	return d
}

// makeIndexes makes the indexes that are missing. Another process may be making
// the same ones: the server takes that for done.
func (s *Store) makeIndexes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, indexTimeout) // in place of one call's time
	defer cancel()
	there := make(map[string]map[string]bool) // collection → names
	for _, i := range indexes() {
		view := s.db.Collection(i.of).Indexes()
		if there[i.of] == nil {
			specs, err := view.ListSpecifications(ctx)
			if err != nil {
				return fail(ctx, err, "list the indexes of %s", i.of)
			}
			there[i.of] = make(map[string]bool)
			for _, spec := range specs {
				there[i.of][spec.Name] = true
			}
		}
		if there[i.of][i.name()] {
			continue
		}
		model := mongo.IndexModel{Keys: ascending(i.fields...), Options: options.Index().SetName(i.name())}
		if i.unique {
			model.Options.SetUnique(true)
		}
		if _, err := view.CreateOne(ctx, model); err != nil {
			return fail(ctx, err, "make the index %s of %s", i.name(), i.of)
		}
	}
	return nil
}
