-- The open alertgroups in any order: without these, the oldest open one stands behind all that were closed before.
CREATE INDEX alertgroup_status_subject ON alertgroup (status, subject, id);
CREATE INDEX alertgroup_status_updated ON alertgroup (status, updated, id);
CREATE INDEX alertgroup_status_created ON alertgroup (status, created, id);
CREATE INDEX alertgroup_status_alert_count ON alertgroup (status, alert_count, id);
CREATE INDEX alertgroup_status_views ON alertgroup (status, views, id);
-- Those of some hours or days, whatever they are sorted by.
CREATE INDEX alertgroup_received ON alertgroup (received, id);
