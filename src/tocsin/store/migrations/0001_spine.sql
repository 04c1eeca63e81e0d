-- The spine: what was received, what was understood, what is owed, what came back.
-- Words in braces differ between the engines: {id} a 64-bit primary key we hand out, {serial} one the engine hands
-- out, {blob} bytes, {clustered} rows kept in key order. Times are microseconds since the epoch, UTC.

CREATE TABLE hub (
    one      SMALLINT PRIMARY KEY CHECK (one = 1),
    uid      TEXT NOT NULL,
    created  BIGINT NOT NULL
);

-- Ids are handed out here, in the transaction that uses them: no gaps, and commit order is id order on every node.
CREATE TABLE counter (
    one         SMALLINT PRIMARY KEY CHECK (one = 1),
    message     BIGINT NOT NULL DEFAULT 0,
    alertgroup  BIGINT NOT NULL DEFAULT 0,
    alert       BIGINT NOT NULL DEFAULT 0,
    delivery    BIGINT NOT NULL DEFAULT 0
);
INSERT INTO counter (one) VALUES (1);

CREATE TABLE original (
    hash   TEXT PRIMARY KEY,
    codec  SMALLINT NOT NULL,
    size   BIGINT NOT NULL,
    bytes  {blob} NOT NULL
);

-- `thread` names sender and message id together; with the hash it is the identity of a message sent twice.
-- `removed` is when retention took this message's claim on its original; the bytes go with the last claim.
CREATE TABLE message (
    id              {id},
    source          TEXT NOT NULL,
    sender          TEXT NOT NULL,
    message_id      TEXT NOT NULL,
    thread          TEXT,
    hash            TEXT NOT NULL,
    size            BIGINT NOT NULL,
    media_type      TEXT NOT NULL,
    received        BIGINT NOT NULL,
    state           TEXT NOT NULL,
    parser          TEXT NOT NULL,
    parser_version  TEXT NOT NULL,
    reason          TEXT NOT NULL,
    removed         BIGINT
);
CREATE UNIQUE INDEX message_identity ON message (thread, hash) WHERE thread IS NOT NULL;
CREATE INDEX message_kept ON message (received, id) WHERE removed IS NULL;
CREATE INDEX message_hash ON message (hash) WHERE removed IS NULL;
CREATE INDEX message_quarantined ON message (id) WHERE state = 'quarantined';

CREATE TABLE alertgroup (
    id              {id},
    message         BIGINT NOT NULL,
    subject         TEXT NOT NULL,
    columns         TEXT NOT NULL,
    status          TEXT NOT NULL,
    alert_count     BIGINT NOT NULL,
    open_count      BIGINT NOT NULL,
    closed_count    BIGINT NOT NULL,
    promoted_count  BIGINT NOT NULL,
    severity        SMALLINT,
    tlp             TEXT NOT NULL,
    owner           TEXT NOT NULL,
    groups          TEXT NOT NULL,
    sources         TEXT NOT NULL,
    tags            TEXT NOT NULL,
    message_id      TEXT NOT NULL,
    repeats         BIGINT,
    ahrefs          TEXT NOT NULL,
    received        BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    views           BIGINT NOT NULL DEFAULT 0,
    firstview       BIGINT NOT NULL DEFAULT -1,
    deleted         BIGINT
);
CREATE INDEX alertgroup_message ON alertgroup (message);
CREATE INDEX alertgroup_status ON alertgroup (status, id);
CREATE INDEX alertgroup_subject ON alertgroup (subject, id);
CREATE INDEX alertgroup_updated ON alertgroup (updated, id);
CREATE INDEX alertgroup_created ON alertgroup (created, id);
CREATE INDEX alertgroup_rows ON alertgroup (alert_count, id);
CREATE INDEX alertgroup_views ON alertgroup (views, id);

CREATE TABLE alertgroup_text (
    alertgroup  {id},
    body        TEXT NOT NULL,
    body_plain  TEXT NOT NULL
);

-- How many alertgroups stand in each status; kept in the same transactions, so nobody ever has to count.
CREATE TABLE total (
    status  TEXT PRIMARY KEY,
    n       BIGINT NOT NULL
);
INSERT INTO total (status, n) VALUES ('open', 0), ('closed', 0), ('promoted', 0);

CREATE TABLE alert (
    id          {id},
    alertgroup  BIGINT NOT NULL,
    status      TEXT NOT NULL,
    data        TEXT NOT NULL,
    detection   TEXT,
    tags        TEXT,
    updated     BIGINT NOT NULL
);
CREATE INDEX alert_alertgroup ON alert (alertgroup, id);

CREATE TABLE label (
    kind        TEXT NOT NULL,
    value       TEXT NOT NULL,
    alertgroup  BIGINT NOT NULL,
    PRIMARY KEY (kind, value, alertgroup)
) {clustered};
CREATE INDEX label_alertgroup ON label (alertgroup);

CREATE TABLE delivery (
    id          {id},
    alertgroup  BIGINT NOT NULL,
    lane        TEXT NOT NULL,
    state       TEXT NOT NULL,
    attempt     BIGINT NOT NULL,
    due         BIGINT NOT NULL,
    lease       BIGINT NOT NULL,
    created     BIGINT NOT NULL,
    settled     BIGINT
);
CREATE INDEX delivery_alertgroup ON delivery (alertgroup);
CREATE INDEX delivery_due ON delivery (lane, due, id) WHERE state = 'due';
CREATE INDEX delivery_sending ON delivery (lane, lease) WHERE state = 'sending';
CREATE INDEX delivery_failed ON delivery (lane, id) WHERE state = 'failed';

CREATE TABLE receipt (
    id         {serial},
    delivery   BIGINT NOT NULL,
    attempt    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    took       BIGINT NOT NULL,
    outcome    TEXT NOT NULL,
    remote_id  TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX receipt_delivery ON receipt (delivery);

CREATE TABLE lane (
    name           TEXT PRIMARY KEY,
    cursor         TEXT NOT NULL DEFAULT '',
    delivered      BIGINT NOT NULL DEFAULT 0,
    failed         BIGINT NOT NULL DEFAULT 0,
    withheld       BIGINT NOT NULL DEFAULT 0,
    last_success   BIGINT,
    last_error     TEXT NOT NULL DEFAULT '',
    last_error_at  BIGINT,
    paused         SMALLINT NOT NULL DEFAULT 0
);

CREATE TABLE history (
    id          {serial},
    alertgroup  BIGINT NOT NULL,
    alert       BIGINT,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    what        TEXT NOT NULL
);
CREATE INDEX history_alertgroup ON history (alertgroup, id);

CREATE TABLE viewer (
    alertgroup  BIGINT NOT NULL,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    ip          TEXT NOT NULL,
    PRIMARY KEY (alertgroup, who)
) {clustered};

CREATE TABLE tally (
    day          BIGINT NOT NULL,
    source       TEXT NOT NULL,
    stored       BIGINT NOT NULL DEFAULT 0,
    quarantined  BIGINT NOT NULL DEFAULT 0,
    refused      BIGINT NOT NULL DEFAULT 0,
    repeated     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (day, source)
);

CREATE TABLE source_state (
    name           TEXT PRIMARY KEY,
    cursor         TEXT NOT NULL DEFAULT '',
    last_message   BIGINT,
    last_success   BIGINT,
    last_error     TEXT NOT NULL DEFAULT '',
    last_error_at  BIGINT
);

CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    hash        TEXT NOT NULL,
    role        TEXT NOT NULL,
    active      SMALLINT NOT NULL DEFAULT 1,
    created     BIGINT NOT NULL,
    last_login  BIGINT
);

CREATE TABLE api_key (
    id          {serial},
    name        TEXT NOT NULL,
    digest      TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    last_used   BIGINT,
    expires     BIGINT,
    revoked     BIGINT
);

CREATE TABLE session (
    digest   TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    csrf     TEXT NOT NULL,
    created  BIGINT NOT NULL,
    expires  BIGINT NOT NULL
);
