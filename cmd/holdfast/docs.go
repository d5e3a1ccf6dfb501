package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/gendocs"
	"holdfast/domain/account"
	"holdfast/domain/apikey"
	"holdfast/domain/breaker"
	"holdfast/domain/breakglass"
	"holdfast/domain/cutover"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/ingestion"
	"holdfast/domain/legacyentry"
	"holdfast/domain/listing"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/points"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/reconciliation"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/suspense"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/domain/threshold"
	"holdfast/domain/treasury"
	"holdfast/domain/trezor"
	apihttp "holdfast/http"
	"holdfast/projections/legacymongo"
)

func docsCmd() *cobra.Command {
	var out, root string
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Write the documents that follow from the code: API, errors, aggregates, legacy collections",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			errors, err := gendocs.Errors(root)
			if err != nil {
				return err
			}
			pages := map[string]string{"api.md": apihttp.Markdown(), "access.md": apihttp.AccessMarkdown(), "errors.md": errors, "aggregates/README.md": gendocs.Index(aggregates())}
			for _, a := range aggregates() {
				pages["aggregates/"+a.Slug+".md"] = a.Page()
			}
			for _, c := range legacymongo.Collections() {
				pages["legacy/"+c.Name+".md"] = c.Page()
			}
			for _, folder := range []string{"aggregates", "legacy"} {
				if err := os.MkdirAll(filepath.Join(out, folder), 0o755); err != nil {
					return err
				}
			}
			for name, text := range pages {
				if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "docs", "folder to write")
	cmd.Flags().StringVar(&root, "root", ".", "the source tree")
	return cmd
}

// aggregates lists the state machines in the order of an order's life.
func aggregates() []gendocs.Aggregate {
	return []gendocs.Aggregate{
		{Name: "PurchaseRequest", Slug: "request", Table: request.Table()},
		{Name: "SellerOffer", Slug: "offer", Table: offer.Table()},
		{Name: "PaymentQuote", Slug: "quote", Table: quote.Table()},
		{Name: "Payment", Slug: "payment", Table: payment.Table()},
		{Name: "UnmatchedDeposit", Slug: "suspense", Table: suspense.Table()},
		{Name: "EscrowHold", Slug: "escrow", Table: escrow.Table()},
		{Name: "Refund", Slug: "refund", Table: refund.Table()},
		{Name: "Payout", Slug: "payout", Table: payout.Table()},
		{Name: "Receivable", Slug: "receivable", Table: receivable.Table()},
		{Name: "Dispute", Slug: "dispute", Table: dispute.Table()},
		{Name: "DerivedDestination", Slug: "destination", Table: destination.Table()},
		{Name: "SweepPlan", Slug: "sweepplan", Table: sweepplan.Table()},
		{Name: "SweepSchedule", Slug: "sweepschedule", Table: sweepschedule.Table()},
		{Name: "Trezor", Slug: "trezor", Table: trezor.Table()},
		{Name: "LegacyEntry", Slug: "legacyentry", Table: legacyentry.Table()},
		{Name: "Treasury", Slug: "treasury", Table: treasury.Table()},
		{Name: "AssetBreaker", Slug: "breaker", Table: breaker.Table()},
		{Name: "ReconciliationBreak", Slug: "reconciliation", Table: reconciliation.Table()},
		{Name: "NetworkListing", Slug: "listing", Table: listing.Table()},
		{Name: "ConfirmationThreshold", Slug: "threshold", Table: threshold.Table()},
		{Name: "BreakGlass", Slug: "breakglass", Table: breakglass.Table()},
		{Name: "DomainCutover", Slug: "cutover", Table: cutover.Table()},
		{Name: "ProviderReport", Slug: "ingestion", Table: ingestion.Table()},
		{Name: "User", Slug: "account", Table: account.Table()},
		{Name: "ApiKey", Slug: "apikey", Table: apikey.Table()},
		{Name: "PointsAccount", Slug: "points", Table: points.Table()},
	}
}
