"""Any order of writes, rotations, truncations, restarts and failures: each line is handed over once, in order."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from neighbours.desk import Crash, Desk
from tocsin.errors import StoreUnavailable
from tocsin.sources.follow.source import Follow, Following


class Rotating(RuleBasedStateMachine):
    """A program that writes numbered lines to a file, others that rotate it, and us."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "eve.json"
        self.number = self.half = 0
        self.desk = Desk()
        self.ways: set[str] = set()
        self.open()

    def open(self) -> None:
        self.out = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @initialize(kinds=st.integers(1, 3), chunk=st.sampled_from([1, 3, 1000]), glob=st.booleans())
    def begin(self, kinds: int, chunk: int, glob: bool) -> None:
        path = self.folder / ("eve*.json*" if glob else "eve.json")
        self.kinds = kinds
        self.options = Follow(paths=[path], max_lines=chunk)
        self.following = Following(self.options, self.desk)
        self.poll()

    def line(self) -> bytes:
        self.number += 1
        kind = ("event_type", "evidence_type", "x")[self.number % self.kinds]
        return b'{"%s": "alert", "n": %d, "p": "%s"}\n' % (kind.encode(), self.number, b"x" * (self.number % 90))

    @rule(count=st.integers(1, 40))
    def write(self, count: int) -> None:
        self.finish_line()
        os.write(self.out, b"".join(self.line() for _ in range(count)))

    @precondition(lambda self: not self.half)
    @rule(cut=st.integers(1, 12))
    def write_half(self, cut: int) -> None:
        line = self.line()
        os.write(self.out, line[:cut])
        self.rest, self.half = line[cut:], 1

    @rule()
    def finish_line(self) -> None:
        if self.half:
            os.write(self.out, self.rest)
            self.half = 0

    def make_room(self) -> None:
        """eve.json.1 becomes eve.json.2, and so on."""
        for number in range(len(list(self.folder.iterdir())), 0, -1):
            old = self.folder / f"eve.json.{number}"
            if old.exists():
                old.rename(self.folder / f"eve.json.{number + 1}")

    @rule(create=st.booleans())
    def rename(self, create: bool) -> None:
        if self.path.exists() and self.path.stat().st_ino == os.fstat(self.out).st_ino:
            self.ways.add("rename")
            self.make_room()
            self.path.rename(self.folder / "eve.json.1")
            if create:
                self.path.touch()

    @rule()
    def reopen(self) -> None:
        self.finish_line()
        os.close(self.out)
        self.open()

    @precondition(lambda self: not self.half)
    @rule(keep_times=st.booleans())
    def copy_and_truncate(self, keep_times: bool) -> None:
        if self.path.exists() and self.path.stat().st_ino == os.fstat(self.out).st_ino:
            self.ways.add("copy")
            self.make_room()
            (shutil.copy2 if keep_times else shutil.copy)(self.path, self.folder / "eve.json.1")
            os.truncate(self.path, 0)

    @precondition(lambda self: not self.half)
    @rule()
    def truncate_what_was_read(self) -> None:
        if self.path.exists() and self.path.stat().st_ino == os.fstat(self.out).st_ino:
            self.ways.add("copy")
            self.quiet()
            os.truncate(self.path, 0)

    @rule()
    def poll(self) -> None:
        self.following.once()

    @rule()
    def restart(self) -> None:
        self.following.close()
        self.following = Following(self.options, self.desk)

    @rule(fault=st.sampled_from(["lost", "kept", "crash"]), after=st.integers(0, 3))
    def fail(self, fault: str, after: int) -> None:
        self.desk.fails = [fault] + [""] * after
        try:
            self.following.once()
        except StoreUnavailable:
            self.following.forget()
        except Crash:
            self.restart()
        self.desk.fails = []

    def quiet(self) -> None:
        for _ in range(3):
            self.following.once()

    @property
    def numbers(self) -> list[int]:
        lines = b"".join(self.desk.bodies).splitlines()
        return [int(line.split(b'"n": ')[1].split(b",")[0]) for line in lines]

    @invariant()
    def nothing_comes_twice(self) -> None:
        assert len(self.numbers) == len(set(self.numbers))
        assert self.desk.refused == []
        if len(self.ways) < 2:  # nobody both renames and truncates one file
            assert self.numbers == list(range(1, len(self.numbers) + 1))

    def teardown(self) -> None:
        if hasattr(self, "following"):
            self.reopen()
            self.write(1)
            self.quiet()
            self.nothing_comes_twice()
            assert sorted(self.numbers) == list(range(1, self.number + 1))
            self.following.close()
        os.close(self.out)
        shutil.rmtree(self.folder)


TestRotating = Rotating.TestCase
TestRotating.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
