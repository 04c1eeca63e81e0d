-- What alertgroups are found by: filled right after intake, in batches, and made again from the alerts at any time.

-- Alertgroups that wait to be indexed, named by the transaction that stored or changed them; `since` tells two changes
-- of one alertgroup apart.
CREATE TABLE unindexed (
    alertgroup  {id},
    since       BIGINT NOT NULL
);
INSERT INTO unindexed (alertgroup, since) SELECT id, 0 FROM alertgroup;

-- What stands in an alertgroup's index, so that it can be taken out again: ids of terms, moments, [entity, count].
-- Much of it is put in in several parts, from 0.
CREATE TABLE indexed (
    alertgroup  BIGINT NOT NULL,
    part        BIGINT NOT NULL,
    terms       TEXT NOT NULL,
    moments     TEXT NOT NULL,
    entities    TEXT NOT NULL,
    PRIMARY KEY (alertgroup, part)
) {clustered};

-- The digest of the configuration that all of the index was made with; 'mixed' when it was changed since.
CREATE TABLE indexing (
    one     {id},
    digest  TEXT NOT NULL
);

-- A value that some field of a detection has somewhere. `text` has A to Z as a to z; `key` is the text or, for a long
-- one, its beginning and a digest; `normal` its words, where the field is asked for words. `low` and `high` are the span
-- of an address (query/addresses.py).
CREATE TABLE term (
    id           {serial},
    field        TEXT NOT NULL,
    key          TEXT NOT NULL,
    text         TEXT NOT NULL,
    normal       TEXT,
    number       BIGINT,
    amount       DOUBLE PRECISION,
    low          TEXT,
    high         TEXT,
    alertgroups  BIGINT NOT NULL
);
CREATE UNIQUE INDEX term_key ON term (field, key);
CREATE INDEX term_number ON term (field, number) WHERE number IS NOT NULL;
CREATE INDEX term_amount ON term (field, amount) WHERE amount IS NOT NULL;
CREATE INDEX term_span ON term (field, low, high) WHERE low IS NOT NULL;

-- Which alertgroups have it, and which of their alerts: a JSON list of ids, NULL for all of them.
CREATE TABLE posting (
    term        BIGINT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    alerts      TEXT,
    PRIMARY KEY (term, alertgroup)
) {clustered};

-- The same for times, of which hardly two are equal.
CREATE TABLE moment (
    field       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    alerts      TEXT,
    PRIMARY KEY (field, at, alertgroup)
) {clustered};

-- Seen when the first and the last alertgroup it stands in were received; `sightings` counts places.
CREATE TABLE entity (
    id           {serial},
    type         TEXT NOT NULL,
    key          TEXT NOT NULL,
    value        TEXT NOT NULL,
    low          TEXT,
    high         TEXT,
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    alertgroups  BIGINT NOT NULL,
    sightings    BIGINT NOT NULL
);
CREATE UNIQUE INDEX entity_key ON entity (type, key);
CREATE INDEX entity_value ON entity (key);
CREATE INDEX entity_span ON entity (low, high) WHERE low IS NOT NULL;

-- Where: `places` is a JSON list of the first thousand, each [alert or null, column, start, end, as written or null,
-- path inside the cell, whether in its last key].
CREATE TABLE sighting (
    entity      BIGINT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    n           BIGINT NOT NULL,
    places      TEXT NOT NULL,
    PRIMARY KEY (entity, alertgroup)
) {clustered};

-- The text of an HTML body without its tags; other bodies are searched as they stand in alertgroup_text.
CREATE TABLE body_text (
    alertgroup  {id},
    text        TEXT NOT NULL
);

-- What stands in any state but the usual one.
CREATE INDEX delivery_state ON delivery (state, lane, alertgroup) WHERE state <> 'delivered';
