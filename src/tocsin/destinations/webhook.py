"""POSTs each alertgroup, and its recall, as JSON to an URL."""

import hashlib
import hmac
import time
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from tocsin.formats import group_json
from tocsin.kit.http import Client
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt
from tocsin.plugin import Destination


class Webhook(Destination):
    """POSTs each alertgroup as JSON to an URL, with a key against doubles and, if wanted, a signature.

    The header `Idempotency-Key` is the same at every attempt of one delivery: what came twice under one key is one
    alertgroup. With a `secret` the receiver can tell that a post is ours, whole and fresh:

        X-Tocsin-Timestamp: 1795290092                        seconds since 1970, when this attempt was made
        X-Tocsin-Signature: sha256=<64 hexadecimal digits>    HMAC-SHA256 under the secret of timestamp, ".", body

    It computes the same over the timestamp's text, a full stop and the body's bytes, compares in constant time, and
    refuses timestamps that are old.

    A recall is a post of its own, under a key of its own, with `recall` in it and neither `subject` nor `alerts`;
    `earlier` is what the receiver answered to what it was sent of the alertgroup, the answer's Location as `remote_id`:

        {"id": 7, "uid": "…", "alert_uids": ["…"], "recall": {"reason": "a test of ours", "at": "2026-11-22T04:00:00Z",
         "earlier": [{"remote_id": "/case/9", "status": "201"}]}}
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    url: Secret = Field(description="Where to POST; it may hold a token, so it is never shown.")
    secret: Secret | None = Field(default=None, description="Signs each post with HMAC-SHA256 in X-Tocsin-Signature.")
    headers: dict[str, Secret] = Field(default={}, description="Headers to send besides, such as Authorization.")
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the receiver, in seconds.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")

    def send(self, delivery: Delivery) -> Receipt:
        """POST the alertgroup, or its recall, once; the receipt holds the answer's Location."""
        recall = delivery.kind == "recall"
        body = group_json.recalled(delivery) if recall else group_json.document(delivery.alertgroup)
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        headers["Idempotency-Key"] = delivery.uid
        if self.secret is not None:
            now = str(int(time.time()))
            headers["X-Tocsin-Timestamp"] = now
            headers["X-Tocsin-Signature"] = signature(self.secret.get_secret_value(), now, body)
        answer = self._client.post_json(self.url.get_secret_value(), body, headers)
        return Receipt(remote_id=answer.headers.get("location", "")[:500], status=str(answer.status))

    def check(self) -> str:
        """Whether something answers there, by a HEAD request; raises DeliveryError."""
        return self._client.reach(self.url.get_secret_value())

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    @cached_property
    def _client(self) -> Client:
        return Client(self.timeout_s, self.ca_file)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Tocsin-Signature."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"
