-- +goose Up

-- What the old backend's document said when it was last taken: only while it still says so may ours
-- stand in its place. taken_at is when that has happened; it is ours from then on.
ALTER TABLE id_map
    ADD COLUMN IF NOT EXISTS snapshot_hash text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN taken_at timestamptz;

-- Gaps of following the old backend: a document that is refused, or that both sides have changed.
ALTER TABLE pg_dualwrite_gaps
    DROP CONSTRAINT pg_dualwrite_gaps_kind_check,
    ADD CONSTRAINT pg_dualwrite_gaps_kind_check
        CHECK (kind IN ('missing', 'extra', 'foreign', 'different', 'answer', 'refused', 'conflict'));

-- How many differences of a comparison are explained: what the import has made of a document, in
-- words that are known beforehand.
ALTER TABLE legacy_parity_runs
    ADD COLUMN explained bigint NOT NULL DEFAULT 0 CHECK (explained >= 0);

-- +goose Down
ALTER TABLE legacy_parity_runs DROP COLUMN explained;
DELETE FROM pg_dualwrite_gaps WHERE kind IN ('refused', 'conflict');
ALTER TABLE pg_dualwrite_gaps
    DROP CONSTRAINT pg_dualwrite_gaps_kind_check,
    ADD CONSTRAINT pg_dualwrite_gaps_kind_check
        CHECK (kind IN ('missing', 'extra', 'foreign', 'different', 'answer'));
ALTER TABLE id_map DROP COLUMN taken_at, DROP COLUMN IF EXISTS snapshot_hash;
