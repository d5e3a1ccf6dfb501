-- +goose Up

-- Means of signing in besides the password. They change only together with the account's events
-- (domain/account), in the append's own transaction; nothing of it outlives the account.
CREATE TABLE signin_methods (
    id           uuid        NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    method       text        NOT NULL CHECK (method IN ('google', 'telegram', 'wallet')),
    -- what names the person there: Google's subject, Telegram's number, the address in lower case
    subject      text        COLLATE "C" NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id      uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label        text        NOT NULL DEFAULT '' CHECK (length(label) <= 200), -- as the person knows it
    linked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz,
    PRIMARY KEY (method, subject)
);
CREATE INDEX signin_methods_user ON signin_methods (user_id);
-- A person has many wallets, but one Google account and one Telegram here.
CREATE UNIQUE INDEX signin_methods_single ON signin_methods (user_id, method) WHERE method IN ('google', 'telegram');

-- What authenticators call a person: random, so that a device tells nobody who that is.
CREATE TABLE passkey_handles (
    user_id uuid  PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle  bytea NOT NULL UNIQUE CHECK (length(handle) = 32)
);

CREATE TABLE passkeys (
    id            uuid        PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id bytea       NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
    name          text        NOT NULL CHECK (length(name) <= 100),
    record        jsonb       NOT NULL, -- public key and flags, as the library keeps them
    sign_count    bigint      NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
    synced        boolean     NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at  timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- What was asked of somebody who signs in or links: a challenge, a nonce, a state, a code. Only the
-- hash of the secret is kept. Each is answered once; a used one stays a while, so that a second use
-- can be told from an invention.
CREATE TABLE signin_challenges (
    purpose    text        NOT NULL CHECK (purpose <> ''),
    secret     bytea       NOT NULL CHECK (length(secret) = 32), -- SHA-256
    user_id    uuid        REFERENCES users (id) ON DELETE CASCADE, -- whose it is, where somebody asked
    data       jsonb       NOT NULL DEFAULT '{}',
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (purpose, secret)
);
CREATE INDEX signin_challenges_expiry ON signin_challenges (expires_at);
CREATE INDEX signin_challenges_user ON signin_challenges (user_id) WHERE user_id IS NOT NULL;

-- Proofs that were shown (an ID token, initData): taken once, remembered until they are too old.
CREATE TABLE signin_spent (
    kind       text        NOT NULL CHECK (kind <> ''),
    proof      bytea       NOT NULL CHECK (length(proof) = 32), -- SHA-256
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (kind, proof)
);
CREATE INDEX signin_spent_expiry ON signin_spent (expires_at);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON signin_methods, signin_challenges, passkey_handles, passkeys TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE signin_spent, signin_challenges, passkeys, passkey_handles, signin_methods;
