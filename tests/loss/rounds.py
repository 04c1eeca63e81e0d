"""One round: start, post, shoot, lift, wait, count."""

import os
import random
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loss import gathering
from loss.deeds import LANES
from loss.evidence import Evidence
from loss.faults import LEASE_S, Fault, Scene, happen, plan, rotate
from loss.finding import Finding
from loss.hub import SERVE, Hub
from loss.moves import Mover
from loss.posts import Posts, open_posts
from loss.receiver import Book, open_book
from loss.report import report
from loss.senders import Outbox, Sender
from loss.verdict import judge
from loss.volume import Volume
from neighbours.postgres import Postgres
from neighbours.slack import CHANNEL, TOKEN

SENDERS = 3
DRAINED_WITHIN_S = 120.0
HUB_DISK_MIB = 48
DATABASE_DISK_MIB = 320

CONFIGURATION = """
[store]
url = "{store}"
shared = {shared}

[delivery]
first_wait_s = 0.05
longest_wait_s = 0.4
lease_s = {lease}
stop_wait_s = 2

[destinations.idea_log]
alertgroups = false

[destinations.hook]
type = "webhook"
url = "{hook}"
timeout_s = 0.8

[destinations.partner]
type = "webhook"
url = "{partner}"
timeout_s = 0.8
clearance = "green"

[destinations.slack]
type = "slack"
token = "{token}"
channel = "{channel}"
api = "{slack}"
timeout_s = 0.8
digest_from = 3

[destinations.email]
type = "email"
host = "127.0.0.1"
port = {mail}
security = "none"
sender = "tocsin@loss.example"
to = ["soc@loss.example"]
timeout_s = 0.8
digest_from = 3
"""


@dataclass
class Outcome:
    """What a round showed, and the text that tells it."""

    findings: list[Finding]
    text: str
    evidence: Evidence
    log: str = ""


@dataclass
class Round:
    """What is to be run: everything random in it comes from `seed`."""

    engine: str
    seed: str
    program: Sequence[str] = SERVE
    faults: list[Fault] | None = None
    traffic_s: float = 0.3
    """How long the senders go on after the last fault."""
    script: Sequence[str] = ()
    """Moves to be made in this order, instead of drawn ones."""
    cluster: Postgres | None = None
    cluster_volume: Volume | None = None
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed} round")
        if self.faults is None:
            self.faults = plan(self.seed, self.engine)

    def run(self, folder: Path) -> Outcome:
        """Run it in an empty folder."""
        with ExitStack() as stack:
            volume = Volume(folder / "data", HUB_DISK_MIB)
            stack.callback(volume.unmount)
            started = time.monotonic()
            books = [stack.enter_context(open_book(self.seed, started, lane)) for lane in ("hook", "partner")]
            posts, slack, mail = stack.enter_context(open_posts(self.seed, started))
            database = self.cluster.new_database() if self.cluster else ""
            store = self.cluster.url(database) if self.cluster else "sqlite"
            shared = "true" if self.cluster and self._chance.random() < 0.3 else "false"
            (volume.folder / "tocsin.toml").write_text(
                CONFIGURATION.format(
                    store=store,
                    shared=shared,
                    lease=LEASE_S,
                    hook=books[0][0].url,
                    partner=books[1][0].url,
                    token=TOKEN,
                    channel=CHANNEL,
                    slack=slack,
                    mail=mail,
                )
            )
            # Half of the time the server's own log stands on the disk that fills up.
            log = (volume.folder if self._chance.random() < 0.5 else folder) / "server.log"
            hub = Hub(volume.folder, log, self.program)
            if self.cluster:
                stack.callback(self.cluster.drop, database)
            stack.callback(hub.kill)
            scene = Scene(hub, volume, started, self.seed, self.cluster, self.cluster_volume)
            evidence = Evidence(refusals_bind=self.engine == "sqlite")
            try:
                mover = self._fight(scene, evidence)
                _let_behave([book for _, book in books], posts)
                self._count(scene, store, evidence, mover)
            except (AssertionError, OSError) as error:
                evidence.problems.append(f"the round itself broke off: {error!r}")
            evidence.got = [got for _, book in books for got in book.got] + posts.got
            evidence.problems += scene.problems
            findings = judge(evidence)
            return Outcome(findings, self._tell(scene, evidence, findings), evidence, _end_of(hub.log))

    def _fight(self, scene: Scene, evidence: Evidence) -> Mover:
        """Post and move, and meanwhile let the faults happen; returns with all of them lifted."""
        hub = scene.hub
        how = self._chance.random()
        if how < 0.2:
            hub.key = hub.create_key("finder", "admin")
        hub.start()
        said = hub.wait_ready(120)
        assert not said, f"the server did not start: {said}"
        if 0.2 <= how < 0.4:
            hub.key = hub.create_key("finder", "admin")
        elif how >= 0.4:
            hub.key = hub.post_key("finder", "admin", hub.operator())
        scene.note("server ready")
        outbox = Outbox(scene.started)
        keys = [hub.post_key(f"sender-{which}", "sender", hub.key) for which in (1, 2)]
        senders = [Sender(w, hub.port, keys[w % 2], self.seed, outbox) for w in range(1, SENDERS + 1)]
        mover = Mover(hub, self.seed, scene.started, scene.note, self.script)
        for thread in (*senders, mover):
            thread.start()
        self._shoot(scene)
        time.sleep(self.traffic_s)
        mover.enough()
        for sender in senders:
            sender.enough(8)
        for sender in senders:
            sender.join(120)
        scene.note("senders done")
        evidence.sent = dict(outbox.sent)
        attempts = [attempt for message in outbox.sent.values() for attempt in message.attempts]
        evidence.turned_away = outbox.garbage + sum(attempt.status != 200 for attempt in attempts)
        evidence.problems += outbox.problems
        evidence.problems += _silence(scene, evidence)
        mover.join(120)
        assert not mover.is_alive(), "the mover does not come to an end"
        return mover

    def _shoot(self, scene: Scene) -> None:
        """The plan, with rotations in between."""
        for fault in self.faults or []:
            began = scene.now()
            while (left := began + fault.after - scene.now()) > 0:
                time.sleep(min(left, self._chance.uniform(0.02, 0.3)))
                if self._chance.random() < 0.5:
                    rotate(scene, self._chance)
            happen(scene, fault)
            if self._chance.random() < 0.3:
                rotate(scene, self._chance)

    def _count(self, scene: Scene, store: str, evidence: Evidence, mover: Mover) -> None:
        """With everything well again: wait for the lanes, ask the API, stop the server, read what it left."""
        hub = scene.hub
        if not hub.alive:
            evidence.problems.append("in the end the server was dead, and nobody had killed it")
            scene.start_hub()
        said = hub.wait_ready(90)
        if said:
            evidence.problems.append(f"with every fault lifted the hub did not recover by itself: {said}")
            hub.kill()
            scene.start_hub()
        mover.finish(resume=not self.script and self._chance.random() < 0.5)
        evidence.deeds = mover.deeds
        evidence.problems += mover.problems
        owing = gathering.wait_drained(hub, mover.deeds, DRAINED_WITHIN_S)
        scene.note("lanes drained" if not owing else f"still owed: {owing}")
        evidence.stored = gathering.stored(hub)
        evidence.parked = {lane: gathering.parked(hub, lane) for lane in LANES}
        evidence.held, evidence.lanes = gathering.held(hub), gathering.lanes(hub)
        evidence.rules, evidence.replays = gathering.rules(hub), gathering.replays(hub)
        evidence.balance = gathering.balance(hub)
        code = hub.stop()
        if code != 0:
            evidence.problems.append(f"the last SIGTERM: exit {code} instead of 0 (None: it had to be killed)")
        evidence.lines = gathering.lines(hub.data)
        evidence.drained = gathering.drained(hub.data / "drained")
        evidence.owed, evidence.replayed = gathering.owed(hub, store)
        if store == "sqlite" and (damage := gathering.damage(hub)):
            evidence.problems.append(f"SQLite says of its file: {damage}")

    def _tell(self, scene: Scene, evidence: Evidence, findings: Sequence[Finding]) -> str:
        replay = f"PYTHONPATH=tests python -m loss --engine {self.engine} --seed {shlex.quote(self.seed)}"
        return report(f"{self.engine}, seed {self.seed}", replay, scene.diary, evidence, findings)


def _silence(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Whether /readyz kept quiet about a full disk for which senders were turned away."""
    for began, ended in scene.full:
        turned = [
            attempt
            for message in evidence.sent.values()
            for attempt in message.attempts
            if attempt.status == 503 and began + 0.1 < attempt.at and attempt.at + attempt.took < ended - 0.1
        ]
        if turned and not scene.excuses:
            yield f"the disk was full from {began:.2f} s to {ended:.2f} s, senders were told so, and /readyz said yes"
    for excuse in scene.excuses:
        if not any(word in excuse for word in ("full", "space", "disk", "writ", "File too large", "PostgreSQL")):
            yield f"/readyz does not say why: {excuse}"


def _let_behave(books: Sequence[Book], posts: Posts) -> None:
    """From now on every receiver takes what it can."""
    for book in books:
        book.behaves = True
    posts.behave()


@contextmanager
def cluster_on_own_disk() -> Iterator[tuple[Postgres, Volume]]:
    """A PostgreSQL for some rounds, on a small disk of its own where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-loss-pg-"))
    folder.chmod(0o755)
    volume = Volume(folder, DATABASE_DISK_MIB)
    try:
        cluster = Postgres.create(fsync=False, within=folder)
        try:
            cluster.start()
            yield cluster, volume
        finally:
            volume.free()
            cluster.remove()
    finally:
        volume.unmount()
        shutil.rmtree(folder, ignore_errors=True)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-6000:] if log.exists() else ""


def rounds_wanted() -> int:
    """How many rounds on each engine: many where CI asks for everything, a few at a desk."""
    return int(os.environ.get("TOCSIN_LOSS_ROUNDS", "50" if os.environ.get("CI") else "6"))


def first_seed() -> str:
    """The seed of the whole run: given, or of this moment."""
    return os.environ.get("TOCSIN_LOSS_SEED") or str(int(time.time()) % 1_000_000)
