"""Addresses, names and URLs in a text written so that no program makes a link of them."""

from tocsin.entities.find import find

DANGEROUS = frozenset(("ipv4", "ipv6", "cidr", "domain", "email", "url"))


def defanged(text: str) -> str:
    """The text with `.` as `[.]`, `://` as `[://]` and `@` as `[@]` in what is an address, a name or an URL.

    What was written defanged stays as it is.
    """
    parts: list[str] = []
    at = 0
    for found in find(text):
        if found.start >= at and found.entity.type in DANGEROUS:
            written = found.text if "[" in found.text else found.text.replace(".", "[.]").replace("://", "[://]")
            parts += (text[at : found.start], written if "[@]" in written else written.replace("@", "[@]"))
            at = found.end
    return "".join((*parts, text[at:]))
