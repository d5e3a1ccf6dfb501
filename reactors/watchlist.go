package reactors

import (
	"strings"

	"holdfast/domain/network"
	"holdfast/projections/watchview"
)

// watchList is what a scan looks for, and whose it is.
type watchList struct {
	watch     network.Watch
	byAddress map[string]watchview.Payment // lower case
	deepest   uint64                       // the most confirmations that one of them needs
}

func newWatchList(payments []watchview.Payment) watchList {
	l := watchList{byAddress: map[string]watchview.Payment{}}
	for _, p := range payments {
		l.deepest = max(l.deepest, p.Threshold.Need, p.Threshold.Floor)
		if p.Reference != "" {
			l.watch.References = append(l.watch.References, p.Reference)
		}
		if p.Address != "" {
			l.watch.Destinations = append(l.watch.Destinations, p.Address)
			if p.Asset == network.NativeAsset(p.Chain) {
				l.watch.Coins = append(l.watch.Coins, p.Address)
			}
			l.byAddress[strings.ToLower(p.Address)] = p
		}
	}
	return l
}

// owner gives the payment that a deposit belongs to: the one whose address it stands at. A
// reference alone moves nothing to us; anybody may put it on a transfer to anybody.
func (l watchList) owner(d network.Deposit) (watchview.Payment, bool) {
	p, ok := l.byAddress[strings.ToLower(d.To)]
	return p, ok
}

func sameHash(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
