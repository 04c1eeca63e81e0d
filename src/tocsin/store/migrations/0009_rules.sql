-- Routes made on the page, asked after those of the configuration, in the order of `place`.
CREATE TABLE route (
    id       {serial},
    name     TEXT NOT NULL UNIQUE,
    query    TEXT NOT NULL,
    lanes    TEXT NOT NULL,
    every    BIGINT NOT NULL,
    last     SMALLINT NOT NULL,
    place    BIGINT NOT NULL,
    active   SMALLINT NOT NULL,
    owner    TEXT NOT NULL,
    created  BIGINT NOT NULL
);

-- What is held back, from whom, why and how long; `lanes` is a JSON list, empty for all. `ended`: before its time.
CREATE TABLE silence (
    id          {serial},
    name        TEXT NOT NULL,
    query       TEXT NOT NULL,
    lanes       TEXT NOT NULL,
    owner       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    starts      BIGINT NOT NULL,
    ends        BIGINT,
    recurrence  TEXT NOT NULL,
    created     BIGINT NOT NULL,
    ended       BIGINT,
    held        BIGINT NOT NULL DEFAULT 0,
    last_held   BIGINT
);

-- What a silence held back, and what became of it is in the delivery.
CREATE TABLE held (
    silence     BIGINT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    PRIMARY KEY (silence, alertgroup)
) {clustered};
CREATE INDEX held_alertgroup ON held (alertgroup);

-- Which rules meant an alertgroup, in their order, and what they did: a JSON list.
CREATE TABLE decision (
    alertgroup  {id},
    why         TEXT NOT NULL
);

CREATE TABLE rule_history (
    id    {serial},
    kind  TEXT NOT NULL,
    rule  BIGINT NOT NULL,
    who   TEXT NOT NULL,
    at    BIGINT NOT NULL,
    what  TEXT NOT NULL
);
CREATE INDEX rule_history_rule ON rule_history (kind, rule, id);
