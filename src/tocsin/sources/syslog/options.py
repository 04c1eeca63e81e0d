"""What is said of a listener."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError('must be a network or an address, such as "192.0.2.0/24"') from None


class Options(BaseModel):
    """Where to listen, and to whom."""

    protocol: Literal["tls", "tcp", "udp"] = Field(default="tls", description="UDP loses records; TCP is in the clear.")
    host: str = Field(default="0.0.0.0", min_length=1, description="Address to listen on.")  # noqa: S104 - senders are permitted by network
    port: int = Field(default=6514, ge=0, le=65535, description="Port to listen on; syslog has 6514 (TLS) and 514.")
    permitted_senders: list[Annotated[str, AfterValidator(_network)]] = Field(
        min_length=1, description='Networks and addresses that may send, such as "192.0.2.0/24"; others are hung up on.'
    )
    certificate: DataPath | None = Field(default=None, description="For TLS: the certificate to show (PEM).")
    key: DataPath | None = Field(default=None, description="Its private key (PEM), unless it stands in certificate.")
    key_password: Secret | None = Field(default=None, description="Password of the private key.")
    client_ca_file: DataPath | None = Field(
        default=None, description="For TLS: senders must show a certificate issued by one of these (PEM)."
    )
    max_connections: int = Field(default=100, ge=1, le=2000, description="More are hung up on.")
    max_bytes: int = Field(
        default=65_536, ge=480, le=16_777_216, description="Of a longer record so much is kept, in quarantine."
    )
    max_waiting: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="So many UDP records wait for the store; more are dropped, counted.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.protocol == "tls") != (self.certificate is not None):
            raise ValueError('protocol = "tls" and certificate belong together')
        return self
