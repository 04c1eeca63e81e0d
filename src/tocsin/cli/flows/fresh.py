"""Flows and alerts brought to one state: through the running server, or here where none runs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.config import FlowsSection


def fresh(data: Path, file: Path | None) -> None:
    """Hand alerts among the flows to the analysts, and bring the labels of flows up to date with all alerts.

    Raises ConfigError, FlowsError, NotInstalled, StoreError.
    """
    from tocsin.app import build, load_config
    from tocsin.cli.control import running
    from tocsin.cli.door import open_door

    if running(data):
        with open_door(data, file) as door:
            while door.ask("POST", "/api/v2/flow/refresh")["status"] == "more":
                pass
        return
    hub = build(load_config(data, file), data)
    try:
        hub.tending.fresh()
    finally:
        hub.stop()


def after_import(data: Path, file: Path | None, flows: "FlowsSection") -> list[Path]:
    """What follows an import: alerts in it go to the analysts, and flows are exported where that is configured.

    The files that were written. Raises as `fresh` does, and OSError.
    """
    from tocsin.app import exported
    from tocsin.flows import alerts
    from tocsin.flows.tending import export

    dataset = flows.dataset(data)
    exports = exported(flows, dataset, data)
    if exports is not None or next(alerts.due(dataset), None) is not None:
        fresh(data, file)
    return list(export(dataset, exports)) if exports is not None else []
