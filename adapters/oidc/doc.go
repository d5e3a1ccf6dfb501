// Package oidc signs people in at an OpenID provider, which is Google unless the settings name
// another one: by the code flow of a browser (state, nonce, PKCE) and by an ID token that a client
// got itself.
//
// go-oidc checks signature, issuer, audience and time. What it leaves to its caller is checked
// here: the nonce, that the provider has verified the e-mail address, and which algorithm signed. An
// account is known by the provider's subject, never by an address: addresses change hands.
package oidc
