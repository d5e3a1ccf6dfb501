-- +goose Up

-- The log. events holds every change of state that ever was; log_head holds its end.
--
-- events is deliberately not partitioned: a unique constraint of a partitioned table must
-- contain the partition key, so UNIQUE (stream_type, stream_id, version) and UNIQUE (event_id)
-- could not be stated over ranges of positions, and they are what stops a double spend when
-- all code above is wrong. docs/decisions/0008 tells how an old range would be archived.
--
-- Names are COLLATE "C": bytes compare fast, and prefixes can use the index.
CREATE TABLE events (
    position       bigint      PRIMARY KEY CHECK (position > 0),
    stream_type    text        COLLATE "C" NOT NULL CHECK (stream_type <> ''),
    stream_id      text        COLLATE "C" NOT NULL CHECK (stream_id <> ''),
    version        bigint      NOT NULL CHECK (version > 0),
    event_id       uuid        NOT NULL,
    type           text        NOT NULL CHECK (type <> ''),
    schema_version integer     NOT NULL CHECK (schema_version > 0),
    -- json, not jsonb: the leaf hash covers the exact bytes, and jsonb does not keep them.
    data           json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    leaf_hash      bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32),
    CONSTRAINT events_stream_version UNIQUE (stream_type, stream_id, version),
    CONSTRAINT events_event_id UNIQUE (event_id)
);
-- Rows are never updated, so pages may be full; freezing soon saves rewriting them later.
ALTER TABLE events SET (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.1);

-- Every type and schema version that stands in events, so that a start can check that this
-- build reads them all without reading the log.
CREATE TABLE event_types (
    type           text    COLLATE "C" NOT NULL,
    schema_version integer NOT NULL CHECK (schema_version > 0),
    PRIMARY KEY (type, schema_version)
);

-- One row: whoever holds its lock appends. tree is the RFC 6962 compact range over the leaf
-- hashes of 1 … position: the 32-byte roots of its complete subtrees, left to right.
CREATE TABLE log_head (
    id          smallint    PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    log_id      uuid        NOT NULL DEFAULT gen_random_uuid(),
    position    bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    tree        bytea       NOT NULL DEFAULT '' CHECK (octet_length(tree) % 32 = 0),
    root        bytea       NOT NULL CHECK (octet_length(root) = 32),
    recorded_at timestamptz NOT NULL DEFAULT '1970-01-01Z',
    -- the last signed checkpoint, and the position it stands for
    checkpoint_position bigint NOT NULL DEFAULT 0 CHECK (checkpoint_position <= position),
    checkpoint  text        NOT NULL DEFAULT ''
) WITH (fillfactor = 10);
-- The root of an empty tree is the hash of nothing.
INSERT INTO log_head (root) VALUES (sha256(''));

-- Roots of complete subtrees at levels 8, 16, 24 …: with them a proof reads at most 255
-- hashes a level instead of the whole log. Rebuildable from events.leaf_hash.
CREATE TABLE log_tree (
    level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
    index bigint   NOT NULL CHECK (index >= 0),
    hash  bytea    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, index)
);

-- Signed tree heads, in the note format of golang.org/x/mod/sumdb/note.
CREATE TABLE log_checkpoints (
    position  bigint      PRIMARY KEY CHECK (position > 0),
    root      bytea       NOT NULL CHECK (octet_length(root) = 32),
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- +goose Down
DROP TABLE log_checkpoints, log_tree, log_head, event_types, events;
