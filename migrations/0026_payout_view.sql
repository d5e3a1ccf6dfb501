-- +goose Up

-- A payout a row; see projections/payoutview.
CREATE TABLE views.payouts (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    seller text GENERATED ALWAYS AS (doc->>'seller') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    asset text GENERATED ALWAYS AS (doc#>>'{amount,asset}') STORED,
    amount numeric(78,0) GENERATED ALWAYS AS ((doc#>>'{amount,amount}')::numeric) STORED,
    holds jsonb GENERATED ALWAYS AS (doc->'holds') STORED,
    txs jsonb GENERATED ALWAYS AS (doc->'txs') STORED
);
CREATE INDEX ON views.payouts (first_pos);
CREATE INDEX ON views.payouts (seller, first_pos);
CREATE INDEX ON views.payouts (phase, first_pos);
CREATE INDEX ON views.payouts USING gin (txs jsonb_path_ops);
CREATE INDEX ON views.payouts USING gin (holds jsonb_path_ops);

-- +goose Down
DROP TABLE views.payouts;
