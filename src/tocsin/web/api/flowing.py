"""Flows of the running hub: brought up to date with what was imported and with all alerts, and how they fare."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.config import FlowsSection
from tocsin.errors import FlowsError
from tocsin.flows import engine
from tocsin.flows.catalogue import Totals
from tocsin.web.answers import Json
from tocsin.web.api.described import described
from tocsin.web.state import web_of

ENOUGH_FREE = 2**30
TURN_S = 10.0
LATE_S = 600.0
"""Followed files that wait for so long are told of."""


class Fresh(msgspec.Struct, frozen=True):
    """So many alertgroups were new or changed, and so many of their detections count now.

    `status` is "more" where alerts among the flows are left to be handed over: ask again.
    """

    alertgroups: int
    detections: int
    status: str = "ok"


class Check(msgspec.Struct, frozen=True):
    """One thing looked at: whether it is well, and in a sentence what was seen or is to be mended."""

    name: str
    ok: bool
    detail: str


@described(
    "Hand alerts among imported flows to the analysts, and bring the labels of flows up to date with all alerts.", Fresh
)
async def post_refresh(request: Request) -> Response:
    """Answers when it is done, or a turn of it; commands that label flows ask for it first."""
    hub = web_of(request).hub
    if not hub.dataset.exists():
        return Json(Fresh(0, 0))
    if not await run_in_threadpool(hub.tending.hand_over, TURN_S):
        return Json(Fresh(0, 0, "more"))
    done = await run_in_threadpool(hub.tending.fresh)
    return Json(Fresh(done.alertgroups, done.rows))


def checks(hub: Hub) -> Iterator[Check]:
    """What a doctor sees of flows: nothing where there are none and none are asked for."""
    flows = hub.config.flows
    if not (flows.asks or hub.dataset.exists()):
        return
    if not engine.installed():
        yield Check("flows", False, "there are flows, but not what reads them: pip install 'tocsin[flows]'")
        return
    try:
        with hub.dataset.catalogue() as catalogue:
            yield Check("flows", True, _told(catalogue.totals()))
    except FlowsError as error:
        yield Check("flows", False, str(error))
        return
    yield from _followed(hub, flows)
    for task, reason in hub.tending.troubles().items():
        yield Check(f"flows {task}", False, reason)
    if flows.export_labeled_flows:
        yield _folder(flows.exports(hub.data))


def _told(totals: Totals) -> str:
    if not totals.imports:
        return "nothing was imported yet"
    last = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(totals.last / 1_000_000))
    said = f"{totals.kept:,} flows in {totals.parts:,} parts, the last import at {last}"
    if totals.malformed:
        lines = "line" if totals.malformed == 1 else "lines"
        said += f"; {totals.malformed:,} {lines} could not be read: `tocsin flows malformed` shows them"
    return said


def _followed(hub: Hub, flows: FlowsSection) -> Iterator[Check]:
    for pattern in flows.follow:
        there = (
            list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))) if pattern.is_absolute() else []
        )
        name = f"flows {pattern}"
        closed = [path for path in there if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))]
        if not there:
            yield Check(name, False, "there is no such file or folder yet: mend [flows] follow, or the sensor")
        elif closed:
            yield Check(name, False, f"{closed[0]} cannot be read by user id {os.geteuid()}: let Tocsin read it")
        else:
            yield Check(name, True, "can be read")
    now = time.time()
    for file in hub.following.state():
        if file.trouble:
            yield Check(f"flows {file.path}", False, file.trouble)
        elif file.since and now - file.since / 1e6 > LATE_S:
            waits = (
                f"{file.behind:,} bytes wait for more than {LATE_S / 60:.0f} minutes: half a line, or too much at once"
            )
            yield Check(f"flows {file.path}", False, waits)


def _folder(folder: Path) -> Check:
    name = f"flows export to {folder}"
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        near = folder if folder.exists() else folder.parent
        if not os.access(near, os.W_OK | os.X_OK) or not near.is_dir():
            return Check(name, False, f"it cannot be written by user id {os.geteuid()}: mkdir, chown or chmod it")
        folder = near
    free = shutil.disk_usage(folder).free
    return Check(
        name, free >= ENOUGH_FREE, f"{free / 2**30:.1f} GiB free" + ("" if free >= ENOUGH_FREE else ": make room")
    )
