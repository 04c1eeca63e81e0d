"""What accumulate rules raise, read again: a copy of each piece, as it was received."""

import msgspec
import pytest

from neighbours.messages import NOW
from tocsin.errors import Malformed
from tocsin.formats.accumulated import MEDIA_TYPE, Accumulated, Piece, written
from tocsin.model import TLP, Alert, Detection, Message, Severity
from tocsin.parsers import accumulated

ROW = b'{"n": 1.50, "text": "\\u00e9"}'
FOUND = Accumulated(
    rule="slips",
    source="2001:db8::1",
    begun="2024-10-04T13:00:00Z",
    ended="2024-10-04T14:00:00Z",
    n=1,
    weight=3.2,
    threshold=3,
    columns=("n", "text"),
    tags=("a",),
    sources=("slips",),
    tlp=TLP.GREEN,
    evidence=(
        Piece(
            alert=7,
            alertgroup=5,
            message=3,
            sha256="ab",
            weight=0.8,
            row=msgspec.Raw(ROW),
            detection=Detection(name="X", severity=Severity.HIGH, detected=NOW),
        ),
        Piece(alert=8, alertgroup=6, message=4, sha256="cd", weight=0.8, row=msgspec.Raw(b"{}"), detection=None),
    ),
)


def message(body: bytes, source: str = "tocsin", media_type: str = MEDIA_TYPE) -> Message:
    return Message(source=source, body=body, media_type=media_type, received=NOW)


def test_every_piece_is_an_alert_as_it_was_received() -> None:
    (group,) = accumulated.Accumulated().parse(message(written(FOUND)))

    assert group.alerts == (
        Alert(json=ROW.decode(), detection=Detection(name="X", severity=Severity.HIGH, detected=NOW)),
        Alert(json="{}"),
    )
    assert group.subject == "Enough evidence against 2001:db8::1: 2 alerts from 2024-10-04 13:00 to 14:00 UTC"
    assert (group.columns, group.tags, group.sources, group.tlp) == (("n", "text"), ("a",), ("slips",), TLP.GREEN)
    assert group.body_plain == (
        "The rule slips gathered 2 alerts against 2001:db8::1 from 2024-10-04 13:00 to 14:00 UTC. "
        "Together they weigh 3.2, and 3 is enough."
    )


@pytest.mark.parametrize(
    ("begun", "ended", "said"),
    [
        ("2024-10-04T23:00:00Z", "2024-10-05T00:00:00Z", "2024-10-04 23:00 to 2024-10-05 00:00 UTC"),
        ("2024-10-04T13:00:30Z", "2024-10-04T13:01:00Z", "2024-10-04 13:00:30 to 13:01 UTC"),
        ("2024-10-04T13:00:00.500000Z", "2024-10-04T13:01:00Z", "2024-10-04 13:00:00.500000 to 13:01 UTC"),
    ],
)
def test_the_window_is_told_as_people_write_it(begun: str, ended: str, said: str) -> None:
    found = msgspec.structs.replace(FOUND, begun=begun, ended=ended, more=3)
    (group,) = accumulated.Accumulated().parse(message(written(found)))

    assert group.subject == f"Enough evidence against 2001:db8::1: 5 alerts from {said}"
    assert group.body_plain.endswith("is enough. The 2 heaviest stand here.")


def test_only_what_tocsin_itself_wrote_is_claimed() -> None:
    parser = accumulated.Accumulated()

    assert parser.claims(message(b""))
    assert not parser.claims(message(b"", source="rest"))
    assert not parser.claims(message(b"", media_type="application/json"))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, written(FOUND)[:-9]])
def test_what_is_something_else_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="no evidence as Tocsin writes it"):
        list(accumulated.Accumulated().parse(message(body)))
