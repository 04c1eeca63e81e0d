-- What Warden's readers get: `last` is the newest id that was ever given out.
CREATE TABLE warden (
    one   SMALLINT PRIMARY KEY,
    last  BIGINT NOT NULL
);
INSERT INTO warden (one, last) VALUES (1, 1);

-- The events, encoded as they are served. Ids grow in the order of commits. `client` is the registered name of who sent
-- it, `categories` and `tags` its words as `|one|other|`, `event` its own ID, `digest` what tells its versions apart.
CREATE TABLE warden_event (
    id          BIGINT PRIMARY KEY,
    added       BIGINT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    client      TEXT NOT NULL,
    categories  TEXT NOT NULL,
    tags        TEXT NOT NULL,
    event       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    json        TEXT NOT NULL
);
CREATE UNIQUE INDEX warden_event_version ON warden_event (event, digest);
CREATE INDEX warden_event_alertgroup ON warden_event (alertgroup);
CREATE INDEX warden_event_added ON warden_event (added);
CREATE INDEX warden_event_words ON warden_event (id, client, categories, tags);

-- How far each client has read, for those who do not say it themselves.
CREATE TABLE warden_cursor (
    client  TEXT PRIMARY KEY,
    id      BIGINT NOT NULL,
    at      BIGINT NOT NULL
);

-- The events that clients sent, by their own ID and what stands in them, so that one sent twice is stored once.
CREATE TABLE warden_sent (
    client  TEXT NOT NULL,
    id      TEXT NOT NULL,
    digest  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (client, id, digest)
) {clustered};
CREATE INDEX warden_sent_at ON warden_sent (at);
