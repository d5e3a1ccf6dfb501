// Package webauthn speaks with authenticators: it makes the options of a ceremony and checks what
// an authenticator answers (WebAuthn level 3, through go-webauthn).
//
// What the library leaves open is decided here, once: the user must be verified, because a passkey
// stands instead of a password; a credential must be discoverable, so that nobody has to say who
// they are first; a sign counter that does not grow is refused, because two devices may hold the
// key. That a challenge counts once is up to whoever keeps it.
package webauthn
