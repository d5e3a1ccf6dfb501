-- +goose Up

-- Statements of people's accounts (buyer, seller, receivable, points): each posted entry with the
-- running balance on the account's normal side. A fact may take a balance below zero. See
-- projections/statementview.
CREATE TABLE views.statements (
    account text          COLLATE "C" NOT NULL,
    asset   text          COLLATE "C" NOT NULL,
    n       bigint        NOT NULL CHECK (n > 0), -- line of this account, gapless
    pos     bigint        NOT NULL,
    line    smallint      NOT NULL,
    debit   boolean       NOT NULL,
    amount  numeric(78,0) NOT NULL CHECK (amount > 0),
    balance numeric(79,0) NOT NULL,
    at      timestamptz   NOT NULL,
    PRIMARY KEY (account, asset, n)
);
CREATE INDEX ON views.statements (account, pos);

-- +goose Down
DROP TABLE views.statements;
