-- +goose Up

-- A break a row; see projections/breakview.
CREATE TABLE views.breaks (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    kind text GENERATED ALWAYS AS (doc#>>'{finding,kind}') STORED,
    severity text GENERATED ALWAYS AS (doc->>'severity') STORED,
    asset text GENERATED ALWAYS AS (doc#>>'{finding,amount,asset}') STORED,
    subject_type text GENERATED ALWAYS AS (doc#>>'{finding,subject,type}') STORED,
    subject text GENERATED ALWAYS AS (doc#>>'{finding,subject,id}') STORED
);
CREATE INDEX ON views.breaks (first_pos);
CREATE INDEX ON views.breaks (phase, first_pos);
CREATE INDEX ON views.breaks (subject);

-- A reconciliation a row; see projections/reconciliationview.
CREATE TABLE views.reconciliations (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED
);
CREATE INDEX ON views.reconciliations (first_pos);

-- Which deposits came to a payment's address is asked for each payment.
CREATE INDEX ON views.deposits (payment) WHERE payment IS NOT NULL;

-- +goose Down
DROP INDEX views.deposits_payment_idx;
DROP TABLE views.reconciliations, views.breaks;
