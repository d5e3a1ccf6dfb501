package wire

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/legacydb"
	legacy "holdfast/domain/migration"
	"holdfast/reactors/legacyfollow"
)

// oplog plays the change streams of a replica set beside a server that has none: what the old
// backend does there is told here, or not.
type oplog struct {
	legacyfollow.Source
	mu        sync.Mutex
	told      []legacy.Change
	forgotten int // tokens before are lost
}

func (o *oplog) tell(collection string, n int, whole bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := legacy.Change{Collection: collection, Whole: whole, At: time.Now().UTC()}
	if !whole {
		c.ObjectID = oid(n)
	}
	o.told = append(o.told, c)
}

func (o *oplog) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forgotten = len(o.told) + 1
	o.told = append(o.told, legacy.Change{}) // something that concerns nobody
}

func (o *oplog) Watch(_ context.Context, _ []string, after []byte) (legacyfollow.Changes, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := len(o.told)
	if len(after) > 0 {
		var err error
		if at, err = strconv.Atoi(string(after)); err != nil || at < o.forgotten {
			return nil, legacydb.ErrTokenLost
		}
	}
	return &played{o, at}, nil
}

type played struct {
	log *oplog
	at  int
}

func (p *played) Next(ctx context.Context, patience time.Duration) (legacy.Change, bool, error) {
	for until := time.Now().Add(patience); ; {
		p.log.mu.Lock()
		if p.at < len(p.log.told) {
			c := p.log.told[p.at]
			p.at++
			p.log.mu.Unlock()
			return c, true, nil
		}
		p.log.mu.Unlock()
		if !time.Now().Before(until) || ctx.Err() != nil {
			return legacy.Change{}, false, ctx.Err()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *played) Token() []byte               { return []byte(strconv.Itoa(p.at)) }
func (p *played) Close(context.Context) error { return nil }

func TestAStreamIsFollowed(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	log := &oplog{}
	how := Follow{Poll: 100 * time.Millisecond, Sweep: time.Hour, through: func(s legacyfollow.Source) legacyfollow.Source { log.Source = s; return log }}
	title := func(n int) string { s, _ := w.requestState(n); return s.Details.Title }
	swept := func() (n int64) {
		require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT COALESCE(sum(extract(epoch FROM swept_at) * 1000000), 0)::bigint FROM legacy_follow_collections`).Scan(&n))
		return n
	}
	token := func() string {
		var s string
		require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT COALESCE(convert_from(token, 'UTF8'), '') FROM legacy_follow`).Scan(&s))
		return s
	}
	w.insert("users", oldUser(1, "buyer"))
	w.insert("categories", oldCategory(11))
	w.insert("purchaserequests", oldRequest(21, 1, 11), oldRequest(22, 1, 11), oldRequest(23, 1, 11))
	stop := w.follow(how)
	w.until("what was there, and a token", func() bool { return title(23) != "" && token() == "0" })
	first := swept()

	// What is not told is not looked at; what is told is, as it stands.
	w.set("purchaserequests", oldID(21), true, field("title", "not told"))
	w.set("purchaserequests", oldID(22), true, field("title", "old"))
	w.set("purchaserequests", oldID(22), false, field("title", "told"))
	log.tell("purchaserequests", 22, false)
	log.tell("purchaserequests", 22, false)
	log.tell("chats", 22, false)
	w.until("the told one", func() bool { return title(22) == "told" && token() == "3" })
	assert.Equal(t, "A lamp, number 21", title(21))
	_, version := w.requestState(22)
	assert.EqualValues(t, 2, version, "one change, however often it is told")
	w.remove("purchaserequests", oldID(23))
	log.tell("purchaserequests", 23, false)
	w.until("the loss", func() bool { _, lost := w.gaps()["missing "+oid(23)]; return lost })

	// Away, and back: it goes on after the token, without a look at every document.
	stop()
	w.set("purchaserequests", oldID(22), true, field("title", "while away"))
	log.tell("purchaserequests", 22, false)
	stop = w.follow(how)
	w.until("what was told meanwhile", func() bool { return title(22) == "while away" })
	assert.Equal(t, first, swept())
	assert.Equal(t, "A lamp, number 21", title(21))

	// Away too long: the server has forgotten, so every document is looked at.
	stop()
	log.forget()
	w.follow(how)
	w.until("the one that was never told", func() bool { return title(21) == "not told" })
	w.until("a token that is good", func() bool { return token() == strconv.Itoa(len(log.told)) })
	assert.Greater(t, swept(), first)

	// A collection that is dropped while it is followed.
	require.NoError(t, w.db.Collection("purchaserequests").Drop(t.Context()))
	log.tell("purchaserequests", 0, true)
	w.until("the losses", func() bool {
		gaps := w.gaps()
		_, one := gaps["missing "+oid(21)]
		_, two := gaps["missing "+oid(22)]
		return one && two
	})
	_, version = w.requestState(21)
	assert.EqualValues(t, 2, version, "nothing is deleted here")
	var seen time.Time
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT min(seen_to) FROM legacy_follow_collections`).Scan(&seen))
	assert.WithinDuration(t, time.Now(), seen, 10*time.Second)
}

func TestOneFollowerWorksAtATime(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	w.insert("users", oldUser(1, "buyer"))
	stop := w.follow(quick)
	w.until("the first", func() bool { _, v := w.accountState(1); return v > 0 })
	held := func() (n int) {
		require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = hashtext('holdfast.legacy')::bigint & 4294967295 AND objid = hashtext('follow')::bigint & 4294967295`).Scan(&n))
		return n
	}
	assert.Equal(t, 1, held())
	w.follow(quick) // waits
	time.Sleep(5 * quick.Poll)
	assert.Equal(t, 1, held())
	stop()
	w.insert("users", oldUser(2, "buyer"))
	w.until("the second takes over", func() bool { _, v := w.accountState(2); return v > 0 })
	assert.Equal(t, 1, held())
}
