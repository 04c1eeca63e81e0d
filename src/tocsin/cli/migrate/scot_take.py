"""SCOT's alertgroups carried over: through the real door one by one, then their triage; how far is kept in a file.

The file says only where to go on. What was carried over twice is known again by the door: by its message id, or where
it has none by SCOT's own id.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tocsin.cli.door import Door
from tocsin.cli.migrate.scot_api import Group, Scot
from tocsin.errors import Malformed, TocsinError

FILE_NAME = "migrate-scot.json"
LABEL = "migrated from scot"
"""Every alertgroup gets it as a source, beside its own; the silence holds on to it."""
SILENCE = "Migrated from SCOT"
POSTS, SILENCES = "/api/v2/alertgroup", "/api/v2/silence"


class Taken(NamedTuple):
    """What became of an alertgroup: SCOT's id, ours (more where the door cut it), or why it stands in quarantine."""

    scot: int
    ours: tuple[int, ...]
    quarantined: str = ""


class Place:
    """How far each SCOT was read: the highest id of which nothing is left to do."""

    def __init__(self, data: Path, url: str) -> None:
        """Raises Malformed: the file is none of ours; OSError."""
        self._file, self._url = data / FILE_NAME, url
        try:
            self._all: dict[str, int] = msgspec.json.decode(self._file.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            self._all = {}
        except msgspec.DecodeError:
            raise Malformed(f"{self._file} says nothing of a migration: move it away to begin again") from None

    @property
    def last(self) -> int:
        """SCOT's id."""
        return self._all.get(self._url, 0)

    def keep(self, id: int) -> None:
        """Everything up to this id is done. Raises OSError."""
        self._all[self._url] = id
        beside = self._file.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(self._all))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)


def carry(door: Door, scot: Scot, place: Place, left_out: Sequence[int], tell: Callable[[Taken], None]) -> None:
    """Everything behind the place. Raises TocsinError with the id of what was not taken; OSError."""
    for group in scot.groups(place.last):
        if group.id not in left_out:
            try:
                taken = _stored(door, scot.url, group)
                if taken.ours:
                    _triaged(door, taken.ours, group)
            except TocsinError as error:
                raise TocsinError(
                    f"alertgroup {group.id} of SCOT was not taken: {error}. Call again to go on with it; "
                    f"--leave-out {group.id} goes on without it"
                ) from error
            tell(taken)
        place.keep(group.id)


def silenced(door: Door) -> int:
    """The id of the silence that holds back what is migrated; made where none stands. Raises TocsinError."""
    for each in door.ask("GET", SILENCES)["records"]:
        if each["name"] == SILENCE and each["state"] == "standing":
            return int(each["id"])
    wish = {"name": SILENCE, "query": f'source:"{LABEL}"', "reason": "tocsin migrate scot: what is old is not sent"}
    return int(door.ask("POST", SILENCES, wish)["id"])


def heard(door: Door, silence: int) -> None:
    """End the silence. Raises TocsinError."""
    door.ask("POST", f"{SILENCES}/{silence}/end")


def _stored(door: Door, url: str, group: Group) -> Taken:
    post = group.post
    post["source"] = [*post["source"], LABEL]
    key = f"scot:{urlsplit(url).netloc}:{group.id}"[:255]
    answer = door.hand_over(POSTS, msgspec.json.encode(post, order="deterministic"), "application/json", key)
    if isinstance(answer, dict) and answer.get("status") == "quarantined":
        return Taken(group.id, (), quarantined=str(answer["error_msg"]))
    answers = answer if isinstance(answer, list) else [answer]
    return Taken(group.id, tuple(int(each["id"]) for each in answers))


def _triaged(door: Door, ours: Sequence[int], group: Group) -> None:
    """Give the alerts their status, tags and owner. What was decided here already stays."""
    statuses = group.statuses
    for id in ours:
        alerts = door.ask("GET", f"{POSTS}/{id}/alert")["records"]
        mine, statuses = statuses[: len(alerts)], statuses[len(alerts) :]
        change: dict[str, Any] = {}
        wanted = [
            {"id": alert["id"], "status": status}
            for alert, status in zip(alerts, mine, strict=False)
            if alert["status"] == "open" and status != "open"
        ]
        if wanted:
            change["alerts"] = wanted
        (record,) = door.ask("GET", f"{POSTS}?id={id}&columns=tag&columns=owner")["records"]
        change |= _labels(record, group)
        if change:
            door.ask("PUT", f"{POSTS}/{id}", change)


def _labels(record: Mapping[str, Any], group: Group) -> dict[str, Any]:
    change: dict[str, Any] = {}
    tags = [tag[:500] for tag in group.tags if tag[:500] not in record["tag"]]
    if tags:
        change["tag"] = [*record["tag"], *dict.fromkeys(tags)]
    if group.owner and not record["owner"]:
        change["owner"] = group.owner
    return change
