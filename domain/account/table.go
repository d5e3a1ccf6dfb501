package account

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Table is the state machine of an account.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	var (
		self      = []domain.Capacity{domain.Self}
		admin     = []domain.Capacity{domain.Admin}
		selfAdmin = []domain.Capacity{domain.Self, domain.Admin}
		either    = []domain.Capacity{domain.Self, domain.Admin, domain.Process, domain.Import}
		here      = []string{Active, Leaving}
		known     = []string{Active, Suspended, Leaving}
	)
	return machine.Table[State, Event]{
		Name: "User", Phases: []string{Unknown, Active, Suspended, Leaving, Erased}, Phase: State.Phase,
		As: capacities, Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{Unknown}, By: either, To: []string{Active},
				Guard:  "for oneself, or by an admin or the import; the address is nobody else's → EMAIL_IN_USE (a claim)",
				Events: []string{"user.registered"},
			}, register),
			machine.On(line{
				From: known, By: either, To: known,
				Guard: "the code was for the present address; a repeat changes nothing", Events: []string{"user.email_verified"},
			}, verifyEmail),
			machine.On(line{
				From: here, By: selfAdmin, To: here,
				Guard: "the address is nobody else's → EMAIL_IN_USE (a claim)", Events: []string{"user.email_changed"},
			}, changeEmail),
			machine.On(line{
				From: known, By: selfAdmin, To: known,
				Guard: "a name", Events: []string{"user.renamed"},
			}, rename),
			machine.On(line{
				From: known, By: []domain.Capacity{domain.Admin, domain.Process, domain.Import}, To: known,
				Guard: "at least one role, a reason; nobody's own → SELF_CHANGE", Events: []string{"user.roles_changed"},
			}, changeRoles),
			machine.On(line{
				From: here, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{Suspended},
				Guard: "a reason; nobody's own → SELF_CHANGE", Events: []string{"user.suspended", "user.sessions_revoked"},
			}, suspend),
			machine.On(line{From: []string{Suspended}, By: admin, To: here, Events: []string{"user.reinstated"}}, reinstate),
			machine.On(line{
				From: here, By: either, To: here,
				Guard: "every session but the one at hand ends", Events: []string{"user.password_changed", "user.sessions_revoked"},
			}, setPassword),
			machine.On(line{From: known, By: either, To: known, Events: []string{"user.sessions_revoked"}}, revokeSessions),
			machine.On(line{
				From: here, By: either, To: here,
				Guard:  "it is nobody else's → SIGN_IN_IN_USE (a claim); at most 20 → SIGN_IN_LIMIT; a repeat changes nothing",
				Events: []string{"user.sign_in_linked"},
			}, linkSignIn),
			machine.On(line{
				From: here, By: selfAdmin, To: here,
				Guard: "it is theirs → NOT_FOUND; never the last means of signing in → LAST_SIGN_IN", Events: []string{"user.sign_in_unlinked"},
			}, unlinkSignIn),
			machine.On(line{
				From: here, By: either, To: here,
				Guard: "at most 50 → WALLET_LIMIT; a repeat changes nothing", Events: []string{"user.wallet_linked"},
			}, linkWallet),
			machine.On(line{From: here, By: selfAdmin, To: here, Guard: "it is theirs → NOT_FOUND", Events: []string{"user.wallet_unlinked"}}, unlinkWallet),
			machine.On(line{
				From: []string{Active}, By: self, To: []string{Active},
				Guard:  "no seller yet → ALREADY_SELLER; one at a time → APPLICATION_PENDING",
				Events: []string{"user.seller_application_submitted"},
			}, submitApplication),
			machine.On(line{
				From: known, By: admin, To: known, Guard: "it waits → NOT_FOUND; nobody's own → SELF_CHANGE",
				Events: []string{"user.seller_application_approved", "user.roles_changed"},
			}, approveApplication),
			machine.On(line{
				From: known, By: admin, To: known, Guard: "it waits → NOT_FOUND; a reason; nobody's own → SELF_CHANGE",
				Events: []string{"user.seller_application_rejected"},
			}, rejectApplication),
			machine.On(line{
				From: []string{Active, Suspended}, By: selfAdmin, To: []string{Leaving, Suspended},
				Guard: "no money is open → ACCOUNT_HAS_FUNDS (asked in the same unit); a repeat changes nothing", Events: []string{"user.erasure_requested"},
			}, requestErasure),
			machine.On(line{
				From: []string{Leaving, Suspended}, By: selfAdmin, To: []string{Active, Suspended},
				Guard: "nothing requested: nothing changes", Events: []string{"user.erasure_cancelled"},
			}, cancelErasure),
			machine.On(line{
				From: known, By: []domain.Capacity{domain.Timer, domain.Process, domain.Admin}, To: []string{Erased},
				Guard: "a timer not before it is due → NOT_DUE; no admin themselves → SELF_CHANGE", Events: []string{"user.erased"},
			}, erase),
			machine.On(line{
				From: []string{Unknown, Active, Suspended, Leaving, Erased}, By: []domain.Capacity{domain.Import}, To: []string{Active, Suspended, Erased}, Aside: true,
				Guard:  "the same document changes nothing; nothing else has happened here → LEGACY_CONFLICT; the address and the means of signing in are nobody else's → EMAIL_IN_USE, SIGN_IN_IN_USE (claims)",
				Events: []string{"user.imported"},
			}, importing),
		},
	}
}

// capacities: a person acts on their own account as themselves; on a stream that does not exist
// yet anybody may, and register looks whose it will be.
func capacities(s State, a domain.Actor) []domain.Capacity {
	if a.Kind == "user" && (s.User == "" || a.Is(s.User)) {
		return []domain.Capacity{domain.Self}
	}
	return nil
}

func refuse(s State, c domain.Command) error {
	if _, registers := c.(Register); registers {
		return ErrRegistered
	}
	switch s.Phase() {
	case Unknown, Erased:
		return fault.ErrNotFound
	case Suspended:
		if c.Issuer().Is(s.User) {
			return ErrSuspended
		}
	}
	return nil
}
