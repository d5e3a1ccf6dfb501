-- +goose Up

-- Sessions that have ended, the longest ago first: what the hourly removal walks along.
CREATE INDEX sessions_ended ON sessions (least(expires_at, revoked_at));
-- A person's sessions, ended ones too: whether a device is new, and which session was their last.
CREATE INDEX sessions_of_user ON sessions (user_id, created_at);
CREATE INDEX api_key_uses_last ON api_key_uses (last_used_at);

-- +goose Down
DROP INDEX api_key_uses_last, sessions_of_user, sessions_ended;
