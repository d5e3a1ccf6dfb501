package listing

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the state machine of a listing.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	all, admin := []string{Untouched, On, Off}, []domain.Capacity{domain.Admin}
	const two = "two admins → APPROVAL_REQUIRED, SELF_APPROVAL; "
	return machine.Table[State, Event]{
		Name: "NetworkListing", Phases: all, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: all, By: admin, To: []string{On},
				Guard: two + "an EVM chain → CHAIN_UNSUPPORTED", Events: []string{"network.enabled"},
			}, enable),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: two + "for nodes and the rule of confirmation; known → NOT_FOUND; a repeat changes nothing", Events: []string{"network.changed"},
			}, change),
			machine.On(line{
				From: all, By: admin, To: []string{Off},
				Guard: "to end the watch: nothing is under way → CHAIN_IN_USE; a repeat changes nothing", Events: []string{"network.disabled"},
			}, disable),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: two + "not rebasing → TOKEN_UNSUPPORTED; a new address and symbol → TOKEN_ALREADY_LISTED; a repeat changes nothing", Events: []string{"network.token_registered"},
			}, registerToken),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: two + "for decimals and kind; other decimals: no payment in it is under way → CHAIN_IN_USE; a repeat changes nothing", Events: []string{"network.token_changed"},
			}, changeToken),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: "listed → NOT_FOUND; a repeat changes nothing", Events: []string{"network.token_disabled"},
			}, disableToken),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: two + "a repeat changes nothing", Events: []string{"network.proxy_added"},
			}, addProxy),
			machine.On(line{
				From: all, By: admin, To: all,
				Guard: "listed → NOT_FOUND; a repeat changes nothing", Events: []string{"network.proxy_retired"},
			}, retireProxy),
		},
	}
}

// Aggregate registers the listing with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{
		Enabled{}, Changed{}, Disabled{}, TokenRegistered{}, TokenChanged{}, TokenDisabled{}, ProxyAdded{}, ProxyRetired{},
	}}
}
