"""Publishes each alertgroup, and its recall, as JSON to a stream of NATS JetStream."""

import threading
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PrivateAttr

from tocsin.destinations.nats.line import Line, Signing
from tocsin.errors import Unavailable
from tocsin.formats import group_json
from tocsin.kit.http import Certificate, trusting
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt
from tocsin.plugin import Destination


def _server(text: str) -> str:
    if not text.startswith(("nats://", "tls://")) or "@" in text or any(map(str.isspace, text)):
        raise ValueError(
            'must be "tls://HOST:PORT" or "nats://HOST:PORT"; names and passwords have options of their own'
        )
    return text


class Nats(Destination):
    """Publishes each alertgroup as JSON to a stream of NATS JetStream (extra `nats`).

    It is delivered once the stream acknowledges it. `Nats-Msg-Id` is the same at every attempt of one delivery: within
    its window against duplicates the stream keeps one of them.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    servers: list[Annotated[str, AfterValidator(_server)]] = Field(
        min_length=1, description='Where the servers are, such as ["tls://nats.example.com:4222"].'
    )
    subject: str = Field(
        default="tocsin.alerts",
        pattern=r"^[^\s.*>]+(\.[^\s.*>]+)*$",
        description="The subject, of which a stream takes.",
    )
    stream: str = Field(default="", pattern=r"^[^\s.*>/\\]*$", description="The stream that must take it; empty: any.")
    user: str = Field(default="", description="Name to sign in with.")
    password: Secret | None = Field(default=None, description="Password of user.")
    token: Secret | None = Field(default=None, description="A token to sign in with, instead of user and password.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="Certificate to show to the server (PEM).")
    client_key: DataPath | None = Field(
        default=None, description="Its private key (PEM), unless it stands in client_cert."
    )
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the server, in seconds.")

    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _line: Line | None = PrivateAttr(default=None)

    def send(self, delivery: Delivery) -> Receipt:
        """Publish it once; the receipt holds the stream's name and number for it."""
        recall = delivery.kind == "recall"
        body = group_json.recalled(delivery) if recall else group_json.document(delivery.alertgroup)
        with self._lock:
            if self._line is None:
                self._line = self._new()
            try:
                stream, number, again = self._line.publish(self.subject, body, delivery.uid, self.stream)
            except Unavailable:
                self.close()
                raise
        return Receipt(remote_id=f"{stream}:{number}", status="there already" if again else "stored")

    def check(self) -> str:
        """Whether a stream takes the subject; raises DeliveryError."""
        line = self._new()
        try:
            return line.taker(self.subject)
        finally:
            line.close()

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _new(self) -> Line:
        shown = None if self.client_cert is None else Certificate(self.client_cert, self.client_key)
        safe = any(server.startswith("tls://") for server in self.servers) or self.ca_file or shown
        signing = Signing(
            self.user,
            "" if self.password is None else self.password.get_secret_value(),
            "" if self.token is None else self.token.get_secret_value(),
            trusting(self.ca_file, shown) if safe else None,
        )
        return Line(self.servers, signing, self.timeout_s)
