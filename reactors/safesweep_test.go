package reactors

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/projections/sweepview"
)

// withSafe is a chain on which the treasury is a Safe: its nonce, and the transaction in which it
// carried out what it was asked for, in a block of it.
type withSafe struct {
	*evm.Client
	nonce uint64
	by    string
	at    uint64
	froms []uint64 // from where it was searched
	// failed is a transaction that the chain has, and in which the Safe carried nothing out.
	failed string
}

func (c *withSafe) Fetched(ctx context.Context, t outgoing.Transfer, tx string) (network.Outcome, error) {
	if c.failed != "" && outgoing.SameAddress(tx, c.failed) {
		return network.Outcome{State: network.Failed, Block: 1, Depth: 100, Safe: true, Finalized: true}, nil
	}
	return c.Client.Fetched(ctx, t, tx)
}

func (c *withSafe) SafeNonce(context.Context, string) (uint64, error) { return c.nonce, nil }

func (c *withSafe) ExecutedBy(_ context.Context, _, _ string, from uint64) (string, error) {
	c.froms = append(c.froms, from)
	if c.at < from {
		return "", nil
	}
	return c.by, nil
}

// fetch moves the tokens of a plan's sweep as a Safe's execution would, in any transaction.
func (w *world) fetch(plan sweepplan.Planned) (hash string) {
	w.t.Helper()
	i := plan.Sweeps[0].Instruction
	t := i.Transfer
	var err error
	t.Nonce, err = w.client.NextNonce(w.t.Context(), t.From)
	require.NoError(w.t, err)
	u, err := w.client.Build(w.t.Context(), t)
	require.NoError(w.t, err)
	raw, err := w.signer.Sign(evm.DestinationPath(plan.Sweeps[0].Index), u)
	require.NoError(w.t, err)
	hash, err = w.client.Send(w.t.Context(), raw)
	require.NoError(w.t, err)
	w.chain.Mine(1)
	return hash
}

// The chain undoes a Safe's sweep. The derived address sends something else meanwhile, which says
// nothing: the owners may execute the same proposal in any transaction, as long as the Safe's own
// nonce is unused.
func TestASafesSweepIsJudgedByTheSafe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		again           bool // the owners execute it once more
		confirmed, lost int
	}{
		"executed in another transaction":     {true, 2, 0},
		"the Safe did something else instead": {false, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			b := w.paid(1000)
			w.gives(2, b.address, tenth)
			p := w.planner()
			plan := w.plan(p)
			require.Empty(t, plan.TopUps)
			plan.Sweeps[0].Proposal = &sweepplan.Proposal{Safe: devchain.Treasury, Chain: devchain.ChainID, Nonce: 4, SafeTxHash: "0x01", Block: w.chain.Head()}
			plan = plan.Named(sweepplan.ID(uuid.NewString()))
			w.do(funding.PlanSweeps{Issue: w.by(asAdmin), Plan: plan})
			safe := &withSafe{Client: w.client, nonce: 5}
			f := w.follower(safe)
			block := w.chain.Head() + 1
			hash := w.fetch(plan)
			w.do(funding.ExecuteSweep{Issue: w.by(asAdmin), Plan: plan.Plan, Sweep: plan.Sweeps[0].ID, Tx: hash})
			w.follow(f, 4, 2)
			require.Equal(t, 1, w.count("destination.sweep_confirmed", ""))
			assert.Zero(t, w.count("treasury.network_fee_incurred", ""), "the owners paid")

			require.NoError(t, w.chain.Reorg(int(w.chain.Head()-block)+1, true))
			safe.nonce = 4
			w.burnt(plan.Sweeps[0].Index, b.address, 0)
			w.follow(f, 6, 3)
			require.Equal(t, 1, w.count("destination.sweep_reorged", ""))
			assert.Zero(t, w.count("destination.sweep_lost", ""), "the address's own nonce says nothing")

			safe.nonce = 5
			if c.again {
				safe.by = w.fetch(plan)
				safe.at = w.chain.Head()
			}
			w.follow(f, 6, 3)
			assert.Equal(t, c.confirmed, w.count("destination.sweep_confirmed", ""))
			if c.again {
				assert.Equal(t, []string{hash, safe.by}, w.confirmedIn(plan.Sweeps[0].ID), "each with the transaction of its block")
			}
			assert.Equal(t, c.lost, w.count("destination.sweep_lost", ""))
			assert.Equal(t, w.got(b.address), w.balance(ledger.Derived(w.payment(b.payment).Destination), usdc))
			w.verified()
		})
	}
}

// confirmedIn gives the transactions that a sweep was confirmed in, oldest first; the last of them is
// the one that is shown.
func (w *world) confirmedIn(sweep domain.SweepID) (txs []string) {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `SELECT data ->> 'tx' FROM events WHERE type = 'destination.sweep_confirmed' AND data ->> 'sweep' = $1 ORDER BY position`, string(sweep))
	require.NoError(w.t, err)
	txs, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	w.caughtUp()
	row, err := sweepview.New(w.pool).Get(w.t.Context(), sweep)
	require.NoError(w.t, err)
	require.Equal(w.t, txs[len(txs)-1], row.Tx)
	return txs
}

// The owners carry a sweep out in a transaction that nobody told us of, and we stand still for longer
// than any window below the head: it is found from the block at which it was proposed.
func TestASafesSweepIsFoundAfterALongStandStill(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	w.gives(2, b.address, tenth)
	plan := w.plan(w.planner())
	plan.Sweeps[0].Proposal = &sweepplan.Proposal{Safe: devchain.Treasury, Chain: devchain.ChainID, Nonce: 4, SafeTxHash: "0x01", Block: w.chain.Head()}
	plan = plan.Named(sweepplan.ID(uuid.NewString()))
	w.do(funding.PlanSweeps{Issue: w.by(asAdmin), Plan: plan})
	w.do(funding.ExecuteSweep{Issue: w.by(asAdmin), Plan: plan.Plan, Sweep: plan.Sweeps[0].ID, Tx: "0x" + strings.Repeat("ab", 32)})
	safe := &withSafe{Client: w.client, nonce: 5, by: w.fetch(plan)}
	safe.at = w.chain.Head()
	f := w.follower(safe)
	f.o.Reorg = 8 // so that the stand-still need not be longer
	w.chain.Mine(64)
	w.follow(f, 1, 2)
	assert.Equal(t, 1, w.count("destination.sweep_confirmed", ""))
	assert.Zero(t, w.count("destination.sweep_lost", "")+w.count("destination.sweep_failed", ""))
	assert.Equal(t, []string{safe.by}, w.confirmedIn(plan.Sweeps[0].ID))
	require.NotEmpty(t, safe.froms)
	assert.Less(t, safe.froms[0], safe.at)
	w.verified()
}

// The transaction that was recorded has failed on the chain, firmly, because the owners had carried the
// sweep out in another one just before: the money is there, so it did not fail. Without another one it did.
func TestASafesFailedTransactionDoesNotHideTheOther(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]bool{"another one did it": true, "no other one": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			b := w.paid(1000)
			w.gives(2, b.address, tenth)
			plan := w.plan(w.planner())
			plan.Sweeps[0].Proposal = &sweepplan.Proposal{Safe: devchain.Treasury, Chain: devchain.ChainID, Nonce: 4, SafeTxHash: "0x01", Block: w.chain.Head()}
			plan = plan.Named(sweepplan.ID(uuid.NewString()))
			w.do(funding.PlanSweeps{Issue: w.by(asAdmin), Plan: plan})
			safe := &withSafe{Client: w.client, nonce: 5, failed: "0x" + strings.Repeat("fa", 32)}
			w.do(funding.ExecuteSweep{Issue: w.by(asAdmin), Plan: plan.Plan, Sweep: plan.Sweeps[0].ID, Tx: safe.failed})
			if another {
				safe.by = w.fetch(plan)
				safe.at = w.chain.Head()
			}
			w.follow(w.follower(safe), 4, 2)
			if another {
				assert.Equal(t, []string{safe.by}, w.confirmedIn(plan.Sweeps[0].ID))
			}
			assert.Equal(t, another, w.count("destination.sweep_confirmed", "") == 1)
			assert.Equal(t, !another, w.count("destination.sweep_failed", "") == 1)
			w.verified()
		})
	}
}

// What was searched for a Safe's sweep and stands firmly is not searched again at every look.
func TestWhatStandsFirmlyIsSearchedOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	safe := &withSafe{Client: w.client}
	f := w.follower(safe)
	f.o.Reorg = 8
	w.chain.Mine(64)
	head := w.chain.Head()
	p := &sweepplan.Proposal{Safe: devchain.Treasury, SafeTxHash: "0x01", Block: head - 50}
	for range 2 {
		_, err := f.carriedOut(t.Context(), "w1", p)
		require.NoError(t, err)
	}
	margin := f.deepest + f.o.Reorg
	require.Equal(t, []uint64{p.Block - margin, head - margin}, safe.froms)
	f.broken(t.Context(), head-60, network.Head{Number: head})
	_, err := f.carriedOut(t.Context(), "w1", p)
	require.NoError(t, err)
	require.Equal(t, p.Block-margin, safe.froms[2], "after a deep reorganisation everything is")
}

// Allowance is what a Safe needs to be allowed.
func (c *withSafe) Allowance(context.Context, string, string, string) (money.Units, error) {
	return money.FromUint64(1000), nil
}

func TestAProposalKnowsWhenItWasMade(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	sweep := sweepplan.Sweep{Instruction: outgoing.Signable{Transfer: outgoing.Transfer{
		Chain: devchain.ChainID, From: "0x59c6995e998f97a5a0044966f0945389dc9e86da", To: devchain.Treasury, Token: devchain.USDC, Amount: money.Of(usdc, money.FromUint64(10)),
	}}}
	_, err := Safe{Propose: evm.Propose}.Arrange(t.Context(), &withSafe{Client: w.client, nonce: 4}, 0, &sweep)
	require.NoError(t, err)
	assert.Equal(t, w.chain.Head(), sweep.Proposal.Block)
	assert.EqualValues(t, 4, sweep.Proposal.Nonce)
}
