package http

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"holdfast/domain/breaker"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
)

func ledgerRoutes() []Route {
	account := map[string]string{"account": "an account path"}
	return []Route{
		on[accountsInput, []AccountBalance](Route{Method: "GET", Path: "/api/ledger/accounts", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Accounts with their totals"}, (*Server).accounts),
		on[balancesInput, []AccountBalance](Route{Method: "GET", Path: "/api/ledger/accounts/{account}/balances", Names: account, Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "An account's four totals, now or as of a time or position"}, (*Server).accountBalances),
		on[entriesInput, []LedgerEntry](Route{Method: "GET", Path: "/api/ledger/entries", Roles: admin, Class: Query, Rate: RateGeneral, Summary: "Entries, oldest first"}, (*Server).entries),
		on[entriesInput, []LedgerTransaction](Route{Method: "GET", Path: "/api/ledger/transactions", Roles: admin, Class: Query, Rate: RateGeneral, Summary: "Ledger transactions with the event that implied each"}, (*Server).transactions),
		on[transactionInput, LedgerTransaction](Route{Method: "GET", Path: "/api/ledger/transactions/{position}", Names: map[string]string{"position": "a number"}, Roles: admin, Class: Query, Rate: RateGeneral, Summary: "The transaction of the event at a position"}, (*Server).transaction),
		on[asOfInput, TrialBalance](Route{Method: "GET", Path: "/api/ledger/trial-balance", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Every account, and whether debits equal credits"}, (*Server).trialBalance),
		on[asOfInput, []AssetSolvency](Route{Method: "GET", Path: "/api/ledger/solvency", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Custody against liabilities, per asset"}, (*Server).solvency),
	}
}

// AsOf names a moment of the log.
type AsOf struct {
	At       time.Time `query:"at" doc:"As of this time (RFC 3339)"`
	Position int64     `query:"position" minimum:"0" doc:"As of this log position; 0 = now"`
}

// asOf turns a moment into a position; 0 = now.
func (s *Server) asOf(ctx context.Context, in AsOf) (int64, error) {
	store := s.deps.Executor.Store()
	if !in.At.IsZero() {
		if in.Position != 0 {
			return 0, fault.ErrValidation.At("query.at", "at or position, not both")
		}
		p, err := store.PositionAt(ctx, in.At)
		if err == nil && p == 0 {
			err = fault.ErrNotFound.Because("the log was empty then")
		}
		return p, err
	}
	if in.Position == 0 {
		return 0, nil
	}
	head, err := store.Head(ctx)
	if err == nil && in.Position > head.Position {
		err = fault.ErrValidation.At("query.position", "the log has not got there yet")
	}
	return in.Position, err
}

// AccountBalance is one account in one asset. Balance and available are of the normal side
// and may be negative, which no customer's account ever is.
type AccountBalance struct {
	Account        ledger.Account `json:"account"`
	Asset          money.Asset    `json:"asset"`
	Class          ledger.Class   `json:"class"`
	DebitsPosted   money.Units    `json:"debitsPosted"`
	CreditsPosted  money.Units    `json:"creditsPosted"`
	DebitsPending  money.Units    `json:"debitsPending"`
	CreditsPending money.Units    `json:"creditsPending"`
	Balance        string         `json:"balance"`
	Available      string         `json:"available"`
}

func balanceOf(t eventstore.Totals) (AccountBalance, error) {
	line, err := audit.Balance(t)
	if err != nil {
		return AccountBalance{}, err
	}
	return AccountBalance{
		Account: t.Account, Asset: t.Asset, Class: line.Class, DebitsPosted: t.DebitsPosted, CreditsPosted: t.CreditsPosted,
		DebitsPending: t.DebitsPending, CreditsPending: t.CreditsPending, Balance: line.Balance.String(), Available: line.Available.String(),
	}, nil
}

func balancesOf(totals []eventstore.Totals, keep func(eventstore.Totals) bool) ([]AccountBalance, error) {
	all := []AccountBalance{}
	for _, t := range totals {
		if !keep(t) {
			continue
		}
		b, err := balanceOf(t)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

type accountsInput struct {
	AsOf
	Prefix string `query:"prefix" maxLength:"200" pattern:"^[a-z][A-Za-z0-9:_-]*$" doc:"Paths that begin so"`
	Asset  string `query:"asset" maxLength:"200"`
}

func (s *Server) accounts(ctx context.Context, _ *call, in *accountsInput) (reply, error) {
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return reply{}, err
	}
	position, err := s.asOf(ctx, in.AsOf)
	if err != nil {
		return reply{}, err
	}
	totals, err := s.deps.Executor.Store().Balances(ctx, in.Prefix, position)
	if err != nil {
		return reply{}, err
	}
	all, err := balancesOf(totals, func(t eventstore.Totals) bool { return asset == "" || t.Asset == asset })
	return reply{data: all, meta: Meta{Position: position}}, err
}

// assetFilter reads an optional asset, by id or alias.
func (s *Server) assetFilter(text string) (money.Asset, error) {
	if text == "" {
		return "", nil
	}
	asset, ok := s.deps.Registry.Asset(text)
	if !ok {
		return "", fault.ErrValidation.At("query.asset", "nobody registered this asset")
	}
	return asset, nil
}

type balancesInput struct {
	AsOf
	Account string `path:"account"`
}

func (s *Server) accountBalances(ctx context.Context, _ *call, in *balancesInput) (reply, error) {
	path := ledger.Account(in.Account)
	if _, err := ledger.KindOf(path); err != nil {
		return reply{}, fault.ErrNotFound
	}
	position, err := s.asOf(ctx, in.AsOf)
	if err != nil {
		return reply{}, err
	}
	totals, err := s.deps.Executor.Store().Balances(ctx, in.Account, position)
	if err != nil {
		return reply{}, err
	}
	all, err := balancesOf(totals, func(t eventstore.Totals) bool { return t.Account == path })
	return reply{data: all, meta: Meta{Position: position}}, err
}

// TrialBalance is every account of an asset or of all, and what it adds up to.
type TrialBalance struct {
	Position int64            `json:"position"`
	Balanced bool             `json:"balanced" doc:"Debits equal credits in every asset, and no customer's account is overdrawn"`
	Problems []string         `json:"problems"`
	Accounts []AccountBalance `json:"accounts"`
	Assets   []AssetSolvency  `json:"assets"`
}

// AssetSolvency is what stands behind the liabilities of one asset.
type AssetSolvency struct {
	Asset       money.Asset `json:"asset"`
	Custody     string      `json:"custody"`
	Liabilities string      `json:"liabilities"`
	Debits      money.Units `json:"debits"`
	Credits     money.Units `json:"credits"`
	Solvent     bool        `json:"solvent"`
	// Breaker is Running, Paused (by a person) or Breached; of this moment only.
	Breaker string `json:"breaker,omitempty" doc:"Whether releases, payouts and refunds of the asset may move now"`
}

type asOfInput struct {
	AsOf
	Asset string `query:"asset" maxLength:"200"`
}

func (s *Server) totals(ctx context.Context, in *asOfInput) ([]eventstore.Totals, int64, error) {
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return nil, 0, err
	}
	position, err := s.asOf(ctx, in.AsOf)
	if err != nil {
		return nil, 0, err
	}
	totals, err := s.deps.Executor.Store().Balances(ctx, "", position)
	totals = slices.DeleteFunc(totals, func(t eventstore.Totals) bool { return asset != "" && t.Asset != asset })
	return totals, position, err
}

func (s *Server) trialBalance(ctx context.Context, _ *call, in *asOfInput) (reply, error) {
	totals, position, err := s.totals(ctx, in)
	if err != nil {
		return reply{}, err
	}
	problems, err := audit.CheckTotals(totals)
	if err != nil {
		return reply{}, err
	}
	accounts, err := balancesOf(totals, func(eventstore.Totals) bool { return true })
	if err != nil {
		return reply{}, err
	}
	assets, err := solvencyOf(totals)
	if problems == nil {
		problems = []string{}
	}
	return reply{data: TrialBalance{Position: position, Balanced: len(problems) == 0, Problems: problems, Accounts: accounts, Assets: assets}}, err
}

func (s *Server) solvency(ctx context.Context, _ *call, in *asOfInput) (reply, error) {
	totals, position, err := s.totals(ctx, in)
	if err != nil {
		return reply{}, err
	}
	all, err := solvencyOf(totals)
	if err != nil {
		return reply{}, err
	}
	for i := range all {
		if position != 0 {
			break // the breaker is of this moment, the sums are not
		}
		b, _, err := eventstore.FreshState(ctx, s.deps.Executor, breaker.Decider, string(all[i].Asset))
		if err != nil {
			return reply{}, err
		}
		all[i].Breaker = b.Phase()
	}
	return reply{data: all, meta: Meta{Position: position}}, nil
}

func solvencyOf(totals []eventstore.Totals) ([]AssetSolvency, error) {
	sums, err := audit.PerAsset(totals)
	if err != nil {
		return nil, err
	}
	all := []AssetSolvency{}
	for _, asset := range slices.SortedFunc(maps.Keys(sums), func(a, b money.Asset) int { return cmp.Compare(a, b) }) {
		sum := sums[asset]
		all = append(all, AssetSolvency{
			Asset: asset, Custody: sum.Custody.String(), Liabilities: sum.Liabilities.String(),
			Debits: sum.Debits, Credits: sum.Credits, Solvent: sum.Solvent(),
		})
	}
	return all, nil
}
