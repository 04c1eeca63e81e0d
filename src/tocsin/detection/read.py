"""A row's cells -> its detection."""

from collections.abc import Callable, Iterable

import msgspec

from tocsin.detection import cells
from tocsin.detection.names import DEFAULT, Found, Names
from tocsin.detection.severity import found_severity
from tocsin.detection.times import moment
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Micros, Severity

NOTHING = Endpoint()


def read(alert: Alert, names: Names = DEFAULT) -> Detection:
    """What an alert means: what its parser said, or what its columns say.

    A time without a zone, an impossible address, a number on an unknown scale is absent, never guessed. Of several
    columns for one field the table's first readable one counts; endpoints take all of them, each value once.
    """
    if alert.detection is not None:
        return alert.detection
    found = names.find(alert.data)
    if not found:
        return Detection()
    protocols = _protocols(found)
    with_ports = cells.WITHOUT_PORTS.isdisjoint(protocols)
    source, target = "src_port", "dest_port"
    if _is_of_target(found):
        source, target = target, source
    sources = _endpoint(found, "src", source if with_ports else "")
    targets = _endpoint(found, "dest", target if with_ports else "")
    name = _first_text(found, "name")
    description = _first_text(found, "description")
    return Detection(
        name=name,
        category=_first_text(found, "category"),
        description="" if description == name else description,
        severity=found_severity(found),
        confidence=_confidence(found),
        detected=_moment(found, "detected"),
        start=_moment(found, "start"),
        end=_moment(found, "end"),
        sources=() if sources is NOTHING else (sources,),
        targets=() if targets is NOTHING else (targets,),
        protocols=protocols,
        flow_uids=_flow_uids(found),
    )


def known(group: Alertgroup, names: Names = DEFAULT) -> Alertgroup:
    """The group with the detection of every alert set: as its parser said, or as `read`."""
    if all(alert.detection is not None for alert in group.alerts):
        return group
    alerts = [msgspec.structs.replace(alert, detection=read(alert, names)) for alert in group.alerts]
    return msgspec.structs.replace(group, alerts=tuple(alerts))


def severity(alert: Alert, names: Names = DEFAULT) -> Severity | None:
    """The same severity as `read` finds, without reading the rest."""
    if alert.detection is not None:
        return alert.detection.severity
    return found_severity(names.find_severity(alert.data))


def is_of_target(alert: Alert, names: Names = DEFAULT) -> bool:
    """Whether a row of Slips says that its attacker is where a flow of the watched machine went (`direction` DST)."""
    return _is_of_target(names.find(alert.data))


def _is_of_target(found: Found) -> bool:
    return _first_text(found, "attacker_direction").upper() == "DST"


def _each(found: Found, field: str) -> Iterable[str]:
    if field not in found:
        return ()
    return [text for _, cell in found[field] for text in cells.texts(cell)]


def _first_text(found: Found, field: str) -> str:
    """The first text of a field that has a letter in it."""
    for _, cell in found.get(field, ()):
        for value in cells.scalars(cell):
            if isinstance(value, str) and any(map(str.isalpha, value)):
                return value
    return ""


def _moment(found: Found, field: str) -> Micros | None:
    for _, cell in found.get(field, ()):
        for value in cells.scalars(cell):
            time = moment(value)
            if time is not None:
                return time
    return None


def _confidence(found: Found) -> float | None:
    for _, cell in found.get("confidence", ()):
        for value in cells.scalars(cell):
            text = str(value)
            try:
                number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
            except ValueError:
                continue
            if 0 <= number <= 1:
                return number
    return None


def _protocols(found: Found) -> tuple[str, ...]:
    if "protocol" not in found:
        return ()
    return tuple(dict.fromkeys(name for text in _each(found, "protocol") for name in cells.protocols(text)))


def _flow_uids(found: Found) -> tuple[str, ...]:
    uids = dict.fromkeys(_each(found, "flow_uid"))
    if "flow_uid:text" in found:
        uids.update(dict.fromkeys(uid for uid in _each(found, "flow_uid:text") if any(map(str.isalpha, uid))))
    return tuple(uids)


def _endpoint(found: Found, side: str, port_field: str) -> Endpoint:
    """One side, or NOTHING."""
    addresses: dict[str, None] = {}
    hostnames: dict[str, None] = {}
    ports: dict[int, None] = {}
    macs: dict[str, None] = {}
    urls: dict[str, None] = {}
    for text in _each(found, side):
        for part in _parts(text):
            _sort_in(part, addresses, hostnames, ports, macs, urls)
    for text in _each(found, f"{side}:address"):
        for part in _parts(text):
            if canonical := cells.address(part):
                addresses[canonical] = None
    for _, cell in found.get(port_field, ()):
        for value in cells.scalars(cell):
            number = cells.port(value)
            if number is not None:
                ports[number] = None
    _add(macs, cells.mac, found, f"{side}_mac")
    _add(urls, cells.url, found, f"{side}_url")
    emails: dict[str, None] = {}
    _add(emails, cells.email, found, f"{side}_email")
    if not (addresses or hostnames or ports or macs or urls or emails):
        return NOTHING
    return Endpoint(
        addresses=tuple(addresses),
        hostnames=tuple(hostnames),
        ports=tuple(ports) if port_field else (),
        macs=tuple(macs),
        urls=tuple(urls),
        emails=tuple(emails),
    )


def _add(into: dict[str, None], reader: Callable[[str], str], found: Found, field: str) -> None:
    if field in found:
        for text in _each(found, field):
            if value := reader(text):
                into[value] = None


def _parts(text: str) -> list[str]:
    """`10.0.0.1, 10.0.0.2` is a list; text in which one part is neither an address nor a dotted name is not."""
    if "," not in text:
        return [text]
    parts = [part for part in (part.strip() for part in text.split(",")) if part]
    whole = all(cells.address(part) or ("." in part and cells.hostname(part)) for part in parts)
    return parts if whole else []


def _sort_in(
    text: str,
    addresses: dict[str, None],
    hostnames: dict[str, None],
    ports: dict[int, None],
    macs: dict[str, None],
    urls: dict[str, None],
) -> None:
    """Put one value of an endpoint's column where it belongs; nowhere if it is nothing we know."""
    if canonical := cells.address(text):
        addresses[canonical] = None
        return
    if ":" in text:
        canonical, number = cells.address_and_port(text)
        if canonical:
            addresses[canonical] = None
            if number is not None:
                ports[number] = None
        elif pair := cells.mac(text):
            macs[pair] = None
        elif absolute := cells.url(text):
            urls[absolute] = None
    elif pair := cells.mac(text):
        macs[pair] = None
    elif name := cells.hostname(text):
        hostnames[name] = None
