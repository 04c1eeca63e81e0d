-- Words as query/words.py makes them, with a ¶ between two texts; the engine's own tokeniser leaves them as they are.
CREATE VIRTUAL TABLE word_index USING fts5 (
    subject, body, cells, content='', contentless_delete=1, tokenize='ascii');

-- The words of subjects alone, which this takes the place of.
DROP TABLE alertgroup_words;

-- What is asked for with A to Z as a to z.
CREATE INDEX label_folded ON label (kind, lower(value), alertgroup);
CREATE INDEX entity_folded ON entity (lower(substr(value, 1, 200)));
CREATE INDEX alertgroup_message_id ON alertgroup (lower(message_id), id) WHERE message_id <> '';
CREATE INDEX alertgroup_owner ON alertgroup (lower(owner), id) WHERE owner <> '';
