"""The options of a mailbox, with their checks."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.kit.senders import Sender
from tocsin.plugin import Plugin

PORTS = {"tls": 993, "starttls": 143, "none": 143}
LONGEST_INTERVAL_S = 1500
"""IDLE is issued anew with every interval; RFC 2177 asks for less than 29 minutes."""
HERE = ("localhost", "127.0.0.1", "::1")

Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class OAuth(BaseModel):
    """Where access tokens come from (RFC 6749): by a refresh token if there is one, else by client credentials."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    token_url: str = Field(description="The token endpoint; https, or http on this machine.")
    client_id: Text = Field(description="The application's id.")
    client_secret: Secret | None = Field(default=None, description="The application's secret.")
    refresh_token: Secret | None = Field(
        default=None, description="Grants access to the mailbox of the user who gave it; without it client credentials."
    )
    scope: str = Field(default="", description="What is asked for, such as https://outlook.office365.com/.default.")
    ca_file: DataPath | None = Field(
        default=None, description="PEM file of the authorities trusted for the token endpoint, not the system's."
    )

    @field_validator("token_url")
    @classmethod
    def _keeps_secrets(cls, url: str) -> str:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("https", "http"):
            raise ValueError("must be an https:// URL")
        if parts.scheme == "http" and parts.hostname not in HERE:
            raise ValueError("must begin with https://: secrets are sent there")
        return url

    @model_validator(mode="after")
    def _has_a_grant(self) -> Self:
        if self.refresh_token is None and self.client_secret is None:
            raise ValueError("give refresh_token, or client_secret for client credentials")
        return self


class Options(Plugin):
    """What is said of a mailbox."""

    host: Text = Field(description="Name or address of the server; TLS proves that it is this name.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Port; without it 993, or 143 for starttls and none."
    )
    tls: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="How the connection is protected; the certificate is always verified."
    )
    ca_file: DataPath | None = Field(
        default=None, description="PEM file of the authorities to trust instead of the system's, for a private CA."
    )
    plaintext_login: bool = Field(
        default=False, description='Sign in over an unprotected connection (`tls = "none"`); for tests on one machine.'
    )
    user: Text = Field(description="Name to sign in with, often the mail address.")
    password: Secret | None = Field(default=None, description="Password, or an app password.")
    oauth: OAuth | None = Field(default=None, description="Sign in with OAuth 2.0 (XOAUTH2) instead of a password.")
    folder: Text = Field(default="INBOX", description="The folder that is read.")
    permitted_senders: list[Sender] = Field(
        min_length=1,
        description='Who may be heard: addresses, domains with their subdomains ("example.com"), patterns '
        '("ids-*@example.com"), or "*" for everybody. Mail of others stands in quarantine.',
    )
    authentication_server: str = Field(
        default="",
        description="The name (authserv-id) of the mail server whose Authentication-Results must show a dmarc, dkim or "
        "spf that passed for the sender's domain; empty asks for none.",
    )
    interval_s: float = Field(
        default=60, gt=0, le=LONGEST_INTERVAL_S, description="Look so often, push or not; also the longest IDLE."
    )
    fetch: Literal["new", "unseen", "since"] = Field(
        default="new",
        description="Where to begin: with mail that comes from now on; with all that is unseen, and then with unseen "
        "mail only; or with mail of the last `since_hours`.",
    )
    since_hours: float = Field(default=24, gt=0, le=24 * 366, description='How far back `fetch = "since"` begins.')
    max_mib: int = Field(
        default=64, ge=1, le=512, description="Of a larger mail so much is kept, in quarantine, and the rest left."
    )
    afterwards: Literal["leave", "seen", "move"] = Field(
        default="leave", description="What becomes of a mail once it is stored; leave changes nothing in the mailbox."
    )
    move_to: str = Field(default="", description='The folder for `afterwards = "move"`; made when it is not there.')
    health_subject: str = Field(
        default="",
        description="Mail with this subject (`*` stands for anything) is a sign of life: noted, and not an alert.",
    )
    silent_after_h: float = Field(
        default=0, ge=0, le=24 * 366, description="After so long without any mail an alertgroup says so; 0 never."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise ValueError("give either password or oauth")
        if self.tls == "none" and not self.plaintext_login:
            raise ValueError(
                'tls = "none" would send the password in the open: use "tls" or "starttls", or permit it with '
                "plaintext_login = true"
            )
        if (self.afterwards == "move") != bool(self.move_to):
            raise ValueError('afterwards = "move" and move_to belong together')
        if self.move_to == self.folder:
            raise ValueError("move_to must not be the folder that is read")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or PORTS[self.tls]

    @property
    def mailbox(self) -> str:
        """What is read, in words that tell mailboxes apart."""
        return f"{self.user}@{self.host}/{self.folder}"
