-- What TAXII clients read: a collection of the configuration, `query` as it was last filled by (NULL: it is not in the
-- configuration now, and is filled again when it is), `replay` what fills it, `last` when its last object was added.
CREATE TABLE collection (
    id       {serial},
    name     TEXT NOT NULL UNIQUE,
    query    TEXT,
    replay   BIGINT,
    last     BIGINT NOT NULL DEFAULT 0,
    objects  BIGINT NOT NULL DEFAULT 0,
    created  BIGINT NOT NULL
);

-- The versions of its objects, encoded as they are served. `added` grows with every row of a collection, so it is the
-- place in it too; `version` is the object's own time (`added`, if it has none), `newest` says that it has no later
-- one, `seen` when it was last handed in, give or take a day.
CREATE TABLE collected (
    collection  BIGINT NOT NULL,
    added       BIGINT NOT NULL,
    id          TEXT NOT NULL,
    type        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    newest      SMALLINT NOT NULL,
    seen        BIGINT NOT NULL,
    json        TEXT NOT NULL,
    PRIMARY KEY (collection, added)
) {clustered};
CREATE UNIQUE INDEX collected_version ON collected (id, collection, version);
CREATE INDEX collected_newest ON collected (collection, newest, added);
CREATE INDEX collected_type ON collected (collection, type, added, newest);

-- What clients handed in: `message` is what came of it, `taken` and `refused` are JSON lists of [id, version, words].
CREATE TABLE handed_in (
    id          TEXT PRIMARY KEY,
    root        TEXT NOT NULL,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    message     BIGINT,
    taken       TEXT NOT NULL,
    refused     TEXT NOT NULL
);
CREATE INDEX handed_in_at ON handed_in (at);
