-- +goose Up

-- The depth of transfers stood in two tables: the chain's follower wrote one, queries read the
-- other, so nobody was ever shown a depth.
DROP TABLE views.payment_confirmations;

-- +goose Down
CREATE TABLE views.payment_confirmations (
    payment     text        COLLATE "C" NOT NULL,
    evidence    text        COLLATE "C" NOT NULL,
    have        bigint      NOT NULL CHECK (have >= 0),
    need        bigint      NOT NULL CHECK (need >= 0),
    observed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (payment, evidence)
);
