"""STIX patterns, one for each value that has one; every value escaped."""

from tocsin.formats.stix import values


def pattern(type: str, value: str) -> str:
    """The pattern that finds a value of one of Tocsin's types of entities, or "" if there is none such.

    Beside those there are `user_agent` (its text), and `port` (`443`, `tcp/443`).
    """
    if type in ("ipv4", "ipv6", "cidr"):
        return _network(value)
    if type in values.HASHES:
        digest = values.digest(type, value)
        return f"[file:hashes.'{values.HASHES[type][0]}' = {literal(digest)}]" if digest else ""
    if type == "port":
        return _port(value)
    path, value = _one_value(type, value)
    return f"[{path} = {literal(value)}]" if value else ""


def literal(text: str) -> str:
    """A text between quotes."""
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _one_value(type: str, value: str) -> tuple[str, str]:
    match type:
        case "domain":
            return "domain-name:value", values.name(value)
        case "url":
            return "url:value", values.url(value)
        case "email":
            return "email-addr:value", values.email(value)
        case "mac":
            return "mac-addr:value", values.mac(value)
        case "file":
            return "file:name", value
        case "registry_key":
            return "windows-registry-key:key", value
        case "user_agent":
            return "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'", value
    return "", ""


def _network(value: str) -> str:
    version, net = values.network(value)
    operator = "ISSUBSET" if "/" in net else "="
    return f"[ipv{version}-addr:value {operator} {literal(net)}]" if version else ""


def _port(value: str) -> str:
    port = values.port(value)
    if port is None:
        return ""
    protocol, number = port
    spoken = f" AND network-traffic:protocols[*] = {literal(protocol)}" if protocol else ""
    return f"[network-traffic:dst_port = {number}{spoken}]"
