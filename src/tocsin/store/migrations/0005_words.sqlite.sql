-- The beginnings of words, for a filter that is asked at every letter typed: two to four letters stand in many words.
DROP TABLE alertgroup_words;
CREATE VIRTUAL TABLE alertgroup_words USING fts5 (
    subject, content='', contentless_delete=1, tokenize='unicode61', prefix='2 3 4');
INSERT INTO alertgroup_words (rowid, subject) SELECT id, subject FROM alertgroup;
