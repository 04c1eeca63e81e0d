"""Starts a server that is broken on purpose, for tests of the finder: `python -P broken.py BREAK serve --data …`."""

import sys
import time
from typing import Any

from tocsin.cli import main
from tocsin.delivery.lane import Lane
from tocsin.kit.line_file import LineFile
from tocsin.store.engine import Job, Writer

WINDOW_S = 0.05
"""How far what belongs together is torn apart, so that a kill falls into the gap."""


def answer_before_commit() -> None:
    """The commit is moved after the answer."""

    def transaction(self: Writer, jobs: list[Job]) -> list[Any]:
        session = self._session
        session.begin()
        session.tx.changes.clear()
        results = self._results(session.tx, jobs)
        posted = [each for each in results if not callable(each[0].what)]
        for job, result, _ in posted:
            job.future.set_result(result)
        time.sleep(WINDOW_S)
        session.commit()
        return [each for each in results if each not in posted]

    _replace(Writer, "_transaction", transaction)


def cursor_forgotten() -> None:
    """The files' cursors are stored nowhere: writing goes on at the end of what is there."""
    settle = Lane.settle

    def late(self: Lane, everything: bool = False) -> None:
        if self._done:
            time.sleep(WINDOW_S)
        settle(self, everything)

    _replace(Lane, "settle", late)
    _replace(LineFile, "_known", lambda self, cursor: None)
    _replace(LineFile, "_remember", lambda self, cursor, place: None)


def sound() -> None:
    """Nothing is broken: what the finder says of this is a false alarm."""


BREAKS = {each.__name__: each for each in (answer_before_commit, cursor_forgotten, sound)}


def _replace(owner: type, name: str, by: Any) -> None:
    """Fails where the name is gone, for then nothing would be broken."""
    getattr(owner, name)
    setattr(owner, name, by)


if __name__ == "__main__":
    BREAKS[sys.argv.pop(1)]()
    main()
