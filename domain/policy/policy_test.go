package policy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/policy"
	"holdfast/domain/refund"
	"holdfast/domain/scenariotest"
)

var at = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func stream(category, id string) domain.Stream { return domain.Stream{Type: category, ID: id} }

// Every deadline that an aggregate may set leads to a flow: nothing waits for ever.
func TestEveryDeadlineHasAFlow(t *testing.T) {
	t.Parallel()
	commands := map[string]bool{}
	for _, a := range scenariotest.Aggregates() {
		for _, e := range a.Events {
			if a.Deadlines == nil {
				continue
			}
			for _, d := range a.Deadlines(stream(a.Category, "x"), e) {
				if !d.Cancel {
					commands[d.Command] = true
				}
			}
		}
	}
	require.Greater(t, len(commands), 8)
	// An erasure changes plain rows with its event, so the service handles it (Timers.Handle).
	require.True(t, commands[account.EraseCommand])
	delete(commands, account.EraseCommand)
	for command := range commands {
		f, ok := policy.Due(command, stream("any", "x"), at)
		assert.True(t, ok, command)
		assert.NotNil(t, f, command)
	}
	_, ok := policy.Due("funding.levitate", stream("any", "x"), at)
	assert.False(t, ok)
}

func TestAReactionIsTheSameForTheSameEvent(t *testing.T) {
	t.Parallel()
	usdc := money.Asset("USDC@8453")
	for name, c := range map[string]struct {
		stream domain.Stream
		event  domain.Event
		want   []string
	}{
		"a release nets what the seller owes":    {stream("escrow_hold", "h"), escrow.Released{Seller: "s", Net: money.Of(usdc, money.FromUint64(9))}, []string{"netting"}},
		"an outcome may empty the hold":          {stream("escrow_hold", "h"), escrow.DisputeSettled{}, []string{"close escrow"}},
		"a settled refund may empty the hold":    {stream("escrow_hold", "h"), escrow.RefundSettled{}, []string{"close escrow"}},
		"a lifted stop lets the release go on":   {stream("escrow_hold", "h"), escrow.ReleaseHoldLifted{}, []string{"resume release", "resume reserve"}},
		"an outcome may have no refund":          {stream("dispute", "d"), dispute.Resolved{}, []string{"netting", "close dispute"}},
		"a refund's end may end its dispute":     {stream("refund", "r"), refund.Confirmed{}, []string{"close dispute"}},
		"a failed refund is the buyer's credit":  {stream("refund", "r"), refund.Failed{}, []string{"close dispute"}},
		"what was paid of it goes back":          {stream("payment", "p"), payment.Expired{Partial: true, Hold: "h"}, []string{"refund part"}},
		"what review rejects is given back":      {stream("payment", "p"), payment.ReviewRejected{}, []string{"refund rejected"}},
		"nothing was paid":                       {stream("payment", "p"), payment.Expired{Hold: "h"}, nil},
		"what nobody reacts to leads to nothing": {stream("payment", "p"), payment.Paid{}, nil},
	} {
		var names []string
		for _, r := range policy.React(c.stream, c.event, "event-1", at) {
			names = append(names, r.Name)
		}
		assert.Equal(t, c.want, names, name)
		assert.Equal(t, policy.React(c.stream, c.event, "event-1", at), policy.React(c.stream, c.event, "event-1", at), name)
	}
}

func TestNettingIsPointlessWithoutADebt(t *testing.T) {
	t.Parallel()
	r := policy.React(stream("escrow_hold", "h"), escrow.Released{Seller: "s", Net: money.Of("A", money.FromUint64(1))}, "e", at)
	require.Len(t, r, 1)
	assert.Equal(t, &policy.Empty{Account: ledger.ReceivableSeller("s"), Asset: "A"}, r[0].Unless)
}

// nowhere is a log without any stream.
type nowhere struct{ err error }

func (n nowhere) Load(_ domain.Stream, initial any, _ func(any, domain.Event) any) (any, int64, error) {
	return initial, 0, n.err
}

// A reaction to something that is not there (any more) changes nothing and is no error; a log
// that cannot be read is one.
func TestFlowsFindNothingToDo(t *testing.T) {
	t.Parallel()
	i := domain.Issue{By: domain.Machine(domain.Process, "test"), At: at}
	broken := errors.New("broken")
	for _, f := range []policy.Flow{
		policy.CloseEscrow{Issue: i, Hold: "h"},
		policy.ResumeRelease{Issue: i, Hold: "h"},
		policy.RefundPart{Issue: i, Hold: "h", Refund: "r"},
		policy.RefundRejected{Issue: i, Payment: "p", Refund: "r"},
		policy.CloseDispute{Issue: i, Dispute: "d"},
		policy.CloseDispute{Issue: i, Refund: "r"},
	} {
		u := domain.NewUnit(nowhere{})
		answer, err := f.Run(u)
		require.NoError(t, err, "%T", f)
		assert.Equal(t, policy.Answer{}, answer, "%T", f)
		assert.False(t, u.Writes(), "%T", f)
		_, err = f.Run(domain.NewUnit(nowhere{broken}))
		assert.ErrorIs(t, err, broken, "%T", f)
	}
}
