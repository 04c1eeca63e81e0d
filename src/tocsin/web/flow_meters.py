"""What Prometheus reads of flows: counted by their catalogue, and by those who read and tend them now."""

import time
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tocsin.app import Hub
from tocsin.errors import FlowsError

TASKS = ("labels", "parts", "days", "export")


def collected(hub: Hub) -> Iterator[Metric]:
    """Nothing where there never was a flow."""
    if not hub.dataset.exists():
        return
    try:
        with hub.dataset.catalogue() as catalogue:
            totals = catalogue.totals()
    except FlowsError:
        yield GaugeMetricFamily("tocsin_flows_readable", "1 while the catalogue of flows can be read.", value=0)
        return
    yield GaugeMetricFamily("tocsin_flows_readable", "1 while the catalogue of flows can be read.", value=1)
    yield CounterMetricFamily("tocsin_flows_imported", "Flows read from files, each once.", value=totals.rows)
    yield CounterMetricFamily("tocsin_flows_malformed", "Lines kept aside that no reader could read.", totals.malformed)
    yield CounterMetricFamily("tocsin_flows_skipped", "Sound lines of which nothing is kept.", totals.skipped)
    yield GaugeMetricFamily("tocsin_flows_kept", "Flows in the data set.", value=totals.kept)
    yield GaugeMetricFamily("tocsin_flows_parts", "Files of the data set.", value=totals.parts)
    yield GaugeMetricFamily(
        "tocsin_flows_last_import_timestamp_seconds", "When a file was read last, since 1970.", value=totals.last / 1e6
    )
    files = hub.following.state()
    waiting = [one.since for one in files if one.since]
    oldest = max(0.0, time.time() - min(waiting) / 1e6) if waiting else 0.0
    behind = sum(one.behind for one in files)
    yield GaugeMetricFamily("tocsin_flows_followed_files", "Files that are followed.", value=len(files))
    yield GaugeMetricFamily(
        "tocsin_flows_failing_files", "Of these, those that cannot be read.", value=sum(bool(f.trouble) for f in files)
    )
    yield GaugeMetricFamily("tocsin_flows_behind_bytes", "Of followed files, what was not read yet.", value=behind)
    yield GaugeMetricFamily("tocsin_flows_behind_seconds", "Since when the oldest of it waits.", value=oldest)
    failing = GaugeMetricFamily("tocsin_flows_failing", "1 while a task on flows fails.", labels=["task"])
    troubles = hub.tending.troubles()
    for task in TASKS:
        failing.add_metric([task], int(task in troubles))
    yield failing
