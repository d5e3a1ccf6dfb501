-- +goose Up

-- Up to which block a chain was scanned, and the hashes at which earlier scans ended: when the
-- chain has another block there, the scan goes back to the last one it still has.
CREATE TABLE chain_blocks (
    chain_id   bigint      NOT NULL CHECK (chain_id > 0),
    block      bigint      NOT NULL CHECK (block >= 0),
    hash       text        NOT NULL CHECK (hash ~ '^0x[0-9a-f]{64}$'),
    scanned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain_id, block)
);

-- How deep a transfer stands at the moment: telemetry, never evidence. The log only knows
-- "detected" and "confirmed".
CREATE TABLE payment_confirmations (
    evidence   text        COLLATE "C" PRIMARY KEY CHECK (evidence <> ''), -- 56:0xf1:2
    payment_id uuid        NOT NULL,
    chain_id   bigint      NOT NULL,
    tx         text        NOT NULL,
    block      bigint      NOT NULL,
    have       bigint      NOT NULL CHECK (have >= 0),
    need       bigint      NOT NULL CHECK (need >= 1),
    finalized  boolean     NOT NULL DEFAULT false,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE INDEX payment_confirmations_payment ON payment_confirmations (payment_id);

-- Signed transactions of ours, so that one can be sent again after a crash. The log says which
-- of them count; this only keeps the bytes.
CREATE TABLE signed_transactions (
    chain_id bigint      NOT NULL,
    hash     text        COLLATE "C" NOT NULL CHECK (hash ~ '^0x[0-9a-f]{64}$'),
    raw      text        NOT NULL CHECK (raw <> ''),
    kept_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at  timestamptz,
    sends    integer     NOT NULL DEFAULT 0,
    error    text        NOT NULL DEFAULT '',
    PRIMARY KEY (chain_id, hash)
);

-- Which path index below an xpub belongs to which payment: given once, never reused.
CREATE TABLE destination_indexes (
    fingerprint text        COLLATE "C" NOT NULL CHECK (fingerprint <> ''),
    index       integer     NOT NULL CHECK (index >= 0),
    payment_id  uuid        NOT NULL,
    given_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fingerprint, index),
    UNIQUE (fingerprint, payment_id)
);

-- +goose Down
DROP TABLE destination_indexes, signed_transactions, payment_confirmations, chain_blocks;
