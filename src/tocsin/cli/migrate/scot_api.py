"""SCOT 3 as a client reads it: its alertgroups in the order of their ids, each with its alerts and its triage.

Only lists are asked for, which count as nobody's view.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from tocsin.errors import Malformed, Rejected
from tocsin.kit import http

PAGE = 20
LARGEST_ANSWER = 512 * 1024 * 1024
STATUSES = ("open", "closed", "promoted")
FIRST_ID, LAST_ID = 0, 2**63 - 1
API = "/scot/api/v2"


class Group(NamedTuple):
    """An alertgroup of SCOT: its record and its alerts' records, as they came, in the order of their ids."""

    id: int
    record: Mapping[str, Any]
    alerts: list[dict[str, Any]]

    @property
    def post(self) -> dict[str, Any]:
        """The same for `POST /api/v2/alertgroup`: what SCOT does not change once it stands; triage is not in it.

        An alertgroup without alerts, of a mail that SCOT could not read, gets one of its text.
        """
        text = {"text": next((said for key in ("body_plain", "body", "subject") if (said := self._text(key))), "")}
        rows = [each if isinstance(each := alert.get("data"), dict) else {"data": each} for alert in self.alerts]
        links = self.record.get("ahrefs")
        ahrefs = [link for link in links if _is_link(link)] if isinstance(links, list) else []
        return {
            "subject": self._text("subject"),
            "data": rows or [text],
            "columns": _texts(self.record.get("columns")),
            "message_id": self._text("message_id").strip(),
            "source": _texts(self.record.get("source")),
            "body": self._text("body"),
            "body_plain": self._text("body_plain"),
            "ahrefs": [{"subject": link["subject"], "link": link["link"]} for link in ahrefs],
            "tlp": self._text("tlp"),
            "groups": _groups(self.record.get("groups")),
            "created": _seconds(self.record.get("created")),
            "scot": {"id": self.id, "alerts": [alert.get("id") for alert in self.alerts]},
        }

    @property
    def statuses(self) -> list[str]:
        """The status of each alert, as many as `post` has rows."""
        records: list[Mapping[str, Any]] = [*self.alerts] or [self.record]
        found = [str(each.get("status")) for each in records]
        return [each if each in STATUSES else "open" for each in found]

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return _texts(self.record.get("tag"))

    @property
    def owner(self) -> str:
        """Whose it is; empty for nobody's."""
        return self._text("owner")[:500]

    def _text(self, key: str) -> str:
        value = self.record.get(key)
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else ""


class Scot:
    """A running SCOT, asked with a key. Its certificate is verified, against `ca_file` instead of the system's."""

    def __init__(self, url: str, key: str, ca_file: Path | None, timeout_s: float = 120) -> None:
        """Raises Unavailable: `ca_file` cannot be read."""
        self.url = url.rstrip("/").removesuffix(API)
        self._key = key
        self._client = http.Client(timeout_s, ca_file, LARGEST_ANSWER)

    def count(self, after: int) -> int:
        """How many alertgroups with a higher id there are that the key may see. Raises as `groups`."""
        return int(self._list("alertgroup", {"id": f"x>{after}", "limit": "1", "columns": "id"})["totalRecordCount"])

    def groups(self, after: int) -> Iterator[Group]:
        """The alertgroups with a higher id, by their ids.

        Raises:
            Rejected: SCOT refuses the key, or what it answers is not what SCOT answers.
            Unavailable: it cannot be reached, or fails for now.
        """
        while True:
            page = self._list("alertgroup", {"id": f"x>{after}", "sort": "+id", "limit": str(PAGE)})["records"]
            if not page:
                return
            for record in page:
                id = _id(record)
                if id <= after:
                    raise Rejected(f"SCOT lists alertgroup {id} behind {after}: it does not keep to `id=x>{after}`")
                after = id
                alerts = self._list(f"alertgroup/{id}/alert", {})["records"]
                yield Group(id, record, sorted(alerts, key=_id))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _list(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        url = f"{self.url}{API}/{path}{'?' if query else ''}{urlencode(query)}"
        answer = self._client.ask("GET", url, headers={"Authorization": f"apikey {self._key}"})
        http.sort(answer, http.redacted(url))
        where = f"{http.redacted(url)} at {API}/{path}"
        if not answer.whole:
            raise Malformed(f"{where} broke off, or answered more than {LARGEST_ANSWER >> 20} MiB")
        try:
            said = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            said = None
        records = said.get("records") if isinstance(said, dict) else None
        if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
            raise Rejected(f"{where} answered no list of SCOT: is this the address of SCOT 3?")
        said.setdefault("totalRecordCount", len(records))
        return dict(said)


def _id(record: Mapping[str, Any]) -> int:
    id = record.get("id")
    if not isinstance(id, int) or isinstance(id, bool) or not FIRST_ID < id <= LAST_ID:
        raise Rejected("SCOT lists something without an id")
    return id


def _texts(given: Any) -> list[str]:
    """A list of texts, where mails of SCOT left one text or nothing."""
    listed = given if isinstance(given, list) else [given]
    return [each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in listed if isinstance(each, str) and each]


def _is_link(link: Any) -> bool:
    return isinstance(link, dict) and isinstance(link.get("subject"), str) and isinstance(link.get("link"), str)


def _groups(given: Any) -> dict[str, list[str]]:
    return {str(name): _texts(names) for name, names in given.items()} if isinstance(given, dict) else {}


def _seconds(given: Any) -> int | None:
    whole = isinstance(given, int | float) and 0 <= given <= 253_402_300_799
    return int(given) if whole else None
