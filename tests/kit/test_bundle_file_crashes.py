"""A lane and its bundle are killed and robbed at random; each settled item stands once, in a bundle that is whole."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tocsin.kit.bundle_file import BundleFile


class Crash(BaseException):
    """kill -9, as far as the file can tell."""


class Survivor(RuleBasedStateMachine):
    """A lane that claims items in order, dies anywhere, and finds its bundle taken away; each item must stand once.

    The model: `settled` items are in the bundles exactly once and in order; nothing else is but items of the next
    batch, and no bundle is ever seen that is not whole.
    """

    @initialize(before=st.sampled_from(["", "theirs, torn", '{"theirs": 1}']))
    def begin(self, before: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "bundle.json"
        if before:
            self.path.write_text(before)
        self.before = before
        self.file = BundleFile(self.path)
        self.cursor = ""
        self.settled: list[int] = []
        self.next = 0
        self.taken = 0

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.file.close()
            self.folder.cleanup()

    def append(self, size: int) -> str:
        items = [b'{"n":%d,"x":"%s"}' % (at, b"x" * (at * 7 % 23)) for at in range(self.next, self.next + size)]
        return self.file.append(items, self.cursor, [b'{"n":-1}'])[1]

    def settle(self, size: int, cursor: str) -> None:
        self.settled += range(self.next, self.next + size)
        self.next += size
        self.cursor = cursor

    @rule(size=st.integers(0, 4))
    def write_and_settle(self, size: int) -> None:
        self.settle(size, self.append(size))

    @rule(size=st.integers(1, 4))
    def write_and_fail_to_settle(self, size: int) -> None:
        self.append(size)

    @rule()
    def somebody_drops_the_next_delivery(self) -> None:
        self.next += 1

    @rule(size=st.integers(1, 4))
    def write_and_die_before_the_settle(self, size: int) -> None:
        self.append(size)
        self.restart()

    @rule(size=st.integers(1, 4), calls=st.integers(0, 20), bytes_left=st.integers(0, 40))
    def die_in_the_middle(self, size: int, calls: int, bytes_left: int) -> None:
        """Die at the nth call of the system that changes a file or a name; what was half done stays so."""
        left = [calls]
        before = self.whole()

        def dying(real: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **words: object) -> object:
                if left[0] == 0:
                    if real is pwrite:
                        file, text, at = arguments
                        assert isinstance(text, bytes | memoryview)
                        assert isinstance(file, int)
                        assert isinstance(at, int)
                        pwrite(file, bytes(text)[:bytes_left], at)
                    raise Crash
                left[0] -= 1
                return real(*arguments, **words)

            return call

        pwrite = os.pwrite
        with pytest.MonkeyPatch.context() as patch:
            for name in ("pwrite", "ftruncate", "fsync", "open"):
                patch.setattr(os, name, dying(getattr(os, name)))
            for name in ("replace", "hardlink_to", "unlink", "rename"):
                patch.setattr(Path, name, dying(getattr(Path, name)))
            try:
                cursor = self.append(size)
            except Crash:
                died = True
            else:
                died = False
                self.settle(size, cursor)
        assert not died or self.whole() in (before, [-1], *self.may_stand(size))
        self.die()

    def may_stand(self, size: int) -> list[list[int] | None]:
        """After a death: what was, without its unsettled tail and with the whole batch; or nothing, being begun."""
        mine = self.settled_here()
        return [mine, mine + list(range(self.next, self.next + size)), None]

    def settled_here(self) -> list[int]:
        elsewhere = {one for path in self.aside() for one in self.read(path) or []}
        return [-1, *(one for one in self.settled if one not in elsewhere)]

    def die(self) -> None:
        """The system closes what a dead process had open, and removes nothing."""
        for file in (self.file._file, self.file._spare):
            if file >= 0:
                os.close(file)
        self.file._file = self.file._spare = -1
        self.file = BundleFile(self.path)

    @rule()
    def restart(self) -> None:
        self.file.close()
        self.file = BundleFile(self.path)

    @precondition(lambda self: self.path.exists() and self.whole() is not None)
    @rule()
    def somebody_takes_the_settled_bundle_away(self) -> None:
        self.write_and_settle(0)
        self.taken += 1
        self.path.rename(self.path.with_name(f"taken.{self.taken:04d}"))

    def aside(self) -> list[Path]:
        return sorted(self.path.parent.glob("taken.*"))

    def whole(self) -> list[int] | None:
        return self.read(self.path)

    def read(self, path: Path) -> list[int] | None:
        """The items of a bundle of ours; None for none. Fails for one that is torn."""
        if not path.exists() or path.read_text() == self.before:
            return None
        return [one["n"] for one in json.loads(path.read_text())["objects"]]

    @invariant()
    def every_settled_item_stands_once_and_in_order(self) -> None:
        if not hasattr(self, "folder"):
            return
        found = [one for path in (*self.aside(), self.path) for one in self.read(path) or []]
        assert [one for one in found if one in set(self.settled)] == self.settled

    @rule(size=st.integers(0, 3))
    def after_the_next_settle_nothing_else_is_there(self, size: int) -> None:
        self.write_and_settle(size)
        found = [one for path in (*self.aside(), self.path) for one in self.read(path) or []]
        assert [one for one in found if one >= 0] == self.settled
        others = {one.name for one in self.path.parent.iterdir()} - {one.name for one in self.aside()}
        assert others <= {"bundle.json", "bundle.json.1", ".bundle.json.next", ".bundle.json.place"}


TestSurvivor = Survivor.TestCase
TestSurvivor.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
