-- Queries of the Alerts page that somebody gave a name. What was deleted stays for a while, so that it can be undone.
CREATE TABLE saved_view (
    id       {serial},
    owner    TEXT NOT NULL,
    name     TEXT NOT NULL,
    query    TEXT NOT NULL,
    sort     TEXT NOT NULL,
    shared   SMALLINT NOT NULL,
    created  BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    dropped  BIGINT
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (owner, name) WHERE dropped IS NULL;
CREATE INDEX saved_view_shared ON saved_view (id) WHERE shared = 1 AND dropped IS NULL;
CREATE INDEX saved_view_dropped ON saved_view (owner, dropped) WHERE dropped IS NOT NULL;
