package evm

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// NodeState is how one node does. It names the host and a class of error, never a URL or
// what the node said: providers put API keys into both.
type NodeState struct {
	Node string `json:"node"`
	// State: "ok"; "failing" while it rests after failures; "stuck" when its head stands still
	// below that of others; "untried" before its first answer.
	State     string    `json:"state"`
	Failures  int       `json:"failures"` // in a row
	LastError string    `json:"lastError,omitempty"`
	ErrorAt   time.Time `json:"errorAt,omitzero"`
	LastGood  time.Time `json:"lastGood,omitzero"`
	Head      uint64    `json:"head"`
}

// State is how a chain's nodes do.
type State struct {
	Chain uint64      `json:"chainId"`
	Nodes []NodeState `json:"nodes"`
	// Contradictions counts how often nodes disagreed on what the chain is; each was logged as
	// an error, and nothing was decided on it.
	Contradictions    uint64    `json:"contradictions"`
	LastContradiction time.Time `json:"lastContradiction,omitzero"`
}

// State reports without asking any node.
func (c *Client) State() State {
	s := State{Chain: c.chain.ID, Nodes: make([]NodeState, 0, len(c.nodes))}
	highest := c.highest()
	for _, n := range c.nodes {
		s.Nodes = append(s.Nodes, n.state(highest))
	}
	s.Contradictions, s.LastContradiction = c.quarrels.read()
	return s
}

func (c *Client) highest() (head uint64) {
	for _, n := range c.nodes {
		n.mu.Lock()
		head = max(head, n.head)
		n.mu.Unlock()
	}
	return head
}

func (n *node) state(highest uint64) NodeState {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := NodeState{
		Node: n.name, State: "ok", Failures: n.failures, LastError: n.errorClass, ErrorAt: n.errorAt.UTC(), LastGood: n.goodAt.UTC(), Head: n.head,
	}
	switch {
	case n.failures > 0:
		s.State = "failing"
	case n.goodAt.IsZero():
		s.State = "untried"
	case n.stuckBelow(highest):
		s.State = "stuck"
	}
	return s
}

// stuckAfter is how long a head may stand still below those of others before the node is not
// listened to any more. Standing still together is what quiet chains do.
const stuckAfter = time.Minute

func (n *node) stuckBelow(highest uint64) bool {
	return n.head > 0 && n.head < highest && time.Since(n.headAt) > stuckAfter
}

// sawHead notes a node's own word about its head.
func (n *node) sawHead(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.head != number {
		n.head, n.headAt = number, time.Now()
	}
}

// quarrels counts contradictions.
type quarrels struct {
	mu    sync.Mutex
	count uint64
	last  time.Time
}

func (q *quarrels) note() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count, q.last = q.count+1, time.Now().UTC()
}

func (q *quarrels) read() (uint64, time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count, q.last
}

// contradicted raises the alarm.
func (c *Client) contradicted(ctx context.Context, about string) error {
	c.quarrels.note()
	c.log.ErrorContext(ctx, "the chain's nodes contradict each other", "about", about)
	return ErrContradiction.With("about", about)
}

// class sorts what went wrong at a node into a few words that hold no secret.
func class(err error) string {
	var status rpc.HTTPError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	_, refused := answered(err)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrWrongChain):
		return "wrong_chain"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errTooLong):
		return "answer_too_long"
	case errors.Is(err, errRedirect):
		return "redirect"
	case errors.As(err, &status):
		return "http_" + strconv.Itoa(status.StatusCode)
	case errors.As(err, &syntax):
		return "not_json"
	case refused:
		return "refused"
	case errors.As(err, &kind):
		return "nonsense"
	case isTransport(err):
		return "unreachable"
	}
	return "nonsense"
}
