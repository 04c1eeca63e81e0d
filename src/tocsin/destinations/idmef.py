"""POSTs every alert as IDMEFv2 over HTTPS, a request each (draft-lehmann-idmefv2-https-transport)."""

from functools import cached_property
from typing import ClassVar

import msgspec
from pydantic import Field

from tocsin import detection
from tocsin.errors import Rejected
from tocsin.formats.idmef import IdmefForm, Profile
from tocsin.kit.http import Certificate, Client
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt
from tocsin.plugin import Destination


class Idmef(Destination):
    """POSTs every alert as IDMEFv2 over HTTPS, a request each, and the alertgroup's Incident last.

    A server of IDMEFv2 takes one message a request and knows it by its ID, which is the same at every attempt: what was
    taken before an alertgroup failed halfway comes again under the same IDs. With `client_cert` both sides prove
    who they are (mutual TLS), as Slips' `idmef_manager` wants it.
    """

    url: Secret = Field(description="Where to POST; it may hold a token, so it is never shown.")
    profile: Profile = Field(
        default="08", description='"08" is draft 08 (Version 2.D.V08), "slips" what Slips 1.1 writes (Version 2.0.3).'
    )
    analyzer: str = Field(default="Tocsin", min_length=1, description="This hub's name in each message.")
    incidents: bool = Field(
        default=True, description="Whether an alertgroup of several alerts has a message of its own behind theirs."
    )
    headers: dict[str, Secret] = Field(default={}, description="Headers to send besides, such as Authorization.")
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the receiver, in seconds.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="The certificate to show (PEM).")
    client_key: DataPath | None = Field(default=None, description="Its key, if that is in a file of its own (PEM).")
    client_key_password: Secret | None = Field(default=None, description="What the key is locked with.")

    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    def send(self, delivery: Delivery) -> Receipt:
        """POST every message of the alertgroup; raises what stopped it, and says how far it came."""
        known = detection.known(delivery.alertgroup)
        messages = self._form.texts(msgspec.structs.replace(delivery, alertgroup=known))
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        headers |= {"Accept": "application/json"}
        status = "nothing to send"
        for number, message in enumerate(messages):
            headers["Idempotency-Key"] = f"{delivery.uid}-{number}"
            try:
                status = str(self._client.post_json(self.url.get_secret_value(), message, headers).status)
            except Rejected as error:
                raise Rejected(f"message {number + 1} of {len(messages)}: {error}") from None
        return Receipt(status=status)

    def check(self) -> str:
        """Whether something answers there, by a HEAD request; raises DeliveryError."""
        return self._client.reach(self.url.get_secret_value())

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    @cached_property
    def _client(self) -> Client:
        password = "" if self.client_key_password is None else self.client_key_password.get_secret_value()
        shown = None if self.client_cert is None else Certificate(self.client_cert, self.client_key, password)
        return Client(self.timeout_s, self.ca_file, certificate=shown)

    @cached_property
    def _form(self) -> IdmefForm:
        return IdmefForm(self.profile, self.analyzer, incidents=self.incidents)
