package scenariotest

import (
	"regexp"
	"strings"

	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// typeOf is the stored type of an event as the catalogue spells it: "PaymentConfirmed" is
// payment.confirmed. The remark of a seed, "(seed)", makes it the test's own event.
func typeOf(name string) string {
	if strings.Contains(name, "(seed)") {
		return Booked{}.EventType()
	}
	if t, ok := catalogue[name]; ok {
		return t
	}
	for _, prefix := range [][2]string{
		{"PurchaseRequest", "request"},
		{"Payment", "payment"},
		{"Escrow", "escrow"},
		{"Payout", "payout"},
		{"Refund", "refund"},
		{"Dispute", "dispute"},
		{"Points", "points"},
		{"Sweep", "destination.sweep"},
		{"Receivable", "receivable"},
		{"Offer", "offer"},
	} {
		if rest, ok := strings.CutPrefix(name, prefix[0]); ok {
			if strings.Contains(prefix[1], ".") {
				return prefix[1] + "_" + snake(rest)
			}
			return prefix[1] + "." + snake(rest)
		}
	}
	return name
}

// catalogue has the names that do not follow from their prefix.
var catalogue = map[string]string{
	"ProviderFeeAbsorbed":        "escrow.fee_absorbed",
	"DiscountFunded":             "escrow.discount_funded",
	"ReleaseHoldPlaced":          "escrow.release_hold_placed",
	"ReleaseHoldLifted":          "escrow.release_hold_lifted",
	"UnmatchedDepositRecorded":   "suspense.recorded",
	"UnmatchedDepositAssigned":   "suspense.assigned",
	"LatePaymentAccepted":        "payment.late_accepted",
	"SellerClawbackRecorded":     "refund.seller_clawback_recorded",
	"ResolverAssigned":           "dispute.resolver_assigned",
	"RespondentDefaulted":        "dispute.respondent_defaulted",
	"EvidenceSubmitted":          "dispute.evidence_submitted",
	"MoreEvidenceRequested":      "dispute.more_evidence_requested",
	"EvidencePeriodClosed":       "dispute.evidence_period_closed",
	"SettlementProposed":         "dispute.settlement_proposed",
	"SettlementAccepted":         "dispute.settlement_accepted",
	"AppealWindowClosed":         "dispute.appeal_window_closed",
	"SolvencyBreached":           "breaker.solvency_breached",
	"SolvencyRestored":           "breaker.solvency_restored",
	"AssetPaused":                "breaker.asset_paused",
	"AssetResumed":               "breaker.asset_resumed",
	"PlatformCapitalContributed": "treasury.capital_contributed",
	"PlatformCapitalWithdrawn":   "treasury.capital_withdrawn",
	"NetworkFeeIncurred":         "treasury.network_fee_incurred",
	"GasFunded":                  "treasury.gas_funded",
	"GoodwillGranted":            "treasury.goodwill_granted",
	"BreakageRecognized":         "treasury.breakage_recognized",
	"CustodyVarianceRecorded":    "treasury.custody_variance_recorded",
	"OpeningBalanceRecorded":     "treasury.opening_balance_recorded",
	"DeliveryConfirmed":          "request.delivery_confirmed",
	"OrderShipped":               "request.order_shipped",
	"OfferSelectionReleased":     "request.selection_released",
	"DestinationQuarantined":     "destination.quarantined",
	"DestinationReleased":        "destination.released",
	"ReserveReleased":            "escrow.reserve_released",
	"InspectionPeriodStarted":    "escrow.inspection_started",
	"InspectionPeriodExtended":   "escrow.inspection_extended",
}

func snake(s string) string {
	var b strings.Builder
	for n, r := range s {
		if r >= 'A' && r <= 'Z' {
			if n > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// id is the middle or last part of an account's path: escrow:h1:held → h1.
func id(a ledger.Account) string {
	parts := strings.Split(string(a), ":")
	switch {
	case len(parts) == 3 && (parts[0] == "escrow" || parts[0] == "buyer" || parts[0] == "seller"):
		return parts[1]
	case len(parts) > 1:
		return parts[len(parts)-1]
	}
	return ""
}

// is reports whether an account is of a kind: is(a, "escrow", "held").
func is(a ledger.Account, prefix, suffix string) bool {
	return strings.HasPrefix(string(a), prefix+":") && strings.HasSuffix(string(a), suffix)
}

// decimals of the scenarios' assets, for the human numbers in their remarks.
var decimals = map[money.Asset]uint8{"USDT@56": 18, "BNB@56": 18, "USDC@8453": 6, "POINTS": 0}

var (
	codePattern   = regexp.MustCompile(`^[A-Z][A-Z_]+[A-Z]`)
	guardPattern  = regexp.MustCompile("guard on `([^`]+)`")
	numberPattern = regexp.MustCompile(`\d+(\.\d+)?`)
	splitPattern  = regexp.MustCompile(`(\d{1,5})\s*(?:bps)?\s*/\s*(?:buyer)?\s*(\d{1,5})`)
)

// human reads the first number of a remark as an amount; zero when there is none.
func human(text string, asset money.Asset) money.Units {
	n := numberPattern.FindString(text)
	if n == "" {
		return money.Zero
	}
	units, err := money.ParseDecimal(n, decimals[asset])
	if _, refused := fault.From(err); refused {
		return money.Zero
	}
	return units
}
