"""What a PUT may say: read, checked whole, and only then applied; no field can be forged."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec

from tocsin.errors import Malformed
from tocsin.model import TLP, Status

T = TypeVar("T")

LabelText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Labels = Annotated[list[LabelText], msgspec.Meta(max_length=1000)]
AnyId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class OneOfMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One alert of a bulk change; `closed` is what SCOT's pages send along and says nothing new."""

    id: AnyId
    status: Status
    closed: int | None = None


class AlertgroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """What may be changed of an alertgroup: `status` for all alerts, `alerts` (or `data`) for some of them.

    The status `undelete` brings a deleted alertgroup back.
    """

    status: Literal["open", "closed", "promoted", "undelete"] | msgspec.UnsetType = msgspec.UNSET
    alerts: list[OneOfMany] | msgspec.UnsetType = msgspec.UNSET
    data: list[OneOfMany] | msgspec.UnsetType = msgspec.UNSET
    tag: Labels | msgspec.UnsetType = msgspec.UNSET
    tags: Labels | msgspec.UnsetType = msgspec.UNSET
    source: Labels | msgspec.UnsetType = msgspec.UNSET
    sources: Labels | msgspec.UnsetType = msgspec.UNSET
    tlp: str | msgspec.UnsetType = msgspec.UNSET
    owner: Annotated[str, msgspec.Meta(max_length=500)] | msgspec.UnsetType = msgspec.UNSET


class AlertChange(msgspec.Struct, frozen=True, kw_only=True):
    """What may be changed of an alert; `data` replaces the whole row."""

    status: Status | msgspec.UnsetType = msgspec.UNSET
    tag: Labels | msgspec.UnsetType = msgspec.UNSET
    tags: Labels | msgspec.UnsetType = msgspec.UNSET
    data: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Undelete(msgspec.Struct, frozen=True):
    """SCOT's way to bring something deleted back."""

    status: Literal["undelete"]


_COUNTED = "is counted by Tocsin"
_RECEIVED = "stays as it was received"
_OWN = "is kept by Tocsin"
_KEPT_OF_BOTH: Mapping[str, str] = {
    **dict.fromkeys(("subject", "message_id", "columns", "created", "when", "ahrefs", "groups"), _RECEIVED),
    **dict.fromkeys(("body", "body_plain", "body_flair"), _RECEIVED),
    **dict.fromkeys(("id", "location", "updated", "parsed", "promotion_id", "message", "repeats", "severity"), _OWN),
    "entry_count": _COUNTED,
    "csrf_token": "is for the door alone",
}
KEPT_OF_ALERTGROUP: Mapping[str, str] = {
    **_KEPT_OF_BOTH,
    **dict.fromkeys(("alert_count", "open_count", "closed_count", "promoted_count", "views"), _COUNTED),
    **dict.fromkeys(("view_history", "firstview", "folded_into", "seen", "last_seen", "gathered"), _OWN),
}
KEPT_OF_ALERT: Mapping[str, str] = {
    **_KEPT_OF_BOTH,
    **dict.fromkeys(("alertgroup", "data_with_flair"), _OWN),
    **dict.fromkeys(("owner", "tlp"), "is the alertgroup's: change it there"),
}


def read_change(body: bytes, into: type[T], kept: Mapping[str, str]) -> tuple[T, dict[str, str]]:
    """The change, and the fields that are ignored with the reason why.

    Raises:
        Malformed: not a JSON object, a field nobody knows, or a bad value; the text names the place.
    """
    fields = decoded_as(body, dict[str, msgspec.Raw])
    if "promote" in fields:
        raise Malformed("`promote` is not offered: set the status to promoted instead.")
    settable = msgspec.structs.fields(into)  # type: ignore[arg-type]  # every `into` here is a Struct
    names = [field.name for field in settable]
    for name in fields:
        if name not in names and name not in kept:
            raise Malformed(f"There is no field `$.{name[:60]}` to change: use {', '.join(names)}.")
    ignored = {name: kept[name] for name in fields if name in kept}
    return decoded_as(body, into), ignored


def decoded_as(body: bytes, into: type[T]) -> T:
    """A JSON body of this type. Raises Malformed, naming the place."""
    try:
        return msgspec.json.decode(body, type=into)
    except RecursionError:
        raise Malformed("The JSON is nested too deeply.") from None
    except msgspec.ValidationError as error:
        raise Malformed(f"The body cannot be taken: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def labels_of(plain: list[str] | msgspec.UnsetType, plural: list[str] | msgspec.UnsetType) -> list[str] | None:
    """The labels under either spelling; None when neither is given. Raises Malformed."""
    if plain is not msgspec.UNSET and plural is not msgspec.UNSET and plain != plural:
        raise Malformed("Give `tag` or `tags` (`source` or `sources`), not both with different values.")
    labels = plain if plain is not msgspec.UNSET else plural
    if labels is msgspec.UNSET:
        return None
    assert isinstance(labels, list)
    for label in labels:
        sayable(label, "A tag or source")
    return list(dict.fromkeys(labels))


def sayable(text: str, what: str) -> str:
    """The text, if it can be kept: no NUL. Raises Malformed."""
    if "\x00" in text:
        raise Malformed(f"{what} holds a NUL character: leave it out.")
    return text


def tlp_of(text: str) -> TLP:
    """A traffic light in any spelling. Raises Malformed."""
    try:
        return TLP(text)
    except ValueError:
        raise Malformed(f"`$.tlp` is {text[:40]!r}: write one of {', '.join(TLP)}.") from None


def by_status(change: AlertgroupChange) -> dict[Status, list[int]]:
    """The alerts of a bulk change by the status they shall have. Raises Malformed."""
    given = [listed for listed in (change.alerts, change.data) if not isinstance(listed, msgspec.UnsetType)]
    wanted: dict[int, Status] = {}
    for one in (one for listed in given for one in listed):
        if wanted.setdefault(one.id, one.status) is not one.status:
            raise Malformed(f"Alert {one.id} is listed with two different statuses.")
    if given and change.status is not msgspec.UNSET:
        raise Malformed("Give `status` for all alerts or `alerts` for some of them, not both.")
    statuses: dict[Status, list[int]] = {}
    for id, status in wanted.items():
        statuses.setdefault(status, []).append(id)
    return statuses
