package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Drop removes the store's database over a connection of its own.
func (s *Store) Drop(ctx context.Context, uri string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	return errors.Join(client.Database(s.db.Name()).Drop(ctx), client.Disconnect(ctx))
}

// SetSchemaVersion writes the schema version that another release would have.
func (s *Store) SetSchemaVersion(ctx context.Context, version int) error {
	_, err := s.db.Collection("meta").UpdateOne(ctx, bson.D{{Key: "_id", Value: schemaID}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: version}}}})
	return err
}

// SchemaVersion reads the schema version that the database has.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) { return s.schemaVersion(ctx) }
