-- +goose Up

-- Mail that waits, was sent or could not be. Recipient, variables and the bytes that were sent are
-- sealed with the key of the person they are about; addresses are found by keyed hashes alone.
CREATE TABLE mails (
    id           uuid        PRIMARY KEY,
    -- hash of the caller's key: the same letter is queued once, under one Message-ID
    key_hash     bytea       NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    subject      text        COLLATE "C" NOT NULL CHECK (subject <> ''),
    user_id      uuid,
    address_hash text        COLLATE "C" NOT NULL,
    template     text        NOT NULL CHECK (template <> ''),
    status       text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'dead', 'skipped')),
    -- what to send, until it is sent; then what was sent, byte for byte
    letter       bytea,
    sent         bytea,
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    error        text        NOT NULL DEFAULT '',
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at      timestamptz,
    CHECK ((status IN ('queued', 'dead')) = (letter IS NOT NULL)),
    CHECK ((status = 'sent') = (sent IS NOT NULL)),
    CHECK ((status = 'queued') = (done_at IS NULL))
);
CREATE INDEX mails_due ON mails (next_at) WHERE status = 'queued';
CREATE INDEX mails_user ON mails (user_id, made_at DESC) WHERE user_id IS NOT NULL;
CREATE INDEX mails_address ON mails (address_hash);
CREATE INDEX mails_done ON mails (done_at) WHERE status <> 'queued';

-- Who wants no optional mail any more.
CREATE TABLE mail_unsubscribed (
    address_hash text        COLLATE "C" PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- +goose Down
DROP TABLE mail_unsubscribed, mails;
