package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast/adapters/evm"
	"holdfast/adapters/oidc"
	"holdfast/adapters/oidc/oidcdouble"
	"holdfast/adapters/records"
	"holdfast/adapters/webauthn"
	"holdfast/domain"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// openSignIn joins what signs people in without a password. What is not configured is not switched
// on; in development doubles stand in.
func (s *Service) openSignIn() error {
	r := s.Records
	s.signIn = apihttp.SignIn{
		Challenges: challenges{r.Challenges}, Methods: signInMethods{r.SignIns}, PasskeyRows: passkeyRows{r.Passkeys},
		Wallets: walletProofs{s.Chains}, WalletRows: wallets{r.Wallets},
	}
	if id, origins := s.Config.RelyingParty(); id != "" {
		p, err := webauthn.New(webauthn.Options{RPID: id, Origins: origins, Name: "Holdfast"})
		if err != nil {
			return err
		}
		s.signIn.Passkeys = passkeys{p}
	}
	if err := s.openGoogle(); err != nil {
		return err
	}
	return s.openTelegram()
}

// openGoogle connects with the provider, or in development with its double.
func (s *Service) openGoogle() error {
	cfg := s.Config
	o := oidc.Options{Issuer: cfg.GoogleIssuer, ClientID: cfg.GoogleClientID, ClientSecret: cfg.GoogleClientSecret, RedirectURL: cfg.CallbackURL()}
	if o.ClientID == "" {
		if !cfg.SignInDoubles() {
			return nil
		}
		o.ClientID, o.ClientSecret = "development", "development"
		double, err := oidcdouble.Start(o.ClientID, o.ClientSecret)
		if err != nil {
			return fmt.Errorf("start a development sign-in provider: %w", err)
		}
		s.onClose(func(context.Context) error { return double.Close() })
		o.Issuer, s.GoogleDouble = double.URL(), double.URL()
	}
	s.signIn.Google = openID{oidc.New(o), o.RedirectURL}
	return nil
}

type challenges struct{ *records.Challenges }

func (c challenges) Keep(ctx context.Context, purpose, secret string, k apihttp.Challenge, lives time.Duration) error {
	return c.Challenges.Keep(ctx, purpose, secret, records.Challenge(k), lives)
}

func (c challenges) Take(ctx context.Context, purpose, secret string) (apihttp.Challenge, string, error) {
	k, became, err := c.Challenges.Take(ctx, purpose, secret)
	return apihttp.Challenge(k), became, err
}

type signInMethods struct{ *records.SignIns }

func (m signInMethods) OfUser(ctx context.Context, u domain.UserID) ([]apihttp.SignInMethod, error) {
	rows, err := m.SignIns.OfUser(ctx, u)
	all := make([]apihttp.SignInMethod, len(rows))
	for i, r := range rows {
		all[i] = apihttp.SignInMethod(r)
	}
	return all, err
}

func (m signInMethods) Linked(u domain.UserID, s apihttp.SignInMethod) []eventstore.Row {
	return m.SignIns.Linked(u, records.SignInMethod(s))
}

type passkeyRows struct{ *records.Passkeys }

func (p passkeyRows) OfUser(ctx context.Context, u domain.UserID) ([]apihttp.StoredPasskey, error) {
	rows, err := p.Passkeys.OfUser(ctx, u)
	all := make([]apihttp.StoredPasskey, len(rows))
	for i, r := range rows {
		all[i] = apihttp.StoredPasskey(r)
	}
	return all, err
}

func (p passkeyRows) Find(ctx context.Context, credential, handle []byte) (apihttp.StoredPasskey, bool, error) {
	r, ok, err := p.Passkeys.Find(ctx, credential, handle)
	return apihttp.StoredPasskey(r), ok, err
}

func (p passkeyRows) Made(s apihttp.StoredPasskey) []eventstore.Row {
	return p.Passkeys.Made(records.Passkey(s))
}

type passkeys struct{ *webauthn.Passkeys }

func (p passkeys) BeginRegistration(o apihttp.PasskeyOwner) (apihttp.PasskeyCeremony, error) {
	c, err := p.Passkeys.BeginRegistration(webauthn.Owner(o))
	return apihttp.PasskeyCeremony(c), err
}

func (p passkeys) FinishRegistration(o apihttp.PasskeyOwner, session, answer []byte) (apihttp.PasskeyCredential, error) {
	c, err := p.Passkeys.FinishRegistration(webauthn.Owner(o), session, answer)
	return apihttp.PasskeyCredential(c), err
}

func (p passkeys) BeginLogin() (apihttp.PasskeyCeremony, error) {
	c, err := p.Passkeys.BeginLogin()
	return apihttp.PasskeyCeremony(c), err
}

func (p passkeys) FinishLogin(session, answer []byte, find func(credential, handle []byte) (apihttp.PasskeyOwner, error)) (apihttp.PasskeyCredential, error) {
	c, err := p.Passkeys.FinishLogin(session, answer, func(credential, handle []byte) (webauthn.Owner, error) {
		o, err := find(credential, handle)
		return webauthn.Owner(o), err
	})
	return apihttp.PasskeyCredential(c), err
}

func (passkeys) Challenge(answer []byte) (string, error) { return webauthn.Challenge(answer) }

// openID is a provider with our way back.
type openID struct {
	*oidc.Provider
	callback string
}

func (p openID) CallbackURL() string { return p.callback }

func (p openID) Exchange(ctx context.Context, code, nonce, verifier string) (apihttp.OpenIdentity, error) {
	who, err := p.Provider.Exchange(ctx, code, nonce, verifier)
	return apihttp.OpenIdentity(who), err
}

func (p openID) Verify(ctx context.Context, token string) (apihttp.OpenIdentity, error) {
	who, err := p.Provider.Verify(ctx, token)
	return apihttp.OpenIdentity(who), err
}

// walletProofs recovers signers, and asks contracts where the address did not sign itself.
type walletProofs struct{ chains *Chains }

func (walletProofs) Address(text string) (string, error) { return evm.ParseAddress(text) }

func (w walletProofs) Knows(chain uint64) bool {
	_, ok := w.chains.Registry.Chain(chain)
	return ok
}

func (w walletProofs) Signed(ctx context.Context, chain uint64, address, text, signature string) (apihttp.WalletSigner, error) {
	signer, form := evm.PersonalSigner(text, signature)
	if form == nil && strings.EqualFold(signer, address) {
		return apihttp.SignedByKey, nil
	}
	client, ok := w.chains.All()[chain]
	if !ok {
		return apihttp.SignedByNobody, form
	}
	yes, err := client.ContractSigned(ctx, address, text, signature)
	if !yes && (err == nil || errors.Is(err, evm.ErrSignatureForm)) {
		return apihttp.SignedByNobody, form
	}
	if err != nil {
		return apihttp.SignedByNobody, err
	}
	return apihttp.SignedByContract, nil
}
