package listing

import (
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/network"
)

// Refusals of a listing.
var (
	ErrApprovalRequired = fault.New(fault.Forbidden, "APPROVAL_REQUIRED", "this takes two admins")
	ErrSelfApproval     = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
	ErrInUse            = fault.New(fault.Conflict, "CHAIN_IN_USE", "payments or transactions are under way; disable it for new ones and wait")
	ErrAlreadyListed    = fault.New(fault.Conflict, "TOKEN_ALREADY_LISTED", "the chain has a token of this address or symbol already")
	ErrUnsupported      = fault.New(fault.Rule, "CHAIN_UNSUPPORTED", "nothing here can watch chains of this family")
)

// decided checks what all commands share.
func (d Decision) decided(takesTwo bool) error {
	switch {
	case d.Reason == "":
		return fault.ErrValidation.At("reason", "is required")
	case !takesTwo:
		return nil
	case d.Approver.ID == "":
		return ErrApprovalRequired
	case d.Approver.ID == d.By.ID || !d.Approver.Has(domain.Admin):
		return ErrSelfApproval
	}
	return nil
}

// current is the chain as the state has it; NOT_FOUND when nobody knows it.
func (d Decision) current(s State) (network.Chain, error) {
	c, ok := s.Over(d.Chain, d.Base, 1)
	if !ok {
		return c, fault.ErrNotFound
	}
	return c, nil
}

func (d Definition) check() error {
	switch {
	case d.Name == "":
		return fault.ErrValidation.At("name", "is required")
	case d.Native.Symbol == "" || d.Native.Decimals > 36:
		return fault.ErrValidation.At("nativeAsset", "a symbol and at most 36 decimals")
	case d.Need == 0:
		return fault.ErrValidation.At("finality.value", "at least 1")
	}
	return nil
}

func enable(s State, c Enable) ([]Event, error) {
	if err := c.decided(true); err != nil {
		return nil, err
	}
	if c.Base.Family != network.EVM {
		return nil, ErrUnsupported.With("family", c.Base.Family)
	}
	if err := c.Definition.check(); err != nil {
		return nil, err
	}
	if s.Status == On && s.Definition.same(c.Definition) {
		return nil, nil
	}
	return []Event{Enabled{Chain: c.Chain, Definition: c.Definition, Who: c.who()}}, nil
}

func change(s State, c Change) ([]Event, error) {
	if _, err := c.current(s); err != nil {
		return nil, err
	}
	if err := c.decided(c.TakesTwo || c.weighty(s)); err != nil {
		return nil, err
	}
	if err := c.Definition.check(); err != nil {
		return nil, err
	}
	if s.Definition != nil && s.Definition.same(c.Definition) {
		return nil, nil
	}
	return []Event{Changed{Chain: c.Chain, Definition: c.Definition, Who: c.who()}}, nil
}

// same compares what is said, and not in which form a node is kept.
func (d Definition) same(o Definition) bool {
	return d.Name == o.Name && d.Native == o.Native && d.Explorer == o.Explorer && d.BlockTime == o.BlockTime &&
		d.Testnet == o.Testnet && d.Need == o.Need && d.Tag == o.Tag && sameNodes(d.Nodes, o.Nodes)
}

func sameNodes(a, b []domain.Personal) bool {
	return slices.EqualFunc(a, b, func(a, b domain.Personal) bool { return a.Text == b.Text })
}

// weighty reports whether the change is about whom we believe, and when.
func (c Change) weighty(s State) bool {
	is, _ := c.current(s)
	d := c.Definition
	var nodes []domain.Personal
	if s.Definition != nil {
		nodes = s.Definition.Nodes
	}
	return is.Native != d.Native || is.Confirmations.Need != d.Need || is.Confirmations.Tag != d.Tag ||
		!sameNodes(nodes, d.Nodes)
}

func disable(s State, c Disable) ([]Event, error) {
	is, err := c.current(s)
	if err != nil {
		return nil, err
	}
	if err := c.decided(false); err != nil {
		return nil, err
	}
	if c.Unwatch && c.InUse > 0 {
		return nil, ErrInUse.With("under_way", c.InUse)
	}
	if is.Disabled && s.Status == Off && s.Unwatched == c.Unwatch {
		return nil, nil
	}
	return []Event{Disabled{Chain: c.Chain, Watched: !c.Unwatch, Who: c.who()}}, nil
}

func registerToken(s State, c RegisterToken) ([]Event, error) {
	is, err := c.current(s)
	switch {
	case err != nil:
		return nil, err
	case is.Family != network.EVM:
		return nil, ErrUnsupported.With("family", is.Family)
	}
	if err := checkToken(c.Token); err != nil {
		return nil, err
	}
	if err := c.decided(true); err != nil {
		return nil, err
	}
	if t, listed := Token(is, c.Token.Address); listed {
		if sameToken(t, c.Token) {
			return nil, nil
		}
		return nil, ErrAlreadyListed.With("symbol", t.Symbol).With("address", t.Address)
	}
	if err := freeSymbol(is, c.Token); err != nil {
		return nil, err
	}
	return []Event{TokenRegistered{Chain: c.Chain, Token: c.Token, Who: c.who()}}, nil
}

func checkToken(t network.Token) error {
	switch {
	case t.Kind == network.Rebasing:
		return network.ErrTokenUnsupported
	case network.CheckAddress(t.Address) != nil:
		return network.ErrInvalidAddress.At("address", "not a contract's address")
	case t.Symbol == "" || strings.ContainsAny(t.Symbol, "@:/ "):
		return fault.ErrValidation.At("symbol", "without @, :, / and spaces")
	case t.Decimals > 36:
		return fault.ErrValidation.At("decimals", "36 at most")
	case t.Kind != network.ERC20 && t.Kind != network.NoReturn && t.Kind != network.FeeOnTransfer:
		return fault.ErrValidation.At("kind", "erc20, erc20_no_return or fee_on_transfer")
	}
	return nil
}

func freeSymbol(c network.Chain, t network.Token) error {
	taken := strings.EqualFold(c.Native.Symbol, t.Symbol) || slices.ContainsFunc(c.Tokens, func(o network.Token) bool {
		return strings.EqualFold(o.Symbol, t.Symbol) && !strings.EqualFold(o.Address, t.Address)
	})
	if taken {
		return ErrAlreadyListed.With("symbol", t.Symbol)
	}
	return nil
}

func sameToken(a, b network.Token) bool {
	if a.Kind == "" {
		a.Kind = network.ERC20
	}
	return a.Symbol == b.Symbol && a.Decimals == b.Decimals && a.Kind == b.Kind && a.Disabled == b.Disabled && a.RequestID == b.RequestID
}

func changeToken(s State, c ChangeToken) ([]Event, error) {
	is, err := c.current(s)
	if err != nil {
		return nil, err
	}
	was, listed := Token(is, c.Token.Address)
	if !listed {
		return nil, fault.ErrNotFound
	}
	if err := checkToken(c.Token); err != nil {
		return nil, err
	}
	if was.Kind == "" {
		was.Kind = network.ERC20
	}
	if err := c.decided(was.Decimals != c.Token.Decimals || was.Kind != c.Token.Kind); err != nil {
		return nil, err
	}
	if was.Decimals != c.Token.Decimals && c.InUse > 0 {
		return nil, ErrInUse.With("under_way", c.InUse)
	}
	if err := freeSymbol(is, c.Token); err != nil {
		return nil, err
	}
	if sameToken(was, c.Token) {
		return nil, nil
	}
	return []Event{TokenChanged{Chain: c.Chain, Token: c.Token, Who: c.who()}}, nil
}

func disableToken(s State, c DisableToken) ([]Event, error) {
	is, err := c.current(s)
	if err != nil {
		return nil, err
	}
	t, listed := Token(is, c.Address)
	if !listed {
		return nil, fault.ErrNotFound
	}
	if err := c.decided(false); err != nil || t.Disabled {
		return nil, err
	}
	return []Event{TokenDisabled{Chain: c.Chain, Address: t.Address, Who: c.who()}}, nil
}

func addProxy(s State, c AddProxy) ([]Event, error) {
	is, err := c.current(s)
	switch {
	case err != nil:
		return nil, err
	case is.Family != network.EVM:
		return nil, ErrUnsupported.With("family", is.Family)
	case network.CheckAddress(c.Proxy.Address) != nil:
		return nil, network.ErrInvalidAddress.At("address", "not a contract's address")
	case c.Proxy.Kind != network.ERC20FeeProxy && c.Proxy.Kind != network.EthereumFeeProxy:
		return nil, fault.ErrValidation.At("kind", "erc20_fee_proxy or ethereum_fee_proxy")
	}
	if err := c.decided(true); err != nil {
		return nil, err
	}
	if p, listed := Proxy(is, c.Proxy.Address); listed && !p.Retired && p.Kind == c.Proxy.Kind {
		return nil, nil
	} else if listed && p.Kind != c.Proxy.Kind {
		return nil, fault.ErrInvalidState.With("kind", p.Kind)
	}
	return []Event{ProxyAdded{Chain: c.Chain, Proxy: c.Proxy, Who: c.who()}}, nil
}

func retireProxy(s State, c RetireProxy) ([]Event, error) {
	is, err := c.current(s)
	if err != nil {
		return nil, err
	}
	p, listed := Proxy(is, c.Address)
	if !listed {
		return nil, fault.ErrNotFound
	}
	if err := c.decided(false); err != nil || (p.Retired && !c.Distrust) {
		return nil, err
	}
	return []Event{ProxyRetired{Chain: c.Chain, Address: p.Address, Distrusted: c.Distrust, Who: c.who()}}, nil
}
