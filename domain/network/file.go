package network

import (
	"bytes"
	_ "embed" // the table of known networks is a file of the same shape as NETWORKS_FILE
	"encoding/json"
	"fmt"

	"holdfast/domain/money"
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

// Known is the registry that is built in: the 32 networks of Request Network with their payment
// contracts and the common stablecoins. Those that are test networks of the past, of another
// family or seldom used are disabled until an admin enables them.
func Known() (*Registry, error) { return Read(known) }

// Networks is the public list of enabled chains and the tokens that are offered on them, as JSON.
func (r *Registry) Networks() json.RawMessage {
	type token struct {
		Asset    money.Asset `json:"asset"`
		Alias    string      `json:"alias"`
		Symbol   string      `json:"symbol"`
		Address  string      `json:"address,omitempty"`
		Decimals uint8       `json:"decimals"`
	}
	type chain struct {
		ID            uint64        `json:"chainId"`
		Name          string        `json:"name"`
		Testnet       bool          `json:"testnet"`
		Native        Native        `json:"native"`
		Confirmations Confirmations `json:"confirmations"`
		Tokens        []token       `json:"tokens"`
		Explorer      string        `json:"explorer,omitempty"`
	}
	list := []chain{}
	for _, c := range r.chains {
		if c.Disabled {
			continue
		}
		row := chain{c.ID, c.Name, c.Testnet, c.Native, c.Confirmations, []token{}, c.Explorer}
		for _, t := range r.Tokens(c.ID) {
			if t.Kind != Coin && !t.Disabled {
				row.Tokens = append(row.Tokens, token{t.Asset(), t.Alias(), t.Symbol, t.Address, t.Decimals})
			}
		}
		list = append(list, row)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return raw
}
