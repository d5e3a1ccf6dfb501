package http

import (
	"context"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/domain/safety"
	"holdfast/eventstore"
)

const userWalletsPath = "/api/user/wallets"

func userWalletRoutes() []Route {
	alias := func(rest string) []string { return []string{"/api/users/wallets" + rest} }
	return []Route{
		on[struct{}, []UserWallet](Route{Method: "GET", Path: userWalletsPath, Aliases: alias(""), Roles: Any, Class: Query, Rate: RateGeneral, Summary: "Addresses to which your money may go"}, (*Server).userWallets),
		on[newWalletInput, UserWallet](Route{Method: "POST", Path: userWalletsPath, Aliases: alias(""), Roles: Any, Class: Command, Rate: RateGeneral, Status: 201, Summary: "Add an address that you prove to be yours; it rests before it is paid", Errors: []string{"PROOF_INVALID", "NONCE_USED", "INVALID_WALLET_SIGNATURE", "INVALID_ADDRESS", "ADDRESS_SCREENED", "SCREENING_UNAVAILABLE", "CHAIN_UNAVAILABLE", "WALLET_LIMIT"}}, (*Server).addWallet),
		on[removeWalletInput, Nothing](Route{Method: "DELETE", Path: userWalletsPath + "/{id}", Aliases: alias("/{id}"), Roles: Any, Class: Command, Rate: RateGeneral, Summary: "Remove an address"}, (*Server).removeWallet),
	}
}

// UserWallet is an address of a user as the user sees it.
type UserWallet struct {
	ID           string     `json:"id"`
	ChainID      uint64     `json:"chainId"`
	Address      string     `json:"address"`
	Verified     bool       `json:"verified"`
	CoolingUntil *time.Time `json:"coolingUntil,omitempty" doc:"No payout goes there before"`
	Screening    string     `json:"screening,omitempty" enum:"clean,flagged"`
}

func userWalletOut(w Wallet) UserWallet {
	out := UserWallet{ID: w.ID, ChainID: w.ChainID, Address: w.Address, Verified: w.Verified, Screening: w.Screening}
	if !w.CoolingUntil.IsZero() {
		out.CoolingUntil = &w.CoolingUntil
	}
	return out
}

func (s *Server) walletRows() (WalletRows, error) {
	if s.deps.SignIn.WalletRows == nil {
		return nil, errNotConfigured
	}
	return s.deps.SignIn.WalletRows, nil
}

func (s *Server) userWallets(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	rows, err := s.walletRows()
	if err != nil {
		return reply{}, err
	}
	all, err := rows.List(ctx, c.user())
	out := make([]UserWallet, len(all))
	for i, w := range all {
		out[i] = userWalletOut(w)
	}
	return reply{data: out}, err
}

type newWalletInput struct {
	Body struct {
		ChainID uint64      `json:"chainId" minimum:"1" maximum:"9007199254740991"`
		Address string      `json:"address" minLength:"1" maxLength:"100"`
		Proof   WalletProof `json:"proof" doc:"Of GET /api/auth/wallet/nonce?for=payout"`
	}
}

// addWallet takes an address whose holder has signed for it. What is not surely clean is not taken;
// what is taken rests for the policy's time, so that who steals a session cannot be paid at once.
func (s *Server) addWallet(ctx context.Context, c *call, in *newWalletInput) (reply, error) {
	rows, err := s.walletRows()
	if err != nil {
		return reply{}, err
	}
	if s.deps.Policy == nil {
		return reply{}, errNotConfigured
	}
	m, _, err := s.proved(ctx, c, walletPayout, in.Body.Proof)
	if err != nil {
		return reply{}, err
	}
	if address, err := s.deps.SignIn.Wallets.Address(in.Body.Address); err != nil {
		return reply{}, err
	} else if address != m.Address || in.Body.ChainID != m.ChainID {
		return reply{}, errProof.Because("address and chain are not those of the message")
	}
	w := Wallet{ID: c.newID("wallet"), ChainID: m.ChainID, Address: m.Address, Verified: true}
	all, err := rows.List(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, known := range all {
		if known.ChainID == w.ChainID && strings.EqualFold(known.Address, w.Address) {
			return reply{status: 200, data: userWalletOut(known)}, nil // it does not begin to rest anew
		}
	}
	if s.deps.Screener != nil {
		v := s.deps.Screener.Screen(ctx, w.ChainID, w.Address)
		if err := v.Payable(); err != nil {
			return reply{}, err
		}
		w.Screening = string(safety.Clean)
	}
	cooling := s.deps.Policy.Terms(network.NativeAsset(w.ChainID)).WalletCooling
	if cooling > 0 {
		w.CoolingUntil = c.issue().At.Add(cooling)
	}
	return s.answerOnAccount(ctx, c, c.actor(), c.user(), userWalletOut(w), rows.Linked(c.user(), w, cooling),
		account.LinkWallet{Issue: c.issue(), Wallet: w.ID, Chain: w.ChainID, Address: w.Address})
}

type removeWalletInput struct {
	ID string `path:"id"`
}

func (s *Server) removeWallet(ctx context.Context, c *call, in *removeWalletInput) (reply, error) {
	rows, err := s.walletRows()
	if err != nil {
		return reply{}, err
	}
	all, err := rows.List(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, w := range all {
		if w.ID == in.ID {
			return s.dropWallet(ctx, c, w, rows.Unlinked(c.user(), w.ID))
		}
	}
	return reply{}, fault.ErrNotFound
}

// dropWallet unlinks. A row that is older than the accounts in the log is first written into it: what
// is taken away must have been there.
func (s *Server) dropWallet(ctx context.Context, c *call, w Wallet, rows []eventstore.Row) (reply, error) {
	c.decided = true
	result, err := s.deps.Executor.ExecuteWith(ctx, c.metadata(), c.key, func() []eventstore.Row { return rows }, func(u *domain.Unit) (any, error) {
		_, err := domain.Do(u, account.Decider, string(c.user()), account.LinkWallet{Issue: c.issue(), Wallet: w.ID, Chain: w.ChainID, Address: w.Address})
		if err != nil {
			return nil, err
		}
		_, err = domain.Do(u, account.Decider, string(c.user()), account.UnlinkWallet{Issue: c.issue(), Wallet: w.ID})
		return Nothing{}, err
	})
	return reply{data: result.Data, meta: Meta{Position: result.Position}, replayed: result.Replayed}, err
}
