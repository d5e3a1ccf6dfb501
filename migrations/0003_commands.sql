-- +goose Up

-- A keyed command's first outcome, success or refusal, written with its events.
CREATE TABLE commands (
    actor           text  COLLATE "C" NOT NULL,
    idempotency_key text  COLLATE "C" NOT NULL CHECK (idempotency_key <> ''),
    fingerprint     bytea NOT NULL,
    -- json, not jsonb: the same key gets the same bytes for ever.
    outcome         json  NOT NULL,
    expires_at      timestamptz, -- null: kept for ever (money)
    PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX commands_expiry ON commands (expires_at) WHERE expires_at IS NOT NULL;

-- Names that one stream at a time may hold: one live offer a request and seller, one use of a
-- chain transfer.
CREATE TABLE claims (
    name        text   COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    stream_type text   COLLATE "C" NOT NULL,
    stream_id   text   COLLATE "C" NOT NULL,
    position    bigint NOT NULL
);

-- Deadlines of streams, written with the events that set them. Setting one again moves it and
-- arms it anew under a new id.
--
-- A worker claims due rows FOR UPDATE SKIP LOCKED, sets claimed_until and COMMITS, then issues the
-- command (whose id follows from the timer's) and sets fired_at WHERE id = the one it claimed. It
-- must not hold the row's lock while the command runs: the command may move or cancel this very
-- deadline, in another transaction.
CREATE TABLE timers (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_type   text        COLLATE "C" NOT NULL,
    stream_id     text        COLLATE "C" NOT NULL,
    key           text        COLLATE "C" NOT NULL CHECK (key <> ''),
    due_at        timestamptz NOT NULL,
    command       text        NOT NULL CHECK (command <> ''),
    position      bigint      NOT NULL, -- of the event that set it; 0 = none
    attempts      integer     NOT NULL DEFAULT 0,
    claimed_until timestamptz,          -- a worker's lease
    last_error    text,
    fired_at      timestamptz,
    UNIQUE (stream_type, stream_id, key)
);
CREATE INDEX timers_due ON timers (due_at) WHERE fired_at IS NULL;

-- Folded states of long streams; rebuildable, so a wrong one may be deleted at any time.
CREATE TABLE snapshots (
    stream_type text        COLLATE "C" NOT NULL,
    stream_id   text        COLLATE "C" NOT NULL,
    version     bigint      NOT NULL CHECK (version > 0),
    state       json        NOT NULL,
    saved_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream_type, stream_id)
);

-- +goose Down
DROP TABLE snapshots, timers, claims, commands;
