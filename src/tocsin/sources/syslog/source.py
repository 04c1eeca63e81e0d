"""The source itself: a listener, and what goes on behind it."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Sequence

import structlog

from tocsin.errors import StoreUnavailable
from tocsin.formats.syslog import Frame, framed
from tocsin.model import Message
from tocsin.plugin import Desk, Source
from tocsin.sources.syslog.datagrams import Datagrams
from tocsin.sources.syslog.options import Options
from tocsin.sources.syslog.stream import Stream

log = structlog.get_logger()

LOOK_S = 0.5
TELL_S = 5.0
STORE_WAIT_S = 1.0


class Syslog(Options, Source):
    """Listens for syslog (RFC 5424, RFC 3164) over TLS, TCP or UDP; CEF and LEEF in it are understood.

    Of a connection no more is read until the store has what was read. UDP cannot wait: what comes while the store is
    away is kept up to `max_waiting` records, and what is dropped after that is counted and shown.
    """

    def run(self, desk: Desk) -> None:
        """Listen until the desk says stop."""
        Listening(self, desk).run()


class Listening:
    """One listener at work."""

    def __init__(self, options: Options, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._permitted = [ipaddress.ip_network(text) for text in options.permitted_senders]
        self._ailing = ""
        self._streams: set[threading.Thread] = set()

    def run(self) -> None:
        """Return once the desk says stop, and everything that was read is stored or cannot be."""
        try:
            context = self._context()
            if self._options.protocol == "udp":
                Datagrams(self._options, self._desk, self.hand_over, self.permits).run()
                return
            family = socket.AF_INET6 if ":" in self._options.host else socket.AF_INET
            listener = socket.create_server((self._options.host, self._options.port), family=family)
        except OSError as error:
            where = f"{self._options.host} port {self._options.port}"
            self._desk.tell(f"cannot listen on {where} ({error.strerror or error}): see port and certificate")
            self._desk.stop.wait(TELL_S)
            return
        with listener:
            listener.settimeout(LOOK_S)
            told = 0.0
            while not self._desk.stop.is_set():
                self._accept(listener, context)
                if time.monotonic() - told > TELL_S:
                    told = time.monotonic()
                    self._tell()
        for thread in list(self._streams):
            thread.join(10)

    def permits(self, address: str) -> bool:
        """Whether an address may send; who may not is told on the pages."""
        host = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(host, "ipv4_mapped", None)
        if any((mapped or host) in network for network in self._permitted):
            return True
        self._ailing = f"{address} may not send: add it to permitted_senders if it should"
        return False

    def hand_over(self, frames: Sequence[Frame], sender: str) -> bool:
        """Have the records on disk, however long the store is away; False: Tocsin ends before that."""
        messages = [(framed(each.record), each.refused) for each in frames if each.refused]
        if good := b"".join(framed(each.record) for each in frames if not each.refused):
            messages.insert(0, (good, ""))
        for body, refused in messages:
            now = time.time_ns() // 1000
            message = Message(source="", sender=sender, body=body, media_type="application/x-syslog", received=now)
            while True:
                try:
                    self._desk.accept(message, refused=refused)
                    break
                except StoreUnavailable as error:
                    log.warning("syslog waits for the store", sender=sender, reason=str(error))
                    if self._desk.stop.wait(STORE_WAIT_S):
                        return False
        return True

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            peer, address = listener.accept()
        except TimeoutError:
            return
        if not self.permits(address[0]):
            peer.close()
            return
        self._streams = {thread for thread in self._streams if thread.is_alive()}
        if len(self._streams) >= self._options.max_connections:
            self._ailing = f"{address[0]} was hung up on: there are max_connections = {self._options.max_connections}"
            peer.close()
            return
        stream = Stream(peer, address[0], self._options.max_bytes, context, self._desk.stop, self.hand_over)
        thread = threading.Thread(target=stream.run, name=f"tocsin-syslog-{address[0]}", daemon=True)
        self._streams.add(thread)
        thread.start()

    def _tell(self) -> None:
        try:
            self._desk.tell(self._ailing)
            self._ailing = ""
        except StoreUnavailable as error:
            log.warning("syslog waits for the store", reason=str(error))

    def _context(self) -> ssl.SSLContext | None:
        if self._options.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self._options.client_ca_file)
        password = "" if self._options.key_password is None else self._options.key_password.get_secret_value()
        context.load_cert_chain(self._options.certificate, self._options.key, password)
        if self._options.client_ca_file is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context
