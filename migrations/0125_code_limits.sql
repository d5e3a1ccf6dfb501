-- +goose Up

-- Codes of a purpose are counted by the day too, and so are the tries of all of them together: five
-- codes an hour with five tries each would be six hundred guesses a day.
ALTER TABLE account_codes
    ADD COLUMN day_began   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN sent_today  integer     NOT NULL DEFAULT 1,
    ADD COLUMN tried_today integer     NOT NULL DEFAULT 0;

-- Who asks for codes of a person and tries them: a stranger uses up their own budget and not all of the
-- owner's. asker is a keyed hash of the network address.
CREATE TABLE account_code_askers (
    user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose     text        NOT NULL,
    asker       text        NOT NULL CHECK (asker <> ''),
    hour_began  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent        integer     NOT NULL,
    day_began   timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_today  integer     NOT NULL,
    tried_today integer     NOT NULL,
    PRIMARY KEY (user_id, purpose, asker)
);
CREATE INDEX account_code_askers_day ON account_code_askers (day_began);

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON account_code_askers TO holdfast_app;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE account_code_askers;
ALTER TABLE account_codes DROP COLUMN day_began, DROP COLUMN sent_today, DROP COLUMN tried_today;
