// Package telegram speaks with Telegram: it checks what its clients bring (Mini App initData, the
// login widget), reads the updates that its servers send, and sends messages by the bot API.
//
// initData comes in two forms. The one keyed with the bot's token covers every field but the hash,
// `signature` included. The other (Ed25519, by Telegram's own key) needs the bot's number only, for
// a service that is not trusted with the token; it does not cover the hash, so a hash is no name for
// what was shown. Both can be shown again until they are too old: Proof.Key names one, whatever the
// order of its fields, so that whoever signs people in takes it once.
package telegram
