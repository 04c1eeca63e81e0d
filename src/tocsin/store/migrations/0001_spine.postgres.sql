-- Words of subjects, for the page's subject filter.
CREATE INDEX alertgroup_words ON alertgroup USING gin (to_tsvector('simple', subject));
