package urlguard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/urlguard"
)

// names are what the resolver of the tests knows.
func names(_ context.Context, host string) ([]netip.Addr, error) {
	known := map[string][]string{
		"node.example": {"93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"}, "inside.example": {"10.0.0.7"},
		"half.example": {"93.184.216.34", "192.168.1.1"}, "six.example": {"fd00::1"}, "localhost": {"127.0.0.1"}, "meta.example": {"169.254.169.254"},
	}
	var all []netip.Addr
	for _, a := range known[host] {
		all = append(all, netip.MustParseAddr(a))
	}
	if all == nil {
		return nil, errors.New("no such host")
	}
	return all, nil
}

func TestWhatMayBeSaved(t *testing.T) {
	t.Parallel()
	g := &urlguard.Guard{Resolve: names}
	for _, ok := range []string{
		"https://node.example", "http://node.example:8545/v3/KEY?x=1", "https://93.184.216.34/", "https://[2606:4700::1111]:443/", "https://0x5db8d822",
	} {
		assert.NoError(t, g.Check(t.Context(), ok), ok)
	}
	for _, bad := range []string{
		"", "node.example", "//node.example", "file:///etc/passwd", "gopher://node.example", "ftp://node.example", "https:node.example", "http://", "javascript:alert(1)",
		"http://user:secret@node.example", "https://node.example#x", "https://node.example:0", "https://node.example:99999", "https://node.example:x",
		"http://169.254.169.254", "http://169.254.169.254/latest/meta-data", "http://meta.example", "http://localhost", "http://localhost.", "http://LOCALHOST:5001",
		"http://127.0.0.1", "http://127.1", "http://0x7f000001", "http://0x7f.1", "http://2130706433", "http://0177.0.0.1", "http://017700000001", "http://0", "http://0.0.0.0", "http://127.0.0.1.",
		"http://[::1]", "http://[::]", "http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]", "http://[::127.0.0.1]", "http://[64:ff9b::7f00:1]", "http://[2002:7f00:1::]", "http://[fe80::1%25eth0]", "http://[fd00::1]", "http://[fec0::1]",
		"http://10.0.0.1", "http://172.16.5.4", "http://192.168.0.1", "http://100.64.0.1", "http://192.0.2.1", "http://198.18.0.1", "http://224.0.0.1", "http://255.255.255.255", "http://240.0.0.1",
		"http://inside.example", "http://half.example", "http://six.example", "http://nowhere.example", "http://1.2.3.4.5", "http://256.1.1.1", "http://0x100000000", "http://exa mple", "http://node.example\x00.evil",
		"http://①②⑦.⓪.⓪.①", "https://node.example/" + strings.Repeat("a", 3000),
	} {
		assert.ErrorIs(t, g.Check(t.Context(), bad), urlguard.ErrNotAllowed, bad)
	}
}

func TestLoopbackIsAllowedByWordOnly(t *testing.T) {
	t.Parallel()
	g := &urlguard.Guard{Loopback: true, Resolve: names}
	for _, ok := range []string{"http://127.0.0.1:8545", "http://[::1]:8545", "http://localhost:8545", "http://127.1"} {
		assert.NoError(t, g.Check(t.Context(), ok), ok)
	}
	for _, bad := range []string{"http://169.254.169.254", "http://10.0.0.1", "http://0.0.0.0", "http://[fd00::1]"} {
		assert.ErrorIs(t, g.Check(t.Context(), bad), urlguard.ErrNotAllowed, bad)
	}
}

func get(t *testing.T, c *http.Client, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := c.Do(req)
	if err == nil {
		res.Body.Close()
	}
	return err
}

// A URL that was fine when it was saved may point at us when it is dialled.
func TestWhatIsDialledIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	asked := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer inside.Close()
	closed := (&urlguard.Guard{}).Client(5 * time.Second)
	assert.ErrorIs(t, get(t, closed, inside.URL), urlguard.ErrNotAllowed)
	assert.ErrorIs(t, get(t, closed, strings.Replace(inside.URL, "127.0.0.1", "localhost", 1)), urlguard.ErrNotAllowed, "a name that leads to us")
	assert.Zero(t, asked)
	assert.NoError(t, get(t, (&urlguard.Guard{Loopback: true}).Client(5*time.Second), inside.URL))
	assert.Equal(t, 1, asked)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"http://169.254.169.254/", "http://10.0.0.1/", "https://node.example/"} {
		s := httptest.NewServer(http.RedirectHandler(target, http.StatusFound))
		err := get(t, (&urlguard.Guard{Loopback: true}).Client(5*time.Second), s.URL)
		assert.ErrorContains(t, err, "redirects are not followed", target)
		s.Close()
	}
}
