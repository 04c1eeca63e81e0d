"""`tocsin serve`: the server, from the lock on its data folder to the last settled delivery."""

import errno
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli.folder import made, with_folder
from tocsin.errors import TocsinError

if TYPE_CHECKING:
    from tocsin.config import HttpSection

EXAMPLES = """\b
Examples:
  tocsin serve --data ./var
  tocsin serve --data /srv/tocsin --host 0.0.0.0 --port 8417
"""


@click.command(epilog=EXAMPLES)
@with_folder()
@click.option("--host", help="Address to listen on.  [default: http.host of the configuration, 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: http.port of the configuration, 8417]"
)
def serve(data: Path, file: Path | None, host: str | None, port: int | None) -> None:
    """Run the server: receive, keep, show and send on, until SIGTERM or Ctrl-C.

    The data folder is made when it is not there. The very first start makes the user "admin" and prints its password
    once. The log goes to standard error: text on a terminal, JSON lines anywhere else.
    """
    from tocsin.app import build, load_config
    from tocsin.cli import logs
    from tocsin.cli.control import announcing, new_token
    from tocsin.cli.running import run
    from tocsin.web import create

    config = load_config(made(data), file)
    asked = {"host": host or config.http.host, "port": config.http.port if port is None else port}
    config = config.model_copy(update={"http": config.http.model_copy(update=asked)})
    logs.set_up(config.log)
    with ExitStack() as ending:
        listener = ending.enter_context(listening(config.http))
        hub = build(config, data)
        ending.callback(hub.stop)
        announce = ending.enter_context(announcing(data))
        token = new_token()
        application = create(hub, control=token)
        hub.start()
        run(application, listener, config, token, announce)


def listening(http: "HttpSection") -> socket.socket:
    """A socket bound to the address, on which nothing is accepted yet. Raises TocsinError saying what to mend."""
    place = f"{http.host} port {http.port}"
    try:
        families = socket.getaddrinfo(http.host, http.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise TocsinError(f"cannot listen on {place}: {error.strerror}; give another --host") from None
    family, kind, protocol, _, address = families[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        remedies = {
            errno.EADDRINUSE: "another program listens there; stop it or give another --port",
            errno.EACCES: "ports below 1024 are the system's; give a --port above",
            errno.EADDRNOTAVAIL: "this machine has no such address; give another --host",
        }
        remedy = remedies.get(error.errno or 0, error.strerror)
        raise TocsinError(f"cannot listen on {place}: {remedy}") from None
    return listener
