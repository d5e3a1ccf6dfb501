package evm

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/fault"
)

// What a chain, or the way to it, may answer.
var (
	// ErrUnavailable: no node gave a usable answer. A repeat makes sense; nothing changed.
	ErrUnavailable = fault.New(fault.Unavailable, "CHAIN_UNAVAILABLE", "the chain cannot be read at the moment").Retry(5)
	// ErrContradiction: the nodes do not agree. Do nothing, raise an alarm, ask again.
	ErrContradiction = fault.New(fault.Unavailable, "CHAIN_CONTRADICTION", "the chain's nodes contradict each other").Retry(5)
	// ErrWrongChain: the node serves another chain than the one it is configured for.
	ErrWrongChain = errors.New("the node serves another chain")

	ErrNonceUsed   = fault.New(fault.Conflict, "NONCE_USED", "another transaction of this address has used the nonce")
	ErrNoGas       = fault.New(fault.Rule, "GAS_MISSING", "the address has too little native coin for the gas")
	ErrGasTooHigh  = fault.New(fault.Rule, "GAS_TOO_HIGH", "gas costs more than the configured limit")
	ErrTxRefused   = fault.New(fault.Rule, "TX_REFUSED", "the chain refuses the transaction")
	ErrWouldFail   = fault.New(fault.Rule, "TX_WOULD_FAIL", "the transaction would fail on the chain")
	ErrNotTransfer = fault.New(fault.Malformed, "TX_NOT_A_TRANSFER", "the transaction is not a plain transfer of tokens or coin")
	ErrTxUnknown   = fault.New(fault.Rule, "TX_UNKNOWN", "no node knows this transaction")
	ErrDerivation  = fault.New(fault.Malformed, "DERIVATION_INVALID", "the address cannot be derived")
)

// notFound reports that a node answered and knows nothing of what was asked. "indexing" is
// what go-ethereum says while it has not looked at all blocks yet.
func notFound(err error) bool {
	return errors.Is(err, ethereum.NotFound) || err != nil && strings.Contains(err.Error(), "indexing is in progress")
}

// answered reports that the node itself refused, in JSON-RPC; the way to it works.
func answered(err error) (rpc.Error, bool) { return errors.AsType[rpc.Error](err) }

// redact takes the URL out of a transport error: providers put the API key into the path.
func redact(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	if h, ok := errors.AsType[rpc.HTTPError](err); ok {
		return fmt.Errorf("status %d", h.StatusCode)
	}
	return err
}

// isTransport reports that no answer came at all.
func isTransport(err error) bool {
	_, isURL := errors.AsType[*url.Error](err)
	_, isNet := errors.AsType[net.Error](err)
	return isURL || isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
