package http_test

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

const usdt money.Asset = "eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955"

// process is a machine's issue, for what comes before a test begins.
func process() domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Process, "test"), At: time.Now().UTC()}
}

// do runs commands below HTTP.
func (w *world) do(run func(u *domain.Unit) error) {
	w.t.Helper()
	_, err := w.exec.Execute(context.Background(), eventstore.Metadata{Actor: process().By, CommandID: uuid.NewString(), Source: "job"}, nil,
		func(u *domain.Unit) (any, error) { return struct{}{}, run(u) })
	require.NoError(w.t, err)
}

func (w *world) onHold(id domain.HoldID, commands ...domain.Command) {
	w.t.Helper()
	w.do(func(u *domain.Unit) error {
		for _, c := range commands {
			if _, err := domain.Do(u, escrow.Decider, string(id), c); err != nil {
				return err
			}
		}
		return nil
	})
}

// earn gives a seller a released order of so many units; the money is the platform's own
// discount, so no chain is needed.
func (w *world) earn(seller domain.UserID, units uint64) domain.HoldID {
	w.t.Helper()
	id := w.funded(w.users.named("buyer").ID, seller, units)
	w.onHold(id, escrow.MarkReleasable{Issue: process(), Cause: "test"}, escrow.Release{Issue: process()})
	return id
}

// funded makes a funded hold.
func (w *world) funded(buyer, seller domain.UserID, units uint64) domain.HoldID {
	w.t.Helper()
	id := domain.HoldID(uuid.NewString())
	due := money.Of(usdt, money.FromUint64(units))
	w.onHold(id,
		escrow.Open{Issue: process(), Hold: id, Request: domain.RequestID(uuid.NewString()), Offer: domain.OfferID(uuid.NewString()), Buyer: buyer, Seller: seller, Due: due},
		escrow.FundDiscount{Issue: process(), Amount: due, Redemption: "test"})
	return id
}

// wallets gives everybody one verified wallet on every chain.
type wallets struct{ cooling time.Time }

func (v wallets) OfUser(_ context.Context, u domain.UserID, id string) (apihttp.Wallet, bool, error) {
	w := v.wallet(u)
	return w, id == w.ID, nil
}

func (v wallets) Default(_ context.Context, u domain.UserID, _ uint64) (apihttp.Wallet, bool, error) {
	return v.wallet(u), true, nil
}

func (v wallets) wallet(u domain.UserID) apihttp.Wallet {
	return apihttp.Wallet{ID: "wallet-" + string(u), ChainID: 56, Address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", Verified: true, CoolingUntil: v.cooling, Screening: "clean"}
}

// policy is the shortest policy that lets everything happen.
type policy struct{ approvals int }

func (p policy) Terms(money.Asset) apihttp.Terms {
	return apihttp.Terms{
		Escrow: escrow.Terms{FeeBPS: 250, Inspection: time.Hour, DisputeWindow: time.Hour}, Dispute: disputeTerms(),
		PaymentExpiry: time.Hour, PayoutApprovals: p.approvals, CodeLife: time.Hour,
	}
}

// settlement gives the id of a dispute's open proposal.
func (w *world) settlement(path string) string {
	w.t.Helper()
	s, _, err := eventstore.State(context.Background(), w.exec, dispute.Decider, path[len(disputesPath)+1:])
	require.NoError(w.t, err)
	require.NotNil(w.t, s.Settlement)
	return s.Settlement.ID
}
