-- +goose Up

-- Operations that wait for a device's signature. That one was signed is an event; the row keeps
-- the message, and lets a confirming route find the signature by what it is about.
CREATE TABLE trezor_operations (
    id          uuid        PRIMARY KEY,
    user_id     uuid        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('release', 'refund', 'sweep', 'payout')),
    target      text        COLLATE "C" NOT NULL CHECK (target <> ''),
    instruction text        COLLATE "C" NOT NULL CHECK (instruction ~ '^0x[0-9a-f]{64}$'),
    digest      text        COLLATE "C" NOT NULL CHECK (digest ~ '^0x[0-9a-f]{64}$'),
    message     jsonb       NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    signed_at   timestamptz
);
CREATE INDEX trezor_operations_signed ON trezor_operations (target, instruction) WHERE signed_at IS NOT NULL;

-- +goose Down
DROP TABLE trezor_operations;
