-- Stored alertgroups that a person has sent to a destination again or for the first time, oldest first: `cursor` is the
-- last one that was looked at, `upto` the last one there is to look at, `every` the time between two in microseconds
-- (0: as fast as the lane takes them) and `next_at` when the next may be owed.
CREATE TABLE replay (
    id         {serial},
    who        TEXT NOT NULL,
    lane       TEXT NOT NULL,
    query      TEXT NOT NULL,
    starts     BIGINT,
    ends       BIGINT,
    rate       TEXT NOT NULL,
    every      BIGINT NOT NULL,
    again      SMALLINT NOT NULL,
    folded     SMALLINT NOT NULL,
    state      TEXT NOT NULL,
    note       TEXT NOT NULL DEFAULT '',
    cursor     BIGINT NOT NULL DEFAULT 0,
    upto       BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    owed       BIGINT NOT NULL DEFAULT 0,
    delivered  BIGINT NOT NULL DEFAULT 0,
    under_way  BIGINT NOT NULL DEFAULT 0,
    created    BIGINT NOT NULL,
    changed    BIGINT NOT NULL
);
CREATE INDEX replay_running ON replay (id) WHERE state = 'running';

CREATE TABLE replay_history (
    id      {serial},
    replay  BIGINT NOT NULL,
    who     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    what    TEXT NOT NULL
);
CREATE INDEX replay_history_replay ON replay_history (replay, id);
