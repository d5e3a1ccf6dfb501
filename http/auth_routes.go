package http

func authRoutes() []Route {
	return []Route{
		on[newAccountInput, Registered](Route{Method: "POST", Path: "/api/auth/register", Class: Command, Rate: RateAuth, Status: 201, Summary: "Make an account; a code goes to the address", Errors: []string{"EMAIL_IN_USE", "WEAK_PASSWORD", "REFERRAL_UNKNOWN"}}, evenly((*Server).register)),
		on[verifyEmailInput, Verified](Route{Method: "POST", Path: "/api/auth/verify-email", Class: Command, Rate: RateAuth, Summary: "Prove an address by the code that was sent to it", Errors: []string{"CODE_INVALID", "CODE_EXPIRED"}}, evenly((*Server).verifyEmail)),
		on[emailInput, Nothing](Route{Method: "POST", Path: "/api/auth/resend-verification", Class: PlainWrite, Rate: RateAuth, Status: 202, Summary: "Another code, if the address waits for one"}, evenly((*Server).resendVerification)),
		on[loginInput, SignedIn](Route{Method: "POST", Path: "/api/auth/login", Class: PlainWrite, Rate: RateAuth, Summary: "Sign in with a password", Errors: []string{"INVALID_CREDENTIALS", "ACCOUNT_LOCKED", "EMAIL_UNVERIFIED", "ACCOUNT_SUSPENDED", "SIGN_IN_BUSY"}}, (*Server).login),
		on[refreshInput, SignedIn](Route{Method: "POST", Path: "/api/auth/refresh", Aliases: []string{"/api/auth/refresh-token"}, Class: PlainWrite, Rate: RateAuth, Summary: "Trade a refresh token for a new pair", Errors: []string{"INVALID_TOKEN", "REFRESH_INVALID", "REFRESH_REUSED", "WRONG_TOKEN_TYPE"}}, (*Server).refresh),
		on[logoutInput, Nothing](Route{Method: "POST", Path: "/api/auth/logout", Roles: Any, Class: PlainWrite, Rate: RateAuth, Summary: "End this session"}, (*Server).logout),
		on[struct{}, Nothing](Route{Method: "POST", Path: "/api/auth/logout-all", Roles: Any, Class: Command, Rate: RateAuth, Summary: "End every session of the user"}, (*Server).logoutAll),
		on[struct{}, Person](Route{Method: "GET", Path: "/api/auth/me", Aliases: []string{"/api/auth/profile"}, Roles: Any, Class: Query, Rate: RateGeneral, Summary: "Who is signed in"}, (*Server).me),
		on[struct{}, []SessionView](Route{Method: "GET", Path: "/api/auth/sessions", Roles: Any, Class: Query, Rate: RateGeneral, Summary: "The user's live logins"}, (*Server).listSessions),
		on[sessionInput, Nothing](Route{Method: "DELETE", Path: "/api/auth/sessions/{id}", Roles: Any, Class: PlainWrite, Rate: RateGeneral, Summary: "Sign one device out"}, (*Server).deleteSession),
		on[emailInput, Nothing](Route{Method: "POST", Path: "/api/auth/forgot-password", Class: PlainWrite, Rate: RateAuth, Status: 202, Summary: "Send a code to set a new password with; the same answer for an unknown address"}, evenly((*Server).forgotPassword)),
		on[resetPasswordInput, Nothing](Route{Method: "POST", Path: "/api/auth/reset-password", Aliases: []string{"/api/auth/reset-with-code"}, Class: Command, Rate: RateAuth, Summary: "Set a new password with the code; every session ends", Errors: []string{"CODE_INVALID", "CODE_EXPIRED", "WEAK_PASSWORD"}}, evenly((*Server).resetPassword)),
		on[changePasswordInput, Nothing](Route{Method: "POST", Path: "/api/auth/change-password", Roles: Any, Class: Command, Rate: RateAuth, Summary: "Change the password; the other sessions end", Errors: []string{"INVALID_CREDENTIALS", "ACCOUNT_LOCKED", "WEAK_PASSWORD", "REAUTH_REQUIRED"}}, (*Server).changePassword),
		on[emailInput, Nothing](Route{Method: "POST", Path: "/api/user/profile/email", Aliases: []string{"/api/users/profile/email"}, Roles: Any, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Send a code to a new address", Errors: []string{"EMAIL_IN_USE", "REAUTH_REQUIRED"}}, (*Server).changeEmail),
		on[codeInput, Verified](Route{Method: "POST", Path: "/api/user/profile/email/verify", Aliases: []string{"/api/users/profile/email/verify"}, Roles: Any, Class: Command, Rate: RateGeneral, Summary: "Take the new address", Errors: []string{"CODE_INVALID", "CODE_EXPIRED", "EMAIL_IN_USE", "REAUTH_REQUIRED"}}, (*Server).confirmEmail),
	}
}
