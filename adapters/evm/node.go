package evm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// node is one JSON-RPC endpoint.
type node struct {
	name string // host only: paths hold API keys
	rpc  *rpc.Client
	eth  *ethclient.Client

	mu       sync.Mutex
	checked  bool // its chain id was right, and it has not failed since
	failures int
	until    time.Time // not asked first before then
	span     uint64    // the most blocks of one eth_getLogs that it has not found too much; 0 = any

	head   uint64 // the last it told
	headAt time.Time
	goodAt time.Time
	// errorClass is what went wrong last, errorAt when.
	errorClass string
	errorAt    time.Time
}

func dial(raw string, maxAnswer int64, transport http.RoundTripper) (*node, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("a node's URL is http:// or https:// with a host")
	}
	client := &http.Client{
		Transport:     &bounded{next: transport, limit: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
	c, err := rpc.DialOptions(context.Background(), raw, rpc.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", u.Host, redact(err))
	}
	return &node{name: u.Host, rpc: c, eth: ethclient.NewClient(c)}, nil
}

// check asks for the chain id once, and again after every failure: a node behind a name
// may become another node.
func (n *node) check(ctx context.Context, want uint64) error {
	n.mu.Lock()
	done := n.checked
	n.mu.Unlock()
	if done {
		return nil
	}
	id, err := n.eth.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("read the chain id: %w", err)
	}
	if !id.IsUint64() || id.Uint64() != want {
		return fmt.Errorf("%w: %s instead of %d", ErrWrongChain, clip(id.String()), want)
	}
	n.mu.Lock()
	n.checked = true
	n.mu.Unlock()
	return nil
}

func (n *node) worked() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures, n.until, n.goodAt = 0, time.Time{}, time.Now()
}

func (n *node) failed(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checked = false
	n.failures++
	n.errorClass, n.errorAt = class(err), time.Now()
	n.until = time.Now().Add(min(time.Duration(1<<min(n.failures, 6))*500*time.Millisecond, 30*time.Second))
}

func (n *node) resting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Now().Before(n.until)
}

// block is what we need of a block, as the node spells it. The hash is the node's own word
// and not computed here: some chains have header fields that go-ethereum does not know.
type block struct {
	Number    hexutil.Uint64 `json:"number"`
	Hash      common.Hash    `json:"hash"`
	Parent    common.Hash    `json:"parentHash"`
	Timestamp hexutil.Uint64 `json:"timestamp"`
	BaseFee   *hexutil.Big   `json:"baseFeePerGas"`
}

// highest is far above any real block number; a number beyond it is nonsense.
const highest = 1 << 40

// block reads a block by number or tag; ethereum.NotFound when the node has none.
func (n *node) block(ctx context.Context, which string) (block, error) {
	var b *block
	if err := n.rpc.CallContext(ctx, &b, "eth_getBlockByNumber", which, false); err != nil {
		return block{}, fmt.Errorf("read block %s: %w", which, err)
	}
	if b == nil {
		return block{}, fmt.Errorf("read block %s: %w", which, ethereum.NotFound)
	}
	if b.Number > highest || b.Hash == (common.Hash{}) {
		return block{}, fmt.Errorf("read block %s: number %d, hash %s make no sense", which, b.Number, b.Hash)
	}
	if which == "latest" {
		n.sawHead(uint64(b.Number))
	}
	return *b, nil
}

func (n *node) blockAt(ctx context.Context, number uint64) (block, error) {
	b, err := n.block(ctx, hexutil.EncodeUint64(number))
	if err == nil && uint64(b.Number) != number {
		return block{}, fmt.Errorf("asked for block %d, got %d", number, b.Number)
	}
	return b, err
}

// tagged is the number of a tag's block, 0 where the chain has no such tag or the node tells
// nonsense of it: nothing is final then.
func (n *node) tagged(ctx context.Context, tag string) uint64 {
	b, err := n.block(ctx, tag)
	if err != nil {
		return 0
	}
	return uint64(b.Number)
}

// bounded refuses answers that are larger than the limit instead of reading them.
type bounded struct {
	next  http.RoundTripper
	limit int64
}

func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{body: resp.Body, left: b.limit}
	return resp, nil
}

func (b *bounded) CloseIdleConnections() {
	if t, ok := b.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

type boundedBody struct {
	body io.ReadCloser
	left int64
}

var (
	errTooLong  = errors.New("the answer is too long")
	errRedirect = errors.New("a node does not redirect")
)

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }
