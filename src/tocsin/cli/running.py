"""The server while it runs: uvicorn with our signals, our log and our word of welcome."""

import asyncio
import gc
import os
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import click
import structlog
import uvicorn

from tocsin.cli.control import Control
from tocsin.cli.door import local, read_answer
from tocsin.cli.peers import TellingProtocol
from tocsin.config import Config

log = structlog.get_logger()

FIRST_USER = "admin"
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # how to reach a server that listens everywhere
KEEP_ALIVE_S = 75
ANNOUNCE_EVERY_S = 5
FAREWELL_S = 5
"""How long a request under way may take when the server stops."""


def run(
    application: Any, listener: socket.socket, config: Config, token: str, announce: Callable[[Control], None]
) -> None:
    """Serve on the bound socket until SIGTERM or SIGINT; on return nothing more comes in."""
    _tune()
    http = config.http
    authorities = config.warden.client_ca if config.warden is not None and config.warden.enabled else None
    settings = uvicorn.Config(
        application,
        http=TellingProtocol,
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FAREWELL_S,
        proxy_headers=True,
        forwarded_allow_ips=http.trusted_proxies,
        ssl_certfile=http.tls_certificate,
        ssl_keyfile=http.tls_key,
        ssl_ca_certs=str(authorities) if authorities else None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if authorities else ssl.CERT_NONE,
    )
    certificate = str(http.tls_certificate.resolve()) if http.tls_certificate else ""
    _Server(settings, application, token, announce, certificate).run(sockets=[listener])


def _tune() -> None:
    """Set the interpreter up for one thread that answers and one that writes; measured by benchmarks/intake.py.

    The writer works mostly without the interpreter's lock and should not wait 5 ms to have it back. What was loaded
    so far lives as long as the process, so the collector need not look at it again, and rows are no cycles.
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class _Server(uvicorn.Server):
    def __init__(
        self,
        settings: uvicorn.Config,
        application: Any,
        token: str,
        announce: Callable[[Control], None],
        certificate: str,
    ) -> None:
        super().__init__(settings)
        self._application = application
        self._token = token
        self._announce = announce
        self._certificate = certificate

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on the first signal; the process lives on until what follows the last request is done."""
        for caught in (signal.SIGTERM, signal.SIGINT):
            signal.signal(caught, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell the commands of this machine, and on the very first start the person, how to come in."""
        assert sockets is not None
        # Before anybody is let in: a store that fails here ends a start, one that fails later is waited for.
        password = await first_password(self._application, self._token)
        await super().startup(sockets)
        url = address_of(sockets[0], tls=bool(self._certificate))
        control = Control(url, self._token, os.getpid(), self._certificate)
        if not self._announced(control):
            self._announcer = asyncio.create_task(self._announce_later(control))
        if password:
            click.echo(welcome(url, password))
        log.info("ready", url=url)

    def _announced(self, control: Control) -> bool:
        try:
            self._announce(control)
        except OSError as error:
            log.warning("commands on this machine cannot find the server yet", reason=str(error))
            return False
        return True

    async def _announce_later(self, control: Control) -> None:
        """The disk was full: senders are served all the same, and commands once there is room."""
        while True:
            await asyncio.sleep(ANNOUNCE_EVERY_S)
            if self._announced(control):
                return

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live pages, which never would by themselves, then every other connection."""
        log.info("stopping")
        self._application.state.web.live.close()
        await super().shutdown(sockets)


def address_of(listener: socket.socket, *, tls: bool) -> str:
    """The URL under which this machine reaches a bound socket."""
    host, port = listener.getsockname()[:2]
    host = ANYWHERE.get(host, host)
    return f"http{'s' * tls}://{f'[{host}]' if ':' in host else host}:{port}"


async def first_password(application: Any, token: str) -> str:
    """Make the first user and give its password; empty where there are users already."""
    async with local(application, token) as client:
        there = read_answer(await client.get("/api/v2/user"))
        if there["totalRecordCount"]:
            return ""
        password = secrets.token_urlsafe(15)
        user = {"name": FIRST_USER, "password": password, "role": "admin"}
        read_answer(await client.post("/api/v2/user", json=user))
        return password


def welcome(url: str, password: str) -> str:
    """What a person reads on the very first start, and never again."""
    return f"""
Welcome to Tocsin.

  address   {url}
  name      {FIRST_USER}
  password  {password}

The password is shown this once; change it with `tocsin user passwd {FIRST_USER}`.
"""
