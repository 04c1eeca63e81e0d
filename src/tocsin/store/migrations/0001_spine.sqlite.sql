-- Words of subjects, for the page's subject filter; the text itself stays in alertgroup.
CREATE VIRTUAL TABLE alertgroup_words USING fts5 (subject, content='', contentless_delete=1, tokenize='unicode61');
