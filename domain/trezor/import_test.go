package trezor_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/trezor"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	imported = trezor.Imported{
		Legacy: domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"},
		User:   "A1", XPub: domain.About("A1", "xpub1"), Fingerprint: "f1", Address: "0xAb", BasePath: registered.BasePath, Label: domain.About("A1", "desk"),
		Addresses: []trezor.Given{{Index: 1, Path: "m/44'/60'/0'/0/1", Address: "0x01", Purpose: "receive", Payment: "p0"}}, Next: 2, Active: true, At: t0,
	}
)

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e trezor.Imported) trezor.Import { return trezor.Import{Issue: by(bridge), Fact: e, Root: "0xAB"} }
	bare, wrong, other, gone := imported, imported, imported, imported
	bare.Address, wrong.Address = "", "0xEe"
	other.Hash, other.Fingerprint = "ab", "f2"
	gone.Hash, gone.Active = "ac", false
	rooted := bare
	rooted.Address = "0xAB"
	second := trezor.AddressIssued{Index: 2, Path: "m/44'/60'/0'/0/2", Address: "0x02", Purpose: "payment", Payment: "p2", At: t0}
	machinetest.Run(t, trezor.Decider, []machinetest.Case[trezor.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "its root follows from the key", When: take(bare), Then: events{rooted}},
		{Name: "another root is none of the key's", When: take(wrong), Err: trezor.ErrPath},
		{Name: "an account is not exchanged", Given: events{imported}, When: take(other), Err: domain.ErrLegacyConflict},
		{Name: "it is put away", Given: events{imported}, When: take(gone), Then: events{gone}},
		{Name: "what was changed here stays", Given: events{imported, removed}, When: take(gone), Err: domain.ErrLegacyConflict},
		{Name: "and what began here", Given: events{registered}, When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "only the bridge imports", When: trezor.Import{Issue: by(admin), Fact: imported}, Err: fault.ErrForbidden},
		{Name: "no address is given out twice", Given: events{imported}, When: trezor.IssueAddress{Issue: by(admin), Purpose: "payment", Payment: "p2", Derive: derive}, Then: events{second}},
	})
	s := machinetest.Fold(trezor.Decider, trezor.Event(imported))
	machinetest.CheckSnapshot(t, s)
	assert.Equal(t, trezor.Known, s.Phase())
	assert.Equal(t, trezor.None, machinetest.Fold(trezor.Decider, events{imported, gone}...).Phase())
	claim := trezor.Aggregate().Claims(domain.Stream{}, gone)[0]
	assert.True(t, claim.Free)
	assert.Equal(t, "trezor-account:f1", claim.Name)
}
