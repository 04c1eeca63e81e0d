"""The dummy fails as often as it is told to, and writes down what it accepted."""

from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from tocsin.destinations.dummy import Dummy
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.model import Alertgroup, Delivery, Kind, Receipt


def delivery(number: int) -> Delivery:
    return Delivery(id=number, uid=f"d-{number}", alertgroup=Alertgroup(subject="s", alerts=()))


def fates(dummy: Dummy, attempts: int) -> list[str]:
    found = []
    for number in range(attempts):
        try:
            dummy.send(delivery(number))
            found.append("accepted")
        except DeliveryError as error:
            found.append(f"{type(error).__name__} {str(error).split()[1]}")
    return found


def test_without_options_it_accepts_everything() -> None:
    dummy = Dummy()

    assert dummy.send(delivery(1)) == Receipt(remote_id="d-1", status="accepted")
    assert "always there" in dummy.check()


def test_each_fate_befalls_as_often_as_configured() -> None:
    counts = Counter(fates(Dummy(refuse=0.1, drop=0.2, hang=0.3, slow=0.1, hang_s=0, slow_s=0, seed=7), 2000))

    assert set(counts) == {"accepted", "Rejected refused", "Unavailable dropped", "Unavailable hung"}
    assert 140 < counts["Rejected refused"] < 260
    assert 320 < counts["Unavailable dropped"] < 480
    assert 500 < counts["Unavailable hung"] < 700


def test_the_same_seed_fails_in_the_same_order() -> None:
    first, second, other = (Dummy(drop=0.5, seed=seed) for seed in (1, 1, 2))

    assert fates(first, 50) == fates(second, 50)
    assert fates(first, 50) != fates(other, 50)


def test_only_what_was_accepted_is_written_down(tmp_path: Path) -> None:
    book = tmp_path / "book"
    dummy = Dummy(refuse=0.5, seed=3, path=book)

    accepted = [number for number, fate in enumerate(fates(dummy, 40)) if fate == "accepted"]

    assert book.read_text().splitlines() == [f"d-{number}" for number in accepted]
    assert 0 < len(accepted) < 40


def test_a_book_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot write"):
        Dummy(path=tmp_path).send(delivery(1))


def test_certain_refusal_is_rejected() -> None:
    with pytest.raises(Rejected):
        Dummy(refuse=1).send(delivery(1))


@pytest.mark.parametrize("options", [{"drop": 1.5}, {"hang_s": -1}, {"refuse": 0.6, "slow": 0.5}])
def test_chances_that_cannot_be_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Dummy.model_validate(options)


@pytest.mark.parametrize("kind", ["alert", "update", "recall"])
def test_every_kind_of_delivery_is_accepted(kind: Kind) -> None:
    assert Dummy().send(Delivery(id=1, uid="d-1", alertgroup=Alertgroup(subject="", alerts=()), kind=kind)).remote_id
    assert kind in Dummy.kinds
