package evm

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Options of a chain's client.
type Options struct {
	Chain network.Chain
	// URLs of the nodes, best first. Calls go to the first that works; what moves money is
	// asked of all.
	URLs []string
	// Guarded are nodes that people have named; they are dialled through Transport.
	Guarded   []string
	Transport *http.Transport
	// Timeout of one call to one node; 10 s when 0.
	Timeout time.Duration
	// MaxAnswer is the largest answer that is read, in bytes; 8 MiB when 0.
	MaxAnswer int64
	// MaxFeePerGas is what we pay at most, in base units; 500 gwei when zero.
	MaxFeePerGas money.Units
	// Own are addresses of ours that send native coin to derived addresses, for their gas: no
	// deposit, whoever names the transaction.
	Own []string
	Log *slog.Logger
}

// Client speaks to one chain. It is safe for concurrent use.
type Client struct {
	chain   network.Chain // as it was when the client was made; its id never changes
	nodes   []*node
	timeout time.Duration
	maxFee  money.Units
	own     map[common.Address]bool
	log     *slog.Logger

	known    atomic.Pointer[tables]
	quarrels quarrels
}

// New makes a client. It does not connect: a chain that is down must not keep the service
// from starting.
func New(o Options) (*Client, error) {
	if len(o.URLs)+len(o.Guarded) == 0 {
		return nil, fmt.Errorf("chain %d has no node: set EVM_RPC_URLS", o.Chain.ID)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxAnswer == 0 {
		o.MaxAnswer = 8 << 20
	}
	if o.MaxFeePerGas.IsZero() {
		o.MaxFeePerGas = money.FromUint64(500_000_000_000)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		chain: o.Chain, timeout: o.Timeout, maxFee: o.MaxFeePerGas,
		log: o.Log.With("chain", o.Chain.ID), own: map[common.Address]bool{},
	}
	for _, a := range o.Own {
		c.own[common.HexToAddress(a)] = true
	}
	c.Describe(o.Chain)
	for i, u := range append(slices.Clone(o.URLs), o.Guarded...) {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		if i >= len(o.URLs) && o.Transport != nil {
			transport = o.Transport
		}
		n, err := dial(u, o.MaxAnswer, transport)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(c.nodes, func(o *node) bool { return o.name == n.name }) {
			n.name = fmt.Sprintf("%s#%d", n.name, len(c.nodes)+1)
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// Close ends the connections.
func (c *Client) Close() {
	for _, n := range c.nodes {
		n.rpc.Close()
	}
}

// ask puts a question to the nodes in turn until one answers. When one of them has said
// that the thing does not exist, and none has it, the error is ethereum.NotFound; when all
// refused, the last refusal; else ErrUnavailable.
func (c *Client) ask(ctx context.Context, what string, question func(context.Context, *node) error) error {
	return c.askWithin(ctx, c.timeout, what, question)
}

// askWithin is ask with another deadline for the whole question; 0 = only that of ctx, for
// questions of many calls, each of which has its own.
func (c *Client) askWithin(ctx context.Context, limit time.Duration, what string, question func(context.Context, *node) error) error {
	var missing, refused, broken error
	for _, n := range c.ready() {
		err := c.try(ctx, n, limit, question)
		switch {
		case err == nil:
			return nil
		case notFound(err):
			missing = err
		default:
			if _, ok := answered(err); ok {
				refused = err
			} else {
				broken = err
			}
			c.log.WarnContext(ctx, "chain node failed", "node", n.name, "asked", what, "error", clip(redact(err).Error()))
		}
		if ctx.Err() != nil {
			break
		}
	}
	switch {
	case missing != nil:
		return fmt.Errorf("%s: %w", what, missing)
	case refused != nil:
		return fmt.Errorf("%s: %w", what, refused)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w (%w)", what, ErrUnavailable, ctx.Err())
	}
	return fmt.Errorf("%s: %w (%w)", what, ErrUnavailable, redact(broken))
}

// read is ask for questions that every working node must be able to answer: whatever goes
// wrong is ErrUnavailable.
func (c *Client) read(ctx context.Context, what string, question func(context.Context, *node) error) error {
	return asUnavailable(c.ask(ctx, what, question))
}

// askAll puts a question to every node at once and gives the answers of those that worked,
// in the order of the nodes. Nodes that rest after failures are left out while another one
// works: one that hangs must not cost every question its deadline.
func askAll[T any](ctx context.Context, c *Client, limit time.Duration, what string, question func(context.Context, *node) (T, error)) ([]T, error) {
	type said struct {
		answer T
		err    error
	}
	nodes := c.witnesses()
	all := make([]said, len(nodes))
	var wait sync.WaitGroup
	for i, n := range nodes {
		wait.Go(func() {
			all[i].err = c.try(ctx, n, limit, func(ctx context.Context, n *node) (err error) {
				all[i].answer, err = question(ctx, n)
				return err
			})
		})
	}
	wait.Wait()
	var answers []T
	var last error
	for i, s := range all {
		if s.err == nil {
			answers = append(answers, s.answer)
			continue
		}
		last = redact(s.err)
		c.log.WarnContext(ctx, "chain node failed", "node", nodes[i].name, "asked", what, "error", clip(last.Error()))
	}
	if len(answers) == 0 {
		return nil, fmt.Errorf("%s: %w (%w)", what, ErrUnavailable, last)
	}
	return answers, nil
}

func (c *Client) try(ctx context.Context, n *node, limit time.Duration, question func(context.Context, *node) error) error {
	limited, cancel := ctx, func() {}
	if limit > 0 {
		limited, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	err := n.within(limited, c.timeout, func(ctx context.Context) error { return n.check(ctx, c.chain.ID) })
	if err == nil {
		err = question(limited, n)
	}
	switch _, refused := answered(err); {
	case err == nil || refused || notFound(err):
		n.worked()
	case ctx.Err() == nil: // else it is the caller who gave up, not the node
		n.failed(err)
	}
	return err
}

// within gives one call its own deadline.
func (n *node) within(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return call(ctx)
}

// witnesses are the nodes whose word is asked where the word of one is not enough: those
// that do not rest, or all when every one does.
func (c *Client) witnesses() []*node {
	up := slices.DeleteFunc(slices.Clone(c.nodes), (*node).resting)
	if len(up) == 0 {
		return c.nodes
	}
	return up
}

// ready lists the nodes with those that failed lately at the end, so that a dead first
// node does not cost every call its deadline.
func (c *Client) ready() []*node {
	var up, resting []*node
	for _, n := range c.nodes {
		if n.resting() {
			resting = append(resting, n)
		} else {
			up = append(up, n)
		}
	}
	return append(up, resting...)
}
