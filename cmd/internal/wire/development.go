package wire

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/projections/views"
)

// DevelopmentWallets are the wallets of seeded users on the development chain.
func DevelopmentWallets() (chain uint64, addresses map[string]string) {
	return devchain.ChainID, map[string]string{
		"buyer/other": "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
		"buyer":       devchain.Payer(1), "buyer2": devchain.Payer(2), "seller": devchain.Payer(3), "seller2": devchain.Payer(2),
	}
}

// ViewNames lists the read models.
func ViewNames() []string {
	var names []string
	for _, p := range views.Projectors() {
		names = append(names, p.Name())
	}
	slices.Sort(names)
	return names
}

// chainURLFile tells other verbs where the development chain of a running service listens.
func chainURLFile(c *config.Config) string { return c.Path("chain.url") }

// RunningDevChain gives the JSON-RPC address of the development chain of a running service.
func RunningDevChain(ctx context.Context, c *config.Config) (string, error) {
	b, err := os.ReadFile(chainURLFile(c))
	if err != nil {
		return "", fmt.Errorf("no development chain is running here: %w", err)
	}
	url := strings.TrimSpace(string(b))
	client, err := devClient(url)
	if err != nil {
		return "", err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := client.Head(ctx); err != nil {
		return "", fmt.Errorf("the development chain at %s does not answer: %w", url, err)
	}
	return url, nil
}

func devClient(url string) (*evm.Client, error) {
	return evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{url}})
}

// bookDevelopmentCapital books what the development chain gave its treasury at the
// beginning, so that the books and the chain agree from the first block. It is booked once.
func (s *Service) bookDevelopmentCapital(ctx context.Context) error {
	if s.Chains.Dev == nil {
		return nil
	}
	client, err := s.Chains.Client(devchain.ChainID)
	if err != nil {
		return err
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	native := network.NativeAsset(devchain.ChainID)
	assets := map[money.Asset]ledger.Account{native: ledger.Gas(fmt.Sprint(devchain.ChainID))}
	for _, t := range s.Chains.Registry.Tokens(devchain.ChainID) {
		if t.Asset() == native {
			continue
		}
		assets[t.Asset()] = ledger.Treasury
	}
	for asset, account := range assets {
		balance, err := client.Balance(ctx, asset, s.Chains.Treasury)
		if err != nil {
			return fmt.Errorf("ask the development chain for the treasury's balance: %w", err)
		}
		if balance.IsZero() {
			continue
		}
		key := &eventstore.Key{Actor: "development", Key: "capital:" + string(asset), Fingerprint: []byte("capital")}
		machine := domain.Machine(domain.Process, "development")
		flow := funding.ContributeCapital{
			Entry:   funding.Entry{Issue: domain.Issue{By: machine, At: now}, Ref: "development:" + string(asset), Amount: money.Of(asset, balance), Reason: "initial balance of the development chain"},
			Custody: account,
		}
		meta := eventstore.Metadata{Actor: machine, CommandID: key.Key, Source: "job"}
		if _, err := s.Executor.Execute(ctx, meta, key, flow.Run); err != nil {
			return fmt.Errorf("book the development treasury: %w", err)
		}
	}
	return nil
}
