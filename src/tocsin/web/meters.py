"""What Prometheus reads: counted by the store, so that a restart forgets nothing; only latencies live here."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from tocsin import __version__
from tocsin.delivery import Activity
from tocsin.store import Store, alertgroup, delivery, index, message, tally
from tocsin.store.tally import SourceState, Tally

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

MOST_WAITING = 100_000
"""Counted no further."""
_COUNTED = {
    "received": "Messages that came in, each once: stored, quarantined and refused together.",
    "stored": "Messages understood and stored.",
    "quarantined": "Messages kept but not understood.",
    "refused": "Messages refused with an answer.",
    "repeated": "Messages that came again and got the first answer again.",
}


class Meters:
    """The metrics of one hub."""

    def __init__(
        self,
        store: Store,
        activity: Callable[[], Mapping[str, Activity]],
        more: Callable[[], Iterable[Metric]] = tuple,
    ) -> None:
        """`more` is what others have to say at each scrape."""
        self._store = store
        self._activity = activity
        self._more = more
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.intake_s = Histogram(
            "tocsin_intake_seconds",
            "From the first byte of a post to its answer, which stands after the commit.",
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def text(self) -> bytes:
        """The page that is scraped. Raises StoreUnavailable."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing is known without asking the store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Asked for at each scrape."""
        tallies, sources, lanes, totals, quarantine, lag = self._store.read(
            lambda tx: (
                tally.totals(tx),
                tally.source_states(tx),
                delivery.lanes(tx),
                alertgroup.totals(tx),
                message.quarantine_depth(tx),
                index.lag(tx, MOST_WAITING),
            )
        )
        yield InfoMetricFamily("tocsin", "The running Tocsin.", {"version": __version__, "engine": self._store.engine})
        yield GaugeMetricFamily(
            "tocsin_store_healthy", "1 while the store can write.", value=0 if self._store.healthy() else 1
        )
        yield GaugeMetricFamily("tocsin_store_waiting", "Writes that wait for a commit.", value=self._store.waiting)
        yield GaugeMetricFamily("tocsin_quarantine_depth", "Messages that stand in quarantine.", value=quarantine)
        yield GaugeMetricFamily(
            "tocsin_index_waiting", "Alertgroups that wait to be indexed, up to 100,000.", value=lag.waiting
        )
        yield GaugeMetricFamily(
            "tocsin_index_oldest_seconds",
            "Since when the longest of them waits.",
            value=max(0.0, time.time() - lag.since / 1e6) if lag.since else 0,
        )
        groups = GaugeMetricFamily("tocsin_alertgroups", "Alertgroups by status.", labels=["status"])
        for status, n in totals.items():
            groups.add_metric([status], n)
        yield groups
        yield from _balance(tallies)
        yield from _sources(sources)
        yield from _lanes(lanes)
        yield from _attempts(self._activity())
        yield from self._more()


def _balance(tallies: list[Tally]) -> Iterator[Metric]:
    for name, text in _COUNTED.items():
        counter = CounterMetricFamily(f"tocsin_{name}", text, labels=["source"])
        for one in tallies:
            counter.add_metric([one.source], getattr(one, name))
        yield counter


def _sources(sources: list[SourceState]) -> Iterator[Metric]:
    failing = GaugeMetricFamily("tocsin_source_failing", "1 while a source cannot be read.", labels=["source"])
    heard = GaugeMetricFamily(
        "tocsin_source_last_message_timestamp_seconds", "When the last message came, since 1970.", labels=["source"]
    )
    read = GaugeMetricFamily(
        "tocsin_source_last_success_timestamp_seconds", "When it was last read without fault.", labels=["source"]
    )
    for one in sources:
        late = one.last_success is None or (one.last_error_at or 0) > one.last_success
        failing.add_metric([one.name], int(bool(one.last_error) and late))
        if one.last_message is not None:
            heard.add_metric([one.name], one.last_message / 1e6)
        if one.last_success is not None:
            read.add_metric([one.name], one.last_success / 1e6)
    yield from (failing, heard, read)


def _lanes(lanes: list[delivery.LaneState]) -> Iterator[Metric]:
    depth = GaugeMetricFamily("tocsin_lane_depth", "Deliveries owed, by lane and state.", labels=["lane", "state"])
    oldest = GaugeMetricFamily("tocsin_lane_oldest_seconds", "Age of the oldest delivery owed.", labels=["lane"])
    paused = GaugeMetricFamily("tocsin_lane_paused", "1 while a person holds the lane.", labels=["lane"])
    delivered = CounterMetricFamily("tocsin_lane_delivered", "Deliveries made.", labels=["lane"])
    failed = CounterMetricFamily("tocsin_lane_failed", "Deliveries parked as failed.", labels=["lane"])
    withheld = CounterMetricFamily("tocsin_lane_withheld", "Deliveries the gate did not let out.", labels=["lane"])
    skipped = CounterMetricFamily("tocsin_lane_skipped", "Deliveries with nothing to send.", labels=["lane"])
    now = time.time()
    for lane in lanes:
        depth.add_metric([lane.name, "due"], lane.due)
        depth.add_metric([lane.name, "sending"], lane.sending)
        depth.add_metric([lane.name, "failed"], lane.failed)
        oldest.add_metric([lane.name], 0 if lane.oldest is None else max(0.0, now - lane.oldest / 1e6))
        paused.add_metric([lane.name], int(lane.paused))
        delivered.add_metric([lane.name], lane.delivered)
        failed.add_metric([lane.name], lane.failures)
        withheld.add_metric([lane.name], lane.withheld)
        skipped.add_metric([lane.name], lane.skipped)
    yield from (depth, oldest, paused, delivered, failed, withheld, skipped)


def _attempts(activity: Mapping[str, Activity]) -> Iterator[Metric]:
    """Since the start: a rate of the sums, divided by that of the counts, is how long it takes."""
    attempts = CounterMetricFamily("tocsin_lane_attempts", "Attempts, by outcome.", labels=["lane", "outcome"])
    took = CounterMetricFamily("tocsin_lane_attempt_seconds", "Time spent in attempts.", labels=["lane"])
    delay = CounterMetricFamily("tocsin_lane_delay_seconds", "From owed to delivered, all together.", labels=["lane"])
    for lane, at in activity.items():
        for outcome, n in at.outcomes.items():
            attempts.add_metric([lane, outcome], n)
        took.add_metric([lane], at.took / 1e6)
        delay.add_metric([lane], at.delay / 1e6)
    yield from (attempts, took, delay)
