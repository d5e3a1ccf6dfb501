-- +goose Up

-- Who remembers a login for a few seconds is told at once when it ends or when its user's
-- roles or standing change, whoever writes the row. Delivered at commit.
-- +goose StatementBegin
CREATE FUNCTION tell_session_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('holdfast_sessions', TG_ARGV[0] || ':' || OLD.id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER sessions_news_ended AFTER UPDATE ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION tell_session_news('session');
CREATE TRIGGER sessions_news_gone AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION tell_session_news('session');
CREATE TRIGGER users_news_changed AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION tell_session_news('user');
CREATE TRIGGER users_news_gone AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION tell_session_news('user');

-- +goose Down
DROP TRIGGER users_news_gone ON users;
DROP TRIGGER users_news_changed ON users;
DROP TRIGGER sessions_news_gone ON sessions;
DROP TRIGGER sessions_news_ended ON sessions;
DROP FUNCTION tell_session_news();
