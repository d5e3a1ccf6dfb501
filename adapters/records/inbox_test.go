package records_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/eventstore/postgres/pgtest"
)

// TestDeliveriesThatComeTogetherAreEachStored: two processes, many at once, each delivery three
// times, and some that the database refuses: those alone fail.
func TestDeliveriesThatComeTogetherAreEachStored(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	boxes := []*records.Inbox{records.NewInbox(pool), records.NewInbox(pool)}
	const each = 100
	var all sync.WaitGroup
	for n := range 3 * each {
		all.Go(func() {
			d := records.Delivery{Source: "rn", ID: fmt.Sprint("d", n%each), Body: fmt.Appendf(nil, `{"n":%d}`, n%each), ReceivedAt: time.Now(), Event: "e", RequestID: fmt.Sprint(n % each)}
			if n%each == 0 {
				d.Body = nil
			}
			assert.NoError(t, boxes[n%2].Store(t.Context(), d))
		})
		if n%20 == 0 {
			all.Go(func() {
				bad := records.Delivery{Source: "rn", ID: fmt.Sprint("bad", n), Body: []byte("{}"), ReceivedAt: time.Now(), Event: "no\x00text"}
				assert.Error(t, boxes[n%2].Store(t.Context(), bad))
			})
		}
	}
	all.Wait()
	rows, err := boxes[0].List(t.Context(), records.DeliveryFilter{}, 10*each)
	require.NoError(t, err)
	require.Len(t, rows, each)
	for _, row := range rows {
		assert.Equal(t, 3, row.Copies, row.Delivery)
		assert.Equal(t, records.Received, row.Status)
	}
	waiting, _, err := boxes[0].Waiting(t.Context())
	require.NoError(t, err)
	assert.Equal(t, each, waiting)

	taken, err := boxes[0].Take(t.Context(), each, time.Minute)
	require.NoError(t, err)
	require.Len(t, taken, each)
	for i, d := range taken {
		all.Go(func() {
			status := []string{records.Done, records.Parked, records.Rejected}[i%3]
			assert.NoError(t, boxes[i%2].Finish(t.Context(), d.Row, status, fmt.Sprint("because of ", d.Row)))
		})
	}
	all.Wait()
	rows, err = boxes[0].List(t.Context(), records.DeliveryFilter{}, each)
	require.NoError(t, err)
	for _, row := range rows {
		assert.NotEqual(t, records.Received, row.Status)
		assert.Equal(t, "because of "+row.ID, row.Error)
	}
}

// A delivery that was answered with success is on disk, whatever happens to the others.
func TestADeliveryIsOnlyKnownWhenItIsStored(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box := records.NewInbox(pool)
	pool.Close()
	err := box.Store(t.Context(), records.Delivery{Source: "rn", ID: "d", Body: []byte("{}"), ReceivedAt: time.Now()})
	require.ErrorIs(t, err, records.ErrUnavailable)
}
