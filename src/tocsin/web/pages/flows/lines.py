"""A flow as a line of a table: who with whom, over what, how much, and what an alert says of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tocsin.flows.searching.paging import Flow
from tocsin.model import Micros
from tocsin.web.pages.flowing import host_url

_TOLD: Mapping[str, tuple[str, ...]] = {
    "dns": ("query", "qtype_name"),
    "http": ("method", "host", "uri"),
    "ssl": ("server_name",),
    "ssh": ("client",),
    "dhcp": ("host_name", "requested_addr"),
    "smtp": ("last_reply",),
    "tunnel": ("tunnel_type", "action"),
    "notice": ("note", "msg"),
    "files": ("source", "md5"),
    "arp": ("operation",),
    "software": ("unparsed_version",),
    "weird": ("name",),
    "login": ("user",),
    "alert": ("signature",),
}
"""What tells most of a kind, beside its addresses."""
_LONGEST_TOLD = 120


class End(NamedTuple):
    """One end of a flow; both are empty where the log does not say."""

    address: str
    port: str

    @property
    def url(self) -> str:
        """The page of the address; empty where there is none."""
        return host_url(self.address) if self.address else ""

    @property
    def shown(self) -> str:
        """The address as it stands before a port (RFC 3986, section 3.2.2)."""
        return f"[{self.address}]" if ":" in self.address and self.port else self.address


class Line(NamedTuple):
    """A flow in one glance. `named` is whether an alert names it, `told` what was seen inside it."""

    id: int
    kind: str
    start: Micros | None
    source: End
    target: End
    proto: str
    service: str
    told: str
    bytes: int | None
    state: str
    label: str
    category: str
    alertgroup: int | None
    alert: int | None

    @property
    def named(self) -> bool:
        """Whether an alert names it."""
        return self.alertgroup is not None

    @property
    def url(self) -> str:
        """The page of the flow."""
        return f"/flows/{self.id}"

    @property
    def alert_url(self) -> str:
        """The alert that names it, in its alertgroup."""
        return alert_url(self.alertgroup, self.alert)


def alert_url(alertgroup: int | None, alert: int | None) -> str:
    """An alert in its alertgroup; empty for none."""
    if alertgroup is None:
        return ""
    return f"/alerts/{alertgroup}" + (f"?alert={alert}#record" if alert is not None else "")


def line_of(flow: Flow) -> Line:
    """The line of a flow."""
    cells = flow.cells
    told = " ".join(str(cells[name]) for name in _TOLD.get(flow.kind, ()) if cells.get(name) is not None)
    return Line(
        id=flow.place,
        kind=flow.kind,
        start=cells.get("start"),
        source=_end(cells, "saddr", "sport"),
        target=_end(cells, "daddr", "dport"),
        proto=str(cells.get("proto") or ""),
        service=str(cells.get("appproto") or ""),
        told=told[:_LONGEST_TOLD] + ("…" if len(told) > _LONGEST_TOLD else ""),
        bytes=cells.get("bytes"),
        state=str(cells.get("state") or ""),
        label=flow.label,
        category=flow.category or "",
        alertgroup=flow.alertgroup,
        alert=flow.alert,
    )


def _end(cells: Mapping[str, Any], address: str, port: str) -> End:
    number = cells.get(port)
    return End(str(cells.get(address) or ""), "" if number is None else str(number))
