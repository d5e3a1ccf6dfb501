-- +goose Up

-- These documents are rewritten often and their indexed columns seldom change: with room on the
-- page the new version of a row needs no new index entries (HOT updates).
ALTER TABLE views.holds SET (fillfactor = 60);
ALTER TABLE views.payments SET (fillfactor = 70);
ALTER TABLE views.requests SET (fillfactor = 70);
ALTER TABLE ledger_balances SET (fillfactor = 60);

-- +goose Down
ALTER TABLE views.holds RESET (fillfactor);
ALTER TABLE views.payments RESET (fillfactor);
ALTER TABLE views.requests RESET (fillfactor);
ALTER TABLE ledger_balances SET (fillfactor = 70);
