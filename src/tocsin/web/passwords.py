"""Passwords: hashed with argon2 in a few threads of their own, so guessing costs the guesser and not the server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tocsin.errors import Malformed, StoreUnavailable

SHORTEST, LONGEST = 10, 1024

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to store, parameters included. Takes tens of milliseconds.

    Raises:
        Malformed: shorter than 10 or longer than 1024 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Malformed(f"A password has {SHORTEST} to {LONGEST:,} characters.")
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def _matches(password: str, hash: str | None) -> bool:
    try:
        _hasher.verify(hash or _nobodys(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return hash is not None


@cache
def _nobodys() -> str:
    """Checked when there is no such account, so that an answer's time does not tell which accounts exist."""
    return _hasher.hash("nobody's password")


class Checker:
    """Checks passwords without holding up the event loop."""

    threads = 2
    most_waiting = 64

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.threads, thread_name_prefix="tocsin-password")
        self._waiting = 0

    async def matches(self, password: str, hash: str | None) -> bool:
        """Whether the password is that of the hash; None stands for an account that is not there.

        Raises:
            StoreUnavailable: too many passwords wait to be checked.
        """
        if self._waiting >= self.most_waiting:
            raise StoreUnavailable("Too many sign-ins at once: try again shortly.", timedelta(seconds=5))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _matches, password[:LONGEST], hash)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
