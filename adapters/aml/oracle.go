package aml

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"holdfast/domain/safety"
)

// Caller asks a contract of every node of a chain (adapters/evm has one a chain).
type Caller interface {
	CallAll(ctx context.Context, contract string, data []byte) ([][]byte, error)
}

// Oracle is the sanctions oracle: isSanctioned(address) of a contract a chain.
type Oracle struct {
	Chains    func() map[uint64]Caller // those there are at this moment
	Contracts map[uint64]string
}

// KnownOracles are the contracts' addresses as several independent public repositories use them.
func KnownOracles() map[uint64]string {
	const usual = "0x40C57923924B5c5c5455c48D93317139ADDaC8fb"
	all := map[uint64]string{8453: "0x3A91A31cB3dC49b4db9Ce721F50a9D076c8D739B"}
	for _, chain := range []uint64{1, 10, 56, 137, 250, 42161, 42220, 43114} {
		all[chain] = usual
	}
	return all
}

// Name implements Source.
func (Oracle) Name() string { return "sanctions-oracle" }

// Chain implements Source.
func (o Oracle) Chain(chain uint64) bool {
	_, reachable := o.Chains()[chain]
	return reachable && o.Contracts[chain] != ""
}

// isSanctioned is the selector of isSanctioned(address).
const isSanctioned = "df592f7d"

// Ask implements Source. One node that says "listed" is enough; an address without a contract
// answers nothing, which is no "not listed".
func (o Oracle) Ask(ctx context.Context, chain uint64, address string) (safety.Outcome, int, string, []byte, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(address), "0x"))
	if err != nil || len(raw) != 20 {
		return "", 0, "", nil, fmt.Errorf("%q is no address", address)
	}
	call, err := hex.DecodeString(isSanctioned + strings.Repeat("00", 12) + hex.EncodeToString(raw))
	if err != nil {
		return "", 0, "", nil, err
	}
	answers, err := o.Chains()[chain].CallAll(ctx, o.Contracts[chain], call)
	if err != nil {
		return "", 0, "", nil, err
	}
	all := bytes.Join(answers, []byte("|"))
	no, yes := make([]byte, 32), append(make([]byte, 31), 1)
	unclear := false
	for _, a := range answers {
		if bytes.Equal(a, yes) {
			return safety.Flagged, 100, "the sanctions oracle lists the address", all, nil
		}
		unclear = unclear || !bytes.Equal(a, no)
	}
	if unclear || len(answers) == 0 {
		return "", 0, "", all, errors.New("the contract does not answer yes or no")
	}
	return safety.Clean, 0, "", all, nil
}
