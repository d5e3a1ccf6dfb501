-- +goose Up

-- What admins have changed of a chain, a chain a row; see projections/networkview.
CREATE TABLE views.networks (
    id         text        COLLATE "C" PRIMARY KEY, -- the chain's number
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL
);
CREATE INDEX ON views.networks (first_pos);

-- The confirmation rule of a chain with its history; see projections/thresholdview.
CREATE TABLE views.thresholds (
    id         text        COLLATE "C" PRIMARY KEY, -- the chain's number
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL
);
CREATE INDEX ON views.thresholds (first_pos);

-- The safe tag counts for payments whose rule says so.
ALTER TABLE views.watched_payments ADD COLUMN safe boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE views.watched_payments DROP COLUMN safe;
DROP TABLE views.thresholds;
DROP TABLE views.networks;
