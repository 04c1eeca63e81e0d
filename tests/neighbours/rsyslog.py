"""Debian's rsyslog: takes syslog over TCP or TLS, writes it to a file as it came, and may forward it."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neighbours.certificates import Authority
from neighbours.missing import missing
from neighbours.ports import free_port

PROGRAM = Path("/usr/sbin/rsyslogd")
TLS = """
global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
       defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{auth}")
"""
CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       net.enableDNS="off")
{tcp}
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{file}" template="raw" asyncWriting="off" flushOnTXEnd="on")
{forward}
"""


class Rsyslog(NamedTuple):
    """One that runs on this machine."""

    port: int
    file: Path
    process: subprocess.Popen[bytes]

    def records(self) -> list[bytes]:
        """What it wrote, a record a line."""
        return self.file.read_bytes().splitlines() if self.file.exists() else []


@contextlib.contextmanager
def rsyslog(
    folder: Path, *, authority: Authority | None = None, forward: str = "", clients: bool = False
) -> Iterator[Rsyslog]:
    """It runs for as long as the context lasts. `clients`: only with a certificate. `forward`: an action of its own."""
    if not PROGRAM.exists() or (authority and not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so"))):
        missing("rsyslog", "apt-get install rsyslog rsyslog-gnutls")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    tcp = 'module(load="imtcp")'
    if authority is not None:
        pair = authority.issue("localhost")
        auth = "x509/certvalid" if clients else "anon"
        tcp = TLS.format(ca=authority.file, certificate=pair.certificate, key=pair.key, auth=auth)
    file, told = folder / "received.log", folder / "rsyslog.conf"
    told.write_text(CONFIGURATION.format(folder=folder, tcp=tcp, port=port, file=file, forward=forward))
    command = [str(PROGRAM), "-n", "-f", str(told), "-i", str(folder / "rsyslog.pid")]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    try:
        _wait(port, process, folder / "said")
        yield Rsyslog(port, file, process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + 60
    while True:
        assert process.poll() is None, said.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.05)
