package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/threshold"
	apihttp "holdfast/http"
)

// Chains is the outside: the registry, a client for each chain, and where custody stands.
type Chains struct {
	Registry network.Book      // the table alone until openNetworks
	Table    *network.Registry // before anybody changed anything
	Dev      *devchain.Chain   // nil with real chains
	Treasury string
	Gas      string // pays for gas; the treasury where nothing else is said
	Deriver  *evm.Deriver
	XPub     string
	Signer   *evm.LocalSigner // development only

	mu      sync.RWMutex
	clients map[uint64]*evm.Client
}

// Fingerprint names the xpub in the log without showing it.
func (c *Chains) Fingerprint() string {
	h := sha256.Sum256([]byte(c.XPub))
	return hex.EncodeToString(h[:4])
}

var errNoChain = fault.New(fault.Unavailable, "CHAIN_NOT_CONFIGURED", "this chain is not configured")

// own are the addresses that send coin for gas.
func (c *Chains) own() []string { return []string{c.Treasury, c.Gas} }

// Client gives a chain's client.
func (c *Chains) Client(id uint64) (*evm.Client, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	client, ok := c.clients[id]
	if !ok {
		return nil, errNoChain.With("chain", id)
	}
	return client, nil
}

// All gives the clients there are at this moment; one may be added while the service runs.
func (c *Chains) All() map[uint64]*evm.Client {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(c.clients)
}

// ChainsOf joins a registry and clients that exist already; treasury is where custody stands.
func ChainsOf(registry network.Book, clients map[uint64]*evm.Client, treasury string) *Chains {
	return &Chains{Registry: registry, clients: clients, Treasury: treasury}
}

func (c *Chains) add(id uint64, client *evm.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients[id] = client
}

// openChains starts the development chain, or connects to those of EVM_RPC_URLS.
func (c *Core) openChains(ctx context.Context) (*Chains, error) {
	cfg := c.Config
	chains := &Chains{clients: map[uint64]*evm.Client{}, Treasury: cfg.TreasuryAddress, XPub: cfg.DestinationXPub}
	urls := map[uint64][]string{}
	if len(cfg.EVMRPCURLs) == 0 && cfg.Development() {
		if err := c.startDevChain(ctx, chains); err != nil {
			return nil, err
		}
		urls[devchain.ChainID] = []string{chains.Dev.URL()}
	} else {
		var err error
		if chains.Table, err = readTable(cfg.NetworkFile); err != nil {
			return nil, err
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
	if err := c.completeTable(ctx, chains, urls); err != nil {
		return nil, err
	}
	if chains.Treasury == "" || chains.XPub == "" {
		return nil, errors.New("TREASURY_ADDRESS and DERIVED_DESTINATION_XPUB are required with EVM_RPC_URLS")
	}
	if chains.Gas = cfg.GasAddress; chains.Gas == "" || chains.Dev != nil {
		chains.Gas = chains.Treasury
	}
	for id, u := range urls {
		chain, ok := chains.Registry.Chain(id)
		if !ok || chain.Family != network.EVM {
			return nil, fmt.Errorf("EVM_RPC_URLS names chain %d, which the table of networks does not know, or nothing here can watch", id)
		}
		client, err := evm.New(evm.Options{Chain: chain, URLs: u, MaxFeePerGas: cfg.MaxFeePerGas(), Own: chains.own(), Log: c.Log})
		if err != nil {
			return nil, fmt.Errorf("chain %d: %w", id, err)
		}
		chains.add(id, client)
		c.onClose(func(context.Context) error { client.Close(); return nil })
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
	if chains.Table, err = dev.Registry(); err != nil {
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
	if err := c.chains.Registry.Offered(due.Asset); err != nil {
		return apihttp.PayIn{}, err
	}
	token, _ := c.chains.Registry.Token(due.Asset)
	chain, ok := c.chains.Registry.Chain(token.Chain)
	if !ok {
		return apihttp.PayIn{}, errNoChain.With("chain", token.Chain)
	}
	// Nobody would see the money on a chain without nodes.
	if _, err := c.chains.Client(token.Chain); err != nil {
		return apihttp.PayIn{}, err
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
		Intent: funding.Intent{Provider: "own", RequestID: string(id), Reference: reference, Topic: topic},
		Basis:  &threshold.Basis{Default: chain.Confirmations, Decimals: token.Decimals},
	}
	kind := network.ERC20FeeProxy
	if token.Address == "" {
		kind = network.EthereumFeeProxy
	}
	for _, p := range chain.Proxies {
		if p.Kind == kind && !p.Retired {
			in.Intent.Proxy = p.Address
		}
	}
	return in, nil
}

func hashOf(id domain.PaymentID) []byte {
	h := sha256.Sum256([]byte(id))
	return h[:]
}
