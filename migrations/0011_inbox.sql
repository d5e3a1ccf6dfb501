-- +goose Up

-- Everything that a provider tells us, before anything is done with it. The delivery id is
-- outside the provider's signature, so the same id with another body is another delivery.
CREATE TABLE inbox (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text        NOT NULL CHECK (source <> ''),
    delivery_id text        COLLATE "C" NOT NULL DEFAULT '' CHECK (length(delivery_id) <= 200),
    body_hash   bytea       NOT NULL CHECK (length(body_hash) = 32), -- SHA-256
    body        bytea       NOT NULL,
    headers     jsonb       NOT NULL DEFAULT '{}',
    verified    boolean     NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status      text        NOT NULL DEFAULT 'received'
        CHECK (status IN ('received', 'done', 'parked', 'rejected', 'quarantined')),
    attempts    integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(), -- not before; a taken row's lease
    error       text        NOT NULL DEFAULT '',
    done_at     timestamptz,
    UNIQUE (source, delivery_id, body_hash)
);
CREATE INDEX inbox_waiting ON inbox (next_at, id) WHERE status = 'received';
CREATE INDEX inbox_received ON inbox (received_at);

-- +goose Down
DROP TABLE inbox;
