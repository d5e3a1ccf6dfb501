package network

import (
	"bytes"
	_ "embed" // the table of known networks is a file of the same shape as NETWORKS_FILE
	"encoding/json"
	"fmt"
)

// Read builds a registry from the JSON of a networks file: {"chains":[…]}. Unknown fields
// are refused, because a misspelt "disabled" would open a token.
func Read(file []byte) (*Registry, error) {
	var doc struct {
		Chains []Chain `json:"chains"`
	}
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the networks file: %w", err)
	}
	return New(doc.Chains...)
}

//go:embed known.json
var known []byte

// Known is the registry that is built in: the chains on which Request Network settles,
// with their payment contracts and the common stablecoins.
func Known() (*Registry, error) { return Read(known) }
