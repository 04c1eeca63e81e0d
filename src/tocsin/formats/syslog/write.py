"""An alert -> a record of syslog (RFC 5424), with JSON, CEF or LEEF as its message.

    <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [tocsin@32473 uid="…" alertgroup="…"] MSG

The message is UTF-8 without a byte order mark, as readers of JSON, CEF and LEEF want it. MSGID is `alert`. 32473 is the
number that RFC 5612 keeps for who has none of his own.
"""

import re
from typing import Literal, get_args

import msgspec

from tocsin.formats import cef, leef
from tocsin.formats.group_json import Meaning, meaning
from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Severity

Form = Literal["json", "cef", "leef"]
Facility = Literal[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
]  # fmt: skip
FACILITIES: tuple[str, ...] = get_args(Facility)
"""By their numbers (RFC 5424 table 1)."""
SEVERITIES = {Severity.INFO: 6, Severity.LOW: 5, Severity.MEDIUM: 4, Severity.HIGH: 3, Severity.CRITICAL: 2}
"""RFC 5424 table 2; what nobody rated is a notice (5)."""
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


class _Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert as JSON; `left_out`: the row's bytes, where they were too many."""

    uid: str
    id: int = 0
    subject: str
    alertgroup: int = 0
    alertgroup_uid: str
    tlp: str = ""
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    detection: Meaning | None = None
    data: msgspec.Raw | None = None
    left_out: int = 0


def records(group: Alertgroup, *, form: Form, facility: Facility, host: str, version: str, longest: int) -> list[bytes]:
    """A record for each alert, in order; of one longer than `longest` bytes the row's JSON is left out."""
    made = []
    for alert in group.alerts:
        meant = alert.detection
        rated = SEVERITIES.get(meant.severity, 5) if meant is not None and meant.severity is not None else 5
        moment = (meant.detected if meant else None) or group.created or group.received
        said = rfc3339(moment) if moment and writable(moment) else "-"
        head = " ".join([f"<{FACILITIES.index(facility) * 8 + rated}>1", said, _word(host, 255), "tocsin - alert"])
        data = f'[tocsin@32473 uid="{_quoted(alert.uid)}" alertgroup="{_quoted(group.uid)}"]'
        before = f"{head} {data} ".encode()
        text = _message(group, alert, form, version)
        if form == "json" and len(before) + len(text) > longest:
            text = _json(group, alert, whole=False)
        made.append(before + text)
    return made


def framed(record: bytes) -> bytes:
    """With its length in front: octet counting (RFC 6587 section 3.4.1, RFC 5425 section 4.3)."""
    return b"%d %b" % (len(record), record)


def _message(group: Alertgroup, alert: Alert, form: Form, version: str) -> bytes:
    if form == "json":
        return _json(group, alert, whole=True)
    text = cef.event(group, alert, version) if form == "cef" else leef.event(group, alert, version)
    return text.encode("utf-8", "replace")


def _json(group: Alertgroup, alert: Alert, *, whole: bool) -> bytes:
    document = _Document(
        uid=alert.uid,
        id=alert.id,
        subject=group.subject,
        alertgroup=group.id,
        alertgroup_uid=group.uid,
        tlp=group.tlp.value,
        tags=group.tags,
        sources=group.sources,
        detection=None if alert.detection is None else meaning(alert.detection),
        data=msgspec.Raw(alert.json.replace("\r", " ").replace("\n", " ")) if whole else None,
        left_out=0 if whole else len(alert.json.encode()),
    )
    return msgspec.json.encode(document)


def _word(text: str, longest: int) -> str:
    return _UNPRINTABLE.sub("_", text)[:longest] or "-"


def _quoted(text: str) -> str:
    text = _CONTROL.sub(" ", text)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
