package devchain

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// engine is the assembled node. It is put together as ethclient/simulated does it, except
// that simulated rewinds to the genesis block at every start, which would lose the chain.
type engine struct {
	node   *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon
	forks  *Forks
}

func start(o Options) (*engine, error) {
	stack, err := node.New(nodeConfig(o))
	if err != nil {
		return nil, fmt.Errorf("make the node: %w", err)
	}
	e := &engine{node: stack, forks: &Forks{}}
	if err := e.open(); err != nil {
		_ = stack.Close()
		return nil, err
	}
	return e, nil
}

func (e *engine) open() (err error) {
	if e.eth, err = eth.New(e.node, ethConfig()); err != nil {
		return fmt.Errorf("open the chain: %w", err)
	}
	e.node.RegisterAPIs([]rpc.API{{
		Namespace: "eth",
		Service:   filters.NewFilterAPI(filters.NewFilterSystem(e.eth.APIBackend, filters.Config{})),
	}, {Namespace: "dev", Service: e.forks}})
	if err := e.node.Start(); err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	if e.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, e.eth); err != nil {
		return fmt.Errorf("start the beacon: %w", err)
	}
	return nil
}

func nodeConfig(o Options) *node.Config {
	c := node.DefaultConfig
	c.Name = "devchain"
	c.DataDir = o.DataDir
	// LevelDB hands every write to the operating system before it goes on. The default,
	// Pebble, gathers them in memory, and a kill lost blocks that somebody had seen.
	c.DBEngine = "leveldb"
	c.IPCPath = ""
	c.HTTPHost, c.HTTPPort = "127.0.0.1", o.Port
	c.HTTPModules = []string{"eth", "net", "web3", "dev"}
	c.P2P = p2p.Config{NoDiscovery: true, NoDial: true}
	c.UseLightweightKDF = true
	return &c
}

// ethConfig keeps every state on disk (archive mode over the hash scheme): after kill -9
// the node finds its head instead of rewinding to the last flush. The caches are small:
// this node shares a process with the service.
func ethConfig() *ethconfig.Config {
	rules := *params.AllDevChainProtocolChanges
	rules.BogotaTime = nil // a fork that no real chain has yet, with other gas prices
	alloc := core.SystemContractAllocs()
	for i := range keys {
		alloc[addressOf(account(i))] = types.Account{Balance: ether(1_000_000)}
	}
	alloc[addressOf(deployer())] = types.Account{Balance: ether(1_000_000)}

	c := ethconfig.Defaults
	c.Genesis = &core.Genesis{Config: &rules, GasLimit: c.Miner.GasCeil, Alloc: alloc}
	c.SyncMode = ethconfig.FullSync
	c.NoPruning, c.StateScheme = true, rawdb.HashScheme
	c.TransactionHistory, c.LogNoHistory = 0, true
	c.DatabaseCache, c.DatabaseHandles = 16, 64
	c.TrieCleanCache, c.TrieDirtyCache, c.SnapshotCache = 8, 8, 0
	c.TxPool.NoLocals = true
	c.TxPool.Journal = ""
	c.BlobPool.Datadir = ""
	return &c
}

func ether(n int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(params.Ether))
}

func (e *engine) close() error {
	if err := e.beacon.Stop(); err != nil {
		return fmt.Errorf("stop the beacon: %w", err)
	}
	if err := e.node.Close(); err != nil {
		return fmt.Errorf("close the node: %w", err)
	}
	return nil
}
