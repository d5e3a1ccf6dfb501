-- +goose Up

-- An offer a row, its revisions inside; see projections/offerview.
CREATE TABLE views.offers (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    request text GENERATED ALWAYS AS (doc->>'request') STORED,
    buyer text GENERATED ALWAYS AS (doc->>'buyer') STORED,
    seller text GENERATED ALWAYS AS (doc->>'seller') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED
);
CREATE INDEX ON views.offers (request, first_pos);
CREATE INDEX ON views.offers (seller, first_pos);
CREATE INDEX ON views.offers (buyer, first_pos);

-- +goose Down
DROP TABLE views.offers;
