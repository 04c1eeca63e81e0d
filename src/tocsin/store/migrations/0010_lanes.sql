-- What people did to a lane: paused, resumed, tested, sent its parked deliveries again, dropped or drained them.
CREATE TABLE lane_history (
    id    {serial},
    lane  TEXT NOT NULL,
    who   TEXT NOT NULL,
    at    BIGINT NOT NULL,
    what  TEXT NOT NULL
);
CREATE INDEX lane_history_lane ON lane_history (lane, id);
