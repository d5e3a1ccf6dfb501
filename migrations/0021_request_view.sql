-- +goose Up

-- A purchase request a row; see projections/requestview. Columns of their own are what lists
-- filter and sort by. A budget that is no plain number counts as none.
CREATE TABLE views.requests (
    id         text        COLLATE "C" PRIMARY KEY,
    version    bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    pos        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    doc        jsonb       NOT NULL,
    buyer text GENERATED ALWAYS AS (doc->>'buyer') STORED,
    seller text GENERATED ALWAYS AS (doc#>>'{selected,seller}') STORED,
    phase text GENERATED ALWAYS AS (doc->>'phase') STORED,
    category text GENERATED ALWAYS AS (doc#>>'{details,category_id}') STORED,
    product_type text GENERATED ALWAYS AS (doc#>>'{details,product_type}') STORED,
    urgency text GENERATED ALWAYS AS (doc#>>'{details,urgency}') STORED,
    title text GENERATED ALWAYS AS (doc#>>'{details,title}') STORED,
    brand text GENERATED ALWAYS AS (doc#>>'{details,brand}') STORED,
    currency text GENERATED ALWAYS AS (doc#>>'{details,budget,currency}') STORED,
    budget_min numeric GENERATED ALWAYS AS (CASE WHEN doc#>>'{details,budget,min}' ~ '^[0-9]{1,40}([.][0-9]{1,40})?$' THEN (doc#>>'{details,budget,min}')::numeric END) STORED,
    budget_max numeric GENERATED ALWAYS AS (CASE WHEN doc#>>'{details,budget,max}' ~ '^[0-9]{1,40}([.][0-9]{1,40})?$' THEN (doc#>>'{details,budget,max}')::numeric END) STORED,
    invited jsonb GENERATED ALWAYS AS (doc->'invited') STORED,
    hold text GENERATED ALWAYS AS (doc#>>'{selected,hold}') STORED
);
CREATE INDEX ON views.requests (first_pos);
CREATE INDEX ON views.requests (buyer, first_pos);
CREATE INDEX ON views.requests (seller, first_pos);
CREATE INDEX ON views.requests (phase, first_pos);
CREATE INDEX ON views.requests (hold);
CREATE INDEX ON views.requests USING gin (invited jsonb_path_ops);

-- +goose Down
DROP TABLE views.requests;
