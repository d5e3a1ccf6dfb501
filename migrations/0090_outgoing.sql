-- +goose Up

-- A transaction of ours that failed may be mined after all when the chain is reorganised deeper than
-- we wait for; it is looked at for some time. See projections/watchview.
ALTER TABLE views.watched_transactions
    ADD COLUMN failed_at timestamptz,
    DROP CONSTRAINT watched_transactions_state_check,
    -- signed: not to be sent yet; sent: on its way; mined: final by our threshold; failed: given up
    ADD CONSTRAINT watched_transactions_state_check CHECK (state IN ('signed', 'sent', 'mined', 'failed'));
CREATE INDEX watched_transactions_failed ON views.watched_transactions (chain, failed_at) WHERE state = 'failed';

-- What transactions of ours cost, as it is booked: reversed when the chain has undone one for good.
CREATE TABLE views.watched_fees (
    ref      text    COLLATE "C" PRIMARY KEY, -- of the treasury's entry: the transaction, and for a second time its number
    tx       text    COLLATE "C" NOT NULL,
    chain    text    NOT NULL,
    asset    text    NOT NULL,
    amount   text    NOT NULL,
    custody  text    NOT NULL DEFAULT '',     -- the pocket that paid; empty: the chain's gas account
    reversed boolean NOT NULL DEFAULT false
);
CREATE INDEX ON views.watched_fees (tx);

-- +goose Down
DROP TABLE views.watched_fees;
DROP INDEX IF EXISTS views.watched_transactions_failed;
DELETE FROM views.watched_transactions WHERE state = 'failed';
ALTER TABLE views.watched_transactions
    DROP COLUMN failed_at,
    DROP CONSTRAINT watched_transactions_state_check,
    ADD CONSTRAINT watched_transactions_state_check CHECK (state IN ('signed', 'sent', 'mined'));
