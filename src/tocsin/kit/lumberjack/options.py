"""What has to be said of a server that speaks Lumberjack; a plug-in inherits it."""

from pydantic import BaseModel, Field

from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret


class LumberjackOptions(BaseModel):
    """Where a server is, and how both sides prove who they are."""

    host: str = Field(default="", description="Name or address of the server with the Beats input.")
    port: int = Field(default=5044, ge=1, le=65535, description="Port of the Beats input.")
    tls: bool = Field(default=True, description="Whether host is spoken to with TLS; its name is checked.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")
    client_cert: DataPath | None = Field(default=None, description="Certificate to show to the server (PEM).")
    client_key: DataPath | None = Field(
        default=None, description="Its private key (PEM), unless it stands in client_cert."
    )
    client_key_password: Secret | None = Field(default=None, description="Password of the private key.")
    timeout_s: float = Field(
        default=30,
        gt=0,
        le=600,
        description="Longest silence of the server, in seconds; Logstash says something each 5.",
    )
    blocked_s: float = Field(
        default=200,
        gt=0,
        le=3600,
        description="So long the server may say that it is busy; then it is tried again later.",
    )
    compression: int = Field(
        default=1, ge=0, le=9, description="How hard documents are compressed: 0 for not at all, 9 takes longest."
    )
