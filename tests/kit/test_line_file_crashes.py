"""A lane and its file are killed, rotated and robbed at random; each settled line stands once and in order."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tocsin.kit.line_file import LineFile


class Crash(BaseException):
    """kill -9, as far as the file can tell."""


class Survivor(RuleBasedStateMachine):
    """A lane that claims lines in order, dies anywhere, and finds its file rotated; each line must stand once.

    The model: `settled` lines are in the files exactly once and in order; nothing else is but lines of the next batch.
    """

    @initialize(before=st.sampled_from([b"", b"theirs\n", b"theirs, torn"]))
    def begin(self, before: bytes) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "alerts.log"
        if before:
            self.path.write_bytes(before)
        self.before = before.splitlines()
        self.file = LineFile(self.path)
        self.cursor = ""
        self.settled: list[bytes] = []
        self.next = 0
        self.rotations = 0

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.file.close()
            self.folder.cleanup()

    @staticmethod
    def line(number: int) -> bytes:
        return b"line %06d %s\n" % (number, b"x" * (number * 7 % 23))

    def batch(self, size: int) -> list[bytes]:
        return [self.line(number) for number in range(self.next, self.next + size)]

    def settle(self, size: int, cursor: str) -> None:
        self.settled += [line[:-1] for line in self.batch(size)]
        self.next += size
        self.cursor = cursor

    @rule(size=st.integers(1, 4))
    def write_and_settle(self, size: int) -> None:
        self.settle(size, self.file.append(self.batch(size), self.cursor)[1])

    @rule(size=st.integers(1, 4))
    def write_and_fail_to_settle(self, size: int) -> None:
        self.file.append(self.batch(size), self.cursor)

    @rule()
    def somebody_drops_the_next_delivery(self) -> None:
        self.next += 1

    @rule(size=st.integers(1, 4))
    def write_and_die_before_the_settle(self, size: int) -> None:
        self.file.append(self.batch(size), self.cursor)
        self.restart()

    @rule(size=st.integers(1, 4), calls=st.integers(0, 12), bytes_left=st.integers(0, 40))
    def die_in_the_middle(self, size: int, calls: int, bytes_left: int) -> None:
        """Die at the nth call of the system that changes a file, which may be a write cut short."""
        real = {name: getattr(os, name) for name in ("pwrite", "ftruncate", "fsync", "open")}
        real_replace = Path.replace
        left = [calls]

        def dying(name: str) -> Callable[..., object]:
            def call(*arguments: object, **words: object) -> object:
                if left[0] == 0:
                    if name == "pwrite":
                        file, text, at = arguments
                        assert isinstance(text, bytes | memoryview)
                        real["pwrite"](file, bytes(text)[:bytes_left], at)
                    raise Crash
                left[0] -= 1
                return real[name](*arguments, **words)

            return call

        def dying_replace(this: Path, target: Path) -> Path:
            if left[0] == 0:
                raise Crash
            left[0] -= 1
            return real_replace(this, target)

        with pytest.MonkeyPatch.context() as patch:
            for name in real:
                patch.setattr(os, name, dying(name))
            patch.setattr(Path, "replace", dying_replace)
            try:
                _, cursor = self.file.append(self.batch(size), self.cursor)
            except Crash:
                pass
            else:
                self.settle(size, cursor)
        self.restart()

    @rule()
    def restart(self) -> None:
        self.file.close()
        self.file = LineFile(self.path)

    @precondition(lambda self: self.path.exists())
    @rule()
    def rotate_by_rename(self) -> None:
        self.rotations += 1
        self.path.rename(self.path.with_name(f"alerts.log.{self.rotations:04d}"))

    @precondition(lambda self: not self.path.exists())
    @rule()
    def somebody_creates_the_new_file(self) -> None:
        self.path.touch()

    @invariant()
    def every_settled_line_stands_once_and_in_order(self) -> None:
        if not hasattr(self, "folder"):
            return
        lines: list[bytes] = []
        for path in sorted(self.path.parent.glob("alerts.log.*")):
            lines += path.read_bytes().splitlines()
        if self.path.exists():
            lines += self.path.read_bytes().splitlines()
        assert lines[: len(self.before)] == self.before
        assert [line for line in lines if line in set(self.settled)] == self.settled

    @rule(size=st.integers(1, 3))
    def after_the_next_settle_nothing_else_is_there(self, size: int) -> None:
        """A batch as large as any tail leaves nothing unsettled behind."""
        self.write_and_settle(size + 4)
        lines: list[bytes] = []
        for path in (*sorted(self.path.parent.glob("alerts.log.*")), self.path):
            text = path.read_bytes()
            assert not text or text.endswith(b"\n") or text.splitlines() == self.before, "a torn line"
            lines += text.splitlines()
        assert lines == self.before + self.settled


TestSurvivor = Survivor.TestCase
TestSurvivor.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
