"""Messages and entries as tests need them."""

import msgspec

from tocsin.model import Alertgroup, Message
from tocsin.store import Entry, Part, entry

NOW = 1_795_000_000_000_000


def an_entry(subject: str = "beacon", *, message_id: str = "", rows: int = 1, lanes: tuple[str, ...] = ()) -> Entry:
    body = msgspec.json.encode({"subject": subject, "rows": rows})
    group = Alertgroup.of_rows(subject, [{"n": n} for n in range(rows)], tags=("t",), sources=("s",))
    received = Message(
        source="rest", body=body, media_type="application/json", received=NOW, sender="k", message_id=message_id
    )
    return entry(received, [Part(group=group, severity=None, lanes=lanes)], "scot", "1")


def posted(body: bytes, media_type: str = "text/plain", idempotency_key: str = "") -> Message:
    """A message of the source `here`."""
    return Message(
        source="here", body=body, media_type=media_type, received=NOW, sender="k", idempotency_key=idempotency_key
    )
