-- +goose Up

-- A derived pay-in address a row, with its sweeps; see projections/destinationview.
CREATE TABLE views.destinations (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    chain bigint GENERATED ALWAYS AS ((doc->>'chain')::bigint) STORED,
    address text GENERATED ALWAYS AS (lower(doc->>'address')) STORED,
    payment text GENERATED ALWAYS AS (doc->>'payment') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED
);
CREATE INDEX ON views.destinations (first_pos);
CREATE INDEX ON views.destinations (address);
CREATE INDEX ON views.destinations (payment);
CREATE INDEX ON views.destinations (phase, first_pos);

-- +goose Down
DROP TABLE views.destinations;
