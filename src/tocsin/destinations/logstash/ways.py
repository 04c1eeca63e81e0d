"""The two inputs of Logstash, one window of documents at a time."""

import base64
from collections.abc import Mapping, Sequence
from typing import Protocol

from tocsin.kit.http import Certificate, Client
from tocsin.kit.lumberjack import Lumberjack, LumberjackOptions
from tocsin.kit.secrets import Secret

METADATA = b'{"@metadata":{"beat":"tocsin","type":"_doc","version":"1"},'
"""What pipelines made for Beats ask for; it becomes no field of the event."""


class Way(Protocol):
    """How documents get there. Single-threaded."""

    def take(self, documents: Sequence[bytes]) -> None:
        """Hand over one window. Raises Unacknowledged: some may have been taken; Unavailable, Rejected: none was."""

    def check(self) -> str:
        """Whether somebody is there; raises DeliveryError."""

    def close(self) -> None:
        """Let go of the connection."""


class Beats:
    """Lumberjack v2."""

    def __init__(self, options: LumberjackOptions) -> None:
        self._client = Lumberjack(options)

    def take(self, documents: Sequence[bytes]) -> None:
        """Hand over one window, each document with `METADATA` in front."""
        self._client.send([METADATA + one[1:] for one in documents])

    def check(self) -> str:
        """Whether it takes connections."""
        return self._client.check()

    def close(self) -> None:
        """Hang up."""
        self._client.close()


class Http:
    """An array of JSON in a POST, of which Logstash makes an event for each element."""

    def __init__(
        self, options: LumberjackOptions, url: Secret, headers: Mapping[str, Secret], user: str, password: Secret | None
    ) -> None:
        locked = options.client_key_password
        shown = None
        if options.client_cert is not None:
            words = "" if locked is None else locked.get_secret_value()
            shown = Certificate(options.client_cert, options.client_key, words)
        self._client = Client(options.timeout_s, options.ca_file, certificate=shown)
        self._url = url.get_secret_value()
        self._headers = {name: value.get_secret_value() for name, value in headers.items()}
        if password is not None:
            pair = base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"

    def take(self, documents: Sequence[bytes]) -> None:
        """POST one window."""
        self._client.post_json(self._url, b"[" + b",".join(documents) + b"]", self._headers)

    def check(self) -> str:
        """Whether something answers there, by a HEAD request."""
        return self._client.reach(self._url)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
