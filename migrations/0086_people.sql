-- +goose Up

-- What people say about themselves. Text is sealed with the person's key; ids, flags and times are not.
CREATE TABLE profiles (
    user_id     uuid        PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed      bytea       NOT NULL, -- avatar, bio, locale, phone
    preferences jsonb       NOT NULL DEFAULT '{}',
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE addresses (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed     bytea       NOT NULL,
    is_default boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX addresses_user ON addresses (user_id, created_at);
CREATE UNIQUE INDEX addresses_default ON addresses (user_id) WHERE is_default;

-- Which order was to be sent to which address. The order itself keeps the text as it was.
CREATE TABLE address_uses (
    address_id uuid        NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    request_id text        COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (address_id, request_id)
);

-- Who wants to sell. That one was made and how it was decided are events.
CREATE TABLE seller_applications (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed     bytea       NOT NULL, -- name of the shop, documents
    status     text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected')),
    reason     bytea,                -- sealed
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_at timestamptz,
    decided_by uuid,
    CHECK ((status = 'pending') = (decided_at IS NULL))
);
CREATE INDEX seller_applications_user ON seller_applications (user_id, made_at DESC);
CREATE INDEX seller_applications_pending ON seller_applications (made_at) WHERE status = 'pending';
CREATE UNIQUE INDEX seller_applications_one ON seller_applications (user_id) WHERE status = 'pending';

-- Everything about a person in one sealed file, made on request and kept for some days.
CREATE TABLE data_exports (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status     text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
    sealed     bytea,
    size       bigint      NOT NULL DEFAULT 0 CHECK (size >= 0),
    attempts   integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    CHECK ((status = 'ready') = (sealed IS NOT NULL))
);
CREATE INDEX data_exports_user ON data_exports (user_id, made_at DESC);
CREATE INDEX data_exports_due ON data_exports (next_at) WHERE status = 'pending';
CREATE UNIQUE INDEX data_exports_one ON data_exports (user_id) WHERE status = 'pending';

-- Who is being forgotten: written with the event that says so, and worked off until nothing is left.
CREATE TABLE erasures (
    user_id   uuid        PRIMARY KEY,
    mail_hash text        COLLATE "C", -- keyed hash of the address, until it is worked off
    asked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    purged_at timestamptz
);
CREATE INDEX erasures_due ON erasures (asked_at) WHERE purged_at IS NULL;

-- Raised in the very transaction that takes an admin away, under the lock of the log's head: two
-- admins who demote each other cannot both succeed.
-- +goose StatementBegin
CREATE FUNCTION keep_an_admin() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE status = 'active' AND 'admin' = ANY (roles)) THEN
        RAISE EXCEPTION 'no active admin would be left';
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON profiles, addresses, address_uses, seller_applications, data_exports, erasures TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION keep_an_admin();
DROP TABLE erasures, data_exports, seller_applications, address_uses, addresses, profiles;
