-- +goose Up

-- A dispute a row, with evidence, decisions and settlements; see projections/disputeview.
-- due_unix is the present deadline in seconds, to sort by.
CREATE TABLE views.disputes (
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
    legacy_status text GENERATED ALWAYS AS (doc->>'legacy_status') STORED,
    category text GENERATED ALWAYS AS (doc->>'category') STORED,
    priority text GENERATED ALWAYS AS (doc->>'priority') STORED,
    resolver text GENERATED ALWAYS AS (doc->>'resolver') STORED,
    open boolean GENERATED ALWAYS AS ((doc->>'open')::boolean) STORED,
    due_unix bigint GENERATED ALWAYS AS ((doc->>'due_unix')::bigint) STORED
);
CREATE INDEX ON views.disputes (first_pos);
CREATE INDEX ON views.disputes (request, first_pos);
CREATE INDEX ON views.disputes (buyer, first_pos);
CREATE INDEX ON views.disputes (seller, first_pos);
CREATE INDEX ON views.disputes (resolver, first_pos);
CREATE INDEX ON views.disputes (phase, first_pos);

-- +goose Down
DROP TABLE views.disputes;
