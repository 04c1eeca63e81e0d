"""The TAXII 2.1 server: what stands in the collections of the configuration, for clients that may read them.

Every path is served with its trailing slash, which is part of it, and without.
"""

from collections.abc import Sequence

from tocsin.web.door import Route
from tocsin.web.taxii import reading, writing
from tocsin.web.taxii.answers import show_failure

TAXII2 = "/taxii2"
_ROOT = f"{TAXII2}/{{root}}"
_COLLECTION = f"{_ROOT}/collections/{{collection}}"

_ROWS: Sequence[Route] = [
    Route(["GET"], TAXII2, "none", reading.get_discovery),
    Route(["GET"], _ROOT, "none", reading.get_root),
    Route(["GET"], f"{_ROOT}/status/{{status}}", "none", writing.get_status),
    Route(["GET"], f"{_ROOT}/collections", "none", reading.get_collections),
    Route(["GET"], _COLLECTION, "none", reading.get_collection),
    Route(["GET"], f"{_COLLECTION}/manifest", "none", reading.get_manifest),
    Route(["GET"], f"{_COLLECTION}/objects", "none", reading.get_objects),
    Route(["POST"], f"{_COLLECTION}/objects", "none", writing.post_objects),
    Route(["GET"], f"{_COLLECTION}/objects/{{object}}", "none", reading.get_object),
    Route(["GET"], f"{_COLLECTION}/objects/{{object}}/versions", "none", reading.get_versions),
]

TAXII: Sequence[Route] = [row._replace(path=path) for row in _ROWS for path in (f"{row.path}/", row.path)]
"""Rights are the collections' own and not the roles', so each handler asks for them itself."""


def is_taxii(path: str) -> bool:
    """Whether TAXII clients ask there, so that failures are error resources."""
    return path == TAXII2 or path.startswith(f"{TAXII2}/")


__all__ = ["TAXII", "is_taxii", "show_failure"]
