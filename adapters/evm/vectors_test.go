package evm_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/evm"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

type vectors struct {
	BIP44 []struct {
		Mnemonic    string
		AccountXpub string
		Addresses   []struct {
			Index         uint32
			Path, Address string
		}
	}
	BIP44Errors []struct{ Xpub, Path string }
	EIP55       []struct {
		Address string
		OK      bool
	}
	EIP1559 []struct {
		From   string
		Fields struct {
			ChainID, Nonce, GasLimit                            uint64
			MaxPriorityFeePerGas, MaxFeePerGas, Value, Data, To string
		}
		SigningHash, Signed, Hash string
	}
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

func TestAddressesAreDerivedFromThePublicKeyAlone(t *testing.T) {
	t.Parallel()
	var v vectors
	load(t, "testdata/ethereum-own.json", &v)
	require.Len(t, v.BIP44, 2)
	for _, account := range v.BIP44 {
		s, err := evm.NewLocalSigner(account.Mnemonic)
		require.NoError(t, err)
		xpub, err := s.XPub(0)
		require.NoError(t, err)
		assert.Equal(t, account.AccountXpub, xpub)
		d, err := evm.NewDeriver(account.AccountXpub)
		require.NoError(t, err)
		for _, a := range account.Addresses {
			if !strings.HasPrefix(a.Path, "m/44'/60'/0'/0/") || a.Index >= 1<<31 {
				continue
			}
			got, path, err := d.Address(a.Index)
			require.NoError(t, err)
			assert.Equal(t, a.Address, got, a.Path)
			assert.Equal(t, "m/44'/60'/0'/"+path, a.Path)
			own, err := s.Address("0'/" + path)
			require.NoError(t, err)
			assert.Equal(t, a.Address, own)
		}
		_, _, err = d.Address(1 << 31)
		assert.ErrorIs(t, err, evm.ErrDerivation, "hardened")
		_, _, err = d.Address(1<<31 - 1)
		assert.NoError(t, err)
	}
	for _, bad := range append([]string{
		"", "xpub", strings.Repeat("x", 111),
		"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
	}, v.BIP44Errors[1].Xpub) {
		_, err := evm.NewDeriver(bad)
		assert.ErrorIs(t, err, evm.ErrDerivation, bad)
	}
}

func TestAddressesHaveChecksums(t *testing.T) {
	t.Parallel()
	var v vectors
	load(t, "testdata/ethereum-own.json", &v)
	for _, c := range v.EIP55 {
		got, err := evm.ParseAddress(c.Address)
		require.Equal(t, c.OK, err == nil, c.Address)
		lower, err := evm.ParseAddress(strings.ToLower(c.Address))
		require.NoError(t, err)
		assert.True(t, strings.EqualFold(c.Address, lower))
		assert.Equal(t, got, lower, "one address, one spelling")
	}
	for _, bad := range []string{
		"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", // one letter's case wrong
		"0x0000000000000000000000000000000000000000", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed1", "vitalik.eth", "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf", "",
	} {
		_, err := evm.ParseAddress(bad)
		assert.ErrorIs(t, err, network.ErrInvalidAddress, bad)
	}
}

func TestSignedTransactionsOfOtherWallets(t *testing.T) {
	t.Parallel()
	var v vectors
	load(t, "testdata/ethereum-own.json", &v)
	s, err := evm.NewLocalSigner(v.BIP44[0].Mnemonic)
	require.NoError(t, err)
	require.NotEmpty(t, v.EIP1559)
	for _, c := range v.EIP1559 {
		f := c.Fields
		raw, err := s.Sign("0'/0/0", network.Unsigned{
			Chain: f.ChainID, From: c.From, To: f.To, Value: money.MustUnits(f.Value), Data: f.Data, Nonce: f.Nonce, Gas: f.GasLimit,
			MaxFee: money.MustUnits(f.MaxFeePerGas), Tip: money.MustUnits(f.MaxPriorityFeePerGas),
		})
		require.NoError(t, err)
		assert.Equal(t, c.Signed, raw)
		tx, err := evm.Decode(c.Signed)
		require.NoError(t, err)
		assert.Equal(t, c.Hash, tx.Hash)
		assert.Equal(t, outgoing.Transfer{
			Chain: f.ChainID, From: c.From, To: "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", Token: f.To, Nonce: f.Nonce,
			Amount: money.Of(network.TokenAsset(f.ChainID, f.To), money.FromUint64(0xee6b280)),
		}, tx.Transfer)
	}
}

func TestReferenceTopics(t *testing.T) {
	t.Parallel()
	var v struct {
		References []struct{ PaymentReference, IndexedTopic string }
	}
	load(t, "testdata/rn-references-own.json", &v)
	require.NotEmpty(t, v.References)
	for _, c := range v.References {
		got, err := evm.ReferenceTopic(c.PaymentReference)
		require.NoError(t, err)
		assert.Equal(t, c.IndexedTopic, got)
	}
	for _, bad := range []string{"", "0x", "0x12", "0x" + strings.Repeat("0", 18), "0xzzzzzzzzzzzzzzzz"} {
		_, err := evm.ReferenceTopic(bad)
		assert.Error(t, err, bad)
	}
}
