-- +goose Up

-- What the list of deliveries shows without reading each body again, and how often the same
-- delivery came: repeats are counted and nothing more.
ALTER TABLE inbox
    ADD COLUMN event      text    NOT NULL DEFAULT '',
    ADD COLUMN request_id text    NOT NULL DEFAULT '',
    ADD COLUMN copies     integer NOT NULL DEFAULT 1 CHECK (copies >= 1),
    ADD COLUMN replays    integer NOT NULL DEFAULT 0 CHECK (replays >= 0); -- an operator's
CREATE INDEX inbox_request ON inbox (request_id, id) WHERE request_id <> '';

-- A request at the payment provider for a payment of ours: noted before it is asked for, and its
-- answer kept before it is used. The provider knows no idempotency key, so an answer that was
-- lost leaves a request that nobody has; the row says that it may exist.
CREATE TABLE provider_requests (
    payment     text        COLLATE "C" PRIMARY KEY,
    payee       text        NOT NULL,
    asset       text        NOT NULL,
    amount      numeric     NOT NULL CHECK (amount > 0 AND amount = trunc(amount)), -- base units
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    asks        integer     NOT NULL DEFAULT 0 CHECK (asks >= 0), -- calls that may have made a request
    request_id  text        COLLATE "C" UNIQUE, -- null until an answer came
    reference   text,
    answered_at timestamptz,
    -- how the provider saw it last, and when; for people to look at, nothing decides by it
    seen        jsonb,
    seen_at     timestamptz
);
CREATE INDEX provider_requests_open ON provider_requests (asked_at);

-- Requests that the provider tells of and no payment of ours has.
CREATE TABLE provider_orphans (
    request_id text        COLLATE "C" NOT NULL,
    tx         text        COLLATE "C" NOT NULL DEFAULT '',
    reference  text        NOT NULL DEFAULT '',
    ours       text        NOT NULL DEFAULT '', -- the reference it was made with: a payment of ours, if we made it
    network    text        NOT NULL DEFAULT '',
    amount     text        NOT NULL DEFAULT '', -- as the provider writes it
    reason     text        NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (request_id, tx)
);
CREATE INDEX provider_orphans_last ON provider_orphans (last_seen);

-- Up to when the provider's list of payments was read.
CREATE TABLE provider_checkpoints (
    provider   text        PRIMARY KEY,
    read_until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE provider_checkpoints, provider_orphans, provider_requests;
DROP INDEX inbox_request;
ALTER TABLE inbox DROP COLUMN replays, DROP COLUMN copies, DROP COLUMN request_id, DROP COLUMN event;
