-- Repeats: an alertgroup that came before, within a window, is stored whole and folded into the first of its kind.
-- `folded_into` names the first one; `seen` counts it and what is folded into it, `last_seen` is NULL where that is
-- when it was received.
ALTER TABLE alertgroup ADD COLUMN folded_into BIGINT;
ALTER TABLE alertgroup ADD COLUMN seen BIGINT NOT NULL DEFAULT 1;
ALTER TABLE alertgroup ADD COLUMN last_seen BIGINT;
CREATE INDEX alertgroup_folded ON alertgroup (folded_into, id) WHERE folded_into IS NOT NULL;

-- For each fingerprint the alertgroup that stands for it, when that and the newest repeat were received, and where any
-- of them was owed to (a JSON list). `apart`: a person said that no more of them shall be folded.
CREATE TABLE fold (
    fingerprint  TEXT PRIMARY KEY,
    first        BIGINT NOT NULL,
    begun        BIGINT NOT NULL,
    last         BIGINT NOT NULL,
    lanes        TEXT NOT NULL,
    apart        SMALLINT NOT NULL DEFAULT 0
);
CREATE INDEX fold_first ON fold (first);

-- The fingerprint of an alertgroup, as it came; for a folded one the lanes that it would be owed to.
CREATE TABLE repeat (
    alertgroup   {id},
    fingerprint  TEXT NOT NULL,
    lanes        TEXT NOT NULL
);
