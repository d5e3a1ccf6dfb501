package http_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/trezor"
	apihttp "holdfast/http"
)

// The account of the development mnemonic, and the key of its first address: software that stands
// in for a device.
const (
	deviceXPub = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"
	deviceKey  = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
	otherKey   = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
	device00   = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
	basePath   = "m/44'/60'/0'"
)

type devices struct{}

func (devices) Account(xpub, path string) (apihttp.DeviceAccount, error) {
	a, err := evm.ReadAccount(xpub, path)
	return apihttp.DeviceAccount(a), err
}

func (devices) Below(xpub string, i uint32) (string, string, error) { return evm.AddressBelow(xpub, i) }

func (devices) PersonalSigner(text, sig string) (string, error) { return evm.PersonalSigner(text, sig) }

func (devices) DigestSigner(digest, sig string) (string, error) { return evm.DigestSigner(digest, sig) }
func (devices) Digest(d trezor.TypedData) (string, error)       { return evm.TypedDigest(d) }
func (devices) Ours(string) bool                                { return false }

type nonces struct{}

func (nonces) New(u domain.UserID, at time.Time) (string, error) {
	return hex.EncodeToString(crypto.Keccak256([]byte(fmt.Sprint(u, at.Unix())))), nil
}

func (n nonces) Made(u domain.UserID, at time.Time, nonce string) bool {
	want, _ := n.New(u, at)
	return want == nonce
}

type operations struct {
	mu   sync.Mutex
	rows map[string]apihttp.Operation
}

func (o *operations) Add(_ context.Context, op apihttp.Operation) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[op.ID] = op
	return nil
}

func (o *operations) OfUser(_ context.Context, u domain.UserID, id string) (apihttp.Operation, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, ok := o.rows[id]
	return op, ok && op.User == u, nil
}

func (o *operations) Signed(_ context.Context, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, now := o.rows[id], time.Now()
	op.SignedAt = &now
	o.rows[id] = op
	return nil
}

func (o *operations) Agreed(_ context.Context, target, instruction string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, op := range o.rows {
		if op.Target == target && op.Instruction == instruction && op.SignedAt != nil && op.ExpiresAt.After(time.Now()) {
			return true, nil
		}
	}
	return false, nil
}

// steel instructs, and can read nothing that comes back.
type steel struct{ apihttp.Custody }

func (steel) Instruction(_ context.Context, a money.Amount, to string) (outgoing.Transfer, error) {
	return outgoing.Transfer{Chain: 56, From: device00, To: to, Token: "0x55d398326f99059fF775485246999027B3197955", Amount: a, Nonce: 4}, nil
}

func (steel) Decode(context.Context, uint64, string) (outgoing.Tx, error) {
	return outgoing.Tx{}, evm.ErrNotTransfer
}
func (steel) Keep(context.Context, outgoing.Tx, string) error { return nil }
func (steel) Send(context.Context, outgoing.Tx, string) error { return nil }

func withDevices(w *world) {
	w.deps.Devices, w.deps.Nonces, w.deps.Operations = devices{}, nonces{}, &operations{rows: map[string]apihttp.Operation{}}
}

func signDigest(t *testing.T, key string, digest []byte) string {
	t.Helper()
	k, err := crypto.HexToECDSA(key)
	require.NoError(t, err)
	sig, err := crypto.Sign(digest, k)
	require.NoError(t, err)
	sig[64] += 27
	return hexutil.Encode(sig)
}

func registration(t *testing.T, c *client, key string) map[string]any {
	t.Helper()
	m := c.get("/api/trezor/registration-message")
	require.Equal(t, 200, m.status, string(m.raw))
	return map[string]any{
		"xpub": deviceXPub, "registrationAddress": device00, "basePath": basePath, "deviceLabel": "office",
		"proofMessage": m.text("message"), "proofSignature": signDigest(t, key, accounts.TextHash([]byte(m.text("message")))),
	}
}

func TestAWalletIsRegisteredWithProof(t *testing.T) {
	t.Parallel()
	w := setup(t, withDevices)
	admin, seller := w.as(w.users.named("admin")), w.as(w.users.named("seller"))
	good := registration(t, admin, deviceKey)
	with := func(field string, v any) map[string]any {
		c := map[string]any{}
		for k, o := range good {
			c[k] = o
		}
		c[field] = v
		return c
	}
	words := strings.TrimSpace(strings.Repeat("abandon ", 11)) + " about"
	sig := good["proofSignature"].(string)
	w.untouched(func() {
		for name, c := range map[string]struct {
			body   any
			status int
			code   string
		}{
			"xprv":            {with("xpub", "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"), 422, "PRIVATE_KEY_REJECTED"},
			"seed words":      {with("deviceLabel", words), 422, "PRIVATE_KEY_REJECTED"},
			"hex key":         {with("xpub", "0x"+deviceKey), 422, "PRIVATE_KEY_REJECTED"},
			"other path":      {with("basePath", "m/44'/60'/1'"), 422, "PATH_MISMATCH"},
			"other address":   {with("registrationAddress", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"), 422, "PATH_MISMATCH"},
			"other message":   {with("proofMessage", "hello"), 422, "PROOF_INVALID"},
			"other key":       {with("proofSignature", signDigest(t, otherKey, accounts.TextHash([]byte(good["proofMessage"].(string))))), 422, "PROOF_INVALID"},
			"64 bytes":        {with("proofSignature", sig[:130]), 400, "INVALID_WALLET_SIGNATURE"},
			"not hex":         {with("proofSignature", "signed by me"), 400, "INVALID_WALLET_SIGNATURE"},
			"another's proof": {registration(t, seller, deviceKey), 422, "PROOF_INVALID"},
			"wrong checksum":  {with("xpub", deviceXPub[:len(deviceXPub)-1]+"1"), 400, "DERIVATION_INVALID"},
		} {
			a := admin.post("/api/trezor/register", c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
			assert.NotContains(t, string(a.raw), deviceKey)
			assert.NotContains(t, string(a.raw), "abandon")
		}
		assert.Equal(t, 404, admin.get("/api/trezor/account").status)
		assert.Equal(t, 404, admin.send("DELETE", "/api/trezor/account", nil).status)
		assert.Equal(t, 404, admin.post("/api/trezor/addresses/next", map[string]any{"purpose": "payment"}).status)
	})
	a := admin.post("/api/trezor/register", good)
	require.Equal(t, 201, a.status, string(a.raw))
	assert.Equal(t, device00, a.text("address"))
	assert.Equal(t, deviceXPub, admin.get("/api/trezor/account").text("xpub"))
	assert.Equal(t, "ACCOUNT_REGISTERED", seller.post("/api/trezor/register", registration(t, seller, deviceKey)).code, "an account is one person's")
	first := admin.post("/api/trezor/addresses/next", map[string]any{"purpose": "payment"})
	require.Equal(t, 201, first.status, string(first.raw))
	assert.Equal(t, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", first.text("address"))
	assert.NotEqual(t, first.text("address"), admin.post("/api/trezor/addresses/next", map[string]any{"purpose": "payment"}).text("address"))
	assert.Equal(t, 404, admin.post("/api/trezor/addresses/next", map[string]any{"purpose": "payment", "paymentId": nobody}).status)
	assert.Equal(t, 200, admin.send("DELETE", "/api/trezor/account", nil).status)
	assert.Equal(t, "NONCE_USED", admin.post("/api/trezor/register", good).code)
}

func TestAnOperationIsSignedOnceForOneInstruction(t *testing.T) {
	t.Parallel()
	w := setup(t, paying, withDevices, func(w *world) { w.deps.SafekeepingRequired, w.deps.Custody = true, steel{newVault(t)} })
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	asked := seller.post(payoutsPath, ask("900"))
	require.Equal(t, 201, asked.status, string(asked.raw))
	id := asked.text("payout")
	require.Equal(t, 201, admin.post("/api/trezor/register", registration(t, admin, deviceKey)).status)
	begin := func() answer {
		return admin.post("/api/trezor/operations", map[string]any{"kind": "payout", "targetId": id})
	}
	assert.Equal(t, "INVALID_STATE", begin().code, "nothing is instructed yet")
	assert.Equal(t, 404, admin.post("/api/trezor/operations", map[string]any{"kind": "sweep", "targetId": nobody}).status)
	require.Equal(t, 200, admin.post(payoutsPath+"/"+id+"/approve", map[string]any{"revision": 1}).status)
	if i := admin.post(payoutsPath+"/"+id+"/instruction", nil); i.status != 200 {
		t.Fatal(string(i.raw))
	}
	signed := map[string]any{"signedTx": "0x02"}
	w.untouched(func() {
		a := admin.post(payoutsPath+"/"+id+"/signed", signed)
		assert.Equal(t, 422, a.status, string(a.raw))
		assert.Equal(t, "OPERATION_SIGNATURE_REQUIRED", a.code)
	})
	op := begin()
	require.Equal(t, 201, op.status, string(op.raw))
	var message trezor.TypedData
	raw, err := json.Marshal(op.body["data"].(map[string]any)["message"])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &message))
	digest, err := evm.TypedDigest(message)
	require.NoError(t, err)
	assert.Equal(t, digest, op.text("digest"))
	verify := func(sig string) answer {
		return admin.post("/api/trezor/verify-operation", map[string]any{"operationId": op.text("operationId"), "signature": sig})
	}
	good := signDigest(t, deviceKey, hexutil.MustDecode(digest))
	w.untouched(func() {
		other := verify(signDigest(t, otherKey, hexutil.MustDecode(digest)))
		assert.Equal(t, 401, other.status)
		assert.Equal(t, "INVALID_WALLET_SIGNATURE", other.code)
		assert.Equal(t, 401, verify(signDigest(t, deviceKey, crypto.Keccak256([]byte("another message")))).status)
		assert.Equal(t, 400, verify(good[:130]).status)
		assert.Equal(t, 404, admin.post("/api/trezor/verify-operation", map[string]any{"operationId": nobody, "signature": good}).status)
		assert.Equal(t, 403, seller.post("/api/trezor/verify-operation", map[string]any{"operationId": nobody, "signature": good}).status)
	})
	ok := verify(good)
	require.Equal(t, 200, ok.status, string(ok.raw))
	assert.Equal(t, "true", ok.text("valid"))
	assert.Equal(t, "NONCE_USED", verify(good).code)
	a := admin.post(payoutsPath+"/"+id+"/signed", signed)
	assert.Equal(t, "TX_NOT_A_TRANSFER", a.code, "agreed to: the transaction itself is looked at now: %s", a.raw)
}

// However many ask at once, each path index is given once, and none is left out.
// What is to be signed is read from the log: another process may have ended it, and this one remembers
// it as it was.
func TestNothingIsSignedThatIsOver(t *testing.T) {
	t.Parallel()
	w := setup(t, paying, withDevices, func(w *world) { w.deps.SafekeepingRequired, w.deps.Custody = true, steel{newVault(t)} })
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	id := seller.post(payoutsPath, ask("900")).text("payout")
	require.Equal(t, 201, admin.post("/api/trezor/register", registration(t, admin, deviceKey)).status)
	require.Equal(t, 200, admin.post(payoutsPath+"/"+id+"/approve", map[string]any{"revision": 1}).status)
	require.Equal(t, 200, admin.post(payoutsPath+"/"+id+"/instruction", nil).status)
	begin := func() answer {
		return admin.post("/api/trezor/operations", map[string]any{"kind": "payout", "targetId": id})
	}
	require.Equal(t, 201, begin().status)
	there := &client{w: w.beside(nil), token: admin.token}
	over := there.post(payoutsPath+"/"+id+"/cancel", nil)
	require.Equal(t, 200, over.status, string(over.raw))
	assert.Equal(t, "INVALID_STATE", admin.post(payoutsPath+"/"+id+"/instruction", nil).code, "nothing to sign is handed out")
	assert.Equal(t, "INVALID_STATE", begin().code)
}

func TestAddressesAreIssuedOnceToManyAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t, onPostgres, withDevices)
	admin := w.as(w.users.named("admin"))
	require.Equal(t, 201, admin.post("/api/trezor/register", registration(t, admin, deviceKey)).status)
	const many = 12
	answers := make([]answer, many)
	var all sync.WaitGroup
	for n := range many {
		all.Go(func() {
			for range 20 { // one that lost the race asks again, as clients do
				answers[n] = admin.post("/api/trezor/addresses/next", map[string]any{"purpose": "payment"})
				if answers[n].status == 201 {
					return
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, a := range answers {
		require.Equal(t, 201, a.status, string(a.raw))
		seen[a.text("path")] = true
	}
	assert.Len(t, seen, many)
	for n := 1; n <= many; n++ {
		assert.Contains(t, seen, fmt.Sprintf("m/44'/60'/0'/0/%d", n))
	}
}
