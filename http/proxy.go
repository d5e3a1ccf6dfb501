package http

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// proxies are those whose word about a request is believed: by their networks, or by how many
// of them stand before the service.
type proxies struct {
	networks []netip.Prefix
	hops     int
}

func newProxies(networks []string, hops int) (proxies, error) {
	p := proxies{hops: hops}
	for _, text := range networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return p, fmt.Errorf("trusted proxy: %w", err)
		}
		p.networks = append(p.networks, network.Masked())
	}
	return p, nil
}

// peer is who is really connected.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (p proxies) trusts(address string) bool {
	ip, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, n := range p.networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// address is the caller's: the connected peer's, or, where that is a proxy we believe, the
// address that it wrote down last, and so on from the right. What stands further left may be
// anything the caller likes to write, and is never looked at.
func (p proxies) address(r *http.Request) string {
	at := peer(r)
	forwarded := chain(r)
	for step := 0; len(forwarded) > 0; step++ {
		if step >= p.hops && !p.trusts(at) {
			return at
		}
		next := forwarded[len(forwarded)-1]
		forwarded = forwarded[:len(forwarded)-1]
		ip, err := netip.ParseAddr(strings.Trim(next, "[]"))
		if err != nil {
			return at // a proxy that writes no addresses has told us nothing
		}
		at = ip.Unmap().WithZone("").String()
	}
	return at
}

func chain(r *http.Request) []string {
	var all []string
	for _, line := range r.Header.Values("X-Forwarded-For") {
		for one := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// secure reports whether the caller speaks https: to us, or to a proxy that we believe.
func (p proxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return (p.hops > 0 || p.trusts(peer(r))) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// extractor is address as echo wants it: RealIP asks nobody else.
func (p proxies) extractor() echo.IPExtractor { return p.address }
