"""Starts a server that is broken on purpose, for tests of the finder: `python -P broken.py BREAK,… serve --data …`."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tocsin.cli import main
from tocsin.delivery import draining
from tocsin.delivery.lane import Lane
from tocsin.destinations.email.line import Line
from tocsin.destinations.slack.channel import Channel
from tocsin.intake.deciding import Decider
from tocsin.kit.line_file import LineFile
from tocsin.model import Receipt
from tocsin.sharing import Gate
from tocsin.store import Tx, delivery, replay
from tocsin.store.engine import Job, Writer
from tocsin.store.rule import Ruled

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


def silence_swallows() -> None:
    """What a silence holds back is not even written down."""
    decide = Decider.decide

    def swallowing(self: Decider, *asked: Any) -> Ruled | None:
        ruled = decide(self, *asked)
        if ruled is None:
            return None
        due = {lane: at for lane, at in ruled.due.items() if lane not in ruled.held}
        return Ruled(due=due, held={}, why=ruled.why)

    _replace(Decider, "decide", swallowing)


def rules_forgotten() -> None:
    """A change of rules is answered, and not heard of by those who decide."""
    _replace(Decider, "_told", lambda self, change: None)


def pause_drops() -> None:
    """What a lane is owed is dropped when somebody pauses it."""
    set_paused = delivery.set_paused

    def dropping(tx: Tx, lane: str, paused: bool) -> None:
        set_paused(tx, lane, paused)
        tx.run("UPDATE delivery SET state = 'dropped' WHERE lane = :lane AND state = 'due'", lane=lane)

    _replace(delivery, "set_paused", dropping)


def pause_forgotten() -> None:
    """A lane is said to be paused, and is not."""
    _replace(delivery, "set_paused", lambda tx, lane, paused: None)


def gate_open() -> None:
    """The gate lets everything out."""
    _replace(Gate, "passed", lambda self, lane, group: group)


def replay_skips() -> None:
    """A replay goes on to its end, whatever the lane had room for."""
    advance = replay.advance

    def skipping(tx: Tx, known: replay.Replay, ids: Sequence[int], end: int, now: int) -> int | None:
        return advance(tx, known, ids[:1], end, now)

    _replace(replay, "advance", skipping)


def drain_without_disk() -> None:
    """What a lane is emptied into is settled, and never written."""
    _replace(draining.Drains, "_append", lambda self, lane, made: None)


def retry_forgotten() -> None:
    """A decision is answered as done, and nothing is done."""
    _replace(delivery, "retry", lambda tx, ids, who, now: len(ids))


def digest_of_one() -> None:
    """What many share with Slack names the first of them alone."""
    post = Channel.post

    def first(self: Channel, uids: Sequence[str], said: dict[str, Any], **rest: Any) -> Receipt:
        if len(uids) > 1:
            said = {"text": "some alertgroups"}
        return post(self, uids, said, **rest)

    _replace(Channel, "post", first)


def mail_forgotten() -> None:
    """A mail is called taken before anybody took it."""
    _replace(Line, "hand_over", lambda self, mail: ())


def sound() -> None:
    """Nothing is broken: what the finder says of this is a false alarm."""


BREAKS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        answer_before_commit,
        cursor_forgotten,
        silence_swallows,
        rules_forgotten,
        pause_drops,
        pause_forgotten,
        gate_open,
        replay_skips,
        drain_without_disk,
        retry_forgotten,
        digest_of_one,
        mail_forgotten,
        sound,
    )
}


def _replace(owner: Any, name: str, by: Any) -> None:
    """Fails where the name is gone, for then nothing would be broken."""
    getattr(owner, name)
    setattr(owner, name, by)


if __name__ == "__main__":
    for which in sys.argv.pop(1).split(","):
        BREAKS[which]()
    main()
