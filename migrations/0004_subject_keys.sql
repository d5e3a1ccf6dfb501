-- +goose Up

-- The key of each data subject, wrapped by the master key (AES-256-GCM, the subject as
-- additional data). Erasing a person deletes the key and leaves a tombstone, so that no new key
-- is ever made for them.
CREATE TABLE subject_keys (
    subject      text        COLLATE "C" PRIMARY KEY CHECK (subject <> ''),
    wrapped      bytea,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- +goose Down
DROP TABLE subject_keys;
