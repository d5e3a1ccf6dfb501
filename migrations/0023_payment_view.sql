-- +goose Up

-- A payment a row; see projections/paymentview. txs are all transactions it was ever seen in.
CREATE TABLE views.payments (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    request text GENERATED ALWAYS AS (doc->>'request') STORED,
    hold text GENERATED ALWAYS AS (doc->>'hold') STORED,
    buyer text GENERATED ALWAYS AS (doc->>'buyer') STORED,
    seller text GENERATED ALWAYS AS (doc->>'seller') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    legacy_status text GENERATED ALWAYS AS (doc->>'legacy_status') STORED,
    exception text GENERATED ALWAYS AS (doc->>'exception') STORED,
    asset text GENERATED ALWAYS AS (doc#>>'{due,asset}') STORED,
    due numeric(78,0) GENERATED ALWAYS AS ((doc#>>'{due,amount}')::numeric) STORED,
    provider text GENERATED ALWAYS AS (doc#>>'{intent,provider}') STORED,
    provider_request text GENERATED ALWAYS AS (doc#>>'{intent,request_id}') STORED,
    reference text GENERATED ALWAYS AS (lower(doc#>>'{intent,reference}')) STORED,
    address text GENERATED ALWAYS AS (lower(doc->>'address')) STORED,
    txs jsonb GENERATED ALWAYS AS (doc->'txs') STORED
);
CREATE INDEX ON views.payments (first_pos);
CREATE INDEX ON views.payments (request, first_pos);
CREATE INDEX ON views.payments (hold);
CREATE INDEX ON views.payments (buyer, first_pos);
CREATE INDEX ON views.payments (seller, first_pos);
CREATE INDEX ON views.payments (phase, first_pos);
CREATE INDEX ON views.payments (provider_request) WHERE provider_request <> '';
CREATE INDEX ON views.payments (reference) WHERE reference <> '';
CREATE INDEX ON views.payments (address);
CREATE INDEX ON views.payments USING gin (txs jsonb_path_ops);

-- How deep the transfers of a payment stand: telemetry that the chain's follower writes, no fold
-- of the log, and no event either.
CREATE TABLE views.payment_confirmations (
    payment     text        COLLATE "C" NOT NULL,
    evidence    text        COLLATE "C" NOT NULL, -- chain:tx:log
    have        bigint      NOT NULL CHECK (have >= 0),
    need        bigint      NOT NULL CHECK (need >= 0),
    observed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (payment, evidence)
);

-- +goose Down
DROP TABLE views.payment_confirmations;
DROP TABLE views.payments;
