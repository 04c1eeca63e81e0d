"""What is done to a running hub, each fault a function that also lifts it, and a plan of them drawn from a seed."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg

from loss.hub import Hub
from loss.volume import Volume, allow_growth, forbid_growth
from neighbours.postgres import Postgres

LEASE_S = 1.0
"""How long a worker may be silent in the rounds' configuration."""

FILES = ("alerts.json", "alerts.log")


class Fault(NamedTuple):
    """One thing that goes wrong: how long after the one before was over, what, and for how long (seconds)."""

    after: float
    kind: str
    lasts: float

    def __str__(self) -> str:
        return f"{self.kind} for {self.lasts:.2f} s"


@dataclass
class Scene:
    """Everything a fault may lay hands on, and the diary of what it did."""

    hub: Hub
    volume: Volume
    started: float
    seed: str
    cluster: Postgres | None = None
    cluster_volume: Volume | None = None
    chance: random.Random = field(init=False)
    diary: list[tuple[float, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    pieces: int = 0
    full: list[tuple[float, float]] = field(default_factory=list)
    """When the hub's disk was full: from, to."""
    excuses: list[str] = field(default_factory=list)
    """What /readyz said while it was full."""

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} scene")

    def now(self) -> float:
        """Seconds since the round began."""
        return time.monotonic() - self.started

    def note(self, what: str) -> None:
        """Write it down."""
        self.diary.append((self.now(), what))

    def start_hub(self) -> None:
        """Start it again after a death of our making, and wait."""
        self.hub.start()
        said = self.hub.wait_ready(90)
        self.note("server ready" if not said else f"server not ready: {said}")
        if said:
            self.problems.append(f"started again at {self.now():.2f} s it did not become ready: {said}")


def kill(scene: Scene, lasts: float) -> None:
    """SIGKILL, a while of nothing, a new start."""
    scene.hub.kill()
    time.sleep(lasts / 4)
    scene.start_hub()


def kill_and_rotate(scene: Scene, lasts: float) -> None:
    """SIGKILL, and the files are renamed, some of them twice over, before the new start."""
    scene.hub.kill()
    for _ in range(scene.chance.randrange(1, 4)):
        rotate(scene, scene.chance)
        if scene.chance.random() < 0.5:
            _touch_files(scene)
    scene.start_hub()


def second_server(scene: Scene, lasts: float) -> None:
    """Somebody starts another server on the same folder: it has to go away and leave ours in peace."""
    other = Hub(scene.hub.data, scene.hub.data.with_name("second.log"))
    other.start()
    said = other.wait_ready(90)
    if other.alive:
        scene.problems.append(f"a second server on the same folder was not refused: {said or 'it is ready'}")
    other.kill()


def kill_while_starting(scene: Scene, lasts: float) -> None:
    """SIGKILL twice: the second hits the recovery from the first."""
    scene.hub.kill()
    scene.hub.start()
    time.sleep(lasts)
    scene.hub.kill()
    scene.note("killed again while starting")
    scene.start_hub()


def terminate(scene: Scene, lasts: float) -> None:
    """An operator's restart."""
    code = scene.hub.stop()
    scene.note(f"ended with {code}")
    if code != 0:
        scene.problems.append(f"SIGTERM at {scene.now():.2f} s: exit {code} instead of 0 (None: it had to be killed)")
    scene.start_hub()


def freeze(scene: Scene, lasts: float) -> None:
    """SIGSTOP for longer than a lease."""
    scene.hub.freeze()
    time.sleep(LEASE_S + lasts)
    scene.hub.thaw()


def full_disk(scene: Scene, lasts: float) -> None:
    """Not a block left under the data folder (or none that this process may write)."""
    _starve(scene)
    _watch(scene, lasts)
    _feed(scene)


def files_may_not_grow(scene: Scene, lasts: float) -> None:
    """Every file the process may write has its largest size: the log, the database, the two files."""
    forbid_growth(scene.hub.pid)
    _watch(scene, lasts)
    allow_growth(scene.hub.pid)


def full_disk_and_kill(scene: Scene, lasts: float) -> None:
    """SIGKILL while the disk is full; there is room again when it starts."""
    _starve(scene)
    _watch(scene, lasts)
    scene.hub.kill()
    _feed(scene)
    scene.start_hub()


def read_only(scene: Scene, lasts: float) -> None:
    """Killed, and the folder cannot be written when it comes back; somebody mends it."""
    scene.hub.kill()
    done = scene.volume.own and scene.volume.make_read_only()
    scene.note("remounted read-only" if done else "could not remount read-only here")
    scene.hub.start()
    said = scene.hub.wait_ready(1.5 + lasts) if done else ""
    if done:
        scene.note(f"meanwhile: {said or 'ready'}")
        scene.volume.make_writable()
    said = scene.hub.wait_ready(90)
    if not scene.hub.alive:
        scene.note("the server gave up on the read-only folder; started again")
        scene.hub.start()
        said = scene.hub.wait_ready(90)
    if said:
        scene.problems.append(f"after the read-only folder was mended: {said}")


def database_crash(scene: Scene, lasts: float) -> None:
    """PostgreSQL goes down as in a crash and is started again."""
    assert scene.cluster is not None
    scene.cluster.stop("immediate")
    time.sleep(lasts)
    scene.cluster.start()


def database_restart(scene: Scene, lasts: float) -> None:
    """PostgreSQL is restarted as for an upgrade."""
    assert scene.cluster is not None
    scene.cluster.stop("fast")
    time.sleep(lasts / 2)
    scene.cluster.start()


def database_children_killed(scene: Scene, lasts: float) -> None:
    """SIGKILL for some of the postmaster's children: it cuts all connections and recovers by itself."""
    for child in _children(_postmaster(scene))[-3:]:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    time.sleep(lasts / 2)


def database_killed(scene: Scene, lasts: float) -> None:
    """SIGKILL for the postmaster and every child, then a new start."""
    assert scene.cluster is not None
    postmaster = _postmaster(scene)
    children = _children(postmaster)
    for process in (postmaster, *children):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    _wait_gone([postmaster, *children])
    time.sleep(lasts / 2)
    scene.cluster.start()


def database_frozen(scene: Scene, lasts: float) -> None:
    """SIGSTOP of all its processes, as on a stalled virtual machine."""
    postmaster = _postmaster(scene)
    frozen = [postmaster, *_children(postmaster)]
    for process in frozen:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    time.sleep(LEASE_S + lasts)
    for process in reversed(frozen):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def database_disk_full(scene: Scene, lasts: float) -> None:
    """Not a block left under PostgreSQL's folder."""
    assert scene.cluster is not None
    if scene.cluster_volume is None or not scene.cluster_volume.own:
        scene.note("no disk of our own under PostgreSQL here")
        return
    scene.cluster_volume.fill()
    _watch(scene, lasts)
    scene.cluster_volume.free()
    if not _alive(_postmaster(scene)):
        scene.note("PostgreSQL had given up; started again")
        scene.cluster.start()


def connections_cut(scene: Scene, lasts: float) -> None:
    """Every connection of the hub is cut by the database's administrator."""
    assert scene.cluster is not None
    with suppress(psycopg.Error), psycopg.connect(scene.cluster.url(), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


EVERYWHERE: dict[str, Callable[[Scene, float], None]] = {
    f.__name__: f
    for f in (
        kill,
        kill_while_starting,
        kill_and_rotate,
        second_server,
        terminate,
        freeze,
        full_disk,
        full_disk_and_kill,
        files_may_not_grow,
        read_only,
    )
}
DATABASE: dict[str, Callable[[Scene, float], None]] = {
    f.__name__: f
    for f in (
        database_crash,
        database_restart,
        database_children_killed,
        database_killed,
        database_frozen,
        database_disk_full,
        connections_cut,
    )
}


def plan(seed: str, engine: str) -> list[Fault]:
    """One to three faults, half of the time with a kill -9 among them."""
    chance = random.Random(f"{seed} faults")
    kinds = [*EVERYWHERE, "kill", "kill"] + ([*DATABASE] if engine == "postgres" else [])
    return [
        Fault(chance.uniform(0.1, 0.7), chance.choice(kinds), chance.uniform(0.05, 0.6))
        for _ in range(chance.choice((1, 2, 2, 3)))
    ]


def happen(scene: Scene, fault: Fault) -> None:
    """Do it and lift it again."""
    scene.note(str(fault))
    if not scene.hub.alive:
        scene.problems.append(f"the server was dead at {scene.now():.2f} s, and nobody had killed it")
        scene.start_hub()
    {**EVERYWHERE, **DATABASE}[fault.kind](scene, fault.lasts)
    scene.note(f"{fault.kind} is over")


def rotate(scene: Scene, chance: random.Random) -> None:
    """Rename one of the two files, as logrotate does; nobody tells the server."""
    file = scene.volume.folder / chance.choice(FILES)
    if not file.exists():
        return
    scene.pieces += 1
    with suppress(OSError):
        file.rename(f"{file}.{scene.pieces}")
        scene.note(f"{file.name} renamed to {file.name}.{scene.pieces}")


def _touch_files(scene: Scene) -> None:
    """Make the files anew, empty, as logrotate's `create` does."""
    for name in FILES:
        (scene.volume.folder / name).touch()


def _starve(scene: Scene) -> None:
    if scene.volume.own:
        scene.volume.fill()
    else:
        forbid_growth(scene.hub.pid)


def _feed(scene: Scene) -> None:
    if scene.volume.own:
        scene.volume.free()
    else:
        allow_growth(scene.hub.pid)


def _watch(scene: Scene, lasts: float) -> None:
    """Keep the disk full for `lasts` seconds and listen to what /readyz says meanwhile."""
    began = scene.now()
    until = time.monotonic() + lasts + 0.4
    while time.monotonic() < until:
        status, text = scene.hub.ready()
        if status not in (0, 200):
            scene.excuses.append(f"{status} {text[:300]}")
        time.sleep(0.05)
    scene.full.append((began, scene.now()))


def _postmaster(scene: Scene) -> int:
    assert scene.cluster is not None
    try:
        return int((scene.cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _alive(process: int) -> bool:
    if not process:
        return False
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait_gone(processes: list[int]) -> None:
    until = time.monotonic() + 60
    while any(Path(f"/proc/{process}").exists() for process in processes if process) and time.monotonic() < until:
        time.sleep(0.01)
