-- +goose Up

-- The read models. Every table below is a fold of the log and may be thrown away: a rebuild
-- makes it again. Indexes have no names of their own, so that those of a rebuilt table (CREATE
-- TABLE … LIKE) are called the same.
CREATE SCHEMA views;

-- How far each projector has applied the log. The row's lock is the fence: whoever holds it is
-- the only one who writes the projector's tables, and position moves in the same transaction.
CREATE TABLE projection_checkpoints (
    name            text        COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    version         integer     NOT NULL CHECK (version > 0),
    -- the log the position belongs to; null until the first slice
    log_id          uuid,
    position        bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    moved_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    state           text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'halted')),
    -- the event it halted at
    poison_position bigint,
    poison_type     text,
    poison_error    text,
    halted_at       timestamptz,
    -- the tables before the last rebuild, kept in schema views_<name>_old
    old_version     integer,
    old_position    bigint,
    CHECK ((state = 'halted') = (halted_at IS NOT NULL)),
    CHECK (log_id IS NOT NULL OR position = 0),
    CHECK ((old_version IS NULL) = (old_position IS NULL))
) WITH (fillfactor = 20);

-- Events that an operator decided to pass over, with the reason. A skip is used only while the
-- event still cannot be applied.
CREATE TABLE projection_skips (
    name       text        COLLATE "C" NOT NULL,
    position   bigint      NOT NULL CHECK (position > 0),
    event_type text        NOT NULL,
    reason     text        NOT NULL CHECK (reason <> ''),
    actor      text        NOT NULL CHECK (actor <> ''),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, position)
);

-- A rebuild under way, or finished and waiting to be put in place, in schema views_<name>_build.
CREATE TABLE projection_builds (
    name       text        COLLATE "C" PRIMARY KEY,
    version    integer     NOT NULL,
    log_id     uuid        NOT NULL,
    position   bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    ready      boolean     NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    moved_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 20);

-- +goose Down
DROP TABLE projection_builds, projection_skips, projection_checkpoints;
DROP SCHEMA views CASCADE;
