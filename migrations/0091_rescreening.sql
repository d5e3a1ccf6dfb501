-- +goose Up

-- When an address that was clean was last asked about again: lists change. Losing rows costs questions.
CREATE TABLE rescreenings (
    chain_id bigint      NOT NULL CHECK (chain_id > 0),
    address  text        COLLATE "C" NOT NULL CHECK (address = lower(address)),
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain_id, address)
);

-- When screening last said something of a wallet.
ALTER TABLE wallets ADD COLUMN IF NOT EXISTS screened_at timestamptz;

-- +goose Down
ALTER TABLE wallets DROP COLUMN IF EXISTS screened_at;
DROP TABLE rescreenings;
