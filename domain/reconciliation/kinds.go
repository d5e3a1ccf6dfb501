package reconciliation

import "slices"

// Kind says which two sides contradict each other, and how.
type Kind string

// The kinds.
const (
	MissingInLedger Kind = "missing_in_ledger"  // the chain shows a transfer to us that we did not book
	MissingOnChain  Kind = "missing_on_chain"   // we booked a transfer that the chain does not show
	AmountDiffers   Kind = "amount_differs"     // both have it, with different amounts
	WrongAsset      Kind = "wrong_asset"        // it came in another token than the books say, or than was asked for
	ProviderOnly    Kind = "provider_only"      // the provider says paid, the chain does not
	ChainOnly       Kind = "chain_only"         // paid on the chain, the provider says nothing
	DoubleReport    Kind = "double_report"      // the provider reports one transaction more than once
	CustodyShort    Kind = "custody_short"      // less at an address than booked
	CustodyOver     Kind = "custody_over"       // more at an address than booked
	TransitStuck    Kind = "in_transit_stuck"   // booked as under way, and nothing of ours is on its way
	PendingTooOld   Kind = "pending_too_old"    // a pending amount nobody has closed in time
	Insolvent       Kind = "custody_below_owed" // less in custody than is owed
)

// Severity says how soon somebody must look.
type Severity string

// The severities: Critical wakes somebody, Warning waits for the morning, Info for the week.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Way is how a break may be resolved.
type Way string

// The ways. BookFound and WriteOff book a custody variance and need two admins.
const (
	Explain   Way = "explain"    // it is right as it is, for a reason; comes back when the difference changes
	Rescan    Way = "rescan"     // look at the chain again and book what it shows
	BookFound Way = "book_found" // more than booked: into suspense, until its owner is known
	WriteOff  Way = "write_off"  // less than booked: a loss of the platform
)

// Books reports whether the way moves amounts in the ledger by a person's decision.
func (w Way) Books() bool { return w == BookFound || w == WriteOff }

// Advice is what an operator is told about a kind.
type Advice struct {
	Severity Severity `json:"severity"`
	Probably string   `json:"probably"` // what has most likely happened
	Do       string   `json:"do"`
	Ways     []Way    `json:"ways"`
}

var advice = map[Kind]Advice{
	MissingInLedger: {Warning, "Somebody paid an address of ours while nobody watched it: long after its payment had closed, or while the scanner was down.", "Rescan: the transfer is verified once more and booked, to its payment or to suspense, from where it can be refunded or assigned.", []Way{Rescan, Explain}},
	MissingOnChain:  {Critical, "A block was undone below the depth that we look back, or a node lied when the transfer was recorded.", "Look the transaction up at two independent explorers. When it is really gone, write the amount off with a second admin; what was paid out on its strength is a loss.", []Way{WriteOff, Explain}},
	AmountDiffers:   {Critical, "The token takes a fee on transfer or has changed its rules, or one side counts in other decimals.", "Compare with the Transfer log at an explorer. Book the difference as found or lost; disable the token when it can happen again.", []Way{BookFound, WriteOff, Explain}},
	WrongAsset:      {Warning, "The buyer sent another token than the one the payment asked for.", "Rescan books it into suspense; refund it from there to the address it came from.", []Way{Rescan, Explain}},
	ProviderOnly:    {Warning, "The provider counts a payment that went elsewhere, was reverted, or is on a chain we do not read.", "Nothing is credited. Ask the buyer for the transaction and the provider for its evidence; explain when the provider has corrected it.", []Way{Explain}},
	ChainOnly:       {Info, "The buyer sent tokens straight to the address and did not use the provider's checkout, or the provider lags.", "Nothing is missing. Explain it; report it to the provider when it happens often.", []Way{Explain}},
	DoubleReport:    {Info, "The provider repeated itself, or paid two requests with one transaction.", "It was counted once. Check that the second request is not waiting for this money, then explain it.", []Way{Explain}},
	CustodyShort:    {Critical, "Money left an address of ours without a booking: a theft, a transaction signed outside the service, or gas nobody booked.", "Stop the asset (breaker), find the outgoing transaction at an explorer. Only when it is understood: write it off with a second admin, or explain it while a transaction is being booked.", []Way{WriteOff, Explain}},
	CustodyOver:     {Warning, "Somebody sent money that no transfer we can read accounts for: native coin, or a top-up of the treasury nobody booked.", "Book it as found (suspense) with a second admin, or record the capital with a ledger adjustment; it then closes by itself.", []Way{BookFound, Explain}},
	TransitStuck:    {Critical, "A sweep was recorded and its transaction is not followed any more.", "Look the sweep's transaction up. Mined: wait for the follower or restart it. Never mined: the sweep has to be failed, so that its money counts at the address again.", []Way{Explain}},
	PendingTooOld:   {Warning, "A transfer, payout or refund waits longer than any confirmation takes: a stuck transaction, a review nobody has done, a follower that stands still.", "Open the payment, payout or refund it belongs to. Speed the transaction up, decide the review, or see why the chain's follower lags.", []Way{Explain}},
	Insolvent:       {Critical, "Losses are booked that nobody has covered yet, or a payment was undone after it had been paid out.", "Releases, payouts and refunds of the asset are stopped already. Put capital in (two admins); the breaker lets go by itself.", nil},
}

// AdviceOn says what a kind means and what to do.
func AdviceOn(k Kind) Advice {
	a := advice[k]
	a.Ways = slices.Clone(a.Ways)
	return a
}

// Kinds lists all kinds, in the order of their names.
func Kinds() []Kind {
	var all []Kind
	for k := range advice {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
