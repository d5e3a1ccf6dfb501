package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/legacydb"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/legacyentry"
	legacy "holdfast/domain/migration"
	"holdfast/domain/payment"
	"holdfast/domain/request"
	"holdfast/domain/threshold"
	"holdfast/domain/treasury"
	"holdfast/domain/trezor"
	"holdfast/eventstore"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyimport"
)

// moneyTools are what taking the documents needs that touch money.
type moneyTools struct {
	policy  legacy.Policy
	terms   policy
	deriver *evm.Deriver // of the service's own account; nil where none is set
	account string       // its fingerprint
}

// moneyTools reads the rules that hold for what is taken over: those of new orders.
func (c *Core) moneyTools(chains *Chains) (m moneyTools, err error) {
	if m.terms, err = newPolicy(c.Config); err != nil {
		return m, err
	}
	terms := m.terms.Terms("")
	m.policy = legacy.Policy{
		Networks: chains.Registry, Escrow: terms.Escrow, Safety: terms.Safety, Grace: max(terms.PaymentExpiry, graceOfImport),
		Migration: "legacy", Topic: evm.ReferenceTopic, Enforced: c.Config.LedgerEnforced,
	}
	xpub := c.Config.DestinationXPub
	if xpub == "" && c.Config.Env == "development" {
		xpub = devchain.DestinationXPub
	}
	if xpub == "" {
		return m, nil
	}
	h := sha256.Sum256([]byte(xpub))
	m.account = hex.EncodeToString(h[:4])
	m.deriver, err = evm.NewDeriver(xpub)
	return m, err
}

// graceOfImport is how long a payment that waits may be made after its import, at least: nothing
// lapses while operators look at what came over.
const graceOfImport = 24 * time.Hour

func stream[S any, E domain.Event, T ~string](d domain.Decider[S, E], id T) domain.Stream {
	return domain.Stream{Type: d.Category, ID: string(id)}
}

// named leaves out the streams that a document does not name.
func named(all ...domain.Stream) []domain.Stream {
	return slices.DeleteFunc(all, func(s domain.Stream) bool { return s.ID == "" })
}

// aboutPayment is where documents name a payment.
func aboutPayment(collection string) legacyimport.Naming {
	return legacyimport.Naming{Collection: collection, Field: "paymentId", Of: legacydb.Names("paymentId")}
}

func (m moneyTools) payments() legacyimport.Taker {
	return legacyimport.Take(legacy.Payments, legacydb.Payment, func(p legacy.Payment) legacy.Found { return p.Found },
		func(_ context.Context, p legacy.Payment, t legacyimport.Taking) (legacyimport.Step, error) {
			var entries []legacy.Entry
			for _, raw := range t.Beside(legacy.LedgerEntries) {
				entries = append(entries, legacydb.LedgerEntry(raw))
			}
			judged, err := m.policy.Judge(p, entries)
			if err != nil {
				return legacyimport.Step{}, err
			}
			to := paidTo(t.Beside(legacy.Destinations))
			p.Hash = withBooks(p.Hash, entries, to)
			hold := legacy.HoldID(p.Request)
			step := legacyimport.Step{
				Flow:    legacy.TakePayment{Issue: t.Issue, Document: p, Money: judged, Address: to, Names: t.Names, Policy: m.policy},
				Streams: []domain.Stream{stream(payment.Decider, t.ID), stream(escrow.Decider, hold), stream(request.Decider, t.Names(legacy.PurchaseRequests, p.Request)), stream(treasury.Decider, legacy.OpeningsOf(hold))},
				Alone:   []string{string(hold)},
			}
			if to.Destination != "" {
				step.Streams = append(step.Streams, stream(destination.Decider, legacy.DestinationID(to.Destination)))
			}
			if judged.Gap != "" {
				step.Rows = append(step.Rows, legacymongo.BooksGap(p.ObjectID, judged.Due.Units.String(), judged.Books.String(), judged.Gap))
			}
			return step, nil
		}, legacyimport.Warm(payment.Decider), legacyimport.Warm(escrow.Decider), legacyimport.Warm(request.Decider), legacyimport.Warm(destination.Decider), legacyimport.Warm(treasury.Decider)).
		With(aboutPayment(legacy.LedgerEntries), aboutPayment(legacy.Destinations))
}

// withBooks is what a payment is known by: it stands for its entries and its address too, which the
// old backend changes without a change of the payment's own document.
func withBooks(hash string, entries []legacy.Entry, to legacy.PaidTo) string {
	if len(entries) == 0 && to.Destination == "" {
		return hash
	}
	parts := make([]string, 0, len(entries))
	for _, e := range entries {
		parts = append(parts, e.Hash)
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(append(parts, hash, to.Destination, to.Address, strconv.FormatBool(to.Swept)), "\x00")))
	return hex.EncodeToString(sum[:])
}

// paidTo is the address that was derived for a payment.
func paidTo(docs [][]byte) (to legacy.PaidTo) {
	for _, raw := range docs {
		if d := legacydb.DerivedDestination(raw); len(d.Problems) == 0 {
			to = legacy.PaidTo{Destination: d.ObjectID, Address: d.Address, Path: d.Path, Swept: d.Swept()}
		}
	}
	return to
}

func (m moneyTools) ledgerEntries() legacyimport.Taker {
	return legacyimport.Take(legacy.LedgerEntries, legacydb.LedgerEntry, func(e legacy.Entry) legacy.Found { return e.Found },
		func(_ context.Context, e legacy.Entry, t legacyimport.Taking) (legacyimport.Step, error) {
			step := legacyimport.Step{Flow: legacy.TakeEntry{Issue: t.Issue, Document: e, Names: t.Names}, Streams: []domain.Stream{stream(legacyentry.Decider, t.ID)}}
			if e.Text != "" {
				step.Subjects = []domain.UserID{domain.UserID(t.Names(legacy.Users, e.User))}
			}
			return step, nil
		}, legacyimport.Warm(legacyentry.Decider))
}

func (m moneyTools) releaseHolds() legacyimport.Taker {
	return legacyimport.Take(legacy.ReleaseHolds, legacydb.ReleaseHold, func(h legacy.ReleaseHold) legacy.Found { return h.Found },
		func(_ context.Context, h legacy.ReleaseHold, t legacyimport.Taking) (legacyimport.Step, error) {
			hold := legacy.HoldID(h.Request)
			return legacyimport.Step{
				Flow: legacy.TakeReleaseHold{Issue: t.Issue, Document: h, Names: t.Names}, ID: string(hold) + "/" + t.ID,
				Streams: named(stream(escrow.Decider, hold), stream(payment.Decider, t.Names(legacy.Payments, h.Payment))), Alone: []string{string(hold)},
			}, nil
		}, legacyimport.Warm(escrow.Decider), legacyimport.Warm(payment.Decider))
}

func (m moneyTools) disputes() legacyimport.Taker {
	return legacyimport.Take(legacy.Disputes, legacydb.Dispute, func(d legacy.Dispute) legacy.Found { return d.Found },
		func(_ context.Context, d legacy.Dispute, t legacyimport.Taking) (legacyimport.Step, error) {
			hold := legacy.HoldID(d.Request)
			step := legacyimport.Step{
				Flow:     legacy.TakeDispute{Issue: t.Issue, Document: d, Names: t.Names, Policy: m.policy, Terms: m.terms.Terms("").Dispute},
				Streams:  named(stream(dispute.Decider, t.ID), stream(escrow.Decider, hold), stream(payment.Decider, t.Names(legacy.Payments, d.Payment)), stream(treasury.Decider, legacy.OpeningsOf(hold))),
				Alone:    []string{string(hold)},
				Subjects: []domain.UserID{domain.UserID(t.Names(legacy.Users, d.Opener))},
			}
			for _, e := range d.Evidence {
				step.Subjects = append(step.Subjects, domain.UserID(t.Names(legacy.Users, e.By)))
			}
			return step, nil
		}, legacyimport.Warm(dispute.Decider), legacyimport.Warm(escrow.Decider), legacyimport.Warm(payment.Decider), legacyimport.Warm(treasury.Decider))
}

func (m moneyTools) trezorAccounts() legacyimport.Taker {
	return legacyimport.Take(legacy.TrezorAccounts, legacydb.TrezorAccount, func(w legacy.Wallet) legacy.Found { return w.Found },
		func(_ context.Context, w legacy.Wallet, t legacyimport.Taking) (legacyimport.Step, error) {
			account, err := evm.ReadAccount(w.XPub, w.Path)
			if err != nil {
				return legacyimport.Step{}, err
			}
			user := t.Names(legacy.Users, w.User)
			return legacyimport.Step{
				Flow: legacy.TakeWallet{Issue: t.Issue, Document: w, Names: t.Names, Account: legacy.Account{XPub: account.XPub, Fingerprint: account.Fingerprint, Root: account.Address}},
				ID:   user, Streams: []domain.Stream{stream(trezor.Decider, user)}, Alone: []string{user}, Subjects: []domain.UserID{domain.UserID(user)},
			}, nil
		}, legacyimport.Warm(trezor.Decider))
}

func (m moneyTools) derivedDestinations() legacyimport.Taker {
	return legacyimport.Take(legacy.Destinations, legacydb.DerivedDestination, func(d legacy.Destination) legacy.Found { return d.Found },
		func(_ context.Context, d legacy.Destination, t legacyimport.Taking) (legacyimport.Step, error) {
			step := legacyimport.Step{Streams: []domain.Stream{stream(destination.Decider, t.ID)}}
			flow := legacy.TakeDestination{Issue: t.Issue, Document: d, Names: t.Names, Policy: m.policy, Fingerprint: m.below(d)}
			if d.Payment != "" {
				step.Streams = append(step.Streams, stream(payment.Decider, t.Names(legacy.Payments, d.Payment)))
			}
			if flow.Fingerprint == m.account && m.account != "" {
				to := t.ID // nobody yet
				if d.Payment != "" {
					to = t.Names(legacy.Payments, d.Payment)
				}
				step.Rows = []eventstore.Row{records.GivenIndex(flow.Fingerprint, d.Index, domain.PaymentID(to))}
			}
			step.Flow = flow
			return step, nil
		}, legacyimport.Warm(destination.Decider), legacyimport.Warm(payment.Decider))
}

// below names the key below which an address was found: the service's own, or what the document says.
func (m moneyTools) below(d legacy.Destination) string {
	if m.deriver != nil {
		if own, _, err := m.deriver.Address(d.Index); err == nil && strings.EqualFold(own, d.Address) {
			return m.account
		}
	}
	return d.Fingerprint
}

func (m moneyTools) confirmationThresholds() legacyimport.Taker {
	return legacyimport.Take(legacy.Thresholds, legacydb.ConfirmationThreshold, func(d legacy.Threshold) legacy.Found { return d.Found },
		func(_ context.Context, d legacy.Threshold, t legacyimport.Taking) (legacyimport.Step, error) {
			id := strconv.FormatUint(d.Chain, 10)
			return legacyimport.Step{
				Flow: legacy.TakeThreshold{Issue: t.Issue, Document: d, Names: t.Names, Policy: m.policy}, ID: id,
				Streams: []domain.Stream{stream(threshold.Decider, threshold.ID(d.Chain))}, Alone: []string{id},
			}, nil
		}, legacyimport.Warm(threshold.Decider))
}
