-- +goose Up

-- Hardware wallets with the addresses given out of them, a person a row; see projections/trezorview.
CREATE TABLE views.trezor_wallets (
    id         text        COLLATE "C" PRIMARY KEY, -- the person's
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL
);
CREATE INDEX ON views.trezor_wallets (first_pos);

-- +goose Down
DROP TABLE views.trezor_wallets;
