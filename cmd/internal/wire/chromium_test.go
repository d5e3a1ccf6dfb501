package wire

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chromium finds a browser. scripts/deps installs one for `make test`; without one the test fails and
// says so, because a passkey that no browser has made is not tested.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("HOLDFAST_CHROMIUM"), "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("no Chromium is installed: run scripts/deps chromium (or: apt-get install chromium-headless-shell), or set HOLDFAST_CHROMIUM")
	return ""
}

// freePort is one that nobody listens on now: the origin of passkeys is a setting, so it must be known
// before the service starts.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// ceremony is what a page of the front end does, in its own words.
const ceremony = `
async function call(path, body, token) {
	const headers = {'content-type': 'application/json'};
	if (token) headers.authorization = 'Bearer ' + token;
	const answer = await (await fetch('/api/auth' + path, {method: 'POST', headers, body: JSON.stringify(body)})).json();
	if (!answer.success) throw new Error(path + ': ' + answer.error.code + ' ' + answer.error.message);
	return answer.data;
}
async function register() {
	const {accessToken} = await call('/login', {email: 'buyer@holdfast.test', password: 'holdfast-demo-1'});
	const options = await call('/passkey/register/options', {}, accessToken);
	const made = await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)});
	const kept = await call('/passkey/register/verify', {...made.toJSON(), name: 'This browser'}, accessToken);
	return kept.name;
}
async function signIn() {
	const options = await call('/passkey/login/options', {});
	const shown = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
	return (await call('/passkey/login/verify', shown.toJSON())).user.email;
}`

// TestABrowserMakesAPasskeyAndSignsInWithIt lets Chromium and its virtual authenticator do what a
// person's browser does, against the whole service.
func TestABrowserMakesAPasskeyAndSignsInWithIt(t *testing.T) {
	t.Parallel()
	path, port := chromium(t), freePort(t)
	origin := "http://localhost:" + strconv.Itoa(port)
	w := settle(t, map[string]string{"WEBAUTHN_RP_ID": "localhost", "WEBAUTHN_RP_ORIGINS": origin, "FRONTEND_URL": origin})
	proxy(t, port, strings.TrimPrefix(w.front, "http://"))

	allocate, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	defer stop()
	ctx, cancel := chromedp.NewContext(allocate)
	defer cancel()
	var id webauthn.AuthenticatorID
	begin := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		// The answers of an API forbid their pages everything; the front end's would not.
		if _, err := cdp.Call(ctx, tab, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		id = made.AuthenticatorID
		return err
	})
	nobody := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: false})
		return err
	})
	run := func(call string) string {
		t.Helper()
		ctx, late := context.WithTimeout(ctx, time.Minute)
		defer late()
		script := fmt.Sprintf(`(async () => { %s; try { return await %s } catch (e) { return 'refused: ' + e.name + ' ' + e.message } })()`, ceremony, call)
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		return said
	}
	_, err := chromedp.Run(ctx, begin)
	require.NoError(t, err)
	_, err = chromedp.Run(ctx, chromedp.Navigate(origin+"/health"))
	require.NoError(t, err)
	before := w.head()
	assert.Equal(t, "This browser", run("register()"))
	assert.Equal(t, before+1, w.head())
	assert.Equal(t, "buyer@holdfast.test", run("signIn()"))
	assert.Equal(t, "buyer@holdfast.test", run("signIn()"), "the counter goes on")
	assert.Contains(t, run("register()"), "InvalidStateError", "the same device makes no second one")
	_, err = chromedp.Run(ctx, nobody)
	require.NoError(t, err)
	assert.Contains(t, run("signIn()"), "NotAllowedError", "a user who is not verified is not let through by the browser already")
	assert.Equal(t, before+1, w.head())
}

// proxy lets the service be reached at the port that its settings name.
func proxy(t *testing.T, port int, to string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)) //nolint:noctx // it listens as long as the test runs
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to) //nolint:noctx // local
			if err != nil {
				_ = in.Close()
				continue
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}
