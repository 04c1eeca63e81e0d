"""Sends every alert as a record of syslog, over TLS (RFC 5425) or TCP (RFC 6587)."""

import socket
import threading

from pydantic import Field, PrivateAttr

from tocsin import __version__
from tocsin.destinations.syslog.line import Line
from tocsin.errors import Rejected
from tocsin.formats.syslog import Facility, Form, framed, records
from tocsin.kit.http import Certificate, trusting
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Receipt
from tocsin.plugin import Destination


class Syslog(Destination):
    """Sends every alert as a record of syslog (RFC 5424), over TLS (RFC 5425) or TCP (RFC 6587, octet counting).

    Syslog acknowledges nothing. An alertgroup counts as delivered once the peer's TCP has taken all of its records and
    the peer has not hung up; what the peer's program loses after that is lost. An attempt that broke off is made again,
    with the same `uid`s.
    """

    host: str = Field(min_length=1, description="Name or address of the server.")
    port: int = Field(default=6514, ge=1, le=65535, description="6514 with TLS; without it 514 or 601 are usual.")
    tls: bool = Field(default=True, description="Whether the server is spoken to with TLS; its name is checked.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="Certificate to show to the server (PEM).")
    client_key: DataPath | None = Field(
        default=None, description="Its private key (PEM), unless it stands in client_cert."
    )
    client_key_password: Secret | None = Field(default=None, description="Password of the private key.")
    message: Form = Field(default="json", description="What a record holds: JSON, ArcSight's CEF or QRadar's LEEF.")
    facility: Facility = Field(default="local0", description="The facility of the records.")
    hostname: str = Field(default="", description="The sender's name in the records; empty: that of this machine.")
    max_bytes: int = Field(
        default=8192,
        ge=480,
        le=1_048_576,
        description="The longest record the server takes. Of a longer one the row's JSON is left out; if it still is "
        "too long, the alertgroup waits for a person.",
    )
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the server, in seconds.")

    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _line: Line | None = PrivateAttr(default=None)

    def send(self, delivery: Delivery) -> Receipt:
        """Send a record for each alert, in order."""
        made = records(
            delivery.alertgroup,
            form=self.message,
            facility=self.facility,
            host=self.hostname or socket.gethostname(),
            version=__version__,
            longest=self.max_bytes,
        )
        longest = max(map(len, made), default=0)
        if longest > self.max_bytes:
            raise Rejected(f"a record has {longest:,} bytes, more than max_bytes = {self.max_bytes:,}: raise it there")
        with self._lock:
            line = self._connected()
            try:
                line.send(b"".join(map(framed, made)))
            except BaseException:
                self.close()
                raise
        return Receipt(status=f"{len(made)} records taken by TCP")

    def check(self) -> str:
        """Connect, and say how; raises DeliveryError."""
        line = self._new()
        line.close()
        return f"{line.where} takes connections ({'TLS' if self.tls else 'without TLS'})"

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connected(self) -> Line:
        if self._line is None or self._line.is_closed():
            self.close()
            self._line = self._new()
        return self._line

    def _new(self) -> Line:
        password = "" if self.client_key_password is None else self.client_key_password.get_secret_value()
        shown = None if self.client_cert is None else Certificate(self.client_cert, self.client_key, password)
        context = trusting(self.ca_file, shown) if self.tls else None  # read afresh: certificates are renewed
        return Line(self.host, self.port, self.timeout_s, context)
