-- +goose Up

-- Who agreed to an operation that needs two people and that no aggregate keeps count of.
CREATE TABLE approvals (
    kind      text        NOT NULL CHECK (kind <> ''),
    digest    bytea       NOT NULL, -- of the operation with all its values
    user_id   uuid        NOT NULL,
    agreed_at timestamptz NOT NULL,
    PRIMARY KEY (kind, digest, user_id)
);
CREATE INDEX approvals_age ON approvals (agreed_at);

CREATE TABLE exports (
    id            uuid        PRIMARY KEY,
    kind          text        NOT NULL CHECK (kind <> ''),
    requested_by  uuid        NOT NULL,
    parameters    jsonb       NOT NULL DEFAULT '{}',
    status        text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    last_position bigint      NOT NULL DEFAULT 0, -- of the log, at which the export stands
    error         text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at   timestamptz,
    CHECK ((status = 'running') = (finished_at IS NULL))
);

CREATE TABLE reconciliation_runs (
    id          uuid        PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    ok          boolean     NOT NULL DEFAULT false,
    report      jsonb
);
CREATE INDEX reconciliation_runs_newest ON reconciliation_runs (started_at DESC);

-- How far a reactor has followed the log. The row's lock is the fence between processes.
CREATE TABLE reactor_checkpoints (
    name      text        COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    log_id    uuid,
    position  bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    moved_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    halted_at timestamptz,
    error     text        NOT NULL DEFAULT '',
    CHECK ((halted_at IS NULL) = (error = '')),
    CHECK (log_id IS NOT NULL OR position = 0)
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE reactor_checkpoints, reconciliation_runs, exports, approvals;
