"""`address:port -> address:port` as sensors write it, IPv6 with and without brackets."""

from ipaddress import ip_address


def ends(src: str, dst: str, *, ports: bool) -> tuple[str, int | None, str, int | None]:
    """Source and its port, destination and its port; what is no address is kept as it is written.

    With `ports`, a protocol that has them, the last group of a bare IPv6 address is a port where both ends read so.
    """
    one, other = _end(src, ports), _end(dst, ports)
    if ports and (one is None or other is None):
        one, other = _end(src, False), _end(dst, False)
    return *(one or (src, None)), *(other or (dst, None))


def _end(text: str, ports: bool) -> tuple[str, int | None] | None:
    address, colon, port = text.rpartition(":")
    if not ports and _is_address(text.strip("[]")):
        return text.strip("[]"), None
    if colon and port.isdigit() and len(port) < 6 and _is_address(address.strip("[]")):
        return address.strip("[]"), int(port)
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
