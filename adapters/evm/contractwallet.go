package evm

import (
	"bytes"
	"context"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

// isValidSignature is the question to a contract wallet (EIP-1271), and in its first four bytes
// the answer that means yes.
var isValidSignature = crypto.Keccak256([]byte("isValidSignature(bytes32,bytes)"))[:4]

// maxContractSignature is the longest signature that is handed to a contract: a Safe of twenty owners.
const maxContractSignature = 4096

// ContractSigned asks a contract wallet whether it stands for a signature over a text (EIP-191,
// then EIP-1271). Every working node must say yes: one that lies lets nobody in. An address without
// a contract, and a contract that reverts, says no. ErrUnavailable when no node answers.
func (c *Client) ContractSigned(ctx context.Context, wallet, text, signature string) (bool, error) {
	sig, err := hexutil.Decode(signature)
	if err != nil || len(sig) > maxContractSignature {
		return false, ErrSignatureForm
	}
	// ABI: the hash, where the bytes begin, how many they are, and they themselves.
	data := bytes.Join([][]byte{
		isValidSignature, accounts.TextHash([]byte(text)), common.BigToHash(big.NewInt(64)).Bytes(),
		common.BigToHash(big.NewInt(int64(len(sig)))).Bytes(),
		common.RightPadBytes(sig, (len(sig)+wordLength-1)/wordLength*wordLength),
	}, nil)
	to := common.HexToAddress(wallet)
	answers, err := askAll(ctx, c, c.timeout, "ask a contract wallet", func(ctx context.Context, n *node) ([]byte, error) {
		out, err := n.eth.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
		if reverted(err) {
			return nil, nil
		}
		return out, err
	})
	if err != nil {
		return false, err
	}
	for _, a := range answers {
		// One word exactly: a contract that echoes what it is asked (as the precompile at 4 does)
		// begins with the same four bytes.
		if len(a) != wordLength || !bytes.Equal(a[:4], isValidSignature) {
			return false, nil
		}
	}
	return true, nil
}

// reverted reports that the call was carried out and failed.
func reverted(err error) bool {
	e, ok := answered(err)
	return ok && (e.ErrorCode() == 3 || strings.Contains(e.Error(), "revert") || strings.Contains(e.Error(), "invalid opcode") || strings.Contains(e.Error(), "out of gas"))
}
