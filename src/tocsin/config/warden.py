"""The Warden server's part of the configuration: what readers are offered, and which clients may do what."""

import ipaddress
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, field_validator
from pydantic import model_validator as after_all

from tocsin.config.sections import Query, Section
from tocsin.errors import Problem
from tocsin.formats.idea import NSID
from tocsin.kit.paths import DataPath
from tocsin.kit.problems import nearest
from tocsin.kit.secrets import Secret
from tocsin.model import TLP, Route
from tocsin.sharing.profile import Clearance, Profile

if TYPE_CHECKING:
    from tocsin.config import Config

LANE = "warden-server"
"""The lane that hands events to readers."""
_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)*")
LONGEST_NAME = 64
SHORTEST_SECRET = 8


def _client(name: str) -> str:
    if len(name) <= LONGEST_NAME and _NAME.fullmatch(name.lower()):
        return name.lower()
    raise ValueError(
        f"must be words of letters, digits, underscores and dashes with dots between, {LONGEST_NAME} characters at most"
    )


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError("must be an address or a network, such as 127.0.0.1 or 192.0.2.0/24") from None
    return text


class WardenClientTable(Section):
    """A client of the Warden server; NAME is the one it is registered by, such as `"org.example.sensor"`.

    This table is the register of clients: one that is taken out of it is refused from the next start on.
    """

    enabled: bool = Field(default=True, description="Whether it is let in.")
    secret: Secret | None = Field(
        default=None,
        description="What it proves itself by; each client has another. Without one it needs a certificate.",
    )
    hostname: str = Field(
        default="",
        description="The name in its certificate (CN or DNS name), where that is not the client's own; without that "
        "certificate it is not let in then.",
    )
    read: bool = Field(default=True, description="Whether it may read events.")
    write: bool = Field(default=False, description="Whether it may send events.")
    test: bool = Field(
        default=True, description="Whether it may send events of the category Test, where it may not send others."
    )
    note: str = Field(default="", description="Whose it is, for whoever reads this file.")


class WardenSection(Section):
    """The Warden 3 server at `/warden3/` ([how that works](../warden-server.md)). Without this table there is none.

    What readers get is a lane named `warden-server`: it can be paused, replayed and silenced, and its ledger says what
    was handed out.
    """

    enabled: bool = Field(default=True, description="Whether it is served.")
    node: str = Field(
        default="tocsin",
        pattern=f"^{NSID}$",
        max_length=LONGEST_NAME,
        description="This hub's name, first among the nodes of each event that is handed out: lower-case letters, "
        'digits and underscores with dots between, such as "org.example.hub".',
    )
    description: str = Field(default="", description="What this server is, in a sentence; clients are told.")
    send_events_limit: int = Field(
        default=500, ge=1, le=10_000, description="So many events a client may send at once; more are refused with 507."
    )
    get_events_limit: int = Field(
        default=1000, ge=1, le=10_000, description="So many events a client gets at once, whatever it asks for."
    )
    query: Query = Field(
        default="", description="Which alertgroups readers are offered, in the query language; empty is every one."
    )
    clearance: Clearance = Field(
        default=TLP.AMBER, description="The most restricted traffic light (TLP) that is handed out; red is everything."
    )
    redact: str | Profile | None = Field(
        default=None,
        description="What is taken out of all that is handed out: the name of a profile of `[sharing.profiles]`, or a "
        "table with the options of one.",
    )
    alertgroups: bool = Field(
        default=False,
        description="Whether an alertgroup of several alerts is an event of its own beside theirs, with `CorrelID`.",
    )
    keep_days: float = Field(
        default=30, ge=0, le=3650, description="Readers find events of so many days; 0 keeps them for ever."
    )
    client_ca: DataPath | None = Field(
        default=None,
        description="PEM file with the authorities of clients' certificates, where `[http]` speaks HTTPS itself; "
        "clients may show one then.",
    )
    certificate_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Where a proxy speaks HTTPS: the header in which it says the name (CN) of the certificate that it "
        "has verified, and DNS names behind commas; empty: none is believed.",
    )
    certificate_proxies: list[Annotated[str, AfterValidator(_network)]] = Field(
        default=["127.0.0.1", "::1"], description="Addresses or networks of the proxies that are believed."
    )
    clients: dict[Annotated[str, AfterValidator(_client)], WardenClientTable] = Field(
        default={}, description="Who may do what, one table a client."
    )

    @field_validator("clients", mode="before")
    @classmethod
    def _each_once(cls, clients: object) -> object:
        if isinstance(clients, Mapping):
            seen: dict[str, object] = {}
            for name in clients:
                if seen.setdefault(str(name).lower(), name) != name:
                    raise ValueError(f"{name} and {seen[str(name).lower()]} are one name: capitals do not count")
        return clients

    @after_all(mode="after")
    def _each_can_prove_itself(self) -> Self:
        shown = self.client_ca is not None or self.certificate_header
        secrets: dict[str, str] = {}
        for name, client in self.clients.items():
            secret = client.secret.get_secret_value() if client.secret else ""
            if client.secret is not None and len(secret) < SHORTEST_SECRET:
                raise ValueError(f"clients.{name}: its secret must have {SHORTEST_SECRET} characters or more")
            if secret and secrets.setdefault(secret, name) != name:
                raise ValueError(f"clients.{name}: {secrets[secret]} has the same secret; each needs its own")
            if not shown and (client.hostname or not secret):
                raise ValueError(
                    f"clients.{name}: give it a secret (no certificates are asked for: that takes client_ca or "
                    "certificate_header)"
                )
        return self


def route_of(table: WardenSection) -> Route:
    """What owes the lane of readers its alertgroups, beside all other routes."""
    return Route(name=LANE, query=table.query, to=(LANE,))


def faults(config: "Config", destinations: Mapping[str, object], file: str) -> list[Problem]:
    """What is wrong with the table in the company it keeps: names, profiles, files."""
    table, problems = config.warden, list[Problem]()
    if table is None:
        return problems
    if LANE in destinations or LANE in config.sources:
        problems.append(Problem(file, "warden", "", f"its lane is {LANE}: there is a table of that name; rename that"))
    for name in table.clients.keys() & config.sources.keys():
        remedy = "there is a source of that name, and each names what it hands in by its own; rename the source"
        problems.append(Problem(file, f"warden.clients.{name}", "", remedy))
    if isinstance(table.redact, str) and table.redact not in config.sharing.profiles:
        profiles = config.sharing.profiles
        offer = nearest(table.redact, profiles) if profiles else "there are none"
        remedy = f"there is no such table in [sharing.profiles]; {offer}"
        problems.append(Problem(file, "warden.redact", f'"{table.redact}"', remedy))
    if table.client_ca is not None and config.http.tls_certificate is None:
        remedy = "certificates are asked for where [http] has tls_certificate; give that, or certificate_header"
        problems.append(Problem(file, "warden.client_ca", f'"{table.client_ca}"', remedy))
    return problems
