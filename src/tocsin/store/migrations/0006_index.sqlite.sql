-- Words as query/words.py makes them, with a ¶ between two texts; the engine's own tokeniser leaves them as they are.
CREATE VIRTUAL TABLE word_index USING fts5 (
    subject, body, cells, content='', contentless_delete=1, tokenize='ascii');
