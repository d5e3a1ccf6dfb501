package http_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/safety"
	"holdfast/domain/siwe"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

const walletPath = "/api/auth/wallet"

// walletProofs recovers signers; the contract wallet stands for the device's key.
type walletProofs struct{ contract string }

func (walletProofs) Address(text string) (string, error) { return evm.ParseAddress(text) }
func (walletProofs) Knows(chain uint64) bool             { return chain == 56 }

func (p walletProofs) Signed(_ context.Context, chain uint64, address, text, signature string) (apihttp.WalletSigner, error) {
	signer, err := evm.PersonalSigner(text, signature)
	switch {
	case err == nil && signer == address:
		return apihttp.SignedByKey, nil
	case address != p.contract:
		return apihttp.SignedByNobody, err
	// On chain 56 the contract stands for the device's key; on chain 8453 somebody has put one at the
	// same address that stands for anybody.
	case chain == 56 && signer == device00, chain == 8453:
		return apihttp.SignedByContract, nil
	}
	return apihttp.SignedByNobody, nil
}

const contractWallet = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"

type recordWallets struct{ *records.Wallets }

func (w recordWallets) List(ctx context.Context, u domain.UserID) ([]apihttp.Wallet, error) {
	rows, err := w.Wallets.List(ctx, u)
	var all []apihttp.Wallet
	for _, r := range rows {
		all = append(all, apihttp.Wallet(r))
	}
	return all, err
}

func (w recordWallets) Linked(u domain.UserID, added apihttp.Wallet, cooling time.Duration) []eventstore.Row {
	return w.Wallets.Linked(u, records.Wallet(added), cooling)
}

// lists is a screening service.
type lists map[string]safety.Outcome

func (l lists) Screen(_ context.Context, chain uint64, address string) safety.Verdict {
	v := safety.Verdict{Chain: chain, Address: address, Outcome: safety.Clean}
	if o, ok := l[address]; ok {
		v.Outcome = o
	}
	return v
}

type walletRest struct{ time.Duration }

func (c walletRest) Terms(money.Asset) apihttp.Terms { return apihttp.Terms{WalletCooling: c.Duration} }

func withWallets(w *world) {
	withRecords(w)
	w.deps.SignIn.Wallets, w.deps.SignIn.WalletRows = walletProofs{contractWallet}, recordWallets{w.records.Wallets}
	w.deps.Policy, w.deps.Screener = walletRest{24 * time.Hour}, lists{}
}

func personal(t *testing.T, key, text string) string {
	t.Helper()
	return signDigest(t, key, accounts.TextHash([]byte(text)))
}

func addressOf(t *testing.T, key string) string {
	t.Helper()
	k, err := crypto.HexToECDSA(key)
	require.NoError(t, err)
	return crypto.PubkeyToAddress(k.PublicKey).Hex()
}

// message asks for a nonce and gives the message that comes with it.
func message(t *testing.T, c *client, query string) string {
	t.Helper()
	a := c.get(walletPath + "/nonce?" + query)
	require.Equal(t, 200, a.status, string(a.raw))
	return a.text("message")
}

func signedMessage(t *testing.T, key, text string) map[string]string {
	t.Helper()
	return map[string]string{"message": text, "signature": personal(t, key, text)}
}

func TestAPersonSignsInWithAWallet(t *testing.T) {
	t.Parallel()
	w := setup(t, withWallets)
	buyer := w.person("buyer")
	w.untouched(func() {
		a := w.anybody().post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, w.anybody(), "chainId=56&address="+device00)))
		assert.Equal(t, 403, a.status, string(a.raw))
		assert.Equal(t, "LINK_REQUIRED", a.code, "a wallet that nobody has linked begins no account")
	})
	text := message(t, buyer, "chainId=56&address="+device00)
	assert.Contains(t, text, "Let this wallet sign in to account "+string(buyer.id)+" at front.example.")
	before := w.events()
	linked := buyer.post(walletPath+"/verify", signedMessage(t, deviceKey, text))
	require.Equal(t, 200, linked.status, string(linked.raw))
	assert.Equal(t, before+1, w.events())
	assert.Equal(t, "wallet", linked.text("method"))
	w.untouched(func() {
		a := w.anybody().post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, w.anybody(), "chainId=1&address="+strings.ToLower(device00))))
		require.Equal(t, 200, a.status, string(a.raw))
		assert.Equal(t, string(buyer.id), a.text("user.id"))
		seller := w.person("seller")
		taken := seller.post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, seller, "chainId=56&address="+device00)))
		assert.Equal(t, 409, taken.status)
		assert.Equal(t, "SIGN_IN_IN_USE", taken.code)
		again := buyer.post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, buyer, "chainId=56&address="+device00)))
		assert.Equal(t, 200, again.status, "a repeat changes nothing: %s", again.raw)
	})
	seller := w.person("seller")
	contract := seller.post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, seller, "chainId=56&address="+contractWallet)))
	require.Equal(t, 200, contract.status, "a contract wallet stands for its owner: %s", contract.raw)
	a := w.anybody().post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, w.anybody(), "chainId=56&address="+contractWallet)))
	assert.Equal(t, string(seller.id), a.text("user.id"), string(a.raw))
	thief := w.anybody().post(walletPath+"/verify", signedMessage(t, otherKey, message(t, w.anybody(), "chainId=8453&address="+contractWallet)))
	assert.Equal(t, 403, thief.status, "another contract at the same address of another chain is somebody else: %s", thief.raw)
	assert.Equal(t, "LINK_REQUIRED", thief.code)
}

func TestSignedMessagesThatDoNotCount(t *testing.T) {
	t.Parallel()
	w := setup(t, withWallets)
	buyer, seller := w.person("buyer"), w.person("seller")
	query := "chainId=56&address=" + device00
	require.Equal(t, 200, buyer.post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, buyer, query))).status)
	with := func(change func(*siwe.Message)) string {
		m, err := siwe.Parse(message(t, w.anybody(), query))
		require.NoError(t, err)
		change(&m)
		return m.String()
	}
	w.untouched(func() {
		for name, text := range map[string]string{
			"another site":              with(func(m *siwe.Message) { m.Domain = "evil.example" }),
			"another site's URI":        with(func(m *siwe.Message) { m.URI = "https://evil.example" }),
			"another statement":         with(func(m *siwe.Message) { m.Statement = "Sign in." }),
			"an invented nonce":         with(func(m *siwe.Message) { m.Nonce = "abcdefgh12345678" }),
			"from the future":           with(func(m *siwe.Message) { m.IssuedAt = siwe.InstantOf(time.Now().Add(time.Hour)) }),
			"too old":                   with(func(m *siwe.Message) { m.IssuedAt = siwe.InstantOf(time.Now().Add(-time.Hour)) }),
			"expired":                   with(func(m *siwe.Message) { m.Expires = siwe.InstantOf(time.Now().Add(-time.Second)) }),
			"not yet":                   with(func(m *siwe.Message) { m.NotBefore = siwe.InstantOf(time.Now().Add(time.Hour)) }),
			"another address":           with(func(m *siwe.Message) { m.Address = addressOf(t, otherKey) }),
			"an address without EIP-55": with(func(m *siwe.Message) { m.Address = strings.ToLower(m.Address) }),
			"a nonce for linking":       message(t, buyer, query),
			"a nonce for payouts":       message(t, buyer, query+"&for=payout"),
		} {
			a := w.anybody().post(walletPath+"/verify", signedMessage(t, deviceKey, text))
			assert.Equal(t, 422, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, "PROOF_INVALID", a.code, name)
		}
		a := w.anybody().post(walletPath+"/verify", signedMessage(t, otherKey, message(t, w.anybody(), query)))
		assert.Equal(t, "PROOF_INVALID", a.code, "signed by another key: %s", a.raw)
		stolen := buyer.post(walletPath+"/verify", signedMessage(t, otherKey, strings.Replace(message(t, seller, "chainId=56&address="+addressOf(t, otherKey)), string(seller.id), string(buyer.id), 1)))
		assert.Equal(t, "PROOF_INVALID", stolen.code, "another user's nonce: %s", stolen.raw)
		for name, body := range map[string]any{
			"no message":   map[string]string{"message": "hello", "signature": "0x00"},
			"empty":        map[string]string{"message": "", "signature": ""},
			"no signature": map[string]string{"message": message(t, w.anybody(), query)},
			"not hex":      map[string]string{"message": message(t, w.anybody(), query), "signature": "signed by me"},
			"64 bytes":     map[string]string{"message": message(t, w.anybody(), query), "signature": "0x" + strings.Repeat("11", 64)},
			"a megabyte":   map[string]string{"message": strings.Repeat("x", 1<<20), "signature": "0x00"},
		} {
			a := w.anybody().post(walletPath+"/verify", body)
			assert.Equal(t, 400, a.status, "%s: %.200s", name, a.raw)
		}
		assert.Equal(t, 400, w.anybody().get(walletPath+"/nonce?address=0x123").status)
		assert.Equal(t, 400, w.anybody().get(walletPath+"/nonce?for=gold").status)
		assert.Equal(t, 401, w.anybody().get(walletPath+"/nonce?for=payout").status)
		once := signedMessage(t, deviceKey, message(t, w.anybody(), query))
		require.Equal(t, 200, w.anybody().post(walletPath+"/verify", once).status)
		twice := w.anybody().post(walletPath+"/verify", once)
		assert.Equal(t, 409, twice.status)
		assert.Equal(t, "NONCE_USED", twice.code)
	})
}

func TestAPayoutWalletIsProvedScreenedAndRests(t *testing.T) {
	t.Parallel()
	w := setup(t, withWallets)
	seller := w.person("seller")
	flagged := addressOf(t, otherKey)
	w.deps.Screener.(lists)[flagged] = safety.Flagged
	add := func(key, query string, change func(map[string]any)) answer {
		t.Helper()
		text := message(t, seller, "for=payout&"+query)
		m, err := siwe.Parse(text)
		require.NoError(t, err)
		body := map[string]any{"chainId": m.ChainID, "address": m.Address, "proof": signedMessage(t, key, text)}
		if change != nil {
			change(body)
		}
		return seller.post("/api/user/wallets", body)
	}
	mine := "chainId=56&address=" + device00
	w.untouched(func() {
		for name, test := range map[string]struct {
			answer answer
			status int
			code   string
		}{
			"flagged":           {add(otherKey, "chainId=56&address="+flagged, nil), 422, "ADDRESS_SCREENED"},
			"another key":       {add(otherKey, mine, nil), 422, "PROOF_INVALID"},
			"another address":   {add(deviceKey, mine, func(b map[string]any) { b["address"] = contractWallet }), 422, "PROOF_INVALID"},
			"another chain":     {add(deviceKey, mine, func(b map[string]any) { b["chainId"] = 1 }), 422, "PROOF_INVALID"},
			"a chain of nobody": {add(deviceKey, "chainId=999&address="+device00, nil), 422, "PROOF_INVALID"},
			"no address":        {add(deviceKey, mine, func(b map[string]any) { b["address"] = "0x123" }), 400, "INVALID_ADDRESS"},
			"a sign-in's proof": {seller.post("/api/user/wallets", map[string]any{"chainId": 56, "address": device00, "proof": signedMessage(t, deviceKey, message(t, seller, mine))}), 422, "PROOF_INVALID"},
			"no proof":          {seller.post("/api/user/wallets", map[string]any{"chainId": 56, "address": device00}), 400, "VALIDATION_FAILED"},
		} {
			assert.Equal(t, test.status, test.answer.status, "%s: %s", name, test.answer.raw)
			assert.Equal(t, test.code, test.answer.code, name)
		}
		assert.Equal(t, "[]", dataOf(t, seller.get("/api/user/wallets")))
	})
	before := w.events()
	added := add(deviceKey, mine, nil)
	require.Equal(t, 201, added.status, string(added.raw))
	assert.Equal(t, before+1, w.events())
	until, err := time.Parse(time.RFC3339, added.text("coolingUntil"))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(24*time.Hour), until, time.Minute)
	row, ok, err := w.records.Wallets.OfUser(t.Context(), seller.id, added.text("id"))
	require.NoError(t, err)
	require.True(t, ok)
	assert.WithinDuration(t, until, row.CoolingUntil, time.Minute)
	assert.Equal(t, "clean", row.Screening)
	w.untouched(func() {
		again := add(deviceKey, mine, nil)
		assert.Equal(t, 200, again.status, string(again.raw))
		assert.Equal(t, added.text("id"), again.text("id"), "it does not begin to rest anew")
		assert.Equal(t, 404, w.person("buyer").send("DELETE", "/api/user/wallets/"+added.text("id"), nil).status)
	})
	assert.Equal(t, dataOf(t, seller.get("/api/user/wallets")), dataOf(t, seller.get("/api/users/wallets")))
	require.Equal(t, 200, seller.send("DELETE", "/api/users/wallets/"+added.text("id"), nil).status)
	assert.Equal(t, "[]", dataOf(t, seller.get("/api/user/wallets")))
	fresh := add(deviceKey, mine, nil)
	require.Equal(t, 201, fresh.status, "removed and added again: it rests again: %s", fresh.raw)
	assert.NotEqual(t, added.text("id"), fresh.text("id"))
}

func TestAWalletOlderThanTheLogCanBeRemoved(t *testing.T) {
	t.Parallel()
	w := setup(t, withWallets)
	seller := w.person("seller")
	old := records.Wallet{ID: "00000000-0000-4000-8000-0000000000aa", ChainID: 56, Address: device00}
	require.NoError(t, w.records.Wallets.Add(t.Context(), seller.id, old, 0))
	before := w.events()
	require.Equal(t, 200, seller.send("DELETE", "/api/user/wallets/"+old.ID, nil).status)
	assert.Equal(t, before+2, w.events(), "what is taken away was there")
	assert.Equal(t, "[]", dataOf(t, seller.get("/api/user/wallets")))
}
