-- +goose Up

-- The six digits that were sent to a person: one live code a purpose. Only a keyed hash is kept.
CREATE TABLE account_codes (
    user_id      uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose      text        NOT NULL CHECK (purpose IN ('verify-email', 'reset-password', 'change-email')),
    id           uuid        NOT NULL,
    hash         text        NOT NULL CHECK (hash <> ''),
    email        text        NOT NULL DEFAULT '', -- change-email: the address it was sent to
    expires_at   timestamptz NOT NULL,
    tries        integer     NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
    -- 1 = used. The constraint is what keeps two requests from using it at once.
    uses         integer     NOT NULL DEFAULT 0 CONSTRAINT account_codes_once CHECK (uses <= 1),
    -- how many were sent in the hour that began then
    window_began timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent         integer     NOT NULL DEFAULT 1,
    PRIMARY KEY (user_id, purpose)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON account_codes TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE account_codes;
