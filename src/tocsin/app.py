"""Wiring: the only room that knows all rooms."""

import contextlib
import fcntl
import os
import secrets
import threading
import time
from functools import partial
from pathlib import Path

import structlog

from tocsin import config as configuration
from tocsin import detection, registry
from tocsin.config import Config, FlowsSection
from tocsin.config import flows as flows_table
from tocsin.config import warden as warden_table
from tocsin.config.collections import faults
from tocsin.delivery import Drains, Lanes, Replayer
from tocsin.delivery.readable import forget, with_readers
from tocsin.delivery.shelf import fill, tidy, with_shelves
from tocsin.entities import Known
from tocsin.errors import ConfigError, Problem, StoreError, StoreLocked, StoreUnavailable
from tocsin.flows import cluster
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.export import export_labeled
from tocsin.flows.following import Following
from tocsin.flows.labelling import detections
from tocsin.flows.searching.warm import Warm
from tocsin.flows.tending import Exports, Tending
from tocsin.indexing import Indexer, digest
from tocsin.intake import Intake, Limits
from tocsin.intake.again import Again
from tocsin.intake.deciding import Decider
from tocsin.intake.evidence import Evidence
from tocsin.intake.fetching import Fetchers, SourceDesk
from tocsin.intake.habits import Habits
from tocsin.kit.problems import nearest
from tocsin.model import Micros
from tocsin.registry import Registry, Wiring
from tocsin.sharing import Gate, Redaction
from tocsin.store import Change, Store, delivery, detected, open_store, retention, sending

log = structlog.get_logger()

LOCK = "tocsin.lock"
KEY = "sharing.key"
DRAINED = "drained"
CHANGED = ("created", "updated")
"""Kinds of changes after which flows may have other labels."""
SWEEP_S = 600.0
AGAIN_S = 5.0


def now() -> Micros:
    """The present moment."""
    return time.time_ns() // 1000


class Hub:
    """A Tocsin at work on one data folder."""

    def __init__(self, config: Config, data: Path, registry: Registry, wiring: Wiring) -> None:
        self.config, self.data, self.registry = config, data, registry
        told = config.entities.known()
        self.known = Known(**told)
        self._lock = _locked(data)
        try:
            self.store: Store = open_store(config.store.url.get_secret_value(), data)
        except BaseException:
            os.close(self._lock)
            raise
        self.started: Micros = now()
        self.dataset = config.flows.dataset(data)
        self.flows = Warm(self.dataset, config.flows.options())
        self.names = detection.DEFAULT.with_users(config.detection.names)
        limits = Limits(max_rows=config.http.max_rows, split_rows=config.http.split_rows)
        repeats = {label: table.rule() for label, table in config.repeats.items()}
        self.routable = lanes = tuple(wiring.destinations)
        """The lanes that a route may name: all but those of the collections and of Warden's readers."""
        shelved = with_shelves(wiring, config, self.store, self.known)
        self.wiring = wiring = with_readers(shelved, config, self.store)
        self.decider = Decider(self.store, config.routing(), lanes, self.names, self.known, config.serving())
        self.gate = gated(config, wiring, data)
        self.accumulating = tuple(config.accumulating())
        counts_as = self.gate.counts_as
        evidence = Evidence(self.accumulating, lanes, self.names, self.known, self.decider, counts_as)
        asked = evidence if self.accumulating else None
        self.intake = Intake(self.store, wiring.parsers, lanes, limits, self.names, repeats, self.decider, asked)
        self.again = Again(self.store, self.intake, wiring.parsers, limits)
        self.lanes = Lanes(
            *(self.store, wiring.destinations, config.delivery, self.gate, self.names),
            shared=config.store.shared,
            options=wiring.options,
        )
        self.drains = Drains(self.store, self.gate, self.names, data / DRAINED, now)
        self.replayer = Replayer(self.store, tuple(wiring.destinations), shared=config.store.shared)
        self.tending = self._tending()
        flows = config.flows
        self.following = Following(
            *(self.dataset, flows.follow), zone=flows.zone, interval_s=flows.interval_s, told=self.tending.wake
        )
        followed = {flows.alert_source: self.following} if flows.follow else {}
        self.fetchers = Fetchers(self.store, self.intake, {**wiring.sources, **followed})
        self.habits = Habits(self.store, self.intake, wiring.parsers)
        self.indexer = Indexer(self.store, self.names, partial(Known, **told), digest(config.detection.names, told))
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="tocsin-keeper", daemon=True)

    def start(self) -> None:
        """Begin to fetch and to send, and to sweep out what is older than it may be."""
        for (kind, name), why in sorted(self.registry.broken.items()):
            log.warning("plug-in left out", kind=str(kind), name=name, reason=why)
        self.store.on_commit(self._wake)
        self.lanes.start()
        self.replayer.start()
        self.fetchers.start()
        self.habits.start()
        self.indexer.start()
        self.tending.start()
        self._keeper.start()

    def send_alone(self, lane: str) -> None:
        """Begin to work on replays and to send down that lane, and nothing else: for a command where no server runs."""
        self.store.on_commit(self._wake)
        self.lanes.start([lane])
        self.replayer.start()
        self.indexer.start()

    def busy(self, lane: str) -> bool:
        """Whether there is something to send down that lane now, and its destination takes it."""
        activity = self.lanes.activity().get(lane)
        if activity is None or activity.rest_until is not None:
            return False
        due = self.store.read(lambda tx: sending.next_due(tx, lane))
        states = {each.name: each for each in self.store.read(delivery.lanes)}
        return (due is not None and due <= now()) or (lane in states and states[lane].sending > 0)

    def stop(self) -> None:
        """End in the order in which alerts walk: attempts under way finish, then the store closes."""
        self._ended.set()
        self.fetchers.stop(self.config.delivery.stop_wait_s)
        self.tending.stop(self.config.delivery.stop_wait_s)
        self.replayer.stop()
        self.lanes.stop(self.config.delivery.stop_wait_s)
        if self._keeper.is_alive():
            self._keeper.join()
        self.habits.stop()
        self.indexer.stop()
        self.intake.close()
        self.again.close()
        self.flows.close()
        self.store.close()
        os.close(self._lock)

    def _tending(self) -> Tending:
        """What follows the alerts for the flows, and keeps their data set in order."""
        flows = self.config.flows
        desk = SourceDesk(flows.alert_source, self.intake, self.store, threading.Event())
        refresh = partial(
            detections.refresh,
            *(self.dataset, partial(detected.changed, self.store)),
            false=flows.false_tags,
            names=self.names,
            meaning=digest(self.config.detection.names, {}),
        )
        exports = exported(flows, self.dataset, self.data)
        return Tending(self.dataset, desk.accept, refresh, keep_days=flows.keep_days, exports=exports)

    def _wake(self, change: Change) -> None:
        if change.lanes:
            self.lanes.wake(change.lanes)
        if change.kind in CHANGED:
            self.tending.wake()

    def _keep(self) -> None:
        filled = False
        while not self._ended.is_set():
            try:
                if not filled:
                    fill(self.store, self.config.gathering(), now())
                    self.replayer.wake()
                    filled = True
                retention.sweep(self.store, self.config.retention, now(), self._ended.wait)
                tidy(self.store, self.config.retention.alerts_days, now(), self._ended.wait)
                if self.config.warden is not None:
                    forget(self.store, self.config.warden.keep_days, now(), self._ended.wait)
            except StoreError as error:
                log.warning("retention waits", reason=str(error))
            self._ended.wait(SWEEP_S if filled else AGAIN_S)


def exported(flows: FlowsSection, dataset: Dataset, data: Path) -> Exports | None:
    """What is exported of flows by itself; None where nothing is to be."""

    def write() -> list[Path]:
        by = export_labeled if flows.engine == "duckdb" else partial(cluster.export_labeled, master=flows.spark_master)
        folder, forms = flows.exports(data), flows.export_formats
        return by(dataset, flows.options(), folder, forms, now=now(), timewindow_s=flows.timewindow_s)

    return Exports(write, flows.export_every_s) if flows.export_labeled_flows else None


def build(config: Config, data: Path, found: Registry | None = None) -> Hub:
    """A hub on the data folder, not yet started.

    Raises:
        ConfigError: an option of a plug-in is wrong; all of them are named.
        StoreLocked: another process works on this folder.
        StoreUnavailable, SchemaTooNew: see `store.open_store`.
    """
    found = found or registry.find(data)
    wiring, problems = wired(config, data, found)
    if problems.problems:
        raise problems
    return Hub(config, data, found, wiring)


def load_config(data: Path, file: Path | None = None) -> Config:
    """The configuration of the data folder. Raises ConfigError with everything that is wrong, plug-ins included."""
    config, problems = configuration.read(data, file)
    _, more = wired(config, data, registry.find(data))
    if problems or more.problems:
        raise ConfigError([*problems, *more.problems])
    return config


def wired(config: Config, data: Path, found: Registry) -> tuple[Wiring, ConfigError]:
    """The plug-ins as the configuration has them, and all that is wrong with it in the company of others."""
    tables = {"sources": config.sources, "parsers": config.parsers, "destinations": config.destinations}
    context = config.context(data)
    wiring, problems = found.wire(tables, context)
    for lane, profile in wiring.redactions.items():
        if isinstance(profile, str) and profile not in config.sharing.profiles:
            offer = nearest(profile, config.sharing.profiles) if config.sharing.profiles else "there are none"
            place = f"destinations.{lane}.redact"
            remedy = f"there is no such table in [sharing.profiles]; {offer}"
            problems.append(Problem(str(context[configuration.FILE]), place, f'"{profile}"', remedy))
    file = str(context[configuration.FILE])
    problems += faults(config, wiring.destinations, file)
    problems += warden_table.faults(config, wiring.destinations, file)
    problems += flows_table.faults(config, file)
    for at, route in enumerate(config.routes):
        problems += [
            Problem(
                str(context[configuration.FILE]), f"routes.{at}.to", f'"{lane}"', nearest(lane, wiring.destinations)
            )
            for lane in route.to
            if lane not in wiring.destinations
        ]
    return wiring, ConfigError(problems)


def gated(config: Config, wiring: Wiring, data: Path) -> Gate:
    """The gate of the configuration. Raises StoreUnavailable when the key of pseudonyms cannot be had."""
    sharing, redactions = config.sharing, {}
    if wiring.redactions:
        key = sharing.key.get_secret_value().encode() if sharing.key else _own_key(data / KEY)
        profiles = {
            lane: sharing.profiles[one] if isinstance(one, str) else one for lane, one in wiring.redactions.items()
        }
        redactions = {lane: Redaction(profile, key) for lane, profile in profiles.items()}
    return Gate(wiring.clearances, sharing.unmarked, sharing.by_source, redactions)


def _own_key(path: Path) -> bytes:
    """The data folder's own key, made when it is first needed."""
    try:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
                file.flush()
                os.fsync(descriptor)
        key = path.read_bytes().strip()
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be used: {error.strerror}") from error
    if not key:
        raise StoreUnavailable(f"{path} is empty: remove it, and another key is made (with other pseudonyms)")
    return key


def _locked(data: Path) -> int:
    """Own the data folder for as long as the descriptor is open; the kernel lets go when the process ends."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o750)
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreUnavailable(f"{data} cannot be used as data folder: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreLocked(f"another Tocsin works on {data}: stop it first, or give another --data") from None
    return descriptor
