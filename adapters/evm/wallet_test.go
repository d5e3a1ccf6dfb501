package evm_test

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/evm"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/trezor"
)

type walletVectors struct {
	BIP32 []struct {
		Seed string
		Keys []struct{ Path, Xprv, Xpub string }
	}
	BIP44          []struct{ AccountXpub, ExternalChainXpub string }
	EIP191         []struct{ PrivateKey, Address, Message, Signature string }
	EIP191Negative []struct {
		Name, Message, Signature, Address string
		Valid                             bool
	}
	EIP712 []struct {
		Name, PrivateKey, Address, Digest, Signature string
		Payload                                      trezor.TypedData
	}
	EIP1559 []struct{ Unsigned, SigningHash, Signed string }
}

func wallets(t *testing.T) (v walletVectors) {
	t.Helper()
	load(t, "testdata/ethereum-own.json", &v)
	return v
}

// The library that derives our addresses passes BIP-32's own vectors.
func TestBIP32(t *testing.T) {
	t.Parallel()
	v := wallets(t)
	require.Len(t, v.BIP32, 3)
	for _, c := range v.BIP32 {
		seed, err := hex.DecodeString(c.Seed)
		require.NoError(t, err)
		for _, want := range c.Keys {
			key, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
			require.NoError(t, err)
			for _, step := range strings.Split(want.Path, "/")[1:] {
				digits, hardened := strings.CutSuffix(step, "'")
				n, err := strconv.ParseUint(digits, 10, 32)
				require.NoError(t, err)
				if hardened {
					n += hdkeychain.HardenedKeyStart
				}
				key, err = key.Derive(uint32(n))
				require.NoError(t, err)
			}
			assert.Equal(t, want.Xprv, key.String(), want.Path)
			public, err := key.Neuter()
			require.NoError(t, err)
			assert.Equal(t, want.Xpub, public.String(), want.Path)
			_, err = evm.NewDeriver(want.Xprv)
			assert.ErrorIs(t, err, evm.ErrDerivation, "an xprv is refused at every depth")
			_, err = evm.ReadAccount(want.Xprv, "m/44'/60'/0'")
			assert.ErrorIs(t, err, trezor.ErrPrivateKey)
		}
	}
}

func TestAnAccountIsReadWithItsPath(t *testing.T) {
	t.Parallel()
	v := wallets(t)
	a, err := evm.ReadAccount(v.BIP44[0].AccountXpub, "m/44'/60'/0'")
	require.NoError(t, err)
	assert.Equal(t, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", a.Address)
	assert.Len(t, a.Fingerprint, 64)
	address, path, err := evm.AddressBelow(a.XPub, 1)
	require.NoError(t, err)
	assert.Equal(t, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", address)
	assert.Equal(t, "0/1", path)
	for name, c := range map[string]struct {
		xpub, path string
		want       error
	}{
		"another number":     {a.XPub, "m/44'/60'/1'", trezor.ErrPath},
		"not hardened":       {a.XPub, "m/44'/60'/0", trezor.ErrPath},
		"another coin":       {a.XPub, "m/44'/0'/0'", trezor.ErrPath},
		"a longer path":      {a.XPub, "m/44'/60'/0'/0", trezor.ErrPath},
		"beyond the border":  {a.XPub, "m/44'/60'/2147483648'", trezor.ErrPath},
		"the external chain": {v.BIP44[0].ExternalChainXpub, "m/44'/60'/0'", trezor.ErrPath},
		"a wrong checksum":   {a.XPub[:len(a.XPub)-1] + "1", "m/44'/60'/0'", evm.ErrDerivation},
		"nothing":            {"", "m/44'/60'/0'", evm.ErrDerivation},
	} {
		_, err := evm.ReadAccount(c.xpub, c.path)
		assert.ErrorIs(t, err, c.want, name)
	}
}

func TestPersonalSignatures(t *testing.T) {
	t.Parallel()
	v := wallets(t)
	require.NotEmpty(t, v.EIP191)
	for _, c := range v.EIP191 {
		got, err := evm.PersonalSigner(c.Message, c.Signature)
		require.NoError(t, err, c.Message)
		assert.Equal(t, c.Address, got)
		got, err = evm.PersonalSigner(c.Message, strings.TrimPrefix(c.Signature, "0x"))
		require.NoError(t, err, "the device's library leaves 0x out")
		assert.Equal(t, c.Address, got)
	}
	require.NotEmpty(t, v.EIP191Negative)
	for _, c := range v.EIP191Negative {
		got, err := evm.PersonalSigner(c.Message, c.Signature)
		assert.Equal(t, c.Valid, err == nil && got == c.Address, c.Name)
	}
	good := v.EIP191[0].Signature
	for name, bad := range map[string]string{
		"empty": "", "not hex": "0xzz" + good[4:], "64 bytes": good[:130], "66 bytes": good + "00", "v of 2": good[:130] + "02", "v of 29": good[:130] + "1d",
		"r of zero": "0x" + strings.Repeat("0", 64) + good[66:], "s of zero": good[:66] + strings.Repeat("0", 64) + good[130:], "r beyond the curve": "0x" + strings.Repeat("f", 64) + good[66:],
	} {
		_, err := evm.PersonalSigner(v.EIP191[0].Message, bad)
		assert.ErrorIs(t, err, evm.ErrSignatureForm, name)
	}
}

func TestTypedSignatures(t *testing.T) {
	t.Parallel()
	for _, c := range wallets(t).EIP712 {
		digest, err := evm.TypedDigest(c.Payload)
		require.NoError(t, err, c.Name)
		assert.Equal(t, c.Digest, digest, c.Name)
		got, err := evm.DigestSigner(digest, c.Signature)
		require.NoError(t, err, c.Name)
		assert.Equal(t, c.Address, got, c.Name)
	}
}

// Whatever of an operation is another one, so is what is signed.
func TestEveryFieldOfAnOperationIsSigned(t *testing.T) {
	t.Parallel()
	base := trezor.Target{Kind: trezor.PayoutKind, ID: "p1", Chain: 8453, To: shop, Token: elsewhere, Amount: n(5), Nonce: 3}
	expires := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	seen := map[string]string{}
	add := func(name string, t2 trezor.Target, operation string, at time.Time, instruction any) {
		target, err := trezor.NewTarget(t2, instruction)
		require.NoError(t, err)
		digest, err := evm.TypedDigest(target.Typed(operation, at))
		require.NoError(t, err)
		assert.Empty(t, seen[digest], name)
		seen[digest] = name
	}
	change := func(f func(*trezor.Target)) trezor.Target { c := base; f(&c); return c }
	add("base", base, "o1", expires, 1)
	add("kind", change(func(t *trezor.Target) { t.Kind = trezor.RefundKind }), "o1", expires, 1)
	add("id", change(func(t *trezor.Target) { t.ID = "p2" }), "o1", expires, 1)
	add("chain", change(func(t *trezor.Target) { t.Chain = 1 }), "o1", expires, 1)
	add("to", change(func(t *trezor.Target) { t.To = elsewhere }), "o1", expires, 1)
	add("token", change(func(t *trezor.Target) { t.Token = "" }), "o1", expires, 1)
	add("amount", change(func(t *trezor.Target) {
		t.Amount = money.MustUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	}), "o1", expires, 1)
	add("nonce", change(func(t *trezor.Target) { t.Nonce = 4 }), "o1", expires, 1)
	add("operation", base, "o2", expires, 1)
	add("expiry", base, "o1", expires.Add(time.Second), 1)
	add("instruction", base, "o1", expires, 2)
	assert.Len(t, seen, 11)
}

func TestWhatComesBackIsReadWhole(t *testing.T) {
	t.Parallel()
	for _, c := range wallets(t).EIP1559 {
		s, err := evm.DecodeSigned(c.Signed)
		require.NoError(t, err)
		assert.Equal(t, c.SigningHash, s.SigningHash)
		assert.Equal(t, c.Signed, s.Raw)
		assert.EqualValues(t, 0xfde8, s.Gas.Limit)
	}
	_, err := evm.DecodeSigned("0x02")
	assert.ErrorIs(t, err, evm.ErrNotTransfer)
}

// The type hashes are those in the source of every Safe from 1.3.0 on; the digest over them is
// built here by hand.
func TestASafeProposal(t *testing.T) {
	t.Parallel()
	transfer := outgoing.Transfer{Chain: 8453, From: elsewhere, To: shop, Token: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", Amount: money.Of("x", n(1_000_000))}
	p, err := evm.Propose(transfer, 7)
	require.NoError(t, err)
	word := func(s string) []byte {
		b := hexutil.MustDecode(s)
		return append(make([]byte, 32-len(b)), b...)
	}
	data := "0x23b872dd" + hex.EncodeToString(word(elsewhere)) + hex.EncodeToString(word(shop)) + hex.EncodeToString(word("0x0f4240"))
	assert.Equal(t, data, p.Data)
	zero := make([]byte, 32)
	domain := crypto.Keccak256(word("0x47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218"), word("0x2105"), word(shop))
	tx := crypto.Keccak256(word("0xbb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8"), word(transfer.Token), zero,
		crypto.Keccak256(hexutil.MustDecode(data)), zero, zero, zero, zero, zero, zero, word("0x07"))
	assert.Equal(t, hexutil.Encode(crypto.Keccak256([]byte{0x19, 0x01}, domain, tx)), p.SafeTxHash)
	other, err := evm.Propose(transfer, 8)
	require.NoError(t, err)
	assert.NotEqual(t, p.SafeTxHash, other.SafeTxHash)
	_, err = json.Marshal(p)
	require.NoError(t, err)
}
