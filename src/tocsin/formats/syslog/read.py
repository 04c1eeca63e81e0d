"""A record of syslog -> what it says. RFC 5424 section 6; RFC 3164 section 4, as far as anybody keeps to it."""

import re

import msgspec

from tocsin.model import Severity

_PRI = re.compile(r"<(\d{1,3})>")
_HEAD = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) ")
_ELEMENT = re.compile(r'\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\]|\\.)*")*)\]', re.DOTALL)
_PARAM = re.compile(r' ([^\s=\]"]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_OLD = re.compile(r"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+) ")
_TAG = re.compile(r"([^\s:\[\]]{1,48})(?:\[([^\]]{0,128})\])?: ?")
BAD = {
    0: Severity.CRITICAL,
    1: Severity.CRITICAL,
    2: Severity.CRITICAL,
    3: Severity.HIGH,
    4: Severity.MEDIUM,
    5: Severity.LOW,
    6: Severity.INFO,
    7: Severity.INFO,
}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says; what it does not say is empty. `severity` and `facility` are numbers of RFC 5424."""

    message: str
    severity: int | None = None
    facility: int | None = None
    time: str = ""
    host: str = ""
    app: str = ""
    process: str = ""
    msgid: str = ""
    data: dict[str, dict[str, str]] = {}


def record(raw: bytes) -> Record:
    """Of any bytes; what is no syslog is a message without a head."""
    text = raw.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    found = _PRI.match(text)
    if found is None or int(found[1]) > 191:
        return Record(message=text)
    facility, severity = divmod(int(found[1]), 8)
    rest = text[found.end() :]
    head = _HEAD.match(rest)
    if head is not None:
        data, message = _data(rest[head.end() :])
        time, host, app, process, msgid = ("" if each == "-" else each for each in head.groups())
        return Record(
            message=message.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"),
            severity=severity,
            facility=facility,
            time=time,
            host=host,
            app=app,
            process=process,
            msgid=msgid,
            data=data,
        )
    old = _OLD.match(rest)
    message = rest[old.end() :] if old else rest
    tag = _TAG.match(message) if old else None
    return Record(
        message=message[tag.end() :] if tag and tag[1] not in ("CEF", "LEEF") else message,
        severity=severity,
        facility=facility,
        time=old[1] if old else "",
        host=old[2] if old else "",
        app=tag[1] if tag and tag[1] not in ("CEF", "LEEF") else "",
        process=(tag[2] or "") if tag else "",
    )


def _data(text: str) -> tuple[dict[str, dict[str, str]], str]:
    """The structured data in front, and the message behind it."""
    if text[:1] == "-":
        return {}, text[1:].removeprefix(" ")
    data: dict[str, dict[str, str]] = {}
    at = 0
    while (found := _ELEMENT.match(text, at)) is not None:
        params = data.setdefault(found[1], {})
        for name, value in _PARAM.findall(found[2]):
            params[name] = _ESCAPED.sub(r"\1", value)
        at = found.end()
    return data, text[at:].removeprefix(" ")
