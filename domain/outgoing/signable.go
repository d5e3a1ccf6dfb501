package outgoing

import "holdfast/domain/money"

// Gas is what a transaction may cost, in base units of the native coin a unit of gas.
type Gas struct {
	Limit  uint64      `json:"limit"`
	MaxFee money.Units `json:"max_fee"`
	Tip    money.Units `json:"tip"`
}

// Cost is the most that it can cost.
func (g Gas) Cost() money.Units {
	return g.MaxFee.MulDivFloor(money.FromUint64(g.Limit), money.FromUint64(1))
}

// Signable is a transfer with its gas: all that the signature of one transaction covers.
type Signable struct {
	Transfer
	Gas Gas `json:"gas"`
	// Unsigned is the EIP-1559 transaction without its signature, SigningHash what is signed.
	Unsigned    string `json:"unsigned"`
	SigningHash string `json:"signing_hash"`
}

// Signed is a transaction that came back from a signer, with every field that matters.
type Signed struct {
	Tx
	Gas         Gas    `json:"gas"`
	SigningHash string `json:"signing_hash"`
	Raw         string `json:"raw"`
}

// CheckSigned compares what came back with the instruction, field by field. The signing hash
// comes last: it covers whatever has no name here, such as an access list.
func (i Signable) CheckSigned(got Signed) error {
	if err := i.Check(got.Transfer); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"gas_limit", i.Gas.Limit == got.Gas.Limit},
		{"max_fee", i.Gas.MaxFee == got.Gas.MaxFee},
		{"tip", i.Gas.Tip == got.Gas.Tip},
		{"signing_hash", SameAddress(i.SigningHash, got.SigningHash)},
	} {
		if !f.same {
			return ErrInstructionMismatch.With("field", f.name)
		}
	}
	return nil
}
