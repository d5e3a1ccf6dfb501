package ledger

// Constructors of the chart's paths, so that no posting rule spells one out.

const (
	Treasury           Account = "custody:treasury"
	Suspense           Account = "suspense:unmatched"
	EquityPlatform     Account = "equity:platform"
	PointsIssuance     Account = "points:issuance"
	PlatformFee        Account = "income:platform_fee"
	DisputeFee         Account = "income:dispute_fee"
	NetworkFeeRecovery Account = "income:network_fee_recovery"
	Breakage           Account = "income:breakage"
	NetworkFee         Account = "expense:network_fee"
	ProviderFee        Account = "expense:provider_fee"
	ChainLoss          Account = "expense:chain_loss"
	BadDebt            Account = "expense:bad_debt"
	LoyaltyDiscount    Account = "expense:loyalty_discount"
	Goodwill           Account = "expense:goodwill"
)

func Derived[T ~string](destination T) Account {
	return Account("custody:derived:" + string(destination))
}

func InTransit[T ~string](sweep T) Account    { return Account("custody:in_transit:" + string(sweep)) }
func Gas[T ~string](chain T) Account          { return Account("custody:gas:" + string(chain)) }
func ReceivableSeller[T ~string](u T) Account { return Account("receivable:seller:" + string(u)) }
func ReceivableBuyer[T ~string](u T) Account  { return Account("receivable:buyer:" + string(u)) }
func ReceivablePoints[T ~string](u T) Account { return Account("receivable:points:" + string(u)) }

func Held[T ~string](hold T) Account { return Account("escrow:" + string(hold) + ":held") }

func Releasable[T ~string](hold T) Account { return Account("escrow:" + string(hold) + ":releasable") }

func Disputed[T ~string](hold T) Account { return Account("escrow:" + string(hold) + ":disputed") }

func BuyerAvailable[T ~string](u T) Account { return Account("buyer:" + string(u) + ":available") }

func SellerAvailable[T ~string](u T) Account { return Account("seller:" + string(u) + ":available") }

func SellerReserve[T ~string](u T) Account { return Account("seller:" + string(u) + ":reserve") }

func ClearingPayout[T ~string](payout T) Account { return Account("clearing:payout:" + string(payout)) }

func ClearingRefund[T ~string](refund T) Account { return Account("clearing:refund:" + string(refund)) }
func PointsUser[T ~string](u T) Account          { return Account("points:user:" + string(u)) }
func Opening[T ~string](migration T) Account     { return Account("equity:opening:" + string(migration)) }
