package http_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/fault"
	"holdfast/domain/network"
	apihttp "holdfast/http"
	"holdfast/projections/networkview"
	"holdfast/reactors"
)

const (
	networksPath = "/api/admin/rn/networks"
	daiAt        = "0x1AF3F329e8BE154074D8769D1FFa4eE058B1DBc3"
	otherProxy   = "0x2171a0dc12a9E5b1659feF2BB20E54c84Fa7dB0C"
)

// fakeNodes are the nodes of the chains: they serve what a test says.
type fakeNodes struct {
	served   map[string]uint64 // url → chain id
	decimals map[string]uint8  // lower-case token → decimals on chain
	noCode   string
	watched  map[uint64]bool
	standing network.Standing
	woken    int
}

var (
	errNotAllowed  = fault.New(fault.Rule, "URL_NOT_ALLOWED", "not allowed")
	errUnavailable = fault.New(fault.Unavailable, "CHAIN_UNAVAILABLE", "not there")
)

func (n *fakeNodes) Address(text string) (string, error) { return text, network.CheckAddress(text) }
func (n *fakeNodes) Host(raw string) string              { return strings.Split(raw, "/")[2] }
func (n *fakeNodes) Watched(chain uint64) bool           { return n.watched[chain] }
func (n *fakeNodes) Wake(uint64)                         { n.woken++ }

func (n *fakeNodes) CheckURL(_ context.Context, raw string) error {
	if !strings.HasPrefix(raw, "https://") {
		return errNotAllowed
	}
	return nil
}

func (n *fakeNodes) Standing(context.Context, uint64, uint64, string) (network.Standing, error) {
	return n.standing, nil
}

func (n *fakeNodes) Decimals(_ context.Context, chain uint64, token string) (uint8, bool, error) {
	d, ok := n.decimals[strings.ToLower(token)]
	if !n.watched[chain] {
		return 0, false, nil
	}
	if !ok {
		return 0, true, errors.New("no contract")
	}
	return d, true, nil
}

func (n *fakeNodes) Probe(_ context.Context, c network.Chain, urls []string) (network.Probe, error) {
	p := network.Probe{ChainID: c.ID}
	if urls == nil {
		urls = []string{"https://own"}
	}
	for _, u := range urls {
		id, ok := n.served[u]
		if !ok {
			return p, errUnavailable
		}
		p.Nodes = append(p.Nodes, network.ProbedNode{Node: n.Host(u), ChainIDReported: id, Head: 7})
	}
	for _, t := range c.Tokens {
		said := network.ProbedToken{Address: t.Address, Symbol: t.Symbol, Decimals: t.Decimals}
		if d, ok := n.decimals[strings.ToLower(t.Address)]; ok {
			said.OnChain, said.OK = &d, d == t.Decimals
		}
		p.Tokens = append(p.Tokens, said)
	}
	for _, x := range c.Proxies {
		p.Proxies = append(p.Proxies, network.ProbedProxy{Address: x.Address, Kind: x.Kind, CodeHash: "0x1", OK: x.Address != n.noCode})
	}
	return p, nil
}

// withNetworks puts a registry that follows the log under a server on PostgreSQL: chain 56 is
// enabled and watched, chain 7 known and disabled, chain 8 of another family.
func withNetworks(t *testing.T) (*world, *fakeNodes) {
	t.Helper()
	nodes := &fakeNodes{
		served: map[string]uint64{"https://own": 56, "https://seven.example/KEY": 7, "https://nine.example": 9, "https://liar.example": 1},
		decimals: map[string]uint8{
			"0x55d398326f99059ff775485246999027b3197955": 18, "0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d": 18, strings.ToLower(daiAt): 18,
		},
		watched: map[uint64]bool{56: true},
	}
	var book *reactors.Networks
	w := setup(t, checkingOut, onPostgres, func(w *world) {
		chains := registry(t).Chains()
		chains = append(chains,
			network.Chain{ID: 7, Name: "seven", Disabled: true, Native: network.Native{Symbol: "SEV", Decimals: 18}, Confirmations: network.Confirmations{Need: 20, Floor: 5}},
			network.Chain{ID: 8, Name: "eight", Disabled: true, Family: network.Tron, Confirmations: network.Confirmations{Need: 19, Floor: 19}})
		table, err := network.New(chains...)
		require.NoError(t, err)
		book, err = reactors.NewNetworks(reactors.NetworksOptions{
			Table: table, Floor: func(uint64) uint64 { return 1 }, Listings: networkview.New(w.pool, w.codec), Positions: w.deps.Positions,
		})
		require.NoError(t, err)
		w.deps.Networks, w.deps.Nodes, w.deps.Registry = book, nodes, book
		w.deps.Checkout = basis{book}
	})
	return w, nodes
}

// both asks for the same as two admins and demands that the first is told to wait.
func (w *world) both(method, path string, body any) answer {
	w.t.Helper()
	one, two := w.as(w.users.named("admin")), w.as(w.users.named("admin2"))
	w.untouched(func() {
		first := one.send(method, path, body)
		require.Equal(w.t, 202, first.status, "%s %s: %s", method, path, first.raw)
		require.Equal(w.t, 202, one.send(method, path, body).status, "the same person twice is one person")
	})
	return two.send(method, path, body)
}

func TestAnAdminEnablesAChain(t *testing.T) {
	t.Parallel()
	w, nodes := withNetworks(t)
	admin := w.as(w.users.named("admin"))
	body := func(change map[string]any) map[string]any {
		b := map[string]any{"chainId": 7, "rpcUrls": []string{"https://seven.example/KEY"}, "finality": map[string]any{"kind": "depth", "value": "30"}, "reason": "we need it"}
		for k, v := range change {
			b[k] = v
		}
		return b
	}
	w.untouched(func() {
		for name, c := range map[string]struct {
			body   map[string]any
			status int
			code   string
		}{
			"another chain":        {body(map[string]any{"rpcUrls": []string{"https://liar.example"}}), 422, "CHAIN_MISMATCH"},
			"no node answers":      {body(map[string]any{"rpcUrls": []string{"https://down.example"}}), 503, "CHAIN_UNAVAILABLE"},
			"our own network":      {body(map[string]any{"rpcUrls": []string{"http://169.254.169.254"}}), 422, "URL_NOT_ALLOWED"},
			"no node at all":       {body(map[string]any{"rpcUrls": []string{}}), 400, "VALIDATION_FAILED"},
			"below the floor":      {body(map[string]any{"finality": map[string]any{"kind": "depth", "value": "4"}}), 422, "BELOW_FLOOR"},
			"no such tag":          {body(map[string]any{"finality": map[string]any{"kind": "tag", "value": "12"}}), 400, "VALIDATION_FAILED"},
			"another's name":       {body(map[string]any{"name": "bsc"}), 422, "REGISTRY_CONFLICT"},
			"an unwatchable chain": {body(map[string]any{"chainId": 8}), 422, "CHAIN_UNSUPPORTED"},
			"no contract":          {body(map[string]any{"proxyAddress": "0x12"}), 400, "INVALID_ADDRESS"},
			"no reason":            {body(map[string]any{"reason": ""}), 400, "VALIDATION_FAILED"},
			"a new one needs name": {body(map[string]any{"chainId": 9, "rpcUrls": []string{"https://nine.example"}}), 422, "REGISTRY_CONFLICT"},
		} {
			a := admin.post(networksPath, c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
		}
		assert.Equal(t, 403, w.as(w.users.named("guard")).post(networksPath, body(nil)).status)
		assert.NotContains(t, string(w.anybody().get("/api/networks").raw), `"chainId":7`)
	})
	done := w.both(http.MethodPost, networksPath, body(map[string]any{"proxyAddress": otherProxy}))
	require.Equal(t, 200, done.status, string(done.raw))
	assert.Equal(t, "Enabled", done.text("state"))
	assert.Equal(t, "false", done.text("restartRequired"))
	for _, path := range []string{"/api/networks", "/api/payment/request-network/networks", "/api/payment/request-network/chains"} {
		assert.Contains(t, string(w.anybody().get(path).raw), `"chainId":7`, path)
	}
	one := admin.get(networksPath + "/7")
	require.Equal(t, 200, one.status, string(one.raw))
	assert.NotContains(t, string(one.raw), "KEY", "a node is shown by its host")
	assert.Contains(t, string(one.raw), `"nodes":["seven.example"]`)
	assert.Contains(t, string(one.raw), otherProxy)
	assert.Contains(t, string(one.raw), "we need it")
	raw := admin.get("/api/audit/streams/network_listing/7")
	assert.NotContains(t, string(raw.raw), "seven.example", "and sealed in the log")
	assert.Len(t, admin.get(networksPath).body["data"], 3)
	assert.Equal(t, 404, admin.get(networksPath+"/99").status)

	named := w.both(http.MethodPost, networksPath, map[string]any{"chainId": 9, "name": "nine", "nativeAsset": map[string]any{"symbol": "NIN", "decimals": 18}, "rpcUrls": []string{"https://nine.example"}, "reason": "a new one"})
	require.Equal(t, 200, named.status, string(named.raw))

	w.untouched(func() {
		alone := admin.send(http.MethodPatch, networksPath+"/7", map[string]any{"rpcUrls": []string{"https://seven.example/KEY"}, "reason": "other nodes"})
		assert.Equal(t, 202, alone.status, string(alone.raw))
	})
	nice := admin.send(http.MethodPatch, networksPath+"/7", map[string]any{"explorer": "https://seven.scan", "reason": "for people"})
	assert.Equal(t, 200, nice.status, string(nice.raw))
	off := admin.send(http.MethodDelete, networksPath+"/7", map[string]any{"reason": "enough", "unwatch": true})
	require.Equal(t, 200, off.status, string(off.raw))
	assert.NotContains(t, string(w.anybody().get("/api/networks").raw), `"chainId":7`)
	reloaded := admin.post(networksPath+"/reload", nil)
	assert.Equal(t, "4", reloaded.text("chains"), string(reloaded.raw))
	nodes.decimals["0x55d398326f99059ff775485246999027b3197955"] = 6
	w.untouched(func() {
		a := admin.send(http.MethodPatch, networksPath+"/56", map[string]any{"finality": map[string]any{"kind": "tag", "value": "safe"}, "reason": "faster"})
		assert.Equal(t, "DECIMALS_MISMATCH", a.code, string(a.raw))
	})
	probed := admin.post(networksPath+"/56/probe", nil)
	require.Equal(t, 200, probed.status, string(probed.raw))
	assert.Equal(t, "false", probed.text("ok"))
	assert.Contains(t, string(probed.raw), `"disabledTokens":["0x55d398326f99059fF775485246999027B3197955"]`)
	assert.NotContains(t, string(w.anybody().get("/api/networks").raw), "USDT@56", "a token whose decimals differ is not taken any more")
}

func TestTokensAndContractsTakeEffectAtOnce(t *testing.T) {
	t.Parallel()
	w, nodes := withNetworks(t)
	admin, admin2 := w.as(w.users.named("admin")), w.as(w.users.named("admin2"))
	o := selected(t, w)
	path := networksPath + "/56/tokens"
	dai := func(change map[string]any) map[string]any {
		b := map[string]any{"address": daiAt, "symbol": "DAI", "decimals": 18, "reason": "asked for"}
		for k, v := range change {
			b[k] = v
		}
		return b
	}
	inDAI := offerFor(o.request, "80")
	inDAI["price"] = map[string]any{"asset": "DAI@56", "display": "80"}
	w.untouched(func() {
		for name, c := range map[string]struct {
			body   map[string]any
			status int
			code   string
		}{
			"rebasing":         {dai(map[string]any{"kind": "rebasing"}), 422, "TOKEN_UNSUPPORTED"},
			"wrong decimals":   {dai(map[string]any{"decimals": 6}), 422, "DECIMALS_MISMATCH"},
			"too many":         {dai(map[string]any{"decimals": 37}), 400, "VALIDATION_FAILED"},
			"no contract":      {dai(map[string]any{"address": otherProxy}), 400, "INVALID_ADDRESS"},
			"no address":       {dai(map[string]any{"address": "0x0"}), 400, "INVALID_ADDRESS"},
			"another's symbol": {dai(map[string]any{"symbol": "USDT"}), 409, "TOKEN_ALREADY_LISTED"},
			"another's place":  {dai(map[string]any{"address": "0x55d398326f99059fF775485246999027B3197955"}), 409, "TOKEN_ALREADY_LISTED"},
		} {
			a := admin.post(path, c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
		}
		assert.Equal(t, 404, admin.post(networksPath+"/99/tokens", dai(nil)).status)
		assert.Equal(t, 422, w.as(w.users.named("seller2")).post(offersPath, inDAI).status, "not known yet")
	})
	done := w.both(http.MethodPost, path, dai(nil))
	require.Equal(t, 200, done.status, string(done.raw))
	other := w.as(w.users.named("buyer")).post(requestsPath, wish())
	inDAI["purchaseRequestId"] = other.text("request")
	assert.Equal(t, 201, w.as(w.users.named("seller2")).post(offersPath, inDAI).status, "taken without a restart")

	o.pay(t)
	w.seen(o.buyer, "")
	usdt := path + "/0x55d398326f99059fF775485246999027B3197955"
	nodes.decimals["0x55d398326f99059ff775485246999027b3197955"] = 6
	w.untouched(func() {
		a := admin.send(http.MethodPatch, usdt, map[string]any{"decimals": 6, "reason": "the contract says so"})
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "CHAIN_IN_USE", a.code, "a payment counts in them")
		a = admin.send(http.MethodDelete, networksPath+"/56", map[string]any{"reason": "enough", "unwatch": true})
		assert.Equal(t, "CHAIN_IN_USE", a.code, string(a.raw))
		assert.Equal(t, 404, admin.send(http.MethodPatch, path+"/"+otherProxy, map[string]any{"enabled": true, "reason": "none"}).status)
	})
	nodes.decimals["0x55d398326f99059ff775485246999027b3197955"] = 18
	off := admin.send(http.MethodDelete, usdt, map[string]any{"reason": "depeg"})
	require.Equal(t, 200, off.status, string(off.raw))
	w.untouched(func() {
		a := w.as(w.users.named("seller")).post(offersPath, offerFor(other.text("request"), "80"))
		assert.Equal(t, "ASSET_NOT_SUPPORTED", a.code, string(a.raw))
	})
	back := admin2.send(http.MethodPatch, usdt, map[string]any{"enabled": true, "reason": "stable again"})
	require.Equal(t, 200, back.status, string(back.raw))
	assert.Contains(t, string(w.anybody().get("/api/networks").raw), "USDT@56")

	proxies := networksPath + "/56/proxies"
	w.untouched(func() {
		nodes.noCode = otherProxy
		a := admin.post(proxies, map[string]any{"address": otherProxy, "reason": "another"})
		assert.Equal(t, "INVALID_ADDRESS", a.code, string(a.raw))
		nodes.noCode = ""
		assert.Equal(t, 404, admin.send(http.MethodDelete, proxies+"/"+otherProxy, map[string]any{"reason": "none"}).status)
	})
	require.Equal(t, 200, w.both(http.MethodPost, proxies, map[string]any{"address": otherProxy, "reason": "another"}).status)
	live := admin.get(networksPath + "/56")
	assert.Equal(t, 2, strings.Count(string(live.raw), "erc20_fee_proxy"), "several are live at once")
	gone := admin.send(http.MethodDelete, proxies+"/"+otherProxy, map[string]any{"reason": "compromised", "distrust": true})
	require.Equal(t, 200, gone.status, string(gone.raw))
	assert.NotContains(t, string(admin.get(networksPath+"/56").raw), `"address":"`+otherProxy)
}

var _ apihttp.Nodes = (*fakeNodes)(nil)
