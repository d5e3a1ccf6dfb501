-- +goose Up

-- Which events belong to which order, whatever their stream; the events themselves are read from
-- the log. See projections/timelineview.
CREATE TABLE views.timeline (
    pos         bigint PRIMARY KEY,
    request     text   COLLATE "C" NOT NULL,
    stream_type text   COLLATE "C" NOT NULL,
    stream_id   text   COLLATE "C" NOT NULL
);
CREATE INDEX ON views.timeline (request, pos);
CREATE INDEX ON views.timeline (stream_type, stream_id, pos);

-- The order of each stream, learnt from the event that opens it.
CREATE TABLE views.timeline_streams (
    stream_type text   COLLATE "C" NOT NULL,
    stream_id   text   COLLATE "C" NOT NULL,
    request     text   COLLATE "C" NOT NULL,
    pos         bigint NOT NULL,
    PRIMARY KEY (stream_type, stream_id)
);

-- +goose Down
DROP TABLE views.timeline_streams, views.timeline;
