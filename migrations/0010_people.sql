-- +goose Up

-- People and their logins: where history is not money, law or a dispute, a row is the truth.
CREATE TABLE users (
    id               uuid        PRIMARY KEY,
    legacy_object_id text        UNIQUE CHECK (legacy_object_id ~ '^[0-9a-f]{24}$'),
    email            text        NOT NULL CHECK (email = lower(email) AND email LIKE '%_@_%'),
    name             text        NOT NULL,
    -- PHC string of argon2id; empty for a person who cannot sign in by password
    password_hash    text        NOT NULL DEFAULT '',
    roles            text[]      NOT NULL CHECK (roles <@ ARRAY['admin', 'buyer', 'seller', 'resolver', 'guard']),
    active           boolean     NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX users_email ON users (email);

-- One row a login. Only the hash of the current refresh token is kept; the hash of the one
-- before tells a thief from a client that lost an answer.
CREATE TABLE sessions (
    id           uuid        PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_hash bytea       NOT NULL,
    used_hashes  bytea[]     NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX sessions_refresh ON sessions (refresh_hash);

-- Addresses of people to which money may go.
CREATE TABLE wallets (
    id            uuid        PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    chain_id      bigint      NOT NULL CHECK (chain_id > 0),
    address       text        NOT NULL CHECK (address ~ '^0x[0-9a-fA-F]{40}$'),
    verified_at   timestamptz,
    cooling_until timestamptz,
    screening     text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at    timestamptz
);
CREATE UNIQUE INDEX wallets_once ON wallets (user_id, chain_id, lower(address)) WHERE removed_at IS NULL;

-- The market's shelves.
CREATE TABLE categories (
    id        uuid    PRIMARY KEY,
    parent_id uuid    REFERENCES categories (id),
    name      text    NOT NULL CHECK (name <> ''),
    slug      text    NOT NULL UNIQUE CHECK (slug <> ''),
    position  integer NOT NULL DEFAULT 0,
    active    boolean NOT NULL DEFAULT true,
    CHECK (parent_id <> id)
);

-- +goose Down
DROP TABLE categories, wallets, sessions, users;
