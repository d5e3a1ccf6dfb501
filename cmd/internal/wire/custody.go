package wire

import (
	"context"

	"holdfast/adapters/aml"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/safety"
	"holdfast/eventstore/postgres"
)

// custody builds and sends transactions out of the treasury; signatures come from outside.
type custody struct {
	chains       *Chains
	transactions *records.Transactions
	log          *postgres.Store
}

func (c custody) Treasury() string { return c.chains.Treasury }

func (c custody) Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error) {
	token, ok := c.chains.Registry.Token(amount.Asset)
	if !ok {
		return outgoing.Transfer{}, errNoChain.With("asset", amount.Asset)
	}
	nonce, err := c.Nonce(ctx, token.Chain, c.chains.Treasury)
	return outgoing.Transfer{Chain: token.Chain, From: c.chains.Treasury, To: to, Token: token.Address, Amount: amount, Nonce: nonce}, err
}

// ahead is how many instructions may wait for a signature at once.
const ahead = 256

// Nonce skips those of instructions that wait for a signature. One that is cancelled leaves a
// gap that the next instruction fills.
func (c custody) Nonce(ctx context.Context, chain uint64, from string) (uint64, error) {
	client, err := c.chains.Client(chain)
	if err != nil {
		return 0, err
	}
	next, err := client.NextNonce(ctx, from)
	if err != nil {
		return 0, err
	}
	names := make([]string, ahead)
	for i := range names {
		names[i] = outgoing.NonceClaim(outgoing.Transfer{Chain: chain, From: from, Nonce: next + uint64(i)}).Name
	}
	taken, err := c.log.Claimed(ctx, names)
	if err != nil {
		return 0, err
	}
	for i, name := range names {
		if _, held := taken[name]; !held {
			return next + uint64(i), nil
		}
	}
	return 0, errTooManyInstructions
}

var (
	errTooManyInstructions = fault.New(fault.Conflict, "TOO_MANY_INSTRUCTIONS", "too many instructions of this address wait for a signature")
	errNonceUsed           = fault.New(fault.Conflict, "NONCE_USED", "another transaction has the nonce of this instruction; it does not stand firmly yet, or cannot be found: look again later, or bring its hash")
)

// Unsigned builds the transaction, after a look at what the address has.
func (c custody) Unsigned(ctx context.Context, t outgoing.Transfer, replaces outgoing.Tx) (network.Unsigned, error) {
	client, err := c.chains.Client(t.Chain)
	if err != nil {
		return network.Unsigned{}, err
	}
	have, err := client.Balance(ctx, t.Amount.Asset, t.From)
	if err != nil {
		return network.Unsigned{}, err
	}
	if have.Less(t.Amount.Units) {
		return network.Unsigned{}, outgoing.ErrCustodyShort.With("have", have).With("need", t.Amount.Units)
	}
	u, err := client.Outbid(ctx, t, replaces)
	if err != nil {
		return network.Unsigned{}, err
	}
	short, err := client.Shortfall(ctx, u)
	if err == nil && !short.IsZero() {
		err = evm.ErrNoGas.With("short", short)
	}
	return u, err
}

// UsedBy looks on the chain for the transaction that has an instruction's nonce.
func (c custody) UsedBy(ctx context.Context, t outgoing.Transfer) (string, error) {
	client, err := c.chains.Client(t.Chain)
	if err != nil {
		return "", err
	}
	hash, used, err := client.UsedBy(ctx, t.From, t.Nonce)
	if err != nil || !used {
		return "", err
	}
	out, err := client.Outcome(ctx, outgoing.Tx{Hash: hash})
	if err != nil {
		return "", err
	}
	rule := client.Chain().Confirmations
	if out.Depth < max(rule.Need, rule.Floor, 1) {
		return "", errNonceUsed.With("tx", hash)
	}
	return client.Fetch(ctx, hash)
}

func (c custody) Decode(_ context.Context, chain uint64, signed string) (outgoing.Tx, error) {
	tx, err := evm.Decode(signed)
	if err == nil && tx.Chain != chain {
		err = outgoing.ErrInstructionMismatch.With("field", "chain")
	}
	return tx, err
}

func (c custody) CheckFee(tx outgoing.Tx) error {
	client, err := c.chains.Client(tx.Chain)
	if err != nil {
		return err
	}
	return client.CheckFee(tx.MaxFee)
}

func (c custody) Fetch(ctx context.Context, chain uint64, hash string) (string, error) {
	client, err := c.chains.Client(chain)
	if err != nil {
		return "", err
	}
	return client.Fetch(ctx, hash)
}

func (c custody) Keep(ctx context.Context, tx outgoing.Tx, signed string) error {
	return c.transactions.Keep(ctx, tx.Chain, tx.Hash, signed)
}

func (c custody) Kept(ctx context.Context, chain uint64, hash string) (outgoing.Tx, bool, error) {
	raw, ok, err := c.transactions.Raw(ctx, chain, hash)
	if err != nil || !ok {
		return outgoing.Tx{}, false, err
	}
	tx, err := evm.Decode(raw)
	return tx, err == nil, err
}

func (c custody) Send(ctx context.Context, tx outgoing.Tx, signed string) error {
	client, err := c.chains.Client(tx.Chain)
	if err != nil {
		return err
	}
	_, err = client.Send(ctx, signed)
	return err
}

// recipients knows which addresses are no recipients, and asks screening about the others.
type recipients struct {
	chains   *Chains
	screener *aml.Screener
}

func (r recipients) Read(asset money.Asset, text string) (string, error) {
	address, err := evm.ParseAddress(text)
	if err != nil {
		return "", err
	}
	token, ok := r.chains.Registry.Token(asset)
	if !ok {
		return "", errNoChain.With("asset", asset)
	}
	chain, _ := r.chains.Registry.Chain(token.Chain)
	ours := []string{r.chains.Treasury}
	for _, t := range chain.Tokens {
		ours = append(ours, t.Address)
	}
	for _, p := range chain.Proxies {
		ours = append(ours, p.Address)
	}
	for _, a := range ours {
		if outgoing.SameAddress(a, address) {
			return "", network.ErrInvalidAddress.Because("this address is ours, or a contract's: nobody would get the money")
		}
	}
	return address, nil
}

func (r recipients) Screen(ctx context.Context, chain uint64, address string) (string, error) {
	switch v := r.screener.Screen(ctx, chain, address); v.Outcome {
	case safety.Clean, safety.Flagged:
		return string(v.Outcome), nil
	}
	return "", nil
}
