package http

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/domain/siwe"
)

const walletPath = "/api/auth/wallet"

// What a nonce was asked for: a message for one counts for no other.
const (
	walletSignIn = "wallet-sign-in" // nobody is signed in yet
	walletLink   = "wallet-link"    // the wallet will sign the account in
	walletPayout = "wallet-payout"  // money will go there
)

const nonceLives = 10 * time.Minute

var (
	errNonceUsed = fault.New(fault.Conflict, "NONCE_USED", "this nonce was used already; ask for another")
	errProof     = siwe.ErrProof
)

func walletSignInRoutes() []Route {
	return []Route{
		on[nonceInput, WalletNonce](Route{Method: "GET", Path: walletPath + "/nonce", Greets: true, Class: Query, Rate: RateAuth, Summary: "A nonce for a sign-in message (EIP-4361), and the message itself when an address is named"}, (*Server).walletNonce),
		on[walletProofInput, SignedIn](Route{Method: "POST", Path: walletPath + "/verify", Greets: true, Class: Command, Rate: RateAuth, Summary: "Sign in with a wallet; with an access token besides, let the wallet sign the account in", Errors: []string{"PROOF_INVALID", "NONCE_USED", "INVALID_WALLET_SIGNATURE", "LINK_REQUIRED", "SIGN_IN_IN_USE", "CHAIN_UNAVAILABLE", "ACCOUNT_SUSPENDED"}}, (*Server).verifyWallet),
	}
}

func (s *Server) walletProofs() (WalletProofs, error) {
	d := s.deps.SignIn
	if d.Wallets == nil || d.Challenges == nil || d.Methods == nil || s.deps.Hashes == nil {
		return nil, errNotConfigured
	}
	return d.Wallets, nil
}

type nonceInput struct {
	For     string `query:"for" enum:"signin,payout" doc:"signin when empty; payout for POST /api/user/wallets"`
	Address string `query:"address" maxLength:"100"`
	ChainID uint64 `query:"chainId"`
}

// WalletNonce is what a sign-in message must say.
type WalletNonce struct {
	Nonce     string    `json:"nonce"`
	Domain    string    `json:"domain"`
	URI       string    `json:"uri"`
	Statement string    `json:"statement" doc:"Exactly this text"`
	IssuedAt  time.Time `json:"issuedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Message   string    `json:"message,omitempty" doc:"Ready to be signed (personal_sign); when address and chainId were given"`
}

func (s *Server) walletNonce(ctx context.Context, c *call, in *nonceInput) (reply, error) {
	proofs, err := s.walletProofs()
	if err != nil {
		return reply{}, err
	}
	purpose := walletSignIn
	switch {
	case in.For == "payout" && c.user() == "":
		return reply{}, errUnauthenticated
	case in.For == "payout":
		purpose = walletPayout
	case c.user() != "":
		purpose = walletLink
	}
	now := time.Now().UTC().Truncate(time.Second)
	out := WalletNonce{Domain: s.frontHost(), URI: s.config.FrontendURL, Statement: s.walletStatement(purpose, c.user()), IssuedAt: now, ExpiresAt: now.Add(nonceLives)}
	secret, err := draw()
	if err != nil {
		return reply{}, err
	}
	out.Nonce = strings.NewReplacer("-", "x", "_", "y").Replace(secret) // the grammar takes letters and digits
	if in.Address != "" {
		m := siwe.Message{
			Domain: out.Domain, URI: out.URI, Statement: out.Statement, ChainID: max(in.ChainID, 1), Nonce: out.Nonce,
			IssuedAt: siwe.InstantOf(now), Expires: siwe.InstantOf(out.ExpiresAt),
		}
		if m.Address, err = proofs.Address(in.Address); err != nil {
			return reply{}, err
		}
		out.Message = m.String()
	}
	return reply{data: out}, s.keep(ctx, purpose, out.Nonce, c.user(), struct{}{}, nonceLives)
}

func (s *Server) frontHost() string {
	u, err := url.Parse(s.config.FrontendURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// walletStatement is what people read before they sign. It names the account, so that nobody signs for
// another's.
func (s *Server) walletStatement(purpose string, u domain.UserID) string {
	switch purpose {
	case walletLink:
		return fmt.Sprintf("Let this wallet sign in to account %s at %s.", u, s.frontHost())
	case walletPayout:
		return fmt.Sprintf("Let %s pay money of account %s to this wallet.", s.frontHost(), u)
	}
	return fmt.Sprintf("Sign in to %s.", s.frontHost())
}

// WalletProof is a signed message.
type WalletProof struct {
	Message   string `json:"message" minLength:"1" maxLength:"4000" doc:"EIP-4361"`
	Signature string `json:"signature" minLength:"1" maxLength:"8200" doc:"personal_sign (EIP-191), or what the contract wallet takes (EIP-1271)"`
}

type walletProofInput struct{ Body WalletProof }

// proved reads a signed message that was asked for this purpose, and gives it. Its nonce has been
// used, whatever else is wrong with it. by is what stands for the signature.
func (s *Server) proved(ctx context.Context, c *call, purpose string, p WalletProof) (m siwe.Message, by WalletSigner, err error) {
	if m, err = s.asked(ctx, c, purpose, p); err != nil {
		return m, by, err
	}
	by, err = s.deps.SignIn.Wallets.Signed(ctx, m.ChainID, m.Address, p.Message, p.Signature)
	if err == nil && by == SignedByNobody {
		err = errProof.Because("the signature is not that of the address")
	}
	return m, by, err
}

// asked is proved without the signature.
func (s *Server) asked(ctx context.Context, c *call, purpose string, p WalletProof) (m siwe.Message, err error) {
	proofs, err := s.walletProofs()
	if err != nil {
		return m, err
	}
	if m, err = siwe.Parse(p.Message); err != nil {
		return m, err
	}
	kept, became, err := s.deps.SignIn.Challenges.Take(ctx, purpose, m.Nonce)
	switch {
	case err != nil:
		return m, err
	case became == ChallengeUsed:
		return m, errNonceUsed
	case became == ChallengeExpired:
		return m, siwe.ErrExpired
	case became != ChallengeTaken || kept.User != c.user():
		return m, errProof.Because("the nonce is not one that was given out for this")
	}
	wanted := siwe.Wanted{Origin: s.config.FrontendURL, Statement: s.walletStatement(purpose, c.user()), Nonce: m.Nonce, MaxAge: nonceLives}
	if purpose == walletPayout {
		wanted.Chains = proofs.Knows
	}
	if err := m.Check(wanted, time.Now().UTC()); err != nil {
		return m, err
	}
	if canonical, err := proofs.Address(m.Address); err != nil || canonical != m.Address {
		return m, errProof.Because("the address in the message is not in EIP-55")
	}
	return m, nil
}

// walletSubject names a wallet that signs in. A contract's is bound to its chain: whoever manages to put
// another one at the same address of another chain is somebody else.
func walletSubject(m siwe.Message, by WalletSigner) string {
	if by == SignedByContract {
		return fmt.Sprintf("eip155:%d:%s", m.ChainID, strings.ToLower(m.Address))
	}
	return strings.ToLower(m.Address)
}

func (s *Server) verifyWallet(ctx context.Context, c *call, in *walletProofInput) (reply, error) {
	purpose := walletSignIn
	if c.user() != "" {
		purpose = walletLink
	}
	m, by, err := s.proved(ctx, c, purpose, in.Body)
	if err != nil {
		return reply{}, err
	}
	subject := walletSubject(m, by)
	if c.user() == "" {
		return s.signedInBy(ctx, c, account.Wallet, subject)
	}
	row := SignInMethod{Method: string(account.Wallet), Subject: subject, Label: m.Address}
	return s.link(ctx, c, c.user(), account.Wallet, subject, s.deps.SignIn.Methods.Linked(c.user(), row), LinkedMethod{Method: row.Method, Label: row.Label})
}
