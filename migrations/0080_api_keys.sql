-- +goose Up

-- API keys; see projections/apikeyview. The log is the truth about them.
CREATE TABLE views.api_keys (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL
);
CREATE INDEX ON views.api_keys (first_pos);

-- When a key was last shown; at most one write a minute and key.
CREATE TABLE api_key_uses (
    key_id       uuid        PRIMARY KEY,
    last_used_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE api_key_uses;
DROP TABLE views.api_keys;
