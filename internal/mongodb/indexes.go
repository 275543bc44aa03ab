package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// schemaKnown is the schema of this program. It goes up when older programs can
// no longer work on what newer ones write; an index alone does not raise it.
const schemaKnown = 1

// # Indexes and shards
//
// The indexes are made at every start; making one that is there does nothing.
//
// On a sharded cluster the collections that grow with the cases (events, cases,
// contacts, links, sittings, responses, codings, messages, audit) are sharded by
// a hash of _id:
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
// refusals, alerts, actions, subscribers, publications, meta) are not to be
// sharded: a collection that is not lives whole on one shard of the cluster, and
// there a unique index holds. Sharding users would make start-up fail on it.
//
// No index is partial, since not every server that speaks the protocol has them.
func indexes() map[string][]mongo.IndexModel {
	return map[string][]mongo.IndexModel{
		"events":      {index("applied", "received_at", "_id")},
		"cases":       {index("respondent"), index("facts.advocate", "_id"), index("next_at", "_id"), index("changed_at", "_id")},
		"links":       {index("expires_at")},
		"sittings":    {index("expires_at")},
		"responses":   {index("respondent", "_id"), index("receipt"), index("changed_at", "_id"), index("follow_up", "changed_at", "_id"), index("uncoded", "changed_at", "_id"), index("state", "closes_at", "_id")},
		"codings":     {index("response", "_id"), index("changed_at", "_id")},
		"alerts":      {index("due_at", "_id"), index("state", "due_at", "_id"), index("advocate", "due_at", "_id")},
		"messages":    {index("mail_id"), index("state", "due_at", "_id"), index("state", "lease_until")},
		"users":       {unique("email_key")},
		"sessions":    {index("user_id"), index("expires_at")},
		"staff_links": {index("user_id"), index("expires_at")},
		"throttles":   {index("last_at")},
	}
}

func index(fields ...string) mongo.IndexModel {
	return mongo.IndexModel{Keys: ascending(fields...)}
}

func unique(field string) mongo.IndexModel {
	return mongo.IndexModel{Keys: ascending(field), Options: options.Index().SetUnique(true)}
}

// ascending is an order by these fields, for an index or a sort.
func ascending(fields ...string) bson.D {
	d := make(bson.D, len(fields))
	for i, f := range fields {
		d[i] = bson.E{Key: f, Value: 1}
	}
	return d
}

func (s *Store) makeIndexes(ctx context.Context) error {
	for name, models := range indexes() {
		if _, err := s.db.Collection(name).Indexes().CreateMany(ctx, models); err != nil {
			return fail(ctx, err, "make the indexes of %s", name)
		}
	}
	return nil
}
