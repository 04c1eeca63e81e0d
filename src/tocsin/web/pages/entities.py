"""What is known of an entity: a page that takes any spelling, a panel beside a text; and all of an alertgroup."""

import re
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tocsin.entities import Known
from tocsin.errors import NotFound
from tocsin.model import Entity
from tocsin.query.values import quoted
from tocsin.store import alertgroup, entity
from tocsin.store.engine import Tx
from tocsin.store.entity import Standing
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.drawing import draw, piece, target_of
from tocsin.web.pages.flowing import any_of, host_url
from tocsin.web.pages.marking import address_of, is_own, own_words, type_words
from tocsin.web.pages.section import MOST, section_of
from tocsin.web.reading import query_of
from tocsin.web.state import known_of, path_id

NEWEST = 20
PAGE = 100
_HTTP = re.compile(r"^([hH])[tT]{2}([pP][sS]?:)")


class About(NamedTuple):
    """An entity as its page shows it. `known` is None where it stands nowhere; `more` leads to further alertgroups."""

    type: str
    type_words: str
    value: str
    defanged: str
    own: str
    known: entity.Known | None
    groups: list[Standing]
    others: int
    address: str
    search: str
    words: str
    more: str


def defanged(type: str, value: str) -> str:
    """The value with its address made harmless, so that nothing turns it into a link."""
    match type:
        case "ipv4" | "domain":
            return value.replace(".", "[.]")
        case "ipv6":
            return value.replace(":", "[:]", 1).replace(".", "[.]")
        case "cidr":
            return value.replace(".", "[.]") if "." in value else value.replace(":", "[:]", 1)
        case "email":
            return value.replace("@", "[@]").replace(".", "[.]")
        case "url":
            scheme, _, rest = value.partition("//")
            host, slash, path = rest.partition("/")
            return _HTTP.sub(r"\1xx\2", scheme) + "//" + host.replace(".", "[.]") + slash + path
    return value


def _about(tx: Tx, found: entity.Known, known: Known, *, limit: int, after: int | None, beside: int) -> About:
    groups = entity.groups_of(tx, found.id, limit + 1, after, beside)
    more = f"{address_of(found)}&after={groups[limit - 1].id}" if len(groups) > limit else ""
    inside = beside and entity.groups_of(tx, found.id, 1, beside + 1)
    others = found.alertgroups - bool(inside and inside[0].id == beside)
    return _described(found, known)._replace(known=found, groups=groups[:limit], others=others, more=more)


def _described(one: Entity | entity.Known, known: Known) -> About:
    return About(
        type=one.type,
        type_words=type_words(one.type),
        value=one.value,
        defanged=defanged(one.type, one.value),
        own=own_words(one.type, is_own(known, one)),
        known=None,
        groups=[],
        others=0,
        address=address_of(one),
        search=f"/alerts?{urlencode({'q': f'entity:{quoted(one.value)}'})}",
        words=f"/alerts?{urlencode({'q': quoted(one.value)})}",
        more="",
    )


def look(request: Request) -> Response:
    """GET /entity?value=…[&type=…]: the entity that a text names, or those it may name. The panel of a mark, too."""
    query, known = query_of(request), known_of(request)
    value, type = query.get("value", [""])[-1], query.get("type", [""])[-1]
    after, beside = number_of(request, "after") or None, number_of(request, "beside")
    panel = target_of(request) == "entity"

    def work(tx: Tx) -> list[About]:
        exact = entity.get(tx, entity.ours(type), value) if type else None
        found = [exact] if exact else entity.find(tx, value, type, known)
        limit = NEWEST if panel or len(found) > 1 else PAGE
        return [_about(tx, one, known, limit=limit, after=after, beside=beside) for one in found[:NEWEST]]

    found = store_of(request).read(work) if value.strip() else []
    if not found:
        asked = entity.asked(value, type, known)[:NEWEST]
        found = [_described(Entity(type=type, value=normal), known) for type, normal in asked]
    parts: dict[str, Any] = {"asked_value": value, "asked_type": type, "found": found, "beside": beside, "after": after}
    if panel:
        return piece(request, "entity_panel.html", **parts)
    parts["flows_of"] = {one.value: host_url(one.value) for one in found if _has_flows(request, one)}
    return draw(request, "entity.html", here="entities", **parts)


def _has_flows(request: Request, one: About) -> bool:
    return one.type in ("ipv4", "ipv6") and any_of(request, one.value)


def of_alertgroup(request: Request) -> Response:
    """GET /alerts/ID/entities: all of them, by type."""
    group, known = path_id(request), known_of(request)

    def work(tx: Tx) -> dict[str, Any]:
        one = alertgroup.get(tx, group)
        if one.deleted is not None:
            raise NotFound(f"Alertgroup {group} was deleted.")
        return {"group": one, "section": section_of(tx, group, known, MOST, None)}

    return draw(request, "entities_page.html", here="alerts", **store_of(request).read(work))
