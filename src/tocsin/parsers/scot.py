"""The alertgroup as SCOT takes it: `POST /scot/api/v2/alertgroup` (SCOT 3.5 REST API, section "alertgroup")."""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from tocsin.errors import Malformed
from tocsin.model import TLP, Alert, Alertgroup, Link, Message, Micros, Status, union_of_keys
from tocsin.plugin import Parser

LATEST_S = 253_402_300_799  # 9999-12-31T23:59:59Z


class Posted(msgspec.Struct):
    """The request's fields. Unknown ones stay in the original; SCOT's plural names are understood too."""

    subject: str
    data: list[dict[str, Any]]
    message_id: str | None = None
    tag: list[str] = []
    tags: list[str] = []
    source: list[str] = []
    sources: list[str] = []
    columns: list[str] = []
    body: str | None = None
    body_plain: str | None = None
    ahrefs: list[Link] = []
    tlp: str | None = None
    groups: dict[str, list[str]] = {}
    created: int | str | None = None
    owner: str | None = None
    status: Status = Status.OPEN


class _Rows(msgspec.Struct):
    """The rows' own text, so that numbers and escapes stay as they were written."""

    data: list[msgspec.Raw]


_POSTED = msgspec.json.Decoder(Posted)
_ROWS = msgspec.json.Decoder(_Rows)


class Scot(Parser):
    """Alertgroups posted as JSON: subject, rows, tags, sources and columns."""

    order: ClassVar[int] = 90
    apart: ClassVar[bool] = False  # one pass of a strict decoder; a process more would cost more than it guards

    def claims(self, message: Message) -> bool:
        """Any JSON that was posted."""
        return message.media_type == "application/json"

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Malformed, naming the path of the value and what is wrong with it."""
        posted, texts = _decoded(message.body)
        if not posted.data:
            raise Malformed("data holds no rows - at `$.data`: give at least one object")
        alerts = tuple(
            Alert.as_received(bytes(text).decode(), cells) for text, cells in zip(texts, posted.data, strict=True)
        )
        yield Alertgroup(
            subject=_text(posted.subject, "subject"),
            alerts=alerts,
            columns=tuple(posted.columns) or union_of_keys(posted.data),
            tags=_texts(posted.tag + posted.tags, "tag"),
            sources=_texts(posted.source + posted.sources, "source"),
            tlp=_tlp(posted.tlp),
            message_id=_text((posted.message_id or "").strip(), "message_id"),
            created=_created(posted.created),
            body=_text(posted.body or "", "body"),
            body_plain=_text(posted.body_plain or "", "body_plain"),
            ahrefs=tuple(posted.ahrefs),
            groups=posted.groups,
            owner=_text(posted.owner or "", "owner"),
            status=posted.status,
        )


def _decoded(body: bytes) -> tuple[Posted, list[msgspec.Raw]]:
    try:
        return _POSTED.decode(body), _ROWS.decode(body).data
    except RecursionError:
        raise Malformed("the JSON is nested too deeply: flatten it to fewer than 1,000 levels") from None
    except msgspec.ValidationError as error:
        place = "" if " - at " in str(error) else " - at `$`"
        raise Malformed(f"{error}{place}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None


def _text(text: str, field: str) -> str:
    """Text that both engines can hold."""
    if "\0" in text:
        raise Malformed(f"the character U+0000 cannot be kept - at `$.{field}`: remove it")
    return text


def _texts(texts: list[str], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(text, f"{field}[…]") for text in texts))


def _tlp(text: str | None) -> TLP:
    try:
        return TLP(text or "")
    except ValueError:
        raise Malformed(f"unknown TLP {text!r:.40} - at `$.tlp`: one of {', '.join(TLP)}") from None


def _created(created: int | str | None) -> Micros | None:
    """SCOT's epoch seconds, as a number or its digits."""
    if created is None or created == "":
        return None
    if isinstance(created, str) and created.isascii() and created.isdigit() and len(created) <= 12:
        created = int(created)
    if not isinstance(created, int) or not 0 <= created <= LATEST_S:
        raise Malformed("not a time - at `$.created`: give whole seconds since 1970-01-01T00:00:00Z")
    return created * 1_000_000
