"""What has to be said of a TAXII 1.1 server; a plug-in inherits it."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from tocsin.kit.http import Certificate
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret


class Taxii1Options(BaseModel):
    """Where a server's services are and as whom they are asked."""

    url: str = Field(default="", description="URL of the discovery service, where the others are found.")
    service: str = Field(
        default="",
        description="URL of the inbox (of a destination) or poll service (of a source), where discovery does not name "
        "the right one, or instead of url.",
    )
    user: str = Field(default="", description="Name to sign in with (HTTP Basic, or at auth_url).")
    password: Secret | None = Field(default=None, description="Password of user.")
    auth_url: str = Field(
        default="",
        description="URL, or path on the same server, that gives a token (JWT) for user and password, such as "
        "OpenTAXII's /management/auth; without it they are sent by HTTP Basic.",
    )
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
        if not self.url and not self.service:
            raise ValueError("give url (of the discovery service), or service (of the inbox or poll service), or both")
        for url in filter(None, (self.url, self.service, self.auth_url if "://" in self.auth_url else "")):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("url, service and auth_url begin with https:// or http:// and a host")
            if parts.username is not None or parts.fragment:
                raise ValueError("url and service hold no user and no fragment: give user and password")
        if self.token is not None and self.user:
            raise ValueError("give either a token, or user and password")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        if ":" in self.user:
            raise ValueError("user holds no colon (RFC 7617)")
        if self.auth_url and not self.user:
            raise ValueError("auth_url needs user and password")
        if self.client_cert is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("client_key is nothing without client_cert")
        return self

    @property
    def entrance(self) -> str:
        """The URL that is asked first."""
        return self.url or self.service

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        given = (self.password, self.token, self.client_key_password)
        return tuple(each.get_secret_value() for each in given if each is not None and each.get_secret_value())

    @property
    def certificate(self) -> Certificate | None:
        """What is shown to the server."""
        if self.client_cert is None:
            return None
        password = self.client_key_password.get_secret_value() if self.client_key_password else ""
        return Certificate(self.client_cert, self.client_key, password)
