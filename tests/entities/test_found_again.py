"""Any entity, defanged in any spelling, in any text, is found again, and the text comes back unchanged."""

import ipaddress
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.entities import Known, find, flair, marked

HEX = "0123456789abcdef"
LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12).map(lambda text: f"x{text}")
ENDINGS = st.sampled_from(["com", "org", "net", "de", "co.uk", "info", "xyz", "cz", "com.br"])
NAMES = st.builds(lambda labels, ending: ".".join([*labels, ending]), st.lists(LABELS, min_size=1, max_size=3), ENDINGS)
IDN = st.builds(lambda word, ending: (word, ending), st.sampled_from(["münchen", "žluť", "пример", "例え"]), ENDINGS)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.integers(2**112, 2**128 - 1).map(lambda number: ipaddress.IPv6Address(number).compressed)
DOT = st.sampled_from(
    [".", "[.]", "{.}", "(.)", "<.>", "[dot]", "(dot)", "{DOT}", " [.] ", " (dot) ", "[.", ".]", r"\.", "。"]
)
AT = st.sampled_from(["@", "[@]", "(at)", "[AT]", " [at] ", "{@}", "[@", r"\@"])
COLON = st.sampled_from([":", "[:]", "(:)", "{:}"])
SCHEME = st.sampled_from(["http", "hxxp", "hXXp", "h**p", "https", "hxxps", "HXXPS", "http[s]", "meow", "ftp", "fxp"])
AFTER_SCHEME = st.sampled_from(["://", "[://]", "[:]//", ":[//]", r":\/\/", "[:][/][/]"])
PLAIN_SCHEMES = {"http[s]": "https", "hxxps": "https", "HXXPS": "https", "https": "https", "ftp": "ftp", "fxp": "ftp"}

Drawn = Callable[[st.SearchStrategy[str]], str]


def spelled(draw: Drawn, text: str, sign: str, spellings: st.SearchStrategy[str]) -> str:
    """The text with each of these signs in a spelling of its own."""
    first, *rest = text.split(sign)
    return first + "".join(draw(spellings) + part for part in rest)


@st.composite
def entities(draw: st.DrawFn) -> tuple[str, str, str]:
    """Type, value and one way to write it."""
    kind = draw(st.sampled_from(["ipv4", "ipv6", "cidr", "domain", "idn", "email", "url", "rest"]))
    if kind in ("ipv4", "domain"):
        value = draw(IPV4 if kind == "ipv4" else NAMES)
        return kind, value, spelled(draw, value, ".", DOT)
    if kind == "ipv6":
        value = draw(IPV6)
        shown = value if "::" in value else ipaddress.ip_address(value).exploded.upper()
        return kind, value, spelled(draw, shown, ":", COLON) if "::" not in value else shown
    if kind == "cidr":
        value = str(ipaddress.ip_network((draw(IPV4), draw(st.integers(1, 32))), strict=False))
        return kind, value, spelled(draw, value, ".", DOT)
    if kind == "idn":
        word, ending = draw(IDN)
        name = f"{word}.{ending}"
        return (
            "domain",
            name.encode("idna").decode(),
            spelled(draw, draw(st.sampled_from([name, name.upper()])), ".", DOT),
        )
    if kind == "email":
        local, name = draw(LABELS), draw(NAMES)
        return kind, f"{local}@{name}", local + draw(AT) + spelled(draw, name, ".", DOT)
    if kind == "url":
        scheme, name, path = draw(SCHEME), draw(NAMES), draw(st.sampled_from(["/", "/a/b?c=d", "/x#y"]))
        shown = scheme + draw(AFTER_SCHEME) + spelled(draw, name, ".", DOT) + path
        return kind, f"{PLAIN_SCHEMES.get(scheme, 'http')}://{name}{path}", shown
    return draw(others())


@st.composite
def others(draw: st.DrawFn) -> tuple[str, str, str]:
    def digits(n: int) -> str:
        return "a" + draw(st.text(HEX, min_size=n - 1, max_size=n - 1))

    length = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "jarm": 62}
    kind = draw(
        st.sampled_from([*length, "cve", "guid", "mac", "asn", "file", "technique", "registry_key", "message_id"])
    )
    if kind in length:
        value = digits(length[kind])
        return kind, value, draw(st.sampled_from([value, value.upper()]))
    if kind == "cve":
        value = f"CVE-{draw(st.integers(1999, 2099))}-{draw(st.integers(1000, 9999999))}"
        return kind, value, draw(st.sampled_from([value, value.lower(), value.replace("-", "_")]))
    if kind == "guid":
        value = "-".join(digits(n) for n in (8, 4, 4, 4, 12))
        return kind, value, draw(st.sampled_from([value, value.upper()]))
    if kind == "mac":
        pairs = [digits(2) for _ in range(6)]
        return kind, ":".join(pairs), draw(st.sampled_from(":-")).join(pairs).upper()
    if kind == "asn":
        number = draw(st.integers(100, 2**32 - 1))
        return kind, f"AS{number}", draw(st.sampled_from(["AS{}", "as{}", "ASN{}", "ASN {}", "AS {}"])).format(number)
    if kind == "technique":
        value = f"T{draw(st.integers(1000, 1999))}" + draw(st.sampled_from(["", ".001", ".012"]))
        return kind, value, value
    if kind == "registry_key":
        word = draw(LABELS)
        return kind, rf"HKEY_LOCAL_MACHINE\software\windows nt\{word}", rf"HKLM\Software\Windows NT\{word}"
    if kind == "message_id":
        value = f"<{draw(st.integers(10**8, 10**12))}.{draw(LABELS)}@{draw(NAMES)}>"
        return kind, value, value
    value = draw(LABELS) + draw(st.sampled_from([".exe", ".dll", ".docx", ".tar.gz", ".ps1", ".py", ".zip"]))
    return "file", value, draw(st.sampled_from([value, value.upper().replace(".PY", ".py")]))


BEFORE = st.sampled_from(
    ["", " ", "\n", "see ", "- ", '"', ", ", "；", "« ", "été ", "中 ", "\U0001f600 ", "[ ", "\t|\t"]
)
BEHIND = st.sampled_from(["", " ", "\n", ", and", ";", '"', "\r\nx", " »", "\U0001f600", " ü", "\t"])
NOISE = st.text(max_size=40)


@settings(max_examples=400, deadline=None)
@given(NOISE, BEFORE, entities(), BEHIND, NOISE)
def test_whatever_is_written_however_is_found_again_in_its_place(
    head: str, before: str, entity: tuple[str, str, str], behind: str, tail: str
) -> None:
    type, value, written = entity
    text = f"{head}\n{before}{written}{behind}\n{tail}"
    start = len(head) + 1 + len(before)

    founds = find(text)

    assert (type, value, start, written) in [(f.entity.type, f.entity.value, f.start, f.text) for f in founds]
    assert "".join(piece.text for piece in marked(text, founds)) == text


@settings(max_examples=300, deadline=None)
@given(st.text("a1.:@/\\[](){}<>-_% \n\u200bü中ＡasdotHKLMhttp", max_size=120) | st.text(max_size=200))
def test_no_text_is_too_strange_and_founds_never_cross(text: str) -> None:
    founds = find(text, Known(strings={"a1": "own", "ht": "own"}))

    for found in founds:
        assert text[found.start : found.end] == found.text != ""
    for one in founds:
        for other in founds:
            assert not (one.start < other.start < one.end < other.end)
    assert "".join(piece.text for piece in marked(text, founds)) == text
    assert flair(text, founds).count("<span") == flair(text, founds).count("</span>") == len(founds)
