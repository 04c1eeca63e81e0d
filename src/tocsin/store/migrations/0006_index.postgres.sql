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
