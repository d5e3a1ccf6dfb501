package http

import (
	"bytes"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Amount is money on its way out: base units, and the same for people.
type Amount struct {
	Asset    string `json:"asset" doc:"CAIP-19 id" example:"eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955"`
	Amount   string `json:"amount" doc:"Base units" example:"97500000000000000000"`
	Decimals uint8  `json:"decimals" doc:"Of the asset"`
	Display  string `json:"display" doc:"Human decimal" example:"97.5"`
}

const (
	amountOpen  = `{"asset":"`
	amountUnits = `","amount":"`
)

// dress appends data to out and adds decimals and display to every money.Amount in it. An
// amount has one spelling in JSON, and a quote inside a string is escaped, so nothing else
// in valid JSON can look like one: one pass over the bytes, no second parse.
func (s *Server) dress(out, data []byte) []byte {
	for {
		i := bytes.Index(data, []byte(amountOpen))
		if i < 0 {
			return append(out, data...)
		}
		rest := data[i+len(amountOpen):]
		end := bytes.IndexByte(rest, '"')
		if end < 0 || !bytes.HasPrefix(rest[end:], []byte(amountUnits)) {
			out, data = append(out, data[:i+len(amountOpen)]...), rest
			continue
		}
		asset := money.Asset(rest[:end])
		digits := rest[end+len(amountUnits):]
		n := bytes.IndexByte(digits, '"')
		decimals, known := s.deps.Registry.Decimals(asset)
		units, err := money.ParseUnits(string(digits[:max(n, 0)]))
		if n < 0 || !known || err != nil || n+1 >= len(digits) || digits[n+1] != '}' {
			out, data = append(out, data[:i+len(amountOpen)]...), rest
			continue
		}
		used := i + len(amountOpen) + end + len(amountUnits) + n + 1
		out = append(out, data[:used]...)
		out = append(out, `,"decimals":`...)
		out = appendUint8(out, decimals)
		out = append(out, `,"display":"`...)
		out = append(out, units.Decimal(decimals)...)
		out = append(out, '"')
		data = data[used:]
	}
}

func appendUint8(out []byte, n uint8) []byte {
	b, _ := json.Marshal(n)
	return append(out, b...)
}

// Decimal is an amount on its way in: a JSON string in the grammar of amounts. What is not
// one is refused as INVALID_AMOUNT before a parser sees it.
type Decimal string

// decimalPattern is the grammar of docs/fault-model.md, input 79.
const decimalPattern = `^(0|[1-9]\d{0,77})(\.\d{1,18})?$`

// Schema implements huma.SchemaProvider.
func (Decimal) Schema(huma.Registry) *huma.Schema {
	limit := 97
	s := &huma.Schema{
		Type: huma.TypeString, Pattern: decimalPattern, MaxLength: &limit, Format: "decimal",
		PatternDescription: "a decimal amount without sign, exponent or leading zeros", Examples: []any{"97.5"},
	}
	s.PrecomputeMessages()
	return s
}

// AmountIn is money on its way in: base units or a human decimal, not both.
type AmountIn struct {
	Asset   string  `json:"asset,omitempty" maxLength:"200" doc:"CAIP-19 id or alias; may be left out where only one asset is possible"`
	Amount  Decimal `json:"amount,omitempty" doc:"Base units"`
	Display Decimal `json:"display,omitempty" doc:"Human decimal"`
}

// read turns an incoming amount into base units of an asset. path names the field in
// refusals; fixed, when not empty, is the only asset possible here.
func (s *Server) read(path string, in AmountIn, fixed money.Asset) (money.Amount, error) {
	asset := fixed
	if in.Asset != "" {
		found, ok := s.deps.Registry.Asset(in.Asset)
		if !ok {
			return money.Amount{}, fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "nobody registered this asset").At(path+".asset", "unknown")
		}
		if fixed != "" && found != fixed {
			return money.Amount{}, money.ErrAssetMismatch.At(path+".asset", "expected "+string(fixed))
		}
		asset = found
	}
	if asset == "" {
		return money.Amount{}, fault.ErrValidation.At(path+".asset", "required")
	}
	units, err := s.units(path, asset, in.Amount, in.Display)
	return money.Of(asset, units), err
}

// units reads base units or, when those are not given, a human decimal.
func (s *Server) units(path string, asset money.Asset, base, display Decimal) (money.Units, error) {
	if (base == "") == (display == "") {
		return money.Zero, errInvalidAmount.Because("send amount (base units) or display (human decimal), not both").At(path, "amount or display")
	}
	if base != "" {
		u, err := money.ParseUnits(string(base))
		return u, at(err, path+".amount")
	}
	decimals, ok := s.deps.Registry.Decimals(asset)
	if !ok {
		return money.Zero, fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "nobody registered this asset").At(path+".asset", "unknown")
	}
	u, err := money.ParseDecimal(string(display), decimals)
	return u, at(err, path+".display")
}

// at adds the field's path to a fault.
func at(err error, path string) error {
	if f, ok := fault.From(err); ok {
		return f.At(path, f.Message)
	}
	return err
}
