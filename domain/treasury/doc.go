// Package treasury books what the platform itself does with one asset: capital, gas, losses,
// goodwill, opening balances. One stream an asset. It has no phases: each entry stands alone.
package treasury
