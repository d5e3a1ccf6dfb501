-- +goose Up

-- The timeline knows the order of each stream; which events those are the log knows by itself
-- (its index on streams). A row an event was a second copy of that, written with every command.
DROP TABLE views.timeline;
CREATE INDEX ON views.timeline_streams (request);

-- +goose Down
DROP INDEX views.timeline_streams_request_idx;
CREATE TABLE views.timeline (
    pos         bigint PRIMARY KEY,
    request     text   COLLATE "C" NOT NULL,
    stream_type text   COLLATE "C" NOT NULL,
    stream_id   text   COLLATE "C" NOT NULL
);
CREATE INDEX ON views.timeline (request, pos);
CREATE INDEX ON views.timeline (stream_type, stream_id, pos);
