-- +goose Up

-- A plan a row; see projections/sweepview.
CREATE TABLE views.sweep_plans (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    chain bigint GENERATED ALWAYS AS ((doc->>'chain')::bigint) STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED
);
CREATE INDEX ON views.sweep_plans (first_pos);
CREATE INDEX ON views.sweep_plans (phase, first_pos);

-- A sweep a row, whoever signed it.
CREATE TABLE views.sweeps (
    sweep       text          COLLATE "C" PRIMARY KEY,
    destination text          COLLATE "C" NOT NULL,
    plan        text          COLLATE "C" NOT NULL DEFAULT '', -- empty: signed without one
    chain       bigint,
    asset       text          NOT NULL,
    amount      numeric(78,0) NOT NULL,
    tx          text          COLLATE "C" NOT NULL,
    nonce       bigint        NOT NULL,
    status      text          NOT NULL CHECK (status IN ('broadcast', 'confirmed', 'failed', 'reorged')),
    block       bigint        NOT NULL DEFAULT 0,
    failure     text          NOT NULL DEFAULT '',
    first_pos   bigint        NOT NULL,
    at          timestamptz   NOT NULL
);
CREATE INDEX ON views.sweeps (first_pos);
CREATE INDEX ON views.sweeps (status, first_pos);
CREATE INDEX ON views.sweeps (destination, first_pos);

-- Gas for derived addresses, signed for a plan: sent again until it has ended.
CREATE TABLE views.gas_top_ups (
    chain       bigint        NOT NULL,
    hash        text          COLLATE "C" NOT NULL,
    plan        text          COLLATE "C" NOT NULL,
    destination text          COLLATE "C" NOT NULL,
    amount      numeric(78,0) NOT NULL,
    made_at     timestamptz   NOT NULL,
    outcome     text          NOT NULL DEFAULT '', -- empty while it is under way
    PRIMARY KEY (chain, hash)
);
CREATE INDEX ON views.gas_top_ups (chain, made_at);
CREATE INDEX ON views.gas_top_ups (chain) WHERE outcome = '';

-- For the check of gaps: the lowest, the highest and the unused index below a key.
CREATE INDEX destinations_derivation ON views.destinations ((doc->>'xpub_fingerprint'), ((doc->>'index')::bigint));

-- +goose Down
DROP INDEX views.destinations_derivation;
DROP TABLE views.gas_top_ups, views.sweeps, views.sweep_plans;
