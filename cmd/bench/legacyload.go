package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"golang.org/x/sync/errgroup"

	"holdfast/cmd/internal/wire"
	"holdfast/domain"
	"holdfast/domain/order"
	"holdfast/domain/request"
	"holdfast/eventstore"
)

// statements of one bare update: FerretDB takes no more than about 100.
const statements = 50

// readAll reads a collection as fast as the server gives it.
func readAll(ctx context.Context, c *mongo.Collection) (docs []bson.Raw, perSecond float64, err error) {
	begin := time.Now()
	cursor, err := c.Find(ctx, bson.D{}, options.Find().SetBatchSize(500))
	if err != nil {
		return nil, 0, err
	}
	for cursor.Next(ctx) {
		docs = append(docs, slices.Clone(cursor.Current))
	}
	return docs, float64(len(docs)) / time.Since(begin).Seconds(), cursor.Err()
}

// upsert writes documents with nothing beside.
func upsert(ctx context.Context, c *mongo.Collection, docs []bson.Raw) error {
	for part := range slices.Chunk(docs, statements) {
		models := make([]mongo.WriteModel, len(part))
		for i, d := range part {
			models[i] = mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(d).SetFilter(bson.D{{Key: "_id", Value: d.Lookup("_id")}})
		}
		if _, err := c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false)); err != nil {
			return err
		}
	}
	return nil
}

// lookAndUpsert is what any writer must do that replaces nothing of somebody else's, on a server that
// cannot compare in the update.
func lookAndUpsert(ctx context.Context, c *mongo.Collection, docs []bson.Raw) error {
	cursor, err := c.Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "_src", Value: 1}, {Key: "_pos", Value: 1}}).SetBatchSize(500))
	if err != nil {
		return err
	}
	for cursor.Next(ctx) {
		if cursor.Current.Lookup("_src").StringValue() != "holdfast" {
			return fmt.Errorf("%s is not ours", cursor.Current.Lookup("_id"))
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	return upsert(ctx, c, docs)
}

// lagOfLegacy measures how far behind the slowest collection is at a steady pace of new requests.
func (b *bench) lagOfLegacy(ctx context.Context, core *wire.Core, l *wire.Legacy) error {
	var issued atomic.Int64
	start := time.Now()
	loading, cancel := context.WithTimeout(ctx, b.length)
	defer cancel()
	group, _ := errgroup.WithContext(ctx)
	for range 16 {
		group.Go(func() error {
			for {
				n := issued.Add(1)
				time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / paced)))
				if loading.Err() != nil {
					return ctx.Err()
				}
				if err := newRequest(ctx, core.Executor); err != nil {
					return err
				}
			}
		})
	}
	var lags []time.Duration
	for loading.Err() == nil {
		all, err := l.Runner.Status(ctx)
		if err != nil {
			return err
		}
		worst := time.Duration(0)
		for _, s := range all {
			worst = max(worst, s.Behind)
		}
		lags = append(lags, worst)
		time.Sleep(10 * time.Millisecond)
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("  lag at %d new requests/s, slowest collection: p50 %s, p99 %s   (wanted: p99 under 1 s)\n", paced, ms(quantile(lags, 0.5)), ms(quantile(lags, 0.99)))
	return settled(ctx, l.Runner, 2*time.Minute)
}

func newRequest(ctx context.Context, x *eventstore.Executor) error {
	buyer := domain.UserID(uuid.NewString())
	issue := domain.Issue{By: domain.User(buyer, domain.Buyer), At: time.Now().UTC()}
	flow := order.CreateRequest{Issue: issue, Request: domain.RequestID(uuid.NewString()), Buyer: buyer, Publish: true, Details: request.Details{
		Title: "A drill", Description: domain.About(buyer, "as good as new"), CategoryID: "tools", Urgency: "low", Quantity: 1, DeliveryType: "physical",
		Delivery: domain.About(buyer, "Elm Street 1"), Budget: request.Budget{Min: "1", Max: "2", Currency: "USD"},
	}}
	_, err := x.Execute(ctx, eventstore.Metadata{Actor: issue.By, CommandID: uuid.NewString(), Source: "api"}, nil, flow.Run)
	return err
}
