// Package oidcdouble is an OpenID provider for tests and for development. It speaks real HTTP:
// discovery, keys, the page where a person signs in, and the exchange of codes with PKCE. It can
// rotate its keys, sign what no honest provider would, and be down.
package oidcdouble

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Person signs in at the double.
type Person struct {
	Subject  string
	Email    string
	Verified bool
	Name     string
}

// Issuer is the double.
type Issuer struct {
	clientID, clientSecret string
	listen                 net.Listener
	http                   *http.Server

	mu    sync.Mutex
	keys  []signingKey // the last one signs
	codes map[string]grant
	down  bool
	asked map[string]int
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// Start serves on a free port of this machine.
func Start(clientID, clientSecret string) (*Issuer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens as long as it lives
	if err != nil {
		return nil, err
	}
	i := &Issuer{clientID: clientID, clientSecret: clientSecret, listen: l, codes: map[string]grant{}, asked: map[string]int{}}
	if err := i.Rotate(true); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.jwks)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /id-token", i.idToken)
	i.http = &http.Server{Handler: i.counted(mux), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = i.http.Serve(l) }() // it ends with Close
	return i, nil
}

// URL is the issuer's name.
func (i *Issuer) URL() string { return "http://" + i.listen.Addr().String() }

// Close ends it.
func (i *Issuer) Close() error { return i.http.Close() }

// Down makes it answer nothing but 503, or work again.
func (i *Issuer) Down(is bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = is
}

// Asked counts the requests of a path.
func (i *Issuer) Asked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

func (i *Issuer) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.asked[r.URL.Path]++
		down := i.down
		i.mu.Unlock()
		if down {
			http.Error(w, "<html>down</html>", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Rotate signs with a new key from now on. The old ones are published still, or not any more.
func (i *Issuer) Rotate(forget bool) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("draw a signing key: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if forget {
		i.keys = nil
	}
	i.keys = append(i.keys, signingKey{id: draw(), key: key})
	return nil
}

// Claims are those of a person's token, for tests to change.
func (i *Issuer) Claims(p Person, nonce string) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": i.URL(), "aud": i.clientID, "sub": p.Subject, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "name": p.Name,
	}
	if p.Email != "" {
		c["email"], c["email_verified"] = p.Email, p.Verified
	}
	if nonce != "" {
		c["nonce"] = nonce
	}
	return c
}

// Sign makes a token of claims, signed by the present key.
func (i *Issuer) Sign(c jwt.MapClaims) string {
	i.mu.Lock()
	k := i.keys[len(i.keys)-1]
	i.mu.Unlock()
	return signed(jwt.SigningMethodRS256, k.id, k.key, c)
}

// SignAs makes a token by another algorithm or key, under the present key's id.
func (i *Issuer) SignAs(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	i.mu.Lock()
	id := i.keys[len(i.keys)-1].id
	i.mu.Unlock()
	return signed(method, id, key, c)
}

// PublicKey is the present key's, for tests that misuse it.
func (i *Issuer) PublicKey() *rsa.PublicKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return &i.keys[len(i.keys)-1].key.PublicKey
}

func signed(method jwt.SigningMethod, id string, key any, c jwt.MapClaims) string {
	t := jwt.NewWithClaims(method, c)
	t.Header["kid"] = id
	s, err := t.SignedString(key)
	if err != nil {
		panic(err) // a key that does not fit its method: a mistake in a test
	}
	return s
}

func draw() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": i.URL(), "authorization_endpoint": i.URL() + "/authorize", "token_endpoint": i.URL() + "/token", "jwks_uri": i.URL() + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var keys []map[string]string
	for _, k := range i.keys {
		keys = append(keys, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	answer(w, http.StatusOK, map[string]any{"keys": keys})
}
