-- +goose Up

-- The legacy names of things: ObjectId ↔ UUID. A row comes from an import, or with the first
-- document that we write about a thing; then its ObjectId follows from the UUID.
CREATE TABLE id_map (
    object_id  text        COLLATE "C" PRIMARY KEY CHECK (object_id ~ '^[0-9a-f]{24}$'),
    id         text        COLLATE "C" NOT NULL CHECK (id <> ''),
    collection text        COLLATE "C" NOT NULL CHECK (collection <> ''),
    imported   boolean     NOT NULL DEFAULT false,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (collection, id)
);
CREATE INDEX id_map_id ON id_map (id);

-- Which documents of a collection were made out of which streams: when one of these moves, they
-- are written again. erasure/<user> stands for the personal text of somebody.
CREATE TABLE legacy_sources (
    collection text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    document   text COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, stream, document)
);

-- Where the legacy store and the log disagree: a document of somebody else in our place, a field
-- that differs. Open until somebody resolves it with a reason, or it is gone.
CREATE TABLE pg_dualwrite_gaps (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain      text        NOT NULL CHECK (domain <> ''),
    collection  text        NOT NULL CHECK (collection <> ''),
    document    text        NOT NULL CHECK (document <> ''), -- its _id as text
    field       text        NOT NULL DEFAULT '',             -- empty: the document as a whole
    severity    text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    kind        text        NOT NULL CHECK (kind IN ('missing', 'extra', 'foreign', 'different', 'answer')),
    pg_value    text        NOT NULL DEFAULT '',
    mongo_value text        NOT NULL DEFAULT '',
    error       text        NOT NULL DEFAULT '',
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen   timestamptz NOT NULL DEFAULT clock_timestamp(),
    times       bigint      NOT NULL DEFAULT 1 CHECK (times > 0),
    resolved_at timestamptz,
    resolved_by text        NOT NULL DEFAULT '',
    notes       text        NOT NULL DEFAULT '',
    CHECK ((resolved_at IS NULL) = (resolved_by = ''))
);
CREATE UNIQUE INDEX pg_dualwrite_gaps_open ON pg_dualwrite_gaps (collection, document, field, kind) WHERE resolved_at IS NULL;
CREATE INDEX pg_dualwrite_gaps_domain ON pg_dualwrite_gaps (domain, id) WHERE resolved_at IS NULL;

-- +goose Down
DROP TABLE pg_dualwrite_gaps, legacy_sources, id_map;
