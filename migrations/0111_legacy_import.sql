-- +goose Up

-- What was imported last of a document: an equal one is not taken again, and a different one is a
-- change by the old backend.
ALTER TABLE id_map ADD COLUMN snapshot_hash text COLLATE "C" NOT NULL DEFAULT '';

-- How far the import of a collection has come. A run that was interrupted goes on after its
-- cursor, with its counts; read = taken + unchanged + refused + ours.
CREATE TABLE legacy_imports (
    source      text        NOT NULL CHECK (source <> ''),
    collection  text        COLLATE "C" NOT NULL CHECK (collection <> ''),
    cursor      text        NOT NULL DEFAULT '',
    read        bigint      NOT NULL DEFAULT 0,
    taken       bigint      NOT NULL DEFAULT 0,
    unchanged   bigint      NOT NULL DEFAULT 0,
    refused     bigint      NOT NULL DEFAULT 0,
    ours        bigint      NOT NULL DEFAULT 0,
    refused_at  bigint      NOT NULL DEFAULT 0,   -- length of the file of refused documents
    reasons     jsonb       NOT NULL DEFAULT '{}', -- of refusals, and how often
    notes       jsonb       NOT NULL DEFAULT '{}', -- explained differences, and how often
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (source, collection),
    CHECK (read = taken + unchanged + refused + ours)
);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE ON id_map TO holdfast_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON categories TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE legacy_imports;
ALTER TABLE id_map DROP COLUMN snapshot_hash;
