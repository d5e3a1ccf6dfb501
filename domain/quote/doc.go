// Package quote fixes what a buyer owes in the settlement asset. A price in that very asset is
// its own quote; a price in another currency needs two fresh sources that agree, and is rounded up
// to the base unit, so that the buyer never underpays by one.
package quote
