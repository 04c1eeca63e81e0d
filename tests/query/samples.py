"""The alertgroups of src/tocsin/query/language.md as views, and the tables of its queries."""

import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

import tocsin.query
from tocsin.model import TLP, Alert, Alertgroup, Detection, Entity, Micros, Severity, Status
from tocsin.query import View

PAGE = Path(tocsin.query.__file__).parent / "language.md"
NOW = 1_777_896_000_000_000
"""2026-05-04T12:00:00Z"""


def micros(text: str) -> Micros:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@lru_cache(1)
def views() -> dict[int, View]:
    """The page's alertgroups by id."""
    found = re.search(r"```json sample\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return {one["id"]: view(one) for one in msgspec.json.decode(found[1])}


def view(one: dict[str, Any]) -> View:
    """One alertgroup as the page writes it."""
    said = [msgspec.convert(_times(detection), Detection) for detection in one["detections"]]
    group = Alertgroup(
        id=one["id"],
        subject=one["subject"],
        status=Status(one["status"]),
        alerts=tuple(
            Alert(json=msgspec.json.encode(row).decode(), detection=detection, id=one["id"] * 10 + number)
            for number, (row, detection) in enumerate(zip(one["rows"], said, strict=True))
        ),
        columns=tuple(one["columns"]),
        tags=tuple(one["tags"]),
        sources=tuple(one["sources"]),
        tlp=TLP(one["tlp"]),
        owner=one["owner"],
        message_id=one.get("message_id", ""),
        body=one.get("body", ""),
        body_plain=one.get("body_plain", ""),
        received=micros(one["received"]),
    )
    return View(
        group=group,
        severity=None if one["severity"] is None else Severity(one["severity"]),
        created=micros(one["created"]),
        updated=micros(one["received"]),
        viewed=micros(one["viewed"]) if "viewed" in one else -1,
        views=one["views"],
        repeats=one.get("repeats"),
        seen=one.get("seen", 1),
        last_seen=micros(one["last_seen"]) if "last_seen" in one else None,
        via=one["via"],
        sender=one["sender"],
        parser=one["parser"],
        entities=tuple(Entity(type=type, value=value) for type, value in one["entities"]),
        deliveries=tuple(one["deliveries"].items()),
    )


def _times(detection: dict[str, Any]) -> dict[str, Any]:
    return {name: micros(value) if name == "detected" else value for name, value in detection.items()}


def tables(header: str) -> list[tuple[str, str, str]]:
    """The first three cells of every row of the tables that begin with this header; the query without its backticks."""
    rows: list[tuple[str, str, str]] = []
    inside = False
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith(header):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            query, second, *rest = (cell.strip() for cell in line.strip("|").split("|"))
            rows.append((query.strip("`"), second, rest[0] if rest else ""))
    return rows


def found(view_of: dict[int, View], asked: Any) -> list[int]:
    """The ids of those that a predicate means."""
    return [id for id, one in view_of.items() if asked(one)]
