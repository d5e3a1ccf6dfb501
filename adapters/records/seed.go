package records

import (
	"context"
	"fmt"
	"strings"

	"holdfast/domain"
)

// DemoPassword is the password of every seeded user. Development only: a service that seeds
// can be entered by anybody who has read this line.
const DemoPassword = "holdfast-demo-1"

// The people of a development database. Their ids never change, so that scripts may name them.
const (
	Admin1    domain.UserID = "00000000-0000-4000-8000-00000000a001"
	Admin2    domain.UserID = "00000000-0000-4000-8000-00000000a002"
	Buyer1    domain.UserID = "00000000-0000-4000-8000-00000000b001"
	Buyer2    domain.UserID = "00000000-0000-4000-8000-00000000b002"
	Seller1   domain.UserID = "00000000-0000-4000-8000-00000000c001"
	Seller2   domain.UserID = "00000000-0000-4000-8000-00000000c002"
	Resolver1 domain.UserID = "00000000-0000-4000-8000-00000000d001"
	Resolver2 domain.UserID = "00000000-0000-4000-8000-00000000d002"
	Guard1    domain.UserID = "00000000-0000-4000-8000-00000000e001"
)

var people = []struct {
	id   domain.UserID
	name string
	role domain.Capacity
}{
	{Admin1, "admin", domain.Admin},
	{Admin2, "admin2", domain.Admin},
	{Buyer1, "buyer", domain.Buyer},
	{Buyer2, "buyer2", domain.Buyer},
	{Seller1, "seller", domain.Seller},
	{Seller2, "seller2", domain.Seller},
	{Resolver1, "resolver", domain.Resolver},
	{Resolver2, "resolver2", domain.Resolver},
	{Guard1, "guard", domain.Guard},
}

var shelves = []Category{
	{ID: "00000000-0000-4000-8000-000000000c01", Name: "Electronics", Slug: "electronics", Active: true},
	{ID: "00000000-0000-4000-8000-000000000c02", Name: "Fashion", Slug: "fashion", Active: true},
	{ID: "00000000-0000-4000-8000-000000000c03", Name: "Home and garden", Slug: "home-and-garden", Active: true},
	{ID: "00000000-0000-4000-8000-000000000c04", Name: "Digital goods", Slug: "digital-goods", Active: true},
	{ID: "00000000-0000-4000-8000-000000000c05", Name: "Services", Slug: "services", Active: true},
	{ID: "00000000-0000-4000-8000-000000000c06", Name: "Retired shelf", Slug: "retired-shelf", Active: false},
}

// OtherWallet is the id of a seeded user's second wallet on a chain.
func OtherWallet(u domain.UserID, chain uint64) string {
	return domain.DeriveID(fmt.Sprintf("%s/%d/other", u, chain), "seeded-wallet")
}

// Seeded lists the development users.
func Seeded() []User {
	var all []User
	for _, p := range people {
		all = append(all, User{
			ID: p.id, Email: p.name + "@holdfast.test", Name: strings.ToUpper(p.name[:1]) + p.name[1:],
			Roles: []domain.Capacity{p.role}, Status: "active", Verified: true,
		})
	}
	return all
}

// Seed makes the development users <name>@holdfast.test (admin, admin2, buyer, buyer2, seller,
// seller2, resolver, resolver2, guard) with DemoPassword, categories, and a verified wallet
// without cooling for each user named in wallets (by the part before the @) on a chain; "buyer/other"
// is a second one of the buyer.
// What is there already stays as it is, so that seeding at every start is safe.
func (r *Records) Seed(ctx context.Context, chain uint64, wallets map[string]string) error {
	hash, err := r.Users.hasher.Hash(ctx, DemoPassword)
	if err != nil {
		return err
	}
	for _, p := range people {
		title := strings.ToUpper(p.name[:1]) + p.name[1:]
		if _, err := r.Users.pool.Exec(ctx, `INSERT INTO users (id, email, name, roles, password_hash, registered_method, email_verified_at)
			VALUES ($1, $2, $3, $4, $5, 'seed', clock_timestamp()) ON CONFLICT DO NOTHING`,
			string(p.id), p.name+"@holdfast.test", title, []string{string(p.role)}, hash); err != nil {
			return fmt.Errorf("seed %s: %w", p.name, failed("create a user", err))
		}
		if address := wallets[p.name+"/other"]; address != "" { // first, so that the usual one is the newest
			w := Wallet{ID: OtherWallet(p.id, chain), ChainID: chain, Address: address, Screening: "clean"}
			if err := r.Wallets.Add(ctx, p.id, w, 0); err != nil {
				return fmt.Errorf("seed %s's other wallet: %w", p.name, err)
			}
		}
		if address := wallets[p.name]; address != "" {
			w := Wallet{ID: domain.DeriveID(fmt.Sprintf("%s/%d", p.id, chain), "seeded-wallet"), ChainID: chain, Address: address, Screening: "clean"}
			if err := r.Wallets.Add(ctx, p.id, w, 0); err != nil {
				return fmt.Errorf("seed %s's wallet: %w", p.name, err)
			}
		}
	}
	for i, c := range shelves {
		if _, err := r.Users.pool.Exec(ctx, `INSERT INTO categories (id, name, slug, position, active) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			c.ID, c.Name, c.Slug, i, c.Active); err != nil {
			return fmt.Errorf("seed category %s: %w", c.Name, failed("put a category", err))
		}
	}
	return nil
}
