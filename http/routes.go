package http

import (
	"slices"

	"holdfast/domain"
)

// Role lists of the table.
var (
	admin         = []domain.Capacity{domain.Admin}
	parties       = []domain.Capacity{domain.Buyer, domain.Seller}
	partiesAdmin  = []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin}
	buyer         = []domain.Capacity{domain.Buyer}
	seller        = []domain.Capacity{domain.Seller}
	buyerAdmin    = []domain.Capacity{domain.Buyer, domain.Admin}
	sellerAdmin   = []domain.Capacity{domain.Seller, domain.Admin}
	resolverAdmin = []domain.Capacity{domain.Resolver, domain.Admin}
	staff         = []domain.Capacity{domain.Resolver, domain.Admin, domain.Guard}
	adminGuard    = []domain.Capacity{domain.Admin, domain.Guard}
)

// Routes is the table: every route of the service, once. The parts are in the file of their
// resource.
func Routes() []Route {
	return owning(scoped(slices.Concat(
		systemRoutes(),
		authRoutes(),
		passkeyRoutes(),
		googleRoutes(),
		methodRoutes(),
		walletSignInRoutes(),
		userWalletRoutes(),
		telegramRoutes(),
		telegramBotRoutes(),
		webhookRoutes(),
		ledgerRoutes(),
		auditRoutes(),
		adminRoutes(),
		reconciliationRoutes(),
		requestRoutes(),
		requestQueries(),
		offerQueries(),
		offerRoutes(),
		paymentRoutes(),
		quoteRoutes(),
		reviewRoutes(),
		paymentQueries(),
		payoutQueries(),
		refundQueries(),
		moneyOutRoutes(),
		disputeQueries(),
		statementRoutes(),
		checkoutRoutes(),
		decentralizedRoutes(),
		providerRoutes(),
		holdRoutes(),
		treasuryRoutes(),
		networkRoutes(),
		thresholdRoutes(),
		breakGlassRoutes(),
		migrationRoutes(),
		awaitingRoutes(),
		disputeRoutes(),
		payoutRoutes(),
		refundRoutes(),
		destinationRoutes(),
		sweepRoutes(),
		sweepScheduleRoutes(),
		trezorRoutes(),
		apiKeyRoutes(),
		emailRoutes(),
		profileRoutes(),
		publicPersonRoutes(),
		addressRoutes(),
		applicationRoutes(),
		ownMoneyRoutes(),
		dataExportRoutes(),
		userAdminRoutes(),
		userChangeRoutes(),
		erasureRoutes(),
	)))
}

func systemRoutes() []Route {
	return []Route{
		on[struct{}, Health](Route{Method: "GET", Path: "/health", Class: Query, Rate: RateExempt, Summary: "How the service is, part by part"}, (*Server).getHealth),
		on[struct{}, Health](Route{Method: "GET", Path: "/health/live", Class: Query, Rate: RateExempt, Summary: "The process is alive"}, (*Server).getLive),
		on[struct{}, Health](Route{Method: "GET", Path: "/health/ready", Class: Query, Rate: RateExempt, Summary: "The service can take requests", Errors: []string{"NOT_READY"}}, (*Server).getReady),
		on[struct{}, Version](Route{Method: "GET", Path: "/api/version", Class: Query, Rate: RateGeneral, Summary: "Which build answers"}, (*Server).getVersion),
	}
}
