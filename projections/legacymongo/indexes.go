package legacymongo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// theirs are the keys by which the old backend asks, in the order of an index; a minus is descending.
var theirs = map[string][]string{
	"users":                  {"email", "role createdAt-", "status"},
	"categories":             {"slug", "parentId order"},
	"purchaserequests":       {"buyerId createdAt-", "sellerId createdAt-", "status createdAt-", "categoryId status", "preferredSellerIds"},
	"selleroffers":           {"purchaseRequestId createdAt-", "sellerId createdAt-", "status createdAt-"},
	"payments":               {"purchaseRequestId", "sellerOfferId", "buyerId createdAt-", "sellerId createdAt-", "status createdAt-", "providerPaymentId", "transactionHash"},
	"fundsledgerentries":     {"paymentId createdAt", "escrowHoldId createdAt", "userId createdAt-"},
	"paymentquotes":          {"sellerOfferId", "buyerId createdAt-"},
	"confirmationthresholds": {"chainId"},
	"releaseholds":           {"purchaseRequestId status", "escrowHoldId status"},
	"escrowholds":            {"purchaseRequestId", "escrowState createdAt-"},
	"disputes":               {"purchaseRequestId", "buyerId createdAt-", "sellerId createdAt-", "resolverId status", "status createdAt-"},
	"trezoraccounts":         {"userId"},
	"deriveddestinations":    {"address", "paymentId", "status chainId"},
}

// ours are the columns by which our own queries ask, newest first.
var ours = map[string][]string{
	"purchaserequests":    {"buyer", "seller", "phase", "category", "invited", "hold"},
	"selleroffers":        {"request", "buyer", "seller"},
	"payments":            {"request", "hold", "buyer", "seller", "phase", "provider_request", "reference", "address", "txs"},
	"escrowholds":         {"request", "buyer", "seller", "phase"},
	"disputes":            {"request", "hold", "buyer", "seller", "phase", "resolver"},
	"deriveddestinations": {"payment", "phase"},
}

// Indexes are the keys of a collection's indexes beside that of _id. None is unique: the log knows
// what may be there once, and an index that refuses a document would only hide what the log says.
func (c Collection) Indexes() (all []bson.D) {
	for _, spec := range theirs[c.Name] {
		var keys bson.D
		for field := range strings.FieldsSeq(spec) {
			name, down := strings.CutSuffix(field, "-")
			keys = append(keys, bson.E{Key: name, Value: direction(down)})
		}
		all = append(all, keys)
	}
	if c.View == "" {
		return all
	}
	first := bson.E{Key: viewKey + ".first", Value: int32(-1)}
	all = append(all, bson.D{{Key: viewKey + ".id", Value: int32(1)}}, bson.D{first})
	for _, column := range ours[c.Name] {
		all = append(all, bson.D{{Key: path(column), Value: int32(1)}, first})
	}
	return all
}

func direction(down bool) int32 {
	if down {
		return -1
	}
	return 1
}

// Codes of a server that has an index of these keys, or of this name, with other options: the old
// backend's own.
const (
	indexOptionsConflict  = 85
	indexKeySpecsConflict = 86
)

// index makes what is missing of a collection's indexes. FerretDB keeps indexes and asks none: there
// they would only cost.
func (s *Store) index(ctx context.Context, c Collection) error {
	if err := s.acquainted(ctx); err != nil || s.kind.Load() == byID {
		return err
	}
	for _, keys := range c.Indexes() {
		_, err := s.db.Collection(c.Name).Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys})
		var said mongo.CommandError
		if errors.As(err, &said) && slices.Contains([]int32{indexOptionsConflict, indexKeySpecsConflict}, said.Code) {
			continue
		}
		if err != nil {
			return fail("index "+c.Name, err)
		}
	}
	return nil
}

// KeepIndexes makes the indexes of the collections that are kept: at the start, and after a move of
// a domain. It returns when ctx ends.
func (s *Store) KeepIndexes(ctx context.Context) error {
	done := map[string]bool{}
	for {
		for _, c := range s.collections {
			if done[c.Name] || !s.modes.Of(c.Domain).Kept() || s.owners.Legacy(c.Domain) {
				continue
			}
			if err := s.index(ctx, c); err == nil {
				done[c.Name] = true
			} else if ctx.Err() == nil {
				s.log.Warn("the indexes of a legacy collection could not be made; it is tried again", "collection", c.Name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rowsEvery):
		}
	}
}
