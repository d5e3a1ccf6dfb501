-- +goose Up

-- What is not screened yet, and what waits for two people; see projections/paymentview.
ALTER TABLE views.payments
    ADD COLUMN unscreened boolean GENERATED ALWAYS AS (coalesce((doc->>'unscreened')::boolean, false)) STORED,
    ADD COLUMN in_review boolean GENERATED ALWAYS AS (coalesce((doc->>'in_review')::boolean, false)) STORED;
CREATE INDEX ON views.payments (first_pos) WHERE unscreened;
CREATE INDEX ON views.payments (first_pos) WHERE in_review;

-- +goose Down
ALTER TABLE views.payments DROP COLUMN in_review, DROP COLUMN unscreened;
