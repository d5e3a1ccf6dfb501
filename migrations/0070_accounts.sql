-- +goose Up

-- What signing in needs to know of a person. These columns change only together with the events
-- of the account (domain/account), in the append's own transaction.
ALTER TABLE users
    -- A person who signs in by another service may have no address.
    ALTER COLUMN email DROP NOT NULL,
    ADD COLUMN status            text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'erased')),
    ADD COLUMN email_verified_at timestamptz,
    ADD COLUMN registered_method text NOT NULL DEFAULT 'password' CHECK (registered_method <> '');
UPDATE users SET email_verified_at = created_at;
UPDATE users SET status = 'suspended' WHERE NOT active;

-- A login: the device as it was when the person signed in, and when it was last heard of.
ALTER TABLE sessions
    ADD COLUMN method       text        NOT NULL DEFAULT 'password' CHECK (method <> ''),
    ADD COLUMN user_agent   text        NOT NULL DEFAULT '',
    ADD COLUMN address      text        NOT NULL DEFAULT '',
    ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- One row a refresh token: a token that is shown again was stolen, and finding it must not mean
-- reading every session. Only hashes are kept.
CREATE TABLE refresh_tokens (
    hash       bytea       PRIMARY KEY,
    session_id uuid        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    parent     bytea,      -- the token it was traded for; null for a login's first
    issued_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at    timestamptz,
    -- hash of the Idempotency-Key it was used with: the same client may ask again shortly
    used_key   bytea
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_parent ON refresh_tokens (parent) WHERE parent IS NOT NULL;
INSERT INTO refresh_tokens (hash, session_id, issued_at) SELECT refresh_hash, id, created_at FROM sessions WHERE revoked_at IS NULL;
INSERT INTO refresh_tokens (hash, session_id, issued_at, used_at)
    SELECT DISTINCT ON (h) h, id, created_at, created_at FROM sessions, unnest(used_hashes) AS h WHERE revoked_at IS NULL
    ON CONFLICT DO NOTHING;
ALTER TABLE sessions ALTER COLUMN refresh_hash DROP NOT NULL;

-- The log's role writes these together with events.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON users, sessions, refresh_tokens, wallets TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM sessions WHERE refresh_hash IS NULL;
ALTER TABLE sessions ALTER COLUMN refresh_hash SET NOT NULL;
DROP TABLE refresh_tokens;
ALTER TABLE sessions DROP COLUMN method, DROP COLUMN user_agent, DROP COLUMN address, DROP COLUMN last_used_at;
DELETE FROM users WHERE email IS NULL;
ALTER TABLE users ALTER COLUMN email SET NOT NULL,
    DROP COLUMN status, DROP COLUMN email_verified_at, DROP COLUMN registered_method;
