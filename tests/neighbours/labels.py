"""Alertgroups as triage left them, flows, and a labeller that tries each flow against each alert."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import refresh
from tocsin.flows.labelling.expression import labelled
from tocsin.flows.labelling.prepared import Options, prepare
from tocsin.flows.labelling.said import transports, window
from tocsin.model import Alert, Detection, Endpoint, Judged, News, Since, Status, Triaged

S = 1_000_000
COLUMNS = {
    "place": "BIGINT", "uid": "VARCHAR", "uids": "VARCHAR[]", "start": "BIGINT", "finish": "BIGINT",
    "saddr": "VARCHAR", "daddr": "VARCHAR", "sport": "INTEGER", "dport": "INTEGER", "proto": "VARCHAR",
}  # fmt: skip


def triaged(
    id: int,
    *said: Detection,
    status: Status = Status.OPEN,
    tags: Sequence[str] = (),
    gone: bool = False,
    follows: int = 0,
    first: int = 0,
) -> Triaged:
    """An alertgroup of one alert for each detection; their ids are a hundred times its own and on."""
    alerts = tuple(
        Judged(Alert(json="{}", detection=one, id=(first or 100 * id) + n, status=status), (), follows)
        for n, one in enumerate(said)
    )
    return Triaged(id=id, status=status, tags=tuple(tags), gone=gone, alerts=alerts)


def between(source: str = "", target: str = "", **rest: Any) -> Detection:
    """A detection of two addresses; `source_ports` and `target_ports` are their ports."""
    ports = {side: tuple(rest.pop(f"{side}_ports", ())) for side in ("source", "target")}
    return Detection(
        sources=(Endpoint(addresses=(source,) if source else (), ports=ports["source"]),),
        targets=(Endpoint(addresses=(target,) if target else (), ports=ports["target"]),),
        **rest,
    )


def flow(place: int, **cells: Any) -> dict[str, Any]:
    """A row of a flow; what is not given is NULL."""
    return {**dict.fromkeys(COLUMNS), "place": place, **cells}


def told(dataset: Dataset, *groups: Triaged, anew: bool = False, **rest: Any) -> None:
    """Have the data set know of these alertgroups."""
    refresh(dataset, lambda since: [News(groups=groups, since=Since(hub="h", id=since.id + 1), anew=anew)], **rest)


def labels(
    dataset: Dataset, flows: Iterable[dict[str, Any]], options: Options | None = None, *, alertgroup: int = 0
) -> list[tuple[int, str, int | None]]:
    """Place, label and alert of each flow, as they come out."""
    options = options or Options()
    with dataset.connection() as connection:
        rows = _table(dataset.folder, flows)
        prepare(connection, dataset, options, alertgroup)
        return connection.execute(f"SELECT place, label, alert FROM {labelled(rows, options, uids=True)}").fetchall()


def _table(folder: Path, flows: Iterable[dict[str, Any]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "some.json"
    file.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in flows))
    columns = ", ".join(f"{name}: '{type}'" for name, type in COLUMNS.items())
    return f"(SELECT * FROM read_json('{file}', format = 'newline_delimited', columns = {{{columns}}}))"


def naive(
    groups: Sequence[Triaged], flows: Sequence[dict[str, Any]], options: Options
) -> list[tuple[int, str, int | None]]:
    """What `labels` must say: each flow against each alert, one by one."""
    found = []
    for each in flows:
        named = [
            (_rank(judged), judged.alert.id)
            for group in groups
            for judged in group.alerts
            if judged.alert.detection is not None and means(judged.alert.detection, each, options)
        ]
        alert = min(named)[1] if named else None
        found.append((each["place"], options.benign if alert is None else options.malicious, alert))
    return found


def _rank(judged: Judged) -> tuple[float, float, bool, int]:
    said = judged.alert.detection
    assert said is not None
    detected = said.detected if said.detected is not None else window(said)[0]
    severity = -1 if said.severity is None else said.severity
    return -severity, float("inf") if detected is None else detected, judged.follows > 0, judged.alert.id


def means(said: Detection, each: dict[str, Any], options: Options) -> bool:
    """Whether a detection names a flow."""
    if said.flow_uids:
        return bool({each["uid"], *(each["uids"] or ())} & set(said.flow_uids))
    wanted = transports(said.protocols)
    proto = "icmp" if each["proto"] == "ipv6-icmp" else each["proto"]
    if wanted and proto and proto.lower() not in wanted:
        return False
    begin, end = window(said)
    if begin is not None and end is not None:
        if each["start"] is None:
            return False
        until = max(each["start"], each["finish"] or each["start"])
        if each["start"] > end + options.tolerance_s * S or until < begin - options.tolerance_s * S:
            return False
    there = [(each["saddr"], each["sport"]), (each["daddr"], each["dport"])]
    for one, other in (there, there[::-1]):
        if any(
            _is(source, one) and _is(target, other) and (source.addresses or target.addresses)
            and (bool(source.addresses and target.addresses) or (options.one_sided and begin is not None))
            for source in said.sources for target in said.targets
        ):  # fmt: skip
            return True
    return False


def _is(end: Endpoint, there: tuple[str | None, int | None]) -> bool:
    return (not end.addresses or there[0] in end.addresses) and (not end.ports or there[1] in end.ports)
