"""The description of the API, made of the table of routes and of the types its routes take and answer (OpenAPI 3.1)."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Any, get_args

import msgspec

from tocsin import __version__
from tocsin.kit.letter import MAIL
from tocsin.web.api.described import DESCRIPTIONS, Description
from tocsin.web.door import Route

REF = "#/components/schemas/{name}"
MAY_BE_RESTRICTED = ("AlertRecord", "AlertgroupRecord", "Alertgroup")
"""Records of which `columns` may ask for some fields only, so none of them is promised."""

SUMMARY = """Receive, read and triage security alerts. The routes of alertgroups and alerts are those of SCOT 3.5.

Every address is also served under `/scot`. Times are whole seconds since 1970-01-01T00:00:00Z. An error is a
sentence for the person who reads it, in `error_msg`.
"""


class Error(msgspec.Struct, frozen=True):
    """What went wrong, and what to do."""

    error_msg: str


class NotKnown(msgspec.Struct, frozen=True):
    """Nobody known is asking; SCOT's own words for it."""

    error: str
    csrf: str
    error_msg: str


BYTES: Mapping[str, Any] = {MAIL: {}, "application/octet-stream": {}}
"""What may be posted where bytes are taken as they are."""

SECURITY: Mapping[str, Mapping[str, str]] = {
    "apikey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "An API key: `Authorization: apikey KEY`.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key as `Authorization: Bearer KEY`."},
    "basic": {"type": "http", "scheme": "basic", "description": "Name and password of an account."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "tocsin_session",
        "description": "The pages' session; whatever changes something also needs its token in `X-CSRF-Token`.",
    },
}
_ERRORS: Mapping[int, str] = {
    400: "The request cannot be read; the sentence says where and what to write instead.",
    401: "Nobody known is asking.",
    403: "The role does not allow it, or the CSRF token is missing.",
    404: "There is no such thing.",
    409: "It stands in the way of what is there already.",
    413: "More bytes or rows than the limit.",
    415: "The body is packed (Content-Encoding).",
    422: "The query cannot be read or takes too long; the sentence says at which character and what to write instead.",
    429: "Too many failed sign-ins; Retry-After says when to come again.",
    500: "A fault of Tocsin; its log says more.",
    501: "What reads flows is not installed; the sentence says how to install it.",
    503: "The store cannot keep up or cannot write; Retry-After says when to come again.",
}
_PLACE = re.compile(r"\{(\w+)(:\w+)?\}")


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole description, of the routes that describe themselves."""
    told = [(route, DESCRIPTIONS[route.handler]) for route in routes if route.handler in DESCRIPTIONS]
    types = list(_types(description for _, description in told))
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    by_type = _Schemas(zip(map(repr, types), schemas, strict=True))
    for name in MAY_BE_RESTRICTED:
        components[name].pop("required", None)
    paths: dict[str, dict[str, Any]] = {}
    for route, description in told:
        path = _PLACE.sub(r"{\1}", route.path)
        for method in route.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(route, method, description, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin", "version": __version__, "description": SUMMARY},
        "servers": [{"url": "/"}, {"url": "/scot"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY},
    }


def _types(descriptions: Iterable[Description]) -> Iterable[Any]:
    seen: dict[str, Any] = {repr(one): one for one in (Error, NotKnown)}
    for description in descriptions:
        for one in (description.answer, description.body, *description.more.values()):
            if one not in (None, bytes, str):
                seen |= {repr(part): part for part in _parts(one)}
    return seen.values()


def _parts(one: Any) -> tuple[Any, ...]:
    """The types of a union, which are described one by one."""
    return get_args(one) if isinstance(one, UnionType) else (one,)


class _Schemas(dict[str, Any]):
    """Schemas by the text of their type."""

    def of(self, one: Any) -> Any:
        """The schema of a type or a union of them."""
        found = [self[repr(part)] for part in _parts(one)]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _operation(route: Route, method: str, told: Description, schemas: _Schemas) -> dict[str, Any]:
    needs = "No key is needed." if route.role == "none" else f"Needs the role {route.role}."
    operation: dict[str, Any] = {
        "operationId": _operation_id(route, method),
        "summary": told.summary,
        "description": needs,
        "parameters": [*_path_parameters(route), *_parameters(told)],
        "responses": _responses(route, told, schemas),
        "security": [] if route.role == "none" else [{name: []} for name in SECURITY],
    }
    if told.body is not None:
        content = BYTES if told.body is bytes else {"application/json": {"schema": schemas.of(told.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(route: Route, method: str) -> str:
    return f"{method.lower()}{re.sub(r'[^a-z0-9]+', '_', route.path.removeprefix('/api/v2').lower()).rstrip('_')}"


def _path_parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name, _ in _PLACE.findall(route.path):
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if name == "id":
            schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
            if route.path.endswith("/alertgroup/{id}") and "GET" in route.methods:
                schema = {"anyOf": [schema, {"const": "maxid"}]}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters(told: Description) -> Iterable[dict[str, Any]]:
    for one in told.parameters:
        yield {"name": one.name, "in": one.place, "description": one.text, "schema": dict(one.schema)}


def _responses(route: Route, told: Description, schemas: _Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {str(told.status): _good(told.answer, told.media, schemas)}
    for status, answer in told.more.items():
        found[str(status)] = _good(answer, "application/json", schemas) | {"description": inspect.getdoc(answer)}
    errors = {400, 500, 503}
    if route.role != "none" or route.path.endswith("/whoami"):
        errors |= {401, 403, 429}
    if "{" in route.path:
        errors.add(404)
    if told.body not in (None, bytes):
        errors.add(413)
    errors.update(told.errors)
    for status in sorted(errors - {told.status, *told.more}):
        known = schemas.of(NotKnown if status == 401 else Error)
        found[str(status)] = {"description": _ERRORS[status], "content": {"application/json": {"schema": known}}}
    return found


def _good(answer: Any, media: str, schemas: _Schemas) -> dict[str, Any]:
    if answer is bytes:
        return {"description": "The bytes.", "content": {media: {}}}
    schema = {"type": "string"} if answer is str else schemas.of(answer)
    return {"description": "Done.", "content": {media: {"schema": schema}}}
