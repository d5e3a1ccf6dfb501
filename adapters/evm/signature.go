package evm

import (
	"encoding/json"
	"strings"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"holdfast/domain/fault"
	"holdfast/domain/trezor"
)

// ErrSignatureForm: what came is not a signature in the one form that is taken.
var ErrSignatureForm = fault.New(fault.Malformed, "INVALID_WALLET_SIGNATURE", "a signature is 65 bytes in hex: r, low s, and v of 0, 1, 27 or 28")

// PersonalSigner gives the address whose key signed a text (EIP-191, personal_sign), in EIP-55.
func PersonalSigner(text, signature string) (string, error) {
	return recoverSigner(common.BytesToHash(accounts.TextHash([]byte(text))), signature)
}

// TypedDigest is what is signed of a message of EIP-712.
func TypedDigest(d trezor.TypedData) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	var typed apitypes.TypedData
	if err := json.Unmarshal(raw, &typed); err != nil {
		return "", err
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	return common.BytesToHash(digest).Hex(), err
}

// DigestSigner gives the address whose key signed a digest.
func DigestSigner(digest, signature string) (string, error) {
	return recoverSigner(common.HexToHash(digest), signature)
}

// recoverSigner takes one form of a signature only. The 64-byte form and a high s are other
// spellings of the same signature: a second one would pass for another.
func recoverSigner(digest common.Hash, signature string) (string, error) {
	if !strings.HasPrefix(signature, "0x") {
		signature = "0x" + signature // as the device's own library writes it
	}
	sig, err := hexutil.Decode(signature)
	if err != nil || len(sig) != crypto.SignatureLength {
		return "", ErrSignatureForm
	}
	if sig[64] >= 27 {
		sig[64] -= 27
	}
	r, s := common.BytesToHash(sig[:32]).Big(), common.BytesToHash(sig[32:64]).Big()
	if !crypto.ValidateSignatureValues(sig[64], r, s, true) {
		return "", ErrSignatureForm
	}
	public, err := crypto.SigToPub(digest.Bytes(), sig)
	if err != nil {
		return "", ErrSignatureForm
	}
	return crypto.PubkeyToAddress(*public).Hex(), nil
}
