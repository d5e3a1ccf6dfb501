-- +goose Up

-- What is to be watched on chains: addresses and references that wait for money, transfers that a
-- reorganisation may still undo, transactions of ours on their way. See projections/watchview.
CREATE TABLE views.watched_payments (
    payment     text    COLLATE "C" PRIMARY KEY,
    hold        text    NOT NULL,
    seller      text    NOT NULL,
    asset       text    NOT NULL,
    need        bigint  NOT NULL,
    floor       bigint  NOT NULL,
    finality    boolean NOT NULL,
    chain       bigint,          -- null until a destination is assigned
    destination text,
    address     text,
    reference   text,            -- 0x and 16 hex digits
    request_id  text,            -- the provider's
    -- null while money is expected; late money is looked for some time longer
    closed_at   timestamptz
);
CREATE INDEX ON views.watched_payments (chain, closed_at);
CREATE INDEX ON views.watched_payments (chain, lower(address));
CREATE INDEX ON views.watched_payments (reference);
CREATE INDEX ON views.watched_payments (request_id);

CREATE TABLE views.watched_transfers (
    evidence   text    COLLATE "C" PRIMARY KEY,
    payment    text    NOT NULL,
    chain      bigint  NOT NULL,
    tx         text    NOT NULL,
    log        bigint  NOT NULL,
    block      bigint  NOT NULL,
    block_hash text    NOT NULL,
    confirmed  boolean NOT NULL
);
CREATE INDEX ON views.watched_transfers (chain, block) WHERE confirmed;
CREATE INDEX ON views.watched_transfers (chain, block) WHERE NOT confirmed;

CREATE TABLE views.watched_transactions (
    chain       bigint NOT NULL,
    hash        text   COLLATE "C" NOT NULL,
    kind        text   NOT NULL CHECK (kind IN ('payout', 'refund', 'sweep')),
    id          text   NOT NULL,
    destination text   NOT NULL DEFAULT '', -- whose tokens it sends; empty: the treasury's
    -- what a payout's or sweep's transaction does; a refund's recipient is not for read models
    transfer    jsonb,
    raw         text   NOT NULL DEFAULT '',
    -- signed: not to be sent yet; sent: on its way; mined: final by our threshold
    state       text   NOT NULL CHECK (state IN ('signed', 'sent', 'mined')),
    block       bigint NOT NULL DEFAULT 0,
    block_hash  text   NOT NULL DEFAULT '',
    PRIMARY KEY (chain, hash, kind, id)
);
CREATE INDEX ON views.watched_transactions (chain, state, block);
CREATE INDEX ON views.watched_transactions (kind, id);

-- Derived addresses with money that can be swept.
CREATE TABLE views.watched_sweeps (
    destination text    COLLATE "C" NOT NULL,
    asset       text    COLLATE "C" NOT NULL,
    PRIMARY KEY (destination, asset)
);
CREATE TABLE views.watched_addresses (
    destination text   COLLATE "C" PRIMARY KEY,
    chain       bigint NOT NULL,
    address     text   NOT NULL,
    path        text   NOT NULL,
    index       bigint NOT NULL
);

-- +goose Down
DROP TABLE views.watched_addresses, views.watched_sweeps, views.watched_transactions, views.watched_transfers, views.watched_payments;
