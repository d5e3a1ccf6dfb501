-- +goose Up

-- A number of base units, 0 … 2^256-1. numeric(78,0) would silently round a fraction before any
-- CHECK sees it, and NaN passes "value >= 0"; this refuses both.
CREATE DOMAIN base_units AS numeric
    CHECK (VALUE >= 0
       AND VALUE < 115792089237316195423570985008687907853269984665640564039457584007913129639936
       AND scale(VALUE) = 0);

-- Double entry: one row a side. mode: post moves the posted totals, pending the pending ones,
-- post_pending moves from pending to posted, void takes out of pending.
CREATE TABLE ledger_entries (
    position bigint     NOT NULL,
    line     smallint   NOT NULL CHECK (line >= 0),
    debit    boolean    NOT NULL,
    account  text       COLLATE "C" NOT NULL CHECK (account <> ''),
    asset    text       COLLATE "C" NOT NULL CHECK (asset <> ''),
    amount   base_units NOT NULL CHECK (amount > 0),
    mode     text       NOT NULL CHECK (mode IN ('post', 'pending', 'post_pending', 'void')),
    PRIMARY KEY (position, line, debit)
);
CREATE INDEX ledger_entries_account ON ledger_entries (account, asset, position);

-- The four totals of each account and asset, written in the transaction of the events.
--
-- deficit is by how much FACTS (a reorganised payment, say) have driven the account below zero:
-- a fact is booked whatever the account holds, a decision is not. The last CHECK is the guard
-- that stands when all code is wrong: only a fact moves deficit, so nothing else can lower
-- what is available beneath it.
CREATE TABLE ledger_balances (
    account         text       COLLATE "C" NOT NULL CHECK (account <> ''),
    asset           text       COLLATE "C" NOT NULL CHECK (asset <> ''),
    debit_normal    boolean    NOT NULL,
    guarded         boolean    NOT NULL,
    debits_posted   base_units NOT NULL DEFAULT 0,
    credits_posted  base_units NOT NULL DEFAULT 0,
    debits_pending  base_units NOT NULL DEFAULT 0,
    credits_pending base_units NOT NULL DEFAULT 0,
    deficit         base_units NOT NULL DEFAULT 0,
    PRIMARY KEY (account, asset),
    CONSTRAINT ledger_balances_guard CHECK (NOT guarded OR deficit +
        CASE WHEN debit_normal THEN debits_posted - credits_posted - credits_pending
                               ELSE credits_posted - debits_posted - debits_pending END >= 0)
) WITH (fillfactor = 70);

-- Pending transactions: opened once, closed once. The lines are kept beside the key, so that
-- closing needs no look into the entries.
CREATE TABLE ledger_pending (
    key      text   COLLATE "C" PRIMARY KEY CHECK (key <> ''),
    opened   bigint NOT NULL,
    debit    text[] NOT NULL,
    credit   text[] NOT NULL,
    asset    text[] NOT NULL,
    amount   text[] NOT NULL,
    closed   bigint CHECK (closed >= opened),
    posted   boolean,
    CHECK ((closed IS NULL) = (posted IS NULL)),
    CHECK (cardinality(debit) > 0 AND cardinality(debit) = cardinality(credit)
       AND cardinality(debit) = cardinality(asset) AND cardinality(debit) = cardinality(amount))
);
CREATE INDEX ledger_pending_open ON ledger_pending (opened) WHERE closed IS NULL;

-- +goose Down
DROP TABLE ledger_pending, ledger_balances, ledger_entries;
DROP DOMAIN base_units;
