-- +goose Up

-- An unmatched deposit a row; see projections/depositview.
CREATE TABLE views.deposits (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    asset text GENERATED ALWAYS AS (doc#>>'{amount,asset}') STORED,
    reason text GENERATED ALWAYS AS (doc->>'reason') STORED,
    payment text GENERATED ALWAYS AS (doc->>'payment') STORED
);
CREATE INDEX ON views.deposits (first_pos);
CREATE INDEX ON views.deposits (phase, first_pos);

-- +goose Down
DROP TABLE views.deposits;
