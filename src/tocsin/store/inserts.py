"""The statements that store a batch, one a table, each over the rows of that table as JSON (see `append.Rows`)."""

MESSAGES = """
INSERT INTO message (id, source, sender, message_id, thread, hash, size, media_type, received, state, parser,
                     parser_version, reason)
SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
       CAST(value ->> 6 AS BIGINT), value ->> 7, CAST(value ->> 8 AS BIGINT), value ->> 9, value ->> 10,
       value ->> 11, value ->> 12
FROM {each:rows}"""

GROUPS = """
INSERT INTO alertgroup (id, message, subject, columns, status, alert_count, open_count, closed_count, promoted_count,
                        severity, tlp, owner, groups, sources, tags, message_id, repeats, ahrefs, received, created,
                        updated, folded_into, gathered)
SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4,
       CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT),
       CAST(value ->> 8 AS BIGINT), CAST(value ->> 9 AS BIGINT), value ->> 10, value ->> 11, value ->> 12,
       value ->> 13, value ->> 14, value ->> 15, CAST(value ->> 16 AS BIGINT), value ->> 17,
       CAST(value ->> 18 AS BIGINT), CAST(value ->> 19 AS BIGINT), CAST(value ->> 20 AS BIGINT),
       CAST(value ->> 21 AS BIGINT), value ->> 22
FROM {each:rows}"""

TEXTS = """
INSERT INTO alertgroup_text (alertgroup, body, body_plain)
SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2 FROM {each:rows}"""

# An alert is its row's text, or text and detection. What all alerts of a group share is read once for all of them.
_OF_GROUPS = """
WITH g AS MATERIALIZED (
    SELECT CAST(value ->> 0 AS BIGINT) AS first, CAST(value ->> 1 AS BIGINT) AS alertgroup, value ->> 2 AS status,
           CAST(value ->> 3 AS BIGINT) AS updated, value -> 4 AS cells
    FROM {each:rows})
INSERT INTO alert (id, alertgroup, status, data, detection, updated)"""
ALERTS = {
    "sqlite": f"""{_OF_GROUPS}
SELECT g.first + a.key, g.alertgroup, g.status, CASE a.type WHEN 'text' THEN a.value ELSE a.value ->> 0 END,
       CASE a.type WHEN 'array' THEN a.value ->> 1 END, g.updated
FROM g, json_each(g.cells) AS a""",
    "postgres": f"""{_OF_GROUPS}
SELECT g.first + a.n - 1, g.alertgroup, g.status,
       CASE json_typeof(a.cell) WHEN 'string' THEN a.cell #>> '{{}}' ELSE a.cell ->> 0 END,
       CASE json_typeof(a.cell) WHEN 'array' THEN a.cell ->> 1 END, g.updated
FROM g, json_array_elements(g.cells) WITH ORDINALITY AS a (cell, n)""",
}

LABELS = """
INSERT INTO label (kind, value, alertgroup)
SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM {each:rows}"""

DELIVERIES = """
INSERT INTO delivery (id, alertgroup, lane, state, attempt, due, lease, created)
SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 5, 0,
       CAST(value ->> 4 AS BIGINT), 0, CAST(value ->> 3 AS BIGINT)
FROM {each:rows}"""
