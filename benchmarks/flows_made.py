"""Flows to measure with: logs as Zeek writes them, and what alerts say of them; the same for the same numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from tocsin.model import Alert, Detection, Endpoint, Judged, News, Since, Status, Triaged

BEGIN = 1_772_000_000_000_000
EACH = 17_280
"""Microseconds from one flow to the next: five million a day."""
HTTP = 10
"""Every so many flows has a transaction of http."""
UIDS = 3
"""So many flows an alert names by their uids, where it does; others name two addresses, a port and ten seconds."""
IN_GROUP = 10

CONN = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state"
    " local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"
)
LOG = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version user_agent"
    " request_body_len response_body_len status_code status_msg resp_fuids resp_mime_types"
)


def made(first: int, last: int, step: int = 1) -> str:
    """SQL for flows by their numbers: 5,000 hosts of ours, 200,000 others, one in twenty over IPv6."""
    return f"""
SELECT i, {BEGIN} + i * {EACH} + h % 1000 AS start,
    'C' || left(translate(base64(unhex(md5(i::VARCHAR))), '+/=', 'xyz'), 17) AS uid,
    CASE WHEN i % 20 = 7 THEN printf('2001:db8::%x', h // 7 % 5000) ELSE
        '10.0.' || (h // 7 % 5000) // 200 || '.' || (h // 7 % 5000) % 200 + 1 END AS saddr,
    1024 + h // 11 % 60000 AS sport,
    CASE WHEN i % 20 = 7 THEN printf('2001:db8:1::%x', h // 13 % 200000) ELSE
        '203.' || (h // 13 % 200000) // 2500 || '.' || (h // 13 % 200000) // 250 % 10 || '.'
        || (h // 13 % 200000) % 250 + 1 END AS daddr,
    CASE WHEN i % {HTTP} = 3 THEN 80 ELSE [443, 53, 22, 443, 8080, 53, 123, 445][1 + h // 17 % 8] END AS dport,
    CASE WHEN dport IN (53, 123) THEN 'udp' ELSE 'tcp' END AS proto,
    CASE dport WHEN 80 THEN 'http' WHEN 443 THEN 'ssl' WHEN 53 THEN 'dns' WHEN 22 THEN 'ssh' ELSE '-' END AS service,
    h // 19 % 30000000 AS dur, h // 23 % 50000 AS sbytes, h // 29 % 2000000 AS dbytes,
    ['SF', 'S0', 'SF', 'REJ', 'SF', 'RSTO', 'SF', 'OTH'][1 + h // 31 % 8] AS state, h
FROM (SELECT range AS i, (hash(range) & 1152921504606846975)::BIGINT AS h FROM range({first}, {last}, {step}))
"""


def logs(flows: int, folder: Path) -> int:
    """Write conn.log and http.log; how many lines of flows those are."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '600MB'; SET enable_progress_bar = false")
        seconds = "(start // 1000000) || '.' || lpad((start % 1000000)::VARCHAR, 6, '0')"
        ends = f"{seconds}, uid, saddr, sport, daddr, dport"
        conn = (
            f"SELECT {ends}, proto, service, (dur // 1000000) || '.' || lpad((dur % 1000000)::VARCHAR, 6, '0'),"
            " sbytes, dbytes, state, 'T', 'F', 0, 'ShADadFf', 1 + sbytes // 900, 40 + sbytes, 1 + dbytes // 1400,"
            f" 40 + dbytes, '-' FROM ({made(0, flows)})"
        )
        http = (
            f"SELECT {ends}, 1, 'GET', 'host' || h % 9000 || '.example', '/path/' || h % 77777 || '?q=' || h % 9, '-',"
            " '1.1', 'Mozilla/5.0 (X11; Linux x86_64) Example/' || h % 60, 0, dbytes, 200, 'OK',"
            f" 'F' || substr(uid, 2), 'text/html' FROM ({made(3, flows, HTTP)})"
        )
        return sum(
            _written(connection, query, name, names, folder)
            for query, name, names in ((conn, "conn", CONN), (http, "http", LOG))
        )


def _written(connection: duckdb.DuckDBPyConnection, query: str, name: str, names: str, folder: Path) -> int:
    fields = "\t".join(names.split())
    head = f"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{name}\n#fields\t"
    (count,) = connection.execute(
        f"COPY ({query}) TO '{folder / name}.log'"
        " (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '', PREFIX ?, SUFFIX '\n#close\n')",
        [f"{head}{fields}\n"],
    ).fetchall()[0]
    return int(count)


def news(flows: int, detections: int) -> Iterator[News]:
    """What alerts say: half of them name uids, half two addresses; spread over all the time."""
    step = max(1, flows // detections)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT saddr, daddr, dport, proto, start FROM ({made(0, flows, step)}) ORDER BY i LIMIT {detections}"
        ).fetchall()
        more = connection.execute(
            f"SELECT list(uid ORDER BY i) FROM ({made(0, flows, step)}) GROUP BY i // {UIDS * step} ORDER BY min(i)"
        ).fetchall()
    said = [_said(number, row, more) for number, row in enumerate(rows)]
    groups = tuple(
        Triaged(
            id=1 + at // IN_GROUP,
            status=Status.OPEN,
            alerts=tuple(
                Judged(Alert(json="{}", detection=one, id=1 + at + number))
                for number, one in enumerate(said[at : at + IN_GROUP])
            ),
        )
        for at in range(0, len(said), IN_GROUP)
    )
    yield News(groups=groups, since=Since(hub="benchmark", id=len(groups)))


def _said(number: int, row: tuple[Any, ...], more: list[tuple[list[str]]]) -> Detection:
    saddr, daddr, dport, proto, start = row
    if number % 2:
        return Detection(
            category="Reconnaissance",
            detected=start,
            start=start - 5_000_000,
            end=start + 5_000_000,
            sources=(Endpoint(addresses=(saddr,)),),
            targets=(Endpoint(addresses=(daddr,), ports=(dport,)),),
            protocols=(proto,),
        )
    uids = more[number // 2 % len(more)][0]
    return Detection(category="Malware", detected=start, flow_uids=tuple(uids))
