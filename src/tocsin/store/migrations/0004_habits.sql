-- What is usual: for each source, parser and subject what the last hundred messages looked like, as JSON.
CREATE TABLE habit (
    source   TEXT NOT NULL,
    parser   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    seen     BIGINT NOT NULL,
    content  TEXT NOT NULL,
    PRIMARY KEY (source, parser, subject)
);
CREATE INDEX habit_seen ON habit (seen);

-- Up to which message habits were looked at; what stood in the store before there were habits is left alone.
CREATE TABLE habit_mark (
    one      SMALLINT PRIMARY KEY CHECK (one = 1),
    message  BIGINT NOT NULL
);
INSERT INTO habit_mark (one, message) SELECT 1, message FROM counter;

CREATE INDEX message_discarded ON message (id) WHERE state = 'discarded';
