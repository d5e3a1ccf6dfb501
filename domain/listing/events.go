package listing

import (
	"holdfast/domain"
	"holdfast/domain/network"
)

// Event is something that happened to a chain's listing.
type Event interface {
	domain.Event
	listing()
}

// Who says who decided, who agreed where two are needed, and why.
type Who struct {
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver,omitzero"`
	Reason   string       `json:"reason"`
}

// Definition is what there is to say of a chain beside its tokens and payment contracts.
type Definition struct {
	Name      string         `json:"name"`
	Native    network.Native `json:"native"`
	Explorer  string         `json:"explorer,omitempty"`
	BlockTime uint32         `json:"block_time,omitempty"` // seconds
	Testnet   bool           `json:"testnet,omitempty"`
	// Need and Tag are the rule of confirmation; its floor is configuration and not here.
	Need uint64      `json:"need"`
	Tag  network.Tag `json:"tag,omitempty"`
	// Nodes are JSON-RPC endpoints beside those of EVM_RPC_URLS. They are sealed like text about
	// people, because providers put API keys into them.
	Nodes []domain.Personal `json:"nodes,omitempty"`
}

// Enabled: new payments may be begun on the chain.
type Enabled struct {
	Chain      uint64     `json:"chain"`
	Definition Definition `json:"definition"`
	Who
}

// Changed: it is described otherwise.
type Changed struct {
	Chain      uint64     `json:"chain"`
	Definition Definition `json:"definition"`
	Who
}

// Disabled: nothing new is begun on it. What is under way goes on, unless nobody is to watch
// it any more.
type Disabled struct {
	Chain   uint64 `json:"chain"`
	Watched bool   `json:"watched"`
	Who
}

// TokenRegistered: the token is taken.
type TokenRegistered struct {
	Chain uint64        `json:"chain"`
	Token network.Token `json:"token"`
	Who
}

// TokenChanged: it is described otherwise, or taken again.
type TokenChanged struct {
	Chain uint64        `json:"chain"`
	Token network.Token `json:"token"`
	Who
}

// TokenDisabled: nothing new is begun in it; money in it is recognised.
type TokenDisabled struct {
	Chain   uint64 `json:"chain"`
	Address string `json:"address"`
	Who
}

// ProxyAdded: events of this contract are believed, and it is offered.
type ProxyAdded struct {
	Chain uint64        `json:"chain"`
	Proxy network.Proxy `json:"proxy"`
	Who
}

// ProxyRetired: it is not offered any more, and, with Distrusted, not believed either.
type ProxyRetired struct {
	Chain      uint64 `json:"chain"`
	Address    string `json:"address"`
	Distrusted bool   `json:"distrusted"`
	Who
}

func (Enabled) EventType() string         { return "network.enabled" }
func (Changed) EventType() string         { return "network.changed" }
func (Disabled) EventType() string        { return "network.disabled" }
func (TokenRegistered) EventType() string { return "network.token_registered" }
func (TokenChanged) EventType() string    { return "network.token_changed" }
func (TokenDisabled) EventType() string   { return "network.token_disabled" }
func (ProxyAdded) EventType() string      { return "network.proxy_added" }
func (ProxyRetired) EventType() string    { return "network.proxy_retired" }

func (Enabled) listing()         {}
func (Changed) listing()         {}
func (Disabled) listing()        {}
func (TokenRegistered) listing() {}
func (TokenChanged) listing()    {}
func (TokenDisabled) listing()   {}
func (ProxyAdded) listing()      {}
func (ProxyRetired) listing()    {}
