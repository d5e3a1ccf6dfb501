package reactors

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/sweepplan"
)

// withSafe is a chain on which the treasury is a Safe: its nonce, and the transaction in which it
// carried out what it was asked for.
type withSafe struct {
	*evm.Client
	nonce uint64
	by    string
}

func (c *withSafe) SafeNonce(context.Context, string) (uint64, error) { return c.nonce, nil }

func (c *withSafe) ExecutedBy(context.Context, string, string, uint64) (string, error) {
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
			plan.Sweeps[0].Proposal = &sweepplan.Proposal{Safe: devchain.Treasury, Chain: devchain.ChainID, Nonce: 4, SafeTxHash: "0x01"}
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
			}
			w.follow(f, 6, 3)
			assert.Equal(t, c.confirmed, w.count("destination.sweep_confirmed", ""))
			assert.Equal(t, c.lost, w.count("destination.sweep_lost", ""))
			assert.Equal(t, w.got(b.address), w.balance(ledger.Derived(w.payment(b.payment).Destination), usdc))
			w.verified()
		})
	}
}
