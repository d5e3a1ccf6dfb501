package urlguard

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"holdfast/domain/fault"
)

// ErrNotAllowed: the URL leads where we do not go.
var ErrNotAllowed = fault.New(fault.Rule, "URL_NOT_ALLOWED", "this URL is not allowed: http or https to a public address, without user and password")

// Guard says which URLs may be called. The zero value allows public addresses only.
type Guard struct {
	// Loopback allows our own machine: for development, where the chain and the provider's
	// double run beside us.
	Loopback bool
	// Resolve looks names up when a URL is saved; net.DefaultResolver when nil.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// longest URL that is taken.
const longest = 2048

// Check refuses a URL that must not be saved. A name is resolved, and every address of it must
// be allowed; one that does not resolve now is refused too. What the name points at later is
// looked at when it is dialled.
func (g *Guard) Check(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > longest || u.Opaque != "" || u.Hostname() == "":
		return ErrNotAllowed
	case u.Scheme != "http" && u.Scheme != "https":
		return ErrNotAllowed.With("scheme", u.Scheme)
	case u.User != nil || u.Fragment != "":
		return ErrNotAllowed
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return ErrNotAllowed
		}
	}
	host := u.Hostname()
	if ip, ok := literal(host); ok {
		return g.allow(ip)
	}
	if !plausible(host) {
		return ErrNotAllowed.With("host", host)
	}
	found, err := g.resolve(ctx, host)
	if err != nil || len(found) == 0 {
		return ErrNotAllowed.Because("the name of this URL cannot be resolved").With("host", host)
	}
	for _, ip := range found {
		if err := g.allow(ip); err != nil {
			return err
		}
	}
	return nil
}

func (g *Guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if g.Resolve != nil {
		return g.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// allow judges one address.
func (g *Guard) allow(ip netip.Addr) error {
	ip = inner(ip.WithZone(""))
	if ip.IsLoopback() && g.Loopback {
		return nil
	}
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() {
		return ErrNotAllowed.With("address", ip)
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return ErrNotAllowed.With("address", ip)
		}
	}
	return nil
}

// reserved are ranges that look public and are not (RFC 6890 and its followers).
var reserved = prefixes("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32", "::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(all ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(all))
	for i, s := range all {
		list[i] = netip.MustParsePrefix(s)
	}
	return list
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixToFo = netip.MustParsePrefix("2002::/16")
)

// inner is the IPv4 address that an IPv6 one carries: ::ffff:127.0.0.1, NAT64 and 6to4 all lead
// to it.
func inner(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFo.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// literal reads an address in every spelling that some resolver takes: 127.1, 0x7f000001,
// 2130706433, 0177.0.0.1.
func literal(host string) (netip.Addr, bool) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, true
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var n uint64
	for i, p := range parts {
		v, ok := number(p)
		last := i == len(parts)-1
		switch {
		case !ok:
			return netip.Addr{}, false
		case last && v >= 1<<(8*(5-len(parts))), !last && v > 255:
			return netip.Addr{}, true // digits, and no address: the zero value is never allowed
		case last:
			n += v
		default:
			n += v << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), true
}

// number reads decimal, 0x… and 0… as inet_aton does.
func number(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		s, base = s[2:], 16
		if s == "" {
			s = "0"
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 40)
	return n, err == nil
}

// plausible holds a name to letters, digits, hyphens and dots; localhost names no other machine.
func plausible(host string) bool {
	for _, r := range host {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return len(host) <= 253
}
