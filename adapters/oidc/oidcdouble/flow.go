package oidcdouble

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// grant is a code that was given out.
type grant struct {
	person           Person
	nonce, challenge string
	redirect         string
	until            time.Time
}

var page = template.Must(template.New("page").Parse(`<!doctype html><meta charset="utf-8"><title>Development sign-in</title>
<style>body{font:16px system-ui;max-width:28rem;margin:4rem auto}input{font:inherit;width:100%;margin:.3rem 0 1rem;padding:.4rem}</style>
<h1>Development sign-in</h1><p>This page plays Google for a service on your own machine. Any address will do.</p>
<form action="/authorize">{{range $k, $v := .}}<input type="hidden" name="{{$k}}" value="{{index $v 0}}">{{end}}
<label>E-mail <input name="email" type="email" required value="google-user@gmail.com"></label><button>Sign in</button></form>`))

// authorize is the page where a person signs in. With an e-mail address in the query it signs that
// person in at once, so that a script needs no browser.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" || q.Get("client_id") != i.clientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "not a request of our client", http.StatusBadRequest)
		return
	}
	email := strings.ToLower(q.Get("email"))
	if email == "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, q)
		return
	}
	code := i.Grant(PersonOf(email), q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri"))
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// PersonOf is the one behind an address: always the same subject for the same address.
func PersonOf(email string) Person {
	sum := sha256.Sum256([]byte(email))
	name, _, _ := strings.Cut(email, "@")
	return Person{Subject: "dev-" + hex.EncodeToString(sum[:8]), Email: email, Verified: true, Name: name}
}

// Grant gives a code for a person who has signed in.
func (i *Issuer) Grant(p Person, nonce, challenge, redirect string) string {
	code := draw()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.codes[code] = grant{person: p, nonce: nonce, challenge: challenge, redirect: redirect, until: time.Now().Add(time.Minute)}
	return code
}

// token trades a code once, for the client that it was made for, and for who has the verifier.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	} else if plain, err := url.QueryUnescape(secret); err == nil {
		secret = plain // RFC 6749 §2.3.1: both are form-encoded first
	}
	if id != i.clientID || secret != i.clientSecret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	i.mu.Lock()
	g, ok := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	i.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || time.Now().After(g.until) || g.redirect != r.PostFormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": draw(), "token_type": "Bearer", "expires_in": 3600, "id_token": i.Sign(i.Claims(g.person, g.nonce))})
}

// idToken gives a token as a client would get it that signs people in itself: ?email= and ?nonce=.
func (i *Issuer) idToken(w http.ResponseWriter, r *http.Request) {
	email := strings.ToLower(r.URL.Query().Get("email"))
	if email == "" {
		http.Error(w, "?email= is missing", http.StatusBadRequest)
		return
	}
	answer(w, http.StatusOK, map[string]string{"idToken": i.Sign(i.Claims(PersonOf(email), r.URL.Query().Get("nonce")))})
}
