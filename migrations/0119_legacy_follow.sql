-- +goose Up

-- Following a database of the old backend: how it is done, and where to go on.
CREATE TABLE legacy_follow (
    source       text        PRIMARY KEY CHECK (source <> ''),
    way          text        NOT NULL CHECK (way IN ('stream', 'poll')),
    token        bytea,                 -- of the change stream, after the last change that was appended
    log_position bigint      NOT NULL,  -- up to which our own changes were looked at
    beat_at      timestamptz NOT NULL DEFAULT clock_timestamp(), -- the follower is alive
    error        text        NOT NULL DEFAULT ''                 -- of the last try, while it fails
);

-- How far each collection has been followed.
CREATE TABLE legacy_follow_collections (
    source     text        NOT NULL REFERENCES legacy_follow ON DELETE CASCADE,
    collection text        COLLATE "C" NOT NULL,
    seen_to    timestamptz,            -- everything written before was seen; null: never yet
    swept_at   timestamptz,            -- when a look at every document ended last
    sweep_from timestamptz,            -- the one that is under way: when it began,
    sweep_id   text        NOT NULL DEFAULT '', -- and after which _id it goes on
    taken      bigint      NOT NULL DEFAULT 0,  -- changes
    refused    bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (source, collection)
);

-- Documents that could not be taken: they are tried again when they change, and now and then, since
-- the reason may be another document.
CREATE TABLE legacy_follow_refused (
    collection    text        COLLATE "C" NOT NULL,
    document      text        COLLATE "C" NOT NULL,
    snapshot_hash text        COLLATE "C" NOT NULL,
    tries         integer     NOT NULL DEFAULT 1 CHECK (tries > 0),
    next_at       timestamptz NOT NULL,
    PRIMARY KEY (collection, document)
);
CREATE INDEX legacy_follow_refused_due ON legacy_follow_refused (next_at);

-- A look at every document asks which of those that were imported are there no more.
CREATE INDEX id_map_imported ON id_map (collection, object_id) WHERE imported;

-- +goose Down
DROP INDEX id_map_imported;
DROP TABLE legacy_follow_refused, legacy_follow_collections, legacy_follow;
