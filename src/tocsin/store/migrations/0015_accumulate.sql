-- Evidence: an alertgroup that an accumulate rule gathered is kept and not sent until there is enough of its kind.
-- `gathered` is `below` until then, `raised` once it stands in an alertgroup of its own with the others; NULL: it was
-- never gathered, or a person had it sent.
ALTER TABLE alertgroup ADD COLUMN gathered TEXT;
CREATE INDEX alertgroup_gathered ON alertgroup (gathered, id) WHERE gathered IS NOT NULL;
CREATE INDEX alertgroup_standing ON alertgroup (id) WHERE gathered IS NULL;

-- By rule, width of the windows in microseconds, source address and begin of the window: what lies there now, in
-- millionths; how often enough of it was there, each time anew; the threshold of its newest evidence.
CREATE TABLE heap (
    rule       TEXT NOT NULL,
    width      BIGINT NOT NULL,
    source     TEXT NOT NULL,
    begun      BIGINT NOT NULL,
    weight     BIGINT NOT NULL,
    raised     BIGINT NOT NULL,
    threshold  BIGINT NOT NULL,
    touched    BIGINT NOT NULL,
    PRIMARY KEY (rule, width, source, begun)
) {clustered};
CREATE INDEX heap_touched ON heap (touched);

-- An alert in a heap. `turn` is how often the heap was raised before; `raised_into` the alertgroup that has its copy.
CREATE TABLE pile (
    alert        {id},
    alertgroup   BIGINT NOT NULL,
    rule         TEXT NOT NULL,
    width        BIGINT NOT NULL,
    source       TEXT NOT NULL,
    begun        BIGINT NOT NULL,
    turn         BIGINT NOT NULL,
    weight       BIGINT NOT NULL,
    raised_into  BIGINT
);
CREATE INDEX pile_heap ON pile (rule, width, source, begun, turn);
CREATE INDEX pile_alertgroup ON pile (alertgroup);
CREATE INDEX pile_raised ON pile (raised_into) WHERE raised_into IS NOT NULL;

-- What a rule gathered, and the lanes that each alertgroup would be owed to (a JSON list).
CREATE TABLE evidence (
    alertgroup  {id},
    rule        TEXT NOT NULL,
    lanes       TEXT NOT NULL
);
