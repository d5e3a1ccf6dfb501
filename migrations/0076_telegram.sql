-- +goose Up

-- Where the bot can write to a person.
CREATE TABLE telegram_chats (
    user_id       uuid        PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    chat_id       bigint      NOT NULL UNIQUE CHECK (chat_id <> 0),
    notifications boolean     NOT NULL DEFAULT true,
    -- unknown until the person has written to the bot or it has written to them
    reach         text        NOT NULL DEFAULT 'unknown' CHECK (reach IN ('unknown', 'reachable', 'unreachable')),
    reach_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Updates of the bot, kept before anything is done with them. What people wrote is forgotten when it
-- has been dealt with; the number stays, so that the same update has one effect.
CREATE TABLE telegram_updates (
    update_id   bigint      PRIMARY KEY CHECK (update_id >= 0),
    body        bytea,      -- null when it has been dealt with
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    copies      integer     NOT NULL DEFAULT 1,
    attempts    integer     NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(), -- not before; a taken one's lease
    done_at     timestamptz,
    error       text        NOT NULL DEFAULT ''
);
CREATE INDEX telegram_updates_waiting ON telegram_updates (next_at, update_id) WHERE done_at IS NULL;
CREATE INDEX telegram_updates_done ON telegram_updates (done_at) WHERE done_at IS NOT NULL;

-- Messages that the bot is to send. The id follows from what they are about, so that a repeat is the
-- same message. The text is forgotten when it was sent.
CREATE TABLE telegram_messages (
    id         uuid        PRIMARY KEY,
    user_id    uuid        REFERENCES users (id) ON DELETE CASCADE, -- null: somebody who is nobody here
    chat_id    bigint      NOT NULL CHECK (chat_id <> 0),
    text       text        NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'undeliverable', 'dead')),
    attempts   integer     NOT NULL DEFAULT 0,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at    timestamptz NOT NULL DEFAULT clock_timestamp(), -- not before; a taken one's lease
    ended_at   timestamptz,
    message_id bigint,     -- Telegram's
    error      text        NOT NULL DEFAULT ''
);
CREATE INDEX telegram_messages_waiting ON telegram_messages (next_at, made_at) WHERE state = 'waiting';
CREATE INDEX telegram_messages_user ON telegram_messages (user_id) WHERE user_id IS NOT NULL;

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON telegram_chats, telegram_messages TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE telegram_messages, telegram_updates, telegram_chats;
