package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/outgoing"
	"holdfast/domain/trezor"
	"holdfast/eventstore"
	"holdfast/projections/trezorview"
)

const trezorPath = "/api/trezor"

// challengeLife is how long a message to register with can be signed.
const challengeLife = 10 * time.Minute

func trezorRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, class Class, money bool, errors ...string) Route {
		return Route{Method: method, Path: trezorPath + rest, Roles: roles, Class: class, Money: money, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	register := route("POST", "/register", "Register the wallet whose key signed the message", Any, Command, true, "PRIVATE_KEY_REJECTED", "PROOF_INVALID", "NONCE_USED", "PATH_MISMATCH", "OPERATION_EXPIRED", "INVALID_WALLET_SIGNATURE", "ACCOUNT_REGISTERED", "DERIVATION_INVALID")
	register.Status = 201
	next := route("POST", "/addresses/next", "The next address of the wallet; the same payment gets the same again", Any, Command, true, "DERIVATION_CONFLICT")
	next.Status = 201
	operation := route("POST", "/operations", "A message to sign on the device, bound to the target's exact instruction", admin, PlainWrite, false)
	operation.Status = 201
	return []Route{
		on[struct{}, RegistrationMessage](route("GET", "/registration-message", "What to sign to register a wallet", Any, Query, false), (*Server).registrationMessage),
		on[registerInput, trezor.AccountAnswer](register, (*Server).registerTrezor),
		on[struct{}, TrezorAccount](viewing(route("GET", "/account", "The registered wallet", Any, Query, false), trezorview.Name), (*Server).trezorAccount),
		on[struct{}, trezor.AccountAnswer](route("DELETE", "/account", "Remove it", Any, Command, false), (*Server).removeTrezor),
		on[nextAddressInput, trezor.Given](next, (*Server).nextAddress),
		on[struct{}, []trezor.Given](viewing(route("GET", "/addresses", "Addresses that were given out", Any, Query, false), trezorview.Name), (*Server).trezorAddresses),
		on[operationInput, OperationOut](operation, (*Server).beginOperation),
		on[verifyInput, trezor.OperationAnswer](route("POST", "/verify-operation", "Bring the device's signature", admin, Command, false, "INVALID_WALLET_SIGNATURE", "OPERATION_EXPIRED", "NONCE_USED"), (*Server).verifyOperation),
	}
}

// RegistrationMessage is what the device signs (EIP-191, personal_sign).
type RegistrationMessage struct {
	Message   string    `json:"message"`
	Nonce     string    `json:"nonce"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *Server) devices() (Devices, error) {
	if s.deps.Devices == nil || s.deps.Nonces == nil {
		return nil, errNotConfigured
	}
	return s.deps.Devices, nil
}

func (s *Server) registrationMessage(_ context.Context, c *call, _ *struct{}) (reply, error) {
	if _, err := s.devices(); err != nil {
		return reply{}, err
	}
	m := trezor.Challenge{User: c.user(), Expires: time.Now().UTC().Add(challengeLife).Truncate(time.Second)}
	var err error
	if m.Nonce, err = s.deps.Nonces.New(m.User, m.Expires); err != nil {
		return reply{}, err
	}
	return reply{data: RegistrationMessage{Message: m.Message(), Nonce: m.Nonce, ExpiresAt: m.Expires}}, nil
}

type registerInput struct {
	Body struct {
		XPub                string `json:"xpub" minLength:"1" maxLength:"400" doc:"Of the account, such as m/44'/60'/0'"`
		RegistrationAddress string `json:"registrationAddress" minLength:"1" maxLength:"100" doc:"Its first address, 0/0"`
		ProofMessage        string `json:"proofMessage" minLength:"1" maxLength:"2000"`
		ProofSignature      string `json:"proofSignature" minLength:"1" maxLength:"400"`
		BasePath            string `json:"basePath" minLength:"1" maxLength:"60"`
		DeviceLabel         string `json:"deviceLabel,omitempty" maxLength:"100"`
	}
}

func (s *Server) registerTrezor(ctx context.Context, c *call, in *registerInput) (reply, error) {
	b := in.Body
	// Private keys are looked for in every field, before anything else is said about them.
	for field, text := range map[string]string{
		"xpub": b.XPub, "registrationAddress": b.RegistrationAddress, "proofMessage": b.ProofMessage, "proofSignature": b.ProofSignature,
		"basePath": b.BasePath, "deviceLabel": b.DeviceLabel,
	} {
		if err := trezor.RefusePrivate(field, text); err != nil {
			return reply{}, err
		}
	}
	devices, err := s.devices()
	if err != nil {
		return reply{}, err
	}
	account, err := devices.Account(b.XPub, b.BasePath)
	if err != nil {
		return reply{}, err
	}
	if !outgoing.SameAddress(account.Address, b.RegistrationAddress) {
		return reply{}, trezor.ErrPath.Because("the first address of this account is another one")
	}
	m, ok := trezor.ReadChallenge(c.user(), b.ProofMessage)
	if !ok || !s.deps.Nonces.Made(m.User, m.Expires, m.Nonce) {
		return reply{}, trezor.ErrProof.Because("the message is not one that was made for you here")
	}
	signer, err := devices.PersonalSigner(b.ProofMessage, b.ProofSignature)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(trezor.Decider, c.user()), trezor.Register{
		Issue: c.issue(), XPub: account.XPub, Fingerprint: account.Fingerprint, Address: account.Address, BasePath: b.BasePath,
		Label: b.DeviceLabel, Challenge: m, Signer: signer,
	})
}

// TrezorAccount is a registered wallet as its owner sees it.
type TrezorAccount struct {
	XPub         string    `json:"xpub"`
	Fingerprint  string    `json:"fingerprint"`
	Address      string    `json:"address"`
	BasePath     string    `json:"basePath"`
	DeviceLabel  string    `json:"deviceLabel"`
	Addresses    int       `json:"addresses" doc:"Given out"`
	RegisteredAt time.Time `json:"registeredAt"`
}

// wallet gives the caller's registered wallet; NOT_FOUND without one.
func (s *Server) wallet(ctx context.Context, c *call) (trezor.State, int64, error) {
	state, version, err := eventstore.FreshState(ctx, s.deps.Executor, trezor.Decider, string(c.user()))
	if err == nil && state.Account == nil {
		err = fault.ErrNotFound
	}
	return state, version, err
}

// shownWallet is wallet for those who only look: the read model's, in whichever store.
func (s *Server) shownWallet(ctx context.Context, c *call) (trezor.State, int64, error) {
	if s.deps.Views == nil {
		return s.wallet(ctx, c)
	}
	row, err := s.deps.Views.Trezors.Of(ctx, c.user())
	if err == nil && row.Doc.Account == nil {
		err = fault.ErrNotFound
	}
	return row.Doc, row.Version, err
}

func (s *Server) trezorAccount(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	state, version, err := s.shownWallet(ctx, c)
	if err != nil {
		return reply{}, err
	}
	a := state.Account
	return reply{version: version, data: TrezorAccount{
		XPub: textOf(a.XPub), Fingerprint: a.Fingerprint, Address: a.Address, BasePath: a.BasePath, DeviceLabel: textOf(a.Label),
		Addresses: len(state.Addresses), RegisteredAt: a.At.UTC(),
	}}, nil
}

func (s *Server) removeTrezor(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	return s.run(ctx, c, of(trezor.Decider, c.user()), trezor.Remove{Issue: c.issue()})
}

type nextAddressInput struct {
	Body struct {
		Purpose   string `json:"purpose" minLength:"1" maxLength:"60" pattern:"^[a-z][a-z0-9_-]*$"`
		PaymentID string `json:"paymentId,omitempty" format:"uuid"`
	}
}

// nextAddress gives none of the account that pay-ins are derived from: the same address would
// serve two payments.
func (s *Server) nextAddress(ctx context.Context, c *call, in *nextAddressInput) (reply, error) {
	devices, err := s.devices()
	if err != nil {
		return reply{}, err
	}
	state, _, err := s.wallet(ctx, c)
	if err != nil {
		return reply{}, err
	}
	if devices.Ours(textOf(state.Account.XPub)) {
		return reply{}, errOurAddresses
	}
	if in.Body.PaymentID != "" {
		if _, err := s.paymentFor(ctx, c, in.Body.PaymentID); err != nil {
			return reply{}, err
		}
	}
	return s.run(ctx, c, of(trezor.Decider, c.user()), trezor.IssueAddress{
		Issue: c.issue(), Purpose: in.Body.Purpose, Payment: domain.PaymentID(in.Body.PaymentID), Derive: devices.Below,
	})
}

func (s *Server) trezorAddresses(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	state, version, err := s.shownWallet(ctx, c)
	if err != nil {
		return reply{}, err
	}
	all := state.Addresses
	if all == nil {
		all = []trezor.Given{}
	}
	return reply{data: all, version: version}, nil
}
