package wire

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/request"
	"holdfast/eventstore"
)

// below carries domain commands out as one of our own processes.
func (w *town) below(run func(u *domain.Unit, i domain.Issue) error) {
	w.t.Helper()
	by := domain.Machine(domain.Process, "test")
	_, err := w.Executor.Execute(w.t.Context(), eventstore.Metadata{Actor: by, CommandID: uuid.NewString(), Source: "job"}, nil,
		func(u *domain.Unit) (any, error) {
			return struct{}{}, run(u, domain.Issue{By: by, At: time.Now().UTC()})
		})
	require.NoError(w.t, err)
}

func (w *town) onHold(id string, command func(domain.Issue) domain.Command) {
	w.t.Helper()
	w.below(func(u *domain.Unit, i domain.Issue) error {
		_, err := domain.Do(u, escrow.Decider, id, command(i))
		return err
	})
}

// marked is somebody whose every text is a marker, with an order that was contested and paid out.
type marked struct {
	*citizen
	email, password string
	order, hold     string
	markers         []string
}

func (w *town) marked(name string) *marked {
	w.t.Helper()
	admin := w.as("admin")
	m := &marked{email: "mark-" + name + "-mail@elsewhere.test", password: "holdfast-demo-1"}
	word := func(what string) string { return "Mark-" + name + "-" + what }
	made := admin.post("/api/user/admin/create", map[string]any{"email": m.email, "name": word("name"), "role": "buyer"})
	require.Equal(w.t, 201, made.status, made.raw)
	w.exec(`UPDATE users SET email_verified_at = clock_timestamp(), password_hash = (SELECT password_hash FROM users WHERE email = 'buyer@holdfast.test') WHERE email = $1`, m.email)
	m.citizen = w.with(m.email, m.password)
	ok := func(want int, a heard) heard { w.t.Helper(); require.Equal(w.t, want, a.status, a.raw); return a }
	again := ok(200, w.anybody().do("POST", "/api/auth/login", map[string]any{"email": m.email, "password": m.password}, "User-Agent", word("agent")))
	m.token = again.field("accessToken") // a fresh login may change its address: the code waits
	ok(202, m.post("/api/user/profile/email", map[string]any{"email": "pending-" + m.email}))
	ok(202, w.anybody().do("POST", "/api/auth/forgot-password", map[string]any{"email": m.email}))
	ok(200, m.do("PATCH", "/api/user/profile", map[string]any{"bio": word("bio"), "avatar": "https://" + strings.ToLower(word("avatar")) + ".test/a", "phone": "+4915155501234"}))
	address := place(word("street"))
	address["fullName"], address["label"], address["city"] = word("full-name"), word("label"), word("city")
	kept := ok(201, m.post("/api/address", address))
	ok(201, m.post("/api/user/seller-application", map[string]any{"shopName": word("shop"), "documents": []string{word("document")}}))
	asked := ok(201, m.post("/api/marketplace/requests", wished(map[string]any{
		"description": word("description"), "deliveryInfo": map[string]any{"deliveryType": "physical", "addressId": kept.field("id"), "email": "delivery-" + m.email},
	})))
	m.order = asked.field("request")
	w.deal(m, word)
	m.markers = []string{m.email, "delivery-" + m.email, "pending-" + m.email, "+4915155501234", strings.ToLower(word("avatar"))}
	for _, what := range []string{"name", "agent", "bio", "street", "full-name", "label", "city", "shop", "document", "description", "reason", "evidence", "statement"} {
		m.markers = append(m.markers, word(what))
	}
	ok(202, m.post("/api/user/data-export", nil))
	w.until("the export is made", func() bool { return m.get("/api/user/data-export").field("status") == "ready" })
	return m
}

// deal takes an offer, pays by the platform's own discount, contests and gives up.
func (w *town) deal(m *marked, word func(string) string) {
	w.t.Helper()
	seller := w.as("seller")
	ok := func(want int, a heard) heard { w.t.Helper(); require.Equal(w.t, want, a.status, a.raw); return a }
	offered := ok(201, seller.post("/api/marketplace/offers", offering(m.order, nil)))
	taken := ok(200, m.post("/api/marketplace/requests/"+m.order+"/select-offer", map[string]any{"offerId": offered.field("offer"), "revision": 1}))
	m.hold = taken.field("hold")
	w.onHold(m.hold, func(i domain.Issue) domain.Command {
		return escrow.FundDiscount{Issue: i, Amount: money.Of(usdc, money.MustUnits("80000000")), Redemption: "test"}
	})
	w.below(func(u *domain.Unit, i domain.Issue) error {
		_, err := domain.Do(u, request.Decider, m.order, request.SecurePayment{Issue: i, Hold: domain.HoldID(m.hold)})
		return err
	})
	dispute := "/api/disputes/" + ok(201, m.post("/api/disputes", map[string]any{"purchaseRequestId": m.order, "category": "not_as_described", "reason": word("reason")})).field("dispute")
	ok(201, m.post(dispute+"/evidence", map[string]any{"kind": "text", "text": word("evidence") + " " + word("statement")}))
	ok(200, m.post(dispute+"/withdraw", nil))
}

// settle pays the order out, so that nothing is open any more.
func (m *marked) settle() {
	w := m.w
	w.onHold(m.hold, func(i domain.Issue) domain.Command { return escrow.MarkReleasable{Issue: i, Cause: "test"} })
	w.onHold(m.hold, func(i domain.Issue) domain.Command { return escrow.Release{Issue: i} })
	w.below(func(u *domain.Unit, i domain.Issue) error {
		_, err := funding.CloseEscrow{Issue: i, Hold: domain.HoldID(m.hold)}.Run(u)
		return err
	})
	admin := w.as("admin")
	open := ""
	defer func() {
		if w.t.Failed() {
			w.t.Log(open)
		}
	}()
	w.until("nothing is open", func() bool {
		a := admin.get("/api/users/admin/" + m.id + "/dependencies")
		open = a.raw
		return a.field("none") == "true"
	})
}

// everything is every row of every table as text, and every value in Redis.
func (w *town) everything() string {
	w.t.Helper()
	rows, err := w.HTTP.Query(w.t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	require.NoError(w.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	require.Greater(w.t, len(tables), 40)
	var all strings.Builder
	for _, table := range tables {
		all.WriteString(w.cell(`SELECT coalesce(string_agg(t::text, E'\n'), '') FROM ` + table + ` t`))
	}
	all.WriteString(w.redis())
	return all.String()
}

func (w *town) redis() string {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Redis.Client
	keys, err := c.Keys(ctx, "*").Result()
	require.NoError(w.t, err)
	var all strings.Builder
	for _, k := range keys {
		dump, err := c.Dump(ctx, k).Result()
		require.NoError(w.t, err)
		all.WriteString(k + " " + dump + "\n")
	}
	return all.String()
}

// holds reports which of the markers a text holds, in the clear or as bytes in hex.
func holds(text string, markers []string) []string {
	var found []string
	lower := strings.ToLower(text)
	for _, m := range markers {
		if strings.Contains(lower, strings.ToLower(m)) || strings.Contains(lower, hex.EncodeToString([]byte(m))) {
			found = append(found, m)
		}
	}
	return found
}

func TestAfterErasureNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := settle(t, map[string]string{"ERASURE_DELAY": "0s"})
	m := w.marked("gone")
	stays := w.marked("stays")
	seller, admin := w.as("seller"), w.as("admin")
	before := seller.get("/api/marketplace/requests/" + m.order)
	require.Contains(t, before.raw, "Mark-gone-street", "the seller reads where to send it")

	// Not while money is there.
	w.untouched(func() {
		a := m.do("DELETE", "/api/auth/account", map[string]any{"password": m.password})
		require.Equal(t, 409, a.status, a.raw)
		require.Equal(t, "ACCOUNT_HAS_FUNDS", a.code)
		a = admin.post("/api/admin/users/"+m.id+"/erase", map[string]any{"now": true})
		require.Equal(t, "USER_HAS_DEPENDENCIES", a.code, a.raw)
		a = admin.do("DELETE", "/api/users/admin/"+m.id, nil)
		require.Equal(t, "USER_HAS_DEPENDENCIES", a.code, a.raw)
	})
	m.settle()
	w.untouched(func() {
		require.Equal(t, "INVALID_CREDENTIALS", m.do("DELETE", "/api/auth/account", map[string]any{"password": "not this one"}).code)
		require.Equal(t, "INVALID_CREDENTIALS", m.do("DELETE", "/api/auth/account", map[string]any{}).code)
	})
	balance := admin.get("/api/ledger/trial-balance").raw
	asked := m.do("DELETE", "/api/auth/account", map[string]any{"password": m.password})
	require.Equal(t, 202, asked.status, asked.raw)
	assert.NotEmpty(t, asked.field("due"))
	w.until("the timer has erased them", func() bool { return w.cell(`SELECT count(*)::text FROM erasures WHERE purged_at IS NOT NULL`) == "1" })
	w.until("the last letter is sent and forgotten", func() bool {
		return w.cell(`SELECT count(*)::text FROM mails WHERE template = 'account-erased'`) == "0"
	})

	assert.Empty(t, holds(w.everything(), m.markers))
	assert.Empty(t, holds(w.said.String(), append(m.markers, stays.markers...)), "logs never had it")
	assert.ElementsMatch(t, []string{stays.email, "Mark-stays-name", "Mark-stays-agent", "pending-" + stays.email}, holds(w.everything(), stays.markers), "of who stays, only what signing in reads is in the clear")
	after := seller.get("/api/marketplace/requests/" + m.order)
	require.Equal(t, 200, after.status, "the order is still there")
	assert.Empty(t, holds(after.raw, m.markers))
	assert.Equal(t, balance, admin.get("/api/ledger/trial-balance").raw, "not a cent has moved")
	w.proved()

	// The name is free again, and who comes back is somebody else.
	a := m.get("/api/user/profile")
	assert.Equal(t, 401, a.status)
	assert.Equal(t, 401, w.anybody().do("POST", "/api/auth/login", map[string]any{"email": m.email, "password": m.password}).status)
	again := admin.post("/api/user/admin/create", map[string]any{"email": m.email, "name": "Somebody else", "role": "buyer"})
	require.Equal(t, 201, again.status, again.raw)
	assert.NotEqual(t, m.id, again.field("id"))
	assert.Equal(t, "true", admin.post("/api/admin/users/"+m.id+"/erase", map[string]any{}).field("erased"), "a second time changes nothing")
	assert.Equal(t, "erased", admin.get("/api/user/admin/"+m.id).field("status"))
	assert.Equal(t, "Mark-stays-bio", stays.get("/api/user/profile").field("bio"))
}

// proved verifies the log, the ledger and every view.
func (w *town) proved() {
	w.t.Helper()
	report, err := w.VerifyLog(w.t.Context(), nil)
	require.NoError(w.t, err)
	require.Empty(w.t, report.Problems)
	for _, view := range ViewNames() {
		require.NoError(w.t, w.Runner.WaitFor(w.t.Context(), view, w.head()))
		_, err := w.Runner.Verify(w.t.Context(), view, nil)
		require.NoError(w.t, err, view)
	}
}

func TestComingBackTakesItBack(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin := w.as("admin")
	m := w.as("buyer2")
	a := m.do("DELETE", "/api/auth/account", map[string]any{"password": "holdfast-demo-1"})
	require.Equal(t, 202, a.status, a.raw)
	due, err := time.Parse(time.RFC3339, a.field("due"))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(14*24*time.Hour), due, time.Hour)
	assert.Equal(t, 401, m.get("/api/user/profile").status, "every session has ended")
	assert.NotEmpty(t, admin.get("/api/user/admin/"+m.id).field("erasureDue"))
	back := w.as("buyer2")
	assert.Empty(t, back.get("/api/user/profile").field("erasureDue"))
	assert.Empty(t, admin.get("/api/user/admin/"+m.id).field("erasureDue"))
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM timers WHERE command = $1 AND fired_at IS NULL`, account.EraseCommand))
}

// A process that dies between the event and the rest leaves the rest to the worker.
func TestAnErasureThatWasCutShort(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	m := w.as("buyer2")
	require.Equal(t, 200, m.do("PATCH", "/api/user/profile", map[string]any{"bio": "cut-short-marker"}).status)
	require.Equal(t, 202, m.post("/api/user/profile/email", map[string]any{"email": "cut-short@elsewhere.test"}).status)
	require.Equal(t, "1 true", w.cell(`SELECT (SELECT count(*) FROM account_codes WHERE user_id = $1) || ' ' || (SELECT bool_and(user_agent <> '') FROM sessions WHERE user_id = $1)`, m.id))
	rows := w.personal.erasures.Erased(domain.UserID(m.id), "buyer2@holdfast.test")
	by := domain.Machine(domain.Process, "test")
	_, err := w.Executor.ExecuteWith(t.Context(), eventstore.Metadata{Actor: by, CommandID: uuid.NewString(), Source: "job"}, nil,
		func() []eventstore.Row { return rows }, func(u *domain.Unit) (any, error) {
			_, err := domain.Do(u, account.Decider, m.id, account.Erase{Issue: domain.Issue{By: by, At: time.Now().UTC()}})
			return nil, err
		})
	require.NoError(t, err)
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM account_codes WHERE user_id = $1`, m.id), "with the event, not after it")
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM sessions WHERE user_id = $1 AND (user_agent || address <> '' OR revoked_at IS NULL)`, m.id))
	w.personal.eraser.Wake()
	w.until("the worker has done it", func() bool { return w.cell(`SELECT count(*)::text FROM erasures WHERE purged_at IS NOT NULL`) == "1" })
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM profiles WHERE user_id = $1`, m.id))
	assert.Equal(t, "t", w.cell(`SELECT (destroyed_at IS NOT NULL)::text::"char" FROM subject_keys WHERE subject = $1`, m.id))
	assert.Equal(t, "", w.cell(`SELECT coalesce(email, '') || name || password_hash FROM users WHERE id = $1`, m.id))
	w.until("the session is over", func() bool { return m.get("/api/user/profile").status == 401 })
	require.NoError(t, w.personal.erasures.Purge(t.Context(), domain.UserID(m.id)), "again changes nothing")
}

// TestEveryTableAboutPeopleIsForgotten: a table that says whose its rows are dies with its person
// by its foreign key, or stands here with the reason why not.
func TestEveryTableAboutPeopleIsForgotten(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	kept := map[string]string{
		"mails":             "purged by user and by the address's hash",
		"erasures":          "the record that somebody was erased: an id and two times",
		"approvals":         "who agreed to a payment of others: an id, because two people must have",
		"trezor_operations": "what a hardware wallet of staff signed; ids and amounts",
	}
	rows, err := w.HTTP.Query(t.Context(), `SELECT c.table_name FROM information_schema.columns c
		WHERE c.table_schema = 'public' AND c.column_name = 'user_id' AND NOT EXISTS (
			SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = 'users'::regclass AND k.confdeltype = 'c'
			  AND k.conrelid = format('public.%I', c.table_name)::regclass) ORDER BY 1`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	for _, table := range tables {
		assert.Contains(t, kept, table, fmt.Sprintf("%s.user_id has no foreign key to users ON DELETE CASCADE", table))
	}
}

// Who registers with a key is nobody yet: the answer, with name and address, is kept under the address. It
// goes with the person.
func TestAnErasureTakesTheAnswerToRegistering(t *testing.T) {
	t.Parallel()
	w := settle(t, map[string]string{"ERASURE_DELAY": "0s"})
	body := map[string]any{"email": "mark-reg@elsewhere.test", "password": "correct horse battery", "name": "Mark-reg-name"}
	register := func() heard {
		return w.anybody().do("POST", "/api/auth/register", body, "Idempotency-Key", "registering-1")
	}
	made := register()
	require.Less(t, made.status, 300, made.raw)
	assert.Equal(t, made.field("user.id"), register().field("user.id"), "the same key gets the same answer")
	const kept = `SELECT count(*)::text FROM commands WHERE actor LIKE 'email:%' AND outcome::text LIKE '%Mark-reg-name%'`
	require.Equal(t, "1", w.cell(kept))
	asked := w.as("admin").post("/api/admin/users/"+made.field("user.id")+"/erase", map[string]any{"now": true})
	require.Less(t, asked.status, 300, asked.raw)
	assert.Equal(t, "0", w.cell(kept))
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM commands WHERE actor LIKE 'email:%'`))
	assert.Empty(t, holds(w.everything(), []string{"Mark-reg-name"}))
}
