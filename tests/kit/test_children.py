"""Work done apart ends with whoever has it done, and nobody waits for a child that will never come."""

import threading

from tocsin.kit.children import Answer, Children, Lost


def reader() -> Answer:
    raise AssertionError("no child is to be started")


def test_who_asks_while_all_is_ended_is_told_so_and_does_not_wait_for_ever() -> None:
    children = Children(reader, mib=500, most=2)
    children.close(at_once=True)
    told: list[str] = []

    def ask() -> None:
        try:
            children.ask(b"?", 60)
        except Lost as error:
            told.append(str(error))

    askers = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)

    assert told == ["nothing is read any more"] * 3
