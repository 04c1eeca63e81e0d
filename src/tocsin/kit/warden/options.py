"""What has to be said of a Warden 3 server; a plug-in inherits it."""

import re
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from tocsin.errors import Unavailable
from tocsin.kit.http import Certificate
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.kit.warden import conf

TIMEOUT_S = 60.0
SEND, GET = 500, 1000
"""Events at once, before the server says how many it takes and gives."""
NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)*")


class Account(NamedTuple):
    """As whom which server is spoken to."""

    url: str
    name: str
    secret: str = ""
    certificate: Certificate | None = None
    ca_file: Path | None = None
    timeout_s: float = TIMEOUT_S
    send_limit: int = SEND
    get_limit: int = GET


class WardenOptions(BaseModel):
    """Where a server is and as whom it is spoken to: a `warden.conf`, options of our own, or both."""

    configuration_file: DataPath | None = Field(
        default=None,
        description="A warden.conf, read as it is; what is given beside it here counts more than what stands in it.",
    )
    url: str = Field(default="", description='Where the server is, such as "https://warden.example/warden3".')
    name: str = Field(default="", description='The name this client is registered by, such as "org.example.tocsin".')
    secret: Secret | None = Field(default=None, description="The secret of this client, if it was given one.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="Certificate to show to the server (PEM).")
    client_key: DataPath | None = Field(
        default=None, description="Its private key (PEM), unless it stands in client_cert."
    )
    client_key_password: Secret | None = Field(default=None, description="Password of the private key.")
    timeout_s: float | None = Field(
        default=None, gt=0, le=600, description="Longest wait for the server, in seconds; 60 unless said elsewhere."
    )

    @model_validator(mode="after")
    def _says_one_server(self) -> Self:
        if self.configuration_file is None and not (self.url and self.name):
            raise ValueError("give url and name, or a configuration_file")
        wrong = _wrong(self.url, self.name)
        if wrong:
            raise ValueError(wrong)
        if self.client_cert is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("client_key is nothing without client_cert")
        return self

    def account(self) -> Account:
        """All of it together. Raises Unavailable: the configuration file cannot be read, or does not say enough."""
        file = self.configuration_file
        said = conf.Conf() if file is None else conf.read(file)
        url, name = self.url or said.url, (self.name or said.name).lower()
        wrong = _wrong(url, name) if url and name else "it needs url and name"
        if wrong:
            raise Unavailable(f"{file}: {wrong}")
        folder = Path() if file is None else file.parent
        secret = self.secret.get_secret_value() if self.secret is not None else said.secret
        return Account(
            url=url.rstrip("/"),
            name=name,
            secret=secret or "",
            certificate=self._certificate(folder, said),
            ca_file=self.ca_file or (folder / said.cafile if said.cafile else None),
            timeout_s=self.timeout_s or (said.timeout if said.timeout and said.timeout > 0 else TIMEOUT_S),
            send_limit=_limit(said.send_events_limit, SEND),
            get_limit=_limit(said.get_events_limit or said.recv_events_limit, GET),
        )

    def _certificate(self, folder: Path, said: conf.Conf) -> Certificate | None:
        if self.client_cert is not None:
            password = self.client_key_password
            return Certificate(self.client_cert, self.client_key, password.get_secret_value() if password else "")
        if not said.certfile:
            return None
        return Certificate(folder / said.certfile, folder / said.keyfile if said.keyfile else None)


def _wrong(url: str, name: str) -> str:
    """What is wrong with an URL or a name that is given."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        return "url must begin with https:// or http://"
    if parts.username is not None or parts.query or parts.fragment:
        return "url holds no user, query or fragment"
    if name and not NAME.fullmatch(name.lower()):
        return "name must be words of letters, digits, underscores and dashes with dots between"
    return ""


def _limit(said: int | None, otherwise: int) -> int:
    return said if said is not None and said > 0 else otherwise
