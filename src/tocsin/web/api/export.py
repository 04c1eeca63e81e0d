"""Any selection of what is stored, in a format of the world, as a stream."""

from collections.abc import Iterator, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tocsin.delivery.exporting import FORMATS, MEDIA, WISHES, Exporter, Portion, framed, selection
from tocsin.errors import Malformed
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.parameters import only_known
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import web_of

_TEXT = {"type": "string"}
_SUFFIX = {"stix": "json", "stix1": "xml", "idea": "idea", "csv": "csv", "jsonl": "jsonl"}
FRAMED = "application/x-tocsin-portions"


@described(
    "What a query means, as STIX 2.1 (a bundle), STIX 1.2 (packages in a package), IDEA0 or our JSON by lines, or CSV.",
    bytes,
    media="application/octet-stream",
    errors=(422,),
    parameters=(
        Parameter("format", "The format.", {"enum": list(FORMATS)}),
        Parameter("query", "In the query language; empty for everything.", _TEXT),
        Parameter("from", "Received from then on: now-7d, 2026-05-04T12:00Z.", _TEXT),
        Parameter("until", "Received before then.", _TEXT),
        Parameter(
            "for",
            "As it may go to this destination: through its gate. "
            "Without it everything but passwords and positions, unredacted.",
            _TEXT,
        ),
        Parameter("folded", "1: repeats too that are folded into another alertgroup.", {"enum": ["0", "1"]}),
        Parameter("portions", f"1: as {FRAMED}, which tells how far it is.", {"enum": ["0", "1"]}),
    ),
)
async def get_export(request: Request) -> Response:
    """Only a portion is in memory at a time; a stream that broke off has no end."""
    query, now = query_of(request), now_micros()
    only_known(query, *WISHES, "portions")
    whole = not _flag(query, "portions")
    asked = selection({name: values[-1] for name, values in query.items()}, now)
    hub = web_of(request).hub
    exporter = Exporter(hub.store, hub.gate, hub.names, hub.known, hub.wiring.destinations)
    portions = await run_in_threadpool(exporter.portions, asked, now)
    headers = {"Content-Disposition": f'attachment; filename="tocsin-export.{_SUFFIX[asked.format]}"'}
    media = MEDIA[asked.format] if whole else FRAMED
    if request.method == "HEAD":
        return Response(media_type=media, headers=headers)
    return StreamingResponse(_bytes(portions, whole), media_type=media, headers=headers)


def _bytes(portions: Iterator[Portion], whole: bool) -> Iterator[bytes]:
    return (portion.text if whole else framed(portion) for portion in portions)


def _flag(query: Mapping[str, list[str]], name: str) -> bool:
    said = query.get(name, ["0"])[-1]
    if said not in ("0", "1"):
        raise Malformed(f"{name} must be 0 or 1.")
    return said == "1"
