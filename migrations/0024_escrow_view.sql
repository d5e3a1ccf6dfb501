-- +goose Up

-- An escrow hold a row, its release holds inside; see projections/escrowview.
CREATE TABLE views.holds (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    request text GENERATED ALWAYS AS (doc->>'request') STORED,
    offer text GENERATED ALWAYS AS (doc->>'offer') STORED,
    buyer text GENERATED ALWAYS AS (doc->>'buyer') STORED,
    seller text GENERATED ALWAYS AS (doc->>'seller') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    escrow_state text GENERATED ALWAYS AS (doc->>'escrow_state') STORED,
    asset text GENERATED ALWAYS AS (doc#>>'{due,asset}') STORED
);
CREATE INDEX ON views.holds (first_pos);
CREATE INDEX ON views.holds (request, first_pos);
CREATE INDEX ON views.holds (buyer, first_pos);
CREATE INDEX ON views.holds (seller, first_pos);
CREATE INDEX ON views.holds (phase, first_pos);

-- +goose Down
DROP TABLE views.holds;
