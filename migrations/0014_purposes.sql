-- +goose Up

-- What a signed transaction of ours is for, where no event says so (a top-up of gas): the same
-- errand is never run twice.
ALTER TABLE signed_transactions ADD COLUMN purpose text CHECK (purpose <> '');
CREATE UNIQUE INDEX signed_transactions_purpose ON signed_transactions (purpose);

-- +goose Down
DROP INDEX signed_transactions_purpose;
ALTER TABLE signed_transactions DROP COLUMN purpose;
