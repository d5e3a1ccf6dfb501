-- +goose Up

-- One row a comparison of a collection with the log, both ways.
CREATE TABLE legacy_parity_runs (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain      text        NOT NULL CHECK (domain <> ''),
    collection  text        NOT NULL CHECK (collection <> ''),
    position    bigint      NOT NULL, -- of the log, at its end
    documents   bigint      NOT NULL,
    differences bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX legacy_parity_runs_last ON legacy_parity_runs (collection, finished_at DESC);

-- +goose Down
DROP TABLE legacy_parity_runs;
