package legacyfixture

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// batch is how many documents go to the server at once.
const batch = 500

// Mongo writes into a database. Collections that are there already are dropped.
type Mongo struct {
	DB *mongo.Database

	into    *mongo.Collection
	waiting []any
}

// Collection begins one, empty.
func (s *Mongo) Collection(ctx context.Context, name string) error {
	if err := s.Close(ctx); err != nil {
		return err
	}
	s.into = s.DB.Collection(name)
	if err := s.into.Drop(ctx); err != nil {
		return fmt.Errorf("drop what was there: %w", err)
	}
	return nil
}

// Write sends a document, with others.
func (s *Mongo) Write(ctx context.Context, doc bson.D) error {
	if s.waiting = append(s.waiting, doc); len(s.waiting) < batch {
		return nil
	}
	return s.Close(ctx)
}

// Close sends what waits.
func (s *Mongo) Close(ctx context.Context) error {
	if len(s.waiting) == 0 {
		return nil
	}
	_, err := s.into.InsertMany(ctx, s.waiting)
	s.waiting = s.waiting[:0]
	if err != nil {
		return fmt.Errorf("insert into %s: %w", s.into.Name(), err)
	}
	return nil
}
