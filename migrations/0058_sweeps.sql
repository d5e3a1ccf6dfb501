-- +goose Up

-- What the chain said of a derived address when it was last asked: telemetry, never evidence.
CREATE TABLE destination_balances (
    destination uuid          NOT NULL,
    asset       text          COLLATE "C" NOT NULL CHECK (asset <> ''),
    found       numeric(78,0) NOT NULL CHECK (found >= 0),
    booked      numeric(79,0) NOT NULL, -- in the ledger, at the same moment; a fact may have taken it below zero
    looked_at   timestamptz   NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (destination, asset)
);

-- Runs of the schedule.
CREATE TABLE sweep_runs (
    id          uuid        PRIMARY KEY,
    actor       text        NOT NULL CHECK (actor <> ''), -- a user's id or the loop's name
    dry         boolean     NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    report      jsonb
);
CREATE INDEX sweep_runs_newest ON sweep_runs (started_at DESC);

-- +goose Down
DROP TABLE sweep_runs, destination_balances;
