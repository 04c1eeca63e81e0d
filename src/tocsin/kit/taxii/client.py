"""A collection of a TAXII 2.1 server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from tocsin.errors import Unavailable
from tocsin.kit.taxii.options import TaxiiOptions
from tocsin.kit.taxii.resources import Page, Place, StatusResource


class Taxii:
    """One collection, found when it is first needed and looked for again when it is gone."""

    def __init__(self, options: TaxiiOptions) -> None:
        self._options = options

    def place(self, to: Literal["read", "write"]) -> Place:
        """The collection, found by id, alias or title over all API roots, that may be read or written.

        Raises:
            Rejected: there is none, or it may not be, or it does not hold STIX 2.1; says what there is instead.
            Unavailable: the server cannot be asked.
        """
        raise Unavailable("not written yet")

    def objects(
        self, added_after: str = "", next_page: str = "", limit: int = 0, match: Mapping[str, str] | None = None
    ) -> Page:
        """One page (section 5.4): what was added after, or what `next_page` of the page before names; `match` as in {"type": "indicator"}.

        Raises Rejected (Refused with a status), Unavailable.
        """
        raise Unavailable("not written yet")

    def pages(self, added_after: str = "", limit: int = 0, match: Mapping[str, str] | None = None) -> Iterator[Page]:
        """All pages from there on, by `next` where the server gives it. An object may come twice, none is left out."""
        raise Unavailable("not written yet")

    def post(self, objects: Sequence[bytes]) -> StatusResource:
        """Add objects, each as JSON, in one envelope. Raises Refused (400, 413, 422), Rejected, Unavailable."""
        raise Unavailable("not written yet")

    def status(self, id: str) -> StatusResource | None:
        """What became of objects that were added; None when the server does not know it (any more)."""
        raise Unavailable("not written yet")

    def close(self) -> None:
        """Let go of the connections."""
