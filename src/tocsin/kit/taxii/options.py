"""What has to be said of a TAXII 2.1 server; a plug-in inherits it."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret


class TaxiiOptions(BaseModel):
    """Where a collection is and as whom it is entered."""

    url: str = Field(default="", description="URL of the server's discovery, or of one API root, instead of host.")
    host: str = Field(default="", description="Name or address of the server, instead of url.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Port; without it 443, or 80 without https.")
    https: bool = Field(default=True, description="Whether host is spoken to with TLS.")
    discovery: str = Field(default="/taxii2/", description="Path of the discovery on host.")
    collection: str = Field(min_length=1, description="The collection's id, alias or title, in any API root.")
    user: str = Field(default="", description="Name to sign in with (HTTP Basic).")
    password: Secret | None = Field(default=None, description="Password of user.")
    token: Secret | None = Field(default=None, description="A bearer token, instead of user and password.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="Certificate to show to the server (PEM).")
    client_key: DataPath | None = Field(
        default=None, description="Its private key (PEM), unless it stands in client_cert."
    )
    client_key_password: Secret | None = Field(default=None, description="Password of the private key.")
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the server, in seconds.")

    @model_validator(mode="after")
    def _says_one_server(self) -> Self:
        if bool(self.url) == bool(self.host):
            raise ValueError("give either url or host")
        parts = urlsplit(self.discovery_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url must begin with https:// or http://, and host be a name or an address")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("url holds no user, password, query or fragment: give user and password")
        if self.token is not None and self.user:
            raise ValueError("give either a token, or user and password")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        if ":" in self.user:
            raise ValueError("user holds no colon (RFC 7617)")
        if self.client_cert is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("client_key is nothing without client_cert")
        return self

    @property
    def discovery_url(self) -> str:
        """Where asking begins; with the slash at its end that is part of every TAXII 2.1 URL."""
        if self.url:
            return self.url.rstrip("/") + "/"
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        port = f":{self.port}" if self.port is not None else ""
        path = self.discovery.strip("/")
        return f"{'https' if self.https else 'http'}://{host}{port}/" + (f"{path}/" if path else "")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        given = (self.password, self.token, self.client_key_password)
        return tuple(each.get_secret_value() for each in given if each is not None and each.get_secret_value())
