-- +goose Up

-- How far a run has come, so that another process can go on with it. What it finds is in the log.
-- At most one run is unfinished; who works on it holds an advisory lock.
ALTER TABLE reconciliation_runs
    ADD COLUMN stage  text   NOT NULL DEFAULT '',   -- the one that is under way
    ADD COLUMN cursor text   NOT NULL DEFAULT '',   -- last subject of the stage that is done
    ADD COLUMN night  date,                         -- of the nightly run; null when somebody asked
    ADD COLUMN state  jsonb  NOT NULL DEFAULT '{}'; -- counts, heads, what could not be read
CREATE UNIQUE INDEX reconciliation_runs_open ON reconciliation_runs ((true)) WHERE finished_at IS NULL AND stage <> '';
CREATE UNIQUE INDEX reconciliation_runs_night ON reconciliation_runs (night) WHERE night IS NOT NULL;

-- What a run must remember of single things until it ends: subjects that looked wrong and are to
-- be looked at once more ('suspect'), and breaks that it has found ('break').
CREATE TABLE reconciliation_marks (
    run  uuid NOT NULL REFERENCES reconciliation_runs ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('suspect', 'break')),
    id   text COLLATE "C" NOT NULL,
    PRIMARY KEY (run, kind, id)
);

-- What the provider says it has seen, as read by a run: claims, not evidence.
CREATE TABLE reconciliation_reports (
    run     uuid   NOT NULL REFERENCES reconciliation_runs ON DELETE CASCADE,
    n       bigint NOT NULL,
    request text   NOT NULL,
    tx      text   NOT NULL,
    chain   bigint NOT NULL,
    amount  text   NOT NULL DEFAULT '', -- in human units, as it wrote it
    PRIMARY KEY (run, n)
);
CREATE INDEX ON reconciliation_reports (run, request);

-- +goose Down
DROP TABLE reconciliation_reports, reconciliation_marks;
DROP INDEX reconciliation_runs_open, reconciliation_runs_night;
ALTER TABLE reconciliation_runs DROP COLUMN stage, DROP COLUMN cursor, DROP COLUMN night, DROP COLUMN state;
