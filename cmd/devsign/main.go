// Command devsign signs a text as a wallet would (EIP-191, personal_sign), with a key that every
// development chain knows. It stands in for a wallet in docs/auth.md; it holds no real key.
//
//	go run ./cmd/devsign 3 < message      prints the signature
//	go run ./cmd/devsign 3 address        prints the address
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

// keys of the accounts 0 … 3 of the mnemonic "test test … junk", as every development tool prints them.
var keys = []string{
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	i := -1
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[0]); err == nil && n < len(keys) {
			i = n
		}
	}
	if i < 0 {
		return fmt.Errorf("usage: devsign 0…%d [address]", len(keys)-1)
	}
	key, err := crypto.HexToECDSA(keys[i])
	if err != nil {
		return err
	}
	if len(args) > 1 && args[1] == "address" {
		_, err := fmt.Fprintln(out, crypto.PubkeyToAddress(key.PublicKey).Hex())
		return err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	sig, err := crypto.Sign(accounts.TextHash(text), key)
	if err != nil {
		return err
	}
	sig[64] += 27
	_, err = fmt.Fprintln(out, hexutil.Encode(sig))
	return err
}
