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
	return slices.Concat(
		systemRoutes(),
		authRoutes(),
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
		awaitingRoutes(),
		disputeRoutes(),
		payoutRoutes(),
		refundRoutes(),
		destinationRoutes(),
		sweepRoutes(),
		sweepScheduleRoutes(),
		trezorRoutes(),
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
	)
}

func systemRoutes() []Route {
	return []Route{
		on[struct{}, Health](Route{Method: "GET", Path: "/health", Class: Query, Rate: RateExempt, Summary: "How the service is, part by part"}, (*Server).getHealth),
		on[struct{}, Health](Route{Method: "GET", Path: "/health/live", Class: Query, Rate: RateExempt, Summary: "The process is alive"}, (*Server).getLive),
		on[struct{}, Health](Route{Method: "GET", Path: "/health/ready", Class: Query, Rate: RateExempt, Summary: "The service can take requests", Errors: []string{"NOT_READY"}}, (*Server).getReady),
		on[struct{}, Version](Route{Method: "GET", Path: "/api/version", Class: Query, Rate: RateGeneral, Summary: "Which build answers"}, (*Server).getVersion),
	}
}

func authRoutes() []Route {
	return []Route{
		on[loginInput, SignedIn](Route{Method: "POST", Path: "/api/auth/login", Class: PlainWrite, Rate: RateAuth, Summary: "Sign in with a password", Errors: []string{"INVALID_CREDENTIALS"}}, (*Server).login),
		on[refreshInput, SignedIn](Route{Method: "POST", Path: "/api/auth/refresh", Aliases: []string{"/api/auth/refresh-token"}, Class: PlainWrite, Rate: RateAuth, Summary: "Trade a refresh token for a new pair", Errors: []string{"REFRESH_INVALID", "REFRESH_REUSED", "WRONG_TOKEN_TYPE"}}, (*Server).refresh),
		on[struct{}, Nothing](Route{Method: "POST", Path: "/api/auth/logout", Roles: Any, Class: PlainWrite, Rate: RateAuth, Summary: "End this session"}, (*Server).logout),
		on[struct{}, Nothing](Route{Method: "POST", Path: "/api/auth/logout-all", Roles: Any, Class: PlainWrite, Rate: RateAuth, Summary: "End every session of the user"}, (*Server).logoutAll),
		on[struct{}, Person](Route{Method: "GET", Path: "/api/auth/me", Aliases: []string{"/api/auth/profile"}, Roles: Any, Class: Query, Rate: RateGeneral, Summary: "Who is signed in"}, (*Server).me),
	}
}
