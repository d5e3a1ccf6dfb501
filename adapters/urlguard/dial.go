package urlguard

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Dialer dials allowed addresses only. It judges the address after the name was resolved, so a
// name that points elsewhere since it was saved is caught.
func (g *Guard) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: g.control}
}

func (g *Guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return ErrNotAllowed.With("network", network)
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrNotAllowed
	}
	return g.allow(at.Addr())
}

// Transport is an HTTP transport that goes through the guard, and through no proxy: a proxy
// would resolve names out of our sight.
func (g *Guard) Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.DialContext = nil, g.Dialer().DialContext
	return t
}

var errRedirect = errors.New("redirects are not followed")

// Client is an HTTP client that goes through the guard and follows no redirect.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{Transport: g.Transport(), Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect }}
}
