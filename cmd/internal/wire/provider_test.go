package wire

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/adapters/requestnetwork/rndouble"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/eventstore/postgres/pgtest"
	apihttp "holdfast/http"
)

const payee = "0x6923831ACf5c327260D7ac7C9DfF5b1c3cB3C7D7"

var due = money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(100_000_000))

// atProvider is a provider over its double and rows of a database.
func atProvider(t *testing.T) (provider, *rndouble.Double) {
	t.Helper()
	double, err := rndouble.Start(t.Context(), rndouble.Options{Chain: devchain.Network(), APIKey: "key"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, double.Close()) })
	registry, err := network.New(devchain.Network())
	require.NoError(t, err)
	client, err := requestnetwork.New(requestnetwork.Options{BaseURL: double.URL(), APIKey: "key", Registry: registry, Timeout: 2 * time.Second, PerSecond: 1000})
	require.NoError(t, err)
	return provider{client: client, chains: &Chains{Registry: registry}, rows: records.New(pgtest.New(t), 1).Provider}, double
}

func payIn() (domain.PaymentID, apihttp.PayIn) {
	return domain.PaymentID(uuid.NewString()), apihttp.PayIn{Destination: funding.Destination{Address: payee, Token: devchain.USDC, Chain: devchain.ChainID}}
}

func TestAnIntentIsMadeOnceAndComparedWithOurs(t *testing.T) {
	t.Parallel()
	p, double := atProvider(t)
	id, in := payIn()
	got, transactions, err := p.Intend(t.Context(), id, in, due, devchain.Payer(1))
	require.NoError(t, err)
	assert.Len(t, transactions, 2, "an approval and a payment")
	assert.Equal(t, funding.Intent{
		Provider: providerName, RequestID: double.Requests(string(id))[0], Reference: double.Reference(double.Requests(string(id))[0]), Topic: got.Intent.Topic,
		Proxy: devchain.Proxy, Destination: payee, Token: devchain.USDC, Amount: due,
	}, got.Intent)
	again, _, err := p.Intend(t.Context(), id, in, due, "")
	require.NoError(t, err)
	assert.Equal(t, got.Intent, again.Intent, "a retry takes up what was made")
	assert.Len(t, double.Requests(string(id)), 1)
	more := due
	more.Units = more.Units.Plus(money.FromUint64(1))
	_, _, err = p.Intend(t.Context(), id, in, more, "")
	assert.ErrorIs(t, err, requestnetwork.ErrMismatch)
}

// What the provider says to pay is somebody else's address, or another amount: nothing is shown
// to the buyer. When it says the right thing again, the same request goes on.
func TestAProviderThatLiesIsNotShown(t *testing.T) {
	t.Parallel()
	p, double := atProvider(t)
	for name, lie := range map[string]func(*rndouble.Behaviour){
		"payee":  func(b *rndouble.Behaviour) { b.WrongPayee = devchain.Payer(2) },
		"amount": func(b *rndouble.Behaviour) { b.WrongAmount = money.FromUint64(7) },
	} {
		id, in := payIn()
		double.Behave(lie)
		_, transactions, err := p.Intend(t.Context(), id, in, due, "")
		assert.ErrorIs(t, err, requestnetwork.ErrMismatch, name)
		assert.Empty(t, transactions)
		double.Behave(func(b *rndouble.Behaviour) { *b = rndouble.Behaviour{} })
		_, _, err = p.Intend(t.Context(), id, in, due, "")
		require.NoError(t, err)
		assert.Len(t, double.Requests(string(id)), 1, name)
	}
}

// Faults 2 and 19: an answer that was lost, HTML, 429. The caller hears PROVIDER_UNAVAILABLE, and
// what may have been made without anybody knowing is listed.
func TestAnAnswerThatWasLostIsRemembered(t *testing.T) {
	t.Parallel()
	p, double := atProvider(t)
	id, in := payIn()
	double.Behave(func(b *rndouble.Behaviour) { b.Lost = 1 })
	_, _, err := p.Intend(t.Context(), id, in, due, "")
	require.ErrorIs(t, err, requestnetwork.ErrUnavailable)
	row, ok, err := p.rows.Get(t.Context(), id)
	require.NoError(t, err)
	assert.True(t, ok && row.RequestID == "" && row.Asks == 1, "%+v", row)
	got, _, err := p.Intend(t.Context(), id, in, due, "")
	require.NoError(t, err)
	assert.Len(t, double.Requests(string(id)), 2, "nobody has paid the first, so the provider cannot name it")
	assert.Contains(t, double.Requests(string(id)), got.Intent.RequestID)

	lost, in2 := payIn()
	double.Behave(func(b *rndouble.Behaviour) { b.HTML = 1 })
	_, _, err = p.Intend(t.Context(), lost, in2, due, "")
	require.ErrorIs(t, err, requestnetwork.ErrUnavailable)
	unused, err := p.rows.Unused(t.Context(), 0, 10)
	require.NoError(t, err)
	assert.Len(t, unused, 2, "neither payment was opened")
}

// Twenty calls for one payment at the same time leave one answer, which all of them use.
func TestCallsAtTheSameTimeAgree(t *testing.T) {
	t.Parallel()
	p, _ := atProvider(t)
	id, in := payIn()
	answers := make(chan string, 20)
	for range cap(answers) {
		go func() {
			got, _, err := p.Intend(context.WithoutCancel(t.Context()), id, in, due, "")
			if err != nil && !errors.Is(err, requestnetwork.ErrUnavailable) {
				t.Error(err)
			}
			answers <- got.Intent.RequestID
		}()
	}
	first := ""
	for range cap(answers) {
		if id := <-answers; id != "" && first == "" {
			first = id
		} else if id != "" {
			assert.Equal(t, first, id)
		}
	}
	assert.NotEmpty(t, first)
}

// Pages that poll the status do not use the provider's budget up.
func TestAViewIsKeptForAWhile(t *testing.T) {
	t.Parallel()
	p, double := atProvider(t)
	id, in := payIn()
	got, _, err := p.Intend(t.Context(), id, in, due, "")
	require.NoError(t, err)
	before := double.Calls()["GET request"]
	for range 5 {
		v, err := p.View(t.Context(), id, got.Intent.RequestID)
		require.NoError(t, err)
		assert.Equal(t, got.Intent.Reference, v.Reference)
		assert.False(t, v.Paid)
	}
	assert.Equal(t, before+1, double.Calls()["GET request"])
}
