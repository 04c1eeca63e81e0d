"""Who may come in: API keys, accounts, sessions.

Nothing here holds a secret in the clear. A key and a session are known by the SHA-256 of their random text, a password
by its argon2 hash. Whoever asks for a key or a session gets it only while it is not revoked and its account is active;
whether it has expired is a question of the clock and asked with `expired(now)`.
"""

from collections.abc import Mapping

import msgspec

from tocsin.errors import Malformed, NotFound, Taken
from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx, packed


class Key(Noun, frozen=True, kw_only=True):
    """An API key. `expires` None: never. `revoked` None: still good."""

    id: int
    name: str
    role: str
    created: Micros
    created_by: str = ""
    last_used: Micros | None = None
    expires: Micros | None = None
    revoked: Micros | None = None

    def expired(self, now: Micros) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now


class Account(Noun, frozen=True, kw_only=True):
    """A person who signs in. `hash` is the argon2 hash of the password, with its parameters."""

    name: str
    hash: str
    role: str
    active: bool
    created: Micros
    last_login: Micros | None = None


class Session(Noun, frozen=True, kw_only=True):
    """A person signed in at a browser; `role` is the account's at this moment."""

    account: str
    role: str
    csrf: str
    created: Micros
    expires: Micros

    def expired(self, now: Micros) -> bool:
        """Whether its time is over."""
        return self.expires <= now


_KEY = "id, name, role, created, created_by, last_used, expires, revoked"
_ACCOUNT = "name, hash, role, active, created, last_login"


def _key(row: tuple[object, ...]) -> Key:
    return msgspec.convert(dict(zip(Key.__struct_fields__, row, strict=True)), Key)


def _account(row: tuple[object, ...]) -> Account:
    return msgspec.convert(dict(zip(Account.__struct_fields__, row, strict=True)), Account, strict=False)


def add_key(
    tx: Tx, name: str, digest: str, role: str, now: Micros, expires: Micros | None = None, *, created_by: str = ""
) -> Key:
    """Store a new key by the SHA-256 (hexadecimal) of its text.

    Raises Taken if an unrevoked key has that name, Malformed if the name is empty or only digits (keys are also
    known by their number).
    """
    if not name.strip() or name.isdecimal():
        raise Malformed(f"A key cannot be named {name!r}: give it a name that is not empty and not a number.")
    if tx.row("SELECT id FROM api_key WHERE name = :name AND revoked IS NULL", name=name):
        raise Taken(f"There is a key named {name!r} already: revoke it first or choose another name.")
    row = tx.row(
        f"""INSERT INTO api_key (name, digest, role, created, created_by, expires)
            VALUES (:name, :digest, :role, :now, :created_by, :expires) RETURNING {_KEY}""",
        name=name, digest=digest, role=role, now=now, created_by=created_by, expires=expires,
    )  # fmt: skip
    assert row is not None  # an INSERT without a condition returns its row
    return _key(row)


def keys(tx: Tx) -> list[Key]:
    """All keys, revoked ones too, oldest first."""
    return [_key(row) for row in tx.rows(f"SELECT {_KEY} FROM api_key ORDER BY id")]


def key_by_digest(tx: Tx, digest: str) -> Key | None:
    """The unrevoked key with that digest. The caller asks `expired`."""
    row = tx.row(f"SELECT {_KEY} FROM api_key WHERE digest = :digest AND revoked IS NULL", digest=digest)
    return _key(row) if row else None


def revoke_key(tx: Tx, id_or_name: int | str, now: Micros) -> Key:
    """End a key, named by its number or by its name. Revoking again changes nothing. Raises NotFound."""
    if isinstance(id_or_name, int) or id_or_name.isdecimal():
        found = tx.row("SELECT id FROM api_key WHERE id = :id", id=min(int(id_or_name), 2**63 - 1))
    else:
        found = tx.row("SELECT id FROM api_key WHERE name = :name AND revoked IS NULL", name=id_or_name)
    if found is None:
        raise NotFound(f"There is no key {id_or_name!r}.")
    row = tx.row(
        f"UPDATE api_key SET revoked = coalesce(revoked, :now) WHERE id = :id RETURNING {_KEY}", id=found[0], now=now
    )
    assert row is not None  # found a line ago, in the same transaction
    return _key(row)


def touch_keys(tx: Tx, used: Mapping[int, Micros]) -> None:
    """Note when keys were last used, all in one statement; an older time never replaces a younger one."""
    tx.run(
        """UPDATE api_key SET last_used = touched.used
           FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS used FROM {each:used}) touched
           WHERE api_key.id = touched.id AND coalesce(api_key.last_used, 0) < touched.used""",
        used=packed(used.items()),
    )


def add_user(tx: Tx, name: str, hash: str, role: str, now: Micros) -> Account:
    """Store a new account. Raises Taken if there is one of that name, Malformed if the name is empty."""
    if not name.strip():
        raise Malformed("An account needs a name.")
    row = tx.row(
        f"""INSERT INTO account (name, hash, role, active, created) VALUES (:name, :hash, :role, 1, :now)
            ON CONFLICT (name) DO NOTHING RETURNING {_ACCOUNT}""",
        name=name, hash=hash, role=role, now=now,
    )  # fmt: skip
    if row is None:
        raise Taken(f"There is an account {name!r} already.")
    return _account(row)


def users(tx: Tx) -> list[Account]:
    """All accounts by name."""
    return [_account(row) for row in tx.rows(f"SELECT {_ACCOUNT} FROM account ORDER BY name")]


def user(tx: Tx, name: str) -> Account:
    """The account of that name, active or not. Raises NotFound."""
    row = tx.row(f"SELECT {_ACCOUNT} FROM account WHERE name = :name", name=name)
    if row is None:
        raise NotFound(f"There is no account {name!r}.")
    return _account(row)


def set_password(tx: Tx, name: str, hash: str) -> None:
    """Replace the password's hash and end the account's sessions. Raises NotFound."""
    _changed(tx.run("UPDATE account SET hash = :hash WHERE name = :name", name=name, hash=hash), name)
    drop_sessions(tx, name)


def set_role(tx: Tx, name: str, role: str) -> None:
    """Give the account another role; its open sessions have it at once. Raises NotFound."""
    _changed(tx.run("UPDATE account SET role = :role WHERE name = :name", name=name, role=role), name)


def set_active(tx: Tx, name: str, active: bool) -> None:
    """Let the account in, or shut it out and end its sessions. Raises NotFound."""
    _changed(tx.run("UPDATE account SET active = :active WHERE name = :name", name=name, active=int(active)), name)
    if not active:
        drop_sessions(tx, name)


def signed_in(tx: Tx, name: str, now: Micros) -> None:
    """Note that the account's password was accepted."""
    tx.run("UPDATE account SET last_login = :now WHERE name = :name", name=name, now=now)


def add_session(tx: Tx, digest: str, user: str, now: Micros, expires: Micros, *, csrf: str) -> None:
    """Open a session, known by the SHA-256 (hexadecimal) of its cookie, and note the sign-in."""
    tx.run(
        "INSERT INTO session (digest, account, csrf, created, expires) VALUES (:digest, :user, :csrf, :now, :expires)",
        digest=digest, user=user, csrf=csrf, now=now, expires=expires,
    )  # fmt: skip
    signed_in(tx, user, now)


def session(tx: Tx, digest: str) -> Session | None:
    """The session with that digest, if its account is active. The caller asks `expired`."""
    row = tx.row(
        """SELECT account.name, account.role, session.csrf, session.created, session.expires
           FROM session JOIN account ON account.name = session.account
           WHERE session.digest = :digest AND account.active = 1""",
        digest=digest,
    )
    return msgspec.convert(dict(zip(Session.__struct_fields__, row, strict=True)), Session) if row else None


def drop_session(tx: Tx, digest: str) -> None:
    """End one session; nothing happens if there is none."""
    tx.run("DELETE FROM session WHERE digest = :digest", digest=digest)


def drop_sessions(tx: Tx, user: str) -> int:
    """End all sessions of an account; how many there were."""
    return tx.run("DELETE FROM session WHERE account = :user", user=user)


def drop_expired(tx: Tx, now: Micros) -> int:
    """Forget sessions whose time is over; how many there were."""
    return tx.run("DELETE FROM session WHERE expires <= :now", now=now)


def _changed(rows: int, name: str) -> None:
    if not rows:
        raise NotFound(f"There is no account {name!r}.")
