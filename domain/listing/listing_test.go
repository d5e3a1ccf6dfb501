package listing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/listing"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/network"
)

const (
	usdcAt  = "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d"
	usdtAt  = "0x55d398326f99059fF775485246999027B3197955"
	proxyAt = "0x0DfbEe143b42B41eFC5A6F87bFD1fFC78c2f0aC9"
	otherAt = "0x2171a0dc12a9E5b1659feF2BB20E54c84Fa7dB0C"
)

var (
	at     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)

	table = network.Chain{
		ID: 56, Name: "bsc", Disabled: true, Native: network.Native{Symbol: "BNB", Decimals: 18},
		Confirmations: network.Confirmations{Need: 15, Floor: 15, Tag: network.Finalized},
		Proxies:       []network.Proxy{{Kind: network.ERC20FeeProxy, Address: proxyAt}},
		Tokens:        []network.Token{{Address: usdcAt, Symbol: "USDC", Decimals: 18}},
	}
	usdt = network.Token{Address: usdtAt, Symbol: "USDT", Decimals: 18, Kind: network.ERC20}
	said = listing.Definition{
		Name: "bsc", Native: table.Native, Need: 20, Tag: network.Finalized, BlockTime: 3,
		Nodes: []domain.Personal{domain.About("node", "https://node.example/KEY")},
	}

	two     = listing.Who{By: admin, Approver: admin2, Reason: "we open it"}
	one     = listing.Who{By: admin, Reason: "we close it"}
	enabled = listing.Enabled{Chain: 56, Definition: said, Who: two}

	changed    = listing.Changed{Chain: 56, Definition: said, Who: two}
	disabled   = listing.Disabled{Chain: 56, Watched: true, Who: one}
	registered = listing.TokenRegistered{Chain: 56, Token: usdt, Who: two}
	retoken    = listing.TokenChanged{Chain: 56, Token: network.Token{Address: usdcAt, Symbol: "USDC", Decimals: 6, Kind: network.ERC20}, Who: two}
	tokenOff   = listing.TokenDisabled{Chain: 56, Address: usdcAt, Who: one}
	added      = listing.ProxyAdded{Chain: 56, Proxy: network.Proxy{Kind: network.EthereumFeeProxy, Address: otherAt}, Who: two}
	retired    = listing.ProxyRetired{Chain: 56, Address: proxyAt, Who: one}
	distrusted = listing.ProxyRetired{Chain: 56, Address: proxyAt, Distrusted: true, Who: one}
)

type events = []listing.Event

func by(a, other domain.Actor, why string) listing.Decision {
	return listing.Decision{Issue: domain.Issue{By: a, At: at}, Chain: 56, Base: table, Approver: other, Reason: why}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	all := machinetest.Fold(listing.Decider, events{registered, retoken, tokenOff, added, retired}...)
	off := machinetest.Fold(listing.Decider, events{disabled}...)
	machinetest.CheckSnapshot(t, all)
	machinetest.CheckSnapshot(t, off)
	machinetest.CheckComplete(t, listing.Table(), map[string]listing.State{
		listing.Untouched: {}, listing.On: machinetest.Fold(listing.Decider, events{enabled}...), listing.Off: off,
	})
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	sealed := enabled
	sealed.Definition.Nodes = nil // what the codec writes of one is its ciphertext
	machinetest.CheckGolden(t, listing.Aggregate(), sealed, listing.Changed{Chain: 56, Definition: sealed.Definition, Who: two}, disabled, registered, retoken, tokenOff, added, distrusted)
}

func TestChains(t *testing.T) {
	t.Parallel()
	enable := func(a, other domain.Actor) listing.Enable {
		return listing.Enable{Decision: by(a, other, two.Reason), Definition: said}
	}
	change := func(other domain.Actor, f func(*listing.Definition)) listing.Change {
		c := listing.Change{Decision: by(admin, other, two.Reason), Definition: said}
		f(&c.Definition)
		return c
	}
	tron := enable(admin, admin2)
	tron.Base.Family = network.Tron
	nameless := enable(admin, admin2)
	nameless.Definition.Name = ""
	unknown := change(admin2, func(*listing.Definition) {})
	unknown.Base = network.Chain{}
	nicer := said
	nicer.Explorer = "https://bscscan.com"
	disable := listing.Disable{Decision: by(admin, domain.Actor{}, one.Reason)}
	unwatch := disable
	unwatch.Unwatch = true
	busy := unwatch
	busy.InUse = 2
	stillBusy := disable
	stillBusy.InUse = 2
	machinetest.Run(t, listing.Decider, []machinetest.Case[listing.Event]{
		{Name: "two admins enable it", When: enable(admin, admin2), Then: events{enabled}},
		{Name: "the same again is no news", Given: events{enabled}, When: enable(admin, admin2)},
		{Name: "one alone does not", When: enable(admin, domain.Actor{}), Err: listing.ErrApprovalRequired},
		{Name: "nor twice the same", When: enable(admin, admin), Err: listing.ErrSelfApproval},
		{Name: "nor with a guard", When: enable(admin, guard), Err: listing.ErrSelfApproval},
		{Name: "a guard does not", When: enable(guard, admin), Err: fault.ErrForbidden},
		{Name: "nobody can watch it", When: tron, Err: listing.ErrUnsupported},
		{Name: "it needs a name", When: nameless, Err: fault.ErrValidation},
		{Name: "an explorer is no matter of trust", Given: events{enabled}, When: change(domain.Actor{}, func(d *listing.Definition) { d.Explorer = nicer.Explorer }), Then: events{
			listing.Changed{Chain: 56, Definition: nicer, Who: listing.Who{By: admin, Reason: two.Reason}},
		}},
		{Name: "another node is", Given: events{enabled}, When: change(domain.Actor{}, func(d *listing.Definition) { d.Nodes = nil }), Err: listing.ErrApprovalRequired},
		{Name: "so is another rule", Given: events{enabled}, When: change(domain.Actor{}, func(d *listing.Definition) { d.Need = 19 }), Err: listing.ErrApprovalRequired},
		{Name: "two change them", When: change(admin2, func(*listing.Definition) {}), Then: events{changed}},
		{Name: "nobody knows it", When: unknown, Err: fault.ErrNotFound},
		{Name: "an admin disables it", Given: events{enabled}, When: disable, Then: events{disabled}},
		{Name: "also while it is in use", Given: events{enabled}, When: stillBusy, Then: events{disabled}},
		{Name: "disabled twice is once", Given: events{disabled}, When: disable},
		{Name: "it is watched while it is in use", Given: events{enabled}, When: busy, Err: listing.ErrInUse},
		{Name: "and not any more afterwards", Given: events{disabled}, When: unwatch, Then: events{listing.Disabled{Chain: 56, Who: one}}},
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	register := func(other domain.Actor, f func(*network.Token)) listing.RegisterToken {
		c := listing.RegisterToken{Decision: by(admin, other, two.Reason), Token: usdt}
		f(&c.Token)
		return c
	}
	change := func(other domain.Actor, use int, f func(*network.Token)) listing.ChangeToken {
		c := listing.ChangeToken{Decision: by(admin, other, two.Reason), Token: network.Token{Address: usdcAt, Symbol: "USDC", Decimals: 18, Kind: network.ERC20}, InUse: use}
		f(&c.Token)
		return c
	}
	six := func(t *network.Token) { t.Decimals = 6 }
	none := func(*network.Token) {}
	again := network.Token{Address: usdcAt, Symbol: "USDC", Decimals: 18, Kind: network.ERC20}
	off := listing.DisableToken{Decision: by(admin, domain.Actor{}, one.Reason), Address: usdcAt}
	foreign := off
	foreign.Address = usdtAt
	machinetest.Run(t, listing.Decider, []machinetest.Case[listing.Event]{
		{Name: "two admins take it", When: register(admin2, none), Then: events{registered}},
		{Name: "taken twice is once", Given: events{registered}, When: register(admin2, none)},
		{Name: "one alone does not", When: register(domain.Actor{}, none), Err: listing.ErrApprovalRequired},
		{Name: "a rebasing one never", When: register(admin2, func(t *network.Token) { t.Kind = network.Rebasing }), Err: network.ErrTokenUnsupported},
		{Name: "one that takes a fee is taken", When: register(admin2, func(t *network.Token) { t.Kind = network.FeeOnTransfer }), Then: events{
			listing.TokenRegistered{Chain: 56, Token: network.Token{Address: usdtAt, Symbol: "USDT", Decimals: 18, Kind: network.FeeOnTransfer}, Who: two},
		}},
		{Name: "a symbol names one token", When: register(admin2, func(t *network.Token) { t.Symbol = "usdc" }), Err: listing.ErrAlreadyListed},
		{Name: "not the coin", When: register(admin2, func(t *network.Token) { t.Symbol = "bnb" }), Err: listing.ErrAlreadyListed},
		{Name: "no address", When: register(admin2, func(t *network.Token) { t.Address = "0x12" }), Err: network.ErrInvalidAddress},
		{Name: "no symbol", When: register(admin2, func(t *network.Token) { t.Symbol = "U@S" }), Err: fault.ErrValidation},
		{Name: "no kind", When: register(admin2, func(t *network.Token) { t.Kind = "elastic" }), Err: fault.ErrValidation},
		{Name: "listed otherwise", When: register(admin2, func(t *network.Token) { t.Address = usdcAt; t.Symbol = "X" }), Err: listing.ErrAlreadyListed},
		{Name: "two correct its decimals", When: change(admin2, 0, six), Then: events{retoken}},
		{Name: "one alone does not", When: change(domain.Actor{}, 0, six), Err: listing.ErrApprovalRequired},
		{Name: "nor while payments count in them", When: change(admin2, 1, six), Err: listing.ErrInUse},
		{Name: "an unlisted one", When: change(admin2, 0, func(t *network.Token) { t.Address = usdtAt }), Err: fault.ErrNotFound},
		{Name: "an admin stops it", When: off, Then: events{tokenOff}},
		{Name: "once", Given: events{tokenOff}, When: off},
		{Name: "one that is not listed", When: foreign, Err: fault.ErrNotFound},
		{Name: "and takes it again", Given: events{tokenOff}, When: change(domain.Actor{}, 3, none), Then: events{
			listing.TokenChanged{Chain: 56, Token: again, Who: listing.Who{By: admin, Reason: two.Reason}},
		}},
	})
}

func TestProxies(t *testing.T) {
	t.Parallel()
	add := func(other domain.Actor, p network.Proxy) listing.AddProxy {
		return listing.AddProxy{Decision: by(admin, other, two.Reason), Proxy: p}
	}
	retire := listing.RetireProxy{Decision: by(admin, domain.Actor{}, one.Reason), Address: proxyAt}
	distrust := retire
	distrust.Distrust = true
	foreign := retire
	foreign.Address = otherAt
	machinetest.Run(t, listing.Decider, []machinetest.Case[listing.Event]{
		{Name: "two admins add one", When: add(admin2, added.Proxy), Then: events{added}},
		{Name: "one alone does not", When: add(domain.Actor{}, added.Proxy), Err: listing.ErrApprovalRequired},
		{Name: "the table's own is no news", When: add(admin2, table.Proxies[0])},
		{Name: "a retired one comes back", Given: events{retired}, When: add(admin2, table.Proxies[0]), Then: events{listing.ProxyAdded{Chain: 56, Proxy: table.Proxies[0], Who: two}}},
		{Name: "of another kind", When: add(admin2, network.Proxy{Kind: network.EthereumFeeProxy, Address: proxyAt}), Err: fault.ErrInvalidState},
		{Name: "of no kind", When: add(admin2, network.Proxy{Kind: "batch", Address: otherAt}), Err: fault.ErrValidation},
		{Name: "an admin retires one", When: retire, Then: events{retired}},
		{Name: "once", Given: events{retired}, When: retire},
		{Name: "and stops believing it at once", Given: events{retired}, When: distrust, Then: events{distrusted}},
		{Name: "one that is not listed", When: foreign, Err: fault.ErrNotFound},
	})
}

func TestOver(t *testing.T) {
	t.Parallel()
	over := func(floor uint64, all ...listing.Event) network.Chain {
		c, ok := machinetest.Fold(listing.Decider, all...).Over(56, table, floor)
		require.True(t, ok)
		_, err := network.New(c)
		require.NoError(t, err)
		return c
	}
	assert.True(t, over(1).Disabled, "the table's word")
	c := over(1, enabled, registered, added)
	assert.False(t, c.Disabled)
	assert.Equal(t, network.Confirmations{Need: 20, Floor: 15, Tag: network.Finalized}, c.Confirmations)
	assert.Len(t, c.Tokens, 2)
	assert.Len(t, c.Proxies, 2, "several are live at once")
	assert.EqualValues(t, 30, over(30, enabled).Confirmations.Need, "configuration raises the floor, and what is needed with it")
	assert.True(t, over(1, enabled, disabled).Disabled)
	assert.True(t, over(1, tokenOff).Tokens[0].Disabled)
	assert.EqualValues(t, 6, over(1, retoken).Tokens[0].Decimals)
	assert.True(t, over(1, retired).Proxies[0].Retired, "still believed")
	assert.Empty(t, over(1, distrusted).Proxies, "not believed any more")
	_, ok := listing.State{}.Over(9, network.Chain{}, 1)
	assert.False(t, ok)
	c, ok = machinetest.Fold(listing.Decider, listing.Event(enabled)).Over(9, network.Chain{}, 12)
	assert.True(t, ok, "a chain that no table knows")
	assert.EqualValues(t, 12, c.Confirmations.Floor)
}

// Whatever admins do, what decides whose word is believed was agreed to by two of them, and the
// registry can be built.
func TestTwoForEverythingThatIsBelieved(t *testing.T) {
	t.Parallel()
	people := []domain.Actor{admin, admin2, guard, {}}
	addresses := []string{usdcAt, usdtAt, proxyAt, otherAt}
	rapid.Check(t, func(t *rapid.T) {
		s := listing.State{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			who := rapid.SampledFrom(people).Draw(t, "by")
			d := by(who, rapid.SampledFrom(people).Draw(t, "other"), "x")
			address := rapid.SampledFrom(addresses).Draw(t, "address")
			token := network.Token{
				Address: address, Symbol: rapid.SampledFrom([]string{"USDC", "USDT", "DAI"}).Draw(t, "symbol"),
				Decimals: uint8(rapid.SampledFrom([]int{6, 18}).Draw(t, "decimals")), Kind: rapid.SampledFrom([]network.TokenKind{network.ERC20, network.FeeOnTransfer, network.Rebasing}).Draw(t, "kind"),
			}
			def := said
			def.Need = rapid.Uint64Range(0, 30).Draw(t, "need")
			use := rapid.IntRange(0, 1).Draw(t, "use")
			c := []domain.Command{
				listing.Enable{Decision: d, Definition: def},
				listing.Change{Decision: d, Definition: def},
				listing.Disable{Decision: d, Unwatch: use == 0, InUse: use},
				listing.RegisterToken{Decision: d, Token: token},
				listing.ChangeToken{Decision: d, Token: token, InUse: use},
				listing.DisableToken{Decision: d, Address: address},
				listing.AddProxy{Decision: d, Proxy: network.Proxy{Kind: network.ERC20FeeProxy, Address: address}},
				listing.RetireProxy{Decision: d, Address: address, Distrust: use == 0},
			}[rapid.IntRange(0, 7).Draw(t, "command")]
			before, _ := s.Over(56, table, 1)
			var got events
			s, got, _ = machinetest.Step(t, listing.Table(), listing.Decider, s, c)
			after, _ := s.Over(56, table, 1)
			if _, err := network.New(after); err != nil {
				t.Fatalf("after %T: %v", c, err)
			}
			agreed := d.Approver.Has(domain.Admin) && d.Approver.ID != d.By.ID && d.By.Has(domain.Admin)
			if len(got) > 0 && !agreed && believed(before, after) {
				t.Fatalf("%s alone: %T led from %+v to %+v", d.By.ID, c, before, after)
			}
		}
	})
}

// believed reports whether more, or something else, is believed than before.
func believed(before, after network.Chain) bool {
	for _, x := range after.Tokens {
		was, known := listing.Token(before, x.Address)
		if !known || was.Decimals != x.Decimals {
			return true
		}
	}
	for _, p := range after.Proxies {
		if was, known := listing.Proxy(before, p.Address); !known || (was.Retired && !p.Retired) {
			return true
		}
	}
	return before.Confirmations != after.Confirmations
}
