"""Who may come in, which plug-ins there are, a backup, and what is wrong: for administrators and the command line."""

import asyncio
import inspect
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tocsin.errors import Malformed, StoreUnavailable
from tocsin.store import Tx, access, backup
from tocsin.web.answers import Json, refusal
from tocsin.web.api import shapes
from tocsin.web.api.changes import decoded_as, sayable
from tocsin.web.api.described import described
from tocsin.web.api.shapes import Listed, seconds
from tocsin.web.auth import OPERATOR, new_key
from tocsin.web.notes import now_micros
from tocsin.web.passwords import hash_password
from tocsin.web.state import answer, body_of, principal_of, read, web_of, write

Role = Literal["partner", "sender", "viewer", "analyst", "admin"]
AccountRole = Literal["viewer", "analyst", "admin"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_PIECE = 256 * 1024
_DAY = 86_400_000_000


class KeyRecord(msgspec.Struct, frozen=True):
    """An API key; its text is shown once, when it is made."""

    id: int
    name: str
    role: Role
    created: int
    created_by: str
    last_used: int | None
    expires: int | None
    revoked: int | None


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make; without `expires_days` it never expires."""

    name: Name
    role: Role
    expires_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] | None = None


class MadeKey(msgspec.Struct, frozen=True):
    """The key's text: keep it, it cannot be shown again."""

    id: int
    name: str
    role: Role
    key: str
    status: str = "ok"


class UserRecord(msgspec.Struct, frozen=True):
    """A person who signs in."""

    name: str
    role: AccountRole
    active: bool
    created: int
    last_login: int | None


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person to let in; the password has 10 to 1,024 characters."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f:]+$")]
    role: AccountRole
    password: str


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; a new password and `active: false` end the person's sessions."""

    password: str | msgspec.UnsetType = msgspec.UNSET
    role: AccountRole | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    name: str
    status: str = "ok"


class PluginRecord(msgspec.Struct, frozen=True):
    """A plug-in: `used_as` are the names of its tables in the configuration, `broken` why it cannot be loaded."""

    kind: str
    type: str
    origin: str
    version: str
    description: str
    used_as: list[str]
    options: dict[str, Any]
    broken: str = ""


class WhoData(msgspec.Struct, frozen=True):
    """SCOT's details, and the role."""

    role: Role
    kind: str
    is_admin: int
    sensitivity: str = ""


class WhoAmI(msgspec.Struct, frozen=True):
    """Who is asking, as SCOT says it."""

    user: str
    data: WhoData


def _key(key: access.Key) -> KeyRecord:
    times = [None if at is None else seconds(at) for at in (key.last_used, key.expires, key.revoked)]
    return KeyRecord(key.id, key.name, _role(key.role), seconds(key.created), key.created_by, *times)


def _check_name(name: str) -> None:
    if name == OPERATOR:
        raise Malformed(f"The name {OPERATOR!r} stands for the command line of this machine: choose another.")


def _role(text: str) -> Role:
    role: Role = msgspec.convert(text, Role)
    return role


@described("Every API key, revoked ones too; never its text.", Listed[KeyRecord])
async def list_keys(request: Request) -> Response:
    """Who may post and ask."""
    await web_of(request).notes.flush()

    def keys(tx: Tx) -> Any:
        found = [_key(key) for key in access.keys(tx)]
        return shapes.listed(found, len(found))

    return await answer(request, keys)


@described(
    "Make an API key; the answer is the only place where its text is ever shown.", MadeKey, body=NewKey, errors=(409,)
)
async def post_key(request: Request) -> Response:
    """A key of 256 random bits."""
    wanted, who, now = decoded_as(await body_of(request), NewKey), principal_of(request).name, now_micros()
    _check_name(wanted.name)
    expires = None if wanted.expires_days is None else now + int(wanted.expires_days * _DAY)
    text, digest = new_key()
    made = await write(
        request, lambda tx: access.add_key(tx, wanted.name, digest, wanted.role, now, expires, created_by=who)
    )
    return Json(MadeKey(made.id, made.name, wanted.role, text))


@described("Revoke a key, by its id or name; it is refused from now on.", KeyRecord)
async def delete_key(request: Request) -> Response:
    """It stays in the list."""
    named, now = sayable(request.path_params["key"], "The name"), now_micros()
    revoked = await write(request, lambda tx: access.revoke_key(tx, named, now))
    web_of(request).access.forget()
    return Json(_key(revoked))


@described("Everybody who may sign in.", Listed[UserRecord])
async def list_users(request: Request) -> Response:
    """Names, roles and states; no password leaves the store."""

    def users(tx: Tx) -> Any:
        found = [
            UserRecord(
                *(account.name, msgspec.convert(account.role, AccountRole), account.active, seconds(account.created)),
                None if account.last_login is None else seconds(account.last_login),
            )
            for account in access.users(tx)
        ]
        return shapes.listed(found, len(found))

    return await answer(request, users)


@described("Let a person in.", Done, body=NewUser, errors=(409,))
async def post_user(request: Request) -> Response:
    """The password is stored as its argon2 hash."""
    wanted, now = decoded_as(await body_of(request), NewUser), now_micros()
    _check_name(wanted.name)
    hash = await run_in_threadpool(hash_password, wanted.password)
    await write(request, lambda tx: access.add_user(tx, wanted.name, hash, wanted.role, now))
    return Json(Done(wanted.name))


@described("Change a person's password or role, or shut them out.", Done, body=UserChange, errors=(409,))
async def put_user(request: Request) -> Response:
    """Takes effect at once, also for open sessions."""
    name, change = sayable(request.path_params["name"], "The name"), decoded_as(await body_of(request), UserChange)
    await read(request, lambda tx: access.user(tx, name))
    hash = "" if change.password is msgspec.UNSET else await run_in_threadpool(hash_password, str(change.password))

    def work(tx: Tx) -> None:
        had_admin = _has_admin(tx)
        if hash:
            access.set_password(tx, name, hash)
        if not isinstance(change.role, msgspec.UnsetType):
            access.set_role(tx, name, change.role)
        if not isinstance(change.active, msgspec.UnsetType):
            access.set_active(tx, name, change.active)
        if had_admin and not _has_admin(tx):
            raise refusal(409, "This is the last active admin: make another one first.")

    await write(request, work)
    web_of(request).access.forget()
    return Json(Done(name))


def _has_admin(tx: Tx) -> bool:
    """Nobody may lock everybody out."""
    return any(account.active and account.role == "admin" for account in access.users(tx))


@described("Every plug-in: its origin, its options, and the names under which it is used.", Listed[PluginRecord])
async def list_plugins(request: Request) -> Response:
    """Options are told by name and kind; what they are set to is never told."""
    hub = web_of(request).hub
    tables = {"sources": hub.config.sources, "parsers": hub.config.parsers, "destinations": hub.config.destinations}
    found = [
        PluginRecord(
            *(str(each.kind), each.name, each.origin, each.version, inspect.getdoc(each.plugin) or ""),
            *(hub.registry.names_of(each, tables), each.plugin.model_json_schema().get("properties", {})),
        )
        for each in hub.registry.found()
    ]
    found += [
        PluginRecord(str(kind), name, "", "", "", [], {}, broken)
        for (kind, name), broken in sorted(hub.registry.broken.items())
    ]
    return Json(shapes.listed(found, len(found)))


@described("A consistent backup of everything, while running.", bytes, media="application/zip")
async def post_backup(request: Request) -> Response:
    """Written beside the data first, so that a slow reader holds no snapshot open."""
    hub = web_of(request).hub
    file: IO[bytes] = await run_in_threadpool(tempfile.TemporaryFile, dir=hub.data)
    try:
        await run_in_threadpool(backup.write_backup, hub.store, file)
        size = await run_in_threadpool(file.tell)
        await run_in_threadpool(file.seek, 0)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError):
            raise StoreUnavailable(f"the backup has no room in {hub.data}: {error.strerror}") from error
        raise
    headers = {"Content-Disposition": 'attachment; filename="tocsin-backup.zip"', "Content-Length": str(size)}
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


@described("Who is asking: a key's or a person's name, and the role.", WhoAmI)
async def get_whoami(request: Request) -> Response:
    """For any role; SCOT answers 404 to strangers, this door says 401."""
    principal = await web_of(request).access.of(request)
    if principal is None:
        raise refusal(401, "Nobody known: give a valid API key or sign in.", WWW_Authenticate='Bearer realm="Tocsin"')
    role = _role(principal.role)
    return Json(WhoAmI(principal.name, WhoData(role, principal.kind, int(role == "admin"))))
