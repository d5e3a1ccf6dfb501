package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// The states of a claim.
const (
	ClaimPending  = "pending"  // looked at again later
	ClaimMatched  = "matched"  // everything it pays of the payment is confirmed
	ClaimMismatch = "mismatch" // mined, and it pays nothing of this payment
	ClaimReverted = "reverted" // mined, and it failed
	ClaimLost     = "lost"     // no node knew it for as long as we were patient
)

// ClaimLooks remembers how looking at claims goes. Losing it costs looks, not money.
type ClaimLooks interface {
	Looked(ctx context.Context, payment domain.PaymentID, tx, state, reason string, again time.Duration) error
}

// ClaimsOptions join the claims' worker; all but Patience and Log are required.
type ClaimsOptions struct {
	Chains    func() map[uint64]Chain // those there are at this moment
	Executor  *eventstore.Executor
	Watch     watchview.Queries
	Positions Positions
	Looks     ClaimLooks
	// Patience is how long a transaction that no node knows is looked for, a day when 0.
	Patience time.Duration
	Log      *slog.Logger
}

// Claims looks at the transactions that buyers claim to have paid with: at once, and again
// until they are final or given up. A claim moves nothing; what is found is recorded as if
// the scanner had found it.
type Claims struct {
	*loop
	o        ClaimsOptions
	deposits deposits
}

const claimBatch = 100

// NewClaims makes the worker.
func NewClaims(o ClaimsOptions) *Claims {
	o.Patience = orDefault(o.Patience, 24*time.Hour)
	c := &Claims{o: o}
	c.loop = newLoop("claims", 2*time.Second, o.Log, c.work)
	c.linger = 100 * time.Millisecond
	c.deposits = deposits{x: o.Executor, log: c.log}
	return c
}

func (c *Claims) work(ctx context.Context) (more bool, err error) {
	if err := catchUp(ctx, c.o.Executor.Store(), c.o.Positions); err != nil {
		return false, err
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	due, err := c.o.Watch.Claims(ctx, now, claimBatch)
	if err != nil {
		return false, err
	}
	c.detail("looked_at", len(due))
	err = each(due, func(claim watchview.Claim) error { return c.look(ctx, claim, now) })
	return err == nil && len(due) == claimBatch, err
}

// look looks at one claim and notes what it saw.
func (c *Claims) look(ctx context.Context, claim watchview.Claim, now time.Time) error {
	p := claim.Payment
	end := func(state, reason string, again time.Duration) error {
		return c.o.Looks.Looked(ctx, p.ID, claim.Tx, state, reason, again)
	}
	chain, ok := c.o.Chains()[p.Chain]
	if !ok {
		return end(ClaimPending, "CHAIN_NOT_CONFIGURED", claimPause(claim.Looks))
	}
	found, err := c.deposits.look(ctx, chain, p, claim.Tx, "claim", "claim:"+string(p.ID))
	switch {
	case err != nil && judge(err) == final:
		return end(ClaimMismatch, code(err), 0)
	case err != nil:
		// Noted all the same: the next round takes the others first.
		return errors.Join(fmt.Errorf("claim %s of %s: %w", claim.Tx, p.ID, err), end(ClaimPending, code(err), claimPause(claim.Looks)))
	}
	switch found {
	case lookedFound:
		return c.settled(ctx, chain, claim, end)
	case lookedReverted, lookedNothing:
		return c.refused(ctx, chain, claim, found, end)
	}
	if now.Sub(claim.Claimed) > c.o.Patience {
		return end(ClaimLost, "TX_NOT_FOUND", 0)
	}
	return end(ClaimPending, "TX_NOT_FOUND", claimPause(claim.Looks))
}

// settled ends a claim when everything that it pays is confirmed; the follower confirms, and
// watches for what a reorganisation may do to it until then.
func (c *Claims) settled(ctx context.Context, chain Chain, claim watchview.Claim, end func(state, reason string, again time.Duration) error) error {
	if firm, err := c.firm(ctx, chain, claim); err != nil || !firm {
		return errors.Join(err, end(ClaimPending, "NOT_CONFIRMED", claimPause(claim.Looks)))
	}
	s, _, err := eventstore.FreshState(ctx, c.o.Executor, payment.Decider, string(claim.Payment.ID))
	if err != nil {
		return err
	}
	for _, t := range s.Transfers {
		if t.Evidence.Tx == claim.Tx {
			return end(ClaimMatched, "", 0)
		}
	}
	return end(ClaimMismatch, "TX_MISMATCH", 0) // set aside: late, or in another token
}

// refused ends a claim on a transaction that pays nothing, once that is firm: another block
// might have mined it otherwise.
func (c *Claims) refused(ctx context.Context, chain Chain, claim watchview.Claim, found looked, end func(state, reason string, again time.Duration) error) error {
	state, reason := ClaimMismatch, "TX_MISMATCH"
	if found == lookedReverted {
		state, reason = ClaimReverted, "TX_REVERTED"
	}
	firm, err := c.firm(ctx, chain, claim)
	if err != nil || !firm {
		return errors.Join(err, end(ClaimPending, reason, claimPause(claim.Looks)))
	}
	return end(state, reason, 0)
}

// firm reports whether the transaction's block stands as firmly as the payment demands.
func (c *Claims) firm(ctx context.Context, chain Chain, claim watchview.Claim) (bool, error) {
	_, block, err := chain.Find(ctx, claim.Tx)
	if err != nil || block == (network.Mark{}) {
		return false, err
	}
	s, err := chain.Standing(ctx, block.Number, block.Hash)
	return s.Canonical && claim.Payment.Threshold.Reached(s.Depth, s.Safe, s.Finalized), err
}

// claimPause grows from a second to five minutes.
func claimPause(looks int) time.Duration {
	return min(time.Second<<min(looks, 12), 5*time.Minute)
}
