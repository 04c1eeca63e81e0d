-- Reading again: what was done to a message in quarantine, and the older readings of an alertgroup.

CREATE TABLE message_history (
    id       {serial},
    message  BIGINT NOT NULL,
    who      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    what     TEXT NOT NULL
);
CREATE INDEX message_history_message ON message_history (message, id);

-- What an alertgroup was before it was read again: subject, columns and rows as JSON.
CREATE TABLE reading (
    id              {serial},
    alertgroup      BIGINT NOT NULL,
    parser          TEXT NOT NULL,
    parser_version  TEXT NOT NULL,
    replaced        BIGINT NOT NULL,
    who             TEXT NOT NULL,
    content         TEXT NOT NULL
);
CREATE INDEX reading_alertgroup ON reading (alertgroup, id);
