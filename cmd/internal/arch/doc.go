// Package arch holds the rules of who may import whom (docs/architecture.md) as a test.
package arch
