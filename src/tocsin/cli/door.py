"""The command line's way in: one HTTP door, whether the server runs or not.

Where a server runs on the data folder, requests go to it, as its operator. Where none runs, the same application is
built here and spoken to in this process, so that every command has one way of working.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tocsin.cli.control import Control, new_token, running
from tocsin.errors import NotFound, StoreUnavailable, TocsinError

TIMEOUT_S = 60.0
HERE = "http://tocsin.invalid"

Ask = Callable[[str, str, Any], Awaitable[httpx2.Response]]


class Door:
    """Asks for one thing at a time."""

    def __init__(self, client: httpx2.AsyncClient, loop: asyncio.Runner, *, live: bool) -> None:
        self._client = client
        self._loop = loop
        self.live = live
        """Whether a running server is asked."""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. Raises NotFound, StoreUnavailable or TocsinError with what the server says."""
        return self._loop.run(self._ask(method, path, body))

    def fetch(self, method: str, path: str, take: Callable[[bytes], object], body: object = None) -> None:
        """Hand the answer's body to `take` piece by piece. Raises as `ask` does."""
        self._loop.run(self._fetch(method, path, take, body))

    def hand_over(self, path: str, body: bytes, media_type: str, key: str = "") -> Any:
        """POST bytes as they are, under a key against doubles if there is one; the decoded answer. Raises as `ask`."""
        headers = {"Content-Type": media_type} | ({"Idempotency-Key": key} if key else {})
        return self._loop.run(self._hand_over(path, body, headers))

    async def _hand_over(self, path: str, body: bytes, headers: dict[str, str]) -> Any:
        try:
            answer = await self._client.post(path, content=body, headers=headers)
        except httpx2.TransportError as error:
            raise StoreUnavailable(f"the running server does not answer ({error})") from error
        return read_answer(answer)

    async def _ask(self, method: str, path: str, body: object) -> Any:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx2.TransportError as error:
            raise StoreUnavailable(f"the running server does not answer ({error})") from error
        return read_answer(answer)

    async def _fetch(self, method: str, path: str, take: Callable[[bytes], object], body: object) -> None:
        try:
            async with self._client.stream(method, path, json=body) as answer:
                if answer.is_error:
                    await answer.aread()
                    read_answer(answer)
                async for piece in answer.aiter_bytes():
                    take(piece)
        except httpx2.TransportError as error:
            raise StoreUnavailable(f"the running server broke off ({error})") from error


def read_answer(answer: httpx2.Response) -> Any:
    """The JSON of an answer (None for none). Raises what an error answer means."""
    try:
        said = answer.json() if answer.content else None
    except ValueError:
        said = None
    if not answer.is_error:
        return said
    text = said.get("error_msg") if isinstance(said, dict) else None
    text = str(text or f"the server answered {answer.status_code} to {answer.request.url.path}")
    if answer.status_code == httpx2.codes.NOT_FOUND:
        raise NotFound(text)
    raise TocsinError(text)


@contextmanager
def open_door(data: Path, file: Path | None) -> Iterator[Door]:
    """The door of the data folder's server, or of a hub that is built for as long as the context lasts.

    Raises ConfigError and StoreError as `app.build` does.
    """
    control = running(data)
    with asyncio.Runner() as loop:
        if control is not None:
            yield from _through(loop, remote(control), live=True)
            return
        from tocsin.app import build, load_config
        from tocsin.web import create

        hub = build(load_config(data, file), data)
        try:
            token = new_token()
            application = create(hub, control=token)
            life = application.router.lifespan_context(application)
            loop.run(life.__aenter__())
            yield from _through(loop, local(application, token), live=False)
            loop.run(life.__aexit__(None, None, None))
        finally:
            hub.stop()


def remote(control: Control) -> httpx2.AsyncClient:
    """A client of the running server."""
    return httpx2.AsyncClient(
        base_url=control.url,
        headers={"Authorization": f"Bearer {control.token}"},
        verify=_trusting(control.certificate) if control.certificate else True,
        trust_env=False,
        timeout=TIMEOUT_S,
    )


def local(application: Any, token: str) -> httpx2.AsyncClient:
    """A client of an application in this process."""
    return httpx2.AsyncClient(
        base_url=HERE,
        headers={"Authorization": f"Bearer {token}"},
        transport=httpx2.ASGITransport(application),
        timeout=TIMEOUT_S,
    )


def _through(loop: asyncio.Runner, client: httpx2.AsyncClient, *, live: bool) -> Iterator[Door]:
    try:
        yield Door(client, loop, live=live)
    finally:
        loop.run(client.aclose())


def _trusting(certificate: str) -> ssl.SSLContext:
    """Trust this very certificate, under whatever name we reach it."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
