-- +goose Up

-- An import notes a payment whose old books disagree in the transaction that opens its
-- balances, and which path indexes the old backend had given out.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE ON pg_dualwrite_gaps TO holdfast_app;
        GRANT SELECT, INSERT ON destination_indexes TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1;
