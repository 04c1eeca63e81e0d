"""The records of the API: SCOT's names and shapes. Times are whole seconds since 1970; cells stand as received."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from tocsin.entities import Known, find, flair, flaired_row
from tocsin.model import TLP, Alert, Link, Micros, Status
from tocsin.store import again, alert, alertgroup, history

Cells = Annotated[
    msgspec.Raw,
    msgspec.Meta(description="The row as it was received: names and values.", extra_json_schema={"type": "object"}),
]
Count = Annotated[int, msgspec.Meta(ge=0)]
Id = Annotated[int, msgspec.Meta(ge=1)]


def seconds(at: Micros) -> int:
    """Whole seconds since 1970; -1, which stands for never, stays."""
    return at // 1_000_000


T = TypeVar("T")


class Listed(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """SCOT's envelope of a list: `totalRecordCount` counts all that match, whatever the limit."""

    records: list[T]
    query_record_count: Count
    total_record_count: Count


class View(msgspec.Struct, frozen=True):
    """When somebody looked last, and from which address."""

    when: int
    where: str


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One alert: a row of an alertgroup. What has no meaning here keeps SCOT's default.

    `data_with_flair` is filled if it is asked for: by its name in `columns`, or by `flair=1`.
    """

    id: Id
    alertgroup: Id
    subject: str
    status: Status
    columns: list[str]
    data: Cells
    data_with_flair: dict[str, Any] = {}
    tag: list[str]
    owner: str
    groups: dict[str, list[str]]
    tlp: TLP
    when: int
    created: int
    updated: int
    parsed: int = 0
    promotion_id: int = 0
    entry_count: int = 0
    location: str = ""


class AlertgroupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An alertgroup as lists have it. `when` is when it was received, `created` what its sender said.

    `message` is the message it was made of, `repeats` an earlier alertgroup that came under the same message_id with
    other content. `seen` counts it and what is folded into it, the newest of which came at `last_seen`; `folded_into`
    is the alertgroup of which it is a repeat itself. `gathered` is "below" for evidence of which there is not
    enough, and "raised" once it stands in an alertgroup made of it.
    """

    id: Id
    subject: str
    status: Status
    message_id: str
    alert_count: Count
    open_count: Count
    closed_count: Count
    promoted_count: Count
    columns: list[str]
    tag: list[str]
    source: list[str]
    tlp: TLP
    severity: int | None
    owner: str
    groups: dict[str, list[str]]
    ahrefs: list[Link]
    when: int
    created: int
    updated: int
    views: Count
    firstview: int
    message: int
    repeats: int | None
    folded_into: int | None
    seen: Count
    last_seen: int
    gathered: str | None
    parsed: int = 0
    promotion_id: int = 0
    entry_count: int = 0
    location: str = ""


class Alertgroup(AlertgroupRecord, frozen=True, kw_only=True):
    """An alertgroup with everything that belongs to it. What has SCOT's markup in it is filled if asked for."""

    body: str
    body_plain: str
    body_flair: str = ""
    subject_with_flair: str = ""
    view_history: dict[str, View]
    alerts: list[AlertRecord]


class Label(msgspec.Struct, frozen=True):
    """A tag or a source."""

    value: str


class Target(msgspec.Struct, frozen=True):
    """What a line of history is about."""

    type: str
    id: Id


class HistoryLine(msgspec.Struct, frozen=True):
    """What was done, by whom and when."""

    id: Id
    who: str
    when: int
    what: str
    target: Target
    location: str = ""


class ReadingRecord(msgspec.Struct, frozen=True):
    """What an alertgroup was before it was read again; `rows` are the texts of its rows."""

    id: Id
    parser: str
    parser_version: str
    replaced: int
    who: str
    subject: str
    columns: list[str]
    rows: list[msgspec.Raw]


class Created(msgspec.Struct, frozen=True):
    """The answer to a post."""

    id: Id
    action: str = "post"
    thing: str = "alertgroup"
    status: str = "ok"


class Changed(msgspec.Struct, frozen=True):
    """The answer to a change. `ignored` names fields that were not taken, each with the reason."""

    id: int
    status: str = "ok"
    ignored: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def listed(records: Sequence[Any], total: int, columns: Sequence[str] = ()) -> Listed[Any]:
    """SCOT's envelope; with `columns`, records hold those alone."""
    shown = [only(record, columns) for record in records] if columns else list(records)
    return Listed(shown, len(records), total)


def only(record: Any, columns: Sequence[str]) -> dict[str, Any]:
    """These columns of a record."""
    return {name: getattr(record, name) for name in columns}


def alert_record(row: alert.Row, group: alertgroup.Summary, flair_for: Known | None = None) -> AlertRecord:
    """An alert with what its group says of it; with SCOT's markup if it is said for whom."""
    return AlertRecord(
        id=row.id,
        alertgroup=row.alertgroup,
        subject=group.subject,
        status=row.status,
        columns=group.columns,
        data=msgspec.Raw(row.json),
        data_with_flair=flaired_row(Alert(json=row.json).data, flair_for) if flair_for else {},
        tag=row.tags,
        owner=group.owner,
        groups=group.groups,
        tlp=group.tlp,
        when=seconds(group.received),
        created=seconds(group.created),
        updated=seconds(row.updated),
    )


def _shared(group: alertgroup.Summary) -> dict[str, Any]:
    same = (
        *("id", "subject", "status", "message_id", "alert_count", "open_count", "closed_count", "promoted_count"),
        *("columns", "tlp", "severity", "owner", "groups", "ahrefs", "views", "message", "repeats"),
        *("folded_into", "seen", "gathered"),
    )
    taken = {name: getattr(group, name) for name in same}
    times = {name: seconds(getattr(group, name)) for name in ("created", "updated", "firstview")}
    times["last_seen"] = seconds(group.received if group.last_seen is None else group.last_seen)
    return taken | times | {"tag": group.tags, "source": group.sources, "when": seconds(group.received)}


def alertgroup_record(group: alertgroup.Summary) -> AlertgroupRecord:
    """An alertgroup for a list."""
    return AlertgroupRecord(**_shared(group))


def whole_alertgroup(
    group: alertgroup.Summary,
    texts: tuple[str, str],
    viewers: dict[str, tuple[Micros, str]],
    rows: Sequence[alert.Row],
    flair_for: Known | None = None,
) -> Alertgroup:
    """An alertgroup with everything that belongs to it; with SCOT's markup if it is said for whom."""

    def flaired(text: str) -> str:
        return f"<div>{flair(text, find(text, flair_for))}</div>" if flair_for and text else ""

    return Alertgroup(
        **_shared(group),
        body=texts[0],
        body_plain=texts[1],
        body_flair=flaired(texts[1] or texts[0]),
        subject_with_flair=flaired(group.subject),
        view_history={who: View(seconds(at), where) for who, (at, where) in viewers.items()},
        alerts=[alert_record(row, group, flair_for) for row in rows],
    )


def history_line(line: history.Line) -> HistoryLine:
    """A line of history with its target."""
    target = Target("alertgroup", line.alertgroup) if line.alert is None else Target("alert", line.alert)
    return HistoryLine(line.id, line.who, seconds(line.at), line.what, target)


def reading_record(older: again.Older) -> ReadingRecord:
    """A reading that was replaced."""
    return ReadingRecord(
        id=older.id,
        parser=older.parser,
        parser_version=older.parser_version,
        replaced=seconds(older.replaced),
        who=older.who,
        subject=older.subject,
        columns=older.columns,
        rows=older.rows,
    )
