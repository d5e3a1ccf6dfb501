-- +goose Up

-- History is append-only twice over: triggers refuse UPDATE, DELETE and TRUNCATE to everybody,
-- owner and superuser included, and the service works as holdfast_app, which has no right to
-- them. What gets past both (a superuser who disables triggers) the Merkle tree finds.

-- +goose StatementBegin
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = '55000', HINT = 'correct history by new events and entries';
END $$;
-- +goose StatementEnd

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- A group role of the whole cluster. Without the right to create roles the triggers stand alone;
-- a role that an administrator made beforehand is used.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        CREATE ROLE holdfast_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'no right to create the role holdfast_app';
    WHEN duplicate_object OR unique_violation THEN NULL; -- another database of the cluster was first
END $$;
-- +goose StatementEnd

-- The service must be allowed to step down to it; a superuser is anyway.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT holdfast_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR undefined_object OR invalid_grant_operation THEN
        RAISE NOTICE '% may not work as holdfast_app: history is guarded by triggers alone', current_user;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        RETURN;
    END IF;
    GRANT SELECT, INSERT ON events, ledger_entries, log_checkpoints TO holdfast_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON commands, claims, timers, snapshots TO holdfast_app;
    GRANT SELECT, INSERT, UPDATE ON ledger_balances, ledger_pending, subject_keys TO holdfast_app;
    GRANT SELECT, INSERT ON log_tree, event_types TO holdfast_app;
    GRANT SELECT, UPDATE ON log_head TO holdfast_app;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER append_only ON events;
DROP TRIGGER append_only ON ledger_entries;
DROP TRIGGER append_only ON log_checkpoints;
DROP FUNCTION refuse_rewriting();
