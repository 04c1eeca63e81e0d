-- What is sent of an alertgroup: `alert` (itself), `update` (its state, after it was sent) or `recall` (it was in error).
-- A recall names its entry in the table below.
ALTER TABLE delivery ADD COLUMN kind TEXT NOT NULL DEFAULT 'alert';
ALTER TABLE delivery ADD COLUMN recall BIGINT;
CREATE INDEX delivery_recalled ON delivery (alertgroup, lane) WHERE kind = 'recall';

-- `follows`: its destination hears of changes of what it was sent.
ALTER TABLE lane ADD COLUMN follows SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN skipped BIGINT NOT NULL DEFAULT 0;

-- That a person took back an alertgroup; `lanes` is a JSON list of whom it was taken back from, empty for all.
CREATE TABLE recall (
    id          {serial},
    alertgroup  BIGINT NOT NULL,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    lanes       TEXT NOT NULL
);
CREATE INDEX recall_alertgroup ON recall (alertgroup, id);
