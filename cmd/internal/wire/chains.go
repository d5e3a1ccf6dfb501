package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	apihttp "holdfast/http"
)

// Chains is the outside: the registry, a client for each chain, and where custody stands.
type Chains struct {
	Registry *network.Registry
	Clients  map[uint64]*evm.Client
	Dev      *devchain.Chain // nil with real chains
	Treasury string
	Gas      string // pays for gas; the treasury where nothing else is said
	Deriver  *evm.Deriver
	XPub     string
	Signer   *evm.LocalSigner // development only
}

// Fingerprint names the xpub in the log without showing it.
func (c *Chains) Fingerprint() string {
	h := sha256.Sum256([]byte(c.XPub))
	return hex.EncodeToString(h[:4])
}

var errNoChain = fault.New(fault.Unavailable, "CHAIN_NOT_CONFIGURED", "this chain is not configured")

// Client gives a chain's client.
func (c *Chains) Client(id uint64) (*evm.Client, error) {
	client, ok := c.Clients[id]
	if !ok {
		return nil, errNoChain.With("chain", id)
	}
	return client, nil
}

// openChains starts the development chain, or connects to those of EVM_RPC_URLS.
func (c *Core) openChains(ctx context.Context) (*Chains, error) {
	cfg := c.Config
	chains := &Chains{Clients: map[uint64]*evm.Client{}, Treasury: cfg.TreasuryAddress, XPub: cfg.DestinationXPub}
	urls := map[uint64][]string{}
	if len(cfg.EVMRPCURLs) == 0 && cfg.Development() {
		if err := c.startDevChain(ctx, chains); err != nil {
			return nil, err
		}
		urls[devchain.ChainID] = []string{chains.Dev.URL()}
	} else {
		file, err := os.ReadFile(cfg.NetworkFile)
		if err != nil {
			return nil, fmt.Errorf("NETWORKS_FILE: %w", err)
		}
		if chains.Registry, err = network.Read(file); err != nil {
			return nil, fmt.Errorf("NETWORKS_FILE: %w", err)
		}
		for _, pair := range cfg.EVMRPCURLs {
			id, url, _ := strings.Cut(pair, "=")
			n, err := strconv.ParseUint(id, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("EVM_RPC_URLS: %w", err)
			}
			urls[n] = append(urls[n], url)
		}
	}
	for id, u := range urls {
		chain, ok := chains.Registry.Chain(id)
		if !ok {
			return nil, fmt.Errorf("EVM_RPC_URLS names chain %d, which NETWORKS_FILE does not know", id)
		}
		client, err := evm.New(evm.Options{Chain: chain, URLs: u, Log: c.Log})
		if err != nil {
			return nil, fmt.Errorf("chain %d: %w", id, err)
		}
		chains.Clients[id] = client
		c.onClose(func(context.Context) error { client.Close(); return nil })
	}
	if chains.Treasury == "" || chains.XPub == "" {
		return nil, errors.New("TREASURY_ADDRESS and DERIVED_DESTINATION_XPUB are required with EVM_RPC_URLS")
	}
	if chains.Gas = cfg.GasAddress; chains.Gas == "" || chains.Dev != nil {
		chains.Gas = chains.Treasury
	}
	var err error
	chains.Deriver, err = evm.NewDeriver(chains.XPub)
	return chains, err
}

func (c *Core) startDevChain(ctx context.Context, chains *Chains) error {
	dev, err := devchain.Start(ctx, devchain.Options{DataDir: c.Config.Path("chain"), Log: c.Log})
	if err != nil {
		return fmt.Errorf("start the development chain: %w", err)
	}
	c.onClose(func(context.Context) error { return dev.Close() })
	if err := os.WriteFile(chainURLFile(c.Config), []byte(dev.URL()+"\n"), 0o644); err != nil {
		return fmt.Errorf("note where the development chain listens: %w", err)
	}
	chains.Dev, chains.Treasury, chains.XPub = dev, devchain.Treasury, devchain.DestinationXPub
	if chains.Registry, err = dev.Registry(); err != nil {
		return err
	}
	chains.Signer, err = evm.NewLocalSigner(devchain.Mnemonic)
	return err
}

// checkout prepares pay-ins: the next derived address, our own reference, the chain's rule.
type checkout struct {
	chains       *Chains
	destinations *records.Destinations
}

func (c checkout) Prepare(ctx context.Context, id domain.PaymentID, due money.Amount) (apihttp.PayIn, error) {
	token, ok := c.chains.Registry.Token(due.Asset)
	if !ok {
		return apihttp.PayIn{}, payment.ErrAssetNotTaken.With("asset", due.Asset)
	}
	chain, ok := c.chains.Registry.Chain(token.Chain)
	if !ok {
		return apihttp.PayIn{}, errNoChain.With("chain", token.Chain)
	}
	fingerprint := c.chains.Fingerprint()
	index, err := c.destinations.Index(ctx, fingerprint, id)
	if err != nil {
		return apihttp.PayIn{}, err
	}
	address, path, err := c.chains.Deriver.Address(index)
	if err != nil {
		return apihttp.PayIn{}, err
	}
	salt := hex.EncodeToString(hashOf(id)[:8])
	reference := requestnetwork.Reference(string(id), salt, address)
	topic, err := evm.ReferenceTopic(reference)
	if err != nil {
		return apihttp.PayIn{}, err
	}
	in := apihttp.PayIn{
		Destination: funding.Destination{
			ID: domain.DestinationID(domain.DeriveID(fmt.Sprintf("%s/%d", fingerprint, index), "destination")), Fingerprint: fingerprint,
			Index: index, Path: path, Address: address, Token: token.Address, Chain: token.Chain,
		},
		Intent:    funding.Intent{Provider: "own", RequestID: string(id), Reference: reference, Topic: topic},
		Threshold: payment.Threshold{Need: max(chain.Confirmations.Need, chain.Confirmations.Floor, 1), Floor: chain.Confirmations.Floor, Finalized: chain.Confirmations.Tag == network.Finalized},
	}
	for _, p := range chain.Proxies {
		if p.Kind == network.ERC20FeeProxy {
			in.Intent.Proxy = p.Address
		}
	}
	return in, nil
}

func hashOf(id domain.PaymentID) []byte {
	h := sha256.Sum256([]byte(id))
	return h[:]
}

// custody builds and sends transactions out of the treasury; signatures come from outside.
type custody struct {
	chains       *Chains
	transactions *records.Transactions
}

func (c custody) Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error) {
	token, ok := c.chains.Registry.Token(amount.Asset)
	if !ok {
		return outgoing.Transfer{}, errNoChain.With("asset", amount.Asset)
	}
	client, err := c.chains.Client(token.Chain)
	if err != nil {
		return outgoing.Transfer{}, err
	}
	nonce, err := client.NextNonce(ctx, c.chains.Treasury)
	return outgoing.Transfer{Chain: token.Chain, From: c.chains.Treasury, To: to, Token: token.Address, Amount: amount, Nonce: nonce}, err
}

func (c custody) Decode(_ context.Context, chain uint64, signed string) (outgoing.Tx, error) {
	tx, err := evm.Decode(signed)
	if err == nil && tx.Chain != chain {
		err = outgoing.ErrInstructionMismatch.With("field", "chain")
	}
	return tx, err
}

func (c custody) Keep(ctx context.Context, tx outgoing.Tx, signed string) error {
	return c.transactions.Keep(ctx, tx.Chain, tx.Hash, signed)
}

func (c custody) Send(ctx context.Context, tx outgoing.Tx, signed string) error {
	client, err := c.chains.Client(tx.Chain)
	if err != nil {
		return err
	}
	_, err = client.Send(ctx, signed)
	return err
}
