"""What was done to an alertgroup, by whom and when."""

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx


class Line(Noun, frozen=True, kw_only=True):
    """One thing done; `alert` is set when it was done to one alert."""

    id: int
    alertgroup: int
    alert: int | None
    who: str
    at: Micros
    what: str


def add(tx: Tx, alertgroup: int, alert: int | None, who: str, at: Micros, what: str) -> None:
    """Write a line."""
    tx.run(
        "INSERT INTO history (alertgroup, alert, who, at, what) VALUES (:alertgroup, :alert, :who, :at, :what)",
        alertgroup=alertgroup,
        alert=alert,
        who=who,
        at=at,
        what=what,
    )


def of_group(tx: Tx, alertgroup: int) -> list[Line]:
    """All lines of an alertgroup, oldest first."""
    return [
        Line(id=row[0], alertgroup=row[1], alert=row[2], who=row[3], at=row[4], what=row[5])
        for row in tx.rows(
            "SELECT id, alertgroup, alert, who, at, what FROM history WHERE alertgroup = :alertgroup ORDER BY id",
            alertgroup=alertgroup,
        )
    ]
