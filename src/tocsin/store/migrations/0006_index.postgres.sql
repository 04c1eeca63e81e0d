-- Words as query/words.py makes them, with a ¶ between two texts. A long text stands in parts that overlap; `words` has
-- no positions, for those end at 16,383: a phrase is looked for in `normal`.
CREATE TABLE word_index (
    alertgroup  BIGINT NOT NULL,
    field       TEXT NOT NULL,
    part        BIGINT NOT NULL,
    normal      TEXT NOT NULL,
    words       TSVECTOR NOT NULL,
    PRIMARY KEY (alertgroup, field, part)
);
CREATE INDEX word_index_words ON word_index USING gin (words);

-- Texts in the order of their bytes, whatever the database's own order is, so that an index finds a beginning.
ALTER TABLE term ALTER COLUMN key TYPE TEXT COLLATE "C", ALTER COLUMN low TYPE TEXT COLLATE "C",
    ALTER COLUMN high TYPE TEXT COLLATE "C";
ALTER TABLE entity ALTER COLUMN low TYPE TEXT COLLATE "C", ALTER COLUMN high TYPE TEXT COLLATE "C";

-- The words of subjects alone, which this takes the place of.
DROP INDEX alertgroup_words;

-- What is asked for with A to Z as a to z.
CREATE INDEX label_folded ON label (kind, lower(value COLLATE "C"), alertgroup);
CREATE INDEX entity_folded ON entity (lower(substr(value, 1, 200) COLLATE "C"));
CREATE INDEX alertgroup_message_id ON alertgroup (lower(message_id COLLATE "C"), id) WHERE message_id <> '';
CREATE INDEX alertgroup_owner ON alertgroup (lower(owner COLLATE "C"), id) WHERE owner <> '';

-- What one alertgroup has, for conditions that mean any number of values: by way of the values it took seconds.
CREATE INDEX posting_alertgroup ON posting (alertgroup, term);
CREATE INDEX sighting_alertgroup ON sighting (alertgroup, entity);
