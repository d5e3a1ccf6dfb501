-- +goose Up

-- A refund a row; see projections/refundview.
CREATE TABLE views.refunds (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    request text GENERATED ALWAYS AS (doc->>'request') STORED,
    hold text GENERATED ALWAYS AS (doc->>'hold') STORED,
    buyer text GENERATED ALWAYS AS (doc->>'buyer') STORED,
    seller text GENERATED ALWAYS AS (doc->>'seller') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    dispute text GENERATED ALWAYS AS (doc->>'dispute') STORED,
    source text GENERATED ALWAYS AS (doc->>'source') STORED,
    asset text GENERATED ALWAYS AS (doc->>'asset') STORED,
    txs jsonb GENERATED ALWAYS AS (doc->'txs') STORED
);
CREATE INDEX ON views.refunds (first_pos);
CREATE INDEX ON views.refunds (hold);
CREATE INDEX ON views.refunds (request);
CREATE INDEX ON views.refunds (buyer, first_pos);
CREATE INDEX ON views.refunds (seller, first_pos);
CREATE INDEX ON views.refunds (phase, first_pos);
CREATE INDEX ON views.refunds USING gin (txs jsonb_path_ops);

-- +goose Down
DROP TABLE views.refunds;
