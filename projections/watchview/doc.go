// Package watchview is the read model of what must be watched on chains: addresses and
// references that wait for money, transfers that a reorganisation may still undo,
// transactions of ours on their way, derived addresses that can be swept.
//
// The chain follower must not miss a payment because this model lags: it waits until the
// model has passed the log's head before it looks at blocks that are older than that head.
package watchview
