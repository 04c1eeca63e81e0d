"""The page `/alerts/ID/shared/LANE`: ours beside what they get, every difference marked with a word."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.formats import group_json
from tocsin.model import TLP, Alert, Alertgroup
from tocsin.sharing import Profile, Redaction, Withheld
from tocsin.web.pages.drawing import draw
from tocsin.web.shares import Share, share_of
from tocsin.web.state import web_of

ROWS = 20
LONGEST = 20_000
"""Characters of a text that are shown; of the documents, ten times as many."""


class Pair(NamedTuple):
    """One thing on both sides; `mark` is "", changed or left out, `theirs_name` what its name has become."""

    name: str
    ours: str
    theirs: str
    mark: str
    theirs_name: str = ""


class Part(NamedTuple):
    """A part of the comparison."""

    name: str
    pairs: list[Pair]


def shared(request: Request) -> Response:
    """GET /alerts/ID/shared/LANE."""
    share = share_of(request)
    theirs = share.made if isinstance(share.made, Alertgroup) else None
    parts: list[Part] = []
    if theirs is not None:
        parts = _parts(share.ours, theirs, web_of(request).hub.gate.redaction(share.lane))
    return draw(
        request,
        "shared.html",
        here="alerts",
        share=share,
        group=share.ours,
        remedies=_remedies(share) if isinstance(share.made, Withheld) else [],
        taken_out=[] if share.profile is None else _taken_out(share.profile),
        parts=parts,
        differing=sum(bool(pair.mark) for part in parts for pair in part.pairs),
        more_rows=max(0, len(share.ours.alerts) - ROWS),
        documents=[] if theirs is None else [("What they get", _written(theirs)), ("Ours", _written(share.ours))],
    )


def _written(group: Alertgroup) -> str:
    text = msgspec.json.format(group_json.document(group), indent=2).decode()
    return text if len(text) <= 10 * LONGEST else f"{text[: 10 * LONGEST]}\n… {len(text):,} characters in all"


def _remedies(share: Share) -> list[str]:
    """What would have to change."""
    up_to, lane = share.clearance.upper(), share.lane
    if share.ours.tlp is TLP.UNSET:
        first = (
            f"its sender marks such alertgroups {up_to} or less guarded, or [sharing] unmarked or by_source in "
            f"tocsin.toml lets those without TLP count as that"
        )
    else:
        first = f"its sender marks such alertgroups {up_to} or less guarded"
    return [first, f'clearance = "{share.tlp.value}" in [destinations.{lane}], if {lane} may have what is so marked']


def _taken_out(profile: Profile) -> list[str]:
    """What a profile takes out, in words."""
    instead = "pseudonyms in place of" if profile.way == "pseudonym" else "[redacted] in place of"
    mails = {"": "", "own": "own mail addresses", "all": "all mail addresses"}[profile.mail]
    hidden = [
        f"addresses of {', '.join(profile.networks)}" if profile.networks else "",
        f"hosts and mail addresses under {', '.join(profile.domains)}" if profile.domains else "",
        "names of users" if profile.users else "",
        mails,
    ]
    left_out = [
        f"columns and keys {', '.join(profile.columns)}" if profile.columns else "",
        "the text that came with it" if profile.bodies else "",
        "links back to the detector" if profile.links else "",
    ]
    told = [f"{instead} {one}" for one in hidden if one] + [f"without {one}" for one in left_out if one]
    return [*told, "without the groups that may read or change it here", "passwords and positions never leave"]


def _parts(ours: Alertgroup, theirs: Alertgroup, redaction: Redaction | None) -> list[Part]:
    parts = [Part("Facts", list(_pairs(_facts(ours), _facts(theirs))))]
    for place, (own, shown) in enumerate(zip(ours.alerts[:ROWS], theirs.alerts[:ROWS], strict=True), 1):
        parts.append(Part(f"Row {place}", [*_cells(own, shown, redaction), *_pairs(_said(own), _said(shown))]))
    texts = [{"Text": one.body_plain[:LONGEST], "HTML": one.body[:LONGEST]} for one in (ours, theirs)]
    return [*parts, Part("The text that came with it", list(_pairs(*texts)))]


def _facts(group: Alertgroup) -> dict[str, str]:
    return {
        "Subject": group.subject,
        "TLP": group.tlp.value,
        "Status": group.status.value,
        "Sources": ", ".join(group.sources),
        "Tags": ", ".join(group.tags),
        "Columns": ", ".join(group.columns),
        "Message id": group.message_id,
        "Owner": group.owner,
        "Groups": _text(group.groups) if group.groups else "",
        "Links": "\n".join(f"{one.subject} {one.link}" for one in group.ahrefs),
    }


def _pairs(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Pair]:
    for name, own in ours.items():
        if own or theirs.get(name):
            yield _pair(name, own, theirs.get(name, ""))


def _pair(name: str, own: str, shown: str, theirs_name: str = "") -> Pair:
    mark = "" if own == shown and not theirs_name else "changed" if shown else "left out"
    return Pair(name, own, shown, mark, theirs_name)


def _cells(own: Alert, shown: Alert, redaction: Redaction | None) -> Iterator[Pair]:
    """The cells side by side. Names may have changed, their order has not."""
    names = list(own.data)
    kept: Sequence[str] = [name for name in names if redaction is None or not redaction.leaves_out(name)]
    became = dict(zip_longest(kept, shown.data, fillvalue=""))
    for name in names:
        theirs = became.get(name)
        if theirs is None:
            yield Pair(name, _text(own.data[name]), "", "left out")
        else:
            told = _text(own.data[name]), _text(shown.data.get(theirs))
            yield _pair(name, *told, theirs if theirs != name else "")


def _said(alert: Alert) -> dict[str, str]:
    """The detection read from a row, as partners are told it."""
    if alert.detection is None:
        return {}
    told = msgspec.to_builtins(group_json.meaning(alert.detection))
    return {f"read as {name}": _text(value) for name, value in told.items()}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return text[:LONGEST]
