-- +goose Up

-- Deposits that belong to no payment; a reorganisation may undo them too.
CREATE TABLE views.watched_deposits (
    evidence   text    COLLATE "C" PRIMARY KEY,
    payment    text    NOT NULL, -- whose destination it came to; empty: nobody's
    chain      bigint  NOT NULL,
    tx         text    NOT NULL,
    log        bigint  NOT NULL,
    block      bigint  NOT NULL,
    block_hash text    NOT NULL
);
CREATE INDEX ON views.watched_deposits (chain, block);

-- What buyers claim to have paid with. A claim moves nothing: it says where to look.
CREATE TABLE views.watched_claims (
    payment    text        COLLATE "C" NOT NULL,
    tx         text        COLLATE "C" NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (payment, tx)
);
CREATE INDEX ON views.watched_claims (tx);
CREATE INDEX ON views.watched_transfers (tx);

-- How looking at a claimed transaction goes: telemetry. Without a row it is due now; losing rows
-- costs looks, not money.
CREATE TABLE claim_looks (
    payment_id text        COLLATE "C" NOT NULL,
    tx         text        COLLATE "C" NOT NULL CHECK (tx ~ '^0x[0-9a-f]{64}$'),
    -- pending: looked at again at due_at; matched: its transfers are final; mismatch: mined, and
    -- it pays nothing of this payment; reverted: it failed; lost: no node knew it in time
    state      text        NOT NULL CHECK (state IN ('pending', 'matched', 'mismatch', 'reverted', 'lost')),
    reason     text        NOT NULL DEFAULT '',
    looks      integer     NOT NULL DEFAULT 0 CHECK (looks >= 0),
    due_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (payment_id, tx)
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE claim_looks;
DROP INDEX IF EXISTS views.watched_transfers_tx_idx;
DROP TABLE views.watched_claims, views.watched_deposits;
