"""What a destination gets of an alertgroup."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.formats import group_json
from tocsin.model import Alertgroup
from tocsin.web.answers import Json
from tocsin.web.api.described import described
from tocsin.web.shares import Share, share_of


class SharedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination would be sent now: `group`, the JSON object of webhooks, or why nothing in `withheld`.

    `counts_as` is the TLP it is held for, `clearance` the highest that may go there, `profile` the name of what is
    taken out: "" where nothing is, "(its own)" for one that stands in the destination's table.
    """

    lane: str
    counts_as: str
    clearance: str
    profile: str
    withheld: str | None
    group: msgspec.Raw | None


def _record(share: Share) -> SharedRecord:
    return SharedRecord(
        lane=share.lane,
        counts_as=share.tlp.value,
        clearance=share.clearance.value,
        profile="" if share.profile is None else share.name or "(its own)",
        withheld=share.refused or None,
        group=msgspec.Raw(group_json.document(share.made)) if isinstance(share.made, Alertgroup) else None,
    )


@described("What a destination would be sent of an alertgroup, behind the gate.", SharedRecord)
async def get_shared(request: Request) -> Response:
    """Before it is sent, and after; as configured now."""
    return Json(_record(await run_in_threadpool(share_of, request)))
