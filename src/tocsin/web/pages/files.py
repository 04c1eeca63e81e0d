"""Style, scripts and pictures of the pages: read once, served under an address that names their content.

The address holds a digest of all files together, so scripts may import each other by plain relative names and every
release is fetched anew; under that address a browser may keep them for ever.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import NotFound

FOLDER = Path(__file__).parent.parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


class File(NamedTuple):
    """One file as it is served."""

    body: bytes
    media_type: str
    etag: str


class Files(NamedTuple):
    """All of them, and the digest that stands in their addresses."""

    digest: str
    by_name: dict[str, File]


@cache
def files() -> Files:
    """The files that stand in the folder of this process's release."""
    found: dict[str, File] = {}
    whole = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in TYPES and path.is_file():
            body = path.read_bytes()
            name = path.relative_to(FOLDER).as_posix()
            digest = hashlib.sha256(body).hexdigest()
            whole.update(f"{name} {digest}\n".encode())
            found[name] = File(body, TYPES[path.suffix], f'"{digest[:32]}"')
    return Files(whole.hexdigest()[:16], found)


def address(name: str) -> str:
    """Where a file is served."""
    return f"/static/{files().digest}/{name}"


def has(name: str) -> bool:
    """Whether a file is there; browser packages are fetched when Tocsin is built."""
    return name in files().by_name


async def serve(request: Request) -> Response:
    """GET /static/DIGEST/NAME. A page of an older release gets the present file, but may not keep it."""
    known = files()
    file = known.by_name.get(request.path_params["name"])
    if file is None:
        raise NotFound("There is no such file.")
    current = request.path_params["digest"] == known.digest
    headers = {"ETag": file.etag, "Cache-Control": FOR_EVER if current else "no-cache"}
    headers["X-Content-Type-Options"] = "nosniff"
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
