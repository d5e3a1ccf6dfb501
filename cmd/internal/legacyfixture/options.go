package legacyfixture

import (
	"errors"
	"time"
)

// Options say how big the database is and how dirty.
type Options struct {
	Seed       uint64
	Users      int
	Requests   int
	Offers     int
	Payments   int
	Dirt       float64 // of the documents, 0 … 0.5
	Decimal128 bool    // some amounts are of that type; FerretDB cannot store them
	// From is when the first account was made, To when the last document was written.
	From, To time.Time
}

// Full is the size that acceptance is measured with.
func Full() Options {
	return Options{
		Seed: 1, Users: 10_000, Requests: 50_000, Offers: 120_000, Payments: 40_000, Dirt: 0.01,
		From: time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC), To: time.Date(2026, 6, 3, 6, 30, 0, 0, time.UTC),
	}
}

// Small is Full in n parts per thousand, for tests.
func Small(perThousand int, seed uint64) Options {
	o := Full()
	o.Seed = seed
	for _, n := range []*int{&o.Users, &o.Requests, &o.Offers, &o.Payments} {
		*n = *n * perThousand / 1000
	}
	o.Users = max(o.Users, leastUsers)
	return o
}

// leastUsers are enough for one request with offers of different sellers.
const leastUsers = 100

// mostDocuments is where an ObjectId's counter ends, divided by what one payment takes of it.
const mostDocuments = 1 << 24 / slots

func (o Options) check() error {
	switch {
	case o.Users < leastUsers:
		return errors.New("at least 100 users: staff, buyers and sellers")
	case o.Requests < 0 || o.Offers < 0 || o.Payments < 0:
		return errors.New("sizes are not negative")
	case o.Payments > o.Requests || o.Payments > o.Offers:
		return errors.New("every payment needs a request and an offer of its own")
	case o.Requests == 0 && o.Offers > 0:
		return errors.New("offers need requests")
	case o.Offers > 20*o.Requests:
		return errors.New("at most 20 offers a request")
	case o.Payments > mostDocuments || o.Offers > 1<<24 || o.Requests > 1<<24 || o.Users > 1<<24:
		return errors.New("more documents than an ObjectId can count")
	case o.Dirt < 0 || o.Dirt > 0.5:
		return errors.New("dirt is a proportion, 0 … 0.5")
	case !o.From.Before(o.To.AddDate(0, -2, 0)):
		return errors.New("two months at least: orders take their time")
	}
	return nil
}
